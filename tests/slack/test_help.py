"""The help is written out once for the same words, and never given for others."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest

from logicspike.platforms import Platforms
from logicspike.slack import help as slack_help
from logicspike.slack.app import build_slack_app
from logicspike.slack.help import help_connect, help_schedule, write_connect_help, write_schedule_help
from logicspike.slack.manifest import CommandNames


@pytest.fixture(autouse=True)
def nothing_kept():
    write_connect_help.cache_clear()
    write_schedule_help.cache_clear()


def test_it_is_written_out_as_it_is_built():
    connect = json.loads(write_connect_help("/social", platform="echo"))
    schedule = json.loads(write_schedule_help("/plan", account="echo"))
    assert {"response_type": "ephemeral", **help_connect("/social", platform="echo").to_payload()} == connect
    assert {"response_type": "ephemeral", **help_schedule("/plan", account="echo").to_payload()} == schedule


def test_it_is_built_once_for_the_same_words(monkeypatch):
    first = write_schedule_help("/plan", account="echo")

    def build_again(*_words: str, **_more: str) -> None:
        raise AssertionError("the help was built again")

    monkeypatch.setattr(slack_help, "help_schedule", build_again)
    assert first == write_schedule_help("/plan", account="echo")


async def ask(edge, client, command: str, *, commands: CommandNames | None = None, services=None) -> str:
    """What an app of its own answers; all apps of this process share what is kept."""
    app = build_slack_app(
        client=client,
        signing_secret="x",
        authorize=edge.authorize,
        services=services or edge.services,
        commands=commands,
    )
    form = {"command": command, "text": "help", "team_id": "T0ACME", "user_id": "U0ANA", "trigger_id": "1.2.a"}
    response = await app.async_dispatch(AsyncBoltRequest(body=form, mode="socket_mode"))
    return json.loads(response.body)["text"]


async def test_bots_with_other_command_names_give_their_own(edge, client):
    renamed = CommandNames(connect="/social", schedule="/plan")
    for _ in range(2):
        assert "`/schedule echo " in await ask(edge, client, "/schedule")
        assert "`/plan echo " in await ask(edge, client, "/plan", commands=renamed)
        assert "`/connect echo`" in await ask(edge, client, "/connect")
        assert "`/social echo`" in await ask(edge, client, "/social", commands=renamed)


async def test_its_example_names_a_platform_only_where_that_is_ready(edge, client, clock):
    echo = EntryPoint(name="echo", value="echo_platform", group="logicspike.platforms")
    without_credentials = Platforms.load(environment={}, clock=clock, entry_points=[echo])
    not_ready = replace(edge.services, platforms=without_credentials)
    for _ in range(2):
        assert "`/schedule echo " in await ask(edge, client, "/schedule")
        assert "`/schedule &lt;account&gt; " in await ask(edge, client, "/schedule", services=not_ready)
        assert "`/connect &lt;platform&gt;`" in await ask(edge, client, "/connect", services=not_ready)
