"""A platform, or its plugin, that means harm: words that no message may break on, answers that are none."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from logicspike.platforms import Platforms
from logicspike.plugin import (
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformUnavailable,
    PostRejected,
    Problem,
    PublishedPost,
    RateLimited,
    ReconnectRequired,
)
from logicspike.sandbox.run import open_sandbox
from logicspike.services.connecting import Callback
from logicspike.testing import press_allow

pytestmark = [pytest.mark.chaos, pytest.mark.patient]

ANA, BEN = "U0ANA", "U0BEN"
HOSTILE = {
    "mention": "<!channel> <!here> <@U0BEN> <#C0GENERAL> <https://evil.example|Click> @everyone",
    "markup": "*bold* _it_ `code` ```block``` > quote & < > &lt;!channel&gt;",
    "endless": "x" * 4000,
    "endless escapes": "<" * 4000,
    "emoji": "👩‍👩‍👧‍👦" * 400,
    "turned": "\u202egnp.exe\u202c \u2066hidden\u2069",
    "control": "a\x00b\x07c\nd\re\tf\x1b[31m",
    "blank": "\u200b \u3000",
    "nothing but marks": "̀" * 500,
}


@pytest.fixture
async def sandbox(mongod_uri, tmp_path):
    async with open_sandbox(folder=tmp_path, mongodb_uri=mongod_uri) as opened:
        yield opened


def plug(sandbox: Any, hook: str, answer: Any) -> None:
    """Put something in the place of X's hook, behind the façade's checks."""
    sandbox.bot.platforms._hooks["twitter", hook] = answer


def read_markup(part: Any) -> list[str]:
    """All that Slack reads as markup; plain text can neither notify nor link."""
    if isinstance(part, list):
        return [found for each in part for found in read_markup(each)]
    if not isinstance(part, dict):
        return []
    own = [part["text"]] if part.get("type") in {"message", "mrkdwn"} else []
    return own + [found for each in part.values() for found in read_markup(each)]


def check_messages(sandbox: Any, caplog: pytest.LogCaptureFixture) -> None:
    slack = sandbox.slack
    refused = [(call.method, call.error) for call in slack.api.calls if call.error]
    assert [] == refused
    events = {getattr(record, "event", "") for record in caplog.records}
    assert events.isdisjoint(
        {"slack.reply_failed", "slack.message_failed", "slack.failed", "delivery.bug", "task.failed"}
    )
    for message in slack.messages_for(ANA):
        said = " ".join(read_markup(message.to_json()))
        for token in ("<!channel>", "<!here>", "<@U0BEN>", "<#C0", "<https://evil", "\u202e", "\u2066"):
            assert token not in said, (token, said)


async def finish_sign_in(sandbox: Any, browser: Any) -> str:
    """Walk a sign-in through without a browser; the result page."""
    before = len(sandbox.slack.messages_for(ANA))
    await sandbox.slack.command(ANA, "/connect", "twitter")
    dm = await sandbox.slack.wait_for_message(ANA, "/connect/", channel=sandbox.slack.im_of(ANA))
    assert len(sandbox.slack.messages_for(ANA)) > before
    [link] = [url for url in dm.urls if "/connect/" in url]
    connecting = sandbox.bot.services.connecting
    query = URL(await press_allow(browser, await connecting.begin(URL(link).name, "b" * 43))).query
    callback = Callback(
        platform="twitter", state=query["state"], browser="b" * 43, code=query.get("code"), error=query.get("error")
    )
    result = await connecting.finish(callback)
    async with browser.get(f"{sandbox.public_url}/connect/result/{result}") as page:
        assert page.status == 200
        return await page.text()


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
async def test_no_message_breaks_on_what_a_platform_says(sandbox, caplog, words):
    caplog.set_level(logging.INFO)
    slack, services = sandbox.slack, sandbox.bot.services
    real = sandbox.bot.platforms._hooks["twitter", "exchange"]

    async def exchange(**kwargs):
        credential = await real(**kwargs)
        return replace(credential, account=replace(credential.account, name=words))

    plug(sandbox, "exchange", exchange)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        page = await finish_sign_in(sandbox, browser)
    assert "Connected" in page
    assert "<!channel>" not in page
    answers = [
        PostRejected(*[Problem(message=words)] * 30),
        MemberActionRequired(words),
        OperatorActionRequired(words),
        PlatformUnavailable(words),
        OutcomeUnknown(words),
        RateLimited(words, until=sandbox.clock.now() + timedelta(minutes=1)),
        PublishedPost(id=words, url=words),
        PublishedPost(id="1", url="javascript:alert(1)"),
        PublishedPost(id="1", url="https://x.example/" + "a" * 5000),
        ReconnectRequired(words),
    ]
    for number, answer in enumerate(answers):

        async def publish(answer=answer, **_):
            if isinstance(answer, Exception):
                raise answer
            return answer

        async def find_published(**_):
            raise PlatformUnavailable(words)

        plug(sandbox, "publish", publish)
        plug(sandbox, "find_published", find_published)
        await slack.command(ANA, "/schedule", f"twitter now text {number}.")
        await slack.wait_for_message(ANA, f"text {number}.")
        await services.delivering.deliver_due()
        await services.delivering.wait_until_idle()
    for _ in range(3):
        sandbox.clock.advance(timedelta(minutes=3))
        await services.reconciling.settle_unknown()
    for command, text in (
        ("/schedule", "list"),
        ("/connect", "list"),
        ("/connect", "remove twitter"),
        ("/schedule", ""),
    ):
        seen = len(slack.api.calls) + len(slack.messages_for(ANA))
        await slack.command(ANA, command, text)
        await slack.wait_for(lambda seen=seen: len(slack.api.calls) + len(slack.messages_for(ANA)) > seen)
    view = await slack.wait_for(lambda: (view := slack.view_of(ANA)) and "accounts" in view.block_ids and view)
    assert view is not None
    check_messages(sandbox, caplog)


JUNK = {
    "nothing": None,
    "a number": 7,
    "a class": PublishedPost,
    "no id": PublishedPost(id="", url=None),
    "half an emoji": PublishedPost(id="\ud83d", url=None),
    "an odd address": PublishedPost(id="1", url=7),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("junk", [*JUNK.values(), ValueError("token=abc"), SystemExit(1), RecursionError()], ids=str)
async def test_a_publish_that_answers_junk_becomes_a_question(team, caplog, junk):
    await team.connect()
    delivery = await team.schedule()

    async def publish(**_):
        if isinstance(junk, BaseException):
            raise junk
        return junk

    team.platforms._hooks["echo", "publish"] = publish
    team.platforms._hooks["echo", "find_published"] = publish
    await team.deliver(after=timedelta(minutes=1))

    assert "unknown" == (await team.read(delivery)).state
    assert "token=abc" not in caplog.text


async def test_a_plugin_that_hangs_stops_nobody_else(team, monkeypatch):
    first = await team.connect(person="p-1")
    await team.sign_in(team.ana, person="p-2")
    second = next(
        each for each in await team.stores.connections.list_for_team("T1") if each.connection_id != first.connection_id
    )
    hangs = await team.schedule("hangs", accounts=(first.nickname,))
    goes = await team.schedule("goes", accounts=(second.nickname,))
    real = team.platforms._hooks["echo", "publish"]

    async def publish(**kwargs):
        if kwargs["post"].text == "hangs":
            await asyncio.Event().wait()
        return await real(**kwargs)

    team.platforms._hooks["echo", "publish"] = publish
    monkeypatch.setattr(Platforms, "PUBLISH_LIMIT", timedelta(seconds=0.3))
    await team.deliver(after=timedelta(minutes=1))

    assert "published" == (await team.read(goes)).state
    assert "unknown" == (await team.read(hangs)).state


@pytest.mark.parametrize(
    "changes",
    [{"extra": {"k": object()}}, {"extra": None}, {"extra": {1: "x"}}, {"grant_id": 7}, {"account": None}],
    ids=["an object in extra", "no extra", "a number as key in extra", "a number as grant_id", "no account"],
)
async def test_a_sign_in_that_answers_junk_fails_with_a_page(team, changes):
    real = team.platforms._hooks["echo", "exchange"]

    async def exchange(**kwargs):
        return replace(await real(**kwargs), **changes)

    team.platforms._hooks["echo", "exchange"] = exchange
    result = await team.stores.pending.find_result(await team.sign_in(team.ana))

    assert "unavailable" == result.outcome
    assert () == await team.stores.connections.list_for_team("T1")
