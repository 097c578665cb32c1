"""Scheduled posts and drafts in ``scheduled_posts``."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final

from pymongo import ASCENDING

from ..domain import Draft, Member, ScheduledPost
from .documents import draft_from_document, draft_to_document, post_from_document, post_to_document
from .mongo import Database, Document, reports_outage, wins_or_landed

__all__ = ["MongoPostStore"]

_DRAFT_LIFETIME: Final = timedelta(days=7)


class MongoPostStore:
    """The ``PostStore``; a document's ``kind`` is "post" or "draft"."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._posts = database.collection("scheduled_posts")

    @reports_outage
    async def insert(self, post: ScheduledPost) -> None:
        """Keep a scheduled post."""
        document = {**post_to_document(post), "kind": "post"}
        key = {"_id": post.post_id, "team_id": post.author.team_id, "kind": "post"}
        # Replacing bears being repeated after a lost reply.
        await self._posts.replace_one(key, document, upsert=True)

    @reports_outage
    async def find(self, team_id: str, post_id: str) -> ScheduledPost | None:
        """One scheduled post of the workspace."""
        document = await self._posts.find_one({"_id": post_id, "team_id": team_id, "kind": "post"})
        return None if document is None else post_from_document(document)

    @reports_outage
    async def swap(self, before: ScheduledPost, after: ScheduledPost) -> bool:
        """Write ``after`` if revision and change under way are still those of ``before``; else change nothing.

        Raises:
            StoreUnavailable: the database did not answer; whether it was written is not known.
        """
        guard: Document = {
            "revision": before.revision or {"$in": [0, None]},  # none: stored before posts could be edited
            "change.begun_at": None if before.change is None else before.change.begun_at,
        }
        place = {"_id": before.post_id, "team_id": before.author.team_id, "kind": "post"}
        mark = {"write_id": secrets.token_hex(12)}
        document = {**post_to_document(after), "kind": "post", **mark}

        async def write() -> bool:
            return (await self._posts.replace_one({**place, **guard}, document)).matched_count == 1

        async def landed() -> bool:
            return await self._posts.find_one({**place, **mark}, {"_id": 1}) is not None

        return await wins_or_landed(write(), landed)

    @reports_outage
    async def list_changing(self, begun_before: datetime, *, limit: int = 100) -> tuple[ScheduledPost, ...]:
        """Posts, across workspaces, whose change was begun by the given time and is not carried through."""
        query = {"change.begun_at": {"$lte": begun_before}}
        found = await self._posts.find(query).sort([("change.begun_at", ASCENDING)]).limit(limit).to_list(None)
        return tuple(post_from_document(document) for document in found)

    @reports_outage
    async def save_draft(self, draft: Draft) -> None:
        """Keep a draft, or what it has become; it goes by itself after seven days."""
        purge_at = self._database.purge_at(_DRAFT_LIFETIME)
        document = {**draft_to_document(draft), "kind": "draft", "purge_at": purge_at}
        await self._posts.replace_one(_own_draft(draft.author, draft.draft_id), document, upsert=True)

    @reports_outage
    async def find_draft(self, author: Member, draft_id: str) -> Draft | None:
        """A member's own draft."""
        document = await self._posts.find_one(_own_draft(author, draft_id))
        return None if document is None else draft_from_document(document)

    @reports_outage
    async def delete_draft(self, author: Member, draft_id: str) -> bool:
        """Delete a draft; False when it was gone, so that of two clicks one counts."""
        return (await self._posts.delete_one(_own_draft(author, draft_id))).deleted_count == 1


def _own_draft(author: Member, draft_id: str) -> Document:
    return {"_id": draft_id, "team_id": author.team_id, "author_id": author.user_id, "kind": "draft"}
