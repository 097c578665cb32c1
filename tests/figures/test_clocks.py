"""F8: clocks that jump, clocks that differ, and the nights when clocks are changed."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from figures.local_platform import Entry, ReadablePlatform, install
from figures.world import PUBLIC_URL, World
from measured import choose_seed
from memory_slack import Directory, MemoryFiles, RecordingNotifier
from team import ANA, BROWSER
from yarl import URL

from logicspike.clock import MovableClock, SystemClock, TimeReading
from logicspike.domain import Delivery, DeliveryState, HoldReason, Timings
from logicspike.services import delivering, publishing
from logicspike.services.connecting import Callback
from logicspike.services.notices import ConnectLink
from logicspike.services.scheduling import Scheduled, ScheduleRequest
from logicspike.services.timekeeping import Timekeeping
from logicspike.slack.moments import Moment, WhenProblem
from logicspike.slack.when import parse_when
from logicspike.store.opening import build_stores
from logicspike.vault import Vault, generate_key, parse_key_ring
from logicspike.wiring import Parts, Services, build_services

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
EARLY = timedelta(seconds=1)

# --- a clock that jumps while a claim is held -------------------------------------------------------------------------


class _OwnClock:
    """A process's own clock: true time, and what it is wrong by."""

    def __init__(self, true: MovableClock) -> None:
        self.true = true
        self.error = timedelta(0)

    def now(self) -> datetime:
        return self.true.now() + self.error


def _with_clock(services: Services, clock: _OwnClock) -> None:
    publishing, settling = services.delivering._publishing, services.delivering._publishing._settling
    for service in (services.delivering, publishing, services.reconciling, services.refreshing, settling):
        service._clock = clock


STEPS = ("list_due", "take_lanes", "claim", "swap", "publish", "swap again")
JUMPS = {
    "an hour ahead": timedelta(hours=1),
    "an hour back": timedelta(hours=-1),
    "set back half a second": timedelta(seconds=-0.5),
    "set back five seconds": timedelta(seconds=-5),
}


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("step", STEPS)
async def test_a_clock_that_jumps_during_a_claim_loses_nothing_and_doubles_nothing(step, jump):
    world = World(seed=1)
    await world.open()
    try:
        process, other = world.processes
        await _sign_in(process.services, world.notifier)
        delivery = await _schedule(process.services, world.clock.now() + MINUTE)
        clock = _OwnClock(world.clock)
        _with_clock(process.services, clock)
        jumps = _jump_at(step, world, clock, JUMPS[jump])
        await world.advance(MINUTE)
        await process.services.delivering.deliver_due()
        await world.settle()
        assert jumps, "the step was not met"
        for _ in range(60):
            for each in (other, process):
                await each.services.reconciling.rescue()
                await each.services.reconciling.settle_unknown()
                await each.services.delivering.deliver_due()
                await world.settle()
            await world.advance(timedelta(seconds=95))
        after = world.stores.deliveries.rows[delivery.delivery_id]
        is_asked = after.state is DeliveryState.HELD and after.hold_reason is HoldReason.LATE
        assert after.state is DeliveryState.PUBLISHED or is_asked, after
        assert len(world.readable.ledger) == (after.state is DeliveryState.PUBLISHED)
    finally:
        await world.close()


def _jump_at(step: str, world: World, clock: _OwnClock | _Machine, by: timedelta) -> list[str]:
    """Let the clock jump right after a step; the list holds the step once that has happened."""
    name, _, is_second = step.partition(" ")
    met: list[str] = []
    done: list[str] = []

    def on_call(called: str) -> None:
        if called == name and not done:
            met.append(called)
            if len(met) == (2 if is_second else 1):
                done.append(step)
                clock.error = by

    async def on_publish(entry: Entry) -> None:
        world.readable.ledger.append(entry)
        on_call("publish")

    world.processes[0].gate.on_call = on_call
    world.readable.outcomes.append(on_publish)
    return done


async def test_a_process_that_stood_still_sends_nothing(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule()
    stood_still = [0.0]
    for module in (delivering, publishing):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + stood_still[0]))
    claim = team.stores.deliveries.claim

    async def claim_and_stand_still(*args: object, **kwargs: object) -> object:
        claimed = await claim(*args, **kwargs)
        stood_still[0] += 50
        return claimed

    monkeypatch.setattr(team.stores.deliveries, "claim", claim_and_stand_still)
    await team.deliver(after=MINUTE)

    assert [] == team.fake.ledger
    assert (await team.read(delivery)).state is DeliveryState.SCHEDULED


# --- a machine whose clock jumps: the bot's own clock doesn't ---------------------------------------------------------


class _Machine:
    """A machine and the database server, each with a clock that somebody sets; the bot's clock is the real one."""

    def __init__(self, true: MovableClock) -> None:
        self._true = true
        self._booted_at = true.now() - timedelta(hours=3)
        self.error = timedelta(0)
        self.server_error = timedelta(0)
        self.clock = SystemClock(steady=self._steady, machine=lambda: true.now() + self.error)
        self.timekeeping = Timekeeping(self.clock, self)

    def _steady(self) -> float:
        return (self._true.now() - self._booted_at).total_seconds()

    async def read_time(self, steady: Callable[[], float]) -> TimeReading:
        server_at = self._true.now() + self.server_error
        return TimeReading(server_at=server_at, steady=steady(), uncertainty=timedelta(milliseconds=2))


@asynccontextmanager
async def _machine_with_a_post() -> AsyncIterator[tuple[World, _Machine, Delivery]]:
    world = World(seed=1)
    await world.open()
    try:
        process = world.processes[0]
        await _sign_in(process.services, world.notifier)
        delivery = await _schedule(process.services, world.clock.now() + MINUTE)
        machine = _Machine(world.clock)
        _with_clock(process.services, machine.clock)
        yield world, machine, delivery
    finally:
        await world.close()


async def _watch(world: World, machine: _Machine) -> list[datetime]:
    """Look every second for two minutes, by the machine and by another; when, in truth, something went out."""
    seen: list[datetime] = []
    for second in range(120):
        for process in world.processes:
            before = len(world.readable.ledger)
            await process.services.delivering.deliver_due()
            await world.settle()
            seen += [world.clock.now()] * (len(world.readable.ledger) - before)
        if second % 10 == 5:
            await machine.timekeeping.look()
        await world.advance(timedelta(seconds=1))
    return seen


@pytest.mark.parametrize("hours", [1, -1, 14, -14])
async def test_a_machine_whose_clock_jumps_before_a_post_is_due_publishes_it_on_time(hours):
    async with _machine_with_a_post() as (world, machine, delivery):
        machine.error = timedelta(hours=hours)
        assert await _watch(world, machine) == [delivery.due_at]


@pytest.mark.parametrize("hours", [1, -1])
@pytest.mark.parametrize("step", STEPS)
async def test_a_machine_whose_clock_jumps_during_a_claim_publishes_on_time_and_once(step, hours):
    async with _machine_with_a_post() as (world, machine, delivery):
        jumps = _jump_at(step, world, machine, timedelta(hours=hours))
        assert await _watch(world, machine) == [delivery.due_at]
        assert jumps, "the step was not met"
        assert world.stores.deliveries.rows[delivery.delivery_id].state is DeliveryState.PUBLISHED


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_machine_that_starts_with_a_wrong_clock_publishes_on_time(hours):
    async with _machine_with_a_post() as (world, _, delivery):
        machine = _Machine(world.clock)
        machine.error = timedelta(hours=hours)
        machine.clock = SystemClock(steady=machine._steady, machine=lambda: world.clock.now() + machine.error)
        machine.timekeeping = Timekeeping(machine.clock, machine)
        async with machine.timekeeping.running():
            _with_clock(world.processes[0].services, machine.clock)
            assert await _watch(world, machine) == [delivery.due_at]


@pytest.mark.parametrize("seconds", [3600, -3600, 1.5, 0.9, -0.9])
async def test_one_reading_of_a_server_that_jumped_makes_nothing_early_by_over_a_second(seconds):
    async with _machine_with_a_post() as (world, machine, delivery):
        machine.server_error = timedelta(seconds=seconds)
        await machine.timekeeping.look()
        machine.server_error = timedelta(0)
        seen = await _watch(world, machine)
        assert len(seen) == 1
        assert -EARLY <= seen[0] - delivery.due_at <= EARLY


# --- two workers whose clocks differ ----------------------------------------------------------------------------------


async def test_two_workers_whose_clocks_differ_by_four_tenths_of_a_second(mongo_database):
    """On the real database and in real time, with the usual look-ahead."""
    seed = choose_seed()
    chance = random.Random(seed)
    true = MovableClock()
    platform = ReadablePlatform()
    stores = build_stores(mongo_database)
    platforms = install(true, [platform])
    vault = Vault(parse_key_ring(f"test:{generate_key()}"))
    landed: list[tuple[datetime, str]] = []

    async def note(entry: Entry) -> None:
        platform.ledger.append(entry)
        landed.append((true.now(), entry.text))

    async with platforms:
        workers = []
        for skew in (0.4, -0.4):
            clock = _OwnClock(true)
            clock.error = timedelta(seconds=skew)
            notifier = RecordingNotifier()
            parts = Parts(
                stores=stores,
                platforms=platforms,
                members=Directory(),
                notifier=notifier,
                files=MemoryFiles(),
                vault=vault,
                clock=clock,
                emit=lambda _: None,
                public_url=PUBLIC_URL,
                timings=Timings(),
            )
            workers.append((build_services(parts), notifier))
        await _sign_in(workers[0][0], workers[0][1])
        start = true.now() + timedelta(seconds=0.5)
        dues = [start + timedelta(seconds=chance.uniform(0, 2)) for _ in range(40)]
        deliveries = [await _schedule(workers[0][0], due_at, f"post {n}") for n, due_at in enumerate(dues)]
        platform.outcomes.extend(note for _ in range(80))
        due_at = {each.post.text: each.due_at for each in deliveries}
        async with asyncio.timeout(60):
            while len(landed) < len(deliveries):
                for services, _ in workers:
                    await services.delivering.deliver_due()
                await asyncio.sleep(0.02)
        for services, _ in workers:
            await services.delivering.stop(timedelta(seconds=5))
    lateness = sorted((at - due_at[text]).total_seconds() for at, text in landed)
    print(f"40 posts, clocks +-400 ms: lateness from {lateness[0]:.3f} s to {lateness[-1]:.3f} s")
    assert set(Counter(text for _, text in landed).values()) == {1}
    assert lateness[0] >= -EARLY.total_seconds()


# --- the nights when clocks are changed -------------------------------------------------------------------------------

ZONES = (
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Santiago",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tehran",
)
YEAR_BEGINS = datetime(2026, 12, 1, tzinfo=UTC)


def _nights(zone: ZoneInfo) -> list[datetime]:
    """The zone's first two changes of its clocks in a year; where it has none, those of Berlin."""

    def changes(begin: datetime, step: timedelta, count: int) -> list[datetime]:
        """Ends of those steps within which the clocks change."""
        ends = [begin + step * number for number in range(count + 1)]
        offsets = [end.astimezone(zone).utcoffset() for end in ends]
        return [end for end, old, new in zip(ends[1:], offsets, offsets[1:], strict=False) if old != new]

    days, half_hour = changes(YEAR_BEGINS, DAY, 366), timedelta(minutes=30)
    nights = [night for day in days for night in changes(day - DAY, half_hour, 48)]
    return nights[:2] or _nights(ZoneInfo("Europe/Berlin"))


def _walls(zone: ZoneInfo, night: datetime) -> list[datetime]:
    """Wall times around a night's change: well before, at its edges, in the middle of it, and after."""
    before = (night - timedelta(minutes=1)).astimezone(zone)
    after = night.astimezone(zone)
    shift = after.utcoffset() - before.utcoffset()
    edge = (night + timedelta(0)).astimezone(UTC).replace(tzinfo=None) + before.utcoffset()
    low, high = sorted((edge, edge + shift)) if shift else (edge, edge + timedelta(hours=1))
    hour = timedelta(hours=1)
    walls = [low - hour, low - MINUTE, low, low + (high - low) / 2, high - MINUTE, high, high + MINUTE, high + hour]
    return list(dict.fromkeys(walls))


@cache
def _oracle(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """Every minute that shows this wall time, found by looking at all that may: no zone is 15 hours from UTC."""
    start = wall.replace(tzinfo=UTC) - timedelta(hours=15)
    minutes = (start + MINUTE * n for n in range(30 * 60))
    return [at for at in minutes if at.astimezone(zone).replace(tzinfo=None) == wall]


CASES = [
    pytest.param(name, night, wall, id=f"{name} {wall:%Y-%m-%d %H:%M}")
    for name in ZONES
    for night in _nights(ZoneInfo(name))
    for wall in _walls(ZoneInfo(name), night)
]


def test_there_are_enough_nights():
    print(f"{len(CASES)} wall times in {len(ZONES)} zones")
    assert len(CASES) >= 120
    kinds = Counter(len(_oracle(case.values[2], ZoneInfo(case.values[0]))) for case in CASES)
    assert kinds[0] >= 15, kinds
    assert kinds[2] >= 15, kinds


@pytest.mark.parametrize(("name", "night", "wall"), CASES)
async def test_a_wall_time_near_a_change_is_asked_about_or_kept_to_the_second(name, night, wall):
    zone = ZoneInfo(name)
    truth = _oracle(wall, zone)
    now = night - timedelta(days=3)
    result, _ = parse_when(f"{wall:%Y-%m-%d %H:%M} Hello", now=now, zone=zone)
    match len(truth):
        case 0:
            assert isinstance(result, WhenProblem), result
            assert result.kind == "nonexistent"
        case 1:
            assert result == Moment(due_at=truth[0])
        case _:
            assert isinstance(result, WhenProblem), result
            assert result.kind == "ambiguous"
            assert list(result.options) == truth
    # What is offered is what is published when it is chosen.
    for due_at in truth or result.options:
        assert await _publish_and_watch(due_at, name) == [due_at]


async def _publish_and_watch(due_at: datetime, zone: str) -> list[datetime]:
    """Schedule a post for a moment, and look every second from before it until after; when it went out."""
    world = World(seed=1)
    await world.open()
    try:
        services = world.processes[0].services
        world.clock.advance(due_at - MINUTE - world.clock.now())
        await _sign_in(services, world.notifier)
        await _schedule(services, due_at, zone=zone)
        seen: list[datetime] = []
        for _ in range(90):
            before = len(world.readable.ledger)
            await services.delivering.deliver_due()
            await world.settle()
            seen += [world.clock.now()] * (len(world.readable.ledger) - before)
            await world.advance(timedelta(seconds=1))
        return seen
    finally:
        await world.close()


# --- what all of them need --------------------------------------------------------------------------------------------


async def _sign_in(services: Services, notifier: RecordingNotifier) -> None:
    await services.connecting.start(ANA, "readable")
    ticket = URL(notifier.of(ConnectLink)[-1].url).name
    state = URL(await services.connecting.begin(ticket, BROWSER)).query["state"]
    await services.connecting.finish(Callback(platform="readable", state=state, browser=BROWSER, code="r1", error=None))


async def _schedule(services: Services, due_at: datetime, text: str = "Hello", zone: str = "UTC"):
    request = ScheduleRequest(author=ANA, text=text, due_at=due_at, zone=zone, accounts=("readable",))
    result = await services.scheduling.schedule(request)
    assert isinstance(result, Scheduled), result
    return result.deliveries[0]
