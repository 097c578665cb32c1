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
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from logicspike.clock import SystemClock
from logicspike.sandbox.fake_slack import FakeSlack
from logicspike.sandbox.platforms import run_fakes
from logicspike.testing import press_allow

ANA = "U0ANA"
SECRET, TOKEN = "outside-signing-secret", "xoxb-outside"


@asynccontextmanager
async def serving(environment: dict[str, str], folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run ``logicspike serve`` with this environment and nothing else."""
    log = (folder / "serve.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "logicspike", "serve", env=environment, cwd=folder, stdout=log, stderr=log
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


@pytest.mark.usefixtures("mongod_program")
async def test_the_story_from_outside_and_a_clean_stop(tmp_path):
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
        async with serving(environment, tmp_path) as process:
            await wait_until_ready(browser, url, process)
            await slack.command(ANA, "/connect", "twitter")
            dm = await slack.wait_for_message(ANA, "/connect/", channel=slack.im_of(ANA))
            ticket = URL(next(each for each in dm.urls if "/connect/" in each))
            async with browser.post(ticket, allow_redirects=False) as begun:
                assert 303 == begun.status
                authorize_url = begun.headers["Location"]
            async with browser.get(await press_allow(browser, authorize_url)) as result:
                assert "Connected" in await result.text()
            await slack.command(ANA, "/schedule", "twitter in 1s From outside")
            await slack.wait_for_message(ANA, "Published", channel=slack.im_of(ANA), timeout=15)
            assert ["From outside"] == [entry.text for entry in twitter.ledger]

            process.send_signal(signal.SIGTERM)
            assert 0 == await asyncio.wait_for(process.wait(), 20)

        async with serving(environment, tmp_path) as process:
            await wait_until_ready(browser, url, process)
            answer = await slack.command(ANA, "/connect")
            listed = answer.message or await slack.wait_for_message(ANA, "Acme Coffee", after=dm)
            assert "Acme Coffee" in listed.everything, "the data are kept between runs"
            process.send_signal(signal.SIGTERM)
            assert 0 == await asyncio.wait_for(process.wait(), 20)

    log = (tmp_path / "serve.log").read_text()
    for secret in (SECRET, TOKEN, twitter.client_secret, ticket.name, *twitter._access, *twitter._refresh):
        assert secret not in log
    assert not re.search(r"(code|state)=", log)


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
