"""The connect command and the buttons around accounts, from a signed request to what the member sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from logicspike.domain import ConnectionStatus, Purpose
from logicspike.plugin.errors import PlatformUnavailable
from logicspike.services.connecting import DirectMessageFailed, NoSuchConnection, NotAllowed
from logicspike.services.disconnecting import AccountAmbiguous, AccountNotFound, PostsOnDisconnect
from logicspike.services.notices import AccountChoice, ConnectLink
from logicspike.services.people import SlackUnavailable
from logicspike.services.ports import NameTaken, StoreUnavailable
from logicspike.slack.messages import render_notice

USER = "U0ANA"


@pytest.mark.parametrize("typed", ["echo", "ECHO", "e", " echo "])
async def test_a_platform_is_known_by_name_and_alias_and_the_link_goes_by_direct_message_only(edge, typed):
    answer = await edge.slack.command(USER, "/connect", typed)
    assert "private link to connect Echo" in answer.message.text
    assert answer.message.is_ephemeral
    await edge.settle()
    assert [(edge.ana, "echo", None)] == edge.notes.of("start")
    assert "http" not in answer.message.everything


async def test_an_unknown_platform_brings_the_nearest_one(edge):
    answer = await edge.slack.command(USER, "/connect", "ecko")
    assert "Did you mean `echo`?" in answer.message.everything
    assert [] == edge.notes.calls


async def test_a_platform_without_credentials_is_explained(edge):
    answer = await edge.slack.command(USER, "/connect", "whisper")
    assert "Whisper can't be connected here yet" in answer.message.everything
    assert "WHISPER_CLIENT_ID" in answer.message.everything
    await edge.settle()
    assert [] == edge.notes.calls


async def test_a_mistyped_subcommand_brings_the_right_one(edge):
    answer = await edge.slack.command(USER, "/connect", "hepl")
    assert "`/connect help`" in answer.message.everything


async def test_remove_without_a_name_shows_the_accounts_with_their_buttons(edge):
    await edge.slack.command(USER, "/connect", "remove")
    message = await edge.slack.wait_for_message(USER, "Ann Echo")
    assert "disconnect.ask" in message.action_ids


@pytest.mark.parametrize("typed", ["help", "?"])
async def test_help_is_in_the_answer_itself(edge, typed):
    answer = await edge.slack.command(USER, "/connect", typed)
    assert "/connect echo" in answer.message.everything
    assert [] == edge.notes.calls


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (DirectMessageFailed(), "could not send you a direct message"),
        (StoreUnavailable(), "try again"),
        (SlackUnavailable(), "try again"),
        (PlatformUnavailable("Echo is down."), "Echo is down."),
        (RuntimeError("secret detail"), "Reference"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_a_link_that_could_not_be_sent_is_told(edge, failure, words, caplog):
    edge.notes.failures["start"] = failure
    await edge.slack.command(USER, "/connect", "echo")
    message = await edge.slack.wait_for_message(USER, words)
    assert message.is_ephemeral
    assert "secret detail" not in message.everything


async def test_an_unexpected_failure_has_the_same_reference_in_the_log_and_in_the_answer(edge, caplog):
    edge.notes.failures["start"] = RuntimeError("a bug")
    await edge.slack.command(USER, "/connect", "echo")
    message = await edge.slack.wait_for_message(USER, "Reference")
    [record] = [each for each in caplog.records if getattr(each, "reference", None)]
    assert record.reference in message.everything
    assert record.exc_info is not None


async def test_the_database_being_away_is_told_before_anything_is_done(edge):
    edge.notes.failures["is_first"] = StoreUnavailable()
    await edge.slack.command(USER, "/connect", "echo")
    message = await edge.slack.wait_for_message(USER, "try again")
    assert "Nothing was changed" in message.everything
    assert [] == edge.notes.calls


async def test_the_list_shows_accounts_and_what_can_be_connected(edge):
    await edge.slack.command(USER, "/connect")
    message = await edge.slack.wait_for_message(USER, "Ann Echo")
    assert message.is_ephemeral
    assert "connect.start" in message.action_ids


async def test_remove_asks_first(edge):
    await edge.slack.command(USER, "/connect", "remove echo:c1")
    message = await edge.slack.wait_for_message(USER, "Disconnect Ann Echo")
    assert [(edge.ana, "echo:c1")] == edge.notes.of("plan")
    assert [] == edge.notes.of("disconnect")
    assert "disconnect.hold_posts" in message.action_ids


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (AccountNotFound("ech", "echo:c1"), "Did you mean `echo:c1`?"),
        (NotAllowed(owner_id="U0BEN"), "<@U0BEN>"),
    ],
    ids=["not found", "not allowed"],
)
async def test_remove_says_why_not(edge, failure, words):
    edge.notes.failures["plan"] = failure
    await edge.slack.command(USER, "/connect", "remove ech")
    assert await edge.slack.wait_for_message(USER, words)


async def test_remove_asks_which_when_several_fit(edge):
    edge.notes.failures["plan"] = AccountAmbiguous("echo", edge.disconnecting.connections)
    await edge.slack.command(USER, "/connect", "remove echo")
    message = await edge.slack.wait_for_message(USER, "Which one")
    await edge.slack.click(USER, message, "disconnect.ask")
    assert await edge.slack.wait_for_message(USER, "Disconnect Ann Echo", after=message)
    assert [(edge.ana, "c1")] == edge.notes.of("plan_for")


async def open_question(edge):
    await edge.slack.command(USER, "/connect", "remove echo")
    return await edge.slack.wait_for_message(USER, "Disconnect Ann Echo")


@pytest.mark.parametrize(
    ("action", "posts", "move_to", "words"),
    [
        ("disconnect.hold_posts", PostsOnDisconnect.HOLD, None, "2 posts are on hold"),
        ("disconnect.cancel_posts", PostsOnDisconnect.CANCEL, None, "2 posts are cancelled"),
        ("disconnect.move_posts", PostsOnDisconnect.MOVE, "c2", "2 posts are moved"),
    ],
)
async def test_the_answer_takes_the_place_of_the_question(edge, action, posts, move_to, words):
    question = await open_question(edge)
    value = next(each for each in question.elements if each.get("action_id") == action)
    option = value["options"][0]["value"] if "options" in value else None
    await edge.slack.click(USER, question, action, option)
    message = await edge.slack.wait_for_message(USER, words)
    assert question.ts == message.ts
    assert [(edge.ana, "c1", posts, move_to)] == edge.notes.of("disconnect")


async def test_keeping_changes_nothing_and_says_so(edge):
    question = await open_question(edge)
    await edge.slack.click(USER, question, "disconnect.keep")
    message = await edge.slack.wait_for_message(USER, after=question)
    assert question.ts == message.ts
    assert [] == edge.notes.of("disconnect")


async def test_a_failure_never_takes_the_place_of_the_question(edge):
    question = await open_question(edge)
    edge.notes.failures["disconnect"] = StoreUnavailable()
    await edge.slack.click(USER, question, "disconnect.hold_posts")
    message = await edge.slack.wait_for_message(USER, "try again")
    assert question.ts != message.ts


@pytest.mark.parametrize("failure", [NoSuchConnection(), NotAllowed(owner_id="U0BEN")], ids=["gone", "not allowed"])
async def test_a_stale_button_is_answered_with_how_things_are(edge, failure):
    question = await open_question(edge)
    edge.notes.failures["disconnect"] = failure
    await edge.slack.click(USER, question, "disconnect.hold_posts")
    assert await edge.slack.wait_for_message(USER, "Nothing was changed", after=question)


async def test_a_click_on_connect_sends_a_link(edge):
    await edge.slack.command(USER, "/connect")
    listed = await edge.slack.wait_for_message(USER, "Ann Echo")
    await edge.slack.click(USER, listed, "connect.start")
    assert await edge.slack.wait_for_message(USER, "private link", after=listed)
    assert [(edge.ana, "echo", None)] == edge.notes.of("start")


async def test_a_click_on_reconnect_renews_this_very_account(edge):
    sick = replace(edge.disconnecting.connections[0], status=ConnectionStatus.NEEDS_RECONNECT)
    edge.disconnecting.connections = (sick,)
    await edge.slack.command(USER, "/connect")
    listed = await edge.slack.wait_for_message(USER, "Ann Echo")
    await edge.slack.click(USER, listed, "connect.reconnect")
    assert await edge.slack.wait_for_message(USER, "private link", after=listed)
    assert [(edge.ana, "echo", "c1")] == edge.notes.of("start")


@pytest.fixture
async def choice(edge):
    """The question which of two accounts is meant, as a direct message."""
    connection = edge.disconnecting.connections[0]
    accounts = tuple(replace(connection.account, id=f"p-{n}", name=f"Account {n}") for n in range(2))
    pending = replace(connection, status=ConnectionStatus.PENDING_CHOICE, choices=accounts)
    notice = AccountChoice(connection=pending, typed="echo", platform_title="Echo")
    return await edge.show(render_notice(notice, zone="UTC", now=edge.clock.now()))


async def test_the_chosen_account_takes_the_place_of_the_choice(edge, choice):
    await edge.slack.click(USER, choice, "connect.choose", "c1:1")
    message = await edge.slack.wait_for_message(USER, "Connected", after=choice)
    assert choice.ts == message.ts
    assert [(edge.ana, "c1", 1)] == edge.notes.of("choose")


async def test_an_account_that_is_taken_leaves_the_choice(edge, choice):
    edge.notes.failures["choose"] = NameTaken()
    await edge.slack.click(USER, choice, "connect.choose", "c1:0")
    message = await edge.slack.wait_for_message(USER, "connected in your workspace already", after=choice)
    assert choice.ts != message.ts


async def test_a_click_delivered_twice_has_one_effect(edge, choice):
    answer = await edge.slack.click(USER, choice, "connect.choose", "c1:1")
    again = await edge.slack.redeliver(answer.sent)
    await edge.settle()
    assert again.is_ok
    assert 1 == len(edge.notes.of("choose"))


async def test_a_button_that_opens_a_page_needs_no_answer(edge):
    notice = ConnectLink(
        title="Echo",
        platform_title="Echo",
        permissions=("post as you",),
        workspace_name="Acme",
        url="https://bot.example.com/connect/ticket",
        purpose=Purpose.CONNECT,
        account_name=None,
        expires_at=edge.clock.now() + timedelta(minutes=10),
    )
    message = await edge.show(render_notice(notice, zone="UTC", now=edge.clock.now()))
    before = len(edge.slack.messages_for(USER))
    answer = await edge.slack.click(USER, message, "link.open")
    await edge.settle()
    assert (True, "") == (answer.is_ok, answer.text)
    assert before == len(edge.slack.messages_for(USER))


async def test_an_answer_whose_address_has_ended_comes_by_direct_message(edge):
    body = edge.command_body("remove echo")
    assert (200, "") == await edge.post(body)
    message = await edge.slack.wait_for_message(USER, "Disconnect Ann Echo")
    assert edge.slack.im_of(USER) == message.channel
