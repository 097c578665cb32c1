"""The whole bot beside a small Slack and every platform's fake, as in the demo, on the tests' real database."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from logicspike.sandbox.run import Sandbox, open_sandbox
from logicspike.sandbox.slack_state import Message
from logicspike.testing import FakePlatform

ANA, BEN = "U0ANA", "U0BEN"
_BUTTON = re.compile(r'<form method="post" action="([^"]+)"')
_CONSENT = re.compile(r'action="(/sandbox/consent/[^"]+)"')


@dataclass
class Walk:
    """A member at their keyboard: Slack on one side, a browser with its cookies on the other."""

    sandbox: Sandbox
    browser: aiohttp.ClientSession

    @property
    def slack(self):
        return self.sandbox.slack

    def fake(self, name: str) -> FakePlatform:
        return self.sandbox.platforms[name].fake

    async def connect(self, platform: str, *, user: str = ANA, person: str = "", decision: str = "allow") -> str:
        """Type /connect, follow the DM's link, press the buttons; what the result page says."""
        before = self.newest(user)
        await self.slack.command(user, "/connect", platform)
        dm = await self.slack.wait_for_message(user, "/connect/", channel=self.slack.im_of(user), after=before)
        return await self.follow(dm, person=person, decision=decision)

    async def follow(self, dm: Message, *, person: str = "", decision: str = "allow") -> str:
        [url] = [each for each in dm.urls if "/connect/" in each]
        async with self.browser.get(url) as page:
            assert 200 == page.status, await page.text()
            [action] = _BUTTON.findall(await page.text())
        async with self.browser.post(URL(url).join(URL(action))) as consent:
            assert 200 == consent.status, await consent.text()
            [decide], where = _CONSENT.findall(await consent.text()), consent.url
        form = {"decision": decision, "person": person}
        async with self.browser.post(where.join(URL(decide)), data=form) as result:
            assert "/connect/result/" in str(result.url), await result.text()
            said = await result.text()
        await self.slack.wait_for(lambda: self.find_outcome(dm))
        return said

    def find_outcome(self, link: Message) -> Message | None:
        """What took the place of a link's message, which comes a moment after the result page."""
        seen = (each for user in (ANA, BEN) for each in self.slack.messages_for(user))
        return next((each for each in seen if each.ts == link.ts and each.revision > link.revision), None)

    async def wait_for_button(self, user: str, action_id: str, *, after: Message | None = None) -> Message:
        """Wait for a message with this button, in any conversation the member sees."""
        since = after.revision if after is not None else -1
        return await self.slack.wait_for(
            lambda: next(
                (
                    each
                    for each in reversed(self.slack.messages_for(user))
                    if each.revision > since and action_id in each.action_ids
                ),
                None,
            )
        )

    async def until(self, is_so: Callable[[], bool], limit: float = 10) -> None:
        """Wait for something outside of Slack."""
        deadline = time.monotonic() + limit
        while not is_so():
            assert time.monotonic() < deadline, "it did not come to be so"
            await asyncio.sleep(0.02)

    def newest(self, user: str) -> Message | None:
        return max(self.slack.messages_for(user), key=lambda each: each.revision, default=None)

    async def schedule(self, text: str, *, user: str = ANA) -> Message:
        """Type /schedule and wait for the answer."""
        before = self.newest(user)
        await self.slack.command(user, "/schedule", text)
        return await self.slack.wait_for_message(user, after=before)


@pytest.fixture
async def walk(mongod_uri: str, tmp_path: Path) -> AsyncIterator[Walk]:
    async with (
        open_sandbox(folder=tmp_path, mongodb_uri=mongod_uri) as sandbox,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
    ):
        yield Walk(sandbox=sandbox, browser=browser)
