"""Conditional updates that are wanted at the same moment, sent in one command: a burst takes few round trips."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from ..services.ports import StoreUnavailable
from .mongo import BUDGET, Document, is_reply_lost, outages_as_unavailable, wins_or_landed

__all__ = ["GroupedUpdates"]

_AT_ONCE: Final = 2
"""Commands under way at once: one is carried out while the next is prepared; what comes meanwhile is grouped."""
_LARGEST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Update:
    query: Document
    changes: Document
    mark: Document
    is_won: asyncio.Future[bool]


class GroupedUpdates:
    """Updates single documents of a collection if they are still as expected.

    An update that comes alone is sent at once, by itself. Those that come while others are on their way wait for them
    and go together. Each stays atomic and conditional by itself; which of a group have won their marks tell.

    Args:
        collection: whose documents.
    """

    def __init__(self, collection: AsyncCollection[Document]) -> None:
        self._collection = collection
        self._waiting: deque[_Update] = deque()
        self._flights: set[asyncio.Task[None]] = set()
        self._flying = 0  # flights that will look once more what waits

    async def update(self, query: Document, changes: Document, *, mark: Document) -> bool:
        """Update the document that the query finds; whether there was one.

        Args:
            query: names one document by ``_id``, and what it must be like.
            changes: the update, which sets the mark.
            mark: field and value that only this very update leaves behind.

        Raises:
            StoreUnavailable: the database did not answer; whether it was updated is not known.
            PyMongoError: the database refused.
        """
        update = _Update(query=query, changes=changes, mark=mark, is_won=asyncio.get_running_loop().create_future())
        self._waiting.append(update)
        if self._flying < _AT_ONCE:
            self._flying += 1
            # In a context of its own: the first caller's time limit must not be that of all who follow.
            flight = asyncio.create_task(self._fly(), context=contextvars.Context())
            self._flights.add(flight)
            flight.add_done_callback(self._flights.discard)
        try:
            async with asyncio.timeout(BUDGET.total_seconds()):
                return await update.is_won
        except TimeoutError:
            raise StoreUnavailable("The database did not answer in time.") from None

    async def _fly(self) -> None:
        try:
            await self._send_what_waits()
        finally:
            # In the very step that found nothing waiting: who comes next starts a flight. A task counts as done only
            # later, when those it has answered may have come back with more.
            self._flying -= 1

    async def _send_what_waits(self) -> None:
        while self._waiting:
            # What nobody waits for any more must not be written behind their back.
            group = [each for each in self._take() if not each.is_won.done()]
            if not group:
                continue
            try:
                with outages_as_unavailable():
                    won = await self._send(group)
            except Exception as error:
                _tell(group, error)
            else:
                for update, is_won in zip(group, won, strict=True):
                    if not update.is_won.done():
                        update.is_won.set_result(is_won)

    def _take(self) -> list[_Update]:
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), _LARGEST))]

    async def _send(self, group: Sequence[_Update]) -> list[bool]:
        if len(group) == 1:
            return [await self._send_alone(group[0])]
        try:
            sent = await self._collection.bulk_write(
                [UpdateOne(each.query, each.changes) for each in group], ordered=False
            )
            if sent.matched_count == len(group):
                return [True] * len(group)
        except PyMongoError as error:
            if not is_reply_lost(error):
                raise
            landed = await self._find_landed(group)
            if not all(landed):
                # Some may still be on their way; those that are there may know it.
                for update, is_there in zip(group, landed, strict=True):
                    if is_there and not update.is_won.done():
                        update.is_won.set_result(True)
                raise
            return landed
        return await self._find_landed(group)

    async def _send_alone(self, update: _Update) -> bool:
        async def write() -> bool:
            return (await self._collection.update_one(update.query, update.changes)).matched_count == 1

        async def landed() -> bool:
            return (await self._find_landed([update]))[0]

        return await wins_or_landed(write(), landed)

    async def _find_landed(self, group: Sequence[_Update]) -> list[bool]:
        """Which of them are there, by their marks."""
        places = [{"_id": each.query["_id"], "team_id": each.query["team_id"], **each.mark} for each in group]
        query: Document = places[0] if len(places) == 1 else {"$or": places}
        found = await self._collection.find(query, dict.fromkeys(group[0].mark, 1)).to_list(None)
        there = {(each["_id"], *(each[name] for name in group[0].mark)) for each in found}
        return [(each.query["_id"], *each.mark.values()) in there for each in group]


def _tell(group: Sequence[_Update], error: Exception) -> None:
    for update in group:
        if not update.is_won.done():
            update.is_won.set_exception(error)
