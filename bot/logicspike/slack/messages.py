"""Everything the bot says in Slack: notices as direct messages, and the answers to commands and clicks."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from ..services.notices import (
    AccountChoice,
    AccountErased,
    Connected,
    ConnectEnded,
    ConnectFailed,
    ConnectLink,
    DeliveryDelayed,
    DeliveryFailed,
    DeliveryHeld,
    DeliveryPublished,
    LateQuestion,
    Notice,
    OperatorTrouble,
    OutcomeQuestion,
    OutcomeSettled,
    PostsPublished,
    PreparationDelayed,
    Reconnected,
    ReconnectNeeded,
    TokensEnding,
    UploadEnded,
    UploadUnderWay,
)
from .help import help_connect, help_schedule
from .message import Message, actions, build_message, button, note, paragraph
from .messages_accounts import (
    render_account_choice,
    render_account_erased,
    render_connect_ended,
    render_connect_failed,
    render_connect_link,
    render_connected,
    render_operator_trouble,
    render_reconnect_needed,
    render_reconnected,
    render_tokens_ending,
)
from .messages_connect import (
    PlatformChoice,
    account_ambiguous,
    account_kept,
    account_not_found,
    account_taken,
    connect_list,
    connect_sending,
    connection_gone,
    disconnect_question,
    disconnected,
    link_not_delivered,
    not_allowed,
    platform_not_ready,
    unknown_platform,
)
from .messages_editing import (
    changed_meanwhile,
    edit_saved,
    edit_too_late,
    meanwhile_words,
    not_edited,
    too_late_words,
)
from .messages_late import render_late_question
from .messages_media import render_preparation_delayed, render_upload_ended, render_upload_under_way
from .messages_posts import (
    render_delivery_delayed,
    render_delivery_failed,
    render_delivery_held,
    render_delivery_published,
    render_outcome_question,
    render_outcome_settled,
    render_posts_published,
)
from .messages_schedule import (
    account_question,
    cancel_result,
    draft_discarded,
    draft_gone,
    late_result,
    no_such_post,
    not_scheduled,
    post_list,
    schedule_confirmed,
    time_question,
    unknown_result,
)
from .mrkdwn import code, name, prose
from .surface import SCHEDULE_OPEN
from .wording import NO_TITLES, Titles

__all__ = [
    "NO_TITLES",
    "Message",
    "PlatformChoice",
    "Titles",
    "account_ambiguous",
    "account_kept",
    "account_not_found",
    "account_question",
    "account_taken",
    "cancel_result",
    "changed_meanwhile",
    "connect_list",
    "connect_sending",
    "connection_gone",
    "disconnect_question",
    "disconnected",
    "draft_discarded",
    "draft_gone",
    "edit_saved",
    "edit_too_late",
    "help_connect",
    "help_schedule",
    "late_result",
    "link_not_delivered",
    "meanwhile_words",
    "no_such_post",
    "not_allowed",
    "not_edited",
    "not_scheduled",
    "platform_not_ready",
    "post_list",
    "render_notice",
    "schedule_confirmed",
    "something_broke",
    "time_question",
    "too_late_words",
    "try_again",
    "unknown_platform",
    "unknown_result",
    "unknown_subcommand",
]


def render_notice(notice: Notice, *, zone: str, now: datetime, titles: Titles = NO_TITLES) -> Message:  # noqa: C901
    """Word a notice.

    Args:
        notice: what to say.
        zone: IANA name of the reader's zone.
        now: the present, aware UTC.
        titles: what people read for each platform's name, for the notices that don't bring one.
    """
    match notice:
        case ConnectLink():
            return render_connect_link(notice, zone)
        case ConnectEnded():
            return render_connect_ended(notice)
        case ConnectFailed():
            return render_connect_failed(notice)
        case AccountChoice():
            return render_account_choice(notice)
        case Connected():
            return render_connected(notice, zone, now)
        case Reconnected():
            return render_reconnected(notice, zone)
        case ReconnectNeeded():
            return render_reconnect_needed(notice, zone, now)
        case AccountErased():
            return render_account_erased(notice)
        case TokensEnding():
            return render_tokens_ending(notice, zone, now)
        case DeliveryPublished():
            return render_delivery_published(notice)
        case PostsPublished():
            return render_posts_published(notice)
        case DeliveryDelayed():
            return render_delivery_delayed(notice, zone)
        case PreparationDelayed():
            return render_preparation_delayed(notice, zone)
        case UploadUnderWay():
            return render_upload_under_way(notice)
        case UploadEnded():
            return render_upload_ended(notice, zone, now)
        case DeliveryFailed():
            return render_delivery_failed(notice)
        case DeliveryHeld():
            return render_delivery_held(notice, zone)
        case LateQuestion():
            return render_late_question(notice, zone, titles)
        case OutcomeQuestion():
            return render_outcome_question(notice)
        case OutcomeSettled():
            return render_outcome_settled(notice)
        case OperatorTrouble():
            return render_operator_trouble(notice)
        case _:
            assert_never(notice)


def try_again(what_was_kept: str = "Nothing was changed.") -> Message:
    """Something we depend on does not answer.

    Args:
        what_was_kept: one sentence, ready to read: what became of what the member did.
    """
    sentence = f"I can't do this right now, because a service I depend on doesn't answer. {prose(what_was_kept)}"
    advice = "Please try again in a minute."
    return build_message(f"{sentence} {advice}", paragraph(f"{sentence} {advice}"))


def something_broke(reference: str) -> Message:
    """An error of our own; the reference finds it in the log."""
    sentence = "Something went wrong on my side, and it has been noted. Please try again."
    shown = code(reference)
    return build_message(
        f"{sentence} Reference: {shown}",
        paragraph(sentence),
        note(f"If it happens again, tell the people who run me this reference: {shown}"),
    )


def unknown_subcommand(command: str, typed: str, suggestion: str | None) -> Message:
    """The word after the command is none of those it knows."""
    hint = f" Did you mean {code(f'{command} {suggestion}')}?" if suggestion else ""
    sentence = f"I don't know what “{name(typed)}” means here.{hint} {code(f'{command} help')} shows what I understand."
    return build_message(
        f"{sentence} Nothing was changed.",
        paragraph(sentence),
        actions(button("Schedule a post", SCHEDULE_OPEN)),
        note("Nothing was changed."),
    )
