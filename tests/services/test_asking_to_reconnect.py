"""Asking owners to connect again: by one process, until Slack takes it, for a day at most."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from logicspike.domain import ConnectionStatus
from logicspike.plugin.errors import ReconnectRequired
from logicspike.services.asking_to_reconnect import AskingToReconnect
from logicspike.services.notices import ReconnectNeeded
from logicspike.services.ports import StoreUnavailable

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OVER = ReconnectRequired("The password was changed.")


def asked(team) -> list[ReconnectNeeded]:
    return team.notifier.of(ReconnectNeeded)


@pytest.fixture
async def owed(team):
    """A connection whose owner is owed a word: Slack did not take it."""
    connection = await team.connect()
    team.notifier.is_down = True
    assert await team.refreshing.end_access(connection, OVER)
    team.notifier.is_down = False
    return connection


async def test_who_was_told_is_owed_nothing(team):
    connection = await team.connect()
    await team.refreshing.end_access(connection, OVER)

    after = await team.connection(connection)
    assert (None, None) == (after.notice_owed_since, after.notice_due_at)
    team.clock.advance(HOUR)
    assert 0 == await team.asking_to_reconnect.ask_owed()
    assert 1 == len(asked(team))


async def test_what_slack_would_not_take_is_told_later_with_all_it_said(team, owed):
    await team.schedule(due_in=HOUR)

    assert 0 == await team.asking_to_reconnect.ask_owed(), "at first it's the one who marked it that tells"
    team.clock.advance(2 * MINUTE)
    assert 1 == await team.asking_to_reconnect.ask_owed()

    [notice] = asked(team)
    assert (owed.connection_id, "Echo", OVER.explanation, 1) == (
        notice.connection.connection_id,
        notice.platform_title,
        notice.explanation,
        notice.waiting,
    )
    team.clock.advance(HOUR)
    assert 0 == await team.asking_to_reconnect.ask_owed()


async def test_of_twenty_processes_one_tells(team, owed):
    team.clock.advance(2 * MINUTE)

    told = await asyncio.gather(*(another_process(team).ask_owed() for _ in range(20)))

    assert 1 == sum(told) == len(asked(team))


async def test_while_one_tells_no_other_does(team, owed, monkeypatch):
    team.clock.advance(2 * MINUTE)
    begun, release, notify = asyncio.Event(), asyncio.Event(), team.notifier.notify

    async def slow(member, notice):
        begun.set()
        await release.wait()
        return await notify(member, notice)

    monkeypatch.setattr(team.notifier, "notify", slow)
    telling = asyncio.create_task(team.asking_to_reconnect.ask_owed())
    await begun.wait()
    team.clock.advance(timedelta(seconds=119))
    assert 0 == await another_process(team).ask_owed()
    release.set()

    assert 1 == await telling
    assert 1 == len(asked(team))


async def test_slack_is_asked_less_and_less_often_and_for_a_day_at_most(team, owed, caplog):
    team.notifier.is_down = True
    tries = []
    notify = team.notifier.notify

    async def count(member, notice):
        tries.append(team.clock.now())
        return await notify(member, notice)

    team.notifier.notify = count
    for _ in range(30 * 60):
        team.clock.advance(MINUTE)
        await team.asking_to_reconnect.ask_owed()

    pauses = [(later - earlier) // MINUTE for earlier, later in pairwise(tries)]
    assert [2, 4, 8, 16, 32, 60, 60] == pauses[:7]
    assert {60} == set(pauses[7:])
    assert 20 <= len(tries) <= 30
    [given_up] = [record for record in caplog.records if record.event == "notice.given_up"]
    assert "gave up telling UANA" in given_up.getMessage()
    assert None is (await team.connection(owed)).notice_due_at


async def test_an_account_that_is_back_is_not_complained_about(team, owed):
    await team.sign_in(team.ana, connection_id=owed.connection_id)
    team.clock.advance(HOUR - 10 * MINUTE)

    assert 0 == await team.asking_to_reconnect.ask_owed()
    assert [] == asked(team)
    assert ConnectionStatus.ACTIVE == (await team.connection(owed)).status


async def test_an_account_that_was_removed_is_not_complained_about(team, owed):
    await team.disconnecting.erase(await team.connection(owed))
    team.clock.advance(HOUR)

    assert 0 == await team.asking_to_reconnect.ask_owed()
    assert [] == asked(team)


async def test_an_account_lost_again_is_told_again(team, owed):
    await team.sign_in(team.ana, connection_id=owed.connection_id)
    await team.refreshing.end_access(await team.connection(owed), OVER)

    assert 1 == len(asked(team))


async def test_a_database_that_goes_away_meanwhile_leaves_it_owed(team, monkeypatch):
    connection = await team.connect()

    async def away(*_args: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(team.stores.deliveries, "list_waiting", away)
        assert await team.refreshing.end_access(connection, OVER), "the access is over all the same"
    team.clock.advance(2 * MINUTE)

    assert 1 == await team.asking_to_reconnect.ask_owed()


async def test_one_that_stops_begins_no_more(team, owed):
    team.clock.advance(HOUR)
    team.asking_to_reconnect.stop()

    assert 0 == await team.asking_to_reconnect.ask_owed()
    assert 1 == await another_process(team).ask_owed()


def another_process(team) -> AskingToReconnect:
    return AskingToReconnect(
        platforms=team.platforms,
        connections=team.stores.connections,
        deliveries=team.stores.deliveries,
        notifier=team.notifier,
        clock=team.clock,
    )
