"""A worker is stopped in the middle of a publish for longer and longer: what wakes up late must do no harm."""

from __future__ import annotations

import asyncio
import re
import signal
from collections import Counter
from dataclasses import dataclass, field

import psutil
import pytest
from chaos_arena import LEASE, Arena, open_arena, until
from chaos_platform import Weather
from measured import choose_seed, show, size

from logicspike.domain import Connection, DeliveryState

pytestmark = pytest.mark.chaos

PAUSES = (0.5, 1.0, 3.0)
WORKERS, AT_ONCE = 7, 5


@dataclass
class Stops:
    """Stops processes, each in the middle of one post."""

    arena: Arena
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One post at a time is on its way to a process, or a process would be stopped by two, and woken by the first."""

    async def while_publishing(self, connection: Connection, text: str, seconds: float) -> tuple[int, str]:
        """Stop the process that is publishing this post, and wake it again; which it was, and the delivery."""
        fake, answer = self.arena.fakes["listed"], asyncio.Event()
        fake.held[text] = answer
        async with self.turn:
            [delivery] = await self.arena.schedule([connection], [text])
            await until(lambda: any(each.text == text for each in fake.in_flight.values()), limit=20)
            process = next(each.process for each in fake.in_flight.values() if each.text == text)
            await self.arena.nursery.signal(process, signal.SIGSTOP)
            await until(lambda: psutil.Process(process).status() == psutil.STATUS_STOPPED, limit=20)
        answer.set()
        await asyncio.sleep(seconds)  # the length of the pause is what is tried here
        await self.arena.nursery.signal(process, signal.SIGCONT)
        return process, delivery.delivery_id


async def test_a_worker_that_wakes_up_late_posts_nothing_twice_and_finds_its_claim_gone(tmp_path):
    seed = choose_seed()
    async with open_arena(tmp_path, seed=seed, weather=Weather(latency=(0.3, 0.3))) as arena, arena.keeping(WORKERS):
        stops = size(20)
        connections = await arena.connect_accounts("listed", stops)
        pauses = [PAUSES[number % len(PAUSES)] for number in range(stops)]
        arena.dice.shuffle(pauses)
        room, paused = asyncio.Semaphore(AT_ONCE), Stops(arena)

        async def one(number: int) -> tuple[float, int, str]:
            async with room:
                stopped = await paused.while_publishing(connections[number], f"post {number}", pauses[number] * LEASE)
                return pauses[number], *stopped

        stopped = await asyncio.gather(*(one(number) for number in range(stops)))
        found = await arena.wait_until_settled(limit=60)
        ledger = Counter(entry.text for entry in arena.fakes["listed"].ledger)
        said = arena.log.read_text()
        missed = Counter(
            pause
            for pause, process, delivery_id in stopped
            if re.search(rf"^{process} chaos swap.missed {delivery_id} publishing->", said, re.MULTILINE)
        )
        show(
            "F4",
            seed=seed,
            stops=stops,
            doubled=sum(count > 1 for count in ledger.values()),
            claims_found_gone=dict(sorted(missed.items())),
            of_pauses_in_leases=dict(sorted(Counter(pauses).items())),
        )
        assert {f"post {number}": 1 for number in range(stops)} == ledger
        assert {DeliveryState.PUBLISHED} == {each.state for each in found}
        assert missed[3.0] > 0
