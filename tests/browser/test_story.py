"""The demo as a newcomer meets it: the whole story in headless Chromium, from the first command to the held post."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from newcomer import DM, Newcomer, picture
from playwright.async_api import Page, expect

from logicspike.sandbox.run import Sandbox, open_sandbox

pytestmark = pytest.mark.browser


@pytest.fixture
async def sandbox(mongod_uri: str, tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with open_sandbox(folder=tmp_path, mongodb_uri=mongod_uri) as sandbox:
        yield sandbox


async def test_connect_schedule_publish_revoke_reconnect_release(chromium_page: Page, sandbox: Sandbox):
    newcomer = Newcomer(chromium_page)
    facebook = sandbox.platforms["facebook"].fake
    await chromium_page.goto(sandbox.slack.base_url)

    await newcomer.type("/connect facebook")
    await newcomer.sees("private link")
    await newcomer.click(DM)
    await picture(chromium_page, "dm")
    await newcomer.sign_in(person=len(facebook.people) - 1)
    await newcomer.sees("Connected:")

    await newcomer.type("/schedule facebook in 1m Hello from Slack! https://example.com/news")
    await newcomer.sees("Scheduled")
    await newcomer.click("clock-advance-60")
    await newcomer.sees("Published")
    timeline = chromium_page.frame_locator("[data-testid=platform-facebook] iframe:not(.waiting)")
    await expect(timeline.get_by_text("Hello from Slack!")).to_be_visible()
    await picture(chromium_page, "demo")

    await newcomer.click("fault-facebook-revoke")
    await newcomer.type("/schedule facebook in 1m Held, not lost")
    await newcomer.sees("Held, not lost")
    await newcomer.click("clock-advance-60")
    await newcomer.sees("Nothing is lost")
    assert 1 == len(facebook.ledger)
    await picture(chromium_page, "reconnect")

    await newcomer.click("button-connect.reconnect")
    await newcomer.sees("Sign in to Facebook again")
    await newcomer.sign_in(person=len(facebook.people) - 1)
    await expect(timeline.get_by_text("Held, not lost")).to_be_visible()
    assert ["Hello from Slack! https://example.com/news", "Held, not lost"] == [each.text for each in facebook.ledger]
    await picture(chromium_page, "released")


async def test_an_empty_conversation_proposes_the_first_command(chromium_page: Page, sandbox: Sandbox):
    newcomer = Newcomer(chromium_page)
    await chromium_page.goto(sandbox.slack.base_url)
    await picture(chromium_page, "welcome")
    await chromium_page.get_by_test_id("offer").first.click()
    await expect(chromium_page.get_by_test_id("composer")).to_have_value("/connect facebook")
    await chromium_page.keyboard.press("Enter")
    await newcomer.sees("private link")


async def test_the_composer_by_keyboard_alone(chromium_page: Page, sandbox: Sandbox):
    newcomer = Newcomer(chromium_page)
    await chromium_page.goto(sandbox.slack.base_url)
    await newcomer.type("/connect twitter")
    await newcomer.click(DM)
    await newcomer.sign_in()
    await newcomer.sees("Connected:")

    await newcomer.type("/schedule")
    await expect(chromium_page.get_by_test_id("modal-title")).to_have_text("Schedule a post")
    await expect(chromium_page.get_by_test_id("modal-submit")).to_be_visible()
    await picture(chromium_page, "composer")
    modal = chromium_page.get_by_test_id("modal")
    account = modal.get_by_role("checkbox").first
    await expect(account).to_be_checked()  # the only one there is
    await account.focus()
    await chromium_page.keyboard.press("Space")
    await expect(account).not_to_be_checked()
    await chromium_page.keyboard.press("Space")
    await modal.locator("textarea").first.focus()
    await chromium_page.keyboard.type("Typed without a mouse")
    await expect(modal.get_by_text("X 21 of 280")).to_be_visible()
    await picture(chromium_page, "counted")
    await modal.get_by_role("radio", name="Now").focus()
    await chromium_page.keyboard.press("Space")
    await chromium_page.get_by_test_id("modal-submit").focus()
    await chromium_page.keyboard.press("Enter")

    await newcomer.sees("Typed without a mouse")
    await newcomer.sees("Published")
    assert ["Typed without a mouse"] == [each.text for each in sandbox.platforms["twitter"].fake.ledger]


async def test_a_scheduled_post_is_edited_where_it_stands(chromium_page: Page, sandbox: Sandbox):
    newcomer = Newcomer(chromium_page)
    facebook, twitter = (sandbox.platforms[name].fake for name in ("facebook", "twitter"))
    await chromium_page.goto(sandbox.slack.base_url)
    await newcomer.type("/connect facebook")
    await newcomer.click(DM)
    await newcomer.sign_in(person=len(facebook.people) - 1)
    await newcomer.sees("Connected:")
    await newcomer.type("/connect twitter")
    await newcomer.sign_in()
    await newcomer.sees("Connected: ")

    await newcomer.type("/schedule facebook,twitter in 2h We are hirring!")
    await newcomer.sees("We are hirring!")
    await picture(chromium_page, "edit-confirmation")
    await newcomer.click("button-post.edit")
    await expect(chromium_page.get_by_test_id("modal-title")).to_have_text("Edit a post")
    modal = chromium_page.get_by_test_id("modal")
    await expect(modal.locator("textarea").first).to_have_value("We are hirring!")
    await picture(chromium_page, "edit-form")
    await modal.locator("textarea").first.fill("x" * 300)
    await expect(
        modal.get_by_text("300 of 280")
    ).to_be_visible()  # an update that came later would take the error along
    await newcomer.click("modal-submit")
    await expect(modal.get_by_test_id("error-text")).to_contain_text("20 too many")
    await picture(chromium_page, "edit-problem")
    await modal.locator("textarea").first.fill("We are hiring!")
    await newcomer.click("modal-submit")
    await newcomer.sees("Saved")
    await picture(chromium_page, "edit-saved")

    await newcomer.type("/schedule list")
    await newcomer.sees("2 posts not published yet")
    await picture(chromium_page, "edit-list")
    await newcomer.click("clock-advance-3600")
    await newcomer.click("clock-advance-3600")
    published = chromium_page.get_by_test_id("messages").locator("strong", has_text=re.compile("^Published$"))
    await expect(published).to_have_count(2)
    assert ["We are hiring!"] * 2 == [each.text for each in (*facebook.ledger, *twitter.ledger)]
