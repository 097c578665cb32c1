"""Preparations: what is done at a platform before a post is due, such as uploading its pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ..plugin.types import Prepared

__all__ = ["Preparation"]

_ROOM: Final = timedelta(minutes=5)
"""So long before the platform forgets what it was given, that is given anew: uploading takes a while."""
_PAUSE: Final = timedelta(minutes=1)
_LAST_MOMENT: Final = timedelta(seconds=30)
"""What the platform forgets within the time that publishing may take isn't relied upon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """How far a delivery is prepared; one that needs no preparing has none.

    Attributes:
        begin_at: when it is begun, or done anew; None once it is ready for good.
        prepared: what the platform holds for it; None until then.
        tries: how many in a row did not work.
        is_told: whether its author knows that it has not worked so far.
        message: where its author is shown how far it is, as an opaque reference of the notifier.
    """

    begin_at: datetime | None
    prepared: Prepared | None = None
    tries: int = 0
    is_told: bool = False
    message: str | None = None

    def is_ready(self, at: datetime) -> bool:
        """Whether it can be published with what is prepared, at a given time."""
        if self.prepared is None:
            return False
        return self.prepared.expires_at is None or self.prepared.expires_at > at + _LAST_MOMENT

    def ended(self, prepared: Prepared, *, due_at: datetime, now: datetime) -> Preparation:
        """As it is once the platform has taken everything; done anew where it would forget that before it is due."""
        expires_at = prepared.expires_at
        if expires_at is None or expires_at > max(due_at, now) + _ROOM:
            return Preparation(begin_at=None, prepared=prepared)
        return Preparation(begin_at=max(expires_at - _ROOM, now + _PAUSE), prepared=prepared)

    def failed(self, *, again_at: datetime, is_told: bool) -> Preparation:
        """As it is after a try that did not work; what an earlier one has left is kept for as long as it holds."""
        return replace(self, begin_at=again_at, tries=self.tries + 1, is_told=is_told, message=None)
