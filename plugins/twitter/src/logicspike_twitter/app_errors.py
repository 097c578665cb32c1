"""What X says about the access, the account and our developer app: the second part of its error table."""

from __future__ import annotations

from typing import Final

from logicspike.plugin import (
    AuthorizationFailed,
    ErrorRow,
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformUnavailable,
    ReconnectRequired,
    TokenExpired,
)

from .refusals import ALL_GRANTED, CODE, DETAIL, REASON, STATUS, TITLE, TYPE
from .row_parts import CONNECT, CONNECTED, ERRORS_PAGE, NOT_PUBLISHING, OLD_CODES, PUBLISH, SEEN, WITH_TOKEN

__all__ = ["APP_ROWS"]

_NO_CREDITS: Final = (
    "The X developer account behind this bot has no credits left. An admin can buy credits at console.x.com; "
    "then try again."
)
_SPENT: Final = (
    "The X developer account behind this bot has reached its spending or usage limit. An admin can raise it at "
    "console.x.com, or wait for the next billing cycle."
)
_NOT_ENROLLED: Final = (
    "X does not let this bot's developer app use its API. An admin must attach the app to a project at "
    "console.x.com and check its access."
)
_READ_ONLY_APP: Final = (
    "This bot's developer app may only read at X. An admin must set its permissions to “Read and write” at "
    "console.x.com; then members connect X again."
)
_SUSPENDED: Final = "X has suspended this account. Open x.com with this account and follow what X says there."
_LOCKED: Final = "X has locked this account for now. Open x.com with this account and follow what X says there."
_TOO_SMALL: Final = "X no longer lets the bot publish for this account. Connect X again and allow everything it asks."
_STUMBLED: Final = "X did not recognise a valid sign-in for a moment. Nothing was posted."
_NOT_SHOWN: Final = "X does not let the bot see this account. Please press Connect again."
_UNEXPLAINED: Final = (
    "X refused this without a reason. Open x.com with this account and see whether it is locked or limited."
)
_EXPIRED: Final = "X refused the access token."
_MAYBE_LIVE: Final = (
    "X's answer got lost, so this post may be live. Look at the account at x.com before posting it again."
)
_DOWN: Final = "X can't be reached or is having trouble. Please try again in a few minutes."
_UNKNOWN_AUTHENTICATION: Final = (
    "Authenticating with Unknown is forbidden for this endpoint. Supported authentication types are "
    "[OAuth 1.0a User Context, OAuth 2.0 User Context]"
)

APP_ROWS: Final = (
    # X's own 5xx say no more than their status.
    ErrorRow(
        name="down",
        on=PUBLISH,
        signs={STATUS: frozenset({500, 502, 503, 504})},
        error=OutcomeUnknown,
        sentence=_MAYBE_LIVE,
        source=ERRORS_PAGE,
    ),
    ErrorRow(
        name="down",
        on=NOT_PUBLISHING,
        signs={STATUS: frozenset({500, 502, 503, 504})},
        error=PlatformUnavailable,
        sentence=_DOWN,
        source=ERRORS_PAGE,
    ),
    # The title repeats the status, and the type is about:blank: there is nothing else.
    ErrorRow(
        name="401",
        on=CONNECTED,
        signs={STATUS: frozenset({401})},
        error=TokenExpired,
        sentence=_EXPIRED,
        source=SEEN,
    ),
    ErrorRow(
        name="401",
        on=CONNECT,
        signs={STATUS: frozenset({401})},
        error=AuthorizationFailed,
        sentence=_NOT_SHOWN,
        source=SEEN,
    ),
    ErrorRow(
        name="CreditsDepleted",
        on=WITH_TOKEN,
        signs={TITLE: frozenset({"CreditsDepleted"})},
        error=OperatorActionRequired,
        sentence=_NO_CREDITS,
        source=SEEN,
    ),
    ErrorRow(
        name="SpendCapReached",
        on=WITH_TOKEN,
        signs={TITLE: frozenset({"SpendCapReached"})},
        error=OperatorActionRequired,
        sentence=_SPENT,
        source=SEEN,
    ),
    ErrorRow(
        name="credits",
        on=WITH_TOKEN,
        signs={TYPE: frozenset({"credits"})},
        error=OperatorActionRequired,
        sentence=_NO_CREDITS,
        source=SEEN,
    ),
    # X bills by 402 alone.
    ErrorRow(
        name="402",
        on=WITH_TOKEN,
        signs={STATUS: frozenset({402})},
        error=OperatorActionRequired,
        sentence=_NO_CREDITS,
        source=SEEN,
    ),
    ErrorRow(
        name="spending limit",
        on=WITH_TOKEN,
        signs={DETAIL: frozenset({"Your account has hit its spending limit for this billing cycle"})},
        error=OperatorActionRequired,
        sentence=_SPENT,
        source=SEEN,
    ),
    ErrorRow(
        name="usage-capped",
        on=WITH_TOKEN,
        signs={TYPE: frozenset({"usage-capped"})},
        error=OperatorActionRequired,
        sentence=_SPENT,
        source=ERRORS_PAGE,
    ),
    ErrorRow(
        name="UsageCapExceeded",
        on=WITH_TOKEN,
        signs={TITLE: frozenset({"UsageCapExceeded", "UsageCapped"})},
        error=OperatorActionRequired,
        sentence=_SPENT,
        source=SEEN,
    ),
    ErrorRow(
        name="client-not-enrolled",
        on=WITH_TOKEN,
        signs={REASON: frozenset({"client-not-enrolled"})},
        error=OperatorActionRequired,
        sentence=_NOT_ENROLLED,
        source="github.com/xdevplatform/samples/issues/160, checked 2026-11-23",
    ),
    ErrorRow(
        name="client-forbidden",
        on=WITH_TOKEN,
        signs={TYPE: frozenset({"client-forbidden"})},
        error=OperatorActionRequired,
        sentence=_NOT_ENROLLED,
        source=ERRORS_PAGE,
    ),
    ErrorRow(
        name="oauth1-permissions",
        on=WITH_TOKEN,
        signs={TYPE: frozenset({"oauth1-permissions"})},
        error=OperatorActionRequired,
        sentence=_READ_ONLY_APP,
        source=SEEN,
    ),
    ErrorRow(
        name="261",
        on=WITH_TOKEN,
        signs={CODE: frozenset({261})},
        error=OperatorActionRequired,
        sentence=_READ_ONLY_APP,
        source=OLD_CODES,
    ),
    ErrorRow(
        name="app-suspended",
        on=WITH_TOKEN,
        signs={TYPE: frozenset({"app-suspended"})},
        error=OperatorActionRequired,
        sentence=_NOT_ENROLLED,
        source=SEEN,
    ),
    ErrorRow(
        name="user-suspended",
        on=WITH_TOKEN,
        signs={TYPE: frozenset({"user-suspended"})},
        error=MemberActionRequired,
        sentence=_SUSPENDED,
        source=SEEN,
    ),
    ErrorRow(
        name="64",
        on=WITH_TOKEN,
        signs={CODE: frozenset({64})},
        error=MemberActionRequired,
        sentence=_SUSPENDED,
        source=OLD_CODES,
    ),
    ErrorRow(
        name="326",
        on=WITH_TOKEN,
        signs={CODE: frozenset({326})},
        error=MemberActionRequired,
        sentence=_LOCKED,
        source=OLD_CODES,
    ),
    # X sometimes loses track of what kind of token it was given and takes the same one a moment later.
    ErrorRow(
        name="unknown authentication",
        on=WITH_TOKEN,
        signs={TYPE: frozenset({"unsupported-authentication"}), DETAIL: frozenset({_UNKNOWN_AUTHENTICATION})},
        error=PlatformUnavailable,
        sentence=_STUMBLED,
        source="github.com/10up/autoshare-for-twitter/issues/387, checked 2026-11-23",
    ),
    ErrorRow(
        name="unsupported-authentication",
        on=CONNECT,
        signs={TYPE: frozenset({"unsupported-authentication"})},
        error=AuthorizationFailed,
        sentence=_NOT_SHOWN,
        source="github.com/plhery/node-twitter-api-v2/issues/475, checked 2026-11-23",
    ),
    ErrorRow(
        name="unsupported-authentication",
        on=CONNECTED,
        signs={TYPE: frozenset({"unsupported-authentication"})},
        error=ReconnectRequired,
        sentence=_TOO_SMALL,
        lacks_permission=True,
        source="github.com/plhery/node-twitter-api-v2/issues/475, checked 2026-11-23",
    ),
    # A new grant would have the same scopes: a lasting connection is not given up for an unexplained refusal.
    ErrorRow(
        name="Forbidden",
        on=WITH_TOKEN,
        signs={TITLE: frozenset({"Forbidden"}), DETAIL: frozenset({"Forbidden"})},
        given=(ALL_GRANTED,),
        error=MemberActionRequired,
        sentence=_UNEXPLAINED,
        source="github.com/plhery/node-twitter-api-v2/issues/265, checked 2026-11-23",
    ),
    ErrorRow(
        name="Forbidden",
        on=CONNECT,
        signs={TITLE: frozenset({"Forbidden"}), DETAIL: frozenset({"Forbidden"})},
        error=AuthorizationFailed,
        sentence=_NOT_SHOWN,
        source="github.com/plhery/node-twitter-api-v2/issues/265, checked 2026-11-23",
    ),
    ErrorRow(
        name="Forbidden",
        on=CONNECTED,
        signs={TITLE: frozenset({"Forbidden"}), DETAIL: frozenset({"Forbidden"})},
        error=ReconnectRequired,
        sentence=_TOO_SMALL,
        lacks_permission=True,
        source="github.com/plhery/node-twitter-api-v2/issues/265, checked 2026-11-23",
    ),
)
