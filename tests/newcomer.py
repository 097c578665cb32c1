"""Someone who meets the demo for the first time, in a real browser; the tests of tests/browser play their part."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Page, expect

DM = "conversation-D0ANA"
PICTURES = os.environ.get("LOGICSPIKE_PICTURES")


class Newcomer:
    """Someone at the demo's page, with mouse and keyboard."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def type(self, line: str) -> None:
        composer = self.page.get_by_test_id("composer")
        await composer.fill(line)
        await composer.press("Escape")
        await composer.press("Enter")

    async def click(self, test_id: str) -> None:
        await self.page.get_by_test_id(test_id).last.click()

    async def sees(self, text: str) -> None:
        await expect(self.page.get_by_test_id("messages").get_by_text(text).last).to_be_visible()

    async def open_link(self) -> Page:
        async with self.page.context.expect_page() as opened:
            await self.page.get_by_test_id("button-link.open").last.click()
        browser_page = await opened.value
        await expect(browser_page.get_by_test_id("continue")).to_be_visible()
        return browser_page

    async def sign_in(self, *, person: int = 0) -> None:
        link = await self.open_link()
        await picture(link, "connect")
        await link.get_by_test_id("continue").click()
        await link.locator("input[name=person]").nth(person).check()
        await picture(link, "consent")
        await link.get_by_test_id("allow").click()
        await expect(link.get_by_test_id("result")).to_be_visible()
        await picture(link, "result")
        await link.close()


async def picture(page: Page, name: str) -> None:
    """Keep a picture for people to look at, where LOGICSPIKE_PICTURES names a folder."""
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))
