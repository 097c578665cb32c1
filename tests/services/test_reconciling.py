from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from team import claim_due

from logicspike.domain import Attempt, DeliveryState, Timings
from logicspike.plugin.errors import OutcomeUnknown, PlatformUnavailable
from logicspike.services.notices import OutcomeQuestion

MINUTE = timedelta(minutes=1)
LEASE_AND_A_BIT = timedelta(seconds=95)
TIMINGS = Timings()


@pytest.fixture
async def unknown(team, monkeypatch):
    """A delivery whose outcome nobody knows, and a platform that can't be asked."""
    await team.connect()
    delivery = await team.schedule()

    async def lose_the_answer(*_args: object) -> object:
        raise OutcomeUnknown("The platform gave no answer.")

    async def no_answer(*_args: object) -> object:
        raise PlatformUnavailable("It is down.")

    monkeypatch.setattr(team.platforms, "publish", lose_the_answer)
    monkeypatch.setattr(team.platforms, "find_published", no_answer)
    await team.deliver(after=MINUTE)
    team.clock.advance(TIMINGS.settle)
    await team.reconciling.settle_unknown()
    team.clock.advance(TIMINGS.lookup)
    return delivery


async def test_an_author_is_asked_once_though_two_workers_saw_the_same_unknown_outcome(team, unknown, monkeypatch):
    as_both_saw_it = await team.stores.deliveries.list_unasked_unknown(team.clock.now())
    await team.reconciling.settle_unknown()

    async def an_old_list(*_args: object) -> object:
        return as_both_saw_it

    monkeypatch.setattr(team.stores.deliveries, "list_unasked_unknown", an_old_list)
    await team.reconciling.settle_unknown()

    assert 1 == len(team.notifier.of(OutcomeQuestion))


async def test_what_was_settled_and_became_unknown_again_is_not_overwritten_by_an_old_view(team, unknown):
    current = await team.read(unknown)
    old = replace(current, claim_token=None, claimed_until=None)
    assert await team.stores.deliveries.swap(current, old)
    again = replace(old, attempts=(*old.attempts, Attempt(attempt_id="a2", started_at=team.clock.now())))
    assert await team.stores.deliveries.swap(old, again)

    assert not await team.stores.deliveries.swap(old, replace(old, state=DeliveryState.SCHEDULED))
    assert again == await team.read(unknown)


async def test_a_question_is_asked_again_when_the_process_ended_while_it_asked(team, unknown, monkeypatch):
    notify = team.notifier.notify

    async def die(*_args: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(team.notifier, "notify", die)
    with pytest.raises(asyncio.CancelledError):
        await team.reconciling.settle_unknown()
    monkeypatch.setattr(team.notifier, "notify", notify)
    for _ in range(3):
        team.clock.advance(TIMINGS.lookup)
        await team.reconciling.settle_unknown()

    assert 1 == len(team.notifier.of(OutcomeQuestion))
    assert (await team.read(unknown)).is_asked


async def test_a_death_is_held_against_the_post_at_work_not_against_those_behind_it(team):
    await team.connect()
    line = [await team.schedule(f"post {number}", due_in=timedelta(seconds=1 + number)) for number in range(3)]
    team.clock.advance(MINUTE)
    now = team.clock.now()
    await claim_due(team.stores.deliveries, now=now, owner="dies", until=now + timedelta(seconds=90), limit=10)
    team.clock.advance(LEASE_AND_A_BIT)
    await team.reconciling.rescue()

    assert [1, 0, 0] == [(await team.read(each)).deaths for each in line]


async def test_a_death_while_publishing_is_not_held_against_the_next_in_line(team):
    await team.connect()
    line = [await team.schedule(f"post {number}", due_in=timedelta(seconds=1 + number)) for number in range(3)]
    team.clock.advance(MINUTE)
    now = team.clock.now()
    claimed = await claim_due(team.stores.deliveries, now=now, owner="dies", until=now + MINUTE, limit=10)
    at_work = replace(
        claimed[0],
        state=DeliveryState.PUBLISHING,
        attempts=(Attempt(attempt_id="a1", started_at=now),),
        claimed_until=now + 2 * MINUTE,
    )
    assert await team.stores.deliveries.swap(claimed[0], at_work)
    team.clock.advance(MINUTE)
    await team.reconciling.rescue()
    team.clock.advance(MINUTE)
    await team.reconciling.rescue()

    assert [1, 0, 0] == [(await team.read(each)).deaths for each in line]


async def test_after_one_crash_what_was_at_work_goes_on_at_once(team):
    await team.connect(person="p-1")
    await team.connect(person="p-2")
    accounts = [each.nickname for each in await team.stores.connections.list_for_team("T1")]
    line = [await team.schedule(f"to {each}", accounts=(each,)) for each in accounts]
    team.clock.advance(MINUTE)
    now = team.clock.now()
    await claim_due(team.stores.deliveries, now=now, owner="dies", until=now + MINUTE, limit=10)
    team.clock.advance(MINUTE)
    await team.reconciling.rescue()
    assert [1, 1] == [(await team.read(each)).deaths for each in line]

    await team.deliver()
    assert 2 == len(team.fake.ledger)


async def test_posts_that_may_have_ended_their_process_are_tried_one_at_a_time(team):
    await team.connect(person="p-1")
    await team.connect(person="p-2")
    accounts = [each.nickname for each in await team.stores.connections.list_for_team("T1")]
    line = [await team.schedule(f"to {each}", accounts=(each,)) for each in accounts]
    team.clock.advance(MINUTE)
    now = team.clock.now()
    for deaths in (1, 2):
        await claim_due(team.stores.deliveries, now=now, owner="dies", until=now + MINUTE, limit=10)
        team.clock.advance(MINUTE)
        await team.reconciling.rescue()
        assert [deaths, deaths] == [(await team.read(each)).deaths for each in line]
        now = team.clock.now()

    await team.deliver()
    assert 1 == len(team.fake.ledger)
    await team.deliver(after=TIMINGS.between_suspects)
    assert {each.post.text for each in line} == {entry.text for entry in team.fake.ledger}


async def test_no_answer_does_not_count_as_not_there(team, unknown, monkeypatch):
    async def not_there(*_args: object) -> None:
        return None

    monkeypatch.setattr(team.platforms, "find_published", not_there)
    await team.reconciling.settle_unknown()
    assert DeliveryState.UNKNOWN == (await team.read(unknown)).state

    team.clock.advance(TIMINGS.lookup)
    await team.reconciling.settle_unknown()
    assert DeliveryState.SCHEDULED == (await team.read(unknown)).state


async def test_suspects_that_are_due_together_are_still_tried_one_at_a_time(team):
    await team.connect(person="p-1")
    await team.connect(person="p-2")
    accounts = [each.nickname for each in await team.stores.connections.list_for_team("T1")]
    line = [await team.schedule(f"to {each}", accounts=(each,)) for each in accounts]
    for each in line:
        claimed = replace(each, state=DeliveryState.CLAIMED)
        assert await team.stores.deliveries.swap(each, claimed)
        assert await team.stores.deliveries.swap(claimed, replace(each, deaths=2))

    await team.deliver(after=MINUTE)
    assert 1 == len(team.fake.ledger)
    assert [2, 2] == [(await team.read(each)).deaths for each in line]
    await team.deliver(after=TIMINGS.between_suspects)
    assert 2 == len(team.fake.ledger)


async def test_a_suspect_that_is_late_is_asked_about_not_sent_late(team):
    await team.connect(person="p-1")
    await team.connect(person="p-2")
    accounts = [each.nickname for each in await team.stores.connections.list_for_team("T1")]
    line = [await team.schedule(f"to {each}", accounts=(each,)) for each in accounts]
    team.clock.advance(MINUTE)
    now = team.clock.now()
    await claim_due(team.stores.deliveries, now=now, owner="dies", until=now + MINUTE, limit=10)
    team.clock.advance(timedelta(hours=1))
    await team.reconciling.rescue()
    for _ in range(2):
        await team.deliver(after=TIMINGS.between_suspects)

    assert [] == team.fake.ledger
    assert [DeliveryState.HELD] * 2 == [(await team.read(each)).state for each in line]
