"""Renewing ahead of need: when, by whom, how often, and what a failure changes."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import echo_platform
import pytest

from logicspike.domain import Connection, ConnectionStatus, Timings
from logicspike.events import TokenRefreshFailed, TokensRefreshed
from logicspike.plugin.errors import RateLimited
from logicspike.plugin.types import TokenSet
from logicspike.services.credentials import open_credential, plan_renewal
from logicspike.services.notices import ReconnectNeeded
from logicspike.services.refreshing import Refreshing
from logicspike.services.renewing import Renewing

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
ECHO = echo_platform.describe()


def token_calls(team) -> int:
    return sum(path == "/token" for _, path in team.fake.requests)


def plan(life: timedelta, *, connection_id: str = "c1", margin: timedelta = 5 * MINUTE) -> timedelta:
    """How long after they came tokens of such a life are renewed."""
    platform = replace(ECHO, refresh_margin_seconds=margin // timedelta(seconds=1))
    tokens = TokenSet(access_token="a", refresh_token="r", expires_at=NOW + life)
    planned = plan_renewal(platform, tokens, connection_id=connection_id, token_version=1, now=NOW)
    assert planned is not None
    return planned - NOW


# --- when -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("life", [2 * HOUR, 60 * DAY])
def test_tokens_are_renewed_at_about_eighty_percent_of_their_life(life):
    planned = [plan(life, connection_id=f"c{n}") / life for n in range(1000)]

    assert 0.75 <= min(planned) < 0.76
    assert 0.84 < max(planned) <= 0.85


def test_accounts_that_were_connected_together_are_not_renewed_together():
    """A thousand accounts whose tokens live two hours: over twelve minutes, not in one."""
    by_minute = Counter(plan(2 * HOUR, connection_id=f"{n:016x}") // MINUTE for n in range(1000))

    assert len(by_minute) >= 12
    assert max(by_minute.values()) <= 150


@pytest.mark.parametrize("life", [20 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, DAY])
def test_no_post_meets_a_token_that_must_be_renewed_first(life):
    """Renewed minutes before the margin within which a post would wait for it; and the margin outlasts a look-up."""
    assert plan(life) <= life - 5 * MINUTE - 5 * MINUTE
    assert timedelta(seconds=ECHO.refresh_margin_seconds) >= Timings().settle


@pytest.mark.parametrize("life", [timedelta(seconds=1), 2 * MINUTE, 8 * MINUTE])
def test_tokens_that_live_shortly_are_not_renewed_on_and_on(life):
    assert plan(life) >= max(MINUTE, life / 2)


@pytest.mark.parametrize(
    "tokens",
    [
        TokenSet(access_token="a", refresh_token="r"),
        TokenSet(access_token="a", expires_at=NOW + HOUR),
        TokenSet(access_token="a", refresh_token="", expires_at=NOW + HOUR),
    ],
    ids=["without an end", "with nothing to renew them", "with an empty refresh token"],
)
def test_tokens_that_cannot_be_renewed_are_left_to_the_member(tokens):
    assert plan_renewal(ECHO, tokens, connection_id="c1", token_version=1, now=NOW) is None


# --- by whom, and how often -------------------------------------------------------------------------------------------


async def test_nothing_is_renewed_before_its_time(team):
    await team.connect()
    before = token_calls(team)
    team.clock.advance(44 * MINUTE)

    assert 0 == await team.renewing.renew_due()
    assert before == token_calls(team)


async def test_an_idle_account_is_renewed_again_and_again(team):
    connection = await team.connect()
    before = token_calls(team)
    for _ in range(12 * 60):
        team.clock.advance(MINUTE)
        await team.renewing.renew_due()

    after = await team.connection(connection)
    assert 14 <= token_calls(team) - before <= 16
    assert after.token_version == connection.token_version + token_calls(team) - before
    assert after.token_expires_at > team.clock.now() + 10 * MINUTE
    assert {TokensRefreshed} == {type(event) for event in team.events[-10:]}


async def test_twenty_processes_make_one_call_for_each_token(team):
    connections = [await team.connect(), await team.connect(team.ben, person="p-2")]
    before = token_calls(team)
    team.clock.advance(52 * MINUTE)

    renewed = await asyncio.gather(*(another_process(team).renew_due() for _ in range(20)))

    assert len(connections) == sum(renewed) == token_calls(team) - before
    for connection in connections:
        assert connection.token_version + 1 == (await team.connection(connection)).token_version


async def test_a_post_that_goes_out_meanwhile_and_the_renewal_make_one_call(team):
    connection = await team.connect()
    before = token_calls(team)
    team.clock.advance(57 * MINUTE)

    _, fresh = await asyncio.gather(team.renewing.renew_due(), team.refreshing.get_credential(connection))

    assert before + 1 == token_calls(team)
    assert connection.token_version + 1 == fresh.connection.token_version


async def test_a_post_finds_its_token_fresh(team):
    await team.connect()
    await team.schedule(due_in=58 * MINUTE)
    for _ in range(57):
        team.clock.advance(MINUTE)
        await team.renewing.renew_due()
    before = token_calls(team)

    await team.deliver(after=MINUTE)

    assert 1 == len(team.fake.ledger)
    assert before == token_calls(team)


async def test_a_connection_that_was_removed_is_left_alone(team):
    connection = await team.connect()
    await team.disconnecting.erase(connection)
    before = token_calls(team)
    team.clock.advance(HOUR)

    assert 0 == await team.renewing.renew_due()
    assert before == token_calls(team)


async def test_more_than_a_batch_is_renewed_in_one_tick_and_stopping_begins_no_more(team, monkeypatch):
    monkeypatch.setattr("logicspike.services.renewing._BATCH", 1)
    for member, person in ((team.ana, "p-1"), (team.ben, "p-2")):
        await team.connect(member, person=person)
    team.clock.advance(52 * MINUTE)
    stopped = another_process(team)
    stopped.stop()

    assert 0 == await stopped.renew_due()
    assert 2 == await team.renewing.renew_due()


# --- what a failure changes -------------------------------------------------------------------------------------------


async def test_an_outage_changes_nothing_and_is_tried_less_and_less_often(team):
    connection = await team.connect()
    team.fake.switch("unavailable")
    tried = []
    for minute in range(6 * 60):
        team.clock.advance(MINUTE)
        before = len(failures(team))
        await team.renewing.renew_due()
        tried += [minute] * (len(failures(team)) - before)

    after = await team.connection(connection)
    assert (ConnectionStatus.ACTIVE, connection.token_version) == (after.status, after.token_version)
    assert [] == team.notifier.of(ReconnectNeeded)
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert 8 <= len(tried) <= 12
    assert pauses[0] <= 3 < 40 <= pauses[-1] <= 73

    team.fake.switch("unavailable", on=False)
    team.clock.advance(72 * MINUTE)
    assert 1 == await team.renewing.renew_due()
    assert 0 == (await team.connection(connection)).renewal_tries


async def test_a_platform_that_asks_to_wait_is_left_alone_until_then(team, monkeypatch):
    await team.connect()
    team.clock.advance(52 * MINUTE)
    until = team.clock.now() + 3 * HOUR
    calls = []

    async def throttled(_name, _credential):
        calls.append(team.clock.now())
        raise RateLimited("Wait.", until=until)

    monkeypatch.setattr(team.platforms, "refresh", throttled)
    for _ in range(182):
        await team.renewing.renew_due()
        team.clock.advance(MINUTE)

    assert 2 == len(calls)
    assert calls[1] >= until


async def test_an_access_that_is_over_is_told_early_and_once(team):
    connection = await team.connect()
    team.fake.revoke_all()
    team.clock.advance(52 * MINUTE)

    for _ in range(3):
        await asyncio.gather(*(another_process(team).renew_due() for _ in range(5)))
        team.clock.advance(10 * MINUTE)

    assert ConnectionStatus.NEEDS_RECONNECT == (await team.connection(connection)).status
    assert [team.ana] == [member for member, notice in team.notifier.sent if isinstance(notice, ReconnectNeeded)]


@pytest.mark.parametrize("answer", ["", None])
async def test_an_answer_without_a_refresh_token_keeps_the_old_one(team, monkeypatch, answer):
    connection = await team.connect()
    before = open_credential(team.refreshing._vault, connection).tokens.refresh_token

    async def refresh(_name, _credential):
        return TokenSet(access_token="new", refresh_token=answer, expires_at=team.clock.now() + HOUR)

    monkeypatch.setattr(team.platforms, "refresh", refresh)
    team.clock.advance(52 * MINUTE)
    assert 1 == await team.renewing.renew_due()

    after = await team.connection(connection)
    tokens = open_credential(team.refreshing._vault, after).tokens
    assert ("new", before) == (tokens.access_token, tokens.refresh_token)
    assert after.renew_at > team.clock.now(), "it's renewed again, with the old one"


async def test_a_process_that_dies_while_it_renews_leaves_it_to_another(team, monkeypatch):
    connection = await team.connect()
    team.clock.advance(52 * MINUTE)
    async with dying(team, monkeypatch) as renewing:
        with pytest.raises(asyncio.CancelledError):
            await renewing.renew_due()

    team.clock.advance(MINUTE)
    assert 0 == await team.renewing.renew_due(), "as long as it may be at work, nobody else is"
    team.clock.advance(2 * MINUTE)
    assert 1 == await team.renewing.renew_due()
    assert connection.token_version + 1 == (await team.connection(connection)).token_version


def failures(team) -> list[TokenRefreshFailed]:
    return [event for event in team.events if isinstance(event, TokenRefreshFailed)]


def another_process(team) -> Renewing:
    """What another process has: its own locks, the same store."""
    refreshing = object.__new__(Refreshing)
    refreshing.__dict__.update(team.refreshing.__dict__)
    refreshing._locks = type(team.refreshing._locks)()
    return Renewing(connections=team.stores.connections, refreshing=refreshing, clock=team.clock)


@asynccontextmanager
async def dying(team, monkeypatch):
    """A process that ends right before its call, holding everything it holds by then."""

    async def die(*_args: object) -> Connection:
        raise asyncio.CancelledError

    async def keep(*_args: object, **_kwargs: object) -> None:
        """The lease is never given back by who is dead."""

    process = another_process(team)
    with monkeypatch.context() as patch:
        patch.setattr(team.platforms, "refresh", die)
        patch.setattr(team.stores.connections, "release_refresh_lease", keep)
        yield process
