"""Signing in: the link, the exchange, whose account it is, and what can go wrong on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from yarl import URL

import logicspike_linkedin as plugin
from logicspike.plugin import (
    AuthorizationFailed,
    AuthorizationGrant,
    AuthorizationRequest,
    OperatorActionRequired,
    PlatformUnavailable,
    RateLimited,
)
from logicspike.testing import press_cancel
from logicspike_linkedin import api, sign_in


async def test_the_link_carries_what_it_was_given_and_no_challenge(rig: Any) -> None:
    request = AuthorizationRequest(
        redirect_uri="https://bot.example/cb", state="s", scopes=plugin.describe().scopes, code_challenge=None
    )

    url = URL((await plugin.authorize(rig.context(), request)).url)

    assert url.path == "/oauth/v2/authorization"
    assert dict(url.query) == {
        "response_type": "code",
        "client_id": "linkedin-client",
        "redirect_uri": "https://bot.example/cb",
        "scope": "openid profile w_member_social",
        "state": "s",
    }


async def test_connecting_gives_the_members_account_and_tokens(rig: Any) -> None:
    credential = await rig.connect()

    member = rig.fake.people[0]
    assert (member.id, member.name, "profile") == (
        credential.account.id,
        credential.account.name,
        credential.account.kind,
    )
    assert member.id == credential.grant_id
    assert rig.clock.now() + timedelta(days=60) == credential.tokens.expires_at
    assert credential.tokens.scopes == ("openid", "profile", "w_member_social")
    assert credential.tokens.refresh_token is None


async def test_the_hook_connects_without_a_pause_when_linkedin_is_well(rig: Any) -> None:
    credential = await plugin.exchange(rig.context(), await rig.grant())

    assert rig.fake.people[0].id == credential.account.id


async def test_an_approved_app_gets_a_refresh_token(rig: Any) -> None:
    rig.fake.switch("refresh_tokens")

    assert (await rig.connect()).tokens.refresh_token


async def test_a_cancel_comes_back_as_an_error_the_host_knows(rig: Any) -> None:
    callback = URL(await press_cancel(rig.http, await rig.authorize_url()))

    assert callback.query["error"] in plugin.describe().cancel_errors
    assert callback.query["state"] == "state-1"


async def test_a_fresh_token_called_revoked_is_tried_again(rig: Any) -> None:
    rig.fake.switch("spurious_401")

    credential = await rig.connect()

    assert rig.fake.people[0].id == credential.account.id
    assert rig.pauses == [1, 2, 4]


async def test_patience_ends_after_fifteen_seconds(rig: Any) -> None:
    rig.fake.switch("spurious_401")
    rig.fake.settling = timedelta(minutes=5)

    with pytest.raises(PlatformUnavailable, match="a moment"):
        await rig.connect()

    assert rig.pauses == [1, 2, 4, 8]
    assert rig.fake.requests.count(("GET", "/v2/userinfo")) == 5


async def test_patience_is_bounded_in_all(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "ACTIVE_DEADLINE", timedelta(milliseconds=20))
    rig.fake.switch("spurious_401")

    with pytest.raises(PlatformUnavailable, match="too long"):
        await sign_in.connect(rig.context(), await rig.grant())


async def test_another_refusal_of_the_token_is_not_tried_again(rig: Any) -> None:
    rig.fake.access_lifetime = timedelta(0)

    with pytest.raises(AuthorizationFailed):
        await rig.connect()

    assert rig.pauses == []


@pytest.mark.parametrize("scope", ["openid w_member_social", "w_member_social"])
async def test_an_app_that_may_not_read_who_signed_in_is_the_admins_to_mend(rig: Any, scope: str) -> None:
    grant = await rig.grant(scope=scope)

    with pytest.raises(OperatorActionRequired, match="Sign In with LinkedIn"):
        await sign_in.connect(rig.context(), grant, sleep=rig.pause)


async def test_a_permission_that_was_left_out_is_noticed(rig: Any) -> None:
    rig.fake.switch("share_product_off")

    with pytest.raises(OperatorActionRequired, match="Share on LinkedIn"):
        await rig.connect()


async def test_a_code_works_once(rig: Any) -> None:
    grant = await rig.grant()
    await sign_in.connect(rig.context(), grant, sleep=rig.pause)

    with pytest.raises(AuthorizationFailed, match="LinkedIn"):
        await sign_in.connect(rig.context(), grant, sleep=rig.pause)


async def test_a_late_code_is_refused(rig: Any) -> None:
    grant = await rig.grant()
    rig.clock.advance(timedelta(minutes=30))

    with pytest.raises(AuthorizationFailed):
        await sign_in.connect(rig.context(), grant, sleep=rig.pause)


async def test_a_code_for_another_redirect_uri_is_refused(rig: Any) -> None:
    grant = AuthorizationGrant(code=(await rig.grant()).code, redirect_uri="https://elsewhere.example/cb")

    with pytest.raises(AuthorizationFailed):
        await sign_in.connect(rig.context(), grant, sleep=rig.pause)


async def test_a_challenge_without_its_verifier_is_refused(rig: Any) -> None:
    grant = await rig.grant(code_challenge="x" * 43, code_challenge_method="S256")

    with pytest.raises(AuthorizationFailed):
        await sign_in.connect(rig.context(), grant, sleep=rig.pause)


async def test_a_wrong_client_secret_is_the_admins_to_mend(rig: Any) -> None:
    grant = await rig.grant()
    rig.client_secret = "wrong"

    with pytest.raises(OperatorActionRequired, match="LINKEDIN_CLIENT_SECRET"):
        await sign_in.connect(rig.context(), grant, sleep=rig.pause)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("unavailable", PlatformUnavailable), ("garbage", PlatformUnavailable), ("rate_limit", RateLimited)],
)
async def test_trouble_while_signing_in(rig: Any, fault: str, expected: type[Exception]) -> None:
    grant = await rig.grant()
    rig.fake.switch(fault)

    with pytest.raises(expected, match="LinkedIn"):
        await sign_in.connect(rig.context(), grant, sleep=rig.pause)
