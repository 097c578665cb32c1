"""A member at a fake platform's consent page, as a browser would bring them there."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urljoin

import aiohttp

__all__ = ["press_allow", "press_cancel"]

_FORM_ACTION: Final = re.compile(r'action="([^"]+)"')


async def press_allow(http: aiohttp.ClientSession, authorize_url: str, *, person: str = "") -> str:
    """Open the consent page and press Allow, as a browser would; the callback URL that the platform redirects to."""
    return await _press(http, authorize_url, {"decision": "allow", "person": person})


async def press_cancel(http: aiohttp.ClientSession, authorize_url: str) -> str:
    """Open the consent page and press Cancel; the callback URL that the platform redirects to."""
    return await _press(http, authorize_url, {"decision": "cancel"})


async def _press(http: aiohttp.ClientSession, authorize_url: str, form: dict[str, str]) -> str:
    async with http.get(authorize_url) as page:
        text = await page.text()
        action = _FORM_ACTION.search(text)
        if page.status != 200 or action is None:
            raise AssertionError(f"the consent page answered {page.status}: {text[:500]}")
    async with http.post(urljoin(authorize_url, action[1]), data=form, allow_redirects=False) as answer:
        return answer.headers["Location"]
