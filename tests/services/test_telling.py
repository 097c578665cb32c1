"""What an author is owed is told although a process ends, Slack is away, or many posts go live at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from team import claim_due

from logicspike.domain import DeliveryState, HoldReason
from logicspike.plugin.errors import OperatorActionRequired, PlatformUnavailable, PostRejected
from logicspike.plugin.types import Problem
from logicspike.services.notices import (
    DeliveryDelayed,
    DeliveryFailed,
    DeliveryHeld,
    DeliveryPublished,
    LateQuestion,
    OperatorTrouble,
    PostsPublished,
)
from logicspike.services.ports import StoreUnavailable

MINUTE = timedelta(minutes=1)
LEASE = timedelta(seconds=120)


async def publish_without_telling(team, texts=("Hello",)):
    made = [await team.schedule(text) for text in texts]
    team.clock.advance(MINUTE)
    await team.delivering.deliver_due()
    await team.delivering.wait_until_idle()
    return [await team.read(each) for each in made]


async def test_an_outcome_whose_process_ended_before_it_was_told_is_told_by_the_next(team):
    await team.connect()
    [done] = await publish_without_telling(team)
    assert done.is_owed
    assert [] == team.notifier.of(DeliveryPublished)

    assert 1 == await team.telling.tell_owed()
    assert 0 == await team.telling.tell_owed()
    assert [done.delivery_id] == [notice.delivery.delivery_id for notice in team.notifier.of(DeliveryPublished)]


async def test_a_process_that_ends_while_it_tells_leaves_it_to_the_next(team, monkeypatch):
    await team.connect()
    await publish_without_telling(team)

    is_telling = asyncio.Event()

    async def hang(*_args: object) -> None:
        is_telling.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as dying:
        dying.setattr(team.notifier, "notify", hang)
        process = asyncio.create_task(team.telling.tell_owed())
        await is_telling.wait()
        process.cancel()
        await asyncio.gather(process, return_exceptions=True)
    assert 0 == await team.telling.tell_owed(), "its lease is not over"

    team.clock.advance(LEASE)
    assert 1 == await team.telling.tell_owed()
    assert 1 == len(team.notifier.of(DeliveryPublished))


async def test_what_slack_would_not_take_is_told_later(team):
    await team.connect()
    await publish_without_telling(team)
    team.notifier.is_down = True
    await team.telling.tell_owed()
    team.notifier.is_down = False

    team.clock.advance(LEASE)
    await team.telling.tell_owed()
    assert 1 == len(team.notifier.of(DeliveryPublished))


async def test_what_slack_would_not_take_for_a_day_is_given_up(team, caplog):
    await team.connect()
    [done] = await publish_without_telling(team)
    team.notifier.is_down = True
    await team.telling.tell_owed()
    team.clock.advance(timedelta(days=1) + MINUTE)
    await team.telling.tell_owed()

    assert not (await team.read(done)).is_owed
    assert ["delivery.untold"] == [record.event for record in caplog.records if hasattr(record, "event")]


async def test_two_processes_tell_it_once(team):
    await team.connect()
    await publish_without_telling(team, [f"post {number}" for number in range(3)])

    await asyncio.gather(*(team.telling.tell_owed() for _ in range(8)))

    assert 3 == len(team.notifier.of(DeliveryPublished))


async def test_many_posts_that_go_live_together_are_told_in_one_message(team):
    await team.connect()
    done = await publish_without_telling(team, [f"post {number}" for number in range(12)])

    assert 12 == await team.telling.tell_owed()

    assert [] == team.notifier.of(DeliveryPublished)
    [notice] = team.notifier.of(PostsPublished)
    assert {each.delivery_id for each in done} == {each.delivery_id for each in notice.deliveries}
    assert not any([(await team.read(each)).is_owed for each in done])


async def test_a_rejected_post_says_what_to_change_point_by_point(team, refuse):
    await team.connect()
    await team.schedule()
    refuse(PostRejected(Problem(message="Too  long."), Problem(message="No links,\nplease.")))

    await team.deliver(after=MINUTE)

    assert [("Too long.", "No links, please.")] == [each.problems for each in team.notifier.of(DeliveryFailed)]


async def test_admins_hear_of_a_trouble_once_however_many_posts_it_holds(team, refuse):
    await team.connect()
    for number in range(3):
        await team.schedule(f"post {number}")
    refuse(OperatorActionRequired("The app's secret is wrong."), times=3)

    await team.deliver(after=MINUTE)

    assert 3 == len(team.notifier.of(DeliveryHeld))
    assert ["The app's secret is wrong."] == [each.explanation for each in team.notifier.of(OperatorTrouble)]


async def test_a_delay_that_is_over_before_it_was_told_is_not_told(team, refuse, monkeypatch):
    await team.connect()
    await team.schedule()
    with monkeypatch.context():
        refuse(PlatformUnavailable("busy"))
        await publish_later(team)
    monkeypatch.undo()
    team.clock.advance(MINUTE)
    await team.delivering.deliver_due()
    await team.delivering.wait_until_idle()
    await team.telling.tell_owed()

    assert [] == team.notifier.of(DeliveryDelayed)
    assert 1 == len(team.notifier.of(DeliveryPublished))


async def publish_later(team) -> None:
    team.clock.advance(MINUTE)
    await team.delivering.deliver_due()
    await team.delivering.wait_until_idle()


async def test_a_held_post_that_its_author_dropped_meanwhile_is_not_told(team, refuse):
    await team.connect()
    delivery = await team.schedule()
    refuse(OperatorActionRequired("The app's secret is wrong."))
    await publish_later(team)
    await team.answering.settle_late(team.ana, delivery.delivery_id, "drop")

    await team.telling.tell_owed()

    assert [] == team.notifier.of(DeliveryHeld)
    assert [] == team.notifier.of(OperatorTrouble)


async def test_late_posts_of_an_author_are_asked_about_in_one_message_although_a_process_ended(team):
    await team.connect()
    made = [await team.schedule(f"post {number}") for number in range(3)]
    team.clock.advance(timedelta(hours=1))
    await team.delivering.deliver_due()
    await team.delivering.wait_until_idle()
    assert [HoldReason.LATE] * 3 == [(await team.read(each)).hold_reason for each in made]

    await team.telling.tell_owed()

    [question] = team.notifier.of(LateQuestion)
    assert 3 == len(question.deliveries)


async def test_a_post_tried_again_after_its_process_ended_owes_nothing_of_before(team, refuse):
    await team.connect()
    delivery = await team.schedule()
    refuse(PlatformUnavailable("busy"))
    await publish_later(team)
    assert (await team.read(delivery)).is_owed
    team.clock.advance(MINUTE)
    now = team.clock.now()
    [claimed] = await claim_due(team.stores.deliveries, now=now, owner="w", until=now + MINUTE, limit=5)
    assert await team.stores.deliveries.swap(claimed, replace(claimed, state=DeliveryState.CANCELED))

    assert 1 == await team.telling.tell_owed()
    assert [] == team.notifier.of(DeliveryDelayed)


async def test_an_outage_while_it_is_noted_is_said_as_one_and_told_again(team, monkeypatch):
    await team.connect()
    await publish_without_telling(team)

    async def away(*_args: object, **_rest: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as outage:
        outage.setattr(team.stores.deliveries, "mark_told", away)
        with pytest.raises(StoreUnavailable):
            await team.telling.tell_owed()

    team.clock.advance(LEASE)
    assert 1 == await team.telling.tell_owed()
