"""F6: a platform that fails in every way it can, without any death: its pauses are kept to, and nothing is lost."""

from __future__ import annotations

from collections import Counter

import pytest
from chaos_arena import open_arena
from chaos_platform import RETRY_AFTER_SECONDS, ChaosFake, Weather
from measured import choose_seed, show, size

from logicspike.domain import DeliveryState

pytestmark = pytest.mark.chaos

SLACK_SECONDS = 1.0  # what a pause may be cut short by


def waits_after_pauses(fake: ChaosFake) -> list[float]:
    """For each time an account was told to slow down: how long until anything came for it again, if anything did."""
    waits = []
    for account_id, told_at in fake.pauses:
        later = [each.at for each in fake.arrivals if each.account_id == account_id and each.at > told_at]
        waits += [min(later) - told_at] if later else []
    return waits


async def test_pauses_are_kept_to_and_no_fault_loses_or_doubles_a_post(tmp_path):
    seed, posts = choose_seed(), size(300)
    async with open_arena(tmp_path, seed=seed, weather=Weather(seed=seed, share=0.2, latency=(0.02, 0.2))) as arena:
        fake, connections = arena.fakes["listed"], await arena.connect_accounts("listed", 20)
        await arena.schedule(connections, [f"post {number}" for number in range(posts)], over=10.0 * size(1))
        async with arena.keeping(2):
            found = await arena.wait_until_settled(limit=60 * size(1))
    waits, ledger = waits_after_pauses(fake), Counter(entry.text for entry in fake.ledger)
    show(
        "F6",
        seed=seed,
        posts=len(found),
        accounts=len(connections),
        states=dict(Counter(each.state.value for each in found)),
        doubled=sum(count > 1 for count in ledger.values()),
        pauses=len(fake.pauses),
        asked_for=f"{RETRY_AFTER_SECONDS} s",
        kept=f"{min(waits):.1f} to {max(waits):.1f} s",
        faults=dict(sorted(fake.faults.items())),
    )
    published = {each.post.text for each in found if each.state is DeliveryState.PUBLISHED}
    assert published <= set(ledger)
    assert {1} == set(ledger.values())
    # The rest is what the platform said twice is not there: no machine may send that again.
    assert {DeliveryState.PUBLISHED, DeliveryState.UNKNOWN} >= {each.state for each in found}
    assert len(published) >= 0.95 * posts
    assert min(waits) >= RETRY_AFTER_SECONDS - SLACK_SECONDS
