"""What can be told of an app at LinkedIn by looking at its settings alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Final

from logicspike.plugin import OAuthClient, SetupLevel, SetupNote

__all__ = ["find_notes"]

_VERSION: Final = re.compile(r"(20[0-9]{2})(0[1-9]|1[0-2])")
# Ids have 14 lower-case letters and digits; secrets have 16 letters and digits, newer ones begin like this. LinkedIn
# doesn't promise it; seen in all that stand in public code (checked 2026-11-25).
_ID: Final = re.compile(r"[0-9a-z]{12,16}")
_SECRET_BEGINNING: Final = "WPL_AP"  # noqa: S105 - no secret, what they begin with
_OLD_MONTHS: Final = 10
_LIFE_MONTHS: Final = 12
_LAST_DAY: Final = 15


def find_notes(
    client: OAuthClient, credential_set: str, settings: Mapping[str, str], now: datetime
) -> tuple[SetupNote, ...]:
    """Look at the id and the version, and name what LinkedIn alone knows."""
    today = now.astimezone(UTC).date()
    return (
        *_look_at_app(client),
        _look_at_version(settings["version"], today),
        *_look_at_comments(settings["comments_api"]),
        _name_unchecked(credential_set),
    )


def _look_at_app(client: OAuthClient) -> Iterator[SetupNote]:
    if client.client_id.startswith(_SECRET_BEGINNING):
        yield SetupNote(
            level=SetupLevel.PROBLEM,
            message="The client id is a client secret: set id and secret the other way round.",
        )
    elif _ID.fullmatch(client.client_id) is None:
        yield SetupNote(
            level=SetupLevel.WARNING,
            message="The client id doesn't look like LinkedIn's, which have 14 lower-case letters and digits: "
            "copy it from the tab Auth.",
        )
    else:
        yield SetupNote(level=SetupLevel.OK, message="The client id has the form that LinkedIn gives it.")


def _look_at_version(version: str, today: date) -> SetupNote:
    """A version comes each month and is served for about a year.

    202609 until 2027-09-15, 202601 until 2027-01-15; 202511 ended on 2026-11-16
    (learn.microsoft.com/linkedin/marketing/versioning, checked 2026-11-23).
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        return SetupNote(
            level=SetupLevel.PROBLEM,
            message=f"LINKEDIN_VERSION is {version!r}, which is no version: it is a year and a month, such as 202609.",
        )
    year, month = int(found[1]), int(found[2])
    age = (today.year - year) * 12 + today.month - month
    end = date(year + 1, month, _LAST_DAY)
    name = f"LinkedIn's API version {version}"
    if age < 0:
        return SetupNote(level=SetupLevel.PROBLEM, message=f"{name} is not out yet: {_CHANGE}")
    if age > _LIFE_MONTHS or today > end:
        return SetupNote(level=SetupLevel.PROBLEM, message=f"{name} ended about {end}: {_CHANGE}")
    if age >= _OLD_MONTHS:
        return SetupNote(level=SetupLevel.WARNING, message=f"{name} ends about {end}: {_CHANGE}")
    return SetupNote(level=SetupLevel.OK, message=f"{name} is served until about {end}.")


def _look_at_comments(comments_api: str) -> Iterator[SetupNote]:
    if comments_api not in {"v2", "rest"}:
        yield SetupNote(
            level=SetupLevel.PROBLEM,
            message=f"LINKEDIN_COMMENTS_API is {comments_api!r}, but LinkedIn takes comments at v2 and at rest only.",
        )


def _name_unchecked(credential_set: str) -> SetupNote:
    wanted = (
        "the Community Management API"
        if credential_set
        else "Sign In with LinkedIn using OpenID Connect, and Share on LinkedIn"
    )
    return SetupNote(
        level=SetupLevel.UNCHECKED,
        message=f"Whether the app has its products ({wanted}) can't be seen from here: look at the tab Products on "
        "https://www.linkedin.com/developers/apps",
    )


_CHANGE: Final = "set LINKEDIN_VERSION to a newer one, or update the plugin and leave it out."
