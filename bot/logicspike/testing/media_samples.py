"""Media for tests: a file made from bytes, and the smallest valid samples of what platforms take."""

from __future__ import annotations

import base64
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from ..plugin import Media, MediaFile, MediaKind
from .fake_uploads import find_type

__all__ = ["SAMPLE_GIF", "SAMPLE_JPEG", "SAMPLE_MP4", "SAMPLE_PNG", "MemoryFile"]

_PIECE_BYTES: Final = 64

SAMPLE_PNG: Final = base64.b64decode("""
iVBORw0KGgoAAAANSUhEUgAAABAAAAAMCAYAAABr5z2BAAAAQ0lEQVR4AdyQsQ0AIAgEP4yCq7iTOzmDq+gq2n+BBSQkkFxB83950Tmu
B4Hz4gO2LliwcLwBN/z+igbtdFjwJvkbPAAAAP//7uRwSgAAAAZJREFUAwD6Szw5D4AOewAAAABJRU5ErkJggg==
""")
"""A picture of 16 by 12 pixels."""

SAMPLE_JPEG: Final = base64.b64decode("""
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCNl4x9
lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHz/wAARCAAMABAD
ASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAT/xAAbEAACAwEBAQAAAAAAAAAAAAACEQEEEgADMf/EABUBAQEAAAAAAAAAAAAAAAAAAAMF
/8QAHBEAAQMFAAAAAAAAAAAAAAAAEgATUQIDESEi/9oADAMBAAIRAxEAPwCilWCxvclGUly7WCvjElOm304ehg8GQv6pXD9DNbMiXxy+AK3CzqFO
O20I9Sv/2Q==
""")
"""A picture of 16 by 12 pixels."""

SAMPLE_GIF: Final = base64.b64decode("""
R0lGODlhAgABAIAAACKqd//MMyH/C05FVFNDQVBFMi4wAwEAAAAh+QQAMgAAACwAAAAAAgABAAACAkQKACH5BAAyAAAALAAAAAACAAEAAAICDAoAOw==
""")
"""Two frames of 2 by 1 pixels, for ever."""


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def _build_mp4() -> bytes:
    # ISO 14496-12: a version 0 mvhd has 100 bytes; rate 1.0, volume 1.0, one second at 1000 units a second.
    header = struct.pack(">IIIIII", 0, 0, 0, 1000, 1000, 0x0001_0000) + struct.pack(">H", 0x0100) + bytes(10)
    matrix = struct.pack(">9I", 0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000)
    movie = _box(b"mvhd", header + matrix + bytes(24) + struct.pack(">I", 1))
    return _box(b"ftyp", b"isom\x00\x00\x02\x00isommp42") + _box(b"moov", movie) + _box(b"mdat", bytes(1024))


SAMPLE_MP4: Final = _build_mp4()
"""The boxes of a video, without tracks: enough to be taken for one, not to be played. Over 1 KB, as some demand."""


class MemoryFile(MediaFile):
    """A picture or video made from bytes, read in small pieces.

    Args:
        content: the bytes.
        name: the file's.
        content_type: None for what the bytes say.
        kind: None for what the content type says.
        alt_text: "" without one.
        media_id: ours.

    Attributes:
        opened: how many times it was opened.

    Raises:
        ValueError: the bytes are no media, and no type is given.
    """

    def __init__(
        self,
        content: bytes,
        *,
        name: str = "file",
        content_type: str | None = None,
        kind: MediaKind | None = None,
        alt_text: str = "",
        media_id: str = "a-medium",
    ) -> None:
        found_kind, found_type = find_type(content) or (None, None)
        chosen = content_type or found_type
        if chosen is None:
            raise ValueError("these bytes are no picture and no video; give a content_type")
        if found_kind is None:
            found_kind = MediaKind.VIDEO if chosen.startswith("video/") else MediaKind.IMAGE
        self.content = content
        self.opened = 0
        self.media = Media(
            media_id=media_id,
            kind=kind or found_kind,
            content_type=chosen,
            size=len(content),
            name=name,
            alt_text=alt_text,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read it from the beginning."""
        self.opened += 1
        yield self._read()

    async def _read(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.content), _PIECE_BYTES):
            yield self.content[start : start + _PIECE_BYTES]
