"""What X says about a post and about limits: the second part of its error table."""

from __future__ import annotations

from typing import Final

from logicspike.plugin import (
    ErrorRow,
    PostRejected,
    RateLimited,
)

from .refusals import CODE, DETAIL, STATUS, TYPE
from .row_parts import ERRORS_PAGE, EVERY, OLD_CODES, POSTIZ, PUBLISH, SEEN, WITH_TOKEN

__all__ = ["POST_ROWS"]

_DUPLICATE: Final = (
    "X refused this as a duplicate of a recent post. Change the text, or check that it isn't live already."
)
_NOT_PERMITTED: Final = (
    "X refused this post without saying which part. Usual causes: it is too long, it replies where that isn't allowed, "
    "or it mentions or links something X blocks. Change the text and try again."
)
_CASHTAG: Final = "X allows one cashtag (such as $ACME) in a post. Remove the others."
_BAD_LINK: Final = "X does not accept a link in this post. Check the addresses, or remove them."
_TOO_LONG: Final = "X says that this post is too long. Shorten it."
_SLOW_DOWN: Final = "X asks the bot to slow down for this account."
_INVALID: Final = "X could not accept this post as it is. Change the text and try again."
_LONG_VIDEO: Final = "X takes videos of up to 2 minutes from this account. Use a shorter one."

POST_ROWS: Final = (
    ErrorRow(
        name="duplicate",
        on=PUBLISH,
        signs={DETAIL: frozenset({"You are not allowed to create a Tweet with duplicate content"})},
        error=PostRejected,
        sentence=_DUPLICATE,
        source="github.com/akrherz/iembot/issues/163, checked 2026-11-23",
    ),
    ErrorRow(
        name="187",
        on=PUBLISH,
        signs={CODE: frozenset({187})},
        error=PostRejected,
        sentence=_DUPLICATE,
        source=OLD_CODES,
    ),
    ErrorRow(
        name="not permitted",
        on=PUBLISH,
        signs={DETAIL: frozenset({"You are not permitted to perform this action"})},
        error=PostRejected,
        sentence=_NOT_PERMITTED,
        source=POSTIZ,
    ),
    ErrorRow(
        name="cashtag",
        on=PUBLISH,
        signs={DETAIL: frozenset({"Posts are limited to a maximum of one cashtag"})},
        error=PostRejected,
        sentence=_CASHTAG,
        source=SEEN,
    ),
    ErrorRow(
        name="invalid URL",
        on=PUBLISH,
        signs={DETAIL: frozenset({"The Tweet contains an invalid URL"})},
        error=PostRejected,
        sentence=_BAD_LINK,
        field="link",
        source=POSTIZ,
    ),
    ErrorRow(
        name="long video",
        on=PUBLISH,
        signs={DETAIL: frozenset({"This user is not allowed to post a video longer than 2 minutes"})},
        error=PostRejected,
        sentence=_LONG_VIDEO,
        field="media",
        source=POSTIZ,
    ),
    ErrorRow(
        name="186",
        on=PUBLISH,
        signs={CODE: frozenset({186})},
        error=PostRejected,
        sentence=_TOO_LONG,
        source=OLD_CODES,
    ),
    ErrorRow(
        name="invalid-request",
        on=PUBLISH,
        signs={TYPE: frozenset({"invalid-request"})},
        error=PostRejected,
        sentence=_INVALID,
        source=ERRORS_PAGE,
    ),
    ErrorRow(
        name="rate-limit-exceeded",
        on=WITH_TOKEN,
        signs={TYPE: frozenset({"rate-limit-exceeded"})},
        error=RateLimited,
        sentence=_SLOW_DOWN,
        source=ERRORS_PAGE,
    ),
    ErrorRow(
        name="88",
        on=WITH_TOKEN,
        signs={CODE: frozenset({88})},
        error=RateLimited,
        sentence=_SLOW_DOWN,
        source=OLD_CODES,
    ),
    # Like 401: title and type say no more than the status.
    ErrorRow(
        name="429",
        on=EVERY,
        signs={STATUS: frozenset({429})},
        error=RateLimited,
        sentence=_SLOW_DOWN,
        source=SEEN,
    ),
)
