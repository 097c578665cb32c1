"""First comments: plain text under the post, by the same account."""

from __future__ import annotations

from typing import Any

import pytest

import logicspike_linkedin as plugin
from logicspike.plugin import (
    Credential,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformUnavailable,
    Post,
    PostRejected,
    Reply,
)
from logicspike.testing import ErrorAnswer

AWKWARD = "More (here): https://example.com/a_b #now @you {x}"


@pytest.fixture(params=["member", "page"])
async def account(rig: Any, request: pytest.FixtureRequest) -> Credential:
    """A member's connection, and a company page's."""
    found: Credential = await (rig.connect_and_wait() if request.param == "member" else rig.connect_page())
    return found


async def test_a_comment_stands_under_the_post_as_it_was_written(rig: Any, account: Credential) -> None:
    post = await rig.post(account)

    published = await rig.comment(account, post.id, AWKWARD)

    comment = rig.entry(published)
    assert (AWKWARD, post.id, post.account) == (comment.text, comment.reply_to, comment.account)
    assert published.id.startswith("urn:li:comment:(urn:li:activity:")
    async with rig.http.get(published.url) as page:
        assert "More (here)" in await page.text()


async def test_a_post_linkedin_does_not_find_yet_is_commented_on_later(rig: Any) -> None:
    member = await rig.connect_and_wait()
    rig.fake.switch("late_activity")
    post = await rig.post(member)
    rig.pauses.clear()

    with pytest.raises(PlatformUnavailable, match="can take a moment"):
        await rig.comment(member, post.id)
    rig.clock.advance(rig.fake.settling)

    assert await rig.comment(member, post.id)
    assert 2 == len(rig.fake.ledger)


async def test_an_app_that_may_not_comment_is_the_admins_to_mend(rig: Any, account: Credential) -> None:
    post = await rig.post(account)
    rig.fake.switch("comments_denied")

    with pytest.raises(OperatorActionRequired, match="First comments"):
        await rig.comment(account, post.id)


async def test_the_versioned_api_wants_a_further_approval(rig: Any) -> None:
    member = await rig.connect_and_wait()
    post = await rig.post(member)

    with pytest.raises(OperatorActionRequired):
        await rig.comment(member, post.id, comments_api="rest")

    assert ("POST", f"/rest/socialActions/{post.id}/comments") == rig.fake.requests[-1]


async def test_the_longest_comment_is_accepted_and_a_longer_one_refused_here_and_there(rig: Any) -> None:
    member = await rig.connect_and_wait()
    post = await rig.post(member)

    assert await rig.comment(member, post.id, "(" * 1250)
    with pytest.raises(PostRejected, match="too long"):
        await rig.comment(member, post.id, "(" * 1251)


@pytest.mark.parametrize("fault", ["error_after_accept", "accept_then_drop"])
async def test_a_comment_whose_answer_got_lost_is_unknown(rig: Any, fault: str) -> None:
    member = await rig.connect_and_wait()
    post = await rig.post(member)
    rig.fake.switch(fault)

    with pytest.raises(OutcomeUnknown):
        await rig.comment(member, post.id)

    assert 2 == len(rig.fake.ledger)


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        ({"commentUrn": "urn:li:comment:(urn:li:activity:1,2)"}, {}, "urn:li:comment:(urn:li:activity:1,2)"),
        ({"$URN": "urn:li:comment:(urn:li:activity:1,2)"}, {}, "urn:li:comment:(urn:li:activity:1,2)"),
        ({"id": "2", "object": "urn:li:activity:1"}, {}, "urn:li:comment:(urn:li:activity:1,2)"),
        ({}, {"x-restli-id": "2"}, "urn:li:comment:(urn:li:share:1,2)"),
    ],
)
async def test_a_comment_is_named_however_linkedin_names_it(
    rig: Any, body: object, headers: dict[str, str], expected: str
) -> None:
    member = await rig.connect_and_wait()
    rig.fake.refuse_with(ErrorAnswer(status=201, body=body, headers=headers, source="ours"), path="/comments")

    assert expected == (await rig.comment(member, "urn:li:share:1")).id


async def test_a_comment_without_a_name_is_unknown(rig: Any) -> None:
    member = await rig.connect_and_wait()
    rig.fake.refuse_with(ErrorAnswer(status=201, body={}, source="ours"), path="/comments")

    with pytest.raises(OutcomeUnknown, match="didn't name it"):
        await rig.comment(member, "urn:li:share:1")


async def test_a_second_part_is_checked_before_it_can_be_a_reply() -> None:
    assert () == plugin.validate(Post(key="k:1", text="x", part=1))
    assert () == plugin.validate(Post(key="k:1", text="x", part=1, reply=Reply(root_id="r", previous_id="r")))
