"""Withdrawing access at a platform, as well as that works: what we keep is erased before, whatever comes of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from enum import StrEnum

from ..clock import Clock
from ..domain import Connection, ConnectionStatus
from ..platforms import NotSupported, PlatformNotReady, Platforms
from ..plugin.errors import PlatformError
from ..plugin.types import Credential
from ..vault import SealBroken, Vault
from .credentials import open_choices, open_credential
from .ports import ConnectionStore, StoreUnavailable

__all__ = ["Withdrawal", "Withdrawing"]

log = logging.getLogger(__name__)


class Withdrawal(StrEnum):
    """What came of withdrawing access at a platform."""

    DONE = "done"
    STILL_USED = "still_used"
    """Other connections stand on the same grant, so that it was left to them."""
    FAILED = "failed"
    NOT_SUPPORTED = "not_supported"


class Withdrawing:
    """Withdraws what a connection held, once nothing of it is stored any more.

    A grant that several connections share ends with the last of them. Each is erased first and then looks for others:
    of two that go together, the later look finds none, so that the grant is never left behind; and a grant is never
    withdrawn while a connection that stands on it is stored.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        vault: opens tokens.
        clock: the time.
    """

    def __init__(self, *, platforms: Platforms, connections: ConnectionStore, vault: Vault, clock: Clock) -> None:
        self._platforms = platforms
        self._connections = connections
        self._vault = vault
        self._clock = clock

    async def withdraw(self, connection: Connection) -> Withdrawal:
        """Withdraw what a connection held.

        Args:
            connection: as it was before it was erased or deleted.
        """
        if not self._platforms.supports(connection.platform, "revoke"):
            return Withdrawal.NOT_SUPPORTED
        try:
            credentials = self._open(connection)
        except (SealBroken, ValueError) as error:
            log.warning(
                "the tokens to withdraw can't be opened",
                extra={"event": "revoke.failed", "platform": connection.platform, "error": type(error).__name__},
            )
            return Withdrawal.FAILED
        return await self.withdraw_all(connection.platform, credentials)

    async def withdraw_all(self, platform: str, credentials: Sequence[Credential]) -> Withdrawal:
        """Withdraw credentials that no connection holds any more, each grant among them once."""
        found = {await self._withdraw(platform, each) for each in _one_of_each_grant(credentials)}
        worst = (Withdrawal.NOT_SUPPORTED, Withdrawal.FAILED, Withdrawal.STILL_USED)
        return next((each for each in worst if each in found), Withdrawal.DONE)

    def _open(self, connection: Connection) -> tuple[Credential, ...]:
        if connection.status is ConnectionStatus.PENDING_CHOICE:
            return open_choices(self._vault, connection)
        return (open_credential(self._vault, connection),)

    async def _withdraw(self, platform: str, credential: Credential) -> Withdrawal:
        try:
            is_last = not await self._is_used(platform, credential)
            await self._platforms.revoke(platform, credential, is_last=is_last)
            if is_last:
                await self._check_newcomers(platform, credential)
        except NotSupported:
            return Withdrawal.NOT_SUPPORTED
        except (PlatformError, PlatformNotReady, StoreUnavailable) as error:
            log.warning(
                "access could not be withdrawn at the platform",
                extra={"event": "revoke.failed", "platform": platform, "error": type(error).__name__},
            )
            return Withdrawal.FAILED
        return Withdrawal.DONE if is_last else Withdrawal.STILL_USED

    async def _check_newcomers(self, platform: str, credential: Credential) -> None:
        """A sign-in that came between the look and the withdrawal may have lost its access again: find out soon."""
        if credential.grant_id is not None:
            await self._connections.hasten_checks(
                platform, credential.credential_set, credential.grant_id, at=self._clock.now()
            )

    async def _is_used(self, platform: str, credential: Credential) -> bool:
        """Whether a connection, in any workspace, stands on the same grant; also one whose account is being chosen."""
        if credential.grant_id is None:
            return False
        sharing = await self._connections.list_by_grant(platform, credential.credential_set, credential.grant_id)
        return any(each.status is not ConnectionStatus.DISCONNECTED for each in sharing)


def _one_of_each_grant(credentials: Iterable[Credential]) -> Iterable[Credential]:
    """One credential of each grant; without a grant's name, of each access token."""
    return {each.grant_id or each.tokens.access_token: each for each in credentials}.values()
