"""What the bot is about: connections, scheduled posts and their deliveries, with the rules that need no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from .plugin.types import Account, Post

__all__ = [
    "LATE_AFTER",
    "OPEN_STATES",
    "SUSPECT_FROM",
    "TRANSITIONS",
    "Attempt",
    "Connection",
    "ConnectionStatus",
    "Delivery",
    "DeliveryState",
    "Draft",
    "DueDelivery",
    "HoldReason",
    "IllegalTransition",
    "Member",
    "PendingAuthorization",
    "PostChange",
    "Purpose",
    "ScheduledPost",
    "Ticket",
    "Timings",
    "check_transition",
]

LATE_AFTER: Final = timedelta(minutes=10)
"""A post overdue by more than this is not published without being asked about."""

SUSPECT_FROM: Final = 2
"""From so many deaths on a post is tried while no other suspect is: one crash says nothing about who caused it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long things hold; they fit together, so they're changed together (tests shrink all of them).

    Attributes:
        lease: a claim's and a lane's life; longer than the façade's limit for a publish, with room for settling.
        settle: how long after a lost answer the platform is asked: its time limit, plus pauses, plus the lag of its
            read side.
        lookup: how long one worker has an unknown outcome for itself, and the pause between two looks.
        refresh_lease: longer than three calls of a refresh, the pauses between them, and saving.
        look_ahead: how long before its time a post is claimed and prepared, so that at its time only one request is
            left to send.
        between_suspects: the pause between posts that were at work when a process ended, so that they're tried apart.
        tell: how long one worker has messages that are owed for itself; longer than Slack may keep it waiting.
        deliver_every, rescue_every, settle_every, tell_every: how often each tick comes round.
        keep_every: how often accounts are looked through whose access is to be kept alive.
    """

    lease: timedelta = timedelta(seconds=90)
    settle: timedelta = timedelta(seconds=120)
    lookup: timedelta = timedelta(seconds=60)
    refresh_lease: timedelta = timedelta(seconds=120)
    look_ahead: timedelta = timedelta(seconds=1)
    between_suspects: timedelta = timedelta(seconds=1)
    tell: timedelta = timedelta(seconds=120)
    deliver_every: timedelta = timedelta(seconds=1)
    rescue_every: timedelta = timedelta(seconds=5)
    settle_every: timedelta = timedelta(seconds=20)
    keep_every: timedelta = timedelta(seconds=60)
    tell_every: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person in a Slack workspace."""

    team_id: str
    user_id: str


class ConnectionStatus(StrEnum):
    """Where a connection stands."""

    PENDING_CHOICE = "pending_choice"
    ACTIVE = "active"
    NEEDS_RECONNECT = "needs_reconnect"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The stored fact that a member linked an account; the tokens stay sealed.

    Attributes:
        connection_id: ours.
        team_id: the workspace it belongs to.
        owner_id: the Slack user who connected it.
        platform: the plugin's name.
        account: which account; while ``pending_choice`` the first of ``choices``.
        choices: the accounts to choose from while ``pending_choice``, else empty.
        status: where it stands.
        status_reason: why it needs a reconnect, in words for people.
        nickname: what people may type for it; unique in the workspace.
        grant_id: whose grant at the platform.
        sealed: the credential's secrets, sealed by the vault; None once disconnected.
        token_version: grows by one whenever ``sealed`` changes; writes of tokens are conditional on it.
        token_expires_at: end of the access token; None means unknown.
        refreshed_at: when the tokens were last written.
        renew_at: when the tokens are renewed ahead of their end, or that is tried again; None where they have no known
            end, or nothing to be renewed with.
        renewal_tries: how often that was tried since they were last written.
        notice_owed_since: since when its owner is to be told that it needs a reconnect; None once they were.
        notice_due_at: when they may be told, by whoever claims it; None as above.
        reconnects: the connection that a sign-in was meant to renew, when another account came back.
        created_at: when it was first connected.
    """

    connection_id: str
    team_id: str
    owner_id: str
    platform: str
    account: Account
    status: ConnectionStatus
    nickname: str
    created_at: datetime
    choices: tuple[Account, ...] = ()
    status_reason: str | None = None
    grant_id: str | None = None
    sealed: str | None = field(default=None, repr=False)
    token_version: int = 0
    token_expires_at: datetime | None = None
    refreshed_at: datetime | None = None
    renew_at: datetime | None = None
    renewal_tries: int = 0
    notice_owed_since: datetime | None = None
    notice_due_at: datetime | None = None
    reconnects: str | None = None


class Purpose(StrEnum):
    """What a connect link is for."""

    CONNECT = "connect"
    RECONNECT = "reconnect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The private link we sent by DM; the browser shows the ticket, the store keeps only its hash.

    Attributes:
        ticket_hash: SHA-256 of the ticket, hexadecimal.
        member: who asked for it.
        platform: the plugin's name.
        purpose: connect, or reconnect ``connection_id``.
        member_name: shown on the page.
        workspace_name: shown on the page.
        expires_at: when the link ends; it can be renewed afterwards.
        is_spent: whether a sign-in through it succeeded.
        message: where the DM with the link is, as an opaque reference of the notifier.
    """

    ticket_hash: str
    member: Member
    platform: str
    purpose: Purpose
    member_name: str
    workspace_name: str
    expires_at: datetime
    connection_id: str | None = None
    is_spent: bool = False
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAuthorization:
    """An authorization request whose callback has not come yet: used once (RFC 6749 section 4.1.1, RFC 7636).

    Attributes:
        state_hash: SHA-256 of the state, hexadecimal.
        ticket_hash: the link it was started from.
        member: who asked.
        platform: the plugin's name.
        purpose: connect or reconnect.
        connection_id: which connection is renewed.
        browser_hash: SHA-256 of the binding cookie, hexadecimal.
        redirect_uri: as sent to the platform.
        sealed: the code_verifier and the plugin's carry, sealed by the vault.
        expires_at: ten minutes after it was made.
    """

    state_hash: str
    ticket_hash: str
    member: Member
    platform: str
    purpose: Purpose
    browser_hash: str
    redirect_uri: str
    sealed: str = field(repr=False)
    expires_at: datetime
    connection_id: str | None = None


class DeliveryState(StrEnum):
    """Where a delivery stands; ``docs/lifecycle.md`` draws the arrows."""

    SCHEDULED = "scheduled"
    CLAIMED = "claimed"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    HELD = "held"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELED = "canceled"


_S = DeliveryState
TRANSITIONS: Final[Mapping[DeliveryState, frozenset[DeliveryState]]] = {
    _S.SCHEDULED: frozenset({_S.CLAIMED, _S.HELD, _S.CANCELED}),
    _S.CLAIMED: frozenset({_S.PUBLISHING, _S.SCHEDULED, _S.HELD, _S.FAILED, _S.CANCELED}),
    _S.PUBLISHING: frozenset({_S.PUBLISHED, _S.SCHEDULED, _S.HELD, _S.FAILED, _S.UNKNOWN}),
    _S.UNKNOWN: frozenset({_S.PUBLISHED, _S.SCHEDULED, _S.FAILED}),
    _S.HELD: frozenset({_S.SCHEDULED, _S.CANCELED}),
    _S.PUBLISHED: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELED: frozenset(),
}
"""Every legal move of a delivery."""

OPEN_STATES: Final = frozenset({_S.SCHEDULED, _S.CLAIMED, _S.PUBLISHING, _S.HELD, _S.UNKNOWN})
"""The states in which a delivery still has something before it."""

_STAYS: Final = frozenset({_S.SCHEDULED, _S.HELD, _S.UNKNOWN})


class IllegalTransition(Exception):
    """The program tried a move that the state machine doesn't have: a bug, never a user's fault."""


def check_transition(before: DeliveryState, after: DeliveryState) -> None:
    """Refuse a move that ``TRANSITIONS`` doesn't have; some may stay while their fields change.

    Raises:
        IllegalTransition: it's none of them.
    """
    if after not in TRANSITIONS[before] and not (before is after and before in _STAYS):
        raise IllegalTransition(f"{before} -> {after}")


class HoldReason(StrEnum):
    """Why a delivery is held."""

    RECONNECT = "reconnect"
    MEMBER = "member"
    OPERATOR = "operator"
    LATE = "late"
    PARKED = "parked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a delivery, recorded before its first byte is sent.

    Attributes:
        attempt_id: fresh for every try.
        started_at: when it was recorded.
        outcome: None while open; else the state it led to, or "token_expired".
        detail: what happened, in words for people.
    """

    attempt_id: str
    started_at: datetime
    outcome: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One scheduled post to one account: the unit that is claimed, tried and settled.

    Attributes:
        delivery_id: ours; short enough to type.
        post_id: the scheduled post it belongs to.
        team_id: the workspace.
        author_id: the Slack user who scheduled it.
        connection_id: the account it goes to.
        platform: the plugin's name.
        account_name: for messages, as it was when scheduled.
        post: what is said; ``post.key`` is the delivery's.
        state: where it stands.
        due_at: when it should go out.
        next_try_at: when it may be claimed next: ``due_at``, or later after a retry or snooze.
        zone: IANA name of the author's zone.
        claim_token: fresh for every claim; every later write is conditional on it.
        claimed_by: the process that holds it.
        claimed_until: end of the lease.
        attempts: all tries, oldest first.
        tries: how many of them count against the limit of retries.
        hold_reason: why it is held.
        detail: why it is held, failed or unknown, in words for people.
        published_id: the platform's id of the post.
        published_url: its address.
        settled_at: when it reached its present state.
        checks: how often an unknown outcome was looked up.
        deaths: how often a process ended while it was at work on it.
        is_asked: whether the author was asked about an unknown outcome or a late post.
        is_confirmed: whether the author said that it may go out although it is late.
        is_owed: whether its author has yet to be told of the state it is in.
        revision: which revision of the post it carries; it grows when the author's change reaches it.
    """

    delivery_id: str
    post_id: str
    team_id: str
    author_id: str
    connection_id: str
    platform: str
    account_name: str
    post: Post
    state: DeliveryState
    due_at: datetime
    next_try_at: datetime
    zone: str
    claim_token: str | None = None
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    tries: int = 0
    hold_reason: HoldReason | None = None
    detail: str | None = None
    published_id: str | None = None
    published_url: str | None = None
    settled_at: datetime | None = None
    checks: int = 0
    deaths: int = 0
    is_asked: bool = False
    is_confirmed: bool = False
    is_owed: bool = False
    revision: int = 0

    @property
    def author(self) -> Member:
        """Who scheduled it."""
        return Member(team_id=self.team_id, user_id=self.author_id)

    @property
    def is_suspect(self) -> bool:
        """Whether processes ended at work on it more than once in a row, which chance alone seldom does."""
        return self.deaths >= SUSPECT_FROM

    def is_late(self, now: datetime) -> bool:
        """Whether it is overdue by so much that its author has to be asked first."""
        return not self.is_confirmed and now - self.next_try_at > LATE_AFTER

    def not_before(self, at: datetime, now: datetime) -> datetime:
        """When it may be tried if not before a time; what is late already stays so, and is asked about."""
        return self.next_try_at if self.is_late(now) else max(self.next_try_at, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """As much of a due delivery as is needed to decide whose turn it is."""

    delivery_id: str
    team_id: str
    connection_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostChange:
    """What an author wants a scheduled post to become: written down first, then carried to each delivery.

    Attributes:
        text: as written, NFC.
        link: the first http(s) address in it.
        due_at: when it goes out, aware UTC.
        zone: IANA name of the author's zone.
        wall_time: the local time as understood, ISO 8601 without offset.
        begun_at: when it was written down.
        reaches: the deliveries it is for, each with how many attempts it had by then: one that was tried since has
            gone with what it said before, and stays so however it ends.
    """

    text: str
    link: str | None
    due_at: datetime
    zone: str
    wall_time: str
    begun_at: datetime
    reaches: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledPost:
    """A post with its author, time and target accounts; its deliveries carry it out.

    Attributes:
        post_id: ours.
        author: who scheduled it.
        text: as written, NFC.
        link: the first http(s) address in it.
        due_at: when it goes out, aware UTC.
        zone: IANA name of the zone it was scheduled in.
        wall_time: the local time as understood, ISO 8601 without offset.
        created_at: when it was scheduled.
        revision: how many changes it has seen; the one under way is the next.
        edited_at: when its author last changed it.
        change: the change under way.
    """

    post_id: str
    author: Member
    text: str
    link: str | None
    due_at: datetime
    zone: str
    wall_time: str
    created_at: datetime
    revision: int = 0
    edited_at: datetime | None = None
    change: PostChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a member wrote that could not be scheduled as it stood: kept, so that nothing typed is lost.

    Attributes:
        draft_id: ours.
        author: who wrote it.
        text: as written.
        accounts: the accounts as typed.
        connection_ids: the accounts as far as they are known.
        when: the time as typed.
        due_at: the time as far as it is known, aware UTC.
        created_at: when it was written.
    """

    draft_id: str
    author: Member
    text: str
    created_at: datetime
    accounts: tuple[str, ...] = ()
    connection_ids: tuple[str, ...] = ()
    when: str | None = None
    due_at: datetime | None = None
