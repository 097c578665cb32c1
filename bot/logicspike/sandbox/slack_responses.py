"""``response_url``: five answers within thirty minutes to what one member did in one conversation."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .block_rules import check_message_blocks
from .slack_state import BOT, Json, Message, Workspace

__all__ = ["ResponseRefused", "ResponseUrls"]

# docs.slack.dev/interactivity/handling-user-interaction, checked 2026-11-23
USES: Final = 5
LIFETIME: Final = timedelta(minutes=30)


class ResponseRefused(Exception):
    """A post to a ``response_url`` that Slack refuses, with the HTTP status and the plain text it answers."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(slots=True, kw_only=True)
class _Grant:
    user_id: str
    channel: str
    original_ts: str | None
    via: str
    until: datetime
    uses_left: int = USES


class ResponseUrls:
    """Issues the ids that stand in response URLs, and does what is posted to them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._grants: dict[str, _Grant] = {}

    def issue(self, *, user_id: str, channel: str, original_ts: str | None = None, via: str = "") -> str:
        """A fresh id; ``original_ts`` is the message whose button was clicked, ``via`` the command that was sent."""
        response_id = secrets.token_urlsafe(18)
        until = self._workspace.clock.now() + LIFETIME
        self._grants[response_id] = _Grant(
            user_id=user_id, channel=channel, original_ts=original_ts, via=via, until=until
        )
        return response_id

    def use(self, response_id: str, body: object) -> Message | None:
        """Do what a post to the URL says, and return the message that came of it.

        Raises:
            ResponseRefused: unknown, used up, late, or nothing that can be shown.
        """
        grant = self._grants.get(response_id)
        if grant is None:
            raise ResponseRefused(404, "invalid_url")
        if self._workspace.clock.now() > grant.until:
            raise ResponseRefused(404, "expired_url")
        if grant.uses_left == 0:
            raise ResponseRefused(404, "used_url")
        if not isinstance(body, Mapping):
            raise ResponseRefused(400, "invalid_payload")
        message = self.show(response_id, body)
        grant.uses_left -= 1
        return message

    def show(self, response_id: str, body: Json) -> Message | None:
        """The same for the body of the bot's HTTP answer, which counts as no use.

        A command's URL has no original message: ``replace_original`` then posts anew, as Slack does (bolt-python
        issue 1268, bolt-js issue 2287).

        Raises:
            ResponseRefused: nothing that can be shown.
        """
        grant = self._grants[response_id]
        original = self._workspace.find_message(grant.channel, grant.original_ts) if grant.original_ts else None
        if body.get("delete_original") and original is not None:
            self._workspace.delete(original)
            return None
        text, blocks = body.get("text") or "", body.get("blocks") or []
        if problems := check_message_blocks(blocks):
            raise ResponseRefused(400, f"invalid_blocks: {problems[0]}")
        if not text and not blocks:
            raise ResponseRefused(400, "no_text")
        if body.get("replace_original") and original is not None:
            return self._workspace.edit(original, text=text, blocks=blocks)
        return self._workspace.post(
            channel=grant.channel,
            user=BOT,
            text=text,
            blocks=blocks,
            only_for=None if body.get("response_type") == "in_channel" else grant.user_id,
            via=grant.via,
        )
