"""The one call that publishes: a post, a video whose bytes are there, or a comment below a post."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from logicspike.plugin import (
    Credential,
    Operation,
    PlatformContext,
    PlatformError,
    Post,
    PreparationLost,
    Prepared,
    PublishedPost,
    oauth2,
)

from .access import is_user_token_alive
from .errors import error_of, is_about_an_object
from .graph import get, post_form
from .sign_in import ENGAGE, POST
from .uploading import read_photos, read_video

__all__ = ["publish", "to_published"]


async def publish(ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None) -> PublishedPost:
    """Publish with one request; Facebook makes the card of a link by itself.

    Raises:
        PlatformError: by the table in ``errors``; ``OutcomeUnknown`` where it may be live, ``PreparationLost`` where
            what was uploaded is gone.
    """
    if post.reply is not None:
        return await _create(ctx, credential, f"{post.reply.root_id}/comments", {"message": post.text}, needs=ENGAGE)
    if prepared is not None and (video := read_video(prepared)) is not None:
        return await _finish_video(ctx, credential, post, video.video_id, video.session_id)
    form = {"message": post.text} if post.text else {}
    photos = read_photos(prepared)
    if post.media and len(photos) != len(post.media):
        raise PreparationLost("What this post shows is not at Facebook yet; it is uploaded first.")
    if photos:
        # developers.facebook.com/docs/graph-api/reference/page/photos (several photos in one post), checked 2026-11-23.
        # With photos there is no room for a card; the link stands in the text.
        form["attached_media"] = json.dumps([{"media_fbid": photo_id} for photo_id in photos])
    elif post.link is not None:
        form["link"] = post.link
    # developers.facebook.com/documentation/pages-api/posts, checked 2026-11-23
    return await _create(ctx, credential, f"{credential.account.id}/feed", form, needs=POST, uploads=photos)


async def _create(
    ctx: PlatformContext,
    credential: Credential,
    path: str,
    form: Mapping[str, str],
    *,
    needs: str,
    uploads: tuple[str, ...] = (),
) -> PublishedPost:
    reply = await post_form(ctx, path, credential.tokens, {**form, "fields": "id,permalink_url"})
    made = reply.object.get("id") if reply.ok else None
    if not isinstance(made, str) or not made:
        raise await _to_error(ctx, credential, reply, needs=needs, uploads=uploads)
    return to_published(ctx, made, reply.object)


async def _finish_video(
    ctx: PlatformContext, credential: Credential, post: Post, video_id: str, session_id: str
) -> PublishedPost:
    # The last of the upload's phases publishes (github.com/facebookarchive/php-graph-sdk,
    # FacebookResumableUploader.php, checked 2026-11-25).
    form = {"upload_phase": "finish", "upload_session_id": session_id, "description": post.text}
    reply = await post_form(ctx, f"{credential.account.id}/videos", credential.tokens, form)
    if not reply.ok or reply.object.get("success") is not True:
        raise await _to_error(ctx, credential, reply, needs=POST, uploads=(video_id,))
    return to_published(ctx, video_id, {"permalink_url": f"/{credential.account.id}/videos/{video_id}/"})


async def _to_error(
    ctx: PlatformContext, credential: Credential, reply: oauth2.Reply, *, needs: str, uploads: tuple[str, ...]
) -> PlatformError:
    """What a refusal means; Facebook doesn't say which of the things it was given is gone, so the uploads are asked."""
    if is_about_an_object(reply) and await _is_any_gone(ctx, credential, uploads):
        return PreparationLost("Facebook has forgotten what was uploaded for this post; it is uploaded anew.")
    can_renew = is_user_token_alive(credential, ctx.now)
    return error_of(ctx, reply, Operation.PUBLISH, needs=needs, can_renew=can_renew)


async def _is_any_gone(ctx: PlatformContext, credential: Credential, upload_ids: tuple[str, ...]) -> bool:
    return any(await asyncio.gather(*(_is_gone(ctx, credential, upload_id) for upload_id in upload_ids)))


async def _is_gone(ctx: PlatformContext, credential: Credential, upload_id: str) -> bool:
    reply = await get(ctx, upload_id, credential.tokens, {"fields": "id"})
    return not reply.ok and is_about_an_object(reply)


def to_published(ctx: PlatformContext, post_id: str, answer: Mapping[str, Any]) -> PublishedPost:
    """A post with its address: the one Facebook gives, or one that is made from its id."""
    address = answer.get("permalink_url")
    if isinstance(address, str) and address.startswith("/"):
        # Those of videos come without their origin.
        return PublishedPost(id=post_id, url=f"{ctx.endpoints['dialog']}{address}")
    if not isinstance(address, str) or urlsplit(address).scheme not in {"https", "http"}:
        # Opens the same post (github.com/inovector/mixpost, src/SocialProviders/Meta, checked 2026-11-23).
        address = f"{ctx.endpoints['dialog']}/{post_id}"
    return PublishedPost(id=post_id, url=address)
