"""Two things at the same moment, on a real database: whatever the order, the invariants hold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from logicspike.domain import ConnectionStatus, DeliveryState, HoldReason, ScheduledPost
from logicspike.plugin.errors import RateLimited, TokenExpired
from logicspike.services.connecting import NoSuchConnection
from logicspike.services.credentials import seal_choices
from logicspike.services.disconnecting import PostsOnDisconnect
from logicspike.services.notices import DeliveryHeld, LateQuestion, OutcomeQuestion, Reconnected
from logicspike.services.ports import StoreUnavailable

MINUTE = timedelta(minutes=1)
HOLD, CANCEL, MOVE = PostsOnDisconnect.HOLD, PostsOnDisconnect.CANCEL, PostsOnDisconnect.MOVE


def after_call(owner: object, name: str, then: Callable[[], Awaitable[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let something happen right after the first call of a method, before its caller goes on."""
    real, is_done = getattr(owner, name), []

    async def call(*args: Any, **kwargs: Any) -> Any:
        result = await real(*args, **kwargs)
        if not is_done:
            is_done.append(True)
            await then()
        return result

    monkeypatch.setattr(owner, name, call)


async def connect_both(team):
    first = await team.connect(person="p-1")
    await team.sign_in(team.ana, person="p-2")
    everything = await team.stores.connections.list_for_team("T1")
    return first, next(each for each in everything if each.connection_id != first.connection_id)


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


# --- disconnecting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("posts", [HOLD, CANCEL, MOVE])
@pytest.mark.parametrize("step", ["find", "swap"])
async def test_disconnecting_while_a_post_is_on_its_way(team, check_invariants, monkeypatch, posts, step):
    first, second = await connect_both(team)
    delivery = await team.schedule(accounts=(first.nickname,))

    async def disconnect():
        move_to = second.connection_id if posts is MOVE else None
        await team.disconnecting.disconnect(team.ana, first.connection_id, posts=posts, move_to=move_to)

    owner = team.stores.connections if step == "find" else team.stores.deliveries
    after_call(owner, step, disconnect, monkeypatch)
    await team.deliver(after=MINUTE)
    await team.deliver(after=MINUTE)

    now = await team.read(delivery)
    assert now.state in {DeliveryState.PUBLISHED, DeliveryState.HELD, DeliveryState.CANCELED}
    assert (now.state is DeliveryState.PUBLISHED) is bool(team.fake.ledger)
    await check_invariants()


async def test_disconnecting_while_refreshing_withdraws_the_new_tokens_too(team, check_invariants, monkeypatch):
    connection = await team.connect()
    delivery = await team.schedule(due_in=timedelta(hours=2))

    async def disconnect():
        await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=HOLD)

    withdrawn = []
    real = team.platforms.revoke
    monkeypatch.setattr(
        team.platforms,
        "revoke",
        lambda name, it, is_last: (withdrawn.append(it.tokens.access_token), real(name, it, is_last=is_last))[1],
    )
    after_call(team.platforms, "refresh", disconnect, monkeypatch)
    await team.deliver(after=timedelta(hours=2))

    assert 2 == len(set(withdrawn))
    assert (await team.read(delivery)).state is DeliveryState.HELD
    await check_invariants()


async def test_disconnecting_right_after_a_refresh_withdraws_the_tokens_that_were_erased(team, monkeypatch):
    connection = await team.connect()
    withdrawn = []
    monkeypatch.setattr(
        team.platforms, "revoke", lambda _name, it, is_last: asyncio.sleep(0, withdrawn.append(it.tokens.access_token))
    )
    fresh = []

    async def refresh():
        team.clock.advance(timedelta(hours=2))
        fresh.append((await team.refreshing.get_credential(connection)).credential.tokens.access_token)

    after_call(team.disconnecting, "plan_for", refresh, monkeypatch)
    await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=HOLD)

    assert fresh == withdrawn


async def test_an_account_that_has_changed_hands_is_not_disconnected_by_an_old_click(team, monkeypatch):
    connection = await team.connect()

    async def change_hands():
        await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=HOLD)
        await team.sign_in(team.ben)

    after_call(team.disconnecting, "plan_for", change_hands, monkeypatch)
    with pytest.raises(NoSuchConnection):
        await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=HOLD)

    now = await team.connection(connection)
    assert (team.ben.user_id, ConnectionStatus.ACTIVE) == (now.owner_id, now.status)


async def test_a_moved_post_that_is_long_overdue_is_asked_about(team):
    first, second = await connect_both(team)
    delivery = await team.schedule(accounts=(first.nickname,))
    await team.deliver(after=timedelta(days=3))
    assert (await team.read(delivery)).hold_reason is HoldReason.LATE

    await team.disconnecting.disconnect(team.ana, first.connection_id, posts=MOVE, move_to=second.connection_id)
    await team.deliver()

    assert [] == team.fake.ledger
    assert 2 == len(team.notifier.of(LateQuestion))


async def test_a_post_is_not_moved_to_an_account_that_has_it_already(team):
    team.fake.knows_keys = False
    first, second = await connect_both(team)
    await team.schedule(accounts=(first.nickname, second.nickname))

    done = await team.disconnecting.disconnect(team.ana, first.connection_id, posts=MOVE, move_to=second.connection_id)
    await team.deliver(after=MINUTE)

    assert (0, 1) == (done.moved, done.canceled)
    assert 1 == len(team.fake.ledger)


async def test_a_post_for_an_account_that_is_gone_is_held_and_its_author_told(team):
    connection = await team.connect()
    await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=HOLD)
    now = team.clock.now()
    post = ScheduledPost(
        post_id="p", author=team.ana, text="Hi", link=None, due_at=now, zone="UTC", wall_time="", created_at=now
    )
    delivery = team.scheduling._to_delivery(post, connection)
    await team.stores.deliveries.insert_many([delivery])

    await team.deliver()

    assert (await team.read(delivery)).hold_reason is HoldReason.RECONNECT
    assert 1 == len(team.notifier.of(DeliveryHeld))


# --- a workspace leaves -----------------------------------------------------------------------------------------------


async def test_a_workspace_leaves_with_a_choice_still_open(team, check_invariants):
    connection = await team.connect()
    question = replace(
        connection,
        connection_id="q" * 16,
        status=ConnectionStatus.PENDING_CHOICE,
        choices=(connection.account,),
        nickname="echo:open",
    )
    await team.stores.connections.insert(question)

    await team.leaving.remove_workspace("T1")

    assert () == await team.stores.connections.list_for_team("T1")
    sealed = await team.stores.database.collection("social_connections").count_documents({"sealed": {"$exists": True}})
    assert 0 == sealed
    await check_invariants()


async def test_a_workspace_leaves_while_a_post_goes_out(team, check_invariants, monkeypatch):
    connection = await team.connect()
    delivery = await team.schedule()
    waiting = await team.schedule("Later", due_in=timedelta(hours=1))
    after_call(team.platforms, "publish", lambda: team.leaving.remove_workspace("T1"), monkeypatch)

    await team.deliver(after=MINUTE)

    assert (await team.read(delivery)).state is DeliveryState.PUBLISHED
    assert (await team.read(waiting)).state is DeliveryState.CANCELED
    assert (await team.connection(connection)).sealed is None
    await check_invariants()


# --- connecting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", ["ana", "ben"])
async def test_two_sign_ins_for_one_account_at_once_make_one_connection(team, restart, check_invariants, second):
    other = restart()
    results = await asyncio.gather(team.sign_in(team.ana), other.sign_in(getattr(other, second)))

    assert 1 == len(await team.stores.connections.list_for_team("T1"))
    outcomes = sorted([(await team.stores.pending.find_result(each)).outcome for each in results])
    assert (["connected", "connected"] if second == "ana" else ["connected", "taken"]) == outcomes
    await check_invariants()


async def test_reconnecting_while_a_post_is_about_to_be_held_lets_it_go(team, monkeypatch):
    connection = await team.connect()
    first = await team.schedule("first")
    team.fake.perform("revoke")
    await team.deliver(after=MINUTE)
    second = await team.schedule("second")

    async def reconnect():
        await team.sign_in(team.ana, connection_id=connection.connection_id)

    after_call(team.refreshing, "end_access", reconnect, monkeypatch)
    await team.deliver(after=MINUTE)
    await team.deliver()

    assert 1 == len(team.notifier.of(Reconnected)) + len(team.notifier.revised_to(Reconnected))
    assert DeliveryState.PUBLISHED is (await team.read(first)).state
    assert DeliveryState.PUBLISHED is (await team.read(second)).state


async def test_reconnecting_while_refreshing_keeps_the_newer_tokens(team, check_invariants, monkeypatch):
    connection = await team.connect()
    delivery = await team.schedule(due_in=timedelta(hours=2))

    async def reconnect():
        await team.sign_in(team.ana, connection_id=connection.connection_id)

    after_call(team.platforms, "refresh", reconnect, monkeypatch)
    await team.deliver(after=timedelta(hours=2))

    assert (await team.read(delivery)).state is DeliveryState.PUBLISHED
    assert (await team.connection(connection)).status is ConnectionStatus.ACTIVE
    await check_invariants()


async def test_choosing_twice_and_the_clean_up_at_once(team, check_invariants):
    connection = await team.connect()
    credential = await team.refreshing.get_credential(connection)
    question = replace(
        connection,
        connection_id="q" * 16,
        status=ConnectionStatus.PENDING_CHOICE,
        choices=(connection.account,),
        nickname="echo:open",
    )
    sealed = seal_choices(
        team.connecting._vault, (credential.credential,), connection_id=question.connection_id, team_id="T1"
    )
    await team.stores.connections.insert(replace(question, sealed=sealed))

    await asyncio.gather(
        team.connecting.choose(team.ana, question.connection_id, 0),
        team.connecting.choose(team.ana, question.connection_id, 0),
        team.disconnecting.drop_stale_choices(team.clock.now() + MINUTE),
        return_exceptions=True,
    )

    [left] = await team.stores.connections.list_for_team("T1")
    assert (connection.connection_id, ConnectionStatus.ACTIVE) == (left.connection_id, left.status)
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
async def test_the_clock_jumps_while_a_claim_is_held(team, restart, check_invariants, monkeypatch, jump, step):
    await team.connect()
    delivery = await team.schedule()
    other = restart()

    async def leap():
        other.clock.advance(jump)
        await other.reconciling.rescue()
        await other.delivering.deliver_due()
        await other.delivering.wait_until_idle()

    name = next(each for each in dir(team.stores.deliveries) if each.startswith(step))
    after_call(team.stores.deliveries, name, leap, monkeypatch)
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
