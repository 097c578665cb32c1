"""The metronome, on real time with short intervals; the tests wait for ticks, never for time to pass."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace

import apscheduler.schedulers.base
import pytest

import logicspike.scheduler
from logicspike.domain import Timings
from logicspike.scheduler import Scheduler
from logicspike.services.ports import StoreUnavailable

OFTEN, SELDOM = timedelta(milliseconds=10), timedelta(hours=1)
SOON = 20.0


class Tick:
    """Counts its runs and can be waited for; ``body`` is what it does."""

    def __init__(self, body: Callable[[], Awaitable[object]] | None = None) -> None:
        self.begun = self.ended = self.at_once = self.most_at_once = 0
        self._body = body
        self._changed = asyncio.Condition()

    async def __call__(self) -> object:
        self.begun += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self._tell()
        try:
            found = await self._body() if self._body is not None else None
            self.ended += 1
            return found
        finally:
            self.at_once -= 1
            await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON), self._changed:
            await self._changed.wait_for(is_so)


async def do_nothing() -> None:
    """A tick that isn't looked at."""


def build(deliver: Callable[[], Awaitable[object]], *, every: timedelta = SELDOM, **others: Tick) -> Scheduler:
    ticks = {
        "prepare": do_nothing,
        "rescue": do_nothing,
        "settle_unknown": do_nothing,
        "tell": do_nothing,
        "clean_up": do_nothing,
        "keep_access": do_nothing,
        **others,
    }
    return Scheduler(deliver=deliver, **ticks, timings=Timings(deliver_every=every))


@asynccontextmanager
async def running(scheduler: Scheduler) -> AsyncIterator[Scheduler]:
    scheduler.start()
    try:
        yield scheduler
    finally:
        async with asyncio.timeout(SOON):
            await scheduler.stop()


async def test_every_tick_runs_at_once_on_start():
    ticks = {name: Tick() for name in ("rescue", "settle_unknown", "tell", "clean_up", "keep_access")}
    deliver = Tick()

    async with running(build(deliver, **ticks)):
        for tick in (deliver, *ticks.values()):
            await tick.until(lambda tick=tick: tick.ended == 1)


async def test_nothing_runs_before_the_start():
    deliver = Tick()
    scheduler = build(deliver, every=OFTEN)
    scheduler.wake()
    for _ in range(10):
        await asyncio.sleep(0)

    assert 0 == deliver.begun
    await scheduler.stop()


async def test_delivering_comes_round_again_and_again():
    deliver = Tick()
    async with running(build(deliver, every=OFTEN)):
        await deliver.until(lambda: deliver.ended >= 5)


async def test_wake_looks_earlier_than_the_interval():
    deliver, rescue = Tick(), Tick()
    async with running(build(deliver, rescue=rescue)) as scheduler:
        await deliver.until(lambda: deliver.at_once == 0 and deliver.ended == 1)
        for runs in (2, 3, 4):
            scheduler.wake()
            await deliver.until(lambda runs=runs: deliver.ended == runs)
        assert 1 == rescue.begun, "only what is due is looked for"


async def test_woken_while_a_look_is_under_way_it_looks_once_more():
    """What became due after the look had read the database must not wait for a whole interval."""
    release = asyncio.Event()
    deliver = Tick(release.wait)
    async with running(build(deliver)) as scheduler:
        await deliver.until(lambda: deliver.begun == 1)
        for _ in range(5):
            scheduler.wake()
            await asyncio.sleep(0)
        release.set()
        await deliver.until(lambda: deliver.ended == 2)
        for _ in range(10):
            await asyncio.sleep(0)

    assert (2, 1) == (deliver.begun, deliver.most_at_once)


async def look_twice_for_whom_to_tell(found: int) -> float:
    """Look, be woken, and look again, each time with so much found; the seconds from look to look."""
    looked_at = []

    async def look() -> int:
        looked_at.append(time.monotonic())
        return found

    tell = Tick(look)
    async with running(build(do_nothing, tell=tell)) as scheduler:
        await tell.until(lambda: tell.ended == 1)
        scheduler.wake_teller()
        await tell.until(lambda: tell.ended == 2)
    first, second = looked_at
    return second - first


async def test_a_look_that_finds_nobody_to_tell_keeps_the_next_word_from_no_one(monkeypatch):
    monkeypatch.setattr(logicspike.scheduler, "_BETWEEN_TELLINGS", SELDOM)

    await look_twice_for_whom_to_tell(0)  # in time, or it fails


async def test_after_telling_it_gathers_for_a_while_what_to_tell_next(monkeypatch):
    pause = timedelta(milliseconds=200)
    monkeypatch.setattr(logicspike.scheduler, "_BETWEEN_TELLINGS", pause)

    assert await look_twice_for_whom_to_tell(1) >= pause.total_seconds()


async def test_a_failing_tick_is_logged_and_comes_round_again(caplog):
    async def fail() -> None:
        raise RuntimeError("broken cog")

    deliver, rescue = Tick(fail), Tick()
    async with running(build(deliver, every=OFTEN, rescue=rescue)):
        await deliver.until(lambda: deliver.begun >= 3)
        await rescue.until(lambda: rescue.ended == 1)

    failures = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert {("tick.failed", "deliver")} == {(record.event, record.tick) for record in failures}
    assert deliver.begun == len(failures), "each failure is told once"
    assert "broken cog" in caplog.text


async def test_an_outage_is_told_in_a_line_without_a_traceback(caplog):
    async def fail() -> None:
        raise StoreUnavailable("The database did not answer in time.")

    deliver = Tick(fail)
    async with running(build(deliver, every=OFTEN)):
        await deliver.until(lambda: deliver.begun >= 2)

    assert "the tick deliver waits for the database: The database did not answer in time." == caplog.messages[0]
    assert {None} == {record.exc_info for record in caplog.records}


async def test_a_tick_never_overlaps_itself():
    release = asyncio.Event()
    deliver, others = Tick(release.wait), Tick()
    async with running(build(deliver, every=OFTEN, rescue=others)) as scheduler:
        await deliver.until(lambda: deliver.begun == 1)
        for _ in range(20):
            scheduler.wake()
            await asyncio.sleep(0)
        assert 1 == deliver.begun
        release.set()
        await deliver.until(lambda: deliver.ended >= 3)

    assert 1 == deliver.most_at_once


async def test_a_slow_tick_keeps_no_other_from_running():
    release = asyncio.Event()
    slow, deliver = Tick(release.wait), Tick()
    async with running(build(deliver, every=OFTEN, rescue=slow)):
        await slow.until(lambda: slow.begun == 1)
        await deliver.until(lambda: deliver.ended >= 3)
        assert 0 == slow.ended
        release.set()


async def test_stop_waits_for_a_running_tick_and_starts_no_more(caplog):
    release = asyncio.Event()
    deliver = Tick(release.wait)
    scheduler = build(deliver, every=OFTEN)
    scheduler.start()
    await deliver.until(lambda: deliver.begun == 1)

    stopping = asyncio.create_task(scheduler.stop())
    for _ in range(20):
        scheduler.wake()
        await asyncio.sleep(0)
    assert not stopping.done()
    release.set()
    async with asyncio.timeout(SOON):
        await stopping

    assert (1, 1) == (deliver.begun, deliver.ended), "it was let finish, not cancelled"
    assert {asyncio.current_task()} == asyncio.all_tasks()
    assert "" == caplog.text


async def test_stop_at_any_moment_is_quiet_and_leaves_nothing(caplog):
    for rounds in range(12):
        deliver = Tick(lambda: asyncio.sleep(0))
        scheduler = build(deliver, every=timedelta(milliseconds=1))
        scheduler.start()
        for _ in range(rounds):
            await asyncio.sleep(0)
        await scheduler.stop()

        assert deliver.begun == deliver.ended
        assert {asyncio.current_task()} == asyncio.all_tasks()
    assert "" == caplog.text


async def test_stopping_twice_or_unstarted_does_nothing():
    scheduler = build(Tick())
    await scheduler.stop()
    scheduler.start()
    await scheduler.stop()
    await scheduler.stop()
    scheduler.wake()


@pytest.fixture
def steady(monkeypatch) -> Callable[[float], None]:
    """The steady timer that lag is measured by, moved by hand."""
    seconds = [100.0]
    # Only the scheduler's own: the event loop goes by the same module.
    monkeypatch.setattr("logicspike.scheduler.time", SimpleNamespace(monotonic=lambda: seconds[0]))

    def move(by: float) -> None:
        seconds[0] += by

    return move


async def test_lag_grows_while_nothing_is_looked_for_and_shrinks_after_a_look(steady):
    is_well, release = [False], asyncio.Event()

    async def look() -> None:
        await release.wait()
        if not is_well[0]:
            raise StoreUnavailable("away")

    deliver = Tick(look)
    scheduler = build(deliver, every=OFTEN)
    steady(5)
    assert timedelta(seconds=5) == scheduler.lag
    async with running(scheduler):
        await deliver.until(lambda: deliver.begun == 1)
        steady(7)
        assert timedelta(seconds=12) == scheduler.lag, "a look that hangs is none"

        release.set()
        await deliver.until(lambda: deliver.begun >= 3)
        assert timedelta(seconds=12) == scheduler.lag, "a look that fails is none either"

        is_well[0] = True
        await deliver.until(lambda: deliver.ended >= 2)
        assert timedelta(0) == scheduler.lag


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)])
async def test_ticks_go_on_when_the_machines_clock_jumps(monkeypatch, caplog, jump):
    """The library goes by the machine's clock: set back by an hour, it would stand still for an hour."""
    error = [timedelta(0)]

    class MachineTime(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + error[0]

    for module in (apscheduler.schedulers.base, logicspike.scheduler):
        monkeypatch.setattr(module, "datetime", MachineTime)
    monkeypatch.setattr(logicspike.scheduler, "_WATCH_SECONDS", 0.01)
    deliver = Tick()
    async with running(build(deliver, every=OFTEN)):
        await deliver.until(lambda: deliver.ended >= 2)
        error[0] = jump
        seen = deliver.ended
        await deliver.until(lambda: deliver.ended >= seen + 5)

    assert ["clock.jumped"] == [record.event for record in caplog.records]
