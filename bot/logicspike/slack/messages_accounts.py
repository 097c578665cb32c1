"""Direct messages about accounts: the private link, what came of it, and when a sign-in is needed again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from slack_sdk.models.blocks import Block, InteractiveElement, Option

from ..domain import Connection, Purpose
from ..plugin.types import Account
from ..services.notices import (
    AccountChoice,
    AccountErased,
    Connected,
    ConnectEnded,
    ConnectFailed,
    ConnectLink,
    OperatorTrouble,
    Reconnected,
    ReconnectNeeded,
    TokensEnding,
)
from .message import (
    OPTIONS_AT_MOST,
    Message,
    actions,
    build_message,
    button,
    choice,
    link_button,
    menu,
    note,
    paragraph,
    pictured,
)
from .mrkdwn import bullets, code, link, name, prose, show_day_and_time, show_time
from .surface import (
    CONNECT_ASK_AGAIN,
    CONNECT_CHOOSE,
    CONNECT_LIST,
    CONNECT_RECONNECT,
    CONNECT_START,
    DISCONNECT_ASK,
    LINK_OPEN,
    POST_LIST,
    SCHEDULE_OPEN,
)
from .times import describe_end, describe_instant
from .wording import (
    account_facts,
    account_words,
    count_posts,
    day_and_time,
    join_words,
    kind_words,
    posts_are,
    preview,
)

__all__ = [
    "disconnect_button",
    "reconnect_button",
    "render_account_choice",
    "render_account_erased",
    "render_connect_ended",
    "render_connect_failed",
    "render_connect_link",
    "render_connected",
    "render_operator_trouble",
    "render_reconnect_needed",
    "render_reconnected",
    "render_tokens_ending",
    "retry_button",
]

_RELEASED_SHOWN: Final = 10
_PERMISSIONS_SHOWN: Final = 20
_PERMISSION_UNITS: Final = 120
_CHOICES_SHOWN: Final = 10


def reconnect_button(connection_id: str, label: str = "Reconnect", *, is_primary: bool = True) -> InteractiveElement:
    """The button that sends a fresh private link for an account."""
    return button(label, CONNECT_RECONNECT, connection_id, style="primary" if is_primary else None)


def disconnect_button(connection: Connection) -> InteractiveElement:
    """The button that asks what becomes of an account's posts; nothing is disconnected by it."""
    return button("Disconnect", DISCONNECT_ASK, connection.connection_id)


def retry_button(typed: str, connection_id: str | None) -> InteractiveElement:
    """The button that starts the same sign-in once more."""
    if connection_id is not None:
        return reconnect_button(connection_id, "Try again")
    return button("Try again", CONNECT_START, typed, style="primary")


def render_connect_link(notice: ConnectLink, zone: str) -> Message:
    """The private link: who gets what power, until when, and how to undo it."""
    title = name(notice.platform_title)
    if notice.purpose is Purpose.RECONNECT:
        whose = f" for {name(notice.account_name)}" if notice.account_name else ""
        what = f"Sign in to {title} again{whose}"
    else:
        what = f"Connect {name(notice.title)} to {name(notice.workspace_name)}"
    phrases = tuple(prose(phrase, _PERMISSION_UNITS) for phrase in notice.permissions[:_PERMISSIONS_SHOWN])
    powers = f"This will let me {join_words(phrases)}. " if phrases else ""
    return build_message(
        f"{what}: {link(notice.url)} – for you only, until {day_and_time(notice.expires_at, zone)}.",
        paragraph(
            f"*{what}*\n{powers}I can't read your messages there. You can undo this at any time with Disconnect."
        ),
        actions(link_button(f"Continue to {notice.platform_title}", LINK_OPEN, notice.url, style="primary")),
        note(f"If the button doesn't work, open {link(notice.url)}"),
        note(
            f"This link is for you only, so please don't pass it on. It ends at {show_time(notice.expires_at, zone)}."
        ),
    )


def render_connect_ended(notice: ConnectEnded) -> Message:
    """The member pressed Cancel at the platform."""
    title = name(notice.platform_title)
    outcome = "Nothing has changed here" if notice.connection_id else "Nothing was connected"
    sentence = f"You cancelled the sign-in at {title}. {outcome}."
    return build_message(sentence, paragraph(sentence), actions(retry_button(notice.typed, notice.connection_id)))


def render_connect_failed(notice: ConnectFailed) -> Message:
    """The sign-in came back, but nothing could be connected."""
    title, why = name(notice.platform_title), prose(notice.explanation)
    outcome = "Your account is as it was before." if notice.connection_id else "Nothing was connected."
    return build_message(
        f"{title} could not be connected. {why} {outcome}",
        paragraph(f"*{title} could not be connected*\n{why} {outcome}"),
        actions(
            _ask_again_button("Try again", notice.typed, notice.connection_id)
            if notice.is_for_asking_again
            else retry_button(notice.typed, notice.connection_id)
        ),
    )


def render_account_choice(notice: AccountChoice) -> Message:
    """The sign-in can post to several accounts, or to another one than expected: which one is meant?"""
    choices, title = notice.connection.choices, name(notice.platform_title)
    options = tuple(
        choice(account.name, f"{notice.connection.connection_id}:{position}", _describe(account))
        for position, account in enumerate(choices[:OPTIONS_AT_MOST])
    )
    hidden = len(choices) - len(options)
    question = f"One step left: which {title} account do you want to connect?"
    is_other = notice.expected_name is not None
    if is_other and len(choices) == 1:
        question = (
            f"You signed in as {name(choices[0].name)}; the account to renew is {name(notice.expected_name or '')}"
        )
    return build_message(
        f"{_other_account(notice)}{question}{'.' if is_other and len(choices) == 1 else ''}",
        paragraph(f"*{question}*\n{_other_account(notice)}" if is_other else f"*{question}*"),
        *_account_rows(choices, notice.platform_title),
        actions(_choice_element(notice, options), _back_button(notice)) if options else None,
        note(_hidden_accounts(hidden)) if hidden > 0 else None,
        actions(_ask_again_button(_not_listed(choices), notice.typed, notice.connection.reconnects)),
    )


def _account_rows(choices: Sequence[Account], title: str) -> Iterator[Block]:
    """Each account with its picture, as long as the list can be taken in at a glance."""
    if len(choices) <= _CHOICES_SHOWN:
        for account in choices:
            yield pictured(f"*{name(account.name)}*\n{account_facts(account, title)}", account.picture, account.name)


def _describe(account: Account) -> str:
    return " · ".join(filter(None, (kind_words(account.kind), account.handle)))


def _choice_element(notice: AccountChoice, options: tuple[Option, ...]) -> InteractiveElement:
    """A menu; for a single account, which is another one than expected, a button."""
    choices = notice.connection.choices
    if len(choices) == 1:
        value = f"{notice.connection.connection_id}:0"
        return button(f"Add {choices[0].name} as a new account", CONNECT_CHOOSE, value)
    return menu("Choose an account", CONNECT_CHOOSE, options)


def _not_listed(choices: Sequence[Account]) -> str:
    kinds = {account.kind for account in choices}
    return f"{kind_words(kinds.pop())} not in the list?" if len(kinds) == 1 else "Account not in the list?"


def _ask_again_button(label: str, typed: str, connection_id: str | None) -> InteractiveElement:
    """The button that signs in once more, and lets the platform ask again for what was left out."""
    return button(label, CONNECT_ASK_AGAIN, f"{typed}:{connection_id}" if connection_id else typed)


def _other_account(notice: AccountChoice) -> str:
    if notice.expected_name is None:
        return ""
    this = "this one" if len(notice.connection.choices) == 1 else "one of these"
    return (
        f"This sign-in doesn't reach {name(notice.expected_name)}, which stays as it was. "
        f"Sign in again with the right account, or add {this} as a new one. "
    )


def _back_button(notice: AccountChoice) -> InteractiveElement | None:
    reconnects = notice.connection.reconnects
    return reconnect_button(reconnects, "Sign in again") if reconnects else None


def _hidden_accounts(hidden: int) -> str:
    return (
        f"{hidden} more could not be shown: a menu holds {OPTIONS_AT_MOST}. "
        "To reach one of them, allow me fewer accounts when you sign in."
    )


def render_connected(notice: Connected, zone: str, now: datetime) -> Message:
    """An account is connected."""
    account, ends_at = account_words(notice.connection, notice.platform_title), notice.connection.access_ends_at
    ends = ""
    if ends_at is not None:
        ends = (
            f" {name(notice.platform_title)} lets me in until {describe_end(ends_at, zone, now)}; "
            "I'll remind you to sign in again before."
        )
    return build_message(
        f"Connected: {account}. You can schedule posts to it now.{ends}",
        pictured(
            f"*Connected: {account}*\n{account_facts(notice.connection.account, notice.platform_title)}\n"
            f"When you schedule a post, you can call it {code(notice.connection.nickname)}.{ends}",
            notice.connection.account.picture,
            notice.connection.account.name,
        ),
        actions(button("Schedule a post", SCHEDULE_OPEN, style="primary"), disconnect_button(notice.connection)),
    )


def render_reconnect_needed(notice: ReconnectNeeded, zone: str, now: datetime) -> Message:
    """The platform ended our access."""
    account, title = account_words(notice.connection, notice.platform_title), name(notice.platform_title)
    waiting = _waiting_words(notice, zone, now)
    return build_message(
        f"{title} asks you to sign in again for {account}. {waiting}Nothing is lost.",
        paragraph(
            f"*{title} asks you to sign in again: {account}*\n{prose(notice.explanation)}\n{waiting}Nothing is lost."
        ),
        actions(reconnect_button(notice.connection.connection_id), disconnect_button(notice.connection)),
    )


def _waiting_words(notice: ReconnectNeeded, zone: str, now: datetime) -> str:
    if not notice.waiting:
        return ""
    which = ("", "") if notice.waiting == 1 else (", the earliest", ", the next")
    return f"{posts_are(notice.waiting)} waiting{_due_words(notice.next_due_at, zone, now, which)}. "


def _due_words(due_at: datetime | None, zone: str, now: datetime, which: tuple[str, str]) -> str:
    earliest, following = which
    if due_at is None:
        return ""
    if due_at <= now:
        return f"{earliest} since {describe_instant(due_at, zone)}"
    return f"{following} for {describe_instant(due_at, zone)}"


def render_reconnected(notice: Reconnected, zone: str) -> Message:
    """An account is back: what goes out by itself; what is too late to do so is asked about in a message of its own."""
    account = account_words(notice.connection, notice.platform_title)
    released = tuple(
        f"{show_day_and_time(delivery.due_at, zone)}: {preview(delivery.post.text, delivery.post.media)}"
        for delivery in notice.released[:_RELEASED_SHOWN]
    )
    more = len(notice.released) - len(released)
    blocks: list[Block | None] = [paragraph(f"*{account} is connected again*")]
    if released:
        listed = bullets((*released, *((f"and {more} more",) if more > 0 else ())))
        blocks.append(
            paragraph(f"{count_posts(len(notice.released))} will go out, at once where the time has come:\n{listed}")
        )
    if notice.late:
        blocks.append(paragraph(_too_late(notice)))
    blocks.append(actions(button("Show what is scheduled", POST_LIST)))
    return build_message(_reconnected_words(account, notice), *blocks)


def _reconnected_words(account: str, notice: Reconnected) -> str:
    sentences = [f"{account} is connected again."]
    if notice.released:
        sentences.append(f"{count_posts(len(notice.released))} will go out, at once where the time has come.")
    if notice.late:
        sentences.append(_too_late(notice))
    return " ".join(sentences)


def _too_late(notice: Reconnected) -> str:
    return f"{posts_are(len(notice.late))} too late to go out unasked; I ask you about that in another message."


def render_account_erased(notice: AccountErased) -> Message:
    """The owner asked the platform to have their data erased here."""
    account, title = f"{name(notice.account_name)} ({name(notice.platform_title)})", name(notice.platform_title)
    why = f"At {title}, you asked for your data to be erased here. My access and what I knew of the account go."
    posts = ""
    if notice.waiting:
        texts, them = ("text is", "it") if notice.waiting == 1 else ("texts are", "them")
        posts = (
            f" {posts_are(notice.waiting)} on hold: the {texts} your workspace's and kept. "
            f"Schedule {them} for another account, or cancel {them}."
        )
    return build_message(
        f"{account} is disconnected and erased. {why}{posts}",
        paragraph(f"*{account} is disconnected and erased*\n{why}{posts}"),
        actions(
            button("Show what is scheduled", POST_LIST) if notice.waiting else None,
            button("Show accounts", CONNECT_LIST),
        ),
    )


def render_tokens_ending(notice: TokensEnding, zone: str, now: datetime) -> Message:
    """Access that can't be renewed by itself ends soon."""
    account, title = account_words(notice.connection, notice.platform_title), name(notice.platform_title)
    ends = describe_end(notice.ends_at, zone, now)
    advice = "Sign in again before then, and your posts go out without a break."
    beyond = ""
    if notice.beyond and notice.next_due_at is not None:
        first = describe_instant(notice.next_due_at, zone)
        beyond = f" {posts_are(notice.beyond)} for later than that, the next for {first}."
    return build_message(
        f"My access to {account} ends on {ends}. {advice}{beyond}",
        paragraph(
            f"*My access to {account} ends on {ends}*\n{title} doesn't let me renew it by myself. {advice}{beyond}"
        ),
        actions(reconnect_button(notice.connection.connection_id), disconnect_button(notice.connection)),
    )


def render_operator_trouble(notice: OperatorTrouble) -> Message:
    """The bot's own set-up at a platform is in trouble; for admins."""
    title, why = name(notice.platform_title), prose(notice.explanation)
    kept = "Posts that fall due meanwhile are held, not lost; once this is put right, their authors press *Try again*."
    return build_message(
        f"I can't post to {title} at the moment. {why} {kept}",
        paragraph(f"*I can't post to {title} at the moment*\n{why}\n{kept}"),
        note("You read this because you look after me in this workspace. Members can't solve it."),
    )
