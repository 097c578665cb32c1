"""Learning of posts that are due soon from the server's change stream: on a real replica set, under either driver."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from figures.floor import until
from figures.replica_set import ReplicaSet
from measured import factor
from pymongo.errors import OperationFailure

from logicspike.app import run_bot
from logicspike.clock import SystemClock
from logicspike.domain import Delivery, DeliveryState, HoldReason, Timings
from logicspike.sandbox.fake_slack import FakeSlack
from logicspike.services.delivering import Delivering
from logicspike.services.ports import StoreUnavailable
from logicspike.settings import load_settings
from logicspike.store import watching
from logicspike.store.mongo import Database, open_database
from logicspike.store.opening import Stores, build_stores
from logicspike.store.schema import ensure_schema
from logicspike.store.watching import DueWatch
from logicspike.vault import generate_key

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("forgotten_sockets")]

SOON, HOUR = timedelta(seconds=1), timedelta(hours=1)


# The second driver's streams are waited for in the long run, so that the gate stays short.
DRIVERS = ["motor", "pymongo"] if factor() > 1 else ["motor"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def members(mongod_program: Path, tmp_path_factory: Any) -> AsyncIterator[ReplicaSet]:
    async with ReplicaSet(mongod_program, tmp_path_factory.mktemp("set"), size=1) as alone:
        yield alone


@pytest.fixture(params=DRIVERS)
async def database(request: Any, members: ReplicaSet, database_name: str) -> AsyncIterator[Database]:
    database = open_database(members.uri, database_name, driver=request.param)
    await ensure_schema(database)
    yield database
    await database.close()


@pytest.fixture
async def stores(members: ReplicaSet, database: Database) -> AsyncIterator[Stores]:
    """What another process writes by."""
    other = open_database(members.uri, database.name)
    yield build_stores(other)
    await other.close()


class Bell:
    """Counts its rings, and can be waited for."""

    def __init__(self) -> None:
        self.rings = 0
        self._rung = asyncio.Event()

    def __call__(self) -> None:
        self.rings += 1
        self._rung.set()

    async def until_rung(self) -> None:
        async with asyncio.timeout(10):
            await self._rung.wait()
        self._rung.clear()

    def forget(self) -> None:
        self._rung.clear()


@asynccontextmanager
async def listening(database: Database, stores: Stores, new_delivery: Callable[..., Delivery]) -> AsyncIterator[Bell]:
    """A bell whose watch has been seen to hear."""
    bell = Bell()
    async with asyncio.timeout(120), DueWatch(database, bell).running():
        while not bell.rings:  # Motor opens the stream by the first look, at a moment that nobody tells
            await stores.deliveries.insert_many([due(new_delivery, timedelta(0))])
            await asyncio.sleep(0.05)
        await quiet(bell)
        yield bell


async def quiet(bell: Bell) -> None:
    """Wait until nothing rings for longer than rings can be put off."""
    seen = -1
    while seen != bell.rings:
        seen = bell.rings
        await asyncio.sleep(1)
    bell.forget()


def due(new_delivery: Callable[..., Delivery], after: timedelta, **changes: Any) -> Delivery:
    at = datetime.now(UTC) + after
    return new_delivery(due_at=at, next_try_at=at, **changes)


async def test_a_post_for_now_rings_at_once_and_one_for_later_does_not(database, stores, new_delivery):
    async with listening(database, stores, new_delivery) as bell:
        await stores.deliveries.insert_many([due(new_delivery, HOUR)])
        await quiet(bell)
        before = bell.rings
        await stores.deliveries.insert_many([due(new_delivery, SOON)])
        await bell.until_rung()

    assert bell.rings == before + 1


async def test_a_post_put_forward_or_released_rings_and_one_that_goes_its_way_does_not(database, stores, new_delivery):
    async with listening(database, stores, new_delivery) as bell:
        later = due(new_delivery, HOUR)
        await stores.deliveries.insert_many([later])
        forward = replace(later, next_try_at=datetime.now(UTC))
        assert await stores.deliveries.swap(later, forward)
        await bell.until_rung()

        held = replace(forward, state=DeliveryState.HELD, hold_reason=HoldReason.RECONNECT)
        assert await stores.deliveries.swap(forward, held)
        released = replace(held, state=DeliveryState.SCHEDULED, hold_reason=None)
        assert await stores.deliveries.swap(held, released)
        await bell.until_rung()
        await quiet(bell)

        before, now = bell.rings, datetime.now(UTC)
        [claimed] = await stores.deliveries.claim([later.delivery_id], now=now, owner="w", until=now + HOUR)
        retried = replace(
            claimed,
            state=DeliveryState.SCHEDULED,
            next_try_at=now + HOUR,
            claim_token=None,
            claimed_by=None,
            claimed_until=None,
        )
        assert await stores.deliveries.swap(claimed, retried)
        await quiet(bell)
        assert before == bell.rings


async def test_a_burst_of_posts_rings_a_few_times(database, stores, new_delivery):
    async with listening(database, stores, new_delivery) as bell:
        before, began = bell.rings, time.monotonic()
        for _ in range(10):
            await stores.deliveries.insert_many([due(new_delivery, SOON) for _ in range(500)])
        await quiet(bell)
        took = time.monotonic() - began

        rings = bell.rings - before
        assert 2 <= rings <= took * 5 + 1, "five a second at most"

        before = bell.rings
        await stores.deliveries.insert_many([due(new_delivery, HOUR) for _ in range(5000)])
        await quiet(bell)
        assert before == bell.rings


@pytest.mark.parametrize("code", [286, 280, 13, 11600], ids=["history lost", "fatal", "refused", "interrupted"])
async def test_a_stream_that_breaks_is_opened_anew(database, stores, new_delivery, monkeypatch, caplog, code):
    caplog.set_level("INFO", "logicspike.store.watching")
    monkeypatch.setattr(watching, "_FIRST_PAUSE", timedelta(milliseconds=10))
    opened, breaks = [], [OperationFailure("broken", code), OperationFailure("broken", code)]
    changes = database.changes

    @asynccontextmanager
    async def breaking(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async with changes(*args, **kwargs) as stream:
            opened.append(stream)
            if breaks:
                raise breaks.pop()
            yield stream

    monkeypatch.setattr(database, "changes", breaking)
    async with listening(database, stores, new_delivery):
        assert 3 == len(opened)

    assert ["watch.lost"] == [record.event for record in caplog.records], "told once for an outage"


async def test_a_collection_that_is_dropped_and_made_again_is_watched_again(
    database, stores, new_delivery, monkeypatch
):
    monkeypatch.setattr(watching, "_FIRST_PAUSE", timedelta(milliseconds=10))
    async with listening(database, stores, new_delivery) as bell:
        await database.command("dropDatabase")
        before = bell.rings
        while before == bell.rings:
            await stores.deliveries.insert_many([due(new_delivery, timedelta(0))])
            await asyncio.sleep(0.05)


async def test_it_ends_at_once_and_leaves_nothing(database, stores, new_delivery):
    async with listening(database, stores, new_delivery):
        began = time.monotonic()

    assert time.monotonic() - began < 5, "a look lasts ten seconds"
    assert not {task.get_name() for task in asyncio.all_tasks()} & {"watching deliveries", "ringing"}


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_standalone_server_is_left_alone_without_a_word(mongod_uri, database_name, driver, caplog):
    caplog.set_level("INFO", "logicspike")
    database = open_database(mongod_uri, database_name, driver=driver)
    bell = Bell()
    async with asyncio.timeout(10), DueWatch(database, bell).running():
        await until(lambda: _has_ended("watching deliveries"), 10)
    await database.close()

    assert ([], 0) == (caplog.records, bell.rings)


async def _has_ended(name: str) -> bool:
    return name not in {task.get_name() for task in asyncio.all_tasks()}


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_killed_primary_is_survived(mongod_program, tmp_path, driver, new_delivery):
    async with ReplicaSet(mongod_program, tmp_path) as three:
        database = open_database(three.uri, "watched", driver=driver)
        await ensure_schema(database)
        other = open_database(three.uri, "watched")
        stores = build_stores(other)
        async with listening(database, stores, new_delivery) as bell:
            await three.kill_primary()
            await until(stores.is_reachable, 30)
            await quiet(bell)
            before = bell.rings
            while before == bell.rings:
                await stores.deliveries.insert_many([due(new_delivery, timedelta(0))])
                await asyncio.sleep(0.05)
            await quiet(bell)
            await stores.deliveries.insert_many([due(new_delivery, SOON)])
            await bell.until_rung()
        await other.close()
        await database.close()


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_server_that_goes_away_for_good_keeps_nobody_from_ending(
    mongod_program, tmp_path, driver, new_delivery
):
    async with ReplicaSet(mongod_program, tmp_path, size=1) as alone:
        database = open_database(alone.uri, "watched", driver=driver)
        await ensure_schema(database)
        other = open_database(alone.uri, "watched")
        async with listening(database, build_stores(other), new_delivery):
            await alone.kill_primary()
            began = time.monotonic()
        await other.close()
        await database.close()
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("role", ["worker", "web"])
async def test_a_bot_that_publishes_learns_of_another_processs_post_at_once(
    members, database_name, tmp_path, monkeypatch, new_delivery, role
):
    """Its own look comes round once an hour only, so that nothing but the change stream can have told it."""
    looks = []

    async def look(_self: Delivering) -> int:
        looks.append(time.monotonic())
        return 0

    monkeypatch.setattr(Delivering, "deliver_due", look)
    slack = FakeSlack(signing_secret="s" * 32, bot_token="xoxb-1", clock=SystemClock())
    settings = {
        "PORT": "0",
        "MONGODB_URI": members.uri,
        "MONGODB_DATABASE": database_name,
        "LOGICSPIKE_KEYS": f"test:{generate_key()}",
        "LOGICSPIKE_DATA_DIR": str(tmp_path),
        "SLACK_SIGNING_SECRET": "s" * 32,
        "SLACK_BOT_TOKEN": "xoxb-1",
    }
    other = open_database(members.uri, database_name)
    async with slack.running():
        chosen = load_settings({**settings, "SLACK_API_URL": slack.api_url}, env_file=None)
        async with asyncio.timeout(60), run_bot(chosen, role=role, timings=Timings(deliver_every=HOUR)):
            began = time.monotonic()
            while len(looks) < 3 if role == "worker" else time.monotonic() < began + 2:
                with contextlib.suppress(StoreUnavailable):  # a busy machine; the next one may do
                    await build_stores(other).deliveries.insert_many([due(new_delivery, timedelta(0))])
                await asyncio.sleep(0.05)
    await other.close()

    assert (len(looks) >= 3) == (role == "worker"), looks
