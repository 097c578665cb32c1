"""Posts, which Mastodon calls statuses: made once, and found again (docs.joinmastodon.org/methods/statuses)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from logicspike.plugin import (
    Credential,
    OutcomeUnknown,
    PlatformContext,
    Post,
    PostRejected,
    PreparationLost,
    Prepared,
    Problem,
    PublishedPost,
    oauth2,
)

from .refusals import raise_for_access, to_unavailable
from .uploading import are_all_there, list_media_ids

__all__ = ["CLIENT_NAME", "create", "find"]

CLIENT_NAME: Final = "LogicSpike"
"""What the app is registered as at each server."""
_LOOK_BACK: Final = 40  # as many as one call gives


async def create(ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None) -> PublishedPost:
    """Publish with one call; for an hour the server makes one post of two calls with the same key."""
    media_ids = list_media_ids(prepared)
    body: dict[str, object] = {"status": post.text}
    if media_ids:
        body["media_ids"] = media_ids
    if post.reply is not None:
        body["in_reply_to_id"] = post.reply.previous_id
    url, headers = f"{ctx.endpoints['server']}/api/v1/statuses", {"Idempotency-Key": post.key}
    reply = await oauth2.call(ctx, "POST", url, tokens=credential.tokens, json=body, headers=headers, creates=True)
    if reply.ok and (made := _to_published(reply.object)) is not None:
        return made
    raise_for_access(ctx, reply)
    match reply.status:
        case 404:
            raise PostRejected(Problem(message="The post that this one replies to is gone from your Mastodon server."))
        case 422 if media_ids and not await are_all_there(ctx, credential, media_ids):
            raise PreparationLost("Your Mastodon server has forgotten the uploaded files.")
        case 400 | 413 | 422:
            raise PostRejected(Problem(message="Your Mastodon server won't take this post: it may be too long for it."))
    raise OutcomeUnknown(f"Your Mastodon server answered with status {reply.status}; the post may be live.")


async def find(
    ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None
) -> PublishedPost | None:
    """Look for a post of ours among the account's latest: same place in a thread, same media, same text."""
    account_id = credential.account.id.partition("@")[0]
    url = f"{ctx.endpoints['server']}/api/v1/accounts/{quote(account_id)}/statuses"
    params = {"limit": str(_LOOK_BACK), "exclude_reblogs": "true"}
    reply = await oauth2.call(ctx, "GET", url, tokens=credential.tokens, params=params)
    if not reply.ok or not isinstance(reply.body, list):
        raise_for_access(ctx, reply)
        raise to_unavailable(reply)
    reply_to = post.reply.previous_id if post.reply else None
    media_ids = list_media_ids(prepared)
    for status in reply.body:
        if _is_alike(status, reply_to, media_ids) and await _read_text(ctx, credential, status["id"]) == post.text:
            return _to_published(status)
    return None


def _is_alike(status: Mapping[str, Any], reply_to: str | None, media_ids: Sequence[str]) -> bool:
    by = status.get("application") or {}
    attached = [each.get("id") for each in status.get("media_attachments", ())]
    is_same_place = status.get("in_reply_to_id") == reply_to
    return is_same_place and by.get("name") == CLIENT_NAME and sorted(attached) == sorted(media_ids)


async def _read_text(ctx: PlatformContext, credential: Credential, status_id: str) -> str | None:
    """The text as it was written; what the list has is HTML, in which mentions are shortened."""
    url = f"{ctx.endpoints['server']}/api/v1/statuses/{quote(status_id)}/source"
    reply = await oauth2.call(ctx, "GET", url, tokens=credential.tokens)
    if reply.status == 404:  # deleted meanwhile
        return None
    text = reply.object.get("text")
    if not reply.ok or not isinstance(text, str):
        raise_for_access(ctx, reply)
        raise to_unavailable(reply)
    return text


def _to_published(status: Mapping[str, Any]) -> PublishedPost | None:
    status_id, url = status.get("id"), status.get("url")
    if not isinstance(status_id, str) or not status_id:
        return None
    return PublishedPost(id=status_id, url=url if isinstance(url, str) and url else None)
