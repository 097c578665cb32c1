"""F11, F12: many processes publish each post once and each account in order; a small workspace isn't kept waiting."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from figures.floor import TimedPlatform, build_worker, fill, until
from measured import factor, show, size

from logicspike.clock import SystemClock
from logicspike.domain import DeliveryState
from logicspike.store.opening import build_stores
from logicspike.store.schema import ensure_schema

pytestmark = pytest.mark.chaos

TESTS = Path(__file__).parents[1]
PROCESSES, LANES, POSTS, ACCOUNTS = 8, 16, 5000, 20


async def start_process(module: str, config: list[Any]) -> asyncio.subprocess.Process:
    """A process of its own, which has said that it is ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, json.dumps(config),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**26,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )  # fmt: skip
    async with asyncio.timeout(60):
        assert (await process.stdout.readline()).strip() == b"ready"
    return process


async def test_eight_processes_publish_each_post_once_and_each_account_in_order(bare_database, mongod_uri):
    await ensure_schema(bare_database)
    stores, now, posts = build_stores(bare_database), SystemClock().now(), size(POSTS)
    first_due = now - timedelta(minutes=2)
    deliveries = await fill(
        stores, team_id="T1", accounts=ACCOUNTS, posts=posts, now=now,
        due=lambda number: first_due + timedelta(milliseconds=number) / factor(),
    )  # fmt: skip
    config = [mongod_uri, bare_database.name, LANES]
    processes = [await start_process("figures.claimer", config) for _ in range(PROCESSES)]
    for process in processes:
        process.stdin.write(b"go\n")
    async with asyncio.timeout(180 * factor()):
        outputs = [await process.communicate() for process in processes]
    results = [json.loads(out) for out, _ in outputs]
    assert {process.returncode for process in processes} == {0}

    sent = sorted((each for result in results for each in result["sent"]), key=lambda each: each["began"])
    took = (max(each["ended"] for each in sent) - sent[0]["began"]) / 1e9
    shares = [len(result["sent"]) for result in results]
    assert Counter(each.post.text for each in deliveries) == Counter(each["text"] for each in sent)
    assert sum(result["claimed"] for result in results) == posts
    published = {"team_id": "T1", "state": DeliveryState.PUBLISHED.value}
    assert await stores.database.collection("deliveries").count_documents(published) == posts
    assert sum(1 for share in shares if share) >= PROCESSES // 2, "hardly anybody else took part"

    by_account: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in sent:
        by_account[each["account_id"]].append(each)
    order = {each.post.text: place for place, each in enumerate(deliveries)}
    overlaps = sum(a["ended"] > b["began"] for line in by_account.values() for a, b in pairwise(line))
    swapped = sum(order[a["text"]] > order[b["text"]] for line in by_account.values() for a, b in pairwise(line))
    show(
        "F11",
        posts=len(sent),
        processes=f"{PROCESSES} × {LANES} lanes",
        a_second=round(len(sent) / took),
        shares=f"{min(shares)} to {max(shares)}",
        two_at_once_for_an_account=overlaps,
        out_of_order=swapped,
    )
    assert (overlaps, swapped) == (0, 0)


async def _measure_small_one(database: Any, team_id: str, crowd: int) -> tuple[float, int]:
    """The 99th percentile of ten posts' lateness, with a crowd of another workspace's due in the same second."""
    stores, clock = build_stores(database), SystemClock()
    platform = TimedPlatform(latency=0.02)
    worker = build_worker(stores, platform, clock)
    now = clock.now()
    due_at = now + timedelta(seconds=6 if crowd else 2)
    if crowd:
        await fill(stores, team_id=f"{team_id}-crowd", accounts=250, posts=crowd, now=now, due=lambda _: due_at)
    mine = await fill(stores, team_id=team_id, accounts=10, posts=10, now=now, due=lambda _: due_at)
    assert clock.now() < due_at, "filling took too long"
    async with worker.platforms:
        worker.scheduler.start()

        async def is_done() -> bool:
            return len(platform.sent) == crowd + len(mine)

        await until(is_done, 120)
        await worker.stop()
    late = sorted(each.at - due_at.timestamp() for each in platform.sent if each.text.startswith(f"{team_id} "))
    assert len(late) == len(mine)
    assert late[0] > -1, "early"
    assert len({each.text for each in platform.sent}) == crowd + len(mine)
    return late[-1], len(platform.sent)


async def test_a_small_workspace_does_not_wait_for_a_big_one(bare_database):
    await ensure_schema(bare_database)
    alone, _ = await _measure_small_one(bare_database, "TA", 0)
    crowded, sent = await _measure_small_one(bare_database, "TB", 5000)
    show("F12", sent=sent, p99_lateness_of_10=f"{crowded:.2f} s beside 5,000", alone=f"{alone:.2f} s")
    assert crowded <= 2 * max(alone, 0) + 1
