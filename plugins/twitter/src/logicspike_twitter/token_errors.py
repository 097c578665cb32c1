"""What X's token endpoint refuses with: the first part of its error table."""

from __future__ import annotations

from typing import Final

from logicspike.plugin import AuthorizationFailed, ErrorRow, OperatorActionRequired, ReconnectRequired

from .refusals import DESCRIPTION, ERROR
from .row_parts import FOR_TOKENS, REFRESH, SEEN, SIGN_IN

__all__ = ["TOKEN_ROWS"]

_CLIENT_REFUSED: Final = (
    "X refused this bot's client id or secret. An admin must check TWITTER_CLIENT_ID and TWITTER_CLIENT_SECRET, "
    "and that the app is a confidential client (“Web App, Automated App or Bot”) at console.x.com."
)
_BUG: Final = "X did not understand the bot's request for access. An admin should report this with the log."
_ACCESS_OVER: Final = "X has ended the bot's access to this account. Connect X again."
_CODE_REFUSED: Final = "X refused the sign-in code; it is good for 30 seconds only. Please press Connect again."

TOKEN_ROWS: Final = (
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
