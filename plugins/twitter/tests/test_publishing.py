"""Publishing and finding lost posts, over real HTTP against the fake."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import logicspike_twitter as plugin
from logicspike.plugin import (
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformUnavailable,
    Post,
    PostRejected,
    RateLimited,
)


def post(text: str) -> Post:
    return Post(key="a-key", text=text)


async def test_text_is_published_under_its_permalink(bench):
    published = await plugin.publish(bench.ctx(), await bench.connect(), post("Good morning & <hello>"), None)
    assert [(published.id, "Good morning & <hello>")] == [(entry.id, entry.text) for entry in bench.fake.ledger]
    assert published.url == f"{bench.origin}/acmecoffee/status/{published.id}"
    status, page = await bench.get(published.url)
    assert status == 200
    assert "Good morning &amp; &lt;hello&gt;" in page


async def test_account_address_shows_its_posts_only(bench):
    credential, other = await bench.connect(), await bench.connect(person="1500000000000000002")
    await plugin.publish(bench.ctx(), credential, post("Mine"), None)
    await plugin.publish(bench.ctx(), other, post("Theirs"), None)
    status, page = await bench.get(credential.account.url)
    assert status == 200
    assert "Mine" in page
    assert "Theirs" not in page


async def test_permalink_of_an_unknown_post_is_404(bench):
    assert (await bench.get(f"{bench.origin}/acmecoffee/status/1"))[0] == 404


async def test_account_stored_under_its_handle_keeps_its_permalinks(bench):
    credential = await bench.connect()
    old = replace(credential, account=replace(credential.account, name="@acmecoffee", handle=None))
    published = await plugin.publish(bench.ctx(), old, post("Hello"), None)
    assert published.url == f"{bench.origin}/acmecoffee/status/{published.id}"


async def test_account_without_a_user_name_gets_the_other_permalink(bench):
    credential = await bench.connect()
    renamed = replace(credential, account=replace(credential.account, handle=None))
    published = await plugin.publish(bench.ctx(), renamed, post("Hello"), None)
    assert published.url == f"{bench.origin}/i/web/status/{published.id}"
    assert (await bench.get(published.url))[0] == 200


async def test_link_goes_in_the_text_and_the_request_is_one(bench):
    credential = await bench.connect()
    bench.fake.requests.clear()
    text = "Read https://example.com/a?b=1&c=2 now"
    await plugin.publish(bench.ctx(), credential, Post(key="k", text=text, link="https://example.com/a?b=1&c=2"), None)
    assert [text] == [entry.text for entry in bench.fake.ledger]
    assert bench.fake.requests == [("POST", "/2/tweets")]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a" * 281, "too long"),
        ("two of them: $ACME and $XYZ", "cashtag"),
        ("hidden\ufeff mark", "too long"),
    ],
)
async def test_what_x_refuses_is_rejected_with_a_hint(bench, text, hint):
    with pytest.raises(PostRejected) as caught:
        await plugin.publish(bench.ctx(), await bench.connect(), post(text), None)
    assert hint in caught.value.problems[0].message
    assert bench.fake.ledger == []


async def test_duplicate_is_rejected_for_half_a_day(bench):
    credential = await bench.connect()
    await plugin.publish(bench.ctx(), credential, post("The same"), None)
    with pytest.raises(PostRejected) as caught:
        await plugin.publish(bench.ctx(), credential, post("The same"), None)
    assert "duplicate" in caught.value.problems[0].message
    await plugin.publish(bench.ctx(), await bench.connect(person="1500000000000000002"), post("The same"), None)
    bench.clock.advance(timedelta(hours=12))
    later = replace(credential, tokens=await plugin.refresh(bench.ctx(), credential))
    await plugin.publish(bench.ctx(), later, post("The same"), None)
    assert len(bench.fake.ledger) == 3


async def test_fake_refuses_unknown_fields_and_empty_posts(bench):
    credential = await bench.connect()
    headers = {"Authorization": f"Bearer {credential.tokens.access_token}"}
    for body in ({"text": "Hi", "link": "https://example.com"}, {}, {"text": " "}, ["Hi"]):
        async with bench.http.post(f"{bench.origin}/2/tweets", json=body, headers=headers) as answer:
            assert answer.status == 400
            assert (await answer.json(content_type=None))["title"] == "Invalid Request"
    assert bench.fake.ledger == []


@pytest.mark.parametrize(
    ("switch", "expected"),
    [
        ("no_credits", OperatorActionRequired),
        ("usage_capped", OperatorActionRequired),
        ("not_enrolled", OperatorActionRequired),
        ("read_only_app", OperatorActionRequired),
        ("suspended", MemberActionRequired),
        ("unknown_authentication", PlatformUnavailable),
        ("not_permitted", PostRejected),
        ("rate_limit", RateLimited),
        ("unavailable", OutcomeUnknown),
        ("garbage", OutcomeUnknown),
        ("error_after_accept", OutcomeUnknown),
        ("accept_then_drop", OutcomeUnknown),
    ],
)
async def test_fault_maps_to_what_the_host_does_next(bench, switch, expected):
    credential = await bench.connect()
    bench.fake.switch(switch, times=1)
    with pytest.raises(expected) as caught:
        await plugin.publish(bench.ctx(), credential, post("Good morning"), None)
    assert type(caught.value) is expected
    assert len(bench.fake.ledger) == (switch in {"error_after_accept", "accept_then_drop"})
    assert bench.fake.requests.count(("POST", "/2/tweets")) == 1


async def test_rate_limit_ends_when_x_says(bench):
    credential = await bench.connect()
    bench.fake.switch("rate_limit")
    with pytest.raises(RateLimited) as caught:
        await plugin.publish(bench.ctx(), credential, post("Good morning"), None)
    assert caught.value.until == bench.clock.now() + timedelta(minutes=15)


async def test_limit_of_the_app_holds_back_every_account(bench):
    credential = await bench.connect()
    bench.clock.advance(timedelta(hours=1))
    began = bench.clock.now()
    await plugin.publish(bench.ctx(), credential, post("Good morning"), None)
    bench.fake.perform("spend_the_day")
    with pytest.raises(RateLimited) as caught:
        await plugin.publish(bench.ctx(), credential, post("Good night"), None)
    assert caught.value.is_app_wide
    assert caught.value.until == began + timedelta(hours=24)


async def test_window_of_an_account_ends_by_itself(bench):
    credential, other = await bench.connect(), await bench.connect(person="1500000000000000002")
    began = bench.clock.now()
    for number in range(100):
        await plugin.publish(bench.ctx(), credential, post(f"Number {number}"), None)
        bench.clock.advance(timedelta(seconds=5))
    with pytest.raises(RateLimited) as caught:
        await plugin.publish(bench.ctx(), credential, post("One too many"), None)
    assert not caught.value.is_app_wide
    assert caught.value.until == began + timedelta(minutes=15)
    await plugin.publish(bench.ctx(), other, post("Another account's"), None)

    bench.clock.advance(caught.value.until - bench.clock.now())
    await plugin.publish(bench.ctx(), credential, post("One too many"), None)
    assert len(bench.fake.ledger) == 102


async def test_unreachable_x_is_unavailable(bench):
    credential = await bench.connect()
    ctx = replace(bench.ctx(), endpoints={"auth": bench.origin, "api": "http://127.0.0.1:9"})
    with pytest.raises(PlatformUnavailable):
        await plugin.publish(ctx, credential, post("Good morning"), None)


# --- finding lost posts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Good morning",
        "Fish & chips < 5 > 3 &amp; more",
        "Read https://example.com/News?a=1&b=2, then example.org/ and come back",
        "Line one\n\nLine two  with   spaces ",
        "Cafe\u0301 🇩🇪 👨‍👩‍👧‍👦",
    ],
)
@pytest.mark.parametrize("fault", ["error_after_accept", "accept_then_drop"])
async def test_lost_post_is_found(bench, fault, text):
    credential = await bench.connect()
    bench.fake.switch(fault, times=1)
    with pytest.raises(OutcomeUnknown):
        await plugin.publish(bench.ctx(), credential, post(text), None)
    found = await plugin.find_published(bench.ctx(), credential, post(text), None)
    assert found is not None
    assert [found.id] == [entry.id for entry in bench.fake.ledger]
    assert found.url == f"{bench.origin}/acmecoffee/status/{found.id}"


async def test_post_that_never_went_out_is_not_found(bench):
    credential = await bench.connect()
    assert await plugin.find_published(bench.ctx(), credential, post("Never sent"), None) is None
    await plugin.publish(bench.ctx(), credential, post("Read https://example.com/one"), None)
    assert await plugin.find_published(bench.ctx(), credential, post("Read https://example.com/two"), None) is None


async def test_another_accounts_post_is_not_taken_for_ours(bench):
    credential, other = await bench.connect(), await bench.connect(person="1500000000000000002")
    await plugin.publish(bench.ctx(), other, post("The same words"), None)
    assert await plugin.find_published(bench.ctx(), credential, post("The same words"), None) is None


async def test_yesterdays_post_is_not_taken_for_todays(bench):
    credential = await bench.connect()
    await plugin.publish(bench.ctx(), credential, post("Good morning"), None)
    bench.clock.advance(timedelta(hours=24))
    later = replace(credential, tokens=await plugin.refresh(bench.ctx(), credential))
    assert await plugin.find_published(bench.ctx(), later, post("Good morning"), None) is None


async def test_search_goes_on_over_pages(bench):
    credential = await bench.connect()
    lost = await plugin.publish(bench.ctx(), credential, post("The first one"), None)
    for number in range(45):
        await plugin.publish(bench.ctx(), credential, post(f"Number {number}"), None)
    found = await plugin.find_published(bench.ctx(), credential, post("The first one"), None)
    assert found == lost


async def test_too_many_posts_to_search_is_said_not_guessed(bench):
    credential = await bench.connect()
    for number in range(101):
        await plugin.publish(bench.ctx(), credential, post(f"Number {number}"), None)
        bench.clock.advance(timedelta(seconds=20))
    with pytest.raises(OutcomeUnknown):
        await plugin.find_published(bench.ctx(), credential, post("Never sent"), None)


@pytest.mark.parametrize("fault", ["unavailable", "garbage"])
async def test_search_while_x_is_down_finds_nothing_out(bench, fault):
    credential = await bench.connect()
    bench.fake.switch(fault)
    with pytest.raises(PlatformUnavailable):
        await plugin.find_published(bench.ctx(), credential, post("Good morning"), None)


async def test_odd_timeline_entries_are_passed_over(answering, credential):
    entries = [
        "odd",
        {"id": "1"},
        {"id": "2", "text": "Hello https://t.co/abc", "entities": {"urls": ["odd", {"url": "https://t.co/abc"}]}},
        {"id": "3", "text": "Hello", "entities": {"urls": None}},
    ]
    there = await answering(200, {"data": entries, "meta": {"result_count": 4}})
    found = await plugin.find_published(there.ctx, credential, post("Hello"), None)
    assert found is not None
    assert found.id == "3"
