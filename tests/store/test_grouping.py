"""Updates that are wanted together go together, and each is won or lost by itself."""

import asyncio
from datetime import timedelta

import pytest
from pymongo.errors import AutoReconnect, OperationFailure
from pymongo.results import UpdateResult

from logicspike.services.ports import StoreUnavailable
from logicspike.store.grouping import GroupedUpdates

COUNT = 150


@pytest.fixture
async def collection(real_database):
    found = real_database.collection("grouped")
    await found.delete_many({})
    await found.insert_many([{"_id": number, "team_id": "T1", "state": "a"} for number in range(COUNT)])
    return found


@pytest.fixture
def updates(collection):
    return GroupedUpdates(collection)


def move(updates, number, *, expected="a", to="b"):
    mark = {"write_id": f"{number}-{to}"}
    query = {"_id": number, "team_id": "T1", "state": expected}
    return updates.update(query, {"$set": {"state": to, **mark}}, mark=mark)


async def states(collection):
    return [each["state"] for each in await collection.find({}).sort([("_id", 1)]).to_list(None)]


@pytest.fixture
def sent(collection, monkeypatch):
    """How many updates went in each command."""
    sizes = []
    bulk_write, update_one = collection.bulk_write, collection.update_one

    async def count_many(requests, **options):
        sizes.append(len(requests))
        return await bulk_write(requests, **options)

    async def count_one(*arguments):
        sizes.append(1)
        return await update_one(*arguments)

    monkeypatch.setattr(collection, "bulk_write", count_many, raising=False)
    monkeypatch.setattr(collection, "update_one", count_one, raising=False)
    return sizes


async def test_what_is_wanted_together_goes_in_few_commands(collection, updates, sent):
    assert [True] * COUNT == await asyncio.gather(*(move(updates, number) for number in range(COUNT)))

    assert ["b"] * COUNT == await states(collection)
    assert COUNT == sum(sent)
    assert len(sent) <= 4


async def test_one_alone_goes_at_once_and_by_itself(updates, sent):
    assert await move(updates, 1)
    assert not await move(updates, 1)
    assert [1, 1] == sent


async def test_of_a_group_each_is_won_or_lost_by_itself(collection, updates):
    await collection.update_many({"_id": {"$gte": 100}}, {"$set": {"state": "gone"}})

    won = await asyncio.gather(*(move(updates, number) for number in range(COUNT)))

    assert [number < 100 for number in range(COUNT)] == won
    assert ["b"] * 100 + ["gone"] * 50 == await states(collection)


async def test_what_is_wanted_the_moment_a_reply_is_here_is_not_left_behind(collection, updates, monkeypatch):
    """Both commands under way are through in the same turn of the loop, and one caller wants the next at once."""
    go, update_one = asyncio.Event(), collection.update_one

    async def answer_together(*_arguments):
        await go.wait()
        return UpdateResult({"n": 1}, acknowledged=True)

    async def move_twice():
        await move(updates, 0)
        monkeypatch.setattr(collection, "update_one", update_one, raising=False)
        return await move(updates, 1)

    monkeypatch.setattr(collection, "update_one", answer_together, raising=False)
    one = asyncio.create_task(move_twice())
    for _ in range(3):  # until its command is under way
        await asyncio.sleep(0)
    other = asyncio.create_task(move(updates, 2))
    for _ in range(3):
        await asyncio.sleep(0)
    go.set()
    assert [True, True] == await asyncio.gather(one, other)


async def test_of_two_for_one_document_one_wins(collection, updates):
    for number in range(30):
        won = await asyncio.gather(*(move(updates, number, to=f"b{rival}") for rival in range(5)))
        assert 1 == sum(won)
        assert f"b{won.index(True)}" == (await states(collection))[number]


async def test_a_group_whose_reply_is_lost_is_looked_for(collection, updates, monkeypatch):
    await collection.update_many({"_id": {"$gte": 100}}, {"$set": {"state": "gone"}})
    bulk_write = collection.bulk_write

    async def lose_the_reply(requests, **options):
        await bulk_write(requests, **options)
        raise AutoReconnect("lost")

    monkeypatch.setattr(collection, "bulk_write", lose_the_reply, raising=False)
    won = await asyncio.gather(*(move(updates, number) for number in range(COUNT)), return_exceptions=True)

    assert [True] * 100 == won[:100]
    assert {StoreUnavailable} == {type(each) for each in won[100:]}, "what is not there may still be on its way"


async def test_a_refusal_is_everybodys(collection, updates, monkeypatch):
    async def refuse(*_arguments, **_options):
        raise OperationFailure("no", code=2)

    monkeypatch.setattr(collection, "bulk_write", refuse, raising=False)
    won = await asyncio.gather(*(move(updates, number) for number in range(3)), return_exceptions=True)
    assert {OperationFailure} == {type(each) for each in won}


async def test_what_nobody_waits_for_any_more_is_not_written(collection, updates, monkeypatch):
    is_under_way, go_on = asyncio.Event(), asyncio.Event()
    bulk_write = collection.bulk_write

    async def hold(requests, **options):
        is_under_way.set()
        await go_on.wait()
        return await bulk_write(requests, **options)

    monkeypatch.setattr(collection, "bulk_write", hold, raising=False)
    first = [asyncio.create_task(move(updates, number)) for number in range(2)]
    await is_under_way.wait()
    second = [asyncio.create_task(move(updates, number)) for number in range(2, 4)]
    third = [asyncio.create_task(move(updates, number)) for number in range(4, 7)]
    await asyncio.sleep(0)
    for task in third:
        task.cancel()
    await asyncio.gather(*third, return_exceptions=True)
    go_on.set()

    assert [True] * 4 == await asyncio.gather(*first, *second)
    assert ["b"] * 4 + ["a"] * 3 == (await states(collection))[:7]


async def test_a_database_that_does_not_answer_is_said_in_time(collection, updates, monkeypatch):
    monkeypatch.setattr("logicspike.store.grouping.BUDGET", timedelta(seconds=0.05))

    async def hang(*_arguments, **_options):
        await asyncio.Event().wait()

    monkeypatch.setattr(collection, "bulk_write", hang, raising=False)
    won = await asyncio.gather(*(move(updates, number) for number in range(3)), return_exceptions=True)
    assert {StoreUnavailable} == {type(each) for each in won}
