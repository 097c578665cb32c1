"""How the server carries out the queries that run every second: by an index, however much is waiting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from benchmarks.stocking import account_names, add_posts, add_waiting
from pymongo import AsyncMongoClient

from logicspike.store.connections import MongoConnectionStore
from logicspike.store.deliveries import MongoDeliveryStore

BATCH = 50
WAITING = 10_000
ACCOUNTS = account_names(50)
_SESSION = frozenset({"lsid", "$clusterTime", "$db", "txnNumber", "$readPreference", "writeConcern", "maxTimeMS"})


@pytest.fixture
async def explain(mongod_uri, database_name):
    """Ask the server how it would carry out a command that was sent."""
    async with AsyncMongoClient(mongod_uri) as client:

        async def ask(command: Mapping[str, Any]) -> dict[str, Any]:
            plain = {name: value for name, value in command.items() if name not in _SESSION}
            return await client[database_name].command("explain", plain, verbosity="executionStats")

        yield ask


def list_stages(plan: Mapping[str, Any]) -> Iterator[str]:
    yield plan["stage"]
    inner = [plan["inputStage"]] if "inputStage" in plan else plan.get("inputStages", [])
    for each in inner:
        yield from list_stages(each)


@pytest.fixture
async def store(watched_database):
    now = datetime.now(UTC)
    await add_waiting(watched_database, WAITING, accounts=ACCOUNTS)
    posts = [(f"p{number:03}", ACCOUNTS[number % len(ACCOUNTS)]) for number in range(BATCH)]
    await add_posts(watched_database, posts, due_at=now - timedelta(seconds=1))
    return MongoDeliveryStore(watched_database)


async def test_the_look_for_what_is_due_reads_index_keys_only(store, commands, explain):
    now = datetime.now(UTC)
    commands.sent.clear()
    assert BATCH == len(await store.list_due(now, limit=BATCH))
    [sent] = commands.of("find", "deliveries")

    found = await explain(sent)

    stages = set(list_stages(found["queryPlanner"]["winningPlan"]))
    assert "IXSCAN" in stages
    assert not stages & {"COLLSCAN", "SORT", "FETCH"}, stages
    assert found["executionStats"]["totalKeysExamined"] <= BATCH + 5
    assert 0 == found["executionStats"]["totalDocsExamined"]


async def test_a_look_with_nothing_due_examines_next_to_nothing(store, commands, explain):
    commands.sent.clear()
    assert () == await store.list_due(datetime.now(UTC) - timedelta(hours=1), limit=BATCH)
    [sent] = commands.of("find", "deliveries")

    assert (await explain(sent))["executionStats"]["totalKeysExamined"] <= 1


async def test_the_claim_examines_what_it_claims(store, commands, explain):
    now = datetime.now(UTC)
    due = await store.list_due(now, limit=BATCH)
    commands.sent.clear()
    # A claim of nothing sends the same query, and leaves everything to explain.
    ids = [each.delivery_id for each in due]
    await store.claim(ids, now=now - timedelta(hours=1), owner="w", until=now)
    [sent] = commands.of("update", "deliveries")
    [update] = sent["updates"]
    update["q"]["next_try_at"]["$lte"] = now

    found = await explain({"update": sent["update"], "updates": [update]})

    assert "COLLSCAN" not in set(list_stages(found["queryPlanner"]["winningPlan"]))
    assert found["executionStats"]["totalKeysExamined"] <= BATCH + 5
    assert found["executionStats"]["totalDocsExamined"] <= BATCH


@pytest.mark.parametrize(
    ("look", "stage"),
    [
        (lambda store: store.list_due_checks(["echo", "other"], datetime.now(UTC), limit=5), "due_checks"),
        (lambda store: store.list_due_reminders(datetime.now(UTC), limit=5), "due_reminders"),
        (lambda store: store.list_by_grant("echo", "", "g1"), "grant"),
    ],
    ids=["checks", "reminders", "grants"],
)
async def test_accounts_are_looked_for_by_the_index_made_for_it(watched_database, commands, explain, look, stage):
    commands.sent.clear()
    await look(MongoConnectionStore(watched_database))
    [sent] = commands.of("find", "social_connections")

    found = await explain(sent)

    assert stage in str(found["queryPlanner"]["winningPlan"])
    assert "COLLSCAN" not in set(list_stages(found["queryPlanner"]["winningPlan"]))
