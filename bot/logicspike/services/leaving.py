"""What happens when a workspace removes the bot: its work stops at once."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from ..clock import Clock
from ..domain import DeliveryState
from ..events import Emit, WorkspaceRemoved
from .connecting import NoSuchConnection
from .disconnecting import Disconnecting
from .ports import ConnectionStore, DeliveryStore, PendingStore, WorkspaceStore

__all__ = ["Leaving"]

log = logging.getLogger(__name__)

_ROUNDS: Final = 5


class Leaving:
    """Stops a workspace's work.

    Args:
        workspaces: remembers who left.
        connections: where connections are kept.
        deliveries: where deliveries are kept.
        pending: where links and authorization requests are kept.
        disconnecting: erases and withdraws tokens.
        clock: the time.
        emit: takes events.
    """

    def __init__(
        self,
        *,
        workspaces: WorkspaceStore,
        connections: ConnectionStore,
        deliveries: DeliveryStore,
        pending: PendingStore,
        disconnecting: Disconnecting,
        clock: Clock,
        emit: Emit,
    ) -> None:
        self._workspaces = workspaces
        self._connections = connections
        self._deliveries = deliveries
        self._pending = pending
        self._disconnecting = disconnecting
        self._clock = clock
        self._emit = emit

    async def note_removal(self, team_id: str) -> None:
        """Write down that a workspace removed the bot, so that its work is stopped even if this process ends now.

        Raises:
            StoreUnavailable: the database did not answer; call again.
        """
        await self._workspaces.mark_removed(team_id, self._clock.now())

    async def finish_removals(self) -> int:
        """Stop the work of workspaces whose removal was noted but not carried through; how many.

        Raises:
            StoreUnavailable: the database did not answer; call again.
        """
        unfinished = await self._workspaces.list_uncleared()
        for team_id in unfinished:
            await self.remove_workspace(team_id)
        return len(unfinished)

    async def remove_workspace(self, team_id: str) -> None:
        """Cancel a workspace's posts, erase and withdraw its tokens, forget its links; doing it twice is fine.

        Raises:
            StoreUnavailable: the database did not answer; call again.
        """
        await self._workspaces.mark_removed(team_id, self._clock.now())
        await self._pending.forget_team(team_id)
        canceled = await self._cancel_posts(team_id)
        disconnected = await self._disconnect(team_id)
        await self._workspaces.mark_cleared(team_id, self._clock.now())
        self._emit(WorkspaceRemoved(team_id=team_id, canceled=canceled, disconnected=disconnected))

    async def _disconnect(self, team_id: str) -> int:
        disconnected = 0
        for _ in range(_ROUNDS):
            connections = await self._connections.list_for_team(team_id)
            if not connections:
                break
            for connection in connections:
                try:
                    await self._disconnecting.erase(connection)
                except NoSuchConnection:
                    continue  # It changed in the same moment; the next round finds what became of it.
                disconnected += 1
        return disconnected

    async def _cancel_posts(self, team_id: str) -> int:
        canceled = 0
        for delivery in await self._deliveries.list_team_waiting(team_id):
            after = replace(
                delivery,
                state=DeliveryState.CANCELED,
                claim_token=None,
                claimed_by=None,
                claimed_until=None,
                detail="The workspace removed the bot.",
                settled_at=self._clock.now(),
            )
            canceled += await self._deliveries.swap(delivery, after)
        return canceled
