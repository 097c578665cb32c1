"""The one call that publishes: a post, a video whose bytes are there, or a comment below a post."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from logicspike.plugin import (
    Credential,
    Operation,
    PlatformContext,
    PlatformError,
    Post,
    PostRejected,
    PreparationLost,
    Prepared,
    Problem,
    PublishedPost,
    oauth2,
)

from .access import is_user_token_alive
from .errors import error_of, is_about_an_object, is_duplicate
from .graph import get, post_form
from .looking_up import find_published
from .published import to_published
from .sign_in import ENGAGE, POST
from .uploading import Video, read_photos, read_video

__all__ = ["publish"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """What is sent.

    Attributes:
        path: below the version.
        form: the fields.
        needs: the permission it stands on.
        uploads: ids of what it shows.
        video_id: of the video it publishes; "" where the answer names what was made.
    """

    path: str
    form: Mapping[str, str] = field(repr=False)
    needs: str
    uploads: tuple[str, ...] = ()
    video_id: str = ""


async def publish(ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None) -> PublishedPost:
    """Publish with one request; Facebook makes the card of a link by itself.

    Raises:
        PlatformError: by the table in ``errors``; ``OutcomeUnknown`` where it may be live, ``PreparationLost`` where
            what was uploaded is gone.
    """
    call = _plan(credential, post, prepared)
    reply = await post_form(ctx, call.path, credential.tokens, call.form)
    made = _read_made(ctx, credential, call, reply)
    if made is not None:
        return made
    error = await _to_error(ctx, credential, call, reply)
    if is_duplicate(reply):
        return await _find_original(ctx, credential, post, prepared, error)
    raise error


def _plan(credential: Credential, post: Post, prepared: Prepared | None) -> _Call:
    page_id, fields = credential.account.id, {"fields": "id,permalink_url"}
    if post.reply is not None:
        form = {"message": post.text, **fields}
        return _Call(path=f"{post.reply.root_id}/comments", form=form, needs=ENGAGE)
    if prepared is not None and (video := read_video(prepared)) is not None:
        return _plan_video(page_id, post, video)
    photos = read_photos(prepared)
    if post.media and len(photos) != len(post.media):
        raise PreparationLost("What this post shows is not at Facebook yet; it is uploaded first.")
    form = {"message": post.text, **fields} if post.text else fields
    if photos:
        # developers.facebook.com/docs/graph-api/reference/page/photos (several photos in one post), checked 2026-11-23.
        # With photos there is no room for a card; the link stands in the text.
        form = {**form, "attached_media": json.dumps([{"media_fbid": photo_id} for photo_id in photos])}
    elif post.link is not None:
        form = {**form, "link": post.link}
    # developers.facebook.com/documentation/pages-api/posts, checked 2026-11-23
    return _Call(path=f"{page_id}/feed", form=form, needs=POST, uploads=photos)


def _plan_video(page_id: str, post: Post, video: Video) -> _Call:
    # The last of the upload's phases publishes (github.com/facebookarchive/php-graph-sdk,
    # FacebookResumableUploader.php, checked 2026-11-25).
    form = {"upload_phase": "finish", "upload_session_id": video.session_id, "description": post.text}
    return _Call(path=f"{page_id}/videos", form=form, needs=POST, uploads=(video.video_id,), video_id=video.video_id)


def _read_made(ctx: PlatformContext, credential: Credential, call: _Call, reply: oauth2.Reply) -> PublishedPost | None:
    """What was made; None where the answer doesn't say that anything was."""
    answer: Mapping[str, Any] = reply.object
    if not reply.ok:
        return None
    if call.video_id:
        address = {"permalink_url": f"/{credential.account.id}/videos/{call.video_id}/"}
        return to_published(ctx, call.video_id, address) if answer.get("success") is True else None
    made = answer.get("id")
    return to_published(ctx, made, answer) if isinstance(made, str) and made else None


async def _find_original(
    ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None, refusal: PlatformError
) -> PublishedPost:
    """Say what a duplicate is a duplicate of.

    A comment below the same post, or a post with these very uploads, can only be this one itself: an earlier try went
    through. The text alone may be somebody's post of this morning.
    """
    try:
        found = await find_published(ctx, credential, post, prepared)
    except PlatformError:
        found = None
    if found is None:
        raise refusal
    if post.reply is not None or post.media:
        return found
    raise PostRejected(
        Problem(
            message=f"Facebook has this very post on the Page already: {found.url}. If that is this post, it is live; "
            "else change the text."
        ),
        reference=refusal.reference,
    )


async def _to_error(ctx: PlatformContext, credential: Credential, call: _Call, reply: oauth2.Reply) -> PlatformError:
    """What a refusal means; Facebook doesn't say which of the things it was given is gone, so the uploads are asked."""
    if is_about_an_object(reply) and await _is_any_gone(ctx, credential, call.uploads):
        return PreparationLost("Facebook has forgotten what was uploaded for this post; it is uploaded anew.")
    can_renew = is_user_token_alive(credential, ctx.now)
    return error_of(ctx, reply, Operation.PUBLISH, needs=call.needs, can_renew=can_renew)


async def _is_any_gone(ctx: PlatformContext, credential: Credential, upload_ids: tuple[str, ...]) -> bool:
    return any(await asyncio.gather(*(_is_gone(ctx, credential, upload_id) for upload_id in upload_ids)))


async def _is_gone(ctx: PlatformContext, credential: Credential, upload_id: str) -> bool:
    reply = await get(ctx, upload_id, credential.tokens, {"fields": "id"})
    return not reply.ok and is_about_an_object(reply)
