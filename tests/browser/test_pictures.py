"""Pictures in the demo, from the form in Slack to the platforms' timelines, in headless Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from newcomer import DM, Newcomer, picture
from playwright.async_api import FilePayload, Page, expect

from logicspike.sandbox.run import Sandbox, open_sandbox
from logicspike.testing import SAMPLE_JPEG, SAMPLE_MP4, SAMPLE_PNG

pytestmark = pytest.mark.browser

CAT = FilePayload(name="cat.png", mimeType="image/png", buffer=SAMPLE_PNG)
DOG = FilePayload(name="dog.jpg", mimeType="image/jpeg", buffer=SAMPLE_JPEG)
CLIP = FilePayload(name="clip.mp4", mimeType="video/mp4", buffer=SAMPLE_MP4)


@pytest.fixture
async def sandbox(mongod_uri: str, tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with open_sandbox(folder=tmp_path, mongodb_uri=mongod_uri) as sandbox:
        yield sandbox


async def test_two_pictures_with_descriptions_go_out_to_each_platform(chromium_page: Page, sandbox: Sandbox):
    newcomer = Newcomer(chromium_page)
    await chromium_page.goto(sandbox.slack.base_url)
    await newcomer.type("/connect twitter")
    await newcomer.click(DM)
    await newcomer.sign_in()
    await newcomer.sees("Connected:")

    await newcomer.type("/schedule")
    await expect(chromium_page.get_by_test_id("modal-submit")).to_be_visible()
    modal = chromium_page.get_by_test_id("modal")
    await modal.get_by_test_id("input-text").fill("Look at these two")
    await modal.get_by_test_id("input-files").set_input_files([CAT, CLIP])
    await expect(modal.get_by_text("clip.mp4")).to_be_visible()
    await modal.get_by_test_id("input-alt_text").fill("A cat on a sofa\nA clip")
    await picture(chromium_page, "files-chosen")
    await newcomer.click("modal-submit")
    await expect(modal.get_by_test_id("error-files")).to_contain_text("not together")
    await picture(chromium_page, "files-refused")

    await modal.get_by_role("button", name="Remove clip.mp4").click()
    await modal.get_by_test_id("input-files").set_input_files([DOG])
    await expect(modal.get_by_text("dog.jpg")).to_be_visible()
    await modal.get_by_test_id("input-alt_text").fill("A cat on a sofa\nA dog in the snow")
    await modal.get_by_role("radio", name="Now").check()
    await newcomer.click("modal-submit")
    await newcomer.sees("With 2 pictures.")
    await picture(chromium_page, "files-confirmed")
    await newcomer.sees("Published")

    [entry] = sandbox.platforms["twitter"].fake.ledger
    assert ["A cat on a sofa", "A dog in the snow"] == [each.alt_text for each in entry.media]
    timeline = chromium_page.frame_locator("[data-testid=platform-twitter] iframe:not(.waiting)")
    await expect(timeline.get_by_text("A dog in the snow")).to_be_visible()
    await picture(chromium_page, "files-published")
