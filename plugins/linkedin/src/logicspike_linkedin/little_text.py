"""LinkedIn's "little" text format: what a post's text must look like on the wire, and how long it may be.

The commentary of a post is markup. A reserved character that is not escaped doesn't fail: LinkedIn answers 201 and
publishes the text only up to it (github.com/ComposioHQ/composio/issues/2710 and 3185, checked 2026-11-23).
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["MAX_CHARS", "MAX_COMMENT_CHARS", "count_characters", "to_little_text", "to_plain_text"]

MAX_CHARS: Final = 3000
"""Longest text of a post: LinkedIn's composer stops there; the API names the error (``FIELD_LENGTH_TOO_LONG``) but no
number (learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api, checked 2026-11-23)."""
MAX_COMMENT_CHARS: Final = 1250
"""Longest text of a comment, which is plain text and no markup: LinkedIn's own page stops there, and so do other
schedulers (docs of Publora, checked 2026-11-25); the API's documentation names no number."""

# Reserved characters, and a hashtag as "#" before a single word:
# learn.microsoft.com/linkedin/marketing/community-management/shares/little-text-format, checked 2026-11-23.
# A "#" starts a hashtag only where a word can start, and only before a word with a letter in it: "C#", "#1" and the
# fragment of an address stay text. The word itself is not part of the match, because a "_" in it is to be escaped.
_HASHTAG_SIGN: Final = r"(?<![\w#/&?=.\-])\#(?=\d*[^\W\d_])"
_PIECE: Final = re.compile(rf"(?P<hashtag>{_HASHTAG_SIGN})|(?P<reserved>[\\|{{}}@\[\]()<>\#*_~])")

_READ_BACK: Final = re.compile(
    r"\\(?P<escaped>[\\|{}@\[\]()<>#*_~])"
    r"|\{hashtag\|\\?[#＃]\|(?P<hashtag>[^|{}]+)\}"
    r"|@\[(?P<mention>[^\]]*)\]\(urn:li:[\w:-]+\)"
)


def to_little_text(text: str) -> str:
    r"""Escape a plain text so that all of it is published and its hashtags stay hashtags.

    ``"Ask (us) about C# #launch"`` becomes ``r"Ask \(us\) about C\# #launch"``. Mentions are not made: an ``@`` is
    published as it is written.
    """
    return _PIECE.sub(lambda piece: piece[0] if piece["hashtag"] else f"\\{piece[0]}", text)


def to_plain_text(commentary: str) -> str:
    """Read a commentary back as people see it, whether LinkedIn kept its hashtags as written or as templates."""

    def show(piece: re.Match[str]) -> str:
        if piece["hashtag"] is not None:
            return f"#{to_plain_text(piece['hashtag'])}"
        return piece["escaped"] or piece["mention"] or ""

    return _READ_BACK.sub(show, commentary)


def count_characters(text: str) -> int:
    """Count a text in UTF-16 code units: an emoji counts as two or more.

    LinkedIn documents neither its unit nor whether escapes count. With this unit, and counted as it is sent, a text
    passes by any reading; a longer one might be cut without an error (observed, unattributed, checked 2026-11-25).
    """
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2
