"""Connections, posts and every message there is, about any word and any number of things."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

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
from logicspike.plugin.types import Account, Post
from logicspike.services import notices
from logicspike.services.disconnecting import Disconnected, DisconnectPlan
from logicspike.services.editing import ChangedMeanwhile, Editable, Edited, NotEdited, TooLate
from logicspike.services.scheduling import AccountQuestion, CancelOutcome, NotScheduled, Scheduled, ScheduleProblem
from logicspike.services.withdrawing import Withdrawal
from logicspike.slack import messages
from logicspike.slack.message import Message
from logicspike.slack.moments import WhenProblem

__all__ = [
    "ANA",
    "DUE",
    "NOW",
    "TITLES",
    "ZONE",
    "make_all",
    "make_connection",
    "make_delivery",
    "make_draft",
    "make_notices",
    "walk",
]

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
    """Every kind of notice, with the word wherever somebody else's words may stand."""
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
    """Every answer to a command or a click, in the same way."""
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
    """Every message: the notices, and the answers."""
    rendered = [
        messages.render_notice(notice, zone=ZONE, now=NOW, titles={"acme": word})
        for notice in make_notices(word, count)
    ]
    return rendered + make_answers(word, count)


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a message's JSON, however deep."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from walk(each)
