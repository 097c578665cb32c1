"""Access to an account comes or goes in the very moment of something else, on a real database: the invariants hold."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from logicspike.domain import ConnectionStatus, DeliveryState, HoldReason, ScheduledPost
from logicspike.services.connecting import NoSuchConnection
from logicspike.services.credentials import seal_choices
from logicspike.services.disconnecting import PostsOnDisconnect
from logicspike.services.notices import DeliveryHeld, LateQuestion, Reconnected

pytestmark = [pytest.mark.chaos, pytest.mark.patient]

MINUTE = timedelta(minutes=1)
HOLD, CANCEL, MOVE = PostsOnDisconnect.HOLD, PostsOnDisconnect.CANCEL, PostsOnDisconnect.MOVE


def open_choice(connection):
    """A sign-in whose member has yet to choose, and could only choose this account."""
    return replace(
        connection,
        connection_id="q" * 16,
        status=ConnectionStatus.PENDING_CHOICE,
        choices=(connection.account,),
        nickname="echo:open",
    )


# --- disconnecting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("posts", [HOLD, CANCEL, MOVE])
@pytest.mark.parametrize("step", ["find", "swap"])
async def test_disconnecting_while_a_post_is_on_its_way(team, check_invariants, after_call, posts, step):
    first, second = await team.connect_both()
    delivery = await team.schedule(accounts=(first.nickname,))

    async def disconnect():
        move_to = second.connection_id if posts is MOVE else None
        await team.disconnecting.disconnect(team.ana, first.connection_id, posts=posts, move_to=move_to)

    owner = team.stores.connections if step == "find" else team.stores.deliveries
    after_call(owner, step, disconnect)
    await team.deliver(after=MINUTE)
    await team.deliver(after=MINUTE)

    now = await team.read(delivery)
    assert now.state in {DeliveryState.PUBLISHED, DeliveryState.HELD, DeliveryState.CANCELED}
    assert (now.state is DeliveryState.PUBLISHED) is bool(team.fake.ledger)
    await check_invariants()


async def test_disconnecting_while_refreshing_withdraws_the_new_tokens_too(
    team, check_invariants, monkeypatch, after_call
):
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
    after_call(team.platforms, "refresh", disconnect)
    await team.deliver(after=timedelta(hours=2))

    assert 2 == len(set(withdrawn))
    assert (await team.read(delivery)).state is DeliveryState.HELD
    await check_invariants()


async def test_disconnecting_right_after_a_refresh_withdraws_the_tokens_that_were_erased(team, monkeypatch, after_call):
    connection = await team.connect()
    withdrawn = []
    monkeypatch.setattr(
        team.platforms, "revoke", lambda _name, it, is_last: asyncio.sleep(0, withdrawn.append(it.tokens.access_token))
    )
    fresh = []

    async def refresh():
        team.clock.advance(timedelta(hours=2))
        fresh.append((await team.refreshing.get_credential(connection)).credential.tokens.access_token)

    after_call(team.disconnecting, "plan_for", refresh)
    await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=HOLD)

    assert fresh == withdrawn


async def test_an_account_that_has_changed_hands_is_not_disconnected_by_an_old_click(team, after_call):
    connection = await team.connect()

    async def change_hands():
        await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=HOLD)
        await team.sign_in(team.ben)

    after_call(team.disconnecting, "plan_for", change_hands)
    with pytest.raises(NoSuchConnection):
        await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=HOLD)

    now = await team.connection(connection)
    assert (team.ben.user_id, ConnectionStatus.ACTIVE) == (now.owner_id, now.status)


async def test_a_moved_post_that_is_long_overdue_is_asked_about(team):
    first, second = await team.connect_both()
    delivery = await team.schedule(accounts=(first.nickname,))
    await team.deliver(after=timedelta(days=3))
    assert (await team.read(delivery)).hold_reason is HoldReason.LATE

    await team.disconnecting.disconnect(team.ana, first.connection_id, posts=MOVE, move_to=second.connection_id)
    await team.deliver()

    assert [] == team.fake.ledger
    assert 2 == len(team.notifier.of(LateQuestion))


async def test_a_post_is_not_moved_to_an_account_that_has_it_already(team):
    team.fake.knows_keys = False
    first, second = await team.connect_both()
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
    question = open_choice(connection)
    await team.stores.connections.insert(question)

    await team.leaving.remove_workspace("T1")

    assert () == await team.stores.connections.list_for_team("T1")
    sealed = await team.stores.database.collection("social_connections").count_documents({"sealed": {"$exists": True}})
    assert 0 == sealed
    await check_invariants()


async def test_a_workspace_leaves_while_a_post_goes_out(team, check_invariants, after_call):
    connection = await team.connect()
    delivery = await team.schedule()
    waiting = await team.schedule("Later", due_in=timedelta(hours=1))
    after_call(team.platforms, "publish", lambda: team.leaving.remove_workspace("T1"))

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


async def test_reconnecting_while_a_post_is_about_to_be_held_lets_it_go(team, after_call):
    connection = await team.connect()
    first = await team.schedule("first")
    team.fake.perform("revoke")
    await team.deliver(after=MINUTE)
    second = await team.schedule("second")

    async def reconnect():
        await team.sign_in(team.ana, connection_id=connection.connection_id)

    after_call(team.refreshing, "end_access", reconnect)
    await team.deliver(after=MINUTE)
    await team.deliver()

    assert 1 == len(team.notifier.of(Reconnected)) + len(team.notifier.revised_to(Reconnected))
    assert DeliveryState.PUBLISHED is (await team.read(first)).state
    assert DeliveryState.PUBLISHED is (await team.read(second)).state


async def test_reconnecting_while_refreshing_keeps_the_newer_tokens(team, check_invariants, after_call):
    connection = await team.connect()
    delivery = await team.schedule(due_in=timedelta(hours=2))

    async def reconnect():
        await team.sign_in(team.ana, connection_id=connection.connection_id)

    after_call(team.platforms, "refresh", reconnect)
    await team.deliver(after=timedelta(hours=2))

    assert (await team.read(delivery)).state is DeliveryState.PUBLISHED
    assert (await team.connection(connection)).status is ConnectionStatus.ACTIVE
    await check_invariants()


async def test_choosing_twice_and_the_clean_up_at_once(team, check_invariants):
    connection = await team.connect()
    credential = await team.refreshing.get_credential(connection)
    question = open_choice(connection)
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
