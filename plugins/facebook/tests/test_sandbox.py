"""The stand-in refuses what Facebook refuses."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any

import pytest

from logicspike.plugin import ReconnectRequired
from logicspike_facebook.sandbox_people import DANA, JONAS

PAGE_ID = "615500000000004"
APP_TOKEN = "1234567890|facebook-app-secret"


def proof(token: str, secret: str = "facebook-app-secret") -> str:
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


async def code_of(answer: Any) -> tuple[int, int | None]:
    error = (await answer.json())["error"]
    assert error["fbtrace_id"]
    return error["code"], error.get("error_subcode")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"client_id": "other"}, "Invalid App ID"),
        ({"redirect_uri": "https://elsewhere.example/"}, "URL blocked"),
        ({"redirect_uri": ""}, "URL blocked"),
        ({"response_type": "token"}, "response_type"),
        ({"scope": "pages_show_list,publish_actions"}, "Invalid Scopes: pages_show_list, publish_actions"),
        ({"scope": ""}, "scope or config_id"),
        ({"state": ""}, "state"),
        ({"code_challenge": "x", "code_challenge_method": "plain"}, "S256"),
    ],
)
async def test_a_wrong_request_gets_a_plain_error_page(rig: Any, change: dict[str, str], words: str) -> None:
    async with rig.http.get(await rig.authorize_url(change)) as page:
        assert page.status == 400
        assert words in await page.text()


async def test_an_unknown_version_has_no_dialog(rig: Any) -> None:
    async with rig.http.get(await rig.authorize_url(graph_version="v1.0")) as page:
        assert page.status == 400


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"client_id": "other"}, (101, None)),
        ({"client_secret": "wrong"}, (1, None)),
        ({"client_secret": ""}, (1, None)),
        ({"redirect_uri": "https://elsewhere.example/"}, (100, 36008)),
        ({"code": "unknown"}, (100, None)),
        ({"grant_type": "fb_exchange_token", "fb_exchange_token": "unknown"}, (190, None)),
    ],
)
async def test_a_wrong_token_request_is_refused(rig: Any, change: dict[str, str], expected: object) -> None:
    async with rig.http.post(f"{rig.origin}/v26.0/oauth/access_token", data=await form(rig) | change) as answer:
        assert answer.status == 400
        assert expected == await code_of(answer)


async def test_a_code_gives_a_short_token_and_only_once(rig: Any) -> None:
    url, sent = f"{rig.origin}/v26.0/oauth/access_token", await form(rig)
    async with rig.http.get(url, params=sent) as answer:
        assert (await answer.json())["expires_in"] == 5_400
    async with rig.http.post(url, data=sent) as answer:
        assert await code_of(answer) == (100, 36009)


async def test_a_late_code_says_so(rig: Any) -> None:
    sent = await form(rig)
    rig.clock.advance(timedelta(minutes=10))
    async with rig.http.post(f"{rig.origin}/v26.0/oauth/access_token", data=sent) as answer:
        assert await code_of(answer) == (100, 36007)


async def test_a_wrong_verifier_is_refused(rig: Any) -> None:
    grant = await rig.grant(code_challenge="x" * 43, code_challenge_method="S256")
    sent = await form(rig) | {"code": grant.code, "code_verifier": "y" * 43}
    async with rig.http.post(f"{rig.origin}/v26.0/oauth/access_token", data=sent) as answer:
        assert (await code_of(answer))[0] == 100


async def test_an_expired_token_cannot_be_exchanged(rig: Any) -> None:
    person = await rig.sign_in()
    rig.clock.advance(timedelta(days=60))
    sent = await form(rig) | {"grant_type": "fb_exchange_token", "fb_exchange_token": person.tokens.access_token}
    async with rig.http.post(f"{rig.origin}/v26.0/oauth/access_token", data=sent) as answer:
        assert await code_of(answer) == (190, 463)


async def test_a_pages_token_made_from_a_short_one_ends_with_it(rig: Any) -> None:
    async with rig.http.post(f"{rig.origin}/v26.0/oauth/access_token", data=await form(rig)) as answer:
        short = (await answer.json())["access_token"]
    async with ask(rig, short, "me/accounts", fields="id,access_token") as answer:
        page_token = (await answer.json())["data"][0]["access_token"]
    rig.clock.advance(timedelta(minutes=90))
    async with ask(rig, page_token, f"{PAGE_ID}/feed") as answer:
        assert await code_of(answer) == (190, 463)


@pytest.mark.parametrize("given", ["", "0" * 64])
async def test_the_secret_must_be_proven(rig: Any, given: str) -> None:
    person = await rig.sign_in()
    headers = {"Authorization": f"Bearer {person.tokens.access_token}"}
    async with rig.http.get(f"{rig.origin}/v26.0/me?appsecret_proof={given}", headers=headers) as answer:
        assert await code_of(answer) == (100, None)


async def test_a_token_must_be_known(rig: Any) -> None:
    async with ask(rig, "unknown", "me") as answer:
        assert await code_of(answer) == (190, None)


@pytest.mark.parametrize("path", ["me/nonsense", "615500000000004/albums"])
async def test_an_unknown_path_says_so(rig: Any, path: str) -> None:
    async with ask(rig, "unknown", path) as answer:
        assert await code_of(answer) == (2500, None)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"message": " "}, (100, None)),
        ({"message": "x" * 63_207}, (100, None)),
        ({"message": "x", "link": "not an address"}, (1500, None)),
        ({"message": "x", "link": "https://m.facebook.com/x"}, (100, 1609008)),
    ],
)
async def test_a_post_is_checked(rig: Any, sent: dict[str, str], expected: object) -> None:
    page = await rig.connect()
    async with post(rig, page.tokens.access_token, sent) as answer:
        assert expected == await code_of(answer)
    assert rig.fake.ledger == []


async def test_a_post_needs_the_pages_own_token(rig: Any) -> None:
    page = await rig.connect()
    async with post(rig, page.extra["user_token"], {"message": "x"}) as answer:
        assert await code_of(answer) == (200, None)
    async with post(rig, (await rig.list_pages())[0].tokens.access_token, {"message": "x"}) as answer:
        assert await code_of(answer) == (100, 33)


async def test_only_the_fields_asked_for_come_back(rig: Any) -> None:
    page = await rig.connect()
    async with post(rig, page.tokens.access_token, {"message": "x"}) as answer:
        assert set(await answer.json()) == {"id"}


def remove(rig: Any, token: str, person_id: str) -> Any:
    url = f"{rig.origin}/v26.0/{person_id}/permissions?appsecret_proof={proof(token)}"
    return rig.http.delete(url, headers={"Authorization": f"Bearer {token}"})


async def test_removing_the_app_ends_every_page_of_that_person_and_nobody_elses(rig: Any) -> None:
    first, *_ = await rig.list_pages()
    again, *_ = await rig.list_pages()
    other = await rig.connect()
    async with remove(rig, APP_TOKEN, DANA.id) as answer:
        assert await answer.json() == {"success": True}

    for page in (first, again):
        async with ask(rig, page.tokens.access_token, "me") as answer:
            assert await code_of(answer) == (190, 458)
    assert await rig.publish(other)
    async with remove(rig, APP_TOKEN, DANA.id) as answer:
        assert await code_of(answer) == (100, 33)


@pytest.mark.parametrize("token", ["1234567890|wrong", "other|facebook-app-secret", "nonsense"])
async def test_only_the_app_itself_removes_it(rig: Any, token: str) -> None:
    page = await rig.connect()
    async with remove(rig, token, JONAS.id) as answer:
        assert await code_of(answer) == (190, None)
    assert await rig.publish(page)


async def test_a_page_shows_its_posts(rig: Any) -> None:
    page = await rig.connect()
    await rig.publish(page, "Open on Sunday")
    async with rig.http.get(page.account.url) as shown:
        assert "Open on Sunday" in await shown.text()


@pytest.mark.parametrize("path", ["123", "123/posts/1", "123_1"])
async def test_what_nobody_made_is_not_shown(rig: Any, path: str) -> None:
    async with rig.http.get(f"{rig.origin}/{path}") as shown:
        assert shown.status == 404


def test_an_unknown_fault_is_refused(rig: Any) -> None:
    with pytest.raises(KeyError):
        rig.fake.perform("nonsense")


async def form(rig: Any) -> dict[str, str]:
    grant = await rig.grant()
    return {
        "client_id": "1234567890",
        "client_secret": "facebook-app-secret",
        "redirect_uri": grant.redirect_uri,
        "code": grant.code,
    }


def ask(rig: Any, token: str, path: str, **params: str) -> Any:
    sent = params | {"appsecret_proof": proof(token)}
    return rig.http.get(f"{rig.origin}/v26.0/{path}", params=sent, headers={"Authorization": f"Bearer {token}"})


def post(rig: Any, token: str, sent: dict[str, str]) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return rig.http.post(
        f"{rig.origin}/v26.0/{PAGE_ID}/feed", data=sent | {"appsecret_proof": proof(token)}, headers=headers
    )


async def test_any_refusal_can_be_had_by_its_name_and_for_one_path(rig: Any) -> None:
    page = await rig.connect()
    rig.fake.refuse_with("190/460", path="/feed")
    with pytest.raises(ReconnectRequired, match="password"):
        await rig.publish(page)
    assert await rig.find(page) is None

    rig.fake.refuse_with(None)
    assert await rig.publish(page)
    with pytest.raises(KeyError):
        rig.fake.refuse_with("190/460,000")
