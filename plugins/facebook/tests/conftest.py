"""A fake Facebook on loopback, a clock that stands still, and what the hooks are called with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

import logicspike_facebook as plugin
from logicspike.plugin import (
    AuthorizationGrant,
    AuthorizationRequest,
    Credential,
    MediaFile,
    OAuthClient,
    PlatformContext,
    Post,
    Prepared,
    PublishedPost,
    Reply,
)
from logicspike.testing import press_allow
from logicspike_facebook.sandbox import FakeFacebook
from logicspike_facebook.sandbox_people import DANA, JONAS

CLIENT_ID = "1234567890"
CLIENT_SECRET = "facebook-app-secret"
REDIRECT_URI = "http://127.0.0.1:3000/api/auth/facebook/callback"


@dataclass(slots=True)
class FrozenClock:
    """Stands still until it's moved."""

    at: datetime = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as it arrived at the fake."""

    method: str
    url: URL
    has_bearer: bool
    form: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the fake answered to a request."""

    seen: Seen
    status: int
    headers: Mapping[str, str]
    text: str


@dataclass(slots=True, kw_only=True)
class Rig:
    """One member's side of the story, with the hooks as the host calls them."""

    fake: FakeFacebook
    clock: FrozenClock
    http: aiohttp.ClientSession
    origin: str
    seen: list[Seen] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)

    def context(
        self, *, client_secret: str = CLIENT_SECRET, client_id: str = CLIENT_ID, **settings: str
    ) -> PlatformContext:
        platform = plugin.describe()
        return PlatformContext(
            client=OAuthClient(client_id=client_id, client_secret=client_secret),
            endpoints=dict.fromkeys(platform.endpoints, self.origin),
            settings=dict(platform.settings) | settings,
            http=self.http,
            now=self.clock.now(),
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    async def authorize_url(
        self, changes: Mapping[str, str] | None = None, *, is_rerequest: bool = False, **settings: str
    ) -> str:
        request = AuthorizationRequest(
            redirect_uri=REDIRECT_URI,
            state="state-1",
            scopes=plugin.describe().scopes,
            code_challenge=None,
            is_rerequest=is_rerequest,
        )
        link = await plugin.authorize(self.context(**settings), request)
        return str(URL(link.url).update_query(changes or {}))

    async def grant(self, *, person: str = JONAS.id, **changes: str) -> AuthorizationGrant:
        """What the callback brings after Allow, with the authorize URL changed where asked."""
        callback = URL(await press_allow(self.http, await self.authorize_url(changes), person=person))
        return AuthorizationGrant(code=callback.query["code"], redirect_uri=REDIRECT_URI)

    async def sign_in(self, *, person: str = JONAS.id) -> Credential:
        return await plugin.exchange(self.context(), await self.grant(person=person))

    async def list_pages(self, *, person: str = DANA.id) -> list[Credential]:
        return list(await plugin.accounts(self.context(), await self.sign_in(person=person)))

    async def connect(self) -> Credential:
        """Jonas and his one Page."""
        (page,) = await self.list_pages(person=JONAS.id)
        return page

    async def publish(self, page: Credential, text: str = "Hello", *, link: str | None = None) -> PublishedPost:
        return await plugin.publish(self.context(), page, Post(key="key-1", text=text, link=link), None)

    async def comment(self, page: Credential, root: PublishedPost, text: str = "First!") -> PublishedPost:
        return await plugin.publish(self.context(), page, to_comment(root, text), None)

    async def prepare(self, page: Credential, *files: MediaFile) -> Prepared:
        return await plugin.prepare(self.context(), page, files)

    async def publish_files(self, page: Credential, *files: MediaFile, text: str = "Look") -> PublishedPost:
        prepared = await self.prepare(page, *files)
        return await plugin.publish(self.context(), page, to_post(*files, text=text), prepared)

    async def find(
        self, page: Credential, text: str = "Hello", *, prepared: Prepared | None = None
    ) -> PublishedPost | None:
        return await plugin.find_published(self.context(), page, Post(key="key-1", text=text), prepared)

    async def renew(self, page: Credential) -> Credential:
        return replace(page, tokens=await plugin.refresh(self.context(), page))


def to_post(*files: MediaFile, text: str = "Look") -> Post:
    return Post(key="key-1", text=text, media=tuple(file.media for file in files))


def to_comment(root: PublishedPost, text: str) -> Post:
    return Post(key="key-2", text=text, part=1, reply=Reply(root_id=root.id, previous_id=root.id))


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    clock, seen, answered = FrozenClock(), list[Seen](), list[Answered]()

    @web.middleware
    async def note(request: web.Request, handler: object) -> web.StreamResponse:
        form = {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        has_bearer = request.headers.get("Authorization", "").startswith("Bearer ")
        seen.append(Seen(method=request.method, url=request.url, has_bearer=has_bearer, form=form))
        response: web.Response = await handler(request)  # type: ignore[operator]
        text = response.text if response.content_type == "application/json" else ""
        answered.append(Answered(seen=seen[-1], status=response.status, headers=response.headers, text=text or ""))
        return response

    fake = FakeFacebook(
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET, clock=clock, redirect_uris=[REDIRECT_URI], slow_seconds=0.3
    )
    app = fake.build_app()
    app.middlewares.insert(0, note)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        origin = str(server.make_url("/")).rstrip("/")
        yield Rig(fake=fake, clock=clock, http=http, origin=origin, seen=seen, answered=answered)
