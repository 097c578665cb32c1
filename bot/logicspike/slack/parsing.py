"""Reads what members type after the two commands: nothing raises, nothing is cut off, nothing is guessed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from .moments import FARTHEST, Moment, WhenProblem, WhenResult
from .times import describe_moment, find_zone
from .when import HEAD_CHARS, parse_when, starts_with_time, to_plain

__all__ = [
    "CONNECT_SUBCOMMANDS",
    "FARTHEST",
    "SCHEDULE_SUBCOMMANDS",
    "ConnectAction",
    "ConnectCommand",
    "Moment",
    "ScheduleAction",
    "ScheduleCommand",
    "Subcommand",
    "WhenProblem",
    "WhenResult",
    "describe_moment",
    "find_zone",
    "parse_connect",
    "parse_schedule",
    "parse_when",
    "suggest_subcommand",
]


class ConnectAction(StrEnum):
    """What the connect command is asked to do."""

    LIST = "list"
    START = "start"
    REMOVE = "remove"
    HELP = "help"


class ScheduleAction(StrEnum):
    """What the schedule command is asked to do."""

    COMPOSE = "compose"
    POST = "post"
    LIST = "list"
    EDIT = "edit"
    CANCEL = "cancel"
    HELP = "help"


_Action = TypeVar("_Action", ConnectAction, ScheduleAction)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subcommand:
    """One way to use a command: what dispatches it, and what the help says about it.

    Attributes:
        word: the first word; empty for a form that has none.
        takes: what follows it, for the help.
        summary: what it does, for the help.
        aliases: other first words for the same.
    """

    word: str
    takes: str = ""
    summary: str
    aliases: tuple[str, ...] = ()


CONNECT_SUBCOMMANDS: Final = {
    ConnectAction.LIST: Subcommand(word="", summary="shows the accounts and how they are", aliases=("list",)),
    ConnectAction.START: Subcommand(word="", takes="<platform>", summary="sends you a private link to sign in with"),
    ConnectAction.REMOVE: Subcommand(
        word="remove",
        takes="<account>",
        summary="disconnects an account; I ask first what becomes of its posts",
        aliases=("disconnect", "delete"),
    ),
    ConnectAction.HELP: Subcommand(word="help", summary="shows this", aliases=("?", "-h", "--help")),
}

SCHEDULE_SUBCOMMANDS: Final = {
    ScheduleAction.COMPOSE: Subcommand(word="", summary="opens a form to write and schedule a post"),
    ScheduleAction.POST: Subcommand(
        word="", takes="<accounts> <when> <text>", summary="schedules a post; without a time, the form opens"
    ),
    ScheduleAction.LIST: Subcommand(word="list", summary="shows what is scheduled"),
    ScheduleAction.EDIT: Subcommand(
        word="edit", takes="<id>", summary="changes the text or time of a post that has not gone out"
    ),
    ScheduleAction.CANCEL: Subcommand(word="cancel", takes="<id>", summary="cancels a post that has not gone out"),
    ScheduleAction.HELP: Subcommand(word="help", summary="shows this", aliases=("?", "-h", "--help")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectCommand:
    """What was typed after the connect command.

    Attributes:
        action: what to do.
        platform: for START: the platform as typed, in lower case.
        account: for REMOVE: the account as typed; None when it was left out.
    """

    action: ConnectAction
    platform: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCommand:
    """What was typed after the schedule command.

    Attributes:
        action: what to do.
        accounts: for POST: the accounts as typed, each once, in order; empty when a time came first.
        rest: for POST: what follows the accounts: hand it to ``parse_when``.
        typed: for POST: everything that was typed, for when the first word turns out to be no account.
        delivery_id: for EDIT and CANCEL: the id as typed, in lower case; None when it was left out.
    """

    action: ScheduleAction
    accounts: tuple[str, ...] = ()
    rest: str = ""
    typed: str = ""
    delivery_id: str | None = None


def parse_connect(text: str) -> ConnectCommand:
    """Read what follows the connect command."""
    words = to_plain(_unescape(text)).split()
    if not words:
        return ConnectCommand(action=ConnectAction.LIST)
    action = _find_action(CONNECT_SUBCOMMANDS, words[0])
    rest = _bare(" ".join(words[1:]))
    if action is ConnectAction.REMOVE:
        return ConnectCommand(action=action, account=rest or None)
    if action is not None:
        return ConnectCommand(action=action)
    platform = _bare(" ".join(words)).lower()
    return ConnectCommand(action=ConnectAction.START if platform else ConnectAction.LIST, platform=platform or None)


def parse_schedule(text: str) -> ScheduleCommand:
    """Read what follows the schedule command; the time in ``rest`` still has to be read with ``parse_when``."""
    typed = _unescape(text).strip()
    words = to_plain(typed).split(maxsplit=2)
    if not words:
        return ScheduleCommand(action=ScheduleAction.COMPOSE)
    action = _find_action(SCHEDULE_SUBCOMMANDS, words[0])
    if action in {ScheduleAction.EDIT, ScheduleAction.CANCEL}:
        return ScheduleCommand(action=action, delivery_id=_bare(words[1]).lower() or None if words[1:] else None)
    if action is not None:
        return ScheduleCommand(action=action)
    accounts, end = _read_accounts(typed)
    return ScheduleCommand(action=ScheduleAction.POST, accounts=accounts, rest=typed[end:].strip(), typed=typed)


def suggest_subcommand(typed: str, subcommands: Mapping[_Action, Subcommand]) -> str | None:
    """Find the sub-command somebody may have meant; None when nothing is near."""
    known = [subcommand.word for subcommand in subcommands.values() if subcommand.word]
    return next(iter(difflib.get_close_matches(typed[:_WORD_CHARS].lower(), known, n=1)), None)


def _find_action(subcommands: Mapping[_Action, Subcommand], word: str) -> _Action | None:
    wanted = word.lower()
    for action, subcommand in subcommands.items():
        if wanted in subcommand.aliases or (subcommand.word and wanted == subcommand.word):
            return action
    return None


_WORD_CHARS: Final = 100
_ENTITIES: Final = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}


def _unescape(text: str) -> str:
    """Undo what Slack does to text on its way to an app (docs.slack.dev/messaging/formatting, checked 2026-11)."""
    return re.sub(r"&(?:amp|lt|gt);", lambda match: _ENTITIES[match[0]], text)


def _bare(word: str) -> str:
    """A name without the quotes, back-ticks or sign that people put around it, and of bounded length."""
    return word.strip("\"'`#* \t").strip()[:_WORD_CHARS]


_ACCOUNT: Final = re.compile(r"\s*(?:\"([^\"\n,]+)\"|([^\s,]+))", re.ASCII)
_COMMA: Final = re.compile(r"\s*,[\s,]*", re.ASCII)


def _read_accounts(typed: str) -> tuple[tuple[str, ...], int]:
    """The accounts at the start, and where they end."""
    plain, end = to_plain(typed), 0
    found: list[str] = []
    while not starts_with_time(typed[end:]) and (match := _ACCOUNT.match(plain, end, HEAD_CHARS)):
        found.append(_bare(match[1] or match[2]))
        end = match.end()
        comma = _COMMA.match(plain, end)
        if comma is None:
            break
        end = comma.end()
    by_name = {name.lower(): name for name in reversed(found) if name}
    return tuple(dict.fromkeys(by_name[name.lower()] for name in found if name)), end
