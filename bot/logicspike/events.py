"""What happened, as frozen values with ids only: no text, no token. Sinks are handed in by the composition root."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, Final

__all__ = [
    "ConnectionCompleted",
    "ConnectionErased",
    "ConnectionNeedsReconnect",
    "ConnectionRefused",
    "ConnectionRemoved",
    "ConnectionRequested",
    "DeliveryClaimed",
    "DeliveryFailed",
    "DeliveryHeld",
    "DeliveryPrepared",
    "DeliveryPublished",
    "DeliveryRescued",
    "DeliveryRetried",
    "DeliverySnoozed",
    "DeliveryUnknown",
    "Emit",
    "Event",
    "PartPublished",
    "PostCanceled",
    "PostEdited",
    "PostScheduled",
    "PreparationRetried",
    "TokenRefreshFailed",
    "TokensRefreshed",
    "WorkspaceRemoved",
    "emit_to",
    "log_event",
]

log = logging.getLogger("logicspike.events")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a workspace."""

    name: ClassVar[str]
    team_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRequested(Event):
    """A member was sent a link."""

    name: ClassVar[str] = "connection.requested"
    user_id: str
    platform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _ConnectionEvent(Event):
    connection_id: str
    platform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCompleted(_ConnectionEvent):
    """An account was connected or reconnected."""

    name: ClassVar[str] = "connection.completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRefused(Event):
    """A sign-in came back, but nothing was connected."""

    name: ClassVar[str] = "connection.refused"
    user_id: str
    platform: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionNeedsReconnect(_ConnectionEvent):
    """The platform ended our access."""

    name: ClassVar[str] = "connection.needs_reconnect"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRemoved(_ConnectionEvent):
    """An account was disconnected and its tokens erased."""

    name: ClassVar[str] = "connection.removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionErased(_ConnectionEvent):
    """What was known of an account was erased, as its platform asked on behalf of whoever connected it."""

    name: ClassVar[str] = "connection.erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensRefreshed(_ConnectionEvent):
    """New tokens were stored."""

    name: ClassVar[str] = "tokens.refreshed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefreshFailed(_ConnectionEvent):
    """A refresh did not work; ``error`` is the class of the error tree."""

    name: ClassVar[str] = "tokens.refresh_failed"
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostScheduled(Event):
    """A member scheduled a post."""

    name: ClassVar[str] = "post.scheduled"
    post_id: str
    deliveries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PostEdited(Event):
    """A member changed a scheduled post, at so many of its accounts."""

    name: ClassVar[str] = "post.edited"
    post_id: str
    deliveries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _DeliveryEvent(Event):
    delivery_id: str
    platform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostCanceled(_DeliveryEvent):
    """A post will not go out to one of its accounts."""

    name: ClassVar[str] = "post.canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryClaimed(_DeliveryEvent):
    """A worker took a delivery."""

    name: ClassVar[str] = "delivery.claimed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPrepared(_DeliveryEvent):
    """What a delivery needs at its platform is there."""

    name: ClassVar[str] = "delivery.prepared"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationRetried(_DeliveryEvent):
    """Preparing did not work; it is tried again."""

    name: ClassVar[str] = "delivery.prepare_retried"
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPublished(_DeliveryEvent):
    """A post is live."""

    name: ClassVar[str] = "delivery.published"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartPublished(_DeliveryEvent):
    """A part of a post is live, and others follow."""

    name: ClassVar[str] = "delivery.part_published"
    part: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryHeld(_DeliveryEvent):
    """A delivery waits for somebody."""

    name: ClassVar[str] = "delivery.held"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySnoozed(_DeliveryEvent):
    """A delivery is tried later; the attempt is not counted."""

    name: ClassVar[str] = "delivery.snoozed"
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRetried(_DeliveryEvent):
    """A delivery is tried later; the attempt is counted."""

    name: ClassVar[str] = "delivery.retried"
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed(_DeliveryEvent):
    """A delivery ended without a post."""

    name: ClassVar[str] = "delivery.failed"
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryUnknown(_DeliveryEvent):
    """It can't be told whether the post is live."""

    name: ClassVar[str] = "delivery.unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRescued(_DeliveryEvent):
    """A claim's lease was over; the delivery was freed."""

    name: ClassVar[str] = "delivery.rescued"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceRemoved(Event):
    """A workspace removed the bot; its work was stopped."""

    name: ClassVar[str] = "workspace.removed"
    canceled: int
    disconnected: int


Emit = Callable[[Event], None]

_WARNINGS: Final = (ConnectionNeedsReconnect, DeliveryFailed, DeliveryUnknown, TokenRefreshFailed)
_DETAILS: Final = (DeliveryClaimed,)  # what became of it is told anyway


def log_event(event: Event) -> None:
    """Write an event to the log: a sentence of its name and ids, and the same as ``extra`` fields."""
    level = _level(event)
    if not log.isEnabledFor(level):
        return
    fields = asdict(event)
    text = " ".join(f"{key}={value}" for key, value in fields.items())
    log.log(level, "%s %s", event.name, text, extra={"event": event.name, **fields})


def _level(event: Event) -> int:
    if isinstance(event, _WARNINGS):
        return logging.WARNING
    return logging.DEBUG if isinstance(event, _DETAILS) else logging.INFO


def emit_to(sinks: Sequence[Emit]) -> Emit:
    """Build one function that hands each event to every sink; a failing sink is logged and harms nobody else."""

    def emit(event: Event) -> None:
        for sink in sinks:
            try:
                sink(event)
            except Exception:
                log.exception("an event sink failed", extra={"event": "sink.failed"})

    return emit
