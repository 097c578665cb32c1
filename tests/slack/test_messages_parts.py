"""What people read about posts in parts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logicspike.domain import Attempt, Delivery, DeliveryState, HoldReason, Member, ScheduledPost
from logicspike.plugin.types import Post, PublishedPost
from logicspike.sandbox.block_rules import check_message_blocks
from logicspike.services import notices
from logicspike.services.measuring import Measured
from logicspike.services.scheduling import CancelOutcome, Scheduled
from logicspike.slack import messages, surface
from logicspike.slack.message import Message

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
DUE = NOW + timedelta(hours=1)
ZONE = "Europe/Berlin"
TITLES = {"acme": "Acme Social"}
S = DeliveryState


def thread(live: int = 0, *, count: int = 3, word: str = "part", **changes: Any) -> Delivery:
    urls = [f"https://acme.example/{number}" for number in range(1, live + 1)]
    delivery = Delivery(
        delivery_id="k0",
        post_id="p1",
        team_id="T1",
        author_id="U0ANA",
        connection_id="c1",
        platform="acme",
        account_name="Acme Inc",
        post=Post(key="k", text=f"{word} 1"),
        parts=tuple(f"{word} {number}" for number in range(2, count + 1)),
        live=tuple(PublishedPost(id=url, url=url) for url in urls),
        published_url=urls[0] if urls else None,
        attempts=(Attempt(attempt_id="a1", started_at=NOW),),
        state=S.SCHEDULED,
        due_at=DUE,
        next_try_at=DUE,
        zone=ZONE,
    )
    return replace(delivery, **changes)


def comment(live: int = 0, **changes: Any) -> Delivery:
    return thread(live, count=2, parts_are_comments=True, **changes)


def notice(kind: Any, delivery: Delivery, **rest: Any) -> Message:
    return messages.render_notice(kind(delivery=delivery, platform_title="Acme Social", **rest), zone=ZONE, now=NOW)


def settled(delivery: Delivery) -> Message:
    return messages.unknown_result(delivery, TITLES)


def shown(message: Message) -> str:
    return str(message.to_payload())


def confirmed(delivery: Delivery, **rest: Any) -> Message:
    post = ScheduledPost(
        post_id="p",
        author=Member(team_id="T1", user_id="U0ANA"),
        text=delivery.unpublished_text,
        link=None,
        due_at=DUE,
        zone=ZONE,
        wall_time="",
        created_at=NOW,
    )
    return messages.schedule_confirmed(
        Scheduled(post=post, deliveries=(delivery,), warnings=(), **rest), ZONE, NOW, TITLES
    )


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        (thread(), "Acme Social – Acme Inc (thread of 3)"),
        (comment(), "Acme Social – Acme Inc (with first comment)"),
    ],
)
def test_confirmation_and_list_say_how_a_post_hangs_together(delivery, words):
    assert words in confirmed(delivery).text
    assert words in shown(messages.post_list((delivery,), ZONE, NOW, TITLES))


def test_the_confirmation_says_how_long_the_longest_part_is():
    lengths = {"k0": Measured(part=1, parts=3, most_parts=25, length=212, limit=280)}
    assert "(thread of 3) · part 2 of 3: 212 of 280 · `k0`" in shown(confirmed(thread(), lengths=lengths))


def test_the_list_says_how_far_a_post_has_got_and_offers_no_edit_any_more():
    listed = messages.post_list((thread(2),), ZONE, NOW, TITLES)
    assert "Scheduled · 2 of 3 parts are live." in shown(listed)
    assert "part 3" in shown(listed)
    assert surface.POST_EDIT not in shown(listed)
    assert "The rest of it will not be published" in shown(listed)


def test_what_is_published_names_the_first_part_and_links_to_all():
    message = notice(notices.DeliveryPublished, thread(3, state=S.PUBLISHED))
    assert "Published: Acme Social – Acme Inc (thread of 3): part 1" == message.text
    assert "https://acme.example/1" in shown(message)
    assert "<https://acme.example/3|Part 3>" in shown(message)
    assert "First comment" in shown(notice(notices.DeliveryPublished, comment(2, state=S.PUBLISHED)))


def test_a_part_without_an_address_gets_no_link():
    seen = replace(thread(2, state=S.PUBLISHED), live=(*thread(2).live, PublishedPost(id="", url=None)))
    assert "Part 2" in shown(notice(notices.DeliveryPublished, seen))
    assert "Part 3" not in shown(notice(notices.DeliveryPublished, seen))


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        (thread(1), "1 of 3 parts is live."),
        (thread(2), "2 of 3 parts are live."),
        (comment(1), "The post is live, its first comment is not."),
    ],
)
def test_what_was_cancelled_in_the_middle_says_what_is_live(delivery, words):
    outcome = CancelOutcome(delivery=replace(delivery, state=S.CANCELED), is_canceled=True)
    message = messages.cancel_result(outcome, "k0", TITLES)
    assert f"{words} The rest will not be published" in message.text
    assert delivery.parts[-1] in shown(message)
    assert surface.LINK_OPEN in shown(message)


def test_what_was_cancelled_before_it_began_says_so_as_ever():
    message = messages.cancel_result(CancelOutcome(delivery=thread(state=S.CANCELED), is_canceled=True), "k0", TITLES)
    assert "It will not be published." in shown(message)


def test_a_thread_that_failed_in_the_middle_keeps_the_text_that_is_left():
    failed = thread(1, state=S.FAILED)
    message = notice(notices.DeliveryFailed, failed, problems=("No links.",))
    assert (
        "Not published to the end: Acme Social – Acme Inc (thread of 3). 1 of 3 parts is live. No links."
        in message.text
    )
    assert "part 2\n---\npart 3" in message.to_payload()["blocks"][1]["text"]["text"]


@pytest.mark.parametrize("kind", [notices.DeliveryHeld, notices.DeliveryDelayed])
def test_what_waits_in_the_middle_says_how_far_it_got(kind):
    waiting = thread(2, state=S.HELD, hold_reason=HoldReason.MEMBER)
    message = notice(kind, waiting, explanation="Confirm who you are.")
    assert "2 of 3 parts are live. Confirm who you are." in message.text
    assert surface.POST_EDIT not in shown(message)


def test_the_question_about_late_posts_says_how_far_they_got():
    message = messages.render_notice(notices.LateQuestion(deliveries=(thread(1),)), zone=ZONE, now=NOW, titles=TITLES)
    assert "1 of 3 parts is live." in shown(message)
    assert "part 2 --- part 3" in shown(message)


@pytest.mark.parametrize(
    ("delivery", "what", "text"),
    [
        (thread(1), "part 2 of 3 of your post", "part 2"),
        (comment(0), "the first part of your post", "part 1"),
        (comment(1), "the first comment of your post", "part 2"),
        (thread(0, count=1), "your post", "part 1"),
    ],
)
def test_the_question_about_a_lost_answer_is_about_the_part_that_was_sent(delivery, what, text):
    message = notice(notices.OutcomeQuestion, replace(delivery, state=S.UNKNOWN))
    assert f"I sent {what}, but" in shown(message)
    assert {"type": "plain_text", "text": text, "emoji": False} in [
        block.get("text") for block in message.to_payload()["blocks"]
    ]


def test_an_answer_that_could_not_be_followed_leaves_the_question_with_the_reason():
    detail = "What follows part 2 is attached to it, and I can't look up where it is. Acme is down."
    message = settled(thread(1, state=S.UNKNOWN, is_asked=True, detail=detail))
    assert detail in message.text
    assert surface.OUTCOME_LIVE in shown(message)


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("live", [1, 2])
def test_every_state_in_the_middle_is_said_in_a_sentence(state, live):
    message = messages.render_notice(
        notices.OutcomeSettled(delivery=thread(live, state=state), platform_title="Acme Social"), zone=ZONE, now=NOW
    )
    assert f"{live} of 3 parts" in message.text


@pytest.mark.parametrize("word", ["x" * 300, "😀" * 900, "&<>" * 900, "<!channel>", "*"])
@pytest.mark.parametrize("live", [0, 12, 25])
def test_messages_about_long_threads_keep_slacks_limits(word, live):
    delivery = thread(live, count=25, word=word, state=S.PUBLISHED)
    all_of_them = [
        notice(notices.DeliveryPublished, delivery),
        notice(notices.DeliveryFailed, delivery, problems=(word,)),
        notice(notices.DeliveryHeld, delivery, explanation=word),
        notice(notices.OutcomeQuestion, delivery),
        notice(notices.OutcomeSettled, delivery),
        messages.post_list((delivery,) * 10, ZONE, NOW, TITLES),
        messages.cancel_result(CancelOutcome(delivery=delivery, is_canceled=True), "k0", TITLES),
        confirmed(delivery),
    ]
    for message in all_of_them:
        assert [] == check_message_blocks(message.to_payload()["blocks"])
        assert "<!channel>" not in message.text
