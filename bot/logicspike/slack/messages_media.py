"""Direct messages about a post's pictures and videos, and how they're named in others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from ..plugin.types import Media, MediaKind, Post
from ..services.notices import PreparationDelayed
from .message import Message, actions, build_message, paragraph, quoted
from .mrkdwn import name, prose, show_day_and_time
from .wording import cancel_button, day_and_time, edit_button, join_words, target_words

__all__ = ["media_words", "render_preparation_delayed"]

_SHORT: Final = 80
_KINDS: Final = {
    MediaKind.IMAGE: ("1 picture", "pictures"),
    MediaKind.GIF: ("1 GIF", "GIFs"),
    MediaKind.VIDEO: ("1 video", "videos"),
}


def media_words(media: Sequence[Media]) -> str:
    """Word what a post carries: "2 pictures, 1 without a description"; "" for nothing."""
    counts = Counter(each.kind for each in media)
    words = tuple(_count(kind, counts[kind]) for kind in MediaKind if counts[kind])
    bare = sum(not each.alt_text for each in media)
    if not bare:
        return join_words(words)
    lacking = "without a description" if len(media) == 1 else f"{bare} without a description"
    return f"{join_words(words)}, {lacking}"


def _count(kind: MediaKind, count: int) -> str:
    one, many = _KINDS[kind]
    return one if count == 1 else f"{count} {many}"


def render_preparation_delayed(notice: PreparationDelayed, zone: str) -> Message:
    """What a post needs isn't at its platform yet: why, and when that is tried again."""
    delivery, target = notice.delivery, target_words(notice.delivery, notice.platform_title)
    why = prose(notice.explanation)
    heading = _heading(delivery.post)
    due, again = delivery.due_at, notice.again_at
    return build_message(
        f"{heading}: {target}, due {day_and_time(due, zone)}. {why} I'll try again at {day_and_time(again, zone)}. "
        "Nothing is lost.",
        paragraph(
            f"*{heading}* · {target} · due {show_day_and_time(due, zone)}\n{why} "
            f"I'll try again at {show_day_and_time(again, zone)}, and by myself until it works. Nothing is lost: "
            "the post goes out as soon as everything is there, and never without its files."
        ),
        quoted(delivery.post.text, _SHORT),
        actions(edit_button(delivery), cancel_button(delivery)),
    )


def _heading(post: Post) -> str:
    match len(post.media):
        case 0:
            return "The link's preview is not ready yet"
        case 1:
            return f"{name(post.media[0].name)} is not uploaded yet"
        case count:
            return f"{count} files are not uploaded yet"
