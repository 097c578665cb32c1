"""F10: fifty-two callers in four processes want one account's tokens renewed; and no outage ends an access."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import echo_platform
import pytest
import team as team_module
from aiohttp import web
from measured import choose_seed, factor, show, size
from team import Team, open_team

from logicspike.domain import ConnectionStatus
from logicspike.plugin.errors import PlatformError, ReconnectRequired
from logicspike.services.notices import ReconnectNeeded
from logicspike.store.schema import ensure_schema
from logicspike.testing import Grant, RefreshRefused

pytestmark = pytest.mark.chaos

TESTS = Path(__file__).parents[1]
PROCESSES, CALLERS = 4, 13 * factor()
ALL = PROCESSES * CALLERS
HOUR = timedelta(hours=1)
RECONNECT = "ReconnectRequired"


class SlowEcho(echo_platform.FakeEcho):
    """Its token endpoint takes 50 ms, may lose one answer, and may have a grace for a refresh token that was spent."""

    latency = 0.0
    loses_answers = 0
    has_grace = False
    calls = 0
    refusals = 0
    at_once = 0
    most_at_once = 0

    async def _token(self, request: web.Request) -> web.Response:
        self.calls += 1
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await asyncio.sleep(self.latency)
        self.at_once -= 1
        answer = await super()._token(request)
        self.refusals += answer.status == 400
        if self.loses_answers:
            self.loses_answers -= 1
            request.transport.abort()
        return answer

    def redeem_refresh_token(self, token: str | None, *, is_single_use: bool) -> Grant:
        try:
            return super().redeem_refresh_token(token, is_single_use=is_single_use and not self.has_grace)
        except RefreshRefused:
            self._refresh[token].grant.is_revoked = False  # refuses the spent token, but keeps the newer ones alive
            raise


@pytest.fixture
async def team(bare_database, monkeypatch):
    keys = f"test:{team_module.generate_key()}"
    monkeypatch.setattr(team_module, "generate_key", lambda: keys.partition(":")[2])
    await ensure_schema(bare_database)
    async with open_team(bare_database, fake_class=SlowEcho) as opened:
        opened.keys = keys
        yield opened


async def race(
    team: Team, uri: str, *, without: str = "", loses: int = 0, grace: bool = False, is_ahead: bool = False
) -> dict[str, Any]:
    """All callers at once, who need the token or look whether to renew it ahead of need; what became of them."""
    connection = await team.connect()
    team.clock.advance(HOUR * (0.9 if is_ahead else 1))
    fake = team.fake
    fake.latency, fake.loses_answers, fake.has_grace, fake.calls = 0.05, loses, grace, 0
    address = team.platforms.endpoints("echo")["api"]
    config = {
        "uri": uri,
        "database": team.stores.database.name,
        "now": team.clock.now().isoformat(),
        "keys": team.keys,
        "connection_id": connection.connection_id,
        "callers": CALLERS,
        "without": without,
        "is_ahead": is_ahead,
        "environment": {
            "ECHO_CLIENT_ID": "echo-id",
            "ECHO_CLIENT_SECRET": "echo-secret",
            "ECHO_ENDPOINT_AUTH": address,
            "ECHO_ENDPOINT_API": address,
        },
    }
    processes = [await _start(config) for _ in range(PROCESSES)]
    for process in processes:
        process.stdin.write(b"go\n")
    async with asyncio.timeout(120):
        results = [json.loads((await process.communicate())[0]) for process in processes]
    outcomes = Counter(outcome for result in results for outcome in result["outcomes"])
    stored = await team.connection(connection)
    found = {
        "calls": fake.calls,
        "refused": fake.refusals,
        "most at once": fake.most_at_once,
        "told to reconnect": outcomes[RECONNECT],
        "got tokens": sum(times for outcome, times in outcomes.items() if len(outcome) > 30),
        "different tokens": sum(len(outcome) > 30 for outcome in outcomes),
        "messages": sum(result["messages"] for result in results),
        "status": stored.status.value,
    }
    words = ", ".join(f"{name} {figure}" for name, figure in found.items())
    show(
        "F10",
        callers=ALL,
        without=without or "nothing",
        answers_lost=loses,
        grace="yes" if grace else "no",
        found=words,
    )
    return found


async def _start(config: dict[str, Any]) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "figures.refresher", json.dumps(config),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )  # fmt: skip
    async with asyncio.timeout(60):
        assert (await process.stdout.readline()).strip() == b"ready"
    return process


async def test_all_callers_share_one_refresh(team, mongod_uri):
    found = await race(team, mongod_uri)
    assert (found["calls"], found["got tokens"], found["different tokens"]) == (1, ALL, 1)
    assert found["status"] == ConnectionStatus.ACTIVE.value


async def test_all_who_look_ahead_of_need_make_one_renewal(team, mongod_uri):
    found = await race(team, mongod_uri, is_ahead=True)
    assert (found["calls"], found["most at once"], found["status"]) == (1, 1, ConnectionStatus.ACTIVE.value)


async def test_a_lost_answer_ahead_of_need_ends_in_one_message(team, mongod_uri):
    found = await race(team, mongod_uri, loses=1, is_ahead=True)
    assert found["calls"] <= 3
    assert (found["messages"], found["status"]) == (1, ConnectionStatus.NEEDS_RECONNECT.value)


async def test_a_lost_answer_is_asked_for_once_more_where_there_is_a_grace(team, mongod_uri):
    found = await race(team, mongod_uri, loses=1, grace=True)
    assert (found["calls"], found["got tokens"], found["different tokens"]) == (2, ALL, 1)
    assert found["status"] == ConnectionStatus.ACTIVE.value


async def test_a_lost_answer_without_a_grace_ends_in_one_clean_reconnect(team, mongod_uri):
    found = await race(team, mongod_uri, loses=1)
    # The lost one, and one or two that hear that it is over: another process may have been about to try.
    assert 2 <= found["calls"] == found["refused"] + 1 <= 3
    assert (found["told to reconnect"], found["messages"]) == (ALL, 1)
    assert found["status"] == ConnectionStatus.NEEDS_RECONNECT.value


async def test_without_the_lease_there_is_a_crowd(team, mongod_uri):
    found = await race(team, mongod_uri, without="lease")
    assert found["calls"] > PROCESSES
    assert found["most at once"] > 1


async def test_without_looking_again_everybody_refreshes_what_is_fresh(team, mongod_uri):
    found = await race(team, mongod_uri, without="recheck", grace=True)
    assert found["calls"] > PROCESSES


async def test_without_the_latch_a_lost_answer_becomes_a_storm(team, mongod_uri):
    found = await race(team, mongod_uri, without="latch", loses=1)
    assert found["calls"] > PROCESSES * 3


async def test_a_thousand_transient_failures_end_no_access(team):
    connection = await team.connect()
    team.clock.advance(HOUR)
    seed, failures = choose_seed(), size(1000)
    chance = random.Random(seed)
    kinds: Counter[str] = Counter()
    before = team.fake.requests.count(("POST", "/token"))
    while team.fake.requests.count(("POST", "/token")) - before < failures:
        kind = chance.choice(["unavailable", "rate_limit", "garbage"])
        team.fake.switch(kind)
        with pytest.raises(PlatformError) as failed:
            await team.refreshing.get_credential(connection)
        assert not isinstance(failed.value, ReconnectRequired), kind
        team.fake.switch(kind, on=False)
        kinds[kind] += 1
    after = await team.connection(connection)
    show(
        "F10",
        seed=seed,
        failed_token_calls=failures,
        in_outages=dict(sorted(kinds.items())),
        told_to_reconnect=len(team.notifier.of(ReconnectNeeded)),
        status=after.status.value,
    )
    assert (after.status, after.token_version) == (ConnectionStatus.ACTIVE, connection.token_version)
    assert [] == team.notifier.of(ReconnectNeeded)
    assert await team.refreshing.get_credential(connection)
