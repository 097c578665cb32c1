"""Callbacks of platforms in ``platform_events``."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final

from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from ..domain import ReceivedEvent
from .documents import platform_event_from_document, platform_event_to_document
from .mongo import Database, reports_outage, wins_or_landed

__all__ = ["MongoPlatformEventStore"]

_LIFETIME: Final = timedelta(days=365)


class MongoPlatformEventStore:
    """The ``PlatformEventStore``: the unique ``_id`` decides whether a callback is new."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._events = database.collection("platform_events")

    @reports_outage
    async def begin(self, event: ReceivedEvent) -> bool:
        """Keep a callback for a year; False when it was there already.

        Raises:
            StoreUnavailable: the database did not answer; the platform's next try counts as the first, or finds it
                there and waiting to be carried out.
        """
        ours = {"_id": event.event_id, "write_id": secrets.token_hex(12)}
        document = {
            **platform_event_to_document(event),
            **ours,
            "purge_at": self._database.purge_at(_LIFETIME, not_before=event.received_at),
        }

        async def write() -> bool:
            await self._events.insert_one(document)
            return True

        async def landed() -> bool:
            return await self._events.find_one(ours, {"_id": 1}) is not None

        try:
            return await wins_or_landed(write(), landed)
        except DuplicateKeyError:
            return False

    @reports_outage
    async def list_due(self, now: datetime, *, limit: int) -> tuple[ReceivedEvent, ...]:
        """Callbacks that are to be carried out by now, the longest due first."""
        found = self._events.find({"due_at": {"$lte": now}}).sort([("due_at", ASCENDING)]).limit(limit)
        return tuple(platform_event_from_document(each) for each in await found.to_list(None))

    @reports_outage
    async def claim(self, event: ReceivedEvent, *, until: datetime) -> bool:
        """Become the one who carries it out; unless it's finished, it is due again at a later time."""
        query = {"_id": event.event_id, "due_at": event.due_at}
        return (await self._events.update_one(query, {"$set": {"due_at": until}})).matched_count == 1

    @reports_outage
    async def finish(self, event_id: str, *, at: datetime) -> None:
        """Note that it is carried out, and forget whose grants it named."""
        gone = {"due_at": "", "ended_grants": "", "erased_grants": ""}
        await self._events.update_one({"_id": event_id, "done_at": None}, {"$set": {"done_at": at}, "$unset": gone})

    @reports_outage
    async def find_erasure(self, confirmation_code: str) -> ReceivedEvent | None:
        """The request for an erasure with this code."""
        document = await self._events.find_one({"confirmation_code": confirmation_code, "is_erasure": True})
        return None if document is None else platform_event_from_document(document)
