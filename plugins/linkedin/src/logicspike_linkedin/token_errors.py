"""What the refusals of LinkedIn's token endpoint mean, and how they are worded for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from logicspike.plugin import (
    AuthorizationFailed,
    OperatorActionRequired,
    PlatformError,
    PlatformUnavailable,
    RateLimited,
    ReconnectRequired,
    oauth2,
)

__all__ = ["is_dead_grant", "naming_linkedin"]

# learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens, checked 2026-11-23: a dead refresh
# token is an invalid_request, told from a malformed one by this description only.
_DEAD_REFRESH_TOKEN: Final = "The provided authorization grant or refresh token is invalid, expired or revoked"  # noqa: S105 - a sentence
# invalid_grant: nango.dev/blog/linkedin-oauth-refresh-token-invalid-grant, checked 2026-11-23. The other: the app was
# replaced by a new one (observed, unattributed, 2026-11-23).
_DEAD_GRANT_ERRORS: Final = frozenset({"invalid_grant", "refresh_token_client_mismatch"})

_TOKEN_SENTENCES: Final[dict[type[PlatformError], str]] = {
    AuthorizationFailed: "LinkedIn refused the sign-in; the link may have expired. Please try again with a new one.",
    ReconnectRequired: "LinkedIn has ended the bot's access. Connect LinkedIn again to go on.",
    OperatorActionRequired: "LinkedIn refused the bot's own app. An admin needs to check LINKEDIN_CLIENT_ID and "
    "LINKEDIN_CLIENT_SECRET.",
    PlatformUnavailable: "LinkedIn can't be reached or is having trouble. Please try again in a few minutes.",
}


def is_dead_grant(error: oauth2.OAuthError) -> bool:
    """Whether a refused refresh means that only the member can help."""
    is_described = error.error == "invalid_request" and error.description.strip().rstrip(".") == _DEAD_REFRESH_TOKEN
    return is_described or error.error in _DEAD_GRANT_ERRORS


@contextmanager
def naming_linkedin() -> Iterator[None]:
    """Word the token endpoint's errors for people, keeping their class and, as the cause, what was said first."""
    try:
        yield
    except RateLimited as error:
        raise RateLimited("LinkedIn asks us to slow down.", until=error.until) from error
    except tuple(_TOKEN_SENTENCES) as error:
        raise type(error)(_TOKEN_SENTENCES[type(error)]) from error
