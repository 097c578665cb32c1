"""Who wins when many come at once: on the real server only, since in memory nothing ever runs at the same time."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from team import claim_due

from logicspike.domain import ConnectionStatus, DeliveryState, PendingAuthorization, Purpose
from logicspike.services.ports import NameTaken
from logicspike.store.mongo import open_database


async def test_each_delivery_is_claimed_by_exactly_one(
    real_database, mongod_uri, build_stores, real_stores, new_delivery, now
):
    deliveries = [new_delivery() for _ in range(400)]
    await real_stores.deliveries.insert_many(deliveries)
    databases = [open_database(mongod_uri, real_database.name, driver=driver) for driver in ("motor", "pymongo")]

    async def work(stores, owner):
        mine = []
        while await stores.deliveries.list_due(now, limit=1):  # one who lost a whole batch to others goes on
            mine += await claim_due(stores.deliveries, now=now, owner=owner, until=now + timedelta(minutes=1), limit=10)
        return owner, mine

    processes = [build_stores(database) for database in databases]
    works = [work(stores, f"w{n}-{task}") for n, stores in enumerate(processes) for task in range(8)]
    results = await asyncio.gather(*works)
    for database in databases:
        await database.close()
    counts = Counter(delivery.delivery_id for _, mine in results for delivery in mine)
    assert {delivery.delivery_id: 1 for delivery in deliveries} == counts
    assert all(delivery.claimed_by == owner for owner, mine in results for delivery in mine)
    assert sum(1 for _, mine in results if mine) > 1, "nobody raced"


async def test_of_fifty_callbacks_with_one_state_one_gets_the_request(real_stores, member, now):
    pending = PendingAuthorization(
        state_hash="s",
        ticket_hash="h",
        member=member,
        platform="echo",
        purpose=Purpose.CONNECT,
        browser_hash="b",
        redirect_uri="https://bot.example/",
        sealed="sealed",
        expires_at=now + timedelta(minutes=10),
    )
    await real_stores.pending.save_authorization(pending)
    take = real_stores.pending.take_authorization
    taken = await asyncio.gather(*(take("s", platform="echo", browser_hash="b", now=now) for _ in range(50)))
    assert [pending] == [each for each in taken if each is not None]


async def test_of_two_moves_one_wins(real_stores, new_delivery):
    deliveries = [new_delivery() for _ in range(20)]
    await real_stores.deliveries.insert_many(deliveries)
    for delivery in deliveries:
        moves = [replace(delivery, state=state) for state in (DeliveryState.CANCELED, DeliveryState.HELD)]
        won = await asyncio.gather(*(real_stores.deliveries.swap(delivery, move) for move in moves))
        assert sorted(won) == [False, True]
        stored = await real_stores.deliveries.find("T1", delivery.delivery_id)
        assert stored == moves[won.index(True)]


async def test_of_many_writes_of_tokens_one_wins(real_stores, new_connection):
    before = new_connection()
    await real_stores.connections.insert(before)
    swaps = [replace(before, sealed=f"sealed {n}", token_version=2) for n in range(10)]
    won = await asyncio.gather(*(real_stores.connections.swap(before, after) for after in swaps))
    assert won.count(True) == 1
    assert swaps[won.index(True)] == await real_stores.connections.find("T1", before.connection_id)


async def test_of_many_who_connect_one_account_one_succeeds(real_stores, new_connection):
    first = new_connection()
    same = [first, *(new_connection(account=first.account) for _ in range(9))]
    results = await asyncio.gather(*map(real_stores.connections.insert, same), return_exceptions=True)
    assert Counter([type(None), *[NameTaken] * 9]) == Counter(map(type, results))


async def test_of_many_refreshers_one_gets_the_lease(real_stores, new_connection, now):
    connection = new_connection()
    await real_stores.connections.insert(connection)
    take = real_stores.connections.take_refresh_lease
    until = now + timedelta(minutes=1)
    won = await asyncio.gather(*(take(connection, owner=str(n), until=until, now=now) for n in range(20)))
    assert won.count(True) == 1


async def test_of_many_equal_requests_one_is_first(real_stores):
    assert sum(await asyncio.gather(*(real_stores.requests.is_first("Ev1") for _ in range(20)))) == 1


async def test_a_refresh_that_comes_after_the_disconnect_does_not_bring_the_tokens_back(real_stores, new_connection):
    before = new_connection()
    await real_stores.connections.insert(before)
    gone = replace(before, status=ConnectionStatus.DISCONNECTED, sealed=None, token_version=2)
    assert await real_stores.connections.swap(before, gone)
    assert not await real_stores.connections.swap(before, replace(before, sealed="fresh", token_version=2))
    assert gone == await real_stores.connections.find("T1", before.connection_id)
