"""Slack's requests in ``seen_requests``."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

from pymongo.errors import DuplicateKeyError

from .mongo import Database, reports_outage, wins_or_landed

__all__ = ["MongoRequestLog"]

_LIFETIME: Final = timedelta(days=1)


class MongoRequestLog:
    """The ``RequestLog``: the unique ``_id`` decides who was first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen = database.collection("seen_requests")

    @reports_outage
    async def is_first(self, request_id: str) -> bool:
        """Whether this id is seen for the first time within a day; atomic.

        Raises:
            StoreUnavailable: the database did not answer; Slack's next try may count as the second.
        """
        ours = {"_id": request_id, "write_id": secrets.token_hex(12)}

        async def write() -> bool:
            await self._seen.insert_one({**ours, "purge_at": self._database.purge_at(_LIFETIME)})
            return True

        async def landed() -> bool:
            return await self._seen.find_one(ours, {"_id": 1}) is not None

        try:
            return await wins_or_landed(write(), landed)
        except DuplicateKeyError:
            return False
