"""Finding what was published when the answer got lost: by the uploads where it had any, else by its text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from logicspike.plugin import (
    Credential,
    Operation,
    OutcomeUnknown,
    PlatformContext,
    PlatformError,
    Post,
    Prepared,
    PublishedPost,
    ReconnectRequired,
    oauth2,
)

from .access import is_user_token_alive
from .errors import error_of, is_about_an_object
from .graph import Listing, ListingRefused, get, list_edge
from .published import to_published
from .sign_in import READ
from .uploading import read_photos, read_video

__all__ = ["find_published"]

# How far back a lost post is looked for: longer than an outage of ours should last, shorter than a day, so that
# yesterday's identical post is not taken for today's.
_LOOK_BACK: Final = timedelta(hours=20)
_FIELDS: Final = "id,message,created_time,permalink_url"
_WITH_MEDIA: Final = f"{_FIELDS},attachments{{media_type,target,subattachments}}"

_Entry = Mapping[str, Any]


async def find_published(
    ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None
) -> PublishedPost | None:
    """Look for a post or comment of the last 20 hours; of several with this text the newest one.

    Raises:
        OutcomeUnknown: there is more than is read here, or it can't be told apart, so nothing can be said.
        PlatformError: what else keeps us from reading; see the table in ``errors``.
    """
    if post.reply is not None:
        return await _find_comment(ctx, credential, post, post.reply.root_id)
    if prepared is not None and (video := read_video(prepared)) is not None:
        return await _find_video(ctx, credential, video.video_id)
    photos = frozenset(read_photos(prepared))
    if not photos and not post.text.strip():
        raise OutcomeUnknown("A post without a text can't be told from others. Look at the Page.")
    # developers.facebook.com/docs/graph-api/reference/page/published_posts, checked 2026-11-23: the Page's own posts
    # without those of its visitors, who are not ours to read.
    path, fields = f"{credential.account.id}/published_posts", _WITH_MEDIA if photos else _FIELDS
    try:
        listing = await _list_recent(ctx, credential, path, {"fields": fields})
    except ListingRefused as refusal:
        raise _to_error(ctx, credential, refusal.reply) from None
    return _pick(ctx, listing, lambda entry: _is_it(entry, post, photos))


async def _find_comment(ctx: PlatformContext, credential: Credential, post: Post, root_id: str) -> PublishedPost | None:
    # developers.facebook.com/docs/graph-api/reference/page-post/comments, checked 2026-11-25
    params = {"fields": f"{_FIELDS},from", "filter": "toplevel", "order": "reverse_chronological"}
    try:
        listing = await _list_recent(ctx, credential, f"{root_id}/comments", params)
    except ListingRefused as refusal:
        error = _to_error(ctx, credential, refusal.reply)
        if isinstance(error, ReconnectRequired) and error.missing_scopes:
            # Comments of other people are among them, and to read those takes a permission that publishing does not.
            raise OutcomeUnknown("Facebook doesn't let the bot read the comments. Look at the post.") from error
        raise error from None
    by_page = credential.account.id
    return _pick(ctx, listing, lambda entry: _is_by(entry, by_page) and _is_same_text(entry.get("message"), post.text))


async def _find_video(ctx: PlatformContext, credential: Credential, video_id: str) -> PublishedPost | None:
    """Ask for the very video that was uploaded: it is published or it isn't."""
    # developers.facebook.com/docs/graph-api/reference/video, checked 2026-11-25
    reply = await get(ctx, video_id, credential.tokens, {"fields": "id,published,permalink_url"})
    if not reply.ok and is_about_an_object(reply):
        return None
    is_published = reply.object.get("published")
    if not reply.ok or not isinstance(is_published, bool):
        raise _to_error(ctx, credential, reply)
    return to_published(ctx, video_id, reply.object) if is_published else None


async def _list_recent(ctx: PlatformContext, credential: Credential, path: str, params: Mapping[str, str]) -> Listing:
    since = str(int((ctx.now - _LOOK_BACK).timestamp()))
    return await list_edge(ctx, path, credential.tokens, {**params, "since": since, "limit": "100"})


def _pick(ctx: PlatformContext, listing: Listing, is_it: Callable[[_Entry], bool]) -> PublishedPost | None:
    since = ctx.now - _LOOK_BACK
    for entry in listing.entries:
        if is_it(entry) and _is_since(entry, since) and isinstance(entry.get("id"), str) and entry["id"]:
            return to_published(ctx, entry["id"], entry)
    if not listing.is_complete and all(_is_since(oldest, since) for oldest in listing.entries[-1:]):
        raise OutcomeUnknown("This Page published so much lately that the bot can't find the post. Look at the Page.")
    return None


def _is_it(entry: _Entry, post: Post, photos: frozenset[str]) -> bool:
    if photos:
        return not photos.isdisjoint(_list_targets(entry))
    return _is_same_text(entry.get("message"), post.text)


def _list_targets(entry: _Entry) -> Iterator[object]:
    """Ids of the photos a post shows: its attachment's, or those of the attachment's parts."""
    # developers.facebook.com/docs/graph-api/reference/story-attachment, checked 2026-11-25
    for attachment in _entries(entry.get("attachments")):
        for shown in (attachment, *_entries(attachment.get("subattachments"))):
            target = shown.get("target")
            if isinstance(target, dict):
                yield target.get("id")


def _entries(value: object) -> list[_Entry]:
    listed = value.get("data") if isinstance(value, dict) else None
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def _is_by(entry: _Entry, page_id: str) -> bool:
    """Whether a comment is the Page's own; Facebook leaves out who wrote one where that isn't told."""
    author = entry.get("from")
    return not isinstance(author, dict) or author.get("id") == page_id


def _is_same_text(read: object, text: str) -> bool:
    return isinstance(read, str) and _comparable(read) == _comparable(text)


def _comparable(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _is_since(entry: _Entry, since: datetime) -> bool:
    try:
        return datetime.fromisoformat(str(entry.get("created_time"))) >= since.replace(microsecond=0)
    except (ValueError, TypeError):
        # Facebook was asked for these posts only; without a readable time that has to do.
        return True


def _to_error(ctx: PlatformContext, credential: Credential, reply: oauth2.Reply) -> PlatformError:
    can_renew = is_user_token_alive(credential, ctx.now)
    return error_of(ctx, reply, Operation.LOOK_UP, needs=READ, can_renew=can_renew)
