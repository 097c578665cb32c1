"""What members see of an account while they choose and confirm it, and what becomes of a picture Slack can't fetch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from logicspike.domain import Connection, ConnectionStatus, Member
from logicspike.plugin.types import Account
from logicspike.services.notices import AccountChoice, Connected, ConnectFailed
from logicspike.slack.authorize import CachedAuthorize
from logicspike.slack.directory import SlackDirectory
from logicspike.slack.messages import render_notice
from logicspike.slack.notifier import DirectMessages, SlackNotifier

USER = "U0ANA"
ANA = Member(team_id="T0ACME", user_id=USER)
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
PAGE = Account(
    id="1",
    name="Acme Inc",
    kind="page",
    handle="@acme",
    url="https://social.example/acme",
    picture="https://social.example/acme.png",
)


def make_connection(connection_id="c1", **rest):
    known = {"connection_id": connection_id, "team_id": ANA.team_id, "owner_id": ANA.user_id, "platform": "echo"}
    more = {"account": PAGE, "status": ConnectionStatus.ACTIVE, "nickname": "echo:acme", "created_at": NOW}
    return Connection(**known | more | rest)


@pytest.fixture
def notifier(client, clock):
    directory = SlackDirectory(client, authorize=CachedAuthorize(client), admins=(), clock=clock)
    return SlackNotifier(DirectMessages(client), directory=directory, clock=clock)


def to_choice(*accounts, reconnects=None, expected=None):
    connection = make_connection(
        "q1", status=ConnectionStatus.PENDING_CHOICE, choices=accounts, account=accounts[0], reconnects=reconnects
    )
    return AccountChoice(connection=connection, typed="echo", platform_title="Echo", expected_name=expected)


def render(notice):
    return render_notice(notice, zone="UTC", now=NOW, titles={"echo": "Echo"})


def pictures(message):
    return [
        block["accessory"]["image_url"]
        for block in message.to_payload()["blocks"]
        if block.get("accessory", {}).get("type") == "image"
    ]


async def test_the_choice_shows_each_account_as_it_is_recognised(edge):
    other = replace(PAGE, id="2", name="Beta Ltd", handle=None, picture=None, kind="organization")

    message = await edge.show(render(to_choice(PAGE, other)))

    assert "Page · @acme · " in message.everything
    assert "https://social.example/acme" in str(message.blocks)
    assert "Company page" in message.everything
    assert ["https://social.example/acme.png"] == pictures(render(to_choice(PAGE, other)))
    menu = next(each for each in message.elements if each["action_id"] == "connect.choose")
    assert ["Page · @acme", "Company page"] == [option["description"]["text"] for option in menu["options"]]


def test_a_long_list_is_a_menu_alone():
    many = [replace(PAGE, id=str(nth), name=f"Page {nth}") for nth in range(11)]

    assert [] == pictures(render(to_choice(*many)))
    assert 10 == len(pictures(render(to_choice(*many[:10]))))


@pytest.mark.parametrize(
    ("kinds", "label"),
    [
        (("page", "page"), "Page not in the list?"),
        (("organization",) * 2, "Company page not in the list?"),
        (("page", "profile"), "Account not in the list?"),
    ],
)
async def test_an_account_that_is_not_in_the_list_is_asked_for_again(edge, kinds, label):
    accounts = [replace(PAGE, id=str(nth), kind=kind) for nth, kind in enumerate(kinds)]
    message = await edge.show(render(to_choice(*accounts)))
    assert label in message.everything

    await edge.slack.click(USER, message, "connect.ask_again")
    await edge.settle()

    assert [(ANA, "echo", None)] == edge.notes.of("ask again")


async def test_of_a_reconnect_it_is_the_reconnect_that_is_asked_again(edge):
    message = await edge.show(render(to_choice(PAGE, replace(PAGE, id="2"), reconnects="c9", expected="Gamma")))

    await edge.slack.click(USER, message, "connect.ask_again")
    await edge.settle()

    assert [(ANA, "echo", "c9")] == edge.notes.of("ask again")


async def test_a_single_other_account_is_named_and_added_by_a_button(edge):
    message = await edge.show(render(to_choice(PAGE, reconnects="c9", expected="Gamma Co")))
    assert "You signed in as Acme Inc; the account to renew is Gamma Co" in message.everything
    assert "Gamma Co, which stays as it was" in message.everything
    assert ["Add Acme Inc as a new account", "Sign in again"] == [
        each["text"]["text"] for each in message.elements if each["type"] == "button"
    ][:2]

    await edge.slack.click(USER, message, "connect.choose")
    await edge.settle()

    assert [(ANA, "q1", 0)] == edge.notes.of("choose")


@pytest.mark.parametrize(("again", "action"), [(True, "connect.ask_again"), (False, "connect.start")])
async def test_a_failed_sign_in_asks_again_for_what_may_have_been_declined(edge, again, action):
    notice = ConnectFailed(
        typed="echo", platform_title="Echo", explanation="No.", connection_id=None, is_for_asking_again=again
    )

    message = await edge.show(render(notice))

    assert (action,) == message.action_ids


async def test_the_confirmation_shows_the_account(edge):
    connected = Connected(connection=make_connection("c1", account=PAGE), platform_title="Echo")

    message = await edge.show(render(connected))

    assert "Page · @acme" in message.everything
    assert ["https://social.example/acme.png"] == pictures(render(connected))


@pytest.mark.parametrize(
    "picture",
    ["http://social.example/a.png", "javascript:alert(1)", "https://", "data:image/png;base64,AA", "", "x" * 4000],
)
async def test_a_picture_that_slack_could_not_fetch_safely_is_left_out(edge, picture):
    connected = Connected(connection=make_connection("c1", account=replace(PAGE, picture=picture)), platform_title="E")

    assert [] == pictures(render(connected))
    assert await edge.show(render(connected))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x.example/", None])
def test_only_a_web_address_is_linked_to(url):
    connected = Connected(connection=make_connection("c1", account=replace(PAGE, url=url)), platform_title="Echo")

    assert "See it on" not in str(render(connected).to_payload())


async def test_a_picture_that_slack_cannot_fetch_does_not_keep_the_message_away(slack, notifier):
    connected = Connected(connection=make_connection("c1", account=PAGE), platform_title="Echo")
    slack.api.fail("chat.postMessage", "invalid_blocks", times=1)
    reference = await notifier.notify(ANA, connected)
    [message] = slack.messages_for(USER)
    assert "Page · @acme" in message.everything
    assert "acme.png" not in str(message.blocks)

    slack.api.fail("chat.update", "invalid_blocks", times=1)
    await notifier.revise(reference, replace(connected, connection=make_connection("c2", account=PAGE)))

    [message] = slack.messages_for(USER)
    assert "acme.png" not in str(message.blocks)


async def test_a_message_without_pictures_that_slack_refuses_is_not_sent_twice(slack, notifier):
    slack.api.fail("chat.postMessage", "invalid_blocks")

    assert None is await notifier.notify(
        ANA, Connected(connection=make_connection("c1", account=replace(PAGE, picture=None)), platform_title="Echo")
    )

    assert 1 == sum(each.method == "chat.postMessage" for each in slack.api.calls)
