"""The process dies, or the database fails, at every single step; the next process loses and doubles nothing."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest

from logicspike.domain import ConnectionStatus, DeliveryState
from logicspike.services import refreshing, settling
from logicspike.services.notices import OutcomeQuestion, ReconnectNeeded
from logicspike.services.ports import StoreUnavailable

pytestmark = [pytest.mark.chaos, pytest.mark.patient]

MINUTE = timedelta(minutes=1)
OUTAGES = ["before", "after"]
CRASHES = ["crash before", "crash after"]
LEFT = 1000


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(settling, "_SETTLE_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(refreshing, "_SAVE_PAUSE", timedelta(milliseconds=1))
    monkeypatch.setattr(refreshing, "_WAIT_FOR_OTHER", timedelta(milliseconds=1))


async def run_through(process):
    """One round of every tick, however it ends."""
    try:
        await process.reconciling.rescue()
        await process.reconciling.settle_unknown()
        await process.delivering.deliver_due()
    except (StoreUnavailable, asyncio.CancelledError):
        pass
    await process.delivering.wait_until_idle()


async def recover(process, rounds=8):
    deliveries = process.stores.database.collection("deliveries")
    for _ in range(rounds):
        process.clock.advance(timedelta(seconds=95))
        await run_through(process)
        if await deliveries.find_one({"is_open": True}) is None:
            return


def sends(team):
    return team.fake.requests.count(("POST", "/echoes"))


async def walk_through(team, restart, faults, kind, prepare):
    """Break every step in turn; yields what each left behind."""
    position = 0
    while True:
        text = f"{kind} at {position}"
        delivery = await prepare(text)
        before = sends(team)
        broken = restart(faults)
        faults.arm(position, kind, lasts=LEFT if kind in CRASHES else 1)
        await run_through(broken)
        faults.disarm()
        if not faults.was_hit:
            assert position > 5
            return
        step = faults.calls[position]
        fresh = restart()
        await recover(fresh)
        yield step, delivery, sends(team) - before, fresh
        position += 1


@pytest.mark.parametrize("kind", OUTAGES + CRASHES)
async def test_a_publish_broken_off_anywhere_is_neither_lost_nor_doubled(team, restart, faults, check_invariants, kind):
    await team.connect()

    async def prepare(text):
        delivery = await team.schedule(text)
        team.clock.advance(MINUTE)
        return delivery

    async for step, delivery, sent, _ in walk_through(team, restart, faults, kind, prepare):
        assert (await team.read(delivery)).state is DeliveryState.PUBLISHED, step
        assert sent == 1, step
    await check_invariants()


@pytest.mark.parametrize("kind", OUTAGES + CRASHES)
async def test_a_thread_broken_off_anywhere_goes_on_at_the_first_part_that_is_not_live(
    team, restart, faults, check_invariants, kind
):
    """Every step of every part on the way: none lost, none doubled, none before the one it replies to."""
    linked = await team.connect()

    async def prepare(text):
        connection = await team.connection(linked)
        await team.refreshing.get_credential(connection, refused_version=connection.token_version)  # not on the way
        delivery = await team.schedule("\n---\n".join(f"{text}, part {number}" for number in range(3)))
        team.clock.advance(MINUTE)
        return delivery

    parts_hit = set()
    async for step, delivery, sent, _ in walk_through(team, restart, faults, kind, prepare):
        done = await team.read(delivery)
        live = [entry for entry in team.fake.ledger if entry.text in delivery.texts]
        assert done.state is DeliveryState.PUBLISHED, step
        assert list(delivery.texts) == [entry.text for entry in live], step
        assert [None, live[0].id, live[1].id] == [entry.reply_to for entry in live], step
        assert [entry.id for entry in live] == [part.id for part in done.live], step
        assert sent == 3, step
        parts_hit |= {attempt.part for attempt in done.attempts if attempt.outcome not in {"published", "handed_back"}}
    assert parts_hit == (set() if kind == "before" else {0, 1, 2}), "each part was in flight when it was broken off"
    await check_invariants()


@pytest.mark.parametrize("kind", OUTAGES + CRASHES)
async def test_a_refresh_broken_off_anywhere_ends_published_or_with_a_word_to_the_owner(
    team, restart, faults, check_invariants, kind
):
    connection = await team.connect()
    lost = []

    async def prepare(text):
        if (await team.connection(connection)).status is not ConnectionStatus.ACTIVE:
            await team.sign_in(team.ana, connection_id=connection.connection_id)
        delivery = await team.schedule(text)
        team.clock.advance(MINUTE)
        team.fake.perform("expire")
        return delivery

    async for step, delivery, _, fresh in walk_through(team, restart, faults, kind, prepare):
        now = await team.read(delivery)
        if now.state is not DeliveryState.PUBLISHED:
            lost.append(step)
            assert now.state is DeliveryState.UNKNOWN, (step, now)
            assert now.is_asked, step
            assert fresh.notifier.of(ReconnectNeeded), step
            assert fresh.notifier.of(OutcomeQuestion), step
    # Tokens that are on their way when the process dies are gone; nothing else may cost a sign-in.
    assert lost == [] or (kind in CRASHES and set(lost) <= {"platforms.refresh", "connections.swap"}), lost
    await check_invariants()


@pytest.mark.parametrize("kind", OUTAGES + CRASHES)
async def test_a_callback_broken_off_anywhere_can_be_repeated(team, restart, faults, check_invariants, kind):
    connection = await team.connect()
    position = 0
    while True:
        delivery = await team.schedule(f"{kind} {position}")
        team.fake.perform("revoke")
        await team.deliver(after=MINUTE)
        assert (await team.read(delivery)).state is DeliveryState.HELD
        broken = restart(faults)
        faults.arm(position, kind, lasts=LEFT if kind in CRASHES else 1)
        with contextlib.suppress(StoreUnavailable, asyncio.CancelledError):
            await broken.sign_in(team.ana, connection_id=connection.connection_id)
        faults.disarm()
        if not faults.was_hit:
            break
        fresh = restart()
        await fresh.sign_in(team.ana, connection_id=connection.connection_id)
        await recover(fresh, rounds=2)
        assert (await team.read(delivery)).state is DeliveryState.PUBLISHED, faults.calls[position]
        assert [connection.connection_id] == [
            each.connection_id for each in await team.stores.connections.list_for_team("T1")
        ]
        position += 1
    assert position > 8
    await check_invariants()


@pytest.mark.parametrize("kind", OUTAGES + CRASHES)
async def test_an_access_that_is_over_is_told_to_its_owner_wherever_that_is_broken_off(team, restart, faults, kind):
    connection = await team.connect()
    told_twice = []
    position = 0
    while True:
        await team.sign_in(team.ana, connection_id=connection.connection_id)
        team.fake.perform("revoke")
        team.clock.advance(timedelta(minutes=52))
        broken, rest = restart(faults), [restart() for _ in range(4)]
        broken.asking_to_reconnect._notifier = faults.behind(broken.notifier, "notifier")
        faults.arm(position, kind, lasts=LEFT if kind in CRASHES else 1)
        await keep_access(broken)
        faults.disarm()
        if not faults.was_hit:
            break
        for process in rest:
            team.clock.advance(timedelta(minutes=3))
            await keep_access(process)
        step = faults.calls[position]
        assert (await team.connection(connection)).status is ConnectionStatus.NEEDS_RECONNECT, step
        told = sum(len(process.notifier.of(ReconnectNeeded)) for process in (broken, *rest))
        assert told in {1, 2}, (step, told)
        told_twice += [step] * (told == 2)
        position += 1
    assert position > 5
    # What Slack took can't be taken back: only who ends right after that, or can't note it, tells it once more.
    assert set(told_twice) <= {"notifier.notify", "connections.settle_notice"}, told_twice


async def keep_access(process):
    """One round of the tick that keeps accounts alive, however it ends."""
    with contextlib.suppress(StoreUnavailable, asyncio.CancelledError):
        await process.asking_to_reconnect.ask_owed()
        await process.renewing.renew_due()
