"""Workspaces in ``slack_installations``."""

from __future__ import annotations

from datetime import datetime

from pymongo.errors import DuplicateKeyError

from .mongo import Database, Document, reports_outage

__all__ = ["MongoWorkspaceStore"]


class MongoWorkspaceStore:
    """The ``WorkspaceStore``: one document per workspace, whose other fields it leaves alone."""

    def __init__(self, database: Database) -> None:
        self._installations = database.collection("slack_installations")

    @reports_outage
    async def mark_removed(self, team_id: str, at: datetime) -> bool:
        """Remember that a workspace removed the bot; False when that was known."""
        try:
            await self._installations.update_one(
                {**_place(team_id), "removed_at": None},
                {"$set": {"removed_at": at}, "$unset": {"cleared_at": ""}},
                upsert=True,
            )
        except DuplicateKeyError:  # it is there, and not without removed_at
            return False
        return True

    @reports_outage
    async def mark_cleared(self, team_id: str, at: datetime) -> None:
        """Remember that all of a removed workspace's work is stopped."""
        await self._installations.update_one(
            {**_place(team_id), "removed_at": {"$ne": None}}, {"$set": {"cleared_at": at}}
        )

    @reports_outage
    async def list_uncleared(self) -> tuple[str, ...]:
        """Workspaces that removed the bot and whose work is not stopped yet."""
        found = self._installations.find({"removed_at": {"$ne": None}, "cleared_at": None}, {"_id": 1})
        return tuple(document["_id"] for document in await found.to_list(None))

    @reports_outage
    async def mark_installed(self, team_id: str, name: str, at: datetime) -> None:
        """Remember that a workspace has the bot (again)."""
        changes = {"$set": {"name": name, "installed_at": at}, "$unset": {"removed_at": "", "cleared_at": ""}}
        await self._installations.update_one(_place(team_id), changes, upsert=True)

    @reports_outage
    async def is_removed(self, team_id: str) -> bool:
        """Whether the workspace has removed the bot."""
        query = {**_place(team_id), "removed_at": {"$ne": None}}
        return await self._installations.find_one(query, {"_id": 1}) is not None


def _place(team_id: str) -> Document:
    return {"_id": team_id, "team_id": team_id}
