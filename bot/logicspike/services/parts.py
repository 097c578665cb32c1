"""What becomes of a delivery when one of its parts is live."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from ..domain import Delivery, DeliveryState
from ..events import DeliveryPublished, Event, PartPublished
from ..plugin.types import PublishedPost

__all__ = ["SEEN", "live_event", "with_part_live"]

SEEN: Final = PublishedPost(id="", url=None)
"""A part of which nothing is known but that its author has seen it."""


def with_part_live(delivery: Delivery, published: PublishedPost, *, now: datetime) -> Delivery:
    """The delivery once the part that was next is live: over, or on the schedule for the part behind it.

    What was counted against the part, and said about it, is over with it.

    Args:
        delivery: freed of its claim, its attempt closed.
        published: the part, at the platform.
        now: the time.
    """
    is_over = delivery.is_last_part
    live = (*delivery.live, published)
    after = replace(
        delivery,
        state=DeliveryState.PUBLISHED if is_over else DeliveryState.SCHEDULED,
        live=live,
        published_id=live[0].id or None,
        published_url=live[0].url,
        detail=None,
        settled_at=now,
        is_owed=is_over,
    )
    if is_over:
        return after
    return replace(after, next_try_at=now, tries=0, checks=0, deaths=0, is_asked=False, is_confirmed=False)


def live_event(delivery: Delivery) -> Event:
    """What to emit once that is written."""
    ids = {"team_id": delivery.team_id, "delivery_id": delivery.delivery_id, "platform": delivery.platform}
    if delivery.state is DeliveryState.PUBLISHED:
        return DeliveryPublished(**ids)
    return PartPublished(**ids, part=len(delivery.live) - 1)
