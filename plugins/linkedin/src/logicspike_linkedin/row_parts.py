"""What the rows of LinkedIn's error table share: operations, sources, and when calls are taken again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from logicspike.plugin import Operation

__all__ = [
    "AS_ACCOUNT",
    "CHECK",
    "CONNECT",
    "ERRORS",
    "EVERY",
    "LIMITS",
    "LOOK_UP",
    "POSTING",
    "POSTS",
    "PREPARE",
    "PUBLISH",
    "REFRESH",
    "SEEN",
    "SIGN_IN",
    "VERSIONS",
    "VIDEOS",
    "WITH_TOKEN",
    "after_midnight",
    "in_five_minutes",
]

EVERY: Final = frozenset(Operation)
SIGN_IN: Final = frozenset({Operation.SIGN_IN})
CONNECT: Final = frozenset({Operation.CONNECT})
REFRESH: Final = frozenset({Operation.REFRESH})
CHECK: Final = frozenset({Operation.CHECK})
PREPARE: Final = frozenset({Operation.PREPARE})
PUBLISH: Final = frozenset({Operation.PUBLISH})
LOOK_UP: Final = frozenset({Operation.LOOK_UP})
POSTING: Final = PREPARE | PUBLISH
AS_ACCOUNT: Final = POSTING | LOOK_UP
WITH_TOKEN: Final = CONNECT | AS_ACCOUNT

ERRORS: Final = "learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling, checked 2026-11-23"
LIMITS: Final = "learn.microsoft.com/linkedin/shared/api-guide/concepts/rate-limits, checked 2026-11-23"
POSTS: Final = "learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api, checked 2026-11-23"
SEEN: Final = "observed, unattributed, checked 2026-11-23"
VERSIONS: Final = "learn.microsoft.com/linkedin/marketing/versioning, checked 2026-11-23"
VIDEOS: Final = (
    "learn.microsoft.com/linkedin/marketing/community-management/shares/videos-api (by a public digest), checked "
    "2026-11-25"
)

_RESET_JITTER: Final = timedelta(minutes=5)


def after_midnight(now: datetime) -> datetime:
    """When the day's limits start anew: a little after 00:00 UTC."""
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    # Everyone's quota comes back at the same instant; the odd part of the clock spreads us over some minutes.
    return midnight + _RESET_JITTER * (now.microsecond / 1_000_000)


def in_five_minutes(now: datetime) -> datetime:
    """When calls are taken again after a limit whose length LinkedIn doesn't tell."""
    return now + timedelta(minutes=5)
