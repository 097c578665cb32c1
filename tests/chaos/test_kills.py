"""Workers and the database are killed at random while posts go out: nothing is lost, nothing goes out twice."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import pytest
from chaos_arena import SHRUNKEN, Arena, open_arena, until_async
from chaos_platform import Weather
from measured import choose_seed, show, size

from logicspike.domain import Delivery, DeliveryState, HoldReason
from logicspike.testing import LedgerEntry

pytestmark = pytest.mark.chaos

SECONDS = 24.0
SETTLED_WITHIN = 60.0
SETTLED_AFTER = 5.0  # seconds beyond the time that an outcome is given to show by itself
THREAD_EVERY = 10


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the ledger says about the store."""

    lost: list[Delivery]
    doubled: list[str]
    disordered: list[Delivery]
    falsely_failed: list[Delivery]
    reconciled: int
    asked: int
    unasked: set[tuple[str, str]]
    idle_questions: set[tuple[str, str]]
    repeated: int
    set_aside: int


def judge(found: list[Delivery], entries: list[LedgerEntry], questions: Counter[tuple[str, str]]) -> Verdict:
    """Compare store, ledger and questions."""
    ledger = Counter(entry.text for entry in entries)
    unknown = [each for each in found if each.state is DeliveryState.UNKNOWN]
    risks = {(each.delivery_id, each.attempts[-1].attempt_id) for each in unknown}
    was_unknown = [each for each in found if any(attempt.outcome == "unknown" for attempt in each.attempts)]
    return Verdict(
        lost=[
            each
            for each in found
            if (each.state is DeliveryState.PUBLISHED and not all(ledger[text] for text in each.texts))
            or (each.state is DeliveryState.HELD and each.hold_reason is not HoldReason.PARKED)
            or each.state is DeliveryState.CANCELED
        ],
        doubled=[text for text, count in ledger.items() if count > 1],
        disordered=find_disordered(found, entries),
        falsely_failed=[each for each in found if each.state is DeliveryState.FAILED],
        reconciled=sum(each.state is DeliveryState.PUBLISHED for each in was_unknown),
        asked=len(unknown),
        unasked=risks - set(questions),
        idle_questions=set(questions) - risks,
        repeated=sum(count - 1 for count in questions.values()),
        set_aside=sum(each.state is DeliveryState.HELD for each in found),
    )


def find_disordered(found: list[Delivery], entries: list[LedgerEntry]) -> list[Delivery]:
    """Threads of which a part is live without, or before, the one that it should reply to."""
    by_text = {entry.text: entry for entry in entries}
    wrong = []
    for each in found:
        live = [by_text.get(text) for text in each.texts]
        pairs = list(pairwise(live))
        is_gapless = all(before is not None or after is None for before, after in pairs)
        replies = [(before.id, after.reply_to) for before, after in pairs if before and after]
        if not is_gapless or any(wanted != said for wanted, said in replies):
            wrong.append(each)
    return wrong


async def run(arena: Arena, kind: str, *, posts: int, accounts: int, kills: int, database_kills: int) -> Verdict:
    """Let it rain until every post has met its fate; prints a row of the table."""
    fake = arena.fakes[kind]
    connections = await arena.connect_accounts(kind, accounts)
    over = SECONDS * size(1)
    started_at = time.monotonic()
    await arena.schedule(
        connections, [f"post {number}" for number in range(posts)], over=over, thread_every=THREAD_EVERY
    )
    async with arena.keeping(4):
        killed = await rain(arena, kills=kills, database_kills=database_kills, over=over)
        rained_until = time.monotonic()
        # Four workers that are killed four times a second hardly publish, so what is left grows with the rain.
        found = await arena.wait_until_settled(limit=SETTLED_WITHIN * size(1))
    verdict = judge(found, fake.ledger, arena.questions())
    show(
        "F1" if kind == "listed" else "F2",
        seed=arena.seed,
        platform=kind,
        posts=len(found),
        kills=killed,
        database_kills=arena.database_kills,
        lost=len(verdict.lost),
        doubled=len(verdict.doubled),
        threads=sum(bool(each.parts) for each in found),
        disordered=len(verdict.disordered),
        falsely_failed=len(verdict.falsely_failed),
        reconciled=verdict.reconciled,
        asked=verdict.asked,
        not_asked=len(verdict.unasked),
        asked_twice=verdict.repeated,
        set_aside=verdict.set_aside,
        missed_writes=arena.said("swap.missed"),
        seconds=round(time.monotonic() - started_at, 1),
        settled_after=round(time.monotonic() - rained_until, 1),
        longest_in_doubt=round(arena.longest_in_doubt, 1),
        faults=dict(sorted(fake.faults.items())),
    )
    assert posts == len(found)
    assert arena.longest_in_doubt <= SHRUNKEN["settle"] + SETTLED_AFTER
    return verdict


async def rain(arena: Arena, *, kills: int, database_kills: int, over: float) -> int:
    """Kill workers at random moments, and the database a few times; how many workers."""
    start = time.monotonic()
    storms = sorted(arena.dice.uniform(0.2, 0.8) * over for _ in range(database_kills))
    moments = sorted(arena.dice.uniform(0.02, 1.0) * over for _ in range(kills))
    for moment in moments:
        while storms and storms[0] < moment:
            await asyncio.sleep(max(0.0, start + storms.pop(0) - time.monotonic()))
            await arena.kill_the_database()
        await asyncio.sleep(max(0.0, start + moment - time.monotonic()))
        await until_async(arena.kill_a_worker, limit=10)
    return len(moments)


async def test_nothing_is_lost_or_doubled_where_the_platform_can_be_read_back(tmp_path):
    seed = choose_seed()
    async with open_arena(tmp_path, seed=seed, weather=Weather(seed=seed, share=0.1, latency=(0.02, 0.2))) as arena:
        kills = size(100)
        verdict = await run(arena, "listed", posts=size(1000), accounts=50, kills=kills, database_kills=size(2))
        assert ([], [], []) == (verdict.lost, verdict.doubled, verdict.falsely_failed)
        assert [] == verdict.disordered
        assert set() == verdict.unasked
        assert verdict.repeated <= kills
        # A process tries one suspect at a time, so its end costs at most one post its last chance.
        assert verdict.set_aside <= kills, "more posts are set aside than processes ended"


async def test_each_risk_is_a_question_where_the_platform_cannot_be_asked(tmp_path):
    seed = choose_seed()
    async with open_arena(tmp_path, seed=seed, weather=Weather(seed=seed, share=0.1, latency=(0.02, 0.2))) as arena:
        kills = size(50)
        verdict = await run(arena, "blind", posts=size(500), accounts=50, kills=kills, database_kills=size(1))
        assert ([], [], []) == (verdict.lost, verdict.doubled, verdict.falsely_failed)
        assert [] == verdict.disordered
        assert set() == verdict.unasked
        assert set() == verdict.idle_questions
        # Slack knows no idempotency key either: a process that dies while it asks is followed by one that asks again.
        assert verdict.repeated <= kills
