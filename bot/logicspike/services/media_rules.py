"""What platforms take of pictures and videos, by the rules they declare; pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from ..plugin.types import Limits, Media, MediaKind, MediaRule, Platform, Problem

__all__ = ["check_media", "fit_media", "kind_of", "to_size"]

_ONE: Final = {MediaKind.IMAGE: "picture", MediaKind.GIF: "GIF", MediaKind.VIDEO: "video"}
_GIF: Final = "image/gif"


def kind_of(content_type: str) -> MediaKind | None:
    """What a file is for the reader; None for what is neither picture nor video."""
    match content_type.partition("/")[0]:
        case "image":
            return MediaKind.GIF if content_type == _GIF else MediaKind.IMAGE
        case "video":
            return MediaKind.VIDEO
        case _:
            return None


def fit_media(limits: Limits, media: Sequence[Media]) -> tuple[Media, ...]:
    """Media as a platform sees them, whatever they were to another: a GIF is a picture where it is shown like one."""
    has_gifs = any(rule.kind is MediaKind.GIF for rule in limits.media)
    kinds = (kind_of(each.content_type) or each.kind for each in media)
    fitted = (MediaKind.IMAGE if kind is MediaKind.GIF and not has_gifs else kind for kind in kinds)
    return tuple(replace(each, kind=kind) for each, kind in zip(media, fitted, strict=True))


def check_media(platform: Platform, media: Sequence[Media]) -> tuple[Problem, ...]:
    """What a platform would not take of these files, worded for the author; ``()`` means fine.

    Args:
        platform: whose rules.
        media: of one post.

    Returns:
        Problems whose field is "media", or "alt_text" for descriptions.
    """
    if not media:
        return ()
    if not platform.limits.media:
        return (Problem(message=f"{platform.title} takes no files through this bot.", field="media"),)
    return tuple(_complaints(platform, fit_media(platform.limits, media)))


def _complaints(platform: Platform, media: Sequence[Media]) -> Iterator[Problem]:
    title, rules = platform.title, {rule.kind: rule for rule in platform.limits.media}
    counts = Counter(each.kind for each in media)
    for kind, count in counts.items():
        rule = rules.get(kind)
        if rule is not None and count > rule.max_count:
            yield Problem(message=f"{title} takes {_count(kind, rule.max_count)}; these are {count}.", field="media")
    if len(counts) > 1 and len(set(counts) & set(rules)) == len(counts):
        yield Problem(message=f"{title} takes {_alternatives(rules)}, not together.", field="media")
    for each in media:
        yield from _complaints_about(title, rules.get(each.kind), each)


def _complaints_about(title: str, rule: MediaRule | None, media: Media) -> Iterator[Problem]:
    if rule is None:
        yield Problem(message=f"{title} takes no {_ONE[media.kind]}s ({media.name}).", field="media")
        return
    if media.content_type not in rule.content_types:
        known = _listed([_short(each) for each in rule.content_types], "or")
        yield Problem(
            message=f"{title} takes {known}; {media.name} is {_short(media.content_type)}.",
            field="media",
        )
    if media.size > rule.max_bytes:
        yield Problem(
            message=f"{title} takes {_ONE[rule.kind]}s up to {to_size(rule.max_bytes)}; "
            f"{media.name} has {to_size(media.size)}.",
            field="media",
        )
    if rule.max_alt_text and len(media.alt_text) > rule.max_alt_text:
        yield Problem(
            message=f"{title} takes descriptions of {rule.max_alt_text:,} characters; "
            f"that of {media.name} has {len(media.alt_text):,}.",
            field="alt_text",
        )


def to_size(count: int) -> str:
    """A number of bytes as people read it: "5 MB", "1.4 GB"; the units are powers of 1024, as platforms count."""
    for unit, size in (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024)):
        if count >= size:
            return f"{count / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{count} bytes"


def _count(kind: MediaKind, count: int) -> str:
    return f"one {_ONE[kind]}" if count == 1 else f"{count} {_ONE[kind]}s at most"


def _alternatives(rules: dict[MediaKind, MediaRule]) -> str:
    return _listed(
        [f"one {_ONE[kind]}" if rule.max_count == 1 else f"{_ONE[kind]}s" for kind, rule in rules.items()], "or"
    )


def _short(content_type: str) -> str:
    """ "JPEG" for ``image/jpeg``."""
    return _NAMES.get(content_type) or content_type.partition("/")[2].removeprefix("x-").upper()


_NAMES: Final = {"video/quicktime": "MOV", "image/svg+xml": "SVG"}


def _listed(words: Sequence[str], joint: str) -> str:
    *others, last = words
    return f"{', '.join(others)} {joint} {last}" if others else last
