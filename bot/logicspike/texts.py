"""What is read from, and made of, the texts that people and platforms write; pure functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

__all__ = ["first_link", "join_parts", "make_nickname", "normalize_text", "split_parts", "storable"]

_LINK: Final = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_CLOSING: Final = {")": "(", "]": "[", "}": "{"}
_ENDS_SENTENCE: Final = frozenset(".,;:!?…'*`’”»")


def first_link(text: str) -> str | None:
    """Find the first http(s) address in a text, without the punctuation that ends the sentence around it."""
    return next((link for match in _LINK.finditer(text) if (link := _trim_link(match[0])) is not None), None)


def _trim_link(link: str) -> str | None:
    while link[-1] in _ENDS_SENTENCE or (
        link[-1] in _CLOSING and link.count(_CLOSING[link[-1]]) < link.count(link[-1])
    ):
        link = link[:-1]
    return None if link.casefold() in {"http://", "https://"} else link


def normalize_text(text: str) -> str:
    """Bring a text to the form it is stored and sent in: NFC, line breaks as ``\\n``, no blank ends."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


_DASHES: Final = {"-": 1, "–": 1, "—": 2}
"""What each stands for: phones and Macs make "—" of two hyphens, and "—-" of three."""
_FENCE: Final = "```"
_PARTING_LINE: Final = "---"


def split_parts(text: str) -> tuple[str, ...]:
    """Part a text by its lines of nothing but three or more dashes; one part where it has none.

    A line between two fences of back-ticks belongs to the code there. Each part comes back without blank ends, and is
    "" where nothing was written: before a first such line, after a last one, or between two.
    """
    parts: list[list[str]] = [[]]
    lines = normalize_text(text).split("\n")
    fences = [number for number, line in enumerate(lines) if line.lstrip().startswith(_FENCE)]
    pairs = zip(fences[::2], fences[1::2], strict=False)  # a fence that nothing closes is none
    code = {number for opening, closing in pairs for number in range(opening, closing)}
    for number, line in enumerate(lines):
        if number not in code and _parts_a_text(line):
            parts.append([])
        else:
            parts[-1].append(line)
    return tuple("\n".join(part).strip() for part in parts)


def _parts_a_text(line: str) -> bool:
    dashes = line.strip()
    return set(dashes) <= _DASHES.keys() and sum(_DASHES[each] for each in dashes) >= len(_PARTING_LINE)


def join_parts(parts: Iterable[str]) -> str:
    """Put parts together to a text that ``split_parts`` takes apart again."""
    return f"\n{_PARTING_LINE}\n".join(parts)


def make_nickname(platform: str, account_name: str, taken: frozenset[str]) -> str:
    """Make a short name for an account: ``chirp:acme-inc``, with a number where it is taken."""
    ascii_name = unicodedata.normalize("NFKD", account_name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:24].strip("-") or "account"
    plain = f"{platform}:{slug}"
    if plain not in taken:
        return plain
    return next(f"{plain}-{n}" for n in range(2, len(taken) + 3) if f"{plain}-{n}" not in taken)


def storable(text: str) -> str:
    """What a plugin says may hold half a character, which no database takes."""
    return text.encode("utf-8", "replace").decode()
