"""Reading what LinkedIn says when it refuses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from logicspike.plugin import Operation, PlatformContext, Refusal, oauth2

__all__ = [
    "CODE",
    "COMMENTING",
    "DESCRIPTION",
    "ERROR",
    "FIELD",
    "FOR_A_PAGE",
    "FRESH",
    "ITS_FORMAT",
    "LIMIT",
    "LOOKING",
    "MESSAGE",
    "NAMES_THE_POST",
    "RENEWABLE",
    "STATUS",
    "WITH_MEDIA",
    "permalink",
    "read_refusal",
]

CODE: Final = "code or serviceErrorCode"
"""``code``, ``serviceErrorCode`` and the codes of the single inputs (``errorDetails.inputErrors``)."""
LIMIT: Final = "limit"
"""Whose limit and for how long, of a message "Resource level throttle APPLICATION DAY limit for calls …"."""
FIELD: Final = "field"
"""The field that a message "… while processing fields [/author]" names."""
ERROR: Final = "error"
DESCRIPTION: Final = "error_description"
MESSAGE: Final = "message"
STATUS: Final = "status"

FRESH: Final = "within a minute of the token's issue"
RENEWABLE: Final = "while there is a refresh token"
NAMES_THE_POST: Final = "with the address of the other post"
ITS_FORMAT: Final = "in an error of LinkedIn's own format"
FOR_A_PAGE: Final = "as a company page"
COMMENTING: Final = "of a comment"
WITH_MEDIA: Final = "of a post with media"
LOOKING: Final = "asked how far an upload is"

_POST_URN: Final = re.compile(r"urn:li:(?:share|ugcPost|activity):\d+")
_THROTTLE: Final = re.compile(
    r"Resource level throttle ([A-Z_]+ [A-Z]+) limit for calls to this resource is reached\.?"
)
_BAD_FIELD: Final = re.compile(r".*\bwhile processing fields \[(/[\w/]+)\]", re.DOTALL)


def read_refusal(
    ctx: PlatformContext,
    reply: oauth2.Reply,
    operation: Operation,
    *,
    given: Collection[str] = (),
    scope: str = "",
) -> Refusal:
    """Read LinkedIn's error envelope or its OAuth error; an answer that is neither has no codes.

    Args:
        ctx: the context the hook was given.
        reply: LinkedIn's answer.
        operation: what was being done.
        given: what holds beside the answer.
        scope: the permission that was needed.
    """
    body = reply.object
    said = body.get("message")
    message = said if isinstance(said, str) else ""
    is_its_format = bool(message) and not body.keys().isdisjoint({"status", "code", "serviceErrorCode"})
    # The refusal of a duplicate names the post that is live in its message, and nowhere else.
    urn = _POST_URN.search(message) if is_its_format else None
    conditions = {NAMES_THE_POST: urn is not None, ITS_FORMAT: is_its_format}
    error = body.get(ERROR)
    codes = _read_codes(body, message) if is_its_format else {}
    texts = {DESCRIPTION: str(body.get(DESCRIPTION, "")), MESSAGE: message}
    return Refusal(
        operation=operation,
        status=reply.status,
        codes=codes | ({ERROR: (error,)} if isinstance(error, str) else {}),
        texts={name: text.strip().rstrip(".") for name, text in texts.items()},
        given=[*given, *(condition for condition, holds in conditions.items() if holds)],
        words={"version": ctx.settings.get("version", ""), "link": permalink(ctx, urn[0]) if urn else ""},
        missing_scopes=(scope,) if scope else (),
        now=ctx.now,
        # LinkedIn documents no such header; it is followed where it comes.
        retry_at=oauth2.retry_after(reply, ctx.now) if "Retry-After" in reply.headers else None,
        reference=reply.headers.get("x-li-uuid") or reply.headers.get("x-li-request-id"),
    )


def permalink(ctx: PlatformContext, urn: str) -> str:
    """The public address of a post, by its URN."""
    return f"{ctx.endpoints['auth']}/feed/update/{urn}/"


def _read_codes(body: Any, message: str) -> dict[str, tuple[str | int, ...]]:
    throttle, field = _THROTTLE.fullmatch(message.strip()), _BAD_FIELD.match(message)
    return {
        CODE: tuple(_error_codes(body)),
        LIMIT: (throttle[1],) if throttle else (),
        FIELD: (field[1],) if field else (),
    }


def _error_codes(body: Any) -> Iterator[str | int]:
    details = body.get("errorDetails")
    inputs = details.get("inputErrors") if isinstance(details, dict) else None
    single = [entry.get("code") for entry in inputs if isinstance(entry, dict)] if isinstance(inputs, list) else []
    yield from (code for code in (body.get("code"), body.get("serviceErrorCode"), *single) if type(code) in {str, int})
