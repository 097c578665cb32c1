"""Asking the platforms about once a day whether each access still works, and may still do what it is needed for."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Final

from ..clock import Clock
from ..domain import Connection
from ..platforms import PlatformNotReady, Platforms
from ..plugin.errors import PlatformError, ReconnectRequired, TokenExpired
from ..plugin.types import AccessReport
from .credentials import plan_check, plan_reminder, spread
from .ports import ConnectionStore, StoreUnavailable
from .refreshing import ConnectionGone, FreshCredential, Refreshing

__all__ = ["CheckingAccess"]

log = logging.getLogger(__name__)

_BATCH: Final = 100
_AT_ONCE: Final = 8
_PAUSE: Final = timedelta(hours=1)


class CheckingAccess:
    """Checks accounts at the platforms that can tell; of many processes that look, one asks.

    An access that is over is marked and told by ``Refreshing``, long before a post meets it. What doesn't work just now
    is tried again after about an hour, and changes nothing.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        refreshing: hands out credentials, and ends access.
        clock: the time.
    """

    def __init__(
        self, *, platforms: Platforms, connections: ConnectionStore, refreshing: Refreshing, clock: Clock
    ) -> None:
        self._platforms = platforms
        self._connections = connections
        self._refreshing = refreshing
        self._clock = clock
        self._is_stopping = False

    def stop(self) -> None:
        """Begin no more checks; those that run come to their end."""
        self._is_stopping = True

    async def check_due(self) -> int:
        """Check what is due, some at a time; how many platforms' answers came.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        able = [name for name in self._platforms.names if self._platforms.supports(name, "check")]
        checked = 0
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def check(connection: Connection) -> bool:
            async with at_once:
                return not self._is_stopping and await self._try(connection)

        is_full = bool(able)
        while is_full and not self._is_stopping:
            due = await self._connections.list_due_checks(able, self._clock.now(), limit=_BATCH)
            checked += sum(await asyncio.gather(*(check(connection) for connection in due)))
            is_full = len(due) == _BATCH
        return checked

    async def _try(self, connection: Connection) -> bool:
        try:
            return await self._check(connection)
        except StoreUnavailable:
            log.info("a check waits for the database", extra=_event(connection, "check.waits"))
        except Exception:
            log.exception("a check failed; it is tried again", extra=_event(connection, "check.bug"))
        return False

    async def _check(self, connection: Connection) -> bool:
        # The claim is the pause before the next try at once, so that it holds whatever becomes of this one.
        if not await self._connections.claim_check(connection, until=self._again_at(connection)):
            return False
        try:
            fresh = await self._refreshing.get_credential(connection)
            report = await self._ask(fresh)
        except (PlatformError, PlatformNotReady, ConnectionGone) as error:
            log.info(
                "a check brought nothing (%s)", type(error).__name__, extra=_event(connection, "check.not_answered")
            )
            return False
        if report is not None and not await self._refreshing.end_if_shrunk(
            fresh.connection, fresh.credential, report.scopes
        ):
            await self._note(fresh.connection, report)
        return True

    async def _ask(self, fresh: FreshCredential) -> AccessReport | None:
        """What the platform says; None when the access was renewed instead, or has ended and that is told."""
        connection = fresh.connection
        try:
            return await self._platforms.check(connection.platform, fresh.credential)
        except ReconnectRequired as error:
            await self._refreshing.end_access(connection, error)
        except TokenExpired:
            # Renewing is the answer to this everywhere: it ends the access where that can't be.
            try:
                await self._refreshing.get_credential(connection, refused_version=connection.token_version)
            except ReconnectRequired:
                return None
        return None

    async def _note(self, connection: Connection, report: AccessReport) -> None:
        now = self._clock.now()
        ends_at = connection.token_expires_at or report.expires_at
        await self._connections.note_check(
            connection,
            check_at=plan_check(connection.connection_id, connection.token_version, now),
            token_expires_at=ends_at,
            remind_at=connection.remind_at or plan_reminder(ends_at, renew_at=connection.renew_at, now=now),
        )

    def _again_at(self, connection: Connection) -> datetime:
        return self._clock.now() + _PAUSE * (0.8 + 0.4 * spread(connection.connection_id, connection.token_version))


def _event(connection: Connection, name: str) -> dict[str, str]:
    return {"event": name, "team_id": connection.team_id, "connection_id": connection.connection_id}
