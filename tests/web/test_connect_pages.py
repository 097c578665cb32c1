from __future__ import annotations

from dataclasses import replace
from http.cookies import SimpleCookie

import pytest

from logicspike.chosen_servers import ServerRefused
from logicspike.domain import Purpose
from logicspike.platforms import PlatformNotReady
from logicspike.plugin.errors import PlatformUnavailable
from logicspike.services.connecting import DirectMessageFailed, LinkEnded, NoSuchConnection, NotAllowed
from logicspike.services.people import SlackUnavailable
from logicspike.services.ports import ConnectResult, StoreUnavailable

TICKET = "t" * 43
PAGE = f"/connect/{TICKET}"
BROWSER = "b" * 43
RESULT_ID = "r" * 22


def cookie_of(answer):
    [header] = answer.headers.getall("Set-Cookie")
    [morsel] = SimpleCookie(header).values()
    return morsel


# --- the link --------------------------------------------------------------------------------------------------------


async def test_the_page_names_platform_workspace_member_and_permissions(site):
    answer = await site.get(PAGE)

    assert 200 == answer.status
    assert "text/html; charset=utf-8" == answer.headers["Content-Type"]
    for words in ("Connect Echo", "Acme", "Ana Lima", "Post as you", "Read your name", "14:42 UTC"):
        assert words in answer.text


async def test_the_page_has_one_form_which_leads_to_its_own_address(site):
    """The address is relative: /connect/{ticket}, with or without a path that a proxy puts in front."""
    answer = await site.get(PAGE)

    assert 1 == answer.text.count("<form")
    assert f'<form method="post" action="{TICKET}">' in answer.text
    assert 1 == answer.text.count("<button")
    assert "<input" not in answer.text


async def test_opening_the_link_changes_nothing_and_sets_no_cookie(site):
    first, second = await site.get(PAGE), await site.get(PAGE)

    assert first.text == second.text
    assert [("open_link", TICKET), ("open_link", TICKET)] == site.connecting.calls
    assert "Set-Cookie" not in first.headers


async def test_a_reconnect_says_which_account_it_is_for(site):
    site.connecting.link = replace(site.connecting.link, purpose=Purpose.RECONNECT, account_name="Acme Inc")

    answer = await site.get(PAGE)

    assert "Sign in to Echo again" in answer.text
    assert "<strong>Acme Inc</strong>" in answer.text


async def test_an_ended_link_is_gone_and_offers_a_new_one(site):
    site.connecting.raises = LinkEnded(can_renew=True)

    answer = await site.get(PAGE)

    assert 410 == answer.status
    assert f'<form method="post" action="{TICKET}/renew">' in answer.text
    assert "10 minutes" in answer.text


async def test_a_link_that_was_never_ours_is_gone_and_names_the_operators_own_command(site):
    site.connecting.raises = LinkEnded(can_renew=False)

    answer = await site.get(PAGE)

    assert 410 == answer.status
    assert "<form" not in answer.text
    assert "/social" in answer.text
    assert TICKET not in answer.text


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_platform_that_cannot_be_used_says_why(site, method):
    site.connecting.raises = PlatformNotReady("ECHO_CLIENT_ID is missing.")

    answer = await site.ask(method, PAGE)

    assert 503 == answer.status
    assert "ECHO_CLIENT_ID is missing." in answer.text


@pytest.mark.parametrize("path", ["/connect/short", "/connect/" + "t" * 65, f"{PAGE}/", "/connect/", f"{PAGE}/other"])
async def test_an_address_that_cannot_be_a_link_is_not_found(site, path):
    answer = await site.get(path)

    assert 404 == answer.status
    assert [] == site.connecting.calls


async def test_where_members_choose_a_server_the_page_asks_for_it(site):
    site.connecting.link = replace(site.connecting.link, server="pond.example")

    answer = await site.get(PAGE)

    assert '<input id="server" name="server" value="pond.example"' in answer.text
    assert "You sign in at your own server." in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "; form-action 'self' https://echo.example https://*.echo.example https:; " in policy
    assert 'name="server"' not in (await site.get("/connect/result/" + "r" * 22)).text


async def test_the_server_that_was_typed_is_handed_on(site):
    await site.post(PAGE, data={"server": "lake.example"})

    [(_, ticket, _browser, server)] = site.connecting.calls
    assert (TICKET, "lake.example") == (ticket, server)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=no"])
async def test_a_form_that_cannot_be_read_is_refused(site, kind):
    answer = await site.post(PAGE, data=b"server=\xff\xfe", headers={"Content-Type": kind})

    assert 400 == answer.status
    assert [] == site.connecting.calls


async def test_a_body_that_is_no_form_names_no_server(site):
    answer = await site.post(PAGE, data=b"--", headers={"Content-Type": "multipart/form-data"})

    assert 303 == answer.status
    assert 3 == len(site.connecting.calls[0])


async def test_a_server_that_cannot_be_used_is_asked_for_again_with_what_was_typed(site):
    site.connecting.raises_at_begin = ServerRefused("“<lake>” is no server’s address.")

    answer = await site.post(PAGE, data={"server": "<lake>"})

    assert 422 == answer.status
    assert 'value="&lt;lake&gt;"' in answer.text
    assert "“&lt;lake&gt;” is no server’s address." in answer.text
    assert "Set-Cookie" not in answer.headers


# --- the button ------------------------------------------------------------------------------------------------------


async def test_the_button_leads_to_the_platform(site):
    answer = await site.post(PAGE)

    assert 303 == answer.status
    assert site.connecting.authorize_url == answer.headers["Location"]
    assert "" == answer.text


async def test_the_cookie_that_binds_the_browser_is_the_one_the_use_case_was_told(site):
    answer = await site.post(PAGE)

    [(_, ticket, browser)] = site.connecting.calls
    assert TICKET == ticket
    assert browser == cookie_of(answer).value
    assert len(browser) == 43


async def test_each_new_browser_gets_a_value_of_its_own(site):
    values = {cookie_of(await site.post(PAGE)).value for _ in range(20)}

    assert 20 == len(values)


async def test_on_http_loopback_the_cookie_is_plain_but_closed_to_scripts_and_other_sites(site):
    cookie = cookie_of(await site.post(PAGE))

    assert "logicspike" == cookie.key
    assert ("/", "", True, "", "Lax") == (
        cookie["path"],
        cookie["domain"],
        cookie["httponly"],
        cookie["secure"],
        cookie["samesite"],
    )
    assert "3600" == cookie["max-age"]


async def test_on_https_the_cookie_belongs_to_this_host_alone(https_site):
    cookie = cookie_of(await https_site.post(PAGE))

    assert "__Host-logicspike" == cookie.key
    assert ("/", "", True, True, "Lax") == (
        cookie["path"],
        cookie["domain"],
        cookie["httponly"],
        cookie["secure"],
        cookie["samesite"],
    )


async def test_a_browser_keeps_its_value_so_that_two_links_can_be_open_at_once(site):
    answer = await site.post(PAGE, headers={"Cookie": f"logicspike={BROWSER}"})

    assert [("begin", TICKET, BROWSER)] == site.connecting.calls
    assert BROWSER == cookie_of(answer).value


@pytest.mark.parametrize("value", ["", "short", "b" * 44, "b" * 42 + "!", '"' + "b" * 43])
async def test_a_malformed_cookie_is_replaced(site, value):
    answer = await site.post(PAGE, headers={"Cookie": f"logicspike={value}"})

    assert value != cookie_of(answer).value
    assert 43 == len(cookie_of(answer).value)


async def test_on_https_the_plain_cookie_which_a_sibling_domain_could_set_is_not_read(https_site):
    await https_site.post(PAGE, headers={"Cookie": f"logicspike={BROWSER}"})

    assert BROWSER not in https_site.connecting.calls[0]


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/renew"])
@pytest.mark.parametrize("sent_from", ["cross-site", "same-site", "nonsense", ""])
async def test_forms_of_other_sites_are_refused(site, path, sent_from):
    answer = await site.post(path, headers={"Sec-Fetch-Site": sent_from})

    assert 403 == answer.status
    assert [] == site.connecting.calls
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin", "Origin": "null"}])
async def test_our_own_form_is_taken_with_and_without_fetch_metadata(site, headers):
    answer = await site.post(PAGE, headers=headers)

    assert 303 == answer.status


@pytest.mark.parametrize("can_renew", [True, False])
async def test_the_button_of_an_ended_link_leads_nowhere_and_binds_nobody(site, can_renew):
    site.connecting.raises = LinkEnded(can_renew=can_renew)

    answer = await site.post(PAGE)

    assert 410 == answer.status
    assert can_renew == ("/renew" in answer.text)
    assert "Set-Cookie" not in answer.headers


async def test_a_platform_that_fails_before_consent_is_said_so(site):
    site.connecting.raises = PlatformUnavailable("Echo is down.")

    answer = await site.post(PAGE)

    assert 503 == answer.status
    assert "Echo is down." in answer.text
    assert "Set-Cookie" not in answer.headers


# --- the new link ----------------------------------------------------------------------------------------------------


async def test_a_new_link_is_waiting_in_slack(site):
    answer = await site.post(f"{PAGE}/renew")

    assert 200 == answer.status
    assert "Look in Slack" in answer.text
    assert [("renew", TICKET)] == site.connecting.calls
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (LinkEnded(can_renew=False), 410, "This link has ended"),
        (NoSuchConnection(), 410, "nothing to renew"),
        (NotAllowed(owner_id="UBEN"), 410, "nothing to renew"),
        (PlatformNotReady("ECHO_CLIENT_ID is missing."), 503, "ECHO_CLIENT_ID is missing."),
        (DirectMessageFailed(), 503, "Slack did not take our message"),
        (SlackUnavailable(), 503, "Slack did not take our message"),
        (StoreUnavailable(), 503, "Not just now"),
    ],
)
async def test_a_new_link_that_cannot_be_sent_says_why(site, error, status, words):
    site.connecting.raises = error

    answer = await site.post(f"{PAGE}/renew")

    assert status == answer.status
    assert words in answer.text
    assert "UBEN" not in answer.text


# --- the result ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "headline", "words"),
    [
        ("connected", "Connected", "Ann Echo"),
        ("choose", "One step left", "choose the one to connect"),
        ("wrong_account", "That was another account", "does not reach <strong>Ann Echo</strong>"),
        ("canceled", "Nothing was connected", "You cancelled at Echo"),
        ("failed", "That did not work", "Tick all boxes."),
        ("unavailable", "That did not work just now", "Nothing was saved."),
        ("taken", "Already connected", "Tick all boxes."),
        ("made by a later version", "That did not work", "Tick all boxes."),
    ],
)
async def test_the_result_says_what_happened_and_what_to_do(site, outcome, headline, words):
    site.connecting.result = ConnectResult(
        outcome=outcome, platform_title="Echo", account_name="Ann Echo", explanation="Tick all boxes."
    )

    answer = await site.get("/connect/result/" + "r" * 22)

    assert 200 == answer.status
    assert f"<title>{headline} · LogicSpike</title>" in answer.text
    assert f'data-testid="result">{headline}</h1>' in answer.text
    assert words in answer.text


async def test_the_result_can_be_reloaded(site):
    first, second = [await site.get("/connect/result/" + "r" * 22) for _ in range(2)]

    assert first.text == second.text
    assert "Set-Cookie" not in first.headers


async def test_a_result_that_is_over_points_to_slack(site):
    site.connecting.result = None

    answer = await site.get("/connect/result/" + "r" * 22)

    assert 410 == answer.status
    assert "is in Slack" in answer.text


ACME = ConnectResult(
    outcome="connected",
    platform_title="Echo",
    account_name="Acme Inc",
    account_kind="page",
    account_handle="@acme",
    account_url="https://social.example/acme",
    account_picture="https://pictures.example:8443/a.png?size=50&sig=x",
)


async def test_the_result_shows_whose_account_it_is_and_its_picture_alone_may_be_fetched(site):
    site.connecting.result = ACME

    answer = await site.get(f"/connect/result/{RESULT_ID}")

    assert "@acme" in answer.text
    assert 'src="https://pictures.example:8443/a.png?size=50&amp;sig=x"' in answer.text
    assert 'href="https://social.example/acme"' in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "img-src https://pictures.example:8443;" in policy


@pytest.mark.parametrize(
    "picture",
    ["http://pictures.example/a.png", "javascript:alert(1)", "data:image/svg+xml,x", "//x/a.png", "https://;"],
)
async def test_only_a_picture_by_https_is_shown(site, picture):
    site.connecting.result = replace(ACME, account_picture=picture)

    answer = await site.get(f"/connect/result/{RESULT_ID}")

    assert "<img" not in answer.text
    assert "img-src" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", None])
async def test_only_a_web_address_of_an_account_is_linked_to(site, address):
    site.connecting.result = replace(ACME, account_url=address)

    assert "<a " not in (await site.get(f"/connect/result/{RESULT_ID}")).text
