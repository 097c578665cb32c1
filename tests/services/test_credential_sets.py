"""A platform's second developer app: what it may do is connected apart, and stays apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from team import BROWSER
from yarl import URL

from logicspike.domain import ConnectionStatus, DeliveryState, HoldReason
from logicspike.plugin.errors import RateLimited
from logicspike.services.disconnecting import AccountAmbiguous
from logicspike.services.notices import AccountChoice, ConnectFailed, ConnectLink
from logicspike.services.scheduling import AccountQuestion, NotScheduled


async def test_the_link_names_the_set_and_asks_for_its_own_permissions(guild_team):
    await guild_team.connecting.start(guild_team.ana, "guild", credential_set="halls")

    [link] = guild_team.notifier.of(ConnectLink)
    assert ("Guild halls", "Guild") == (link.title, link.platform_title)
    assert ("publish posts for the halls you keep",) == link.permissions
    page = await guild_team.connecting.open_link(guild_team.ticket)
    assert ("Guild halls", "Guild", link.permissions) == (page.title, page.platform_title, page.permissions)
    url = URL(await guild_team.connecting.begin(guild_team.ticket, BROWSER))
    assert ("halls-id", "speak_for_halls") == (url.query["client_id"], url.query["scope"])


async def test_an_account_is_connected_and_posts_through_the_set_it_was_chosen_by(guild_team):
    hall = await guild_team.connect_hall(position=1)

    assert ("halls", "South Hall") == (hall.credential_set, hall.account.name)
    stored = await guild_team.connection(hall)
    assert "halls" == stored.credential_set
    delivery = await guild_team.schedule(accounts=("guild",))
    await guild_team.deliver(after=delivery.due_at - guild_team.clock.now())
    assert ["south"] == [entry.account.id for entry in guild_team.guild.ledger]


async def test_what_was_chosen_keeps_its_handle_link_and_picture(guild_team):
    hall = await guild_team.connect_hall(position=0)

    account = (await guild_team.connection(hall)).account
    assert ("hall", "@north", "https://guild.example/halls/north") == (account.kind, account.handle, account.url)
    assert account.picture.endswith("/pictures/north.png")


async def test_a_reconnect_goes_through_the_set_the_account_came_by(guild_team):
    hall = await guild_team.connect_hall()

    await guild_team.connecting.start(guild_team.ana, "guild", connection_id=hall.connection_id)

    url = URL(await guild_team.connecting.begin(guild_team.ticket, BROWSER))
    assert "halls-id" == url.query["client_id"]
    await guild_team.follow_link(person="m-1", platform="guild")
    assert 2 == (await guild_team.connection(hall)).token_version


async def test_an_ended_link_is_renewed_for_the_same_set(guild_team):
    await guild_team.connecting.start(guild_team.ana, "guild", credential_set="halls")

    await guild_team.connecting.renew(guild_team.ticket)

    assert ["Guild halls"] * 2 == [link.title for link in guild_team.notifier.of(ConnectLink)]


async def test_a_member_who_keeps_no_hall_is_told_so_and_can_try_again(guild_team):
    await guild_team.sign_in(guild_team.ana, person="m-3", platform="guild", credential_set="halls")

    [failed] = guild_team.notifier.revised_to(ConnectFailed)
    assert "guild-hall" == failed.typed
    assert () == await guild_team.stores.connections.list_for_team("T1")


async def test_scopes_are_held_to_the_set_and_not_to_the_platform(guild_team):
    await guild_team.sign_in(guild_team.ana, person="m-1", platform="guild", credential_set="halls")

    assert [AccountChoice] == [type(notice) for _, notice in guild_team.notifier.revised]


async def test_without_its_second_app_only_that_apps_accounts_wait(guild_team, monkeypatch):
    await guild_team.connect(person="m-2", platform="guild")
    hall = await guild_team.connect_hall()
    posts = [await guild_team.schedule(accounts=(each,)) for each in ("guild:ben-guild", hall.nickname)]
    app = guild_team.platforms._apps["guild"]
    without = replace(app, more_clients={}, set_problems={"halls": ("GUILD_HALLS_CLIENT_ID is not set.",)})
    monkeypatch.setitem(guild_team.platforms._apps, "guild", without)

    await guild_team.deliver(after=posts[0].due_at - guild_team.clock.now())

    own, held = [await guild_team.read(post) for post in posts]
    assert DeliveryState.PUBLISHED == own.state
    assert (DeliveryState.HELD, HoldReason.OPERATOR) == (held.state, held.hold_reason)
    assert ConnectionStatus.ACTIVE == (await guild_team.connection(hall)).status


async def test_an_account_is_removed_by_what_it_was_connected_by(guild_team):
    await guild_team.connect(person="m-2", platform="guild")
    await guild_team.connect_hall()

    plan = await guild_team.disconnecting.plan(guild_team.ana, "guild-hall")

    assert "North Hall" == plan.connection.account.name
    with pytest.raises(AccountAmbiguous):
        await guild_team.disconnecting.plan(guild_team.ana, "guild")


@pytest.mark.parametrize("is_the_halls", [False, True])
async def test_a_limit_of_one_app_holds_back_its_own_accounts_only(guild_team, monkeypatch, is_the_halls):
    north = await guild_team.connect_hall(position=0)
    member = await guild_team.connect(person="m-2", platform="guild")
    limited, other = (north, member) if is_the_halls else (member, north)
    publish, until = guild_team.platforms.publish, guild_team.clock.now() + timedelta(hours=2)

    async def refuse_the_limited(name, credential, post, prepared):
        if credential.credential_set == limited.credential_set:
            raise RateLimited("no more today", until=until, is_app_wide=True)
        return await publish(name, credential, post, prepared)

    monkeypatch.setattr(guild_team.platforms, "publish", refuse_the_limited)
    held = await guild_team.schedule("held back", accounts=(limited.nickname,))
    free = await guild_team.schedule("free", accounts=(other.nickname,), due_in=timedelta(minutes=3))

    for _ in range(5):
        await guild_team.deliver(after=timedelta(minutes=1))

    assert (DeliveryState.SCHEDULED, until) == (
        (await guild_team.read(held)).state,
        (await guild_team.read(held)).next_try_at,
    )
    assert DeliveryState.PUBLISHED is (await guild_team.read(free)).state
    paused = {each.connection_id: each.paused_until for each in await guild_team.stores.connections.list_for_team("T1")}
    assert {limited.connection_id: until, other.connection_id: None} == paused


async def test_a_second_account_of_the_limited_app_waits_as_well(guild_team, monkeypatch):
    north, south = await guild_team.connect_hall(position=0), await guild_team.connect_hall(position=1)
    until = guild_team.clock.now() + timedelta(hours=2)
    asked = []

    async def refuse(_name, credential, _post, _prepared):
        asked.append(credential.account.id)
        raise RateLimited("no more today", until=until, is_app_wide=True)

    monkeypatch.setattr(guild_team.platforms, "publish", refuse)
    await guild_team.schedule("first", accounts=(north.nickname,))
    later = await guild_team.schedule("second", accounts=(south.nickname,), due_in=timedelta(minutes=3))

    for _ in range(5):
        await guild_team.deliver(after=timedelta(minutes=1))

    assert ["north"] == asked
    assert until == (await guild_team.read(later)).next_try_at


async def test_a_post_goes_to_the_one_account_that_came_by_what_is_typed(guild_team):
    await guild_team.connect(person="m-2", platform="guild")
    hall = await guild_team.connect_hall()

    delivery = await guild_team.schedule(accounts=("guild-hall",))

    assert hall.connection_id == delivery.connection_id
    several = await guild_team.scheduling.schedule(guild_team.request(accounts=("guild",)))
    assert isinstance(several, AccountQuestion)


async def test_without_an_account_of_the_set_its_own_connect_button_is_offered(guild_team):
    await guild_team.connect(person="m-2", platform="guild")

    result = await guild_team.scheduling.schedule(guild_team.request(accounts=("guild-hall",)))

    assert isinstance(result, NotScheduled)
    [problem] = result.problems
    assert ("You have none of your Guild halls connected yet.", "guild-hall") == (
        problem.message,
        problem.connect_platform,
    )
