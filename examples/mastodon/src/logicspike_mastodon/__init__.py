"""Mastodon for LogicSpike: each member's own server, at which the bot registers itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from yarl import URL

from logicspike.plugin import (
    AccessReport,
    Account,
    AuthorizationFailed,
    AuthorizationGrant,
    AuthorizationLink,
    AuthorizationRequest,
    Credential,
    Limits,
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
    ReconnectRequired,
    TextLength,
    TokenSet,
    hookimpl,
    oauth2,
)

from . import statuses, uploading
from .counting import MAX_CHARS, count_characters
from .refusals import ENDED, raise_for_access, to_unavailable

# app/models/media_attachment.rb, checked 2026-11: 16 MB for pictures, 99 MB for videos, 1,500 letters of description.
_PICTURE: Final = 16 * 1024 * 1024
_VIDEO: Final = 99 * 1024 * 1024
_DESCRIPTION: Final = 1500
_LONGEST_THREAD: Final = 25  # ours: Mastodon has no limit


@hookimpl
def describe() -> Platform:
    """State Mastodon's facts."""
    pictures = ("image/jpeg", "image/png", "image/webp")
    videos = ("video/mp4", "video/quicktime", "video/webm")
    return Platform(
        name="mastodon",
        title="Mastodon",
        scopes=("read:accounts", "read:statuses", "write:media", "write:statuses"),
        permissions=("see your name, your picture and your posts", "publish posts and media for you"),
        endpoints={"server": "https://mastodon.social"},
        authorize_endpoint="server",
        chosen_endpoint="server",
        needs_client=False,
        limits=Limits(
            max_chars=MAX_CHARS,
            checked_on=date(2026, 11, 25),
            max_parts=_LONGEST_THREAD,
            media=(
                _rule(MediaKind.IMAGE, pictures, _PICTURE, max_count=4),
                _rule(MediaKind.GIF, ("image/gif",), _PICTURE, max_count=1),
                _rule(MediaKind.VIDEO, videos, _VIDEO, max_count=1),
            ),
        ),
    )


def _rule(kind: MediaKind, content_types: tuple[str, ...], max_bytes: int, *, max_count: int) -> MediaRule:
    return MediaRule(
        kind=kind, content_types=content_types, max_bytes=max_bytes, max_count=max_count, max_alt_text=_DESCRIPTION
    )


@hookimpl
def measure(post: Post) -> TextLength:
    """Count as Mastodon does."""
    return TextLength(length=count_characters(post.text), limit=MAX_CHARS)


@hookimpl
def validate(post: Post) -> Sequence[Problem]:
    """Check the length."""
    length = count_characters(post.text)
    if length <= MAX_CHARS:
        return ()
    return (Problem(message=f"Mastodon allows {MAX_CHARS} characters, each link counting as 23; this is {length}."),)


@hookimpl
async def authorize(ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
    """Register an app at the member's server, and send them to its consent page."""
    body = {
        "client_name": statuses.CLIENT_NAME,
        "redirect_uris": request.redirect_uri,
        "scopes": " ".join(request.scopes),
    }
    reply = await oauth2.call(ctx, "POST", f"{ctx.endpoints['server']}/api/v1/apps", json=body)
    client = _read_client(reply.object)
    if not reply.ok or client is None:
        if reply.status >= 500 or reply.status == 429:
            raise to_unavailable(reply)
        raise AuthorizationFailed("That server isn't Mastodon's, or lets no apps sign people in.")
    link = oauth2.authorization_link(f"{ctx.endpoints['server']}/oauth/authorize", client, request)
    return replace(link, carry={"client_id": client.client_id, "client_secret": client.client_secret})


@hookimpl
async def exchange(ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
    """Trade the code as the app that was registered, and ask who it is."""
    server = ctx.endpoints["server"]
    tokens = await oauth2.fetch_tokens(_as_registered(ctx, grant.carry), f"{server}/oauth/token", grant)
    me = await oauth2.get_json(ctx, f"{server}/api/v1/accounts/verify_credentials", tokens)
    handle, host = f"@{me['username']}", URL(server).authority
    account = Account(
        id=f"{me['id']}@{host}",
        name=me["display_name"] or handle,
        url=me["url"],
        handle=f"{handle}@{host}",
        picture=me["avatar"],
    )
    return Credential(account=account, tokens=tokens, extra=grant.carry)


@hookimpl
async def refresh() -> TokenSet:
    """Say that only the member can help: access has no end, and nothing renews it once it was withdrawn."""
    raise ReconnectRequired(ENDED)


@hookimpl
async def revoke(ctx: PlatformContext, credential: Credential) -> None:
    """Withdraw the token; each connection has one of its own."""
    url, token = f"{ctx.endpoints['server']}/oauth/revoke", credential.tokens.access_token
    await oauth2.revoke_token(_as_registered(ctx, credential.extra), url, token, hint="access_token")


@hookimpl
async def check(ctx: PlatformContext, credential: Credential) -> AccessReport:
    """Ask whether the token is still good; its permissions never change."""
    url = f"{ctx.endpoints['server']}/api/v1/accounts/verify_credentials"
    reply = await oauth2.call(ctx, "GET", url, tokens=credential.tokens)
    if not reply.ok or not reply.object:
        raise_for_access(ctx, reply)
        raise to_unavailable(reply)
    return AccessReport(scopes=credential.tokens.scopes)


@hookimpl
async def prepare(ctx: PlatformContext, credential: Credential, files: Sequence[MediaFile]) -> Prepared:
    """Upload the media and wait until they are processed."""
    return await uploading.upload_all(ctx, credential, files)


@hookimpl
async def publish(ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None) -> PublishedPost:
    """Publish once."""
    return await statuses.create(ctx, credential, post, prepared)


@hookimpl
async def find_published(
    ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None
) -> PublishedPost | None:
    """Look for the post among the account's latest."""
    return await statuses.find(ctx, credential, post, prepared)


def _read_client(answer: Mapping[str, object]) -> OAuthClient | None:
    client_id, client_secret = answer.get("client_id"), answer.get("client_secret")
    if not isinstance(client_id, str) or not isinstance(client_secret, str):
        return None
    return OAuthClient(client_id=client_id, client_secret=client_secret)


def _as_registered(ctx: PlatformContext, kept: Mapping[str, str]) -> PlatformContext:
    """The context with the app that was registered at this server; the operator has none."""
    client = OAuthClient(client_id=kept["client_id"], client_secret=kept["client_secret"])
    return replace(ctx, client=client)
