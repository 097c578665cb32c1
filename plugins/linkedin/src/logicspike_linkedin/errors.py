"""What LinkedIn's errors mean for us: one table, each row with its source; the first row that fits decides.

LinkedIn answers errors of its API with ``{"status", "message"}`` and one or more of ``code``, ``serviceErrorCode`` and
``errorDetails.inputErrors[].code``; the token endpoint with ``error`` and ``error_description``. Rows ask for these;
the status decides where LinkedIn gives no code.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from logicspike.plugin import (
    AuthorizationFailed,
    ErrorRow,
    ErrorTable,
    Operation,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformUnavailable,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)

from .post_errors import POST_ROWS
from .refusals import CODE, DESCRIPTION, ERROR, FRESH, ITS_FORMAT, RENEWABLE, STATUS

__all__ = ["TABLE", "TokenNotActiveYet"]

# LinkedIn lets nobody look up what was published.
_EVERY: Final = frozenset(Operation) - {Operation.CHECK, Operation.PREPARE, Operation.LOOK_UP}
_SIGN_IN: Final = frozenset({Operation.SIGN_IN})
_CONNECT: Final = frozenset({Operation.CONNECT})
_REFRESH: Final = frozenset({Operation.REFRESH})
_PUBLISH: Final = frozenset({Operation.PUBLISH})
_FOR_TOKENS: Final = _SIGN_IN | _REFRESH
_WITH_TOKEN: Final = _CONNECT | _PUBLISH
_NOT_PUBLISHING: Final = _EVERY - _PUBLISH

_CODE_FLOW: Final = "learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23"
_REFRESH_TOKENS: Final = (
    "learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens, checked 2026-11-23"
)
_ERRORS: Final = "learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling, checked 2026-11-23"
_LIMITS: Final = "learn.microsoft.com/linkedin/shared/api-guide/concepts/rate-limits, checked 2026-11-23"
_VERSIONS: Final = "learn.microsoft.com/linkedin/marketing/versioning, checked 2026-11-23"
_SEEN: Final = "observed, unattributed, checked 2026-11-23"

_REVOKED: Final[frozenset[str | int]] = frozenset({65601, "REVOKED_ACCESS_TOKEN"})
_EXPIRED: Final[frozenset[str | int]] = frozenset({65602, "EXPIRED_ACCESS_TOKEN"})
_DENIED: Final[frozenset[str | int]] = frozenset({100, "ACCESS_DENIED"})

_ACCESS_OVER: Final = "LinkedIn has ended the bot's access. Connect LinkedIn again to go on."
_NOT_ACCEPTED: Final = "LinkedIn no longer accepts the bot's access. Connect LinkedIn again to go on."
_VERSION_GONE: Final = (
    "LinkedIn no longer serves version {version} of its API. An admin needs to set LINKEDIN_VERSION to a current one, "
    "such as last month's (YYYYMM)."
)

_RESET_JITTER: Final = timedelta(minutes=5)


class TokenNotActiveYet(PlatformUnavailable):
    """A token that was issued moments ago is called revoked; a few seconds later LinkedIn takes it."""


def _after_midnight(now: datetime) -> datetime:
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    # Everyone's quota comes back at the same instant; the odd part of the clock spreads us over some minutes.
    return midnight + _RESET_JITTER * (now.microsecond / 1_000_000)


def _in_five_minutes(now: datetime) -> datetime:
    return now + timedelta(minutes=5)


_ACCESS_ROWS: Final = (
    ErrorRow(
        name="invalid_client",
        on=_FOR_TOKENS,
        signs={ERROR: frozenset({"invalid_client"})},
        error=OperatorActionRequired,
        sentence="LinkedIn refused the bot's own app. An admin needs to check LINKEDIN_CLIENT_ID and "
        "LINKEDIN_CLIENT_SECRET.",
        source=_CODE_FLOW,
    ),
    # A dead refresh token is an invalid_request, told from a malformed one by its description only.
    ErrorRow(
        name="dead refresh token",
        on=_REFRESH,
        signs={
            ERROR: frozenset({"invalid_request"}),
            DESCRIPTION: frozenset(
                {"The provided authorization grant or refresh token is invalid, expired or revoked"}
            ),
        },
        error=ReconnectRequired,
        sentence=_ACCESS_OVER,
        source=_REFRESH_TOKENS,
    ),
    ErrorRow(
        name="invalid_grant",
        on=_REFRESH,
        signs={ERROR: frozenset({"invalid_grant"})},
        error=ReconnectRequired,
        sentence=_ACCESS_OVER,
        source="nango.dev/blog/linkedin-oauth-refresh-token-invalid-grant, checked 2026-11-23",
    ),
    ErrorRow(
        name="refresh_token_client_mismatch",
        on=_REFRESH,
        signs={ERROR: frozenset({"refresh_token_client_mismatch"})},
        error=ReconnectRequired,
        sentence=_ACCESS_OVER,
        source="the app was replaced by a new one: " + _SEEN,
    ),
    ErrorRow(
        name="malformed refresh",
        on=_REFRESH,
        signs={ERROR: frozenset({"invalid_request", "unsupported_grant_type"})},
        error=OperatorActionRequired,
        sentence="LinkedIn did not understand the bot's request for access. An admin should report this with the log.",
        source=_REFRESH_TOKENS,
    ),
    ErrorRow(
        name="refused code",
        on=_SIGN_IN,
        signs={ERROR: frozenset({"invalid_request", "invalid_redirect_uri", "invalid_grant"})},
        error=AuthorizationFailed,
        sentence="LinkedIn refused the sign-in; the link may have expired. Please try again with a new one.",
        source=_CODE_FLOW,
    ),
    # Whatever the body says: a post was not refused by a server that stumbled.
    ErrorRow(
        name="down",
        on=_PUBLISH,
        signs={STATUS: frozenset({500, 502, 503, 504})},
        error=OutcomeUnknown,
        sentence="LinkedIn gave no clear answer, so the post may be live. Look at your profile before posting it "
        "again.",
        source=_ERRORS,
    ),
    ErrorRow(
        name="down",
        on=_NOT_PUBLISHING,
        signs={STATUS: frozenset({500, 502, 503, 504})},
        error=PlatformUnavailable,
        sentence="LinkedIn can't be reached or is having trouble. Please try again in a few minutes.",
        source=_ERRORS,
    ),
    # LinkedIn calls a token revoked that it gave out seconds ago.
    ErrorRow(
        name="65601",
        on=_WITH_TOKEN,
        signs={CODE: _REVOKED},
        given=(FRESH,),
        error=TokenNotActiveYet,
        sentence="LinkedIn needs a moment until new access works. Please try again in a minute.",
        source="github.com/jclusso/omniauth-linkedin-openid/issues/6, github.com/tomasvotava/fastapi-sso/issues/196, "
        "checked 2026-11-23",
    ),
    ErrorRow(
        name="401 while connecting",
        on=_CONNECT,
        signs={STATUS: frozenset({401})},
        given=(ITS_FORMAT,),
        error=AuthorizationFailed,
        sentence="LinkedIn did not accept the sign-in. Please try again.",
        source=_ERRORS,
    ),
    # Every 401 of LinkedIn's is about the token, with a code or without one.
    ErrorRow(
        name="401 renewable",
        on=_PUBLISH,
        signs={STATUS: frozenset({401})},
        given=(
            ITS_FORMAT,
            RENEWABLE,
        ),
        error=TokenExpired,
        sentence="LinkedIn refused the access token.",
        source=_ERRORS,
    ),
    ErrorRow(
        name="65602",
        on=_PUBLISH,
        signs={CODE: _EXPIRED},
        error=ReconnectRequired,
        sentence="LinkedIn gives access for 60 days, and they are over. Connect LinkedIn again to go on.",
        source=_ERRORS,
    ),
    ErrorRow(
        name="65601",
        on=_PUBLISH,
        signs={CODE: _REVOKED},
        error=ReconnectRequired,
        sentence="LinkedIn ended the bot's access: it was withdrawn in your LinkedIn settings, or given anew "
        "elsewhere. Connect LinkedIn again to go on.",
        source=_ERRORS,
    ),
    ErrorRow(
        name="65600",
        on=_PUBLISH,
        signs={CODE: frozenset({65600, "INVALID_ACCESS_TOKEN", "EMPTY_ACCESS_TOKEN"})},
        error=ReconnectRequired,
        sentence=_NOT_ACCEPTED,
        source=_ERRORS,
    ),
    ErrorRow(
        name="401",
        on=_PUBLISH,
        signs={STATUS: frozenset({401})},
        given=(ITS_FORMAT,),
        error=ReconnectRequired,
        sentence=_NOT_ACCEPTED,
        source=_ERRORS,
    ),
    ErrorRow(
        name="ACCESS_DENIED",
        on=_CONNECT,
        signs={CODE: _DENIED},
        error=OperatorActionRequired,
        sentence="LinkedIn doesn't let the bot read who signed in. An admin needs to add the product “Sign In with "
        "LinkedIn using OpenID Connect” to the LinkedIn app.",
        source=_ERRORS,
    ),
    ErrorRow(
        name="ACCESS_DENIED",
        on=_PUBLISH,
        signs={CODE: _DENIED},
        error=ReconnectRequired,
        sentence="LinkedIn says this connection may not post. Connect LinkedIn again and allow posting; if that "
        "changes nothing, ask an admin whether the LinkedIn app still has the product “Share on LinkedIn”.",
        lacks_permission=True,
        source=_ERRORS,
    ),
    ErrorRow(
        name="NONEXISTENT_VERSION",
        on=_PUBLISH,
        signs={CODE: frozenset({"NONEXISTENT_VERSION", "VERSION_MISSING"})},
        error=OperatorActionRequired,
        sentence=_VERSION_GONE,
        source="body: github.com/n8n-io/n8n/issues/28967; " + _VERSIONS,
    ),
    # No other use of 426 ("Upgrade Required") is documented, whatever its code.
    ErrorRow(
        name="426",
        on=_PUBLISH,
        signs={STATUS: frozenset({426})},
        given=(ITS_FORMAT,),
        error=OperatorActionRequired,
        sentence=_VERSION_GONE,
        source=_VERSIONS,
    ),
    ErrorRow(
        name="daily limit",
        on=_EVERY,
        signs={CODE: frozenset({101}), STATUS: frozenset({429})},
        error=RateLimited,
        sentence="LinkedIn's limit for today is used up; it starts anew at 00:00 UTC.",
        resumes=_after_midnight,
        source="the code: learn.microsoft.com/linkedin/shared/api-guide/concepts/decoration; " + _LIMITS,
    ),
    # For its other limits LinkedIn documents no code, only the status.
    ErrorRow(
        name="429",
        on=_EVERY,
        signs={STATUS: frozenset({429})},
        error=RateLimited,
        sentence="LinkedIn asks us to slow down.",
        resumes=_in_five_minutes,
        source="infrastructure protection: " + _LIMITS,
    ),
)

TABLE: Final = ErrorTable(
    platform="linkedin",
    title="LinkedIn",
    look_at="your profile",
    note="A `code` may stand for the whole answer or for one input of it. Where LinkedIn gives no code, the status "
    "decides. LinkedIn doesn't say how long a limit lasts: that of the day until 00:00 UTC, another five minutes.",
    rows=(*_ACCESS_ROWS, *POST_ROWS),
)
"""What LinkedIn is known to refuse with."""
