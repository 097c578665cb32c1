"""What LinkedIn says about tokens and sign-ins: the first part of its error table."""

from __future__ import annotations

from typing import Final

from logicspike.plugin import (
    AuthorizationFailed,
    ErrorRow,
    MemberActionRequired,
    OperatorActionRequired,
    PlatformUnavailable,
    ReconnectRequired,
    TokenExpired,
)

from .refusals import CODE, DESCRIPTION, ERROR, FOR_A_PAGE, FRESH, ITS_FORMAT, RENEWABLE, STATUS
from .row_parts import AS_ACCOUNT, CHECK, CONNECT, ERRORS, REFRESH, SEEN, SIGN_IN, WITH_TOKEN

__all__ = ["ACCESS_EXPIRED", "ACCESS_ROWS", "ACCESS_WITHDRAWN", "NOT_ACCEPTED", "TokenNotActiveYet"]

_CODE_FLOW: Final = "learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23"
_REFRESH_TOKENS: Final = (
    "learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens, checked 2026-11-23"
)

_INVALID_CLIENT: Final = {ERROR: frozenset[str | int]({"invalid_client"})}
_UNAUTHORIZED: Final[frozenset[str | int]] = frozenset({401})
_REVOKED: Final[frozenset[str | int]] = frozenset({65601, "REVOKED_ACCESS_TOKEN"})

_ACCESS_OVER: Final = "LinkedIn has ended the bot's access. Connect LinkedIn again to go on."
ACCESS_EXPIRED: Final = "LinkedIn gives access for 60 days, and they are over. Connect LinkedIn again to go on."
ACCESS_WITHDRAWN: Final = (
    "LinkedIn ended the bot's access: it was withdrawn in your LinkedIn settings, or given anew elsewhere. Connect "
    "LinkedIn again to go on."
)
NOT_ACCEPTED: Final = "LinkedIn no longer accepts the bot's access. Connect LinkedIn again to go on."


class TokenNotActiveYet(PlatformUnavailable):
    """A token that was issued moments ago is called revoked; a few seconds later LinkedIn takes it."""


_TOKEN_ENDPOINT_ROWS: Final = (
    ErrorRow(
        name="invalid_client of the app for company pages",
        on=SIGN_IN | REFRESH | CHECK,
        signs=_INVALID_CLIENT,
        given=(FOR_A_PAGE,),
        error=OperatorActionRequired,
        sentence="LinkedIn refused the bot's own app for company pages. An admin needs to check "
        "LINKEDIN_ORGANIZATION_CLIENT_ID and LINKEDIN_ORGANIZATION_CLIENT_SECRET.",
        source=_CODE_FLOW,
    ),
    ErrorRow(
        name="invalid_client",
        on=SIGN_IN | REFRESH | CHECK,
        signs=_INVALID_CLIENT,
        error=OperatorActionRequired,
        sentence="LinkedIn refused the bot's own app. An admin needs to check LINKEDIN_CLIENT_ID and "
        "LINKEDIN_CLIENT_SECRET.",
        source=_CODE_FLOW,
    ),
    # A dead refresh token is an invalid_request, told from a malformed one by its description only.
    ErrorRow(
        name="dead refresh token",
        on=REFRESH,
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
        on=REFRESH,
        signs={ERROR: frozenset({"invalid_grant"})},
        error=ReconnectRequired,
        sentence=_ACCESS_OVER,
        source="nango.dev/blog/linkedin-oauth-refresh-token-invalid-grant, checked 2026-11-23",
    ),
    ErrorRow(
        name="refresh_token_client_mismatch",
        on=REFRESH,
        signs={ERROR: frozenset({"refresh_token_client_mismatch"})},
        error=ReconnectRequired,
        sentence=_ACCESS_OVER,
        source="the app was replaced by a new one: " + SEEN,
    ),
    ErrorRow(
        name="malformed refresh",
        on=REFRESH,
        signs={ERROR: frozenset({"invalid_request", "unsupported_grant_type"})},
        error=OperatorActionRequired,
        sentence="LinkedIn did not understand the bot's request for access. An admin should report this with the log.",
        source=_REFRESH_TOKENS,
    ),
    ErrorRow(
        name="refused code",
        on=SIGN_IN,
        signs={ERROR: frozenset({"invalid_request", "invalid_redirect_uri", "invalid_grant"})},
        error=AuthorizationFailed,
        sentence="LinkedIn refused the sign-in; the link may have expired. Please try again with a new one.",
        source=_CODE_FLOW,
    ),
)

_TOKEN_ROWS: Final = (
    # LinkedIn calls a token revoked that it gave out seconds ago.
    ErrorRow(
        name="65601",
        on=WITH_TOKEN,
        signs={CODE: _REVOKED},
        given=(FRESH,),
        error=TokenNotActiveYet,
        sentence="LinkedIn needs a moment until new access works. Please try again in a minute.",
        source="github.com/jclusso/omniauth-linkedin-openid/issues/6, github.com/tomasvotava/fastapi-sso/issues/196, "
        "checked 2026-11-23",
    ),
    ErrorRow(
        name="RESTRICTED_MEMBER",
        on=WITH_TOKEN,
        signs={CODE: frozenset({"RESTRICTED_MEMBER"})},
        error=MemberActionRequired,
        sentence="LinkedIn has restricted this member's account. Sign in at www.linkedin.com and see what it asks for.",
        source="observed, unattributed, checked 2026-11-25",
    ),
    ErrorRow(
        name="401 while connecting",
        on=CONNECT,
        signs={STATUS: _UNAUTHORIZED},
        given=(ITS_FORMAT,),
        error=AuthorizationFailed,
        sentence="LinkedIn did not accept the sign-in. Please try again.",
        source=ERRORS,
    ),
    # Every 401 of LinkedIn's is about the token, with a code or without one.
    ErrorRow(
        name="401 renewable",
        on=AS_ACCOUNT,
        signs={STATUS: _UNAUTHORIZED},
        given=(
            ITS_FORMAT,
            RENEWABLE,
        ),
        error=TokenExpired,
        sentence="LinkedIn refused the access token.",
        source=ERRORS,
    ),
    ErrorRow(
        name="65602",
        on=AS_ACCOUNT,
        signs={CODE: frozenset({65602, "EXPIRED_ACCESS_TOKEN"})},
        error=ReconnectRequired,
        sentence=ACCESS_EXPIRED,
        source=ERRORS,
    ),
    ErrorRow(
        name="65601",
        on=AS_ACCOUNT,
        signs={CODE: _REVOKED},
        error=ReconnectRequired,
        sentence=ACCESS_WITHDRAWN,
        source=ERRORS,
    ),
    ErrorRow(
        name="65600",
        on=AS_ACCOUNT,
        signs={CODE: frozenset({65600, "INVALID_ACCESS_TOKEN", "EMPTY_ACCESS_TOKEN"})},
        error=ReconnectRequired,
        sentence=NOT_ACCEPTED,
        source=ERRORS,
    ),
    ErrorRow(
        name="401",
        on=AS_ACCOUNT,
        signs={STATUS: _UNAUTHORIZED},
        given=(ITS_FORMAT,),
        error=ReconnectRequired,
        sentence=NOT_ACCEPTED,
        source=ERRORS,
    ),
)

ACCESS_ROWS: Final = (*_TOKEN_ENDPOINT_ROWS, *_TOKEN_ROWS)
