"""Posts as the fake X gives them back: links shortened, ``&``, ``<`` and ``>`` escaped, a link to their pictures."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from logicspike.testing import LedgerEntry

from .sandbox_ids import number_of
from .sandbox_uploads import to_media_key
from .weighted_length import find_links

__all__ = ["as_page", "as_read"]


def as_page(entries: Sequence[LedgerEntry], *, first: int, size: int, fields: frozenset[str]) -> dict[str, Any]:
    """One page of a timeline; the fields beside id and text as they were asked for."""
    shown = entries[first : first + size]
    meta: dict[str, Any] = {"result_count": len(shown)}
    if not shown:
        return {"meta": meta}
    meta |= {"newest_id": shown[0].id, "oldest_id": shown[-1].id}
    if first + size < len(entries):
        meta["next_token"] = str(first + size)
    always = {"id", "text", "edit_history_tweet_ids"}
    posts = [{name: value for name, value in as_read(entry).items() if name in always | fields} for entry in shown]
    return {"data": posts, "meta": meta}


def as_read(entry: LedgerEntry) -> dict[str, Any]:
    """A post with every field that the fake knows."""
    text, urls = _shorten_links(entry)
    if entry.media:
        short = _shorten(entry, len(urls))
        text = f"{text} {short}" if text else short
        span = {"start": len(text) - len(short), "end": len(text), "url": short}
        urls += [span | _media_link(entry, short, number) for number in range(len(entry.media))]
    post: dict[str, Any] = {"id": entry.id, "text": text, "edit_history_tweet_ids": [entry.id]}
    if urls:
        post["entities"] = {"urls": urls}
    if entry.media:
        post["attachments"] = {"media_keys": [to_media_key(medium.id, medium.kind) for medium in entry.media]}
    if entry.reply_to is not None:
        post["referenced_tweets"] = [{"type": "replied_to", "id": entry.reply_to}]
    return post


def _shorten_links(entry: LedgerEntry) -> tuple[str, list[dict[str, Any]]]:
    text, urls, position = "", list[dict[str, Any]](), 0
    for number, link in enumerate(find_links(entry.text)):
        short = _shorten(entry, number)
        text += html.escape(entry.text[position : link.start], quote=False)
        span = {"start": len(text), "end": len(text) + len(short), "url": short}
        full = link.address if "://" in link.address else f"http://{link.address}"
        urls.append(span | {"expanded_url": full, "display_url": full.partition("://")[2][:30]})
        text += short
        position = link.end
    return text + html.escape(entry.text[position:], quote=False), urls


def _shorten(entry: LedgerEntry, number: int) -> str:
    return f"https://t.co/{number_of(entry.id) * 256 + number:010x}"


def _media_link(entry: LedgerEntry, short: str, number: int) -> dict[str, Any]:
    medium = entry.media[number]
    kind = "video" if medium.kind == "video" else "photo"
    return {
        "expanded_url": f"https://x.com/{entry.account.handle}/status/{entry.id}/{kind}/{number + 1}",
        "display_url": f"pic.x.com/{short[-10:]}",
        "media_key": to_media_key(medium.id, medium.kind),
    }
