"""The help of both commands, made from the table that dispatches them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from .interaction import write_answer
from .message import Message, actions, build_message, button, note, paragraph
from .mrkdwn import bullets, code, escape
from .parsing import CONNECT_SUBCOMMANDS, SCHEDULE_SUBCOMMANDS, Subcommand
from .surface import CONNECT_LIST, POST_LIST, SCHEDULE_OPEN

__all__ = ["help_connect", "help_schedule", "write_connect_help", "write_schedule_help"]

_TIMES: Final = ("now", "in 20m", "today 18:00", "tomorrow 9:30", "fri 14:00", "1 Dec 9am", "2026-12-01 09:00")


def help_connect(command: str = "/connect", *, platform: str = "<platform>") -> Message:
    """How to connect, list and remove accounts.

    Args:
        command: what the command is called here.
        platform: one that can be connected here, as people type it; for the examples.
    """
    examples = (f"{command} {platform}", f"{command} remove {platform}")
    return build_message(
        f"{escape(command)} connects the accounts that posts are published with. Example: {code(examples[0])}",
        paragraph("*Connect your accounts*\nI publish posts with the accounts that you connect."),
        paragraph(_usage(command, CONNECT_SUBCOMMANDS.values())),
        paragraph(f"*Examples*\n{bullets(tuple(code(example) for example in examples))}"),
        actions(button("Show accounts", CONNECT_LIST, style="primary")),
        note("The link I send is for you only and ends after ten minutes. I never ask for a password."),
    )


def help_schedule(command: str = "/schedule", *, account: str = "<account>") -> Message:
    """How to schedule, list, edit and cancel posts.

    Args:
        command: what the command is called here.
        account: one that can be posted to here, as people type it; for the examples.
    """
    examples = (
        f"{command} {account} tomorrow 9:30 We are hiring!",
        f"{command} {account} in 20m Doors open soon",
        f"{command} edit <id>",
        f"{command} cancel <id>",
    )
    return build_message(
        f"{escape(command)} schedules posts. Example: {code(examples[0])}",
        paragraph("*Schedule posts*\nName several accounts with commas between them."),
        paragraph(_usage(command, SCHEDULE_SUBCOMMANDS.values())),
        paragraph(f"*Examples*\n{bullets(tuple(code(example) for example in examples))}"),
        paragraph(f"*Times I understand*\n{' · '.join(code(words) for words in _TIMES)}"),
        paragraph(_PARTS),
        paragraph(
            f"*Pictures and videos*\n{code(command)} alone opens a form that takes them, with a description each."
        ),
        actions(button("Schedule a post", SCHEDULE_OPEN, style="primary"), button("Show what is scheduled", POST_LIST)),
        note("Times are in the time zone of your Slack profile. I always tell you what I understood."),
    )


_PARTS: Final = (
    "*Threads and first comments*\nPart a text by a line of three dashes. Where there are threads, each part replies "
    "to the one before; elsewhere the second part becomes the first comment.\n"
    "```We are hiring!\n---\nApply here: https://example.com/jobs```"
)


# Building the blocks and writing them out takes longer than all the rest of an acknowledgement, and the words on which
# they depend are few: what the commands are called here, and the first platform that is ready.
_KEPT: Final = 8


@lru_cache(maxsize=_KEPT)
def write_connect_help(command: str, *, platform: str) -> str:
    """``help_connect`` as the body of a response; written out once for the same words."""
    return write_answer(help_connect(command, platform=platform))


@lru_cache(maxsize=_KEPT)
def write_schedule_help(command: str, *, account: str) -> str:
    """``help_schedule`` as the body of a response; written out once for the same words."""
    return write_answer(help_schedule(command, account=account))


def _usage(command: str, subcommands: Iterable[Subcommand]) -> str:
    return bullets(tuple(f"{code(_form(command, each))} {escape(each.summary)}" for each in subcommands))


def _form(command: str, subcommand: Subcommand) -> str:
    return " ".join(filter(None, (command, subcommand.word, subcommand.takes)))
