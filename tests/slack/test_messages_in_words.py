"""What single messages say, and which buttons they have."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sample_messages import ANA, DUE, NOW, TITLES, ZONE, make_connection, make_delivery, make_draft, make_notices, walk

from logicspike.domain import Attempt, ConnectionStatus, DeliveryState, HoldReason, ScheduledPost
from logicspike.plugin.types import Account, Media, MediaKind
from logicspike.services import notices
from logicspike.services.disconnecting import DisconnectPlan
from logicspike.services.scheduling import Scheduled
from logicspike.slack import messages, surface
from logicspike.slack.message import Message
from logicspike.slack.moments import WhenProblem
from logicspike.slack.wording import media_words


def buttons(message: Message) -> dict[str, str | None]:
    return {
        piece["action_id"]: piece.get("value") or piece.get("url")
        for piece in walk(message.to_payload()["blocks"])
        if "action_id" in piece
    }


def test_the_connect_link_stands_in_the_button_and_in_the_text():
    link = make_notices("Acme", 1)[0]
    message = messages.render_notice(link, zone=ZONE, now=NOW)
    assert buttons(message) == {surface.LINK_OPEN: "https://bot.example.com/connect/secret"}
    assert "<https://bot.example.com/connect/secret>" in message.text
    assert "https://bot.example.com/connect/secret" in json.dumps(message.to_payload()["blocks"][2])
    assert "15:40 (Europe/Berlin)" in json.dumps(message.to_payload())


def test_more_accounts_than_a_menu_holds_are_mentioned():
    choices = tuple(Account(id=str(n), name=f"Page {n}") for n in range(130))
    pending = make_connection(status=ConnectionStatus.PENDING_CHOICE, choices=choices)
    message = messages.render_notice(
        notices.AccountChoice(connection=pending, typed="acme", platform_title="Acme"), zone=ZONE, now=NOW
    )
    payload = json.dumps(message.to_payload())
    assert "30 more could not be shown" in payload
    assert f'"{pending.connection_id}:99"' in payload


def test_an_outcome_question_names_the_very_attempt():
    attempts = (Attempt(attempt_id="a1", started_at=NOW), Attempt(attempt_id="a2", started_at=NOW))
    question = notices.OutcomeQuestion(delivery=make_delivery(attempts=attempts), platform_title="Acme")
    found = buttons(messages.render_notice(question, zone=ZONE, now=NOW))
    assert found == dict.fromkeys((surface.OUTCOME_LIVE, surface.OUTCOME_AGAIN, surface.OUTCOME_DROP), "k0:a2")


def test_an_outcome_question_says_what_the_platform_said_and_by_which_reference():
    delivery = make_delivery(detail="Acme gave an answer the bot doesn't know (reference 4f2a).")
    message = messages.render_notice(
        notices.OutcomeQuestion(delivery=delivery, platform_title="Acme"), zone=ZONE, now=NOW
    )
    assert "reference 4f2a" in message.text
    assert "reference 4f2a" in json.dumps(message.to_payload()["blocks"])


def test_a_confirmation_says_when_with_zone_and_distance():
    post = ScheduledPost(
        post_id="p", author=ANA, text="Hi", link=None, due_at=DUE, zone=ZONE, wall_time="", created_at=NOW
    )
    scheduled = Scheduled(post=post, deliveries=(make_delivery(),), warnings=())
    message = messages.schedule_confirmed(scheduled, ZONE, NOW, TITLES)
    assert (
        message.text == "Scheduled: Hi – Acme Social – Acme Inc, Tue 24 Nov 2026, 09:30 (Europe/Berlin), in 18 hours."
    )
    assert buttons(message)[surface.POST_CANCEL] == "k0"


def test_a_post_that_is_due_now_offers_no_cancel():
    post = ScheduledPost(
        post_id="p", author=ANA, text="Hi", link=None, due_at=NOW, zone=ZONE, wall_time="", created_at=NOW
    )
    message = messages.schedule_confirmed(Scheduled(post=post, deliveries=(make_delivery(),), warnings=()), ZONE, NOW)
    assert message.text == "Publishing now: Hi – acme – Acme Inc, Mon 23 Nov 2026, 15:30 (Europe/Berlin)."
    assert surface.POST_CANCEL not in buttons(message)


def test_a_post_that_is_due_now_but_has_to_wait_is_not_said_to_be_going_out():
    post = ScheduledPost(
        post_id="p", author=ANA, text="Hi", link=None, due_at=NOW, zone=ZONE, wall_time="", created_at=NOW
    )
    scheduled = Scheduled(post=post, deliveries=(make_delivery(),), warnings=("Sign in first.",))
    assert messages.schedule_confirmed(scheduled, ZONE, NOW).text.startswith("Scheduled for now: Hi")


def test_a_repeated_hour_is_offered_with_its_offset():
    options = (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    problem = WhenProblem(kind="ambiguous", explanation="Which one?", options=options)
    payload = json.dumps(messages.time_question(make_draft(), problem, ZONE).to_payload())
    assert "02:30 CEST (UTC+02:00)" in payload
    assert "02:30 CET (UTC+01:00)" in payload
    assert f"{'d' * 32}:{int(options[1].timestamp())}" in payload


def test_the_list_groups_by_day_in_the_members_zone():
    late = make_delivery(nth=0, due_at=datetime(2026, 11, 24, 23, 30, tzinfo=UTC))
    early = make_delivery(nth=1, due_at=datetime(2026, 11, 24, 10, 0, tzinfo=UTC), state=DeliveryState.HELD)
    blocks = messages.post_list((late, early), ZONE, NOW, TITLES).to_payload()["blocks"]
    texts = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    assert texts[1] == "*Tue 24 Nov 2026*"
    assert texts[2].startswith("*11:00* · Acme Social – Acme Inc · On hold · `k1`")
    assert texts[3] == "*Wed 25 Nov 2026*"
    assert texts[4].startswith("*00:30*")


@pytest.mark.parametrize(
    ("reason", "label"),
    [
        (HoldReason.LATE, "Publish now"),
        (HoldReason.MEMBER, "Try again"),
        (HoldReason.OPERATOR, "Try again"),
        (HoldReason.RECONNECT, None),
    ],
)
def test_what_is_on_hold_can_be_let_go_from_the_list(reason, label):
    held = replace(make_delivery(state=DeliveryState.HELD), hold_reason=reason)
    shown = messages.post_list((held,), ZONE, NOW).to_payload()["blocks"]
    labels = [piece["text"]["text"] for piece in walk(shown) if piece.get("action_id") == surface.LATE_PUBLISH]
    assert labels == ([label] if label else [])
    assert surface.POST_CANCEL in {piece.get("action_id") for piece in walk(shown)}


def test_the_list_shows_ten_and_says_how_many_more():
    message = messages.post_list(tuple(make_delivery(nth=nth) for nth in range(13)), ZONE, NOW)
    payload = json.dumps(message.to_payload())
    assert payload.count(surface.POST_CANCEL) == 10
    assert "and 3 posts more" in payload


def test_retried_posts_are_shown_as_trying_again():
    message = messages.post_list((make_delivery(tries=1),), ZONE, NOW)
    assert "Trying again at Tue 24 Nov 2026, 09:30" in json.dumps(message.to_payload())


def test_only_own_accounts_have_buttons_in_the_list():
    own = make_connection(nth=1, status=ConnectionStatus.NEEDS_RECONNECT)
    other = make_connection(nth=2, owner_id="U0BEN")
    found = [
        (piece["action_id"], piece["value"])
        for piece in walk(messages.connect_list((own, other), (), "U0ANA", ZONE, NOW).to_payload()["blocks"])
        if "action_id" in piece
    ]
    assert found == [(surface.CONNECT_RECONNECT, own.connection_id), (surface.DISCONNECT_ASK, own.connection_id)]


def test_a_disconnect_without_waiting_posts_asks_nothing_about_posts():
    plan = DisconnectPlan(
        connection=make_connection(), waiting=0, next_due_at=None, move_targets=(make_connection(nth=2),)
    )
    found = buttons(messages.disconnect_question(plan, ZONE, NOW, TITLES))
    assert set(found) == {surface.DISCONNECT_HOLD_POSTS, surface.DISCONNECT_KEEP}


def test_posts_can_be_moved_only_where_there_is_another_account():
    words = [
        json.dumps(messages.disconnect_question(plan, ZONE, NOW, TITLES).to_payload())
        for plan in (
            DisconnectPlan(connection=make_connection(), waiting=1, next_due_at=DUE, move_targets=targets)
            for targets in ((), (make_connection(nth=2),))
        )
    ]
    assert ["*Move*" in each for each in words] == [False, True]


@pytest.mark.parametrize(
    ("due_at", "words"),
    [(DUE, "The next is due Tue 24 Nov"), (NOW - timedelta(hours=1), "The earliest was due Mon 23 Nov")],
)
def test_a_disconnect_says_when_the_posts_are_or_were_due(due_at, words):
    plan = DisconnectPlan(connection=make_connection(), waiting=1, next_due_at=due_at, move_targets=())
    assert words in messages.disconnect_question(plan, ZONE, NOW, TITLES).text


def test_an_account_that_is_still_to_be_chosen_does_not_count_as_connected():
    pending = make_connection(status=ConnectionStatus.PENDING_CHOICE)
    assert messages.connect_list((pending,), (), "U0ANA", ZONE, NOW).text.startswith("No account is connected yet")


@pytest.mark.parametrize(
    ("due_at", "words"),
    [
        (DUE, "the next for Tue 24 Nov 2026, 09:30 (Europe/Berlin)."),
        (NOW - timedelta(hours=1), "the earliest since Mon 23 Nov 2026, 14:30 (Europe/Berlin)."),
    ],
)
def test_posts_that_wait_for_a_sign_in_are_dated_without_a_distance_that_would_age(due_at, words):
    notice = notices.ReconnectNeeded(
        connection=make_connection(), platform_title="Acme", explanation="Ended.", waiting=2, next_due_at=due_at
    )
    text = messages.render_notice(notice, zone=ZONE, now=NOW).text
    assert f"2 posts are waiting, {words} Nothing is lost." in text


def test_the_help_lists_every_subcommand_under_the_configured_name():
    connect = json.dumps(messages.help_connect("/link", platform="acme").to_payload(), ensure_ascii=False)
    schedule = json.dumps(messages.help_schedule("/plan", account="acme").to_payload(), ensure_ascii=False)
    assert all(f"`/link{form}`" in connect for form in ("", " &lt;platform&gt;", " remove &lt;account&gt;", " help"))
    assert all(f"`/plan{form}`" in schedule for form in ("", " list", " cancel &lt;id&gt;", " help"))
    assert "`/plan acme tomorrow 9:30 We are hiring!`" in schedule


def test_posts_that_went_live_together_are_links_in_one_message():
    url = "https://acme.example/1?a=b&c=d"
    posts = tuple(make_delivery(published_url=url, account_name=f"Shop <{number}>") for number in range(12))
    notice = notices.PostsPublished(deliveries=posts, titles={"acme": "Acme"})
    shown = json.dumps(messages.render_notice(notice, zone=ZONE, now=NOW).to_payload(), ensure_ascii=False)
    assert "*Published* · 12 posts" in shown
    assert "<https://acme.example/1?a=b&amp;c=d|Acme – Shop &lt;9&gt;>: " in shown
    assert "and 2 more" in shown


def test_a_published_post_without_a_web_address_has_no_button():
    for url in (None, "javascript:alert(1)", "https://", "http://[::1"):
        notice = notices.DeliveryPublished(delivery=make_delivery(published_url=url), platform_title="Acme")
        assert buttons(messages.render_notice(notice, zone=ZONE, now=NOW)) == {}


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ([], ""),
        ([("image", "A cat.")], "1 picture"),
        ([("image", "")], "1 picture, without a description"),
        ([("image", "A cat."), ("image", "")], "2 pictures, 1 without a description"),
        ([("gif", "")], "1 GIF, without a description"),
        ([("video", "")], "1 video"),
        ([("image", ""), ("video", "")], "1 picture and 1 video, 1 without a description"),
    ],
)
def test_what_a_post_carries_is_worded(kinds, words):
    media = [
        Media(media_id="F", kind=MediaKind(kind), content_type="x/y", size=1, name="n", alt_text=text)
        for kind, text in kinds
    ]
    assert words == media_words(media)


def test_a_permission_is_told_to_its_end():
    phrase = "publish posts on Pages you choose, and comment below them as the Page"
    link = replace(make_notices("Acme", 1)[0], permissions=(phrase, "see your Pages"))

    assert f"let me {phrase} and see your Pages." in str(messages.render_notice(link, zone=ZONE, now=NOW).to_payload())


def test_an_upload_for_a_link_alone_is_told_as_its_preview():
    delivery = make_delivery("https://acme.example/news", due_at=NOW)
    under_way = notices.UploadUnderWay(delivery=delivery, platform_title="Acme", percent=100)
    ended = notices.UploadEnded(delivery=delivery, platform_title="Acme", is_done=True)

    texts = [messages.render_notice(each, zone=ZONE, now=NOW).text for each in (under_way, ended)]
    assert texts[0].startswith("Uploading the link's preview to Acme")
    assert texts[1].startswith("Uploaded the link's preview to Acme")


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        (1, "1 post is waiting since Tue 24 Nov 2026"),
        (2, "2 posts are waiting, the earliest since Tue 24 Nov 2026"),
    ],
)
def test_a_single_post_that_waits_is_not_said_to_be_the_earliest(waiting, words):
    notice = notices.ReconnectNeeded(
        connection=make_connection(), platform_title="Acme", explanation="", waiting=waiting, next_due_at=DUE
    )
    assert words in messages.render_notice(notice, zone=ZONE, now=DUE).text


@pytest.mark.parametrize(
    ("waiting", "words"), [(1, "the text is your workspace's and kept. Schedule it"), (2, "the texts are")]
)
def test_what_an_erased_account_leaves_is_counted_right(waiting, words):
    notice = notices.AccountErased(platform_title="Acme", account_name="Acme Inc", waiting=waiting)

    assert words in messages.render_notice(notice, zone=ZONE, now=NOW).text


def test_a_moment_that_reads_today_at_is_not_led_in_by_another_at():
    delivery = make_delivery(due_at=DUE)
    told = [
        notices.UploadEnded(delivery=delivery, platform_title="Acme", is_done=True),
        notices.PreparationDelayed(delivery=delivery, platform_title="Acme", explanation="Down.", again_at=DUE),
        notices.DeliveryDelayed(delivery=delivery, platform_title="Acme", explanation="Down."),
    ]
    for notice in told:
        assert not re.search(r" at <!date", str(messages.render_notice(notice, zone=ZONE, now=NOW).to_payload()))


def test_a_held_post_that_is_let_go_is_said_to_go_out_now_if_its_time_has_come():
    due = make_delivery(due_at=NOW - timedelta(hours=1), next_try_at=NOW, settled_at=NOW)
    early = make_delivery(due_at=DUE, next_try_at=DUE, settled_at=NOW)

    assert "Publishing now: Acme Social – Acme Inc." == messages.late_result(due, TITLES).text
    assert messages.late_result(early, TITLES).text.startswith("Scheduled: Acme Social – Acme Inc. It goes out at its")
