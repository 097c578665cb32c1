"""What the rows of X's error table share: operations and sources."""

from __future__ import annotations

from typing import Final

from logicspike.plugin import Operation

__all__ = [
    "CONNECT",
    "CONNECTED",
    "ERRORS_PAGE",
    "EVERY",
    "FOR_TOKENS",
    "MEDIA_IDS",
    "MEDIA_PAGE",
    "NOT_PUBLISHING",
    "OLD_CODES",
    "POSTIZ",
    "PREPARE",
    "PUBLISH",
    "REFRESH",
    "SEEN",
    "SIGN_IN",
    "WITH_TOKEN",
]

# X has nothing to ask once a day: what it would take is billed.
EVERY: Final = frozenset(Operation) - {Operation.CHECK}
SIGN_IN: Final = frozenset({Operation.SIGN_IN})
CONNECT: Final = frozenset({Operation.CONNECT})
REFRESH: Final = frozenset({Operation.REFRESH})
PREPARE: Final = frozenset({Operation.PREPARE})
PUBLISH: Final = frozenset({Operation.PUBLISH})
CONNECTED: Final = frozenset({Operation.PREPARE, Operation.PUBLISH, Operation.LOOK_UP})
FOR_TOKENS: Final = SIGN_IN | REFRESH
WITH_TOKEN: Final = CONNECT | CONNECTED
NOT_PUBLISHING: Final = EVERY - PUBLISH

ERRORS_PAGE: Final = "docs.x.com/x-api/fundamentals/response-codes-and-errors, checked 2026-11-23"
OLD_CODES: Final = "developer.twitter.com/en/docs/basics/response-codes, checked 2026-11-23"
POSTIZ: Final = "github.com/gitroomhq/postiz-app x.provider.ts, checked 2026-11-23"
MEDIA_PAGE: Final = "docs.x.com/x-api/media/quickstart/best-practices, checked 2026-11-25"
MEDIA_IDS: Final = (
    "github.com/plhery/node-twitter-api-v2/issues/375 and 501, github.com/tweepy/tweepy/issues/2016, checked 2026-11-25"
)
SEEN: Final = "observed, unattributed, checked 2026-11-23"
