"""The small Slack's memory: members, conversations, messages, who sees what; every change wakes whoever waits."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from .block_rules import elements_of

__all__ = [
    "ANA",
    "BEN",
    "BOT",
    "CHIYO",
    "GENERAL",
    "SLACK",
    "TEAM",
    "Changes",
    "Clock",
    "Command",
    "Conversation",
    "Json",
    "Member",
    "Message",
    "Shortcut",
    "Team",
    "Workspace",
    "fill_ids",
]

Json = Mapping[str, Any]


class Clock(Protocol):
    """Tells the sandbox's time, which may be moved."""

    def now(self) -> datetime:
        """The time, aware UTC."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """The workspace as Slack names it, with the app that is installed in it."""

    id: str = "T0ACME"
    name: str = "Acme"
    domain: str = "acme"
    app_id: str = "A0LOGICSPIKE"
    bot_id: str = "B0LOGICSPIKE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person, or the bot."""

    id: str
    name: str
    real_name: str
    display_name: str
    tz: str = "Etc/UTC"
    is_admin: bool = False
    is_owner: bool = False
    is_bot: bool = False

    def tz_offset(self, at: datetime) -> timedelta:
        """How far the member's wall clock is ahead of UTC at that moment."""
        return at.astimezone(ZoneInfo(self.tz)).utcoffset() or timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A channel, or the direct messages between one member and the bot."""

    id: str
    name: str
    member_id: str | None = None

    @property
    def is_im(self) -> bool:
        """Whether these are direct messages."""
        return self.member_id is not None

    def includes(self, user_id: str) -> bool:
        """Whether this member is in the conversation."""
        return self.member_id in (None, user_id) or user_id == BOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash command the composer offers: its name with the slash, a hint of what follows, and whole examples."""

    name: str
    description: str = ""
    usage_hint: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """A shortcut of the app; with ``is_message`` it stands in each message's menu, else beside the composer."""

    callback_id: str
    name: str
    is_message: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it stands now.

    Attributes:
        only_for: the one member who sees it (an ephemeral message), or None.
        via: the slash command it answers, for instance ``/connect chirp``; "" when none.
        revision: the change of the workspace that made it look so.
    """

    channel: str
    ts: str
    user: str
    text: str
    blocks: tuple[Json, ...] = ()
    at: datetime
    only_for: str | None = None
    thread_ts: str | None = None
    via: str = ""
    is_edited: bool = False
    is_deleted: bool = False
    revision: int = field(default=0, compare=False)

    @property
    def is_ephemeral(self) -> bool:
        """Whether only one member sees it."""
        return self.only_for is not None

    @property
    def everything(self) -> str:
        """All a reader sees: the blocks' texts and buttons, or without blocks the text."""
        return "\n".join(_texts_in(list(self.blocks))) if self.blocks else self.text

    @property
    def elements(self) -> tuple[Json, ...]:
        """Its buttons, selects and other elements that take a click, in reading order."""
        return tuple(element for _, element in elements_of(self.blocks) if element["type"] != "image")

    @property
    def action_ids(self) -> tuple[str, ...]:
        """The ``action_id`` of each element, in reading order."""
        return tuple(element["action_id"] for element in self.elements)

    @property
    def urls(self) -> tuple[str, ...]:
        """Where its link buttons lead."""
        return tuple(element["url"] for element in self.elements if element.get("url"))

    def to_json(self) -> dict[str, Any]:
        """The message as Slack prints it in payloads and answers."""
        printed: dict[str, Any] = {"type": "message", "user": self.user, "text": self.text, "ts": self.ts}
        if self.user == BOT:
            printed |= {"bot_id": TEAM.bot_id, "app_id": TEAM.app_id, "team": TEAM.id}
        if self.blocks:
            printed["blocks"] = list(self.blocks)
        if self.thread_ts:
            printed["thread_ts"] = self.thread_ts
        return printed


TEAM: Final = Team()
ANA: Final = "U0ANA"
BEN: Final = "U0BEN"
CHIYO: Final = "U0CHIYO"
BOT: Final = "U0BOT"
SLACK: Final = "USLACKBOT"
GENERAL: Final = "C0GENERAL"

_PEOPLE: Final = (
    Member(
        id=ANA,
        name="ana",
        real_name="Ana Reyes",
        display_name="Ana",
        tz="Europe/Berlin",
        is_admin=True,
        is_owner=True,
    ),
    Member(id=BEN, name="ben", real_name="Ben Okafor", display_name="Ben", tz="America/New_York"),
    Member(id=CHIYO, name="chiyo", real_name="Chiyo Tanaka", display_name="Chiyo", tz="Asia/Tokyo"),
)
_BOTS: Final = (
    Member(id=BOT, name="logicspike", real_name="LogicSpike", display_name="LogicSpike", is_bot=True),
    Member(id=SLACK, name="slackbot", real_name="Small Slack", display_name="Small Slack", is_bot=True),
)


class Changes:
    """Counts changes and wakes whoever waits for the next one."""

    def __init__(self) -> None:
        self.revision = 0
        self._next = asyncio.Event()

    def note(self) -> int:
        """Count one change, wake the waiters, and return its number."""
        self.revision += 1
        event, self._next = self._next, asyncio.Event()
        event.set()
        return self.revision

    async def wait(self, timeout: float) -> bool:
        """Wait for the next change; False when ``timeout`` seconds pass without one."""
        try:
            async with asyncio.timeout(timeout):
                await self._next.wait()
        except TimeoutError:
            return False
        return True


class Workspace:
    """Members, conversations and messages of the one workspace, Acme."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.changes = Changes()
        self.members = {member.id: member for member in (*_PEOPLE, *_BOTS)}
        self.people = _PEOPLE
        ims = (Conversation(id=f"D{p.id[1:]}", name="LogicSpike", member_id=p.id) for p in _PEOPLE)
        self.conversations = {c.id: c for c in (Conversation(id=GENERAL, name="general"), *ims)}
        self._messages: dict[tuple[str, str], Message] = {}
        self._sequence = itertools.count(100, 100)
        self._read: dict[tuple[str, str], str] = {}

    def im_of(self, user_id: str) -> Conversation:
        """The direct messages between a person and the bot.

        Raises:
            KeyError: no such person.
        """
        return next((c for c in self.conversations.values() if c.member_id == user_id), None) or _missing(user_id)

    def find_conversation(self, name_or_id: str) -> Conversation | None:
        """A conversation by id, by ``#name``, or by the id of the person whose direct messages are meant."""
        by_name = (c for c in self.conversations.values() if c.id == name_or_id or c.member_id == name_or_id)
        found = next(by_name, None)
        if found is None and not name_or_id.startswith(("C", "D", "U")):
            found = next((c for c in self.conversations.values() if f"#{c.name}" == f"#{name_or_id.lstrip('#')}"), None)
        return found

    def conversations_of(self, user_id: str) -> tuple[Conversation, ...]:
        """What this person sees in the rail."""
        return tuple(c for c in self.conversations.values() if c.includes(user_id))

    def post(
        self,
        *,
        channel: str,
        user: str,
        text: str,
        blocks: Sequence[Json] = (),
        only_for: str | None = None,
        thread_ts: str | None = None,
        via: str = "",
    ) -> Message:
        """Add a message; the author has read it already."""
        at = self.clock.now()
        message = Message(
            channel=channel,
            ts=f"{int(at.timestamp())}.{next(self._sequence):06d}",
            user=user,
            text=text,
            blocks=fill_ids(blocks),
            at=at,
            only_for=only_for,
            thread_ts=thread_ts,
            via=via,
        )
        return self._keep(message)

    def edit(self, message: Message, *, text: str, blocks: Sequence[Json]) -> Message:
        """Let a message say something else, at its old place."""
        return self._keep(replace(message, text=text, blocks=fill_ids(blocks), is_edited=True))

    def delete(self, message: Message) -> None:
        """Take a message away."""
        self._keep(replace(message, is_deleted=True))

    def find_message(self, channel: str, ts: str) -> Message | None:
        """The message as it stands now, unless there is none or it was deleted."""
        message = self._messages.get((channel, ts))
        return None if message is None or message.is_deleted else message

    def messages_for(self, user_id: str, channel: str | None = None) -> tuple[Message, ...]:
        """What this person sees, oldest first: in one conversation, or in all of them."""
        seen = (m for m in self._messages.values() if not m.is_deleted and self._sees(user_id, m))
        return tuple(m for m in seen if channel is None or m.channel == channel)

    def changed_for(self, user_id: str, revision: int) -> tuple[Message, ...]:
        """What changed for this person after that revision, deleted messages included."""
        return tuple(m for m in self._messages.values() if m.revision > revision and self._sees(user_id, m))

    def _sees(self, user_id: str, message: Message) -> bool:
        is_theirs = message.only_for in (None, user_id)
        return is_theirs and self.conversations[message.channel].includes(user_id)

    def _keep(self, message: Message) -> Message:
        kept = replace(message, revision=self.changes.note())
        self._messages[message.channel, message.ts] = kept
        return kept

    def mark_read(self, user_id: str, channel: str) -> None:
        """This person has seen all there is in the conversation."""
        if self.unread(user_id, channel):
            self._read[user_id, channel] = self.messages_for(user_id, channel)[-1].ts
            self.changes.note()

    def unread(self, user_id: str, channel: str) -> int:
        """How many messages of others this person has not seen."""
        since = self._read.get((user_id, channel), "")
        return sum(m.ts > since and m.user != user_id for m in self.messages_for(user_id, channel))


def fill_ids(blocks: Sequence[Json]) -> tuple[Json, ...]:
    """Blocks with the ``block_id`` and ``action_id`` that Slack makes up where the app gave none."""
    return tuple(_with_ids(block) for block in blocks)


def _with_ids(block: Json) -> Json:
    filled: dict[str, Any] = json.loads(json.dumps(block))
    filled.setdefault("block_id", secrets.token_hex(3))
    for _, element in elements_of([filled]):
        if element["type"] != "image" and isinstance(element, dict):
            element.setdefault("action_id", secrets.token_hex(3))
    return filled


def _texts_in(part: object) -> Iterator[str]:
    match part:
        case {"text": str(text)}:
            yield text
        case list():
            for one in part:
                yield from _texts_in(one)
        case {"type": "image", "alt_text": str(alt)}:
            yield alt
        case dict():
            for name in ("text", "fields", "elements", "accessory", "label", "element", "title"):
                yield from _texts_in(part.get(name))


def _missing(name: str) -> Any:
    raise KeyError(name)
