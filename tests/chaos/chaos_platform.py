"""Three platforms that differ in what they can be asked after a lost answer, and the fake that stands for all of them.

Keyed takes an idempotency key and can be asked for it; Listed can only be read back; Blind can't be asked at all.
The fake keeps an append-only ledger and misbehaves by probability, from a seed: what happens to the nth request for a
post depends on the seed, the post and n alone, however the processes race.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from logicspike.plugin import (
    AuthorizationGrant,
    AuthorizationLink,
    AuthorizationRequest,
    Credential,
    Limits,
    Platform,
    PlatformContext,
    PlatformUnavailable,
    Post,
    Problem,
    PublishedPost,
    TokenSet,
    hookimpl,
    oauth2,
)
from logicspike.testing import AccessToken, FakeAccount, FakePlatform, Grant

KINDS: Final = ("keyed", "listed", "blind")
DIES_PUBLISHING: Final = "[ends its process while it is published]"
DIES_VALIDATING: Final = "[ends its process while it is checked]"
KILLED: Final = 137

ENTRY_POINTS: Final = "[logicspike.platforms]\n" + "".join(f"{kind} = chaos_platform:{kind}\n" for kind in KINDS)

PUBLISH_FAULTS: Final = (
    "error-before",
    "accept-then-502",
    "accept-then-drop",
    "accept-then-slow",
    "429",
    "malformed-200",
    "200-without-id",
)
READ_FAULTS: Final = ("read-back-lag", "read-back-500")
RETRY_AFTER_SECONDS: Final = 5


@dataclass(frozen=True)
class Blind:
    """What all three have: no way to find out what became of a post."""

    name: str

    @hookimpl
    def describe(self) -> Platform:
        """The facts."""
        return Platform(
            name=self.name,
            title=self.name.title(),
            scopes=("post",),
            endpoints={"api": f"https://{self.name}.example"},
            authorize_endpoint="api",
            limits=Limits(max_chars=500, checked_on=date(2026, 11, 23), max_parts=25),
        )

    @hookimpl
    def validate(self, post: Post) -> list[Problem]:
        """Nothing is wrong with any post, but one ends the process."""
        if DIES_VALIDATING in post.text:
            os._exit(KILLED)
        return []

    @hookimpl
    async def authorize(self, ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
        """A plain OAuth 2.0 link."""
        return oauth2.authorization_link(f"{ctx.endpoints['api']}/authorize", ctx.client, request)

    @hookimpl
    async def exchange(self, ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
        """Nobody signs in here: the connections are there already."""
        raise PlatformUnavailable("Nobody signs in here.")

    @hookimpl
    async def refresh(self, credential: Credential) -> TokenSet:
        """The tokens never end."""
        return credential.tokens

    @hookimpl
    async def publish(self, ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost:
        """Publish; the fake is told which process asks."""
        if DIES_PUBLISHING in post.text:
            os._exit(KILLED)
        reply_to = post.reply.previous_id if post.reply else None
        body = {"key": post.key, "text": post.text, "process": os.getpid(), "reply_to": reply_to}
        made = await oauth2.post_json(ctx, f"{ctx.endpoints['api']}/posts", credential.tokens, body)
        return PublishedPost(id=str(made["id"]), url=None)


@dataclass(frozen=True)
class Keyed(Blind):
    """Knows idempotency keys."""

    @hookimpl
    async def find_published(self, ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost | None:
        """Ask for the key."""
        url = f"{ctx.endpoints['api']}/posts/{post.key}"
        answer = await oauth2.get_json(ctx, url, credential.tokens)
        return next((PublishedPost(id=each["id"], url=None) for each in answer["found"]), None)


@dataclass(frozen=True)
class Listed(Blind):
    """Shows what an account has posted, a moment later."""

    @hookimpl
    async def find_published(self, ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost | None:
        """Look for the same words among the account's posts."""
        answer = await oauth2.get_json(ctx, f"{ctx.endpoints['api']}/posts", credential.tokens)
        same = [each for each in answer["found"] if each["text"] == post.text]
        return PublishedPost(id=same[0]["id"], url=None) if same else None


keyed, listed, blind = Keyed("keyed"), Listed("listed"), Blind("blind")


@dataclass(kw_only=True)
class Weather:
    """How the platform behaves.

    Attributes:
        seed: from which everything below is drawn.
        share: of the requests that meet a fault.
        latency: the fastest and the slowest answer, in seconds.
        slow_seconds: longer than the bot waits.
        lag_seconds: how late the read side may be; shorter than the bot's settle time.
        scripted: one fault, by a post's text or key or an account's id, instead of the dice; each happens once.
    """

    seed: int = 0
    share: float = 0.0
    latency: tuple[float, float] = (0.0, 0.0)
    slow_seconds: float = 1.6
    lag_seconds: float = 1.2
    scripted: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A request to publish, as it came in."""

    text: str
    account_id: str
    process: int
    at: float


class ChaosFake(FakePlatform):
    """One of the three on loopback."""

    endpoint_names: ClassVar[tuple[str, ...]] = ("api",)

    def __init__(self, kind: str, *, weather: Weather, **rest: object) -> None:
        super().__init__(client_id=f"{kind}-id", client_secret=f"{kind}-secret", **rest)
        self.kind = kind
        self.weather = weather
        self.faults: Counter[str] = Counter()
        self.arrivals: list[Arrival] = []
        self.pauses: list[tuple[str, float]] = []
        """Which account was told to slow down, and when."""
        self.in_flight: dict[int, Arrival] = {}
        self.gate = asyncio.Event()
        """While it is closed, requests to publish have come in and nothing was done about them."""
        self.gate.set()
        self.held: dict[str, asyncio.Event] = {}
        """The same for single posts, by their texts."""
        self._tries: Counter[str] = Counter()
        self._looks: Counter[str] = Counter()
        self._visible_at: dict[str, datetime] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Publish, and look."""
        router.add_post("/posts", self._publish)
        router.add_get("/posts", self._list)
        router.add_get("/posts/{key}", self._find)

    def is_create(self, request: web.Request) -> bool:
        """Publishing."""
        return request.method == "POST"

    def rate_limited(self, request: web.Request) -> web.StreamResponse:
        """A pause."""
        return web.json_response({}, status=429, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve on loopback; the address. A request that has come in is carried out though its sender is gone."""
        # aiohttp's TestServer would cancel it, which no platform does.
        runner = web.AppRunner(self.build_app(), handler_cancellation=False, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    def open_account(self, account: FakeAccount) -> str:
        """An access token for an account, as if its owner had pressed Allow."""
        grant = Grant(person=account, scopes=("post",))
        self._grants.append(grant)
        return self.issue_access_token(grant, lifetime=None)

    def count(self, text: str) -> int:
        """How often this text is live."""
        return sum(entry.text == text for entry in self.ledger)

    async def _publish(self, request: web.Request) -> web.StreamResponse:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        body = await request.json()
        arrival = Arrival(text=body["text"], account_id=held.account.id, process=body["process"], at=time.monotonic())
        self.arrivals.append(arrival)
        self.in_flight[id(arrival)] = arrival
        try:
            await self.gate.wait()
            if held_back := self.held.get(arrival.text):
                await held_back.wait()
            return await self._publish_with_luck(request, held, body)
        finally:
            del self.in_flight[id(arrival)]

    async def _publish_with_luck(self, request: web.Request, held: AccessToken, body: dict[str, Any]) -> web.Response:
        dice = self._dice(body["text"], self._tries)
        fault = self._choose(dice, body["text"], PUBLISH_FAULTS)
        await asyncio.sleep(dice.uniform(*self.weather.latency))
        match fault:
            case "error-before":
                return web.Response(status=500)
            case "429":
                self.pauses.append((held.account.id, time.monotonic()))
                return self.rate_limited(request)
        made = self._accept(held, body, dice)
        match fault:
            case "accept-then-502":
                return web.Response(status=502, text="Bad Gateway")
            case "accept-then-drop" if request.transport is not None:
                request.transport.abort()
            case "accept-then-slow":
                await asyncio.sleep(self.weather.slow_seconds)
            case "malformed-200":
                return web.Response(text='{"id": ')
            case "200-without-id":
                return web.json_response({"ok": True})
        return web.json_response({"id": made}, status=201)

    def _accept(self, held: AccessToken, body: dict[str, Any], dice: random.Random) -> str:
        post_id = f"k-{body['key']}" if self.kind == "keyed" else f"n-{self.next_number()}"
        if any(entry.id == post_id for entry in self.ledger):
            return post_id
        self.record(post_id=post_id, account=held.account, text=body["text"], reply_to=body["reply_to"])
        is_late = self.kind == "listed" and self._choose(dice, body["text"], ("read-back-lag",)) is not None
        lag = self.weather.lag_seconds if is_late else 0.0
        self._visible_at[post_id] = self.clock.now() + timedelta(seconds=lag)
        return post_id

    async def _list(self, request: web.Request) -> web.Response:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        account_id = held.account.id
        if self._choose(self._dice(account_id, self._looks), account_id, ("read-back-500",)):
            return web.Response(status=500)
        now = self.clock.now()
        seen = [e for e in self.ledger if e.account == held.account and self._visible_at[e.id] <= now]
        return web.json_response({"found": [{"id": entry.id, "text": entry.text} for entry in seen]})

    async def _find(self, request: web.Request) -> web.Response:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        key = request.match_info["key"]
        if self._choose(self._dice(key, self._looks), key, ("read-back-500",)):
            return web.Response(status=500)
        wanted = f"k-{key}"
        return web.json_response({"found": [{"id": entry.id} for entry in self.ledger if entry.id == wanted]})

    def _dice(self, what: str, seen: Counter[str]) -> random.Random:
        seen[what] += 1
        return random.Random(f"{self.weather.seed}:{what}:{seen[what]}")

    def _choose(self, dice: random.Random, what: str, faults: tuple[str, ...]) -> str | None:
        fault = None
        if self.weather.scripted.get(what) in faults:
            fault = self.weather.scripted.pop(what)
        elif dice.random() < self.weather.share:
            fault = dice.choice(faults)
        if fault is not None:
            self.faults[fault] += 1
        return fault
