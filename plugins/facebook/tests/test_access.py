"""Health by ``debug_token``, and withdrawing access."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import logicspike_facebook as plugin
from logicspike.plugin import (
    MemberActionRequired,
    OperatorActionRequired,
    PlatformError,
    PlatformUnavailable,
    RateLimited,
    ReconnectRequired,
)
from logicspike.testing.mock_http import MockHttp
from logicspike_facebook.sandbox_people import DANA


async def check(rig: Any, page: Any, **changes: str) -> Any:
    return await plugin.check(rig.context(**changes), page)


async def test_access_that_works_is_reported_with_its_permissions_and_end(rig: Any) -> None:
    page = await rig.connect()
    report = await check(rig, page)

    assert set(plugin.describe().scopes) <= set(report.scopes)
    assert report.expires_at == rig.clock.now() + timedelta(days=90), "the data's end: the Page's token has none"


async def test_what_the_member_took_away_is_missing_from_the_report(rig: Any) -> None:
    rig.fake.switch("comments_withheld")
    report = await check(rig, await rig.connect())
    assert {"pages_manage_engagement"} == set(plugin.describe().scopes) - set(report.scopes)


async def test_a_connected_page_goes_on_without_the_permission_for_portfolios(rig: Any) -> None:
    page = await rig.connect()
    (grant,) = rig.fake._grants
    grant.scopes = tuple(scope for scope in grant.scopes if scope != "business_management")
    report = await check(rig, page)
    assert set(plugin.describe().scopes) <= set(report.scopes)


@pytest.mark.parametrize(
    ("granular", "missing"),
    [
        ([{"scope": "pages_manage_posts", "target_ids": ["1"]}], {"pages_manage_posts"}),
        ([{"scope": "pages_manage_posts"}], set()),
        ([{"scope": "pages_manage_posts", "target_ids": None}], set()),
        ([{"scope": "business_management", "target_ids": ["1"]}], set()),
        (["x", {"target_ids": ["1"]}], set()),
        ("x", set()),
    ],
)
async def test_a_permission_for_other_pages_only_is_none_for_this_one(
    rig: Any, granular: object, missing: set[str]
) -> None:
    page = await rig.connect()
    scopes = ["pages_manage_posts", "business_management", 7]
    with MockHttp() as http:
        http.get(DEBUG, payload={"data": {"is_valid": True, "scopes": scopes, "granular_scopes": granular}})
        report = await check(rig, page)
    assert {"pages_manage_posts", "business_management"} - missing == set(report.scopes)


async def test_an_end_that_passed_without_ending_anything_is_not_told_any_more(rig: Any) -> None:
    page = await rig.connect()
    rig.clock.advance(timedelta(days=89))
    assert (await check(rig, page)).expires_at == rig.clock.now() + timedelta(days=1)
    rig.clock.advance(timedelta(days=2))
    assert (await check(rig, page)).expires_at is None


@pytest.mark.parametrize(
    ("told", "end"),
    [
        ({"expires_at": 0, "data_access_expires_at": 1_800_000_000}, 1_800_000_000),
        ({"expires_at": 1_797_000_000, "data_access_expires_at": 1_800_000_000}, 1_797_000_000),
        ({"expires_at": 1_797_000_000}, 1_797_000_000),
        ({"expires_at": 0, "data_access_expires_at": 1_600_000_000}, None),
        ({"expires_at": 0, "data_access_expires_at": 0}, None),
        ({"expires_at": "soon", "data_access_expires_at": 10**30}, None),
        ({"expires_at": True}, None),
        ({}, None),
    ],
)
async def test_the_earlier_end_counts(rig: Any, told: dict[str, Any], end: int | None) -> None:
    page = await rig.connect()
    with MockHttp() as http:
        http.get(DEBUG, payload={"data": {"is_valid": True, **told}})
        report = await check(rig, page)
    assert report.expires_at == (None if end is None else datetime.fromtimestamp(end, UTC))
    assert report.scopes == ()


@pytest.mark.parametrize(
    ("action", "words"), [("revoke", "removed"), ("password_changed", "password"), ("expire", "expired")]
)
async def test_access_that_ended_is_told_with_the_reason(rig: Any, action: str, words: str) -> None:
    page = await rig.connect()
    rig.fake.perform(action)
    with pytest.raises(ReconnectRequired, match=words):
        await check(rig, page)


async def test_a_token_that_facebook_never_saw_is_no_access(rig: Any) -> None:
    page = await rig.connect()
    unknown = replace(page, tokens=replace(page.tokens, access_token="made-up"))
    with pytest.raises(ReconnectRequired):
        await check(rig, unknown)


@pytest.mark.parametrize("fault", ["role_lost", "checkpoint"])
async def test_what_the_member_can_mend_does_not_end_the_connection(rig: Any, fault: str) -> None:
    page = await rig.connect()
    rig.fake.switch(fault)
    with pytest.raises(MemberActionRequired):
        await check(rig, page)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("unavailable", PlatformUnavailable),
        ("garbage", PlatformUnavailable),
        ("rate_limit", RateLimited),
        ("secret_reset", OperatorActionRequired),
    ],
)
async def test_trouble_of_facebook_or_of_the_app_says_nothing_about_the_connection(
    rig: Any, fault: str, expected: type[PlatformError]
) -> None:
    page = await rig.connect()
    rig.fake.switch(fault)
    with pytest.raises(expected):
        await check(rig, page)
    with pytest.raises(expected):
        await plugin.revoke(rig.context(), page, is_last=True)


async def test_a_mistyped_secret_ends_nobodys_connection(rig: Any) -> None:
    page = await rig.connect()
    with pytest.raises(OperatorActionRequired, match="FACEBOOK_CLIENT_SECRET"):
        await check(rig, page, client_secret="mistyped")


@pytest.mark.parametrize("answer", [{}, {"data": []}, {"data": "x"}, []])
async def test_an_answer_that_says_nothing_is_an_outage(rig: Any, answer: object) -> None:
    page = await rig.connect()
    with MockHttp() as http:
        http.get(DEBUG, payload=answer)
        with pytest.raises(PlatformUnavailable):
            await check(rig, page)


@pytest.mark.parametrize("error", [None, "x", {}, {"code": 190}, {"code": 190, "subcode": 9999}])
async def test_an_invalid_token_is_no_access_whatever_else_is_said(rig: Any, error: object) -> None:
    page = await rig.connect()
    with MockHttp() as http:
        http.get(DEBUG, payload={"data": {"is_valid": False, "error": error}})
        with pytest.raises(ReconnectRequired):
            await check(rig, page)


# --- withdrawing -----------------------------------------------------------------------------------------------------


async def test_disconnecting_one_of_several_leaves_the_others(rig: Any) -> None:
    one, other, _ = await rig.list_pages(person=DANA.id)
    before = len(rig.fake.requests)
    await plugin.revoke(rig.context(), one, is_last=False)
    assert len(rig.fake.requests) == before
    assert await rig.publish(other)


async def test_the_last_one_removes_the_app_for_that_person(rig: Any) -> None:
    one, other, _ = await rig.list_pages(person=DANA.id)
    jonas = await rig.connect()
    await plugin.revoke(rig.context(), one, is_last=True)
    with pytest.raises(ReconnectRequired, match="removed"):
        await rig.publish(other)
    assert await rig.publish(jonas)


async def test_it_works_after_the_persons_own_token_ended(rig: Any) -> None:
    page = await rig.connect()
    rig.clock.advance(timedelta(days=61))
    await plugin.revoke(rig.context(), page, is_last=True)
    with pytest.raises(ReconnectRequired):
        await rig.publish(page)


async def test_an_app_that_is_removed_already_is_as_wished(rig: Any) -> None:
    page = await rig.connect()
    rig.fake.perform("revoke")
    await plugin.revoke(rig.context(), page, is_last=True)


@pytest.mark.parametrize("answer", [True, {"success": True}])
async def test_both_ways_to_say_yes_are_taken(rig: Any, answer: object) -> None:
    page = await rig.connect()
    with MockHttp() as http:
        http.delete(PERMISSIONS, payload=answer)
        await plugin.revoke(rig.context(), page, is_last=True)


@pytest.mark.parametrize("answer", [False, {"success": False}, {}, "true"])
async def test_anything_else_is_no_confirmation(rig: Any, answer: object) -> None:
    page = await rig.connect()
    with MockHttp() as http:
        http.delete(PERMISSIONS, payload=answer)
        with pytest.raises(PlatformUnavailable):
            await plugin.revoke(rig.context(), page, is_last=True)


DEBUG = re.compile(r"^http://127\.0\.0\.1:\d+/v26\.0/debug_token\?.*$")
PERMISSIONS = re.compile(r"^http://127\.0\.0\.1:\d+/v26\.0/\d+/permissions\?.*$")
