"""Where the contract is played: an installed plugin, loaded as the bot loads it, and its fake on loopback."""

from __future__ import annotations

import asyncio
import importlib.metadata
import ipaddress
import logging
import secrets
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

import aiohttp
from aiohttp.test_utils import TestServer
from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from yarl import URL

from ..clock import MovableClock
from ..developer_apps import variable_prefix
from ..loading import GROUP
from ..platforms import Platforms
from ..plugin import (
    AuthorizationGrant,
    AuthorizationLink,
    AuthorizationRequest,
    Credential,
    Platform,
    PlatformError,
    TokenSet,
)
from .fake_platform import FakePlatform, press_allow

__all__ = ["SANDBOX_GROUP", "Asked", "Stage", "open_stage"]

SANDBOX_GROUP: Final = "logicspike.sandboxes"
_SHORTEST_SECRET: Final = 12
_A_WHILE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An authorize link and what it was made from."""

    request: AuthorizationRequest
    link: AuthorizationLink
    code_verifier: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A plugin and its fake, with shortcuts for what every test begins with.

    Attributes:
        platforms: the one under test, loaded from what is installed, every endpoint replaced by the fake's address.
        platform: its facts.
        fake: the platform's stand-in; its ledger is the truth.
        clock: what both tell the time by; it stands still.
        browser: the member's browser.
        redirect_uri: registered at the fake.
        environment: what the operator set.
        secrets: all that must never show up anywhere.
        shown: all that was shown so far: error texts with their chains, and reprs.
    """

    platforms: Platforms
    platform: Platform
    fake: FakePlatform
    clock: MovableClock
    browser: aiohttp.ClientSession
    redirect_uri: str
    environment: Mapping[str, str]
    secrets: set[str] = field(default_factory=set, repr=False)
    shown: list[str] = field(default_factory=list, repr=False)

    async def ask(self, *, credential_set: str = "", server: str = "") -> Asked:
        """Get an authorize link, as at a member's click."""
        sets = {each.name: each.scopes for each in self.platform.credential_sets}
        verifier = generate_token(64) if self.platform.uses_pkce else None
        request = AuthorizationRequest(
            redirect_uri=self.redirect_uri,
            state=generate_token(43),
            scopes=sets[credential_set] if credential_set else self.platform.scopes,
            code_challenge=create_s256_code_challenge(verifier) if verifier else None,
        )
        link = await self.platforms.authorize(self.platform.name, request, credential_set=credential_set, server=server)
        self._keep_secret(request.state, verifier, *link.carry.values())
        self.shown.extend((repr(request), repr(link)))
        return Asked(request=request, link=link, code_verifier=verifier)

    async def consent(self, *, person: str = "", credential_set: str = "", server: str = "") -> AuthorizationGrant:
        """Ask, press Allow, and read the callback."""
        asked = await self.ask(credential_set=credential_set, server=server)
        callback = URL(await press_allow(self.browser, asked.link.url, person=person))
        assert callback.query.get("state") == asked.request.state, "the callback must bring our state back"
        code = callback.query.get("code", "")
        self._keep_secret(code)
        return AuthorizationGrant(
            code=code, redirect_uri=self.redirect_uri, code_verifier=asked.code_verifier, carry=asked.link.carry
        )

    async def exchange(self, grant: AuthorizationGrant, *, credential_set: str = "", server: str = "") -> Credential:
        """Trade the code for tokens."""
        name = self.platform.name
        return self._note(await self.platforms.exchange(name, grant, credential_set=credential_set, server=server))

    async def list_accounts(
        self, *, person: str = "", credential_set: str = "", server: str = ""
    ) -> tuple[Credential, ...]:
        """Connect a person and list what they can post as."""
        grant = await self.consent(person=person, credential_set=credential_set, server=server)
        credential = await self.exchange(grant, credential_set=credential_set, server=server)
        return tuple(self._note(each) for each in await self.platforms.accounts(self.platform.name, credential))

    async def connect(self, *, person: str = "", server: str = "") -> Credential:
        """Connect a person, take the first account, and let a while pass, so that nothing is fresh any more."""
        accounts = await self.list_accounts(person=person, server=server)
        assert accounts, "the fake's people must have an account to post as"
        self.clock.advance(_A_WHILE)
        return accounts[0]

    @asynccontextmanager
    async def another_server(self) -> AsyncIterator[tuple[FakePlatform, str]]:
        """A second server of the platform, with people of the same ids, and its origin."""
        fake = type(self.fake)(
            client_id=self.fake.client_id,
            client_secret=self.fake.client_secret,
            clock=self.clock,
            redirect_uris=self.fake.redirect_uris,
        )
        async with _serve(fake) as address:
            yield fake, address

    async def refresh(self, credential: Credential) -> Credential:
        """The credential with new tokens; a refresh token that the answer omits stays, as in the bot."""
        tokens = await self.platforms.refresh(self.platform.name, credential)
        kept = tokens.refresh_token or credential.tokens.refresh_token
        return self._note(replace(credential, tokens=replace(tokens, refresh_token=kept)))

    @contextmanager
    def raises(self, *expected: type[PlatformError]) -> Iterator[list[PlatformError]]:
        """Expect one of these errors; it stands in the list afterwards.

        Raises:
            AssertionError: no error came, or another one.
        """
        caught: list[PlatformError] = []
        try:
            yield caught
        except PlatformError as error:
            self.show(error)
            caught.append(error)
        names = " or ".join(kind.__name__ for kind in expected)
        assert caught, f"expected {names}, but nothing was raised"
        assert isinstance(caught[0], expected), f"expected {names}, got {type(caught[0]).__name__}: {caught[0]}"

    def show(self, error: Exception) -> None:
        """Keep what a log would show of an error, its whole chain included, for ``find_leaks``."""
        self.shown.extend(("".join(traceback.format_exception(error)), repr(error), repr(vars(error))))

    @asynccontextmanager
    async def misconfigured(self, *, client_secret: str) -> AsyncIterator[Platforms]:
        """The platforms as they are when the operator pasted another client secret."""
        variable = f"{variable_prefix(self.platform.name)}CLIENT_SECRET"
        self._keep_secret(client_secret)
        async with Platforms.load(
            environment={**self.environment, variable: client_secret}, clock=self.clock
        ) as platforms:
            yield platforms

    def find_leaks(self, records: Iterable[logging.LogRecord]) -> list[str]:
        """Where a secret shows up among log records and everything shown so far; the secrets are blotted out."""
        places = [*self.shown, *(f"{record.getMessage()} {vars(record)}" for record in records)]
        return [self._blot(place) for place in places if any(secret in place for secret in self.secrets)]

    def list_offences(self, records: Sequence[logging.LogRecord]) -> list[str]:
        """What no test may leave behind: secrets that show, hosts asked that aren't declared, bugs of the plugin."""
        reported = [record for record in records if getattr(record, "event", None) in {"egress.refused", "plugin.bug"}]
        return [
            *(f"a secret shows: {place}" for place in self.find_leaks(records)),
            *(self._blot(record.getMessage()) for record in reported),
        ]

    def _blot(self, place: str) -> str:
        for secret in self.secrets:
            place = place.replace(secret, "«secret»")
        return place

    def _note(self, credential: Credential) -> Credential:
        public = {credential.account.id, credential.account.name, credential.grant_id}
        self._keep_secret(*_list_tokens(credential.tokens), *(set(credential.extra.values()) - public))
        self.shown.append(repr(credential))
        return credential

    def _keep_secret(self, *values: str | None) -> None:
        # Short values, such as "1" in a plugin's extras, would be found everywhere.
        self.secrets.update(value for value in values if value and len(value) >= _SHORTEST_SECRET)


def _list_tokens(tokens: TokenSet) -> tuple[str | None, ...]:
    return tokens.access_token, tokens.refresh_token


@asynccontextmanager
async def open_stage(name: str) -> AsyncIterator[Stage]:
    """Start the fake, load the plugin against it, and clean up afterwards.

    Raises:
        AssertionError: with a sentence, when the plugin or its fake is not installed or can't be used.
    """
    installed = importlib.metadata.entry_points()
    clock = MovableClock(is_frozen=True)
    redirect_uri = f"http://127.0.0.1:3000/api/auth/{name}/callback"
    client_id, client_secret = f"client-{secrets.token_hex(8)}", secrets.token_urlsafe(24)
    fake = _load_fake(name, installed.select(group=SANDBOX_GROUP, name=name))(
        client_id=client_id, client_secret=client_secret, clock=clock, redirect_uris=[redirect_uri], slow_seconds=0.25
    )
    async with _serve(fake) as address:
        environment = fake.list_variables(address)
        async with (
            Platforms.load(
                environment=environment,
                clock=clock,
                entry_points=installed.select(group=GROUP, name=name),
                sleep=_sleep_by(clock),
                may_reach=_is_loopback,
            ) as platforms,
            aiohttp.ClientSession() as browser,
        ):
            problems = platforms.problems(name)
            assert not problems, " ".join(problems)
            yield Stage(
                platforms=platforms,
                platform=platforms.get(name),
                fake=fake,
                clock=clock,
                browser=browser,
                redirect_uri=redirect_uri,
                environment=environment,
                secrets={client.client_secret for client in fake.clients.values()},
            )


@asynccontextmanager
async def _serve(fake: FakePlatform) -> AsyncIterator[str]:
    server = TestServer(fake.build_app())
    # The fake's own access log shows the browser's addresses, which hold the state as they must.
    await server.start_server(access_log=None)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


def _is_loopback(address: str, _port: int) -> bool:
    return ipaddress.ip_address(address).is_loopback


def _sleep_by(clock: MovableClock) -> Callable[[float], Awaitable[None]]:
    """Let time pass on the clock alone, and others take their turn."""

    async def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)

    return sleep


def _load_fake(name: str, entry_points: Iterable[importlib.metadata.EntryPoint]) -> Callable[..., FakePlatform]:
    found = list(entry_points)
    assert len(found) == 1, (
        f"{len(found)} fakes are installed for {name!r}; its plugin needs one entry point of that name in the group"
        f" {SANDBOX_GROUP!r}, and must be installed."
    )
    fake: Callable[..., FakePlatform] = found[0].load()
    return fake
