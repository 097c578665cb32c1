"""A modal is opened by the bot, filled in by a member, and does what the bot answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from slack_bolt import BoltResponse
from slack_sdk.errors import SlackApiError

from logicspike.sandbox.slack_state import ANA

AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def options(*values: str) -> list[dict[str, Any]]:
    return [{"text": plain(value.title()), "value": value} for value in values]


def modal(title: str = "Compose", **changes: Any) -> dict[str, Any]:
    text = {"type": "plain_text_input", "action_id": "text", "initial_value": "Draft", "max_length": 20}
    accounts = {"type": "multi_static_select", "action_id": "pick", "options": options("one", "two")}
    when = {"type": "radio_buttons", "action_id": "when", "options": options("now", "later")}
    at = {"type": "datetimepicker", "action_id": "at"}
    return {
        "type": "modal",
        "callback_id": "compose",
        "private_metadata": "draft-7",
        "title": plain(title),
        "submit": plain("Save"),
        "blocks": [
            {"type": "input", "block_id": "accounts", "label": plain("Accounts"), "element": accounts},
            {"type": "input", "block_id": "text", "label": plain("Text"), "element": text},
            {"type": "input", "block_id": "when", "label": plain("When"), "optional": True, "element": when},
            {"type": "input", "block_id": "at", "label": plain("At"), "optional": True, "element": at},
        ],
    } | changes


async def opened(slack: Any, bot: Any, view: dict[str, Any] | None = None) -> Any:
    @bot.app.command("/schedule")
    async def on_schedule(ack: Any, client: Any, body: dict[str, Any]) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view or modal())

    assert (await slack.command(ANA, "/schedule")).is_ok
    return slack.view_of(ANA)


async def test_a_modal_is_filled_in_refused_corrected_and_closed(slack: Any, bot: Any) -> None:
    @bot.app.view("compose")
    async def on_submitted(ack: Any, view: dict[str, Any]) -> None:
        bot.seen.append(view)
        if view["state"]["values"]["text"]["text"]["value"] == "Draft":
            await ack(response_action="errors", errors={"text": "Say something new"})
        else:
            await ack()

    view = await opened(slack, bot)
    assert (view.title, view.callback_id, view.private_metadata) == ("Compose", "compose", "draft-7")

    refused = await slack.submit_view(ANA, {"accounts": ["one", "two"], "when": "later", "at": AT})
    assert (refused.action, refused.view.errors) == ("errors", {"text": "Say something new"})

    closed = await slack.submit_view(ANA, {"text": "Hello"})
    assert (closed.action, slack.view_of(ANA)) == ("closed", None)
    values = bot.seen[-1]["state"]["values"]
    assert values["text"]["text"]["value"] == "Hello"
    assert options("one", "two") == values["accounts"]["pick"]["selected_options"]
    assert values["when"]["when"]["selected_option"]["value"] == "later"
    assert int(AT.timestamp()) == values["at"]["at"]["selected_date_time"]
    assert bot.seen[-1]["private_metadata"] == "draft-7"


@pytest.mark.parametrize(
    ("answers", "errors"),
    [
        ({"text": "Hi"}, {"accounts": "Please complete this required field."}),
        ({"accounts": ["one"], "text": ""}, {"text": "Please complete this required field."}),
        ({"accounts": ["one"], "text": "x" * 21}, {"text": "Please write at most 20 characters."}),
    ],
)
async def test_slacks_own_client_refuses_an_incomplete_form_without_asking_the_bot(
    slack: Any, bot: Any, answers: dict[str, Any], errors: dict[str, str]
) -> None:
    await opened(slack, bot)

    result = await slack.submit_view(ANA, answers)

    assert ("incomplete", errors, None) == (result.action, result.errors, result.answer)


@pytest.mark.parametrize(
    ("answer", "action", "titles"),
    [
        ({"response_action": "update", "view": modal("Step two")}, "updated", ["Step two"]),
        ({"response_action": "push", "view": modal("On top")}, "pushed", ["Compose", "On top"]),
        ({"response_action": "clear"}, "cleared", []),
        ({"response_action": "errors", "errors": {"no_such_block": "x"}}, "failed", ["Compose"]),
        ({"response_action": "update", "view": modal("x" * 25)}, "failed", ["Compose"]),
        ({"response_action": "dance"}, "failed", ["Compose"]),
    ],
)
async def test_a_submission_does_what_the_bot_answers(
    slack: Any, bot: Any, answer: dict[str, Any], action: str, titles: list[str]
) -> None:
    @bot.app.view("compose")
    async def on_submitted() -> BoltResponse:
        return BoltResponse(status=200, body=answer)

    await opened(slack, bot)
    result = await slack.submit_view(ANA, {"accounts": ["one"]})

    assert action == result.action
    assert titles == [view.title for view in slack.views.stack_of(ANA)]
    assert (action == "failed") == bool(result.view and result.view.trouble)


async def test_a_submission_without_an_answer_keeps_the_modal_open(slack: Any, bot: Any) -> None:
    @bot.app.view("compose")
    async def on_submitted(ack: Any) -> None:
        await bot.release.wait()

    await opened(slack, bot)
    slack._outbox._ack_seconds = 0.05
    result = await slack.submit_view(ANA, {"accounts": ["one"]})

    assert (result.action, result.view.values["text"]["text"]["value"]) == ("failed", "Draft")
    assert "trouble" in result.view.trouble


async def test_a_view_update_keeps_what_was_typed_and_checks_the_hash(slack: Any, bot: Any) -> None:
    view = await opened(slack, bot)
    slack.fill_view(ANA, {"text": "Typed"})

    await bot.client.views_update(view_id=view.id, hash=view.hash, view=modal("Changed"))
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await bot.client.views_update(view_id=view.id, hash=view.hash, view=modal("Again"))

    after = slack.view_of(ANA)
    assert (after.title, after.values["text"]["text"]["value"]) == ("Changed", "Typed")


@pytest.mark.parametrize("is_asked", [True, False])
async def test_a_closed_modal_is_told_only_when_it_asks(slack: Any, bot: Any, is_asked: bool) -> None:
    @bot.app.view_closed("compose")
    async def on_closed(ack: Any, view: dict[str, Any]) -> None:
        bot.seen.append(view["id"])
        await ack()

    view = await opened(slack, bot, modal(notify_on_close=is_asked))
    answer = await slack.close_view(ANA)

    assert slack.view_of(ANA) is None
    assert (answer is not None and answer.is_ok) == is_asked
    assert bot.seen == ([view.id] if is_asked else [])


async def test_a_button_in_a_modal_goes_to_the_bot_with_the_view(slack: Any, bot: Any) -> None:
    @bot.app.action("press")
    async def on_press(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        await client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=modal("Pressed"))

    button = {"type": "button", "action_id": "press", "text": plain("Press"), "value": "42"}
    view = await opened(slack, bot, modal(blocks=[{"type": "actions", "elements": [button]}]))
    answer = await slack.click(ANA, view, "press")

    assert (answer.is_ok, answer.response_url, slack.view_of(ANA).title) == (True, "", "Pressed")


async def test_a_trigger_is_good_once_and_for_three_seconds(slack: Any, bot: Any, timer: Any) -> None:
    first = (await slack.command(ANA, "/connect")).trigger_id
    late = (await slack.command(ANA, "/connect")).trigger_id

    await bot.client.views_open(trigger_id=first, view=modal())
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await bot.client.views_open(trigger_id=first, view=modal())
    timer.seconds += 3.1
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await bot.client.views_open(trigger_id=late, view=modal())
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        await bot.client.views_open(trigger_id="1.2.abc", view=modal())


async def test_a_fourth_view_on_the_stack_is_refused(slack: Any, bot: Any) -> None:
    await opened(slack, bot)
    triggers = [(await slack.command(ANA, "/connect")).trigger_id for _ in range(3)]
    for trigger in triggers[:2]:
        await bot.client.views_push(trigger_id=trigger, view=modal())

    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await bot.client.views_push(trigger_id=triggers[2], view=modal())
