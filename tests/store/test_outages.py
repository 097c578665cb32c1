"""What the stores say when the server is away, asleep, or its reply is lost on the way."""

import asyncio
import contextlib
import os
import signal
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote_plus, unquote, urlsplit

import pytest
from team import claim_due

from logicspike.clock import SystemClock
from logicspike.domain import DeliveryState
from logicspike.services.ports import StoreUnavailable
from logicspike.store.embedded import EmbeddedMongod
from logicspike.store.mongo import BadDatabaseAddress, open_database, ping, read_server_time
from logicspike.store.schema import ensure_schema

pytestmark = pytest.mark.chaos

PATIENCE = 3.0  # seconds: the store gives up after 2, and the machine may be busy


class LossyWire:
    """Stands between driver and server; once armed, the reply to the next command of a kind is lost with the line."""

    def __init__(self, server_path, path):
        self._server_path = server_path
        self._path = path
        self._tasks = set()
        self._losing = b""
        self._is_before = False
        self.lost = 0

    @property
    def uri(self):
        return f"mongodb://{quote_plus(str(self._path))}/"

    def lose_reply_to(self, command, *, is_before=False):
        """Cut the line after the server did the next such command, or (is_before) without passing it on."""
        self._losing = b"\x02" + command.encode() + b"\x00"
        self._is_before = is_before

    async def __aenter__(self):
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        self._tasks.add(task := asyncio.current_task())
        up_reader, up_writer = await asyncio.open_unix_connection(self._server_path)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                request = await self._message(reader)
                is_lost = bool(self._losing) and self._losing in request
                if is_lost:
                    self._losing = b""
                    self.lost += 1
                    if self._is_before:
                        break
                up_writer.write(request)
                reply = await self._message(up_reader)
                if is_lost:
                    break
                writer.write(reply)
        writer.close()
        up_writer.close()
        self._tasks.discard(task)

    @staticmethod
    async def _message(reader):
        head = await reader.readexactly(4)
        return head + await reader.readexactly(int.from_bytes(head, "little") - 4)


@pytest.fixture
def short_path():
    with tempfile.TemporaryDirectory(prefix="ls") as folder:
        yield Path(folder)


@pytest.fixture
async def wire(mongod_uri, short_path):
    async with LossyWire(unquote(urlsplit(mongod_uri).netloc), short_path / "wire.sock") as wire:
        yield wire


@pytest.fixture(params=["motor", "pymongo"])
async def wired_stores(request, wire, real_database_once, build_stores):
    """All stores behind a wire that loses replies."""
    # One monitoring connection that streams would be one reply per request no more.
    database = open_database(f"{wire.uri}?serverMonitoringMode=poll", real_database_once, driver=request.param)
    yield build_stores(database)
    await database.close()


@pytest.fixture
async def real_database_once(mongo_database):
    return mongo_database.name


@pytest.fixture
def claim(now):
    return {"now": now, "owner": "w", "until": now + timedelta(minutes=1), "limit": 10}


async def test_a_claim_whose_reply_is_lost_is_found_by_its_token(wired_stores, wire, new_delivery, claim):
    delivery = new_delivery()
    await wired_stores.deliveries.insert_many([delivery])
    wire.lose_reply_to("update")
    (claimed,) = await claim_due(wired_stores.deliveries, **claim)
    assert claimed.delivery_id == delivery.delivery_id
    assert claimed == await wired_stores.deliveries.find("T1", delivery.delivery_id)
    assert wire.lost == 1


async def test_a_claim_that_never_arrived_is_not_taken_for_less_to_claim(wired_stores, wire, new_delivery, claim):
    """It may arrive yet."""
    await wired_stores.deliveries.insert_many([new_delivery()])
    wire.lose_reply_to("update", is_before=True)
    with pytest.raises(StoreUnavailable):
        await claim_due(wired_stores.deliveries, **claim)
    assert len(await claim_due(wired_stores.deliveries, **claim)) == 1


async def test_a_move_whose_reply_is_lost_is_known_to_have_won(wired_stores, wire, new_delivery):
    before = new_delivery(state=DeliveryState.CLAIMED, claim_token="t")
    await wired_stores.deliveries.insert_many([before])
    after = replace(before, state=DeliveryState.PUBLISHING)
    wire.lose_reply_to("update")
    assert await wired_stores.deliveries.swap(before, after)
    assert after == await wired_stores.deliveries.find("T1", before.delivery_id)


async def test_a_move_that_never_arrived_is_not_taken_for_made(wired_stores, wire, new_delivery):
    before = new_delivery(state=DeliveryState.CLAIMED, claim_token="t")
    await wired_stores.deliveries.insert_many([before])
    wire.lose_reply_to("update", is_before=True)
    with pytest.raises(StoreUnavailable):
        await wired_stores.deliveries.swap(before, replace(before, state=DeliveryState.PUBLISHING))
    assert before == await wired_stores.deliveries.find("T1", before.delivery_id)


async def test_a_lost_move_is_not_mistaken_for_the_same_move_of_another(wired_stores, wire, new_delivery):
    before = new_delivery()
    after = replace(before, state=DeliveryState.CANCELED)
    await wired_stores.deliveries.insert_many([before])
    assert await wired_stores.deliveries.swap(before, after)
    wire.lose_reply_to("update")
    with pytest.raises(StoreUnavailable):
        await wired_stores.deliveries.swap(before, after)


async def test_inserts_whose_reply_is_lost_are_found(wired_stores, wire, new_delivery, new_connection):
    deliveries = tuple(new_delivery() for _ in range(3))
    wire.lose_reply_to("insert")
    await wired_stores.deliveries.insert_many(deliveries)
    assert deliveries == await wired_stores.deliveries.list_open("T1")
    wire.lose_reply_to("insert")
    connection = new_connection()
    await wired_stores.connections.insert(connection)
    assert connection == await wired_stores.connections.find("T1", connection.connection_id)
    wire.lose_reply_to("insert")
    assert await wired_stores.requests.is_first("Ev1")
    assert not await wired_stores.requests.is_first("Ev1")
    assert wire.lost == 3


async def test_deliveries_that_did_not_all_land_are_taken_back(wired_stores, wire, new_delivery):
    landed, missing = new_delivery(), new_delivery()
    await wired_stores.deliveries.insert_many([landed])
    wire.lose_reply_to("insert", is_before=True)
    with pytest.raises(StoreUnavailable):
        await wired_stores.deliveries.insert_many([landed, missing])
    assert await wired_stores.deliveries.list_open("T1") == ()


async def test_a_refresh_lease_whose_reply_is_lost_is_ours(wired_stores, wire, new_connection, now):
    connection = new_connection()
    await wired_stores.connections.insert(connection)
    wire.lose_reply_to("update")
    take = wired_stores.connections.take_refresh_lease
    assert await take(connection, owner="a", until=now + timedelta(minutes=1), now=now)
    assert not await take(connection, owner="b", until=now + timedelta(minutes=1), now=now)


async def test_every_method_says_in_time_that_nobody_is_there(unreachable_stores, every_call):
    started_at = time.monotonic()
    calls = list(every_call.values()) * 2  # more at once than a driver has threads
    results = await asyncio.gather(*(call(unreachable_stores) for call in calls), return_exceptions=True)
    assert time.monotonic() - started_at < PATIENCE
    assert {StoreUnavailable} == {type(result) for result in results}


async def test_a_server_that_stops_answering_is_given_up_in_time(mongod_program, tmp_path, build_stores, new_delivery):
    mongod = EmbeddedMongod(tmp_path, mongod=mongod_program)
    uri = await mongod.start()
    databases = [open_database(uri, driver, driver=driver) for driver in ("motor", "pymongo")]
    pid = int((tmp_path / "mongod.pid").read_text())
    delivery = new_delivery()
    canceled = replace(delivery, state=DeliveryState.CANCELED)
    stores = [build_stores(database).deliveries for database in databases]
    try:
        for each in stores:
            await each.insert_many([delivery])
        os.kill(pid, signal.SIGSTOP)
        started_at = time.monotonic()
        results = await asyncio.gather(*(each.swap(delivery, canceled) for each in stores), return_exceptions=True)
        assert time.monotonic() - started_at < PATIENCE
        for database in databases:
            await database.close()
        assert time.monotonic() - started_at < PATIENCE + 2, "closing waits for the server"
        assert [StoreUnavailable] * 2 == [type(result) for result in results]
    finally:
        os.kill(pid, signal.SIGCONT)
        await mongod.stop()


async def test_starting_without_a_server_fails_soon(short_path):
    database = open_database(f"mongodb://{quote_plus(str(short_path / 'none.sock'))}/", "x")
    started_at = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await ensure_schema(database)
    assert time.monotonic() - started_at < PATIENCE
    await database.close()


async def test_an_address_that_cannot_be_read_is_refused_without_repeating_it():
    for address in ("mongodb://user:hunter2@:x/", "postgres://user:hunter2@db/", "mongodb://h/?tls=hunter2"):
        with pytest.raises(BadDatabaseAddress) as refused:
            open_database(address, "x")
        assert "hunter2" not in str(refused.value)


async def test_the_server_is_asked_for_its_time(real_database):
    await ping(real_database)
    clock = SystemClock(machine=lambda: datetime.now(UTC) + timedelta(hours=1))
    reading = await read_server_time(real_database, clock.steady)
    assert reading.uncertainty < timedelta(seconds=1)
    assert abs(clock.difference(reading) + timedelta(hours=1)) < timedelta(seconds=1)
