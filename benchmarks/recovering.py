"""P10: a worker is killed in the middle of its work; how long until its posts are in other hands."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from datetime import timedelta

from logicspike.store.mongo import Database

from .measuring import Ratio, Row, Table, median
from .publishing import make_posts
from .stage import LedgerWrong, Stage, in_unix_seconds, round_to_milliseconds
from .stocking import add_posts

__all__ = ["measure_recovery"]

_LEASE = timedelta(seconds=4)
_POLL = timedelta(seconds=0.5)
_TIMINGS = {
    "lease": _LEASE.total_seconds(),
    "settle": 1.0,
    "deliver_every": _POLL.total_seconds(),
    "rescue_every": _POLL.total_seconds(),
    "settle_every": _POLL.total_seconds(),
}
_DELAY = 0.05
_POSTS = 400


async def measure_recovery(stage: Stage, table: Table, *, rounds: int) -> None:
    """Kill one of two workers while it holds claims; see when all of them are free, and what went out."""
    found = [await _kill_one(stage, seed=number + 1) for number in range(rounds)]
    limit = (_LEASE + _POLL).total_seconds()
    shares = [seconds / limit for seconds, _ in found]
    table.add(
        Row(
            name="P10",
            what=f"kill -9 of a worker holding {median([held for _, held in found]):.0f} claims, until all are free",
            ours=f"{median([seconds for seconds, _ in found]):.2f} s",
            rival=f"lease {_LEASE.total_seconds():g} s + poll {_POLL.total_seconds():g} s",
            ratio=Ratio(middle=median(shares), lowest=min(shares), highest=max(shares)),
            target="≤ 1",
            holds=max(shares) <= 1,
        )
    )


async def _kill_one(stage: Stage, *, seed: int) -> tuple[float, int]:
    name, timings = f"bench_{secrets.token_hex(4)}", json.dumps(_TIMINGS)
    async with (
        stage.database(name) as database,
        stage.running("benchmarks.contenders.ours", name, BENCH_TIMINGS=timings) as victim,
        stage.running("benchmarks.contenders.ours", name, BENCH_TIMINGS=timings),
    ):
        await stage.set_delay(_DELAY)
        posts = make_posts(_POSTS, seed=seed)
        due_at = round_to_milliseconds(time.time() + 2)
        await add_posts(database, posts, due_at=in_unix_seconds(due_at))
        while not await _claims_of(database, victim.process.pid):  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.01)
        await asyncio.sleep(max(0, due_at + 0.1 - time.time()))
        await victim.kill()
        killed = time.monotonic()
        held = await _claims_of(database, victim.process.pid)
        while await _claims_of(database, victim.process.pid):
            if time.monotonic() - killed > 60:
                raise RuntimeError("the claims of a killed worker were not freed")
            await asyncio.sleep(0.02)
        took = time.monotonic() - killed
        await stage.set_delay(0)
        await _check(stage, database, posts)
        return took, held


async def _claims_of(database: Database, pid: int) -> int:
    query = {"claimed_by": {"$regex": f":{pid}:"}, "state": {"$in": ["claimed", "publishing"]}}
    return await database.collection("deliveries").count_documents(query)


async def _check(stage: Stage, database: Database, posts: list[tuple[str, str]]) -> None:
    """What was being sent at the kill may be live or not: the author is asked, and it must never be there twice."""
    deadline = time.monotonic() + 60
    open_states = {"state": {"$in": ["scheduled", "claimed", "publishing"]}}
    while await database.collection("deliveries").count_documents(open_states):
        if time.monotonic() > deadline:
            raise LedgerWrong("posts are left over after a worker was killed")
        await asyncio.sleep(0.05)
    unknown = await database.collection("deliveries").count_documents({"state": "unknown"})
    lines = await stage.read_ledger(0, timeout=0)
    arrived = [key for key, _, _ in lines]
    if len(set(arrived)) != len(arrived) or len(posts) - len(arrived) > unknown:
        raise LedgerWrong(f"{len(posts)} posts, {len(set(arrived))} arrived, {len(arrived)} times, {unknown} unknown")
