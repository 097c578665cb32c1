"""What the doctor is told of an app at LinkedIn without asking LinkedIn."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import logicspike_linkedin
from logicspike.plugin import OAuthClient, SetupLevel

TODAY = datetime(2026, 11, 25, tzinfo=UTC)


def inspect(
    client_id: str = "77abcdef012345",
    version: str = "202609",
    now: datetime = TODAY,
    credential_set: str = "",
    comments_api: str = "v2",
) -> dict[SetupLevel, list[str]]:
    """The notes by their level."""
    client = OAuthClient(client_id=client_id, client_secret="secret-canary")
    settings = {"version": version, "comments_api": comments_api}
    notes = logicspike_linkedin.inspect(client, credential_set, settings, now)
    assert not [note for note in notes if "secret-canary" in note.message or "\n" in note.message]
    return {level: [note.message for note in notes if note.level is level] for level in SetupLevel}


def test_a_right_app_has_nothing_to_mend():
    notes = inspect()

    assert [] == notes[SetupLevel.PROBLEM] + notes[SetupLevel.WARNING]
    assert 2 == len(notes[SetupLevel.OK])
    assert ["Share on LinkedIn" in message for message in notes[SetupLevel.UNCHECKED]] == [True]


def test_a_second_app_needs_another_product():
    [unchecked] = inspect(credential_set="organizations")[SetupLevel.UNCHECKED]

    assert "Community Management API" in unchecked


@pytest.mark.parametrize("client_id", ["acme", "77ABCDEF012345", "123456789012345678", "77abcdef-12345"])
def test_an_id_of_another_form_is_a_warning(client_id):
    assert ["client id" in message for message in inspect(client_id)[SetupLevel.WARNING]] == [True]


def test_a_secret_in_the_ids_place_is_a_problem():
    [problem] = inspect("WPL_AP1.canary.canary==")[SetupLevel.PROBLEM]

    assert "the other way round" in problem
    assert "canary" not in problem


@pytest.mark.parametrize(
    ("version", "day", "level"),
    [
        ("202609", (2026, 11, 25), SetupLevel.OK), ("202609", (2027, 6, 30), SetupLevel.OK),
        ("202609", (2027, 7, 1), SetupLevel.WARNING), ("202609", (2027, 9, 15), SetupLevel.WARNING),
        ("202609", (2027, 9, 16), SetupLevel.PROBLEM), ("202601", (2026, 11, 25), SetupLevel.WARNING),
        ("202601", (2027, 1, 15), SetupLevel.WARNING), ("202511", (2026, 11, 16), SetupLevel.PROBLEM),
        ("202411", (2026, 11, 25), SetupLevel.PROBLEM), ("202612", (2026, 11, 30), SetupLevel.PROBLEM),
        ("202611", (2026, 11, 1), SetupLevel.OK), ("202613", (2026, 11, 25), SetupLevel.PROBLEM),
        ("2026-09", (2026, 11, 25), SetupLevel.PROBLEM), ("v2", (2026, 11, 25), SetupLevel.PROBLEM),
    ],
)  # fmt: skip
def test_a_version_is_judged_by_the_day(version, day, level):
    notes = inspect(version=version, now=datetime(*day, tzinfo=UTC))

    found = [kind for kind, messages in notes.items() for message in messages if version in message]
    assert [level] == found


def test_an_address_for_comments_that_linkedin_does_not_have_is_a_problem():
    assert [] == inspect(comments_api="rest")[SetupLevel.PROBLEM]
    [problem] = inspect(comments_api="v3")[SetupLevel.PROBLEM]

    assert "LINKEDIN_COMMENTS_API" in problem


def test_the_default_version_is_served():
    version = logicspike_linkedin.describe().settings["version"]

    assert [] == inspect(version=version)[SetupLevel.PROBLEM] + inspect(version=version)[SetupLevel.WARNING]
