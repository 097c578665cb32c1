"""The store in memory answers like the real one, on random sequences of calls: what is proved on it holds for that."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from figures.memory_store import MemoryStores

from logicspike.domain import Connection, ConnectionStatus, Delivery, DeliveryState, HoldReason, IllegalTransition
from logicspike.plugin.types import Account, Post
from logicspike.services.ports import NameTaken
from logicspike.store.opening import Stores, build_stores

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STEPS = 400
OPERATIONS = (
    "insert_connection", "swap_connection", "delete_connection", "look_up_connections", "take_lanes", "release_lanes",
    "close_lane",
    "take_refresh_lease", "release_refresh_lease", "list_stale_choices", "insert_deliveries", "list_due", "claim",
    "postpone", "swap_delivery", "swap_delivery", "swap_delivery", "list_deliveries", "tell", "free_claims",
    "release_claims",
)  # fmt: skip


class Twins:
    """Makes every call twice, of the real store and of the one in memory, and compares what came of it."""

    def __init__(self, real: Stores, seed: int) -> None:
        self.pair: tuple[Any, Any] = (real, MemoryStores())
        self.random = random.Random(seed)
        self.now = START
        self.connections: list[Connection] = []
        self.deliveries: list[Delivery] = []
        self.made = 0

    async def both(self, call: Callable[[Any], Any]) -> Any:
        outcomes = []
        for stores in self.pair:
            try:
                outcomes.append(await call(stores))
            except (NameTaken, IllegalTransition) as error:
                outcomes.append(type(error))
        real, memory = (_comparable(outcome) for outcome in outcomes)
        assert real == memory
        return outcomes[0]

    def soon(self) -> datetime:
        return self.now + SECOND * self.random.randint(-30, 30)

    def a(self, kind: str) -> Any:
        return self.random.choice(getattr(self, kind))

    async def step(self) -> str:
        self.now += SECOND * self.random.randint(0, 5)
        operation = self.random.choice(OPERATIONS)
        if not self.connections:
            operation = "insert_connection"
        elif not self.deliveries:
            operation = "insert_deliveries"
        await getattr(self, operation)()
        return operation

    async def insert_connection(self) -> None:
        self.made += 1
        connection = Connection(
            connection_id=f"c{self.made}",
            team_id=self.random.choice(["T1", "T2"]),
            owner_id="U1",
            platform="echo",
            account=Account(id=f"a{self.random.randint(1, 12)}", name="Acme"),
            status=self.random.choice(list(ConnectionStatus)),
            nickname=f"n{self.random.randint(1, 25)}",
            created_at=START + SECOND * self.made,
            sealed="sealed",
        )
        if await self.both(lambda it: it.connections.insert(connection)) is None:
            self.connections.append(connection)

    async def swap_connection(self) -> None:
        before = self.a("connections")
        if self.random.random() < 0.7:
            before = await self.both(lambda it: it.connections.find(before.team_id, before.connection_id)) or before
        status, grows = self.random.choice(list(ConnectionStatus)), self.random.randint(0, 1)
        name = f"n{self.random.randint(1, 25)}" if self.random.random() < 0.3 else before.nickname
        after = replace(before, status=status, nickname=name, token_version=before.token_version + grows)
        await self.both(lambda it: it.connections.swap(before, after))

    async def delete_connection(self) -> None:
        if self.random.random() < 0.2:
            connection = self.a("connections")
            await self.both(lambda it: it.connections.delete(connection))

    async def look_up_connections(self) -> None:
        one = self.a("connections")
        await self.both(lambda it: it.connections.find("T1", one.connection_id))
        await self.both(lambda it: it.connections.find_by_account("T1", "echo", one.account.id))
        await self.both(lambda it: it.connections.list_for_team("T1"))
        await self.both(lambda it: it.connections.list_nicknames("T2"))

    async def take_lanes(self) -> None:
        wanted = [self.a("connections").connection_id for _ in range(3)]
        owner, until = self.random.choice("AB"), self.soon()
        found = await self.both(
            lambda it: _sorted(it.connections.take_lanes(wanted, owner=owner, until=until, now=self.now))
        )
        assert len(found) <= len(wanted)

    async def release_lanes(self) -> None:
        wanted, owner = [self.a("connections").connection_id], self.random.choice("AB")
        await self.both(lambda it: it.connections.release_lanes(wanted, owner=owner))

    async def close_lane(self) -> None:
        connection_id, owner, until = self.a("connections").connection_id, self.random.choice("AB"), self.soon()
        await self.both(lambda it: it.connections.close_lane(connection_id, owner=owner, until=until))

    async def take_refresh_lease(self) -> None:
        connection, owner, until = self.a("connections"), self.random.choice("AB"), self.soon()
        await self.both(
            lambda it: it.connections.take_refresh_lease(connection, owner=owner, until=until, now=self.now)
        )

    async def release_refresh_lease(self) -> None:
        connection_id, owner = self.a("connections").connection_id, self.random.choice("AB")
        await self.both(lambda it: it.connections.release_refresh_lease(connection_id, owner=owner))

    async def list_stale_choices(self) -> None:
        if self.random.random() < 0.2:
            before = START + SECOND * self.random.randint(0, self.made)
            await self.both(lambda it: it.connections.list_stale_choices(before, limit=50))

    async def insert_deliveries(self) -> None:
        for _ in range(self.random.randint(1, 3)):
            self.made += 1
            due_at = self.soon()
            self.deliveries.append(
                Delivery(
                    delivery_id=f"d{self.made:05}",
                    post_id="p",
                    team_id=self.random.choice(["T1", "T2"]),
                    author_id=self.random.choice(["U1", "U2"]),
                    connection_id=self.a("connections").connection_id,
                    platform=self.random.choice(["echo", "whisper"]),
                    account_name="Acme",
                    post=Post(key=f"k{self.made}", text="Hi"),
                    state=DeliveryState.SCHEDULED,
                    due_at=due_at,
                    next_try_at=due_at,
                    zone="UTC",
                )
            )
            latest = self.deliveries[-1]
            await self.both(lambda it, new=latest: it.deliveries.insert_many([new]))

    async def list_due(self) -> None:
        without, limit = [self.a("connections").connection_id], self.random.randint(1, 8)
        teams = self.random.choice([(), ("T1",)])
        await self.both(
            lambda it: it.deliveries.list_due(self.now, limit=limit, not_connections=without, not_teams=teams)
        )

    async def claim(self) -> None:
        ids = sorted({self.a("deliveries").delivery_id for _ in range(4)})
        until = self.soon()
        tokens = []
        for stores in self.pair:
            claimed = await stores.deliveries.claim(ids, now=self.now, owner="w", until=until)
            tokens.append([each.delivery_id for each in claimed])
            assert len({each.claim_token for each in claimed}) <= 1
            # Each store makes its own token; from here on they must be the same.
            for each in claimed:
                await _force_token(stores, each, f"t{self.made}")
        self.made += 1
        assert tokens[0] == tokens[1]

    async def postpone(self) -> None:
        until = self.soon()
        if self.random.random() < 0.7:
            connection_id = self.a("connections").connection_id
            await self.both(lambda it: it.deliveries.postpone(until=until, connection_id=connection_id))
        else:
            await self.both(lambda it: it.deliveries.postpone(until=until, platform="whisper"))

    async def swap_delivery(self) -> None:
        known = self.a("deliveries")
        before = known
        if self.random.random() < 0.8:
            before = await self.both(lambda it: it.deliveries.find(known.team_id, known.delivery_id))
        state = self.random.choice(list(DeliveryState))
        self.made += 1
        is_leased = state in {DeliveryState.CLAIMED, DeliveryState.PUBLISHING}
        after = replace(
            before,
            state=state,
            claim_token=f"t{self.made}" if is_leased else None,
            claimed_until=self.soon() if is_leased else None,
            hold_reason=HoldReason.LATE if state is DeliveryState.HELD else None,
            is_asked=self.random.random() < 0.5,
            is_owed=self.random.random() < 0.3,
            settled_at=self.now + timedelta(milliseconds=self.made),
            next_try_at=self.soon(),
        )
        await self.both(lambda it: it.deliveries.swap(before, after))

    async def list_deliveries(self) -> None:
        connection_id, author_id = self.a("connections").connection_id, self.random.choice(["U1", None])
        await self.both(lambda it: it.deliveries.list_open("T1", author_id=author_id, limit=7))
        await self.both(lambda it: it.deliveries.list_waiting("T2", connection_id))
        await self.both(lambda it: it.deliveries.list_team_waiting("T1"))
        await self.both(lambda it: it.deliveries.list_unasked_unknown(self.now))
        await self.both(lambda it: it.deliveries.list_due_of(connection_id, self.now, limit=7))
        await self.both(lambda it: _sorted(it.deliveries.list_expired_claims(self.now)))

    async def tell(self) -> None:
        owner, until = self.random.choice("AB"), self.soon()
        taken = await self.both(
            lambda it: _sorted(it.deliveries.take_owed(owner=owner, now=self.now, until=until, limit=1000))
        )
        some, teller = [each.delivery_id for each in taken if self.random.random() < 0.7], self.random.choice("ABC")
        await self.both(lambda it: it.deliveries.mark_told(some, owner=teller))

    async def free_claims(self) -> None:
        listed = await self.both(lambda it: _sorted(it.deliveries.list_expired_claims(self.now)))
        ids = [each.delivery_id for each in listed] + [self.a("deliveries").delivery_id]
        await self.both(lambda it: _sorted(it.deliveries.free_claims(ids, now=self.now)))

    async def release_claims(self) -> None:
        connection_id, owner = self.a("connections").connection_id, self.random.choice("vw")
        await self.both(lambda it: it.deliveries.release_claims([connection_id], owner=owner))


async def _sorted(found: Any) -> list[Any]:
    return sorted(await found, key=repr)


async def _force_token(stores: Any, claimed: Delivery, token: str) -> None:
    if isinstance(stores, MemoryStores):
        stores.deliveries.rows[claimed.delivery_id] = replace(claimed, claim_token=token)
        return
    await stores.database.collection("deliveries").update_one(
        {"_id": claimed.delivery_id}, {"$set": {"claim_token": token}}
    )


def _comparable(outcome: Any) -> Any:
    return outcome if not isinstance(outcome, tuple | list) else list(outcome)


@pytest.mark.parametrize("seed", range(4))
async def test_the_store_in_memory_answers_like_the_real_one(mongo_database, seed):
    twins = Twins(build_stores(mongo_database), seed)
    steps = []
    for number in range(STEPS):
        try:
            steps.append(await twins.step())
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, step {number}, after {steps[-5:]}: {error}") from error
    assert set(steps) == set(OPERATIONS)
