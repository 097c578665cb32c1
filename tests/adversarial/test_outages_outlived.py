"""The database goes away under a worker that lives on: what it had taken goes on at once, in order, and as it was."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from logicspike.domain import DeliveryState, HoldReason
from logicspike.plugin.errors import RateLimited, ReconnectRequired, TokenExpired
from logicspike.services import settling
from logicspike.services.ports import StoreUnavailable

pytestmark = [pytest.mark.chaos, pytest.mark.patient]

MINUTE = timedelta(minutes=1)
OUTAGES = ["before", "after"]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(settling, "_SETTLE_PAUSE_SECONDS", 0.001)


@dataclass
class Hold:
    """Calls that wait until they are let go, to be carried out or to fail."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    fails: bool = False

    def let_go(self, *, fails=False):
        self.fails = fails
        self.go.set()


@pytest.fixture
def hold(monkeypatch):
    """Let calls of a store's method wait, or some of them, while a hold is on."""

    def arrange(store, name, *, of=lambda *_args, **_rest: True):
        real, held = getattr(store, name), Hold()

        async def waiting(*args, **rest):
            if not held.go.is_set() and of(*args, **rest):
                held.reached.set()
                await held.go.wait()
                if held.fails:
                    raise StoreUnavailable("the database did not answer")
            return await real(*args, **rest)

        monkeypatch.setattr(store, name, waiting)
        return held

    return arrange


@pytest.fixture
def lose_an_attempts_reply(team, monkeypatch):
    """The next attempt that is written down is stored, but who wrote it doesn't hear of that."""
    swap, is_lost = team.stores.deliveries.swap, []

    async def losing(before, after):
        has_won = await swap(before, after)
        if after.state is DeliveryState.PUBLISHING and not is_lost:
            is_lost.append(True)
            raise StoreUnavailable("the database did not answer")
        return has_won

    monkeypatch.setattr(team.stores.deliveries, "swap", losing)


def published(team):
    return [entry.text for entry in team.fake.ledger]


async def schedule_many(team, count, what="post"):
    deliveries = [await team.schedule(f"{what} {number}") for number in range(count)]
    return sorted(deliveries, key=lambda each: each.delivery_id)  # all are due in the same second


async def tick(process):
    """Deliver, however it ends."""
    with contextlib.suppress(StoreUnavailable):
        await process.delivering.deliver_due()
    await process.delivering.wait_until_idle()


@pytest.mark.parametrize("kind", OUTAGES)
async def test_at_whatever_step_nothing_waits_for_a_lease(team, restart, faults, check_invariants, kind):
    await team.connect()
    position = 0
    while True:
        deliveries = await schedule_many(team, 3, f"{kind} at {position}, post")
        team.clock.advance(MINUTE)
        process = restart(faults)
        faults.arm(position, kind)
        await tick(process)
        faults.disarm()
        if not faults.was_hit:
            break
        await tick(process)

        step = faults.calls[position]
        assert [DeliveryState.PUBLISHED] * 3 == [(await team.read(each)).state for each in deliveries], step
        assert [each.post.text for each in deliveries] == published(team)[-3:], step
        position += 1
    assert position >= 10
    assert 3 * (position + 1) == len(team.fake.ledger)
    await check_invariants()


@pytest.mark.parametrize("kind", OUTAGES)
@pytest.mark.parametrize(
    "error", [TokenExpired("old"), RateLimited("slow down", until=datetime.now(UTC)), ReconnectRequired("gone")]
)
async def test_a_refusal_that_cannot_be_noted_is_no_doubt(team, restart, faults, monkeypatch, error, kind):
    """Whatever fails while a refusal is dealt with: the post is not live, so nobody is asked whether it is."""
    connection = await team.connect()
    publish, position = team.platforms.publish, 0
    is_refusing = False

    async def refusing(*args):
        if is_refusing:
            raise error
        return await publish(*args)

    monkeypatch.setattr(team.platforms, "publish", refusing)
    while True:
        await team.sign_in(team.ana, connection_id=connection.connection_id)
        delivery = await team.schedule(f"{kind} at {position}")
        team.clock.advance(10 * MINUTE)
        process = restart(faults)
        faults.arm(position, kind)
        is_refusing = True
        await tick(process)
        is_refusing = False
        faults.disarm()
        if not faults.was_hit:
            break
        step = faults.calls[position]
        for _ in range(3):
            await tick(process)
            team.clock.advance(MINUTE)
            assert (await team.read(delivery)).state is not DeliveryState.UNKNOWN, step
            assert (await team.read(delivery)).state is not DeliveryState.PUBLISHING, step
        position += 1
    assert position >= 8


async def test_whose_attempt_may_be_noted_keeps_its_place_among_many(team, lose_an_attempts_reply):
    """More are due than one turn takes, so that who loses its place is overtaken."""
    await team.connect()
    deliveries = await schedule_many(team, 60)
    team.clock.advance(2 * MINUTE)

    for _ in range(3):
        await tick(team)

    assert [each.post.text for each in deliveries] == published(team)


async def test_what_is_late_when_the_database_is_back_is_asked_about(team, lose_an_attempts_reply):
    await team.connect()
    deliveries = await schedule_many(team, 2)
    team.clock.advance(MINUTE)
    await tick(team)

    team.clock.advance(timedelta(hours=1))
    await tick(team)

    assert [] == published(team)
    assert [HoldReason.LATE] * 2 == [(await team.read(each)).hold_reason for each in deliveries]


@pytest.mark.parametrize("step", ["release_claims", "release_lanes"])
async def test_an_account_that_is_lost_while_another_is_handed_back_is_not_forgotten(team, hold, step):
    mine, theirs = [await team.connect(person=f"p-{number}") for number in (1, 2)]
    deliveries = [
        await team.schedule(f"{each.nickname} {number}", accounts=(each.nickname,))
        for each in (mine, theirs)
        for number in range(3)
    ]
    my_write, their_write = (
        hold(team.stores.deliveries, "swap", of=lambda before, _, whose=each: before.connection_id == whose)
        for each in (mine.connection_id, theirs.connection_id)
    )
    handing_back = hold(team.stores.deliveries if step == "release_claims" else team.stores.connections, step)
    delivering = team.delivering
    team.clock.advance(MINUTE)
    await delivering.deliver_due()
    async with asyncio.timeout(10):
        await my_write.reached.wait()
        await their_write.reached.wait()
        my_write.let_go(fails=True)
        await asyncio.wait(delivering._tasks, return_when=asyncio.FIRST_COMPLETED)
        next_tick = asyncio.create_task(delivering.deliver_due())
        await handing_back.reached.wait()
        their_write.let_go(fails=True)
        await delivering.wait_until_idle()
        handing_back.let_go()
        await next_tick
        await delivering.wait_until_idle()
    await tick(team)

    assert {DeliveryState.PUBLISHED} == {(await team.read(each)).state for each in deliveries}
    assert len(deliveries) == len(team.fake.ledger)
