"""Two things at the same moment, on a real database: whatever the order, the invariants hold."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from logicspike.domain import DeliveryState, HoldReason
from logicspike.plugin.errors import RateLimited, TokenExpired
from logicspike.services.connecting import NoSuchConnection
from logicspike.services.disconnecting import PostsOnDisconnect
from logicspike.services.notices import LateQuestion, OutcomeQuestion
from logicspike.services.ports import StoreUnavailable

MINUTE = timedelta(minutes=1)
HOLD, CANCEL, MOVE = PostsOnDisconnect.HOLD, PostsOnDisconnect.CANCEL, PostsOnDisconnect.MOVE


# --- clicks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [("again", "again"), ("live", "again"), ("drop", "live"), ("again", "drop")])
async def test_of_two_answers_about_an_outcome_one_counts(team, check_invariants, answers):
    await team.connect()
    delivery = await team.schedule()
    team.fake.switch("error_after_accept", times=1)
    await team.deliver(after=MINUTE)
    attempt_id = (await team.read(delivery)).attempts[-1].attempt_id

    await asyncio.gather(
        *(team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, answer) for answer in answers)
    )
    await team.deliver()

    assert (await team.read(delivery)).state in {DeliveryState.PUBLISHED, DeliveryState.FAILED}
    assert 1 == len(team.fake.ledger)
    await check_invariants()


async def test_cancelling_twice_against_two_claims_ends_in_one_of_both(team, restart, check_invariants):
    await team.connect()
    deliveries = [await team.schedule(f"post {number}") for number in range(12)]
    team.clock.advance(MINUTE)
    other = restart()

    outcomes = await asyncio.gather(
        team.delivering.deliver_due(),
        other.delivering.deliver_due(),
        *(team.scheduling.cancel(team.ana, each.delivery_id) for each in deliveries for _ in range(2)),
    )
    await asyncio.gather(team.delivering.wait_until_idle(), other.delivering.wait_until_idle())

    for each in deliveries:
        now = await team.read(each)
        said = [o for o in outcomes[2:] if o.delivery.delivery_id == each.delivery_id]
        is_live = any(entry.text == each.post.text for entry in team.fake.ledger)
        assert now.state is (DeliveryState.PUBLISHED if is_live else DeliveryState.CANCELED)
        assert all(outcome.is_canceled is not is_live for outcome in said)
    await check_invariants()


async def test_holding_and_cancelling_the_posts_of_one_account_at_once_settles_each_post_once(team, check_invariants):
    connection = await team.connect()
    deliveries = [await team.schedule(f"post {number}") for number in range(6)]

    done = await asyncio.gather(
        team.disconnecting.disconnect(team.ana, connection.connection_id, posts=HOLD),
        team.disconnecting.disconnect(team.ana, connection.connection_id, posts=CANCEL),
        return_exceptions=True,
    )

    assert 1 == sum(isinstance(each, NoSuchConnection) for each in done)
    assert 1 == len({(await team.read(each)).state for each in deliveries})
    await check_invariants()


# --- what Slack and platforms do at the wrong moment ------------------------------------------------------------------


async def test_a_refresh_that_answers_token_expired_is_asked_once(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule()
    calls = []

    async def refresh(name, _credential):
        calls.append(name)
        assert len(calls) < 5, "it goes on and on"
        raise TokenExpired("The refresh token has ended.")

    monkeypatch.setattr(team.platforms, "refresh", refresh)
    team.fake.perform("expire")
    await team.deliver(after=MINUTE)

    assert 1 == len(calls)
    assert (await team.read(delivery)).hold_reason is HoldReason.RECONNECT


@pytest.mark.parametrize("pause", [timedelta(days=-3), timedelta(0), timedelta(days=365 * 3000)])
async def test_a_senseless_pause_is_kept_within_reason(team, monkeypatch, pause):
    await team.connect()
    delivery = await team.schedule()

    async def publish(_name, _credential, _post, _prepared):
        raise RateLimited("Slow down.", until=team.clock.now() + pause)

    monkeypatch.setattr(team.platforms, "publish", publish)
    await team.deliver(after=MINUTE)

    wait = (await team.read(delivery)).next_try_at - team.clock.now()
    assert timedelta(seconds=1) < wait <= timedelta(days=1)


async def test_an_outage_while_holding_late_posts_leaves_no_author_unasked(team, monkeypatch):
    await team.connect()
    deliveries = [await team.schedule(f"late {number}") for number in range(3)]
    real, calls = team.stores.deliveries.swap, []

    async def swap(before, after):
        calls.append(before)
        if len(calls) == 2:
            raise StoreUnavailable("the database did not answer")
        return await real(before, after)

    monkeypatch.setattr(team.stores.deliveries, "swap", swap)
    await team.deliver(after=timedelta(hours=1))
    await team.reconciling.rescue()
    team.clock.advance(timedelta(minutes=2))
    await team.reconciling.rescue()
    await team.deliver()

    asked = [each.delivery_id for notice in team.notifier.of(LateQuestion) for each in notice.deliveries]
    assert sorted(each.delivery_id for each in deliveries) == sorted(asked)


async def test_a_question_that_slack_did_not_take_is_asked_again(team):
    await team.connect()
    await team.schedule()
    team.fake.switch("accept_then_drop", times=1)
    await team.deliver(after=MINUTE)
    team.fake.switch("unavailable")
    for is_down in (True, False):
        team.notifier.is_down = is_down
        for _ in range(8):
            team.clock.advance(timedelta(minutes=3))
            await team.reconciling.settle_unknown()

    assert 1 == len(team.notifier.of(OutcomeQuestion))


async def test_an_unknown_outcome_at_a_platform_that_was_uninstalled_is_asked_about(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule()
    team.fake.switch("accept_then_drop", times=1)
    await team.deliver(after=MINUTE)
    monkeypatch.setattr(team.platforms, "_by_typed", {})

    for _ in range(4):
        team.clock.advance(timedelta(minutes=3))
        await team.reconciling.settle_unknown()

    assert (await team.read(delivery)).is_asked
    assert 1 == len(team.notifier.of(OutcomeQuestion))


async def test_an_outcome_is_looked_up_with_fresh_tokens(team):
    await team.connect()
    delivery = await team.schedule()
    team.fake.switch("accept_then_drop", times=1)
    await team.deliver(after=MINUTE)
    team.fake.perform("expire")

    team.clock.advance(timedelta(minutes=3))
    await team.reconciling.settle_unknown()

    assert (await team.read(delivery)).state is DeliveryState.PUBLISHED


async def test_a_foreign_draft_is_left_alone_and_nothing_typed_is_lost(team):
    theirs = await team.scheduling.save_draft(team.ben, "Ben's")

    mine = await team.scheduling.save_draft(team.ana, "Ana's", draft_id=theirs.draft_id)

    assert theirs.draft_id != mine.draft_id
    assert "Ben's" == (await team.scheduling.find_draft(team.ben, theirs.draft_id)).text
    assert "Ana's" == (await team.scheduling.find_draft(team.ana, mine.draft_id)).text


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [timedelta(minutes=30), timedelta(minutes=-30)])
@pytest.mark.parametrize("step", ["claim", "swap"])
async def test_the_clock_jumps_while_a_claim_is_held(team, restart, check_invariants, after_call, jump, step):
    await team.connect()
    delivery = await team.schedule()
    other = restart()

    async def leap():
        other.clock.advance(jump)
        await other.reconciling.rescue()
        await other.delivering.deliver_due()
        await other.delivering.wait_until_idle()

    name = next(each for each in dir(team.stores.deliveries) if each.startswith(step))
    after_call(team.stores.deliveries, name, leap)
    await team.deliver(after=MINUTE)
    for _ in range(40):
        other.clock.advance(timedelta(minutes=3))
        await other.reconciling.rescue()
        await other.reconciling.settle_unknown()
        await other.deliver()

    now = await team.read(delivery)
    is_asked = now.state is DeliveryState.HELD and now.hold_reason is HoldReason.LATE
    assert now.state is DeliveryState.PUBLISHED or is_asked
    assert (now.state is DeliveryState.PUBLISHED) is bool(team.fake.ledger)
    assert team.fake.requests.count(("POST", "/echoes")) <= 1
    await check_invariants()


async def test_a_token_that_ends_exactly_at_the_due_time_is_renewed_before(team):
    connection = await team.connect()
    ends_at = (await team.connection(connection)).token_expires_at
    delivery = await team.schedule(due_in=ends_at - team.clock.now())

    await team.deliver(after=ends_at - team.clock.now())

    assert (await team.read(delivery)).state is DeliveryState.PUBLISHED
    assert 1 == len((await team.read(delivery)).attempts)
