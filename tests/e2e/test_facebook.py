"""What only Facebook does: it calls the bot itself, and takes a comment below a post."""

from __future__ import annotations

import json
from datetime import timedelta

import aiohttp
import pytest

ANA = "U0ANA"
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def jonas(walk):
    """One who has a single Page; Ana connected it."""
    person = walk.fake("facebook").people[-1]
    assert "Connected" in await walk.connect("facebook", person=person.id)
    return person


async def test_removing_the_app_at_facebook_is_heard_at_once(walk, jonas):
    await walk.schedule("facebook in 5m Not lost")
    assert await walk.fake("facebook").send_event("deauthorize", jonas) < 300

    asked = await walk.wait_for_button(ANA, "connect.reconnect")
    assert "Bergström Bikes" in asked.everything
    await walk.slack.advance_clock(5 * MINUTE)
    assert [] == walk.fake("facebook").ledger


async def test_a_wish_for_deletion_is_answered_with_a_page_that_says_what_became_of_it(walk, jonas):
    fake = walk.fake("facebook")
    event = fake.build_event("data-deletion", jonas)
    address = fake.redirect_uris[0].replace("callback", "data-deletion")
    async with walk.browser.post(address, data=event.body, headers=event.headers) as answer:
        assert answer.status == 200
        said = json.loads(await answer.text())
    assert {"url", "confirmation_code"} == set(said)
    assert said["confirmation_code"].isalnum()
    async with walk.browser.get(said["url"]) as page:
        assert page.status == 200
        assert "deleted" in (await page.text()).lower() or "erased" in (await page.text()).lower()


@pytest.mark.parametrize("event", ["deauthorize", "data-deletion"])
async def test_a_call_that_is_not_facebooks_changes_nothing(walk, jonas, event):
    address = walk.fake("facebook").redirect_uris[0].replace("callback", event)
    for form in ({}, {"signed_request": "nonsense"}, {"signed_request": "AAAA.e30"}):
        async with aiohttp.ClientSession() as http, http.post(address, data=form) as answer:
            assert answer.status == 400
    await walk.schedule("facebook now Still here")
    await walk.slack.wait_for_message(ANA, "Published", channel=walk.slack.im_of(ANA))


async def test_a_first_comment_follows_the_post(walk, jonas):
    await walk.schedule("facebook in 1m Prices below\n---\nFrom 12 euros: https://example.com/prices")
    await walk.slack.advance_clock(MINUTE)
    ledger = walk.fake("facebook").ledger
    await walk.until(lambda: len(ledger) == 2)
    assert ["Prices below", "From 12 euros: https://example.com/prices"] == [entry.text for entry in ledger]
    assert ledger[1].reply_to == ledger[0].id
