"""A fake LinkedIn on loopback, a clock that stands still, and what the hooks are called with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from yarl import URL

import logicspike_linkedin as plugin
from logicspike.plugin import (
    AuthorizationGrant,
    AuthorizationRequest,
    Credential,
    LinkCard,
    MediaFile,
    PlatformContext,
    Post,
    Prepared,
    PublishedPost,
    Reply,
    TokenSet,
)
from logicspike.testing import LedgerEntry, press_allow
from logicspike_linkedin import company_pages, sign_in, uploads
from logicspike_linkedin.api import PAGES
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
    client_secret: str | None = None
    pauses: list[float] = field(default_factory=list)

    def context(self, credential_set: str = "", **settings: str) -> PlatformContext:
        platform = plugin.describe()
        client = self.fake.clients[credential_set]
        return PlatformContext(
            client=client if self.client_secret is None else replace(client, client_secret=self.client_secret),
            endpoints=dict.fromkeys(platform.endpoints, self.origin),
            settings=dict(platform.settings) | settings,
            http=self.http,
            now=self.clock.now(),
            credential_set=credential_set,
        )

    async def pause(self, seconds: float) -> None:
        """What the plugin sleeps with: moves the clock."""
        self.pauses.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))

    async def authorize_url(self, credential_set: str = "", **changes: str) -> str:
        platform = plugin.describe()
        scopes = platform.credential_sets[0].scopes if credential_set else platform.scopes
        request = AuthorizationRequest(redirect_uri=REDIRECT_URI, state="state-1", scopes=scopes, code_challenge=None)
        link = await plugin.authorize(self.context(credential_set), request)
        return str(URL(link.url).update_query(changes))

    async def grant(self, credential_set: str = "", *, person: str = "", **changes: str) -> AuthorizationGrant:
        """What the callback brings after Allow, with the authorize URL changed where asked."""
        url = await self.authorize_url(credential_set, **changes)
        callback = URL(await press_allow(self.http, url, person=person))
        return AuthorizationGrant(code=callback.query["code"], redirect_uri=REDIRECT_URI)

    async def connect(self, *, person: str = "") -> Credential:
        return await sign_in.connect(self.context(), await self.grant(person=person), sleep=self.pause)

    async def connect_and_wait(self, by: timedelta = timedelta(minutes=2)) -> Credential:
        """A connection whose token is not fresh any more."""
        credential = await self.connect()
        self.clock.advance(by)
        return credential

    async def list_pages(self, *, person: str = "") -> tuple[Credential, ...]:
        """The company pages of a member who just signed in."""
        ctx = self.context(PAGES)
        member = await sign_in.connect(ctx, await self.grant(PAGES, person=person), sleep=self.pause)
        return await company_pages.list_pages(ctx, replace(member, credential_set=PAGES), sleep=self.pause)

    async def connect_page(self) -> Credential:
        """The first company page, with a token that is not fresh any more."""
        page = (await self.list_pages())[0]
        self.clock.advance(timedelta(minutes=2))
        return page

    def of(self, credential: Credential, **settings: str) -> PlatformContext:
        """The context for calls on behalf of a connection."""
        return self.context(credential.credential_set, **settings)

    async def prepare(
        self, credential: Credential, post: Post, files: Sequence[MediaFile] = (), card: LinkCard | None = None
    ) -> Prepared:
        return await uploads.prepare(self.of(credential), credential, post, files, card, sleep=self.pause)

    async def post(
        self,
        credential: Credential,
        text: str = "Hello",
        *,
        files: Sequence[MediaFile] = (),
        card: LinkCard | None = None,
    ) -> LedgerEntry:
        """Prepare and publish; what LinkedIn made of it."""
        link = card.url if card is not None else None
        post = Post(key="key-1", text=text, link=link, media=tuple(file.media for file in files))
        prepared = await self.prepare(credential, post, files, card)
        published = await plugin.publish(self.of(credential), credential, post, prepared)
        return self.entry(published)

    async def publish(self, credential: Credential, text: str, *, link: str | None = None, **settings: str) -> str:
        """Publish a text and return what readers see."""
        post = Post(key="key-1", text=text, link=link)
        published = await plugin.publish(self.of(credential, **settings), credential, post, None)
        return self.fake.published[published.id].text

    async def comment(
        self, credential: Credential, root: str, text: str = "And a comment", **settings: str
    ) -> PublishedPost:
        post = Post(key="key-1:1", text=text, part=1, reply=Reply(root_id=root, previous_id=root))
        return await plugin.publish(self.of(credential, **settings), credential, post, None)

    def entry(self, published: PublishedPost) -> LedgerEntry:
        (found,) = (each for each in self.fake.ledger if each.id == published.id)
        return found


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

    def build(credential: Credential, **changes: Any) -> Credential:
        old = credential.tokens
        tokens = {"access_token": old.access_token, "refresh_token": old.refresh_token, "expires_at": old.expires_at}
        return replace(credential, tokens=TokenSet(**(tokens | changes)))

    return build
