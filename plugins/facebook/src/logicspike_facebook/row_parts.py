"""What the rows of Facebook's error table share: operations, sources, and how long to wait."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from logicspike.plugin import Operation

__all__ = [
    "AS_THE_PAGE",
    "CHECK",
    "CONNECTED",
    "EVERY",
    "GUIDE",
    "MAYBE_LIVE",
    "NOT_PUBLISHING",
    "POSTIZ",
    "PUBLISH",
    "SIGNING_IN",
    "SIGN_IN",
    "UPLOAD",
    "VIDEO_GUIDE",
    "WITH_MEDIA",
    "WITH_TOKEN",
    "in_an_hour",
]

GUIDE: Final = "developers.facebook.com/docs/graph-api/guides/error-handling, checked 2026-11-23"
VIDEO_GUIDE: Final = "developers.facebook.com/documentation/video-api/reference/error-codes, checked 2026-11-25"
POSTIZ: Final = "github.com/gitroomhq/postiz-app, facebook.provider.ts, checked 2026-11-23"

MAYBE_LIVE: Final = "Facebook gave no clear answer, so the post may be live. Look at the Page before posting it again."

EVERY: Final = frozenset(Operation)
SIGN_IN: Final = frozenset({Operation.SIGN_IN})
SIGNING_IN: Final = frozenset({Operation.SIGN_IN, Operation.CONNECT})
CONNECTED: Final = EVERY - SIGNING_IN
WITH_TOKEN: Final = EVERY - SIGN_IN
PUBLISH: Final = frozenset({Operation.PUBLISH})
CHECK: Final = frozenset({Operation.CHECK})
UPLOAD: Final = frozenset({Operation.PREPARE})
WITH_MEDIA: Final = UPLOAD | PUBLISH
NOT_PUBLISHING: Final = EVERY - PUBLISH
AS_THE_PAGE: Final = frozenset({Operation.PREPARE, Operation.PUBLISH, Operation.LOOK_UP})


def in_an_hour(now: datetime) -> datetime:
    """When calls are taken again if Facebook doesn't say: its limits count over a rolling hour.

    Calling while throttled makes the pause longer (developers.facebook.com/docs/graph-api/overview/rate-limiting,
    checked 2026-11-23).
    """
    return now + timedelta(hours=1)
