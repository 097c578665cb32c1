"""How Mastodon counts a post: each address as 23 characters, a mention without its server.

Mastodon counts graphemes, we count code points: never less than it does, so what fits here fits there
(app/validators/status_length_validator.rb, checked 2026-11).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["MAX_CHARS", "count_characters"]

MAX_CHARS: Final = 500
"""What a server allows unless its admins have raised it; none allows less."""

_ADDRESS: Final = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?'()\[\]{}]", re.IGNORECASE)
_ADDRESS_CHARS: Final = 23
_MENTION: Final = re.compile(r"(?<![\w/@])(@[a-z0-9_]+(?:[a-z0-9_.-]*[a-z0-9_])?)@[a-z0-9.-]*[a-z0-9]", re.IGNORECASE)


def count_characters(text: str) -> int:
    """Count a text as Mastodon does."""
    counted = _ADDRESS.sub("x" * _ADDRESS_CHARS, unicodedata.normalize("NFC", text))
    return len(_MENTION.sub(r"\1", counted))
