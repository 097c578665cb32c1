"""Recognising a post of ours in what X gives back: X shortens links and escapes ``&``, ``<`` and ``>``."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .weighted_length import find_links

__all__ = ["ReadPost", "is_same_text", "parse_posts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPost:
    """A post of a timeline: its id and its text with the links as they were before X shortened them."""

    id: str
    text: str


def parse_posts(page: Mapping[str, Any]) -> tuple[ReadPost, ...]:
    """Read the posts of a timeline answer, in its order (newest first); what has no id or text is left out."""
    entries = page.get("data")
    if not isinstance(entries, list):
        return ()
    return tuple(
        ReadPost(id=entry["id"], text=_restore(entry["text"], entry.get("entities")))
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("id"), str) and isinstance(entry.get("text"), str)
    )


def is_same_text(read: ReadPost, text: str) -> bool:
    """Tell whether this is the post with that text, however X wrote its white space and links."""
    return _comparable(read.text) == _comparable(text)


def _restore(text: str, entities: object) -> str:
    for short, full in _links(entities):
        text = text.replace(short, full)
    return _unescape(text)


def _links(entities: object) -> list[tuple[str, str]]:
    links = entities.get("urls") if isinstance(entities, dict) else None
    return [
        (link["url"], link["expanded_url"])
        for link in (links if isinstance(links, list) else ())
        if isinstance(link, dict) and isinstance(link.get("url"), str) and isinstance(link.get("expanded_url"), str)
    ]


def _unescape(text: str) -> str:
    # Only these three are escaped (docs.x.com/x-api/fundamentals/data-dictionary, checked 2026-11-23).
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _comparable(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    pieces, position = [], 0
    for link in find_links(text):
        pieces += [text[position : link.start], _bare_address(link.address)]
        position = link.end
    return " ".join("".join([*pieces, text[position:]]).split())


def _bare_address(address: str) -> str:
    # X writes "http://" in front of a bare domain name, and a slash behind it.
    return address.partition("://")[2].rstrip("/") if "://" in address else address.rstrip("/")
