from __future__ import annotations

import base64
import hashlib
import logging
import re

import pytest

from logicspike.services.connecting import LinkEnded, StateUnknown, WrongBrowser
from logicspike.services.ports import StoreUnavailable

TICKET, STATE, RESULT_ID = "t" * 43, "s" * 43, "r" * 22
PAGE = f"/connect/{TICKET}"
CALLBACK = "/api/auth/echo/callback"
ROUTES = [
    ("GET", PAGE, None, 200),
    ("GET", PAGE, LinkEnded(can_renew=True), 410),
    ("POST", PAGE, None, 303),
    ("HEAD", PAGE, None, 405),
    ("POST", f"{PAGE}/renew", None, 200),
    ("GET", f"{PAGE}/renew", None, 405),
    ("GET", f"/connect/result/{RESULT_ID}", None, 200),
    ("POST", f"/connect/result/{RESULT_ID}", None, 405),
    ("GET", f"{CALLBACK}?state={STATE}&code=c", None, 303),
    ("GET", f"{CALLBACK}?state={STATE}&code=c", WrongBrowser(), 403),
    ("GET", f"{CALLBACK}?state={STATE}&code=c", StateUnknown(), 410),
    ("GET", f"{CALLBACK}?state={STATE}&code=c", StoreUnavailable(), 503),
    ("GET", f"{CALLBACK}?state={STATE}", None, 400),
    ("POST", CALLBACK, None, 405),
    ("GET", "/nowhere", None, 404),
    ("GET", "/", None, 404),
    ("GET", "/test/broken", None, 500),
    ("GET", "/healthz", None, 200),
    ("GET", "/readyz", None, 200),
]


@pytest.mark.parametrize(("method", "path", "raised", "status"), ROUTES)
async def test_every_answer_carries_the_strict_headers(site, method, path, raised, status):
    site.connecting.raises = raised

    answer = await site.ask(method, path)

    assert status == answer.status
    assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert "no-referrer" == answer.headers["Referrer-Policy"]
    assert "same-origin" == answer.headers["Cross-Origin-Opener-Policy"]
    assert "same-origin" == answer.headers["Cross-Origin-Resource-Policy"]
    assert "no-store" == answer.headers["Cache-Control"]
    policy = answer.headers["Content-Security-Policy"]
    for directive in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
        assert directive in policy
    assert "unsafe" not in policy
    assert "script" not in policy
    assert "Strict-Transport-Security" not in answer.headers
    assert not re.search("aiohttp|python", str(answer.headers), re.IGNORECASE)


async def test_a_body_that_is_too_large_is_refused_with_the_strict_headers(site):
    answer = await site.post("/test/body", data=b"x" * (512 * 1024 + 1))

    assert 413 == answer.status
    assert "That was too large" in answer.text
    assert "no-referrer" == answer.headers["Referrer-Policy"]


@pytest.mark.parametrize("path", [PAGE, "/nowhere", "/test/broken", "/healthz"])
async def test_on_https_browsers_are_told_to_stay_there(https_site, path):
    answer = await https_site.get(path)

    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


async def test_the_style_is_the_one_the_policy_names(site):
    answer = await site.get(PAGE)

    [style] = re.findall("<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://echo.example", "'self' https://echo.example https://*.echo.example"),
        ("https://www.echo.example", "'self' https://www.echo.example https://*.echo.example"),
        ("https://login.echo.example", "'self' https://login.echo.example https://*.login.echo.example"),
        ("http://127.0.0.1:4001", "'self' http://127.0.0.1:4001"),
        ("https://127.0.0.1", "'self' https://127.0.0.1"),
        ("https://www.example", "'self' https://www.example https://*.www.example"),
        ("https://[::1]:4001", "'self' https://[::1]:4001"),
        ("https://evil.example; script-src *", "'self'"),
        ("https://evil.example\n", "'self'"),
        ("javascript:alert(1)", "'self'"),
        ("", "'self'"),
    ],
)
async def test_only_the_connect_page_may_lead_to_the_platform(site, origin, allowed):
    object.__setattr__(site.connecting.link, "authorize_origin", origin)

    answer = await site.get(PAGE)

    assert f"; form-action {allowed}; " in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("method", "path", "raised", "_status"), [row for row in ROUTES if row[0] == "GET"])
async def test_no_get_sets_a_cookie(site, method, path, raised, _status):
    site.connecting.raises = raised

    assert "Set-Cookie" not in (await site.ask(method, path)).headers


@pytest.mark.parametrize(
    "forged",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1@evil.example"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"Forwarded": "host=evil.example;proto=https"},
        {"X-Original-URL": "//evil.example", "X-Rewrite-URL": "//evil.example"},
    ],
)
@pytest.mark.parametrize(("method", "path", "raised", "status"), ROUTES)
async def test_forged_addresses_change_nothing(site, method, path, raised, status, forged):
    site.connecting.raises = raised
    cookie = {"Cookie": "logicspike=" + "b" * 43}

    plain, answer = await site.ask(method, path, headers=cookie), await site.ask(method, path, headers=cookie | forged)

    assert status == answer.status
    assert plain.headers.get("Location") == answer.headers.get("Location")
    assert plain.headers.getall("Set-Cookie", []) == answer.headers.getall("Set-Cookie", [])
    assert "evil" not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "//evil.example/connect/" + TICKET,
        "/%2F%2Fevil.example",
        "/%5Cevil.example",
        "/connect//evil.example",
        "/connect/%2F%2Fevil.example%2F" + TICKET,
        "/connect/result/%2F%2Fevil.example%2Fxxxxxxxxxx",
        "/connect/https:%2F%2Fevil.example%2Fxxxxxxxxxxx",
        f"{PAGE}/renew//evil.example",
        f"{CALLBACK}//evil.example?state={STATE}&code=c",
        "/api/auth/%2F%2Fevil.example/callback",
    ],
)
async def test_no_address_leads_to_another_site(site, path):
    for method in ("GET", "POST"):
        answer = await site.ask(method, path)
        assert answer.status in {404, 405}
        assert "Location" not in answer.headers
        assert "evil" not in answer.text


@pytest.mark.parametrize("name", ["next", "return_to", "redirect_uri", "url"])
async def test_no_parameter_leads_to_another_site(site, name):
    query = f"{name}=https%3A%2F%2Fevil.example"

    begun = await site.post(f"{PAGE}?{query}")
    finished = await site.get(f"{CALLBACK}?state={STATE}&code=c&{query}")

    assert site.connecting.authorize_url == begun.headers["Location"]
    assert f"/connect/result/{RESULT_ID}" == finished.headers["Location"]


async def test_a_page_that_breaks_gives_a_reference_which_is_in_the_log(site, caplog):
    answer = await site.get("/test/broken")

    assert 500 == answer.status
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert re.fullmatch("[0-9a-f]{8}", record.reference)
    assert record.reference in record.getMessage()
    assert record.reference in answer.text
    assert "the bug of a page" in logging.Formatter().format(record)
    assert "the bug of a page" not in answer.text


async def test_two_breakdowns_have_two_references(site, caplog):
    await site.get("/test/broken")
    await site.get("/test/broken")

    assert 2 == len({record.reference for record in caplog.records if record.levelno == logging.ERROR})


async def test_a_database_that_is_down_is_said_so(site):
    site.connecting.raises = StoreUnavailable()

    answer = await site.get(PAGE)

    assert 503 == answer.status
    assert "can’t reach its database" in answer.text
    assert "Nothing was changed" in answer.text


async def test_errors_repeat_nothing_of_the_request(site):
    answer = await site.get("/nowhere/%3Cscript%3Ealert(1)%3C/script%3E?q=parrot", headers={"X-Odd": "parrot"})

    assert 404 == answer.status
    assert "parrot" not in answer.text
    assert "alert" not in answer.text
