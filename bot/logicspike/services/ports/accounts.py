"""What is kept of accounts: sign-ins under way, connections, the platforms' own callbacks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ...domain import Connection, PendingAuthorization, ReceivedEvent, Ticket

__all__ = ["ConnectResult", "ConnectionStore", "PendingStore", "PlatformEventStore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectResult:
    """What the result page says; no code, no state, no token.

    Attributes:
        outcome: "connected", "choose", "wrong_account", "canceled", "failed", "unavailable" or "taken".
        platform_title: for people.
        account_name: whose account, where one is known.
        explanation: more, in words for people.
        account_kind, account_handle, account_url, account_picture: more of a connected account, as its plugin says.
    """

    outcome: str
    platform_title: str
    account_name: str | None = None
    explanation: str | None = None
    account_kind: str | None = None
    account_handle: str | None = None
    account_url: str | None = None
    account_picture: str | None = None


class PendingStore(Protocol):
    """Links and authorization requests on their way (``pending_authorizations``); secrets are kept as hashes only."""

    async def save_ticket(self, ticket: Ticket) -> None:
        """Keep a new link, and for 30 days after its end, so that it can be renewed."""
        ...

    async def find_ticket(self, ticket_hash: str) -> Ticket | None:
        """The link with this hash, whether ended or not."""
        ...

    async def set_ticket_message(self, ticket_hash: str, message: str) -> None:
        """Remember where the DM with this link is."""
        ...

    async def spend_ticket(self, ticket_hash: str) -> Ticket | None:
        """Mark a link as used up; the link, None when there is none."""
        ...

    async def save_authorization(self, pending: PendingAuthorization) -> None:
        """Keep an authorization request until its callback."""
        ...

    async def take_authorization(
        self, state_hash: str, *, platform: str, browser_hash: str, now: datetime
    ) -> PendingAuthorization | None:
        """Find and delete, in one atomic step, the unexpired request with this state, platform and browser."""
        ...

    async def find_authorization(self, state_hash: str) -> PendingAuthorization | None:
        """The request with this state, without using it up: to tell why taking it failed."""
        ...

    async def save_result(self, result_id: str, result: ConnectResult) -> None:
        """Keep what the result page says, for an hour."""
        ...

    async def find_result(self, result_id: str) -> ConnectResult | None:
        """What the result page says."""
        ...

    async def forget_team(self, team_id: str) -> None:
        """Delete all links and requests of a workspace."""
        ...


class ConnectionStore(Protocol):
    """Connections (``social_connections``)."""

    async def insert(self, connection: Connection) -> None:
        """Keep a new connection.

        Raises:
            NameTaken: its nickname is taken, or (unless pending_choice) its account is there already.
        """
        ...

    async def swap(self, before: Connection, after: Connection) -> bool:
        """Write ``after`` if the stored status and token_version are still those of ``before``; else change nothing.

        Raises:
            NameTaken: as for ``insert``.
        """
        ...

    async def delete(self, connection: Connection) -> bool:
        """Delete a connection if status and token_version are still these."""
        ...

    async def find(self, team_id: str, connection_id: str) -> Connection | None:
        """One connection of the workspace, whatever its status."""
        ...

    async def find_by_account(self, team_id: str, platform: str, account_id: str) -> Connection | None:
        """The workspace's connection to this account, disconnected or not, but not one in pending_choice."""
        ...

    async def list_for_team(self, team_id: str) -> tuple[Connection, ...]:
        """The workspace's connections that aren't disconnected, oldest first."""
        ...

    async def list_nicknames(self, team_id: str) -> frozenset[str]:
        """All nicknames in use in the workspace, of disconnected ones too."""
        ...

    async def take_lanes(
        self, connection_ids: Collection[str], *, owner: str, until: datetime, now: datetime
    ) -> tuple[Connection, ...]:
        """Become the only one who publishes to these accounts, across workspaces; those that nobody else holds.

        Args:
            connection_ids: whose lanes are wanted.
            owner: a random value, fresh unless lanes are renewed.
            until: end of the lease.
            now: lanes whose lease is over by then are free; those that the owner has already are renewed.
        """
        ...

    async def release_lanes(self, connection_ids: Collection[str], *, owner: str) -> None:
        """Give lanes back, if they're still ours."""
        ...

    async def close_lane(self, connection_id: str, *, owner: str, until: datetime) -> None:
        """Let nobody publish to an account before a time, if its lane is still ours; it isn't any more then."""
        ...

    async def pause(
        self,
        *,
        until: datetime,
        connection_id: str | None = None,
        platform: str | None = None,
        credential_set: str = "",
    ) -> None:
        """Let nothing be published to an account, or through an app at a platform, before a time; `swap` keeps that."""
        ...

    async def find_active(self, connection_ids: Collection[str]) -> tuple[Connection, ...]:
        """Those of these connections, across workspaces, that are active."""
        ...

    async def take_refresh_lease(self, connection: Connection, *, owner: str, until: datetime, now: datetime) -> bool:
        """Become the only one who may refresh this connection; False when someone else is, or its tokens changed."""
        ...

    async def release_refresh_lease(self, connection_id: str, *, owner: str) -> None:
        """Give the lease back, if it's still ours."""
        ...

    async def list_due_renewals(self, now: datetime, *, limit: int) -> tuple[Connection, ...]:
        """Active connections, across workspaces, whose tokens are to be renewed by now, the longest due first."""
        ...

    async def claim_renewal(self, connection: Connection, *, until: datetime) -> bool:
        """Become the one who tries to renew these tokens; unless it works they are due again at a later time."""
        ...

    async def list_owed_notices(self, now: datetime, *, limit: int) -> tuple[Connection, ...]:
        """Connections, across workspaces, whose owner is to be told by now that they need a reconnect, oldest first."""
        ...

    async def claim_notice(self, connection: Connection, *, until: datetime) -> bool:
        """Become the one who tells the owner; unless it's settled, it is due again at a later time."""
        ...

    async def settle_notice(self, connection: Connection) -> bool:
        """Note that the owner is owed nothing any more; False when that was so already."""
        ...

    async def list_due_checks(self, platforms: Collection[str], now: datetime, *, limit: int) -> tuple[Connection, ...]:
        """Active connections of these platforms, across workspaces, whose access is to be checked by now."""
        ...

    async def claim_check(self, connection: Connection, *, until: datetime) -> bool:
        """Become the one who checks this access; unless it's noted, it is due again at a later time."""
        ...

    async def note_check(
        self,
        connection: Connection,
        *,
        check_at: datetime,
        token_expires_at: datetime | None,
        remind_at: datetime | None,
    ) -> bool:
        """Note what a check has brought, if status and token_version are still these; everything else is left alone."""
        ...

    async def hasten_checks(self, platform: str, credential_set: str, grant_id: str, *, at: datetime) -> None:
        """Let the active connections on a grant, across workspaces, be checked at a time."""
        ...

    async def list_due_reminders(self, now: datetime, *, limit: int) -> tuple[Connection, ...]:
        """Active connections, across workspaces, whose owner is to be reminded by now, the longest due first."""
        ...

    async def claim_reminder(self, connection: Connection, *, until: datetime) -> bool:
        """Become the one who reminds the owner; unless it's settled, it is due again at a later time."""
        ...

    async def settle_reminder(self, connection: Connection, *, next_at: datetime | None) -> None:
        """Note that the owner was reminded of these tokens' end, and when they are next; None for never."""
        ...

    async def list_stale_choices(self, created_before: datetime, *, limit: int) -> tuple[Connection, ...]:
        """Connections, across workspaces, whose account was never chosen, oldest first."""
        ...

    async def list_by_grant(self, platform: str, credential_set: str, grant_id: str) -> tuple[Connection, ...]:
        """Connections, across workspaces and whatever their status, that stand or stood on a grant."""
        ...


class PlatformEventStore(Protocol):
    """Callbacks of platforms (``platform_events``)."""

    async def begin(self, event: ReceivedEvent) -> bool:
        """Keep a callback for a year; False when it was there already."""
        ...

    async def list_due(self, now: datetime, *, limit: int) -> tuple[ReceivedEvent, ...]:
        """Callbacks that are to be carried out by now, the longest due first."""
        ...

    async def claim(self, event: ReceivedEvent, *, until: datetime) -> bool:
        """Become the one who carries it out; unless it's finished, it is due again at a later time."""
        ...

    async def finish(self, event_id: str, *, at: datetime) -> None:
        """Note that it is carried out, and forget whose grants it named."""
        ...

    async def find_erasure(self, confirmation_code: str) -> ReceivedEvent | None:
        """The request for an erasure with this code."""
        ...
