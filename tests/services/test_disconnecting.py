from __future__ import annotations

from datetime import timedelta

import pytest

from logicspike.domain import ConnectionStatus, DeliveryState, HoldReason
from logicspike.services.connecting import NoSuchConnection, NotAllowed
from logicspike.services.disconnecting import AccountAmbiguous, AccountNotFound, PostsOnDisconnect
from logicspike.services.notices import Connected, Reconnected
from logicspike.services.withdrawing import Withdrawal

HOUR = timedelta(hours=1)


async def test_a_plan_says_what_waits(team):
    await team.connect()
    first = await team.schedule(due_in=HOUR)
    await team.schedule(due_in=2 * HOUR)

    plan = await team.disconnecting.plan(team.ana, "echo")

    assert (2, first.due_at) == (plan.waiting, plan.next_due_at)


async def test_tokens_are_erased_and_withdrawn(team):
    connection = await team.connect()

    done = await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=PostsOnDisconnect.HOLD)

    after = await team.connection(connection)
    assert (ConnectionStatus.DISCONNECTED, None) == (after.status, after.sealed)
    assert Withdrawal.DONE is done.withdrawal
    assert all(grant.is_revoked for grant in team.fake._grants)
    assert () == await team.stores.connections.list_for_team("T1")


async def test_tokens_are_erased_though_the_platform_is_down(team):
    connection = await team.connect()
    team.fake.switch("unavailable")

    done = await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=PostsOnDisconnect.HOLD)

    assert Withdrawal.FAILED is done.withdrawal
    assert None is (await team.connection(connection)).sealed


async def test_held_posts_come_back_when_the_account_is_connected_again(team):
    connection = await team.connect()
    delivery = await team.schedule(due_in=HOUR)
    done = await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=PostsOnDisconnect.HOLD)
    assert 1 == done.held
    assert HoldReason.RECONNECT == (await team.read(delivery)).hold_reason

    await team.sign_in(team.ana)

    assert [Connected, Reconnected] == [type(notice) for _, notice in team.notifier.revised]
    back = await team.read(delivery)
    assert (DeliveryState.SCHEDULED, delivery.due_at) == (back.state, back.next_try_at)
    assert connection.connection_id == (await team.stores.connections.list_for_team("T1"))[0].connection_id


async def test_posts_can_be_canceled_with_it(team):
    connection = await team.connect()
    delivery = await team.schedule(due_in=HOUR)

    done = await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=PostsOnDisconnect.CANCEL)

    assert 1 == done.canceled
    assert DeliveryState.CANCELED == (await team.read(delivery)).state


async def test_posts_can_move_to_another_account_of_the_platform(team):
    ann, ben = await team.connect(person="p-1"), await team.connect(person="p-2")
    delivery = await team.schedule("Moved", accounts=(ann.nickname,))

    done = await team.disconnecting.disconnect(
        team.ana, ann.connection_id, posts=PostsOnDisconnect.MOVE, move_to=ben.connection_id
    )
    await team.deliver(after=timedelta(minutes=1))

    assert 1 == done.moved
    assert [("Ben Echo", "Moved")] == [(entry.account.name, entry.text) for entry in team.fake.ledger]
    assert "Ben Echo" == (await team.read(delivery)).account_name


async def test_a_second_disconnect_finds_nothing(team):
    connection = await team.connect()
    await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=PostsOnDisconnect.HOLD)

    with pytest.raises(NoSuchConnection):
        await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=PostsOnDisconnect.HOLD)


async def test_only_owner_and_admins_may_disconnect(team):
    connection = await team.connect()

    with pytest.raises(NotAllowed) as refused:
        await team.disconnecting.plan(team.ben, "echo")
    assert "UANA" == refused.value.owner_id

    team.directory.admins.add("UBEN")
    assert connection == (await team.disconnecting.plan(team.ben, "echo")).connection


async def test_another_workspace_cannot_touch_it(team):
    connection = await team.connect()

    with pytest.raises(NoSuchConnection):
        await team.disconnecting.plan_for(team.stranger, connection.connection_id)


async def test_names_that_fit_none_or_several_are_said_so(team):
    await team.connect(person="p-1")
    await team.connect(person="p-2")

    with pytest.raises(AccountAmbiguous) as several:
        await team.disconnecting.plan(team.ana, "echo")
    assert 2 == len(several.value.options)
    with pytest.raises(AccountNotFound) as none:
        await team.disconnecting.plan(team.ana, "echo:ann-ecko")
    assert "echo:ann-echo" == none.value.suggestion


async def test_a_workspace_that_leaves_stops_at_once(team):
    connection = await team.connect()
    delivery = await team.schedule()
    theirs = await team.connect(team.stranger)
    await team.connecting.start(team.ana, "echo")

    for _ in range(2):
        await team.leaving.remove_workspace("T1")

    assert DeliveryState.CANCELED == (await team.read(delivery)).state
    assert None is (await team.connection(connection)).sealed
    assert ConnectionStatus.ACTIVE == (await team.connection(theirs)).status
    assert await team.stores.workspaces.is_removed("T1")
    assert 0 == await team.deliver(after=timedelta(minutes=1))


async def test_a_removal_that_was_only_noted_is_carried_through_later(team):
    connection = await team.connect()
    delivery = await team.schedule()
    await team.leaving.note_removal("T1")
    assert DeliveryState.SCHEDULED == (await team.read(delivery)).state

    assert 1 == await team.leaving.finish_removals()

    assert DeliveryState.CANCELED == (await team.read(delivery)).state
    assert None is (await team.connection(connection)).sealed
    assert 0 == await team.leaving.finish_removals()
