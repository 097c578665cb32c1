"""Posts that may have ended their process are tried one at a time; nobody else waits longer than for that."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from logicspike.domain import DeliveryState, Timings

TIMINGS = Timings()
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def held_back(team, monkeypatch):
    """While it isn't set, the platform keeps a post waiting whose text says so."""
    publish, go = team.platforms.publish, asyncio.Event()

    async def waiting(name, credential, post, *rest):
        if "waits" in post.text:
            await go.wait()
        return await publish(name, credential, post, *rest)

    monkeypatch.setattr(team.platforms, "publish", waiting)
    return go


async def suspect(team, delivery):
    """Make it one that was at work when two processes ended."""
    claimed = replace(delivery, state=DeliveryState.CLAIMED)
    assert await team.stores.deliveries.swap(delivery, claimed)
    assert await team.stores.deliveries.swap(claimed, replace(delivery, deaths=2))


async def schedule_line(team, nickname, *texts, due_in=MINUTE):
    return [
        await team.schedule(text, accounts=(nickname,), due_in=due_in + number * SECOND)
        for number, text in enumerate(texts)
    ]


def published(team):
    return [entry.text for entry in team.fake.ledger]


async def test_while_one_is_tried_others_stop_before_theirs_and_nothing_overtakes_it(team, held_back):
    one, two = [(await team.connect(person=f"p-{number}")).nickname for number in (1, 2)]
    line = await schedule_line(team, one, "one, suspect, waits", "one, behind")
    other = await schedule_line(team, two, "two, ahead", "two, suspect", "two, behind", due_in=3 * MINUTE)
    await suspect(team, line[0])
    await suspect(team, other[1])
    for _ in range(2):
        team.clock.advance(2 * MINUTE)
        await team.delivering.deliver_due()
    async with asyncio.timeout(10):
        await asyncio.wait(team.delivering._tasks, return_when=asyncio.FIRST_COMPLETED)  # the other's
    await team.delivering.deliver_due()
    assert ["two, ahead"] == published(team)
    assert [2, 0] == [(await team.read(each)).deaths for each in other[1:]]
    assert [DeliveryState.SCHEDULED] * 2 == [(await team.read(each)).state for each in other[1:]]

    held_back.set()
    await team.deliver()
    team.clock.advance(TIMINGS.between_suspects)
    await team.deliver()
    assert ["one, suspect, waits", "one, behind"] == [text for text in published(team) if text.startswith("one")]
    assert [each.post.text for each in other] == [text for text in published(team) if text.startswith("two")]


async def test_more_posts_than_a_turn_takes_do_not_overtake_a_suspect_that_steps_aside(team, held_back):
    one, two = [(await team.connect(person=f"p-{number}")).nickname for number in (1, 2)]
    [first] = await schedule_line(team, one, "one, suspect, waits")
    other = await schedule_line(team, two, *(f"two, {number}" for number in range(59)), due_in=3 * MINUTE)
    await suspect(team, first)
    await suspect(team, other[0])
    team.clock.advance(2 * MINUTE)
    await team.delivering.deliver_due()
    team.clock.advance(2 * MINUTE)
    for _ in range(3):
        await team.delivering.deliver_due()
    assert [] == published(team)

    held_back.set()
    for _ in range(3):
        await team.deliver(after=TIMINGS.between_suspects)
    assert [each.post.text for each in other] == [text for text in published(team) if text.startswith("two")]
