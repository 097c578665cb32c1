"""Every message: within Slack's limits, harmless whatever people write, and readable by a stranger."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from logicspike.domain import (
    Attempt,
    Connection,
    ConnectionStatus,
    Delivery,
    DeliveryState,
    Draft,
    HoldReason,
    Member,
    Purpose,
    ScheduledPost,
)
from logicspike.plugin.types import Account, Media, MediaKind, Post
from logicspike.services import notices
from logicspike.services.disconnecting import Disconnected, DisconnectPlan
from logicspike.services.editing import ChangedMeanwhile, Editable, Edited, NotEdited, TooLate
from logicspike.services.scheduling import AccountQuestion, CancelOutcome, NotScheduled, Scheduled, ScheduleProblem
from logicspike.services.withdrawing import Withdrawal
from logicspike.slack import messages, surface
from logicspike.slack.message import Message
from logicspike.slack.moments import WhenProblem
from logicspike.slack.mrkdwn import measure
from logicspike.slack.wording import media_words

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
DUE = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
ZONE = "Europe/Berlin"
ANA = Member(team_id="T1", user_id="U0ANA")
TITLES = {"acme": "Acme Social"}


def make_connection(word: str = "Acme Inc", *, nth: int = 0, **changes: Any) -> Connection:
    connection = Connection(
        connection_id=f"c{nth:031d}",
        team_id="T1",
        owner_id="U0ANA",
        platform="acme",
        account=Account(id="1", name=word),
        status=ConnectionStatus.ACTIVE,
        nickname=f"acme:{word}",
        created_at=NOW - timedelta(days=3),
    )
    return replace(connection, **changes)


def make_delivery(word: str = "We are hiring!", *, nth: int = 0, **changes: Any) -> Delivery:
    delivery = Delivery(
        delivery_id=f"k{nth}",
        post_id="p1",
        team_id="T1",
        author_id="U0ANA",
        connection_id="c1",
        platform="acme",
        account_name=word if word != "We are hiring!" else "Acme Inc",
        post=Post(key="k", text=word),
        state=DeliveryState.SCHEDULED,
        due_at=DUE + timedelta(days=nth),
        next_try_at=DUE,
        zone=ZONE,
    )
    return replace(delivery, **changes)


def make_draft(word: str = "We are hiring!") -> Draft:
    return Draft(draft_id="d" * 32, author=ANA, text=word, created_at=NOW)


def make_notices(word: str, count: int) -> list[notices.Notice]:
    connection = make_connection(word)
    delivery = make_delivery(word, attempts=(Attempt(attempt_id="a" * 32, started_at=NOW),), published_url=word)
    many = tuple(make_delivery(word, nth=nth) for nth in range(count))
    choices = tuple(Account(id=str(nth), name=f"{nth} {word}", kind=word) for nth in range(count))
    pending = replace(connection, status=ConnectionStatus.PENDING_CHOICE, choices=choices, reconnects="c9")
    link = notices.ConnectLink(
        title=word,
        platform_title=word,
        permissions=(word,) * count,
        workspace_name=word,
        url="https://bot.example.com/connect/secret",
        purpose=Purpose.CONNECT,
        account_name=None,
        expires_at=NOW + timedelta(minutes=10),
    )
    return [
        link,
        replace(link, purpose=Purpose.RECONNECT, account_name=word),
        notices.ConnectEnded(typed="acme", platform_title=word, connection_id=None),
        notices.ConnectFailed(typed="acme", platform_title=word, explanation=word, connection_id="c1"),
        notices.AccountChoice(connection=pending, typed="acme", platform_title=word, expected_name=word),
        notices.Connected(connection=connection, platform_title=word),
        notices.Reconnected(connection=connection, platform_title=word, released=many, late=many),
        notices.ReconnectNeeded(
            connection=connection, platform_title=word, explanation=word, waiting=count, next_due_at=DUE
        ),
        notices.AccountErased(platform_title=word, account_name=word, waiting=count),
        notices.TokensEnding(
            connection=connection, platform_title=word, ends_at=DUE, beyond=count, next_due_at=DUE if count else None
        ),
        notices.DeliveryPublished(delivery=delivery, platform_title=word),
        notices.PostsPublished(deliveries=many, titles={"acme": word}),
        notices.DeliveryFailed(delivery=delivery, platform_title=word, problems=(word,) * count),
        notices.DeliveryDelayed(delivery=delivery, platform_title=word, explanation=word),
        *(notices.UploadUnderWay(delivery=delivery, platform_title=word, percent=percent) for percent in (0, 42, 100)),
        *(notices.UploadEnded(delivery=delivery, platform_title=word, is_done=done) for done in (True, False)),
        notices.PreparationDelayed(delivery=delivery, platform_title=word, explanation=word, again_at=DUE),
        *(
            notices.DeliveryHeld(delivery=replace(delivery, hold_reason=why), platform_title=word, explanation=word)
            for why in HoldReason
        ),
        notices.LateQuestion(deliveries=many),
        notices.OutcomeQuestion(delivery=delivery, platform_title=word),
        *(
            notices.OutcomeSettled(delivery=replace(delivery, state=state, detail=word), platform_title=word)
            for state in DeliveryState
        ),
        notices.OperatorTrouble(platform="acme", platform_title=word, explanation=word),
    ]


def make_answers(word: str, count: int) -> list[Message]:
    titles = {"acme": word}
    connection, delivery, draft = make_connection(word), make_delivery(word), make_draft(word)
    statuses = [ConnectionStatus.ACTIVE, ConnectionStatus.NEEDS_RECONNECT, ConnectionStatus.PENDING_CHOICE]
    connections = tuple(
        make_connection(
            word, nth=nth, status=statuses[nth % 3], status_reason=word, owner_id=["U0ANA", "U0BEN"][nth % 2]
        )
        for nth in range(count)
    )
    states = list(DeliveryState)
    deliveries = tuple(
        make_delivery(word, nth=nth, state=states[nth % len(states)], detail=word) for nth in range(count)
    )
    platforms = [
        messages.PlatformChoice(name=f"p{nth}", title=word, is_ready=nth % 2 == 0, reason=word) for nth in range(count)
    ]
    post = ScheduledPost(
        post_id="p", author=ANA, text=word, link=None, due_at=DUE, zone=ZONE, wall_time="", created_at=NOW
    )
    problems = tuple(
        ScheduleProblem(
            field="text",
            message=word,
            connect_platform="acme" if nth % 2 else None,
            reconnect_id=None if nth % 2 else "c",
        )
        for nth in range(count)
    )
    when = WhenProblem(
        kind="unclear", explanation=word, options=tuple(DUE + timedelta(hours=n) for n in range(count)), typed=word
    )
    plan = DisconnectPlan(connection=connection, waiting=count, next_due_at=DUE, move_targets=connections)
    result = Disconnected(connection=connection, held=count, canceled=count, moved=0, withdrawal=Withdrawal.FAILED)
    return [
        messages.connect_sending(word),
        messages.connect_list(connections, platforms, "U0ANA", ZONE, NOW),
        messages.connect_list((), (), "U0ANA", ZONE, NOW),
        messages.unknown_platform(word, word, platforms),
        messages.platform_not_ready(word, word),
        messages.link_not_delivered(word),
        messages.account_not_found(word, word),
        messages.account_ambiguous(word, connections, titles),
        messages.account_kept(connection, titles),
        messages.account_taken(),
        messages.connection_gone(),
        messages.disconnect_question(plan, ZONE, NOW, titles),
        messages.disconnect_question(replace(plan, waiting=0), ZONE, NOW, titles),
        *(messages.disconnected(replace(result, withdrawal=each), titles) for each in Withdrawal),
        messages.not_allowed(word),
        messages.schedule_confirmed(
            Scheduled(post=post, deliveries=deliveries, warnings=(word,) * count), ZONE, NOW, titles
        ),
        messages.account_question(AccountQuestion(draft=draft, typed=word, options=connections), titles),
        messages.time_question(draft, when, ZONE),
        messages.not_scheduled(NotScheduled(draft=draft, problems=problems)),
        messages.not_scheduled(NotScheduled(draft=None, problems=problems)),
        messages.post_list(deliveries, ZONE, NOW, titles),
        messages.post_list((), ZONE, NOW),
        messages.cancel_result(CancelOutcome(delivery=delivery, is_canceled=True, suggestion=None), word, titles),
        messages.cancel_result(CancelOutcome(delivery=None, is_canceled=False, suggestion=word), word),
        *(
            messages.cancel_result(CancelOutcome(delivery=each, is_canceled=False, suggestion=None), word, titles)
            for each in deliveries[:8]
        ),
        messages.edit_saved(
            Edited(post=post, changed=deliveries or (delivery,), unchanged=deliveries, warnings=(word,) * count),
            ZONE,
            NOW,
            titles,
        ),
        messages.not_edited(NotEdited(problems=problems), word),
        messages.edit_too_late(TooLate(deliveries=deliveries), word, titles),
        messages.changed_meanwhile(
            ChangedMeanwhile(
                now=Editable(delivery=delivery, post=replace(post, edited_at=NOW), open=deliveries, gone=())
            ),
            word,
            ZONE,
        ),
        messages.late_result(delivery, titles),
        messages.late_result(None),
        messages.unknown_result(delivery, titles),
        messages.unknown_result(None),
        messages.draft_gone(),
        messages.draft_discarded(),
        messages.help_connect(word, platform=word),
        messages.help_schedule(word, account=word),
        messages.try_again(word),
        messages.something_broke(word),
        messages.unknown_subcommand(word, word, word),
    ]


def make_all(word: str, count: int) -> list[Message]:
    rendered = [
        messages.render_notice(notice, zone=ZONE, now=NOW, titles={"acme": word})
        for notice in make_notices(word, count)
    ]
    return rendered + make_answers(word, count)


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from walk(each)


TEXT_LIMITS = {"section": 3000, "button": 75, "header": 150}
WORSTS = ["&<>" * 3000, "😀" * 3000, "👨‍👩‍👧" * 2000, "a" * 9000, "word " * 2000, "é\n" * 3000, "*_~`" * 900, ""]


def check_limits(payload: dict[str, Any]) -> None:
    """docs.slack.dev/reference/block-kit, checked 2026-11."""
    json.dumps(payload)
    assert payload["text"].strip()
    assert measure(payload["text"]) <= 4000
    assert 1 <= len(payload["blocks"]) <= 50
    for piece in walk(payload["blocks"]):
        kind, text = piece.get("type"), piece.get("text")
        if isinstance(text, dict):
            assert text["text"].strip(), piece
            assert measure(text["text"]) <= TEXT_LIMITS.get(kind, 3000), piece
        if kind in {"mrkdwn", "plain_text"}:
            assert measure(text) <= 3000
            assert kind == "plain_text" or piece["verbatim"] is True
        if kind == "context":
            assert len(piece["elements"]) <= 10
        if kind == "actions":
            assert 1 <= len(piece["elements"]) <= 25
            ids = Counter(element["action_id"] for element in piece["elements"])
            assert set(ids.values()) == {1}, ids
            assert sum(element.get("style") == "primary" for element in piece["elements"]) <= 1
        if "action_id" in piece:
            assert piece["action_id"] in surface.ACTIONS
            assert len(piece.get("value") or "") <= 2000
            assert len(piece.get("url") or "") <= 3000
        if "options" in piece:
            assert 1 <= len(piece["options"]) <= 100
            assert measure(piece["placeholder"]["text"]) <= 150
            for option in piece["options"]:
                assert measure(option["text"]["text"]) <= 75
                assert len(option["value"]) <= 150
                assert measure(option.get("description", {"text": ""})["text"]) <= 75
        if "confirm" in piece and "deny" in piece:
            sizes = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
            assert all(0 < measure(piece[part]["text"]) <= size for part, size in sizes.items())
        if piece.get("style") == "danger" and "action_id" in piece:
            assert piece["confirm"]


@pytest.mark.parametrize("word", WORSTS)
@pytest.mark.parametrize("count", [1, 9, 150])
def test_no_message_breaks_a_limit_of_slacks(word, count):
    for message in make_all(word, count):
        check_limits(message.to_payload())


def test_every_notice_is_covered_here():
    assert {type(notice) for notice in make_notices("x", 1)} == set(get_args(notices.Notice))


OURS = re.compile(
    r"<!date\^\d+\^[^|<>]+\|[^<>]+>|<@[UW][A-Z0-9]+>|<https://bot\.example\.com/connect/secret>|&(?:amp|lt|gt);"
)
HOSTILE = [
    "<!channel> <!here|x> <@U1> <#C1> <https://evil.example|ok> <!date^1^x|y> <mailto:a@b>",
    "&lt;!channel&gt; & <",
    "https://evil.example/a?b=<!channel>|x",
    "\u202e<!channel>\u0000`<!here>`",
]


def marked_up(payload: dict[str, Any]) -> Iterator[str]:
    yield payload["text"]
    yield from (piece["text"] for piece in walk(payload["blocks"]) if piece.get("type") == "mrkdwn")


@given(word=st.text(alphabet=st.sampled_from("<>!@#&|^*`:/ \nUchanel;ltgam.😀e\u0301"), max_size=60))
@example(HOSTILE[0])
@example(HOSTILE[1])
@example(HOSTILE[2])
@example(HOSTILE[3])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_anybody_wrote_can_notify_or_link(word):
    for message in make_all(word, 9):
        for markup in marked_up(message.to_payload()):
            assert not re.search(r"[<>&]", OURS.sub("", markup)), markup


@pytest.mark.parametrize("message", make_all("Acme Inc", 3))
def test_members_read_no_jargon(message):
    words = " ".join(
        [message.text]
        + [
            piece["text"]
            for block in message.to_payload()["blocks"]
            for piece in walk(block)
            if "emoji" in piece or "verbatim" in piece
        ]
    ).lower()
    assert not re.search(
        r"\b(deliver(y|ies)|tokens?|grants?|oauth|none|null|claim(ed)?|snooze[d]?|scopes?)\b", words
    ), words


def test_user_text_is_shown_as_it_is():
    payload = messages.render_notice(
        notices.DeliveryFailed(delivery=make_delivery("*a* :smile: <b>"), platform_title="Acme", problems=()),
        zone=ZONE,
        now=NOW,
    ).to_payload()
    assert {"type": "plain_text", "text": "*a* :smile: <b>", "emoji": False} in list(walk(payload["blocks"]))


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
