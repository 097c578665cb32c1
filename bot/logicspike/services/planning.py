"""Which deliveries are prepared at their platform, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ..domain import Delivery, Preparation, Timings
from ..platforms import Platforms

__all__ = ["Planning"]


class Planning:
    """Plans when a delivery is prepared: a while before it is due, for what a platform takes it forgets again.

    Args:
        platforms: the installed platforms.
        timings: how long ahead.
    """

    def __init__(self, *, platforms: Platforms, timings: Timings) -> None:
        self._platforms = platforms
        self._timings = timings

    def wants_preparation(self, delivery: Delivery) -> bool:
        """Whether what comes next of a delivery can't be published in one call alone; of parts only the first can't."""
        if delivery.live:
            return False
        platform = self._platforms.find(delivery.platform)
        if platform is None or not self._platforms.supports(platform.name, "prepare"):
            return False
        return bool(delivery.post.media) or (platform.wants_link_card and delivery.post.link is not None)

    def plan(self, delivery: Delivery) -> Delivery:
        """The delivery with its preparation still to come, where it wants one."""
        if not self.wants_preparation(delivery):
            return replace(delivery, preparation=None)
        begin_at = delivery.due_at - self._timings.prepare_ahead
        return replace(delivery, preparation=Preparation(begin_at=begin_at))

    def plan_anew(self, before: Delivery, after: Delivery) -> Delivery:
        """The delivery after a change; what is prepared already is kept while it says the same and will hold."""
        says_the_same = (before.connection_id, before.post) == (after.connection_id, after.post)
        preparation = after.preparation
        if says_the_same and preparation is not None and preparation.is_ready(after.due_at):
            return after
        return self.plan(after)

    def is_ready(self, delivery: Delivery, now: datetime) -> bool:
        """Whether a delivery can be published now, with nothing left to prepare."""
        if not self.wants_preparation(delivery):
            return True
        return delivery.preparation is not None and delivery.preparation.is_ready(now)
