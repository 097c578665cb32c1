"""The bot's Slack edge, over real HTTP, between the sandbox's small Slack and use cases that take notes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import importlib
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from logicspike.clock import MovableClock
from logicspike.domain import Connection, ConnectionStatus, Delivery, DeliveryState, Draft, Member, ScheduledPost
from logicspike.platforms import Platforms
from logicspike.plugin import Account, Post
from logicspike.sandbox.fake_slack import FakeSlack
from logicspike.services.connecting import NoSuchConnection
from logicspike.services.disconnecting import Disconnected, DisconnectPlan, PostsOnDisconnect
from logicspike.services.editing import EDITABLE, Editable, Edited
from logicspike.services.notices import Connected
from logicspike.services.scheduling import CancelOutcome, Scheduled, ScheduleRequest
from logicspike.services.withdrawing import Withdrawal
from logicspike.slack.app import build_slack_app
from logicspike.slack.authorize import CachedAuthorize
from logicspike.slack.client import build_client
from logicspike.slack.directory import SlackDirectory
from logicspike.slack.files import SlackFiles
from logicspike.slack.http import slack_routes
from logicspike.slack.services import SlackServices
from logicspike.tasks import Tasks

sys.path.append(str(Path(__file__).parent.parent))

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ANA = Member(team_id="T0ACME", user_id="U0ANA")


def make_connection(connection_id: str = "c1", **rest: Any) -> Connection:
    return Connection(
        **{
            "connection_id": connection_id,
            "team_id": ANA.team_id,
            "owner_id": ANA.user_id,
            "platform": "echo",
            "account": Account(id=f"p-{connection_id}", name="Ann Echo"),
            "status": ConnectionStatus.ACTIVE,
            "nickname": f"echo:{connection_id}",
            "created_at": NOW,
            **rest,
        }
    )


def make_delivery(delivery_id: str = "abcd2345", **rest: Any) -> Delivery:
    return Delivery(
        **{
            "delivery_id": delivery_id,
            "post_id": "p1",
            "team_id": ANA.team_id,
            "author_id": ANA.user_id,
            "connection_id": "c1",
            "platform": "echo",
            "account_name": "Ann Echo",
            "post": Post(key="p1:c1", text="We are hiring!", link=None),
            "state": DeliveryState.SCHEDULED,
            "due_at": NOW + timedelta(hours=1),
            "next_try_at": NOW + timedelta(hours=1),
            "zone": "Europe/Berlin",
            **rest,
        }
    )


@dataclass
class Notes:
    """What was called; ``failures`` by name are raised instead, and ``gate`` keeps callers waiting."""

    calls: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    failures: dict[str, Exception] = field(default_factory=dict)
    gate: asyncio.Event | None = None

    async def note(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, arguments))
        if self.gate is not None:
            await self.gate.wait()
        if name in self.failures:
            raise self.failures[name]

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [arguments for called, arguments in self.calls if called == name]


@dataclass
class FakeConnecting:
    notes: Notes

    async def start(self, member, platform, *, credential_set="", connection_id=None, is_rerequest=False):
        asked = f"{platform}/{credential_set}" if credential_set else platform
        await self.notes.note("ask again" if is_rerequest else "start", member, asked, connection_id)

    async def choose(self, member, connection_id, position):
        await self.notes.note("choose", member, connection_id, position)
        return Connected(connection=make_connection(connection_id), platform_title="Echo")


@dataclass
class FakeDisconnecting:
    notes: Notes
    connections: tuple[Connection, ...] = (make_connection("c1"),)

    async def list_connections(self, member):
        await self.notes.note("list_connections", member)
        return self.connections

    async def plan(self, member, account):
        await self.notes.note("plan", member, account)
        return self._plan(self.connections[0])

    async def plan_for(self, member, connection_id):
        await self.notes.note("plan_for", member, connection_id)
        found = [each for each in self.connections if each.connection_id == connection_id]
        if not found:
            raise NoSuchConnection
        return self._plan(found[0])

    def _plan(self, connection):
        targets = (make_connection("c2", account=Account(id="p-2", name="Ben Echo")),)
        return DisconnectPlan(
            connection=connection, waiting=2, next_due_at=NOW + timedelta(hours=1), move_targets=targets
        )

    async def disconnect(self, member, connection_id, *, posts, move_to=None):
        await self.notes.note("disconnect", member, connection_id, posts, move_to)
        counts = {each: 2 if each is posts else 0 for each in PostsOnDisconnect}
        return Disconnected(
            connection=make_connection(connection_id),
            held=counts[PostsOnDisconnect.HOLD],
            canceled=counts[PostsOnDisconnect.CANCEL],
            moved=counts[PostsOnDisconnect.MOVE],
            withdrawal=Withdrawal.DONE,
        )


@dataclass
class FakeScheduling:
    notes: Notes
    usable: tuple[Connection, ...] = (make_connection("c1"),)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)
    result: Any = None

    async def schedule(self, request: ScheduleRequest):
        await self.notes.note("schedule", request)
        if self.result is not None:
            return self.result
        said = Post(key="p1:c1", text=request.text, link=None, media=request.media)
        delivery = make_delivery(due_at=request.due_at, post=said)
        self.deliveries[delivery.delivery_id] = delivery
        post = ScheduledPost(
            post_id="p1",
            author=request.author,
            text=request.text,
            link=None,
            due_at=request.due_at,
            zone=request.zone,
            wall_time="",
            created_at=NOW,
            media=request.media,
        )
        return Scheduled(post=post, deliveries=(delivery,), warnings=())

    async def save_draft(self, author, text, *, draft_id=None, **facts):
        await self.notes.note("save_draft", text)
        draft = Draft(
            draft_id=draft_id or f"d{len(self.drafts) + 1}", author=author, text=text, created_at=NOW, **facts
        )
        self.drafts[draft.draft_id] = draft
        return draft

    async def find_draft(self, author, draft_id):
        return self.drafts.get(draft_id)

    async def discard_draft(self, author, draft_id):
        self.drafts.pop(draft_id, None)

    async def find_delivery(self, member, delivery_id):
        return self.deliveries.get(delivery_id)

    async def list_usable(self, member):
        await self.notes.note("list_usable", member)
        return self.usable

    async def list_open(self, member):
        await self.notes.note("list_open", member)
        return tuple(self.deliveries.values())

    async def find_similar_id(self, member, delivery_id):
        return next(iter(self.deliveries), None)

    async def cancel(self, member, delivery_id):
        await self.notes.note("cancel", member, delivery_id)
        found = self.deliveries.get(delivery_id)
        if found is None:
            return CancelOutcome(delivery=None, is_canceled=False, suggestion=next(iter(self.deliveries), None))
        if found.state not in EDITABLE | {DeliveryState.CANCELED}:
            return CancelOutcome(delivery=found, is_canceled=False)
        self.deliveries[delivery_id] = replace(found, state=DeliveryState.CANCELED)
        return CancelOutcome(delivery=self.deliveries[delivery_id], is_canceled=True)


@dataclass
class FakeEditing:
    """Finds what was scheduled, and answers a save with ``result``, or with the change."""

    notes: Notes
    scheduling: FakeScheduling
    revision: int = 0
    result: Any = None

    async def find(self, author, delivery_id):
        await self.notes.note("find", author, delivery_id)
        found = self.scheduling.deliveries.get(delivery_id)
        return None if found is None else self.show(found)

    def show(self, *deliveries):
        first = deliveries[0]
        post = ScheduledPost(
            post_id="p1",
            author=ANA,
            text=first.post.text,
            link=None,
            due_at=first.due_at,
            zone="UTC",
            wall_time="",
            created_at=NOW,
            revision=self.revision,
            edited_at=NOW if self.revision else None,
        )
        return Editable(
            delivery=first,
            post=post,
            open=tuple(each for each in deliveries if each.state in EDITABLE),
            gone=tuple(each for each in deliveries if each.state not in EDITABLE),
        )

    async def save(self, request):
        await self.notes.note("save", request)
        if self.result is not None:
            return self.result
        found = self.scheduling.deliveries[request.delivery_id]
        text = found.post.text if request.text is None else request.text
        now = replace(found, post=replace(found.post, text=text), due_at=request.due_at, next_try_at=request.due_at)
        self.scheduling.deliveries[request.delivery_id] = now
        return Edited(post=self.show(now).post, changed=(now,), unchanged=())


@dataclass
class FakeAnswering:
    notes: Notes
    state: DeliveryState = DeliveryState.PUBLISHED

    async def settle_unknown(self, member, delivery_id, attempt_id, answer):
        await self.notes.note("settle_unknown", member, delivery_id, attempt_id, answer)
        return make_delivery(delivery_id, state=self.state)

    async def settle_late(self, member, delivery_id, answer):
        await self.notes.note("settle_late", member, delivery_id, answer)
        return make_delivery(delivery_id, state=self.state)


@dataclass
class FakeLeaving:
    notes: Notes

    async def note_removal(self, team_id):
        await self.notes.note("note_removal", team_id)

    async def remove_workspace(self, team_id):
        await self.notes.note("remove_workspace", team_id)


@dataclass
class MemoryRequests:
    notes: Notes
    seen: set[str] = field(default_factory=set)

    async def is_first(self, request_id):
        if "is_first" in self.notes.failures:
            raise self.notes.failures["is_first"]
        is_first = request_id not in self.seen
        self.seen.add(request_id)
        return is_first


@dataclass
class Edge:
    """The edge under test with all around it."""

    slack: FakeSlack
    app: AsyncApp
    authorize: CachedAuthorize
    notes: Notes
    services: SlackServices
    clock: MovableClock
    http: aiohttp.ClientSession
    url: str
    answering: FakeAnswering
    ana: Member = ANA

    @property
    def scheduling(self) -> FakeScheduling:
        return self.services.scheduling

    @property
    def editing(self) -> FakeEditing:
        return self.services.editing

    @property
    def disconnecting(self) -> FakeDisconnecting:
        return self.services.disconnecting

    def sign(self, body: bytes, *, timestamp: str | None = None, secret: str = SIGNING_SECRET) -> dict[str, str]:
        """Headers by which Slack vouches for a body."""
        timestamp = timestamp if timestamp is not None else str(int(time.time()))
        signed = b"v0:" + timestamp.encode() + b":" + body
        digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        return {
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": f"v0={digest}",
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def command_body(self, text: str = "help", *, command: str = "/connect", trigger_id: str = "1.2.abc") -> bytes:
        form = {
            "command": command,
            "text": text,
            "team_id": "T0ACME",
            "user_id": "U0ANA",
            "trigger_id": trigger_id,
            "response_url": f"{self.slack.base_url}/response/none",
        }
        return urlencode(form).encode()

    async def post(self, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """Send a request as it is; status and text of the answer."""
        async with self.http.post(self.url, data=body, headers=headers or self.sign(body)) as answer:
            return answer.status, await answer.text()

    async def post_json(self, payload: Any) -> tuple[int, str]:
        body = json.dumps(payload).encode()
        return await self.post(body, self.sign(body) | {"Content-Type": "application/json"})

    async def settle(self) -> None:
        """Wait for the work behind the acks."""
        assert await self.services.tasks.drain(timedelta(seconds=5)) == 0

    async def show(self, message):
        """Let the bot send Ana a direct message; as she sees it."""
        return self.slack.workspace.post(channel=self.slack.im_of("U0ANA"), user="U0BOT", **message.to_payload())


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOW, is_frozen=True)


@pytest.fixture
async def slack(clock: MovableClock) -> AsyncIterator[FakeSlack]:
    fake = FakeSlack(signing_secret=SIGNING_SECRET, bot_token="xoxb-test-token", clock=clock)
    async with fake.running():
        yield fake


@pytest.fixture
async def client(slack: FakeSlack) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield build_client(token="xoxb-test-token", api_url=slack.api_url, session=session)


@pytest.fixture
def delivery() -> Delivery:
    """A scheduled post of Ana's."""
    return make_delivery()


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def platforms(clock: MovableClock) -> Platforms:
    """Echo, which is ready, and Whisper, which lacks its credentials."""
    importlib.import_module("echo_platform")
    return Platforms.load(
        environment={"ECHO_CLIENT_ID": "id", "ECHO_CLIENT_SECRET": "secret"},
        clock=clock,
        entry_points=[
            EntryPoint(name="echo", value="echo_platform", group="logicspike.platforms"),
            EntryPoint(name="whisper", value="echo_platform:whisper", group="logicspike.platforms"),
        ],
    )


@pytest.fixture
async def edge(
    slack: FakeSlack, client: AsyncWebClient, notes: Notes, clock: MovableClock, platforms: Platforms
) -> AsyncIterator[Edge]:
    authorize = CachedAuthorize(client)
    await authorize.identify()
    scheduling = FakeScheduling(notes)
    services = SlackServices(
        connecting=FakeConnecting(notes),
        disconnecting=FakeDisconnecting(notes),
        scheduling=scheduling,
        editing=FakeEditing(notes, scheduling),
        answering=FakeAnswering(notes),
        leaving=FakeLeaving(notes),
        platforms=platforms,
        members=SlackDirectory(client, authorize=authorize, admins=(), clock=clock),
        requests=MemoryRequests(notes),
        files=SlackFiles(client, session=client.session, has_scope=authorize.has_scope),
        clock=clock,
        tasks=Tasks(),
    )
    app = build_slack_app(client=client, signing_secret=SIGNING_SECRET, authorize=authorize, services=services)
    application = web.Application()
    application.add_routes(slack_routes(app, signing_secret=SIGNING_SECRET, budget=timedelta(seconds=1)))
    async with TestServer(application) as server, aiohttp.ClientSession() as http:
        slack.events_url = str(server.make_url("/slack/events"))
        yield Edge(
            slack=slack,
            app=app,
            authorize=authorize,
            notes=notes,
            services=services,
            clock=clock,
            http=http,
            url=slack.events_url,
            answering=services.answering,
        )
        if notes.gate is not None:
            notes.gate.set()
        await services.tasks.drain(timedelta(seconds=2))
