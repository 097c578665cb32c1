"""Links, authorization requests and results in ``pending_authorizations``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pymongo import ReturnDocument

from ..domain import PendingAuthorization, Ticket
from ..services.ports import ConnectResult
from .documents import (
    authorization_from_document,
    authorization_to_document,
    result_from_document,
    result_to_document,
    ticket_from_document,
    ticket_to_document,
)
from .mongo import Database, Document, reports_outage

__all__ = ["MongoPendingStore"]

_TICKET_LIFETIME: Final = timedelta(days=30)
_AUTHORIZATION_LIFETIME: Final = timedelta(days=1)
_RESULT_LIFETIME: Final = timedelta(hours=1)


class MongoPendingStore:
    """The ``PendingStore``; a document's ``kind`` is "ticket", "authorization" or "result"."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending = database.collection("pending_authorizations")

    @reports_outage
    async def save_ticket(self, ticket: Ticket) -> None:
        """Keep a new link, and for 30 days after its end, so that it can be renewed."""
        purge_at = self._database.purge_at(_TICKET_LIFETIME, not_before=ticket.expires_at)
        await self._save("ticket", {**ticket_to_document(ticket), "purge_at": purge_at})

    @reports_outage
    async def find_ticket(self, ticket_hash: str) -> Ticket | None:
        """The link with this hash, whether ended or not."""
        document = await self._pending.find_one(_kind("ticket", ticket_hash))
        return None if document is None else ticket_from_document(document)

    @reports_outage
    async def set_ticket_message(self, ticket_hash: str, message: str) -> None:
        """Remember where the DM with this link is."""
        await self._pending.update_one(_kind("ticket", ticket_hash), {"$set": {"message": message}})

    @reports_outage
    async def spend_ticket(self, ticket_hash: str) -> Ticket | None:
        """Mark a link as used up; the link, None when there is none."""
        document = await self._pending.find_one_and_update(
            _kind("ticket", ticket_hash), {"$set": {"is_spent": True}}, return_document=ReturnDocument.AFTER
        )
        return None if document is None else ticket_from_document(document)

    @reports_outage
    async def save_authorization(self, pending: PendingAuthorization) -> None:
        """Keep an authorization request until its callback, at most a day; so late ones are told from unknown ones."""
        purge_at = self._database.purge_at(_AUTHORIZATION_LIFETIME, not_before=pending.expires_at)
        await self._save("authorization", {**authorization_to_document(pending), "purge_at": purge_at})

    @reports_outage
    async def take_authorization(
        self, state_hash: str, *, platform: str, browser_hash: str, now: datetime
    ) -> PendingAuthorization | None:
        """Find and delete, in one atomic step, the unexpired request with this state, platform and browser.

        Raises:
            StoreUnavailable: the database did not answer. It may be gone all the same; then the member starts anew,
                since a state that might have been used must never be used again.
        """
        query = {
            **_kind("authorization", state_hash),
            "platform": platform,
            "browser_hash": browser_hash,
            "expires_at": {"$gt": now},
        }
        document = await self._pending.find_one_and_delete(query)
        return None if document is None else authorization_from_document(document)

    @reports_outage
    async def find_authorization(self, state_hash: str) -> PendingAuthorization | None:
        """The request with this state, without using it up: to tell why taking it failed."""
        document = await self._pending.find_one(_kind("authorization", state_hash))
        return None if document is None else authorization_from_document(document)

    @reports_outage
    async def save_result(self, result_id: str, result: ConnectResult) -> None:
        """Keep what the result page says, for an hour."""
        purge_at = self._database.purge_at(_RESULT_LIFETIME)
        await self._save("result", {**result_to_document(result_id, result), "purge_at": purge_at})

    @reports_outage
    async def find_result(self, result_id: str) -> ConnectResult | None:
        """What the result page says."""
        document = await self._pending.find_one(_kind("result", result_id))
        return None if document is None else result_from_document(document)

    @reports_outage
    async def forget_team(self, team_id: str) -> None:
        """Delete all links and requests of a workspace."""
        await self._pending.delete_many({"team_id": team_id})

    async def _save(self, kind: str, document: Document) -> None:
        key = {"_id": document["_id"], "kind": kind}
        if "team_id" in document:
            key["team_id"] = document["team_id"]
        # Replacing bears being repeated after a lost reply.
        await self._pending.replace_one(key, {**document, "kind": kind}, upsert=True)


def _kind(kind: str, hash_or_id: str) -> Document:
    return {"_id": hash_or_id, "kind": kind}
