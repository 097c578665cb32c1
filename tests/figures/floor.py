"""A database full of posts that are due, and workers that publish them to a platform inside their own process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from memory_slack import Directory, MemoryFiles, RecordingNotifier

from logicspike.clock import Clock
from logicspike.domain import Connection, ConnectionStatus, Delivery, DeliveryState, Timings
from logicspike.events import Emit, emit_to
from logicspike.platforms import Platforms
from logicspike.plugin.types import Account, Credential, Post, TokenSet
from logicspike.scheduler import Scheduler
from logicspike.services.credentials import seal_credential
from logicspike.store.opening import Stores
from logicspike.vault import Vault, parse_key_ring
from logicspike.wiring import Bell, Parts, Services, build_scheduler, build_services

from .local_platform import Entry, LocalPlatform, ReadablePlatform, install
from .world import PUBLIC_URL

KEYS = "test:" + "A" * 43 + "="


@dataclass(frozen=True, slots=True)
class Sent:
    """One call of ``publish``: when it began and ended, by the machine's monotonic clock and by the wall."""

    account_id: str
    text: str
    began: int
    ended: int
    at: float


@dataclass(eq=False)
class TimedPlatform(ReadablePlatform):
    """Takes every post after a moment, and notes when."""

    name: str = "readable"
    latency: float = 0.001
    sent: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outcomes = _Always(self._take)  # type: ignore[assignment]

    async def _take(self, entry: Entry) -> None:
        began, at = time.monotonic_ns(), time.time()
        await asyncio.sleep(self.latency)
        self.ledger.append(entry)
        self.sent.append(Sent(entry.account_id, entry.text, began, time.monotonic_ns(), at))


class _Always:
    """An endless row of one and the same outcome."""

    def __init__(self, outcome: Callable[[Entry], Awaitable[None]]) -> None:
        self._outcome = outcome

    def __bool__(self) -> bool:
        return True

    def popleft(self) -> Callable[[Entry], Awaitable[None]]:
        return self._outcome


@dataclass
class Worker:
    """One process' worth of the bot, without Slack."""

    services: Services
    scheduler: Scheduler
    platforms: Platforms
    notifier: RecordingNotifier

    async def stop(self) -> None:
        await self.scheduler.stop()
        await self.services.delivering.stop(timedelta(seconds=10))


def build_worker(
    stores: Stores,
    platform: LocalPlatform,
    clock: Clock,
    timings: Timings | None = None,
    *,
    on_event: Emit | None = None,
) -> Worker:
    """A worker over these stores; its platforms are to be opened, its scheduler to be started."""
    bell, notifier = Bell(), RecordingNotifier()
    platforms = install(clock, [platform])
    timings = timings or Timings()
    services = build_services(
        Parts(
            stores=stores,
            platforms=platforms,
            members=Directory(),
            notifier=notifier,
            files=MemoryFiles(),
            vault=Vault(parse_key_ring(KEYS)),
            clock=clock,
            emit=emit_to([bell.on_event, *([on_event] if on_event is not None else [])]),
            public_url=PUBLIC_URL,
            timings=timings,
            wake=bell.ring,
            wake_teller=bell.ring_teller,
        )
    )
    scheduler = build_scheduler(services, clock, timings)
    bell.scheduler = scheduler
    return Worker(services, scheduler, platforms, notifier)


def make_connection(number: int, now: datetime, team_id: str = "T1") -> Connection:
    """An account whose token lives for a day."""
    connection_id, account = f"{team_id}-c{number}", Account(id=f"{team_id}-r{number}", name=f"Account {number}")
    tokens = TokenSet(access_token="a", refresh_token=f"{account.id}#1", expires_at=now + timedelta(days=1))
    vault = Vault(parse_key_ring(KEYS))
    sealed = seal_credential(
        vault, Credential(account=account, tokens=tokens), connection_id=connection_id, team_id=team_id
    )
    return Connection(
        connection_id=connection_id,
        team_id=team_id,
        owner_id="UANA",
        platform="readable",
        account=account,
        status=ConnectionStatus.ACTIVE,
        nickname=f"readable:{connection_id}",
        created_at=now,
        sealed=sealed,
        token_version=1,
        token_expires_at=tokens.expires_at,
    )


def make_delivery(number: int, connection: Connection, due_at: datetime) -> Delivery:
    """A post of its own for this account."""
    return Delivery(
        delivery_id=f"{connection.team_id}-{number:06}",
        post_id=f"p{number}",
        team_id=connection.team_id,
        author_id=connection.owner_id,
        connection_id=connection.connection_id,
        platform="readable",
        account_name=connection.account.name,
        post=Post(key=f"k{number}", text=f"{connection.team_id} post {number}"),
        state=DeliveryState.SCHEDULED,
        due_at=due_at,
        next_try_at=due_at,
        zone="UTC",
    )


async def fill(
    stores: Stores, *, team_id: str, accounts: int, posts: int, due: Callable[[int], datetime], now: datetime
) -> list[Delivery]:
    """Connect accounts and schedule posts for them in turn."""
    connections = [make_connection(number, now, team_id) for number in range(accounts)]
    for connection in connections:
        await stores.connections.insert(connection)
    deliveries = [make_delivery(number, connections[number % accounts], due(number)) for number in range(posts)]
    for start in range(0, posts, 500):
        await stores.deliveries.insert_many(deliveries[start : start + 500])
    return deliveries


async def until(is_so: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Look again and again until something is so; fails when it isn't in time."""
    async with asyncio.timeout(seconds):
        while not await is_so():  # noqa: ASYNC110 - another process, or the database, makes it so
            await asyncio.sleep(0.02)
