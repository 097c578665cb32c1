"""Direct messages about posts: published, failed, held, and those whose outcome isn't known."""

from __future__ import annotations

from typing import Final

from slack_sdk.models.blocks import Block, InteractiveElement

from ..domain import Delivery, DeliveryState, HoldReason
from ..services.notices import (
    DeliveryDelayed,
    DeliveryFailed,
    DeliveryHeld,
    DeliveryPublished,
    OutcomeQuestion,
    OutcomeSettled,
    PostsPublished,
)
from .message import Message, actions, ask_first, build_message, button, note, paragraph, quoted
from .mrkdwn import bullets, is_web_address, link, name, prose, show_day_and_time
from .surface import (
    CONNECT_RECONNECT,
    LATE_DROP,
    LATE_PUBLISH,
    OUTCOME_AGAIN,
    OUTCOME_DROP,
    OUTCOME_LIVE,
    SCHEDULE_OPEN,
)
from .wording import (
    cancel_button,
    carried,
    count_posts,
    day_and_time,
    edit_button,
    preview,
    progress_words,
    say,
    target_words,
    title_of,
    unpublished_media,
    view_button,
    whole_text,
)

__all__ = [
    "describe_outcome",
    "release_button",
    "render_delivery_delayed",
    "render_delivery_failed",
    "render_delivery_held",
    "render_delivery_published",
    "render_outcome_question",
    "render_outcome_settled",
    "render_posts_published",
    "rewrite_button",
]

_PROBLEMS_SHOWN: Final = 10
_PROBLEM_UNITS: Final = 250
_SHORT: Final = 80
_PUBLISHED_SHOWN: Final = 10


def rewrite_button(delivery: Delivery, *, is_primary: bool = True) -> InteractiveElement:
    """The button that opens the composer with what a post said."""
    value = f"post:{delivery.delivery_id}"
    return button("Edit and schedule again", SCHEDULE_OPEN, value, style="primary" if is_primary else None)


def render_delivery_published(notice: DeliveryPublished) -> Message:
    """A post is live."""
    delivery, target = notice.delivery, target_words(notice.delivery, notice.platform_title)
    return build_message(
        f"Published: {target}: {preview(delivery.post.text, delivery.post.media)}",
        paragraph(f"*Published* · {target}"),
        quoted(delivery.post.text, _SHORT),
        carried(delivery.post.media),
        actions(view_button(delivery)),
        _part_links(delivery),
    )


def _part_links(delivery: Delivery) -> Block | None:
    """Where each part of a post is, as far as the platform said so."""
    if not delivery.parts:
        return None
    names = ("Post", "First comment") if delivery.parts_are_comments else ()
    numbered = tuple(f"Part {number}" for number in range(1, len(delivery.live) + 1))
    places = ((each.url, words) for each, words in zip(delivery.live, names or numbered, strict=False))
    links = tuple(link(url, words) for url, words in places if url is not None and is_web_address(url))
    return note(" · ".join(links)) if links else None


def render_posts_published(notice: PostsPublished) -> Message:
    """Many posts went live together: one message instead of one for each."""
    deliveries = notice.deliveries
    rows = [
        f"{_linked(each, target_words(each, title_of(each.platform, notice.titles)))}: "
        f"{preview(each.post.text, each.post.media)}"
        for each in deliveries[:_PUBLISHED_SHOWN]
    ]
    more = len(deliveries) - len(rows)
    listed = bullets((*rows, *((f"and {more} more",) if more > 0 else ())))
    return build_message(
        f"Published: {count_posts(len(deliveries))}.",
        paragraph(f"*Published* · {count_posts(len(deliveries))}\n{listed}"),
    )


def _linked(delivery: Delivery, words: str) -> str:
    """The words as a link to the published post, where the platform gave an address."""
    url = delivery.published_url
    return link(url, words) if url is not None and is_web_address(url) else words


def render_delivery_delayed(notice: DeliveryDelayed, zone: str) -> Message:
    """A post is late: why, and when it is tried again."""
    delivery, target = notice.delivery, target_words(notice.delivery, notice.platform_title)
    why = say(progress_words(delivery), prose(notice.explanation))
    return build_message(
        f"Not out yet: {target}. {why} I'll try again {day_and_time(delivery.next_try_at, zone)}.",
        paragraph(
            f"*Not out yet* · {target}\n{why} I'll try again {show_day_and_time(delivery.next_try_at, zone)}, "
            "and by myself until it works. You only hear from me again if it doesn't, or when it is published."
        ),
        quoted(delivery.post.text, _SHORT),
        carried(delivery.post.media),
        actions(edit_button(delivery), cancel_button(delivery)),
    )


def render_delivery_failed(notice: DeliveryFailed) -> Message:
    """A post will not go out as it is: what to change."""
    delivery, target = notice.delivery, target_words(notice.delivery, notice.platform_title)
    problems = tuple(prose(problem, _PROBLEM_UNITS) for problem in notice.problems[:_PROBLEMS_SHOWN])
    why = f"\n{bullets(problems)}" if problems else ""
    progress = progress_words(delivery)
    heading = "Not published to the end" if progress else "Not published"
    return build_message(
        say(f"{heading}: {target}.", progress, *problems, "Your text is kept."),
        paragraph(f"*{heading}* · {target}{f' · {progress}' if progress else ''}{why}"),
        quoted(whole_text(delivery)),
        carried(unpublished_media(delivery)),
        actions(rewrite_button(delivery), view_button(delivery)),
        note("Your text is kept. Other accounts are not affected."),
    )


def render_delivery_held(notice: DeliveryHeld, zone: str) -> Message:
    """A post waits for somebody: for what."""
    delivery, target = notice.delivery, target_words(notice.delivery, notice.platform_title)
    why = say(progress_words(delivery), prose(notice.explanation))
    return build_message(
        f"On hold: {target}, due {day_and_time(delivery.due_at, zone)}. {why} Nothing is lost.",
        paragraph(f"*On hold* · {target} · due {show_day_and_time(delivery.due_at, zone)}\n{why} Nothing is lost."),
        quoted(delivery.post.text, _SHORT),
        carried(delivery.post.media),
        actions(*_held_buttons(delivery)),
    )


def _held_buttons(delivery: Delivery) -> tuple[InteractiveElement | None, ...]:
    match delivery.hold_reason:
        case HoldReason.RECONNECT:
            reconnect = button("Reconnect", CONNECT_RECONNECT, delivery.connection_id, style="primary")
            return (reconnect, edit_button(delivery), cancel_button(delivery))
        case HoldReason.LATE:
            drop = button("Drop", LATE_DROP, delivery.delivery_id, style="danger", confirm=_DROP)
            return (release_button(delivery), edit_button(delivery), drop)
        case HoldReason.MEMBER | HoldReason.OPERATOR | HoldReason.PARKED | None:
            return (release_button(delivery), edit_button(delivery), cancel_button(delivery))


def release_button(delivery: Delivery, *, is_primary: bool = True) -> InteractiveElement | None:
    """The button that lets a held post go on; None where a sign-in must come first, or nothing is known to be held."""
    match delivery.hold_reason:
        case HoldReason.LATE:
            label = "Publish now"
        case HoldReason.MEMBER | HoldReason.OPERATOR | HoldReason.PARKED:
            # Nobody tells us that the cause is gone: the author's click is how the post goes on.
            label = "Try again"
        case HoldReason.RECONNECT | None:
            return None
    return button(label, LATE_PUBLISH, delivery.delivery_id, style="primary" if is_primary else None)


_DROP: Final = ask_first("Drop this post?", "It will not be published.", do="Drop post", keep="Keep it")
_DROP_REST: Final = ask_first(
    "Drop the rest?", "Nothing more of this post will be published.", do="Drop the rest", keep="Keep it"
)
_AGAIN: Final = ask_first(
    "Post it again?",
    "Please make sure that it isn't there yet: if it is, people will see it twice.",
    do="Post again",
    keep="Wait",
)


def render_outcome_question(notice: OutcomeQuestion) -> Message:
    """It can't be told whether a post is live: the author has to look."""
    delivery, title = notice.delivery, name(notice.platform_title)
    target = target_words(delivery, notice.platform_title)
    attempt = delivery.attempts[-1].attempt_id if delivery.attempts else "none"
    value = f"{delivery.delivery_id}:{attempt}"
    part = _part_in_flight(delivery)
    detail = prose(delivery.detail) if delivery.detail else ""
    return build_message(
        say(
            f"Not confirmed: {target}. I sent {part} but got no clear answer. Please look whether it is there.", detail
        ),
        paragraph(
            f"*Not confirmed* · {target}\nI sent {part}, but {title} gave no clear answer, "
            "and I could not find out by myself. Please look at the account: is it there?"
        ),
        paragraph(detail) if detail else None,
        quoted(delivery.texts[min(len(delivery.live), len(delivery.parts))]),
        actions(
            button("It's live", OUTCOME_LIVE, value, style="primary"),
            button("Post again", OUTCOME_AGAIN, value, confirm=_AGAIN),
            button("Drop", OUTCOME_DROP, value, style="danger", confirm=_DROP_REST if delivery.parts else _DROP),
            view_button(delivery),
        ),
        note("Until you answer, I don't send it again, so that nobody sees it twice."),
    )


def _part_in_flight(delivery: Delivery) -> str:
    if not delivery.parts:
        return "your post"
    if delivery.parts_are_comments:
        return "the first comment of your post" if delivery.live else "the first part of your post"
    return f"part {len(delivery.live) + 1} of {len(delivery.texts)} of your post"


def render_outcome_settled(notice: OutcomeSettled) -> Message:
    """An unknown outcome is known now."""
    return describe_outcome(notice.delivery, notice.platform_title)


def describe_outcome(delivery: Delivery, title: str) -> Message:
    """Say where a post stands, whatever its state: the answer to any click on an older message."""
    target = target_words(delivery, title)
    progress = progress_words(delivery)
    heading, sentence = (_OUTCOMES_BEGUN if progress else _OUTCOMES)[delivery.state]
    words = say(progress, sentence)
    detail = f" {prose(delivery.detail)}" if delivery.detail and delivery.state in _EXPLAINED else ""
    can_rewrite = delivery.state in {DeliveryState.FAILED, DeliveryState.CANCELED}
    return build_message(
        f"{heading}: {target}. {words}{detail}",
        paragraph(f"*{heading}* · {target}\n{words}{detail}"),
        quoted(delivery.post.text, _SHORT),
        carried(delivery.post.media),
        actions(view_button(delivery), rewrite_button(delivery, is_primary=False) if can_rewrite else None),
    )


_EXPLAINED: Final = frozenset({DeliveryState.FAILED, DeliveryState.HELD})
_OUTCOMES: Final = {
    DeliveryState.SCHEDULED: ("Scheduled", "It goes out at its time, or right away if that has come."),
    DeliveryState.CLAIMED: ("Publishing", "It is going out right now."),
    DeliveryState.PUBLISHING: ("Publishing", "It is going out right now."),
    DeliveryState.PUBLISHED: ("Published", "It is live."),
    DeliveryState.HELD: ("On hold", "It waits and is not lost."),
    DeliveryState.FAILED: ("Not published", "I won't try again. Your text is kept."),
    DeliveryState.UNKNOWN: ("Not confirmed", "I'm still waiting to learn whether it is live."),
    DeliveryState.CANCELED: ("Cancelled", "It will not be published."),
}
_OUTCOMES_BEGUN: Final = {
    **_OUTCOMES,
    DeliveryState.SCHEDULED: ("Scheduled", "The next part goes out at its time, or right away if that has come."),
    DeliveryState.CLAIMED: ("Publishing", "The next part is going out right now."),
    DeliveryState.PUBLISHING: ("Publishing", "The next part is going out right now."),
    DeliveryState.HELD: ("On hold", "The rest waits and is not lost."),
    DeliveryState.FAILED: ("Not published to the end", "I won't try the rest again. Its text is kept."),
    DeliveryState.UNKNOWN: ("Not confirmed", "I'm still waiting to learn whether the next part is live."),
    DeliveryState.CANCELED: ("Cancelled", "The rest will not be published."),
}
"""The same for a post of which a part is live."""
