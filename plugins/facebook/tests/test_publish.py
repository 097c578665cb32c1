"""Publishing on a Page, its refusals, and finding a post whose answer got lost."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import logicspike_facebook as plugin
from logicspike.plugin import (
    Account,
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    Post,
    PostRejected,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)
from logicspike.testing.mock_http import MockHttp

ACCOUNT = Account(id="1", name="Page", kind="page")
LINK = "https://example.com/news?a=1&b=2"


# --- what may be posted ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_an_empty_text_is_a_problem(text: str) -> None:
    (problem,) = plugin.validate(Post(key="k", text=text))
    assert "text" in problem.message


def test_length_is_counted_in_characters() -> None:
    assert () == plugin.validate(Post(key="k", text="é" * 63_206))
    (problem,) = plugin.validate(Post(key="k", text="é" * 63_207))
    assert "63,206" in problem.message
    assert "63,207" in problem.message


# --- publishing ------------------------------------------------------------------------------------------------------


async def test_a_text_is_published_as_written(rig: Any) -> None:
    text = "Grüße & <welcome>\n\n“New” – 50 % off! 🎉 #sale @you +1 a=b;c"
    published = await rig.publish(await rig.connect(), text)

    (entry,) = rig.fake.ledger
    assert (entry.id, entry.text, entry.link) == (published.id, text, None)
    assert entry.account.name == "Bergström Bikes"


async def test_a_link_gets_its_card(rig: Any) -> None:
    await rig.publish(await rig.connect(), f"Read {LINK}", link=LINK)

    assert rig.fake.ledger[0].link == LINK
    assert rig.fake.ledger[0].text == f"Read {LINK}"


async def test_the_permalink_opens_the_post(rig: Any) -> None:
    published = await rig.publish(await rig.connect(), "Look at this")

    async with rig.http.get(published.url) as page:
        assert page.status == 200
        assert "Look at this" in await page.text()


@pytest.mark.parametrize("address", [None, 7, "", "javascript:alert(1)"])
async def test_without_a_usable_permalink_the_id_makes_one_that_opens_too(rig: Any, address: object) -> None:
    page = await rig.connect()
    published = await rig.publish(page, "Look at this")
    with MockHttp() as http:
        http.post(feed(page), payload={"id": published.id, "permalink_url": address})
        again = await rig.publish(page)

    assert again.url == f"{rig.origin}/{published.id}"
    async with rig.http.get(again.url) as shown:
        assert "Look at this" in await shown.text()


async def test_one_request_creates_the_post(rig: Any) -> None:
    page = await rig.connect()
    before = len(rig.fake.requests)
    await rig.publish(page)

    assert rig.fake.requests[before:] == [("POST", f"/v26.0/{page.account.id}/feed")]


async def test_pages_of_one_person_post_apart(rig: Any) -> None:
    for page in await rig.list_pages():
        await rig.publish(page, "The same everywhere")

    assert [entry.account.name for entry in rig.fake.ledger] == ["Acme Coffee", "Acme Coffee Roastery", "Acme Careers"]


async def test_a_page_goes_on_after_the_persons_token_ended(rig: Any) -> None:
    page = await rig.connect()
    rig.clock.advance(timedelta(days=200))
    assert await rig.publish(page)


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("role_lost", MemberActionRequired),
        ("checkpoint", MemberActionRequired),
        ("posting_withheld", ReconnectRequired),
        ("policy_block", MemberActionRequired),
        ("link_unreachable", PostRejected),
        ("secret_reset", OperatorActionRequired),
        ("rate_limit", RateLimited),
        ("unavailable", OutcomeUnknown),
        ("garbage", OutcomeUnknown),
    ],
)
async def test_a_refused_post_is_told_apart_and_not_published(
    rig: Any, fault: str, expected: type[PlatformError]
) -> None:
    page = await rig.connect()
    rig.fake.switch(fault)
    with pytest.raises(expected) as caught:
        await rig.publish(page, link=LINK)

    assert type(caught.value) is expected
    assert "Facebook" in caught.value.explanation
    assert rig.fake.ledger == []


@pytest.mark.parametrize(("action", "words"), [("revoke", "removed"), ("password_changed", "password")])
async def test_access_that_ended_leads_to_the_member_with_the_reason(rig: Any, action: str, words: str) -> None:
    page = await rig.connect()
    rig.fake.perform(action)
    with pytest.raises(ReconnectRequired, match=words):
        await rig.publish(page)


async def test_a_missing_permission_is_named(rig: Any) -> None:
    page = await rig.connect()
    rig.fake.switch("posting_withheld")
    with pytest.raises(ReconnectRequired) as caught:
        await rig.publish(page)
    assert caught.value.missing_scopes == ("pages_manage_posts",)


async def test_facebooks_own_words_for_people_are_passed_on(rig: Any) -> None:
    page = await rig.connect()
    rig.fake.switch("policy_block")
    with pytest.raises(MemberActionRequired, match=r"Facebook says: You can't post right now\."):
        await rig.publish(page)


async def test_throttling_lasts_as_long_as_facebook_says(rig: Any) -> None:
    page = await rig.connect()
    rig.fake.switch("rate_limit")
    with pytest.raises(RateLimited) as caught:
        await rig.publish(page)
    assert rig.clock.now() + timedelta(minutes=19) == caught.value.until


async def test_the_same_post_again_is_refused_and_a_while_later_taken(rig: Any) -> None:
    page = await rig.connect()
    first = await rig.publish(page, "Twice")
    with pytest.raises(PostRejected, match="already") as caught:
        await rig.publish(page, "Twice")
    assert first.url in caught.value.problems[0].message, "it may be this very post, from an earlier try"
    rig.clock.advance(timedelta(minutes=11))
    await rig.publish(page, "Twice")
    assert len(rig.fake.ledger) == 2


async def test_a_duplicate_that_cant_be_looked_up_is_refused_all_the_same(rig: Any) -> None:
    page = await rig.connect()
    await rig.publish(page, "Twice")
    for trouble in ("down", "200"):
        rig.fake.refuse_with(trouble, path="/published_posts")
        with pytest.raises(PostRejected, match="won't publish it twice"):
            await rig.publish(page, "Twice")


@pytest.mark.parametrize("link", ["https://www.facebook.com/acme", "https://facebook.com/x", "https://"])
async def test_a_link_that_facebook_wont_take_is_a_problem_of_the_link(rig: Any, link: str) -> None:
    with pytest.raises(PostRejected) as caught:
        await rig.publish(await rig.connect(), link=link)
    assert caught.value.problems[0].field == "link"


async def test_a_text_that_is_too_long_is_refused(rig: Any) -> None:
    with pytest.raises(PostRejected):
        await rig.publish(await rig.connect(), "a" * 63_207)


async def test_a_page_that_is_gone_is_the_members_to_look_at(rig: Any) -> None:
    page = await rig.connect()
    rig.fake.pages.update({person: [] for person in rig.fake.pages})
    with pytest.raises(MemberActionRequired, match="can't find the Page"):
        await rig.publish(page)


@pytest.mark.parametrize("fault", ["error_after_accept", "accept_then_drop", "error_code_1"])
async def test_a_lost_answer_is_unknown(rig: Any, fault: str) -> None:
    page = await rig.connect()
    rig.fake.switch(fault)
    with pytest.raises(OutcomeUnknown, match="may be live"):
        await rig.publish(page)
    assert len(rig.fake.ledger) == 1


async def test_nothing_was_sent_when_facebook_cant_be_reached(rig: Any) -> None:
    page, context = await rig.connect(), rig.context()
    closed = {"dialog": rig.origin, "graph": "http://127.0.0.1:1"}
    with pytest.raises(PlatformUnavailable, match="Facebook can't be reached"):
        await plugin.publish(replace(context, endpoints=closed), page, Post(key="k", text="Hello"), None)


@pytest.mark.parametrize("answer", [{}, {"id": ""}, {"id": 7}, ["x"], {"success": True}])
async def test_a_success_without_an_id_may_be_one(rig: Any, answer: object) -> None:
    page = await rig.connect()
    with MockHttp() as http:
        http.post(feed(page), payload=answer)
        with pytest.raises(OutcomeUnknown):
            await rig.publish(page)


async def test_an_expired_page_token_can_be_mended_while_the_persons_is_alive(rig: Any) -> None:
    page = await rig.connect()
    with MockHttp() as http:
        http.post(
            feed(page), status=400, payload={"error": {"message": "m", "code": 190, "error_subcode": 463}}, repeat=True
        )
        with pytest.raises(TokenExpired):
            await rig.publish(page)
        rig.clock.advance(timedelta(days=61))
        with pytest.raises(ReconnectRequired):
            await rig.publish(page)


# --- finding ---------------------------------------------------------------------------------------------------------


async def test_a_lost_post_is_found_with_its_address(rig: Any) -> None:
    page = await rig.connect()
    await rig.publish(page, "Before")
    rig.fake.switch("accept_then_drop", times=1)
    with pytest.raises(OutcomeUnknown):
        await rig.publish(page, "Lost\n\nand  found – ok")
    await rig.publish(page, "After")

    found = await rig.find(page, "Lost\n\nand  found – ok")
    assert found is not None
    assert found.id == rig.fake.ledger[1].id
    assert found.url == f"{rig.origin}/{found.id.replace('_', '/posts/')}"


async def test_white_space_that_facebook_changed_does_not_matter(rig: Any) -> None:
    page = await rig.connect()
    await rig.publish(page, "One\nTwo")
    assert await rig.find(page, " One\n\nTwo  ") is not None


@pytest.mark.parametrize("text", ["Hello", "Hello there", "hello World"])
async def test_another_text_is_not_taken_for_it(rig: Any, text: str) -> None:
    page = await rig.connect()
    await rig.publish(page, "Hello World")
    assert await rig.find(page, text) is None


async def test_another_page_of_the_person_is_not_looked_at(rig: Any) -> None:
    one, other, _ = await rig.list_pages()
    await rig.publish(one, "Hello")
    assert await rig.find(other, "Hello") is None


async def test_yesterdays_post_is_not_taken_for_todays(rig: Any) -> None:
    page = await rig.connect()
    await rig.publish(page, "Good morning")
    rig.clock.advance(timedelta(hours=19))
    assert await rig.find(page, "Good morning") is not None
    rig.clock.advance(timedelta(hours=2))
    assert await rig.find(page, "Good morning") is None


async def test_only_the_last_hours_are_asked_for(rig: Any) -> None:
    await rig.find(await rig.connect())
    since = int((rig.clock.now() - timedelta(hours=20)).timestamp())
    assert rig.seen[-1].url.query["since"] == str(since)


@pytest.mark.parametrize(
    ("created", "is_found"),
    [("2026-11-23T09:00:00+0000", True), ("2026-11-22T09:00:00+0000", False), ("soon", True), (None, True)],
)
async def test_the_time_of_a_post_is_looked_at_here_too(rig: Any, created: object, is_found: bool) -> None:
    page = await rig.connect()
    entry = {"id": "1_2", "message": "Hello", "created_time": created}
    with MockHttp() as http:
        http.get(published_posts(page), payload={"data": [entry]})
        assert (await rig.find(page) is not None) == is_found


@pytest.mark.parametrize("entry", [{"id": "1_2"}, {"id": "1_2", "message": None}, {"message": "Hello"}, "x"])
async def test_odd_entries_are_read_over(rig: Any, entry: object) -> None:
    page = await rig.connect()
    with MockHttp() as http:
        http.get(published_posts(page), payload={"data": [entry]})
        assert await rig.find(page) is None


async def test_a_post_in_a_later_part_of_the_list_is_found(rig: Any) -> None:
    page = await rig.connect()
    rig.fake.largest_part = 2
    for number in range(5):
        await rig.publish(page, f"Post {number}")
    assert await rig.find(page, "Post 0") is not None
    assert await rig.find(page, "Post 9") is None


async def test_too_many_posts_to_read_leave_it_open(rig: Any) -> None:
    page = await rig.connect()
    rig.fake.largest_part = 1
    for number in range(6):
        await rig.publish(page, f"Post {number}")
    assert await rig.find(page, "Post 1") is not None
    with pytest.raises(OutcomeUnknown, match="Look at the Page"):
        await rig.find(page, "Post 0")


async def test_a_long_history_does_not_leave_it_open(rig: Any) -> None:
    page = await rig.connect()
    old = {"id": "1_2", "message": "Old", "created_time": "2026-11-01T09:00:00+0000"}
    following = f"{rig.origin}/v26.0/{page.account.id}/published_posts?after=x"
    with MockHttp() as http:
        http.get(published_posts(page), payload={"data": [old], "paging": {"next": following}}, repeat=True)
        assert await rig.find(page) is None


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("unavailable", PlatformUnavailable),
        ("garbage", PlatformUnavailable),
        ("rate_limit", RateLimited),
        ("role_lost", MemberActionRequired),
        ("secret_reset", OperatorActionRequired),
    ],
)
async def test_a_failed_look_is_not_a_missing_post(rig: Any, fault: str, expected: type[PlatformError]) -> None:
    page = await rig.connect()
    await rig.publish(page)
    rig.fake.switch(fault)
    with pytest.raises(expected):
        await rig.find(page)


def feed(page: Any) -> re.Pattern[str]:
    return re.compile(rf"^http://127\.0\.0\.1:\d+/v26\.0/{page.account.id}/feed$")


def published_posts(page: Any) -> re.Pattern[str]:
    return re.compile(rf"^http://127\.0\.0\.1:\d+/v26\.0/{page.account.id}/published_posts\?.*$")
