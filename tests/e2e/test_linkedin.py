"""What only LinkedIn does: company pages come by an app of their own, and a new post can't be commented on at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

ANA = "U0ANA"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def linkedin(walk):
    return walk.fake("linkedin")


@pytest.fixture
async def coffee(walk, linkedin):
    """The page of one who manages a single one; Ana connected it."""
    said = await walk.connect("linkedin-page", person=linkedin.people[1].id)
    assert "Ferreira Coffee" in said


async def test_a_company_page_is_posted_as_and_its_first_comment_waits_until_linkedin_finds_the_post(
    walk, linkedin, coffee
):
    linkedin.switch("late_activity")
    await walk.schedule("linkedin in 1m Fresh beans (today)\n---\nPrices: https://example.com/prices")
    await walk.slack.advance_clock(MINUTE)
    await walk.until(lambda: len(linkedin.ledger) == 1)
    for _ in range(3):
        await walk.slack.advance_clock(2 * MINUTE)
    await walk.until(lambda: len(linkedin.ledger) == 2)

    post, comment = linkedin.ledger
    assert ("Fresh beans (today)", "Ferreira Coffee") == (post.text, post.account.name)
    assert ("Prices: https://example.com/prices", post.id) == (comment.text, comment.reply_to)


async def test_who_manages_several_pages_chooses(walk, linkedin):
    await walk.connect("linkedin-page", person=linkedin.people[0].id)

    asked = await walk.slack.wait_for_message(ANA, "One step left", channel=walk.slack.im_of(ANA))
    offered = str(asked.blocks)
    assert "Lindqvist Studio" in offered
    assert "Nordic Makers" in offered
    assert "Old Harbour Press" not in offered


async def test_who_manages_no_page_is_told_so(walk, linkedin):
    said = await walk.connect("linkedin-page", person=linkedin.people[2].id)

    assert "LinkedIn" in said
    assert "Connected" not in said


async def test_an_app_without_its_product_is_the_admins_to_mend(walk, linkedin):
    linkedin.switch("pages_product_off")

    await walk.slack.command(ANA, "/connect", "linkedin-page")
    dm = await walk.slack.wait_for_message(ANA, "/connect/", channel=walk.slack.im_of(ANA))
    [url] = [each for each in dm.urls if "/connect/" in each]
    # The button leads to LinkedIn, which sends the browser straight back.
    async with walk.browser.post(url) as result:
        said = await result.text()

    assert "An admin needs to add the app" in said
