"""Opening all stores at once: the embedded server or the operator's, indexes made, and closed again in order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..clock import Clock, TimeReading
from ..services.ports import StoreUnavailable
from .connections import MongoConnectionStore
from .deliveries import MongoDeliveryStore
from .embedded import EmbeddedMongod, EmbeddedMongodFailed, MongodMissing
from .installations import MongoWorkspaceStore
from .mongo import BadDatabaseAddress, Database, Driver, open_database, ping, read_server_time
from .pending import MongoPendingStore
from .platform_events import MongoPlatformEventStore
from .posts import MongoPostStore
from .requests import MongoRequestLog
from .schema import SchemaTooNew, ensure_schema
from .watching import DueWatch

__all__ = ["StoreNotUsable", "Stores", "build_stores", "open_stores"]


class StoreNotUsable(Exception):
    """The database can't be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """All stores over one database."""

    connections: MongoConnectionStore
    pending: MongoPendingStore
    posts: MongoPostStore
    deliveries: MongoDeliveryStore
    workspaces: MongoWorkspaceStore
    requests: MongoRequestLog
    platform_events: MongoPlatformEventStore
    database: Database = field(repr=False)

    async def is_reachable(self) -> bool:
        """Whether the database answers now."""
        try:
            await ping(self.database)
        except StoreUnavailable:
            return False
        return True

    async def read_time(self, steady: Callable[[], float]) -> TimeReading:
        """The server's time, beside a steady timer of our own.

        Raises:
            StoreUnavailable: it did not answer.
        """
        return await read_server_time(self.database, steady)

    def watching_due(self, ring: Callable[[], None]) -> AbstractAsyncContextManager[None]:
        """Ring whenever a delivery was made due soon, while this is entered; only where the server tells of changes."""
        return DueWatch(self.database, ring).running()


@asynccontextmanager
async def open_stores(
    uri: str | None, *, database_name: str, driver: Driver, folder: Path, real_time: Clock | None = None
) -> AsyncIterator[Stores]:
    """Open the database and all stores, and close them at the end.

    Args:
        uri: where MongoDB is; None starts, or joins, the embedded server.
        database_name: name of the database.
        driver: ``motor`` or ``pymongo``.
        folder: where the embedded server keeps its data.
        real_time: by which documents are purged; None for the machine's.

    Raises:
        StoreNotUsable: with the reason and what to do.
        StoreUnavailable: the database did not answer.
    """
    async with AsyncExitStack() as stack:
        try:
            if uri is None:
                embedded = EmbeddedMongod(folder)
                uri = await embedded.start()
                stack.push_async_callback(embedded.stop)
            database = open_database(uri, database_name, driver=driver, real_time=real_time)
            stack.push_async_callback(database.close)
            await ensure_schema(database)
        except (MongodMissing, EmbeddedMongodFailed, BadDatabaseAddress, SchemaTooNew) as error:
            raise StoreNotUsable(str(error)) from error
        yield build_stores(database)


def build_stores(database: Database) -> Stores:
    """All stores over a database whose schema is made already."""
    return Stores(
        connections=MongoConnectionStore(database),
        pending=MongoPendingStore(database),
        posts=MongoPostStore(database),
        deliveries=MongoDeliveryStore(database),
        workspaces=MongoWorkspaceStore(database),
        requests=MongoRequestLog(database),
        platform_events=MongoPlatformEventStore(database),
        database=database,
    )
