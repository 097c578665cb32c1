"""Where the time comes from: due times, expiry and leases are compared with the Clock that is handed in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

__all__ = ["LEAP", "Clock", "Correction", "MovableClock", "SystemClock", "TimeReading", "steady_seconds"]

LEAP: Final = timedelta(seconds=1)
"""A difference up to this is drift, or noise of the network, and followed at once; beyond it a clock has jumped."""

_BOOT_TIME: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The time, aware UTC."""
        ...


def steady_seconds() -> float:
    """Seconds of a timer that nobody can set, from an arbitrary start.

    Where the system has ``CLOCK_BOOTTIME`` (Linux) it runs on while the machine is suspended; elsewhere it may stand
    still meanwhile, as it does everywhere while a whole virtual machine is stopped.
    """
    return time.monotonic() if _BOOT_TIME is None else time.clock_gettime(_BOOT_TIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeReading:
    """The time as a server told it, beside our own steady timer.

    Attributes:
        server_at: the server's time.
        steady: seconds of the steady timer in the middle between question and answer.
        uncertainty: how much earlier or later than in the middle the server may have looked at its clock.
    """

    server_at: datetime
    steady: float
    uncertainty: timedelta


class Correction(StrEnum):
    """What became of a reading."""

    FOLLOWED = "followed"
    SUSPECTED = "suspected"
    ADOPTED = "adopted"


class SystemClock:
    """A steady timer set by the database server's clock; until that is known, by the machine's.

    The machine's own clock may jump afterwards: it isn't looked at again. Between two corrections this clock runs as
    evenly as the timer does.

    Args:
        steady: seconds of a timer that nobody can set.
        machine: the machine's own time, aware UTC.
    """

    def __init__(
        self,
        *,
        steady: Callable[[], float] = steady_seconds,
        machine: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.steady = steady
        self._machine = machine
        self._zero = machine() - timedelta(seconds=steady())  # the time at which the timer stood at zero
        self._suspected: datetime | None = None

    def now(self) -> datetime:
        """The time, aware UTC."""
        return self._zero + timedelta(seconds=self.steady())

    @property
    def machine_error(self) -> timedelta:
        """How far the machine's own clock is ahead of this one."""
        return self._machine() - self.now()

    def difference(self, reading: TimeReading) -> timedelta:
        """How far the server's clock is ahead of this one at least; zero where the reading can't tell."""
        apart = _zero_of(reading) - self._zero
        beyond = max(abs(apart) - reading.uncertainty, timedelta(0))
        return beyond if apart > timedelta(0) else -beyond

    def anchor(self, reading: TimeReading) -> timedelta:
        """Take over the server's time whatever it is; by how much that moved this clock."""
        by = self.difference(reading)
        self._zero += by
        self._suspected = None
        return by

    def correct(self, reading: TimeReading) -> tuple[Correction, timedelta]:
        """Follow the server's time: a little at once, a lot only when a second reading in a row says the same.

        Returns:
            What became of the reading, and how far the server's clock was ahead of this one.
        """
        by = self.difference(reading)
        if abs(by) <= LEAP:
            self.anchor(reading)
            return Correction.FOLLOWED, by
        told = _zero_of(reading)
        if self._suspected is not None and abs(told - self._suspected) <= LEAP:
            self.anchor(reading)
            return Correction.ADOPTED, by
        self._suspected = told
        return Correction.SUSPECTED, by


def _zero_of(reading: TimeReading) -> datetime:
    return reading.server_at - timedelta(seconds=reading.steady)


class MovableClock:
    """Runs with real time and can be moved forward: for the sandbox and for tests.

    Args:
        start: the time it shows now; None for the machine's time.
        is_frozen: stands still between moves, which makes tests repeatable.
    """

    def __init__(self, start: datetime | None = None, *, is_frozen: bool = False) -> None:
        real = datetime.now(UTC)
        self._offset = (start - real) if start is not None else timedelta(0)
        self._frozen_at = (start or real) if is_frozen else None

    def now(self) -> datetime:
        """The moved time, aware UTC."""
        return self._frozen_at if self._frozen_at is not None else datetime.now(UTC) + self._offset

    def advance(self, by: timedelta) -> None:
        """Move the time forward (or back, with a negative duration)."""
        self._offset += by
        if self._frozen_at is not None:
            self._frozen_at += by
