"""Reads the card of a post's link: what its page says of itself, and its picture."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from ..file_types import ENOUGH, find_content_type
from ..link_pages import LinkPages, PageUnreadable, WebPage
from ..page_summary import PageSummary, SummaryReader
from ..plugin import LinkCard, Media, MediaFile, MediaKind

__all__ = ["LinkCards"]

log = logging.getLogger(__name__)

_MAX_PAGE_BYTES: Final = 1024 * 1024
_MAX_PICTURE_BYTES: Final = 5 * 1024 * 1024
_PAGES: Final = ("text/html", "application/xhtml+xml")
_PICTURES: Final = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}
_PIECE_BYTES: Final = 64 * 1024


class LinkCards:
    """Reads link cards, and never stands in a post's way: what can't be read is left out of the card.

    Args:
        pages: opens what links lead to.
    """

    def __init__(self, pages: LinkPages) -> None:
        self._pages = pages

    async def read(self, link: str) -> LinkCard | None:
        """The card of a link, with the host as its title where the page has none or can't be read.

        Args:
            link: the address in the post.

        Returns:
            The card; None when the link is no web address.
        """
        host = _find_host(link)
        if host is None:
            return None
        try:
            url, summary = await self._read_page(link)
        except PageUnreadable as error:
            _report("page", host, error)
            return LinkCard(url=link, title=host)
        try:
            picture = await self._read_picture(url, summary) if summary.picture else None
        except PageUnreadable as error:
            _report("picture", host, error)
            picture = None
        return LinkCard(url=link, title=summary.title or host, description=summary.description, picture=picture)

    async def _read_page(self, link: str) -> tuple[str, PageSummary]:
        async with self._pages.read(link, accept=", ".join(_PAGES)) as page:
            if page.content_type not in {"", *_PAGES}:
                raise PageUnreadable("it is no web page")
            reader = SummaryReader(page.charset)
            count = 0
            async for piece in page.pieces:
                reader.feed(piece)
                count += len(piece)
                if reader.is_done or count >= _MAX_PAGE_BYTES:
                    break
            return page.url, reader.finish()

    async def _read_picture(self, url: str, summary: PageSummary) -> MediaFile:
        async with self._pages.read(summary.picture, accept=", ".join(_PICTURES), base=url) as page:
            return await _to_picture(page, summary.picture_alt)


class _CardPicture(MediaFile):
    """A page's picture, which is small, and read once so that it is the one that was looked at."""

    def __init__(self, media: Media, content: bytes) -> None:
        self.media = media
        self._content = content

    def open(self) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        yield self._cut()

    async def _cut(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), _PIECE_BYTES):
            yield self._content[start : start + _PIECE_BYTES]


async def _to_picture(page: WebPage, alt_text: str) -> MediaFile:
    """Read a picture for as long as it is one.

    Raises:
        PageUnreadable: it is too large, or no picture.
    """
    content, content_type = bytearray(), ""
    async for piece in page.pieces:
        content += piece
        if not content_type and len(content) >= ENOUGH:
            content_type = _check_type(content)
        if len(content) > _MAX_PICTURE_BYTES:
            raise PageUnreadable(f"it is larger than {_MAX_PICTURE_BYTES} bytes")
    content_type = content_type or _check_type(content)
    media = Media(
        media_id=f"card-{hashlib.sha256(content).hexdigest()[:16]}",
        kind=MediaKind.IMAGE,
        content_type=content_type,
        size=len(content),
        name=f"picture.{_PICTURES[content_type]}",
        alt_text=alt_text,
    )
    return _CardPicture(media, bytes(content))


def _check_type(content: bytearray) -> str:
    """Tell a picture's type by its first bytes, whatever its server calls it."""
    found = find_content_type(bytes(content[:ENOUGH]))
    if found not in _PICTURES:
        raise PageUnreadable("it is no picture that platforms show")
    return found


def _find_host(link: str) -> str | None:
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    return parts.hostname if parts.scheme in {"http", "https"} and parts.hostname else None


def _report(what: str, host: str, error: PageUnreadable) -> None:
    # The host alone: the rest of an address may be meant for the author's eyes only.
    log.info(
        "The %s of a link to %s can't be read: %s.",
        what,
        host,
        error.reason,
        extra={"event": "link_card.unreadable", "host": host},
    )
