"""The metronome: a handful of ticks registered in code; the posts themselves live in the database."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from .domain import Timings
from .services.ports import StoreUnavailable

__all__ = ["Scheduler"]

log = logging.getLogger(__name__)

_DELIVER: Final = "deliver"
_WATCH_SECONDS: Final = 1.0
_JUMP: Final = timedelta(seconds=1)

Tick = Callable[[], Awaitable[object]]


class Scheduler:
    """Runs ticks on real time; each tick compares what it finds with the Clock it was built with.

    A tick that fails is logged and comes round again. A tick never overlaps itself.

    Args:
        deliver: publishes what is due.
        rescue: frees claims whose lease is over.
        settle_unknown: looks up unknown outcomes.
        clean_up: throws away what nobody came back for.
        keep_access: renews access ahead of need.
        timings: how often each tick comes round.
    """

    def __init__(
        self,
        *,
        deliver: Tick,
        rescue: Tick,
        settle_unknown: Tick,
        clean_up: Tick,
        keep_access: Tick,
        timings: Timings,
    ) -> None:
        # What goes wrong in a tick is told below; what the library adds is that a tick still runs, and its shutdown.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        # A memory job store and UTC are said outright: nothing of the scheduler's own is ever stored or guessed.
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._last_deliver = time.monotonic()
        self._is_running = False
        self._running: set[asyncio.Task[object]] = set()
        self._is_wanted = False
        self._watch: asyncio.TimerHandle | None = None
        self._machine_ahead = timedelta(0)
        ticks = {
            _DELIVER: (deliver, timings.deliver_every),
            "rescue": (rescue, timings.rescue_every),
            "settle_unknown": (settle_unknown, timings.settle_every),
            "clean_up": (clean_up, timedelta(hours=1)),
            "keep_access": (keep_access, timings.keep_every),
        }
        for name, (tick, every) in ticks.items():
            self._scheduler.add_job(
                self._run,
                "interval",
                args=(name, tick),
                id=name,
                seconds=every.total_seconds(),
                # Due already: a process that never lives for an hour still cleans up.
                next_run_time=datetime.now(UTC),
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )

    async def _run(self, name: str, tick: Tick) -> None:
        is_wanted = True
        # In a loop: the library would drop another run while it counts this one as running.
        while is_wanted and self._is_running:
            if name == _DELIVER:
                self._is_wanted = False
            # The library cancels coroutines when it shuts down; a tick in a task of its own is waited for instead.
            task = asyncio.create_task(_attempt(name, tick), name=f"tick {name}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            if await asyncio.shield(task) and name == _DELIVER:
                self._last_deliver = time.monotonic()
            is_wanted = name == _DELIVER and self._is_wanted

    def start(self) -> None:
        """Begin ticking, at once."""
        self._is_running = True
        self._scheduler.start()
        self._machine_ahead = _machine_ahead()
        self._watch_later()

    def _watch_later(self) -> None:
        self._watch = asyncio.get_running_loop().call_later(_WATCH_SECONDS, self._watch_machine)

    def _watch_machine(self) -> None:
        """Tick at once when the machine's clock has jumped.

        APScheduler writes down the next run by that clock (3.11, checked 2026-11): set back by an hour, it would stand
        still for an hour.
        """
        before, self._machine_ahead = self._machine_ahead, _machine_ahead()
        if abs(self._machine_ahead - before) > _JUMP:
            log.warning("this computer's clock has jumped; looking at once", extra={"event": "clock.jumped"})
            for job in self._scheduler.get_jobs():
                job.modify(next_run_time=datetime.now(UTC))
        self._watch_later()

    def wake(self) -> None:
        """Look for what is due now rather than at the next tick."""
        if self._is_running:
            self._is_wanted = True  # woken while a look is under way, it looks once more afterwards
            self._scheduler.modify_job(_DELIVER, next_run_time=datetime.now(UTC))

    async def stop(self) -> None:
        """Begin no more ticks, and wait for those that run."""
        if not self._is_running:
            return
        self._is_running = False
        if self._watch is not None:
            self._watch.cancel()
        self._scheduler.pause()
        while self._running:
            await asyncio.wait(self._running)
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # the library shuts down in the next round of the event loop

    @property
    def lag(self) -> timedelta:
        """How long ago the last look for due posts ended well."""
        return timedelta(seconds=time.monotonic() - self._last_deliver)


def _machine_ahead() -> timedelta:
    """How far the machine's clock is ahead of the steady timer: constant, unless somebody sets the clock."""
    return timedelta(seconds=datetime.now(UTC).timestamp() - time.monotonic())


async def _attempt(name: str, tick: Tick) -> bool:
    """Run a tick; whether it went well."""
    try:
        await tick()
    except StoreUnavailable as error:
        # No traceback: it would be the same every second for as long as the database is away.
        log.warning("the tick %s waits for the database: %s", name, error, extra={"event": "tick.failed", "tick": name})
        return False
    except Exception:
        log.exception("the tick %s failed; it comes round again", name, extra={"event": "tick.failed", "tick": name})
        return False
    return True
