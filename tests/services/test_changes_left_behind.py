"""Changing a scheduled post, when the process that is at it ends or the database goes away."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from logicspike.domain import DeliveryState, PostChange
from logicspike.plugin.errors import PlatformUnavailable
from logicspike.services.editing import Edited
from logicspike.services.ports import StoreUnavailable

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
S = DeliveryState


async def leave_behind(team, delivery, text="New"):
    """A change that its process did not live to carry out."""
    post = await team.stores.posts.find("T1", delivery.post_id)
    change = PostChange(
        text=text,
        link=None,
        due_at=delivery.due_at,
        zone=delivery.zone,
        wall_time=post.wall_time,
        begun_at=team.clock.now(),
        reaches={each.delivery_id: 0 for each in await team.stores.deliveries.list_for_post("T1", post.post_id)},
    )
    assert await team.stores.posts.swap(post, replace(post, change=change))


async def test_a_change_left_behind_is_carried_through_in_a_while(team):
    deliveries = await team.schedule_to_both("Old")
    await leave_behind(team, deliveries[0])
    assert 0 == await team.editing.finish_changes(), "it may be somebody's who is just at it"

    team.clock.advance(timedelta(seconds=11))

    assert 1 == await team.editing.finish_changes()
    assert ["New", "New"] == [(await team.read(each)).post.text for each in deliveries]
    post = await team.stores.posts.find("T1", deliveries[0].post_id)
    assert ("New", 1, None) == (post.text, post.revision, post.change)
    assert 0 == await team.editing.finish_changes()


async def test_what_was_tried_meanwhile_stays_as_it_was_even_if_it_is_to_be_tried_again(team, refuse):
    await team.connect()
    delivery = await team.schedule("Old")
    await leave_behind(team, delivery)
    refuse(PlatformUnavailable("Down."))
    await team.deliver(after=MINUTE)
    assert S.SCHEDULED is (await team.read(delivery)).state

    await team.editing.finish_changes()

    post = await team.stores.posts.find("T1", delivery.post_id)
    assert {("Old", None)} == {(post.text, post.change), ((await team.read(delivery)).post.text, None)}


async def test_a_change_that_reached_nobody_is_dropped(team):
    await team.connect()
    delivery = await team.schedule("Old")
    await leave_behind(team, delivery)
    await team.deliver(after=MINUTE)

    await team.editing.finish_changes()

    post = await team.stores.posts.find("T1", delivery.post_id)
    assert ("Old", 1, None, None) == (post.text, post.revision, post.change, post.edited_at)


async def test_the_form_shows_a_change_left_behind_as_made(team):
    await team.connect()
    delivery = await team.schedule("Old")
    await leave_behind(team, delivery)

    found = await team.editing.find(team.ana, delivery.delivery_id)

    assert ("New", 1) == (found.shown.post.text, found.post.revision)


@pytest.mark.parametrize("step", range(1, 9))
@pytest.mark.parametrize("is_done", [True, False])
async def test_cut_off_at_any_write_the_post_and_its_deliveries_agree_after_a_while(team, monkeypatch, step, is_done):
    deliveries = await team.schedule_to_both("Old")
    count = 0

    def cut_off_at(store, name):
        real = getattr(store, name)

        async def call(*args):
            nonlocal count
            count += 1
            if count == step and not is_done:
                raise asyncio.CancelledError
            result = await real(*args)
            if count == step:
                raise asyncio.CancelledError
            return result

        monkeypatch.setattr(store, name, call)

    for store, name in ((team.stores.posts, "swap"), (team.stores.deliveries, "swap")):
        cut_off_at(store, name)
    try:
        await team.edit(deliveries[0], "New", due_in=2 * HOUR)
    except asyncio.CancelledError:
        assert step <= 4
    monkeypatch.undo()
    team.clock.advance(MINUTE)
    await team.editing.finish_changes()

    post = await team.stores.posts.find("T1", deliveries[0].post_id)
    said = {((await team.read(each)).post.text, (await team.read(each)).due_at) for each in deliveries}
    assert {(post.text, post.due_at)} == said
    assert None is post.change


async def test_an_outage_is_said_and_the_same_saved_again(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule("Old", due_in=HOUR)
    real = team.stores.deliveries.swap

    async def swap(before, after):
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(team.stores.deliveries, "swap", swap)
    with pytest.raises(StoreUnavailable):
        await team.edit(delivery, "New")
    monkeypatch.setattr(team.stores.deliveries, "swap", real)

    again = await team.edit(delivery, "New")

    assert isinstance(again, Edited)
    assert [("New", 1)] == [(each.post.text, each.revision) for each in again.changed]
