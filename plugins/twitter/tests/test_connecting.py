"""Consent, exchange, identity, refresh and revocation, over real HTTP against the fake."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

import logicspike_twitter as plugin
from logicspike.plugin import (
    AuthorizationFailed,
    OperatorActionRequired,
    PlatformUnavailable,
    Post,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)
from logicspike.testing import press_cancel
from logicspike_twitter.api import read_identity

POST = Post(key="a-key", text="Good morning")


async def test_authorize_link_carries_everything_x_wants(bench):
    url = await bench.authorize_url()
    query = parse_qs(urlsplit(url).query)
    assert urlsplit(url).path == "/i/oauth2/authorize"
    assert query["response_type"] == ["code"]
    assert query["client_id"] == ["our-app"]
    assert query["redirect_uri"] == [bench.redirect_uri]
    assert query["state"] == [bench.state]
    assert query["scope"] == ["tweet.read users.read tweet.write media.write offline.access"]
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["code_challenge"][0]) == 43
    assert "tweet.read%20users.read" in url, "X wants spaces as %20"


async def test_exchange_says_whose_account_it_is(bench):
    credential = await bench.connect(person="1500000000000000002")
    assert credential.account.id == "1500000000000000002"
    assert credential.account.name == "Robin Park"
    assert credential.account.handle == "@robin_park"
    assert credential.account.picture is not None
    assert (await bench.get(credential.account.picture))[0] == 200
    assert credential.account.url == f"{bench.origin}/robin_park"
    assert credential.tokens.refresh_token
    assert credential.tokens.expires_at == bench.clock.now() + timedelta(hours=2)
    assert credential.tokens.scopes == plugin.describe().scopes


async def test_identity_is_read_once(bench):
    await bench.connect()
    assert bench.fake.requests.count(("GET", "/2/users/me")) == 1


async def test_cancel_is_access_denied(bench):
    callback = await press_cancel(bench.http, await bench.authorize_url())
    query = parse_qs(urlsplit(callback).query)
    assert query["error"] == ["access_denied"]
    assert query["error"][0] in plugin.describe().cancel_errors
    assert query["state"] == [bench.state]


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "somebody-else"},
        {"redirect_uri": "http://127.0.0.1:3000/elsewhere"},
        {"response_type": "token"},
        {"scope": "tweet.read everything"},
        {"scope": ""},
        {"state": ""},
        {"state": "s" * 501},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
    ],
    ids=lambda change: "-".join(change),
)
async def test_fake_refuses_a_bad_authorize_request(bench, change):
    parts = urlsplit(await bench.authorize_url())
    query = dict(parse_qsl(parts.query)) | change
    status, text = await bench.get(parts._replace(query=urlencode(query)).geturl())
    assert status == 400
    assert "Something went wrong" in text


@pytest.mark.parametrize(
    "change",
    [
        {"code": "made-up"},
        {"redirect_uri": "http://127.0.0.1:3000/elsewhere"},
        {"code_verifier": "another-verifier-than-the-one-of-the-challenge"},
        {"code_verifier": None},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_wrong_grant_is_refused(bench, change):
    grant = replace(await bench.grant(), **change)
    with pytest.raises(AuthorizationFailed) as caught:
        await plugin.exchange(bench.ctx(), grant)
    assert "X" in caught.value.explanation
    assert "Connect again" in caught.value.explanation


async def test_code_works_once(bench):
    grant = await bench.grant()
    await plugin.exchange(bench.ctx(), grant)
    with pytest.raises(AuthorizationFailed):
        await plugin.exchange(bench.ctx(), grant)


async def test_code_lives_thirty_seconds(bench):
    grant = await bench.grant()
    bench.clock.advance(timedelta(seconds=30))
    with pytest.raises(AuthorizationFailed):
        await plugin.exchange(bench.ctx(), grant)


async def test_wrong_client_secret_is_the_operators(bench):
    grant, credential = await bench.grant(), await bench.connect()
    with pytest.raises(OperatorActionRequired) as caught:
        await plugin.exchange(bench.ctx(client_secret="wrong-secret"), grant)
    assert "TWITTER_CLIENT_SECRET" in caught.value.explanation
    with pytest.raises(OperatorActionRequired):
        await plugin.refresh(bench.ctx(client_secret="wrong-secret"), credential)


async def test_fake_wants_basic_authentication_at_the_token_endpoint(bench):
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "our-app"}
    async with bench.http.post(f"{bench.origin}/2/oauth2/token", data=form) as answer:
        assert answer.status == 401
        assert (await answer.json())["error"] == "unauthorized_client"


async def test_fake_refuses_an_unknown_grant_type(bench):
    basic = base64.b64encode(b"our-app:the-secret-of-our-developer-app").decode()
    headers = {"Authorization": f"Basic {basic}"}
    form = {"grant_type": "password"}
    async with bench.http.post(f"{bench.origin}/2/oauth2/token", data=form, headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"] == "unsupported_grant_type"


@pytest.mark.parametrize("missing", plugin.describe().scopes)
async def test_missing_permission_is_told_at_once(bench, missing):
    scopes = tuple(scope for scope in plugin.describe().scopes if scope != missing)
    grant = await bench.grant(scopes=scopes)
    with pytest.raises(AuthorizationFailed) as caught:
        await plugin.exchange(bench.ctx(), grant)
    assert missing in caught.value.explanation


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"token_type": "bearer"}, PlatformUnavailable),
        (200, "<html>", PlatformUnavailable),
        (503, {"title": "Service Unavailable"}, PlatformUnavailable),
        (429, {"title": "Too Many Requests"}, RateLimited),
        (
            400,
            {"error": "invalid_request", "error_description": "Missing required parameter [code]."},
            AuthorizationFailed,
        ),
        (401, {"error": "unauthorized_client", "error_description": "…"}, OperatorActionRequired),
    ],
)
async def test_exchange_tells_refusals_from_trouble(bench, answering, status, body, expected):
    grant = await bench.grant()
    there = await answering(status, body)
    with pytest.raises(expected):
        await plugin.exchange(there.ctx, grant)


@pytest.mark.parametrize(
    ("switch", "expected"),
    [
        ("no_credits", OperatorActionRequired),
        ("not_enrolled", OperatorActionRequired),
        ("unknown_authentication", PlatformUnavailable),
    ],
)
async def test_trouble_with_the_identity_is_no_refusal(bench, switch, expected):
    grant = await bench.grant()
    bench.fake.switch(switch)
    with pytest.raises(expected):
        await plugin.exchange(bench.ctx(), grant)


async def test_new_token_that_does_not_work_is_told_as_a_failed_connect(bench, answering, credential, monkeypatch):
    tokens = credential.tokens

    async def fetch_tokens(*_arguments, **_options):
        return tokens

    monkeypatch.setattr("logicspike.plugin.oauth2.fetch_tokens", fetch_tokens)
    there = await answering(
        401, {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}
    )
    with pytest.raises(AuthorizationFailed):
        await plugin.exchange(there.ctx, await bench.grant())


@pytest.mark.parametrize(
    "person",
    [
        {},
        {"id": 15, "username": "acme"},
        {"id": "15"},
        {"id": "abc", "username": "acme"},
        {"id": "1", "username": "a/b"},
    ],
)
async def test_identity_without_an_id_or_name_is_unusable(bench, answering, credential, monkeypatch, person):
    async def fetch_tokens(*_arguments, **_options):
        return credential.tokens

    monkeypatch.setattr("logicspike.plugin.oauth2.fetch_tokens", fetch_tokens)
    there = await answering(200, {"data": person})
    with pytest.raises(PlatformUnavailable):
        await plugin.exchange(there.ctx, await bench.grant())


@pytest.mark.parametrize(
    ("person", "name", "picture"),
    [
        ({"name": "Acme", "profile_image_url": "https://pbs.twimg.com/1/a_normal.jpg"}, "Acme", True),
        ({"name": " ", "profile_image_url": "http://pbs.twimg.com/1/a_normal.jpg"}, "@acme", False),
        ({"name": None, "profile_image_url": "javascript:alert(1)"}, "@acme", False),
        ({}, "@acme", False),
    ],
)
async def test_identity_goes_without_what_x_leaves_out(answering, credential, person, name, picture):
    there = await answering(200, {"data": {"id": "15", "username": "acme", **person}})
    account = await read_identity(there.ctx, credential.tokens)
    assert (account.name, account.handle) == (name, "@acme")
    assert (account.picture is not None) == picture


# --- refresh ----------------------------------------------------------------------------------------------------------


async def test_refresh_rotates_both_tokens(bench):
    credential = await bench.connect()
    bench.clock.advance(timedelta(hours=2))
    with pytest.raises(TokenExpired):
        await plugin.publish(bench.ctx(), credential, POST, None)
    tokens = await plugin.refresh(bench.ctx(), credential)
    assert tokens.access_token != credential.tokens.access_token
    assert tokens.refresh_token != credential.tokens.refresh_token
    assert tokens.expires_at == bench.clock.now() + timedelta(hours=2)
    published = await plugin.publish(bench.ctx(), replace(credential, tokens=tokens), POST, None)
    assert [published.id] == [entry.id for entry in bench.fake.ledger]


async def test_spent_refresh_token_is_dead_and_takes_the_new_one_with_it(bench):
    credential = await bench.connect()
    renewed = replace(credential, tokens=await plugin.refresh(bench.ctx(), credential))
    with pytest.raises(ReconnectRequired) as caught:
        await plugin.refresh(bench.ctx(), credential)
    assert "Connect X again" in caught.value.explanation
    with pytest.raises(ReconnectRequired):
        await plugin.refresh(bench.ctx(), renewed)


async def test_refresh_token_spent_by_a_lost_answer_is_dead(bench):
    credential = await bench.connect()
    bench.fake.perform("lose_refresh")
    with pytest.raises(ReconnectRequired):
        await plugin.refresh(bench.ctx(), credential)


async def test_removed_app_ends_in_reconnect(bench):
    credential = await bench.connect()
    bench.fake.perform("revoke")
    with pytest.raises(TokenExpired):
        await plugin.publish(bench.ctx(), credential, POST, None)
    with pytest.raises(ReconnectRequired):
        await plugin.refresh(bench.ctx(), credential)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": "invalid_grant"}, ReconnectRequired),
        (
            400,
            {"error": "invalid_request", "error_description": "Value passed for the token was invalid."},
            ReconnectRequired,
        ),
        (
            400,
            {"error": "invalid_request", "error_description": "Missing required parameter [refresh_token]."},
            OperatorActionRequired,
        ),
        (400, {"error": "unsupported_grant_type"}, OperatorActionRequired),
        (401, {"error": "invalid_client"}, OperatorActionRequired),
        (429, {}, RateLimited),
        (503, "down", PlatformUnavailable),
        (200, "<html>Value passed for the token was invalid.</html>", PlatformUnavailable),
    ],
)
async def test_only_a_dead_refresh_token_ends_the_connection(answering, credential, status, body, expected):
    there = await answering(status, body)
    with pytest.raises(expected):
        await plugin.refresh(there.ctx, credential)


async def test_no_refresh_token_means_reconnect_without_a_call(answering, credential):
    there = await answering(200, {})
    with pytest.raises(ReconnectRequired):
        await plugin.refresh(there.ctx, replace(credential, tokens=replace(credential.tokens, refresh_token=None)))
    assert there.calls == []


# --- revoke -----------------------------------------------------------------------------------------------------------


async def test_revoke_ends_both_tokens(bench):
    credential = await bench.connect()
    await plugin.revoke(bench.ctx(), credential)
    assert bench.fake.requests.count(("POST", "/2/oauth2/revoke")) == 2
    with pytest.raises(TokenExpired):
        await plugin.publish(bench.ctx(), credential, POST, None)
    with pytest.raises(ReconnectRequired):
        await plugin.refresh(bench.ctx(), credential)


async def test_revoke_tries_the_second_token_even_if_x_is_down(answering, credential):
    there = await answering(503, "down")
    with pytest.raises(PlatformUnavailable):
        await plugin.revoke(there.ctx, credential)
    assert [request.path for request in there.calls] == ["/2/oauth2/revoke"] * 2


async def test_revoke_without_a_refresh_token_ends_the_access_token(answering, credential):
    there = await answering(200, {"revoked": True})
    await plugin.revoke(there.ctx, replace(credential, tokens=replace(credential.tokens, refresh_token=None)))
    assert len(there.calls) == 1
