"""Renewing access ahead of need, so that no post waits for it and a lost access is known early."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ..clock import Clock
from ..domain import Connection
from ..platforms import PlatformNotReady
from ..plugin.errors import PlatformError, RateLimited
from .credentials import spread
from .ports import ConnectionStore, StoreUnavailable
from .refreshing import ConnectionGone, Refreshing

__all__ = ["Renewing"]

log = logging.getLogger(__name__)

_BATCH: Final = 100
_AT_ONCE: Final = 8
_FIRST_PAUSE: Final = timedelta(minutes=2)
_LONGEST_PAUSE: Final = timedelta(hours=1)


class Renewing:
    """Renews the tokens that are due for it; of many processes that look, one tries.

    An access that is used or renewed now and then doesn't die idle either. What doesn't work is tried again after a
    pause that doubles up to an hour, and changes nothing; an access that is over is marked and told by ``Refreshing``.

    Args:
        connections: where connections are kept.
        refreshing: the one way to new tokens.
        clock: the time.
    """

    def __init__(self, *, connections: ConnectionStore, refreshing: Refreshing, clock: Clock) -> None:
        self._connections = connections
        self._refreshing = refreshing
        self._clock = clock
        self._is_stopping = False

    def stop(self) -> None:
        """Begin no more renewals; those that run come to their end."""
        self._is_stopping = True

    async def renew_due(self) -> int:
        """Renew what is due, some at a time; how many were renewed.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        renewed = 0
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def renew(connection: Connection) -> bool:
            async with at_once:
                return not self._is_stopping and await self._try(connection)

        is_full = True
        while is_full and not self._is_stopping:
            due = await self._connections.list_due_renewals(self._clock.now(), limit=_BATCH)
            renewed += sum(await asyncio.gather(*(renew(connection) for connection in due)))
            is_full = len(due) == _BATCH
        return renewed

    async def _try(self, connection: Connection) -> bool:
        try:
            return await self._renew(connection)
        except StoreUnavailable:
            log.info("a renewal waits for the database", extra=_event(connection, "renewal.waits"))
        except Exception:
            log.exception("a renewal failed; it is tried again", extra=_event(connection, "renewal.bug"))
        return False

    async def _renew(self, connection: Connection) -> bool:
        again_at = self._again_at(connection)
        # The claim is the pause before the next try at once, so that it holds whatever becomes of this one.
        if not await self._connections.claim_renewal(connection, until=again_at):
            return False
        try:
            await self._refreshing.renew(connection)
        except RateLimited as error:
            if error.until > again_at:
                claimed = replace(connection, renewal_tries=connection.renewal_tries + 1)
                await self._connections.claim_renewal(claimed, until=error.until)
            return False
        except (PlatformError, PlatformNotReady, ConnectionGone):
            return False  # Told by an event where it's news.
        return True

    def _again_at(self, connection: Connection) -> datetime:
        tries = connection.renewal_tries
        pause = min(_FIRST_PAUSE * 2.0 ** min(tries, 10), _LONGEST_PAUSE)
        return self._clock.now() + pause * (0.8 + 0.4 * spread(connection.connection_id, tries))


def _event(connection: Connection, name: str) -> dict[str, str]:
    return {"event": name, "team_id": connection.team_id, "connection_id": connection.connection_id}
