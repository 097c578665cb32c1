"""What a browser need not wait for: it comes to pass all the same, and nothing that was stored depends on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from memory_slack import RecordingNotifier
from yarl import URL

from logicspike.domain import ConnectionStatus, Member
from logicspike.plugin import Account
from logicspike.services import connecting
from logicspike.services.connecting import Callback, LinkEnded
from logicspike.services.notices import Connected, ConnectLink, Notice
from logicspike.services.ports import StoreUnavailable
from logicspike.slack.client import build_client
from logicspike.slack.notifier import DirectMessages, SlackNotifier
from logicspike.testing import press_allow

BROWSER = "b" * 43
PATIENCE = 20.0


@dataclass
class HangingSlack:
    """Slack's Web API, which takes requests and answers none until it is let go."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    answered: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        self.asked.set()
        await self.go.wait()
        self.answered.append(request.match_info["method"])
        return web.json_response({"ok": True, "channel": "D1", "ts": "1.2"})


@pytest.fixture
async def slack(team) -> AsyncIterator[HangingSlack]:
    """All messages of the team go there once its link was sent."""
    hanging = HangingSlack()
    app = web.Application()
    app.add_routes([web.post("/api/{method}", hanging.answer)])
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        client = build_client(token="xoxb-test", api_url=str(server.make_url("/api/")), session=http)
        notifier = SlackNotifier(DirectMessages(client), directory=team.directory, clock=team.clock)
        await team.connecting.start(team.ana, "echo")
        team.connecting._notifier = notifier
        yield hanging
        hanging.go.set()
        await team.settle()


async def sign_in_at_the_platform(team) -> Callback:
    url = await team.connecting.begin(team.ticket, BROWSER)
    return team.callback(await press_allow(team.http, url))


async def test_the_browser_does_not_wait_for_slack_and_the_message_comes_all_the_same(team, slack):
    callback = await sign_in_at_the_platform(team)

    async with asyncio.timeout(PATIENCE):
        result_id = await team.connecting.finish(callback)
        await slack.asked.wait()

    assert "connected" == (await team.connecting.find_result(result_id)).outcome
    assert [] == slack.answered
    slack.go.set()
    await team.settle()
    assert ["chat.update"] == slack.answered


async def test_a_process_that_dies_right_after_the_redirect_leaves_everything_but_the_message(team, slack):
    result_id = await team.connecting.finish(await sign_in_at_the_platform(team))

    assert 1 == await team.tasks.drain(timedelta(0))

    [connection] = await team.stores.connections.list_for_team("T1")
    assert (ConnectionStatus.ACTIVE, "UANA", 1) == (
        connection.status,
        connection.owner_id,
        connection.token_version,
    )
    assert "connected" == (await team.connecting.find_result(result_id)).outcome
    with pytest.raises(LinkEnded):
        await team.connecting.begin(team.ticket, BROWSER)
    await team.schedule("Hello", due_in=timedelta(minutes=1))
    await team.deliver(after=timedelta(minutes=1))
    assert ["Hello"] == [entry.text for entry in team.fake.ledger], "its tokens are good for publishing"


async def test_with_too_much_under_way_the_browser_waits_and_the_member_is_told(team):
    await team.connecting.start(team.ana, "echo")
    callback = await sign_in_at_the_platform(team)
    team.tasks._limit = 0

    await team.connecting.finish(callback)

    assert 1 == len(team.notifier.revised_to(Connected))


async def test_a_member_is_told_though_the_page_and_the_end_of_the_link_could_not_be_written(team, monkeypatch, caplog):
    await team.connecting.start(team.ana, "echo")
    callback = await sign_in_at_the_platform(team)

    async def fail(*_arguments: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as outage:
        outage.setattr(team.stores.pending, "save_result", fail)
        outage.setattr(team.stores.pending, "spend_ticket", fail)
        result_id = await team.finish(callback)

    assert await team.connecting.find_result(result_id) is None
    assert [ConnectLink, Connected] == [type(notice) for _, notice in team.notifier.sent]
    assert "could not be written" in caplog.text


class SlowToAnswer(RecordingNotifier):
    """Slack delivers the message at once, and says so to the bot when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered, self.answers = asyncio.Event(), asyncio.Event()

    async def notify(self, member: Member, notice: Notice) -> str | None:
        reference = await super().notify(member, notice)
        self.delivered.set()
        await self.answers.wait()
        return reference


@pytest.fixture
def slow(team, monkeypatch) -> SlowToAnswer:
    notifier = SlowToAnswer()
    monkeypatch.setattr(team.connecting, "_notifier", notifier)
    monkeypatch.setattr(team.connecting._links, "_notifier", notifier)
    monkeypatch.setattr(connecting, "_BETWEEN_LOOKS", 0.01)
    return notifier


async def sign_in_before_slack_answers(team, slow: SlowToAnswer) -> asyncio.Task[None]:
    """Use a link that the bot is still sending; the sending."""
    sending = asyncio.create_task(team.connecting.start(team.ana, "echo"))
    await slow.delivered.wait()
    [link] = slow.of(ConnectLink)
    url = await team.connecting.begin(URL(link.url).name, BROWSER)
    await team.connecting.finish(team.callback(await press_allow(team.http, url)))
    return sending


async def test_a_member_who_is_faster_than_slacks_answer_sees_the_outcome_in_place_of_the_link(team, slow):
    sending = await sign_in_before_slack_answers(team, slow)
    slow.answers.set()
    await sending
    await team.settle()

    assert [ConnectLink] == [type(notice) for _, notice in slow.sent]
    assert [("DUANA:1", Connected)] == [(message, type(notice)) for message, notice in slow.revised]


async def test_a_member_whose_link_slack_does_not_confirm_is_told_in_a_new_message(team, slow, monkeypatch):
    monkeypatch.setattr(connecting, "_LOOKS_FOR_MESSAGE", 2)
    sending = await sign_in_before_slack_answers(team, slow)
    slow.delivered.clear()

    async with asyncio.timeout(PATIENCE):
        await slow.delivered.wait()

    assert [ConnectLink, Connected] == [type(notice) for _, notice in slow.sent]
    slow.answers.set()
    await sending


async def test_a_member_is_told_though_held_posts_could_not_be_released_yet(team, monkeypatch):
    connection = await team.connect()

    async def fail(_connection: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(team.releasing, "release", fail)
    await team.sign_in(team.ana, connection_id=connection.connection_id)

    assert 2 == len(team.notifier.revised_to(Connected))


async def test_a_second_account_of_the_same_name_gets_a_nickname_of_its_own(team, monkeypatch):
    """The first try takes the plain nickname for free; the database says that it isn't."""
    first = await team.connect()

    async def find_namesake(_name, credential):
        return (replace(credential, account=Account(id="p-namesake", name=first.account.name)),)

    monkeypatch.setattr(team.platforms, "accounts", find_namesake)
    second = await team.connect()

    assert ("echo:ann-echo", "echo:ann-echo-2") == (first.nickname, second.nickname)
    assert "p-namesake" == second.account.id
