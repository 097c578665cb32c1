"""A small Slack with a tiny real Bolt app behind it, and a platform for its panel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from logicspike.clock import MovableClock
from logicspike.sandbox.fake_slack import FakeSlack
from logicspike.sandbox.panel import FaultSwitch
from logicspike.sandbox.slack_state import Command

START = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TOKEN = "xoxb-sandbox"


@dataclass
class Timer:
    """A steady timer that moves only when told."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class FakePanelPlatform:
    """One platform for the panel, with a timeline on its own port."""

    name: str = "chirp"
    title: str = "Chirp"
    timeline_url: str = ""
    on: set[str] = field(default_factory=set)
    done: list[str] = field(default_factory=list)
    text: str = "Nothing yet"

    def faults(self) -> list[FaultSwitch]:
        return [
            FaultSwitch(name="revoke", label="Revoke all access now", kind="action"),
            FaultSwitch(name="slow", label="Be slow", kind="switch", is_on="slow" in self.on),
        ]

    async def set_fault(self, name: str, on: bool) -> None:
        match name:
            case "revoke":
                self.done.append(name)
            case "slow":
                (self.on.add if on else self.on.discard)(name)
            case _:
                raise KeyError(name)

    async def show(self, _request: web.Request) -> web.Response:
        return web.Response(text=f"<!doctype html><p>{self.text}</p>", content_type="text/html")


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(START, is_frozen=True)


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
async def platform() -> AsyncIterator[FakePanelPlatform]:
    found = FakePanelPlatform()
    app = web.Application()
    app.router.add_get("/", found.show)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.timeline_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield found
    await runner.cleanup()


@pytest.fixture
async def slack(clock: MovableClock, timer: Timer, platform: FakePanelPlatform) -> AsyncIterator[FakeSlack]:
    """The small Slack, running; the bot is not yet behind it."""
    fake = FakeSlack(
        signing_secret=SECRET,
        bot_token=TOKEN,
        clock=clock,
        commands=(
            Command(
                name="/connect", description="Connect an account", usage_hint="[platform]", examples=("/connect chirp",)
            ),
            Command(name="/schedule", description="Schedule a post", usage_hint="<accounts> <when> <text>"),
        ),
        platforms=(platform,),
        advance_clock=clock.advance,
        ack_seconds=1.0,
        timer=timer,
    )
    async with fake.running():
        yield fake


@dataclass
class Bot:
    """A real Bolt app served on loopback, its client pointed at the small Slack, and what its listeners saw."""

    app: AsyncApp
    client: AsyncWebClient
    seen: list[dict[str, Any]] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture
async def bot(slack: FakeSlack) -> AsyncIterator[Bot]:
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(token=TOKEN, base_url=slack.api_url, session=session)
        app = AsyncApp(client=client, signing_secret=SECRET, process_before_response=True)
        made = Bot(app=app, client=client)

        async def take(request: web.Request) -> web.StreamResponse:
            return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

        server = web.Application()
        server.router.add_post("/slack/events", take)
        runner = web.AppRunner(server, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        yield made
        made.release.set()
        await runner.cleanup()
