"""Asking owners to connect an account again: what is owed stands with the account until Slack has taken it."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Final

from ..clock import Clock
from ..domain import Connection, ConnectionStatus, Member
from ..platforms import Platforms
from .notices import ReconnectNeeded
from .people import Notifier
from .ports import ConnectionStore, DeliveryStore, StoreUnavailable

__all__ = ["AskingToReconnect"]

log = logging.getLogger(__name__)

_BATCH: Final = 20
_CLAIM: Final = timedelta(minutes=2)
"""How long one process has a notice for itself: longer than Slack may keep it waiting (two calls of 45 s)."""
_LONGEST_PAUSE: Final = timedelta(hours=1)
_GIVE_UP_AFTER: Final = timedelta(days=1)


class AskingToReconnect:
    """Tells an account's owner that only they can bring it back.

    That a notice is owed is written together with the account's new status, so that a process which ends right after
    leaves it to another. One process tells at a time. A notice that Slack took, but that could not be noted as told, is
    sent once more.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        deliveries: where deliveries are kept, to say how many wait.
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
        """Begin no more notices of ``ask_owed``."""
        self._is_stopping = True

    def owe(self, connection: Connection, reason: str, missing_scopes: tuple[str, ...] = ()) -> Connection:
        """The connection as it needs its owner, who is owed a notice; ours to send for two minutes once it's stored."""
        now = self._clock.now()
        return replace(
            connection,
            status=ConnectionStatus.NEEDS_RECONNECT,
            status_reason=reason,
            missing_scopes=missing_scopes,
            remind_at=None,
            notice_owed_since=now,
            notice_due_at=now + _CLAIM,
        )

    async def ask(self, connection: Connection) -> bool:
        """Send the notice that is owed for a connection; whether Slack took it. What can't be sent stays owed."""
        try:
            waiting = await self._deliveries.list_waiting(connection.team_id, connection.connection_id)
            platform = self._platforms.find(connection.platform)
            notice = ReconnectNeeded(
                connection=connection,
                platform_title=platform.title if platform else connection.platform,
                explanation=connection.status_reason or "The platform has ended the bot's access.",
                waiting=len(waiting),
                next_due_at=waiting[0].due_at if waiting else None,
            )
            owner = Member(team_id=connection.team_id, user_id=connection.owner_id)
            if await self._notifier.notify(owner, notice) is None:
                return False
            await self._connections.settle_notice(connection)
        except StoreUnavailable:
            log.info("a notice stays owed until the database is back", extra=_event(connection, "notice.waits"))
            return False
        return True

    async def ask_owed(self) -> int:
        """Send what is still owed; how many notices Slack took.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        told = 0
        for connection in await self._connections.list_owed_notices(self._clock.now(), limit=_BATCH):
            if self._is_stopping:
                break
            told += await self._ask_again(connection)
        return told

    async def _ask_again(self, connection: Connection) -> bool:
        now = self._clock.now()
        owed_for = now - (connection.notice_owed_since or now)
        if owed_for > _GIVE_UP_AFTER:
            if await self._connections.settle_notice(connection):
                log.warning(
                    "gave up telling %s that %s needs a reconnect: Slack took no message for a day",
                    connection.owner_id,
                    connection.connection_id,
                    extra=_event(connection, "notice.given_up"),
                )
            return False
        # It's owed twice as long by the next time: the pauses double.
        again_at = now + min(max(owed_for, _CLAIM), _LONGEST_PAUSE)
        return await self._connections.claim_notice(connection, until=again_at) and await self.ask(connection)


def _event(connection: Connection, name: str) -> dict[str, str]:
    return {"event": name, "team_id": connection.team_id, "connection_id": connection.connection_id}
