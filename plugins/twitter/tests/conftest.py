"""A frozen clock, the fake on loopback, and a server that answers whatever a test wants."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

import logicspike_twitter as plugin
from logicspike.plugin import (
    Account,
    AuthorizationGrant,
    AuthorizationRequest,
    Credential,
    OAuthClient,
    PlatformContext,
    Prepared,
    TokenSet,
)
from logicspike.testing import MemoryFile, press_allow
from logicspike_twitter.sandbox import FakeTwitter

REDIRECT_URI = "http://127.0.0.1:3000/api/auth/twitter/callback"
VERIFIER = "a-verifier-that-is-long-enough-for-rfc-7636-to-like"
STATE = "a-state-nobody-can-guess"
CLIENT_SECRET = "the-secret-of-our-developer-app"


@dataclass
class FrozenClock:
    at: datetime = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One answer of the fake's API."""

    method: str
    path: str
    status: int
    content_type: str
    headers: dict[str, str]
    body: str

    @classmethod
    def of(cls, request: web.Request, response: web.StreamResponse) -> Recorded:
        resource = request.match_info.route.resource
        return cls(
            method=request.method,
            path=resource.canonical if resource is not None else request.path,
            status=response.status,
            content_type=response.content_type,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=(response.text or "") if isinstance(response, web.Response) else "",
        )


@dataclass
class Bench:
    """The plugin on one side, the fake on the other, real HTTP between them."""

    fake: FakeTwitter
    clock: FrozenClock
    origin: str
    http: aiohttp.ClientSession = field(repr=False)
    state: str = STATE
    redirect_uri: str = REDIRECT_URI
    verifier: str = VERIFIER
    slept: list[float] = field(default_factory=list)
    answers: list[Recorded] = field(default_factory=list, repr=False)
    """What the fake answered to API calls, in order."""

    def ctx(self, *, client_secret: str = CLIENT_SECRET) -> PlatformContext:
        return PlatformContext(
            client=OAuthClient(client_id="our-app", client_secret=client_secret),
            endpoints={"auth": self.origin, "api": self.origin},
            settings=dict(plugin.describe().settings),
            http=self.http,
            now=self.clock.now(),
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        """Wait as the clock does: not at all."""
        self.slept.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))

    async def prepare(self, credential: Credential, *files: MemoryFile) -> Prepared:
        return await plugin.prepare(self.ctx(), credential, files)

    async def authorize_url(self, **changes: Any) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        values: dict[str, Any] = {
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "scopes": plugin.describe().scopes,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        }
        link = await plugin.authorize(self.ctx(), AuthorizationRequest(**(values | changes)))
        return link.url

    async def grant(self, *, person: str = "", **changes: Any) -> AuthorizationGrant:
        callback = await press_allow(self.http, await self.authorize_url(**changes), person=person)
        code = parse_qs(urlsplit(callback).query)["code"][0]
        return AuthorizationGrant(code=code, redirect_uri=self.redirect_uri, code_verifier=self.verifier)

    async def connect(self, *, person: str = "") -> Credential:
        return await plugin.exchange(self.ctx(), await self.grant(person=person))

    async def get(self, url: str) -> tuple[int, str]:
        async with self.http.get(url, allow_redirects=False) as answer:
            return answer.status, await answer.text()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest_asyncio.fixture
async def bench(clock: FrozenClock) -> AsyncIterator[Bench]:
    fake = FakeTwitter(
        client_id="our-app", client_secret=CLIENT_SECRET, clock=clock, redirect_uris=[REDIRECT_URI], slow_seconds=0.3
    )
    app, answers = fake.build_app(), list[Recorded]()

    async def record(request: web.Request, response: web.StreamResponse) -> None:
        if request.path.startswith("/2/"):
            answers.append(Recorded.of(request, response))

    app.on_response_prepare.append(record)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http,
    ):
        origin = str(server.make_url("")).rstrip("/")
        yield Bench(fake=fake, clock=clock, origin=origin, http=http, answers=answers)


@dataclass
class Answering:
    """A server that gives one answer to everything, and the context to call it with."""

    ctx: PlatformContext
    calls: list[web.Request]


@pytest_asyncio.fixture
async def answering(clock: FrozenClock) -> AsyncIterator[Callable[..., Awaitable[Answering]]]:
    async with AsyncExitStack() as stack:

        async def start(status: int, body: object, headers: dict[str, str] | None = None) -> Answering:
            calls: list[web.Request] = []

            async def answer(request: web.Request) -> web.Response:
                calls.append(request)
                text = body if isinstance(body, str) else json.dumps(body)
                return web.Response(status=status, text=text, headers=headers)

            app = web.Application()
            app.router.add_route("*", "/{path:.*}", answer)
            server = await stack.enter_async_context(TestServer(app))
            http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)))
            origin = str(server.make_url("")).rstrip("/")
            client = OAuthClient(client_id="our-app", client_secret=CLIENT_SECRET)
            endpoints = {"auth": origin, "api": origin}
            ctx = PlatformContext(client=client, endpoints=endpoints, settings={}, http=http, now=clock.now())
            return Answering(ctx=ctx, calls=calls)

        yield start


@pytest.fixture
def credential() -> Credential:
    return Credential(
        account=Account(
            id="1500000000000000001", name="Acme Coffee", handle="@acmecoffee", url="https://x.com/acmecoffee"
        ),
        tokens=TokenSet(
            access_token="an-access-token-to-hide",
            refresh_token="a-refresh-token-to-hide",
            scopes=tuple(plugin.describe().scopes),
        ),
    )
