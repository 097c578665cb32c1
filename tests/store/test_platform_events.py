"""Platforms' callbacks: each counts once, and is carried out by one process at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from logicspike.domain import ReceivedEvent

MINUTE = timedelta(minutes=1)


@pytest.fixture
def event(now) -> ReceivedEvent:
    return ReceivedEvent(
        event_id="e1",
        platform="echo",
        confirmation_code="c0de",
        received_at=now,
        ended_grants=("g1", "g2"),
        erased_grants=("g3",),
        is_erasure=True,
        due_at=now + MINUTE,
    )


async def test_a_callback_comes_back_as_it_was(stores, event, now):
    assert await stores.platform_events.begin(event)

    assert () == await stores.platform_events.list_due(now, limit=5)
    assert (event,) == await stores.platform_events.list_due(now + MINUTE, limit=5)
    assert event == await stores.platform_events.find_erasure("c0de")


async def test_of_many_deliveries_of_one_callback_one_counts(real_stores, event):
    begun = await asyncio.gather(*(real_stores.platform_events.begin(event) for _ in range(20)))

    assert 1 == sum(begun)


async def test_of_many_processes_one_carries_it_out(real_stores, event, now):
    await real_stores.platform_events.begin(event)

    claims = [real_stores.platform_events.claim(event, until=now + (2 + nth) * MINUTE) for nth in range(20)]

    assert 1 == sum(await asyncio.gather(*claims))


async def test_once_it_is_done_nothing_tells_whose_grants_it_named(stores, event, now, mongo_document):
    await stores.platform_events.begin(event)

    await stores.platform_events.finish("e1", at=now + MINUTE)
    await stores.platform_events.finish("e1", at=now + 5 * MINUTE)

    done = replace(event, ended_grants=(), erased_grants=(), due_at=None, done_at=now + MINUTE)
    assert done == await stores.platform_events.find_erasure("c0de")
    assert () == await stores.platform_events.list_due(now + timedelta(days=9), limit=5)
    assert not await stores.platform_events.begin(event), "it is remembered all the same"
    assert "g1" not in str(await mongo_document(stores, "e1"))


async def test_what_was_no_erasure_has_no_page(stores, event):
    await stores.platform_events.begin(replace(event, is_erasure=False))

    assert None is await stores.platform_events.find_erasure("c0de")
    assert None is await stores.platform_events.find_erasure("other")


@pytest.fixture
def mongo_document():
    async def read(stores, event_id):
        return await stores.database.collection("platform_events").find_one({"_id": event_id})

    return read
