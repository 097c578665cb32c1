"""What X's errors mean for us: one table, each row with its source; the first row that fits decides.

X answers errors as problem documents, ``{"title", "detail", "type", "status"}``, here and there with an ``errors``
list of ``code`` and ``message`` from its older API. Of ``type`` its last segment counts. For much X has no code, only
its ``detail``: that is compared whole, never searched for words. The status decides where X says nothing beside it.
"""

from __future__ import annotations

from typing import Final

from logicspike.plugin import (
    AuthorizationFailed,
    ErrorRow,
    ErrorTable,
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformUnavailable,
    ReconnectRequired,
    TokenExpired,
)

from .post_errors import POST_ROWS
from .refusals import ALL_GRANTED, CODE, DESCRIPTION, DETAIL, ERROR, REASON, STATUS, TITLE, TYPE
from .row_parts import (
    CONNECT,
    CONNECTED,
    ERRORS_PAGE,
    FOR_TOKENS,
    NOT_PUBLISHING,
    OLD_CODES,
    PUBLISH,
    REFRESH,
    SEEN,
    SIGN_IN,
    WITH_TOKEN,
)

__all__ = ["TABLE"]

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
_CLIENT_REFUSED: Final = (
    "X refused this bot's client id or secret. An admin must check TWITTER_CLIENT_ID and TWITTER_CLIENT_SECRET, "
    "and that the app is a confidential client (“Web App, Automated App or Bot”) at console.x.com."
)
_BUG: Final = "X did not understand the bot's request for access. An admin should report this with the log."
_ACCESS_OVER: Final = "X has ended the bot's access to this account. Connect X again."
_CODE_REFUSED: Final = "X refused the sign-in code; it is good for 30 seconds only. Please press Connect again."
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

# --- the token endpoint ---------------------------------------------------------------------------------------------

_TOKEN_ROWS: Final = (
    ErrorRow(
        name="invalid_client",
        on=FOR_TOKENS,
        signs={ERROR: frozenset({"invalid_client", "unauthorized_client"})},
        error=OperatorActionRequired,
        sentence=_CLIENT_REFUSED,
        source="github.com/unasuke/omniauth-twitter2/issues/4, github.com/better-auth/better-auth/issues/2095, "
        "checked 2026-11-23",
    ),
    # X says that a refresh token is dead in the words of a malformed request; only the description tells them apart.
    ErrorRow(
        name="dead refresh token",
        on=REFRESH,
        signs={
            ERROR: frozenset({"invalid_request"}),
            DESCRIPTION: frozenset({"Value passed for the token was invalid"}),
        },
        error=ReconnectRequired,
        sentence=_ACCESS_OVER,
        source="two public projects, unattributed; " + SEEN,
    ),
    ErrorRow(
        name="invalid_grant",
        on=REFRESH,
        signs={ERROR: frozenset({"invalid_grant"})},
        error=ReconnectRequired,
        sentence=_ACCESS_OVER,
        source="RFC 6749 section 5.2, in case X follows it one day, checked 2026-11-23",
    ),
    ErrorRow(
        name="refused code",
        on=SIGN_IN,
        signs={ERROR: frozenset({"invalid_request", "invalid_grant"})},
        error=AuthorizationFailed,
        sentence=_CODE_REFUSED,
        source="github.com/plhery/node-twitter-api-v2/issues/496, checked 2026-11-23",
    ),
    ErrorRow(
        name="malformed request",
        on=FOR_TOKENS,
        signs={ERROR: frozenset({"invalid_request", "unsupported_grant_type"})},
        error=OperatorActionRequired,
        sentence=_BUG,
        source=SEEN,
    ),
)

# --- the access, the account, our app -------------------------------------------------------------------------------

_APP_ROWS: Final = (
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

TABLE: Final = ErrorTable(
    platform="twitter",
    title="X",
    look_at="the account at x.com",
    note="Of `type` the last segment counts. Where X gives no code, its `detail` is compared as a whole; where it says "
    "nothing at all, the status decides. A limit ends when X's `x-rate-limit-reset` says so, else in 15 minutes.",
    rows=(*_TOKEN_ROWS, *_APP_ROWS, *POST_ROWS),
)
"""What X is known to refuse with."""
