"""How long to wait before another try."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ..plugin.errors import RateLimited

__all__ = ["end_of_pause", "retry_delay"]

_SHORTEST_SNOOZE: Final = timedelta(seconds=5)
_LONGEST_SNOOZE: Final = timedelta(days=1)
_RETRY_DELAYS: Final = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=8),
    timedelta(minutes=30),
    timedelta(hours=2),
)


def retry_delay(tries: int, jitter: float) -> timedelta | None:
    """Decide how long to wait after a temporary, definite refusal.

    Args:
        tries: how many tries have failed so far, at least 1.
        jitter: -1 … 1, spreads the delay by up to 20 %.

    Returns:
        The pause, or None when it is time to give up.

    Raises:
        ValueError: nothing has failed yet.
    """
    if tries < 1:
        raise ValueError("tries must be at least 1")
    if tries > len(_RETRY_DELAYS):
        return None
    return _RETRY_DELAYS[tries - 1] * (1 + 0.2 * jitter)


def end_of_pause(error: RateLimited, now: datetime) -> datetime:
    """Until when a bucket is left alone: what the platform says, within reason."""
    return min(max(error.until, now + _SHORTEST_SNOOZE), now + _LONGEST_SNOOZE)
