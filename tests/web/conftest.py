"""The pages by real HTTP on loopback: with hand-written use cases for single rows, with the real ones for the story."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import EntryPoint

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDictProxy
from team import Team, open_team
from yarl import URL

from logicspike.clock import SystemClock
from logicspike.domain import Purpose, ReceivedEvent
from logicspike.platforms import Platforms
from logicspike.services.connecting import Callback, LinkPage
from logicspike.services.ports import ConnectResult
from logicspike.store.mongo import Database
from logicspike.web.app import build_web_app
from logicspike.web.health import HealthReport
from logicspike.web.serving import build_runner

AUTHORIZE_URL = "https://echo.example/authorize?client_id=echo-id&state=" + "s" * 43
RESULT_ID = "r" * 22


@dataclass
class FakeConnecting:
    """The use cases behind the pages: records each call, and answers or raises what it is told."""

    calls: list[tuple[object, ...]] = field(default_factory=list)
    raises: Exception | None = None
    raises_at_begin: Exception | None = None
    authorize_url: str = AUTHORIZE_URL
    result: ConnectResult | None = field(
        default_factory=lambda: ConnectResult(outcome="connected", platform_title="Echo", account_name="Ann Echo")
    )
    link: LinkPage = field(
        default_factory=lambda: LinkPage(
            title="Echo",
            platform_title="Echo",
            permissions=("Post as you", "Read your name"),
            member_name="Ana Lima",
            workspace_name="Acme",
            purpose=Purpose.CONNECT,
            account_name=None,
            authorize_origin="https://echo.example",
            expires_at=datetime(2026, 11, 23, 14, 42, tzinfo=UTC),
        )
    )

    async def open_link(self, ticket: str) -> LinkPage:
        self._record("open_link", ticket)
        return self.link

    async def begin(self, ticket: str, browser: str, server: str = "") -> str:
        self._record("begin", ticket, browser, *([server] if server else []))
        if self.raises_at_begin is not None:
            raise self.raises_at_begin
        return self.authorize_url

    async def renew(self, ticket: str) -> None:
        self._record("renew", ticket)

    async def finish(self, callback: Callback) -> str:
        self._record("finish", callback)
        return RESULT_ID

    async def find_result(self, result_id: str) -> ConnectResult | None:
        self._record("find_result", result_id)
        return self.result

    def _record(self, *call: object) -> None:
        self.calls.append(call)
        if self.raises is not None:
            raise self.raises


class FakePlatformEvents:
    """No platform of these pages has callbacks of its own."""

    async def find_erasure(self, confirmation_code: str) -> ReceivedEvent | None:
        return None


@dataclass
class FakeHealth:
    database: str = "ok"

    async def check(self) -> HealthReport:
        return HealthReport(required={"database": self.database}, platforms={"echo": "ok"})


@dataclass(frozen=True)
class Answer:
    """What came back, read to its end."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str


@dataclass
class Site:
    """The application on loopback."""

    connecting: FakeConnecting
    health: FakeHealth
    address: str
    http: aiohttp.ClientSession

    async def ask(self, method: str, path: str, **rest: object) -> Answer:
        """Send a request whose path is taken as it is; redirects are not followed."""
        url = URL(self.address + path, encoded=True)
        async with self.http.request(method, url, allow_redirects=False, **rest) as answer:
            return Answer(status=answer.status, headers=answer.headers, text=await answer.text())

    async def get(self, path: str, **rest: object) -> Answer:
        return await self.ask("GET", path, **rest)

    async def post(self, path: str, **rest: object) -> Answer:
        return await self.ask("POST", path, **rest)


@asynccontextmanager
async def serve_app(app: web.Application, listener: socket.socket | None = None) -> AsyncIterator[str]:
    """Serve as the bot does, and give the address."""
    runner = build_runner(app)
    await runner.setup()
    listener = listener or listen()
    try:
        await web.SockSite(runner, listener).start()
        yield address_of(listener)
    finally:
        await runner.cleanup()


def listen() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


def address_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


async def break_down(_request: web.Request) -> web.Response:
    raise RuntimeError("the bug of a page")


async def read_body(request: web.Request) -> web.Response:
    return web.Response(text=str(len(await request.read())))


@asynccontextmanager
async def open_site(public_url: str) -> AsyncIterator[Site]:
    connecting, health = FakeConnecting(), FakeHealth()
    entry_points = [EntryPoint(name="echo", value="echo_platform", group="logicspike.platforms")]
    app = build_web_app(
        connecting=connecting,
        platform_events=FakePlatformEvents(),
        platforms=Platforms.load(environment={}, clock=SystemClock(), entry_points=entry_points),
        health=health,
        public_url=public_url,
        connect_command="/social",
        extra_routes=[web.get("/test/broken", break_down), web.post("/test/body", read_body)],
    )
    async with serve_app(app) as address, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield Site(connecting=connecting, health=health, address=address, http=http)


@pytest.fixture
def serve() -> Callable[[web.Application], AbstractAsyncContextManager[str]]:
    """Serves one more application on loopback and gives its address."""
    return serve_app


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A bot that browsers reach by http on loopback; its connect command is /social."""
    async with open_site("http://127.0.0.1:3000") as opened:
        yield opened


@pytest.fixture
async def https_site() -> AsyncIterator[Site]:
    """A bot that browsers reach by https."""
    async with open_site("https://bot.example") as opened:
        yield opened


@pytest.fixture
async def site_under_path() -> AsyncIterator[Site]:
    """A bot behind a proxy that takes /bot away from the front of the path."""
    async with open_site("https://tools.example/bot/") as opened:
        yield opened


@dataclass
class LiveTeam:
    """A team with its pages: real use cases, real database, a real platform's fake."""

    team: Team
    address: str

    @property
    def link(self) -> str:
        """The newest link that was sent by DM."""
        return f"{self.address}/connect/{self.team.ticket}"


@pytest.fixture
async def live(mongo_database: Database) -> AsyncIterator[LiveTeam]:
    listener = listen()
    public_url = address_of(listener)
    whisper = EntryPoint(name="whisper", value="echo_platform:whisper", group="logicspike.platforms")
    async with open_team(mongo_database, public_url=public_url, others=[whisper], with_guild=True) as team:
        app = build_web_app(
            connecting=team.connecting,
            platform_events=team.platform_events,
            platforms=team.platforms,
            health=FakeHealth(),
            public_url=public_url,
        )
        async with serve_app(app, listener) as address:
            yield LiveTeam(team=team, address=address)
