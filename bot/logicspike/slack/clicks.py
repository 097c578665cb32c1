"""Clicks on our buttons: one listener for all, and a table that says what each does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, TypeAlias

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.models.blocks import Block

from ..domain import Member
from .interaction import Interaction, Unreadable, read_interaction, read_text
from .message import Message, paragraph
from .replies import Replies

__all__ = ["Answer", "Click", "Clicks", "Place"]

_SEPARATOR: Final = ":"


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """One button that was pressed, or one choice that was made.

    Attributes:
        interaction: by whom, and how to answer.
        value: what the button holds: ids only.
        block_id: the row of the message it was in.
        blocks: the rows of the message, where Slack sends them along: of a direct message, not of a private answer.
    """

    interaction: Interaction
    value: str
    block_id: str = ""
    blocks: tuple[Mapping[str, Any], ...] = ()

    @property
    def member(self) -> Member:
        """Who clicked."""
        return self.interaction.member

    def split(self) -> tuple[str, str]:
        """The two ids of a value that holds two.

        Raises:
            Unreadable: it doesn't.
        """
        first, separator, second = self.value.rpartition(_SEPARATOR)
        if not (first and separator and second):
            raise Unreadable
        return first, second


class Place(Enum):
    """Where the answer to a click goes; a failure always comes as a message of its own."""

    OWN = auto()
    """A message of its own: what was clicked stays."""
    MESSAGE = auto()
    """In place of the whole message."""
    ROW = auto()
    """In place of the buttons that were clicked; the message's other rows stay."""


Run: TypeAlias = Callable[[Click], Awaitable[Message | None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a click does, and where its answer goes."""

    run: Run
    place: Place = Place.OWN


class Clicks:
    """Finds what a click does, and does it behind the ack.

    Args:
        answers: by action; an action that is missing here needs no answer.
        replies: runs the work and answers.
    """

    def __init__(self, answers: Mapping[str, Answer], replies: Replies) -> None:
        self.answers = answers
        self._replies = replies

    async def on_click(self, ack: AsyncAck, body: Mapping[str, Any], context: AsyncBoltContext) -> None:
        """Answer a click; the work checks the member's rights and the present state anew."""
        action = body["actions"][0]
        answer = self.answers.get(str(action.get("action_id")))
        if answer is not None:
            self._start(answer, _read_click(action, body, context))
        await ack()

    def _start(self, answer: Answer, click: Click) -> None:
        async def work() -> Message | None:
            message = await answer.run(click)
            return _put_in_row(message, click) if message is not None and is_row else message

        is_row = answer.place is Place.ROW and any(row["block_id"] == click.block_id for row in click.blocks)
        self._replies.start(click.interaction, work, replaces=is_row or answer.place is Place.MESSAGE)


def _put_in_row(message: Message, click: Click) -> Message:
    answer = paragraph(message.text)
    rows = tuple(answer if row.get("block_id") == click.block_id else _Row(row) for row in click.blocks)
    return Message(text=message.text, blocks=rows)


class _Row(Block):
    """A row of a message, handed back to Slack exactly as it came."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        super().__init__(type=str(row.get("type")))
        self._row = dict(row)

    def to_dict(self) -> dict[str, Any]:
        return self._row


def _read_click(action: Mapping[str, Any], body: Mapping[str, Any], context: AsyncBoltContext) -> Click:
    return Click(
        interaction=read_interaction(body, context),
        value=_read_value(action),
        block_id=str(action.get("block_id") or ""),
        blocks=_read_rows(body.get("message")),
    )


def _read_rows(message: object) -> tuple[Mapping[str, Any], ...]:
    match message:
        case {"blocks": [*rows]} if all(_is_row(row) for row in rows):
            return tuple(rows)
        case _:
            return ()


def _read_value(action: Mapping[str, Any]) -> str:
    """What a button holds, or the option that was chosen; "" for a button that holds nothing."""
    match action:
        case {"selected_option": {"value": value}} | {"value": value}:
            return read_text(value)
        case _:
            return ""


def _is_row(row: object) -> bool:
    match row:
        case {"type": str(), "block_id": str()}:
            return True
        case _:
            return False
