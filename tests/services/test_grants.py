"""A grant that several accounts share ends with the last of them, and never under the others."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from logicspike.domain import ConnectionStatus
from logicspike.plugin.errors import ReconnectRequired
from logicspike.services.connecting import NoSuchConnection
from logicspike.services.disconnecting import PostsOnDisconnect
from logicspike.services.notices import ReconnectNeeded
from logicspike.services.withdrawing import Withdrawal

DAY = timedelta(days=1)


async def disconnect(team, connection, member=None):
    done = await team.disconnecting.disconnect(
        member or team.ana, connection.connection_id, posts=PostsOnDisconnect.HOLD
    )
    return done.withdrawal


def is_revoked(team):
    return [grant.is_revoked for grant in team.guild._grants]


async def test_the_last_account_of_a_grant_takes_it_along_and_no_other(guild_team):
    north, south = [await guild_team.connect_hall(position=each) for each in (0, 1)]

    assert Withdrawal.STILL_USED is await disconnect(guild_team, north)
    assert [False, False] == is_revoked(guild_team)
    assert Withdrawal.DONE is await disconnect(guild_team, south)
    assert [True, True] == is_revoked(guild_team)


async def test_an_account_in_another_workspace_keeps_the_grant(guild_team):
    here = await guild_team.connect_hall()
    await guild_team.connect_hall(guild_team.stranger)

    assert Withdrawal.STILL_USED is await disconnect(guild_team, here)


async def test_an_account_that_needs_a_reconnect_keeps_the_grant(guild_team):
    north, south = [await guild_team.connect_hall(position=each) for each in (0, 1)]
    await guild_team.refreshing.end_access(south, ReconnectRequired("Guild ended the access."))

    assert Withdrawal.STILL_USED is await disconnect(guild_team, north)


async def test_the_other_developer_app_has_grants_of_its_own(guild_team):
    own = await guild_team.connect(person="m-1", platform="guild")
    await guild_team.connect_hall(person="m-1")

    assert Withdrawal.DONE is await disconnect(guild_team, own)
    assert [True, False] == is_revoked(guild_team)


async def test_a_question_that_is_still_open_keeps_the_grant(guild_team):
    north = await guild_team.connect_hall()
    await guild_team.connect(person="m-1", platform="guild", credential_set="halls")

    assert Withdrawal.STILL_USED is await disconnect(guild_team, north)


async def test_of_two_accounts_disconnected_at_once_one_takes_the_grant_along(guild_team):
    for _ in range(10):
        both = [await guild_team.connect_hall(position=each) for each in (0, 1)]

        found = await asyncio.gather(*(disconnect(guild_team, each) for each in both))

        assert Withdrawal.DONE in found
        assert all(is_revoked(guild_team))


async def test_nobodys_choice_is_withdrawn_once_nobody_can_make_it_any_more(guild_team):
    await guild_team.connect(person="m-1", platform="guild", credential_set="halls")
    guild_team.clock.advance(DAY)

    assert 1 == await guild_team.disconnecting.drop_stale_choices(guild_team.clock.now())

    assert () == await guild_team.stores.connections.list_for_team("T1")
    assert [True] == is_revoked(guild_team)
    assert 1 == sum(path == "/revoke" for _, path in guild_team.guild.requests), "once for the grant, not for each hall"


async def test_nobodys_choice_leaves_the_grant_to_the_account_that_stands_on_it(guild_team):
    await guild_team.connect_hall()
    await guild_team.connect(person="m-1", platform="guild", credential_set="halls")
    guild_team.clock.advance(DAY)

    await guild_team.disconnecting.drop_stale_choices(guild_team.clock.now())

    assert [False, False] == is_revoked(guild_team)
    [left] = await guild_team.stores.connections.list_for_team("T1")
    assert ConnectionStatus.ACTIVE == left.status


async def test_a_choice_can_be_made_for_a_day_and_no_longer(guild_team):
    question = await guild_team.connect(person="m-1", platform="guild", credential_set="halls")
    guild_team.clock.advance(DAY)

    with pytest.raises(NoSuchConnection):
        await guild_team.connecting.choose(guild_team.ana, question.connection_id, 0)


async def test_a_workspace_that_leaves_takes_along_what_is_its_own(guild_team):
    await guild_team.connect_hall(person="m-1")
    await guild_team.connect_hall(guild_team.stranger, person="m-1")
    await guild_team.connect_hall(person="m-2")

    await guild_team.leaving.remove_workspace("T1")

    assert [False, False, True] == is_revoked(guild_team)


async def test_a_renewal_that_comes_for_an_account_just_disconnected_leaves_the_others_alone(guild_team):
    north, south = [await guild_team.connect_hall(position=each) for each in (0, 1)]
    credential = (await guild_team.refreshing.get_credential(north)).credential
    await disconnect(guild_team, north)

    await guild_team.refreshing._withdraw_if_gone(north, credential)

    assert [False, False] == is_revoked(guild_team)
    assert ConnectionStatus.ACTIVE == (await guild_team.connection(south)).status
    assert [] == guild_team.notifier.of(ReconnectNeeded)
