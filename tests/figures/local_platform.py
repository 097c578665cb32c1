"""A platform inside the process: no HTTP, a ledger, and a script that says what becomes of each call.

It is called through the real façade, as an installed plugin would be.
"""

from __future__ import annotations

import importlib.metadata
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from logicspike.clock import Clock
from logicspike.platforms import Platforms
from logicspike.plugin import (
    Account,
    AuthorizationGrant,
    AuthorizationLink,
    AuthorizationRequest,
    Credential,
    Limits,
    Platform,
    PlatformContext,
    Post,
    PublishedPost,
    Reply,
    TokenSet,
    hookimpl,
)
from logicspike.plugin.errors import PlatformUnavailable, ReconnectRequired

TOKEN_LIFE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """A post, or a part of one, that is live: the truth; ``reply_to`` is what the part says that it replies to."""

    account_id: str
    text: str
    reply_to: str | None = field(default=None, compare=False)


@dataclass(eq=False)
class LocalPlatform:
    """A platform with every hook but ``accounts``.

    Attributes:
        outcomes: what the next calls of ``publish`` do, in turn; each gets the account and text, may write into the
            ledger, and returns or raises. Without one, a post is taken.
    """

    name: str = "local"
    clock: Clock | None = None
    ledger: list[Entry] = field(default_factory=list)
    outcomes: deque[Callable[[Entry], Awaitable[None]]] = field(default_factory=deque)
    generations: dict[str, int] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    is_down: bool = False
    refreshes: int = 0
    sends: int = 0

    @hookimpl
    def describe(self) -> Platform:
        return Platform(
            name=self.name,
            title=self.name.title(),
            scopes=("say",),
            endpoints={"auth": "https://local.example"},
            limits=Limits(max_chars=500, max_parts=3),
            uses_pkce=False,
        )

    @hookimpl
    async def authorize(self, ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
        return AuthorizationLink(url=f"https://local.example/?state={request.state}")

    @hookimpl
    async def exchange(self, ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
        account_id = grant.code
        self.revoked.discard(account_id)
        return Credential(account=Account(id=account_id, name=account_id), tokens=self._issue(account_id, ctx))

    @hookimpl
    async def refresh(self, ctx: PlatformContext, credential: Credential) -> TokenSet:
        self.refreshes += 1
        if self.is_down:
            raise PlatformUnavailable("Down.")
        account_id, _, generation = (credential.tokens.refresh_token or "").partition("#")
        # The one before is still taken: a grace for answers that got lost.
        if account_id in self.revoked or int(generation) < self.generations[account_id] - 1:
            raise ReconnectRequired("The grant has ended.")
        return self._issue(account_id, ctx)

    @hookimpl
    async def revoke(self, credential: Credential) -> None:
        self.revoked.add(credential.account.id)

    @hookimpl
    async def publish(self, ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost:
        self.sends += 1
        entry = Entry(credential.account.id, post.text, self._said_by(post.reply))
        if entry.account_id in self.revoked:
            raise ReconnectRequired("The grant has ended.")
        if self.outcomes:
            await self.outcomes.popleft()(entry)
        else:
            self.ledger.append(entry)
        return PublishedPost(id=self.id_of(entry), url=None)

    def id_of(self, entry: Entry) -> str:
        """What the platform calls the post that last said this."""
        return f"{entry.account_id}/{len(self.ledger) - self.ledger[::-1].index(entry)}"

    def _said_by(self, reply: Reply | None) -> str | None:
        if reply is None:
            return None
        return self.ledger[int(reply.previous_id.rpartition("/")[2]) - 1].text

    def _issue(self, account_id: str, ctx: PlatformContext) -> TokenSet:
        self.generations[account_id] = self.generations.get(account_id, 0) + 1
        token = f"{account_id}#{self.generations[account_id]}"
        return TokenSet(access_token=f"a-{token}", refresh_token=token, expires_at=ctx.now + TOKEN_LIFE)


@dataclass(eq=False)
class ReadablePlatform(LocalPlatform):
    """One whose posts can be looked up as well."""

    name: str = "readable"

    @hookimpl
    async def find_published(self, ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost | None:
        if self.is_down:
            raise PlatformUnavailable("Down.")
        entry = Entry(credential.account.id, post.text)
        return PublishedPost(id=self.id_of(entry), url=None) if entry in self.ledger else None


class _InstalledHere(importlib.metadata.EntryPoint):
    """An entry point whose plugin is at hand already."""

    plugins: ClassVar[dict[str, object]] = {}

    def load(self) -> Any:
        return self.plugins[self.value]


def install(clock: Clock, plugins: Sequence[object]) -> Platforms:
    """The façade with these plugins, and credentials for all of them."""
    names = [plugin.describe().name for plugin in plugins]  # type: ignore[attr-defined]
    points = []
    for name, plugin in zip(names, plugins, strict=True):
        key = f"{name}:{id(plugin)}"
        _InstalledHere.plugins[key] = plugin
        points.append(_InstalledHere(name=name, value=key, group="logicspike.platforms"))
    environment = {f"{name.upper()}_{suffix}": "x" * 12 for name in names for suffix in ("CLIENT_ID", "CLIENT_SECRET")}
    platforms = Platforms.load(environment=environment, clock=clock, entry_points=points)
    assert not platforms.quarantined, platforms.quarantined
    for point in points:
        del _InstalledHere.plugins[point.value]
    return platforms
