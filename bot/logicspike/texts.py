"""What is read from, and made of, the texts that people and platforms write; pure functions."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["first_link", "make_nickname", "normalize_text"]

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


def make_nickname(platform: str, account_name: str, taken: frozenset[str]) -> str:
    """Make a short name for an account: ``chirp:acme-inc``, with a number where it is taken."""
    ascii_name = unicodedata.normalize("NFKD", account_name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:24].strip("-") or "account"
    plain = f"{platform}:{slug}"
    if plain not in taken:
        return plain
    return next(f"{plain}-{n}" for n in range(2, len(taken) + 3) if f"{plain}-{n}" not in taken)
