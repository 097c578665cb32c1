"""What Slack tells us about the workspace itself: that it removed the bot, or took its token away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar

from slack_bolt.context.async_context import AsyncBoltContext

from ..services.leaving import Leaving
from ..services.ports import RequestLog, StoreUnavailable
from ..tasks import Tasks
from .authorize import CachedAuthorize
from .interaction import read_text

__all__ = ["EVENTS", "WorkspaceEvents"]

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_PAUSES: Final = tuple(timedelta(seconds=each) for each in (1, 5, 30, 120, 600))


def _is_removal(event: Mapping[str, Any]) -> bool:
    """Whether an event ends the bot's access; a member who withdraws a user token changes nothing."""
    match event:
        case {"type": "app_uninstalled"}:
            return True
        case {"type": "tokens_revoked", "tokens": {"bot": [_, *_]}}:
            return True
        case _:
            return False


EVENTS: Final[Mapping[str, str]] = {
    "app_uninstalled": "stops the workspace's work",
    "tokens_revoked": "stops the workspace's work, if it's the bot's token",
}
"""The events the bot subscribes to, and what each does."""


class WorkspaceEvents:
    """Listens for the end of a workspace.

    Args:
        leaving: stops its work.
        authorize: refuses its requests from then on.
        requests: knows which events were seen.
        tasks: does the work after Slack has its answer.
        pause: how to wait between tries; a test hands in its own.
    """

    def __init__(
        self,
        *,
        leaving: Leaving,
        authorize: CachedAuthorize,
        requests: RequestLog,
        tasks: Tasks,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._leaving = leaving
        self._authorize = authorize
        self._requests = requests
        self._tasks = tasks
        self._pause = pause

    async def on_event(self, body: Mapping[str, Any], event: Mapping[str, Any], context: AsyncBoltContext) -> None:
        """Take note of an event; Slack has its answer as soon as a removal is written down.

        Raises:
            StoreUnavailable: it could not be written down; Slack sends the event again.
        """
        if not _is_removal(event):
            return
        team_id, event_id = read_text(context.team_id), read_text(body.get("event_id"))
        self._authorize.forget(team_id)
        await self._leaving.note_removal(team_id)
        self._tasks.spawn(self._remove(team_id, event_id), name=f"remove workspace {team_id}")

    async def _remove(self, team_id: str, event_id: str) -> None:
        if not await self._persist(lambda: self._requests.is_first(event_id), team_id):
            return
        await self._persist(lambda: self._leaving.remove_workspace(team_id), team_id)
        log.info(
            "the workspace removed the bot; its work is stopped", extra={"event": "workspace.left", "team_id": team_id}
        )

    async def _persist(self, call: Callable[[], Awaitable[Result]], team_id: str) -> Result:
        """Call until the database answers, with growing pauses: Slack has its answer and won't ask again."""
        for wait in _PAUSES:
            try:
                return await call()
            except StoreUnavailable:
                log.warning(
                    "a workspace that left can't be cleared yet; trying again",
                    extra={"event": "workspace.left_later", "team_id": team_id},
                )
                await self._pause(wait.total_seconds())
        return await call()
