"""A thread that is canceled, edited or moved: until it has begun all of it may change, then what is live stays."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from threads import TEXTS, THREE, stop_after_the_first_part, texts

from logicspike.domain import DeliveryState
from logicspike.services.disconnecting import PostsOnDisconnect
from logicspike.services.editing import Edited, EditRequest, TooLate

MINUTE = timedelta(minutes=1)


async def test_cancelling_in_the_middle_keeps_what_is_live_and_sends_nothing_more(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule(THREE)
    await stop_after_the_first_part(team, monkeypatch, delivery)

    outcome = await team.scheduling.cancel(team.ana, delivery.delivery_id)
    await team.deliver(after=MINUTE)

    assert outcome.is_canceled
    assert (DeliveryState.CANCELED, 1) == (outcome.delivery.state, len(outcome.delivery.live))
    assert ["one"] == texts(team)


async def test_what_has_begun_is_not_edited_any_more(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule(THREE)
    found = await team.editing.find(team.ana, delivery.delivery_id)
    await stop_after_the_first_part(team, monkeypatch, delivery)

    answer = await team.editing.save(edit(team, delivery, "four\n---\nfive", found.post.revision))
    await team.deliver(after=MINUTE)

    assert isinstance(answer, TooLate)
    assert TEXTS == texts(team)


async def test_an_edit_may_add_parts_and_take_them_away(team):
    await team.connect()
    delivery = await team.schedule("alone")

    first = await team.editing.save(edit(team, delivery, "one\r\n -----\r\ntwo", 0))
    assert isinstance(first, Edited)
    assert ("one", "two") == (await team.read(delivery)).texts
    second = await team.editing.save(edit(team, delivery, "just\n---\nthree\n---\nparts", 1))
    assert isinstance(second, Edited)
    await team.deliver(after=MINUTE)

    assert ["just", "three", "parts"] == texts(team)


async def test_an_edit_at_the_moment_a_thread_begins_comes_too_late_for_all_of_it(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule(THREE)
    publish, tasks = team.platforms.publish, []

    async def editing(*args: object) -> object:
        tasks.append(asyncio.create_task(team.editing.save(edit(team, delivery, "other\n---\ntexts", 0))))
        await tasks[-1]
        return await publish(*args)

    monkeypatch.setattr(team.platforms, "publish", editing)
    await team.deliver(after=MINUTE)

    assert all(isinstance(task.result(), TooLate) for task in tasks)
    assert TEXTS == texts(team)


def edit(team, delivery, text, revision):
    return EditRequest(
        author=team.ana,
        delivery_id=delivery.delivery_id,
        revision=revision,
        text=text,
        due_at=delivery.due_at,
        zone="Europe/Berlin",
    )


async def test_what_has_begun_is_held_not_moved_when_its_account_is_disconnected(team, monkeypatch):
    ann = await team.connect(person="p-1")
    ben = await team.connect(person="p-2")
    begun = await team.schedule(THREE, accounts=(ann.nickname,))
    await stop_after_the_first_part(team, monkeypatch, begun)
    whole = await team.schedule(THREE, accounts=(ann.nickname,))

    await team.disconnecting.disconnect(
        team.ana, ann.connection_id, posts=PostsOnDisconnect.MOVE, move_to=ben.connection_id
    )

    assert (DeliveryState.HELD, ann.connection_id) == (
        (await team.read(begun)).state,
        (await team.read(begun)).connection_id,
    )
    assert ben.connection_id == (await team.read(whole)).connection_id
    await team.deliver(after=MINUTE)
    assert ["one", *TEXTS] == texts(team)
