"""Looking a post up at its platform, when nobody knows whether it went out."""

from __future__ import annotations

from ..domain import Connection, ConnectionStatus, Delivery
from ..platforms import Platforms
from ..plugin.errors import TokenExpired
from ..plugin.types import PublishedPost
from .ports import ConnectionStore
from .refreshing import ConnectionGone, Refreshing

__all__ = ["LookingUp"]


class LookingUp:
    """Asks platforms what became of a post.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        refreshing: hands out fresh credentials.
    """

    def __init__(self, *, platforms: Platforms, connections: ConnectionStore, refreshing: Refreshing) -> None:
        self._platforms = platforms
        self._connections = connections
        self._refreshing = refreshing

    async def find(self, delivery: Delivery) -> PublishedPost | None:
        """The part that was tried last, if the platform has it.

        Raises:
            NotSupported: the platform has no way to look.
            ConnectionGone: there is no account any more to look with.
            PlatformNotReady: the platform can't be called now.
            PlatformError: it could not be looked up.
            StoreUnavailable: the database did not answer.
        """
        connection = await self._usable(delivery)
        name, post, prepared = delivery.platform, delivery.next_part, delivery.prepared
        fresh = await self._refreshing.get_credential(connection)
        try:
            return await self._platforms.find_published(name, fresh.credential, post, prepared)
        except TokenExpired:
            refused = fresh.connection.token_version
        fresh = await self._refreshing.get_credential(connection, refused_version=refused)
        return await self._platforms.find_published(name, fresh.credential, post, prepared)

    async def _usable(self, delivery: Delivery) -> Connection:
        connection = await self._connections.find(delivery.team_id, delivery.connection_id)
        if connection is None or connection.status is not ConnectionStatus.ACTIVE:
            raise ConnectionGone
        return connection
