"""A platform's own callbacks: what ended there ends here, in every workspace; what is to be erased is."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import urlencode

import guild_platform
import pytest

from logicspike.domain import ConnectionStatus, DeliveryState, HoldReason
from logicspike.events import ConnectionErased, ConnectionNeedsReconnect
from logicspike.platforms import NotSupported
from logicspike.plugin.errors import PlatformEventRefused
from logicspike.services.notices import AccountErased, ReconnectNeeded

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def to_callback(name="removed", member="m-1", *, nonce="1", secret="guild-secret"):
    form = {"member": member, "nonce": nonce}
    body = urlencode(form).encode()
    headers = {"x-guild-signature": guild_platform.sign(body, secret)}
    return {"platform": "guild", "name": name, "form": form, "body": body, "headers": headers}


async def send(team, *args, **kwargs):
    answer = await team.platform_events.receive(**to_callback(*args, **kwargs))
    await team.settle()
    return answer


async def connect(team, member=None, *, person="m-1"):
    return await team.connect(member, person=person, platform="guild")


async def test_a_removed_app_ends_the_access_in_every_workspace_and_tells_each_owner_once(guild_team):
    here, there = await connect(guild_team), await connect(guild_team, guild_team.stranger)
    other = await connect(guild_team, guild_team.ben, person="m-2")

    assert None is await send(guild_team, "removed", "m-1")

    for connection in (here, there):
        now = await guild_team.connection(connection)
        assert (ConnectionStatus.NEEDS_RECONNECT, "You removed LogicSpike at Guild.") == (now.status, now.status_reason)
    assert ConnectionStatus.ACTIVE == (await guild_team.connection(other)).status
    told = [(member, notice.explanation) for member, notice in guild_team.notifier.sent if _is_told(notice)]
    assert {guild_team.ana, guild_team.stranger} == {member for member, _ in told}
    assert {"You removed LogicSpike at Guild."} == {explanation for _, explanation in told}
    assert 2 == len(told) == sum(isinstance(event, ConnectionNeedsReconnect) for event in guild_team.events)


async def test_posts_wait_and_go_out_after_the_reconnect(guild_team):
    connection = await connect(guild_team)
    delivery = await guild_team.schedule(accounts=("guild",), due_in=HOUR)
    await send(guild_team)
    await guild_team.deliver(after=HOUR)
    held = await guild_team.read(delivery)
    assert (DeliveryState.HELD, HoldReason.RECONNECT) == (held.state, held.hold_reason)

    await guild_team.sign_in(guild_team.ana, person="m-1", platform="guild", connection_id=connection.connection_id)
    await guild_team.deliver()

    assert DeliveryState.PUBLISHED == (await guild_team.read(delivery)).state


async def test_the_same_callback_again_does_nothing_more(guild_team):
    connection = await connect(guild_team)
    for _ in range(3):
        await send(guild_team)
    assert 1 == len(guild_team.notifier.of(ReconnectNeeded))

    await guild_team.sign_in(guild_team.ana, person="m-1", platform="guild", connection_id=connection.connection_id)
    await send(guild_team)

    assert ConnectionStatus.ACTIVE == (await guild_team.connection(connection)).status, "an old one, played again"


async def test_many_deliveries_of_a_callback_at_once_count_as_one(guild_team):
    await connect(guild_team)

    await asyncio.gather(*(guild_team.platform_events.receive(**to_callback()) for _ in range(20)))
    await guild_team.settle()

    assert 1 == len(guild_team.notifier.of(ReconnectNeeded))


@pytest.mark.parametrize("name", ["removed", "erase"])
async def test_what_nobody_signed_changes_nothing_and_is_not_written_down(guild_team, mongo_database, name):
    connection = await connect(guild_team)

    with pytest.raises(PlatformEventRefused):
        await guild_team.platform_events.receive(**to_callback(name, secret="guessed"))

    assert ConnectionStatus.ACTIVE == (await guild_team.connection(connection)).status
    assert 0 == await mongo_database.collection("platform_events").count_documents({})


async def test_a_platform_without_callbacks_takes_none(guild_team):
    with pytest.raises(NotSupported):
        await guild_team.platform_events.receive(**to_callback() | {"platform": "echo"})


async def test_the_other_developer_apps_grants_are_not_this_apps_to_end(guild_team):
    hall = await guild_team.connect_hall(person="m-1")

    await send(guild_team, "removed", "m-1")

    assert ConnectionStatus.ACTIVE == (await guild_team.connection(hall)).status


async def test_an_erasure_leaves_nothing_of_the_account_but_the_posts_texts(guild_team, mongo_database):
    connection = await connect(guild_team)
    delivery = await guild_team.schedule("For the board", accounts=("guild",), due_in=HOUR)

    answer = await send(guild_team, "erase")

    code = answer["confirmation_code"]
    assert f"http://127.0.0.1:3999/connect/deletion/{code}" == answer["url"]
    assert code.isalnum()
    after = await guild_team.connection(connection)
    assert (ConnectionStatus.DISCONNECTED, None, None) == (after.status, after.sealed, after.grant_id)
    held = await guild_team.read(delivery)
    assert (DeliveryState.HELD, "For the board") == (held.state, held.post.text)
    for collection in ("social_connections", "deliveries", "platform_events"):
        stored = str([each async for each in mongo_database.collection(collection).find({})])
        for fact in ("Ann Guild", "ann-guild", "m-1"):
            assert fact not in stored, (collection, fact)
    assert any(isinstance(event, ConnectionErased) for event in guild_team.events)


async def test_the_owner_is_told_of_an_erasure_and_of_the_posts_that_wait(guild_team):
    await connect(guild_team)
    await guild_team.schedule(accounts=("guild",), due_in=HOUR)

    await send(guild_team, "erase")
    await send(guild_team, "erase")

    [notice] = guild_team.notifier.of(AccountErased)
    assert ("Ann Guild", "Guild", 1) == (notice.account_name, notice.platform_title, notice.waiting)


async def test_an_account_that_was_disconnected_before_is_erased_quietly(guild_team, mongo_database):
    connection = await connect(guild_team)
    await guild_team.disconnecting.erase(connection)

    await send(guild_team, "erase")

    assert [] == guild_team.notifier.of(AccountErased)
    assert "Ann Guild" not in str([each async for each in mongo_database.collection("social_connections").find({})])


async def test_how_an_erasure_stands_can_be_looked_up(guild_team, monkeypatch):
    await connect(guild_team)
    monkeypatch.setattr(guild_team.tasks, "defer", lambda _work, *, name: None)  # the process ends right here
    code = (await send(guild_team, "erase"))["confirmation_code"]
    assert None is (await guild_team.platform_events.find_erasure(code)).done_at

    guild_team.clock.advance(3 * MINUTE)
    assert 1 == await guild_team.platform_events.finish_due()

    found = await guild_team.platform_events.find_erasure(code)
    assert guild_team.clock.now() == found.done_at
    assert 0 == await guild_team.platform_events.finish_due()
    assert None is await guild_team.platform_events.find_erasure("0" * 24)


async def test_a_process_that_ends_after_any_step_leaves_the_rest_to_the_next(guild_team, monkeypatch, mongo_database):
    connection = await connect(guild_team)
    delivery = await guild_team.schedule(accounts=("guild",), due_in=HOUR)
    steps = [
        (guild_team.stores.connections, "swap"),
        (guild_team.stores.deliveries, "swap"),
        (guild_team.stores.deliveries, "forget_account"),
        (guild_team.stores.platform_events, "finish"),
    ]
    with monkeypatch.context() as patch:
        patch.setattr(guild_team.tasks, "defer", lambda _work, *, name: None)
        await send(guild_team, "erase")
    for store, step in steps:
        guild_team.clock.advance(3 * MINUTE)
        with monkeypatch.context() as patch:
            patch.setattr(type(store), step, _die_after(getattr(type(store), step)))
            with pytest.raises(_Died):
                await guild_team.platform_events.finish_due()

    guild_team.clock.advance(3 * MINUTE)
    await guild_team.platform_events.finish_due()

    assert ConnectionStatus.DISCONNECTED == (await guild_team.connection(connection)).status
    assert DeliveryState.HELD == (await guild_team.read(delivery)).state
    assert "Ann Guild" not in str([each async for each in mongo_database.collection("social_connections").find({})])


async def test_an_access_given_anew_since_is_left_alone_by_a_callback_that_is_carried_out_late(guild_team, monkeypatch):
    connection = await connect(guild_team)
    with monkeypatch.context() as patch:
        patch.setattr(guild_team.tasks, "defer", lambda _work, *, name: None)
        await send(guild_team)
    guild_team.clock.advance(5 * MINUTE)
    await guild_team.sign_in(guild_team.ana, person="m-1", platform="guild", connection_id=connection.connection_id)

    await guild_team.platform_events.finish_due()

    assert ConnectionStatus.ACTIVE == (await guild_team.connection(connection)).status


async def test_a_question_on_an_ended_grant_is_over(guild_team):
    question = await guild_team.connect(person="m-1", platform="guild", credential_set="halls")
    await guild_team.platform_events._end(question)

    assert () == await guild_team.stores.connections.list_for_team("T1")


class _Died(BaseException):
    """The process ended."""


def _die_after(method):
    async def call(*args, **kwargs):
        await method(*args, **kwargs)
        raise _Died

    return call


def _is_told(notice):
    return isinstance(notice, ReconnectNeeded)
