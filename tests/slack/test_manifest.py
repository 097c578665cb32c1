"""The manifest and the code say the same: commands, events, scopes, and every button has a listener."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

import logicspike.slack
from logicspike.slack.app import build_slack_app
from logicspike.slack.clicks import Clicks
from logicspike.slack.manifest import SCOPES, WEB_API_SCOPES, CommandNames, build_manifest, render_manifest
from logicspike.slack.surface import ACTIONS, LINK_OPEN, MODALS, TYPED

ROOT = Path(__file__).parents[2]
WEB_API = {name for name in dir(AsyncWebClient) if not name.startswith("_")}


class NotingApp(AsyncApp):
    """A Bolt app that remembers what was registered."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.registered: dict[str, list[tuple[object, object]]] = {}

    def _noting(self, kind: str, constraint: object, register: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def decorate(listener: Any) -> Any:
            self.registered.setdefault(kind, []).append((constraint, listener))
            return register(listener)

        return decorate

    def command(self, constraint: Any, *rest: Any, **more: Any) -> Any:
        return self._noting("command", constraint, super().command(constraint, *rest, **more))

    def event(self, constraint: Any, *rest: Any, **more: Any) -> Any:
        return self._noting("event", constraint, super().event(constraint, *rest, **more))

    def action(self, constraint: Any, *rest: Any, **more: Any) -> Any:
        return self._noting("action", constraint, super().action(constraint, *rest, **more))

    def view(self, constraint: Any, *rest: Any, **more: Any) -> Any:
        return self._noting("view", constraint, super().view(constraint, *rest, **more))

    def names(self, kind: str) -> set[object]:
        return {constraint for constraint, _ in self.registered[kind] if not isinstance(constraint, re.Pattern)}


@pytest.fixture
def app(edge, client) -> NotingApp:
    return build_slack_app(
        client=client, signing_secret="x", authorize=edge.authorize, services=edge.services, make_app=NotingApp
    )


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """The file as Slack would read it."""
    return yaml.safe_load((ROOT / "app_manifest.yaml").read_text(encoding="utf-8"))


def test_the_file_is_what_the_command_prints():
    printed = render_manifest(build_manifest("https://bot.example.com", CommandNames()))
    assert printed == (ROOT / "app_manifest.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("is_socket_mode", [False, True])
def test_what_is_printed_reads_back_as_what_was_built(is_socket_mode):
    built = build_manifest("https://bot.example.com/", CommandNames(), is_socket_mode=is_socket_mode)
    assert built == yaml.safe_load(render_manifest(built))


def test_in_socket_mode_no_address_is_named():
    printed = render_manifest(build_manifest("https://bot.example.com", CommandNames(), is_socket_mode=True))
    assert "bot.example.com" not in printed


def test_commands_agree(app, manifest):
    assert {each["command"] for each in manifest["features"]["slash_commands"]} == app.names("command")


def test_renamed_commands_are_registered_and_printed(edge, client):
    names = CommandNames(connect="/social", schedule="/post-later")
    app = build_slack_app(
        client=client,
        signing_secret="x",
        authorize=edge.authorize,
        services=edge.services,
        commands=names,
        make_app=NotingApp,
    )
    built = build_manifest("https://bot.example.com", names)
    assert {"/social", "/post-later"} == app.names("command")
    assert ["/social", "/post-later"] == [each["command"] for each in built["features"]["slash_commands"]]


def test_events_agree(app, manifest):
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == app.names("event")


def test_forms_and_buttons_have_listeners(app):
    assert set(MODALS) == app.names("view")
    [(typed, _), (_, listener)] = app.registered["action"]
    assert all(typed.fullmatch(field) for field in TYPED)
    clicks = listener.__self__
    assert isinstance(clicks, Clicks)
    assert set(ACTIONS) - {LINK_OPEN} == set(clicks.answers)


def test_there_are_few_listeners(app):
    assert sum(len(each) for each in app.registered.values()) <= 10


def called_methods() -> set[str]:
    """Names of Web API methods that the package calls, by the SDK's names."""
    found: set[str] = set()
    for file in Path(logicspike.slack.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                if name.removeprefix("_") == "client" and node.func.attr in WEB_API:
                    found.add(node.func.attr)
    return found


def test_the_scopes_are_those_of_the_methods_called_and_no_more(manifest):
    by_the_sdk = {"apps_connections_open"}  # Socket Mode's own call
    assert set(WEB_API_SCOPES) == called_methods() | by_the_sdk
    assert list(SCOPES) == manifest["oauth_config"]["scopes"]["bot"]
    assert {"chat:write", "commands", "files:read", "im:write", "users:read"} == set(SCOPES)


def test_the_manifest_keeps_within_slacks_limits(manifest):
    shown = manifest["display_information"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert len(manifest["features"]["bot_user"]["display_name"]) <= 80
    for command in manifest["features"]["slash_commands"]:
        assert len(command["command"]) <= 32
        assert command["description"]


@pytest.mark.parametrize("name", ["connect", "/", "/Connect", "/two words", "/" + "x" * 32, ""])
def test_a_name_that_slack_would_refuse_is_refused_here(name):
    with pytest.raises(ValueError, match="can't be the name"):
        CommandNames(connect=name)


def test_two_commands_can_not_have_one_name():
    with pytest.raises(ValueError, match="both"):
        CommandNames(connect="/x", schedule="/x")
