"""Keeping the clock right: all processes follow the database server's, whatever their own machines' clocks do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from ..clock import Correction, SystemClock, TimeReading
from ..tasks import cancel
from .ports import ServerTime, StoreUnavailable

__all__ = ["Timekeeping"]

log = logging.getLogger(__name__)

_EVERY: Final = timedelta(minutes=1)
_CONFIRM_AFTER: Final = timedelta(seconds=5)
_TOO_UNCERTAIN: Final = timedelta(milliseconds=250)
_MACHINE_LIMIT: Final = timedelta(seconds=30)


class Timekeeping:
    """Sets a clock by the server's at the start, and keeps it there.

    Small differences are followed at once. A big one means that a clock has jumped: the server's own, or that of
    another server after a failover, or that this machine slept and its timer with it. It's adopted when a second
    reading says the same some seconds later, and told in the log.

    Args:
        clock: what is kept right.
        server: whose time counts.
        pause: waits, in seconds; a test hands in its own.
    """

    def __init__(
        self, clock: SystemClock, server: ServerTime, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._clock = clock
        self._server = server
        self._pause = pause
        self._is_machine_off = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Set the clock, and keep it right until the end.

        Raises:
            StoreUnavailable: the server did not answer at the start.
        """
        self._clock.anchor(await self._server.read_time(self._clock.steady))
        self._look_at_machine()
        keeping = asyncio.create_task(self._keep(), name="timekeeping")
        try:
            yield
        finally:
            await cancel(keeping)

    async def _keep(self) -> None:
        wait = _EVERY
        while True:
            await self._pause(wait.total_seconds())
            wait = await self.look()

    async def look(self) -> timedelta:
        """Compare once with the server's time; how long to wait before the next look."""
        try:
            reading = await self._server.read_time(self._clock.steady)
        except StoreUnavailable:
            return _EVERY  # The timer runs on meanwhile; that the database is away is told by those who need it.
        except Exception:
            log.exception("the server's time could not be read", extra={"event": "clock.failed"})
            return _EVERY
        if reading.uncertainty > _TOO_UNCERTAIN:
            return _EVERY
        return self._correct(reading)

    def _correct(self, reading: TimeReading) -> timedelta:
        what, by = self._clock.correct(reading)
        seconds = by.total_seconds()
        match what:
            case Correction.SUSPECTED:
                log.warning(
                    "the database server's clock is %+.1f s from ours all at once; looking again",
                    seconds,
                    extra={"event": "clock.suspected", "seconds": seconds},
                )
                return _CONFIRM_AFTER
            case Correction.ADOPTED:
                log.warning(
                    "our clock was moved by %+.1f s to the database server's; this computer's own is %+.1f s from it",
                    seconds,
                    self._clock.machine_error.total_seconds(),
                    extra={"event": "clock.moved", "seconds": seconds},
                )
        self._look_at_machine()
        return _EVERY

    def _look_at_machine(self) -> None:
        """Say once when the machine's own clock goes wrong: due times don't follow it, but Slack's signatures do."""
        error = self._clock.machine_error
        was_off, self._is_machine_off = self._is_machine_off, abs(error) > _MACHINE_LIMIT
        if self._is_machine_off and not was_off:
            log.warning(
                "this computer's clock is %+.0f s from the database server's; posts go by the server's, "
                "but Slack's requests are refused at 300 s. Switch on time synchronisation (NTP).",
                error.total_seconds(),
                extra={"event": "clock.machine_off", "seconds": error.total_seconds()},
            )
