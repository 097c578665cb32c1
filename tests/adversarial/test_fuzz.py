"""Signed requests that Slack's own clients would never send: no failure, and nobody else's things touched."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logicspike.domain import (
    Attempt,
    Connection,
    ConnectionStatus,
    Delivery,
    DeliveryState,
    Draft,
    HoldReason,
    Member,
)
from logicspike.plugin import Account, Post
from logicspike.sandbox import run
from logicspike.sandbox.run import Sandbox, open_sandbox
from logicspike.sandbox.slack_out import Sent
from logicspike.sandbox.slack_state import TEAM
from logicspike.slack.surface import ACTIONS
from logicspike.store.mongo import open_database
from logicspike.store.opening import Stores, build_stores

pytestmark = [pytest.mark.chaos, pytest.mark.patient]

BEN = Member(team_id=TEAM.id, user_id="U0BEN")  # a colleague
STRANGER = Member(team_id="T0OTHER", user_id="U0CHIYO")
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"
STATES = (DeliveryState.SCHEDULED, DeliveryState.HELD, DeliveryState.UNKNOWN)


def make_connection(member: Member, tag: str, status: ConnectionStatus) -> Connection:
    return Connection(
        connection_id=f"c-{tag}-{status}",
        team_id=member.team_id,
        owner_id=member.user_id,
        platform="twitter",
        account=Account(id=f"{tag}-{status}", name=f"{tag} {status}"),
        choices=(Account(id="1", name="A"), Account(id="2", name="B")) if status == "pending_choice" else (),
        status=status,
        nickname=f"twitter:{tag}-{status}",
        sealed="v1.none.none",
        token_version=1,
        created_at=NOW,
    )


def make_delivery(member: Member, tag: str, state: DeliveryState) -> Delivery:
    due_at = datetime.now(UTC) + timedelta(days=300)
    return Delivery(
        delivery_id=f"d{tag}{state}"[:12],
        post_id=f"p-{tag}",
        team_id=member.team_id,
        author_id=member.user_id,
        connection_id=f"c-{tag}-active",
        platform="twitter",
        account_name=tag,
        post=Post(key=f"{tag}:{state}", text=f"secret plan of {tag}", link=None),
        state=state,
        due_at=due_at,
        next_try_at=due_at,
        zone="UTC",
        attempts=(Attempt(attempt_id="a1", started_at=NOW, outcome="unknown"),),
        hold_reason=HoldReason.LATE if state is DeliveryState.HELD else None,
        is_asked=True,
        settled_at=NOW,
    )


@dataclass
class Target:
    sandbox: Sandbox
    stores: Stores
    caplog: pytest.LogCaptureFixture
    ids: tuple[str, ...]

    async def send(self, body: bytes, content_type: str) -> Any:
        answer = await self.sandbox.slack._outbox.send(Sent(body=body, content_type=content_type))
        assert answer.status is not None, "no answer in time"
        assert answer.status < 500, answer.text
        assert unexpected(self.caplog) == []
        return answer

    async def send_payload(self, payload: Any) -> Any:
        return await self.send(urlencode({"payload": json.dumps(payload)}).encode(), FORM)

    def trigger(self) -> str:
        return self.sandbox.slack._triggers.issue("U0CHIYO")


def unexpected(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged as a failure nobody foresaw; bodies that Bolt can't read are foreseen."""
    return [
        r.getMessage() + (f" {r.exc_info[1]!r}" if r.exc_info else "")
        for r in caplog.records
        if r.levelno >= logging.ERROR and r.name != "logicspike.slack.dispatching"
    ]


async def seed(stores: Stores) -> tuple[str, ...]:
    ids: list[str] = []
    for member, tag in ((BEN, "ben"), (STRANGER, "str")):
        for status in (ConnectionStatus.ACTIVE, ConnectionStatus.PENDING_CHOICE):
            connection = make_connection(member, tag, status)
            await stores.connections.insert(connection)
            ids.append(connection.connection_id)
        deliveries = [make_delivery(member, tag, state) for state in STATES]
        await stores.deliveries.insert_many(deliveries)
        draft = Draft(draft_id=f"draft-{tag}", author=member, text="secret draft", created_at=NOW)
        await stores.posts.save_draft(draft)
        ids += [each.delivery_id for each in deliveries] + [draft.draft_id]
    return tuple(ids)


async def read_others(stores: Stores) -> list[Any]:
    found = []
    for name in ("social_connections", "deliveries", "scheduled_posts"):
        owner = {"$or": [{"owner_id": "U0BEN"}, {"author_id": "U0BEN"}, {"team_id": "T0OTHER"}]}
        found += await stores.database.collection(name).find(owner).sort([("_id", 1)]).to_list(None)
    return found


@pytest.fixture
async def target(
    mongod_uri: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Target]:
    names = []
    real = run._build_settings
    monkeypatch.setattr(run, "_build_settings", lambda *a, **k: (names.append(s := real(*a, **k)), s)[1])
    async with open_sandbox(folder=tmp_path, mongodb_uri=mongod_uri) as sandbox:
        database = open_database(mongod_uri, names[0].mongodb_database)
        stores = build_stores(database)
        ids = await seed(stores)
        before = await read_others(stores)
        caplog.set_level(logging.WARNING)
        yield Target(sandbox=sandbox, stores=stores, caplog=caplog, ids=ids)
        await sandbox.slack.wait_for(lambda: True)
        await sandbox.bot.services.delivering.wait_until_idle()
        after = await read_others(stores)
        await database.command("dropDatabase")
        await database.close()
        assert before == after
        # The whole call, so that what Slack would not take can be seen.
        assert [] == [call for call in sandbox.slack.api.calls if call.error in BROKEN]
        assert unexpected(caplog) == []


BROKEN = {
    "invalid_blocks",
    "invalid_arguments",
    "msg_too_long",
    "no_text",
    "invalid_blocks_format",
    "invalid_form_data",
}

odd_text = st.one_of(
    st.text(max_size=40),
    st.text(alphabet=st.characters(codec=None), max_size=10),
    st.sampled_from(
        [
            "",
            " ",
            "\x00",
            "\ud800",
            "a\udfffb",
            "$ne",
            "{}",
            "<!channel>",
            "‮x",
            "🎉" * 300,
            "x" * 30_000,
            "../..",
            ":",
            "::",
            "a:b",
        ]
    ),
)
junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), odd_text),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(odd_text, inner, max_size=3)),
    max_leaves=6,
)
SETTINGS = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TYPED = (
    *("facebook", "twitter", "x", "linkedin", "twitter,", ",", "twitter:ben-active", "remove", "disconnect", "list"),
    *("cancel", "help", "now", "in", "20m", "99999999999d", "tomorrow", "fri", "14:00", "23:59", "2026-12-01"),
    *("9999-12-31", "0000-00-00", "2027-03-28", "02:30"),
)
words = st.lists(
    st.one_of(
        st.sampled_from(TYPED),
        odd_text,
    ),
    max_size=8,
).map(" ".join)


@SETTINGS
@given(command=st.sampled_from(["/connect", "/schedule", "/nonsense"]), text=words)
async def test_whatever_is_typed_is_answered(target, command, text):
    form = {
        "command": command,
        "text": text.encode("utf-8", "replace").decode(),
        "team_id": TEAM.id,
        "user_id": "U0CHIYO",
        "channel_id": "C0GENERAL",
        "trigger_id": target.trigger(),
        "api_app_id": TEAM.app_id,
    }
    await target.send(urlencode(form).encode(), FORM)


def interaction(kind: str, trigger: str, **rest: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "team": {"id": TEAM.id, "domain": "acme"},
        "user": {"id": "U0CHIYO", "username": "chiyo", "team_id": TEAM.id},
        "api_app_id": TEAM.app_id,
        "trigger_id": trigger,
        **rest,
    }


@st.composite
def forged_values(draw):
    ids = [f"c-{tag}-{status}" for tag in ("ben", "str") for status in ("active", "pending_choice")]
    ids += [f"d{tag}{state}"[:12] for tag in ("ben", "str") for state in STATES] + ["draft-ben", "draft-str"]
    one = st.one_of(st.sampled_from(ids), odd_text, st.sampled_from(["a1", "0", "1", "99999999999", "-1", "²"]))
    shape = draw(st.integers(0, 3))
    if shape == 0:
        return draw(one)
    if shape == 1:
        return f"{draw(one)}:{draw(one)}"
    if shape == 2:
        return f"post:{draw(one)}"
    return draw(junk)


@SETTINGS
@given(action_id=st.sampled_from([*ACTIONS, "no.such"]), value=forged_values(), is_option=st.booleans(), blocks=junk)
async def test_forged_clicks_touch_nobody_elses_things(target, action_id, value, is_option, blocks):
    held = {"selected_option": {"value": value}} if is_option else {"value": value}
    action = {"type": "button", "action_id": action_id, "block_id": "b", **held}
    payload = interaction("block_actions", target.trigger(), actions=[action], message={"blocks": blocks})
    await target.send_payload(payload)


@SETTINGS
@given(
    form=st.sampled_from(["composer", "editor"]),
    metadata=st.one_of(st.sampled_from(["draft-ben", "draft-str", "p-ben", "p-ben:0", "p-str:0"]), odd_text, junk),
    account=st.one_of(st.sampled_from(["c-ben-active", "c-str-active", "c-str-pending_choice"]), odd_text, junk),
    text=st.one_of(odd_text, junk),
    when=st.sampled_from(["now", "at", "", None]),
    at=st.one_of(st.integers(), st.integers(0, 2**40), junk),
)
async def test_forged_forms_touch_nobody_elses_things(target, form, metadata, account, text, when, at):
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": form,
        "private_metadata": metadata,
        "state": {
            "values": {
                "accounts": {"accounts": {"selected_options": [{"value": account}]}},
                "text": {"text": {"value": text}},
                "when": {"when": {"selected_option": {"value": when}}},
                "at": {"at": {"selected_date_time": at}},
            }
        },
    }
    await target.send_payload(interaction("view_submission", target.trigger(), view=view))


@SETTINGS
@given(
    kind=st.sampled_from(["block_actions", "view_submission", "event_callback", "shortcut", ""]),
    extra=st.dictionaries(
        st.sampled_from(
            [
                "team",
                "user",
                "actions",
                "view",
                "event",
                "trigger_id",
                "response_url",
                "team_id",
                "authorizations",
                "enterprise",
                "container",
                "message",
                "is_enterprise_install",
                "event_id",
                "type",
            ]
        ),
        junk,
        max_size=6,
    ),
    as_json=st.booleans(),
)
async def test_bodies_of_any_shape_are_refused_or_ignored(target, kind, extra, as_json):
    payload = interaction(kind, target.trigger()) | extra
    if payload.get("response_url"):
        payload["response_url"] = "http://127.0.0.1:9/none"
    if as_json:
        await target.send(json.dumps(payload).encode(), "application/json")
    else:
        await target.send_payload(payload)


@SETTINGS
@given(body=st.binary(max_size=200), content_type=st.sampled_from([FORM, "application/json", "text/plain", ""]))
async def test_bytes_of_any_kind_are_refused_or_ignored(target, body, content_type):
    await target.send(body, content_type)
