"""The stand-in refuses what LinkedIn refuses."""

from __future__ import annotations

from typing import Any

import pytest
from yarl import URL

BODY = {
    "author": "urn:li:person:782bbtaQ",
    "commentary": "Hello",
    "visibility": "PUBLIC",
    "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
    "lifecycleState": "PUBLISHED",
}
HEADERS = {"LinkedIn-Version": "202609", "X-Restli-Protocol-Version": "2.0.0"}


@pytest.mark.parametrize(
    "change", [{"client_id": "other"}, {"redirect_uri": "https://elsewhere.example/"}, {"response_type": "token"}]
)
async def test_a_wrong_authorize_request_gets_a_plain_error_page(rig: Any, change: dict[str, str]) -> None:
    async with rig.http.get(await rig.authorize_url(**change)) as page:
        assert page.status == 400


async def test_a_scope_the_app_lacks_is_sent_back_as_an_error(rig: Any) -> None:
    url = await rig.authorize_url(scope="openid w_organization_social")
    async with rig.http.get(url, allow_redirects=False) as answer:
        assert URL(answer.headers["Location"]).query["error"] == "unauthorized_scope_error"


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "other"}, 401, "invalid_client"),
        ({"client_secret": ""}, 400, "invalid_request"),
        ({"redirect_uri": "https://elsewhere.example/"}, 400, "invalid_redirect_uri"),
        ({"code": "unknown"}, 401, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_a_wrong_token_request_is_refused(rig: Any, change: dict[str, str], status: int, error: str) -> None:
    grant = await rig.grant()
    form = {
        "grant_type": "authorization_code",
        "code": grant.code,
        "redirect_uri": grant.redirect_uri,
        "client_id": "linkedin-client",
        "client_secret": rig.fake.client_secret,
    }
    async with rig.http.post(f"{rig.origin}/oauth/v2/accessToken", data=form | change) as answer:
        assert (status, error) == (answer.status, (await answer.json())["error"])


async def test_the_secret_must_be_in_the_body(rig: Any) -> None:
    grant = await rig.grant()
    form = {"grant_type": "authorization_code", "code": grant.code, "redirect_uri": grant.redirect_uri}
    basic = {"Authorization": "Basic bGlua2VkaW4tY2xpZW50OmxpbmtlZGluLWNsaWVudC1zZWNyZXQ="}
    async with rig.http.post(f"{rig.origin}/oauth/v2/accessToken", data=form, headers=basic) as answer:
        assert answer.status == 400


async def post(rig: Any, body: object, headers: dict[str, str]) -> tuple[int, str | None]:
    credential = await rig.connect()
    sent = {"Authorization": f"Bearer {credential.tokens.access_token}"} | headers
    async with rig.http.post(f"{rig.origin}/rest/posts", json=body, headers=sent) as answer:
        return answer.status, None if answer.status == 201 else (await answer.json()).get("code")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (HEADERS, (201, None)),
        (HEADERS | {"LinkedIn-Version": ""}, (400, "VERSION_MISSING")),
        (HEADERS | {"LinkedIn-Version": "202511"}, (426, "NONEXISTENT_VERSION")),
        (HEADERS | {"X-Restli-Protocol-Version": "1.0.0"}, (400, "ILLEGAL_ARGUMENT")),
        (HEADERS | {"Authorization": "Bearer nonsense"}, (401, "INVALID_ACCESS_TOKEN")),
        (HEADERS | {"Authorization": ""}, (401, None)),
    ],
)
async def test_the_headers_of_a_post_are_checked(rig: Any, headers: dict[str, str], expected: object) -> None:
    assert expected == await post(rig, BODY, headers)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"author": "urn:li:person:782bbtaQ"}, (400, "MISSING_FIELD")),
        (BODY | {"author": "urn:li:person:someone"}, (403, "ACCESS_DENIED")),
        (BODY | {"visibility": "FRIENDS"}, (400, "INVALID_VALUE_FOR_FIELD")),
        (BODY | {"shout": True}, (422, None)),
        (BODY | {"content": {"article": {"source": "https://example.com/"}}}, (400, "MISSING_FIELD")),
        (BODY | {"content": {"article": {"source": "ftp://x", "title": "x"}}}, (400, "INVALID_VALUE_FOR_FIELD")),
        (["not an object"], (400, None)),
    ],
)
async def test_the_body_of_a_post_is_checked(rig: Any, body: object, expected: object) -> None:
    assert expected == await post(rig, body, HEADERS)
    assert rig.fake.ledger == []


async def test_an_unescaped_bracket_cuts_the_post_without_an_error(rig: Any) -> None:
    assert await post(rig, BODY | {"commentary": "Hello (world)"}, HEADERS) == (201, None)
    assert rig.fake.ledger[0].text == "Hello "


async def test_a_post_nobody_made_has_no_page(rig: Any) -> None:
    async with rig.http.get(f"{rig.origin}/feed/update/urn:li:share:1/") as page:
        assert page.status == 404
