"""Deliveries: their states, the moves between them, and what is late or suspect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from ..plugin.types import Post, Prepared, PublishedPost, Reply
from ..texts import first_link, join_parts
from .connections import Member
from .preparations import Preparation

__all__ = [
    "LATE_AFTER",
    "LATE_AFTER_BEGUN",
    "OPEN_STATES",
    "SUSPECT_FROM",
    "TRANSITIONS",
    "Attempt",
    "Delivery",
    "DeliveryState",
    "DueDelivery",
    "HoldReason",
    "IllegalTransition",
    "check_transition",
]

LATE_AFTER: Final = timedelta(minutes=10)
"""A post overdue by more than this is not published without being asked about."""

LATE_AFTER_BEGUN: Final = timedelta(hours=1)
"""The same for what has begun to go out: half a thread is worse for its readers than one that goes on a little late."""

SUSPECT_FROM: Final = 2
"""From so many deaths on a post is tried while no other suspect is: one crash says nothing about who caused it."""


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
    _S.SCHEDULED: frozenset({_S.CLAIMED, _S.HELD, _S.FAILED, _S.CANCELED}),
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
        part: which part of the post it is about, from 0.
    """

    attempt_id: str
    started_at: datetime
    outcome: str | None = None
    detail: str | None = None
    part: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One scheduled post to one account: the unit that is claimed, tried and settled.

    A post may have parts. They go out in order, each by attempts of its own; in between, the delivery is scheduled.

    Attributes:
        delivery_id: ours; short enough to type.
        post_id: the scheduled post it belongs to.
        team_id: the workspace.
        author_id: the Slack user who scheduled it.
        connection_id: the account it goes to.
        platform: the plugin's name.
        account_name: for messages, as it was when scheduled.
        post: what is said, in its first part; ``post.key`` is the delivery's.
        parts: the texts of the further parts.
        parts_are_comments: whether its platform takes a further part as a comment, not as a thread; for messages.
        state: where it stands.
        due_at: when it should go out.
        next_try_at: when it may be claimed next: ``due_at``, or later after a retry or snooze.
        zone: IANA name of the author's zone.
        claim_token: fresh for every claim; every later write is conditional on it.
        claimed_by: the process that holds it.
        claimed_until: end of the lease.
        attempts: all tries, oldest first.
        tries: how many of them count against the limit of retries; of the part that is next, like ``checks`` and
            ``deaths``.
        hold_reason: why it is held.
        detail: why it is held, failed or unknown, in words for people.
        live: the parts that are out, in order, as far as their ids are known.
        published_id: the platform's id of the post: of its first part.
        published_url: its address.
        settled_at: when it reached its present state.
        checks: how often an unknown outcome was looked up.
        deaths: how often a process ended while it was at work on it.
        is_asked: whether the author was asked about an unknown outcome or a late post.
        is_confirmed: whether the author said that it may go out although it is late.
        is_owed: whether its author has yet to be told of the state it is in.
        revision: which revision of the post it carries; it grows when the author's change reaches it.
        preparation: how far its pictures or its link's card are prepared at the platform; None where nothing is.
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
    parts: tuple[str, ...] = ()
    parts_are_comments: bool = False
    claim_token: str | None = None
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    tries: int = 0
    hold_reason: HoldReason | None = None
    detail: str | None = None
    live: tuple[PublishedPost, ...] = ()
    published_id: str | None = None
    published_url: str | None = None
    settled_at: datetime | None = None
    checks: int = 0
    deaths: int = 0
    is_asked: bool = False
    is_confirmed: bool = False
    is_owed: bool = False
    revision: int = 0
    preparation: Preparation | None = None

    @property
    def author(self) -> Member:
        """Who scheduled it."""
        return Member(team_id=self.team_id, user_id=self.author_id)

    @property
    def texts(self) -> tuple[str, ...]:
        """What each part says."""
        return (self.post.text, *self.parts)

    @property
    def unpublished_text(self) -> str:
        """What is not out, as its author would write it."""
        return join_parts(self.texts[len(self.live) :])

    @property
    def prepared(self) -> Prepared | None:
        """What the platform holds for the next part: only the first one is prepared."""
        return None if self.live or self.preparation is None else self.preparation.prepared

    @property
    def next_part(self) -> Post:
        """What the next attempt, or the one under way, says: the first part that is not live.

        Raises:
            IndexError: all are live.
        """
        number = len(self.live)
        if number == 0:
            return self.post
        text = self.parts[number - 1]
        return Post(
            key=f"{self.post.key}:{number}",
            text=text,
            link=first_link(text),
            part=number,
            reply=Reply(root_id=self.live[0].id, previous_id=self.live[-1].id),
        )

    @property
    def is_last_part(self) -> bool:
        """Whether nothing follows the part that is next."""
        return len(self.live) >= len(self.parts)

    @property
    def is_suspect(self) -> bool:
        """Whether processes ended at work on it more than once in a row, which chance alone seldom does."""
        return self.deaths >= SUSPECT_FROM

    def is_late(self, now: datetime) -> bool:
        """Whether it is overdue by so much that its author has to be asked first."""
        return not self.is_confirmed and now - self.next_try_at > self.patience

    @property
    def patience(self) -> timedelta:
        """How long it may be overdue without its author being asked."""
        return LATE_AFTER_BEGUN if self.live else LATE_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """As much of a due delivery as is needed to decide whose turn it is."""

    delivery_id: str
    team_id: str
    connection_id: str
