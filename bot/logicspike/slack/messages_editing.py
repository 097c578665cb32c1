"""Answers about a changed post: where the change counts, where it came too late, and why nothing was changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from slack_sdk.models.blocks import Block

from ..domain import Delivery, DeliveryState
from ..services.editing import ChangedMeanwhile, Edited, NotEdited, TooLate
from ..services.measuring import Measured
from .message import Message, actions, build_message, button, note, paragraph, quoted, row
from .mrkdwn import bullets, code, escape, one_line, prose
from .surface import POST_LIST
from .times import describe_instant, describe_moment
from .wording import (
    NO_TITLES,
    Titles,
    can_change,
    cancel_button,
    carried,
    day_and_time,
    edit_button,
    join_words,
    measured_words,
    preview,
    state_words,
    target_words,
    title_of,
    unpublished_media,
    whole_text,
)

__all__ = [
    "changed_meanwhile",
    "edit_saved",
    "edit_too_late",
    "meanwhile_words",
    "not_edited",
    "state_note",
    "too_late_words",
    "unchanged_words",
]

_SHOWN: Final = 10
_PROBLEM_UNITS: Final = 400
_TYPED: Final = 2900

_UNCHANGED: Final = {
    DeliveryState.PUBLISHING: "Already going out to {}: unchanged there.",
    DeliveryState.PUBLISHED: "Already published on {}: unchanged there.",
    DeliveryState.UNKNOWN: "Already sent to {}, and not confirmed yet: unchanged there.",
    DeliveryState.FAILED: "Given up on {} before: nothing more goes out there.",
    DeliveryState.CANCELED: "Cancelled for {} before: nothing goes out there.",
}
_BEGUN: Final = "Had begun to go out to {}: unchanged there."
"""Back on the schedule, after a try that came before the change."""
_PARTLY_LIVE: Final = "Partly live on {}: the rest can't be changed there any more, only cancelled."


def unchanged_words(delivery: Delivery, title: str) -> str:
    """Why an account keeps what a post said before; plain text."""
    words = _UNCHANGED.get(delivery.state, _BEGUN)
    if delivery.live and can_change(delivery):
        words = _PARTLY_LIVE
    return words.format(f"{title} – {delivery.account_name}")


def edit_saved(edited: Edited, zone: str, now: datetime, titles: Titles = NO_TITLES) -> Message:
    """The change is saved: what it is now, where it counts and where not."""
    due_at = edited.changed[0].due_at
    is_due = due_at <= now
    when = escape(describe_instant(due_at, zone) if is_due else describe_moment(due_at, zone, now))
    heading = "Saved, and on hold as before" if _all_held(edited.changed) else "Saved"
    text, media = whole_text(edited.changed[0]), unpublished_media(edited.changed[0])
    targets = tuple(target_words(each, title_of(each.platform, titles)) for each in edited.changed[:_SHOWN])
    unchanged = _unchanged(edited.unchanged, titles)
    warnings = tuple(prose(warning, _PROBLEM_UNITS) for warning in edited.warnings[:_SHOWN])
    hidden = len(edited.changed) - _SHOWN
    return build_message(
        " ".join((f"{heading}: {preview(text, media)} – {join_words(targets)}, {when}.", *unchanged)),
        paragraph(f"*{heading}* · {when}"),
        quoted(text),
        carried(media),
        *(_row(each, zone, titles, edited.lengths.get(each.delivery_id)) for each in edited.changed[:_SHOWN]),
        note(f"and {hidden} more accounts") if hidden > 0 else None,
        paragraph(f"*Not changed everywhere*\n{bullets(unchanged)}") if unchanged else None,
        paragraph(f"*Worth a look*\n{bullets(warnings)}") if warnings else None,
        actions(edit_button(edited.changed[0]), button("Show what is scheduled", POST_LIST)),
    )


def _all_held(deliveries: Iterable[Delivery]) -> bool:
    return all(each.state is DeliveryState.HELD for each in deliveries)


def _row(delivery: Delivery, zone: str, titles: Titles, length: Measured | None) -> Block:
    target, extra = target_words(delivery, title_of(delivery.platform, titles)), state_note(delivery, zone)
    counted = measured_words(length) if length is not None else ""
    words = " · ".join(filter(None, (target, counted, code(delivery.delivery_id), extra)))
    return row(words, cancel_button(delivery, "Cancel") if can_change(delivery) else None)


def state_note(delivery: Delivery, zone: str) -> str:
    """What keeps a post from simply going out at its time, for mrkdwn; "" when nothing does."""
    if delivery.state is DeliveryState.HELD:
        why = f": {prose(delivery.detail, 200)}" if delivery.detail else ""
        return f"{state_words(delivery)}{why}"
    if delivery.next_try_at > delivery.due_at:
        return f"Not before {day_and_time(delivery.next_try_at, zone)}"
    return ""


def _unchanged(deliveries: Iterable[Delivery], titles: Titles) -> tuple[str, ...]:
    sentences = (unchanged_words(each, title_of(each.platform, titles)) for each in deliveries)
    return tuple(prose(sentence, _PROBLEM_UNITS) for sentence in sentences)[:_SHOWN]


def not_edited(result: NotEdited, typed: str | None) -> Message:
    """Nothing is changed: every reason, and what was typed."""
    reasons = " ".join(prose(problem.message, _PROBLEM_UNITS) for problem in result.problems[:_SHOWN])
    return _nothing_changed(reasons, typed)


def too_late_words(result: TooLate, titles: Titles = NO_TITLES) -> str:
    """Why nothing can be changed any more, account by account; plain text."""
    sentences = (unchanged_words(each, title_of(each.platform, titles)) for each in result.deliveries[:_SHOWN])
    return " ".join(("This post can't be changed any more.", *sentences))


def edit_too_late(result: TooLate, typed: str | None, titles: Titles = NO_TITLES) -> Message:
    """Nothing is changed, because the post has gone."""
    return _nothing_changed(prose(too_late_words(result, titles)), typed)


def meanwhile_words(result: ChangedMeanwhile, zone: str) -> str:
    """What a post has become while its author was at an older version; plain text."""
    post = result.now.post
    when = f" at {describe_instant(post.edited_at, zone)}" if post.edited_at else ""
    shown = result.now.shown
    said = f"It says now “{one_line(whole_text(shown), 200)}” and is due {describe_instant(shown.due_at, zone)}."
    return f"This post was changed{when}, after you opened this form. {said}"


def changed_meanwhile(result: ChangedMeanwhile, typed: str | None, zone: str) -> Message:
    """Nothing is changed, because the post isn't the one any more that its author was looking at."""
    return _nothing_changed(prose(meanwhile_words(result, zone)), typed, result.now.shown)


def _nothing_changed(why: str, typed: str | None, delivery: Delivery | None = None) -> Message:
    kept = paragraph("What you wrote, so that it isn't lost:") if typed else None
    edit = edit_button(delivery) if delivery is not None else None
    return build_message(
        f"Nothing was changed. {why}",
        paragraph(f"*Nothing was changed*\n{why}"),
        kept,
        quoted(typed, _TYPED) if typed else None,
        actions(edit, button("Show what is scheduled", POST_LIST)),
    )
