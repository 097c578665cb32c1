"""Members act, a real Bolt app answers, members see what real Slack would show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from logicspike.sandbox.slack_state import ANA, BEN, CHIYO, GENERAL, Message

AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def card(value: str = "42", label: str = "Press") -> list[dict[str, Any]]:
    button = {"type": "button", "action_id": "press", "text": plain(label), "value": value}
    text = {"type": "mrkdwn", "text": "A *card*"}
    return [{"type": "section", "text": text}, {"type": "actions", "elements": [button]}]


def options(*values: str) -> list[dict[str, Any]]:
    return [{"text": plain(value.title()), "value": value} for value in values]


async def post(url: str, body: Any) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        return answer.status, await answer.text()


async def a_card(bot: Any, channel: str = GENERAL, **changes: Any) -> None:
    await bot.client.chat_postMessage(channel=channel, text="A card", blocks=card(**changes))


async def test_a_command_is_accepted_by_bolt_and_its_answer_is_seen_by_its_sender_only(slack: Any, bot: Any) -> None:
    @bot.app.command("/connect")
    async def on_connect(ack: Any, body: dict[str, Any]) -> None:
        bot.seen.append(body)
        await ack(text="On its way")

    answer = await slack.command(ANA, "/connect", "chirp & more")

    assert answer.is_ok
    assert answer.message.text == "On its way"
    assert (answer.message,) == slack.messages_for(ANA, GENERAL)
    assert slack.messages_for(BEN) == ()
    [body] = bot.seen
    assert tuple(body[name] for name in ("command", "text", "user_id", "channel_id")) == (
        "/connect",
        "chirp & more",
        ANA,
        GENERAL,
    )
    assert {"team_id", "team_domain", "channel_name", "user_name", "api_app_id", "response_url", "trigger_id"} <= set(
        body
    )


async def test_a_request_signed_with_another_secret_is_refused_by_bolt(slack: Any, bot: Any) -> None:
    slack._outbox._secret = b"another"

    answer = await slack.command(ANA, "/connect")

    assert answer.status == 401
    assert "dispatch_failed" in answer.message.text


async def test_signatures_live_on_real_time_whatever_the_sandbox_clock_says(slack: Any, bot: Any, clock: Any) -> None:
    @bot.app.command("/connect")
    async def on_connect(ack: Any) -> None:
        await ack()

    await slack.advance_clock(timedelta(days=30))

    assert (await slack.command(ANA, "/connect")).is_ok


async def test_a_command_without_an_answer_in_time_says_so_to_the_member(slack: Any, bot: Any) -> None:
    @bot.app.command("/connect")
    async def on_connect(ack: Any) -> None:
        await bot.release.wait()
        await ack()

    slack._outbox._ack_seconds = 0.05
    answer = await slack.command(ANA, "/connect")

    assert (answer.error, answer.status) == ("operation_timeout", None)
    assert "operation_timeout" in answer.message.text
    assert answer.message.is_ephemeral


async def test_an_unknown_command_is_answered_by_the_small_slack_itself(slack: Any) -> None:
    await slack.enter(ANA, "/nonsense now")

    assert "/nonsense is not a command here" in slack.messages_for(ANA)[-1].text


async def test_an_answer_that_breaks_a_limit_is_not_shown(slack: Any, bot: Any) -> None:
    @bot.app.command("/connect")
    async def on_connect(ack: Any) -> None:
        await ack(text="x", blocks=[{"type": "section", "text": plain("x" * 3001)}])

    answer = await slack.command(ANA, "/connect")

    assert "invalid_blocks" in answer.message.text


async def test_the_same_request_can_be_delivered_twice(slack: Any, bot: Any) -> None:
    @bot.app.command("/connect")
    async def on_connect(ack: Any, body: dict[str, Any]) -> None:
        bot.seen.append(body["trigger_id"])
        await ack(text="Hello")

    first = await slack.command(ANA, "/connect")
    again = await slack.redeliver(first.sent)

    assert [first.trigger_id] * 2 == bot.seen
    assert again.is_ok
    assert len(slack.messages_for(ANA)) == 1


async def test_a_click_goes_to_the_bot_and_its_answer_replaces_the_card(slack: Any, bot: Any) -> None:
    @bot.app.action("press")
    async def on_press(ack: Any, body: dict[str, Any], respond: Any) -> None:
        bot.seen.append(body)
        await ack()
        await respond(text="Pressed", replace_original=True)

    await a_card(bot)
    [message] = slack.messages_for(BEN)
    answer = await slack.click(BEN, message, "press")

    assert answer.is_ok
    [after] = slack.messages_for(ANA)
    assert (message.ts, "Pressed", (), True) == (after.ts, after.text, after.blocks, after.is_edited)
    [body] = bot.seen
    assert ("42", BEN, message.ts) == (body["actions"][0]["value"], body["user"]["id"], body["container"]["message_ts"])


async def test_a_card_that_has_changed_meanwhile_is_clicked_as_it_was(slack: Any, bot: Any) -> None:
    @bot.app.action("press")
    async def on_press(ack: Any, action: dict[str, Any]) -> None:
        bot.seen.append(action["value"])
        await ack()

    await a_card(bot, value="old")
    [stale] = slack.messages_for(ANA)
    await bot.client.chat_update(channel=GENERAL, ts=stale.ts, text="New", blocks=card("new"))
    await slack.click(ANA, stale, "press")
    await slack.click(ANA, slack.messages_for(ANA)[0], "press")

    assert bot.seen == ["old", "new"]


@pytest.mark.parametrize(
    ("element", "value", "expected"),
    [
        ({"type": "static_select", "options": options("a", "b")}, "b", ("selected_option", options("b")[0])),
        ({"type": "overflow", "options": options("a", "b")}, "b", ("selected_option", options("b")[0])),
        ({"type": "radio_buttons", "options": options("a", "b")}, "a", ("selected_option", options("a")[0])),
        ({"type": "checkboxes", "options": options("a", "b")}, ["a", "b"], ("selected_options", options("a", "b"))),
        ({"type": "multi_static_select", "options": options("a", "b")}, ["b"], ("selected_options", options("b"))),
        ({"type": "datetimepicker"}, AT, ("selected_date_time", int(AT.timestamp()))),
    ],
)
async def test_a_choice_in_a_message_arrives_as_slack_words_it(
    slack: Any, bot: Any, element: dict[str, Any], value: Any, expected: tuple[str, Any]
) -> None:
    @bot.app.action("choose")
    async def on_choose(ack: Any, action: dict[str, Any], body: dict[str, Any]) -> None:
        bot.seen.append((action, body["state"]["values"]))
        await ack()

    blocks = [{"type": "actions", "block_id": "b", "elements": [element | {"action_id": "choose"}]}]
    await bot.client.chat_postMessage(channel=GENERAL, text="Choose", blocks=blocks)
    answer = await slack.click(ANA, slack.messages_for(ANA)[0], "choose", value)

    assert answer.is_ok
    [(action, state)] = bot.seen
    name, chosen = expected
    assert (element["type"], chosen) == (action["type"], action[name])
    if element["type"] != "overflow":
        assert chosen == state["b"]["choose"][name]


async def test_clicking_what_is_not_there_names_what_is(slack: Any, bot: Any) -> None:
    await a_card(bot)

    with pytest.raises(LookupError, match="there are: press='42'"):
        await slack.click(ANA, slack.messages_for(ANA)[0], "pull")


async def test_an_ephemeral_message_and_direct_messages_are_hidden_from_others(slack: Any, bot: Any) -> None:
    channel = (await bot.client.conversations_open(users=ANA))["channel"]["id"]
    await bot.client.chat_postMessage(channel=channel, text="In private")
    await bot.client.chat_postEphemeral(channel=GENERAL, user=ANA, text="Between us")
    await bot.client.chat_postMessage(channel=GENERAL, text="For all")

    def texts(user: str) -> list[str]:
        return [message.text for message in slack.messages_for(user)]

    assert texts(ANA) == ["In private", "Between us", "For all"]
    assert ["For all"] == texts(BEN) == texts(CHIYO)
    assert slack.workspace.unread(ANA, GENERAL) == 2
    slack.workspace.mark_read(ANA, GENERAL)
    assert (slack.workspace.unread(ANA, GENERAL), slack.workspace.unread(ANA, channel)) == (0, 1)


async def test_a_response_url_takes_five_answers(slack: Any, bot: Any) -> None:
    url = (await slack.command(ANA, "/connect")).response_url

    answers = [await post(url, {"text": f"Answer {n}"}) for n in range(6)]

    assert answers == [(200, "ok")] * 5 + [(404, "used_url")]


async def test_a_response_url_ends_after_thirty_minutes_of_the_sandbox_clock(slack: Any, bot: Any) -> None:
    url = (await slack.command(ANA, "/connect")).response_url
    await slack.advance_clock(timedelta(minutes=30))
    assert await post(url, {"text": "Just in time"}) == (200, "ok")

    await slack.advance_clock(timedelta(seconds=1))

    assert await post(url, {"text": "Too late"}) == (404, "expired_url")


async def test_an_answer_by_response_url_is_ephemeral_unless_it_says_otherwise(slack: Any, bot: Any) -> None:
    url = (await slack.command(ANA, "/connect", "chirp")).response_url
    await post(url, {"text": "For you"})
    await post(url, {"text": "For all", "response_type": "in_channel"})

    assert [message.text for message in slack.messages_for(BEN)] == ["For all"]
    assert slack.messages_for(ANA)[-2].via == "/connect chirp"


async def test_a_commands_response_url_has_nothing_to_replace(slack: Any, bot: Any) -> None:
    url = (await slack.command(ANA, "/connect")).response_url
    await post(url, {"text": "Working on it"})
    await post(url, {"text": "Done", "replace_original": True})

    assert [message.text for message in slack.messages_for(ANA)][-2:] == ["Working on it", "Done"]


async def test_a_clicked_ephemeral_card_can_be_deleted_by_its_response_url(slack: Any, bot: Any) -> None:
    await bot.client.chat_postEphemeral(channel=GENERAL, user=ANA, text="A card", blocks=card())
    url = (await slack.click(ANA, slack.messages_for(ANA)[0], "press")).response_url
    await post(url, {"delete_original": True})

    assert all(message.text != "A card" for message in slack.messages_for(ANA))


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ([], 400), ({"blocks": [{"type": "nonsense"}]}, 400)],
)
async def test_a_response_that_cannot_be_shown_is_refused_and_counts_as_no_use(
    slack: Any, bot: Any, body: Any, status: int
) -> None:
    url = (await slack.command(ANA, "/connect")).response_url

    assert status == (await post(url, body))[0]
    assert [(await post(url, {"text": "x"}))[0] for _ in range(5)] == [200] * 5


async def test_shortcuts_reach_the_bot(slack: Any, bot: Any) -> None:
    @bot.app.shortcut("anywhere")
    async def on_anywhere(ack: Any, body: dict[str, Any]) -> None:
        bot.seen.append(body["type"])
        await ack()

    @bot.app.shortcut("on_message")
    async def on_message(ack: Any, body: dict[str, Any]) -> None:
        bot.seen.append(body["message"]["text"])
        await ack()

    await slack.say(BEN, "Look here")
    assert (await slack.shortcut(ANA, "anywhere")).is_ok
    assert (await slack.message_shortcut(ANA, slack.messages_for(ANA)[0], "on_message")).is_ok
    assert bot.seen == ["shortcut", "Look here"]


async def test_an_event_can_be_retried_with_the_same_id(slack: Any, bot: Any) -> None:
    @bot.app.event("app_uninstalled")
    async def on_uninstalled(body: dict[str, Any], request: Any) -> None:
        bot.seen.append((body["event_id"], request.headers.get("x-slack-retry-num")))

    first = await slack.send_event({"type": "app_uninstalled"}, event_id="Ev1")
    await slack.redeliver(first.sent, retry_num=1)

    assert bot.seen == [("Ev1", None), ("Ev1", ["1"])]


async def test_a_direct_message_is_told_only_to_a_bot_that_subscribed(slack: Any, bot: Any) -> None:
    @bot.app.event("message")
    async def on_message(event: dict[str, Any]) -> None:
        bot.seen.append((event["channel_type"], event["text"]))

    assert None is await slack.say(ANA, "Help", channel_id=slack.im_of(ANA))
    slack.subscribed_events = frozenset({"message.im"})
    await slack.say(ANA, "Help again", channel_id=slack.im_of(ANA))

    assert bot.seen == [("im", "Help again")]


async def test_waiting_ends_with_the_message_or_says_what_was_there_instead(slack: Any, bot: Any) -> None:
    await a_card(bot)

    found: Message = await slack.wait_for_message(ANA, "A *card*")
    with pytest.raises(TimeoutError, match=r"chat\.postMessage ok"):
        await slack.wait_for_message(ANA, "Press", after=found, timeout=0.01)

    assert found.action_ids == ("press",)
