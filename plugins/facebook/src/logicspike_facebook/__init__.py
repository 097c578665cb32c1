"""Facebook for LogicSpike: members connect the Pages they may post on, and publish text, with or without a link.

A member signs in once; the bot keeps the access of the Page that was chosen, which has no end of its own. It dies with
a new password, a lost role or a withdrawn permission, and only the member can bring it back. A post whose answer got
lost is looked up among the Page's own posts.

There is no ``revoke`` on purpose: at Facebook it removes the whole app for that person, with every Page in every
workspace, and a hook can't know whether this was the last one. See the README.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

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

from . import api, sign_in
from .graph import to_url
from .setup_notes import find_notes

__all__ = [
    "accounts",
    "authorize",
    "describe",
    "exchange",
    "find_published",
    "inspect",
    "publish",
    "refresh",
    "validate",
]

# Facebook doesn't document it; github.com/gitroomhq/postiz-app, facebook.provider.ts, and vendors agree,
# checked 2026-11-23.
_MAX_CHARS: Final = 63_206


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
        limits=Limits(max_chars=_MAX_CHARS, checked_on=date(2026, 11, 23)),
        permissions=("publish posts on Pages you choose", "see the list of your Pages"),
        # Facebook knows PKCE in its OpenID Connect flow only (developers.facebook.com/documentation/facebook-login/
        # guides/advanced/oidc-token, checked 2026-11-23).
        uses_pkce=False,
    )


@hookimpl
def validate(post: Post) -> Sequence[Problem]:
    """List what Facebook would refuse: an empty text, or one that is too long."""
    if not post.text.strip():
        return (Problem(message="Facebook needs a text to publish; write one."),)
    if len(post.text) > _MAX_CHARS:
        return (Problem(message=f"Facebook allows {_MAX_CHARS:,} characters; this is {len(post.text):,}."),)
    return ()


@hookimpl
def inspect(client: OAuthClient, settings: Mapping[str, str], now: datetime) -> Sequence[SetupNote]:
    """Look at the app's id and secret and at the version of the Graph API."""
    return find_notes(client, settings, now)


@hookimpl
async def authorize(ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
    """Build the link to Facebook's dialog, which lets the member choose Pages."""
    url = to_url(ctx, "dialog/oauth", endpoint="dialog")
    if config_id := ctx.settings["config_id"]:
        # With Facebook Login for Business the configuration says what is asked for (developers.facebook.com/
        # documentation/facebook-login/facebook-login-for-business, checked 2026-11-23).
        return oauth2.authorization_link(url, ctx.client, replace(request, scopes=()), config_id=config_id)
    # Without "rerequest", what a person once declined is never asked for again (developers.facebook.com/
    # documentation/facebook-login/guides/advanced/manual-flow, checked 2026-11-23).
    return oauth2.authorization_link(url, ctx.client, request, scope_separator=",", auth_type="rerequest")


@hookimpl
async def exchange(ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
    """Trade the code for a token of 60 days and read whose it is."""
    return await sign_in.connect(ctx, grant)


@hookimpl
async def accounts(ctx: PlatformContext, credential: Credential) -> Sequence[Credential]:
    """List the Pages the person may publish on."""
    return await sign_in.list_pages(ctx, credential)


@hookimpl
async def refresh(ctx: PlatformContext, credential: Credential) -> TokenSet:
    """Read the Page's token anew, while the member's own is alive."""
    return await api.renew(ctx, credential)


@hookimpl
async def publish(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost:
    """Publish on the Page."""
    return await api.create_post(ctx, credential, post)


@hookimpl
async def find_published(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost | None:
    """Look for the post among the Page's own."""
    return await api.find_post(ctx, credential, post)
