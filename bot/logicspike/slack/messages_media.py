"""Direct messages about a post's pictures and videos on their way to a platform."""

from __future__ import annotations

from typing import Final

from ..plugin.types import Post
from ..services.notices import PreparationDelayed
from .message import Message, actions, build_message, paragraph, quoted
from .mrkdwn import name, prose, show_day_and_time
from .wording import cancel_button, carried, day_and_time, edit_button, target_words

__all__ = ["render_preparation_delayed"]

_SHORT: Final = 80


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
        carried(delivery.post.media),
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
