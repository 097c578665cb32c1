"""What only a real browser can tell: that the policy lets our own pages work, and that they can be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from logicspike.services.connecting import LinkEnded, StateUnknown, WrongBrowser
from logicspike.services.ports import ConnectResult, StoreUnavailable

pytestmark = pytest.mark.browser

TICKET, STATE = "t" * 43, "s" * 43
LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 2
PAGES = {
    "connect": (f"/connect/{TICKET}", None, 200),
    "ended": (f"/connect/{TICKET}", LinkEnded(can_renew=True), 410),
    "unknown": (f"/connect/{TICKET}", LinkEnded(can_renew=False), 410),
    "result": ("/connect/result/" + "r" * 22, None, 200),
    "other-browser": (f"/api/auth/echo/callback?state={STATE}&code=c", WrongBrowser(), 403),
    "used": (f"/api/auth/echo/callback?state={STATE}&code=c", StateUnknown(), 410),
    "not-found": ("/nowhere", None, 404),
    "broken": ("/test/broken", None, 500),
    "database-down": (f"/connect/{TICKET}", StoreUnavailable(), 503),
}
# Colours are drawn on a canvas, as color-mix() computes to forms that only the browser can resolve.
CONTRASTS = """
() => {
  const pen = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const light = (color) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = color; pen.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor;
      if (color !== 'rgba(0, 0, 0, 0)') return color;
    }
    return 'Canvas';
  };
  return [...document.querySelectorAll('main *')].filter(node => node.innerText).map(node => {
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))];
    return [node.innerText, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
  });
}
"""


@pytest.fixture
async def elsewhere(serve) -> AsyncIterator[tuple[str, str]]:
    """Two more origins; ``/hop`` at the first leads to the second."""
    foreign_app, allowed_app = web.Application(), web.Application()
    foreign_app.router.add_get("/end", show_end)
    async with serve(foreign_app) as foreign:

        async def hop(_request: web.Request) -> web.StreamResponse:
            raise web.HTTPFound(f"{foreign}/end")

        allowed_app.router.add_get("/hop", hop)
        async with serve(allowed_app) as allowed:
            yield allowed, foreign


async def show_end(_request: web.Request) -> web.Response:
    return web.Response(text="the end")


async def test_a_sign_in_works_under_our_policy(live, chromium):
    """Form, redirect to another origin, consent there, redirect back to ours: no script, no blocked step."""
    await live.team.connecting.start(live.team.ana, "echo")
    page = await chromium.new_page()
    complaints, sent = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: sent.append(request))

    await page.goto(live.link)
    await page.get_by_role("button", name="Continue to Echo").click()
    await page.get_by_role("button", name="Allow").click()
    await page.get_by_text("Ann Echo").wait_for()

    assert page.url.startswith(f"{live.address}/connect/result/")
    assert "Connected · LogicSpike" == await page.title()
    assert ["Ann Echo"] == [each.account.name for each in await live.team.stores.connections.list_for_team("T1")]
    pressed = next(request for request in sent if request.method == "POST")
    headers = await pressed.all_headers()
    assert ("null", "same-origin") == (headers["origin"], headers["sec-fetch-site"])
    for request in sent:
        assert not (await request.all_headers()).get("referer", "").startswith(live.address)
    assert [] == [text for text in complaints if "Content Security Policy" in text]
    await page.reload()
    assert "Connected · LogicSpike" == await page.title()


async def test_a_link_is_renewed_with_the_button(live, chromium):
    await live.team.connecting.start(live.team.ana, "echo")
    old = live.link
    live.team.clock.advance(timedelta(minutes=11))
    page = await chromium.new_page()

    await page.goto(old)
    await page.get_by_role("button", name="Send me a new link in Slack").click()
    await page.get_by_role("heading", name="Look in Slack").wait_for()

    assert old != live.link


@pytest.mark.parametrize("path", ["/end", "/hop"])
async def test_the_policy_stops_a_form_that_ends_elsewhere(site, elsewhere, chromium, path):
    """Chromium holds the whole chain of redirects against form-action, the platform's own hops included."""
    allowed, foreign = elsewhere
    site.connecting.link = replace(site.connecting.link, authorize_origin=allowed)
    site.connecting.authorize_url = (foreign if path == "/end" else allowed) + path
    page = await chromium.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))

    await page.goto(f"{site.address}/connect/{TICKET}")
    async with page.expect_event("console"):
        await page.get_by_role("button").click()

    assert page.url.startswith(site.address)
    assert "form-action" in complaints[-1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_fit_a_small_screen_and_can_be_read(site, chromium, scheme):
    """No sideways scrolling at 320 px with names of 84 letters; contrast of at least 4.5 (WCAG 2.2, 1.4.3, AA)."""
    site.connecting.link = replace(
        site.connecting.link, workspace_name=LONG, member_name=LONG, platform_title=LONG, permissions=(LONG, "Read")
    )
    site.connecting.result = ConnectResult(outcome="connected", platform_title=LONG, account_name=LONG)
    page = await chromium.new_page(viewport={"width": 320, "height": 640}, color_scheme=scheme)

    for name, (path, raised, status) in PAGES.items():
        site.connecting.raises = raised
        response = await page.goto(site.address + path)
        assert status == response.status, name
        assert 320 == await page.evaluate("document.documentElement.scrollWidth"), name
        contrasts = await page.evaluate(CONTRASTS)
        assert [] == [(text, ratio) for text, ratio in contrasts if ratio < 4.5], name
        assert 1 == await page.get_by_role("heading", level=1).count(), name
        assert (await page.title()).endswith(" · LogicSpike"), name


async def test_the_button_is_reached_by_keyboard_and_shows_it(site, chromium):
    page = await chromium.new_page()
    await page.goto(f"{site.address}/connect/{TICKET}")

    await page.keyboard.press("Tab")

    focused = await page.evaluate(
        "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"
    )
    assert ["BUTTON", "solid"] == focused
