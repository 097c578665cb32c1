"""The Slack app's manifest, made from the same tables that the code registers its listeners by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import yaml

from .events import EVENTS
from .http import EVENTS_PATH

__all__ = [
    "SCOPES",
    "WEB_API_SCOPES",
    "CommandNames",
    "Manifest",
    "build_manifest",
    "render_manifest",
]

Manifest: TypeAlias = "Mapping[str, Manifest] | Sequence[Manifest] | str | bool | int"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandNames:
    """What the commands are called here, with their slash: other apps of the workspace may own the usual names.

    Raises:
        ValueError: both are the same, or one is no name that Slack takes.
    """

    connect: str = "/connect"
    schedule: str = "/schedule"

    def __post_init__(self) -> None:
        if self.connect == self.schedule:
            raise ValueError(f"both commands are called {self.connect}")
        for name in (self.connect, self.schedule):
            # docs.slack.dev/reference/app-manifest, checked 2026-11
            if not name.startswith("/") or not 2 <= len(name) <= 32 or name != name.lower() or len(name.split()) != 1:
                raise ValueError(
                    f"{name!r} can't be the name of a Slack command: use /lowercase, 32 characters at most"
                )


WEB_API_SCOPES: Final[Mapping[str, str | None]] = {
    "apps_connections_open": None,  # takes the app token
    "auth_test": None,
    "chat_postMessage": "chat:write",
    "chat_update": "chat:write",
    "conversations_open": "im:write",
    "files_info": "files:read",
    "users_info": "users:read",
    "users_list": "users:read",
    "views_open": None,
    "views_update": None,
}
"""Every Web API method that the bot calls, by its name in the SDK, and the scope it takes.

docs.slack.dev/reference/methods, checked 2026-11.
"""

SCOPES: Final = tuple(sorted({"commands", *(scope for scope in WEB_API_SCOPES.values() if scope is not None)}))
"""The bot token's scopes: these and no more."""


def build_manifest(url: str, commands: CommandNames, *, is_socket_mode: bool = False) -> Mapping[str, Manifest]:
    """Build the manifest of the Slack app.

    Args:
        url: the bot's public address.
        commands: what the commands are called.
        is_socket_mode: Slack's requests come by Socket Mode; then no address of ours is needed in it.
    """
    address: dict[str, Manifest] = {} if is_socket_mode else {"request_url": url.rstrip("/") + EVENTS_PATH}
    command_url: dict[str, Manifest] = {} if is_socket_mode else {"url": url.rstrip("/") + EVENTS_PATH}
    return {
        "_metadata": {"major_version": 1},
        "display_information": {
            "name": "LogicSpike",
            "description": "Connect your team's social accounts and schedule posts from Slack.",
            "background_color": "#1f2d3d",
        },
        "features": {
            "bot_user": {"display_name": "logicspike", "always_online": True},
            # The tab stays open for typing, so that the commands can be used in private.
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "slash_commands": [
                {
                    "command": commands.connect,
                    **command_url,
                    "description": "Connect social accounts, see how they are, remove them",
                    "usage_hint": "[platform | remove account | help]",
                    "should_escape": False,
                },
                {
                    "command": commands.schedule,
                    **command_url,
                    "description": "Schedule a post, list posts, cancel one",
                    "usage_hint": "[accounts when text | list | cancel id | help]",
                    "should_escape": False,
                },
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**address, "bot_events": sorted(EVENTS)},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": is_socket_mode,
            # The bot token is a setting, so it must not change by itself.
            "token_rotation_enabled": False,
        },
    }


def render_manifest(manifest: Mapping[str, Manifest]) -> str:
    """Write a manifest as YAML, ready to be pasted where a Slack app is made from a manifest."""
    return yaml.safe_dump(_to_plain(manifest), sort_keys=False, allow_unicode=True, width=120)


def _to_plain(value: Manifest) -> object:
    match value:
        case Mapping():
            return {key: _to_plain(item) for key, item in value.items()}
        case str() | bool() | int():
            return value
        case _:
            return [_to_plain(item) for item in value]
