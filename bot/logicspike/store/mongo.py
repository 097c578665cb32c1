"""Opening the database, whichever driver is used, and what all stores share: outages, lost replies, the time."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, ParamSpec, Protocol, TypeAlias, TypeVar, cast

import pymongo
from bson.errors import BSONError
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, ReadPreference, WriteConcern, errors
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.monitoring import CommandListener

from ..clock import Clock, SystemClock, TimeReading
from ..services.ports import StoreUnavailable

__all__ = [
    "BadDatabaseAddress",
    "ChangeStream",
    "Database",
    "Document",
    "Driver",
    "is_reply_lost",
    "open_database",
    "outages_as_unavailable",
    "ping",
    "read_server_time",
    "reports_outage",
    "wins_or_landed",
]

Driver: TypeAlias = Literal["motor", "pymongo"]
Document: TypeAlias = dict[str, Any]

BUDGET: Final = timedelta(seconds=1.75)
"""How long a store's method may take in all, so that Slack's three seconds still allow for a "try again".

While it looks for a server, PyMongo looks at the time every half second only (``pymongo.topology``, 4.20, checked
2026-11): a method may take that much longer, which makes 2.25 s.
"""

_CONNECT: Final = timedelta(seconds=2)
_CLOSING: Final = timedelta(seconds=1)
_SOCKET: Final = timedelta(seconds=60)
_RESOLUTION: Final = timedelta(milliseconds=1)  # of localTime
_REFUSED: Final = frozenset({13, 18, 8000})  # Unauthorized, AuthenticationFailed, Atlas's own AtlasError

_P = ParamSpec("_P")
_R = TypeVar("_R")


class BadDatabaseAddress(ValueError):
    """The database's address cannot be read, or names an option that no driver knows; the address isn't repeated."""


class ChangeStream(Protocol):
    """What both drivers' change streams have in common."""

    @property
    def alive(self) -> bool:
        """Whether more may come."""
        ...

    async def try_next(self) -> Document | None:
        """The next change; None when none came for a while."""
        ...

    async def close(self) -> None:
        """End it, on the server too."""
        ...


class Database:
    """One open database; hands out collections that behave the same under both drivers.

    Of a collection only what both drivers spell alike is used: ``aggregate``, ``list_indexes``, transactions and
    ordered bulk writes are not; ``watch`` only here, by ``changes``.

    Args:
        client: a client of either driver.
        name: the database's name.
        real_time: the time by which documents are purged; TTL indexes live on real time, whatever the bot's clock says.
    """

    def __init__(self, client: Any, name: str, *, real_time: Clock | None = None) -> None:
        self.name = name
        self._close: Callable[[], Awaitable[None]] = (
            client.close if isinstance(client, AsyncMongoClient) else functools.partial(asyncio.to_thread, client.close)
        )
        self._real_time = real_time or SystemClock()
        self._database = client.get_database(
            name,
            write_concern=WriteConcern(w="majority", j=True),
            read_preference=ReadPreference.PRIMARY,
        )

    def collection(self, name: str) -> AsyncCollection[Document]:
        """A collection; typed as PyMongo's, of which Motor's has the same methods as far as we use them."""
        return cast("AsyncCollection[Document]", self._database[name])

    async def command(self, name: str) -> Document:
        """Run an argumentless command on the database."""
        return cast("Document", await self._database.command(name))

    @asynccontextmanager
    async def changes(
        self, name: str, pipeline: Sequence[Document], *, longest_wait: timedelta
    ) -> AsyncIterator[ChangeStream]:
        """Watch a collection, where the server has change streams: a replica set or shards.

        Args:
            name: the collection's.
            pipeline: picks and shortens changes, on the server.
            longest_wait: how long one look waits for a change.

        Raises:
            PyMongoError: at the opening or at the first look, by driver; the caller bounds looks in time.
        """
        opened = self._database[name].watch(list(pipeline), max_await_time_ms=_milliseconds(longest_wait))
        with pymongo.timeout(BUDGET.total_seconds()):
            # Motor's is opened by its first look; PyMongo's is awaited.
            stream = cast("ChangeStream", await opened if inspect.isawaitable(opened) else opened)
        try:
            yield stream
        finally:
            with contextlib.suppress(errors.PyMongoError), pymongo.timeout(_CLOSING.total_seconds()):
                await stream.close()

    def purge_at(self, lifetime: timedelta, *, not_before: datetime | None = None) -> datetime:
        """When a document may go: ``lifetime`` after now, or after ``not_before`` if that is later."""
        now = self._real_time.now()
        return (now if not_before is None else max(now, not_before)) + lifetime

    async def close(self) -> None:
        """Close all connections; the database cannot be used afterwards."""
        # Both say goodbye to the server, which may be gone; Motor's close would keep the event loop waiting for that.
        with pymongo.timeout(_CLOSING.total_seconds()):
            await self._close()


def open_database(
    uri: str,
    name: str,
    *,
    driver: Driver = "motor",
    server_selection_timeout: timedelta = timedelta(seconds=2),
    listeners: Sequence[CommandListener] = (),
    real_time: Clock | None = None,
) -> Database:
    """Prepare a database for use by the running event loop; nothing is sent yet.

    Args:
        uri: ``mongodb://`` or ``mongodb+srv://``; its options count, except for those that safety rests on.
        name: the database's name.
        driver: Motor, or PyMongo's own asynchronous client.
        server_selection_timeout: how long to look for a server before giving up.
        listeners: PyMongo's command listeners, to watch what is sent.
        real_time: as for ``Database``.

    Raises:
        BadDatabaseAddress: the address cannot be read.
    """
    client_class: Any = AsyncIOMotorClient if driver == "motor" else AsyncMongoClient
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # or a misspelt option would be dropped with a mere warning
            client = client_class(
                uri,
                appname="logicspike",
                tz_aware=True,
                w="majority",
                journal=True,
                readPreference="primary",
                serverSelectionTimeoutMS=_milliseconds(server_selection_timeout),
                connectTimeoutMS=_milliseconds(_CONNECT),
                socketTimeoutMS=_milliseconds(_SOCKET),
                waitQueueTimeoutMS=_milliseconds(_CONNECT),
                event_listeners=list(listeners),
            )
        return Database(client, name, real_time=real_time)
    except (errors.ConfigurationError, errors.InvalidName, BSONError, ValueError, TypeError, UserWarning) as error:
        # The driver's own sentence may quote the address, and with it the password.
        raise BadDatabaseAddress(
            f"The database's address (MONGODB_URI) or name cannot be read ({type(error).__name__}). An address looks "
            "like mongodb://host:27017/; name and password in it are percent-encoded, its options are MongoDB's own."
        ) from None


def _milliseconds(duration: timedelta) -> int:
    return round(duration / timedelta(milliseconds=1))


@contextmanager
def outages_as_unavailable(budget: timedelta = BUDGET) -> Iterator[None]:
    """Bound what is inside in time, and turn the drivers' ways to say "no answer" into ``StoreUnavailable``.

    Args:
        budget: for everything inside together; an outer one that ends earlier wins.

    Raises:
        StoreUnavailable: the server could not be reached, or its reply was lost.
    """
    try:
        with pymongo.timeout(budget.total_seconds()):
            yield
    except errors.PyMongoError as error:
        sentence = _outage(error)
        if sentence is None:
            raise
        raise StoreUnavailable(sentence) from error


def is_reply_lost(error: errors.PyMongoError) -> bool:
    """Whether a command was sent, or may have been, and its reply didn't come, so that its outcome is not known."""
    is_never_sent = isinstance(error, errors.ServerSelectionTimeoutError | errors.WaitQueueTimeoutError)
    return _outage(error) is not None and not is_never_sent


def _outage(error: errors.PyMongoError) -> str | None:
    if isinstance(error, errors.OperationFailure) and error.code in _REFUSED:
        return "The database refused the user name or password in its address."
    if isinstance(error, errors.ConnectionFailure) or error.timeout:
        return f"The database did not answer in time ({type(error).__name__})."
    return None


def reports_outage(method: Callable[_P, Coroutine[Any, Any, _R]]) -> Callable[_P, Coroutine[Any, Any, _R]]:
    """Put a store's method under ``outages_as_unavailable``."""

    @functools.wraps(method)
    async def bounded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with outages_as_unavailable():
            return await method(*args, **kwargs)

    return bounded


async def wins_or_landed(write: Awaitable[bool], landed: Callable[[], Awaitable[bool]]) -> bool:
    """Settle a write whose reply may get lost: by looking whether it is there.

    Args:
        write: does it, and tells whether it won.
        landed: looks for what only this very write can have left behind.

    Returns:
        What ``write`` says; or True when its reply was lost but its mark is found.

    Raises:
        PyMongoError: no reply, and no mark: it may still be on its way.
    """
    try:
        return await write
    except errors.PyMongoError as error:
        if not is_reply_lost(error) or not await landed():
            raise
        return True


async def ping(database: Database) -> None:
    """Make sure that the database answers.

    Raises:
        StoreUnavailable: it doesn't.
    """
    with outages_as_unavailable():
        await database.command("ping")


async def read_server_time(database: Database, steady: Callable[[], float]) -> TimeReading:
    """Ask the server for its time (``hello.localTime``); of three readings the one with the shortest way counts.

    Args:
        database: whose server is asked: the primary, where there are several.
        steady: seconds of a timer that nobody can set.

    Raises:
        StoreUnavailable: it doesn't answer.
    """
    readings: list[TimeReading] = []
    with outages_as_unavailable():
        for _ in range(3):
            before = steady()
            reply = await database.command("hello")
            half_way = (steady() - before) / 2
            readings.append(
                TimeReading(
                    server_at=cast("datetime", reply["localTime"]).astimezone(UTC),
                    steady=before + half_way,
                    uncertainty=timedelta(seconds=half_way) + _RESOLUTION,
                )
            )
    return min(readings, key=lambda reading: reading.uncertainty)
