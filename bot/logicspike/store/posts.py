"""Scheduled posts and drafts in ``scheduled_posts``."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ..domain import Draft, Member, ScheduledPost
from .documents import draft_from_document, draft_to_document, post_from_document, post_to_document
from .mongo import Database, Document, reports_outage

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
