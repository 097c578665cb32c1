"""Posts that end the process that touches them: each is put before a person after three deaths, and harms no other."""

from __future__ import annotations

from collections import Counter

import pytest
from chaos_arena import open_arena
from chaos_platform import DIES_PUBLISHING, DIES_VALIDATING, KILLED, Weather
from measured import choose_seed, show, size

from logicspike.domain import DeliveryState, HoldReason

pytestmark = pytest.mark.chaos

OVER = 20.0
SETTLED_WITHIN = 70.0


async def test_poison_is_put_before_a_person_after_three_deaths_and_harms_no_other_post(tmp_path):
    seed = choose_seed()
    async with open_arena(tmp_path, seed=seed, weather=Weather(latency=(0.02, 0.1))) as arena:
        listed = await arena.connect_accounts("listed", 20)
        blind = await arena.connect_accounts("blind", 1)
        others = [f"post {number}" for number in range(size(200))]
        [publishing] = await arena.schedule(listed[:1], [f"first {DIES_PUBLISHING}"])
        [validating] = await arena.schedule(listed[1:2], [f"second {DIES_VALIDATING}"])
        [unreadable] = await arena.schedule(blind, [f"third {DIES_PUBLISHING}"])
        await arena.schedule(listed, others[::2])
        over = OVER * size(1)
        await arena.schedule(listed, others[1::2], over=over)
        async with arena.keeping(2):
            settled = await arena.wait_until_settled(limit=over + SETTLED_WITHIN)
        found = {each.delivery_id: each for each in settled}
        ledger = Counter(entry.text for entry in arena.fakes["listed"].ledger)
        deaths = sum(code == KILLED for code in arena.nursery.ended.values())
        rest = [each for each in found.values() if each.post.text in set(others)]
        show(
            "F13",
            seed=seed,
            poison=3,
            others=len(rest),
            in_states=dict(Counter(each.state.value for each in rest)),
            deaths=deaths,
        )
        assert dict.fromkeys(others, 1) == ledger
        assert {DeliveryState.PUBLISHED} == {each.state for each in rest}
        for poison in (publishing, unreadable):
            now = found[poison.delivery_id]
            assert (DeliveryState.UNKNOWN, True) == (now.state, now.is_asked)
            assert 1 == arena.questions()[poison.delivery_id, now.attempts[-1].attempt_id]
        assert 3 == found[publishing.delivery_id].deaths
        parked = found[validating.delivery_id]
        assert (DeliveryState.HELD, HoldReason.PARKED) == (parked.state, parked.hold_reason)
        assert [1, 1, 1] == [
            sum(poison.post.text in str(blocks) for blocks in arena.messages())
            for poison in (publishing, validating, unreadable)
        ]
        # Three each, and one where nobody can look; fewer where they met in one process, and each was held responsible.
        assert 3 <= deaths <= 3 + 3 + 1
