"""Due posts go out once, in order, by one process; what is late or has lost its process is seen to."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from team import claim_due

from logicspike import egress
from logicspike.domain import DeliveryState, HoldReason, Timings
from logicspike.services.notices import DeliveryHeld, DeliveryPublished, LateQuestion, OperatorTrouble
from logicspike.services.ports import StoreUnavailable

MINUTE = timedelta(minutes=1)
LEASE_AND_A_BIT = timedelta(seconds=95)


async def test_a_due_post_is_published_once_and_its_author_told(team):
    await team.connect()
    delivery = await team.schedule("Hello")

    assert 0 == await team.deliver()
    assert 1 == await team.deliver(after=MINUTE)

    done = await team.read(delivery)
    assert DeliveryState.PUBLISHED == done.state
    assert ["Hello"] == [entry.text for entry in team.fake.ledger]
    assert team.fake.ledger[0].id == done.published_id
    assert [delivery.delivery_id] == [notice.delivery.delivery_id for notice in team.notifier.of(DeliveryPublished)]
    assert not done.is_owed
    assert done.claim_token is None
    assert ["published"] == [attempt.outcome for attempt in done.attempts]


async def test_a_later_look_finds_nothing_more(team):
    await team.connect()
    await team.schedule()
    await team.deliver(after=MINUTE)

    assert 0 == await team.deliver(after=MINUTE)
    assert 1 == len(team.fake.ledger)


async def test_an_accounts_posts_go_out_in_order(team):
    await team.connect()
    for number in range(5):
        await team.schedule(f"post {number}", due_in=timedelta(seconds=10 + number))

    await team.deliver(after=MINUTE)

    assert [f"post {n}" for n in range(5)] == [entry.text for entry in team.fake.ledger]


async def test_the_attempt_is_recorded_before_the_first_byte(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule()
    seen = []
    publish = team.platforms.publish

    async def watching(*args: object) -> object:
        seen.append(await team.read(delivery))
        return await publish(*args)

    monkeypatch.setattr(team.platforms, "publish", watching)
    await team.deliver(after=MINUTE)

    assert DeliveryState.PUBLISHING == seen[0].state
    assert [None] == [attempt.outcome for attempt in seen[0].attempts]


async def test_an_expired_access_token_is_refreshed_before_use(team):
    connection = await team.connect()
    await team.schedule(due_in=timedelta(hours=2))

    await team.deliver(after=timedelta(hours=2))

    assert 1 == len(team.fake.ledger)
    assert connection.token_version + 1 == (await team.connection(connection)).token_version


async def test_posts_that_are_late_because_the_bot_was_down_are_held_and_asked_about_in_one_message(team):
    await team.connect()
    deliveries = [await team.schedule(f"late {n}") for n in range(3)]

    await team.deliver(after=timedelta(minutes=12))

    assert [] == team.fake.ledger
    [question] = team.notifier.of(LateQuestion)
    assert {each.delivery_id for each in deliveries} == {each.delivery_id for each in question.deliveries}


async def test_posts_up_to_ten_minutes_late_just_go_out(team):
    await team.connect()
    await team.schedule()

    await team.deliver(after=timedelta(minutes=10))

    assert 1 == len(team.fake.ledger)


async def test_a_claim_whose_process_died_before_sending_goes_back_to_the_schedule(team):
    await team.connect()
    delivery = await team.schedule()
    team.clock.advance(MINUTE)
    now = team.clock.now()
    await claim_due(team.stores.deliveries, now=now, owner="dead", until=now + timedelta(seconds=90), limit=10)

    assert 0 == await team.reconciling.rescue()
    team.clock.advance(LEASE_AND_A_BIT)
    assert 1 == await team.reconciling.rescue()

    assert DeliveryState.SCHEDULED == (await team.read(delivery)).state
    await team.deliver()
    assert 1 == len(team.fake.ledger)


async def test_a_process_that_was_stopped_past_its_lease_sends_nothing_when_it_wakes(team, monkeypatch):
    """It stood still after its last look at the time, before the request."""
    await team.connect()
    post = await team.schedule()
    late = SimpleNamespace(monotonic=lambda: time.monotonic() + Timings().lease.total_seconds())

    with monkeypatch.context() as pause:
        pause.setattr(egress, "time", late)
        await team.deliver(after=MINUTE)

    assert [] == team.fake.ledger
    assert DeliveryState.UNKNOWN is (await team.read(post)).state


async def test_a_post_canceled_between_claim_and_send_is_not_sent(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule()
    get_credential = team.refreshing.get_credential

    async def cancel_first(*args: object, **kwargs: object) -> object:
        outcome = await team.scheduling.cancel(team.ana, delivery.delivery_id)
        assert outcome.is_canceled
        return await get_credential(*args, **kwargs)

    monkeypatch.setattr(team.refreshing, "get_credential", cancel_first)
    await team.deliver(after=MINUTE)

    assert [] == team.fake.ledger
    assert DeliveryState.CANCELED == (await team.read(delivery)).state


async def test_stopping_finishes_what_is_being_sent_and_hands_back_the_rest(team, monkeypatch):
    await team.connect()
    first, second = await team.schedule("first"), await team.schedule("second", due_in=timedelta(seconds=59))
    in_publish, go_on = asyncio.Event(), asyncio.Event()
    publish = team.platforms.publish

    async def waiting(*args: object) -> object:
        in_publish.set()
        await go_on.wait()
        return await publish(*args)

    monkeypatch.setattr(team.platforms, "publish", waiting)
    team.clock.advance(MINUTE)
    await team.delivering.deliver_due()
    await in_publish.wait()
    stopping = asyncio.ensure_future(team.delivering.stop(timedelta(seconds=10)))
    await asyncio.sleep(0)
    go_on.set()

    assert 0 == await stopping
    assert ["second"] == [entry.text for entry in team.fake.ledger]
    assert DeliveryState.PUBLISHED == (await team.read(second)).state
    assert DeliveryState.SCHEDULED == (await team.read(first)).state
    assert 0 == await team.delivering.deliver_due()


async def test_a_post_whose_author_lost_the_account_is_held(team):
    connection = await team.connect()
    delivery = await team.schedule()
    current = await team.connection(connection)
    assert await team.stores.connections.swap(current, replace(current, owner_id="UBEN"))

    await team.deliver(after=MINUTE)

    assert HoldReason.MEMBER == (await team.read(delivery)).hold_reason
    assert [] == team.fake.ledger


async def test_one_account_is_served_by_one_worker_at_a_time(team, second_worker, monkeypatch):
    await team.connect()
    for number in range(6):
        await team.schedule(f"post {number}", due_in=timedelta(seconds=10 + number))
    at_once, most = 0, 0
    publish = team.platforms.publish

    async def counting(*args: object) -> object:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await publish(*args)
        finally:
            at_once -= 1

    monkeypatch.setattr(team.platforms, "publish", counting)
    team.clock.advance(MINUTE)
    await asyncio.gather(team.delivering.deliver_due(), second_worker.deliver_due())
    await team.delivering.wait_until_idle()
    await second_worker.wait_until_idle()

    assert 1 == most
    assert [f"post {n}" for n in range(6)] == [entry.text for entry in team.fake.ledger]


async def test_a_lane_of_a_dead_worker_is_free_when_its_lease_is_over(team):
    connection = await team.connect()
    await team.schedule()
    now = team.clock.now()
    await team.stores.connections.take_lanes(
        [connection.connection_id], owner="dead", until=now + timedelta(minutes=2), now=now
    )

    assert 0 == await team.deliver(after=MINUTE)
    assert 1 == await team.deliver(after=MINUTE)
    assert 1 == len(team.fake.ledger)


async def test_an_outage_is_logged_once_however_many_accounts_it_stops(team, monkeypatch, caplog):
    await team.schedule_to_both()

    async def fail(*_arguments: object) -> bool:
        raise StoreUnavailable

    with monkeypatch.context() as outage:
        outage.setattr(team.stores.deliveries, "swap", fail)
        await team.deliver(after=60 * MINUTE)
    assert ["delivery.store_lost"] == [record.event for record in caplog.records if record.levelname == "WARNING"]

    await team.deliver()
    assert 2 == len(team.fake.ledger)


async def test_a_post_that_keeps_ending_its_process_is_set_aside_with_one_message(team):
    await team.connect()
    poison = await team.schedule("poison")
    team.clock.advance(MINUTE)
    for _ in range(4):
        now = team.clock.now()
        await claim_due(team.stores.deliveries, now=now, owner="dies", until=now + timedelta(seconds=90), limit=10)
        team.clock.advance(LEASE_AND_A_BIT)
        await team.reconciling.rescue()
    await team.telling.tell_owed()

    parked = await team.read(poison)
    assert (DeliveryState.HELD, HoldReason.PARKED, 2) == (parked.state, parked.hold_reason, parked.deaths)
    assert 1 == len(team.notifier.of(DeliveryHeld))
    assert 1 == len(team.notifier.of(OperatorTrouble))
    await team.schedule("other", due_in=timedelta(seconds=1))
    await team.deliver(after=timedelta(seconds=1))
    assert ["other"] == [entry.text for entry in team.fake.ledger]


@pytest.fixture
async def second_worker(team):
    """Another process on the same store."""
    other = object.__new__(type(team.delivering))
    other.__dict__.update(team.delivering.__dict__)
    other._tasks, other._busy, other._worker_id = set(), {}, "worker-2"
    yield other
    await other.stop(timedelta(seconds=5))
