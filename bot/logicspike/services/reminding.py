"""Telling owners ahead of time that an access ends which nothing but a sign-in can renew."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from ..clock import Clock
from ..domain import Connection, Member
from ..platforms import Platforms
from .credentials import plan_reminder
from .notices import TokensEnding
from .people import Notifier
from .ports import ConnectionStore, DeliveryStore, StoreUnavailable

__all__ = ["Reminding"]

log = logging.getLogger(__name__)

_BATCH: Final = 20
_CLAIM: Final = timedelta(minutes=10)
"""How long one process has a reminder for itself, and the pause when Slack doesn't take it."""


class Reminding:
    """Reminds owners seven days and a day before an access ends, once each.

    When the next reminder is due stands with the account. Whoever claims it moves it a little, and once Slack has the
    message, to the one after: a process that ends in between leaves it to another, and at worst it comes twice.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        deliveries: where deliveries are kept, to say how many are for later than the end.
        notifier: direct messages.
        clock: the time.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        connections: ConnectionStore,
        deliveries: DeliveryStore,
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self._platforms = platforms
        self._connections = connections
        self._deliveries = deliveries
        self._notifier = notifier
        self._clock = clock
        self._is_stopping = False

    def stop(self) -> None:
        """Begin no more reminders of ``remind_due``."""
        self._is_stopping = True

    async def remind_due(self) -> int:
        """Send the reminders that are due; how many Slack took.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        told = 0
        for connection in await self._connections.list_due_reminders(self._clock.now(), limit=_BATCH):
            if self._is_stopping:
                break
            told += await self._remind(connection)
        return told

    async def _remind(self, connection: Connection) -> bool:
        now, ends_at = self._clock.now(), connection.access_ends_at
        if not await self._connections.claim_reminder(connection, until=now + _CLAIM):
            return False
        is_told = ends_at is not None and ends_at > now and await self._tell(connection)
        if is_told or ends_at is None or ends_at <= now:
            after = plan_reminder(ends_at, renew_at=None, now=now)
            await self._connections.settle_reminder(connection, next_at=after)
        return is_told

    async def _tell(self, connection: Connection) -> bool:
        ends_at = connection.access_ends_at
        assert ends_at is not None  # _remind looked
        try:
            waiting = await self._deliveries.list_waiting(connection.team_id, connection.connection_id)
        except StoreUnavailable:
            log.info("a reminder waits for the database", extra={"event": "reminder.waits"})
            return False
        beyond = [each for each in waiting if each.due_at >= ends_at]
        platform = self._platforms.find(connection.platform)
        notice = TokensEnding(
            connection=connection,
            platform_title=platform.title if platform else connection.platform,
            ends_at=ends_at,
            beyond=len(beyond),
            next_due_at=beyond[0].due_at if beyond else None,
        )
        owner = Member(team_id=connection.team_id, user_id=connection.owner_id)
        return await self._notifier.notify(owner, notice) is not None
