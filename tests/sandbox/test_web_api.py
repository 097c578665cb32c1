"""The Web API answers as Slack does, errors included, and slack_sdk's client is satisfied with it."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from logicspike.sandbox.slack_state import ANA, BEN, BOT, GENERAL

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "Hello"}}


async def test_the_clients_calls_are_answered_in_slacks_shapes(slack: Any, bot: Any) -> None:
    me = await bot.client.auth_test()
    user = (await bot.client.users_info(user=ANA))["user"]
    team = (await bot.client.team_info())["team"]

    assert (me["team_id"], me["user_id"]) == ("T0ACME", BOT)
    assert "chat:write" in me.headers["x-oauth-scopes"]
    assert (
        user["tz"],
        user["tz_offset"],
        user["is_admin"],
        user["profile"]["display_name"],
    ) == ("Europe/Berlin", 3600, True, "Ana")
    assert team["name"] == "Acme"
    assert (await bot.client.api_test(a="1")).data == {"ok": True, "args": {"a": "1"}}


async def test_the_members_are_listed_in_pages(slack: Any, bot: Any) -> None:
    first = await bot.client.users_list(limit=2)
    rest = await bot.client.users_list(limit=10, cursor=first["response_metadata"]["next_cursor"])

    assert [user["id"] for user in (*first["members"], *rest["members"])] == list(slack.workspace.members)
    assert rest["response_metadata"]["next_cursor"] == ""


async def test_a_message_is_posted_edited_and_deleted(slack: Any, bot: Any) -> None:
    posted = await bot.client.chat_postMessage(channel=BEN, text="Hi", blocks=[SECTION])
    ids = {"channel": posted["channel"], "ts": posted["ts"]}
    await bot.client.chat_update(**ids, text="Text alone takes the blocks away")

    [message] = slack.messages_for(BEN)
    assert (slack.im_of(BEN), (), True) == (message.channel, message.blocks, message.is_edited)

    await bot.client.chat_delete(**ids)
    assert slack.messages_for(BEN) == ()
    with pytest.raises(SlackApiError, match="message_not_found"):
        await bot.client.chat_update(**ids, text="Too late")


@pytest.mark.parametrize(
    ("method", "args", "error"),
    [
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": GENERAL}, "no_text"),
        ("chat.postMessage", {"channel": GENERAL, "text": "x" * 40_001}, "msg_too_long"),
        ("chat.postMessage", {"channel": GENERAL, "text": "x", "blocks": "[{"}, "invalid_blocks_format"),
        ("chat.postMessage", {"channel": GENERAL, "text": "x", "blocks": [{"type": "section"}]}, "invalid_blocks"),
        ("chat.postEphemeral", {"channel": "D0ANA", "user": BEN, "text": "x"}, "user_not_in_channel"),
        ("chat.postEphemeral", {"channel": GENERAL, "user": "U0NOBODY", "text": "x"}, "user_not_found"),
        ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
        ("conversations.open", {"users": BOT}, "cannot_dm_bot"),
        ("conversations.open", {}, "users_list_not_supplied"),
        ("views.open", {"trigger_id": "1.2.c", "view": {"type": "modal", "blocks": []}}, "invalid_arguments"),
        ("views.update", {"view_id": "V0", "view": {"type": "home", "blocks": []}}, "invalid_arguments"),
        ("files.list", {}, "unknown_method"),
    ],
)
async def test_a_call_slack_would_refuse_is_refused(
    slack: Any, bot: Any, method: str, args: dict[str, Any], error: str
) -> None:
    with pytest.raises(SlackApiError) as refusal:
        await bot.client.api_call(method, json=args)

    assert error == refusal.value.response["error"]
    assert (method, error) == (slack.api.calls[-1].method, slack.api.calls[-1].error)


async def test_refused_blocks_are_explained(bot: Any) -> None:
    with pytest.raises(SlackApiError) as refusal:
        await bot.client.chat_postMessage(channel=GENERAL, text="x", blocks=[SECTION] * 51)

    assert (refusal.value.response["response_metadata"]["messages"]) == [
        "[ERROR] no more than 50 items allowed [json-pointer:/blocks]"
    ]


@pytest.mark.parametrize("is_json", [True, False])
async def test_arguments_are_read_from_json_and_from_forms(slack: Any, bot: Any, is_json: bool) -> None:
    args = {"channel": GENERAL, "text": "Hi", "blocks": [SECTION]}
    form = args | {"blocks": json.dumps([SECTION])}

    await bot.client.api_call("chat.postMessage", **({"json": args} if is_json else {"data": form}))

    assert slack.messages_for(ANA)[0].everything == "Hello"


@pytest.mark.parametrize(("headers", "error"), [({}, "not_authed"), ({"Authorization": "Bearer no"}, "invalid_auth")])
async def test_without_the_bots_token_nobody_is_let_in(slack: Any, headers: dict[str, str], error: str) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{slack.api_url}auth.test", headers=headers) as answer:
        assert {"ok": False, "error": error} == await answer.json()


async def test_a_method_without_its_scope_is_refused(slack: Any, bot: Any) -> None:
    slack.api.scopes = frozenset({"chat:write"})

    with pytest.raises(SlackApiError) as refusal:
        await bot.client.users_info(user=ANA)

    assert (refusal.value.response["error"], refusal.value.response["needed"]) == ("missing_scope", "users:read")


async def test_calls_are_recorded_without_the_token(slack: Any) -> None:
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(base_url=slack.api_url, session=session)
        await client.api_call("auth.test", data={"token": "xoxb-sandbox", "note": "x"})

    [call] = slack.api.calls
    assert (call.method, call.args, call.error) == ("auth.test", {"note": "x"}, "")
    assert "xoxb" not in repr(slack.api.calls)


async def test_a_method_can_be_made_to_fail_some_times(slack: Any, bot: Any) -> None:
    slack.api.fail("chat.postMessage", "ratelimited", times=1, retry_after=7)

    with pytest.raises(SlackApiError) as refusal:
        await bot.client.chat_postMessage(channel=GENERAL, text="x")
    await bot.client.chat_postMessage(channel=GENERAL, text="x")

    assert (refusal.value.response.status_code, refusal.value.response.headers["Retry-After"]) == (429, "7")
    assert len(slack.messages_for(ANA)) == 1


async def test_a_slow_method_answers_late(slack: Any, bot: Any) -> None:
    slack.api.slow("auth.test", 30)

    with pytest.raises(TimeoutError):
        await AsyncWebClient(token="xoxb-sandbox", base_url=slack.api_url, timeout=0.05).auth_test()

    slack.api.heal()
    assert (await bot.client.auth_test())["ok"]


async def test_a_home_view_is_accepted(slack: Any, bot: Any) -> None:
    await bot.client.views_publish(user_id=ANA, view={"type": "home", "blocks": [SECTION]})

    assert slack.api.homes[ANA]["blocks"] == [SECTION]
