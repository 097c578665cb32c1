"""Learning at once of posts that other processes make due, where the server tells of changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from ..tasks import cancel
from .mongo import Database, Document

__all__ = ["DueWatch"]

log = logging.getLogger(__name__)

_SOON: Final = timedelta(seconds=3)
"""What is due later is found in time by the look each second; clusterTime is up to a second behind."""
_BETWEEN_RINGS: Final = timedelta(milliseconds=200)
_LONGEST_WAIT: Final = timedelta(seconds=10)
_LOOK_LIMIT: Final = _LONGEST_WAIT + timedelta(seconds=5)
_FIRST_PAUSE: Final = timedelta(seconds=1)
_LONGEST_PAUSE: Final = timedelta(minutes=1)
_NO_CHANGE_STREAMS: Final = 40573  # "The $changeStream stage is only supported on replica sets"


def _is_soon(field: str) -> Document:
    limit = {"$add": [{"$toDate": "$clusterTime"}, _SOON // timedelta(milliseconds=1)]}
    return {"$expr": {"$lte": [field, limit]}}


_CHANGED: Final = "updateDescription.updatedFields"
_MAKES_DUE_SOON: Final[tuple[Document, ...]] = (
    {
        "$match": {
            "$or": [
                {
                    "operationType": "insert",
                    "fullDocument.state": "scheduled",
                    **_is_soon("$fullDocument.next_try_at"),
                },
                # Put at another time.
                {
                    "operationType": "update",
                    f"{_CHANGED}.next_try_at": {"$exists": True},
                    **_is_soon(f"${_CHANGED}.next_try_at"),
                },
                # Held no more. What is merely handed back isn't news: whoever did that knows.
                {
                    "operationType": "update",
                    f"{_CHANGED}.state": "scheduled",
                    "updateDescription.removedFields": "hold_reason",
                },
            ]
        }
    },
    {"$project": {"_id": 1}},
)


class DueWatch:
    """Rings when a delivery was made due soon, by whatever process; leaves a standalone server alone, which can't tell.

    It's a shortcut only: what it misses, while the server is away or after that, is found by the look each second. So
    it remembers no place in the stream, and starts anew wherever it has lost its place.

    Args:
        database: whose deliveries are watched.
        ring: called at the first change, and for all that come within a fifth of a second after it once more.
        pause: waits, in seconds; a test hands in its own.
    """

    def __init__(
        self,
        database: Database,
        ring: Callable[[], None],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._ring = ring
        self._pause = pause
        self._heard = asyncio.Event()
        self._is_told = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch until the end."""
        tasks = [
            asyncio.create_task(self._listen(), name="watching deliveries"),
            asyncio.create_task(self._ring_when_heard(), name="ringing"),
        ]
        try:
            yield
        finally:
            await cancel(*tasks)

    async def _ring_when_heard(self) -> None:
        while True:
            await self._heard.wait()
            self._heard.clear()
            self._ring()
            await self._pause(_BETWEEN_RINGS.total_seconds())

    async def _listen(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                async for _ in self._changes():
                    pause = _FIRST_PAUSE
            except PyMongoError as error:
                if isinstance(error, OperationFailure) and error.code == _NO_CHANGE_STREAMS:
                    log.debug("this server doesn't tell of changes", extra={"event": "watch.none"})
                    return
                self._tell(error)
            except Exception:
                log.exception("watching deliveries failed; it is tried again", extra={"event": "watch.bug"})
            await self._pause(pause.total_seconds())
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _changes(self) -> AsyncIterator[None]:
        """Each look at the stream, whether there was a change or not; ends when the stream does."""
        async with self._database.changes("deliveries", _MAKES_DUE_SOON, longest_wait=_LONGEST_WAIT) as stream:
            while stream.alive:
                with pymongo.timeout(_LOOK_LIMIT.total_seconds()):
                    change = await stream.try_next()
                if change is not None:
                    self._heard.set()
                self._is_told = False
                yield

    def _tell(self, error: PyMongoError) -> None:
        """Say once for each outage that posts of other processes are found a little later."""
        if not self._is_told:
            log.info(
                "the database doesn't tell of changes now (%s); posts are found by the look each second",
                type(error).__name__,
                extra={"event": "watch.lost"},
            )
        self._is_told = True
