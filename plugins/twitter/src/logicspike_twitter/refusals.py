"""Reading what X says when it refuses, and when it takes calls again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from logicspike.plugin import Operation, PlatformContext, Refusal, oauth2

__all__ = [
    "ALL_GRANTED",
    "CODE",
    "DESCRIPTION",
    "DETAIL",
    "ERROR",
    "REASON",
    "SCOPES",
    "STATUS",
    "TITLE",
    "TYPE",
    "read_refusal",
    "reset_at",
]

SCOPES: Final = ("tweet.read", "users.read", "tweet.write", "offline.access")
"""What is asked for: the first three to publish and to read back, the last one for a refresh token."""

TYPE: Final = "type"
"""Its last segment: the host varies (api.x.com, api.twitter.com, developer.x.com/…#name)."""
TITLE: Final = "title"
REASON: Final = "reason"
DETAIL: Final = "detail"
CODE: Final = "errors.code"
"""The number of the older API."""
ERROR: Final = "error"
DESCRIPTION: Final = "error_description"
STATUS: Final = "status"

ALL_GRANTED: Final = "while every permission the bot needs is granted"

# X's windows last 15 minutes (docs.x.com/x-api/fundamentals/rate-limits, checked 2026-11-23).
_WINDOW: Final = timedelta(minutes=15)
_LONGEST_WAIT: Final = timedelta(days=1)


def read_refusal(
    ctx: PlatformContext, reply: oauth2.Reply, operation: Operation, *, scopes: tuple[str, ...] = ()
) -> Refusal:
    """Read X's problem document, or its OAuth error; an answer that is neither has no codes.

    Args:
        ctx: the context of the call.
        reply: X's answer.
        operation: what was being done.
        scopes: those granted, as far as known; they tell a small grant from a blocked account.
    """
    body = reply.object if 400 <= reply.status < 500 else {}
    entry = _first_entry(body)
    # A bare list of problems, as in answers that half succeed, speaks through its first one.
    document = body if isinstance(body.get(TITLE), str) or isinstance(body.get(TYPE), str) else entry
    codes = {
        TYPE: _last_segment(_text(document, TYPE)),
        TITLE: _text(document, TITLE),
        REASON: _text(document, REASON),
        ERROR: _text(body, ERROR),
        CODE: entry.get("code") if type(entry.get("code")) is int else "",
    }
    missing = tuple(scope for scope in SCOPES if scope not in scopes) if scopes else ()
    return Refusal(
        operation=operation,
        status=reply.status,
        codes={sign: (value,) for sign, value in codes.items() if value},
        texts={DETAIL: _sentence(document, DETAIL), DESCRIPTION: _sentence(body, DESCRIPTION)},
        given=(ALL_GRANTED,) if scopes and not missing else (),
        missing_scopes=missing,
        now=ctx.now,
        retry_at=reset_at(reply, ctx.now),
        reference=reply.headers.get("x-transaction-id"),
    )


def _first_entry(body: Mapping[str, Any]) -> Mapping[str, Any]:
    errors = body.get("errors")
    return errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


def _sentence(document: Mapping[str, Any], key: str) -> str:
    return " ".join(_text(document, key).split()).rstrip(".")


def _last_segment(type_uri: str) -> str:
    return "" if type_uri == "about:blank" else re.split(r"[/#]", type_uri)[-1]


# The 24-hour headers were seen on answers to "create post"; only those used up say when to come back
# (docs.x.com/x-api/fundamentals/rate-limits for the first; the others as remembered, not re-read; written 2026-11-23).
_DAILY_LIMITS: Final = ("x-user-limit-24hour", "x-app-limit-24hour")


def reset_at(reply: oauth2.Reply, now: datetime) -> datetime:
    """Tell when X lets us call again: by its reset headers (Unix seconds), else ``Retry-After``, else in 15 minutes."""
    used_up = [name for name in _DAILY_LIMITS if reply.headers.get(f"{name}-remaining") == "0"]
    times = [_unix_time(reply.headers.get(f"{name}-reset")) for name in (used_up or ("x-rate-limit",))]
    known = [time for time in times if time is not None]
    if not known:
        return oauth2.retry_after(reply, now, default=_WINDOW)
    return min(max(now, *known), now + _LONGEST_WAIT)


def _unix_time(seconds: str | None) -> datetime | None:
    if seconds is None or not (seconds.isascii() and seconds.isdigit()) or len(seconds) > 11:
        return None
    return datetime.fromtimestamp(int(seconds), UTC)
