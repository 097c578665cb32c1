"""The page in a real browser, and what its server refuses."""

from __future__ import annotations

import json
import re
from typing import Any

import aiohttp
import pytest

from logicspike.sandbox.slack_state import ANA, BEN, GENERAL


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def post(slack: Any, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    url = f"{slack.base_url}/sandbox/{path}"
    async with aiohttp.ClientSession() as session, session.post(url, json=body, headers=headers) as answer:
        return answer.status, await answer.text()


async def show(page: Any, slack: Any, place: str = "") -> None:
    await page.goto(f"{slack.base_url}/{place}")
    await page.locator("body[data-ready]").wait_for()


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
async def test_only_the_pages_own_origin_may_act(slack: Any, headers: dict[str, str]) -> None:
    status, _ = await post(slack, "send", {"as": ANA, "channel": GENERAL, "text": "Hi"}, **headers)

    assert status == 403
    assert slack.messages_for(ANA) == ()


async def test_the_page_itself_may_act(slack: Any) -> None:
    body = {"as": ANA, "channel": GENERAL, "text": "Hi"}

    assert (await post(slack, "send", body, Origin=slack.base_url))[0] == 200
    assert (await post(slack, "send", body, **{"Sec-Fetch-Site": "same-origin"}))[0] == 200
    assert [message.text for message in slack.messages_for(BEN)] == ["Hi", "Hi"]


async def test_a_name_that_could_be_rebound_is_refused(slack: Any) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("/", "/sandbox/stream?as=U0ANA"):
            async with session.get(slack.base_url + path, headers={"Host": "evil.example"}) as answer:
                assert answer.status == 403


async def test_the_page_allows_no_inline_script_and_frames_only_the_timelines(slack: Any, platform: Any) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{slack.base_url}/") as answer:
        policy, text = answer.headers["Content-Security-Policy"], await answer.text()

    assert "script-src 'self';" in policy
    assert f"frame-src {platform.timeline_url.rstrip('/')};" in policy
    assert re.findall(r"<script(?![^>]*src=)|\son\w+=|style=", text) == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("action", {"as": ANA, "channel": GENERAL, "ts": "1.000100", "action_id": "x"}),
        ("submit", {"as": ANA, "answers": {}}),
        ("fault", {"platform": "nobody", "name": "slow", "on": True}),
        ("fault", {"platform": "chirp", "name": "explode", "on": True}),
        ("send", {"as": "U0NOBODY"}),
    ],
)
async def test_what_cannot_be_done_is_said(slack: Any, path: str, body: dict[str, Any]) -> None:
    status, text = await post(slack, path, body, Origin=slack.base_url)

    assert status == 400
    assert json.loads(text)["problem"].startswith("That can't be done")


@pytest.mark.browser
async def test_a_command_is_completed_by_keyboard_and_its_reply_is_shown(
    slack: Any, bot: Any, chromium_page: Any
) -> None:
    @bot.app.command("/connect")
    async def on_connect(ack: Any, body: dict[str, Any]) -> None:
        await ack(text=f"Connecting {body['text']}")

    page = chromium_page
    await show(page, slack)
    await page.get_by_test_id("composer").press_sequentially("/co")
    await page.get_by_role("option", name="/connect").wait_for()
    for key in ("Enter", "ArrowDown", "Enter", "Enter"):
        await page.keyboard.press(key)

    message = page.get_by_test_id("message").filter(has_text="Connecting chirp")
    await message.get_by_text("Only visible to you").wait_for()
    await page.get_by_test_id(f"member-{BEN}").click()
    await page.locator(f"body[data-ready={BEN}]").wait_for()
    assert await page.get_by_test_id("message").count() == 0


@pytest.mark.browser
async def test_mrkdwn_is_rendered_and_nothing_is_read_as_markup(slack: Any, bot: Any, chromium_page: Any) -> None:
    text = (
        "*bold* _it_ ~no~ `a*b*c` &lt;b&gt;x&lt;/b&gt; <https://example.com/?a=1&amp;b=2|here> "
        f"<javascript:alert(1)|bad> <@{ANA}> "
        "<!date^1764580500^{time}|later>\n&gt; said\n```<img src=x onerror=alert(1)>```"
    )
    await bot.client.chat_postMessage(channel=GENERAL, text="x", blocks=[section(text)])
    await show(chromium_page, slack)

    body = chromium_page.get_by_test_id("message").locator(".body")
    found = {tag: await body.locator(tag).all_inner_texts() for tag in ("strong", "em", "s", "code", "a", "pre", "img")}
    assert found == {
        "strong": ["bold"],
        "em": ["it"],
        "s": ["no"],
        "code": ["a*b*c"],
        "a": ["here"],
        "pre": ["<img src=x onerror=alert(1)>"],
        "img": [],
    }
    assert await body.locator("a").get_attribute("href") == "https://example.com/?a=1&b=2"
    shown = await body.inner_text()
    assert all(part in shown for part in ("<b>x</b>", "bad", "@Ana", "10:15", "said"))


@pytest.mark.browser
async def test_times_are_shown_in_the_zone_of_the_member_who_looks(slack: Any, bot: Any, chromium_page: Any) -> None:
    text = "<!date^1764580500^{date_num} {time}|later>"
    await bot.client.chat_postMessage(channel=GENERAL, text="x", blocks=[section(text)])

    for member, expected in ((ANA, "2025-12-01 10:15"), (BEN, "2025-12-01 04:15"), ("U0CHIYO", "2025-12-01 18:15")):
        await show(chromium_page, slack, f"#{member}")
        await chromium_page.get_by_test_id(f"member-{member}").click()
        await chromium_page.get_by_text(expected).wait_for()


@pytest.mark.browser
async def test_a_button_asks_first_then_tells_the_bot_and_the_card_changes_in_place(
    slack: Any, bot: Any, chromium_page: Any
) -> None:
    @bot.app.action("post.cancel")
    async def on_cancel(ack: Any, respond: Any, action: dict[str, Any]) -> None:
        bot.seen.append(action["value"])
        await ack()
        await respond(text="*Cancelled*", replace_original=True)

    confirm = {"title": plain("Cancel?"), "text": plain("Sure?"), "confirm": plain("Yes"), "deny": plain("No")}
    button = {"type": "button", "action_id": "post.cancel", "text": plain("Cancel"), "value": "7", "confirm": confirm}
    await bot.client.chat_postMessage(
        channel=GENERAL, text="x", blocks=[section("A post"), {"type": "actions", "elements": [button]}]
    )
    page = chromium_page
    await show(page, slack)

    await page.get_by_test_id("button-post.cancel").click()
    await page.get_by_test_id("confirm-deny").click()
    await page.get_by_test_id("button-post.cancel").click()
    await page.get_by_test_id("confirm-ok").click()

    await page.get_by_test_id("message").get_by_text("Cancelled", exact=True).wait_for()
    assert bot.seen == ["7"]
    assert await page.get_by_test_id("message").count() == 1


@pytest.mark.browser
async def test_a_modal_is_filled_in_refused_corrected_and_closed_by_the_page(
    slack: Any, bot: Any, chromium_page: Any
) -> None:
    options = [{"text": plain(name), "value": name.lower()} for name in ("One", "Two")]
    view = {
        "type": "modal",
        "callback_id": "compose",
        "title": plain("Compose"),
        "submit": plain("Save"),
        "blocks": [
            {
                "type": "input",
                "block_id": "text",
                "label": plain("Text"),
                "element": {"type": "plain_text_input", "action_id": "text", "multiline": True},
            },
            {
                "type": "input",
                "block_id": "pick",
                "label": plain("Accounts"),
                "element": {"type": "multi_static_select", "action_id": "pick", "options": options},
            },
            {
                "type": "input",
                "block_id": "at",
                "label": plain("At"),
                "element": {"type": "datetimepicker", "action_id": "at"},
            },
        ],
    }

    @bot.app.command("/schedule")
    async def on_schedule(ack: Any, client: Any, body: dict[str, Any]) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @bot.app.view("compose")
    async def on_submitted(ack: Any, view: dict[str, Any]) -> None:
        bot.seen.append(view["state"]["values"])
        await (ack() if len(bot.seen) > 1 else ack(response_action="errors", errors={"text": "Not yet"}))

    page = chromium_page
    await show(page, slack)
    await page.get_by_test_id("composer").fill("/schedule")
    await page.keyboard.press("Enter")
    await page.get_by_test_id("modal").wait_for()
    await page.get_by_test_id("modal-submit").click()
    await page.get_by_test_id("error-text").get_by_text("required").wait_for()

    await page.get_by_label("Text").fill("Hello")
    await page.get_by_label("Two").check()
    await page.get_by_label("At", exact=True).fill("2026-12-01T09:30")
    await page.get_by_test_id("modal-submit").click()
    await page.get_by_test_id("error-text").get_by_text("Not yet").wait_for()
    assert await page.get_by_label("Text").input_value() == "Hello"
    await page.get_by_test_id("modal-submit").click()
    await page.get_by_test_id("modal").wait_for(state="detached")

    values = bot.seen[-1]
    assert values["text"]["text"]["value"] == "Hello"
    assert values["pick"]["pick"]["selected_options"] == options[1:]
    assert values["at"]["at"]["selected_date_time"] == 1796113800


@pytest.mark.browser
async def test_escape_closes_the_modal_and_an_update_keeps_what_was_typed(
    slack: Any, bot: Any, chromium_page: Any
) -> None:
    field = {"type": "plain_text_input", "action_id": "text"}
    block = {"type": "input", "block_id": "text", "label": plain("Text"), "element": field}
    view = {"type": "modal", "title": plain("First"), "submit": plain("Save"), "blocks": [block]}
    page = chromium_page
    await show(page, slack)
    trigger = slack._triggers.issue(ANA)
    view_id = (await bot.client.views_open(trigger_id=trigger, view=view))["view"]["id"]

    await page.get_by_label("Text").fill("Typed")
    await bot.client.views_update(view_id=view_id, view=view | {"title": plain("Second")})
    await page.get_by_test_id("modal-title").get_by_text("Second").wait_for()
    assert await page.get_by_label("Text").input_value() == "Typed"
    await page.keyboard.press("Escape")
    await page.get_by_test_id("modal").wait_for(state="detached")

    assert await slack.wait_for(lambda: slack.view_of(ANA) is None)


@pytest.mark.browser
async def test_typing_is_reported_and_not_disturbed_by_what_the_bot_shows_of_it(
    slack: Any, bot: Any, chromium_page: Any
) -> None:
    field = {
        "type": "plain_text_input",
        "action_id": "text",
        "dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]},
    }
    block = {"type": "input", "block_id": "text", "label": plain("Text"), "dispatch_action": True, "element": field}

    def view(count: str) -> dict[str, Any]:
        line = {"type": "context", "block_id": "count", "elements": [plain(count)]}
        return {"type": "modal", "title": plain("Count"), "submit": plain("Save"), "blocks": [block, line]}

    @bot.app.action("text")
    async def on_typed(ack: Any, client: Any, body: dict[str, Any]) -> None:
        text = body["view"]["state"]["values"]["text"]["text"]["value"] or ""
        await ack()
        await client.views_update(view_id=body["view"]["id"], view=view(f"{len(text)} signs"))

    page = chromium_page
    await show(page, slack)
    await bot.client.views_open(trigger_id=slack._triggers.issue(ANA), view=view("0 signs"))
    text = page.get_by_label("Text")

    await text.focus()
    await page.keyboard.type("Hello")
    await page.get_by_text("5 signs").wait_for()
    await page.keyboard.press("Home")
    await page.keyboard.type("Oh. ")
    await page.get_by_text("9 signs").wait_for()
    await page.keyboard.type("Well. ")

    assert await text.input_value() == "Oh. Well. Hello"
    await page.get_by_text("15 signs").wait_for()


@pytest.mark.browser
async def test_direct_messages_raise_a_badge_until_they_are_read(slack: Any, bot: Any, chromium_page: Any) -> None:
    page = chromium_page
    await show(page, slack)
    await bot.client.chat_postMessage(channel=ANA, text="Psst")
    channel = slack.im_of(ANA)
    await page.get_by_test_id(f"unread-{channel}").get_by_text("1").wait_for()

    await page.get_by_test_id(f"conversation-{channel}").click()

    await page.get_by_test_id("message").get_by_text("Psst").wait_for()
    assert await slack.wait_for(lambda: slack.workspace.unread(ANA, channel) == 0)


@pytest.mark.browser
async def test_the_newest_message_is_in_sight_until_one_scrolls_up(slack: Any, bot: Any, chromium_page: Any) -> None:
    page = chromium_page
    await show(page, slack)
    for number in range(20):
        await slack.say(BEN, f"Line {number}\nand more\nand more", channel_id=GENERAL)
    last = page.get_by_test_id("message").filter(has_text="Line 19")
    await last.wait_for()
    end = (await last.bounding_box())["y"] + (await last.bounding_box())["height"]
    assert end <= (await page.get_by_test_id("composer").bounding_box())["y"]

    await page.locator("#scroll").evaluate("node => { node.scrollTop = 0; }")
    await slack.say(BEN, "One more", channel_id=GENERAL)
    await page.get_by_test_id("message").get_by_text("One more").wait_for()
    assert await page.locator("#scroll").evaluate("node => node.scrollTop") == 0


@pytest.mark.browser
async def test_the_panel_moves_the_clock_switches_faults_and_shows_the_timeline(
    slack: Any, platform: Any, chromium_page: Any
) -> None:
    page = chromium_page
    await show(page, slack)
    await page.get_by_test_id("clock").get_by_text("09:30").wait_for()
    await page.get_by_test_id("clock-advance-3600").click()
    await page.get_by_test_id("clock").get_by_text("10:30").wait_for()

    await page.get_by_test_id("fault-chirp-slow").click()
    await page.locator("[data-testid=fault-chirp-slow][aria-pressed=true]").wait_for()
    await page.get_by_test_id("fault-chirp-revoke").click()
    assert await slack.wait_for(lambda: platform.done == ["revoke"])
    assert platform.on == {"slow"}

    frame = page.frame_locator("[data-testid=platform-chirp] iframe")
    await frame.get_by_text("Nothing yet").wait_for()
    platform.text = "First post"
    await frame.get_by_text("First post").wait_for()
    assert await page.evaluate("history.length") <= 2
    assert await page.get_by_test_id("timeline-chirp").get_attribute("href") == platform.timeline_url
