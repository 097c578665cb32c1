"""Answers of the connect command: the list of accounts, what could not be found, and disconnecting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from slack_sdk.models.blocks import Block, InteractiveElement

from ..domain import Connection, ConnectionStatus
from ..services.disconnecting import Disconnected, DisconnectPlan
from ..services.withdrawing import Withdrawal
from .message import Message, actions, ask_first, build_message, button, choice, menu, note, paragraph, row
from .messages_accounts import disconnect_button, reconnect_button
from .mrkdwn import bullets, code, mention, name, one_line, prose
from .surface import (
    CONNECT_LIST,
    CONNECT_START,
    DISCONNECT_ASK,
    DISCONNECT_CANCEL_POSTS,
    DISCONNECT_HOLD_POSTS,
    DISCONNECT_KEEP,
    DISCONNECT_MOVE_POSTS,
    POST_LIST,
)
from .times import describe_end, describe_moment
from .wording import NO_TITLES, Titles, account_words, count_posts, join_words, posts_are, title_of

__all__ = [
    "PlatformChoice",
    "account_ambiguous",
    "account_kept",
    "account_not_found",
    "account_taken",
    "connect_list",
    "connect_sending",
    "connection_gone",
    "disconnect_question",
    "disconnected",
    "link_not_delivered",
    "not_allowed",
    "platform_not_ready",
    "unknown_platform",
]

_ACCOUNTS_SHOWN: Final = 15
_PLATFORMS_SHOWN: Final = 12
_SOON: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformChoice:
    """A platform that is installed here, or one of its further credential sets that is set up.

    Attributes:
        name: what people type.
        title: what people read.
        is_ready: whether accounts can be connected now.
        reason: why it isn't, in words for people.
        is_further: whether it's a further credential set, whose title says what is connected rather than where.
    """

    name: str
    title: str
    is_ready: bool
    reason: str | None = None
    is_further: bool = False


def connect_sending(platform_title: str) -> Message:
    """The link is on its way; needs nothing to be looked up."""
    sentence = f"I'm sending you a private link to connect {name(platform_title)}. Look in our direct messages."
    return build_message(sentence, paragraph(sentence))


def connect_list(
    connections: Sequence[Connection],
    platforms: Sequence[PlatformChoice],
    member_id: str,
    zone: str,
    now: datetime,
) -> Message:
    """All accounts of the workspace with their health, and what else can be connected.

    Args:
        connections: those that aren't disconnected.
        platforms: what is installed.
        member_id: who asks: the buttons of their own accounts are shown.
        zone: theirs.
        now: the present.
    """
    titles = {platform.name: platform.title for platform in platforms}
    blocks: list[Block | None] = [paragraph(f"*Accounts*\n{_list_summary(connections)}")]
    for connection in connections[:_ACCOUNTS_SHOWN]:
        blocks.extend(_account_rows(connection, titles, member_id, zone, now))
    if len(connections) > _ACCOUNTS_SHOWN:
        blocks.append(note(f"and {len(connections) - _ACCOUNTS_SHOWN} more"))
    return build_message(_list_summary(connections), *blocks, *_platform_rows(platforms))


def _list_summary(connections: Sequence[Connection]) -> str:
    connected = [each for each in connections if each.status is not ConnectionStatus.PENDING_CHOICE]
    if not connected:
        return "No account is connected yet. Connect one to schedule your first post."
    sick = sum(connection.status is not ConnectionStatus.ACTIVE for connection in connected)
    count = "1 account is connected" if len(connected) == 1 else f"{len(connected)} accounts are connected"
    if not sick:
        return f"{count}, and {'it works' if len(connected) == 1 else 'all of them work'}."
    return f"{count}; {sick} {'needs' if sick == 1 else 'need'} attention."


def _account_rows(
    connection: Connection, titles: Titles, member_id: str, zone: str, now: datetime
) -> Iterator[Block | None]:
    is_own = connection.owner_id == member_id
    if connection.status is ConnectionStatus.PENDING_CHOICE:
        title = name(title_of(connection.platform, titles))
        whose = "choose the account in our direct messages" if is_own else f"{_owner(connection)} has to choose it"
        yield paragraph(f"*{title}* · One step left: {whose}.")
        return
    account = account_words(connection, title_of(connection.platform, titles))
    owner = "yours" if is_own else f"connected by {_owner(connection)}; only they can post with it"
    yield paragraph(f"*{account}* · {code(connection.nickname)} · {owner}\n{_health(connection, is_own, zone, now)}")
    if is_own:
        ends_at = connection.access_ends_at
        is_wanted = connection.status is not ConnectionStatus.ACTIVE or (ends_at is not None and ends_at <= now + _SOON)
        reconnect = reconnect_button(connection.connection_id, is_primary=False) if is_wanted else None
        yield actions(reconnect, disconnect_button(connection))


def _owner(connection: Connection) -> str:
    return mention(connection.owner_id)


def _health(connection: Connection, is_own: bool, zone: str, now: datetime) -> str:
    if connection.status is ConnectionStatus.NEEDS_RECONNECT:
        why = f" {prose(connection.status_reason, 300)}" if connection.status_reason else ""
        who = "you to sign in again" if is_own else f"{_owner(connection)} to sign in again"
        return f"Needs {who}.{why} Posts to it wait until then."
    works = f"Works. Connected {describe_moment(connection.created_at, zone, now)}."
    if connection.access_ends_at is None:
        return works
    who = "you sign" if is_own else f"{_owner(connection)} signs"
    return f"{works} The access ends on {describe_end(connection.access_ends_at, zone, now)}, unless {who} in again."


def _platform_rows(platforms: Sequence[PlatformChoice]) -> Iterator[Block]:
    if not platforms:
        yield note("No platform is installed here. The people who run me can add one.")
    for platform in platforms[:_PLATFORMS_SHOWN]:
        title = name(platform.title)
        if platform.is_ready:
            yield row(f"*{title}*", _connect_button(platform))
        else:
            yield note(f"{title} can't be connected yet. {prose(platform.reason or '', 300)}")
    if len(platforms) > _PLATFORMS_SHOWN:
        yield note(f"and {len(platforms) - _PLATFORMS_SHOWN} more: type the platform's name after the command.")


def _connect_button(platform: PlatformChoice) -> InteractiveElement:
    return button(f"Connect {platform.title}", CONNECT_START, platform.name)


def unknown_platform(typed: str, suggestion: str | None, choices: Sequence[PlatformChoice]) -> Message:
    """There is no such platform: which ones there are, the one that was probably meant first."""
    hint = f" Did you mean {code(suggestion)}?" if suggestion else ""
    sentence = f"I don't know a platform called “{name(typed)}”.{hint}"
    ordered = sorted(choices, key=lambda platform: platform.name != suggestion)
    return build_message(sentence, paragraph(sentence), *_platform_rows(ordered))


def platform_not_ready(title: str, explanation: str) -> Message:
    """The platform is installed, but can't be used yet."""
    sentence = f"{name(title)} can't be connected here yet. {prose(explanation)}"
    return build_message(sentence, paragraph(sentence), note("Nothing was changed."))


def link_not_delivered(platform_title: str) -> Message:
    """Slack would not take the direct message with the private link."""
    sentence = (
        f"I could not send you a direct message, so there is no link to connect {name(platform_title)} yet. "
        "Open my profile, write me a message once, and try again. Nothing was changed."
    )
    return build_message(sentence, paragraph(sentence))


def account_not_found(typed: str, suggestion: str | None) -> Message:
    """No account has this name."""
    hint = f" Did you mean {code(suggestion)}?" if suggestion else ""
    sentence = f"There is no account called “{name(typed)}”.{hint} Nothing was changed."
    return build_message(sentence, paragraph(sentence), actions(button("Show accounts", CONNECT_LIST)))


def account_ambiguous(typed: str, options: Sequence[Connection], titles: Titles = NO_TITLES) -> Message:
    """The name of an account to disconnect fits several."""
    sentence = f"“{name(typed)}” fits {len(options)} accounts. Which one do you want to disconnect?"
    rows = (
        row(
            f"*{account_words(option, title_of(option.platform, titles))}* · {code(option.nickname)}",
            button("Disconnect this one", DISCONNECT_ASK, option.connection_id),
        )
        for option in options[:_ACCOUNTS_SHOWN]
    )
    return build_message(sentence, paragraph(sentence), *rows)


def connection_gone() -> Message:
    """A button stood for an account that is not connected any more."""
    sentence = "This account is not connected any more. Nothing was changed."
    return build_message(sentence, paragraph(sentence), actions(button("Show accounts", CONNECT_LIST)))


def account_taken() -> Message:
    """The chosen account is connected already."""
    sentence = "This account is connected in your workspace already. Nothing was changed."
    return build_message(sentence, paragraph(sentence), actions(button("Show accounts", CONNECT_LIST)))


def account_kept(connection: Connection, titles: Titles = NO_TITLES) -> Message:
    """The member decided against disconnecting."""
    account = account_words(connection, title_of(connection.platform, titles))
    sentence = f"{account} stays connected. Nothing was changed."
    return build_message(sentence, paragraph(sentence))


def disconnect_question(plan: DisconnectPlan, zone: str, now: datetime, titles: Titles = NO_TITLES) -> Message:
    """What a disconnect would touch, and what may become of the posts that wait."""
    account = account_words(plan.connection, title_of(plan.connection.platform, titles))
    waiting = "No posts are waiting for it."
    if plan.waiting:
        waiting = f"{posts_are(plan.waiting)} waiting for it.{_due_words(plan.next_due_at, zone, now)}"
    return build_message(
        f"Disconnect {account}? {waiting}",
        paragraph(f"*Disconnect {account}?*\n{waiting}"),
        paragraph(bullets(_explain_choices(plan))) if plan.waiting else None,
        actions(*_disconnect_buttons(plan)),
        note("I erase what I stored to sign in with, and ask the platform to withdraw my access where it can."),
    )


def _due_words(due_at: datetime | None, zone: str, now: datetime) -> str:
    if due_at is None:
        return ""
    verb = "earliest was" if due_at <= now else "next is"
    return f" The {verb} due {describe_moment(due_at, zone, now)}."


def _explain_choices(plan: DisconnectPlan) -> tuple[str, ...]:
    move = "*Move*: the posts go out at their times through another account."
    return (*_EXPLANATIONS, move) if plan.move_targets else _EXPLANATIONS


_EXPLANATIONS: Final = (
    "*Hold*: the posts wait until somebody connects this account again.",
    "*Cancel*: the posts will not be published.",
)


def _disconnect_buttons(plan: DisconnectPlan) -> tuple[InteractiveElement | None, ...]:
    connection_id = plan.connection.connection_id
    shown = one_line(plan.connection.account.name, 60)
    keep = button("Keep it connected", DISCONNECT_KEEP, connection_id)
    if not plan.waiting:
        confirm = ask_first(f"Disconnect {shown}?", "You can connect it again later.", do="Disconnect", keep="Keep it")
        return (button("Disconnect", DISCONNECT_HOLD_POSTS, connection_id, style="danger", confirm=confirm), keep)
    posts = count_posts(plan.waiting)
    hold = ask_first(f"Disconnect {shown}?", f"{posts} will be held.", do="Disconnect and hold", keep="Keep it")
    cancel = ask_first(
        f"Disconnect {shown}?", f"{posts} will be cancelled.", do="Disconnect and cancel", keep="Keep it"
    )
    return (
        button("Disconnect and hold posts", DISCONNECT_HOLD_POSTS, connection_id, style="danger", confirm=hold),
        button("Disconnect and cancel posts", DISCONNECT_CANCEL_POSTS, connection_id, style="danger", confirm=cancel),
        _move_menu(plan, posts, shown),
        keep,
    )


def _move_menu(plan: DisconnectPlan, posts: str, shown: str) -> InteractiveElement | None:
    if not plan.move_targets:
        return None
    options = tuple(
        choice(target.account.name, f"{plan.connection.connection_id}:{target.connection_id}", target.nickname)
        for target in plan.move_targets
    )
    confirm = ask_first(
        f"Disconnect {shown}?",
        f"{posts} will be moved to the account you chose.",
        do="Disconnect and move",
        keep="Keep it",
    )
    return menu("Disconnect and move posts to …", DISCONNECT_MOVE_POSTS, options, confirm=confirm)


def disconnected(result: Disconnected, titles: Titles = NO_TITLES) -> Message:
    """What a disconnect did."""
    title = title_of(result.connection.platform, titles)
    account = account_words(result.connection, title)
    counted = (
        (result.held, "on hold until this account is connected again"),
        (result.moved, "moved"),
        (result.canceled, "cancelled"),
    )
    became = tuple(f"{posts_are(count)} {what}" for count, what in counted if count)
    posts = f" {join_words(became)}." if became else ""
    sentence = (
        f"Disconnected: {account}. What I had stored to sign in with is erased. {_withdrawn(result, title)}{posts}"
    )
    waiting = button("Show what is scheduled", POST_LIST) if result.held or result.moved else None
    return build_message(sentence, paragraph(sentence), actions(button("Show accounts", CONNECT_LIST), waiting))


def _withdrawn(result: Disconnected, title: str) -> str:
    shown = name(title)
    match result.withdrawal:
        case Withdrawal.DONE:
            return f"{shown} confirmed that my access is withdrawn."
        case Withdrawal.STILL_USED:
            return f"My access at {shown} stays: other accounts that you connected by the same sign-in still use it."
        case Withdrawal.FAILED:
            return f"{shown} didn't answer when I withdrew my access: please remove me in your settings there as well."
        case Withdrawal.NOT_SUPPORTED:
            return f"To withdraw my access at {shown} as well, remove me in your settings there."


def not_allowed(owner_id: str) -> Message:
    """Somebody else's account or post."""
    sentence = f"Only {mention(owner_id)} can do this. Nothing was changed."
    return build_message(sentence, paragraph(sentence))
