"""What the bot is about: connections, scheduled posts and their deliveries, with the rules that need no I/O."""

from .connections import (
    Connection,
    ConnectionStatus,
    Member,
    PendingAuthorization,
    Purpose,
    Ticket,
)
from .deliveries import (
    LATE_AFTER,
    LATE_AFTER_BEGUN,
    OPEN_STATES,
    SUSPECT_FROM,
    TRANSITIONS,
    Attempt,
    Delivery,
    DeliveryState,
    DueDelivery,
    HoldReason,
    IllegalTransition,
    check_transition,
)
from .platform_events import ReceivedEvent
from .posts import (
    Draft,
    PostChange,
    ScheduledPost,
)
from .preparations import Preparation
from .timings import Timings

__all__ = [
    "LATE_AFTER",
    "LATE_AFTER_BEGUN",
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
    "Preparation",
    "Purpose",
    "ReceivedEvent",
    "ScheduledPost",
    "Ticket",
    "Timings",
    "check_transition",
]
