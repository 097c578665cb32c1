"""F15: after thousands of connect flows, commands and publishes, the bot holds what it held after the first few."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from benchmarks.stage import Child, Stage, open_stage
from chaos_arena import until_async
from leak_members import Members, SmallSlack, in_parallel
from measured import choose_seed, show, size

from logicspike.store.mongo import Database

pytestmark = [pytest.mark.chaos, pytest.mark.patient]

MEMBERS = 20
CONNECTS, COMMANDS, POSTS = 2_000, 10_000, 5_000
"""In all; a command in two schedules a post."""
BATCHES = 8
"""All come in so many batches, each out before the next begins; the warm-up is one more, with peaks like theirs."""
AT_ONCE = 50
IDLE_WITHIN = 60.0
MOST_GROWTH = 0.05
LOOKS = (
    ("/schedule", "list"),
    ("/schedule", "help"),
    ("/connect", ""),
    ("/connect", "help"),
    ("/schedule", "chirpy now Hello"),
    ("/schedule", "cancel zzzzzzzz"),
)
# An idle connection is let go after some seconds, so that "back to base" can be told from "kept for the next one".
POOL = "maxIdleTimeMS=3000"
SCHEDULED, TRY_AGAIN = "Publishing now", "try again"


@dataclass
class Load:
    """What is done to the bot; counts what it was asked to do.

    Args:
        members: at their keyboards.
        stage: where the posts go.
        database: the bot's.
        chance: decides in which order things are typed.
    """

    members: Members
    stage: Stage
    database: Database
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)

    async def apply_batch(self) -> None:
        """All members connect their accounts again and again, then type in any order; ends when all posts are out."""
        connects, commands, posts = (-(-count // BATCHES) for count in (CONNECTS, COMMANDS, POSTS))
        await in_parallel((partial(self._connect, n, -(-connects // MEMBERS)) for n in range(MEMBERS)), at_once=AT_ONCE)
        typed = [partial(self._schedule, n % MEMBERS) for n in range(posts)]
        typed += [partial(self._look, self.chance.randrange(MEMBERS), n) for n in range(commands - posts)]
        self.chance.shuffle(typed)
        await in_parallel(typed, at_once=AT_ONCE)
        await until_async(self._all_are_out, limit=120)
        lines = await self.stage.read_ledger(0, timeout=0)
        assert len({key for key, _, _ in lines}) == len(lines) >= posts
        self.done["publishes"] += len(lines)

    async def _connect(self, number: int, times: int) -> None:
        for _ in range(times):
            await self.members.connect(f"U{number}", f"account-{number}")
            self.done["connects"] += 1

    async def _look(self, number: int, which: int) -> None:
        await self.members.type(f"U{number}", *LOOKS[which % len(LOOKS)])
        self.done["commands"] += 1

    async def _schedule(self, number: int) -> None:
        """Until the bot has taken it: in a crowd it may say "try again"."""
        said = ""
        while SCHEDULED not in said:
            self.done["commands"] += 1
            said = await self.members.type(f"U{number}", "/schedule", f"bench now Hello {secrets.token_hex(4)}")
            assert SCHEDULED in said or TRY_AGAIN in said, said
            self.done["try again"] += TRY_AGAIN in said

    async def _all_are_out(self) -> bool:
        return not await self.database.collection("deliveries").count_documents({"state": {"$ne": "published"}})


async def look_at_start(bot: Child) -> dict[str, Any]:
    """What it holds before the first request, at a moment when none of its ticks is running."""
    reports = [await bot.ask("") for _ in range(10)]
    return min(reports, key=lambda each: (count(each, "tasks"), count(each, "sockets")))


async def come_to_rest(bot: Child, base: dict[str, Any]) -> dict[str, Any]:
    """What it holds once it holds no more than at the start, or after a minute in which that didn't come to be so."""
    deadline = time.monotonic() + IDLE_WITHIN
    while True:
        now: dict[str, Any] = await bot.ask("")
        if not exceeds(now, base) or time.monotonic() > deadline:
            return now
        await asyncio.sleep(0.5)


def exceeds(now: dict[str, Any], base: dict[str, Any]) -> list[str]:
    """Of what there is more."""
    return [name for name in ("tasks", "sockets", "files") if count(now, name) > count(base, name)]


def count(report: dict[str, Any], name: str) -> int:
    """How many of something."""
    return sum(report[name].values()) if name == "tasks" else int(report[name])


def compare(base: dict[str, Any], now: dict[str, Any]) -> str:
    """What there is more of, for whoever has to find a leak."""
    tasks = Counter(now["tasks"]) - Counter(base["tasks"])
    objects = Counter(now["objects"]) - Counter(base["objects"])
    return f"more tasks: {dict(tasks)}; more objects: {objects.most_common(25)}"


async def test_thousands_of_flows_leave_nothing_behind(monkeypatch):
    seed = choose_seed()
    chance = random.Random(seed)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    name = f"leak_{secrets.token_hex(4)}"
    async with (
        open_stage() as stage,
        SmallSlack().running() as slack,
        stage.database(name, accounts=1) as database,
        stage.running(
            "leak_bot",
            name,
            SLACK_API_URL=f"{slack.address}/api/",
            MONGODB_URI=f"{stage.mongodb_uri}?{POOL}",
        ) as bot,
    ):
        base = await look_at_start(bot)
        async with open_members(bot, slack) as members:
            await Load(members, stage, database, chance).apply_batch()
        warm = await bot.ask("")
        async with open_members(bot, slack) as members:
            load = Load(members, stage, database, chance)
            for _ in range(size(BATCHES)):
                await load.apply_batch()
        busy_until = time.monotonic()
        rest = await come_to_rest(bot, base)
        rested = time.monotonic() - busy_until
    growth = rest["resident"] / warm["resident"] - 1
    show(
        "F15",
        seed=seed,
        **load.done,
        **{name: f"{count(base, name)} → {count(rest, name)}" for name in ("tasks", "sockets", "files")},
        resident=f"{warm['resident'] / 2**20:.1f} → {rest['resident'] / 2**20:.1f} MB",
        growth=f"{growth:+.1%}",
        at_rest_after=f"{rested:.0f} s",
    )
    assert not exceeds(rest, base), compare(base, rest)
    assert growth <= MOST_GROWTH, compare(warm, rest)


@asynccontextmanager
async def open_members(bot: Child, slack: SmallSlack) -> AsyncIterator[Members]:
    """Members whose connections end with them."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield Members(http=http, bot=bot.address, slack=slack)
