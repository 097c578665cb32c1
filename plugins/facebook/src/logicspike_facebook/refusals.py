"""Reading what the Graph API says when it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from logicspike.plugin import Operation, PlatformContext, Refusal, oauth2

__all__ = ["APPS_OWN", "CAN_RENEW", "CODE", "EITHER", "MESSAGE", "NOT_ITS_FORMAT", "STATUS", "SUBCODE", "read_refusal"]

CODE: Final = "code"
SUBCODE: Final = "error_subcode"
EITHER: Final = "code or error_subcode"
"""For numbers seen without a word on where they stood."""
MESSAGE: Final = "message"
STATUS: Final = "status"

CAN_RENEW: Final = "while the member's own access is alive"
"""The Page's token can be read anew."""
NOT_ITS_FORMAT: Final = "without an error in Facebook's own format"
APPS_OWN: Final = "of the bot's own access as an app"
"""What was refused is our app, not a person's token."""

_LONGEST_PAUSE: Final = timedelta(hours=24)
_MAX_SHOWN: Final = 200
_APP_LIMIT: Final = 4


def read_refusal(
    ctx: PlatformContext,
    reply: oauth2.Reply,
    operation: Operation,
    *,
    needs: str,
    can_renew: bool = False,
    is_apps_own: bool = False,
) -> Refusal:
    """Read Facebook's error envelope, or that the answer has none (a proxy's page, a cut answer).

    Args:
        ctx: the context the hook was given.
        reply: Facebook's answer.
        operation: what was being done.
        needs: the permission the call stands on.
        can_renew: whether a refused Page token may be had anew without the member.
        is_apps_own: whether the call was made with our app's access instead of a person's or a Page's.
    """
    error = reply.object.get("error")
    is_its_format = isinstance(error, dict) and type(error.get(CODE)) is int
    fields: Mapping[str, Any] = error if isinstance(error, dict) and is_its_format else {}
    conditions = {CAN_RENEW: can_renew, APPS_OWN: is_apps_own, NOT_ITS_FORMAT: not is_its_format}
    return Refusal(
        operation=operation,
        status=reply.status,
        codes=_read_codes(fields),
        texts={MESSAGE: _text(fields.get(MESSAGE)).strip().rstrip(".")},
        given=[condition for condition, holds in conditions.items() if holds],
        said=_shorten(_text(fields.get("error_user_msg"))),
        missing_scopes=(needs,),
        now=ctx.now,
        retry_at=_retry_at(reply, ctx.now, is_of_the_app=fields.get(CODE) == _APP_LIMIT),
        reference=_text(fields.get("fbtrace_id")) or None,
    )


def _read_codes(fields: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    # Integers only: the same digits elsewhere in the answer, in an id or a sentence, mean nothing.
    found = {sign: (fields[sign],) for sign in (CODE, SUBCODE) if type(fields.get(sign)) is int}
    return found | {EITHER: tuple(value for values in found.values() for value in values)}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _retry_at(reply: oauth2.Reply, now: datetime, *, is_of_the_app: bool) -> datetime | None:
    # The minutes are told for a Page. X-App-Usage, which comes with the app's own limit, has percentages only.
    if is_of_the_app:
        return oauth2.retry_after(reply, now) if "Retry-After" in reply.headers else None
    minutes = max(_regain_minutes(reply.headers.get("X-Business-Use-Case-Usage", "")), default=0)
    if minutes > 0:
        return now + min(timedelta(minutes=minutes), _LONGEST_PAUSE)
    return oauth2.retry_after(reply, now) if "Retry-After" in reply.headers else None


def _regain_minutes(header: str) -> Iterator[int]:
    # {"<id>": [{"type": "pages", …, "estimated_time_to_regain_access": minutes}]}
    # (developers.facebook.com/docs/graph-api/overview/rate-limiting, checked 2026-11-23)
    for usages in _parse_object(header).values():
        for usage in usages if isinstance(usages, list) else ():
            minutes = usage.get("estimated_time_to_regain_access") if isinstance(usage, dict) else None
            if type(minutes) is int:
                # Beyond a day the number only has to stay small enough to count with.
                yield min(minutes, 24 * 60)


def _parse_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
