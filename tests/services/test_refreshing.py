from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from logicspike.domain import ConnectionStatus
from logicspike.plugin.errors import PlatformUnavailable, ReconnectRequired
from logicspike.services.notices import ReconnectNeeded
from logicspike.services.refreshing import ConnectionGone

HOUR = timedelta(hours=1)


def token_calls(team) -> int:
    return sum(path == "/token" for _, path in team.fake.requests)


async def test_a_fresh_token_is_handed_out_without_a_call(team):
    connection = await team.connect()
    before = token_calls(team)

    fresh = await team.refreshing.get_credential(connection)

    assert connection.token_version == fresh.connection.token_version
    assert before == token_calls(team)


async def test_fifty_callers_make_one_refresh(team):
    connection = await team.connect()
    before = token_calls(team)
    team.clock.advance(HOUR)

    found = await asyncio.gather(*(team.refreshing.get_credential(connection) for _ in range(50)))

    assert before + 1 == token_calls(team)
    assert {connection.token_version + 1} == {each.connection.token_version for each in found}
    assert 1 == len({each.credential.tokens.access_token for each in found})


async def test_two_processes_make_one_refresh(team, second_process):
    connection = await team.connect()
    before = token_calls(team)
    team.clock.advance(HOUR)

    await asyncio.gather(
        *(each.get_credential(connection) for each in (team.refreshing, second_process) for _ in range(10))
    )

    assert before + 1 == token_calls(team)


async def test_an_answer_without_a_refresh_token_keeps_the_old_one(team):
    connection = await team.connect()
    team.fake.gives_refresh_tokens = False
    team.clock.advance(HOUR)

    fresh = await team.refreshing.get_credential(connection)

    assert fresh.credential.tokens.refresh_token


async def test_an_outage_is_not_a_revocation(team):
    connection = await team.connect()
    team.clock.advance(HOUR)
    team.fake.switch("unavailable")

    for _ in range(5):
        with pytest.raises(PlatformUnavailable):
            await team.refreshing.get_credential(connection)

    assert ConnectionStatus.ACTIVE == (await team.connection(connection)).status
    assert [] == team.notifier.of(ReconnectNeeded)
    team.fake.switch("unavailable", on=False)
    assert await team.refreshing.get_credential(connection)


async def test_an_outage_does_not_matter_while_the_token_still_lives(team):
    connection = await team.connect()
    team.clock.advance(HOUR - timedelta(minutes=2))
    team.fake.switch("unavailable")

    fresh = await team.refreshing.get_credential(connection)

    assert connection.token_version == fresh.connection.token_version


async def test_a_dead_grant_marks_the_connection_and_tells_its_owner_once(team):
    connection = await team.connect()
    team.clock.advance(HOUR)
    team.fake.revoke_all()
    before = token_calls(team)

    for _ in range(3):
        with pytest.raises(ReconnectRequired):
            await team.refreshing.get_credential(connection)

    assert ConnectionStatus.NEEDS_RECONNECT == (await team.connection(connection)).status
    assert [team.ana] == [member for member, notice in team.notifier.sent if isinstance(notice, ReconnectNeeded)]
    assert before + 1 == token_calls(team)


async def test_a_refused_version_is_not_handed_out_again(team):
    connection = await team.connect()

    fresh = await team.refreshing.get_credential(connection, refused_version=connection.token_version)

    assert connection.token_version + 1 == fresh.connection.token_version


async def test_a_refusal_of_tokens_that_were_renewed_meanwhile_costs_no_further_refresh(team):
    connection = await team.connect()
    await team.refreshing.get_credential(connection, refused_version=connection.token_version)
    before = token_calls(team)

    await team.refreshing.get_credential(connection, refused_version=connection.token_version)

    assert before == token_calls(team)


async def test_a_removed_connection_has_no_credential(team):
    connection = await team.connect()
    await team.disconnecting.erase(connection)
    connection = await team.connection(connection)

    with pytest.raises(ConnectionGone):
        await team.refreshing.get_credential(connection)


@pytest.fixture
def second_process(team):
    """What another process has: its own locks, the same store."""
    other = object.__new__(type(team.refreshing))
    other.__dict__.update(team.refreshing.__dict__)
    other._locks = type(team.refreshing._locks)()
    return other
