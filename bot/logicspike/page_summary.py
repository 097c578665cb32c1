"""What a web page says of itself in its head: title, description and picture; read piece by piece, pure.

Python's own HTML tokenizer reads it: parsers that build the tree take minutes for a megabyte of nested tags (lxml and
selectolax were tried), and the head needs no tree.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

import webencodings

__all__ = ["PageSummary", "SummaryReader"]

_PRESCAN_BYTES: Final = 1024  # where browsers, too, look for a page's own word on its encoding (HTML 13.2.3.2)
_MAX_UNFINISHED: Final = 128 * 1024  # a tag or comment that goes on and on is read anew with each piece
_MAX_TITLE: Final = 300
_MAX_DESCRIPTION: Final = 1000
_MAX_ALT_TEXT: Final = 400

_TITLES: Final = ("og:title", "twitter:title", "<title>")
_DESCRIPTIONS: Final = ("og:description", "twitter:description", "description")
_PICTURES: Final = ("og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src")
_ALT_TEXTS: Final = ("og:image:alt", "twitter:image:alt")

_BLANK: Final = re.compile(r"\s+")
# Control characters, and those that turn the direction of what follows them.
_UNWANTED: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([^\s\"';]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSummary:
    """What a page says of itself; "" where it says nothing.

    Attributes:
        title: one line.
        description: one line.
        picture: the address of its picture, as it stands there, maybe relative to the page's.
        picture_alt: what the picture shows.
    """

    title: str = ""
    description: str = ""
    picture: str = ""
    picture_alt: str = ""


class SummaryReader:
    """Takes a page's bytes in order until it has seen the head.

    Args:
        charset: the encoding the server named; None when it named none.
    """

    def __init__(self, charset: str | None = None) -> None:
        self._encoding = webencodings.lookup(charset) if charset and charset.isascii() else None
        self._held = b""
        self._decoder: webencodings.IncrementalDecoder | None = None
        self._head = _HeadParser()

    @property
    def is_done(self) -> bool:
        """Whether nothing that comes can change the summary."""
        return self._head.is_over or len(self._head.rawdata) > _MAX_UNFINISHED

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        if self._decoder is None:
            self._held += piece
            if len(self._held) < _PRESCAN_BYTES:
                return
            piece = self._begin()
        if not self.is_done and self._decoder is not None:
            self._head.feed(self._decoder.decode(piece))

    def finish(self) -> PageSummary:
        """Say what was found in all that was fed."""
        if self._decoder is None:
            self.feed(b" " * _PRESCAN_BYTES)
        return PageSummary(
            title=self._pick(_TITLES, _MAX_TITLE),
            description=self._pick(_DESCRIPTIONS, _MAX_DESCRIPTION),
            picture=self._pick(_PICTURES),
            picture_alt=self._pick(_ALT_TEXTS, _MAX_ALT_TEXT),
        )

    def _begin(self) -> bytes:
        encoding = self._encoding or _find_declared(self._held[:_PRESCAN_BYTES])
        # Undeclared, most pages are UTF-8 today; what isn't is kept as it came, and told apart text by text.
        self._decoder = (
            webencodings.IncrementalDecoder(encoding)
            if encoding
            else webencodings.IncrementalDecoder(webencodings.UTF8, errors="surrogateescape")
        )
        return self._held

    def _pick(self, names: tuple[str, ...], limit: int | None = None) -> str:
        texts = (_clean(self._head.facts.get(name, "")) for name in names)
        text = next((text for text in texts if text), "")
        return text if limit is None or len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


class _HeadParser(HTMLParser):
    """Collects the facts of a page's head, the first of each name."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.facts: dict[str, str] = {}
        self.charset: str | None = None
        self.is_over = False
        self._is_in_title = False

    def feed(self, data: str) -> None:
        try:
            super().feed(data)
        except AssertionError:  # what it raises for declarations that make no sense (CPython 3.11, _markupbase.py)
            self.is_over = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.is_over:
            return
        if tag == "meta":
            self._take_meta({name: value or "" for name, value in reversed(attrs)})
        elif tag == "title":
            self._is_in_title = "<title>" not in self.facts
        elif tag == "body":
            self.is_over = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._is_in_title = False
        elif tag == "head":
            self.is_over = True

    def handle_data(self, data: str) -> None:
        if self._is_in_title and not self.is_over:
            self.facts["<title>"] = self.facts.get("<title>", "") + data

    def _take_meta(self, attributes: dict[str, str]) -> None:
        content = attributes.get("content", "")
        for name in (attributes.get("property", ""), attributes.get("name", "")):
            if name and content.strip():
                self.facts.setdefault(name.strip().lower(), content)
        if self.charset is None:
            found = _CHARSET.search(content) if attributes.get("http-equiv", "").lower() == "content-type" else None
            self.charset = attributes.get("charset") or (found[1] if found else None)


def _find_declared(beginning: bytes) -> webencodings.Encoding | None:
    head = _HeadParser()
    head.feed(beginning.decode("latin-1"))
    found = webencodings.lookup(head.charset) if head.charset else None
    # What reads as ASCII so far can't be UTF-16, whatever it says (HTML 13.2.3.2).
    return webencodings.UTF8 if found is not None and found.name.startswith("utf-16") else found


def _clean(text: str) -> str:
    """Bring a page's words to one line of clean text."""
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes that weren't UTF-8
        text = text.encode(errors="surrogateescape").decode("windows-1252", "replace")
    text = _UNWANTED.sub("", unicodedata.normalize("NFC", text))
    return _BLANK.sub(" ", text).strip()
