"""Slack's text format: what people and platforms wrote can neither notify anybody nor be taken for markup."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlsplit

from .times import describe_clock, describe_day, find_zone

__all__ = [
    "bullets",
    "clip",
    "clip_markup",
    "code",
    "escape",
    "is_web_address",
    "link",
    "measure",
    "mention",
    "name",
    "one_line",
    "prose",
    "show_day_and_time",
    "show_time",
    "zone_name",
]

# docs.slack.dev/messaging/formatting-message-text, checked 2026-11: these three and no others
_ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_NAME_UNITS: Final = 60
_CODE_UNITS: Final = 120
_ELLIPSIS: Final = "…"


def escape(text: str) -> str:
    """Make any text safe to stand in mrkdwn: no mention, link or date token survives."""
    return text.translate(_ENTITIES)


def measure(text: str) -> int:
    """Count UTF-16 units, the strictest way in which a limit of Slack's can be meant."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clip(text: str, limit: int) -> str:
    """Shorten a text to a number of UTF-16 units, its ellipsis included, without splitting what is seen as one sign."""
    if measure(text) <= limit:
        return text
    end = units = 0
    for position, char in enumerate(text):
        units += measure(char)
        if units > limit - 1:
            break
        end = position + 1
    while end > 0 and not _is_edge(text, end):
        end -= 1
    return text[:end].rstrip() + _ELLIPSIS


_JOINER: Final = "\u200d"
_REGIONAL: Final = ("\U0001f1e6", "\U0001f1ff")
_SKIN: Final = ("\U0001f3fb", "\U0001f3ff")


def _is_edge(text: str, position: int) -> bool:
    """Whether a text may be cut here: the rules of UAX #29 that matter in practice, without tables."""
    before, after = text[position - 1], text[position]
    if after == _JOINER or before == _JOINER or _SKIN[0] <= after <= _SKIN[1] or (before, after) == ("\r", "\n"):
        return False
    if unicodedata.category(after) in {"Mn", "Me", "Mc"} or "\U000e0020" <= after <= "\U000e007f":
        return False
    if _is_regional(before) and _is_regional(after):
        run = next((count for count in range(position) if not _is_regional(text[position - 1 - count])), position)
        return run % 2 == 0
    return not (_is_jamo(before) and _is_jamo(after))


def _is_regional(char: str) -> bool:
    return _REGIONAL[0] <= char <= _REGIONAL[1]


def _is_jamo(char: str) -> bool:
    return "\u1100" <= char <= "\u11ff"


_MARKUP: Final = re.compile(r"<[^<>]*>|&(?:amp|lt|gt);|[\s\S]")


def clip_markup(markup: str, limit: int) -> str:
    """Shorten mrkdwn without cutting through a token or an entity."""
    if measure(markup) <= limit:
        return markup
    kept, units = [], 0
    for match in _MARKUP.finditer(markup):
        units += measure(match[0])
        if units > limit - 1:
            break
        kept.append(match[0])
    return "".join(kept).rstrip() + _ELLIPSIS


def one_line(text: str, limit: int) -> str:
    """Bring a text to one line of a bounded length, without control and direction signs that could disguise it."""
    spaced = " ".join(text.split())[: 4 * limit]
    kept = (char for char in spaced if char not in _TURNS and unicodedata.category(char) not in {"Cc", "Cs"})
    return clip("".join(kept), limit)


_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def prose(text: str, limit: int = 800) -> str:
    """Prepare somebody else's sentences to stand in mrkdwn."""
    return escape(one_line(text, limit))


def name(text: str) -> str:
    """Prepare somebody's or something's name to stand in mrkdwn."""
    return escape(one_line(text, _NAME_UNITS)) or "–"


def code(text: str) -> str:
    """Show something that can be typed."""
    shown = one_line(text, _CODE_UNITS).replace("`", "'")
    return f"`{escape(shown)}`"


def bullets(lines: tuple[str, ...]) -> str:
    """Set mrkdwn lines as a list."""
    return "\n".join(f"• {line}" for line in lines)


_MEMBER_ID: Final = re.compile(r"[UW][A-Z0-9]{1,30}", re.ASCII)


def mention(user_id: str) -> str:
    """Name a member by id; use it in private messages only, where it can't disturb anybody."""
    return f"<@{user_id}>" if _MEMBER_ID.fullmatch(user_id) else "its owner"


def is_web_address(url: str | None) -> bool:
    """Tell whether an address may stand behind a link or a button."""
    if url is None or measure(url) > 2900:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def link(url: str, words: str | None = None) -> str:
    """Show an address that can be clicked, and read and copied as well; or words, ready for mrkdwn, that lead there."""
    label = f"|{words}" if words else ""
    return f"<{escape(quote(url, safe=_URL_SAFE))}{label}>"


_URL_SAFE: Final = ":/?#[]@!$&'()*+,;=%-._~"


def show_day_and_time(at: datetime, zone: str) -> str:
    """Show a moment in each reader's own zone; in the given one where the reader's program can't."""
    local = at.astimezone(find_zone(zone))
    fallback = f"{describe_day(local)}, {describe_clock(local)} ({zone_name(zone)})"
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{fallback}>"


def show_time(at: datetime, zone: str) -> str:
    """Show a time of day in each reader's own zone; in the given one where the reader's program can't."""
    fallback = f"{describe_clock(at.astimezone(find_zone(zone)))} ({zone_name(zone)})"
    return f"<!date^{int(at.timestamp())}^{{time}}|{fallback}>"


def zone_name(zone: str) -> str:
    """The name of the zone that is really used."""
    return find_zone(zone).key
