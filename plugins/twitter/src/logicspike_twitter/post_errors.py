"""What X says about a post and about limits: the last part of its error table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from logicspike.plugin import ErrorRow, PlatformUnavailable, PostRejected, RateLimited

from .refusals import APP_IS_SPENT, CODE, DETAIL, STATUS, TYPE
from .row_parts import ERRORS_PAGE, EVERY, OLD_CODES, POSTIZ, PUBLISH, SEEN, WITH_TOKEN

__all__ = ["DUPLICATE", "NEW_PARENT", "POST_ROWS"]

NEW_PARENT: Final = "within a minute of the post it replies to"
DUPLICATE: Final = frozenset({"duplicate", "187"})
"""The names of the rows about a text that is there already."""

_IS_DUPLICATE: Final = (
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
_PARENT_NOT_SEEN: Final = "X does not show the post before this one yet; this one was not posted. The bot tries again."
_PARENT_GONE: Final = (
    "X says that the post this one replies to was deleted or can't be seen. Look at the thread, then post the rest "
    "anew."
)
_NO_REPLIES: Final = "X lets this bot's developer app reply only to this account's own posts."
_APP_SLOW_DOWN: Final = "X's limit of posts in 24 hours is reached for this bot as a whole."

_NOT_VISIBLE: Final = "You attempted to reply to a Tweet that is deleted or not visible to you"
_NOT_ENGAGED: Final = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author "
    "of the post you are replying to"
)


def _reply_rows(name: str, signs: Mapping[str, frozenset[str | int]]) -> tuple[ErrorRow, ErrorRow]:
    return (
        ErrorRow(
            name=name,
            on=PUBLISH,
            signs=signs,
            given=(NEW_PARENT,),
            error=PlatformUnavailable,
            sentence=_PARENT_NOT_SEEN,
            source="github.com/plhery/node-twitter-api-v2/issues/366, checked 2026-11-25",
        ),
        ErrorRow(
            name=name,
            on=PUBLISH,
            signs=signs,
            error=PostRejected,
            sentence=_PARENT_GONE,
            source="github.com/IBBoard/cawbird/issues/8, checked 2026-11-25",
        ),
    )


POST_ROWS: Final = (
    ErrorRow(
        name="duplicate",
        on=PUBLISH,
        signs={DETAIL: frozenset({"You are not allowed to create a Tweet with duplicate content"})},
        error=PostRejected,
        sentence=_IS_DUPLICATE,
        source="github.com/akrherz/iembot/issues/163, checked 2026-11-23",
    ),
    ErrorRow(
        name="187",
        on=PUBLISH,
        signs={CODE: frozenset({187})},
        error=PostRejected,
        sentence=_IS_DUPLICATE,
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
        name="186",
        on=PUBLISH,
        signs={CODE: frozenset({186})},
        error=PostRejected,
        sentence=_TOO_LONG,
        source=OLD_CODES,
    ),
    # A reply may come before X has carried the post it replies to everywhere.
    *_reply_rows("parent not visible", {DETAIL: frozenset({_NOT_VISIBLE})}),
    *_reply_rows("385", {CODE: frozenset({385})}),
    ErrorRow(
        name="reply not allowed",
        on=PUBLISH,
        signs={DETAIL: frozenset({_NOT_ENGAGED})},
        error=PostRejected,
        sentence=_NO_REPLIES,
        source=f"{SEEN}; the rule: docs.x.com/changelog, 2026-02-23",
    ),
    ErrorRow(
        name="invalid-request",
        on=PUBLISH,
        signs={TYPE: frozenset({"invalid-request"})},
        error=PostRejected,
        sentence=_INVALID,
        source=ERRORS_PAGE,
    ),
    # Before the account's own limit: this one holds back all accounts.
    ErrorRow(
        name="429 for the app",
        on=EVERY,
        signs={STATUS: frozenset({429})},
        given=(APP_IS_SPENT,),
        error=RateLimited,
        sentence=_APP_SLOW_DOWN,
        is_app_wide=True,
        source="docs.x.com/x-api/fundamentals/rate-limits; the header: "
        "github.com/plhery/node-twitter-api-v2/issues/495, checked 2026-11-25",
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
