"""The process dies, or the database fails, at every step of preparing: no post goes out bare, or twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pictures import open_album_team, schedule_picture
from team import Team

from logicspike.domain import DeliveryState
from logicspike.services import settling
from logicspike.services.ports import StoreUnavailable
from logicspike.store.mongo import Database

pytestmark = [pytest.mark.chaos, pytest.mark.patient]

MINUTE = timedelta(minutes=1)
OUTAGES = ["before", "after"]
CRASHES = ["crash before", "crash after"]


@pytest.fixture
async def team(mongo_database: Database) -> AsyncIterator[Team]:
    async with open_album_team(mongo_database) as opened:
        yield opened


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(settling, "_SETTLE_PAUSE_SECONDS", 0.001)


async def run_through(process):
    """One round of every tick that has to do with it, however each ends."""
    for tick, wait in (
        (process.reconciling.rescue, None),
        (process.reconciling.settle_unknown, None),
        (process.preparing.prepare_due, process.preparing.wait_until_idle),
        (process.delivering.deliver_due, process.delivering.wait_until_idle),
    ):
        with contextlib.suppress(StoreUnavailable, asyncio.CancelledError):
            await tick()
        if wait is not None:
            await wait()


@pytest.mark.parametrize("kind", OUTAGES + CRASHES)
async def test_a_post_with_a_picture_broken_off_anywhere_goes_out_once_and_with_it(
    team, restart, faults, check_invariants, kind
):
    for position in range(100):
        delivery = await schedule_picture(team, f"{kind} at {position}", due_in=MINUTE)
        team.clock.advance(MINUTE)
        broken = restart(faults)
        broken.files.contents = team.files.contents
        faults.arm(position, kind, lasts=1000 if kind in CRASHES else 1)
        await run_through(broken)
        faults.disarm()
        was_hit, steps = faults.was_hit, list(faults.calls)
        fresh = restart()
        fresh.files.contents = team.files.contents
        for _ in range(8):
            team.clock.advance(timedelta(seconds=95))
            await run_through(fresh)

        step = steps[position] if was_hit else "none"
        assert (await team.read(delivery)).state is DeliveryState.PUBLISHED, step
        [entry] = [entry for entry in team.fake.ledger if entry.text == delivery.post.text]
        assert len(entry.media) == 1, step
        if not was_hit:
            assert position > 8
            await check_invariants()
            return
    raise AssertionError("it never came to an end")
