"""Renewing access where LinkedIn allows it, and withdrawing it."""

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
)
from logicspike_linkedin import api


async def test_without_a_refresh_token_only_the_member_can_help(rig: Any) -> None:
    credential = await rig.connect()
    asked_before = len(rig.fake.requests)

    with pytest.raises(ReconnectRequired, match="60 days"):
        await plugin.refresh(rig.context(), credential)

    assert asked_before == len(rig.fake.requests)


async def test_a_refresh_gives_sixty_days_more(rig: Any) -> None:
    rig.fake.switch("refresh_tokens")
    credential = await rig.connect_and_wait(timedelta(days=59))

    tokens = await plugin.refresh(rig.context(), credential)

    assert tokens.access_token != credential.tokens.access_token
    assert credential.tokens.refresh_token == tokens.refresh_token
    assert rig.clock.now() + timedelta(days=60) == tokens.expires_at


async def test_the_refresh_token_keeps_its_end_after_a_year(rig: Any, with_tokens: Callable[..., Credential]) -> None:
    rig.fake.switch("refresh_tokens")
    credential = await rig.connect_and_wait(timedelta(days=360))

    tokens = await plugin.refresh(rig.context(), credential)
    assert rig.clock.now() + timedelta(days=5) == tokens.expires_at

    rig.clock.advance(timedelta(days=6))
    with pytest.raises(ReconnectRequired, match="Connect LinkedIn again"):
        await plugin.refresh(rig.context(), with_tokens(credential, refresh_token=tokens.refresh_token))


async def test_a_withdrawn_grant_asks_for_a_reconnect(rig: Any) -> None:
    rig.fake.switch("refresh_tokens")
    credential = await rig.connect()
    rig.fake.perform("revoke")

    with pytest.raises(ReconnectRequired):
        await plugin.refresh(rig.context(), credential)


async def test_a_wrong_client_secret_never_ends_a_connection(rig: Any) -> None:
    rig.fake.switch("refresh_tokens")
    credential = await rig.connect()
    rig.client_secret = "wrong"

    with pytest.raises(OperatorActionRequired):
        await plugin.refresh(rig.context(), credential)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("unavailable", PlatformUnavailable), ("garbage", PlatformUnavailable), ("rate_limit", RateLimited)],
)
async def test_trouble_while_refreshing_never_ends_a_connection(
    rig: Any, fault: str, expected: type[Exception]
) -> None:
    rig.fake.switch("refresh_tokens")
    credential = await rig.connect()
    rig.fake.switch(fault)

    with pytest.raises(expected):
        await plugin.refresh(rig.context(), credential)


async def test_revoking_ends_the_access(rig: Any) -> None:
    credential = await rig.connect_and_wait()

    await plugin.revoke(rig.context(), credential, True)

    with pytest.raises(ReconnectRequired):
        await rig.publish(credential, "Hello")


async def test_a_revocation_that_is_not_confirmed_says_so(rig: Any) -> None:
    credential = await rig.connect()
    rig.fake.switch("unavailable")

    with pytest.raises(PlatformUnavailable, match="LinkedIn"):
        await plugin.revoke(rig.context(), credential, True)


async def test_freshness_follows_the_sign_in_and_the_refresh(rig: Any, with_tokens: Callable[..., Credential]) -> None:
    rig.fake.switch("refresh_tokens")
    credential = await rig.connect()
    assert api.is_fresh(credential, rig.clock.now())

    rig.clock.advance(timedelta(days=50))
    assert not api.is_fresh(credential, rig.clock.now())

    tokens = await plugin.refresh(rig.context(), credential)
    renewed = with_tokens(credential, expires_at=tokens.expires_at)
    assert api.is_fresh(renewed, rig.clock.now() + timedelta(seconds=59))
    assert not api.is_fresh(renewed, rig.clock.now() + timedelta(seconds=60))
    assert not api.is_fresh(with_tokens(credential, expires_at=None), rig.clock.now())
