"""Settings from the environment and ``.env``, read once; all problems are reported at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import platformdirs
from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

__all__ = ["DESCRIPTIONS", "EXAMPLES", "Settings", "SettingsInvalid", "SettingsProblem", "is_loopback", "load_settings"]

_COMMAND: Final = re.compile(r"/[a-z0-9_-]{1,31}")
_DATABASE: Final = re.compile(r"[A-Za-z0-9_-]{1,38}")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})

EXAMPLES: Final[Mapping[str, str]] = {
    "PUBLIC_URL": "https://bot.example.com",
    "HOST": "127.0.0.1",
    "PORT": "3000",
    "MONGODB_URI": "mongodb://localhost:27017/?replicaSet=rs0",
    "MONGODB_DATABASE": "logicspike",
    "MONGODB_DRIVER": "motor",
    "LOGICSPIKE_DATA_DIR": "/var/lib/logicspike",
    "LOGICSPIKE_KEYS": "2026a:<32 bytes in base64>",
    "LOGICSPIKE_ADMINS": "U0123456789,U9876543210",
    "LOGICSPIKE_DISABLED_PLATFORMS": "chirp",
    "SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99yyyzzz85a5",
    "SLACK_BOT_TOKEN": "xoxb-…",
    "SLACK_APP_TOKEN": "xapp-…",
    "SLACK_API_URL": "https://slack.com/api/",
    "SLACK_COMMAND_CONNECT": "/connect",
    "SLACK_COMMAND_SCHEDULE": "/schedule",
}
"""What a right value looks like, by variable."""

DESCRIPTIONS: Final[Mapping[str, str]] = {
    "PUBLIC_URL": "Address of the callback server as browsers see it: https, or http on this machine.",
    "HOST": "Address to listen on.",
    "PORT": "Port to listen on.",
    "MONGODB_URI": "Where MongoDB is; without it the bot runs a small one of its own in its data folder.",
    "MONGODB_DATABASE": "Name of the database.",
    "MONGODB_DRIVER": "Python driver: motor or pymongo.",
    "LOGICSPIKE_DATA_DIR": "Folder of the embedded database and its key; by default in the user's data folder.",
    "LOGICSPIKE_KEYS": (
        "Keys that seal tokens, id:base64key separated by commas; the first one writes. "
        "With the embedded database one is made for you; with MONGODB_URI it must be given."
    ),
    "LOGICSPIKE_ADMINS": "Slack user ids that are admins beside the workspace's own, separated by commas.",
    "LOGICSPIKE_DISABLED_PLATFORMS": "Installed platforms to leave alone, separated by commas.",
    "SLACK_SIGNING_SECRET": "From your Slack app's page: Basic Information, App Credentials, Signing Secret.",
    "SLACK_BOT_TOKEN": "From your Slack app's page: OAuth & Permissions, Bot User OAuth Token.",
    "SLACK_APP_TOKEN": "Only for Socket Mode: an app-level token with the scope connections:write.",
    "SLACK_API_URL": "Where Slack's Web API is; only tests change it.",
    "SLACK_COMMAND_CONNECT": "The connect command, if another app owns the name.",
    "SLACK_COMMAND_SCHEDULE": "The schedule command, if another app owns the name.",
}
"""What each variable is for, by variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsProblem:
    """One variable that is missing or wrong; ``message`` never holds a secret's value."""

    variable: str
    message: str

    def __str__(self) -> str:
        example = EXAMPLES.get(self.variable)
        return f"{self.variable}: {self.message}" + (f" Example: {self.variable}={example}" if example else "")


class SettingsInvalid(Exception):
    """Settings are missing or wrong.

    Args:
        problems: all of them.
    """

    def __init__(self, problems: tuple[SettingsProblem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def _split(value: object) -> object:
    return tuple(filter(None, (part.strip() for part in value.split(",")))) if isinstance(value, str) else value


_Names = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """What the operator chose. Field names are the variables' names in lower case; secrets hide in every repr."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_file=None, hide_input_in_errors=True)

    public_url: str = "http://127.0.0.1:3000"
    host: str = "127.0.0.1"
    port: int = Field(default=3000, ge=0, le=65535)
    mongodb_uri: SecretStr | None = None
    mongodb_database: str = "logicspike"
    mongodb_driver: Literal["motor", "pymongo"] = "motor"
    logicspike_data_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("logicspike"))
    logicspike_keys: SecretStr | None = None
    logicspike_admins: _Names = ()
    logicspike_disabled_platforms: _Names = ()
    slack_signing_secret: SecretStr | None = None
    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_api_url: str = "https://slack.com/api/"
    slack_command_connect: str = "/connect"
    slack_command_schedule: str = "/schedule"
    environment: Mapping[str, str] = Field(default_factory=dict, repr=False, exclude=True)
    """Everything that was set, for the platforms' own variables."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values only from ``load_settings``, which has read the environment and ``.env`` already."""
        return (init_settings,)

    _split_names = field_validator("logicspike_admins", "logicspike_disabled_platforms", mode="before")(_split)

    @field_validator("public_url", "slack_api_url")
    @classmethod
    def _check_address(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            is_readable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:  # its own sentence may quote the address, and with it a password
            is_readable = False
        if not is_readable or any(character.isspace() for character in value):
            raise ValueError("is not an address that begins with https://")
        if "@" in parts.netloc or "?" in value or "#" in value:
            raise ValueError("must be a plain address without user, ? or #")
        if parts.scheme == "http" and not is_loopback(value):
            raise ValueError("must begin with https:// (http:// is for this machine only)")
        return value

    @field_validator("mongodb_database")
    @classmethod
    def _check_database(cls, value: str) -> str:
        if not _DATABASE.fullmatch(value):
            raise ValueError("must be up to 38 letters, digits, - or _")
        return value

    @field_validator("slack_command_connect", "slack_command_schedule")
    @classmethod
    def _check_command(cls, value: str) -> str:
        if not _COMMAND.fullmatch(value):
            raise ValueError("must be a slash and up to 31 lower-case letters, digits, - or _")
        return value

    @field_validator("slack_command_schedule")
    @classmethod
    def _check_commands_differ(cls, value: str, info: ValidationInfo) -> str:
        if value == info.data.get("slack_command_connect"):
            raise ValueError("must differ from SLACK_COMMAND_CONNECT")
        return value

    @field_validator("slack_bot_token")
    @classmethod
    def _check_bot_token(cls, value: SecretStr | None) -> SecretStr | None:
        return _check_prefix(value, "xoxb-", "a bot token")

    @field_validator("slack_app_token")
    @classmethod
    def _check_app_token(cls, value: SecretStr | None) -> SecretStr | None:
        return _check_prefix(value, "xapp-", "an app-level token")

    def missing_for_serving(self) -> tuple[SettingsProblem, ...]:
        """What ``logicspike serve`` still needs."""
        missing = []
        if self.slack_signing_secret is None and self.slack_app_token is None:
            missing.append("SLACK_SIGNING_SECRET")
        if self.slack_bot_token is None:
            missing.append("SLACK_BOT_TOKEN")
        if self.mongodb_uri is not None and self.logicspike_keys is None:
            missing.append("LOGICSPIKE_KEYS")
        return tuple(SettingsProblem(variable=name, message=f"is missing. {DESCRIPTIONS[name]}") for name in missing)


def _check_prefix(value: SecretStr | None, prefix: str, what: str) -> SecretStr | None:
    if value is not None and not value.get_secret_value().startswith(prefix):
        raise ValueError(f"does not look like {what}: it begins with {prefix}")
    return value


def is_loopback(address: str) -> bool:
    """Whether an address leads to this very machine."""
    return urlsplit(address).hostname in _LOOPBACK


def load_settings(
    environment: Mapping[str, str] | None = None, *, env_file: Path | None = Path(".env"), **overrides: object
) -> Settings:
    """Read the settings; the environment wins over ``.env``, and ``overrides`` (options of the command) over both.

    Blanks around a value don't count, and a blank value is as good as none.

    Args:
        environment: None for the process's own.
        env_file: None for no file.
        overrides: by field name; None means "not given".

    Raises:
        SettingsInvalid: with every problem there is.
    """
    merged = {**_read_file(env_file), **(os.environ if environment is None else environment)}
    values: dict[str, Any] = {
        name: value
        for name in Settings.model_fields
        if name != "environment" and (value := merged.get(name.upper(), "").strip())
    }
    values |= {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**values, environment=merged)
    except ValidationError as error:
        problems = tuple(_to_problem(dict(each)) for each in error.errors(include_input=False, include_url=False))
    # Outside of the handler, so that pydantic's error, which holds all values, is not chained to it.
    raise SettingsInvalid(problems)


def _read_file(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    try:
        found = dotenv_values(path, encoding="utf-8-sig")  # some editors begin a file with a byte order mark
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    else:
        return {name: value for name, value in found.items() if value is not None}
    raise SettingsInvalid((SettingsProblem(variable=path.name, message=f"can't be read ({reason})."),))


def _to_problem(error: Mapping[str, Any]) -> SettingsProblem:
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] != "value_error":
        message = f"is not right: {message[0].lower()}{message[1:]}"
    return SettingsProblem(variable=str(error["loc"][0]).upper(), message=message.rstrip(".") + ".")
