"""SIGTERM with posts in flight: they are finished, nothing else is begun, and a second one ends it at once."""

from __future__ import annotations

import signal
import time

import pytest
from chaos_arena import Arena, open_arena, until
from chaos_platform import Weather
from measured import choose_seed, show, size

from logicspike.domain import Connection, DeliveryState

pytestmark = pytest.mark.chaos

SLOW = 0.5
IN_FLIGHT = 20
IMMEDIATE_EXIT = 130


async def put_in_flight(arena: Arena, connections: list[Connection], name: str) -> int:
    """Start a worker and wait until it publishes to all accounts at once, with more behind; its process id."""
    await arena.schedule(connections, [f"{name}, post {number}" for number in range(2 * len(connections))])
    worker = await arena.nursery.spawn()
    await until(lambda: len(arena.fakes["listed"].in_flight) == len(connections), limit=20)
    return worker


async def test_what_is_in_flight_is_finished_and_nothing_else_is_begun(tmp_path):
    seed, stops, slowest = choose_seed(), size(20), 0.0
    async with open_arena(tmp_path, seed=seed, weather=Weather(latency=(SLOW, SLOW)), timings={}) as arena:
        connections = await arena.connect_accounts("listed", IN_FLIGHT)
        for stop in range(stops):
            worker = await put_in_flight(arena, connections, f"stop {stop}")
            stopped_at = time.monotonic()
            await arena.nursery.signal(worker, signal.SIGTERM)
            assert 0 == await arena.nursery.wait_for_end(worker, limit=SLOW + 2)
            slowest = max(slowest, time.monotonic() - stopped_at)
            said = [line for line in arena.log.read_text().splitlines() if line.startswith(f"{worker} ")]
            [stopping] = [number for number, line in enumerate(said) if "stopping:" in line]
            assert not [line for line in said[stopping:] if "delivery.claimed" in line]
            states = {each.state for each in await arena.read_all()}
            assert states <= {DeliveryState.PUBLISHED, DeliveryState.SCHEDULED}, f"stop {stop}"
            await arena.stores.database.collection("deliveries").delete_many({"state": "scheduled"})
        found = await arena.read_all()
        published = [each.post.text for each in found if each.state is DeliveryState.PUBLISHED]
        show(
            "F14",
            seed=seed,
            stops=stops,
            in_flight_each=IN_FLIGHT,
            published=len(published),
            unknown=sum(each.state is DeliveryState.UNKNOWN for each in found),
            slowest_stop=f"{slowest:.2f} s",
        )
        assert sorted(published) == sorted(entry.text for entry in arena.fakes["listed"].ledger)
        assert len(published) >= stops * IN_FLIGHT


async def test_a_second_signal_ends_it_at_once(tmp_path):
    seed = choose_seed()
    async with open_arena(tmp_path, seed=seed, weather=Weather(latency=(5, 5)), timings={}) as arena:
        worker = await put_in_flight(arena, await arena.connect_accounts("listed", IN_FLIGHT), "twice")
        await arena.nursery.signal(worker, signal.SIGTERM)
        await until(lambda: arena.said("stopping:") == 1, limit=5)
        again_at = time.monotonic()
        await arena.nursery.signal(worker, signal.SIGTERM)
        assert IMMEDIATE_EXIT == await arena.nursery.wait_for_end(worker, limit=1)
        show("F14", seed=seed, second_signal_to_end=f"{time.monotonic() - again_at:.3f} s")
