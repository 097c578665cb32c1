"""The question about posts that are overdue: each can go out now, be given another time, or be dropped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from slack_sdk.models.blocks import Block

from ..domain import Delivery
from ..services.notices import LateQuestion
from .message import Message, actions, ask_first, build_message, button, note, paragraph
from .mrkdwn import show_day_and_time
from .surface import LATE_DROP, LATE_PUBLISH
from .wording import (
    NO_TITLES,
    Titles,
    count_posts,
    edit_button,
    preview_of,
    progress_words,
    target_words,
    title_of,
)

__all__ = ["render_late_question"]

_SHOWN: Final = 10


def render_late_question(notice: LateQuestion, zone: str, titles: Titles = NO_TITLES) -> Message:
    """Posts are overdue by more than ten minutes: publish now, edit, or drop?"""
    count = len(notice.deliveries)
    text = f"{count_posts(count)} could not go out on time. Nothing is lost: please decide what to do."
    return build_message(text, *_late_rows(notice.deliveries, zone, titles))


def _late_rows(deliveries: tuple[Delivery, ...], zone: str, titles: Titles) -> Iterator[Block | None]:
    """The question, and the buttons for each of the first ten posts; nothing without posts."""
    if not deliveries:
        return
    yield paragraph(f"*{count_posts(len(deliveries))} could not go out on time. What shall I do?*")
    for delivery in deliveries[:_SHOWN]:
        target = target_words(delivery, title_of(delivery.platform, titles))
        due = show_day_and_time(delivery.due_at, zone)
        progress = f" · {words}" if (words := progress_words(delivery)) else ""
        yield paragraph(f"{target} · was due {due}{progress}\n{preview_of(delivery)}")
        yield actions(
            button("Publish now", LATE_PUBLISH, delivery.delivery_id),
            edit_button(delivery),
            button("Drop", LATE_DROP, delivery.delivery_id, style="danger", confirm=_DROP),
        )
    if len(deliveries) > _SHOWN:
        yield note(f"and {len(deliveries) - _SHOWN} more, which wait in your list of posts.")


_DROP: Final = ask_first(
    "Drop this post?", "It will be cancelled and not be published.", do="Drop post", keep="Keep it waiting"
)
