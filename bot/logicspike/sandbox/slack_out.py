"""Requests from the small Slack to the bot: signed as Slack signs them, with its three seconds and its triggers."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import aiohttp

from .slack_state import Message

__all__ = ["ACK_SECONDS", "BotAnswer", "Outbox", "Refused", "Sent", "Triggers", "sign"]

ACK_SECONDS: Final = 3.0
TRIGGER_SECONDS: Final = 3.0


class Refused(Exception):
    """A Web API call that Slack answers with ``{"ok": false, "error": ...}``.

    Args:
        error: Slack's name for it.
        messages: details, shown in ``response_metadata.messages``.
        extra: further fields of the answer.
    """

    def __init__(self, error: str, messages: list[str] | None = None, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages or []
        self.extra = extra


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request's body as it went out: ``FakeSlack.redeliver`` sends the same again."""

    body: bytes = field(repr=False)
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BotAnswer:
    """How the bot answered a request.

    Attributes:
        status: the HTTP status, or None when no answer came in time.
        text: the body of the answer.
        error: "" or what Slack calls the failure.
        message: what the answer's body made the member see, if anything.
        trigger_id: the trigger that was sent along, "" when none.
        response_url: the URL that was sent along, "" when none.
    """

    status: int | None
    text: str
    error: Literal["", "operation_timeout", "dispatch_failed"]
    sent: Sent
    message: Message | None = None
    trigger_id: str = field(default="", repr=False)
    response_url: str = field(default="", repr=False)

    @property
    def is_ok(self) -> bool:
        """Whether the bot answered 200 in time."""
        return not self.error

    def to_body(self) -> dict[str, Any]:
        """The answer's body as Slack reads it: JSON, or a plain text to show; {} when empty."""
        if not self.text.strip():
            return {}
        try:
            body = json.loads(self.text)
        except ValueError:
            return {"text": self.text}
        return body if isinstance(body, dict) else {"text": self.text}


class Outbox:
    """Sends requests to the bot's one address.

    Args:
        signing_secret: the app's; it never leaves this object but as a signature.
        real_time: Unix seconds for the signature, which lives on real time.
        ack_seconds: how long the bot may take.
    """

    def __init__(self, signing_secret: str, real_time: Callable[[], float], ack_seconds: float = ACK_SECONDS) -> None:
        self._secret = signing_secret.encode()
        self._real_time = real_time
        self._ack_seconds = ack_seconds
        self._session: aiohttp.ClientSession | None = None
        self.events_url: str | None = None

    async def open(self) -> None:
        """Open the connection pool."""
        self._session = aiohttp.ClientSession()

    async def close(self) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()

    async def send(self, sent: Sent, *, retry: tuple[int, str] | None = None) -> BotAnswer:
        """Sign and send a request; with ``retry`` (number, reason) it is marked as Slack marks repeated events."""
        if self._session is None or self.events_url is None:
            raise RuntimeError("The small Slack must be running and know events_url before it can reach the bot.")
        headers = self._headers(sent)
        if retry is not None:
            headers |= {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": retry[1]}
        limit = aiohttp.ClientTimeout(total=self._ack_seconds)
        try:
            async with self._session.post(self.events_url, data=sent.body, headers=headers, timeout=limit) as answer:
                text = await answer.text()
        except TimeoutError:
            return BotAnswer(status=None, text="", error="operation_timeout", sent=sent)
        except aiohttp.ClientError:
            return BotAnswer(status=None, text="", error="dispatch_failed", sent=sent)
        return BotAnswer(
            status=answer.status, text=text, error="" if answer.status == 200 else "dispatch_failed", sent=sent
        )

    def _headers(self, sent: Sent) -> dict[str, str]:
        timestamp = str(int(self._real_time()))
        return {
            "Content-Type": sent.content_type,
            "User-Agent": "Slackbot 1.0 (sandbox)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(self._secret, timestamp, sent.body),
        }


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    """Slack's signature. # docs.slack.dev/authentication/verifying-requests-from-slack, checked 2026-11-23."""
    return "v0=" + hmac.new(secret, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


class Triggers:
    """Trigger ids: good once, for three seconds of real time."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._issued: dict[str, tuple[str, float]] = {}
        self._used: set[str] = set()

    def issue(self, user_id: str) -> str:
        """A fresh trigger for what this person just did."""
        trigger = f"{secrets.randbelow(10**10)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._issued[trigger] = (user_id, self._timer() + TRIGGER_SECONDS)
        return trigger

    def exchange(self, trigger: str) -> str:
        """Use a trigger up and return whose it is.

        Raises:
            Refused: unknown, used or late.
        """
        if trigger in self._used:
            raise Refused("exchanged_trigger_id")
        if trigger not in self._issued:
            raise Refused("invalid_trigger_id")
        user_id, until = self._issued.pop(trigger)
        self._used.add(trigger)
        if self._timer() > until:
            raise Refused("expired_trigger_id")
        return user_id
