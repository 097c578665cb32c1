"""A thread with pictures, and a refusal that only an admin can solve, as people meet them in the demo."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from newcomer import DM, Newcomer, picture
from playwright.async_api import FilePayload, Page, expect

from logicspike.sandbox.run import Sandbox, open_sandbox
from logicspike.testing import SAMPLE_JPEG, SAMPLE_PNG

pytestmark = pytest.mark.browser

CAT = FilePayload(name="cat.png", mimeType="image/png", buffer=SAMPLE_PNG)
DOG = FilePayload(name="dog.jpg", mimeType="image/jpeg", buffer=SAMPLE_JPEG)
THREAD = ("Two of us moved in.", "The cat took the sofa, of course.", "The dog has the garden.")


@pytest.fixture
async def sandbox(mongod_uri: str, tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with open_sandbox(folder=tmp_path, mongodb_uri=mongod_uri) as sandbox:
        yield sandbox


async def test_a_thread_with_two_pictures_from_the_composer_to_the_timeline(chromium_page: Page, sandbox: Sandbox):
    newcomer = Newcomer(chromium_page)
    await chromium_page.goto(sandbox.slack.base_url)
    await newcomer.type("/connect twitter")
    await newcomer.click(DM)
    await newcomer.sign_in()
    await newcomer.sees("Connected:")

    await newcomer.type("/schedule")
    await expect(chromium_page.get_by_test_id("modal-submit")).to_be_visible()
    modal = chromium_page.get_by_test_id("modal")
    await expect(modal.get_by_text("Acme Coffee (X)")).to_be_visible()
    await modal.get_by_test_id("input-text").fill("\n---\n".join(THREAD))
    await expect(modal.get_by_text("X part 2 of 3: 33 of 280")).to_be_visible()
    await modal.get_by_test_id("input-files").set_input_files([CAT, DOG])
    await expect(modal.get_by_text("dog.jpg")).to_be_visible()
    await modal.get_by_test_id("input-alt_text").fill("A cat on a sofa\nA dog between flowers")
    due_at = sandbox.clock.now().astimezone(ZoneInfo("Europe/Berlin")) + timedelta(hours=1)
    await modal.locator("input[type=datetime-local]").fill(f"{due_at:%Y-%m-%dT%H:%M}")
    await picture(chromium_page, "thread-composer")
    await newcomer.click("modal-submit")
    await newcomer.sees("(thread of 3)")
    await picture(chromium_page, "thread-confirmed")
    await newcomer.click("clock-advance-3600")
    await newcomer.sees("Published")
    await newcomer.sees("Part 3")
    await picture(chromium_page, "thread-published")

    async with chromium_page.context.expect_page() as opened:
        await newcomer.click("timeline-twitter")
    timeline = await opened.value
    await expect(timeline.get_by_test_id("reply").locator("p")).to_have_text([*THREAD[1:]])
    await expect(timeline.get_by_alt_text("A dog between flowers")).to_be_visible()
    await picture(timeline, "thread-timeline")
    first, second, third = sandbox.platforms["twitter"].fake.ledger
    assert (None, first.id, second.id) == (first.reply_to, second.reply_to, third.reply_to)
    assert [2, 0, 0] == [len(each.media) for each in (first, second, third)]


async def test_without_credits_a_post_is_held_the_admin_told_and_then_it_goes_out(
    chromium_page: Page, sandbox: Sandbox
):
    newcomer, fake = Newcomer(chromium_page), sandbox.platforms["twitter"].fake
    await chromium_page.goto(sandbox.slack.base_url)
    await newcomer.click("member-U0BEN")  # He is no admin.
    await newcomer.type("/connect twitter")
    await newcomer.click("conversation-D0BEN")
    await newcomer.sign_in()
    await newcomer.sees("Connected:")

    await newcomer.click("faults-more-twitter")
    await newcomer.click("fault-twitter-no_credits")
    await expect(chromium_page.get_by_test_id("fault-twitter-no_credits")).to_have_attribute("aria-pressed", "true")
    await newcomer.type("/schedule twitter now Kept until there are credits")
    await newcomer.sees("On hold")
    await newcomer.sees("no credits left")
    await newcomer.sees("Nothing is lost")
    await picture(chromium_page, "credits-author")
    assert [] == fake.ledger

    await newcomer.click("member-U0ANA")
    await newcomer.click(DM)
    await newcomer.sees("I can't post to X at the moment")
    await newcomer.sees("You read this because you look after me")
    await picture(chromium_page, "credits-admin")

    await newcomer.click("fault-twitter-no_credits")
    await expect(chromium_page.get_by_test_id("fault-twitter-no_credits")).to_have_attribute("aria-pressed", "false")
    await newcomer.click("member-U0BEN")
    await newcomer.click("conversation-D0BEN")
    await chromium_page.get_by_role("button", name="Try again").last.click()
    await newcomer.sees("View post")
    assert ["Kept until there are credits"] == [each.text for each in fake.ledger]
