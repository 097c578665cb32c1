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

from ..clock import Clock
from ..domain import Member
from ..services.notices import Notice
from ..services.ports import MemberDirectory, SlackUnavailable
from .authorize import describe_failure
from .message import Message
from .messages import render_notice
from .wording import NO_TITLES, Titles

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
    """Words notices in their reader's time zone and sends them by direct message.

    Args:
        messages: sends them.
        directory: knows the reader's time zone.
        clock: the time.
        titles: what people read for each platform's name.
    """

    def __init__(
        self, messages: DirectMessages, *, directory: MemberDirectory, clock: Clock, titles: Titles = NO_TITLES
    ) -> None:
        self._messages = messages
        self._directory = directory
        self._clock = clock
        self._titles = titles

    async def notify(self, member: Member, notice: Notice) -> str | None:
        """Send a notice; a reference for ``revise``, or None when Slack would not take it (logged, never raised)."""
        reference = await self._messages.send(member, await self._render(member, notice))
        return f"{reference}:{member.team_id}:{member.user_id}" if reference is not None else None

    async def revise(self, message: str, notice: Notice) -> None:
        """Put another notice in a message's place; a failure is logged, never raised."""
        channel, ts, team_id, user_id = message.split(":")
        reader = Member(team_id=team_id, user_id=user_id)
        await self._messages.replace(f"{channel}:{ts}", await self._render(reader, notice))

    async def _render(self, reader: Member, notice: Notice) -> Message:
        try:
            zone = (await self._directory.get_profile(reader)).zone
        except SlackUnavailable:
            zone = "UTC"
        return render_notice(notice, zone=zone, now=self._clock.now(), titles=self._titles)
