"""What becomes of a delivery after a try: the outcome, written by compare-and-set, with whether its author is owed a
word (``telling`` says it).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ..clock import Clock
from ..domain import Attempt, Connection, ConnectionStatus, Delivery, DeliveryState, HoldReason, Preparation, Timings
from ..events import DeliveryFailed as FailedEvent
from ..events import DeliveryHeld as HeldEvent
from ..events import DeliveryRetried, DeliverySnoozed, DeliveryUnknown, Emit
from ..platforms import PlatformNotReady, Platforms
from ..plugin.errors import (
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    PostRejected,
    PreparationLost,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)
from ..plugin.types import PublishedPost
from ..texts import storable
from .parts import live_event, with_part_live
from .pauses import end_of_pause, retry_delay
from .ports import ConnectionStore, DeliveryStore, StoreUnavailable
from .refreshing import ConnectionGone, Refreshing

__all__ = ["Refusal", "Settling", "close_attempt", "delivery_ids"]

log = logging.getLogger(__name__)

_SETTLE_PAUSE_SECONDS: Final = 1.0
_WORTH_A_WORD: Final = timedelta(seconds=20)
"""A first delay this long is told to the author; further ones are not, until it ends badly."""
_SHORTEST_LOOK: Final = timedelta(seconds=1)
_LONGEST_LOOK: Final = timedelta(seconds=15)
"""How often it is looked whether a post that is due is prepared by now."""
_TOKEN_EXPIRED: Final = "token_expired"  # noqa: S105 - an outcome, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a delivery did not go out, and the connection it met, if it still has one."""

    error: Exception
    connection: Connection | None = None


class Settling:
    """Writes outcomes.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        deliveries: where deliveries are kept.
        refreshing: renews refused tokens, marks dead connections.
        clock: the time.
        emit: takes events.
        timings: how long a claim holds.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        connections: ConnectionStore,
        deliveries: DeliveryStore,
        refreshing: Refreshing,
        clock: Clock,
        emit: Emit,
        timings: Timings,
    ) -> None:
        self._platforms = platforms
        self._connections = connections
        self._deliveries = deliveries
        self._refreshing = refreshing
        self._clock = clock
        self._emit = emit
        self._timings = timings

    async def published(self, delivery: Delivery, published: PublishedPost) -> bool:
        """The part that was sent is live: write it down; whether it was still ours.

        Raises:
            StoreUnavailable: the outcome could not be written until the lease was over; it will be looked up.
        """
        after = with_part_live(close_attempt(delivery, "published"), published, now=self._clock.now())
        if not await self._settle(delivery, after):
            return False
        self._emit(live_event(after))
        return True

    async def refused(self, delivery: Delivery, refusal: Refusal) -> bool:
        """It did not go out, or nobody knows: do what the error asks for; whether it was still ours.

        Raises:
            StoreUnavailable: as for ``published``.
        """
        error = refusal.error
        match error:
            case TokenExpired():
                return await self._renew_and_try_again(delivery, refusal)
            case ReconnectRequired():
                return await self._wait_for_reconnect(delivery, error, refusal.connection)
            case MemberActionRequired():
                return await self.hold(delivery, HoldReason.MEMBER, error.explanation)
            case OperatorActionRequired() | PlatformNotReady():
                return await self.hold(delivery, HoldReason.OPERATOR, error.explanation)
            case RateLimited():
                return await self._wait_for_the_bucket(delivery, error)
            case PostRejected():
                return await self._fail(delivery, error, tuple(problem.message for problem in error.problems))
            case OutcomeUnknown() if delivery.state is DeliveryState.PUBLISHING:
                return await self._unknown(delivery, error)
            case PreparationLost():
                return await self._prepare_anew(delivery, error)
            case PlatformUnavailable():
                return await self._retry(delivery, error)
            case _ if delivery.state is DeliveryState.PUBLISHING:
                return await self._unknown(delivery, error)
            case _:
                return await self._retry(delivery, error)

    async def hand_back(self, delivery: Delivery, *, at: datetime) -> None:
        """Nothing was sent: back to the schedule, for a given time.

        Raises:
            StoreUnavailable: the database did not answer; it comes back when the lease is over.
        """
        after = replace(close_attempt(delivery, "handed_back"), state=DeliveryState.SCHEDULED, next_try_at=at)
        await self._deliveries.swap(delivery, after)

    async def wait_for_preparation(self, delivery: Delivery) -> None:
        """Its time has come, but not everything is uploaded: back to the schedule, and the account's others go on.

        The longer it is overdue, the less often it is looked at.

        Raises:
            StoreUnavailable: the database did not answer; it comes back when the lease is over.
        """
        now = self._clock.now()
        pause = min(max((now - delivery.due_at) / 4, _SHORTEST_LOOK), _LONGEST_LOOK)
        preparation = delivery.preparation or Preparation(begin_at=now)
        if preparation.begin_at is None:  # It was ready, but the platform forgets it by now.
            preparation = Preparation(begin_at=now)
        after = replace(
            close_attempt(delivery, "handed_back"),
            state=DeliveryState.SCHEDULED,
            next_try_at=now + pause,
            preparation=preparation,
        )
        await self._deliveries.swap(delivery, after)

    async def hold(self, delivery: Delivery, reason: HoldReason, explanation: str) -> bool:
        """Let it wait for somebody, of which its author is to be told; whether it was still ours.

        Raises:
            StoreUnavailable: as for ``published``.
        """
        after = replace(self.to_held(delivery, reason, explanation), is_owed=True)
        if not await self._settle(delivery, after):
            return False
        self._emit(HeldEvent(**delivery_ids(after), reason=reason))
        return True

    async def park(self, delivery: Delivery) -> bool:
        """Take a post that keeps ending its process out of the way; whether it was still ours.

        Raises:
            StoreUnavailable: as for ``published``.
        """
        explanation = (
            "Publishing this post stopped the bot several times, so it was set aside. Nothing else is affected."
        )
        return await self.hold(delivery, HoldReason.PARKED, explanation)

    def to_held(self, delivery: Delivery, reason: HoldReason, explanation: str) -> Delivery:
        """The delivery as it is while held."""
        return replace(
            close_attempt(delivery, "held", explanation),
            state=DeliveryState.HELD,
            hold_reason=reason,
            detail=explanation,
            settled_at=self._clock.now(),
        )

    async def _renew_and_try_again(self, delivery: Delivery, refusal: Refusal) -> bool:
        """Refresh and try again at once; a token refused right after a refresh needs the member."""
        connection = refusal.connection
        was_renewed = any(attempt.outcome == _TOKEN_EXPIRED for attempt in delivery.attempts[:-1][-1:])
        if connection is None or was_renewed:
            error = ReconnectRequired(f"{self._title(delivery)} refused the bot's access.")
            return await self._wait_for_reconnect(delivery, error, connection)
        try:
            await self._refreshing.get_credential(connection, refused_version=connection.token_version)
        except (PlatformError, PlatformNotReady) as error:
            return await self.refused(delivery, Refusal(error=error, connection=connection))
        except ConnectionGone:
            return await self._wait_for_reconnect(delivery, ReconnectRequired("The account was disconnected."), None)
        again = replace(
            close_attempt(delivery, _TOKEN_EXPIRED), state=DeliveryState.SCHEDULED, next_try_at=self._clock.now()
        )
        return await self._settle(delivery, again)

    async def _wait_for_reconnect(
        self, delivery: Delivery, error: ReconnectRequired, connection: Connection | None
    ) -> bool:
        if connection is not None and not await self._refreshing.end_access(connection, error):
            # The account came back meanwhile: its new tokens deserve a try.
            return await self._later(delivery, error, at=self._clock.now(), is_counted=True)
        if connection is None:
            return await self.hold(delivery, HoldReason.RECONNECT, error.explanation)
        after = self.to_held(delivery, HoldReason.RECONNECT, error.explanation)
        if not await self._settle(delivery, after):
            return False
        self._emit(HeldEvent(**delivery_ids(after), reason=HoldReason.RECONNECT))
        await self._release_if_back(after)
        return True

    async def _release_if_back(self, delivery: Delivery) -> None:
        """Let go what was held in the very moment its account came back: nobody else would find it any more."""
        connection = await self._connections.find(delivery.team_id, delivery.connection_id)
        if connection is not None and connection.status is ConnectionStatus.ACTIVE:
            freed = replace(
                delivery,
                state=DeliveryState.SCHEDULED,
                hold_reason=None,
                detail=None,
                next_try_at=max(delivery.due_at, self._clock.now()),
            )
            await self._deliveries.swap(delivery, freed)

    async def _wait_for_the_bucket(self, delivery: Delivery, error: RateLimited) -> bool:
        """Let nothing of the whole bucket, the account's or our app's, be tried before the platform says so."""
        until = end_of_pause(error, self._clock.now())
        # For every process, whatever it has claimed, and for what is scheduled or tried again meanwhile.
        await self._pause_connections(delivery, error, until)
        is_ours = await self._later(delivery, error, at=until, is_counted=False)
        await self._postpone(delivery, error, until)
        return is_ours

    async def pause(self, delivery: Delivery, error: RateLimited) -> datetime:
        """Let nothing of the whole bucket be tried before the platform says so; until when that is.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        until = end_of_pause(error, self._clock.now())
        await self._pause_connections(delivery, error, until)
        await self._postpone(delivery, error, until)
        return until

    async def _pause_connections(self, delivery: Delivery, error: RateLimited, until: datetime) -> None:
        if not error.is_app_wide:
            await self._connections.pause(until=until, connection_id=delivery.connection_id)
            return
        connection = await self._connections.find(delivery.team_id, delivery.connection_id)
        credential_set = connection.credential_set if connection is not None else ""
        await self._connections.pause(until=until, platform=delivery.platform, credential_set=credential_set)

    async def _postpone(self, delivery: Delivery, error: RateLimited, until: datetime) -> None:
        if not error.is_app_wide:
            await self._deliveries.postpone(until=until, connection_id=delivery.connection_id)
        elif not self._has_several_apps(delivery):
            # With several apps, each delivery is put off as it comes up, by the pause of its connection.
            await self._deliveries.postpone(until=until, platform=delivery.platform)

    def _has_several_apps(self, delivery: Delivery) -> bool:
        platform = self._platforms.find(delivery.platform)
        return platform is not None and bool(platform.credential_sets)

    async def _prepare_anew(self, delivery: Delivery, error: Exception) -> bool:
        """The platform has forgotten what it was given: give it again, and publish it then."""
        if retry_delay(delivery.tries + 1, 0) is None:
            return await self._fail(delivery, error, (f"{self._title(delivery)} keeps losing what was uploaded.",))
        now = self._clock.now()
        return await self._later(delivery, error, at=now, is_counted=True, preparation=Preparation(begin_at=now))

    async def _retry(self, delivery: Delivery, error: Exception) -> bool:
        pause = retry_delay(delivery.tries + 1, random.uniform(-1, 1))  # noqa: S311 - jitter, not a secret
        if pause is None:
            return await self._fail(delivery, error, ("The platform could not be reached in several tries.",))
        return await self._later(delivery, error, at=self._clock.now() + pause, is_counted=True)

    async def _later(
        self,
        delivery: Delivery,
        error: Exception,
        *,
        at: datetime,
        is_counted: bool,
        preparation: Preparation | None = None,
    ) -> bool:
        after = replace(
            close_attempt(delivery, "retried" if is_counted else "snoozed", _words(error)),
            state=DeliveryState.SCHEDULED,
            next_try_at=max(at, delivery.next_try_at),
            tries=delivery.tries + is_counted,
            detail=_words(error),
            is_owed=delivery.detail is None and at - self._clock.now() >= _WORTH_A_WORD,
            preparation=preparation or delivery.preparation,
        )
        if not await self._settle(delivery, after):
            return False
        kind = DeliveryRetried if is_counted else DeliverySnoozed
        self._emit(kind(**delivery_ids(after), error=type(error).__name__))
        return True

    async def _fail(self, delivery: Delivery, error: Exception, problems: tuple[str, ...]) -> bool:
        after = replace(
            close_attempt(delivery, "failed", _words(error)),
            state=DeliveryState.FAILED,
            detail=storable("\n".join(" ".join(problem.split()) for problem in problems)),
            settled_at=self._clock.now(),
            is_owed=True,
        )
        if not await self._settle(delivery, after):
            return False
        self._emit(FailedEvent(**delivery_ids(after), error=type(error).__name__))
        return True

    async def _unknown(self, delivery: Delivery, error: Exception) -> bool:
        after = replace(
            close_attempt(delivery, "unknown", _words(error)),
            state=DeliveryState.UNKNOWN,
            is_asked=False,  # whatever its author was asked before, it wasn't this
            detail=_words(error),
            settled_at=self._clock.now(),
        )
        if not await self._settle(delivery, after):
            return False
        self._emit(DeliveryUnknown(**delivery_ids(after)))
        return True

    async def _settle(self, before: Delivery, after: Delivery) -> bool:
        """Write an outcome, trying until the lease is over: an outcome that is not stored becomes a question."""
        until = time.monotonic() + self._timings.lease.total_seconds()
        has_failed = False
        while True:
            try:
                return await self._deliveries.swap(before, after) or (has_failed and await self._has_landed(after))
            except StoreUnavailable:
                if time.monotonic() > until:
                    raise
                has_failed = True
                await asyncio.sleep(_SETTLE_PAUSE_SECONDS)

    async def _has_landed(self, after: Delivery) -> bool:
        """Whether an earlier try is stored, whose reply was lost."""
        current = await self._deliveries.find(after.team_id, after.delivery_id)
        return current is not None and current.state is after.state and _outcomes(current) == _outcomes(after)

    def _title(self, delivery: Delivery) -> str:
        platform = self._platforms.find(delivery.platform)
        return platform.title if platform else delivery.platform


def close_attempt(delivery: Delivery, outcome: str, detail: str | None = None) -> Delivery:
    """Drop the claim, and close the open attempt if one was recorded under this claim."""
    attempts: tuple[Attempt, ...] = delivery.attempts
    if delivery.state is DeliveryState.PUBLISHING and attempts:
        attempts = (*attempts[:-1], replace(attempts[-1], outcome=outcome, detail=detail))
    return replace(delivery, attempts=attempts, claim_token=None, claimed_by=None, claimed_until=None, is_owed=False)


def delivery_ids(delivery: Delivery) -> dict[str, str]:
    """The ids that events and log lines carry."""
    return {"team_id": delivery.team_id, "delivery_id": delivery.delivery_id, "platform": delivery.platform}


def _outcomes(delivery: Delivery) -> list[tuple[str, str | None]]:
    return [(attempt.attempt_id, attempt.outcome) for attempt in delivery.attempts]


def _words(error: Exception) -> str:
    text = error.explanation if isinstance(error, PlatformError | PlatformNotReady) else type(error).__name__
    return storable(text)
