"""What a platform told us by a callback of its own, and whether that is carried out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["ReceivedEvent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent:
    """A verified callback of a platform.

    Attributes:
        event_id: SHA-256 of the callback, hexadecimal: the same when it is delivered again.
        platform: the plugin's name.
        confirmation_code: by which the person finds out how the erasure stands.
        received_at: when it came.
        ended_grants: grants that have ended; empty once that is carried out.
        erased_grants: grants whose data is to be erased; empty once it is.
        is_erasure: whether it asked for an erasure.
        due_at: when it is carried out by whoever claims it; None once it is.
        done_at: when it was carried out.
    """

    event_id: str
    platform: str
    confirmation_code: str
    received_at: datetime
    ended_grants: tuple[str, ...] = field(default=(), repr=False)
    erased_grants: tuple[str, ...] = field(default=(), repr=False)
    is_erasure: bool = False
    due_at: datetime | None = None
    done_at: datetime | None = None
