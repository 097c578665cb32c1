"""A part of a thread that may be live: it's looked up or asked about, and the thread goes on or ends with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from threads import TEXTS, THREE, texts

from logicspike.domain import DeliveryState, Timings
from logicspike.platforms import NotSupported
from logicspike.plugin.errors import OutcomeUnknown, PlatformUnavailable
from logicspike.services.notices import DeliveryPublished, OutcomeQuestion

MINUTE = timedelta(minutes=1)
SETTLE = Timings().settle


@pytest.fixture
def mute(team, monkeypatch):
    """A platform that can't be asked what became of a post."""

    async def find_published(*_: object) -> None:
        raise NotSupported("no")

    monkeypatch.setattr(team.platforms, "find_published", find_published)


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_a_lost_answer_is_looked_up_and_the_thread_goes_on_behind_it(team, refuse, part):
    await team.connect()
    delivery = await team.schedule(THREE)
    refuse(OutcomeUnknown("lost"), part=part, is_live=True)

    await team.deliver(after=MINUTE)
    assert (DeliveryState.UNKNOWN, part) == ((await team.read(delivery)).state, len((await team.read(delivery)).live))

    team.clock.advance(SETTLE)
    await team.reconciling.settle_unknown()
    await team.deliver()

    assert DeliveryState.PUBLISHED == (await team.read(delivery)).state
    assert TEXTS == texts(team)
    assert 1 == len(team.notifier.of(DeliveryPublished))


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_a_part_that_is_not_there_is_sent_again_and_no_other(team, refuse, part):
    await team.connect()
    await team.schedule(THREE)
    refuse(OutcomeUnknown("lost"), part=part)

    await team.deliver(after=MINUTE)
    for pause in (SETTLE, MINUTE):
        team.clock.advance(pause)
        await team.reconciling.settle_unknown()
    await team.deliver()

    assert TEXTS == texts(team)


async def ask_about(team, delivery):
    team.clock.advance(SETTLE)
    await team.reconciling.settle_unknown()
    asked = await team.read(delivery)
    assert (DeliveryState.UNKNOWN, True) == (asked.state, asked.is_asked)
    assert 1 == len(team.notifier.of(OutcomeQuestion))
    return asked.attempts[-1].attempt_id


async def lose(team, refuse, *, part, is_live=False):
    """Publish a thread of which a part's answer gets lost, until its author is asked; the thread, and what attempt."""
    await team.connect()
    delivery = await team.schedule(THREE)
    refuse(OutcomeUnknown("lost"), part=part, is_live=is_live)
    await team.deliver(after=MINUTE)
    return delivery, await ask_about(team, delivery)


@pytest.mark.usefixtures("mute")
async def test_posting_again_is_about_the_part_that_was_lost(team, refuse):
    delivery, attempt_id = await lose(team, refuse, part=1)

    await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "again")
    await team.deliver()

    assert TEXTS == texts(team)


@pytest.mark.usefixtures("mute")
async def test_dropping_keeps_what_is_live(team, refuse):
    delivery, attempt_id = await lose(team, refuse, part=1)

    dropped = await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "drop")

    assert (DeliveryState.FAILED, 1) == (dropped.state, len(dropped.live))
    assert team.fake.ledger[0].id == dropped.published_id


@pytest.mark.usefixtures("mute")
async def test_seeing_the_last_part_live_ends_the_thread(team, refuse):
    delivery, attempt_id = await lose(team, refuse, part=2, is_live=True)

    seen = await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "live")

    assert (DeliveryState.PUBLISHED, 3) == (seen.state, len(seen.live))
    assert team.fake.ledger[0].id == seen.published_id


@pytest.mark.usefixtures("mute")
async def test_seeing_a_part_live_whose_place_nobody_knows_gives_up_the_rest_and_says_so(team, refuse):
    delivery, attempt_id = await lose(team, refuse, part=1, is_live=True)

    seen = await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "live")

    assert (DeliveryState.FAILED, 2) == (seen.state, len(seen.live))
    assert "You saw part 2 live, but I can't find out where it is" in seen.detail
    assert "three" == seen.unpublished_text


async def test_seeing_a_part_live_that_can_be_found_now_lets_the_thread_go_on(team, refuse, monkeypatch):
    await team.connect()
    delivery = await team.schedule(THREE)
    refuse(OutcomeUnknown("lost"), part=1, is_live=True)
    find = team.platforms.find_published

    async def down(*_: object) -> None:
        raise PlatformUnavailable("Echo is down.")

    monkeypatch.setattr(team.platforms, "find_published", down)
    await team.deliver(after=MINUTE)
    team.clock.advance(SETTLE + MINUTE)
    attempt_id = await ask_about(team, delivery)

    waiting = await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "live")
    assert DeliveryState.UNKNOWN == waiting.state
    assert "Echo is down. Please answer again in a while." in waiting.detail

    monkeypatch.setattr(team.platforms, "find_published", find)
    await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "live")
    await team.deliver()
    assert DeliveryState.PUBLISHED == (await team.read(delivery)).state
    assert TEXTS == texts(team)
