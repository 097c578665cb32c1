"""Media: uploaded, then looked at until the server has processed them (docs.joinmastodon.org/methods/media)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import aiohttp

from logicspike.plugin import (
    Credential,
    MediaFile,
    PlatformContext,
    PostRejected,
    Prepared,
    Problem,
    oauth2,
    to_payload,
)

from .refusals import raise_for_access, to_unavailable

__all__ = ["are_all_there", "list_media_ids", "upload_all"]

# A server removes what no post has taken after about a day.
_KEPT_FOR: Final = timedelta(hours=20)
_UPLOAD_TIME: Final = timedelta(minutes=10)
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 15.0


async def upload_all(ctx: PlatformContext, credential: Credential, files: Sequence[MediaFile]) -> Prepared:
    """Upload the files and wait until a post may have them."""
    ids = [await _upload(ctx, credential, file) for file in files]
    return Prepared(
        handles={f"media_{number}": media_id for number, media_id in enumerate(ids)}, expires_at=ctx.now + _KEPT_FOR
    )


def list_media_ids(prepared: Prepared | None) -> list[str]:
    """The server's ids of the uploads, in order."""
    handles = prepared.handles if prepared else {}
    return [handles[f"media_{number}"] for number in range(len(handles))]


async def are_all_there(ctx: PlatformContext, credential: Credential, media_ids: Sequence[str]) -> bool:
    """Whether the server still has all of these uploads, for a post to take."""
    replies = [await _look(ctx, credential, media_id) for media_id in media_ids]
    return all(reply.status != 404 for reply in replies)


async def _upload(ctx: PlatformContext, credential: Credential, file: MediaFile) -> str:
    async with file.open() as stream:
        form = aiohttp.FormData({"description": file.media.alt_text} if file.media.alt_text else {})
        payload = to_payload(file.media, stream)
        form.add_field("file", payload, filename="file", content_type=file.media.content_type)
        url = f"{ctx.endpoints['server']}/api/v2/media"
        reply = await oauth2.call(ctx, "POST", url, tokens=credential.tokens, body=form, timeout=_UPLOAD_TIME)
    media_id = reply.object.get("id")
    if reply.status not in {200, 202} or not isinstance(media_id, str):
        raise_for_access(ctx, reply)
        raise _refuse(file) if reply.status in {413, 422} else to_unavailable(reply)
    if reply.status == 202:
        await _wait(ctx, credential, file, media_id)
    return media_id


async def _wait(ctx: PlatformContext, credential: Credential, file: MediaFile, media_id: str) -> None:
    """Look until it is processed; the host ends what takes too long."""
    wait = _FIRST_WAIT
    while True:
        reply = await _look(ctx, credential, media_id)
        if reply.status == 200 and reply.object:
            return
        if reply.status != 206:
            raise_for_access(ctx, reply)
            raise _refuse(file) if reply.status == 422 else to_unavailable(reply)
        await ctx.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)


async def _look(ctx: PlatformContext, credential: Credential, media_id: str) -> oauth2.Reply:
    url = f"{ctx.endpoints['server']}/api/v1/media/{media_id}"
    return await oauth2.call(ctx, "GET", url, tokens=credential.tokens)


def _refuse(file: MediaFile) -> PostRejected:
    return PostRejected(
        Problem(message=f"Your Mastodon server can't use {file.media.name}: its kind, or its size.", field="media")
    )
