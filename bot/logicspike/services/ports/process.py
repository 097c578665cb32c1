"""What all processes share beside accounts and posts: the time, Slack's requests, the workspaces."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from ...clock import TimeReading

__all__ = ["RequestLog", "ServerTime", "WorkspaceStore"]


class ServerTime(Protocol):
    """The clock that all processes share: the database server's."""

    async def read_time(self, steady: Callable[[], float]) -> TimeReading:
        """The server's time, beside a steady timer of our own."""
        ...


class RequestLog(Protocol):
    """Which of Slack's requests were seen already (``seen_requests``)."""

    async def is_first(self, request_id: str) -> bool:
        """Whether this id is seen for the first time within a day; atomic."""
        ...


class WorkspaceStore(Protocol):
    """Which workspaces have removed the bot (``slack_installations``)."""

    async def mark_removed(self, team_id: str, at: datetime) -> bool:
        """Remember that a workspace removed the bot; False when that was known."""
        ...

    async def mark_cleared(self, team_id: str, at: datetime) -> None:
        """Remember that all of a removed workspace's work is stopped."""
        ...

    async def list_uncleared(self) -> tuple[str, ...]:
        """Workspaces that removed the bot and whose work is not stopped yet."""
        ...

    async def mark_installed(self, team_id: str, name: str, at: datetime) -> None:
        """Remember that a workspace has the bot (again)."""
        ...

    async def is_removed(self, team_id: str) -> bool:
        """Whether the workspace has removed the bot."""
        ...
