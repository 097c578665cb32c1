"""Every secret of the whole story, looked for in every place where it must not be."""

from __future__ import annotations

import gc
import logging
import re
import sys
import traceback
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from logicspike.sandbox import run
from logicspike.services import connecting
from logicspike.store.mongo import open_database
from logicspike.testing import FakePlatform
from logicspike.testing.fake_oauth import FakeAuthorizationServer

MINUTE = timedelta(minutes=1)
ANA = "U0ANA"
BUTTON = re.compile(r'<form method="post" action="([^"]+)"')
CONSENT = re.compile(r'action="(/sandbox/consent/[^"]+)"')


@dataclass
class Secrets:
    """Every secret by its kind, noted where it is made."""

    by_kind: dict[str, set[str]] = field(default_factory=dict)

    def note(self, kind: str, value: Any) -> Any:
        if isinstance(value, str) and len(value) >= 10:
            self.by_kind.setdefault(kind, set()).add(value)
        return value

    def found_in(self, text: str, *, but: tuple[str, ...] = ()) -> list[str]:
        return [
            f"{kind} in …{text[max(0, text.index(value) - 160) : text.index(value)]!r}"
            for kind, values in self.by_kind.items()
            if kind not in but
            for value in values
            if value in text
        ]


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    noted = Secrets()

    def watch(owner: object, name: str, kind: str) -> None:
        real = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *a, **k: noted.note(kind, real(*a, **k)))

    for cls in (FakeAuthorizationServer, FakePlatform, *FakePlatform.__subclasses__()):
        for name, kind in (
            ("issue_code", "code"),
            ("issue_access_token", "access token"),
            ("issue_refresh_token", "refresh token"),
        ):
            if name in vars(cls):
                watch(cls, name, kind)
    watch(connecting, "generate_token", "verifier")

    class Random:
        token_hex = staticmethod(connecting.secrets.token_hex)

        @staticmethod
        def token_urlsafe(size: int) -> str:
            value = real_random.token_urlsafe(size)
            return noted.note("ticket or state", value) if size == 32 else value

    real_random = connecting.secrets
    monkeypatch.setattr(connecting, "secrets", Random)
    return noted


@dataclass
class Story:
    sandbox: run.Sandbox
    browser: aiohttp.ClientSession
    pages: list[str] = field(default_factory=list)

    async def connect(self, platform: str) -> None:
        before = max((m.revision for m in self.sandbox.slack.messages_for(ANA)), default=-1)
        await self.sandbox.slack.command(ANA, "/connect", platform)
        await self.follow(before, platform)

    async def follow(self, before: int, platform: str, decision: str = "allow") -> None:
        slack = self.sandbox.slack
        dm = await slack.wait_for(
            lambda: next(
                (m for m in reversed(slack.messages_for(ANA)) if m.revision > before and "/connect/" in str(m.urls)),
                None,
            )
        )
        [url] = [each for each in dm.urls if "/connect/" in each]
        async with self.browser.get(url) as page:
            text = await page.text()
            [action] = BUTTON.findall(text)
            # The page's own form and address carry the ticket, as they must.
            self.pages.append(text.replace(URL(url).name, "TICKET") + str(page.headers))
        async with self.browser.post(URL(url).join(URL(action)), allow_redirects=False) as response:
            consent_url = URL(response.headers["Location"])
        async with self.browser.get(consent_url) as consent:
            [decide] = CONSENT.findall(await consent.text())
        person = self.sandbox.platforms[platform].fake.people[-1].id
        form = {"decision": decision, "person": person}
        async with self.browser.post(consent_url.join(URL(decide)), data=form, allow_redirects=False) as back:
            callback = back.headers["Location"]
        async with self.browser.get(callback, allow_redirects=False) as answer:
            self.pages.append(str(answer.headers) + await answer.text())
            result = URL(callback).join(URL(answer.headers["Location"]))
        async with self.browser.get(result) as page:
            self.pages.append(str(page.url) + str(page.headers) + await page.text())
        async with self.browser.get(callback, allow_redirects=False) as replay:
            assert replay.status == 410
            self.pages.append(str(replay.headers) + await replay.text())


async def test_no_secret_shows_anywhere(mongod_uri, tmp_path, noted, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    settings = []
    real_settings = run._build_settings
    monkeypatch.setattr(run, "_build_settings", lambda *a, **k: (settings.append(s := real_settings(*a, **k)), s)[1])
    shown: list[str] = []
    monkeypatch.setattr(sys, "excepthook", lambda *a: shown.append("".join(traceback.format_exception(*a))))
    async with (
        run.open_sandbox(folder=tmp_path, mongodb_uri=mongod_uri) as sandbox,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
    ):
        [its] = settings
        noted.note("signing secret", its.slack_signing_secret.get_secret_value())
        noted.note("bot token", its.slack_bot_token.get_secret_value())
        for each in sandbox.platforms.values():
            noted.note("client secret", each.fake.client_secret)
        story = Story(sandbox=sandbox, browser=browser)
        slack = sandbox.slack
        for platform in ("twitter", "linkedin", "facebook"):
            await live_through(story, platform)
        async with browser.get(f"{sandbox.public_url}/metrics") as metrics:
            story.pages.append(await metrics.text())
        database = open_database(mongod_uri, its.mongodb_database)
        dump = ""
        names = (
            "social_connections",
            "scheduled_posts",
            "deliveries",
            "pending_authorizations",
            "slack_installations",
            "seen_requests",
            "audit_log",
        )
        for name in names:
            dump += repr(await database.collection(name).find({}).to_list(None))
        await database.close()
        assert len(dump) > 1000
        assert {"code", "access token", "refresh token", "verifier", "ticket or state", "client secret"} <= set(
            noted.by_kind
        )
        said = [f"{call.method} {call.args}" for call in slack.api.calls]
        with_link = [each for each in said if "/connect/" in each]
        without = [each for each in said if "/connect/" not in each]
        objects = describe_reachable()
    logs = "\n".join(f"{r.name} {r.getMessage()} {vars(r)}" for r in caplog.records)
    problems = {
        "database": noted.found_in(dump),
        "pages": [hit for page in story.pages for hit in noted.found_in(page)],
        "slack": noted.found_in("\n".join(without)),
        "the link's messages": noted.found_in("\n".join(with_link), but=("ticket or state",)),
        "logs": noted.found_in(logs),
        "reprs": noted.found_in(objects),
        "excepthook": noted.found_in("".join(shown)),
    }
    assert {} == {place: hits for place, hits in problems.items() if hits}


async def live_through(story: Story, platform: str) -> None:
    sandbox, slack = story.sandbox, story.sandbox.slack
    fake = sandbox.platforms[platform].fake
    await story.connect(platform)
    for fault in ("unavailable", "garbage", "error_after_accept", "accept_then_drop"):
        await suffer(story, platform, fault)
    fake.perform("expire")
    await schedule(slack, f"{platform} in 1m", f"expired {platform}")
    for _ in range(4):
        await slack.advance_clock(3 * MINUTE)
        await settle(sandbox)
    fake.perform("revoke")
    await schedule(slack, f"{platform} in 1m", f"revoked {platform}")
    await slack.advance_clock(MINUTE)
    title = sandbox.bot.platforms.get(platform).title
    asked = await slack.wait_for_message(ANA, f"*{title} asks you to sign in again")
    before = max(m.revision for m in slack.messages_for(ANA))
    await slack.click(ANA, asked, "connect.reconnect")
    fake.switch("unavailable", times=1)
    await story.follow(before, platform)
    before = max(m.revision for m in slack.messages_for(ANA))
    await slack.click(ANA, asked, "connect.reconnect")
    await story.follow(before, platform)
    await suffer(story, platform, "rate_limit")  # at last: nothing is tried until the platform allows it
    await slack.command(ANA, "/connect", "list")
    before = max(m.revision for m in slack.messages_for(ANA))
    await slack.command(ANA, "/connect", f"remove {platform}")
    question = await slack.wait_for(
        lambda: next(
            (
                m
                for m in reversed(slack.messages_for(ANA))
                if m.revision > before and "disconnect.hold_posts" in m.action_ids
            ),
            None,
        )
    )
    before = max(m.revision for m in slack.messages_for(ANA))
    await slack.click(ANA, question, "disconnect.hold_posts")
    await slack.wait_for_message(ANA, "isconnected")


async def suffer(story: Story, platform: str, fault: str) -> None:
    sandbox, slack = story.sandbox, story.sandbox.slack
    fake = sandbox.platforms[platform].fake
    await schedule(slack, f"{platform} in 1m", f"{fault} {platform}")
    fake.switch(fault, times=1)
    await slack.advance_clock(MINUTE)
    await settle(sandbox)
    fake.switch(fault, on=False)


async def schedule(slack, when: str, text: str) -> None:
    await slack.command(ANA, "/schedule", f"{when} {text}")
    await slack.wait_for_message(ANA, text)


async def settle(sandbox: run.Sandbox) -> None:
    services = sandbox.bot.services
    await services.reconciling.rescue()
    await services.reconciling.settle_unknown()
    await services.delivering.deliver_due()
    await services.delivering.wait_until_idle()


def describe_reachable() -> str:
    """What repr() says of every object of ours, the plugins' and Authlib's that is alive."""
    described = []
    for each in gc.get_objects():
        module = str(type(each).__module__)
        if (
            module.startswith(("logicspike.", "logicspike_", "authlib"))
            and ".sandbox" not in module
            and ".testing" not in module
        ):
            try:
                described.append(f"{type(each).__qualname__}: {each!r}")
            except Exception as error:
                described.append(type(error).__name__)
    assert len(described) > 20
    return "\n".join(described)
