from __future__ import annotations

import logging

import pytest

from logicspike.services.connecting import Callback, StateUnknown, WrongBrowser

CALLBACK = "/api/auth/echo/callback"
STATE = "s" * 43
CODE = "c0de-that-nobody-may-see"
BROWSER = "b" * 43
COOKIE = {"Cookie": f"logicspike={BROWSER}"}


async def test_a_code_is_handed_on_and_the_browser_sent_to_a_clean_page(site):
    answer = await site.get(f"{CALLBACK}?state={STATE}&code={CODE}", headers=COOKIE)

    assert 303 == answer.status
    assert "/connect/result/" + "r" * 22 == answer.headers["Location"]
    assert "Set-Cookie" not in answer.headers
    expected = Callback(platform="echo", state=STATE, browser=BROWSER, code=CODE, error=None)
    assert [("finish", expected)] == site.connecting.calls


async def test_behind_a_proxy_the_clean_page_is_under_the_public_path(site_under_path):
    answer = await site_under_path.get(f"{CALLBACK}?state={STATE}&code={CODE}")

    assert "/bot/connect/result/" + "r" * 22 == answer.headers["Location"]


async def test_a_refusal_is_handed_on_the_same_way(site):
    query = f"state={STATE}&error=access_denied&error_description=%3Cb%3ENo%3C/b%3E"

    answer = await site.get(f"{CALLBACK}?{query}", headers=COOKIE)

    assert (303, "/connect/result/" + "r" * 22) == (answer.status, answer.headers["Location"])
    expected = Callback(platform="echo", state=STATE, browser=BROWSER, code=None, error="access_denied")
    assert [("finish", expected)] == site.connecting.calls


async def test_parameters_that_we_do_not_know_are_ignored(site):
    answer = await site.get(f"{CALLBACK}?state={STATE}&code={CODE}&granted_scopes=a&iss=x#_=_", headers=COOKIE)

    assert 303 == answer.status


async def test_an_empty_parameter_counts_as_absent(site):
    answer = await site.get(f"{CALLBACK}?state={STATE}&code=&error=access_denied", headers=COOKIE)

    assert 303 == answer.status


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"state={STATE}",
        f"code={CODE}",
        f"state={STATE}&code=",
        f"state=&code={CODE}",
        f"state={STATE}&code={CODE}&error=access_denied",
        f"state={'s' * 42}&code={CODE}",
        f"state={'s' * 44}&code={CODE}",
        f"state={'s' * 42}!&code={CODE}",
        f"state={STATE}%0A&code={CODE}",
        f"state={STATE}&code=%00",
        f"state={STATE}&code=a%0D%0Ab",
        f"state={STATE}&code=%C3%A9",
        f"state={STATE}&code={'c' * 4097}",
        f"state={STATE}&error=%22",
        f"state={STATE}&error={'e' * 201}",
    ],
)
async def test_what_no_platform_would_send_is_malformed(site, query):
    answer = await site.get(f"{CALLBACK}?{query}", headers=COOKIE)

    assert 400 == answer.status
    assert [] == site.connecting.calls


@pytest.mark.parametrize(
    "doubled",
    [f"state={STATE}", f"state={'x' * 43}", "state=", "code=other", f"code={CODE}", "iss=a&iss=b", "error=&error="],
)
async def test_doubled_parameters_are_malformed(site, doubled):
    answer = await site.get(f"{CALLBACK}?state={STATE}&code={CODE}&{doubled}", headers=COOKIE)

    assert 400 == answer.status
    assert [] == site.connecting.calls


async def test_another_browser_is_refused(site):
    site.connecting.raises = WrongBrowser()

    answer = await site.get(f"{CALLBACK}?state={STATE}&code={CODE}", headers=COOKIE)

    assert 403 == answer.status
    assert "another browser" in answer.text


@pytest.mark.parametrize("cookie", ["", "logicspike=", "logicspike=short", "other=" + "b" * 43])
async def test_a_browser_without_our_cookie_is_nobody(site, cookie):
    await site.get(f"{CALLBACK}?state={STATE}&code={CODE}", headers={"Cookie": cookie} if cookie else {})

    [(_, callback)] = site.connecting.calls
    assert "" == callback.browser


async def test_a_state_that_is_unknown_used_or_over_is_gone_and_says_what_to_type(site):
    site.connecting.raises = StateUnknown()

    answer = await site.get(f"{CALLBACK}?state={STATE}&code={CODE}", headers=COOKIE)

    assert 410 == answer.status
    assert "/social" in answer.text
    assert "<form" not in answer.text


@pytest.mark.parametrize("name", ["nowhere", "Echo", "e", "echo%2Fcallback", "%2e%2e", "echo%00"])
async def test_only_an_installed_platforms_own_name_has_a_callback(site, name):
    answer = await site.get(f"/api/auth/{name}/callback?state={STATE}&code={CODE}", headers=COOKIE)

    assert 404 == answer.status
    assert [] == site.connecting.calls


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_only_get_is_answered(site, method):
    answer = await site.ask(method, f"{CALLBACK}?state={STATE}&code={CODE}", headers=COOKIE)

    assert 405 == answer.status
    assert "GET" == answer.headers["Allow"]
    assert [] == site.connecting.calls


@pytest.mark.parametrize("raised", [None, WrongBrowser(), StateUnknown(), RuntimeError("a bug")])
async def test_code_and_state_are_in_no_log_no_page_and_no_address_of_ours(site, caplog, raised):
    caplog.set_level(logging.DEBUG)
    site.connecting.raises = raised

    for query in (
        f"state={STATE}&code={CODE}",
        f"state={STATE}&state={STATE}&code={CODE}",
        f"state={STATE}x&code={CODE}",
    ):
        answer = await site.get(f"{CALLBACK}?{query}", headers=COOKIE)
        said = answer.text + str(answer.headers)
        for secret in (STATE, CODE, BROWSER):
            assert secret not in said
    for record in caplog.records:
        written = logging.Formatter().format(record) + str(vars(record))
        for secret in (STATE, CODE, BROWSER):
            assert secret not in written
