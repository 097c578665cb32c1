"""Recognising a post of ours in what X gives back: X shortens links and escapes ``&``, ``<`` and ``>``.

Behind the text of a post with pictures or a video, X puts one more link, to the post's own page for them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .weighted_length import find_links

__all__ = ["ReadPost", "Wanted", "is_same_text", "is_wanted", "parse_posts"]

_OWN_MEDIA: Final = re.compile(r"https?://[^/]+/[^/]+/status/([0-9]+)/(?:photo|video)/[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPost:
    """A post of a timeline.

    Attributes:
        id: X's.
        text: with the links as they were before X shortened them.
        media_ids: of its pictures or video.
        reply_to: the id of the post it replies to.
    """

    id: str
    text: str
    media_ids: frozenset[str] = frozenset()
    reply_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for in a timeline.

    Attributes:
        text: of the post.
        media_ids: its uploads, which no other post has; they decide where there are any.
        reply_to: the id of the post it replies to.
    """

    text: str
    media_ids: frozenset[str] = frozenset()
    reply_to: str | None = None


def parse_posts(page: Mapping[str, Any]) -> tuple[ReadPost, ...]:
    """Read the posts of a timeline answer, in its order (newest first); what has no id or text is left out."""
    entries = page.get("data")
    if not isinstance(entries, list):
        return ()
    return tuple(
        _parse_post(entry)
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("id"), str) and isinstance(entry.get("text"), str)
    )


def _parse_post(entry: Mapping[str, Any]) -> ReadPost:
    return ReadPost(
        id=entry["id"],
        text=_restore(entry["id"], entry["text"], entry.get("entities")),
        media_ids=frozenset(_media_ids(entry.get("attachments"))),
        reply_to=next(_replied_to(entry), None),
    )


def _media_ids(attachments: object) -> Iterator[str]:
    keys = attachments.get("media_keys") if isinstance(attachments, dict) else None
    for key in keys if isinstance(keys, list) else ():
        if isinstance(key, str):
            # A key is the kind's number, an underscore, and the id (docs.x.com/x-api/media, checked 2026-11-25).
            yield key.rpartition("_")[2]


def _replied_to(entry: Mapping[str, Any]) -> Iterator[str]:
    # X's description of its API has both names, as it has "tweet" and "post" (openapi.json, checked 2026-11-25).
    for name in ("referenced_tweets", "referenced_posts"):
        references = entry.get(name)
        for reference in references if isinstance(references, list) else ():
            is_parent = isinstance(reference, dict) and reference.get("type") == "replied_to"
            if is_parent and isinstance(reference.get("id"), str):
                yield reference["id"]


def is_wanted(read: ReadPost, wanted: Wanted) -> bool:
    """Tell whether this is the post that is looked for."""
    if read.reply_to != wanted.reply_to:
        return False
    return read.media_ids == wanted.media_ids if wanted.media_ids else is_same_text(read, wanted.text)


def is_same_text(read: ReadPost, text: str) -> bool:
    """Tell whether this is the post with that text, however X wrote its white space and links."""
    return _comparable(read.text) == _comparable(text)


def _restore(post_id: str, text: str, entities: object) -> str:
    for short, full in _links(entities):
        own = _OWN_MEDIA.fullmatch(full)
        text = text.replace(short, "" if own and own[1] == post_id else full)
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
