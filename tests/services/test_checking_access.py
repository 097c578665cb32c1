"""Asking the platforms about once a day whether an access still works and may do what it must."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from team import BROWSER
from yarl import URL

from logicspike.domain import ConnectionStatus
from logicspike.plugin.errors import (
    MemberActionRequired,
    OperatorActionRequired,
    PlatformUnavailable,
    RateLimited,
    ReconnectRequired,
)
from logicspike.plugin.types import AccessReport
from logicspike.services.credentials import find_gone_scopes, plan_check
from logicspike.services.disconnecting import PostsOnDisconnect
from logicspike.services.notices import ReconnectNeeded
from logicspike.services.ports import StoreUnavailable

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def checks(team):
    return sum(path == "/access" for _, path in team.guild.requests)


async def check(team, *, after=timedelta(hours=28)):
    team.clock.advance(after)
    return await team.checking_access.check_due()


@pytest.fixture
async def connection(guild_team):
    return await guild_team.connect(person="m-1", platform="guild")


def report(monkeypatch, team, what):
    async def check(_name, _credential):
        if isinstance(what, Exception):
            raise what
        return what

    monkeypatch.setattr(team.platforms, "check", check)


def test_accounts_are_checked_about_once_a_day_and_not_together():
    planned = [plan_check(f"c{n}", 1, NOW) - NOW for n in range(1000)]

    assert 20 * HOUR <= min(planned) < 20.2 * HOUR
    assert 27.8 * HOUR < max(planned) <= 28 * HOUR
    assert max(Counter(each // HOUR for each in planned).values()) < 250


async def test_an_access_that_works_is_left_as_it_is_and_checked_again_the_next_day(guild_team, connection):
    assert 0 == await check(guild_team, after=19 * HOUR)
    assert 1 == await check(guild_team, after=9 * HOUR)

    after = await guild_team.connection(connection)
    assert replace(connection, check_at=after.check_at) == after
    assert guild_team.clock.now() + 20 * HOUR <= after.check_at
    assert 0 == await check(guild_team, after=19 * HOUR)
    assert 1 == await check(guild_team, after=9 * HOUR)
    assert [] == guild_team.notifier.of(ReconnectNeeded)


async def test_an_access_that_was_ended_is_marked_and_told_once(guild_team, connection):
    guild_team.guild.perform("revoke")

    await check(guild_team)
    await check(guild_team)

    assert ConnectionStatus.NEEDS_RECONNECT == (await guild_team.connection(connection)).status
    [notice] = guild_team.notifier.of(ReconnectNeeded)
    assert connection.connection_id == notice.connection.connection_id


async def test_a_permission_that_is_gone_is_named_and_asked_for_again(guild_team, connection):
    guild_team.guild.shrunk = frozenset({"speak"})

    await check(guild_team)

    after = await guild_team.connection(connection)
    assert (ConnectionStatus.NEEDS_RECONNECT, ("speak",)) == (after.status, after.missing_scopes)
    [notice] = guild_team.notifier.of(ReconnectNeeded)
    assert "Guild took back a permission I need (speak)." in notice.explanation
    await guild_team.connecting.start(guild_team.ana, "guild", connection_id=connection.connection_id)
    url = URL(await guild_team.connecting.begin(guild_team.ticket, BROWSER))
    assert "again" == url.query["ask"]
    guild_team.guild.shrunk = frozenset()
    await guild_team.follow_link(person="m-1", platform="guild")
    assert () == (await guild_team.connection(connection)).missing_scopes


async def test_a_permission_with_words_of_its_own_is_named_by_them(guild_team):
    await guild_team.connect_hall()
    guild_team.guild.shrunk = frozenset({"speak_for_halls"})

    await check(guild_team)

    [notice] = guild_team.notifier.of(ReconnectNeeded)
    assert notice.explanation.startswith("Guild no longer lets me publish posts for the halls you keep.")


@pytest.mark.parametrize(
    ("wanted", "granted", "left", "gone"),
    [
        (("a", "b"), ("a", "b"), ("a",), ("b",)),
        (("a", "b"), ("a", "b"), ("a", "b", "c"), ()),
        (("a", "b"), ("a",), ("a",), ()),
        (("a", "b"), (), ("a",), ("b",)),
        (("a", "b"), ("a", "b", "c"), ("a", "b"), ()),
        (("a", "b"), ("a", "b"), (), ()),
    ],
    ids=["taken back", "more than before", "asked for since", "not told before", "not needed", "not told now"],
)
def test_only_what_was_granted_and_is_needed_can_be_gone(wanted, granted, left, gone):
    assert gone == find_gone_scopes(wanted, granted=granted, left=left)


@pytest.mark.parametrize(
    "trouble",
    [
        PlatformUnavailable("Guild is down."),
        RateLimited("Slow down.", until=NOW),
        OperatorActionRequired("Our secret is wrong."),
        MemberActionRequired("Confirm your address."),
        StoreUnavailable(),
        RuntimeError("a bug"),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
async def test_what_does_not_work_just_now_changes_nothing_and_is_tried_within_hours(
    guild_team, connection, monkeypatch, trouble
):
    with monkeypatch.context() as patch:
        report(patch, guild_team, trouble)
        assert 0 == await check(guild_team)
    after = await guild_team.connection(connection)
    assert replace(connection, check_at=after.check_at) == after
    assert [] == guild_team.notifier.of(ReconnectNeeded)

    assert 1 == await check(guild_team, after=2 * HOUR)


async def test_of_many_processes_one_asks(guild_team, connection):
    guild_team.clock.advance(28 * HOUR)

    await asyncio.gather(*(guild_team.checking_access.check_due() for _ in range(10)))

    assert 1 == checks(guild_team)


async def test_an_end_that_was_not_known_is_stored_and_reminded_of(guild_team, monkeypatch):
    guild_team.guild.lifetime = None
    connection = await guild_team.connect(person="m-1", platform="guild")
    ends_at = guild_team.clock.now() + 40 * DAY
    report(monkeypatch, guild_team, AccessReport(expires_at=ends_at))

    await check(guild_team)

    after = await guild_team.connection(connection)
    assert (ends_at, ends_at - 7 * DAY) == (after.token_expires_at, after.remind_at)


async def test_an_end_that_is_known_stays(guild_team, connection, monkeypatch):
    report(monkeypatch, guild_team, AccessReport(expires_at=guild_team.clock.now() + DAY * 99))

    await check(guild_team)

    assert connection.token_expires_at == (await guild_team.connection(connection)).token_expires_at


async def test_an_answer_about_tokens_that_were_replaced_meanwhile_changes_nothing(guild_team, connection, monkeypatch):
    async def answer(_name, _credential):
        await guild_team.sign_in(guild_team.ana, person="m-1", platform="guild", connection_id=connection.connection_id)
        raise ReconnectRequired("These are over.")

    monkeypatch.setattr(guild_team.platforms, "check", answer)

    await check(guild_team)

    after = await guild_team.connection(connection)
    assert (ConnectionStatus.ACTIVE, 2) == (after.status, after.token_version)
    assert [] == guild_team.notifier.of(ReconnectNeeded)


async def test_platforms_that_cannot_tell_are_not_asked(guild_team):
    connection = await guild_team.connect()

    assert 0 == await check(guild_team)
    assert ConnectionStatus.ACTIVE == (await guild_team.connection(connection)).status


async def test_an_access_from_before_checks_is_checked_at_once(guild_team, connection):
    await guild_team.stores.connections.swap(connection, replace(connection, check_at=None))

    assert 1 == await check(guild_team, after=timedelta(0))


async def test_a_stopping_process_begins_no_more(guild_team, connection):
    guild_team.checking_access.stop()

    assert 0 == await check(guild_team)
    assert 0 == checks(guild_team)


async def test_a_sign_in_that_came_while_its_grant_was_withdrawn_is_checked_soon(guild_team, connection, monkeypatch):
    real = guild_team.platforms.revoke

    async def revoke(name, credential, *, is_last):
        await guild_team.connect(guild_team.stranger, person="m-1", platform="guild")
        await real(name, credential, is_last=is_last)

    monkeypatch.setattr(guild_team.platforms, "revoke", revoke)
    await guild_team.disconnecting.disconnect(guild_team.ana, connection.connection_id, posts=PostsOnDisconnect.HOLD)

    await check(guild_team, after=MINUTE)

    [newcomer] = await guild_team.stores.connections.list_for_team("T2")
    assert ConnectionStatus.NEEDS_RECONNECT == newcomer.status


async def test_a_permission_that_a_renewal_no_longer_brings_is_noticed(team, monkeypatch):
    connection = await team.connect()
    real = team.platforms.refresh

    async def refresh(name, credential):
        return replace(await real(name, credential), scopes=("who",))

    monkeypatch.setattr(team.platforms, "refresh", refresh)
    team.clock.advance(HOUR)

    await team.renewing.renew_due()

    after = await team.connection(connection)
    assert (ConnectionStatus.NEEDS_RECONNECT, ("say",)) == (after.status, after.missing_scopes)
    assert 2 == after.token_version, "what came is kept all the same"
    assert 1 == len(team.notifier.of(ReconnectNeeded))
