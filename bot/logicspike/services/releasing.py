"""Letting held posts go once their account is back."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..clock import Clock
from ..domain import Connection, Delivery, DeliveryState, HoldReason
from .ports import ConnectionStore, DeliveryStore

__all__ = ["Releasing"]

_WAITING_FOR_MEMBER: Final = frozenset({HoldReason.RECONNECT, HoldReason.MEMBER})


class Releasing:
    """Releases what was held for an account.

    Args:
        connections: where connections are kept.
        deliveries: where deliveries are kept.
        clock: the time.
    """

    def __init__(self, *, connections: ConnectionStore, deliveries: DeliveryStore, clock: Clock) -> None:
        self._connections = connections
        self._deliveries = deliveries
        self._clock = clock

    async def release(self, connection: Connection) -> tuple[tuple[Delivery, ...], tuple[Delivery, ...]]:
        """Let the posts held for this account go: future ones at their time, overdue ones now and in order.

        Returns:
            What was released, and what is overdue by more than ten minutes: that stays held, and its author is asked.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        released: list[Delivery] = []
        late: list[Delivery] = []
        for delivery in await self._deliveries.list_waiting(connection.team_id, connection.connection_id):
            if delivery.state is not DeliveryState.HELD or delivery.hold_reason not in _WAITING_FOR_MEMBER:
                continue
            after = self._decide(delivery)
            if await self._deliveries.swap(delivery, after):
                (released if after.state is DeliveryState.SCHEDULED else late).append(after)
        return tuple(released), tuple(late)

    async def release_stranded(self) -> int:
        """Let posts go whose account is back though nobody released them: a process died in between; how many.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        waiting = await self._deliveries.list_held_connections()
        if not waiting:
            return 0
        count = 0
        for connection in await self._connections.find_active(waiting):
            released, late = await self.release(connection)
            count += len(released) + len(late)
        return count

    def _decide(self, delivery: Delivery) -> Delivery:
        now = self._clock.now()
        since = delivery.next_try_at if delivery.live else delivery.due_at
        if now - since > delivery.patience:
            return replace(
                delivery,
                hold_reason=HoldReason.LATE,
                detail="Its time passed while the account was away.",
                is_asked=True,
                is_owed=True,
            )
        return replace(
            delivery,
            state=DeliveryState.SCHEDULED,
            hold_reason=None,
            detail=None,
            is_owed=False,
            next_try_at=max(delivery.due_at, now),
            settled_at=now,
        )
