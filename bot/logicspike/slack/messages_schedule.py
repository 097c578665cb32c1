"""Answers of the schedule command: what is scheduled, what has to be asked, and what could not be done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import groupby
from typing import Final

from slack_sdk.models.blocks import Block, InteractiveElement

from ..domain import Delivery, DeliveryState, Draft
from ..services.measuring import Measured
from ..services.notices import OutcomeQuestion
from ..services.scheduling import AccountQuestion, CancelOutcome, NotScheduled, Scheduled, ScheduleProblem
from .message import Message, actions, ask_first, build_message, button, note, paragraph, quoted, row
from .messages_posts import describe_outcome, release_button, render_outcome_question, rewrite_button
from .moments import WhenProblem
from .mrkdwn import bullets, code, escape, name, prose
from .surface import (
    CONNECT_RECONNECT,
    CONNECT_START,
    DRAFT_DISCARD,
    DRAFT_PICK_ACCOUNT,
    DRAFT_PICK_TIME,
    POST_LIST,
    SCHEDULE_OPEN,
)
from .times import (
    describe_clock,
    describe_day,
    describe_instant,
    describe_moment,
    describe_offset,
    find_instants,
    find_zone,
)
from .wording import (
    NO_TITLES,
    Titles,
    account_words,
    can_change,
    cancel_button,
    carried,
    count_posts,
    day_and_time,
    edit_button,
    join_words,
    measured_words,
    preview,
    preview_of,
    progress_words,
    say,
    state_words,
    target_words,
    title_of,
    unpublished_media,
    view_button,
    whole_text,
)

__all__ = [
    "account_question",
    "cancel_result",
    "draft_discarded",
    "draft_gone",
    "late_result",
    "no_such_post",
    "not_scheduled",
    "post_list",
    "schedule_confirmed",
    "time_question",
    "unknown_result",
]

_PAGE: Final = 10
_ACCOUNTS_SHOWN: Final = 20
_PROBLEM_UNITS: Final = 400


def schedule_confirmed(scheduled: Scheduled, zone: str, now: datetime, titles: Titles = NO_TITLES) -> Message:
    """The post is scheduled: when exactly, where, and how to take it back."""
    is_due = scheduled.post.due_at <= now
    due_at = scheduled.post.due_at
    when = escape(describe_instant(due_at, zone) if is_due else describe_moment(due_at, zone, now))
    targets = tuple(target_words(each, title_of(each.platform, titles)) for each in scheduled.deliveries)
    heading = _heading(scheduled, is_due=is_due)
    rows = [
        _post_row(delivery, target, scheduled.lengths.get(delivery.delivery_id), is_due=is_due)
        for delivery, target in zip(scheduled.deliveries, targets, strict=True)
    ]
    hidden = len(rows) - _PAGE
    warnings = tuple(prose(warning, _PROBLEM_UNITS) for warning in scheduled.warnings[:_PAGE])
    return build_message(
        f"{heading}: {preview(scheduled.post.text, scheduled.post.media)} – {join_words(targets[:_PAGE])}, {when}.",
        paragraph(f"*{heading}* · {when}"),
        quoted(scheduled.post.text),
        carried(scheduled.post.media),
        *rows[:_PAGE],
        note(f"and {hidden} more accounts") if hidden > 0 else None,
        paragraph(f"*Worth a look*\n{bullets(warnings)}") if warnings else None,
        actions(None if is_due else edit_button(scheduled.deliveries[0]), button("Show what is scheduled", POST_LIST)),
    )


def _heading(scheduled: Scheduled, *, is_due: bool) -> str:
    if not is_due:
        return "Scheduled"
    # With a warning, such as that a sign-in comes first, "publishing" would promise too much.
    return "Scheduled for now" if scheduled.warnings else "Publishing now"


def _post_row(delivery: Delivery, target: str, length: Measured | None, *, is_due: bool) -> Block:
    words = " · ".join(filter(None, (target, measured_words(length) if length else "", code(delivery.delivery_id))))
    return row(words, cancel_button(delivery, "Cancel") if can_change(delivery) and not is_due else None)


def account_question(question: AccountQuestion, titles: Titles = NO_TITLES) -> Message:
    """A name fits several accounts; nothing is scheduled until one is picked."""
    sentence = f"“{name(question.typed)}” fits {len(question.options)} accounts. Which one do you mean?"
    rows = (
        row(
            f"*{account_words(option, title_of(option.platform, titles))}* · {code(option.nickname)}",
            button("Use this account", DRAFT_PICK_ACCOUNT, f"{question.draft.draft_id}:{option.connection_id}"),
        )
        for option in question.options[:_ACCOUNTS_SHOWN]
    )
    return build_message(
        f"{sentence} Nothing is scheduled yet.",
        paragraph(f"*{sentence}*"),
        quoted(question.draft.text),
        carried(question.draft.media),
        *rows,
        _draft_buttons(question.draft, "Edit"),
        note("Nothing is scheduled yet. Your text is kept."),
    )


def time_question(draft: Draft, problem: WhenProblem, zone: str) -> Message:
    """A time that can't be used as it stands: what is wrong, and what may have been meant."""
    typed = f"“{name(problem.typed)}”: " if problem.typed else ""
    why = f"{typed}{prose(problem.explanation)}"
    rows = (
        row(
            f"*{_option_words(option, zone)}*",
            button("Use this time", DRAFT_PICK_TIME, f"{draft.draft_id}:{int(option.timestamp())}"),
        )
        for option in problem.options[:_PAGE]
    )
    return build_message(
        f"{why} Nothing is scheduled yet.",
        paragraph(why),
        quoted(draft.text),
        carried(draft.media),
        *rows,
        _draft_buttons(draft, "Pick another time"),
        note("Nothing is scheduled yet. Your text is kept."),
    )


def _option_words(option: datetime, zone: str) -> str:
    found = find_zone(zone)
    local = option.astimezone(found)
    is_repeated = len(find_instants(local.replace(tzinfo=None, fold=0), found)) > 1
    clock = f"{describe_clock(local)} {describe_offset(local)}" if is_repeated else describe_clock(local)
    return escape(f"{describe_day(local)}, {clock} ({found.key})")


def _draft_buttons(draft: Draft, edit: str) -> Block | None:
    discard = button("Discard", DRAFT_DISCARD, draft.draft_id, style="danger", confirm=_DISCARD)
    return actions(button(edit, SCHEDULE_OPEN, draft.draft_id), discard)


_DISCARD: Final = ask_first("Discard this text?", "It will be gone for good.", do="Discard", keep="Keep it")


def not_scheduled(result: NotScheduled) -> Message:
    """Nothing is scheduled: every reason, and what helps."""
    rows = tuple(_problem_row(problem) for problem in result.problems[:_PAGE])
    reasons = " ".join(prose(problem.message, _PROBLEM_UNITS) for problem in result.problems[:_PAGE])
    kept = " Your text is kept." if result.draft is not None else ""
    return build_message(
        f"Nothing is scheduled yet. {reasons}{kept}",
        paragraph("*Nothing is scheduled yet*"),
        *rows,
        quoted(result.draft.text) if result.draft else None,
        carried(result.draft.media) if result.draft else None,
        _draft_buttons(result.draft, "Edit") if result.draft else actions(button("Write a post", SCHEDULE_OPEN)),
        note("Your text is kept.") if result.draft else None,
    )


def _problem_row(problem: ScheduleProblem) -> Block:
    return row(prose(problem.message, _PROBLEM_UNITS), _remedy(problem))


def _remedy(problem: ScheduleProblem) -> InteractiveElement | None:
    if problem.reconnect_id is not None:
        return button("Reconnect", CONNECT_RECONNECT, problem.reconnect_id)
    if problem.connect_platform is not None:
        return button("Connect it", CONNECT_START, problem.connect_platform)
    return None


def draft_gone() -> Message:
    """A button stood for a draft that is not there any more."""
    sentence = "This text was scheduled or discarded already. Nothing was changed."
    return build_message(sentence, paragraph(sentence), actions(button("Show what is scheduled", POST_LIST)))


def draft_discarded() -> Message:
    """A draft was thrown away."""
    sentence = "Discarded. Nothing was scheduled."
    return build_message(sentence, paragraph(sentence), actions(button("Write a post", SCHEDULE_OPEN)))


def post_list(deliveries: tuple[Delivery, ...], zone: str, now: datetime, titles: Titles = NO_TITLES) -> Message:
    """What is not settled yet, by day in the member's zone, the first ten.

    Args:
        deliveries: in any order.
        zone: the member's.
        now: the present.
        titles: what people read for each platform.
    """
    if not deliveries:
        empty = "Nothing is scheduled."
        return build_message(empty, paragraph(empty), actions(_write_button()))
    ordered = sorted(deliveries, key=lambda delivery: (delivery.due_at, delivery.delivery_id))
    shown, more = ordered[:_PAGE], len(ordered) - _PAGE
    count, next_due = count_posts(len(ordered)), describe_moment(ordered[0].due_at, zone, now)
    return build_message(
        f"{count} not published yet. The first is due {next_due}.",
        paragraph(f"*{count} not published yet*"),
        *_days(shown, zone, titles),
        note(f"and {count_posts(more)} more, due later.") if more > 0 else None,
        note(f"Times are in {find_zone(zone).key}, from your Slack profile."),
        actions(_write_button()),
    )


def _write_button() -> InteractiveElement:
    return button("Schedule a post", SCHEDULE_OPEN, style="primary")


def _days(deliveries: Iterable[Delivery], zone: str, titles: Titles) -> Iterator[Block]:
    found = find_zone(zone)

    def local_day(delivery: Delivery) -> date:
        return delivery.due_at.astimezone(found).date()

    for day, of_day in groupby(deliveries, key=local_day):
        yield paragraph(f"*{describe_day(day)}*")
        for delivery in of_day:
            yield from _list_rows(delivery, zone, titles)


def _list_rows(delivery: Delivery, zone: str, titles: Titles) -> Iterator[Block]:
    clock = describe_clock(delivery.due_at.astimezone(find_zone(zone)))
    target = target_words(delivery, title_of(delivery.platform, titles))
    state = say(_state_with_time(delivery, zone), f"· {progress}" if (progress := progress_words(delivery)) else "")
    words = f"*{clock}* · {target} · {state} · {code(delivery.delivery_id)}\n{preview_of(delivery)}"
    yield paragraph(words)
    release = release_button(delivery, is_primary=False)
    change = (edit_button(delivery), cancel_button(delivery, "Cancel")) if can_change(delivery) else ()
    if buttons := actions(release, *change):
        yield buttons


def _state_with_time(delivery: Delivery, zone: str) -> str:
    words = state_words(delivery)
    if delivery.state is DeliveryState.SCHEDULED and delivery.tries:
        return f"{words} at {day_and_time(delivery.next_try_at, zone)}"
    if delivery.state in {DeliveryState.HELD, DeliveryState.UNKNOWN} and delivery.detail:
        return f"{words}: {prose(delivery.detail, 200)}"
    return words


def cancel_result(outcome: CancelOutcome, typed: str = "", titles: Titles = NO_TITLES) -> Message:
    """What came of a cancel: done (once or twice makes no difference), too late, or no such post.

    Args:
        outcome: of the use case.
        typed: the id the member gave, for when there is no such post.
        titles: what people read for each platform.
    """
    delivery = outcome.delivery
    if delivery is None:
        return no_such_post(outcome.suggestion, typed)
    if not outcome.is_canceled:
        return _too_late(delivery, titles)
    target = target_words(delivery, title_of(delivery.platform, titles))
    progress, text = progress_words(delivery), whole_text(delivery)
    what = f"{progress} The rest will not be published" if progress else "It will not be published"
    return build_message(
        f"Cancelled: {target}. {what}: {preview_of(delivery)}",
        paragraph(f"*Cancelled* · {target}\n{what}."),
        quoted(text),
        carried(unpublished_media(delivery)),
        actions(view_button(delivery), rewrite_button(delivery, is_primary=False)),
    )


def _too_late(delivery: Delivery, titles: Titles) -> Message:
    message = describe_outcome(delivery, title_of(delivery.platform, titles))
    sentence = _TOO_LATE.get(delivery.state, "This post kept changing while I tried to cancel it. Please try again.")
    return build_message(f"{sentence} {message.text}", paragraph(sentence), *message.blocks)


_TOO_LATE: Final = {
    DeliveryState.PUBLISHING: "This post can't be cancelled any more.",
    DeliveryState.PUBLISHED: "This post can't be cancelled any more.",
    DeliveryState.UNKNOWN: "This post was sent already, so it can't be cancelled any more.",
    DeliveryState.FAILED: "There is nothing left to cancel.",
}


def no_such_post(suggestion: str | None = None, typed: str = "") -> Message:
    """No post has this id; without an id, one has to be given."""
    hint = f" Did you mean {code(suggestion)}?" if suggestion else ""
    which = f"the id {code(typed)}" if typed.strip() else "this id"
    sentence = f"There is no post with {which}.{hint} Nothing was changed."
    return build_message(sentence, paragraph(sentence), actions(button("Show what is scheduled", POST_LIST)))


def late_result(delivery: Delivery | None, titles: Titles = NO_TITLES) -> Message:
    """Where a held post stands after the author's answer, be it the first or the second."""
    if delivery is None or not _is_let_go(delivery):
        return unknown_result(delivery, titles)
    target = target_words(delivery, title_of(delivery.platform, titles))
    return build_message(f"Publishing now: {target}.", paragraph(f"*Publishing now* · {target}"))


def _is_let_go(delivery: Delivery) -> bool:
    """Whether it was due when its author let it go."""
    return delivery.state is DeliveryState.SCHEDULED and delivery.next_try_at == delivery.settled_at


def unknown_result(delivery: Delivery | None, titles: Titles = NO_TITLES) -> Message:
    """Where a post of unknown outcome stands after the author's answer, be it the first or the second."""
    if delivery is None:
        return no_such_post()
    if delivery.state is DeliveryState.UNKNOWN and delivery.is_asked:
        # It could not be settled by this answer, or another try has been lost since: the question stands.
        title = title_of(delivery.platform, titles)
        return render_outcome_question(OutcomeQuestion(delivery=delivery, platform_title=title))
    return describe_outcome(delivery, title_of(delivery.platform, titles))
