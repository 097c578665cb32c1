"""The composition root: what starts also stops, what can't start says why, and an outage of the database passes."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
import pytest

from logicspike.app import Bot, StartFailed, run_bot
from logicspike.clock import SystemClock
from logicspike.sandbox.fake_slack import FakeSlack
from logicspike.settings import Settings, load_settings
from logicspike.store.embedded import EmbeddedMongod

ANA = "U0ANA"
SECRET, TOKEN = "app-signing-canary", "xoxb-app-canary"
KEYS = "k:" + base64.b64encode(b"key-canary".ljust(32, b"!")).decode()
PATIENCE = 2.5
ONE_BUDGET = 3.5  # seconds: the store gives up after 2.2, with room for a busy machine; two in a row take 4.4

pytestmark = pytest.mark.usefixtures("forgotten_sockets")


@dataclass
class Base:
    """A small Slack, and settings for a bot beside it."""

    slack: FakeSlack
    variables: dict[str, str]

    def settings(self, **changes: str) -> Settings:
        return load_settings(self.variables | changes, env_file=None)

    @asynccontextmanager
    async def bot(self, **changes: str) -> AsyncIterator[Bot]:
        async with run_bot(self.settings(**changes)) as bot:
            self.slack.events_url = f"{bot.address}/slack/events"
            yield bot


@pytest.fixture
async def base(mongod_uri: str, database_name: str, tmp_path: Path) -> AsyncIterator[Base]:
    slack = FakeSlack(signing_secret=SECRET, bot_token=TOKEN, clock=SystemClock())
    async with slack.running():
        variables = {
            "PORT": "0",
            "MONGODB_URI": mongod_uri,
            "MONGODB_DATABASE": database_name,
            "LOGICSPIKE_KEYS": KEYS,
            "LOGICSPIKE_DATA_DIR": str(tmp_path / "data"),
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_API_URL": slack.api_url,
            "TWITTER_CLIENT_ID": "an-id",
            "TWITTER_CLIENT_SECRET": "client-canary",
        }
        yield Base(slack, variables)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        yield session


async def status_of(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as answer:
        return answer.status


async def wait_for_status(http: aiohttp.ClientSession, url: str, status: int, limit: float = 15) -> dict[str, object]:
    deadline = time.monotonic() + limit
    while True:
        async with http.get(url) as answer:
            body = await answer.json()
            if answer.status == status:
                return body
        assert time.monotonic() < deadline, body
        await asyncio.sleep(0.05)


# --- starting and stopping --------------------------------------------------------------------------------------------


async def test_it_starts_answers_and_is_ready(base, http):
    async with base.bot() as bot:
        assert 200 == await status_of(http, f"{bot.address}/healthz")
        body = await wait_for_status(http, f"{bot.address}/readyz", 200)

    assert ("ready", "ok", "ok", "ok") == tuple(body[each] for each in ("status", "database", "slack", "scheduler"))
    assert "ok" == body["platforms"]["twitter"]
    assert "FACEBOOK_CLIENT_ID" in body["platforms"]["facebook"]
    assert "canary" not in str(body)


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_it_stops_leaving_no_task_socket_or_handle(base, driver):
    async def run_once() -> None:
        async with base.bot(MONGODB_DRIVER=driver):
            answer = await base.slack.command(ANA, "/connect", "help")
            assert answer.is_ok
            await base.slack.command(ANA, "/connect")
            await base.slack.wait_for_message(ANA, "connect")

    process = psutil.Process()
    await run_once()  # what libraries open once for good
    tasks = asyncio.all_tasks()
    listening = [each.laddr for each in process.net_connections() if each.status == psutil.CONN_LISTEN]
    files = process.num_fds()

    await run_once()

    # The small Slack's keep-alive connection to the bot ends when the bot does, but is noticed a moment later.
    deadline = time.monotonic() + 20
    while (asyncio.all_tasks() - tasks or process.num_fds() > files) and time.monotonic() < deadline:  # noqa: ASYNC110 - no event
        await asyncio.sleep(0.01)
    assert set() == asyncio.all_tasks() - tasks
    assert listening == [each.laddr for each in process.net_connections() if each.status == psutil.CONN_LISTEN]
    assert process.num_fds() <= files


async def test_what_follows_a_sign_in_is_finished_before_it_stops(base):
    gate, done = asyncio.Event(), []

    async def tell() -> None:
        await gate.wait()
        done.append(True)

    async with base.bot() as bot:
        await bot.services.connecting._later(tell)
        asyncio.get_running_loop().call_later(0.2, gate.set)
        assert [] == done
    assert [True] == done


async def test_its_port_is_free_again_at_once(base, http):
    async with base.bot() as bot:
        port = bot.address.rpartition(":")[2]
    async with base.bot(PORT=port) as bot:
        assert bot.address.endswith(f":{port}")
        assert 200 == await status_of(http, f"{bot.address}/healthz")


async def test_a_socket_that_is_handed_in_is_used(base, http):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        async with run_bot(base.settings(PORT="1"), listener=listener) as bot:
            assert f"http://127.0.0.1:{port}" == bot.address
            assert 200 == await status_of(http, f"{bot.address}/healthz")


async def test_an_address_of_the_newer_kind_is_written_as_such(base, http):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with base.bot(HOST="::1") as bot:
        assert bot.address.startswith("http://[::1]:")
        assert 200 == await status_of(http, f"{bot.address}/healthz")


async def test_without_slack_it_lives_but_is_not_ready(base, http):
    async with base.bot(SLACK_BOT_TOKEN="xoxb-other") as bot:
        assert 200 == await status_of(http, f"{bot.address}/healthz")
        body = await wait_for_status(http, f"{bot.address}/readyz", 503)
        assert "not reachable" == body["slack"]
        assert "ok" == body["database"]


async def test_a_failure_inside_stops_everything_too(base):
    tasks = asyncio.all_tasks()
    with pytest.raises(RuntimeError, match="inside"):
        async with base.bot():
            raise RuntimeError("inside")

    assert set() == asyncio.all_tasks() - tasks


# --- what can't start -------------------------------------------------------------------------------------------------


async def fails_to_start(base: Base, **changes: str) -> str:
    tasks = asyncio.all_tasks()
    with pytest.raises(StartFailed) as caught:
        async with base.bot(**changes):
            pytest.fail("it started")
    assert set() == asyncio.all_tasks() - tasks
    sentence = str(caught.value)
    assert 1 == len(sentence.splitlines())
    assert "canary" not in sentence
    return sentence


async def test_a_taken_port_is_told(base):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        sentence = await fails_to_start(base, PORT=str(port))

    assert sentence.startswith(f"Can't listen on 127.0.0.1:{port}")
    assert "Choose another with --port." in sentence


async def test_a_host_that_is_not_this_machines_is_told(base):
    assert "Can't listen on 192.0.2.1:0" in await fails_to_start(base, HOST="192.0.2.1")


async def test_a_database_that_is_away_is_told(base):
    began = time.monotonic()
    sentence = await fails_to_start(base, MONGODB_URI="mongodb://bot:password-canary@127.0.0.1:1/")

    assert "The database did not answer in time" in sentence
    assert sentence.endswith("is MONGODB_URI right?")
    assert time.monotonic() - began < 5


async def test_a_database_address_that_cannot_be_read_is_told(base):
    assert "MONGODB_URI" in await fails_to_start(base, MONGODB_URI="mongodb://bot:password-canary@@:x/")


@pytest.mark.parametrize("keys", ["canary", "k:canary", f"{KEYS},{KEYS}", KEYS.removeprefix("k:")])
async def test_wrong_keys_are_told(base, keys):
    assert (await fails_to_start(base, LOGICSPIKE_KEYS=keys)).startswith("LOGICSPIKE_KEYS is not right: ")


async def test_a_spoilt_key_file_is_told_and_kept(base, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "keys").write_text("key-canary")

    sentence = await fails_to_start(base, LOGICSPIKE_KEYS="")

    assert f"The key file {tmp_path / 'data' / 'keys'} can't be used" in sentence
    assert "key-canary" == (tmp_path / "data" / "keys").read_text()


# --- an outage --------------------------------------------------------------------------------------------------------


@dataclass
class OwnMongod:
    """A mongod of this test's own, to be stopped and killed."""

    mongod: EmbeddedMongod
    folder: Path
    uri: str

    def signal(self, number: signal.Signals) -> None:
        os.kill(int((self.folder / "mongo" / "mongod.lock").read_text()), number)


@pytest.fixture
async def own_mongod(mongod_program: Path, tmp_path: Path) -> AsyncIterator[OwnMongod]:
    mongod = EmbeddedMongod(tmp_path / "own", mongod=mongod_program)
    own = OwnMongod(mongod, tmp_path / "own", await mongod.start())
    yield own
    await mongod.stop()


async def in_an_outage(base: Base, http: aiohttp.ClientSession, address: str) -> None:
    """What must hold while the database is away."""
    assert "not reachable" == (await wait_for_status(http, f"{address}/readyz", 503))["database"]
    assert 200 == await status_of(http, f"{address}/healthz")
    for command, text in (("/connect", ""), ("/connect", "twitter"), ("/schedule", "list")):
        before = max(base.slack.messages_for(ANA), key=lambda each: each.revision, default=None)
        began = time.monotonic()
        answer = await base.slack.command(ANA, command, text)
        assert answer.is_ok
        assert time.monotonic() - began < PATIENCE
        said = await base.slack.wait_for_message(ANA, "try again", after=before, timeout=ONE_BUDGET)
        assert said.is_ephemeral


async def after_an_outage(base: Base, http: aiohttp.ClientSession, address: str) -> None:
    await wait_for_status(http, f"{address}/readyz", 200)
    before = max(base.slack.messages_for(ANA), key=lambda each: each.revision)
    await base.slack.command(ANA, "/connect", "twitter")
    await base.slack.wait_for_message(ANA, "/connect/", channel=base.slack.im_of(ANA), after=before)


@pytest.mark.chaos
async def test_a_database_that_hangs_and_comes_back(base, http, own_mongod):
    async with base.bot(MONGODB_URI=own_mongod.uri) as bot:
        await wait_for_status(http, f"{bot.address}/readyz", 200)
        own_mongod.signal(signal.SIGSTOP)
        try:
            await in_an_outage(base, http, bot.address)
        finally:
            own_mongod.signal(signal.SIGCONT)
        await after_an_outage(base, http, bot.address)


@pytest.mark.chaos
async def test_a_database_that_dies_and_comes_back(base, http, own_mongod):
    async with base.bot(MONGODB_URI=own_mongod.uri) as bot:
        await wait_for_status(http, f"{bot.address}/readyz", 200)
        own_mongod.signal(signal.SIGKILL)
        await in_an_outage(base, http, bot.address)
        assert own_mongod.uri == await own_mongod.mongod.start()
        await after_an_outage(base, http, bot.address)
