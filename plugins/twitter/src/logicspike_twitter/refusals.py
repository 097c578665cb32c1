"""Reading what X says when it refuses, and when it takes calls again."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from logicspike.plugin import Operation, PlatformContext, Refusal, oauth2

__all__ = [
    "ALL_GRANTED",
    "APP_IS_SPENT",
    "CODE",
    "DESCRIPTION",
    "DETAIL",
    "ERROR",
    "LONG_VIDEO",
    "MESSAGE",
    "PROCESSING",
    "PROCESSING_ERROR",
    "REASON",
    "SCOPES",
    "STATUS",
    "TITLE",
    "TYPE",
    "find_missing_scopes",
    "read_processing_failure",
    "read_refusal",
    "reset_at",
]

SCOPES: Final = ("tweet.read", "users.read", "tweet.write", "media.write", "offline.access")
"""What is asked for: three to publish and to read back, one to upload, the last one for a refresh token."""

# Grants from before uploads were asked for keep publishing text.
_FOR_UPLOADS: Final = ("media.write",)
_FOR_THE_REST: Final = tuple(scope for scope in SCOPES if scope not in _FOR_UPLOADS)

TYPE: Final = "type"
"""Its last segment: the host varies (api.x.com, api.twitter.com, developer.x.com/…#name)."""
TITLE: Final = "title"
REASON: Final = "reason"
DETAIL: Final = "detail"
CODE: Final = "errors.code"
"""The number of the older API."""
MESSAGE: Final = "errors.message"
PROCESSING: Final = "processing_info.state"
PROCESSING_ERROR: Final = "processing_info.error.name"
ERROR: Final = "error"
DESCRIPTION: Final = "error_description"
STATUS: Final = "status"

ALL_GRANTED: Final = "while every permission the bot needs is granted"
APP_IS_SPENT: Final = "while `x-app-limit-24hour-remaining` is 0"

LONG_VIDEO: Final = "This user is not allowed to post a video longer than N minutes"
"""How ``detail`` is compared where X names the account's own limit, which goes into the sentence."""
_LONG_VIDEO: Final = re.compile(LONG_VIDEO.replace("N", "([0-9]{1,4})"))
_LONGEST_QUOTE: Final = 200

# X's windows last 15 minutes (docs.x.com/x-api/fundamentals/rate-limits, checked 2026-11-23).
_WINDOW: Final = timedelta(minutes=15)
_LONGEST_WAIT: Final = timedelta(days=1)


def find_missing_scopes(operation: Operation, scopes: Collection[str]) -> tuple[str, ...]:
    """Name the permissions an operation needs and a grant lacks; none where the grant's scopes aren't known."""
    needed = _FOR_UPLOADS if operation is Operation.PREPARE else _FOR_THE_REST
    return tuple(scope for scope in needed if scope not in scopes) if scopes else ()


def read_refusal(
    ctx: PlatformContext,
    reply: oauth2.Reply,
    operation: Operation,
    *,
    scopes: tuple[str, ...] = (),
    given: Collection[str] = (),
) -> Refusal:
    """Read X's problem document, or its OAuth error; an answer that is neither has no codes.

    Args:
        ctx: the context of the call.
        reply: X's answer.
        operation: what was being done.
        scopes: those granted, as far as known; they tell a small grant from a blocked account.
        given: what else holds, in the words of the rows.
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
    detail, minutes = _read_minutes(_sentence(document, DETAIL))
    missing = find_missing_scopes(operation, scopes)
    holds = {ALL_GRANTED: scopes and not missing, APP_IS_SPENT: _is_used_up(reply, _APP_DAILY)}
    return Refusal(
        operation=operation,
        status=reply.status,
        codes={sign: (value,) for sign, value in codes.items() if value},
        texts={
            DETAIL: detail,
            DESCRIPTION: _sentence(body, DESCRIPTION),
            MESSAGE: _sentence(entry, "message"),
        },
        given=(*given, *(condition for condition, is_so in holds.items() if is_so)),
        words={"minutes": minutes},
        missing_scopes=missing,
        now=ctx.now,
        retry_at=reset_at(reply, ctx.now),
        reference=reply.headers.get("x-transaction-id"),
    )


def read_processing_failure(ctx: PlatformContext, reply: oauth2.Reply, info: Mapping[str, Any]) -> Refusal:
    """Read why X could not make use of an upload; its words are shown to the author, since only they say what to do.

    Args:
        ctx: the context of the call.
        reply: X's answer.
        info: its ``processing_info``.
    """
    error = info.get("error")
    error = error if isinstance(error, dict) else {}
    said = " ".join(_text(error, "message").split())[:_LONGEST_QUOTE]
    return Refusal(
        operation=Operation.PREPARE,
        status=reply.status,
        codes={PROCESSING: ("failed",), PROCESSING_ERROR: (_text(error, "name") or "none",)},
        said=said if said.isprintable() else "",
        now=ctx.now,
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


def _read_minutes(detail: str) -> tuple[str, str]:
    found = _LONG_VIDEO.fullmatch(detail)
    return (LONG_VIDEO, found[1]) if found else (detail, "")


def _last_segment(type_uri: str) -> str:
    return "" if type_uri == "about:blank" else re.split(r"[/#]", type_uri)[-1]


# The 24-hour headers were seen on answers to "create post"; only those used up say when to come back
# (docs.x.com/x-api/fundamentals/rate-limits for the first; github.com/plhery/node-twitter-api-v2/issues/495 and 553
# for the others; checked 2026-11-25).
_WINDOW_LIMIT: Final = "x-rate-limit"
_USER_DAILY: Final = "x-user-limit-24hour"
_APP_DAILY: Final = "x-app-limit-24hour"


def reset_at(reply: oauth2.Reply, now: datetime) -> datetime:
    """Tell when X lets us call again: by its reset headers (Unix seconds), else ``Retry-After``, else in 15 minutes."""
    used_up = [name for name in (_USER_DAILY, _APP_DAILY) if _is_used_up(reply, name)]
    times = [_unix_time(reply.headers.get(f"{name}-reset")) for name in (used_up or (_WINDOW_LIMIT,))]
    known = [time for time in times if time is not None]
    if not known:
        return oauth2.retry_after(reply, now, default=_WINDOW)
    return min(max(now, *known), now + _LONGEST_WAIT)


def _is_used_up(reply: oauth2.Reply, limit: str) -> bool:
    return reply.headers.get(f"{limit}-remaining") == "0"


def _unix_time(seconds: str | None) -> datetime | None:
    if seconds is None or not (seconds.isascii() and seconds.isdigit()) or len(seconds) > 11:
        return None
    return datetime.fromtimestamp(int(seconds), UTC)
