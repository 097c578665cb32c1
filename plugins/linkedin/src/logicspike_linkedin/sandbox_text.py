"""How the stand-in reads a post's text: an own reading of LinkedIn's format, apart from the code that writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["LittleText", "count_units", "read_little_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LittleText:
    """What readers see of a commentary."""

    text: str
    hashtags: tuple[str, ...]
    is_cut: bool


# learn.microsoft.com/linkedin/marketing/community-management/shares/little-text-format, checked 2026-11-23
_ELEMENT: Final = re.compile(
    r"\\(?P<escaped>[\\|{}@\[\]()<>#*_~])"
    r"|(?P<hashtag>\#[^\W_]+)"
    r"|\{hashtag\|\\?[#＃]\|(?P<template>[^\\|{}@\[\]()<>#*_~]+)\}"
    r"|@\[(?P<mention>[^\]]*)\]\(urn:li:(?:person|organization):[\w-]+\)"
    r"|(?P<plain>[^\\|{}@\[\]()<>#*_~])",
    re.DOTALL,
)


def read_little_text(commentary: str) -> LittleText:
    """Read a commentary as LinkedIn does, dropping without an error all that follows the first markup it can't read.

    That is a reserved character which is neither escaped nor part of a hashtag or a mention. Observed:
    github.com/ComposioHQ/composio/issues/3185, github.com/n8n-io/n8n/issues/10179 (2026-11-23).
    """
    shown, hashtags, at = [], [], 0
    while element := _ELEMENT.match(commentary, at):
        at = element.end()
        kind, value = next((kind, value) for kind, value in element.groupdict().items() if value is not None)
        if kind in {"hashtag", "template"}:
            value = f"#{value.removeprefix('#')}"
            hashtags.append(value)
        shown.append(value)
    return LittleText(text="".join(shown), hashtags=tuple(hashtags), is_cut=at < len(commentary))


def count_units(text: str) -> int:
    """Count a text as it was sent, in UTF-16 code units: the strictest reading of an undocumented limit."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2
