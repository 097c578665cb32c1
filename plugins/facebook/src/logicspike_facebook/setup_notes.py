"""What can be told of an app at Facebook by looking at its settings alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

from logicspike.plugin import OAuthClient, SetupLevel, SetupNote

__all__ = ["find_notes"]

_APP_ID: Final = re.compile(r"[0-9]+")
_APP_SECRET: Final = re.compile(r"[0-9a-f]{32}")
_VERSION: Final = re.compile(r"v([0-9]+)\.([0-9]+)")

# When each version of the Graph API ends; None while no end is announced
# (developers.facebook.com/docs/graph-api/changelog/versions, checked 2026-11-23).
_ENDS: Final[Mapping[str, date | None]] = {
    "v20.0": date(2026, 9, 24),
    "v21.0": date(2027, 1, 21),
    "v22.0": date(2027, 5, 20),
    "v23.0": date(2027, 10, 8),
    "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
    "v26.0": None,
}
_CHECKED: Final = date(2026, 11, 23)
_NEWEST: Final = (26, 0)
_NOTICE: Final = timedelta(days=90)


def find_notes(client: OAuthClient, settings: Mapping[str, str], now: datetime) -> tuple[SetupNote, ...]:
    """Look at the id, the secret and the version, and name what Facebook alone knows."""
    return (*_look_at_app(client), _look_at_version(settings["graph_version"], now.astimezone(UTC).date()), _UNCHECKED)


def _look_at_app(client: OAuthClient) -> Iterator[SetupNote]:
    is_id, is_secret = _APP_ID.fullmatch(client.client_id), _APP_SECRET.fullmatch(client.client_secret)
    if is_id and is_secret:
        yield SetupNote(level=SetupLevel.OK, message="App ID and App secret have the form that Facebook gives them.")
    if not is_id:
        yield SetupNote(
            level=SetupLevel.PROBLEM,
            message="The client id is no App ID, which is a number: copy it from App settings → Basic.",
        )
    if not is_secret:
        yield SetupNote(
            level=SetupLevel.PROBLEM,
            message="The client secret is no App secret, which is made of 32 digits and letters from a to f: "
            "copy it from App settings → Basic.",
        )


def _look_at_version(version: str, today: date) -> SetupNote:
    name = f"Graph API {version}"
    found = _VERSION.fullmatch(version)
    if found is None:
        return SetupNote(
            level=SetupLevel.PROBLEM,
            message=f"FACEBOOK_GRAPH_VERSION is {version!r}, which is no version: it looks like v26.0.",
        )
    if version not in _ENDS:
        if (int(found[1]), int(found[2])) > _NEWEST:
            return SetupNote(
                level=SetupLevel.UNCHECKED,
                message=f"{name} is newer than what this plugin knows: look for its end on "
                "https://developers.facebook.com/docs/graph-api/changelog/versions",
            )
        return SetupNote(level=SetupLevel.PROBLEM, message=f"{name} is over: {_CHANGE}")
    end = _ENDS[version]
    if end is None:
        return SetupNote(level=SetupLevel.OK, message=f"{name} had no announced end on {_CHECKED}.")
    if today >= end:
        return SetupNote(level=SetupLevel.PROBLEM, message=f"{name} ended on {end}: {_CHANGE}")
    if today >= end - _NOTICE:
        return SetupNote(level=SetupLevel.WARNING, message=f"{name} ends on {end}: {_CHANGE}")
    return SetupNote(level=SetupLevel.OK, message=f"{name} is served until {end}.")


_CHANGE: Final = "leave FACEBOOK_GRAPH_VERSION out, or set a newer one."
_UNCHECKED: Final = SetupNote(
    level=SetupLevel.UNCHECKED,
    message="Whether App Review has granted the permissions, and whether the app is live, can't be seen from here: "
    "look at your app on https://developers.facebook.com/apps",
)
