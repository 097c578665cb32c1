"""The route that Slack calls: signatures, malformed requests, replays, and answers in time."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy
from slack_bolt.context.ack.async_ack import AsyncAck

from logicspike.slack.app import build_slack_app
from logicspike.slack.http import BODY_LIMIT, is_signed, slack_routes
from logicspike.slack.messages import help_connect
from logicspike.slack.refusing import SLOW


async def test_a_signed_command_is_answered_in_the_body(edge):
    status, text = await edge.post(edge.command_body("help"))
    assert 200 == status
    assert "ephemeral" == json.loads(text)["response_type"]
    assert "/connect" in json.loads(text)["text"]


def _changed(**changes: str | None):
    def change(headers: dict[str, str]) -> dict[str, str]:
        merged = {**headers, **{name.replace("_", "-"): value for name, value in changes.items()}}
        return {name: value for name, value in merged.items() if value is not None}

    return change


REFUSED = {
    "no signature": _changed(X_Slack_Signature=None),
    "no timestamp": _changed(X_Slack_Request_Timestamp=None),
    "empty signature": _changed(X_Slack_Signature=""),
    "empty timestamp": _changed(X_Slack_Request_Timestamp=""),
    "a word for a timestamp": _changed(X_Slack_Request_Timestamp="abc"),
    "not a number": _changed(X_Slack_Request_Timestamp="NaN"),
    "infinity": _changed(X_Slack_Request_Timestamp="inf"),
    "a negative time": _changed(X_Slack_Request_Timestamp="-1"),
    "blanks around": _changed(X_Slack_Request_Timestamp=" 1 "),
    "an underscore": _changed(X_Slack_Request_Timestamp="1_0"),
    "far too many digits": _changed(X_Slack_Request_Timestamp="9" * 7000),
    "Arabic digits": _changed(X_Slack_Request_Timestamp="١٢٣"),
    "a signature that is no ASCII": _changed(X_Slack_Signature="v0=é" + "0" * 63),
    "a short signature": _changed(X_Slack_Signature="v0=00"),
    "an upper-case signature": lambda headers: headers | {"X-Slack-Signature": headers["X-Slack-Signature"].upper()},
    "another version": lambda headers: headers | {"X-Slack-Signature": "v1" + headers["X-Slack-Signature"][2:]},
    "zeros": _changed(X_Slack_Signature="v0=" + "0" * 64),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
async def test_a_malformed_or_absent_signature_is_refused(edge, change):
    body = edge.command_body("echo")
    status, text = await edge.post(body, change(edge.sign(body)))
    await edge.settle()
    assert (401, "not signed by Slack") == (status, text)
    assert [] == edge.notes.calls


@pytest.mark.parametrize("name", ["X-Slack-Signature", "X-Slack-Request-Timestamp"])
async def test_a_doubled_header_is_refused(edge, name):
    body = edge.command_body("help")
    headers = CIMultiDict(edge.sign(body))
    headers.add(name, headers[name])
    assert 401 == (await edge.post(body, headers))[0]


@pytest.mark.parametrize(("age", "status"), [(290, 200), (301, 401), (-290, 200), (-310, 401), (10**9, 401)])
async def test_a_signature_is_good_for_five_minutes(edge, age, status):
    body = edge.command_body("help")
    headers = edge.sign(body, timestamp=str(int(time.time()) - age))
    assert status == (await edge.post(body, headers))[0]


async def test_another_secret_is_refused(edge):
    body = edge.command_body("help")
    assert 401 == (await edge.post(body, edge.sign(body, secret="guessed")))[0]


async def test_a_body_altered_by_one_byte_is_refused(edge):
    body = edge.command_body("echo")
    assert 401 == (await edge.post(body + b"x", edge.sign(body)))[0]


@given(timestamp=st.text(), signature=st.text())
def test_no_header_makes_the_check_fail(timestamp, signature):
    headers = CIMultiDictProxy(CIMultiDict({"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}))
    assert not is_signed(b"body", headers, signing_secret="secret", now=time.time())


UNREADABLE = {
    "broken UTF-8": b"command=%2Fconnect&text=\xff\xfe",
    "broken JSON": b'{"type": "event_callback"',
    "broken payload": b"payload=%7Bnot",
    "payload that is a list": urlencode({"payload": "[]"}).encode(),
    "payload that is a number": urlencode({"payload": "1"}).encode(),
    "deeply nested JSON": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_a_signed_but_unreadable_body_is_refused(edge, body):
    assert 400 == (await edge.post(body))[0]


ODD = {
    "ids that are lists": {"type": "block_actions", "user": ["U"], "team": ["T"], "actions": [{"action_id": "x"}]},
    "ids that are objects": {
        "type": "block_actions",
        "user": {"id": {"$ne": 1}},
        "team": {"id": "T0ACME"},
        "trigger_id": "t",
        "actions": [{"action_id": "post.list", "block_id": "b"}],
    },
    "no actions": {"type": "block_actions", "user": {"id": "U0ANA"}, "team": {"id": "T0ACME"}, "actions": []},
    "a value that is an object": {
        "type": "block_actions",
        "user": {"id": "U0ANA"},
        "team": {"id": "T0ACME"},
        "trigger_id": "t",
        "actions": [{"action_id": "post.cancel", "block_id": "b", "value": {"$gt": ""}}],
    },
    "no trigger": {
        "type": "block_actions",
        "user": {"id": "U0ANA"},
        "team": {"id": "T0ACME"},
        "actions": [{"action_id": "post.list", "block_id": "b"}],
    },
}


@pytest.mark.parametrize("payload", ODD.values(), ids=ODD.keys())
async def test_ids_that_are_no_texts_reach_no_use_case(edge, payload):
    status, _ = await edge.post(urlencode({"payload": json.dumps(payload)}).encode())
    await edge.settle()
    assert status < 500
    assert [] == edge.notes.calls


async def test_a_body_beyond_the_limit_is_refused(edge):
    body = b"x" * (BODY_LIMIT + 1)
    assert 413 == (await edge.post(body))[0]


async def test_slacks_look_at_the_certificate_needs_no_signature(edge):
    assert (200, "") == await edge.post(b"ssl_check=1&token=abc", {"Content-Type": "application/x-www-form-urlencoded"})


async def test_slacks_look_at_the_address_is_answered(edge):
    status, text = await edge.post_json({"type": "url_verification", "challenge": "3eZbrw1aB"})
    assert 200 == status
    assert "3eZbrw1aB" in text


async def test_bolts_own_headers_are_not_obeyed(edge):
    body = edge.command_body("help")
    headers = edge.sign(body) | {"X-Slack-Bolt-Lazy-Only": "1", "X-Slack-Bolt-Lazy-Function-Name": "x"}
    status, text = await edge.post(body, headers)
    assert 200 == status
    assert "/connect" in json.loads(text)["text"]


async def test_a_request_replayed_twenty_times_at_once_has_one_effect(edge):
    body = edge.command_body("echo")
    headers = edge.sign(body)
    answers = await asyncio.gather(
        *(edge.post(body, headers | ({"X-Slack-Retry-Num": "1"} if n % 2 else {})) for n in range(20))
    )
    await edge.settle()
    assert {200} == {status for status, _ in answers}
    assert [(edge.ana, "echo", None)] == edge.notes.of("start")


async def test_a_listener_that_hangs_is_answered_with_a_sentence(edge, caplog):
    @edge.app.command("/hang")
    async def on_hang(ack: AsyncAck) -> None:
        await asyncio.Event().wait()

    edge.app._async_listeners.insert(0, edge.app._async_listeners.pop())
    status, text = await edge.post(edge.command_body("", command="/hang"))
    assert (200, SLOW) == (status, json.loads(text)["text"])
    assert "not answered in time" in caplog.text


async def test_a_listener_that_fails_is_answered_with_a_reference(edge, caplog):
    @edge.app.command("/fail")
    async def on_fail(ack: AsyncAck) -> None:
        raise RuntimeError("a bug")

    edge.app._async_listeners.insert(0, edge.app._async_listeners.pop())
    status, text = await edge.post(edge.command_body("", command="/fail"))
    assert 200 == status
    [record] = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.reference in json.loads(text)["text"]


async def test_a_command_that_is_not_ours_is_answered(edge):
    status, text = await edge.post(edge.command_body("x", command="/ghost"))
    assert 200 == status
    assert "/connect" in json.loads(text)["text"]


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "shortcut", "callback_id": "x", "trigger_id": "t"},
        {"type": "message_action", "callback_id": "x", "trigger_id": "t"},
        {"type": "view_closed", "view": {"type": "modal", "callback_id": "composer"}},
        {"type": "view_submission", "view": {"type": "modal", "callback_id": "old"}, "trigger_id": "t"},
        {"type": "block_suggestion", "action_id": "x", "block_id": "y", "value": "private words"},
        {"type": "something new"},
    ],
    ids=lambda payload: payload["type"],
)
async def test_what_nobody_listens_to_is_acknowledged_and_stays_out_of_the_log(edge, payload, caplog):
    body = payload | {"user": {"id": "U0ANA"}, "team": {"id": "T0ACME"}}
    assert (200, "") == await edge.post(urlencode({"payload": json.dumps(body)}).encode())
    assert "private words" not in caplog.text


async def test_what_people_wrote_and_the_secrets_stay_out_of_the_log(edge, caplog):
    caplog.set_level(logging.DEBUG, logger="logicspike")
    for name in ("help", "private words here", "echo"):
        await edge.post(edge.command_body(name))
    await edge.post(edge.command_body("private words"), edge.sign(b"other"))
    await edge.post_json({"type": "event_callback", "event": {"type": "message", "text": "private words"}})
    await edge.settle()
    assert "private words" not in caplog.text
    assert "xoxb-test-token" not in caplog.text


async def test_bolts_own_look_at_the_environment_decides_nothing(edge, client, monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CLIENT_ID", "CLIENT_SECRET", "SIGNING_SECRET", "BOT_TOKEN", "VERIFICATION_TOKEN", "SCOPES"):
        monkeypatch.setenv(f"SLACK_{name}", "from-the-environment")
    app = build_slack_app(client=client, signing_secret="given", authorize=edge.authorize, services=edge.services)
    edge.app.async_dispatch = app.async_dispatch  # the route stays the same, the app behind it is the new one
    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]
    body = edge.command_body("help")
    # Bolt checks with the secret that was given, so the route's own one is refused there.
    assert 401 == (await edge.post(body))[0]
    assert (200, "") == await edge.post(b"ssl_check=1&token=abc")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("secret", ["", "   "])
async def test_an_empty_signing_secret_is_an_error_at_start(edge, client, secret):
    with pytest.raises(ValueError, match="empty"):
        slack_routes(edge.app, signing_secret=secret)
    with pytest.raises(ValueError, match="empty"):
        build_slack_app(client=client, signing_secret=secret, authorize=edge.authorize, services=edge.services)


async def test_requests_before_slack_answered_are_refused_kindly(edge):
    edge.authorize._workspace = None
    status, text = await edge.post(edge.command_body("echo"))
    assert 200 == status
    assert "try again" in json.loads(text)["text"]
    await edge.settle()
    assert [] == edge.notes.calls


async def test_another_workspaces_command_is_refused_kindly(edge):
    body = edge.command_body("echo").replace(b"T0ACME", b"T0OTHER")
    status, text = await edge.post(body)
    assert 200 == status
    assert "not installed" in json.loads(text)["text"]
    await edge.settle()
    assert [] == edge.notes.calls


async def test_a_refused_click_is_answered_by_its_own_address(edge):
    message = await edge.show(help_connect())
    edge.authorize._workspace = None
    answer = await edge.slack.click("U0ANA", message, "connect.list")
    assert answer.is_ok
    await edge.settle()
    assert await edge.slack.wait_for_message("U0ANA", "try again")
    assert [] == edge.notes.calls


async def test_beyond_the_limit_of_tasks_requests_are_shed_with_a_sentence(edge, notes):
    notes.gate = asyncio.Event()
    edge.services.tasks._limit = 3
    bodies = [edge.command_body("echo", trigger_id=f"1.{n}") for n in range(5)]
    answers = [await edge.post(body) for body in bodies]
    assert {200} == {status for status, _ in answers}
    assert 2 == sum("more to do" in json.loads(text)["text"] for _, text in answers)
    notes.gate.set()
    await edge.settle()
    assert 3 == len(edge.notes.of("start"))


NASTY = {
    "nothing": "",
    "blanks": " \u00a0\u2003\t\n ",
    "control characters": "\x00\x07\x1b[31m",
    "mentions": "<!channel> <@U0BEN> <https://evil.example|click>",
    "an operator": "remove {'$gt': ''}",
    "an expression": "$where: sleep(1000)",
    "right to left": "\u202eecho \u05d0\u05d1",
    "broken pairs": "\U0001f469\u200d\U0001f4bb" * 500,
    "very long": "echo tomorrow 9:30 " + "x" * 100_000,
    "many commas": "," * 10_000,
    "many digits": "echo in " + "9" * 5_000 + "m hi",
    "many quotes": '"' * 5_000,
}


@pytest.mark.parametrize("command", ["/connect", "/schedule"])
@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
async def test_whatever_is_typed_is_answered(edge, command, text, caplog):
    status, _ = await edge.post(edge.command_body(text, command=command))
    await edge.settle()
    assert 200 == status
    assert [] == [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_building_the_app_leaves_the_bots_own_log_alone(edge):
    bots = logging.getLogger("logicspike")

    assert (logging.NOTSET, []) == (bots.level, bots.filters)
