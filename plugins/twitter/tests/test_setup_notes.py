"""What the doctor is told of an app at X without asking X."""

from __future__ import annotations

import base64

import pytest

import logicspike_twitter
from logicspike.plugin import OAuthClient, SetupLevel


def inspect(client_id: str) -> dict[SetupLevel, list[str]]:
    """The notes by their level."""
    client = OAuthClient(client_id=client_id, client_secret="secret-canary")
    notes = logicspike_twitter.inspect(client)
    assert not [note for note in notes if "secret-canary" in note.message or "\n" in note.message]
    return {level: [note.message for note in notes if note.level is level] for level in SetupLevel}


def make_id(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("client_id", [make_id("a?b>c~d1234567890xyz:1:ci"), "4398792-" + make_id("abcdefgh:1:ci")])
def test_the_id_of_an_app_with_a_secret_is_right(client_id):
    notes = inspect(client_id)

    assert [] == notes[SetupLevel.PROBLEM] + notes[SetupLevel.WARNING]
    assert 1 == len(notes[SetupLevel.OK])
    unchecked = "\n".join(notes[SetupLevel.UNCHECKED])
    assert "credits" in unchecked
    assert "Read and write" in unchecked


def test_the_id_of_a_native_app_is_a_problem():
    assert ["Native App" in message for message in inspect(make_id("abcdefgh:1:na"))[SetupLevel.PROBLEM]] == [True]


@pytest.mark.parametrize("client_id", ["zznTQsONJtS8ib4ePGnzNvE4B", "an-id", "é", "=", "a" * 1000, make_id("ci")])
def test_what_looks_like_another_key_is_a_warning(client_id):
    """Only a warning: X promises no form."""
    notes = inspect(client_id)

    assert ["API Key" in message for message in notes[SetupLevel.WARNING]] == [True]
    assert [] == notes[SetupLevel.PROBLEM]
