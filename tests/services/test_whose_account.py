"""Whose account it is: who chooses and confirms sees what a plugin says, and what was left out can be asked again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from team import BROWSER
from yarl import URL

from logicspike.domain import ConnectionStatus
from logicspike.plugin.errors import AuthorizationFailed, PlatformUnavailable, ReconnectRequired
from logicspike.services.notices import AccountChoice, Connected, ConnectFailed

NORTH = ("North Hall", "hall", "@north", "https://guild.example/halls/north")


def facts(account):
    return (account.name, account.kind, account.handle, account.url)


async def ask_again(team, **rest):
    """Whether the newest link makes the platform ask again."""
    return "ask" in URL(await team.connecting.begin(team.ticket, BROWSER)).query


async def test_the_choice_and_the_confirmation_show_all_that_the_plugin_says(guild_team):
    await guild_team.sign_in(guild_team.ana, person="m-1", platform="guild", credential_set="halls")
    [question] = guild_team.notifier.revised_to(AccountChoice)

    notice = await guild_team.connecting.choose(guild_team.ana, question.connection.connection_id, 0)

    assert isinstance(notice, Connected)
    for account in (question.connection.choices[0], notice.connection.account):
        assert NORTH == facts(account)
        assert account.picture.endswith("/pictures/north.png")
    assert "guild-hall" == question.typed


async def test_the_result_page_is_told_the_same(guild_team):
    result_id = await guild_team.sign_in(guild_team.ana, person="m-2", platform="guild", credential_set="halls")

    result = await guild_team.connecting.find_result(result_id)

    assert ("East Hall", "hall", "@east") == (result.account_name, result.account_kind, result.account_handle)
    assert "https://guild.example/halls/east" == result.account_url
    assert result.account_picture.endswith("/pictures/east.png")


async def test_a_link_for_asking_again_says_so_to_the_platform_and_so_does_its_renewal(guild_team):
    await guild_team.connecting.start(guild_team.ana, "guild")
    assert not await ask_again(guild_team)

    await guild_team.connecting.start(guild_team.ana, "guild", is_rerequest=True)
    assert await ask_again(guild_team)
    await guild_team.connecting.renew(guild_team.ticket)
    assert await ask_again(guild_team)


@pytest.mark.parametrize(
    ("error", "is_for_asking_again"),
    [
        (AuthorizationFailed("Leave all boxes ticked."), True),
        (ReconnectRequired("A permission is missing.", missing_scopes=("speak",)), True),
        (PlatformUnavailable("Guild is down."), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_what_may_have_been_declined_is_offered_to_be_asked_again(
    guild_team, monkeypatch, error, is_for_asking_again
):
    async def exchange(_name, _grant, **_rest):
        raise error

    monkeypatch.setattr(guild_team.platforms, "exchange", exchange)

    await guild_team.sign_in(guild_team.ana, person="m-1", platform="guild")

    [notice] = guild_team.notifier.revised_to(ConnectFailed)
    assert is_for_asking_again is notice.is_for_asking_again


async def test_who_may_post_to_nothing_can_be_asked_again(guild_team):
    await guild_team.sign_in(guild_team.ana, person="m-3", platform="guild", credential_set="halls")

    [notice] = guild_team.notifier.revised_to(ConnectFailed)
    assert notice.is_for_asking_again


async def test_another_account_on_a_reconnect_changes_nothing_and_can_be_added_as_new(guild_team):
    north = await guild_team.connection(await guild_team.connect_hall(person="m-1"))
    await guild_team.sign_in(guild_team.ana, person="m-2", platform="guild", connection_id=north.connection_id)
    [*_, question] = guild_team.notifier.revised_to(AccountChoice)
    assert ("North Hall", ["East Hall"]) == (
        question.expected_name,
        [each.name for each in question.connection.choices],
    )
    assert north == await guild_team.connection(north)

    notice = await guild_team.connecting.choose(guild_team.ana, question.connection.connection_id, 0)

    assert isinstance(notice, Connected)
    listed = await guild_team.stores.connections.list_for_team("T1")
    assert ["North Hall", "East Hall"] == [each.account.name for each in listed]
    assert {ConnectionStatus.ACTIVE} == {each.status for each in listed}


async def test_the_same_account_again_brings_its_facts_up_to_date_in_place(guild_team, monkeypatch):
    north = await guild_team.connect_hall(person="m-1")
    monkeypatch.setattr(type(guild_team.guild), "halls", {"m-1": ("north",)})
    real = guild_team.platforms.accounts

    async def accounts(name, credential):
        [found] = await real(name, credential)
        return (replace(found, account=replace(found.account, name="North Hall & Sons", handle="@sons")),)

    monkeypatch.setattr(guild_team.platforms, "accounts", accounts)
    await guild_team.connect(person="m-1", platform="guild", credential_set="halls")

    [again] = await guild_team.stores.connections.list_for_team("T1")
    assert (north.connection_id, "North Hall & Sons", "@sons") == (
        again.connection_id,
        again.account.name,
        again.account.handle,
    )
