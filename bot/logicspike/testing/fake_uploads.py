"""The files people uploaded to a fake platform, until a post takes them: found out by content, kept for a time."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from ..plugin import MediaKind
from .fake_ledger import FakeMedia
from .fake_oauth import FakeAccount, FakeClock

__all__ = ["FakeUpload", "FakeUploads", "UploadRefused", "UploadState", "find_type"]

_BEGINNINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", MediaKind.IMAGE, "image/png"),
    (b"\xff\xd8\xff", MediaKind.IMAGE, "image/jpeg"),
    (b"GIF87a", MediaKind.GIF, "image/gif"),
    (b"GIF89a", MediaKind.GIF, "image/gif"),
    (b"\x1a\x45\xdf\xa3", MediaKind.VIDEO, "video/webm"),
)


def find_type(content: bytes) -> tuple[MediaKind, str] | None:
    """What these bytes are by their beginning: the kind and the content type; None for anything else.

    A platform looks with its own eyes: this isn't the bot's check, so that what one gets wrong the other notices.
    """
    for beginning, kind, content_type in _BEGINNINGS:
        if content.startswith(beginning):
            return kind, content_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return MediaKind.IMAGE, "image/webp"
    if content[4:8] == b"ftyp":
        return MediaKind.VIDEO, "video/quicktime" if content[8:12] == b"qt  " else "video/mp4"
    return None


class UploadState(StrEnum):
    """How far an upload is: bytes may still come; the platform looks at them; a post may take it; it never can."""

    OPEN = "open"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


class UploadRefused(Exception):
    """A post can't have this upload.

    Args:
        reason: "unknown" (never seen, forgotten or over), "foreign" (another account's), "open", "processing",
            "failed" or "used".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class FakeUpload:
    """One file on its way to a post.

    Attributes:
        id: the platform's.
        account: who uploads it; None where the platform doesn't ask.
        expires_at: when it is forgotten; None for never.
        announced_size: bytes the caller said would come; None where it didn't.
        content: the bytes so far.
        alt_text: as described so far.
        state: how far it is.
        looks_left: how many more times ``FakeUploads.look`` finds it still processing.
        is_used: whether a post has taken it.
    """

    id: str
    account: FakeAccount | None = None
    expires_at: datetime | None = None
    announced_size: int | None = None
    content: bytearray = field(default_factory=bytearray, repr=False)
    alt_text: str = ""
    state: UploadState = UploadState.OPEN
    looks_left: int = 0
    is_used: bool = False

    @property
    def kind(self) -> MediaKind | None:
        """What the bytes are; None for nothing known."""
        found = find_type(bytes(self.content[:16]))
        return found[0] if found else None

    @property
    def content_type(self) -> str | None:
        """What the bytes are; None for nothing known."""
        found = find_type(bytes(self.content[:16]))
        return found[1] if found else None

    async def receive(self, stream: AsyncIterable[bytes]) -> None:
        """Add what a request body brings, such as ``request.content`` or a part of ``request.multipart()``."""
        async for piece in stream:
            self.content += piece


class FakeUploads:
    """All uploads of a fake platform, and the bytes of those that posts have taken.

    Processing is counted in looks, not in seconds, so that it ends for a test whose clock stands still.

    Args:
        clock: what the time is here.
        is_failing: asked for each file that is complete; True lets it fail.
    """

    def __init__(self, *, clock: FakeClock, is_failing: Callable[[], bool] = lambda: False) -> None:
        self._clock = clock
        self._is_failing = is_failing
        self._held: dict[str, FakeUpload] = {}
        self._taken: dict[str, tuple[str, bytes]] = {}

    def begin(
        self,
        upload_id: str,
        *,
        account: FakeAccount | None = None,
        lifetime: timedelta | None = None,
        announced_size: int | None = None,
    ) -> FakeUpload:
        """Await a file; add its bytes to ``content`` and call ``finish``."""
        expires_at = self._clock.now() + lifetime if lifetime is not None else None
        upload = FakeUpload(id=upload_id, account=account, expires_at=expires_at, announced_size=announced_size)
        self._held[upload_id] = upload
        return upload

    def finish(self, upload: FakeUpload, *, looks: int = 0) -> FakeUpload:
        """Take the file for complete: it is ready, or after some looks; it has failed when its bytes are no media.

        Args:
            upload: from ``begin``.
            looks: how many times ``look`` still finds it processing.
        """
        is_short = upload.announced_size is not None and upload.announced_size != len(upload.content)
        if is_short or upload.kind is None or self._is_failing():
            upload.state = UploadState.FAILED
        else:
            upload.looks_left = looks
            upload.state = UploadState.PROCESSING if looks else UploadState.READY
        return upload

    def keep(
        self,
        upload_id: str,
        content: bytes,
        *,
        account: FakeAccount | None = None,
        lifetime: timedelta | None = None,
        alt_text: str = "",
        looks: int = 0,
    ) -> FakeUpload:
        """Take a file that came in one request: ``begin`` and ``finish`` at once."""
        upload = self.begin(upload_id, account=account, lifetime=lifetime)
        upload.content += content
        upload.alt_text = alt_text
        return self.finish(upload, looks=looks)

    def find(self, upload_id: str) -> FakeUpload | None:
        """The upload; None when it was never seen, was forgotten, or is over. Changes nothing."""
        upload = self._held.get(upload_id)
        if upload is None or (upload.expires_at is not None and upload.expires_at <= self._clock.now()):
            return None
        return upload

    def look(self, upload_id: str) -> FakeUpload | None:
        """The upload, for a call that asks how far it is: each look brings processing nearer to its end."""
        upload = self.find(upload_id)
        if upload is not None and upload.state is UploadState.PROCESSING:
            if upload.looks_left == 0:
                upload.state = UploadState.READY
            else:
                upload.looks_left -= 1
        return upload

    def take(
        self,
        upload_id: str,
        *,
        account: FakeAccount | None = None,
        alt_text: str | None = None,
        is_reusable: bool = False,
    ) -> FakeMedia:
        """Attach an upload to a post: what goes into the ledger.

        Args:
            upload_id: the platform's.
            account: who posts; another's upload is refused.
            alt_text: instead of the one described before.
            is_reusable: whether one upload may go into several posts.

        Raises:
            UploadRefused: it can't be had; nothing is changed.
        """
        upload = self.find(upload_id)
        if upload is None:
            raise UploadRefused("unknown")
        if None not in (account, upload.account) and account != upload.account:
            raise UploadRefused("foreign")
        if upload.state is not UploadState.READY:
            raise UploadRefused(upload.state.value)
        if upload.is_used and not is_reusable:
            raise UploadRefused("used")
        upload.is_used = True
        return self._to_media(upload, upload.alt_text if alt_text is None else alt_text)

    def show(self, media_id: str, content: bytes, *, alt_text: str = "") -> FakeMedia:
        """Media that no upload brought, such as a picture the platform fetched itself.

        Raises:
            UploadRefused: the bytes are no media.
        """
        if find_type(content) is None:
            raise UploadRefused("failed")
        return self._to_media(FakeUpload(id=media_id, content=bytearray(content)), alt_text)

    def get_served(self, media_id: str) -> tuple[str, bytes] | None:
        """Content type and bytes of media that a post has taken; None for anything else."""
        return self._taken.get(media_id)

    def forget(self) -> None:
        """Lose every upload, as if its time were over; posts keep theirs."""
        self._held.clear()

    def _to_media(self, upload: FakeUpload, alt_text: str) -> FakeMedia:
        content = bytes(upload.content)
        found = find_type(content)
        assert found is not None  # `finish` looked
        kind, content_type = found
        self._taken[upload.id] = (content_type, content)
        return FakeMedia(
            id=upload.id,
            kind=kind,
            content_type=content_type,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            alt_text=alt_text,
            is_playable=kind is not MediaKind.VIDEO or _has_pictures(content),
        )


def _has_pictures(content: bytes) -> bool:
    """Whether a video is more than its header: MP4 keeps an index of tracks in ``trak``, WebM clusters of frames."""
    return b"trak" in content or b"\x1f\x43\xb6\x75" in content
