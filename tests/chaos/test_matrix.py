"""Every point at which the process can end, under every fault of every kind of platform: where each case must end.

``expected.csv`` beside this holds all 210 cases. ``LOGICSPIKE_WRITE_EXPECTED=1`` writes it anew; read the difference
before it is kept:

- ``state`` and ``questions``: what becomes of the delivery, and how often its author was asked.
- ``live``: how many times it is at the platform; never more than once.
- ``requests``: how many times it was sent. More than one only after a plain refusal (429), or where the platform said
  twice that it isn't there.

So, where the platform can be asked (keyed, listed), every case ends published, live once, and nobody is bothered; sent
twice only where the first request did nothing (error-before, 429). Where it can't (blind), there is one question
whenever the process ended between the attempt's record and its outcome's, or the answer said neither yes nor no; it is
not sent again. Everything else ends published.
"""

from __future__ import annotations

import asyncio
import csv
import inspect
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
from chaos_arena import make_connection, make_delivery, until
from chaos_platform import KINDS, PUBLISH_FAULTS, READ_FAULTS, ChaosFake, Weather
from measured import show
from memory_slack import Directory, MemoryFiles, RecordingNotifier

from logicspike.clock import MovableClock
from logicspike.domain import Delivery, DeliveryState, Timings
from logicspike.platforms import Platforms
from logicspike.services.notices import OutcomeQuestion
from logicspike.store.mongo import Database
from logicspike.store.opening import Stores, build_stores
from logicspike.store.schema import ensure_schema
from logicspike.vault import Vault, generate_key, parse_key_ring
from logicspike.wiring import Parts, Services, build_services

pytestmark = pytest.mark.chaos

EXPECTED: Final = Path(__file__).with_name("expected.csv")
POINTS: Final = (
    "before-claim",
    "after-claim",
    "after-attempt-recorded",
    "after-first-byte",
    "after-answer",
    "before-outcome-stored",
    "after-outcome-stored",
)
FAULTS: Final = ("none", *PUBLISH_FAULTS, *READ_FAULTS)
ROUND: Final = timedelta(seconds=31)
ROUNDS: Final = 16  # within the ten minutes after which a post counts as late
# After a death the first look comes too early, and the second doesn't.
LAG: Final = Timings().lease + Timings().settle + Timings().lookup / 2


SLOW: Final = 0.6  # seconds; where nothing is slow, a machine that is busy must not make it so
LIMITS: Final = {"accept-then-slow": timedelta(seconds=0.4)}
AMPLE: Final = timedelta(seconds=20)


class Death(asyncio.CancelledError):
    """The process ends here: nothing that comes behind it happens."""


@dataclass
class Reaper:
    """Ends a simulated process at a point, and lets it do nothing afterwards."""

    point: str
    fake: ChaosFake
    is_dead: bool = False

    async def around(self, name: str, call: Callable[..., Awaitable[Any]], args: tuple[Any, ...], rest: Any) -> Any:
        """Make a call of the process, unless it ends before or after it."""
        if self.is_dead or self.point == self._before(name, args):
            self._die()
        if (name, self.point) == ("platforms.publish", "after-first-byte"):
            await self._die_while_it_is_sent(call(*args, **rest))
        try:
            return await call(*args, **rest)
        finally:
            if self.point == self._after(name, args):
                self._die()

    def _die(self) -> None:
        self.is_dead = True
        raise Death

    async def _die_while_it_is_sent(self, sending: Awaitable[Any]) -> None:
        self.fake.gate.clear()
        task = asyncio.ensure_future(sending)
        await until(lambda: bool(self.fake.in_flight), limit=5)
        task.cancel()
        await asyncio.wait([task])
        self.fake.gate.set()
        await until(lambda: not self.fake.in_flight, limit=20)
        self._die()

    @staticmethod
    def _before(name: str, args: tuple[Any, ...]) -> str:
        if name == "deliveries.claim":
            return "before-claim"
        is_outcome = name == "deliveries.swap" and args[0].state is DeliveryState.PUBLISHING
        return "before-outcome-stored" if is_outcome else ""

    @staticmethod
    def _after(name: str, args: tuple[Any, ...]) -> str:
        match name:
            case "deliveries.claim":
                return "after-claim"
            case "platforms.publish":
                return "after-answer"
            case "deliveries.swap" if args[1].state is DeliveryState.PUBLISHING:
                return "after-attempt-recorded"
            case "deliveries.swap" if args[0].state is DeliveryState.PUBLISHING:
                return "after-outcome-stored"
            case _:
                return ""


class Mortal:
    """A part of the process, whose calls pass by the reaper."""

    def __init__(self, part: object, name: str, reaper: Reaper) -> None:
        self._part, self._name, self._reaper = part, name, reaper

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not inspect.iscoroutinefunction(found):
            return found

        async def call(*args: Any, **rest: Any) -> Any:
            return await self._reaper.around(f"{self._name}.{name}", found, args, rest)

        return call


@dataclass
class World:
    """What outlives a process."""

    clock: MovableClock
    stores: Stores
    platforms: Platforms
    fakes: dict[str, ChaosFake]
    vault: Vault
    notifier: RecordingNotifier = field(default_factory=RecordingNotifier)

    def start(self, reaper: Reaper | None = None) -> Services:
        """A process; a mortal one with a reaper."""
        stores, platforms = self.stores, self.platforms
        if reaper is not None:
            parts = {each.name: getattr(stores, each.name) for each in fields(stores)}
            mortal = {name: Mortal(parts[name], name, reaper) for name in ("connections", "deliveries")}
            stores, platforms = Stores(**(parts | mortal)), Mortal(platforms, "platforms", reaper)
        return build_services(
            Parts(
                stores=stores,
                platforms=platforms,
                members=Directory(),
                notifier=self.notifier,
                files=MemoryFiles(),
                vault=self.vault,
                clock=self.clock,
                emit=lambda _event: None,
                public_url="http://127.0.0.1:3999",
            )
        )

    def count_questions(self, delivery: Delivery) -> int:
        """How often the author was asked about it."""
        asked = self.notifier.of(OutcomeQuestion)
        return sum(each.delivery.delivery_id == delivery.delivery_id for each in asked)


@pytest.fixture
async def world(bare_database: Database) -> AsyncIterator[World]:
    await ensure_schema(bare_database)
    clock = MovableClock(datetime.now(UTC).replace(microsecond=0), is_frozen=True)
    weather = Weather(slow_seconds=SLOW, lag_seconds=LAG.total_seconds())
    fakes = {kind: ChaosFake(kind, weather=weather, clock=clock) for kind in KINDS}
    entry_points = [
        EntryPoint(name=kind, value=f"chaos_platform:{kind}", group="logicspike.platforms") for kind in KINDS
    ]
    vault = Vault(parse_key_ring(f"matrix:{generate_key()}"))
    environment = {}
    async with AsyncExitStack() as stack:
        for kind, fake in fakes.items():
            environment |= {
                f"{kind.upper()}_CLIENT_ID": "id",
                f"{kind.upper()}_CLIENT_SECRET": "secret",
                f"{kind.upper()}_ENDPOINT_API": await stack.enter_async_context(fake.running()),
            }
        platforms = await stack.enter_async_context(
            Platforms.load(environment=environment, clock=clock, entry_points=entry_points)
        )
        yield World(clock=clock, stores=build_stores(bare_database), platforms=platforms, fakes=fakes, vault=vault)


async def tick(process: Services) -> None:
    """One round of every tick, however it ends."""
    try:
        await process.reconciling.rescue()
        await process.reconciling.settle_unknown()
        await process.delivering.deliver_due()
    except Death:
        pass
    await process.delivering.wait_until_idle()


async def walk(world: World, number: int, kind: str, point: str, fault: str) -> dict[str, object]:
    """One case: a process that ends at the point under the fault, then one that clears up; where it ended."""
    fake, text = world.fakes[kind], f"{kind}, {point}, {fault}"
    connection = make_connection(fake, number, world.vault)
    await world.stores.connections.insert(connection)
    delivery = make_delivery(number, text, connection, world.clock.now())
    await world.stores.deliveries.insert_many([delivery])
    fake.weather.scripted |= dict.fromkeys((text, delivery.post.key, connection.account.id), fault)
    reaper = Reaper(point, fake)
    await tick(world.start(reaper))
    assert reaper.is_dead, f"{text}: the point was never reached"
    await until(lambda: not fake.in_flight, limit=20)
    survivor = world.start()
    for _ in range(ROUNDS):
        world.clock.advance(ROUND)
        await tick(survivor)
        await until(lambda: not fake.in_flight, limit=20)
    now = await world.stores.deliveries.find(delivery.team_id, delivery.delivery_id)
    assert now is not None
    return {
        "platform": kind,
        "point": point,
        "fault": fault,
        "state": now.state.value,
        "questions": world.count_questions(delivery),
        "live": fake.count(text),
        "requests": sum(arrival.text == text for arrival in fake.arrivals),
    }


async def test_every_death_under_every_fault_ends_as_the_table_says(world, monkeypatch):
    cases = list(product(KINDS, POINTS, FAULTS))
    assert 210 == len(cases)
    found = []
    for number, (kind, point, fault) in enumerate(cases):
        monkeypatch.setattr(Platforms, "PUBLISH_LIMIT", LIMITS.get(fault, AMPLE))
        found.append(await walk(world, number, kind, point, fault))
    rows = [{name: str(value) for name, value in row.items()} for row in found]
    if os.environ.get("LOGICSPIKE_WRITE_EXPECTED"):
        write(rows)
    with EXPECTED.open(newline="", encoding="utf-8") as file:
        expected = list(csv.DictReader(file))
    show(
        "F3",
        cases=f"{len(POINTS)} points × {len(FAULTS)} faults × {len(KINDS)} kinds",
        lost=sum(row["state"] == "published" and row["live"] == "0" for row in rows),
        doubled=sum(int(row["live"]) > 1 for row in rows),
        otherwise_than_tabled=sum(row not in expected for row in rows),
    )
    assert expected == rows
    assert max(int(row["live"]) for row in rows) == 1


def write(rows: list[dict[str, str]]) -> None:
    """Write the table."""
    with EXPECTED.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
