"""One command, click or submission: who it is from, and how to answer it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from ..domain import Member
from .message import Message

__all__ = [
    "Interaction",
    "Unreadable",
    "ack_with",
    "read_interaction",
    "read_text",
    "read_typed",
    "write_answer",
]


class Unreadable(Exception):
    """A payload lacks what Slack always sends, or has something else in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One command, click or submission of a member.

    Attributes:
        member: who did it.
        request_id: the same when Slack delivers it again.
        trigger_id: opens a modal, once and within three seconds.
        response_url: takes up to five answers within half an hour; None for a modal.
        client: the Web API for the member's workspace.
    """

    member: Member
    request_id: str
    trigger_id: str
    response_url: str | None = field(repr=False)
    client: AsyncWebClient = field(repr=False)


def read_interaction(body: Mapping[str, Any], context: AsyncBoltContext) -> Interaction:
    """Read who sent a request and how to answer it.

    Raises:
        Unreadable: an id is missing, or is no text: such a thing must never reach a query.
    """
    trigger_id = read_text(body.get("trigger_id"))
    response_url = body.get("response_url") or _first_url(body.get("response_urls"))
    return Interaction(
        member=Member(team_id=read_text(context.team_id), user_id=read_text(context.user_id)),
        request_id=trigger_id,
        trigger_id=trigger_id,
        response_url=read_text(response_url) if response_url else None,
        client=context.client,
    )


def read_text(value: object) -> str:
    """Take a non-empty text from a payload.

    Raises:
        Unreadable: it's missing, empty, or something else.
    """
    if not isinstance(value, str) or not value:
        raise Unreadable
    return value


def read_typed(body: Mapping[str, Any]) -> str:
    """What was typed after a command's name; "" when nothing was."""
    typed = body.get("text")
    return typed if isinstance(typed, str) else ""


def write_answer(message: Message) -> str:
    """An answer that only the member sees, as it stands in the body of a response."""
    return json.dumps({"response_type": "ephemeral", **message.to_payload()})


def ack_with(ack: AsyncAck, answer: str) -> None:
    """Acknowledge with an answer from ``write_answer``."""
    # What calling it would come to (slack-bolt 1.30, checked 2026-11), without taking the blocks apart once more.
    ack.response = BoltResponse(status=200, body=answer)


def _first_url(urls: object) -> object:
    match urls:
        case [{"response_url": url}, *_]:
            return url
        case _:
            return None
