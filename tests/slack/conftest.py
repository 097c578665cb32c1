"""The small Slack of the sandbox, a client for it, and the bot's Slack edge with use cases that take notes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
from logicspike.clock import MovableClock
from logicspike.sandbox.fake_slack import FakeSlack
from logicspike.slack.client import build_client
from slack_sdk.web.async_client import AsyncWebClient

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


@pytest.fixture
def signing_secret() -> str:
    return SIGNING_SECRET


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(datetime(2026, 11, 24, 8, 0, tzinfo=UTC), is_frozen=True)


@pytest.fixture
async def slack(clock: MovableClock) -> AsyncIterator[FakeSlack]:
    fake = FakeSlack(signing_secret=SIGNING_SECRET, bot_token="xoxb-test-token", clock=clock)
    async with fake.running():
        yield fake


@pytest.fixture
async def client(slack: FakeSlack) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield build_client(token="xoxb-test-token", api_url=slack.api_url, session=session)
