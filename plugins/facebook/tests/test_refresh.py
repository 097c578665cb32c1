"""Reading a Page's token anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from logicspike.plugin import (
    MemberActionRequired,
    OperatorActionRequired,
    PlatformError,
    PlatformUnavailable,
    RateLimited,
    ReconnectRequired,
)


async def test_a_new_token_publishes_and_has_no_end(rig: Any) -> None:
    page = await rig.connect()
    renewed = await rig.renew(page)

    assert renewed.tokens.access_token != page.tokens.access_token
    assert renewed.tokens.expires_at is None
    assert renewed.tokens.scopes == page.tokens.scopes
    assert await rig.publish(renewed)


async def test_it_can_be_done_again_until_the_persons_token_ends(rig: Any) -> None:
    page = await rig.renew(await rig.connect())
    rig.clock.advance(timedelta(days=59))
    assert await rig.publish(await rig.renew(page))


async def test_afterwards_a_token_that_works_is_kept(rig: Any) -> None:
    page = await rig.connect()
    rig.clock.advance(timedelta(days=61))
    renewed = await rig.renew(page)
    assert renewed.tokens == page.tokens
    assert await rig.publish(renewed)


@pytest.mark.parametrize(("action", "words"), [("password_changed", "password"), ("revoke", "removed")])
async def test_afterwards_a_token_that_does_not_work_leads_to_the_member(rig: Any, action: str, words: str) -> None:
    page = await rig.connect()
    rig.clock.advance(timedelta(days=61))
    rig.fake.perform(action)
    with pytest.raises(ReconnectRequired, match=words):
        await rig.renew(page)


async def test_a_token_that_ended_unexpectedly_leads_to_the_member(rig: Any) -> None:
    page = await rig.connect()
    rig.fake.perform("expire")
    with pytest.raises(ReconnectRequired, match="expired"):
        await rig.renew(page)


@pytest.mark.parametrize("action", ["revoke", "password_changed"])
async def test_access_that_ended_leads_to_the_member(rig: Any, action: str) -> None:
    page = await rig.connect()
    rig.fake.perform(action)
    with pytest.raises(ReconnectRequired):
        await rig.renew(page)


async def test_without_the_persons_token_facebook_is_asked_about_the_pages(rig: Any) -> None:
    page = replace(await rig.connect(), extra={})
    assert (await rig.renew(page)).tokens == page.tokens
    rig.fake.perform("revoke")
    with pytest.raises(ReconnectRequired):
        await rig.renew(page)


async def test_an_unknown_end_of_the_persons_token_is_tried(rig: Any) -> None:
    page = await rig.connect()
    page = replace(page, extra={"user_token": page.extra["user_token"]})
    assert await rig.publish(await rig.renew(page))

    rig.clock.advance(timedelta(days=61))
    with pytest.raises(ReconnectRequired):
        await rig.renew(page)


async def test_a_page_that_no_longer_opens_leads_to_the_member(rig: Any) -> None:
    page = await rig.connect()
    rig.fake.switch("role_lost")
    with pytest.raises(ReconnectRequired, match="with the Page ticked"):
        await rig.renew(page)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("unavailable", PlatformUnavailable),
        ("garbage", PlatformUnavailable),
        ("rate_limit", RateLimited),
        ("checkpoint", MemberActionRequired),
        ("secret_reset", OperatorActionRequired),
    ],
)
async def test_trouble_that_passes_never_ends_a_connection(rig: Any, fault: str, expected: type[PlatformError]) -> None:
    page = await rig.connect()
    rig.fake.switch(fault)
    with pytest.raises(expected):
        await rig.renew(page)
    rig.fake.switch(fault, on=False)
    assert await rig.publish(await rig.renew(page))
