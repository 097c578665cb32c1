"""A burst: what waits behind what was claimed isn't left to the next tick."""

from __future__ import annotations

import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from benchmarks.stocking import account_names, add_accounts, add_posts

from logicspike.domain import Timings
from logicspike.plugin.types import PublishedPost
from logicspike.services import delivering, publishing

ACCOUNTS = account_names(80)


@pytest.fixture
def taken(team, monkeypatch) -> list[str]:
    """The platform takes everything without a request; the keys it was given."""
    keys: list[str] = []

    async def publish(_name, _credential, post, _prepared):
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


async def test_a_lane_takes_more_of_its_account_by_itself(team, taken, wakes):
    await stock(team, 120, accounts=1)

    assert 50 == await team.deliver()
    assert [f"p{number:04}" for number in range(120)] == taken
    assert wakes == []


async def test_a_burst_larger_than_a_lane_may_take_in_a_row_wakes_the_next_look(team, taken, wakes):
    await stock(team, 300, accounts=1)

    await team.deliver()

    assert 200 == len(taken)
    assert wakes

    await team.deliver()

    assert [f"p{number:04}" for number in range(300)] == taken, "none was claimed and then left behind"


async def test_a_lane_whose_time_is_over_puts_back_the_rest_in_one_go_and_in_its_place(team, monkeypatch, wakes):
    await stock(team, 10, accounts=1)
    taken, late_by, stand_still = [], [0.0], Timings().lease.total_seconds()
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + late_by[0])
    for module in (delivering, publishing):
        monkeypatch.setattr(module, "time", clock)

    async def publish(_name, _credential, post, _prepared):
        taken.append(post.key)
        late_by[0] = stand_still if len(taken) == 3 else 0.0
        return PublishedPost(id=post.key, url=None)

    monkeypatch.setattr(team.platforms, "publish", publish)
    release, releases = team.stores.deliveries.release_claims, []

    async def release_claims(connection_ids, *, owner):
        releases.append(connection_ids)
        await release(connection_ids, owner=owner)

    monkeypatch.setattr(team.stores.deliveries, "release_claims", release_claims)
    team.clock.advance(timedelta(seconds=1))
    await team.deliver()
    assert 3 == len(taken)
    assert 1 == len(releases)
    assert wakes

    late_by[0] = 0.0
    await team.deliver()
    assert [f"p{number:04}" for number in range(10)] == taken


async def test_a_lane_gives_way_where_others_wait_for_a_place(team, taken, wakes, monkeypatch):
    monkeypatch.setattr(delivering, "_LANES", 1)
    await stock(team, 80, accounts=1)

    await team.deliver()

    assert 50 == len(taken)
    assert wakes


async def test_a_lane_that_somebody_else_has_by_now_takes_no_more(team, taken, monkeypatch):
    await stock(team, 80, accounts=1)
    release = team.stores.connections.take_lanes

    async def take_lanes(connection_ids, **rest):
        return () if taken else await release(connection_ids, **rest)

    monkeypatch.setattr(team.stores.connections, "take_lanes", take_lanes)
    await team.deliver()

    assert 50 == len(taken)


async def test_accounts_that_found_no_lane_wake_the_next_look(team, taken, wakes):
    await stock(team, 80, accounts=80)

    claimed = await team.deliver()

    assert 0 < claimed < 80
    assert wakes


async def test_what_fits_into_one_look_wakes_nobody(team, taken, wakes):
    await stock(team, 20, accounts=10)

    assert 20 == await team.deliver()
    assert wakes == []


@pytest.mark.parametrize("back", [timedelta(milliseconds=5), timedelta(seconds=0.9)])
async def test_a_clock_moved_back_a_little_while_a_lane_waits_changes_no_order(team, taken, monkeypatch, back):
    """A correction of the clock, or a timer that is a moment early: the first isn't put behind the second."""
    moved_back = [back]

    async def sleep(seconds: float) -> None:
        team.clock.advance(timedelta(seconds=seconds) - (moved_back.pop() if moved_back else timedelta(0)))

    monkeypatch.setattr(publishing, "asyncio", SimpleNamespace(sleep=sleep))
    await stock(team, 2, accounts=1)
    team.clock.advance(-0.5 * Timings().look_ahead)

    assert 2 == await team.deliver()
    assert ["p0000", "p0001"] == taken
