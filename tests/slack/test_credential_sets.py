"""What members see of a platform's second developer app: a name to type, a button, and what is missing."""

from __future__ import annotations

from dataclasses import replace

import guild_platform
import pytest

from logicspike.domain import ConnectionStatus
from logicspike.platforms import Platforms

USER = "U0ANA"
_BOTH = guild_platform.ENVIRONMENT
_FIRST = {name: value for name, value in _BOTH.items() if "HALLS" not in name}


@pytest.fixture
def platforms(clock, request) -> Platforms:
    """Guild: with both of its apps, or with those variables that a test names."""
    environment = getattr(request, "param", _BOTH)
    return Platforms.load(environment=environment, clock=clock, entry_points=[guild_platform.ENTRY_POINT])


async def test_a_set_is_connected_by_its_own_word(edge):
    answer = await edge.slack.command(USER, "/connect", "Guild-Hall")

    assert "private link to connect Guild halls" in answer.message.text
    await edge.settle()
    assert [(edge.ana, "guild/halls", None)] == edge.notes.of("start")


async def test_the_list_has_a_button_for_each(edge):
    await edge.slack.command(USER, "/connect", "")

    message = await edge.slack.wait_for_message(USER, "Connect Guild halls")
    assert "*Guild*" in message.everything
    values = [element.get("value") for element in message.elements]
    assert ["guild", "guild-hall"] == [value for value in values if value in {"guild", "guild-hall"}]


@pytest.mark.parametrize("platforms", [_FIRST], indirect=True)
async def test_a_set_that_is_not_set_up_is_not_offered(edge):
    await edge.slack.command(USER, "/connect", "")

    message = await edge.slack.wait_for_message(USER, "Connect Guild")
    assert "halls" not in message.everything


@pytest.mark.parametrize("platforms", [_FIRST], indirect=True)
async def test_a_set_that_is_not_set_up_says_what_is_missing_when_it_is_typed(edge):
    answer = await edge.slack.command(USER, "/connect", "guild-hall")

    assert "Guild halls can't be connected here yet" in answer.message.everything
    assert "GUILD_HALLS_CLIENT_ID" in answer.message.everything
    assert "GUILD_HALLS_CLIENT_SECRET" in answer.message.everything
    assert [] == edge.notes.of("start")


@pytest.mark.parametrize(("platforms", "suggested"), [(_BOTH, "guild-hall"), (_FIRST, "guild")], indirect=["platforms"])
async def test_a_mistyped_set_brings_the_nearest_one_that_can_be_connected(edge, suggested):
    answer = await edge.slack.command(USER, "/connect", "gild-hal" if suggested == "guild-hall" else "gild")

    assert f"Did you mean `{suggested}`?" in answer.message.everything


async def test_a_click_on_its_button_starts_it(edge):
    await edge.slack.command(USER, "/connect", "")
    message = await edge.slack.wait_for_message(USER, "Connect Guild halls")

    await edge.slack.click(USER, message, "connect.start", value="guild-hall")
    await edge.settle()

    assert [(edge.ana, "guild/halls", None)] == edge.notes.of("start")


async def test_a_reconnect_asks_through_the_accounts_own_set(edge):
    hall = replace(edge.disconnecting.connections[0], platform="guild", credential_set="halls")
    edge.disconnecting.connections = (replace(hall, status=ConnectionStatus.NEEDS_RECONNECT),)
    await edge.slack.command(USER, "/connect", "")
    message = await edge.slack.wait_for_message(USER, "Reconnect")

    await edge.slack.click(USER, message, "connect.reconnect")
    await edge.settle()

    assert [(edge.ana, "guild/halls", "c1")] == edge.notes.of("start")
