"""The end of a workspace: its work is stopped once, and its requests are refused kindly from then on."""

from __future__ import annotations

import asyncio
import json

import pytest

from logicspike.services.ports import StoreUnavailable
from logicspike.slack.events import WorkspaceEvents

UNINSTALLED = {"type": "app_uninstalled"}
REVOKED = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0BOT"]}}


@pytest.mark.parametrize("event", [UNINSTALLED, REVOKED], ids=lambda event: event["type"])
async def test_the_workspaces_work_is_stopped_and_its_requests_refused(edge, event, caplog):
    caplog.set_level("INFO", logger="logicspike.slack.events")
    assert (await edge.slack.send_event(event)).is_ok
    await edge.settle()
    assert [("T0ACME",)] == edge.notes.of("remove_workspace")
    assert "its work is stopped" in caplog.text
    assert not edge.authorize.is_ready

    status, text = await edge.post(edge.command_body("echo"))
    assert 200 == status
    assert "removed from this workspace" in json.loads(text)["text"]
    await edge.settle()
    assert [] == edge.notes.of("start")


async def test_a_members_own_token_changes_nothing(edge):
    await edge.slack.send_event({"type": "tokens_revoked", "tokens": {"oauth": ["U0ANA"], "bot": []}})
    await edge.settle()
    assert [] == edge.notes.calls
    assert edge.authorize.is_ready


async def test_an_event_that_slack_repeats_is_acted_upon_once(edge):
    answer = await edge.slack.send_event(UNINSTALLED)
    again = await asyncio.gather(*(edge.slack.redeliver(answer.sent, retry_num=n) for n in (1, 2, 3)))
    await edge.settle()
    assert all(each.is_ok for each in again)
    assert 1 == len(edge.notes.of("remove_workspace"))


async def test_it_goes_on_until_the_database_answers(edge):
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            edge.notes.failures.clear()

    for listener in edge.app._async_listeners:
        owner = getattr(listener.ack_function, "__self__", None)
        if isinstance(owner, WorkspaceEvents):
            owner._pause = pause
    edge.notes.failures["remove_workspace"] = StoreUnavailable()
    await edge.slack.send_event(UNINSTALLED)
    await edge.settle()
    assert [1, 5] == pauses
    assert 3 == len(edge.notes.of("remove_workspace"))
