"""The daily look at an access: what it may, until when, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import logicspike_linkedin as plugin
from logicspike.plugin import (
    Credential,
    OperatorActionRequired,
    PlatformUnavailable,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)


async def test_a_good_access_tells_its_scopes_and_its_end(rig: Any) -> None:
    member, page = await rig.connect(), (await rig.list_pages())[0]

    assert ("openid", "profile", "w_member_social") == (await plugin.check(rig.context(), member)).scopes
    report = await plugin.check(rig.of(page), page)
    assert plugin.describe().credential_sets[0].scopes == report.scopes
    assert (rig.clock.now() + timedelta(days=60)).replace(microsecond=0) == report.expires_at


async def test_a_withdrawn_access_is_told_apart_from_one_that_is_over(rig: Any) -> None:
    member = await rig.connect_and_wait()
    rig.fake.perform("expire")
    with pytest.raises(ReconnectRequired, match="60 days"):
        await plugin.check(rig.context(), member)

    rig.fake.perform("revoke")
    with pytest.raises(ReconnectRequired, match="withdrawn"):
        await plugin.check(rig.context(), member)


async def test_an_access_that_is_over_is_renewed_where_that_can_be(rig: Any) -> None:
    rig.fake.switch("refresh_tokens")
    member = await rig.connect_and_wait()
    rig.fake.perform("expire")

    with pytest.raises(TokenExpired):
        await plugin.check(rig.context(), member)


async def test_a_token_linkedin_does_not_know_ends_the_connection(
    rig: Any, with_tokens: Callable[..., Credential]
) -> None:
    member = with_tokens(await rig.connect_and_wait(), access_token="never given")

    with pytest.raises(ReconnectRequired, match="no longer accepts"):
        await plugin.check(rig.context(), member)


async def test_a_fresh_token_that_linkedin_calls_revoked_ends_nothing(rig: Any) -> None:
    member = await rig.connect()
    rig.fake.perform("revoke")

    with pytest.raises(PlatformUnavailable):
        await plugin.check(rig.context(), member)


async def test_a_wrong_client_secret_never_ends_a_connection(rig: Any) -> None:
    member = await rig.connect_and_wait()
    rig.client_secret = "wrong"

    with pytest.raises(OperatorActionRequired):
        await plugin.check(rig.context(), member)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("unavailable", PlatformUnavailable), ("garbage", PlatformUnavailable), ("rate_limit", RateLimited)],
)
async def test_trouble_never_ends_a_connection(rig: Any, fault: str, expected: type[Exception]) -> None:
    member = await rig.connect_and_wait()
    rig.fake.switch(fault)

    with pytest.raises(expected):
        await plugin.check(rig.context(), member)
