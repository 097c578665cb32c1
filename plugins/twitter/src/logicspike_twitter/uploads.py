"""Bringing pictures and videos to X, ahead of the post that is to have them.

Each file goes the same way: announced, sent in segments, closed, and asked about while X processes it. A segment is
read before it is sent, so that at most two of them are in memory.

Rules: docs.x.com/x-api/media and its OpenAPI description, checked 2026-11-25.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar

import aiohttp

from logicspike.plugin import (
    Credential,
    Media,
    MediaFile,
    MediaKind,
    Operation,
    PlatformContext,
    PlatformError,
    PlatformUnavailable,
    Prepared,
    ReconnectRequired,
    TokenSet,
    in_chunks,
    oauth2,
)

from .errors import TABLE
from .media_rules import SEGMENT_BYTES
from .refusals import find_missing_scopes, read_processing_failure, read_refusal

__all__ = ["prepare_media", "read_media_ids"]

_Result = TypeVar("_Result")

_MEDIA_ID: Final = re.compile(r"[0-9]{1,19}")
_CATEGORIES: Final = {
    MediaKind.IMAGE: "tweet_image",
    MediaKind.GIF: "tweet_gif",
    MediaKind.VIDEO: "tweet_video",
}
_SEGMENT_TIME: Final = timedelta(minutes=2)
_SHORTEST_LOOK: Final = 1
_LONGEST_LOOK: Final = 60
# A post that comes right after the upload may find X's other servers without it
# (observed, unattributed; written 2026-11-25).
_SPREADING: Final = 3
_LONGEST_LIFE: Final = 10**9
_PROCESSING_TIME: Final = timedelta(minutes=20)
_PAUSES: Final = (2, 5)
"""Seconds before a segment, or a look, is tried again: both may be repeated, as X says."""


async def prepare_media(ctx: PlatformContext, credential: Credential, files: Sequence[MediaFile]) -> Prepared:
    """Upload the files of a post, one after the other, and wait until X has processed them.

    Raises:
        ReconnectRequired: the account was connected without the permission to upload; or as the table in ``errors``.
        PostRejected: X can't use one of the files.
        PlatformError: what else keeps us from uploading; see the table in ``errors``.
    """
    _check_scopes(credential.tokens)
    done = [await _upload(ctx, credential.tokens, file) for file in files]
    lifetimes = [upload.lifetime for upload in done if upload.lifetime is not None]
    await ctx.sleep(_SPREADING)
    return Prepared(
        handles={"media_ids": ",".join(upload.media_id for upload in done)},
        # Counted from the beginning of the call, so that it is rather made anew too early.
        expires_at=ctx.now + min(lifetimes) if lifetimes else None,
    )


def read_media_ids(prepared: Prepared | None) -> tuple[str, ...]:
    """The ids of what ``prepare_media`` has uploaded, in the order of the files."""
    listed = prepared.handles.get("media_ids", "") if prepared is not None else ""
    return tuple(filter(None, listed.split(",")))


def _check_scopes(tokens: TokenSet) -> None:
    missing = find_missing_scopes(Operation.PREPARE, tokens.scopes)
    if missing:
        raise ReconnectRequired(
            "This account was connected before the bot could upload pictures and videos to X. Connect X again and "
            "allow it.",
            missing_scopes=missing,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Upload:
    media_id: str
    lifetime: timedelta | None


async def _upload(ctx: PlatformContext, tokens: TokenSet, file: MediaFile) -> _Upload:
    media_id = await _initialize(ctx, tokens, file.media)
    await _append(ctx, tokens, media_id, file)
    url = f"{_uploads_url(ctx)}/{media_id}/finalize"
    reply = await oauth2.call(ctx, "POST", url, tokens=tokens, timeout=_SEGMENT_TIME)
    facts = await _await_processing(ctx, tokens, media_id, reply)
    if file.media.alt_text and file.media.kind is not MediaKind.VIDEO:
        await _describe(ctx, tokens, media_id, file.media.alt_text)
    return _Upload(media_id=media_id, lifetime=_to_lifetime(facts.get("expires_after_secs")))


def _to_lifetime(seconds: object) -> timedelta | None:
    return timedelta(seconds=seconds) if isinstance(seconds, int) and 0 < seconds < _LONGEST_LIFE else None


async def _initialize(ctx: PlatformContext, tokens: TokenSet, media: Media) -> str:
    announced = {
        "media_type": media.content_type,
        "total_bytes": media.size,
        "media_category": _CATEGORIES[media.kind],
    }
    reply = await oauth2.call(ctx, "POST", f"{_uploads_url(ctx)}/initialize", tokens=tokens, json=announced)
    media_id = _read(ctx, reply, tokens).get("id")
    if not isinstance(media_id, str) or not _MEDIA_ID.fullmatch(media_id):
        raise PlatformUnavailable("X did not say where the file is to go.")
    return media_id


async def _append(ctx: PlatformContext, tokens: TokenSet, media_id: str, file: MediaFile) -> None:
    url = f"{_uploads_url(ctx)}/{media_id}/append"
    async with file.open() as stream:
        index = 0
        async for segment in in_chunks(stream, SEGMENT_BYTES):
            await _patiently(ctx, partial(_send, ctx, tokens, url, segment, index))
            index += 1


async def _send(ctx: PlatformContext, tokens: TokenSet, url: str, segment: bytes, index: int) -> None:
    form = aiohttp.FormData()
    form.add_field("segment_index", str(index))
    form.add_field("media", segment, filename="segment", content_type="application/octet-stream")
    reply = await oauth2.call(ctx, "POST", url, tokens=tokens, body=form, timeout=_SEGMENT_TIME)
    if not reply.ok:
        raise _error_of(ctx, reply, tokens)


async def _await_processing(
    ctx: PlatformContext, tokens: TokenSet, media_id: str, reply: oauth2.Reply
) -> Mapping[str, Any]:
    """Ask how far X is, no sooner than it says, until it is done; no ``processing_info`` means that it is."""
    waited = timedelta()
    while info := _find_unfinished(ctx, reply, tokens):
        # An error was seen beside "in_progress" as well, for ever at 99 %
        # (github.com/plhery/node-twitter-api-v2/issues/483, checked 2026-11-25).
        if info.get("state") == "failed" or info.get("error"):
            raise TABLE.to_error(read_processing_failure(ctx, reply, info))
        if waited >= _PROCESSING_TIME:
            raise PlatformUnavailable("X has not finished processing a file of this post after 20 minutes.")
        seconds = _to_pause(info.get("check_after_secs"))
        await ctx.sleep(seconds)
        waited += timedelta(seconds=seconds)
        reply = await _patiently(ctx, partial(_look, ctx, tokens, media_id))
    return _read(ctx, reply, tokens)


def _find_unfinished(ctx: PlatformContext, reply: oauth2.Reply, tokens: TokenSet) -> Mapping[str, Any]:
    info = _read(ctx, reply, tokens).get("processing_info")
    return info if isinstance(info, dict) and info.get("state") != "succeeded" else {}


def _to_pause(seconds: object) -> int:
    wished = seconds if isinstance(seconds, int) else _SHORTEST_LOOK
    return min(max(wished, _SHORTEST_LOOK), _LONGEST_LOOK)


async def _look(ctx: PlatformContext, tokens: TokenSet, media_id: str) -> oauth2.Reply:
    params = {"command": "STATUS", "media_id": media_id}
    reply = await oauth2.call(ctx, "GET", _uploads_url(ctx), tokens=tokens, params=params)
    if not reply.ok:
        raise _error_of(ctx, reply, tokens)
    return reply


async def _describe(ctx: PlatformContext, tokens: TokenSet, media_id: str, alt_text: str) -> None:
    described = {"id": media_id, "metadata": {"alt_text": {"text": alt_text}}}
    url = f"{ctx.endpoints['api']}/2/media/metadata"
    reply = await oauth2.call(ctx, "POST", url, tokens=tokens, json=described)
    if not reply.ok:
        raise _error_of(ctx, reply, tokens)


async def _patiently(ctx: PlatformContext, attempt: Callable[[], Awaitable[_Result]]) -> _Result:
    """Try what may be repeated a few times, so that one dropped connection does not cost a long upload."""
    for pause in _PAUSES:
        try:
            return await attempt()
        except PlatformUnavailable:
            await ctx.sleep(pause)
    return await attempt()


def _read(ctx: PlatformContext, reply: oauth2.Reply, tokens: TokenSet) -> Mapping[str, Any]:
    """What an answer says of an upload."""
    facts = reply.object.get("data") if reply.ok else None
    if not isinstance(facts, dict):
        raise _error_of(ctx, reply, tokens)
    return facts


def _error_of(ctx: PlatformContext, reply: oauth2.Reply, tokens: TokenSet) -> PlatformError:
    return TABLE.to_error(read_refusal(ctx, reply, Operation.PREPARE, scopes=tokens.scopes))


def _uploads_url(ctx: PlatformContext) -> str:
    return f"{ctx.endpoints['api']}/2/media/upload"
