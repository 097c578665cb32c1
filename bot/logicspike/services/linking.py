"""Connecting the account that a sign-in brought: anew, in place, or after asking which one is meant."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from ..clock import Clock
from ..domain import Connection, ConnectionStatus, Member
from ..events import ConnectionCompleted, Emit
from ..platforms import Platforms
from ..plugin.errors import PlatformUnavailable
from ..plugin.types import Credential
from ..texts import make_nickname
from ..vault import Vault
from .credentials import (
    open_choices,
    plan_check,
    plan_reminder,
    plan_renewal,
    seal_choices,
    seal_credential,
)
from .notices import AccountChoice, Connected, ConnectFailed, Notice, Reconnected
from .ports import ConnectionStore, ConnectResult, NameTaken, StoreUnavailable
from .releasing import Releasing
from .signing_in import SignInOutcome

__all__ = ["CHOICE_LIFETIME", "Linking", "NoSuchConnection", "NotAllowed"]

log = logging.getLogger(__name__)

CHOICE_LIFETIME: Final = timedelta(hours=24)
"""How long the question which account is meant can be answered."""

_SWAP_TRIES: Final = 5


class NoSuchConnection(Exception):
    """The workspace has no such connection."""


class NotAllowed(Exception):
    """Only the owner of the connection (or, for some things, an admin) may do this.

    Args:
        owner_id: the Slack user who may.
    """

    def __init__(self, *, owner_id: str) -> None:
        super().__init__("not allowed")
        self.owner_id = owner_id


class Linking:
    """Stores accounts with their sealed tokens.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        releasing: lets held posts go once an account is back.
        vault: seals tokens.
        clock: the time.
        emit: takes events.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        connections: ConnectionStore,
        releasing: Releasing,
        vault: Vault,
        clock: Clock,
        emit: Emit,
    ) -> None:
        self._platforms = platforms
        self._connections = connections
        self._releasing = releasing
        self._vault = vault
        self._clock = clock
        self._emit = emit

    async def link(
        self, member: Member, name: str, candidates: Sequence[Credential], *, reconnects: str | None = None
    ) -> SignInOutcome:
        """Connect the account that a sign-in brought, or ask which one is meant; ``complete`` does the rest.

        Args:
            member: who signed in.
            name: the platform's.
            candidates: what the sign-in can post as; at least one.
            reconnects: the connection that the sign-in was meant to renew.

        Raises:
            PlatformUnavailable: the account was being changed at the same moment.
            StoreUnavailable: the database did not answer.
        """
        expected = await self._connections.find(member.team_id, reconnects) if reconnects is not None else None
        if expected is not None:
            match = next((each for each in candidates if each.account.id == expected.account.id), None)
            if match is None:
                return await self._ask(member, name, candidates, expected=expected)
            return await self._connect(member, name, match, before=expected)
        if len(candidates) > 1 or reconnects is not None:
            return await self._ask(member, name, candidates)
        return await self._connect(member, name, candidates[0])

    async def _ask(
        self, member: Member, name: str, candidates: Sequence[Credential], *, expected: Connection | None = None
    ) -> SignInOutcome:
        platform = self._platforms.get(name)
        connection_id = _new_id()
        grants = {candidate.grant_id for candidate in candidates}
        connection = Connection(
            connection_id=connection_id,
            team_id=member.team_id,
            owner_id=member.user_id,
            platform=platform.name,
            account=candidates[0].account,
            choices=tuple(candidate.account for candidate in candidates),
            status=ConnectionStatus.PENDING_CHOICE,
            nickname=f"{platform.name}:{connection_id}",
            sealed=seal_choices(self._vault, tuple(candidates), connection_id=connection_id, team_id=member.team_id),
            created_at=self._clock.now(),
            grant_id=candidates[0].grant_id if len(grants) == 1 else None,
            credential_set=candidates[0].credential_set,
            reconnects=expected.connection_id if expected else None,
        )
        await self._connections.insert(connection)
        result = ConnectResult(
            outcome="wrong_account" if expected else "choose",
            platform_title=platform.title,
            account_name=expected.account.name if expected else None,
        )
        asked = self._platforms.get_connectable(platform.name, connection.credential_set)
        notice = AccountChoice(
            connection=connection,
            typed=asked.typed,
            platform_title=platform.title,
            expected_name=expected.account.name if expected else None,
        )
        return SignInOutcome(result=result, notice=notice)

    async def _connect(
        self, member: Member, name: str, credential: Credential, *, before: Connection | None = None
    ) -> SignInOutcome:
        """Connect an account; it is taken for new until the database says that it, or its nickname, is there."""
        title = self._platforms.get(name).title
        nicknames: frozenset[str] = frozenset()
        for _ in range(_SWAP_TRIES):
            if before is not None and before.owner_id != member.user_id and _is_linked(before):
                return self._taken(before, title)
            try:
                connection = await self._write(member, name, credential, before, nicknames)
            except NameTaken:
                connection = None
            if connection is not None:
                return self._connected(connection, title, is_back=before is not None)
            before = await self._connections.find_by_account(member.team_id, name, credential.account.id)
            if before is None:
                nicknames = await self._connections.list_nicknames(member.team_id)
        raise PlatformUnavailable("The account was being changed at the same moment. Please try again.")

    async def _write(
        self, member: Member, name: str, credential: Credential, before: Connection | None, nicknames: frozenset[str]
    ) -> Connection | None:
        now = self._clock.now()
        connection_id = before.connection_id if before else _new_id()
        sealed = seal_credential(self._vault, credential, connection_id=connection_id, team_id=member.team_id)
        token_version = before.token_version + 1 if before else 1
        renew_at = plan_renewal(
            self._platforms.get(name),
            credential.tokens,
            connection_id=connection_id,
            token_version=token_version,
            now=now,
        )
        check_at = plan_check(connection_id, token_version, now)
        remind_at = plan_reminder(credential.tokens.expires_at, renew_at=renew_at, now=now)
        if before is None:
            connection = Connection(
                connection_id=connection_id,
                team_id=member.team_id,
                owner_id=member.user_id,
                platform=name,
                account=credential.account,
                status=ConnectionStatus.ACTIVE,
                nickname=make_nickname(name, credential.account.name, nicknames),
                grant_id=credential.grant_id,
                credential_set=credential.credential_set,
                sealed=sealed,
                token_version=token_version,
                token_expires_at=credential.tokens.expires_at,
                refreshed_at=now,
                renew_at=renew_at,
                check_at=check_at,
                remind_at=remind_at,
                created_at=now,
            )
            await self._connections.insert(connection)
            return connection
        connection = replace(
            before,
            owner_id=member.user_id,
            account=credential.account,
            status=ConnectionStatus.ACTIVE,
            status_reason=None,
            grant_id=credential.grant_id,
            credential_set=credential.credential_set,
            sealed=sealed,
            token_version=token_version,
            token_expires_at=credential.tokens.expires_at,
            refreshed_at=now,
            renew_at=renew_at,
            renewal_tries=0,
            check_at=check_at,
            remind_at=remind_at,
            missing_scopes=(),
            notice_owed_since=None,
            notice_due_at=None,
        )
        return connection if await self._connections.swap(before, connection) else None

    def _connected(self, connection: Connection, title: str, *, is_back: bool) -> SignInOutcome:
        self._emit(
            ConnectionCompleted(
                team_id=connection.team_id, connection_id=connection.connection_id, platform=connection.platform
            )
        )
        return SignInOutcome(
            result=ConnectResult(
                outcome="connected",
                platform_title=title,
                account_name=connection.account.name,
                account_kind=connection.account.kind,
                account_handle=connection.account.handle,
                account_url=connection.account.url,
                account_picture=connection.account.picture,
            ),
            notice=Connected(connection=connection, platform_title=title),
            returned=connection if is_back else None,
        )

    async def complete(self, outcome: SignInOutcome) -> Notice:
        """Let the posts go that were held for an account that is back; what the member is told.

        When the database doesn't answer they stay held: ``Releasing.release_stranded`` finds them later.
        """
        connection = outcome.returned
        if connection is None:
            return outcome.notice
        try:
            released, late = await self._releasing.release(connection)
        except StoreUnavailable:
            log.warning("held posts were not released yet", extra={"event": "connect.not_released"})
            return outcome.notice
        if not released and not late:
            return outcome.notice
        title = self._platforms.get(connection.platform).title
        return Reconnected(connection=connection, platform_title=title, released=released, late=late)

    def _taken(self, connection: Connection, title: str) -> SignInOutcome:
        explanation = (
            f"{connection.account.name} is connected in this workspace already, by somebody else. "
            "Nothing was changed, and this sign-in was not kept. Ask them to post for you, or to disconnect it first."
        )
        result = ConnectResult(
            outcome="taken", platform_title=title, account_name=connection.account.name, explanation=explanation
        )
        notice = ConnectFailed(
            typed=self._platforms.get_connectable(connection.platform, connection.credential_set).typed,
            platform_title=title,
            explanation=explanation,
            connection_id=None,
        )
        return SignInOutcome(result=result, notice=notice)

    async def choose(self, member: Member, connection_id: str, position: int) -> Notice:
        """Connect the account a member picked; what takes the place of the question.

        Args:
            member: who picked.
            connection_id: of the connection in pending_choice.
            position: of the account in its ``choices``, from 0.

        Raises:
            NoSuchConnection: the question is over, or there is no such account in it.
            NotAllowed: it's somebody else's question.
            PlatformError: it could not be stored just now.
            StoreUnavailable: the database did not answer.
        """
        question, now = await self.get_owned(member, connection_id), self._clock.now()
        is_open = question.status is ConnectionStatus.PENDING_CHOICE and question.created_at > now - CHOICE_LIFETIME
        if not is_open or not 0 <= position < len(question.choices):
            raise NoSuchConnection
        credential = open_choices(self._vault, question)[position]
        outcome = await self._connect(member, question.platform, credential)
        notice = await self.complete(outcome)
        await self._connections.delete(question)
        return notice

    async def get_owned(self, member: Member, connection_id: str) -> Connection:
        """A member's own connection, whatever its status.

        Raises:
            NoSuchConnection: there is none of this id.
            NotAllowed: it's somebody else's.
            StoreUnavailable: the database did not answer.
        """
        connection = await self._connections.find(member.team_id, connection_id)
        if connection is None:
            raise NoSuchConnection
        if connection.owner_id != member.user_id:
            raise NotAllowed(owner_id=connection.owner_id)
        return connection


def _new_id() -> str:
    return secrets.token_hex(8)


def _is_linked(connection: Connection) -> bool:
    return connection.status in {ConnectionStatus.ACTIVE, ConnectionStatus.NEEDS_RECONNECT}
