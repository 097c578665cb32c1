from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from yarl import URL

from logicspike.domain import ConnectionStatus, Purpose
from logicspike.events import ConnectionCompleted, ConnectionRefused
from logicspike.platforms import PlatformNotReady
from logicspike.services.connecting import (
    DirectMessageFailed,
    LinkEnded,
    NotAllowed,
    StateUnknown,
    WrongBrowser,
)
from logicspike.services.notices import AccountChoice, Connected, ConnectEnded, ConnectFailed, ConnectLink
from logicspike.testing import press_allow

BROWSER = "b" * 43


async def test_a_member_gets_a_private_link_and_connects(team):
    result_id = await team.sign_in(team.ana)

    result = await team.connecting.find_result(result_id)
    assert ("connected", "Echo", "Ann Echo") == (result.outcome, result.platform_title, result.account_name)
    [connection] = await team.stores.connections.list_for_team("T1")
    assert ConnectionStatus.ACTIVE == connection.status
    assert "UANA" == connection.owner_id
    assert "echo:ann-echo" == connection.nickname
    assert [Connected] == [type(notice) for _, notice in team.notifier.revised]
    assert any(isinstance(event, ConnectionCompleted) for event in team.events)


async def test_the_link_goes_to_the_member_who_asked_and_says_when_it_ends(team):
    await team.connecting.start(team.ana, "echo")

    [(member, link)] = team.notifier.sent
    assert team.ana == member
    assert isinstance(link, ConnectLink)
    assert team.clock.now() + timedelta(minutes=10) == link.expires_at
    assert link.url.startswith("http://127.0.0.1:3999/connect/")


async def test_the_page_names_workspace_member_and_platform_and_changes_nothing(team):
    await team.connecting.start(team.ana, "echo")

    first, second = await team.connecting.open_link(team.ticket), await team.connecting.open_link(team.ticket)

    assert first == second
    assert ("Workspace T1", "Uana", "Echo") == (first.workspace_name, first.member_name, first.platform_title)
    assert Purpose.CONNECT == first.purpose
    assert [] == [path for _, path in team.fake.requests]


async def test_each_click_makes_a_fresh_authorize_url(team):
    await team.connecting.start(team.ana, "echo")

    first, second = [URL(await team.connecting.begin(team.ticket, BROWSER)) for _ in range(2)]

    assert first.query["state"] != second.query["state"]
    assert first.query["code_challenge"] != second.query["code_challenge"]
    assert "S256" == first.query["code_challenge_method"]
    assert len(first.query["state"]) == 43


async def test_no_secret_is_stored_in_the_clear(team, mongo_database):
    await team.connecting.start(team.ana, "echo")
    url = URL(await team.connecting.begin(team.ticket, BROWSER))

    stored = str([each async for each in mongo_database.collection("pending_authorizations").find({})])
    for secret in (team.ticket, url.query["state"], BROWSER):
        assert secret not in stored


async def test_tokens_are_sealed_in_the_database(team, mongo_database):
    await team.connect()

    stored = str([each async for each in mongo_database.collection("social_connections").find({})])
    for token in [*team.fake._access, *team.fake._refresh]:
        assert token not in stored


async def test_a_state_is_used_once_even_when_fifty_callbacks_race(team):
    await team.connecting.start(team.ana, "echo")
    callback = team.callback(await press_allow(team.http, await team.connecting.begin(team.ticket, BROWSER)))

    outcomes = await asyncio.gather(*(team.connecting.finish(callback) for _ in range(50)), return_exceptions=True)

    assert 1 == sum(isinstance(outcome, str) for outcome in outcomes)
    assert 49 == sum(isinstance(outcome, StateUnknown) for outcome in outcomes)
    assert 1 == sum(path == "/token" for _, path in team.fake.requests)


async def test_an_expired_state_is_refused_though_it_is_still_stored(team):
    await team.connecting.start(team.ana, "echo")
    callback = team.callback(await press_allow(team.http, await team.connecting.begin(team.ticket, BROWSER)))
    team.clock.advance(timedelta(seconds=601))

    with pytest.raises(StateUnknown):
        await team.connecting.finish(callback)
    assert () == await team.stores.connections.list_for_team("T1")


async def test_another_browser_is_refused_and_does_not_use_up_the_state(team):
    await team.connecting.start(team.ana, "echo")
    url = await press_allow(team.http, await team.connecting.begin(team.ticket, BROWSER))

    with pytest.raises(WrongBrowser):
        await team.connecting.finish(team.callback(url, browser="x" * 43))

    assert await team.connecting.finish(team.callback(url))


async def test_a_state_of_another_platform_is_refused(team):
    await team.connecting.start(team.ana, "echo")
    url = await press_allow(team.http, await team.connecting.begin(team.ticket, BROWSER))

    with pytest.raises(StateUnknown):
        await team.connecting.finish(team.callback(url, platform="whisper"))


async def test_an_ended_link_can_be_renewed_by_dm(team):
    await team.connecting.start(team.ana, "echo")
    old = team.ticket
    team.clock.advance(timedelta(minutes=11))

    with pytest.raises(LinkEnded) as ended:
        await team.connecting.open_link(old)
    assert ended.value.can_renew
    await team.connecting.renew(old)

    assert 2 == len(team.notifier.of(ConnectLink))
    assert old != team.ticket
    assert (await team.connecting.open_link(team.ticket)).member_name == "Uana"


async def test_a_link_is_spent_by_a_sign_in(team):
    await team.sign_in(team.ana)

    with pytest.raises(LinkEnded) as ended:
        await team.connecting.begin(team.ticket, BROWSER)
    assert ended.value.can_renew


async def test_an_unknown_link_cannot_be_renewed(team):
    with pytest.raises(LinkEnded) as ended:
        await team.connecting.renew("never-ours")
    assert not ended.value.can_renew
    assert [] == team.notifier.sent


async def test_cancelling_at_the_platform_connects_nothing_and_says_so(team):
    result = await team.connecting.find_result(await team.cancel_sign_in(team.ana))

    assert "canceled" == result.outcome
    assert () == await team.stores.connections.list_for_team("T1")
    assert [ConnectEnded] == [type(notice) for _, notice in team.notifier.revised]
    assert ["canceled"] == [event.outcome for event in team.events if isinstance(event, ConnectionRefused)]


async def test_an_error_from_the_platform_is_not_repeated_to_anybody(team):
    await team.connecting.start(team.ana, "echo")
    url = URL(await team.connecting.begin(team.ticket, BROWSER))
    callback = team.callback(f"http://x/?state={url.query['state']}&error=<script>evil")

    result = await team.connecting.find_result(await team.connecting.finish(callback))

    assert "failed" == result.outcome
    assert "evil" not in str(result) + str(team.notifier.revised)


async def test_an_error_the_plugin_knows_is_told_in_its_words(team, monkeypatch):
    await team.connecting.start(team.ana, "echo")
    url = URL(await team.connecting.begin(team.ticket, BROWSER))
    platform = replace(team.platforms.get("echo"), callback_errors={"not_for_you": "An admin must ask Echo first."})
    monkeypatch.setattr(team.platforms, "get", lambda _name: platform)
    callback = team.callback(f"http://x/?state={url.query['state']}&error=not_for_you")

    result = await team.connecting.find_result(await team.connecting.finish(callback))

    assert ("failed", "An admin must ask Echo first.") == (result.outcome, result.explanation)


async def test_a_platform_that_is_down_is_said_so_and_nothing_is_stored(team):
    await team.connecting.start(team.ana, "echo")
    url = await press_allow(team.http, await team.connecting.begin(team.ticket, BROWSER))
    team.fake.switch("unavailable")

    result = await team.connecting.find_result(await team.connecting.finish(team.callback(url)))

    assert "unavailable" == result.outcome
    assert () == await team.stores.connections.list_for_team("T1")


async def test_connecting_the_same_account_again_updates_it_in_place(team):
    first = await team.connect()
    await team.sign_in(team.ana)

    [again] = await team.stores.connections.list_for_team("T1")
    assert first.connection_id == again.connection_id
    assert first.token_version < again.token_version


async def test_an_account_that_a_colleague_has_connected_is_not_taken_over(team):
    before = await team.connect(team.ana)

    result = await team.connecting.find_result(await team.sign_in(team.ben))

    assert "taken" == result.outcome
    [after] = await team.stores.connections.list_for_team("T1")
    assert before == after
    assert [] != team.notifier.revised_to(ConnectFailed)


async def test_the_same_account_in_another_workspace_is_a_connection_of_its_own(team):
    await team.connect(team.ana)
    await team.connect(team.stranger)

    assert 1 == len(await team.stores.connections.list_for_team("T1"))
    assert 1 == len(await team.stores.connections.list_for_team("T2"))


async def test_another_account_on_reconnect_is_refused_and_offered_as_a_new_one(team):
    ann = await team.connect(person="p-1")

    result = await team.connecting.find_result(
        await team.sign_in(team.ana, person="p-2", connection_id=ann.connection_id)
    )

    assert ("wrong_account", "Ann Echo") == (result.outcome, result.account_name)
    assert ann == await team.connection(ann)
    [choice] = team.notifier.revised_to(AccountChoice)
    assert "Ann Echo" == choice.expected_name

    added = await team.connecting.choose(team.ana, choice.connection.connection_id, 0)

    assert isinstance(added, Connected)
    names = {each.account.name for each in await team.stores.connections.list_for_team("T1")}
    assert {"Ann Echo", "Ben Echo"} == names


async def test_a_choice_is_the_askers_alone(team):
    ann = await team.connect(person="p-1")
    await team.sign_in(team.ana, person="p-2", connection_id=ann.connection_id)
    [choice] = team.notifier.revised_to(AccountChoice)

    with pytest.raises(NotAllowed):
        await team.connecting.choose(team.ben, choice.connection.connection_id, 0)


async def test_a_link_that_cannot_be_sent_is_reported(team):
    team.notifier.is_down = True

    with pytest.raises(DirectMessageFailed):
        await team.connecting.start(team.ana, "echo")


async def test_an_unknown_platform_is_refused_before_anything_is_sent(team):
    with pytest.raises(PlatformNotReady):
        await team.connecting.start(team.ana, "nowhere")
    assert [] == team.notifier.sent


async def test_only_the_owner_can_renew_a_connection(team):
    connection = await team.connect(team.ana)

    with pytest.raises(NotAllowed):
        await team.connecting.start(team.ben, "echo", connection_id=connection.connection_id)
