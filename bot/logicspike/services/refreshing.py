"""Keeping access alive: fresh tokens before use, one refresh at a time, and asking for a reconnect when it's over."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
import weakref
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from ..clock import Clock
from ..connectables import Connectable
from ..domain import Connection, ConnectionStatus, Timings
from ..events import ConnectionNeedsReconnect, Emit, TokenRefreshFailed, TokensRefreshed
from ..platforms import PlatformNotReady, Platforms
from ..plugin.errors import PlatformError, PlatformUnavailable, RateLimited, ReconnectRequired, TokenExpired
from ..plugin.types import Credential, Platform, TokenSet
from ..vault import SealBroken, Vault
from .asking_to_reconnect import AskingToReconnect
from .credentials import (
    find_gone_scopes,
    open_credential,
    plan_reminder,
    plan_renewal,
    seal_credential,
    with_tokens,
)
from .ports import ConnectionStore, StoreUnavailable
from .withdrawing import Withdrawing

__all__ = ["ConnectionGone", "FreshCredential", "Refreshing"]

log = logging.getLogger(__name__)

_WAIT_FOR_OTHER: Final = timedelta(milliseconds=250)
_ROUNDS: Final = 120
_REPEATS: Final = (timedelta(seconds=1), timedelta(seconds=3))
"""Pauses before the same refresh token is sent again; together within the ten seconds that providers allow for."""
_SAVE_FOR: Final = timedelta(seconds=30)
_SAVE_PAUSE: Final = timedelta(seconds=1)


class ConnectionGone(Exception):
    """The connection was removed or disconnected meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshCredential:
    """A credential that can be used now, and the stored connection it came from."""

    connection: Connection
    credential: Credential


class Refreshing:
    """Hands out credentials that can be used now.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        asking_to_reconnect: tells owners that only they can help.
        withdrawing: ends what came for an account that is gone.
        vault: seals tokens.
        clock: the time.
        emit: takes events.
        timings: how long a refresh may take.
        pause: waits, in seconds; a test hands in its own.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        connections: ConnectionStore,
        asking_to_reconnect: AskingToReconnect,
        withdrawing: Withdrawing,
        vault: Vault,
        clock: Clock,
        emit: Emit,
        timings: Timings,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._platforms = platforms
        self._connections = connections
        self._asking = asking_to_reconnect
        self._withdrawing = withdrawing
        self._vault = vault
        self._clock = clock
        self._emit = emit
        self._timings = timings
        self._pause = pause
        # In one process, callers for one connection queue up here; between processes the store's lease decides.
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def get_credential(self, connection: Connection, *, refused_version: int | None = None) -> FreshCredential:
        """Get a credential for a connection, refreshed if it ends soon.

        Args:
            connection: as it was read; it's read again where its tokens won't do.
            refused_version: the token_version the platform has just refused; those tokens are not handed out again.

        Raises:
            ReconnectRequired: only the member can help; the connection is marked and its owner told.
            ConnectionGone: it was removed or disconnected.
            OperatorActionRequired, PlatformUnavailable, RateLimited: the refresh did not work for now.
            PlatformNotReady: the platform can't be used now.
            StoreUnavailable: the database did not answer.
        """
        lock = self._locks.setdefault(connection.connection_id, asyncio.Lock())
        async with lock:
            for _ in range(_ROUNDS):
                fresh = await self._try_once(connection, refused_version)
                if fresh is not None:
                    return fresh
                await self._pause(_WAIT_FOR_OTHER.total_seconds())
        raise PlatformUnavailable("The access is being renewed by another process and did not become ready.")

    async def renew(self, connection: Connection) -> FreshCredential:
        """Get a credential with newer tokens than a connection has, however long those would still do.

        Raises:
            ReconnectRequired, ConnectionGone, OperatorActionRequired, PlatformUnavailable, RateLimited,
            PlatformNotReady, StoreUnavailable: as for ``get_credential``; but for the first two, nothing has changed.
        """
        return await self.get_credential(connection, refused_version=connection.token_version)

    async def _try_once(self, connection: Connection, refused_version: int | None) -> FreshCredential | None:
        if connection.token_version != refused_version and self.is_still_good(connection):
            return FreshCredential(connection=connection, credential=self._open(connection))
        current = await self._read(connection)
        credential = self._open(current)
        is_refused = current.token_version == refused_version
        if not is_refused and not self._ends_soon(current):
            return FreshCredential(connection=current, credential=credential)
        owner = secrets.token_hex(8)
        now = self._clock.now()
        if not await self._connections.take_refresh_lease(
            current, owner=owner, until=now + self._timings.refresh_lease, now=now
        ):
            return None
        try:
            return await self._refresh(current, credential)
        except (PlatformUnavailable, RateLimited):
            if not is_refused and self._is_alive(current):
                return FreshCredential(connection=current, credential=credential)
            raise
        finally:
            await self._connections.release_refresh_lease(current.connection_id, owner=owner)

    def is_still_good(self, connection: Connection) -> bool:
        """Whether what was read a moment ago will do; should it be outdated, the platform refuses it.

        Raises:
            PlatformNotReady: the platform can't be used now.
        """
        return (
            connection.status is ConnectionStatus.ACTIVE
            and connection.sealed is not None
            and not self._ends_soon(connection)
        )

    async def _read(self, connection: Connection) -> Connection:
        current = await self._connections.find(connection.team_id, connection.connection_id)
        if current is None or current.status in {ConnectionStatus.DISCONNECTED, ConnectionStatus.PENDING_CHOICE}:
            raise ConnectionGone
        if current.status is ConnectionStatus.NEEDS_RECONNECT:
            raise ReconnectRequired(current.status_reason or "The platform has ended the bot's access.")
        return current

    def _open(self, connection: Connection) -> Credential:
        try:
            return open_credential(self._vault, connection)
        except SealBroken:
            log.error("tokens can't be opened with the keys at hand", extra={"event": "seal.broken"})  # noqa: TRY400 - no cause
            raise PlatformUnavailable(
                "The stored access can't be opened; the bot's admin must restore its key."
            ) from None

    def _ends_soon(self, connection: Connection) -> bool:
        # Until it's known whether a post went out, its account must stay usable: to look for it.
        margin = max(timedelta(seconds=self._platform(connection).refresh_margin_seconds), self._timings.settle)
        ends_at = connection.token_expires_at
        return ends_at is not None and ends_at <= self._clock.now() + margin

    def _platform(self, connection: Connection) -> Platform:
        platform = self._platforms.find(connection.platform)
        if platform is None:
            raise PlatformNotReady(self._platforms.problems(connection.platform)[0])
        return platform

    def _is_alive(self, connection: Connection) -> bool:
        return connection.token_expires_at is None or connection.token_expires_at > self._clock.now()

    async def _refresh(self, connection: Connection, credential: Credential) -> FreshCredential | None:
        try:
            tokens = await self._ask_for_tokens(connection, credential)
        except ReconnectRequired as error:
            if await self.end_access(connection, error):
                raise
            return None  # Somebody else stored newer tokens meanwhile: look again.
        except PlatformError as error:
            self._emit(
                TokenRefreshFailed(
                    team_id=connection.team_id,
                    connection_id=connection.connection_id,
                    platform=connection.platform,
                    error=type(error).__name__,
                )
            )
            raise
        renewed = with_tokens(credential, tokens)
        after = self._with_credential(connection, renewed)
        # Saved before use: a rotated refresh token that is not stored is a connection lost.
        if not await self._save(connection, after):
            await self._withdraw_if_gone(connection, renewed)
            return None
        self._emit(TokensRefreshed(team_id=after.team_id, connection_id=after.connection_id, platform=after.platform))
        if lost := await self.end_if_shrunk(after, credential, renewed.tokens.scopes):
            raise lost
        return FreshCredential(connection=after, credential=renewed)

    def _with_credential(self, connection: Connection, renewed: Credential) -> Connection:
        connection_id, version, now = connection.connection_id, connection.token_version + 1, self._clock.now()
        renew_at = plan_renewal(
            self._platform(connection), renewed.tokens, connection_id=connection_id, token_version=version, now=now
        )
        return replace(
            connection,
            sealed=seal_credential(self._vault, renewed, connection_id=connection_id, team_id=connection.team_id),
            token_version=version,
            token_expires_at=renewed.tokens.expires_at,
            refreshed_at=now,
            renew_at=renew_at,
            renewal_tries=0,
            remind_at=plan_reminder(renewed.tokens.expires_at, renew_at=renew_at, now=now),
        )

    async def _ask_for_tokens(self, connection: Connection, credential: Credential) -> TokenSet:
        """Refresh; an answer that got lost is asked for again with the same refresh token, within its grace at best."""
        for pause in (*_REPEATS, None):
            try:
                return await self._platforms.refresh(connection.platform, credential)
            except TokenExpired as error:
                # Refreshing is the answer to this everywhere else; here it says there's nothing left to refresh with.
                raise ReconnectRequired(error.explanation) from error
            except PlatformUnavailable:
                if pause is None:
                    raise
                await self._pause(pause.total_seconds())
        raise AssertionError("the last try returns or raises")

    async def _save(self, before: Connection, after: Connection) -> bool:
        """Write renewed tokens, trying for as long as nobody else may refresh."""
        until = time.monotonic() + _SAVE_FOR.total_seconds()
        while True:
            try:
                if await self._connections.swap(before, after):
                    return True
                # An earlier try may have landed although its reply was lost.
                current = await self._connections.find(after.team_id, after.connection_id)
                return current is not None and current.sealed == after.sealed
            except StoreUnavailable:
                if time.monotonic() > until:
                    raise
                await self._pause(_SAVE_PAUSE.total_seconds())

    async def _withdraw_if_gone(self, connection: Connection, renewed: Credential) -> None:
        """Tokens that came for an account which was disconnected meanwhile are nobody's: end them at the platform."""
        current = await self._connections.find(connection.team_id, connection.connection_id)
        if current is None or current.status is ConnectionStatus.DISCONNECTED:
            await self._withdrawing.withdraw_all(connection.platform, (renewed,))

    async def end_if_shrunk(
        self, connection: Connection, before: Credential, scopes: Sequence[str]
    ) -> ReconnectRequired | None:
        """End an access that lacks a permission it had; why, or None when nothing is missing.

        Args:
            connection: as it is stored.
            before: with the permissions that were granted.
            scopes: what is left of them, as the platform says.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        asked = self._platforms.get_connectable(connection.platform, connection.credential_set)
        gone = find_gone_scopes(asked.scopes, granted=before.tokens.scopes, left=scopes)
        if not gone:
            return None
        error = ReconnectRequired(_explain_loss(asked, gone), missing_scopes=gone)
        return error if await self.end_access(connection, error) else None

    async def end_access(self, connection: Connection, error: ReconnectRequired) -> bool:
        """Mark a connection as needing its owner and tell them once; False when its tokens have changed meanwhile.

        Args:
            connection: as it was when the platform refused it.
            error: why.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        if connection.status is ConnectionStatus.NEEDS_RECONNECT:
            return True  # Its owner was told when it came to be so, or will be.
        after = self._asking.owe(connection, error.explanation, error.missing_scopes)
        if not await self._connections.swap(connection, after):
            current = await self._connections.find(connection.team_id, connection.connection_id)
            return current is None or current.token_version == connection.token_version
        self._emit(
            ConnectionNeedsReconnect(team_id=after.team_id, connection_id=after.connection_id, platform=after.platform)
        )
        await self._asking.ask(after)
        return True


def _explain_loss(asked: Connectable, gone: Sequence[str]) -> str:
    """Name what is gone: in words where it can be nothing else, else as the platform calls it."""
    title = asked.platform_title
    if len(asked.scopes) == len(asked.permissions) == 1:
        what = f"no longer lets me {asked.permissions[0]}"
    else:
        what = f"took back {'a permission' if len(gone) == 1 else 'permissions'} I need ({', '.join(gone)})"
    return f"{title} {what}. When you sign in again, leave all boxes ticked."
