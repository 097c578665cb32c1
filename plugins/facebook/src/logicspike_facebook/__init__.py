"""Facebook for LogicSpike: members connect the Pages they may post on, and publish text, links, photos and videos.

A member signs in once; the bot keeps the access of the Page that was chosen, which has no end of its own. It dies with
a new password, a lost role or a withdrawn permission, and only the member can bring it back. A post whose answer got
lost is looked up among the Page's own posts.

Withdrawing access at Facebook removes the whole app for that person, with every Page in every workspace; so it is done
with a person's last connection only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from logicspike.plugin import (
    AccessReport,
    AuthorizationGrant,
    AuthorizationLink,
    AuthorizationRequest,
    Credential,
    MediaFile,
    OAuthClient,
    Platform,
    PlatformContext,
    PlatformEvent,
    PlatformEventOutcome,
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

from . import access, callbacks, looking_up, pages, post_rules, publishing, sign_in, uploading
from .graph import to_url
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
    "receive",
    "refresh",
    "revoke",
    "validate",
]


@hookimpl
def describe() -> Platform:
    """Facebook's facts."""
    return Platform(
        name="facebook",
        title="Facebook",
        scopes=sign_in.SCOPES,
        endpoints={"dialog": "https://www.facebook.com", "graph": "https://graph.facebook.com"},
        authorize_endpoint="dialog",
        # v26.0 came on 2026-07-29 and lives for about two years
        # (developers.facebook.com/docs/graph-api/changelog/versions, checked 2026-11-23).
        settings={"graph_version": "v26.0", "config_id": ""},
        limits=post_rules.LIMITS,
        permissions=(
            "publish posts on Pages you choose, and comment below them as the Page",
            "see the list of your Pages and business portfolios",
        ),
        events=callbacks.EVENTS,
        # Facebook knows PKCE in its OpenID Connect flow only (developers.facebook.com/documentation/facebook-login/
        # guides/advanced/oidc-token, checked 2026-11-23).
        uses_pkce=False,
    )


@hookimpl
def validate(post: Post) -> Sequence[Problem]:
    """List what Facebook would refuse."""
    return post_rules.find_problems(post)


@hookimpl
def measure(post: Post) -> TextLength:
    """Count the characters; a comment may have fewer than a post."""
    return post_rules.measure(post)


@hookimpl
def inspect(client: OAuthClient, settings: Mapping[str, str], now: datetime) -> Sequence[SetupNote]:
    """Look at the app's id and secret and at the version of the Graph API."""
    return find_notes(client, settings, now)


@hookimpl
async def authorize(ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
    """Build the link to Facebook's dialog, which lets the member choose Pages."""
    url = to_url(ctx, "dialog/oauth", endpoint="dialog")
    # Without "rerequest", what a person once declined is never asked for again (developers.facebook.com/
    # documentation/facebook-login/guides/advanced/manual-flow, checked 2026-11-23).
    rerequest = {"auth_type": "rerequest"}
    if config_id := ctx.settings["config_id"]:
        # With Facebook Login for Business the configuration says what is asked for, all or nothing
        # (developers.facebook.com/documentation/facebook-login/facebook-login-for-business, checked 2026-11-23).
        again = rerequest if request.is_rerequest else {}
        return oauth2.authorization_link(url, ctx.client, replace(request, scopes=()), config_id=config_id, **again)
    # Always: who declined something must not be let through the dialog again without the question.
    return oauth2.authorization_link(url, ctx.client, request, scope_separator=",", **rerequest)


@hookimpl
async def exchange(ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
    """Trade the code for a token of 60 days and read whose it is."""
    return await sign_in.connect(ctx, grant)


@hookimpl
async def accounts(ctx: PlatformContext, credential: Credential) -> Sequence[Credential]:
    """List the Pages the person may publish on."""
    return await pages.list_pages(ctx, credential)


@hookimpl
async def refresh(ctx: PlatformContext, credential: Credential) -> TokenSet:
    """Read the Page's token anew, while the member's own is alive."""
    return await access.renew(ctx, credential)


@hookimpl
async def check(ctx: PlatformContext, credential: Credential) -> AccessReport:
    """Ask Facebook whether the Page's token works, and what it may."""
    return await access.check(ctx, credential)


@hookimpl
async def revoke(ctx: PlatformContext, credential: Credential, is_last: bool) -> None:
    """Remove the app from the person's account, with their last connection; else leave the others theirs."""
    if is_last:
        await access.withdraw(ctx, credential)


@hookimpl
async def receive(ctx: PlatformContext, event: PlatformEvent) -> PlatformEventOutcome:
    """Take Facebook's word that a person removed the app, or wants their data deleted."""
    return callbacks.read_event(ctx, event)


@hookimpl
async def prepare(ctx: PlatformContext, credential: Credential, files: Sequence[MediaFile]) -> Prepared:
    """Upload photos and videos, unpublished."""
    return await uploading.prepare(ctx, credential, files)


@hookimpl
async def publish(ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None) -> PublishedPost:
    """Publish on the Page, or below a post of it."""
    return await publishing.publish(ctx, credential, post, prepared)


@hookimpl
async def find_published(
    ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None
) -> PublishedPost | None:
    """Look for the post among the Page's own, or for the comment below its post."""
    return await looking_up.find_published(ctx, credential, post, prepared)
