"""What the doctor is told of an app at Facebook without asking Facebook."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import logicspike_facebook
from logicspike.plugin import OAuthClient, SetupLevel

APP_ID, APP_SECRET = "427758680949", "0123456789abcdef0123456789abcdef"
TODAY = datetime(2026, 11, 25, tzinfo=UTC)


def inspect(
    client_id: str = APP_ID, client_secret: str = APP_SECRET, version: str = "v26.0", now: datetime = TODAY
) -> dict[SetupLevel, list[str]]:
    """The notes by their level."""
    client = OAuthClient(client_id=client_id, client_secret=client_secret)
    notes = logicspike_facebook.inspect(client, {"graph_version": version, "config_id": ""}, now)
    assert not [note for note in notes if client_secret in note.message or "\n" in note.message]
    return {level: [note.message for note in notes if note.level is level] for level in SetupLevel}


def test_a_right_app_has_nothing_to_mend():
    notes = inspect()

    assert [] == notes[SetupLevel.PROBLEM] + notes[SetupLevel.WARNING]
    assert 2 == len(notes[SetupLevel.OK])
    assert ["App Review" in message for message in notes[SetupLevel.UNCHECKED]] == [True]


@pytest.mark.parametrize("client_id", ["acme", "4277 58", "0123456789abcdef0123456789abcdef", "１２３"])
def test_an_id_that_is_no_number_is_a_problem(client_id):
    assert ["App ID" in message for message in inspect(client_id=client_id)[SetupLevel.PROBLEM]] == [True]


@pytest.mark.parametrize("secret", ["canary-secret", APP_SECRET[:-1], APP_SECRET + "0", APP_SECRET.upper(), "g" * 32])
def test_a_secret_of_another_form_is_a_problem(secret):
    assert ["App secret" in message for message in inspect(client_secret=secret)[SetupLevel.PROBLEM]] == [True]


@pytest.mark.parametrize(
    ("version", "day", "level"),
    [
        ("v20.0", (2026, 9, 23), SetupLevel.WARNING), ("v20.0", (2026, 9, 24), SetupLevel.PROBLEM),
        ("v20.0", (2026, 11, 25), SetupLevel.PROBLEM), ("v19.0", (2026, 11, 25), SetupLevel.PROBLEM),
        ("v2.12", (2026, 11, 25), SetupLevel.PROBLEM), ("v21.0", (2026, 11, 25), SetupLevel.WARNING),
        ("v21.0", (2027, 1, 21), SetupLevel.PROBLEM), ("v22.0", (2026, 11, 25), SetupLevel.OK),
        ("v22.0", (2027, 3, 1), SetupLevel.WARNING), ("v25.0", (2026, 11, 25), SetupLevel.OK),
        ("v26.0", (2030, 1, 1), SetupLevel.OK), ("v27.0", (2026, 11, 25), SetupLevel.UNCHECKED),
        ("v26.1", (2026, 11, 25), SetupLevel.UNCHECKED),
        ("26.0", (2026, 11, 25), SetupLevel.PROBLEM), ("latest", (2026, 11, 25), SetupLevel.PROBLEM),
    ],
)  # fmt: skip
def test_a_version_is_judged_by_the_day(version, day, level):
    notes = inspect(version=version, now=datetime(*day, tzinfo=UTC))

    found = [(kind, message) for kind, messages in notes.items() for message in messages if version in message]
    assert [level] == [kind for kind, _ in found]


def test_the_default_version_is_served():
    version = logicspike_facebook.describe().settings["graph_version"]

    assert [] == inspect(version=version)[SetupLevel.PROBLEM] + inspect(version=version)[SetupLevel.WARNING]
