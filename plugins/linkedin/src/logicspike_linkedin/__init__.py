"""LinkedIn for LogicSpike: members post on their own profile, and as the company pages they manage.

Two developer apps stand behind that, for LinkedIn gives company pages only to an app that has no other product: the
first for members, the credential set ``organization`` for company pages. Access lasts 60 days. Only apps that LinkedIn
approved for it get a refresh token; the others' members connect again, which is one click while they're signed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from logicspike.plugin import (
    AccessReport,
    AuthorizationGrant,
    AuthorizationLink,
    AuthorizationRequest,
    Credential,
    CredentialSet,
    Limits,
    LinkCard,
    MediaFile,
    MediaKind,
    MediaRule,
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

from . import company_pages, posts, sign_in, uploads
from .api import MEMBER_SCOPE, PAGE_SCOPE, PAGES
from .little_text import MAX_CHARS
from .post_rules import list_problems, measure_text
from .setup_notes import find_notes

__all__ = [
    "accounts",
    "authorize",
    "check",
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

# Pictures: under 36,152,320 pixels; LinkedIn names no bytes, so this is what people's cameras stay below. Descriptions:
# the API names no length; LinkedIn's own editor stops here. Videos: 75 KB to 500 MB, 3 seconds to 30 minutes.
# learn.microsoft.com/linkedin/marketing/community-management/shares/{images,multiimage-post,videos}-api, checked
# 2026-11-25.
_MEDIA: Final = (
    MediaRule(
        kind=MediaKind.IMAGE,
        content_types=uploads.IMAGE_TYPES,
        max_bytes=20 * 1024 * 1024,
        max_count=20,
        max_alt_text=1000,
    ),
    MediaRule(kind=MediaKind.VIDEO, content_types=uploads.VIDEO_TYPES, max_bytes=500 * 1024 * 1024),
)

_COMPANY_PAGES: Final = CredentialSet(
    name=PAGES,
    title="LinkedIn company pages",
    typed="linkedin-page",
    # rw_organization_admin: to list the pages; r_basicprofile: that app's way to say who signed in.
    scopes=("r_basicprofile", "rw_organization_admin", "r_organization_social", PAGE_SCOPE),
    permissions=(
        "publish posts and comments as the LinkedIn pages you manage",
        "see what those pages published",
        "see your name and which pages you manage",
    ),
)


@hookimpl
def describe() -> Platform:
    """LinkedIn's facts."""
    return Platform(
        name="linkedin",
        title="LinkedIn",
        # Another set of scopes would end every earlier token of the member for this app
        # (learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23).
        scopes=("openid", "profile", MEMBER_SCOPE),
        endpoints={"auth": "https://www.linkedin.com", "api": "https://api.linkedin.com"},
        settings={
            # A version lives for about a year: 202609 until 2027-09-15
            # (learn.microsoft.com/linkedin/marketing/versioning, checked 2026-11-23).
            "version": "202609",
            # Comments go through the older API, which takes them from every app that may post; the versioned one wants
            # a further approval (observed, unattributed, checked 2026-11-25).
            "comments_api": "v2",
        },
        limits=Limits(max_chars=MAX_CHARS, checked_on=date(2026, 11, 25), media=_MEDIA, max_parts=2),
        permissions=("publish posts and comments on your LinkedIn profile", "see your name and picture"),
        uses_pkce=False,
        cancel_errors=("user_cancelled_login", "user_cancelled_authorize", "access_denied"),
        # learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23
        callback_errors={
            "unauthorized_scope_error": "LinkedIn says that the bot's app there may not ask for these permissions. "
            "An admin needs to add the app's products at LinkedIn, as the README of the LinkedIn plugin tells, and to "
            "wait until LinkedIn has approved them.",
        },
        credential_sets=(_COMPANY_PAGES,),
        wants_link_card=True,
    )


@hookimpl
def validate(post: Post) -> Sequence[Problem]:
    """List what LinkedIn would refuse: an empty or too long text, a photo beside a video, a video too small."""
    return list_problems(post)


@hookimpl
def measure(post: Post) -> TextLength:
    """Count the text as LinkedIn does."""
    return measure_text(post)


@hookimpl
def inspect(
    client: OAuthClient, credential_set: str, settings: Mapping[str, str], now: datetime
) -> Sequence[SetupNote]:
    """Look at the app's id, at the version of the API and at where comments go."""
    return find_notes(client, credential_set, settings, now)


@hookimpl
async def authorize(ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
    """Build the link to LinkedIn's consent page."""
    return oauth2.authorization_link(f"{ctx.endpoints['auth']}/oauth/v2/authorization", ctx.client, request)


@hookimpl
async def exchange(ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
    """Trade the code for tokens and read whose they are."""
    return await sign_in.connect(ctx, grant)


@hookimpl
async def accounts(ctx: PlatformContext, credential: Credential) -> Sequence[Credential]:
    """List the company pages, or the member alone, by the app that the member signed in to."""
    return await company_pages.list_pages(ctx, credential) if ctx.credential_set == PAGES else (credential,)


@hookimpl
async def refresh(ctx: PlatformContext, credential: Credential) -> TokenSet:
    """Renew the access where LinkedIn gave a refresh token."""
    return await sign_in.renew(ctx, credential.tokens)


@hookimpl
async def revoke(ctx: PlatformContext, credential: Credential, is_last: bool) -> None:
    """Ask LinkedIn to end the access, at best effort, unless further pages or workspaces stand on the same grant."""
    if is_last:
        await sign_in.withdraw(ctx, credential.tokens)


@hookimpl
async def check(ctx: PlatformContext, credential: Credential) -> AccessReport:
    """Ask LinkedIn whether the access stands, for what, and until when."""
    return await sign_in.check_access(ctx, credential)


@hookimpl
async def prepare(
    ctx: PlatformContext, credential: Credential, post: Post, files: Sequence[MediaFile], card: LinkCard | None
) -> Prepared:
    """Upload pictures, the video, or the picture of the link's card, and wait until LinkedIn can use them."""
    return await uploads.prepare(ctx, credential, post, files, card)


@hookimpl
async def publish(ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None) -> PublishedPost:
    """Publish on the profile or page; a second part becomes the first comment."""
    if post.reply is not None:
        return await posts.comment(ctx, credential, post, post.reply)
    return await posts.create_post(ctx, credential, post, prepared)


@hookimpl
async def find_published(
    ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None
) -> PublishedPost | None:
    """Look among what a company page published; members' posts may not be read."""
    if post.reply is not None:
        return await posts.find_comment(ctx, credential, post, post.reply)
    return await posts.find_post(ctx, credential, post, prepared)
