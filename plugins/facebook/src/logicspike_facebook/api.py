"""Facebook's calls for a connected Page: publish, find what was published, read the Page's token anew."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from logicspike.plugin import (
    Credential,
    Operation,
    OutcomeUnknown,
    PlatformContext,
    Post,
    PublishedPost,
    ReconnectRequired,
    TokenSet,
)

from .errors import error_of
from .graph import ListingRefused, get, list_edge, post_form
from .sign_in import USER_EXPIRES_AT, USER_TOKEN

__all__ = ["create_post", "find_post", "renew"]

# How far back a lost post is looked for: longer than an outage of ours should last, shorter than a day, so that
# yesterday's identical post is not taken for today's.
_LOOK_BACK: Final = timedelta(hours=20)


async def create_post(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost:
    """Publish on the Page, with one request; Facebook makes the card of a link by itself.

    Raises:
        PlatformError: by the table in ``errors``; ``OutcomeUnknown`` where the post may be live.
    """
    # developers.facebook.com/documentation/pages-api/posts, checked 2026-11-23
    form = {"message": post.text, "fields": "id,permalink_url"}
    if post.link is not None:
        form["link"] = post.link
    reply = await post_form(ctx, f"{credential.account.id}/feed", credential.tokens, form)
    post_id = reply.object.get("id") if reply.ok else None
    if not isinstance(post_id, str) or not post_id:
        can_renew = _is_user_token_alive(credential, ctx.now)
        raise error_of(ctx, reply, Operation.PUBLISH, needs="pages_manage_posts", can_renew=can_renew)
    return _to_published(ctx, post_id, reply.object)


async def find_post(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost | None:
    """Look for a post among what the Page published in the last 20 hours; the newest one with this text.

    Raises:
        OutcomeUnknown: the Page published more in that time than is read here, so nothing can be said.
        PlatformError: what else keeps us from reading; see the table in ``errors``.
    """
    since = ctx.now - _LOOK_BACK
    # developers.facebook.com/docs/graph-api/reference/page/published_posts, checked 2026-11-23: the Page's own posts
    # without those of its visitors, who are not ours to read.
    params = {
        "fields": "id,message,created_time,permalink_url",
        "since": str(int(since.timestamp())),
        "limit": "100",
    }
    try:
        listing = await list_edge(ctx, f"{credential.account.id}/published_posts", credential.tokens, params)
    except ListingRefused as refusal:
        can_renew = _is_user_token_alive(credential, ctx.now)
        needs = "pages_read_engagement"
        raise error_of(ctx, refusal.reply, Operation.LOOK_UP, needs=needs, can_renew=can_renew) from None
    for entry in listing.entries:
        if _is_same_text(entry.get("message"), post.text) and _is_since(entry, since) and _has_id(entry):
            return _to_published(ctx, entry["id"], entry)
    if not listing.is_complete and all(_is_since(oldest, since) for oldest in listing.entries[-1:]):
        raise OutcomeUnknown("This Page published so much lately that the bot can't find the post. Look at the Page.")
    return None


async def renew(ctx: PlatformContext, credential: Credential) -> TokenSet:
    """Read the Page's token anew, by the member's own token.

    A Page's token has no end of its own, so this is only for one that Facebook refused nevertheless. The member's own
    token lasts 60 days from the consent and is left as it is: it could be exchanged, but only a new consent brings
    back what a withdrawn permission, a new password or a lost role took.

    Raises:
        ReconnectRequired: the member's own token is over, or doesn't open this Page any more.
        MemberActionRequired: Facebook first wants something from the member.
        OperatorActionRequired: our app is refused.
        PlatformUnavailable: no usable answer.
        RateLimited: asked to wait.
    """
    if not _is_user_token_alive(credential, ctx.now):
        raise ReconnectRequired("The bot's access to Facebook has expired. Connect Facebook again to go on.")
    user = TokenSet(access_token=credential.extra[USER_TOKEN])
    reply = await get(ctx, credential.account.id, user, {"fields": "access_token"})
    if not reply.ok or not reply.object:
        raise error_of(ctx, reply, Operation.REFRESH, needs="pages_show_list")
    token = reply.object.get("access_token")
    if not isinstance(token, str) or not token:
        raise ReconnectRequired(
            "Facebook gives the bot no access to this Page any more. Connect Facebook again, with the Page ticked."
        )
    return TokenSet(access_token=token, scopes=credential.tokens.scopes)


def _is_user_token_alive(credential: Credential, now: datetime) -> bool:
    if USER_TOKEN not in credential.extra:
        return False
    ends_at = credential.extra.get(USER_EXPIRES_AT)
    return ends_at is None or datetime.fromisoformat(ends_at) > now


def _to_published(ctx: PlatformContext, post_id: str, answer: Mapping[str, Any]) -> PublishedPost:
    address = answer.get("permalink_url")
    if not isinstance(address, str) or urlsplit(address).scheme not in {"https", "http"}:
        # Opens the same post (github.com/inovector/mixpost, src/SocialProviders/Meta, checked 2026-11-23).
        address = f"{ctx.endpoints['dialog']}/{post_id}"
    return PublishedPost(id=post_id, url=address)


def _is_same_text(read: object, text: str) -> bool:
    return isinstance(read, str) and _comparable(read) == _comparable(text)


def _comparable(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _has_id(entry: Mapping[str, Any]) -> bool:
    return isinstance(entry.get("id"), str) and bool(entry["id"])


def _is_since(entry: Mapping[str, Any], since: datetime) -> bool:
    try:
        return datetime.fromisoformat(str(entry.get("created_time"))) >= since.replace(microsecond=0)
    except (ValueError, TypeError):
        # Facebook was asked for these posts only; without a readable time that has to do.
        return True
