"""Getting ready what a post needs: its pictures or its video, or the picture of its link's card.

Sources: learn.microsoft.com/linkedin/marketing/community-management/shares/images-api and …/videos-api, checked
2026-11-25.
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import aiohttp
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential
from yarl import URL

from logicspike.plugin import (
    Credential,
    LinkCard,
    Media,
    MediaFile,
    MediaKind,
    Operation,
    OperatorActionRequired,
    PlatformContext,
    PlatformError,
    PlatformUnavailable,
    Post,
    PostRejected,
    Prepared,
    Problem,
    oauth2,
    to_payload,
)

from .api import Api, Sleep, author_urn, encode, naming_linkedin
from .errors import MEDIA_FAILED, UploadUnseen
from .refusals import LOOKING, WITH_MEDIA

__all__ = ["DESCRIPTION", "IMAGE_TYPES", "THUMBNAIL", "TITLE", "VIDEO_TYPES", "media_handle", "prepare"]

log = logging.getLogger(__name__)

IMAGE_TYPES: Final = ("image/jpeg", "image/png", "image/gif")
VIDEO_TYPES: Final = ("video/mp4",)

TITLE: Final = "card:title"
DESCRIPTION: Final = "card:description"
THUMBNAIL: Final = "card:thumbnail"

# How long LinkedIn keeps an upload that no post has taken is not documented; a day is surely less.
_KEPT_FOR: Final = timedelta(days=1)
# As long as LinkedIn's older share API took; the newer one names no length.
_MAX_TITLE: Final = 200
_MAX_DESCRIPTION: Final = 256

_UPLOAD_TIMEOUT: Final = timedelta(minutes=10)
TRIES: Final = 3
TRY_WAIT: Final = wait_exponential(multiplier=1)

LOOK_PAUSES: Final = (2.0, 4.0, 8.0, 15.0, *[30.0] * 40)
"""Seconds between the looks whether LinkedIn is done: 20 minutes in all, of the 30 that the host gives."""
UNSEEN_IMAGE_PAUSE: Final = 5.0
UNSEEN_VIDEO_PAUSE: Final = 30.0
"""Seconds to wait where LinkedIn doesn't let a member look: a post that takes an upload too early is answered with
201 and never shown (ayrshare.com/help-center/technical-support/linkedin_post_cannot_be_displayed, checked
2026-11-23)."""


def media_handle(media: Media) -> str:
    """Under which name the URN of an uploaded picture or video is kept."""
    return f"media:{media.media_id}"


async def prepare(
    ctx: PlatformContext,
    credential: Credential,
    post: Post,
    files: Sequence[MediaFile],
    card: LinkCard | None,
    *,
    sleep: Sleep = asyncio.sleep,
) -> Prepared:
    """Upload a post's media, or its link card's picture, and wait until LinkedIn can use them.

    Args:
        ctx: the context the hook was given.
        credential: whose the post is; uploads belong to their author.
        post: what they are for.
        files: its media.
        card: what its link leads to; left out beside media, which LinkedIn shows instead.
        sleep: how to wait, in seconds.

    Raises:
        PlatformError: by the table in ``errors``; ``PostRejected`` where LinkedIn can't process a file.
    """
    uploader = _Uploader(ctx=ctx, credential=credential, sleep=sleep)
    handles: dict[str, str] = {}
    for file in files:
        upload = uploader.upload_video if file.media.kind is MediaKind.VIDEO else uploader.upload_image
        handles[media_handle(file.media)] = await upload(file)
    if card is not None and not post.media:
        handles |= await _prepare_card(uploader, card)
    await uploader.wait_for_unseen()
    return Prepared(handles=handles, expires_at=ctx.now + _KEPT_FOR)


async def _prepare_card(uploader: _Uploader, card: LinkCard) -> dict[str, str]:
    handles = {TITLE: _shorten(card.title, _MAX_TITLE), DESCRIPTION: _shorten(card.description, _MAX_DESCRIPTION)}
    if card.picture is None or card.picture.media.content_type not in IMAGE_TYPES:
        return handles
    try:
        return handles | {THUMBNAIL: await uploader.upload_image(card.picture)}
    except (PostRejected, PlatformUnavailable) as error:
        # A card without its picture is still a card, and what the page shows is not the author's to mend.
        log.info(
            "a link's picture was left out", extra={"event": "linkedin.no_thumbnail", "error": type(error).__name__}
        )
        return handles


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


@dataclass(slots=True)
class _Watched:
    """A file's bytes, remembering how reading failed, so that it isn't called LinkedIn's fault."""

    stream: AsyncIterable[bytes]
    failure: PlatformError | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self.stream:
                yield piece
        except PlatformError as error:
            self.failure = error
            raise


@dataclass(slots=True, kw_only=True)
class _Uploader:
    """Uploads for one post; remembers whether it may look at them, and for how long it must wait if not."""

    ctx: PlatformContext
    credential: Credential
    sleep: Sleep
    may_look: bool = True
    unseen_pause: float = 0.0

    def api(self, *given: str) -> Api:
        return Api(ctx=self.ctx, credential=self.credential, operation=Operation.PREPARE, given=(WITH_MEDIA, *given))

    async def upload_image(self, file: MediaFile) -> str:
        """Upload a picture; its URN."""
        urn = await self._patiently(lambda: self._send_image(file))
        await self._wait_until_available("images", urn, UNSEEN_IMAGE_PAUSE)
        return urn

    async def upload_video(self, file: MediaFile) -> str:
        """Upload a video part by part; its URN."""
        facts = {"fileSizeBytes": file.media.size, "uploadCaptions": False, "uploadThumbnail": False}
        value = await self._initialize("videos", facts)
        urn, parts = _read_text(value, "video"), _read_parts(value, file.media.size)
        addresses = [self._check_address(address) for address, _ in parts]
        async with file.open() as stream, aclosing(_cut(stream, [size for _, size in parts])) as pieces:
            part_ids = [await self._put_part(address, await anext(pieces)) for address in addresses]
        finalized = {"video": urn, "uploadToken": value.get("uploadToken") or "", "uploadedPartIds": part_ids}
        await self.api().call(
            "POST", "/rest/videos", query={"action": "finalizeUpload"}, json={"finalizeUploadRequest": finalized}
        )
        await self._wait_until_available("videos", urn, UNSEEN_VIDEO_PAUSE)
        return urn

    async def wait_for_unseen(self) -> None:
        """Give LinkedIn time for the uploads that this account may not ask about."""
        if self.unseen_pause:
            await self.sleep(self.unseen_pause)

    async def _send_image(self, file: MediaFile) -> str:
        value = await self._initialize("images", {})
        urn, address = _read_text(value, "image"), self._check_address(_read_text(value, "uploadUrl"))
        async with file.open() as stream:
            watched = _Watched(stream)
            try:
                # With our token: the address of a picture holds no signature.
                await self._put(address, to_payload(file.media, watched), is_authorized=True)
            except PlatformUnavailable as error:
                raise (watched.failure or error) from error
        return urn

    async def _initialize(self, kind: str, facts: Mapping[str, object]) -> Mapping[str, Any]:
        request = {"owner": author_urn(self.credential.account), **facts}
        reply = await self.api().call(
            "POST", f"/rest/{kind}", query={"action": "initializeUpload"}, json={"initializeUploadRequest": request}
        )
        value = reply.object.get("value")
        return value if isinstance(value, dict) else {}

    def _check_address(self, address: str) -> URL:
        """Where to upload: LinkedIn chooses the address, but a member's token and files go to its own hosts only."""
        try:
            url = URL(address, encoded=True)
            is_known = str(url.origin()) in self.ctx.endpoints.values()
        except ValueError:
            raise PlatformUnavailable("LinkedIn did not say where to upload to.") from None
        if not is_known:
            raise OperatorActionRequired(
                f"LinkedIn wants files uploaded to {url.host}, which this version of the bot doesn't know. An admin "
                "should look for a newer logicspike-linkedin."
            )
        return url

    async def _put_part(self, address: URL, content: bytes) -> str:
        async def send() -> str:
            # Without our token: the address of a part holds its own signature, and both are refused.
            body = aiohttp.BytesIOPayload(io.BytesIO(content), content_type="application/octet-stream")
            reply = await self._put(address, body, is_authorized=False)
            part_id = reply.headers.get("ETag")
            if not part_id:
                raise PlatformUnavailable("LinkedIn took a part of the video but didn't name it.")
            return part_id

        return await self._patiently(send)

    async def _put(self, address: URL, body: aiohttp.Payload, *, is_authorized: bool) -> oauth2.Reply:
        tokens = self.credential.tokens if is_authorized else None
        with naming_linkedin():
            reply = await oauth2.call(self.ctx, "PUT", address, tokens=tokens, body=body, timeout=_UPLOAD_TIMEOUT)
        if not reply.ok:
            raise self.api().to_error(reply)
        return reply

    async def _patiently(self, send: Callable[[], Awaitable[str]]) -> str:
        """Try one file, or one part, again by itself: all the others needn't go out once more for it."""

        async def attempt() -> str:  # tenacity awaits what is declared async only
            return await send()

        retrying = AsyncRetrying(
            sleep=self.sleep,
            stop=stop_after_attempt(TRIES),
            wait=TRY_WAIT,
            retry=retry_if_exception_type(PlatformUnavailable),
            reraise=True,
        )
        return await retrying(attempt)

    async def _wait_until_available(self, kind: str, urn: str, pause_if_unseen: float) -> None:
        for pause in LOOK_PAUSES if self.may_look else ():
            try:
                reply = await self.api(LOOKING).call("GET", f"/rest/{kind}/{encode(urn)}")
            except UploadUnseen:
                self.may_look = False
                break
            match reply.object.get("status"):
                case "AVAILABLE":
                    return
                case "PROCESSING_FAILED" | "FAILED":
                    raise PostRejected(Problem(message=MEDIA_FAILED, field="media"))
            await self.sleep(pause)
        if self.may_look:
            raise PlatformUnavailable("LinkedIn is still working on the picture or video.")
        self.unseen_pause = max(self.unseen_pause, pause_if_unseen)


def _read_text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found:
        raise PlatformUnavailable("LinkedIn did not say where to upload to.")
    return found


def _read_parts(value: Mapping[str, Any], size: int) -> list[tuple[str, int]]:
    """The parts of a video: where each goes, and how many bytes it has; together, the whole file in order."""
    instructions, parts, position = value.get("uploadInstructions"), list[tuple[str, int]](), 0
    for each in instructions if isinstance(instructions, list) else ():
        first, last = (each.get("firstByte"), each.get("lastByte")) if isinstance(each, dict) else (None, None)
        if type(first) is not int or type(last) is not int or first != position or last < first:
            break
        parts.append((_read_text(each, "uploadUrl"), last - first + 1))
        position = last + 1
    if position != size:
        raise PlatformUnavailable("LinkedIn's instructions for the upload do not fit the video.")
    return parts


async def _cut(stream: AsyncIterable[bytes], sizes: Sequence[int]) -> AsyncGenerator[bytes, None]:
    """Cut a stream into pieces of these sizes, one held at a time."""
    held, left = bytearray(), iter(sizes)
    size = next(left, 0)
    async for piece in stream:
        held += piece
        while size and len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
            size = next(left, 0)
    if size:
        raise PlatformUnavailable("The video ended before its end. Please try again.")
