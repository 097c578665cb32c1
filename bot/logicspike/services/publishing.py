"""Publishing one post: check it, write the attempt ahead, send it once, settle what came of it."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ..clock import LEAP, Clock
from ..domain import Attempt, Connection, Delivery, DeliveryState, HoldReason, Timings
from ..egress import sending_until
from ..events import DeliveryHeld as HeldEvent
from ..events import Emit
from ..platforms import PlatformNotReady, Platforms
from ..plugin.errors import PlatformError, RateLimited, ReconnectRequired, TokenExpired
from .admitting import Admitting, NotAdmitted
from .pauses import end_of_pause
from .planning import Planning
from .ports import DeliveryStore, StoreUnavailable
from .refreshing import FreshCredential
from .settling import Refusal, Settling, delivery_ids

__all__ = ["Lane", "LaneOver", "Publishing"]

log = logging.getLogger(__name__)

_SHARE_OF_LEASE: Final = 0.75
"""In which requests may begin: more than a publish may take, and over before others take its process for dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One account's turn: its posts, in order, under one lease that no other worker has."""

    connection: Connection
    batch: tuple[Delivery, ...]
    owner: str
    taken_at: float
    may_have_more: bool


class LaneOver(Exception):
    """A post of a lane was put back, and none behind it may overtake it.

    Attributes:
        until: when they may go out; None for their own times.
    """

    def __init__(self, until: datetime | None = None) -> None:
        super().__init__()
        self.until = until


class Publishing:
    """Publishes claimed deliveries, each at its time and at most once.

    Args:
        platforms: the installed platforms.
        deliveries: where deliveries are kept.
        admitting: checks again, and hands out fresh credentials.
        planning: knows what has to be prepared.
        settling: writes outcomes.
        clock: the time.
        emit: takes events.
        timings: how long a claim holds, and how far ahead is looked.
        wake: called when a due post still waits for its upload, so that this doesn't wait for the next tick.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        deliveries: DeliveryStore,
        admitting: Admitting,
        planning: Planning,
        settling: Settling,
        clock: Clock,
        emit: Emit,
        timings: Timings,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._platforms = platforms
        self._deliveries = deliveries
        self._admitting = admitting
        self._planning = planning
        self._settling = settling
        self._clock = clock
        self._emit = emit
        self._timings = timings
        self._wake = wake
        self._is_stopping = False
        self._pauses: dict[str, datetime] = {}
        self._unsent: list[Delivery] = []  # whose attempts may be stored, though nothing was sent or taken

    def stop(self) -> None:
        """Send nothing more; what has not been sent is handed back."""
        self._is_stopping = True

    async def publish(self, delivery: Delivery, lane: Lane, opened: FreshCredential | None) -> FreshCredential | None:
        """Deliver one; the credential that worked, which the lane's next one may use, too.

        Raises:
            LaneOver: it has to wait, and with it what is behind it.
            StoreUnavailable: the database did not answer.
        """
        try:
            return await self._deliver(delivery, lane, opened)
        except (LaneOver, StoreUnavailable):
            raise
        except Exception:
            log.exception("delivering failed", extra={"event": "delivery.bug", **delivery_ids(delivery)})
            return None

    async def hand_back_unsent(self) -> None:
        """Hand back what stands as being published and certainly isn't live, the database having gone away in between.

        Raises:
            StoreUnavailable: the database did not answer; what is left is handed back the next time.
        """
        while self._unsent:
            delivery = self._unsent.pop()
            try:
                # At its old time: it keeps its place in the account's line, and is late if it is.
                await self._settling.hand_back(delivery, at=delivery.next_try_at)
            except StoreUnavailable:
                self._unsent.append(delivery)
                raise

    async def put_back(self, deliveries: Sequence[Delivery], *, until: datetime) -> None:
        """Hand back what is behind a post that has to wait.

        Raises:
            StoreUnavailable: the database did not answer for one of them at least; all were tried.
        """
        ends = await asyncio.gather(
            *(self._settling.hand_back(each, at=max(until, each.next_try_at)) for each in deliveries),
            return_exceptions=True,
        )
        for end in ends:
            if end is not None:
                raise end

    def is_late(self, delivery: Delivery) -> bool:
        """Whether it is overdue by so much that its author has to be asked first."""
        return delivery.is_late(self._clock.now())

    def may_send(self, lane: Lane) -> bool:
        """Whether a lane may still send: the process goes on, and the lease won't end under a request."""
        is_time_left = time.monotonic() - lane.taken_at <= (self._timings.lease / 2).total_seconds()
        return is_time_left and not self._is_stopping

    # --- one delivery ------------------------------------------------------------------------------------------------

    async def _deliver(self, delivery: Delivery, lane: Lane, opened: FreshCredential | None) -> FreshCredential | None:
        if (paused_until := self._paused_until(delivery, lane.connection)) is not None:
            await self._settling.hand_back(delivery, at=paused_until)
            raise LaneOver(paused_until)
        try:
            fresh = await self._admitting.admit(delivery, lane.connection, opened)
        except NotAdmitted as refusal:
            await self._settling.refused(delivery, refusal.why)
            return None
        if not self._planning.is_ready(delivery, self._clock.now()):
            prepared = await self._find_prepared(delivery)
            if prepared is None:
                await self._settling.wait_for_preparation(delivery)
                self._wake()
                return fresh
            delivery = prepared
        if not await self._wait_until_due(delivery, lane):
            await self._settling.hand_back(delivery, at=delivery.next_try_at)
            raise LaneOver
        attempt = Attempt(attempt_id=secrets.token_hex(8), started_at=self._clock.now(), part=len(delivery.live))
        publishing = replace(
            delivery,
            state=DeliveryState.PUBLISHING,
            attempts=(*delivery.attempts, attempt),
            is_owed=False,  # what it was to say is overtaken
            claimed_until=self._clock.now() + self._timings.lease,
        )
        recorded_at = time.monotonic()
        try:
            if not await self._deliveries.swap(delivery, publishing):
                return fresh  # Canceled or freed meanwhile: it isn't ours any more.
            if time.monotonic() - recorded_at > (self._timings.lease / 4).total_seconds() or not self.may_send(lane):
                await self._settling.hand_back(publishing, at=publishing.next_try_at)
                raise LaneOver
        except StoreUnavailable:
            self._unsent.append(publishing)
            raise
        return fresh if await self._send(publishing, fresh, recorded_at) else None

    async def _find_prepared(self, delivery: Delivery) -> Delivery | None:
        """The delivery, if it has become ready while it stood in line here; None if not, or if it is not ours now."""
        current = await self._deliveries.find(delivery.team_id, delivery.delivery_id)
        if current is None or (current.state, current.claim_token) != (delivery.state, delivery.claim_token):
            return None
        return current if self._planning.is_ready(current, self._clock.now()) else None

    async def _wait_until_due(self, delivery: Delivery, lane: Lane) -> bool:
        """Sleep the rest of the look-ahead; False when the lane's time is over, or a clock has leapt back meanwhile.

        A correction of the clock is slept off: those behind are no more due, and would overtake what is put back.
        """
        longest = self._timings.look_ahead + LEAP
        while self.may_send(lane) and (left := delivery.next_try_at - self._clock.now()) <= longest:
            if left <= timedelta(0):
                return True
            await asyncio.sleep(left.total_seconds())
        return False

    async def _send(self, delivery: Delivery, fresh: FreshCredential, recorded_at: float) -> bool:
        """Send it, unless the lease is nearly over since the attempt was recorded; whether the credential was taken."""
        post, prepared = delivery.next_part, delivery.prepared
        try:
            with sending_until(recorded_at + self._timings.lease.total_seconds() * _SHARE_OF_LEASE):
                published = await self._platforms.publish(delivery.platform, fresh.credential, post, prepared)
        except (PlatformError, PlatformNotReady) as error:
            until = self._pause(delivery, fresh.connection, error) if isinstance(error, RateLimited) else None
            await self._refused(delivery, Refusal(error=error, connection=fresh.connection))
            if until is not None:
                raise LaneOver(until) from None
            return False
        await self._settling.published(delivery, published)
        return True

    async def _refused(self, delivery: Delivery, refusal: Refusal) -> None:
        try:
            await self._settling.refused(delivery, refusal)
        except StoreUnavailable:
            if isinstance(refusal.error, (TokenExpired, ReconnectRequired, RateLimited)):
                # Certainly not live, and what it asks for may be asked again: by the next try.
                self._unsent.append(delivery)
            raise

    # A pause stands at the connection, which is read with its lane; this is for a lane that runs already.

    def _pause(self, delivery: Delivery, connection: Connection, error: RateLimited) -> datetime:
        now = self._clock.now()
        self._pauses = {bucket: until for bucket, until in self._pauses.items() if until > now}
        bucket = _app_of(connection) if error.is_app_wide else delivery.connection_id
        until = max(end_of_pause(error, now), self._pauses.get(bucket, now))
        self._pauses[bucket] = until
        return until

    def _paused_until(self, delivery: Delivery, connection: Connection) -> datetime | None:
        now = self._clock.now()
        ends = [self._pauses.get(bucket, now) for bucket in (delivery.connection_id, _app_of(connection))]
        end = max(*ends, connection.paused_until or now)
        return end if end > now else None

    async def hold_late(self, late: Sequence[Delivery]) -> None:
        """Hold what is late, whose authors are asked about it.

        Raises:
            StoreUnavailable: the database did not answer for one of them at least; all were tried.
        """
        lost: StoreUnavailable | None = None
        for delivery in late:
            held = self._settling.to_held(delivery, HoldReason.LATE, "The bot was not running when this was due.")
            after = replace(held, is_asked=True, is_owed=True)
            try:
                is_held = await self._deliveries.swap(delivery, after)
            except StoreUnavailable as error:
                lost = error  # the others' authors must hear of theirs
                continue
            if is_held:
                self._emit(HeldEvent(**delivery_ids(after), reason=HoldReason.LATE))
        if lost is not None:
            raise lost


def _app_of(connection: Connection) -> str:
    """Which of our developer apps a connection came by, in words that are no connection's id."""
    return f"{connection.platform}/{connection.credential_set}"
