"""The bytes of a post's pictures and videos, streamed: never whole in memory, and readable again for another try."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from aiohttp.payload import AsyncIterablePayload, Payload

from .types import Media

__all__ = ["LinkCard", "MediaFile", "in_chunks", "to_payload"]


class MediaFile(ABC):
    """A picture or video with its bytes; the host implements it.

    Attributes:
        media: what it is.
    """

    media: Media

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read it from the beginning, in pieces of the host's size; open it again to read it again.

        Raises:
            PlatformUnavailable: its source doesn't answer.
            PostRejected: it is gone, or not what it was when the post was scheduled.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCard:
    """What a post's link leads to, as its page says of itself.

    Attributes:
        url: the post's link.
        title: never empty; the address's host where the page has none.
        description: "" where the page has none.
        picture: the page's picture, checked like any other; None where there is none that can be used.
    """

    url: str
    title: str
    description: str = ""
    picture: MediaFile | None = None


async def in_chunks(stream: AsyncIterable[bytes], size: int) -> AsyncIterator[bytes]:
    """Cut a stream into pieces of one size, but for the last: for platforms that take a file part by part.

    Args:
        stream: from ``MediaFile.open``.
        size: bytes of each piece.
    """
    held = bytearray()
    async for piece in stream:
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)


class _SizedPayload(AsyncIterablePayload):
    """aiohttp sends a stream in chunks of unknown number, which upload servers refuse, unless it knows the size.

    Its payloads keep that in ``_size`` (aiohttp 3.14.5, payload.py).
    """

    def __init__(self, stream: AsyncIterable[bytes], *, size: int, content_type: str) -> None:
        super().__init__(stream, content_type=content_type)
        self._size = size


def to_payload(media: Media, stream: AsyncIterable[bytes], *, content_type: str | None = None) -> Payload:
    """Make a request body, or a field of ``aiohttp.FormData``, of a stream, with a Content-Length.

    Args:
        media: whose size is sent ahead.
        stream: from ``MediaFile.open``; it may be sent once.
        content_type: instead of the medium's own, such as ``application/octet-stream``.
    """
    return _SizedPayload(stream, size=media.size, content_type=content_type or media.content_type)
