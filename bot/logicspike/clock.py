"""Where the time comes from: due times, expiry and leases are compared with the Clock that is handed in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "MovableClock", "SystemClock"]


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The time, aware UTC."""
        ...


class SystemClock:
    """The machine's time, corrected by an offset once one is known (the database server's time minus ours)."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        """The corrected time, aware UTC."""
        return datetime.now(UTC) + self.offset


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
