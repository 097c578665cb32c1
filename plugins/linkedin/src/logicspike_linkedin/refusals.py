"""Reading what LinkedIn says when it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from logicspike.plugin import Operation, PlatformContext, Refusal, oauth2

__all__ = [
    "CODE",
    "DESCRIPTION",
    "ERROR",
    "FRESH",
    "ITS_FORMAT",
    "NAMES_THE_POST",
    "POSTING_SCOPE",
    "RENEWABLE",
    "STATUS",
    "permalink",
    "read_refusal",
]

POSTING_SCOPE: Final = "w_member_social"

CODE: Final = "code or serviceErrorCode"
"""``code``, ``serviceErrorCode`` and the codes of the single inputs (``errorDetails.inputErrors``)."""
ERROR: Final = "error"
DESCRIPTION: Final = "error_description"
STATUS: Final = "status"

FRESH: Final = "within a minute of the token's issue"
RENEWABLE: Final = "while there is a refresh token"
NAMES_THE_POST: Final = "with the address of the other post"
ITS_FORMAT: Final = "in an error of LinkedIn's own format"

_POST_URN: Final = re.compile(r"urn:li:(?:share|ugcPost|activity):\d+")


def read_refusal(
    ctx: PlatformContext,
    reply: oauth2.Reply,
    operation: Operation,
    *,
    is_fresh: bool = False,
    is_renewable: bool = False,
) -> Refusal:
    """Read LinkedIn's error envelope or its OAuth error; an answer that is neither has no codes.

    Args:
        ctx: the context the hook was given.
        reply: LinkedIn's answer.
        operation: what was being done.
        is_fresh: whether the access token was issued within the last minute.
        is_renewable: whether there is a refresh token.
    """
    body = reply.object
    message = body.get("message")
    is_its_format = isinstance(message, str) and not body.keys().isdisjoint({"status", "code", "serviceErrorCode"})
    # The refusal of a duplicate names the post that is live in its message, and nowhere else.
    urn = _POST_URN.search(message) if isinstance(message, str) and is_its_format else None
    conditions = {FRESH: is_fresh, RENEWABLE: is_renewable, NAMES_THE_POST: urn, ITS_FORMAT: is_its_format}
    error = body.get(ERROR)
    codes: dict[str, tuple[str | int, ...]] = {CODE: tuple(_error_codes(body))} if is_its_format else {}
    return Refusal(
        operation=operation,
        status=reply.status,
        codes=codes | ({ERROR: (error,)} if isinstance(error, str) else {}),
        texts={DESCRIPTION: str(body.get(DESCRIPTION, "")).strip().rstrip(".")},
        given=[condition for condition, holds in conditions.items() if holds],
        words={"version": ctx.settings.get("version", ""), "link": permalink(ctx, urn[0]) if urn else ""},
        missing_scopes=(POSTING_SCOPE,),
        now=ctx.now,
        # LinkedIn documents no such header; it is followed where it comes.
        retry_at=oauth2.retry_after(reply, ctx.now) if "Retry-After" in reply.headers else None,
        reference=reply.headers.get("x-li-uuid"),
    )


def permalink(ctx: PlatformContext, urn: str) -> str:
    """The public address of a post, by its URN."""
    return f"{ctx.endpoints['auth']}/feed/update/{urn}/"


def _error_codes(body: Any) -> Iterator[str | int]:
    details = body.get("errorDetails")
    inputs = details.get("inputErrors") if isinstance(details, dict) else None
    single = [entry.get("code") for entry in inputs if isinstance(entry, dict)] if isinstance(inputs, list) else []
    yield from (code for code in (body.get("code"), body.get("serviceErrorCode"), *single) if type(code) in {str, int})
