"""X (formerly Twitter) for LogicSpike: members connect their account by OAuth 2.0 with PKCE and publish posts.

Access lasts two hours and is renewed with a refresh token that X lets us use once. Posts are checked against X's own
way of counting characters before they are scheduled. Pictures and videos are uploaded ahead of time. The parts of a
thread reply to each other. A post whose answer got lost is looked up in the account's own timeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from logicspike.plugin import (
    AuthorizationGrant,
    AuthorizationLink,
    AuthorizationRequest,
    Credential,
    Limits,
    MediaFile,
    OAuthClient,
    Platform,
    PlatformContext,
    Post,
    Prepared,
    Problem,
    PublishedPost,
    SetupNote,
    TextLength,
    TokenSet,
    hookimpl,
    oauth2,
)

from . import api, posts, uploads
from .media_rules import MEDIA_RULES
from .post_rules import find_problems
from .refusals import SCOPES
from .setup_notes import find_notes
from .weighted_length import MAX_WEIGHT, weighted_length

__all__ = [
    "authorize",
    "describe",
    "exchange",
    "find_published",
    "inspect",
    "measure",
    "prepare",
    "publish",
    "refresh",
    "revoke",
    "validate",
]

# The API sets no limit to a thread; X's own composer stops at this many posts.
_MAX_PARTS = 25


@hookimpl
def describe() -> Platform:
    """X's facts."""
    return Platform(
        name="twitter",
        title="X",
        aliases=("x",),
        scopes=SCOPES,
        endpoints={"auth": "https://x.com", "api": "https://api.x.com"},
        limits=Limits(max_chars=MAX_WEIGHT, checked_on=date(2026, 11, 25), media=MEDIA_RULES, max_parts=_MAX_PARTS),
        permissions=(
            "publish posts, pictures and videos on your X account",
            "see your profile and your posts",
            "stay connected until you disconnect",
        ),
    )


@hookimpl
def validate(post: Post) -> Sequence[Problem]:
    """List what X would refuse: its own count of characters, forbidden ones, several cashtags, a mixture of media."""
    return find_problems(post)


@hookimpl
def measure(post: Post) -> TextLength:
    """Weigh the text as X does."""
    return TextLength(length=weighted_length(post.text), limit=MAX_WEIGHT)


@hookimpl
def inspect(client: OAuthClient) -> Sequence[SetupNote]:
    """Look at the app's id."""
    return find_notes(client)


@hookimpl
async def authorize(ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
    """Build the link to X's consent page, which shows the account that is signed in there."""
    link = oauth2.authorization_link(f"{ctx.endpoints['auth']}/i/oauth2/authorize", ctx.client, request)
    # X documents "%20" between scopes, the library writes "+"; a plus sign that is meant is "%2B" by now
    # (docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token, checked 2026-11-23).
    return replace(link, url=link.url.replace("+", "%20"))


@hookimpl
async def exchange(ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
    """Trade the code, which lives 30 seconds, for tokens, and read whose they are."""
    return await api.connect(ctx, grant)


@hookimpl
async def refresh(ctx: PlatformContext, credential: Credential) -> TokenSet:
    """Renew the access; the refresh token is spent by it and a new one comes back."""
    return await api.renew(ctx, credential.tokens)


@hookimpl
async def revoke(ctx: PlatformContext, credential: Credential) -> None:
    """Invalidate both tokens at X."""
    await api.withdraw(ctx, credential.tokens)


@hookimpl
async def prepare(ctx: PlatformContext, credential: Credential, files: Sequence[MediaFile]) -> Prepared:
    """Upload the pictures or the video, and wait until X has processed them."""
    return await uploads.prepare_media(ctx, credential, files)


@hookimpl
async def publish(ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None) -> PublishedPost:
    """Publish on the member's account; links go in the text, X has no field for them."""
    return await posts.create_post(ctx, credential, post, prepared)


@hookimpl
async def find_published(
    ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None
) -> PublishedPost | None:
    """Look for the post in the account's own timeline."""
    return await posts.find_post(ctx, credential, post, prepared)
