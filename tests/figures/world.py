"""Several processes of the bot in one loop, on virtual time: each can be paused, killed or cut off at any await."""

from __future__ import annotations

import asyncio
import heapq
import inspect
import random
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from memory_slack import Directory, MemoryFiles, RecordingNotifier

from logicspike.clock import MovableClock
from logicspike.domain import Timings
from logicspike.platforms import Platforms
from logicspike.services import delivering, publishing, refreshing, settling, telling
from logicspike.services.ports import StoreUnavailable
from logicspike.tasks import Tasks
from logicspike.vault import Vault, generate_key, parse_key_ring
from logicspike.wiring import Parts, Services, build_services

from .local_platform import LocalPlatform, ReadablePlatform, install
from .memory_store import MemoryStores

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TIMINGS = Timings(look_ahead=timedelta(0))
LONGEST_PAUSE = timedelta(seconds=150)
PUBLIC_URL = "http://127.0.0.1:3999"


@dataclass
class Gate:
    """What every call of a process to the database or to Slack passes; a fault is set for the call some calls ahead."""

    interleaving: random.Random
    fault: str | None = None
    calls_left: int = 0
    times: int = 1
    is_dead: bool = False
    faults: int = 0
    on_pause: Callable[[], None] = lambda: None
    on_call: Callable[[str], None] = lambda _: None
    resumed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.resumed.set()

    def arm(self, fault: str, calls_left: int, times: int = 1) -> None:
        """Faults: "lost before", "lost after", "kill before", "kill after", "pause before", "pause after"."""
        self.fault, self.calls_left, self.times = fault, calls_left, times

    async def passes(self, name: str, call: Callable[[], Awaitable[Any]], *, is_store: bool) -> Any:
        for _ in range(self.interleaving.randrange(3)):
            await asyncio.sleep(0)
        await self._hold()
        fault = self._next_fault(is_store=is_store)
        await self._do(fault, "before")
        result = await call()
        self.on_call(name)
        await self._do(fault, "after")
        await self._hold()
        return result

    def _next_fault(self, *, is_store: bool) -> str | None:
        if self.fault is None or (not is_store and not self.fault.startswith("kill")):
            return None
        if self.calls_left > 0:
            self.calls_left -= 1
            return None
        fault, self.times = self.fault, self.times - 1
        if self.times <= 0:
            self.fault = None
        return fault

    async def _do(self, fault: str | None, when: str) -> None:
        if fault is None or not fault.endswith(when):
            return
        self.faults += 1
        if fault.startswith("lost"):
            raise StoreUnavailable("no answer")
        if fault.startswith("kill"):
            self.is_dead = True
        else:
            self.resumed.clear()
            self.on_pause()
        await self._hold()

    async def _hold(self) -> None:
        if self.is_dead:
            raise asyncio.CancelledError
        await self.resumed.wait()
        if self.is_dead:
            raise asyncio.CancelledError


class _Gated:
    def __init__(self, part: object, gate: Gate, *, is_store: bool) -> None:
        self._part, self._gate, self._is_store = part, gate, is_store

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not inspect.iscoroutinefunction(found):
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._gate.passes(name, lambda: found(*args, **kwargs), is_store=self._is_store)

        return call


@dataclass
class Process:
    """One process of the bot."""

    gate: Gate
    services: Services
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        return task

    async def end(self) -> None:
        """Nothing of it runs afterwards, as after kill -9."""
        self.gate.is_dead = True
        self.gate.resumed.set()
        tasks = self.tasks | self.services.delivering._tasks
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class World:
    """Time, database, platforms and people; they outlive every process."""

    def __init__(self, seed: int, processes: int = 2) -> None:
        self.clock = MovableClock(START, is_frozen=True)
        self.random = random.Random(seed)
        self.stores = MemoryStores()
        self.readable = ReadablePlatform()
        self.mute = LocalPlatform(name="mute")
        self.platforms: Platforms = install(self.clock, [self.readable, self.mute])
        self.notifier = RecordingNotifier()
        self.vault = Vault(parse_key_ring(f"test:{generate_key()}"))
        self._coming: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()
        self._patched: list[tuple[Any, str, Any]] = []
        self.faults = 0
        self.processes = [self._build() for _ in range(processes)]

    async def open(self) -> None:
        for module in (delivering, publishing, settling, refreshing, telling):
            self._patch(module, "time", self)
        self._patch(settling, "_SETTLE_PAUSE_SECONDS", 0)
        # Ids decide who is first among equals: a run is repeatable only if they are.
        self._patch(secrets, "choice", self.random.choice)
        self._patch(secrets, "token_hex", lambda size: self.random.randbytes(size).hex())
        self._patch(secrets, "token_urlsafe", lambda size: self.random.randbytes(size).hex())
        await self.platforms.open()

    def _patch(self, owner: Any, name: str, value: object) -> None:
        self._patched.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    async def close(self) -> None:
        for process in self.processes:
            await process.end()
        await self.platforms.close()
        for owner, name, value in self._patched:
            setattr(owner, name, value)

    def monotonic(self) -> float:
        """What the services take for ``time.monotonic``."""
        return (self.clock.now() - START).total_seconds()

    def _build(self) -> Process:
        gate = Gate(random.Random(self.random.random()))
        gate.on_pause = lambda: self.at(self.clock.now() + LONGEST_PAUSE, gate.resumed.set)
        parts = {
            each.name: _Gated(getattr(self.stores, each.name), gate, is_store=True) for each in fields(self.stores)
        }
        services = build_services(
            Parts(
                stores=MemoryStores(**parts),  # type: ignore[arg-type]
                platforms=self.platforms,
                members=Directory(),
                notifier=_Gated(self.notifier, gate, is_store=False),  # type: ignore[arg-type]
                files=MemoryFiles(),
                vault=self.vault,
                clock=self.clock,
                emit=lambda _: None,
                public_url=PUBLIC_URL,
                timings=TIMINGS,
                pause=lambda _: asyncio.sleep(0),
                tasks=Tasks(quiet=timedelta(0)),  # nothing may wait for real time to pass
            )
        )
        return Process(gate, services)

    async def settle(self) -> None:
        """Run everything until all of it waits for something that only time or a person brings."""
        loop: Any = asyncio.get_running_loop()
        await asyncio.sleep(0)
        while loop._ready:  # noqa: ASYNC110 - that nothing is left to run is no event of anybody's
            await asyncio.sleep(0)

    def at(self, when: datetime, do: Callable[[], None]) -> None:
        """Let something happen once the clock gets there."""
        heapq.heappush(self._coming, (when, next(self._order), do))

    async def advance(self, by: timedelta) -> None:
        """Move the clock, and let all that comes on the way happen at its own moment."""
        until = self.clock.now() + by
        while self._coming and self._coming[0][0] <= until:
            when, _, do = heapq.heappop(self._coming)
            self.clock.advance(max(when - self.clock.now(), timedelta(0)))
            do()
            await self.settle()
        self.clock.advance(until - self.clock.now())

    def count_faults(self) -> int:
        """How often a process was killed, paused or cut off so far."""
        return self.faults + sum(process.gate.faults for process in self.processes)

    async def restart_dead(self) -> None:
        """Put a new process in the place of each that was killed."""
        for number, process in enumerate(self.processes):
            if process.gate.is_dead:
                self.faults += 1 + process.gate.faults
                await process.end()
                self.processes[number] = self._build()
