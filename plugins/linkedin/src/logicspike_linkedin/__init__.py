"""LinkedIn for LogicSpike: members connect their own profile and publish text, with or without a link.

Access lasts 60 days. Only apps that LinkedIn approved for it get a refresh token; the others' members connect again,
which is one click while they're signed in at LinkedIn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from logicspike.plugin import (
    AuthorizationGrant,
    AuthorizationLink,
    AuthorizationRequest,
    Credential,
    Limits,
    OAuthClient,
    Platform,
    PlatformContext,
    Post,
    Problem,
    PublishedPost,
    SetupNote,
    TokenSet,
    hookimpl,
    oauth2,
)

from . import api
from .little_text import MAX_CHARS, count_characters
from .setup_notes import find_notes

__all__ = ["authorize", "describe", "exchange", "inspect", "publish", "refresh", "revoke", "validate"]


@hookimpl
def describe() -> Platform:
    """LinkedIn's facts."""
    return Platform(
        name="linkedin",
        title="LinkedIn",
        # Another set of scopes would end every earlier token of the member for this app
        # (learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23).
        scopes=("openid", "profile", api.POSTING_SCOPE),
        endpoints={"auth": "https://www.linkedin.com", "api": "https://api.linkedin.com"},
        # A version lives for about a year: 202609 until 2027-09-15
        # (learn.microsoft.com/linkedin/marketing/versioning, checked 2026-11-23).
        settings={"version": "202609"},
        limits=Limits(max_chars=MAX_CHARS, checked_on=date(2026, 11, 23)),
        permissions=("publish posts on your LinkedIn profile", "see your name and picture"),
        uses_pkce=False,
        cancel_errors=("user_cancelled_login", "user_cancelled_authorize", "access_denied"),
    )


@hookimpl
def validate(post: Post) -> Sequence[Problem]:
    """List what LinkedIn would refuse: an empty text, or one that is too long."""
    if not post.text.strip():
        return (Problem(message="LinkedIn needs a text to publish; write one."),)
    count = count_characters(post.text)
    if count <= MAX_CHARS:
        return ()
    hint = " (an emoji counts as two or more)" if count != len(post.text) else ""
    return (Problem(message=f"LinkedIn allows {MAX_CHARS:,} characters; this is {count:,}{hint}."),)


@hookimpl
def inspect(
    client: OAuthClient, credential_set: str, settings: Mapping[str, str], now: datetime
) -> Sequence[SetupNote]:
    """Look at the app's id and at the version of the API."""
    return find_notes(client, credential_set, settings, now)


@hookimpl
async def authorize(ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
    """Build the link to LinkedIn's consent page."""
    return oauth2.authorization_link(f"{ctx.endpoints['auth']}/oauth/v2/authorization", ctx.client, request)


@hookimpl
async def exchange(ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
    """Trade the code for tokens and read whose they are."""
    return await api.connect(ctx, grant)


@hookimpl
async def refresh(ctx: PlatformContext, credential: Credential) -> TokenSet:
    """Renew the access where LinkedIn gave a refresh token."""
    return await api.renew(ctx, credential.tokens)


@hookimpl
async def revoke(ctx: PlatformContext, credential: Credential) -> None:
    """Ask LinkedIn to end the access, at best effort."""
    await api.withdraw(ctx, credential.tokens)


@hookimpl
async def publish(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost:
    """Publish on the member's profile."""
    return await api.create_post(ctx, credential, post)
