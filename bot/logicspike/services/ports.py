"""What the use cases need from outside, as Protocols; ``store`` implements them, ``wiring`` marries them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..clock import TimeReading
from ..domain import (
    Connection,
    Delivery,
    Draft,
    DueDelivery,
    Member,
    PendingAuthorization,
    ReceivedEvent,
    ScheduledPost,
    Ticket,
)
from ..plugin.media import LinkCard, MediaFile
from ..plugin.types import Media

__all__ = [
    "ConnectResult",
    "ConnectionStore",
    "DeliveryStore",
    "LinkReader",
    "MediaSource",
    "NameTaken",
    "PendingStore",
    "PlatformEventStore",
    "PostStore",
    "RequestLog",
    "ServerTime",
    "StoreUnavailable",
    "WorkspaceStore",
]


class StoreUnavailable(Exception):
    """The database did not answer in time; nothing may be assumed about the last write."""


class NameTaken(Exception):
    """Another connection of the workspace has this nickname, or stands for this account, already."""


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


class DeliveryStore(Protocol):
    """Deliveries (``deliveries``)."""

    async def insert_many(self, deliveries: Collection[Delivery]) -> None:
        """Keep new deliveries."""
        ...

    async def list_due(
        self,
        now: datetime,
        *,
        limit: int,
        not_connections: Collection[str] = (),
        not_teams: Collection[str] = (),
    ) -> tuple[DueDelivery, ...]:
        """What is scheduled and due across workspaces, oldest first, leaving out some accounts and workspaces."""
        ...

    async def claim(
        self, delivery_ids: Collection[str], *, now: datetime, owner: str, until: datetime
    ) -> tuple[Delivery, ...]:
        """Claim those that are still scheduled and due, each for exactly one caller, under one fresh claim_token."""
        ...

    async def list_due_of(self, connection_id: str, now: datetime, *, limit: int) -> tuple[str, ...]:
        """Ids of what is scheduled and due for one account, oldest first."""
        ...

    async def free_claims(self, delivery_ids: Collection[str], *, now: datetime) -> tuple[str, ...]:
        """Put those back on the schedule whose claim's lease is over and of which nothing was sent; which ones."""
        ...

    async def postpone(self, *, until: datetime, connection_id: str | None = None, platform: str | None = None) -> int:
        """Let nothing of an account, or of a whole platform, be tried before a time; how many were moved."""
        ...

    async def swap(self, before: Delivery, after: Delivery) -> bool:
        """Move a delivery if it is still stored as ``before`` says, by state, claim and history; else change nothing.

        Raises:
            IllegalTransition: the state machine has no such move.
        """
        ...

    async def find(self, team_id: str, delivery_id: str) -> Delivery | None:
        """One delivery of the workspace."""
        ...

    async def list_open(self, team_id: str, *, author_id: str | None = None, limit: int = 50) -> tuple[Delivery, ...]:
        """The workspace's deliveries that aren't settled (scheduled, claimed, publishing, held, unknown), by due_at."""
        ...

    async def list_waiting(self, team_id: str, connection_id: str) -> tuple[Delivery, ...]:
        """Scheduled, claimed, publishing and held deliveries of a connection, by due_at."""
        ...

    async def list_expired_claims(self, now: datetime, *, limit: int = 1000) -> tuple[Delivery, ...]:
        """Deliveries, across workspaces, that are claimed or publishing though their lease is over.

        Behind them comes what is still being published under the same claims: whose lease was renewed for it.
        """
        ...

    async def list_unasked_unknown(self, settled_before: datetime, *, limit: int = 100) -> tuple[Delivery, ...]:
        """Unknown deliveries, across workspaces, settled by the given time, whose author was not asked yet."""
        ...

    async def list_held_connections(self) -> tuple[str, ...]:
        """Ids of the connections, across workspaces, for whose reconnect deliveries are held."""
        ...

    async def list_for_post(self, team_id: str, post_id: str) -> tuple[Delivery, ...]:
        """All deliveries of a scheduled post, whatever their state, by id."""
        ...

    async def list_team_waiting(self, team_id: str) -> tuple[Delivery, ...]:
        """All scheduled and held deliveries of a workspace: for when it removes the bot."""
        ...

    async def forget_account(self, team_id: str, connection_id: str, *, account_name: str) -> None:
        """Let all deliveries of a connection, settled ones too, say another name for its account."""
        ...

    async def take_owed(self, *, owner: str, now: datetime, until: datetime, limit: int) -> tuple[Delivery, ...]:
        """Become the only one who tells the authors of these deliveries, across workspaces, what has become of them."""
        ...

    async def mark_told(self, delivery_ids: Collection[str], *, owner: str) -> None:
        """Note that their authors were told, unless something else has become of them since."""
        ...

    async def list_to_prepare(
        self, now: datetime, *, limit: int, not_connections: Collection[str] = ()
    ) -> tuple[DueDelivery, ...]:
        """What is to be prepared by now across workspaces and nobody prepares, the longest due first."""
        ...

    async def take_preparing(
        self, delivery_ids: Collection[str], *, owner: str, now: datetime, until: datetime
    ) -> tuple[Delivery, ...]:
        """Become the only one who prepares these deliveries; those that nobody else took before."""
        ...

    async def renew_preparing(self, delivery: Delivery, *, owner: str, until: datetime) -> bool:
        """Go on being the only one; False when it isn't ours any more, or isn't to be published as it was."""
        ...

    async def settle_preparing(self, delivery: Delivery, *, owner: str) -> bool:
        """Write a delivery's ``preparation``, and nothing else of it, if it's still ours and says what it said."""
        ...

    async def release_preparing(self, delivery_id: str, *, owner: str) -> None:
        """Let others prepare it, if it's still ours."""
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


class PostStore(Protocol):
    """Scheduled posts and drafts (``scheduled_posts``)."""

    async def insert(self, post: ScheduledPost) -> None:
        """Keep a scheduled post."""
        ...

    async def find(self, team_id: str, post_id: str) -> ScheduledPost | None:
        """One scheduled post of the workspace."""
        ...

    async def swap(self, before: ScheduledPost, after: ScheduledPost) -> bool:
        """Write ``after`` if revision and change under way are still those of ``before``; else change nothing."""
        ...

    async def list_changing(self, begun_before: datetime, *, limit: int = 100) -> tuple[ScheduledPost, ...]:
        """Posts, across workspaces, whose change was begun by the given time and is not carried through."""
        ...

    async def save_draft(self, draft: Draft) -> None:
        """Keep a draft, or what it has become; it goes by itself after seven days."""
        ...

    async def find_draft(self, author: Member, draft_id: str) -> Draft | None:
        """A member's own draft."""
        ...

    async def delete_draft(self, author: Member, draft_id: str) -> bool:
        """Delete a draft; False when it was gone, so that of two clicks one counts."""
        ...


class MediaSource(Protocol):
    """Where the bytes of a post's pictures and videos are: in Slack."""

    def get(self, team_id: str, media: Media, *, max_bytes: int) -> MediaFile:
        """The file of a workspace, to be read; nothing is asked for before it is opened.

        Args:
            team_id: whose.
            media: what was scheduled; ``media_id`` is the Slack file's.
            max_bytes: where reading is broken off.
        """
        ...


class LinkReader(Protocol):
    """What links lead to."""

    async def read(self, link: str) -> LinkCard | None:
        """Title, description and picture of the page behind a link; None where there is none to be had."""
        ...


class ServerTime(Protocol):
    """The clock that all processes share: the database server's."""

    async def read_time(self, steady: Callable[[], float]) -> TimeReading:
        """The server's time, beside a steady timer of our own."""
        ...


class RequestLog(Protocol):
    """Which of Slack's requests were seen already (``seen_requests``)."""

    async def is_first(self, request_id: str) -> bool:
        """Whether this id is seen for the first time within a day; atomic."""
        ...


class WorkspaceStore(Protocol):
    """Which workspaces have removed the bot (``slack_installations``)."""

    async def mark_removed(self, team_id: str, at: datetime) -> bool:
        """Remember that a workspace removed the bot; False when that was known."""
        ...

    async def mark_cleared(self, team_id: str, at: datetime) -> None:
        """Remember that all of a removed workspace's work is stopped."""
        ...

    async def list_uncleared(self) -> tuple[str, ...]:
        """Workspaces that removed the bot and whose work is not stopped yet."""
        ...

    async def mark_installed(self, team_id: str, name: str, at: datetime) -> None:
        """Remember that a workspace has the bot (again)."""
        ...

    async def is_removed(self, team_id: str) -> bool:
        """Whether the workspace has removed the bot."""
        ...
