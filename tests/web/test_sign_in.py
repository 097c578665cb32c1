"""The way through the browser with the real use cases: link, button, platform, callback, result."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import aiohttp
import pytest
from yarl import URL

from logicspike.domain import ConnectionStatus
from logicspike.plugin.types import Account
from logicspike.services.notices import AccountChoice, Connected, ConnectEnded, ConnectFailed, ConnectLink
from logicspike.services.ports import StoreUnavailable
from logicspike.testing import press_allow, press_cancel


@dataclass
class Visit:
    """Where a browser is."""

    status: int
    url: URL
    text: str
    location: str


@dataclass
class Visitor:
    """A browser of its own: it keeps cookies, and shows each redirect before it follows."""

    http: aiohttp.ClientSession

    async def go(self, method: str, url: str, **rest: object) -> Visit:
        async with self.http.request(method, url, allow_redirects=False, **rest) as answer:
            return Visit(
                status=answer.status,
                url=answer.url,
                text=await answer.text(),
                location=answer.headers.get("Location", ""),
            )

    async def press_continue(self, link: str) -> str:
        """Open the link and press its button; the platform's address."""
        shown = await self.go("GET", link)
        assert 200 == shown.status
        action = shown.text.split('action="')[1].split('"')[0]
        pressed = await self.go("POST", str(shown.url.join(URL(action))))
        assert 303 == pressed.status
        return pressed.location

    async def come_back(self, callback: str) -> Visit:
        """Follow the platform's redirect to the result page."""
        redirected = await self.go("GET", callback)
        assert 303 == redirected.status, redirected
        return await self.go("GET", str(redirected.url.join(URL(redirected.location))))

    async def sign_in(self, link: str, *, person: str = "") -> Visit:
        return await self.come_back(await press_allow(self.http, await self.press_continue(link), person=person))


def open_browser() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))  # cookies of an IP address too


@pytest.fixture
async def browser() -> AsyncIterator[Visitor]:
    async with open_browser() as http:
        yield Visitor(http)


@pytest.fixture
async def other_browser() -> AsyncIterator[Visitor]:
    async with open_browser() as http:
        yield Visitor(http)


@pytest.fixture
async def team(live):
    return live.team


async def list_accounts(team) -> list[str]:
    return [each.account.name for each in await team.stores.connections.list_for_team("T1")]


async def test_a_sign_in_connects_the_account(live, team, browser):
    await team.connecting.start(team.ana, "echo")

    result = await browser.sign_in(live.link, person="p-2")

    assert 200 == result.status
    assert "Ben Echo" in result.text
    assert ["Ben Echo"] == await list_accounts(team)
    [connection] = await team.stores.connections.list_for_team("T1")
    assert (ConnectionStatus.ACTIVE, "UANA") == (connection.status, connection.owner_id)
    await team.settle()
    assert 1 == len(team.notifier.revised_to(Connected))


async def test_the_redirect_uri_is_the_same_at_both_calls_and_never_the_forged_host(live, team, browser):
    await team.connecting.start(team.ana, "echo")
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}

    pressed = await browser.go("POST", live.link, headers=forged)

    assert f"{live.address}/api/auth/echo/callback" == URL(pressed.location).query["redirect_uri"]


async def test_looking_at_the_link_starts_nothing(live, team, browser, mongo_database):
    await team.connecting.start(team.ana, "echo")
    pending = mongo_database.collection("pending_authorizations")
    before = [each async for each in pending.find({})]

    await browser.go("GET", live.link)
    await browser.go("GET", live.link)

    assert before == [each async for each in pending.find({})]
    assert 0 == len(browser.http.cookie_jar)
    assert [] == team.fake.requests


async def test_the_button_can_be_pressed_again_after_going_back(live, team, browser):
    await team.connecting.start(team.ana, "echo")
    await browser.press_continue(live.link)

    result = await browser.sign_in(live.link)

    assert "Ann Echo" in result.text


async def test_cancelling_connects_nothing(live, team, browser):
    await team.connecting.start(team.ana, "echo")

    result = await browser.come_back(await press_cancel(browser.http, await browser.press_continue(live.link)))

    assert 200 == result.status
    assert "Nothing was connected" in result.text
    assert [] == await list_accounts(team)
    await team.settle()
    assert 1 == len(team.notifier.revised_to(ConnectEnded))


async def test_an_expired_link_is_renewed_in_slack_and_then_works(live, team, browser):
    await team.connecting.start(team.ana, "echo")
    old = live.link
    team.clock.advance(timedelta(minutes=10))

    assert 410 == (await browser.go("GET", old)).status
    assert 410 == (await browser.go("POST", old)).status
    renewed = await browser.go("POST", f"{old}/renew")

    assert 200 == renewed.status
    assert "Look in Slack" in renewed.text
    assert 2 == len(team.notifier.of(ConnectLink))
    assert URL(live.link).name not in renewed.text
    assert "Ann Echo" in (await browser.sign_in(live.link)).text


async def test_a_link_is_for_one_sign_in(live, team, browser):
    await team.connecting.start(team.ana, "echo")
    await browser.sign_in(live.link)

    again = await browser.go("GET", live.link)

    assert 410 == again.status
    assert "Send me a new link" in again.text


async def test_an_unknown_link_sends_nobody_a_message(live, team, browser):
    unknown = f"{live.address}/connect/{'x' * 43}"

    for method, url in (("GET", unknown), ("POST", unknown), ("POST", f"{unknown}/renew")):
        assert 410 == (await browser.go(method, url)).status
    assert [] == team.notifier.sent


async def test_a_state_works_once(live, team, browser):
    await team.connecting.start(team.ana, "echo")
    callback = await press_allow(browser.http, await browser.press_continue(live.link))
    await browser.come_back(callback)

    again = await browser.go("GET", callback)

    assert 410 == again.status
    assert 1 == [path for _, path in team.fake.requests].count("/token")
    assert ["Ann Echo"] == await list_accounts(team)


async def test_a_state_that_was_used_is_over_for_browsers_without_a_cookie_too(live, team, browser, other_browser):
    await team.connecting.start(team.ana, "echo")
    callback = await press_allow(browser.http, await browser.press_continue(live.link))
    await browser.come_back(callback)

    assert 410 == (await other_browser.go("GET", callback)).status


async def test_a_state_is_over_after_ten_minutes(live, team, browser):
    await team.connecting.start(team.ana, "echo")
    callback = await press_allow(browser.http, await browser.press_continue(live.link))
    team.clock.advance(timedelta(minutes=10))

    assert 410 == (await browser.go("GET", callback)).status
    assert [] == await list_accounts(team)


async def test_a_browser_without_a_cookie_is_refused_and_uses_nothing_up(live, team, browser, other_browser):
    await team.connecting.start(team.ana, "echo")
    callback = await press_allow(browser.http, await browser.press_continue(live.link))

    refused = await other_browser.go("GET", callback)

    assert 403 == refused.status
    assert "another browser" in refused.text
    assert "/token" not in [path for _, path in team.fake.requests]
    assert "Ann Echo" in (await browser.come_back(callback)).text


async def test_a_browser_with_another_cookie_is_refused(live, team, browser, other_browser):
    """Somebody sends the result of his own consent to a colleague who has a sign-in of her own open."""
    await team.connecting.start(team.ana, "echo")
    callback = await press_allow(browser.http, await browser.press_continue(live.link))
    await team.connecting.start(team.ben, "echo")
    await other_browser.press_continue(live.link)

    assert 403 == (await other_browser.go("GET", callback)).status
    assert [] == await list_accounts(team)


async def test_two_sign_ins_in_one_browser_do_not_disturb_each_other(live, team, browser):
    await team.connecting.start(team.ana, "echo")
    first = await browser.press_continue(live.link)
    await team.connecting.start(team.ana, "echo")
    second = await browser.press_continue(live.link)

    for authorize_url, person, name in ((first, "p-1", "Ann Echo"), (second, "p-2", "Ben Echo")):
        result = await browser.come_back(await press_allow(browser.http, authorize_url, person=person))
        assert name in result.text


async def test_another_platforms_callback_does_not_take_the_state(live, team, browser):
    await team.connecting.start(team.ana, "echo")
    callback = await press_allow(browser.http, await browser.press_continue(live.link))

    elsewhere = await browser.go("GET", callback.replace("/auth/echo/", "/auth/whisper/"))

    assert 410 == elsewhere.status
    assert "/token" not in [path for _, path in team.fake.requests]
    assert "Ann Echo" in (await browser.come_back(callback)).text


async def test_a_platform_that_is_down_is_said_so_and_nothing_is_saved(live, team, browser):
    await team.connecting.start(team.ana, "echo")
    callback = await press_allow(browser.http, await browser.press_continue(live.link))
    team.fake.switch("unavailable")

    result = await browser.come_back(callback)

    assert 200 == result.status
    assert "That did not work just now" in result.text
    assert "Nothing was saved" in result.text
    assert [] == await list_accounts(team)
    await team.settle()
    assert 1 == len(team.notifier.revised_to(ConnectFailed))


async def test_several_accounts_are_chosen_from_in_slack(live, team, browser, monkeypatch):
    async def find_two(_name, credential):
        return tuple(replace(credential, account=Account(id=each, name=each)) for each in ("Page A", "Page B"))

    monkeypatch.setattr(team.platforms, "accounts", find_two)
    await team.connecting.start(team.ana, "echo")

    result = await browser.sign_in(live.link)

    assert "One step left" in result.text
    assert "Page A" not in result.text
    await team.settle()
    [question] = team.notifier.revised_to(AccountChoice)
    await team.connecting.choose(team.ana, question.connection.connection_id, 1)
    assert ["Page B"] == await list_accounts(team)


async def test_a_reconnect_names_the_account_and_refuses_another(live, team, browser):
    connection = await team.connect(person="p-1")
    await team.connecting.start(team.ana, "echo", connection_id=connection.connection_id)

    shown = await browser.go("GET", live.link)
    result = await browser.sign_in(live.link, person="p-2")

    assert "Sign in to Echo again" in shown.text
    assert "<strong>Ann Echo</strong>" in shown.text
    assert "That was another account" in result.text
    assert connection == await team.connection(connection)


async def test_an_account_of_a_colleague_is_not_taken(live, team, browser):
    await team.connect(team.ben)
    await team.connecting.start(team.ana, "echo")

    result = await browser.sign_in(live.link)

    assert "Already connected" in result.text
    assert "UBEN" not in result.text


async def test_a_database_that_is_down_is_said_so_and_the_link_stays_good(live, team, browser, monkeypatch):
    await team.connecting.start(team.ana, "echo")

    async def fail(*_arguments):
        raise StoreUnavailable

    with monkeypatch.context() as outage:
        outage.setattr(team.stores.pending, "find_ticket", fail)
        assert 503 == (await browser.go("GET", live.link)).status
    assert 200 == (await browser.go("GET", live.link)).status


async def test_no_secret_of_the_way_is_in_a_log_or_a_page(live, team, browser, caplog):
    caplog.set_level(logging.DEBUG)
    await team.connecting.start(team.ana, "echo")
    ticket = team.ticket
    callback = URL(await press_allow(browser.http, await browser.press_continue(live.link)))

    redirected = await browser.go("GET", str(callback))
    result = await browser.go("GET", str(redirected.url.join(URL(redirected.location))))

    [cookie] = browser.http.cookie_jar
    secrets = (callback.query["state"], callback.query["code"], cookie.value, ticket, *team.fake._access)
    said = redirected.location + redirected.text + result.text
    written = "".join(logging.Formatter().format(record) + str(vars(record)) for record in caplog.records)
    for secret in secrets:
        assert secret not in said
        assert secret not in written
