"""Direct messages: what the bot has to say is sent, or put in an earlier message's place, or its failure logged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from ..domain import Member
from ..services.notices import Notice
from .authorize import describe_failure
from .message import Message

__all__ = ["DirectMessages", "SlackNotifier"]

log = logging.getLogger(__name__)

_LIMIT: Final = timedelta(seconds=45)  # long enough to wait out one of Slack's rate limits
_REMEMBERED: Final = 10_000


class DirectMessages:
    """Sends messages to members in private.

    Args:
        client: carries the bot token.
    """

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._channels: dict[Member, str] = {}

    async def send(self, member: Member, message: Message) -> str | None:
        """Send a message; a reference for ``replace``, or None when Slack would not take it (logged, never raised)."""
        return await self._try("chat.postMessage", member, lambda: self._send(member, message))

    async def _send(self, member: Member, message: Message) -> str:
        channel = await self._open(member)
        answer = await self._client.chat_postMessage(
            channel=channel, **message.to_payload(), unfurl_links=False, unfurl_media=False
        )
        return f"{answer['channel']}:{answer['ts']}"

    async def _open(self, member: Member) -> str:
        if channel := self._channels.get(member):
            return channel
        answer = await self._client.conversations_open(users=member.user_id)
        channel = str(answer["channel"]["id"])
        self._channels[member] = channel
        if len(self._channels) > _REMEMBERED:
            del self._channels[next(iter(self._channels))]
        return channel

    async def replace(self, reference: str, message: Message) -> bool:
        """Put a message in the place of an earlier one; whether Slack took it (a failure is logged, never raised)."""
        return await self._try("chat.update", None, lambda: self._replace(reference, message)) is not None

    async def _replace(self, reference: str, message: Message) -> str:
        channel, _, ts = reference.partition(":")
        await self._client.chat_update(channel=channel, ts=ts, **message.to_payload())
        return reference

    async def _try(self, method: str, member: Member | None, call: Callable[[], Awaitable[str]]) -> str | None:
        try:
            async with asyncio.timeout(_LIMIT.total_seconds()):
                return await call()
        except (SlackClientError, aiohttp.ClientError, TimeoutError, LookupError, ValueError) as error:
            if member is not None:
                self._channels.pop(member, None)
            log.warning("%s failed: %s", method, describe_failure(error), extra={"event": "slack.message_failed"})
            return None


class SlackNotifier:
    """Words notices and sends them by direct message.

    Args:
        messages: sends them.
        render: words a notice.
    """

    def __init__(self, messages: DirectMessages, render: Callable[[Notice], Message]) -> None:
        self._messages = messages
        self._render = render

    async def notify(self, member: Member, notice: Notice) -> str | None:
        """Send a notice; a reference for ``revise``, or None when Slack would not take it (logged, never raised)."""
        return await self._messages.send(member, self._render(notice))

    async def revise(self, message: str, notice: Notice) -> None:
        """Put another notice in a message's place; a failure is logged, never raised."""
        await self._messages.replace(message, self._render(notice))
