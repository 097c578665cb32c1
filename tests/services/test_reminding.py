"""Owners hear ahead of time that an access ends which only they can renew."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from logicspike.domain import ConnectionStatus
from logicspike.services.credentials import plan_reminder
from logicspike.services.notices import TokensEnding
from logicspike.services.scheduling import Scheduled

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


@pytest.fixture
async def connection(guild_team):
    """An access of sixty days that nothing renews."""
    return await guild_team.connect(person="m-1", platform="guild")


async def remind(team, *, before_end=None):
    if before_end is not None:
        [connection] = await team.stores.connections.list_for_team("T1")
        team.clock.advance(connection.token_expires_at - before_end - team.clock.now())
    return await team.reminding.remind_due()


@pytest.mark.parametrize(
    ("life", "renew_at", "planned"),
    [
        (60 * DAY, None, 53 * DAY),
        (7 * DAY + MINUTE, None, MINUTE),
        (7 * DAY, None, 6 * DAY),
        (2 * DAY, None, DAY),
        (24 * HOUR, None, None),
        (HOUR, None, None),
        (60 * DAY, NOW + DAY, None),
        (None, None, None),
    ],
)
def test_when_the_owner_is_reminded_next(life, renew_at, planned):
    ends_at = None if life is None else NOW + life
    expected = None if planned is None else NOW + planned

    assert expected == plan_reminder(ends_at, renew_at=renew_at, now=NOW)


async def test_the_owner_is_reminded_a_week_and_a_day_before_once_each(guild_team, connection):
    assert 0 == await remind(guild_team, before_end=7 * DAY + MINUTE)
    assert 1 == await remind(guild_team, before_end=7 * DAY)
    assert 0 == await remind(guild_team)
    assert 0 == await remind(guild_team, before_end=2 * DAY)
    assert 1 == await remind(guild_team, before_end=DAY)
    assert 0 == await remind(guild_team, before_end=HOUR)
    assert 0 == await remind(guild_team, before_end=-HOUR)

    notices = guild_team.notifier.of(TokensEnding)
    assert [connection.token_expires_at] * 2 == [notice.ends_at for notice in notices]
    assert {guild_team.ana} == {member for member, notice in guild_team.notifier.sent if notice in notices}


async def test_the_reminder_says_how_many_posts_are_for_later(guild_team, connection):
    for days in (10, 70, 80):
        await guild_team.schedule(accounts=("guild",), due_in=days * DAY)

    await remind(guild_team, before_end=7 * DAY)

    [notice] = guild_team.notifier.of(TokensEnding)
    assert (2, connection.created_at + 70 * DAY) == (notice.beyond, notice.next_due_at)


async def test_a_bot_that_was_away_reminds_once_and_not_for_each_time_it_missed(guild_team, connection):
    assert 1 == await remind(guild_team, before_end=HOUR)
    assert 0 == await remind(guild_team, before_end=MINUTE)


async def test_an_access_that_ended_meanwhile_is_not_announced(guild_team, connection):
    assert 0 == await remind(guild_team, before_end=-HOUR)

    assert None is (await guild_team.connection(connection)).remind_at


async def test_who_signed_in_again_is_not_reminded_of_the_old_end(guild_team, connection):
    await remind(guild_team, before_end=7 * DAY)
    await guild_team.sign_in(guild_team.ana, person="m-1", platform="guild", connection_id=connection.connection_id)

    guild_team.clock.advance(6 * DAY)

    assert 0 == await remind(guild_team)
    after = await guild_team.connection(connection)
    assert after.token_expires_at - 7 * DAY == after.remind_at


async def test_what_renews_itself_is_not_spoken_of(team):
    connection = await team.connect()

    assert None is connection.remind_at
    team.clock.advance(59 * MINUTE)
    assert 0 == await team.reminding.remind_due()


async def test_of_many_processes_one_reminds(guild_team, connection):
    guild_team.clock.advance(53 * DAY)

    told = await asyncio.gather(*(guild_team.reminding.remind_due() for _ in range(10)))

    assert 1 == sum(told) == len(guild_team.notifier.of(TokensEnding))


async def test_a_reminder_that_slack_does_not_take_comes_later(guild_team, connection):
    guild_team.notifier.is_down = True
    assert 0 == await remind(guild_team, before_end=7 * DAY)
    guild_team.notifier.is_down = False
    assert 0 == await remind(guild_team)

    guild_team.clock.advance(10 * MINUTE)

    assert 1 == await remind(guild_team)
    assert 0 == await remind(guild_team, before_end=2 * DAY)
    assert 1 == await remind(guild_team, before_end=DAY)


async def test_a_process_that_ends_before_it_told_leaves_that_to_another(guild_team, connection, monkeypatch):
    class Died(BaseException):
        pass

    async def die(*_args):
        raise Died

    guild_team.clock.advance(53 * DAY)
    with monkeypatch.context() as patch:
        patch.setattr(guild_team.notifier, "notify", die)
        with pytest.raises(Died):
            await guild_team.reminding.remind_due()

    guild_team.clock.advance(10 * MINUTE)

    assert 1 == await guild_team.reminding.remind_due()


async def test_a_post_for_later_than_the_access_lives_is_warned_of_when_it_is_scheduled(guild_team, connection):
    soon = await guild_team.scheduling.schedule(guild_team.request(accounts=("guild",), due_in=59 * DAY))
    later = await guild_team.scheduling.schedule(guild_team.request(accounts=("guild",), due_in=61 * DAY))

    assert isinstance(soon, Scheduled)
    assert () == soon.warnings
    [warning] = later.warnings
    ends = connection.token_expires_at.astimezone(ZoneInfo("Europe/Berlin"))
    assert f"My access to Ann Guild (Guild) ends on {ends.day} {ends:%b %Y}" in warning
    assert "only you can renew it" in warning


async def test_an_access_that_has_ended_is_warned_of_as_what_it_is(guild_team, connection):
    guild_team.clock.advance(61 * DAY)

    result = await guild_team.scheduling.schedule(guild_team.request(accounts=("guild",), due_in=DAY))

    [warning] = result.warnings
    assert "ended on" in warning
    assert "remind" not in warning


async def test_what_renews_itself_brings_no_warning(team):
    await team.connect()

    result = await team.scheduling.schedule(team.request(due_in=99 * DAY))

    assert () == result.warnings


async def test_an_ended_access_is_no_longer_reminded_of(guild_team, connection):
    current = await guild_team.connection(connection)
    owed = guild_team.asking_to_reconnect.owe(current, "Guild ended it.")
    await guild_team.stores.connections.swap(current, owed)

    assert 0 == await remind(guild_team, before_end=7 * DAY)
    assert replace(owed) == await guild_team.connection(connection)
    assert ConnectionStatus.NEEDS_RECONNECT == owed.status
