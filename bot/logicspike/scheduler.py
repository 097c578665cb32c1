"""The metronome: a handful of ticks registered in code; the posts themselves live in the database."""

from __future__ import annotations

import asyncio
import contextlib
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
_PREPARE: Final = "prepare"
_WATCH_SECONDS: Final = 1.0
_JUMP: Final = timedelta(seconds=1)
_TELL: Final = "tell"
_BETWEEN_TELLINGS: Final = timedelta(seconds=1)
"""Slack takes about a message a second in a conversation: what is owed meanwhile goes into the next one together
(docs.slack.dev/apis/web-api/rate-limits, checked 2026-11)."""
_BETWEEN_LOOKS: Final = timedelta(milliseconds=100)
"""After a look that found nobody to tell: the next word need not wait, but many events in a row are one look."""
_FAILED: Final = object()

Tick = Callable[[], Awaitable[object]]


class Scheduler:
    """Runs ticks on real time; each tick compares what it finds with the Clock it was built with.

    A tick that fails is logged and comes round again. A tick never overlaps itself; woken while it runs, it runs once
    more afterwards.

    Args:
        deliver: publishes what is due.
        prepare: uploads what is due in a while.
        rescue: frees claims whose lease is over.
        settle_unknown: looks up unknown outcomes.
        tell: says what authors are owed; 0 when that was nothing.
        clean_up: throws away what nobody came back for.
        keep_access: renews access ahead of need, and asks for what only its owner can bring back.
        timings: how often each tick comes round.
    """

    def __init__(
        self,
        *,
        deliver: Tick,
        prepare: Tick,
        rescue: Tick,
        settle_unknown: Tick,
        tell: Tick,
        clean_up: Tick,
        keep_access: Tick,
        timings: Timings,
    ) -> None:
        # What goes wrong in a tick is told below; what the library adds is that a tick still runs, and its shutdown.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        # A memory job store and UTC are said outright: nothing of the scheduler's own is ever stored or guessed.
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._last_deliver = time.monotonic()
        self._watch: asyncio.TimerHandle | None = None
        self._machine_ahead = timedelta(0)
        self._stopped = asyncio.Event()
        self._stopped.set()
        self._wanted: set[str] = set()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ticks: dict[str, Tick] = {
            _DELIVER: deliver,
            _PREPARE: prepare,
            "rescue": rescue,
            "settle_unknown": settle_unknown,
            _TELL: tell,
            "clean_up": clean_up,
            "keep_access": keep_access,
        }
        every = {
            _DELIVER: timings.deliver_every,
            _PREPARE: timings.prepare_every,
            "rescue": timings.rescue_every,
            "settle_unknown": timings.settle_every,
            _TELL: timings.tell_every,
            "clean_up": timedelta(hours=1),
            "keep_access": timings.keep_every,
        }
        for name in self._ticks:
            self._scheduler.add_job(
                self._beat,
                "interval",
                args=(name,),
                id=name,
                seconds=every[name].total_seconds(),
                # Due already: a process that never lives for an hour still cleans up.
                next_run_time=datetime.now(UTC),
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )

    async def _beat(self, name: str) -> None:
        self._wake(name)

    def _wake(self, name: str) -> None:
        if self._stopped.is_set():
            return
        self._wanted.add(name)
        if name not in self._running:
            # In a task of its own: the library cancels its coroutines when it shuts down, and a tick is waited for.
            self._running[name] = asyncio.create_task(self._run(name), name=f"tick {name}")

    async def _run(self, name: str) -> None:
        try:
            while name in self._wanted and not self._stopped.is_set():
                self._wanted.discard(name)
                began_at = time.monotonic()
                found = await _attempt(name, self._ticks[name])
                if name == _DELIVER and found is not _FAILED:
                    self._last_deliver = time.monotonic()
                if name == _TELL:
                    pause = _BETWEEN_LOOKS if found == 0 else _BETWEEN_TELLINGS
                    await self._pause(pause.total_seconds() - (time.monotonic() - began_at))
        finally:
            del self._running[name]

    async def _pause(self, seconds: float) -> None:
        """Wait, but no longer than until it's stopped."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), seconds)

    def start(self) -> None:
        """Begin ticking, at once."""
        self._stopped.clear()
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
        """Look for what is due, or to be prepared, now rather than at the next tick."""
        self._wake(_DELIVER)
        self._wake(_PREPARE)

    def wake_teller(self) -> None:
        """Look for what is to be told now rather than at the next tick."""
        self._wake(_TELL)

    async def stop(self) -> None:
        """Begin no more ticks, and wait for those that run."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        if self._watch is not None:
            self._watch.cancel()
        self._scheduler.pause()
        while self._running:
            await asyncio.wait(tuple(self._running.values()))
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # the library shuts down in the next round of the event loop

    @property
    def lag(self) -> timedelta:
        """How long ago the last look for due posts ended well."""
        return timedelta(seconds=time.monotonic() - self._last_deliver)


def _machine_ahead() -> timedelta:
    """How far the machine's clock is ahead of the steady timer: constant, unless somebody sets the clock."""
    return timedelta(seconds=datetime.now(UTC).timestamp() - time.monotonic())


async def _attempt(name: str, tick: Tick) -> object:
    """Run a tick; what it says, or ``_FAILED``."""
    try:
        return await tick()
    except StoreUnavailable as error:
        # No traceback: it would be the same every second for as long as the database is away.
        log.warning("the tick %s waits for the database: %s", name, error, extra={"event": "tick.failed", "tick": name})
        return _FAILED
    except Exception:
        log.exception("the tick %s failed; it comes round again", name, extra={"event": "tick.failed", "tick": name})
        return _FAILED
