"""What happens before a post with photos or a video is due: its bytes go to Facebook, where nobody sees them yet.

Photos are uploaded unpublished, and the post names them. A video has three phases: start, transfer, finish. The first
two are done ahead; the last one is the documented act of publishing, takes no bytes, and so is the one call of the due
second. (Publishing a finished but unpublished video later would be a change to the video, and that such a change makes
a post on the Page is not documented.)
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, Self

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
    oauth2,
    to_payload,
)

from .access import is_user_token_alive
from .errors import error_of
from .graph import post_files, post_form
from .sign_in import POST

__all__ = ["Video", "prepare", "read_photos", "read_video"]

# Facebook doesn't say how long it keeps what no post has. People report about a day; an hour is taken off.
_KEPT: Final = timedelta(hours=23)
_PHOTOS: Final = "photos"
_VIDEO: Final = "video"
_SESSION: Final = "session"
# Facebook chooses the chunks. A file of 2 GB has some hundred; what never ends is not Facebook's.
_MOST_CHUNKS: Final = 10_000
# How often a part is sent again, or another one is asked for, before the whole is tried again later.
_MOST_REPEATS: Final = 5
_PAUSE_SECONDS: Final = 2.0
# "The offset isn't the one that is awaited", with the right one in error_data
# (developers.facebook.com/documentation/video-api/reference/error-codes, checked 2026-11-25).
_WRONG_OFFSET: Final = 1363037


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A video whose bytes are at Facebook, unpublished."""

    video_id: str
    session_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    """Which bytes Facebook wants next: from ``start``, before ``end``; the same when it has all."""

    start: int
    end: int


async def prepare(ctx: PlatformContext, credential: Credential, files: Sequence[MediaFile]) -> Prepared:
    """Upload what a post shows; nothing of it is visible afterwards.

    Raises:
        PostRejected: Facebook doesn't take a file.
        PlatformError: what else keeps it from being uploaded; see the table in ``errors``.
    """
    videos = [file for file in files if file.media.kind is MediaKind.VIDEO]
    if videos:
        video = await _upload_video(ctx, credential, videos[0])
        handles = {_VIDEO: video.video_id, _SESSION: video.session_id}
    else:
        # One after the other: the order of a post is theirs, and Facebook counts calls.
        handles = {_PHOTOS: json.dumps([await _upload_photo(ctx, credential, file) for file in files])}
    return Prepared(handles=handles, expires_at=ctx.now + _KEPT if files else None)


def read_photos(prepared: Prepared | None) -> tuple[str, ...]:
    """The ids of the photos that were uploaded, in order."""
    return tuple(json.loads(prepared.handles.get(_PHOTOS, "[]"))) if prepared is not None else ()


def read_video(prepared: Prepared) -> Video | None:
    """The video that was uploaded; None when there is none."""
    video_id, session_id = prepared.handles.get(_VIDEO), prepared.handles.get(_SESSION)
    return Video(video_id=video_id, session_id=session_id) if video_id and session_id else None


# --- photos -----------------------------------------------------------------------------------------------------------


async def _upload_photo(ctx: PlatformContext, credential: Credential, file: MediaFile) -> str:
    # developers.facebook.com/docs/graph-api/reference/page/photos, checked 2026-11-25
    fields = {"published": "false"}
    if file.media.alt_text:
        fields["alt_text_custom"] = file.media.alt_text
    async with file.open() as stream:
        form = aiohttp.FormData(fields)
        form.add_field(
            "source",
            to_payload(file.media, stream),
            filename=_file_name(file.media),
            content_type=file.media.content_type,
        )
        reply = await post_files(ctx, f"{credential.account.id}/photos", credential.tokens, form)
    photo_id = reply.object.get("id") if reply.ok else None
    if not isinstance(photo_id, str) or not photo_id:
        raise _to_error(ctx, credential, reply)
    return photo_id


def _file_name(media: Media) -> str:
    """A name of ours, since theirs may hold anything; Facebook looks at its ending."""
    return f"{media.media_id}.{media.content_type.rpartition('/')[2]}".replace('"', "")


# --- videos -----------------------------------------------------------------------------------------------------------


async def _upload_video(ctx: PlatformContext, credential: Credential, file: MediaFile) -> Video:
    # github.com/facebookarchive/php-graph-sdk, FacebookResumableUploader.php; that graph.facebook.com takes videos too:
    # developers.facebook.com/docs/video-api/overview; checked 2026-11-25
    path = f"{credential.account.id}/videos"
    started = await post_form(
        ctx, path, credential.tokens, {"upload_phase": "start", "file_size": str(file.media.size)}, creates=False
    )
    video_id, session_id = started.object.get("video_id"), started.object.get("upload_session_id")
    wanted = _read_range(started.object)
    if not started.ok or wanted is None or not (isinstance(video_id, str) and isinstance(session_id, str)):
        raise _to_error(ctx, credential, started)
    async with _Ranges(file) as ranges:
        repeats = 0
        for _ in range(_MOST_CHUNKS):
            if wanted.start >= wanted.end:
                return Video(video_id=video_id, session_id=session_id)
            reply = await _try_transfer(
                ctx, credential, session_id, ranges, wanted, is_last_try=repeats == _MOST_REPEATS
            )
            if reply is None or not reply.ok:
                repeats += 1
            if reply is None:
                await ctx.sleep(_PAUSE_SECONDS)
                continue
            following = _read_range(reply.object) if reply.ok else _read_correction(reply)
            if following is None or repeats > _MOST_REPEATS:
                raise _to_error(ctx, credential, reply)
            wanted = following
    raise PlatformUnavailable("Facebook asks for more and more parts of the video. Please try again in a few minutes.")


async def _try_transfer(
    ctx: PlatformContext,
    credential: Credential,
    session_id: str,
    ranges: _Ranges,
    wanted: _Range,
    *,
    is_last_try: bool,
) -> oauth2.Reply | None:
    """Send a part; None when no answer came. Sent again, Facebook takes it or says which part it wants instead."""
    try:
        return await _transfer(ctx, credential, session_id, ranges, wanted)
    except PlatformUnavailable:
        if is_last_try:
            raise
        return None


async def _transfer(
    ctx: PlatformContext, credential: Credential, session_id: str, ranges: _Ranges, wanted: _Range
) -> oauth2.Reply:
    size = min(wanted.end, ranges.size) - wanted.start
    if size <= 0:
        raise PlatformUnavailable(
            "Facebook asks for parts that the video doesn't have. Please try again in a few minutes."
        )
    form = aiohttp.FormData(
        {"upload_phase": "transfer", "upload_session_id": session_id, "start_offset": str(wanted.start)}
    )
    chunk = to_payload(
        replace(ranges.media, size=size),
        await ranges.read(wanted.start, size),
        content_type="application/octet-stream",
    )
    form.add_field("video_file_chunk", chunk, filename="chunk", content_type="application/octet-stream")
    return await post_files(ctx, f"{credential.account.id}/videos", credential.tokens, form)


def _read_range(answer: Mapping[str, Any]) -> _Range | None:
    """Facebook writes the offsets as texts, in errors as numbers."""
    try:
        start, end = int(answer["start_offset"]), int(answer["end_offset"])
    except (KeyError, TypeError, ValueError):
        return None
    return _Range(start=start, end=end) if 0 <= start <= end else None


def _read_correction(reply: oauth2.Reply) -> _Range | None:
    error = reply.object.get("error")
    if not isinstance(error, dict) or error.get("error_subcode") != _WRONG_OFFSET:
        return None
    told = error.get("error_data")
    return _read_range(told) if isinstance(told, dict) else None


class _Ranges:
    """A file read range by range, in order; going back opens it anew."""

    def __init__(self, file: MediaFile) -> None:
        self._file = file
        self._opened = AsyncExitStack()
        self._stream: AsyncIterator[bytes] | None = None
        self._held = b""
        self._at = 0

    @property
    def media(self) -> Media:
        """What the file is."""
        return self._file.media

    @property
    def size(self) -> int:
        """Its bytes."""
        return self._file.media.size

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._opened.aclose()

    async def read(self, start: int, size: int) -> AsyncIterator[bytes]:
        """The bytes of a range, in pieces; the file is opened and wound to its beginning here already."""
        if self._stream is None or start < self._at:
            await self._opened.aclose()
            self._stream, self._held, self._at = await self._opened.enter_async_context(self._file.open()), b"", 0
        async for _ in self._take(start - self._at):
            pass
        return self._take(size)

    async def _take(self, size: int) -> AsyncIterator[bytes]:
        while size > 0:
            if not self._held:
                self._held = await anext(self._stream, b"") if self._stream is not None else b""
                if not self._held:
                    raise PlatformUnavailable("The video ended too early. Please try again in a few minutes.")
            piece, self._held = self._held[:size], self._held[size:]
            self._at += len(piece)
            size -= len(piece)
            yield piece


def _to_error(ctx: PlatformContext, credential: Credential, reply: oauth2.Reply) -> PlatformError:
    can_renew = is_user_token_alive(credential, ctx.now)
    return error_of(ctx, reply, Operation.PREPARE, needs=POST, can_renew=can_renew)
