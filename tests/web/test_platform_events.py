"""The platforms' own callbacks over HTTP, and the page on how an erasure stands."""

from __future__ import annotations

import json
from urllib.parse import urlencode, urlsplit

import guild_platform
import pytest
from yarl import URL

from logicspike.domain import ConnectionStatus
from logicspike.web import platform_events

REMOVED, ERASE = "/api/auth/guild/removed", "/api/auth/guild/erase"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def send(live):
    async def send(path=REMOVED, body=None, *, secret="guild-secret", headers=None, method="POST"):
        body = urlencode({"member": "m-1"}).encode() if body is None else body
        sent = {"Content-Type": FORM, "X-Guild-Signature": guild_platform.sign(body, secret)} | (headers or {})
        url = URL(live.address + path, encoded=True)
        async with live.team.http.request(method, url, data=body, headers=sent, allow_redirects=False) as answer:
            text = await answer.text()
        await live.team.settle()
        return answer, text

    return send


@pytest.fixture
async def connection(live):
    return await live.team.connect(person="m-1", platform="guild")


async def status_of(live, connection):
    return (await live.team.connection(connection)).status


async def test_a_signed_callback_is_carried_out_and_answered(live, connection, send):
    answer, text = await send()

    assert (200, "") == (answer.status, text)
    assert ConnectionStatus.NEEDS_RECONNECT == await status_of(live, connection)


async def test_an_erasure_is_answered_with_the_address_of_a_page_that_names_nobody(live, connection, send):
    answer, text = await send(ERASE)

    assert (200, "application/json") == (answer.status, answer.content_type)
    told = json.loads(text)
    assert {"url", "confirmation_code"} == set(told)
    page, shown = await send(urlsplit(told["url"]).path, b"", method="GET")
    assert 200 == page.status
    assert "Erased" in shown
    assert "Guild passed on" in shown
    for private in ("Ann", "m-1", "UANA", "T1", "Workspace"):
        assert private not in shown


async def test_the_same_callback_is_given_the_same_page(live, connection, send):
    first, second = [(await send(ERASE))[1] for _ in range(2)]

    assert first == second


async def test_an_unknown_code_has_no_page(live, send):
    answer, text = await send(f"/connect/deletion/{'0' * 24}", b"", method="GET")

    assert 404 == answer.status
    assert "There is nothing here" in text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/auth/guild/other", 404),
        ("/api/auth/echo/removed", 404),
        ("/api/auth/nothing/removed", 404),
        ("/api/auth/GUILD/removed", 404),
        ("/api/auth/guild/callback", 405),
        ("/api/auth/guild/removed/", 404),
        ("/api/auth/guild/%2e%2e", 404),
    ],
)
async def test_only_callbacks_that_a_platform_declares_are_taken(live, connection, send, path, status):
    answer, _ = await send(path)

    assert status == answer.status
    assert ConnectionStatus.ACTIVE == await status_of(live, connection)


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "guessed"},
        {"headers": {"X-Guild-Signature": ""}},
        {"body": b"member=m-1&member=m-2"},
        {"body": b"&".join(b"f%d=1" % nth for nth in range(40))},
        {"body": b"member=\xff\xfe"},
        {"body": b"", "headers": {"X-Guild-Signature": "x"}},
    ],
    ids=["secret", "unsigned", "doubled", "many fields", "no text", "empty"],
)
async def test_what_is_not_the_platforms_is_refused_and_changes_nothing(live, connection, send, wrong):
    answer, text = await send(**wrong)

    assert 400 == answer.status
    assert "m-1" not in text
    assert ConnectionStatus.ACTIVE == await status_of(live, connection)


async def test_a_body_that_is_too_large_is_refused_unread(live, connection, send):
    answer, _ = await send(body=b"member=" + b"m" * (64 * 1024))

    assert 413 == answer.status


async def test_a_platform_that_is_not_set_up_takes_no_callbacks(live, send, monkeypatch):
    from dataclasses import replace

    apps = live.team.platforms._apps
    monkeypatch.setitem(apps, "guild", replace(apps["guild"], client=None, problems=("no client id",)))

    answer, _ = await send()

    assert 404 == answer.status


async def test_beyond_a_number_at_once_the_platform_is_asked_to_come_again(live, connection, send, monkeypatch):
    monkeypatch.setattr(platform_events, "_AT_ONCE", 0)

    answer, _ = await send()

    assert 503 == answer.status
    assert ConnectionStatus.ACTIVE == await status_of(live, connection)


async def test_no_callback_reaches_the_log(live, connection, send, caplog):
    caplog.set_level("DEBUG", logger="logicspike")

    await send()
    await send(secret="guessed")

    shown = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "m-1" not in shown
    assert guild_platform.sign(b"member=m-1", "guild-secret") not in shown
