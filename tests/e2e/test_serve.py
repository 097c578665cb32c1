"""The bot as an operator runs it: a process of its own, its settings from the environment, walked from outside."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from logicspike.clock import SystemClock
from logicspike.sandbox.fake_slack import FakeSlack
from logicspike.sandbox.platforms import run_fakes
from logicspike.sandbox.slack_state import Message
from logicspike.testing import FakePlatform, press_allow
from logicspike.vault import generate_key

ANA = "U0ANA"
SECRET, TOKEN = "outside-signing-secret", "xoxb-outside"


@asynccontextmanager
async def serving(
    environment: dict[str, str], folder: Path, *, role: str = "all"
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run ``logicspike serve`` with this environment and nothing else; it logs to a file of its role's name."""
    log = (folder / f"{role}.log").open("ab")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "logicspike", "serve", "--role", role),
        env=environment,
        cwd=folder,
        stdout=log,
        stderr=log,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        log.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


async def wait_until_ready(http: aiohttp.ClientSession, url: str, process: asyncio.subprocess.Process) -> None:
    for _ in range(600):
        assert process.returncode is None, "serve ended by itself"
        try:
            async with http.get(f"{url}/readyz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientConnectionError:
            pass
        await asyncio.sleep(0.05)
    pytest.fail("serve did not become ready")


@dataclass
class Outside:
    """What a bot has around it: Slack, the platforms, an operator who sets variables, and a member with a browser."""

    slack: FakeSlack
    twitter: FakePlatform
    browser: aiohttp.ClientSession
    url: str
    environment: dict[str, str]

    async def connect(self) -> str:
        """Connect an account at X by the link; the link's secret."""
        await self.slack.command(ANA, "/connect", "twitter")
        dm = await self.slack.wait_for_message(ANA, "/connect/", channel=self.slack.im_of(ANA))
        ticket = URL(next(each for each in dm.urls if "/connect/" in each))
        async with self.browser.post(ticket, allow_redirects=False) as begun:
            assert 303 == begun.status
            authorize_url = begun.headers["Location"]
        async with self.browser.get(await press_allow(self.browser, authorize_url)) as result:
            assert "Connected" in await result.text()
        return ticket.name

    async def wait_until_published(self) -> Message:
        return await self.slack.wait_for_message(ANA, "Published", channel=self.slack.im_of(ANA))


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[Outside]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    slack = FakeSlack(signing_secret=SECRET, bot_token=TOKEN, clock=SystemClock(), events_url=f"{url}/slack/events")
    async with (
        slack.running(),
        run_fakes(clock=SystemClock(), public_url=url) as fakes,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
    ):
        environment = {
            "PATH": os.environ["PATH"],
            "PORT": str(port),
            "PUBLIC_URL": url,
            "LOGICSPIKE_DATA_DIR": str(tmp_path / "data"),
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_API_URL": slack.api_url,
            **{name: value for fake in fakes for name, value in fake.environment().items()},
        }
        twitter = next(fake.fake for fake in fakes if fake.name == "twitter")
        yield Outside(slack=slack, twitter=twitter, browser=browser, url=url, environment=environment)


async def stop(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGTERM)
    assert 0 == await asyncio.wait_for(process.wait(), 20)


@pytest.mark.usefixtures("mongod_program")
async def test_the_story_from_outside_and_a_clean_stop(outside, tmp_path):
    slack, twitter = outside.slack, outside.twitter
    async with serving(outside.environment, tmp_path) as process:
        await wait_until_ready(outside.browser, outside.url, process)
        ticket = await outside.connect()
        await slack.command(ANA, "/schedule", "twitter in 1s From outside")
        told = await outside.wait_until_published()
        assert ["From outside"] == [entry.text for entry in twitter.ledger]
        await stop(process)

    async with serving(outside.environment, tmp_path) as process:
        await wait_until_ready(outside.browser, outside.url, process)
        answer = await slack.command(ANA, "/connect")
        listed = answer.message or await slack.wait_for_message(ANA, "Acme Coffee", after=told)
        assert "Acme Coffee" in listed.everything, "the data are kept between runs"
        await stop(process)

    log = (tmp_path / "all.log").read_text()
    for secret in (SECRET, TOKEN, twitter.client_secret, ticket, *twitter._access, *twitter._refresh):
        assert secret not in log
    assert not re.search(r"(code|state)=", log)


async def test_what_the_web_process_takes_in_the_worker_publishes(outside, mongod_uri, database_name, tmp_path):
    environment = outside.environment | {
        "MONGODB_URI": mongod_uri,
        "MONGODB_DATABASE": database_name,
        "LOGICSPIKE_KEYS": f"test:{generate_key()}",
    }
    async with (
        serving(environment, tmp_path, role="web") as web,
        serving(environment, tmp_path, role="worker") as worker,  # listens to nothing
    ):
        await wait_until_ready(outside.browser, outside.url, web)
        await outside.connect()
        await outside.slack.command(ANA, "/schedule", "twitter now Between processes")
        await outside.wait_until_published()
        assert ["Between processes"] == [entry.text for entry in outside.twitter.ledger]
        await asyncio.gather(stop(web), stop(worker))

    logs = {role: (tmp_path / f"{role}.log").read_text() for role in ("web", "worker")}
    assert {"web": False, "worker": True} == {role: "delivery.published" in log for role, log in logs.items()}, logs


async def test_missing_settings_are_all_named_and_nothing_starts(tmp_path):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "logicspike",
        "serve",
        env={"PATH": os.environ["PATH"], "PUBLIC_URL": "ftp://x", "PORT": "many", "MONGODB_URI": "mongodb://x"},
        cwd=tmp_path,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()

    assert 2 == process.returncode
    assert {"PUBLIC_URL", "PORT"} <= set(re.findall(r"^  ([A-Z_]+):", said.decode(), re.MULTILINE))
    assert "Traceback" not in said.decode()
