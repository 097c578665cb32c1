from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from logicspike.domain import ConnectionStatus, DeliveryState, HoldReason
from logicspike.plugin.errors import ReconnectRequired, TokenExpired
from logicspike.services.disconnecting import PostsOnDisconnect
from logicspike.services.notices import *
from logicspike.services.ports import StoreUnavailable

MINUTE = timedelta(minutes=1)


async def test_refresh_that_answers_token_expired_ends_in_a_reconnect(team):
    connection = await team.connect()
    delivery = await team.schedule(due_in=timedelta(minutes=1))
    calls = []

    async def refresh(name, credential):
        calls.append(name)
        if len(calls) > 20:
            raise AssertionError("it goes on and on")
        raise TokenExpired("expired")

    team.platforms.refresh = refresh
    team.fake.perform("expire")
    await team.deliver(after=MINUTE)
    print(len(calls), await team.read(delivery))
    assert len(calls) <= 2
    assert (await team.read(delivery)).state is DeliveryState.HELD


async def test_uninstall_with_open_choice(team):
    connection = await team.connect()
    question = replace(
        connection,
        connection_id="q" * 16,
        status=ConnectionStatus.PENDING_CHOICE,
        choices=(connection.account,),
        nickname="echo:qqq",
    )
    await team.stores.connections.insert(question)
    await team.leaving.remove_workspace("T1")
    left = await team.stores.database.collection("social_connections").find({"sealed": {"$exists": True}}).to_list(None)
    assert left == []


async def test_late_ask_survives_an_outage(team, restart, faults):
    await team.connect()
    first = await team.schedule("one")
    second = await team.schedule("two")
    other = restart(faults)
    faults.arm(3, "before")
    other.clock.advance(timedelta(hours=1))
    await other.delivering.deliver_due()
    await other.delivering.wait_until_idle()
    print(faults.calls)
    faults.disarm()
    asked = {d.delivery_id for n in other.notifier.of(LateQuestion) for d in n.deliveries}
    held = {d.delivery_id for d in [await team.read(first), await team.read(second)] if d.state is DeliveryState.HELD}
    assert asked == held


async def test_rotated_tokens_survive_an_outage(team, restart, faults):
    connection = await team.connect()
    delivery = await team.schedule(due_in=timedelta(hours=2))
    other = restart(faults)
    team.clock.advance(timedelta(hours=2))
    for n in range(0, 12):
        pass

    # the swap that stores the new tokens
    class At(type(faults)):
        pass

    async def around(name, call):
        if name == "connections.swap" and not getattr(faults, "done", False):
            faults.done = True
            raise StoreUnavailable("x")
        return await call()

    faults.around = around
    await other.delivering.deliver_due()
    await other.delivering.wait_until_idle()
    for _ in range(4):
        other.clock.advance(timedelta(minutes=3))
        await other.reconciling.rescue()
        await other.reconciling.settle_unknown()
        await other.deliver()
    assert (await team.read(delivery)).state is DeliveryState.PUBLISHED


async def test_reconnect_while_holding(team):
    connection = await team.connect()
    delivery = await team.schedule(due_in=timedelta(minutes=1))
    real = team.refreshing.end_access

    async def end_access(connection, error):
        done = await real(connection, error)
        await team.sign_in(team.ana, connection_id=connection.connection_id)
        return done

    team.refreshing.end_access = end_access
    team.fake.perform("revoke")
    await team.deliver(after=MINUTE)
    team.refreshing.end_access = real
    await team.deliver()
    await team.deliver(after=MINUTE)
    assert (await team.read(delivery)).state is DeliveryState.PUBLISHED


async def test_disconnect_while_refreshing_revokes_the_new_pair(team):
    connection = await team.connect()
    delivery = await team.schedule(due_in=timedelta(hours=2))
    real = team.platforms.refresh
    revoked = []
    real_revoke = team.platforms.revoke
    fresh = []

    async def refresh(name, credential):
        tokens = await real(name, credential)
        fresh.append(tokens.access_token)
        await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=PostsOnDisconnect.HOLD)
        return tokens

    async def revoke(name, credential):
        revoked.append(credential.tokens.access_token)
        await real_revoke(name, credential)

    team.platforms.refresh, team.platforms.revoke = refresh, revoke
    await team.deliver(after=timedelta(hours=2))
    print((await team.read(delivery)).state)
    assert fresh[0] in revoked


async def test_move_of_a_late_post_is_not_published_without_asking(team):
    first = await team.connect(person="p-1")
    await team.sign_in(team.ana, person="p-2")
    delivery = await team.schedule(accounts=(first.nickname,))
    assert (await team.deliver(after=timedelta(days=3))) == 1
    assert (await team.read(delivery)).hold_reason is HoldReason.LATE
    conns = await team.stores.connections.list_for_team("T1")
    target = next(c for c in conns if c.connection_id != first.connection_id)
    await team.disconnecting.disconnect(
        team.ana, first.connection_id, posts=PostsOnDisconnect.MOVE, move_to=target.connection_id
    )
    await team.deliver()
    assert team.fake.ledger == []


async def test_move_to_an_account_that_has_the_post_already(team):
    first = await team.connect(person="p-1")
    await team.sign_in(team.ana, person="p-2")
    conns = await team.stores.connections.list_for_team("T1")
    target = next(c for c in conns if c.connection_id != first.connection_id)
    team.fake.knows_keys = False
    await team.schedule(accounts=(first.nickname, target.nickname))
    await team.disconnecting.disconnect(
        team.ana, first.connection_id, posts=PostsOnDisconnect.MOVE, move_to=target.connection_id
    )
    await team.deliver(after=MINUTE)
    await team.deliver(after=MINUTE)
    assert len(team.fake.ledger) == 1


async def test_question_that_slack_did_not_take_is_asked_again(team):
    await team.connect()
    delivery = await team.schedule()
    team.fake.switch("accept_then_drop", times=1)
    await team.deliver(after=MINUTE)
    assert (await team.read(delivery)).state is DeliveryState.UNKNOWN
    team.fake.switch("unavailable")
    team.notifier.is_down = True
    for _ in range(5):
        team.clock.advance(timedelta(minutes=3))
        await team.reconciling.settle_unknown()
    team.notifier.is_down = False
    for _ in range(5):
        team.clock.advance(timedelta(minutes=3))
        await team.reconciling.settle_unknown()
    assert len(team.notifier.of(OutcomeQuestion)) == 1


async def test_gone_connection_tells_author(team):
    connection = await team.connect()
    await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=PostsOnDisconnect.HOLD)
    # scheduled in the same moment
    from logicspike.services.scheduling import _to_delivery
    from logicspike.domain import ScheduledPost

    now = team.clock.now()
    post = ScheduledPost(
        post_id="p", author=team.ana, text="x", link=None, due_at=now, zone="UTC", wall_time="", created_at=now
    )
    delivery = _to_delivery(post, connection)
    await team.stores.deliveries.insert_many([delivery])
    await team.deliver()
    assert (await team.read(delivery)).state is DeliveryState.HELD
    assert team.notifier.of(DeliveryHeld)
