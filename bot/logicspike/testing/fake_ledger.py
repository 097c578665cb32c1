"""What a fake platform made public: its posts, with their media, link cards and replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..plugin import MediaKind
from .fake_oauth import FakeAccount

__all__ = ["FakeCard", "FakeMedia", "LedgerEntry", "build_threads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeMedia:
    """A picture or video of a post; the fake serves its bytes at ``/sandbox/media/{id}``.

    Attributes:
        id: the platform's.
        kind: what it is for the reader.
        content_type: as found in the bytes.
        size: of the bytes.
        sha256: of the bytes, in hexadecimal.
        alt_text: "" without one.
        is_playable: whether a browser can show more of a video than its name.
    """

    id: str
    kind: MediaKind
    content_type: str
    size: int
    sha256: str
    alt_text: str = ""
    is_playable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeCard:
    """What a post shows of its link."""

    title: str
    description: str = ""
    picture: FakeMedia | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One post the platform really took: the truth that tests compare with.

    Attributes:
        id: the platform's.
        account: whose post it is.
        text: as it is shown.
        link: the address its card leads to.
        at: when it was taken.
        media: in the order they are shown.
        reply_to: id of the entry it replies to, or comments on.
        card: what is shown of the link.
    """

    id: str
    account: FakeAccount
    text: str
    link: str | None
    at: datetime
    media: tuple[FakeMedia, ...] = ()
    reply_to: str | None = None
    card: FakeCard | None = None


def build_threads(ledger: Sequence[LedgerEntry]) -> tuple[tuple[LedgerEntry, ...], ...]:
    """Gather replies under the post that their chain begins with, in order; the newest post first."""
    by_id = {entry.id: entry for entry in ledger}
    threads: dict[str, list[LedgerEntry]] = {}
    for entry in ledger:
        threads.setdefault(_find_root(entry, by_id).id, []).append(entry)
    return tuple(tuple(thread) for thread in reversed(threads.values()))


def _find_root(entry: LedgerEntry, by_id: dict[str, LedgerEntry]) -> LedgerEntry:
    seen = {entry.id}
    while entry.reply_to in by_id and entry.reply_to not in seen:
        entry = by_id[entry.reply_to]
        seen.add(entry.id)
    return entry
