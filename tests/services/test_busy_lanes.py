"""A burst: what waits behind what was claimed isn't left to the next tick, and nobody's Slack makes posts late."""

from __future__ import annotations

import asyncio

import pytest
from benchmarks.stocking import account_names, add_accounts, add_posts

from logicspike.plugin.types import PublishedPost

ACCOUNTS = account_names(60)


@pytest.fixture
def taken(team, monkeypatch) -> list[str]:
    """The platform takes everything without a request; the keys it was given."""
    keys: list[str] = []

    async def publish(_name, _credential, post):
        keys.append(post.key)
        return PublishedPost(id=post.key, url=None)

    monkeypatch.setattr(team.platforms, "publish", publish)
    return keys


@pytest.fixture
def wakes(team, monkeypatch) -> list[None]:
    rung: list[None] = []
    monkeypatch.setattr(team.delivering, "_wake", lambda: rung.append(None))
    return rung


async def stock(team, count: int, *, accounts: int) -> None:
    await add_accounts(team.stores.database, team.refreshing._vault, ACCOUNTS[:accounts], platform="echo")
    posts = [(f"p{number:04}", ACCOUNTS[number % accounts]) for number in range(count)]
    await add_posts(team.stores.database, posts, due_at=team.clock.now(), platform="echo")


async def test_a_burst_larger_than_a_look_wakes_the_next_look(team, taken, wakes):
    await stock(team, 500, accounts=10)

    claimed = await team.deliver()

    assert 0 < claimed < 500
    assert wakes


async def test_accounts_that_found_no_lane_wake_the_next_look(team, taken, wakes):
    await stock(team, 60, accounts=60)

    claimed = await team.deliver()

    assert 0 < claimed < 60
    assert wakes


async def test_what_fits_into_one_look_wakes_nobody(team, taken, wakes):
    await stock(team, 20, accounts=10)

    assert 20 == await team.deliver()
    assert wakes == []


async def test_an_accounts_next_post_does_not_wait_for_slack(team, taken, monkeypatch):
    await stock(team, 3, accounts=1)
    slack_answers, told = asyncio.Event(), []

    async def notify(_member, notice):
        await slack_answers.wait()
        told.append(notice)

    monkeypatch.setattr(team.notifier, "notify", notify)
    await team.delivering.deliver_due()
    async with asyncio.timeout(5):
        while len(taken) < 3:  # noqa: ASYNC110 - nothing but the count tells
            await asyncio.sleep(0.01)
    assert told == []

    slack_answers.set()
    await team.delivering.wait_until_idle()
    assert 3 == len(told)
