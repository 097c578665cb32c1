"""What LinkedIn would refuse of a post, worded for its author before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from logicspike.plugin import MediaKind, Post, Problem, TextLength

from .little_text import MAX_CHARS, MAX_COMMENT_CHARS, count_characters, to_little_text

__all__ = ["list_problems", "measure_text"]

# learn.microsoft.com/linkedin/marketing/community-management/shares/videos-api, checked 2026-11-25
_SMALLEST_VIDEO: Final = 75 * 1024


def measure_text(post: Post) -> TextLength:
    """How long the text is as it is sent, and may be: a comment, which has no markup to escape, less than a post."""
    if post.part:
        return TextLength(length=count_characters(post.text), limit=MAX_COMMENT_CHARS)
    return TextLength(length=count_characters(to_little_text(post.text)), limit=MAX_CHARS)


def list_problems(post: Post) -> Sequence[Problem]:
    """What the author must change; ``()`` means nothing."""
    return (*_check_text(post), *_check_media(post))


def _check_text(post: Post) -> Iterator[Problem]:
    if not post.text.strip() and not post.media:
        yield Problem(message="LinkedIn needs a text to publish; write one.")
    size = measure_text(post)
    if size.length > size.limit:
        what = " in a comment" if post.part else ""
        yield Problem(
            message=f"LinkedIn allows {size.limit:,} characters{what}; this is {size.length:,}{_hint(post, size)}."
        )


def _hint(post: Post, size: TextLength) -> str:
    """Why this is more than the author counts."""
    units = count_characters(post.text)
    reasons = [
        reason
        for reason, holds in (
            ("an emoji counts as two or more", units != len(post.text)),
            ("signs such as brackets and underscores count as two", size.length != units),
        )
        if holds
    ]
    return f" ({', and '.join(reasons)})" if reasons else ""


def _check_media(post: Post) -> Iterator[Problem]:
    videos = [each for each in post.media if each.kind is MediaKind.VIDEO]
    if videos and len(videos) < len(post.media):
        yield Problem(message="LinkedIn shows pictures or a video, not both in one post.", field="media")
    for each in videos:
        if each.size < _SMALLEST_VIDEO:
            yield Problem(message=f"LinkedIn takes videos from 75 KB on; {each.name} is smaller.", field="media")
