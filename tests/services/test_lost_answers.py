"""A post that may be live is looked up, or asked about: never sent again on a guess."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from team import claim_due

from logicspike.domain import Attempt, DeliveryState, Timings
from logicspike.plugin.errors import OutcomeUnknown
from logicspike.services.notices import DeliveryPublished, OutcomeQuestion

MINUTE = timedelta(minutes=1)
LEASE_AND_A_BIT = timedelta(seconds=95)
SETTLE = Timings().settle


@pytest.mark.parametrize("fault", ["accept_then_drop", "error_after_accept"])
async def test_a_lost_answer_is_unknown_then_found_and_never_posted_twice(team, fault):
    await team.connect()
    delivery = await team.schedule()
    team.fake.switch(fault, times=1)

    await team.deliver(after=MINUTE)
    assert DeliveryState.UNKNOWN == (await team.read(delivery)).state
    assert 0 == await team.reconciling.settle_unknown()

    team.clock.advance(SETTLE)
    assert 1 == await team.reconciling.settle_unknown()
    await team.telling.tell_owed()

    assert DeliveryState.PUBLISHED == (await team.read(delivery)).state
    assert 1 == len(team.fake.ledger)
    assert 1 == len(team.notifier.of(DeliveryPublished))


async def test_an_unknown_post_that_is_not_there_twice_is_published_again(team, refuse):
    await team.connect()
    delivery = await team.schedule()
    refuse(OutcomeUnknown("no answer, and nothing arrived"))

    await team.deliver(after=MINUTE)
    team.clock.advance(SETTLE)
    await team.reconciling.settle_unknown()
    assert DeliveryState.UNKNOWN == (await team.read(delivery)).state
    assert 0 == await team.reconciling.settle_unknown()
    team.clock.advance(MINUTE)
    await team.reconciling.settle_unknown()
    await team.deliver()

    assert DeliveryState.PUBLISHED == (await team.read(delivery)).state
    assert 1 == len(team.fake.ledger)


async def test_a_platform_without_look_up_asks_the_author(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule()
    team.fake.switch("accept_then_drop", times=1)
    await team.deliver(after=MINUTE)
    hooks = {key: value for key, value in team.platforms._hooks.items() if key[1] != "find_published"}
    monkeypatch.setattr(team.platforms, "_hooks", hooks)
    monkeypatch.setattr(type(team.platforms), "supports", lambda self, name, hook: (name, hook) in self._hooks)

    team.clock.advance(SETTLE)
    await team.reconciling.settle_unknown()
    await team.reconciling.settle_unknown()

    [question] = team.notifier.of(OutcomeQuestion)
    attempt_id = question.delivery.attempts[-1].attempt_id
    settled = await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "live")
    assert DeliveryState.PUBLISHED == settled.state
    again = await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "again")
    assert DeliveryState.PUBLISHED == again.state


async def test_an_account_that_may_not_look_asks_the_author_at_once(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule()
    team.fake.switch("accept_then_drop", times=1)
    await team.deliver(after=MINUTE)

    async def may_not_look(*_args: object) -> object:
        raise OutcomeUnknown("Chirp doesn't let the bot look.")

    monkeypatch.setattr(team.platforms, "find_published", may_not_look)
    team.clock.advance(SETTLE)
    await team.reconciling.settle_unknown()

    [question] = team.notifier.of(OutcomeQuestion)
    assert delivery.delivery_id == question.delivery.delivery_id


async def test_a_process_that_died_while_publishing_leaves_an_unknown_not_a_second_post(team):
    await team.connect()
    delivery = await team.schedule()
    team.clock.advance(MINUTE)
    now = team.clock.now()
    [claimed] = await claim_due(
        team.stores.deliveries, now=now, owner="dead", until=now + timedelta(seconds=90), limit=10
    )
    publishing = replace(claimed, state=DeliveryState.PUBLISHING)
    assert await team.stores.deliveries.swap(claimed, publishing)
    team.clock.advance(LEASE_AND_A_BIT)

    await team.reconciling.rescue()

    assert DeliveryState.UNKNOWN == (await team.read(delivery)).state
    assert 0 == await team.deliver()


async def test_a_post_that_dies_while_publishing_is_asked_about_after_three_deaths(team):
    await team.connect()
    poison = await team.schedule("poison")
    team.clock.advance(MINUTE)
    for _ in range(3):
        now = team.clock.now()
        [claimed] = await claim_due(
            team.stores.deliveries, now=now, owner="dies", until=now + timedelta(seconds=90), limit=10
        )
        attempts = (*claimed.attempts, Attempt(attempt_id=f"a{len(claimed.attempts)}", started_at=now))
        assert await team.stores.deliveries.swap(
            claimed, replace(claimed, state=DeliveryState.PUBLISHING, attempts=attempts)
        )
        team.clock.advance(LEASE_AND_A_BIT)
        await team.reconciling.rescue()
        for _ in range(2):
            team.clock.advance(SETTLE)
            await team.reconciling.settle_unknown()

    assert DeliveryState.UNKNOWN == (await team.read(poison)).state
    assert 1 == len(team.notifier.of(OutcomeQuestion))
    assert [] == team.fake.ledger
