"""P3, P4 and P7: what a backlog of posts that aren't due yet costs, in time, operations, CPU and memory."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import psutil

from logicspike.store.deliveries import MongoDeliveryStore
from logicspike.store.mongo import Database

from .measuring import Row, Table, median, percentile, ratio_of
from .stage import Child, Stage, new_prefix
from .stocking import account_names, add_posts, add_waiting

__all__ = ["measure_claims", "measure_idling"]

BATCH = 50
CLAIMS = 20
LITTLE = 10_000


async def measure_claims(stage: Stage, table: Table, *, rounds: int, backlogs: Sequence[int]) -> None:
    """P3: a look and a claim of fifty due posts, while so many others wait for their time."""
    names = account_names(50)
    async with AsyncExitStack() as stack:
        databases: dict[int, Database] = {}
        for backlog in backlogs:
            databases[backlog] = await stack.enter_async_context(stage.database(f"bench_{secrets.token_hex(4)}"))
            await _stock(databases[backlog], backlog, names)
            await _time_claims(databases[backlog])
        times: dict[int, list[list[float]]] = {backlog: [] for backlog in backlogs}
        for _ in range(rounds):
            for backlog in backlogs:
                times[backlog].append(await _time_claims(databases[backlog]))
    least = min(backlogs)
    for backlog in backlogs:
        ours = [percentile(each, 0.5) for each in times[backlog]]
        ratio = ratio_of(ours, [percentile(each, 0.5) for each in times[least]]) if backlog != least else None
        is_judged = backlog == max(backlogs) and ratio is not None
        table.add(
            Row(
                name="P3",
                what=f"look for and claim {BATCH} posts, {backlog:,} waiting",
                ours=f"p50 {median(ours) * 1000:.1f} ms, "
                f"p99 {median([percentile(each, 0.99) for each in times[backlog]]) * 1000:.1f} ms",
                rival=f"the same with {least:,}",
                ratio=ratio,
                target="p50 ≤ 1.5 ×" if is_judged else "–",
                holds=ratio.middle <= 1.5 if is_judged and ratio is not None else None,
            )
        )


async def _stock(database: Database, backlog: int, names: Sequence[str]) -> None:
    began = time.monotonic()
    await add_waiting(database, backlog, accounts=names)
    if backlog > LITTLE:
        print(f"  {backlog:,} posts stocked in {time.monotonic() - began:.0f} s", flush=True)


async def _time_claims(database: Database) -> list[float]:
    store, times = MongoDeliveryStore(database), []
    names = account_names(50)
    for _ in range(CLAIMS):
        prefix, now = new_prefix(), datetime.now(UTC)
        posts = [(f"{prefix}-{number:03}", names[number % len(names)]) for number in range(BATCH)]
        await add_posts(database, posts, due_at=now - timedelta(seconds=1))
        began = time.perf_counter()
        due = await store.list_due(now, limit=BATCH)
        claimed = await store.claim(
            [each.delivery_id for each in due], now=now, owner="bench", until=now + timedelta(seconds=90)
        )
        times.append(time.perf_counter() - began)
        assert len(claimed) == BATCH, "a claim must get all that is due"
        await database.collection("deliveries").delete_many({"_id": {"$in": [key for key, _ in posts]}})
    return times


async def measure_idling(stage: Stage, table: Table, *, backlog: int, seconds: float) -> None:
    """P4 and P7: a worker beside an empty schedule, then the same one beside a backlog for the days to come."""
    name = f"bench_{secrets.token_hex(4)}"
    async with stage.database(name) as database, stage.running("benchmarks.contenders.ours", name) as worker:
        await asyncio.sleep(5)
        empty = worker.resident_bytes
        await _stock(database, backlog, account_names(50))
        await asyncio.sleep(3)
        operations, cpu = await _watch(stage, name, worker, seconds)
        held = worker.resident_bytes
    per_ten_thousand = max(0, held - empty) / backlog * 10_000 / 2**20
    table.add(
        Row(
            name="P4",
            what=f"idle worker for {seconds:.0f} s, {backlog:,} waiting: database operations",
            ours=f"{operations:.2f}/s",
            target="≤ 2/s",
            holds=operations <= 2,
        )
    )
    table.add(
        Row(
            name="P4",
            what=f"idle worker for {seconds:.0f} s, {backlog:,} waiting: CPU",
            ours=f"{cpu:.2f} % of a core",
            target="< 0.5 %",
            holds=cpu < 0.5,
        )
    )
    table.add(
        Row(
            name="P7",
            what=f"memory of a worker, {backlog:,} waiting",
            ours=f"{per_ten_thousand:.2f} MB per 10,000 (in all {held / 2**20:.0f} MB)",
            target="≤ 2 MB per 10,000",
            holds=per_ten_thousand <= 2,
        )
    )


async def _watch(stage: Stage, name: str, worker: Child, seconds: float) -> tuple[float, float]:
    """Database operations a second, and the worker's CPU time in percent of a core."""
    operations, cpu, began = await stage.count_operations(name), worker.cpu_seconds, time.monotonic()
    await asyncio.sleep(seconds)
    passed = time.monotonic() - began
    return (await stage.count_operations(name) - operations) / passed, (worker.cpu_seconds - cpu) / passed * 100


def describe_machine() -> str:
    """Cores and memory."""
    return f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GB"
