"""Erasing what is known of an account, when its platform asks for it on behalf of whoever connected it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..domain import Connection, ConnectionStatus, DeliveryState, Member
from ..events import ConnectionErased, Emit
from ..platforms import Platforms
from ..plugin.types import Account
from .connecting import NoSuchConnection
from .disconnecting import Disconnecting, PostsOnDisconnect
from .notices import AccountErased
from .people import Notifier
from .ports import ConnectionStore, DeliveryStore

__all__ = ["ERASED_NAME", "Erasing"]

ERASED_NAME: Final = "an erased account"
"""What the posts of an erased account say for its name."""

_HELD: Final = (
    "Its account was erased, as whoever had connected it asked. Schedule the text for another account, or cancel it."
)
_WAITING: Final = frozenset({DeliveryState.SCHEDULED, DeliveryState.CLAIMED, DeliveryState.HELD})


class Erasing:
    """Erases accounts; each step bears being repeated, and what finds the account again goes last.

    The posts stay: their texts were written in the workspace and are its own, as is the record of what went out.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        deliveries: where deliveries are kept.
        disconnecting: erases tokens, and holds posts.
        notifier: direct messages.
        emit: takes events.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        connections: ConnectionStore,
        deliveries: DeliveryStore,
        disconnecting: Disconnecting,
        notifier: Notifier,
        emit: Emit,
    ) -> None:
        self._platforms = platforms
        self._connections = connections
        self._deliveries = deliveries
        self._disconnecting = disconnecting
        self._notifier = notifier
        self._emit = emit

    async def erase(self, connection: Connection) -> None:
        """Erase tokens and account; posts that wait for it are held, and the owner is told.

        Raises:
            StoreUnavailable: the database did not answer; call again.
        """
        if connection.status is ConnectionStatus.PENDING_CHOICE:
            await self._connections.delete(connection)
            return
        if connection.status is not ConnectionStatus.DISCONNECTED:
            await self._tell(connection)
            try:
                _, connection = await self._disconnecting.erase_tokens(connection)
            except NoSuchConnection:
                current = await self._connections.find(connection.team_id, connection.connection_id)
                if current is None or current.status is not ConnectionStatus.DISCONNECTED:
                    return  # Another member's by now, by a sign-in of their own.
                connection = current
        await self._disconnecting.settle_posts(connection, PostsOnDisconnect.HOLD, detail=_HELD)
        await self._deliveries.forget_account(connection.team_id, connection.connection_id, account_name=ERASED_NAME)
        if await self._connections.swap(connection, _without_account(connection)):
            self._emit(
                ConnectionErased(
                    team_id=connection.team_id,
                    connection_id=connection.connection_id,
                    platform=connection.platform,
                )
            )

    async def _tell(self, connection: Connection) -> None:
        waiting = await self._deliveries.list_waiting(connection.team_id, connection.connection_id)
        await self._notifier.notify(
            Member(team_id=connection.team_id, user_id=connection.owner_id),
            AccountErased(
                platform_title=self._platforms.get(connection.platform).title,
                account_name=connection.account.name,
                waiting=sum(each.state in _WAITING for each in waiting),
            ),
        )


def _without_account(connection: Connection) -> Connection:
    """What is left: that there was a connection, and who in the workspace had made it."""
    return replace(
        connection,
        account=Account(id=f"erased:{connection.connection_id}", name=ERASED_NAME.capitalize()),
        nickname=f"{connection.platform}:erased-{connection.connection_id}",
        grant_id=None,
        token_version=connection.token_version + 1,
    )
