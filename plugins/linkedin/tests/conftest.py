"""A fake LinkedIn on loopback, a clock that stands still, and what the hooks are called with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from yarl import URL

import logicspike_linkedin as plugin
from logicspike.plugin import (
    AuthorizationGrant,
    AuthorizationRequest,
    Credential,
    OAuthClient,
    PlatformContext,
    Post,
    TokenSet,
)
from logicspike.testing import press_allow
from logicspike_linkedin import api
from logicspike_linkedin.sandbox import FakeLinkedIn

CLIENT_SECRET = "linkedin-client-secret"
REDIRECT_URI = "http://127.0.0.1:3000/api/auth/linkedin/callback"


@dataclass(slots=True)
class FrozenClock:
    """Stands still until it's moved."""

    at: datetime = datetime(2026, 11, 23, 9, 30, 0, 500_000, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


@dataclass(slots=True, kw_only=True)
class Rig:
    """One member's side of the story, with the hooks as the host calls them."""

    fake: FakeLinkedIn
    clock: FrozenClock
    http: aiohttp.ClientSession
    origin: str
    client_secret: str = CLIENT_SECRET
    pauses: list[float] = field(default_factory=list)

    def context(self, **settings: str) -> PlatformContext:
        platform = plugin.describe()
        return PlatformContext(
            client=OAuthClient(client_id="linkedin-client", client_secret=self.client_secret),
            endpoints=dict.fromkeys(platform.endpoints, self.origin),
            settings=dict(platform.settings) | settings,
            http=self.http,
            now=self.clock.now(),
        )

    async def pause(self, seconds: float) -> None:
        """What the plugin sleeps with: moves the clock."""
        self.pauses.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))

    async def authorize_url(self, **changes: str) -> str:
        request = AuthorizationRequest(
            redirect_uri=REDIRECT_URI, state="state-1", scopes=plugin.describe().scopes, code_challenge=None
        )
        link = await plugin.authorize(self.context(), request)
        return str(URL(link.url).update_query(changes))

    async def grant(self, **changes: str) -> AuthorizationGrant:
        """What the callback brings after Allow, with the authorize URL changed where asked."""
        callback = URL(await press_allow(self.http, await self.authorize_url(**changes)))
        return AuthorizationGrant(code=callback.query["code"], redirect_uri=REDIRECT_URI)

    async def connect(self) -> Credential:
        return await api.connect(self.context(), await self.grant(), sleep=self.pause)

    async def connect_and_wait(self, by: timedelta = timedelta(minutes=2)) -> Credential:
        """A connection whose token is not fresh any more."""
        credential = await self.connect()
        self.clock.advance(by)
        return credential

    async def publish(self, credential: Credential, text: str, *, link: str | None = None, **settings: str) -> str:
        """Publish and return what readers see."""
        published = await plugin.publish(self.context(**settings), credential, Post(key="key-1", text=text, link=link))
        return self.fake.published[published.id].text


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    clock = FrozenClock()
    fake = FakeLinkedIn(
        client_id="linkedin-client",
        client_secret=CLIENT_SECRET,
        clock=clock,
        redirect_uris=[REDIRECT_URI],
        slow_seconds=0.3,
    )
    async with TestServer(fake.build_app()) as server, aiohttp.ClientSession() as http:
        yield Rig(fake=fake, clock=clock, http=http, origin=str(server.make_url("/")).rstrip("/"))


@pytest.fixture
def with_tokens() -> Callable[..., Credential]:
    """Builds the same credential with other tokens."""

    def build(credential: Credential, **changes: object) -> Credential:
        old = credential.tokens
        tokens = {"access_token": old.access_token, "refresh_token": old.refresh_token, "expires_at": old.expires_at}
        return Credential(account=credential.account, tokens=TokenSet(**(tokens | changes)), extra=credential.extra)  # type: ignore[arg-type]

    return build
