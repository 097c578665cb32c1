"""X's limits of calls: windows of 15 minutes for each account and path, and posts in 24 hours for the whole app.

Numbers: docs.x.com/x-api/fundamentals/rate-limits, checked 2026-11-25. The headers of the app's day were seen on
answers to new posts (github.com/plhery/node-twitter-api-v2/issues/495, checked 2026-11-25).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

__all__ = ["CallLimits", "Standing"]

_WINDOW: Final = timedelta(minutes=15)
_DAY: Final = timedelta(hours=24)
_CREATE: Final = ("POST", "/2/tweets")
_FOR_AN_ACCOUNT: Final[Mapping[tuple[str, str], int]] = {
    _CREATE: 100,
    ("GET", "/2/users/me"): 75,
    ("GET", "/2/users/{id}/tweets"): 900,
    ("POST", "/2/media/upload/initialize"): 1875,
    ("POST", "/2/media/upload/{id}/append"): 1875,
    ("POST", "/2/media/upload/{id}/finalize"): 1875,
    ("GET", "/2/media/upload"): 1000,
    ("POST", "/2/media/metadata"): 500,
}
_POSTS_OF_THE_APP: Final = 10_000


@dataclass(slots=True, kw_only=True)
class _Counter:
    limit: int
    ends_at: datetime
    count: int = 0

    def to_headers(self, prefix: str) -> dict[str, str]:
        return {
            f"{prefix}-limit": str(self.limit),
            f"{prefix}-remaining": str(max(self.limit - self.count, 0)),
            f"{prefix}-reset": str(int(self.ends_at.timestamp())),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a call stands with the limits.

    Attributes:
        headers: those of the answer.
        is_over: whether the call is one too many.
    """

    headers: Mapping[str, str]
    is_over: bool


class CallLimits:
    """Counts calls; a window begins with its first one.

    Args:
        now: tells the time.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._windows: dict[tuple[str, str, str], _Counter] = {}
        self._day: _Counter | None = None

    def count(self, account_id: str, method: str, path: str) -> Standing:
        """Count one call of an account to a path as the router knows it."""
        now = self._now()
        key = (account_id, method, path)
        window = self._windows.get(key)
        if window is None or window.ends_at <= now:
            window = _Counter(limit=_FOR_AN_ACCOUNT[method, path], ends_at=now + _WINDOW)
            self._windows[key] = window
        window.count += 1
        headers, is_over = window.to_headers("x-rate-limit"), window.count > window.limit
        if (method, path) == _CREATE:
            day = self._count_for_the_app(now)
            headers |= day.to_headers("x-app-limit-24hour")
            is_over = is_over or day.count > day.limit
        return Standing(headers=headers, is_over=is_over)

    def spend_the_day(self) -> None:
        """Use up the app's posts of these 24 hours."""
        day = self._count_for_the_app(self._now())
        day.count = day.limit

    def _count_for_the_app(self, now: datetime) -> _Counter:
        if self._day is None or self._day.ends_at <= now:
            self._day = _Counter(limit=_POSTS_OF_THE_APP, ends_at=now + _DAY)
        self._day.count += 1
        return self._day
