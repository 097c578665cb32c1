"""Direct messages: sent in private, revised in place, and their failures logged."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from logicspike.domain import Member, Purpose
from logicspike.services.notices import ConnectEnded, ConnectLink
from logicspike.services.people import Notifier
from logicspike.slack.authorize import CachedAuthorize
from logicspike.slack.directory import SlackDirectory
from logicspike.slack.messages import help_connect
from logicspike.slack.notifier import DirectMessages, SlackNotifier

ANA = Member(team_id="T0ACME", user_id="U0ANA")
TICKET = "s3cret-ticket"


@pytest.fixture
def messages(client):
    return DirectMessages(client)


@pytest.fixture
def notifier(client, clock, messages) -> Notifier:
    directory = SlackDirectory(client, authorize=CachedAuthorize(client), admins=(), clock=clock)
    return SlackNotifier(messages, directory=directory, clock=clock, titles={"echo": "Echo"})


@pytest.fixture
def link(clock) -> ConnectLink:
    return ConnectLink(
        title="Echo",
        platform_title="Echo",
        permissions=("post as you",),
        workspace_name="Acme",
        url=f"https://bot.example.com/connect/{TICKET}",
        purpose=Purpose.CONNECT,
        account_name=None,
        expires_at=clock.now() + timedelta(minutes=10),
    )


async def test_a_notice_goes_to_its_reader_alone_and_nothing_is_fetched_for_a_preview(slack, notifier, link):
    assert await notifier.notify(ANA, link)
    [message] = slack.messages_for("U0ANA")
    assert slack.im_of("U0ANA") == message.channel
    assert TICKET in message.everything
    assert () == slack.messages_for("U0BEN")
    [call] = [each for each in slack.api.calls if each.method == "chat.postMessage"]
    assert [str(call.args[each]).lower() for each in ("unfurl_links", "unfurl_media")] in (["false"] * 2, ["0"] * 2)


async def test_a_notice_is_revised_in_place(slack, notifier, link):
    reference = await notifier.notify(ANA, link)
    await notifier.revise(reference, ConnectEnded(typed="echo", platform_title="Echo", connection_id=None))
    [message] = slack.messages_for("U0ANA")
    assert "You cancelled" in message.everything
    assert TICKET not in message.everything


async def test_times_are_in_the_readers_zone_also_after_a_revision(slack, notifier, link, clock):
    reference = await notifier.notify(ANA, link)
    [first] = slack.messages_for("U0ANA")
    await notifier.revise(reference, link)
    [second] = slack.messages_for("U0ANA")
    assert first.everything == second.everything


async def test_the_conversation_is_opened_once(slack, messages):
    for _ in range(3):
        await messages.send(ANA, help_connect())
    assert 1 == sum(each.method == "conversations.open" for each in slack.api.calls)


@pytest.mark.parametrize("method", ["conversations.open", "chat.postMessage"])
async def test_a_message_that_slack_does_not_take_is_logged_without_its_text(slack, notifier, link, method, caplog):
    slack.api.fail(method, "channel_not_found")
    assert await notifier.notify(ANA, link) is None
    [record] = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert "channel_not_found" in record.getMessage()
    assert TICKET not in caplog.text


async def test_a_revision_that_slack_does_not_take_is_logged(slack, notifier, link, caplog):
    slack.api.fail("chat.update", "message_not_found")
    await notifier.revise("D1:1.2:T0ACME:U0ANA", link)
    assert "message_not_found" in caplog.text


@pytest.mark.parametrize("reference", ["D1:1.2", "nonsense", ""])
async def test_a_reference_of_another_shape_harms_nobody(notifier, link, reference, caplog):
    await notifier.revise(reference, link)
    assert "chat.update failed" in caplog.text


async def test_a_rate_limit_is_waited_out(slack, notifier, link):
    slack.api.fail("chat.postMessage", "ratelimited", times=1, retry_after=0)
    assert await notifier.notify(ANA, link)


async def test_a_forgotten_conversation_is_opened_anew(slack, messages):
    await messages.send(ANA, help_connect())
    slack.api.fail("chat.postMessage", "channel_not_found", times=1)
    assert await messages.send(ANA, help_connect()) is None
    assert await messages.send(ANA, help_connect())
    assert 2 == sum(each.method == "conversations.open" for each in slack.api.calls)


async def test_a_notice_is_sent_even_when_the_readers_zone_is_not_known(slack, notifier, clock, link):
    slack.api.fail("users.info", "internal_error")
    assert await notifier.notify(ANA, link)
