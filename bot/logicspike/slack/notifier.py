"""Direct messages: what the bot has to say is sent, or put in an earlier message's place, or its failure logged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from ..clock import Clock
from ..domain import Member
from ..services.notices import Notice
from ..services.people import MemberDirectory, SlackUnavailable
from .authorize import describe_failure
from .message import Message
from .messages import render_notice
from .wording import NO_TITLES, Titles

__all__ = ["DirectMessages", "SlackNotifier"]

log = logging.getLogger(__name__)

_LIMIT: Final = timedelta(seconds=45)  # long enough to wait out one of Slack's rate limits
_REMEMBERED: Final = 10_000
_DEFAULT_ZONE: Final = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a message is, and who reads it there; written as one text, since others only keep and return it."""

    channel: str
    ts: str
    reader: Member | None

    def __str__(self) -> str:
        reader = f":{self.reader.team_id}:{self.reader.user_id}" if self.reader else ""
        return f"{self.channel}:{self.ts}{reader}"

    @classmethod
    def read(cls, reference: str) -> _Place:
        match reference.split(":"):
            case [channel, ts, team_id, user_id]:
                return cls(channel=channel, ts=ts, reader=Member(team_id=team_id, user_id=user_id))
            case [channel, ts]:
                return cls(channel=channel, ts=ts, reader=None)
            case _:  # Slack will refuse it, which is logged like any other failure
                return cls(channel=reference, ts="", reader=None)


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
        answer = await _with_or_without_pictures(
            message,
            lambda payload: self._client.chat_postMessage(
                channel=channel, **payload, unfurl_links=False, unfurl_media=False
            ),
        )
        return str(_Place(channel=str(answer["channel"]), ts=str(answer["ts"]), reader=member))

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
        place = _Place.read(reference)
        await _with_or_without_pictures(
            message, lambda payload: self._client.chat_update(channel=place.channel, ts=place.ts, **payload)
        )
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


async def _with_or_without_pictures(
    message: Message, call: Callable[[dict[str, Any]], Awaitable[AsyncSlackResponse]]
) -> AsyncSlackResponse:
    """Send a message; without its pictures when Slack refuses it for one that it can't fetch."""
    try:
        return await call(message.to_payload())
    except SlackApiError as error:
        plain = message.without_pictures()
        if plain is None or error.response.get("error") != "invalid_blocks":
            raise
    return await call(plain.to_payload())


class SlackNotifier:
    """Words notices for their reader and sends them by direct message.

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
        return await self._messages.send(member, await self._word(member, notice))

    async def revise(self, message: str, notice: Notice) -> None:
        """Put another notice in a message's place; a failure is logged, never raised."""
        reader = _Place.read(message).reader
        await self._messages.replace(message, await self._word(reader, notice))

    async def _word(self, reader: Member | None, notice: Notice) -> Message:
        zone = await self._find_zone(reader) if reader is not None else _DEFAULT_ZONE
        return render_notice(notice, zone=zone, now=self._clock.now(), titles=self._titles)

    async def _find_zone(self, reader: Member) -> str:
        try:
            return (await self._directory.get_profile(reader)).zone
        except SlackUnavailable:
            return _DEFAULT_ZONE
