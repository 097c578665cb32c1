"""The first comment: a part of its own, below the post."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

import logicspike_facebook as plugin
from logicspike.plugin import (
    Account,
    MemberActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    Post,
    RateLimited,
    ReconnectRequired,
    Reply,
)
from logicspike.testing import SAMPLE_MP4, MemoryFile
from logicspike.testing.mock_http import MockHttp

ACCOUNT = Account(id="1", name="Page", kind="page")


def comment(text: str, root_id: str = "") -> Post:
    reply = Reply(root_id=root_id, previous_id=root_id) if root_id else None
    return Post(key="key-2", text=text, part=1, reply=reply)


def test_a_post_may_have_one_comment() -> None:
    assert plugin.describe().limits.max_parts == 2


def test_a_comment_may_be_shorter_than_a_post_only() -> None:
    assert () == plugin.validate(comment("x" * 8_000))
    (problem,) = plugin.validate(comment("x" * 8_001))
    assert "8,000" in problem.message
    assert (8_001, 8_000) == tuple(getattr(plugin.measure(comment("x" * 8_001)), name) for name in ("length", "limit"))
    assert (3, 63_206) == tuple(
        getattr(plugin.measure(Post(key="k", text="été")), name) for name in ("length", "limit")
    )


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_comment_is_a_problem(text: str) -> None:
    assert plugin.validate(comment(text))


async def test_the_comment_goes_below_the_post_as_the_page(rig: Any) -> None:
    page = await rig.connect()
    root = await rig.publish(page, "Post")
    said = await rig.comment(page, root, "More: https://example.com & <b>")

    first, second = rig.fake.ledger
    assert (second.id, second.text, second.reply_to) == (said.id, "More: https://example.com & <b>", first.id)
    assert second.account == first.account
    async with rig.http.get(said.url) as shown:
        assert "More:" in await shown.text()


async def test_a_video_takes_a_comment_too(rig: Any) -> None:
    page = await rig.connect()
    root = await rig.publish_files(page, MemoryFile(SAMPLE_MP4 + bytes(2_000)))
    await rig.comment(page, root)
    assert rig.fake.ledger[1].reply_to == root.id


async def test_one_request_makes_it(rig: Any) -> None:
    page = await rig.connect()
    root = await rig.publish(page)
    before = len(rig.fake.requests)
    await rig.comment(page, root)
    assert rig.fake.requests[before:] == [("POST", f"/v26.0/{root.id}/comments")]


async def test_without_the_permission_the_member_is_asked_for_it_by_name(rig: Any) -> None:
    rig.fake.switch("comments_withheld")
    page = await rig.connect()
    root = await rig.publish(page)
    with pytest.raises(ReconnectRequired) as caught:
        await rig.comment(page, root)
    assert caught.value.missing_scopes == ("pages_manage_engagement",)
    assert len(rig.fake.ledger) == 1


async def test_a_post_that_is_gone_takes_no_comment(rig: Any) -> None:
    page = await rig.connect()
    root = await rig.publish(page)
    rig.fake.ledger.clear()
    with pytest.raises(MemberActionRequired):
        await rig.comment(page, root)


@pytest.mark.parametrize("fault", ["error_after_accept", "accept_then_drop"])
async def test_a_lost_comment_is_unknown_and_found(rig: Any, fault: str) -> None:
    page = await rig.connect()
    root = await rig.publish(page, "First!")
    assert await find(rig, page, root.id) is None, "the post itself is not the comment"
    rig.fake.switch(fault, times=1)
    with pytest.raises(OutcomeUnknown):
        await rig.comment(page, root)
    found = await find(rig, page, root.id)
    assert found is not None
    assert found.id == rig.fake.ledger[1].id
    assert await rig.find(page, "First!") is not None, "and the comment is not the post"
    assert root.id == (await rig.find(page, "First!")).id


async def test_a_comment_of_the_same_text_elsewhere_or_earlier_is_not_it(rig: Any) -> None:
    page = await rig.connect()
    one, other = await rig.publish(page, "One"), await rig.publish(page, "Other")
    await rig.comment(page, one)
    assert await find(rig, page, other.id) is None
    rig.clock.advance(timedelta(hours=21))
    assert await find(rig, page, one.id) is None


async def test_somebody_elses_comment_is_not_it(rig: Any) -> None:
    page = await rig.connect()
    entry = {"id": "1_2", "message": "First!", "created_time": "2026-11-23T09:30:00+0000"}
    for author, is_found in (({"id": "999", "name": "Fan"}, False), ({"id": page.account.id}, True), (None, True)):
        with MockHttp() as http:
            http.get(comments("5_6"), payload={"data": [entry | {"from": author}]})
            assert (await find(rig, page, "5_6") is not None) == is_found


@pytest.mark.parametrize("code", [10, 200])
async def test_comments_that_may_not_be_read_leave_it_open_and_the_connection_alone(rig: Any, code: int) -> None:
    page = await rig.connect()
    with MockHttp() as http:
        http.get(comments("5_6"), status=403, payload={"error": {"code": code, "message": "m"}})
        with pytest.raises(OutcomeUnknown, match="read the comments"):
            await find(rig, page, "5_6")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("unavailable", PlatformUnavailable), ("rate_limit", RateLimited), ("checkpoint", MemberActionRequired)],
)
async def test_a_failed_look_is_not_a_missing_comment(rig: Any, fault: str, expected: type[PlatformError]) -> None:
    page = await rig.connect()
    root = await rig.publish(page)
    await rig.comment(page, root)
    rig.fake.switch(fault)
    with pytest.raises(expected):
        await find(rig, page, root.id)


async def find(rig: Any, page: Any, root_id: str) -> Any:
    return await plugin.find_published(rig.context(), page, comment("First!", root_id), None)


def comments(root_id: str) -> re.Pattern[str]:
    return re.compile(rf"^http://127\.0\.0\.1:\d+/v26\.0/{root_id}/comments\?.*$")
