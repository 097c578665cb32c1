"""Indexes and the schema version, on the real server."""

import asyncio
from datetime import timedelta

import pytest

from logicspike.domain import ConnectionStatus, DeliveryState
from logicspike.store import schema
from logicspike.store.schema import INDEXES, SCHEMA_VERSION, SchemaTooNew, ensure_schema


async def explain(database, command):
    return await database._database.command({"explain": command, "verbosity": "executionStats"})


def stages(plan):
    yield plan["stage"]
    for child in [plan.get("inputStage"), *plan.get("inputStages", [])]:
        if child:
            yield from stages(child)


@pytest.fixture
async def crowded(real_stores, real_database, new_delivery, now):
    """500 deliveries of the future, 200 that are due, 200 that are done, of ten workspaces and seven authors."""

    def new(number, **changes):
        whose = {"team_id": f"T{number % 10}", "author_id": f"U{number % 7}", "connection_id": f"c{number % 7}"}
        return new_delivery(**whose, **changes)

    later = [new(number, next_try_at=now + timedelta(minutes=1 + number)) for number in range(500)]
    due = [new(number) for number in range(200)]
    done = [new(number, state=DeliveryState.PUBLISHED) for number in range(200)]
    await real_stores.deliveries.insert_many([*later, *due, *done])
    return real_database


async def test_the_read_of_a_claim_touches_its_limit_of_index_keys_and_no_document(crowded, now):
    find = {
        "find": "deliveries",
        "filter": {"state": "scheduled", "next_try_at": {"$lte": now}},
        "projection": {"_id": 1, "team_id": 1, "connection_id": 1},
        "sort": {"next_try_at": 1, "due_at": 1, "_id": 1},
        "limit": 50,
    }
    explained = await explain(crowded, find)
    statistics = explained["executionStats"]
    found = set(stages(explained["queryPlanner"]["winningPlan"]))
    assert "IXSCAN" in found
    assert not found & {"SORT", "FETCH", "COLLSCAN"}
    assert statistics["nReturned"] == 50
    assert statistics["totalKeysExamined"] <= 52
    assert statistics["totalDocsExamined"] == 0


async def test_the_write_of_a_claim_goes_by_id(crowded, now):
    due = {"state": "scheduled", "next_try_at": {"$lte": now}}
    ids = [document["_id"] for document in await crowded.collection("deliveries").find(due).limit(50).to_list(None)]
    update = {"q": {"_id": {"$in": ids}, **due}, "u": {"$set": {"state": "claimed"}}, "multi": True}
    statistics = (await explain(crowded, {"update": "deliveries", "updates": [update]}))["executionStats"]
    assert statistics["totalKeysExamined"] <= 102


def fill(operand, now):
    if isinstance(operand, dict):
        return {operator: fill(inner, now) for operator, inner in operand.items()}
    return now if operand is None else operand


@pytest.mark.parametrize(
    ("query", "order", "index"),
    [
        ({"state": {"$in": ["claimed", "publishing"]}, "claimed_until": {"$lte": None}}, "claimed_until", "lease"),
        ({"state": "unknown", "is_asked": False, "settled_at": {"$lte": None}}, "settled_at", "unasked"),
        ({"team_id": "T1", "is_open": True, "state": {"$in": ["scheduled", "held"]}}, "due_at", "open_of_team"),
        ({"team_id": "T1", "author_id": "U1", "is_open": True}, "due_at", "open_of_author"),
        (
            {"team_id": "T1", "connection_id": "c1", "is_open": True, "state": {"$in": ["scheduled", "held"]}},
            "due_at",
            "open_of_connection",
        ),
        ({"team_id": "T1", "post_id": "p1"}, "_id", "post"),
        (
            {
                "state": "scheduled",
                "preparation.begin_at": {"$lte": None},
                "preparing.until": {"$not": {"$gt": None}},
            },
            "preparation.begin_at",
            "prepare",
        ),
    ],
)
async def test_each_list_has_its_index_and_sorts_nothing(crowded, now, query, order, index):
    filled = {
        name: {operator: fill(operand, now) for operator, operand in value.items()}
        if isinstance(value, dict)
        else value
        for name, value in query.items()
    }
    sort = {"due_at": 1, "_id": 1} if order == "due_at" else {order: 1}
    plan = (await explain(crowded, {"find": "deliveries", "filter": filled, "sort": sort, "limit": 50}))["queryPlanner"]
    assert f"'indexName': '{index}'" in str(plan["winningPlan"])
    assert not set(stages(plan["winningPlan"])) & {"SORT", "COLLSCAN"}


async def test_all_indexes_are_there_and_those_on_purge_at_delete_at_that_time(real_database):
    for name, expected in INDEXES.items():
        if not expected:
            continue
        there = await real_database.collection(name).index_information()
        assert {index.document["name"] for index in expected} | {"_id_"} == set(there)
        for index in there.values():
            assert ("purge_at" in str(index["key"])) == (index.get("expireAfterSeconds") == 0)
    with_purge = {name for name, indexes in INDEXES.items() if any(i.document["name"] == "purge" for i in indexes)}
    assert with_purge == {"scheduled_posts", "pending_authorizations", "platform_events", "seen_requests"}


async def test_starting_again_and_many_at_once_is_fine(bare_database):
    await asyncio.gather(*(ensure_schema(bare_database) for _ in range(4)))
    await ensure_schema(bare_database)
    document = await bare_database.collection("schema").find_one({})
    assert document == {"_id": "schema", "version": SCHEMA_VERSION}


async def test_a_database_of_a_later_version_is_refused_and_left_alone(bare_database):
    await bare_database.collection("schema").insert_one({"_id": "schema", "version": SCHEMA_VERSION + 1})
    with pytest.raises(SchemaTooNew, match=f"version {SCHEMA_VERSION + 1}"):
        await ensure_schema(bare_database)
    assert await bare_database.collection("deliveries").index_information() == {}


async def test_migrations_run_once_in_order_from_the_stored_version(bare_database, monkeypatch):
    await ensure_schema(bare_database)
    ran = []

    def migration(number):
        async def migrate(database):
            ran.append(number)

        return migrate

    monkeypatch.setattr(schema, "MIGRATIONS", {SCHEMA_VERSION + n: migration(n) for n in (1, 2)})
    monkeypatch.setattr(schema, "SCHEMA_VERSION", SCHEMA_VERSION + 2)
    await ensure_schema(bare_database)
    await ensure_schema(bare_database)
    assert ran == [1, 2]


OLD_INDEXES = {
    1: {"due": ["state", "next_try_at", "_id"], "bucket": ["connection_id", "state", "next_try_at"]},
    2: {"due_next": ["state", "next_try_at", "_id"], "lane": ["connection_id", "state", "next_try_at", "_id"]},
}


@pytest.mark.parametrize("version", sorted(OLD_INDEXES))
async def test_a_database_of_an_earlier_version_gets_this_ones_indexes_and_keeps_what_it_holds(bare_database, version):
    deliveries = bare_database.collection("deliveries")
    await bare_database.collection("schema").insert_one({"_id": "schema", "version": version})
    for name, keys in OLD_INDEXES[version].items():
        await deliveries.create_index(keys, name=name)
    is_open = {} if version == 1 else {"is_open": True}
    await deliveries.insert_one({"_id": "d1", "state": "scheduled", **is_open})

    await asyncio.gather(*(ensure_schema(bare_database) for _ in range(3)))

    names = {index.document["name"] for index in INDEXES["deliveries"]} | {"_id_"}
    assert names == set(await deliveries.index_information())
    assert {"_id": "d1", "state": "scheduled", "is_open": True} == await deliveries.find_one({})
    document = await bare_database.collection("schema").find_one({})
    assert {"_id": "schema", "version": SCHEMA_VERSION} == document


async def test_documents_that_may_go_say_when(real_stores, real_database, every_call):
    for name in ("PendingStore.save_ticket", "PendingStore.save_result", "PostStore.save_draft", "RequestLog.is_first"):
        await every_call[name](real_stores)
    lives = {}
    for name in ("pending_authorizations", "scheduled_posts", "seen_requests"):
        for document in await real_database.collection(name).find({}).to_list(None):
            lives[document["_id"]] = document["purge_at"] - real_database.purge_at(timedelta(0))
    assert timedelta(days=30) <= lives.pop("h1") + timedelta(minutes=1)
    expected = {"r1": timedelta(hours=1), "x1": timedelta(days=7), "Ev1": timedelta(days=1)}
    assert expected.keys() == lives.keys()
    assert all(abs(lives[key] - life) < timedelta(minutes=1) for key, life in expected.items())


async def test_the_look_for_tokens_to_renew_reads_only_those(real_stores, real_database, new_connection, now):
    for number in range(300):
        renew_at = now + timedelta(minutes=number - 10) if number % 3 else None
        status = ConnectionStatus.NEEDS_RECONNECT if number % 5 == 0 else ConnectionStatus.ACTIVE
        await real_stores.connections.insert(new_connection(renew_at=renew_at, status=status))
    due = await real_stores.connections.list_due_renewals(now, limit=50)
    assert [each.renew_at for each in due] == sorted(now + timedelta(minutes=n - 10) for n in (1, 2, 4, 7, 8))
    find = {
        "find": "social_connections",
        "filter": {"status": "active", "renew_at": {"$lte": now}},
        "sort": {"renew_at": 1},
        "limit": 50,
    }
    explained = await explain(real_database, find)
    assert "'indexName': 'due_renewals'" in str(explained["queryPlanner"]["winningPlan"])
    assert not set(stages(explained["queryPlanner"]["winningPlan"])) & {"SORT", "COLLSCAN"}
    assert explained["executionStats"]["totalDocsExamined"] == len(due)


async def test_of_many_who_want_to_renew_the_same_tokens_one_may(real_stores, new_connection, now):
    connection = new_connection(renew_at=now)
    await real_stores.connections.insert(connection)
    claims = [real_stores.connections.claim_renewal(connection, until=now + timedelta(minutes=2)) for _ in range(20)]
    assert sum(await asyncio.gather(*claims)) == 1
    assert await real_stores.connections.list_due_renewals(now, limit=5) == ()


async def test_the_look_for_owed_notices_reads_only_those(real_stores, real_database, new_connection, now):
    for number in range(300):
        due_at = now + timedelta(minutes=number - 3) if number % 3 else None
        status = ConnectionStatus.ACTIVE if number % 5 == 0 else ConnectionStatus.NEEDS_RECONNECT
        owed = {"notice_due_at": due_at, "notice_owed_since": due_at and now - timedelta(hours=1)}
        await real_stores.connections.insert(new_connection(status=status, **owed))
    owing = await real_stores.connections.list_owed_notices(now, limit=50)
    assert [each.notice_due_at for each in owing] == [now - timedelta(minutes=2), now - timedelta(minutes=1)]
    find = {
        "find": "social_connections",
        "filter": {"status": "needs_reconnect", "notice_due_at": {"$lte": now}},
        "sort": {"notice_due_at": 1},
        "limit": 50,
    }
    explained = await explain(real_database, find)
    assert "'indexName': 'owed_notices'" in str(explained["queryPlanner"]["winningPlan"])
    assert explained["executionStats"]["totalDocsExamined"] == len(owing)


async def test_a_notice_is_claimed_by_one_and_settled_once(real_stores, new_connection, now):
    connection = new_connection(
        status=ConnectionStatus.NEEDS_RECONNECT, notice_due_at=now, notice_owed_since=now - timedelta(hours=1)
    )
    connections = real_stores.connections
    await connections.insert(connection)
    claims = [connections.claim_notice(connection, until=now + timedelta(minutes=n)) for n in range(1, 20)]
    assert sum(await asyncio.gather(*claims)) == 1
    assert sum(await asyncio.gather(*(connections.settle_notice(connection) for _ in range(5)))) == 1
    assert await connections.list_owed_notices(now + timedelta(days=1), limit=5) == ()
