"""Publishing what is due: claim, prepare, write ahead, publish once, settle."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ..clock import Clock
from ..domain import (
    LATE_AFTER,
    Attempt,
    Connection,
    ConnectionStatus,
    Delivery,
    DeliveryState,
    HoldReason,
    Member,
    retry_delay,
)
from ..events import (
    DeliveryClaimed,
    DeliveryRetried,
    DeliverySnoozed,
    DeliveryUnknown,
    Emit,
)
from ..events import DeliveryFailed as FailedEvent
from ..events import DeliveryHeld as HeldEvent
from ..events import DeliveryPublished as PublishedEvent
from ..platforms import PlatformNotReady, Platforms
from ..plugin.errors import (
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    PostRejected,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)
from ..plugin.types import PublishedPost
from .notices import DeliveryFailed, DeliveryHeld, DeliveryPublished, LateQuestion, OperatorTrouble
from .ports import ConnectionStore, DeliveryStore, MemberDirectory, Notifier, SlackUnavailable, StoreUnavailable
from .refreshing import ConnectionGone, FreshCredential, Refreshing

__all__ = ["LEASE", "Delivering"]

log = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=90)
"""How long a claim holds: longer than the façade's 30 s for a publish, with room for settling."""
_SEND_BEFORE: Final = LEASE / 4
_BATCH: Final = 50
_SETTLE_PAUSE_SECONDS: Final = 1.0
_SHORTEST_SNOOZE: Final = timedelta(seconds=5)
_LONGEST_SNOOZE: Final = timedelta(days=1)
_TOKEN_EXPIRED: Final = "token_expired"  # noqa: S105 - an outcome, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """Why a delivery did not go out, and the connection it met."""

    error: Exception
    connection: Connection | None = None


class Delivering:
    """Publishes due deliveries, each account's in order, many accounts at once.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        deliveries: where deliveries are kept.
        refreshing: hands out fresh credentials.
        members: who the admins are.
        notifier: direct messages.
        clock: the time.
        emit: takes events.
        worker_id: names this process in claims.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        connections: ConnectionStore,
        deliveries: DeliveryStore,
        refreshing: Refreshing,
        members: MemberDirectory,
        notifier: Notifier,
        clock: Clock,
        emit: Emit,
        worker_id: str,
    ) -> None:
        self._platforms = platforms
        self._connections = connections
        self._deliveries = deliveries
        self._refreshing = refreshing
        self._members = members
        self._notifier = notifier
        self._clock = clock
        self._emit = emit
        self._worker_id = worker_id
        self._lanes: set[asyncio.Task[None]] = set()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._is_stopping = False

    @property
    def in_flight(self) -> int:
        """How many accounts are being served right now."""
        return len(self._lanes)

    async def deliver_due(self) -> int:
        """Claim what is due and start publishing it; returns at once with how many were claimed.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        room = _BATCH - len(self._lanes)
        if self._is_stopping or room <= 0:
            return 0
        now, claimed_at = self._clock.now(), time.monotonic()
        claimed = await self._deliveries.claim_due(now=now, owner=self._worker_id, until=now + LEASE, limit=room)
        by_connection: defaultdict[str, list[Delivery]] = defaultdict(list)
        late: list[Delivery] = []
        for delivery in claimed:
            self._emit(DeliveryClaimed(**_ids(delivery)))
            if _is_late(delivery, now):
                late.append(delivery)
            else:
                by_connection[delivery.connection_id].append(delivery)
        for connection_id, batch in by_connection.items():
            self._start_lane(connection_id, batch, claimed_at)
        if late:
            self._track(self._ask_about_late(late))
        return len(claimed)

    async def stop(self, timeout: timedelta) -> int:
        """Claim nothing more, hand back what has not been sent, and let what is being sent finish.

        Returns:
            How many accounts' work had to be broken off; their posts are settled by the next process.
        """
        self._is_stopping = True
        if self._lanes:
            await asyncio.wait(self._lanes, timeout=timeout.total_seconds())
        left = list(self._lanes)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return len(left)

    async def wait_until_idle(self) -> None:
        """Wait for everything that is being published now."""
        while self._lanes:
            await asyncio.wait(self._lanes)

    # --- lanes: one account's posts, in order ------------------------------------------------------------------------

    def _start_lane(self, connection_id: str, batch: Sequence[Delivery], claimed_at: float) -> None:
        self._track(self._run_lane(connection_id, batch, claimed_at))

    def _track(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._lanes.add(task)
        task.add_done_callback(self._lanes.discard)

    async def _run_lane(self, connection_id: str, batch: Sequence[Delivery], claimed_at: float) -> None:
        async with self._locks[connection_id]:
            for delivery in sorted(batch, key=lambda each: (each.due_at, each.delivery_id)):
                try:
                    await self._deliver(delivery, claimed_at)
                except StoreUnavailable:
                    # Nothing is assumed: what was claimed is freed when its lease is over.
                    log.warning("the database went away", extra={"event": "delivery.store_lost", **_ids(delivery)})
                except Exception:
                    log.exception("delivering failed", extra={"event": "delivery.bug", **_ids(delivery)})

    # --- one delivery ------------------------------------------------------------------------------------------------

    async def _deliver(self, delivery: Delivery, claimed_at: float) -> None:
        if self._must_not_send(claimed_at):
            await self._hand_back(delivery)
            return
        try:
            fresh = await self._prepare(delivery)
        except _NotPrepared as refusal:
            await self._settle_refusal(delivery, refusal.why)
            return
        attempt = Attempt(attempt_id=secrets.token_hex(8), started_at=self._clock.now())
        publishing = replace(
            delivery,
            state=DeliveryState.PUBLISHING,
            attempts=(*delivery.attempts, attempt),
            claimed_until=self._clock.now() + LEASE,
        )
        if self._must_not_send(claimed_at):
            await self._hand_back(delivery)
            return
        recorded_at = time.monotonic()
        if not await self._deliveries.swap(delivery, publishing):
            return  # Canceled or freed meanwhile: it isn't ours any more.
        if time.monotonic() - recorded_at > _SEND_BEFORE.total_seconds():
            await self._hand_back(publishing)
            return
        await self._publish(publishing, fresh)

    def _must_not_send(self, claimed_at: float) -> bool:
        """Whether this process is stopping, or was paused so long that the claim may end under the request."""
        return self._is_stopping or time.monotonic() - claimed_at > (LEASE - _SEND_BEFORE).total_seconds()

    async def _hand_back(self, delivery: Delivery) -> None:
        await self._deliveries.swap(
            delivery,
            replace(_closed(delivery, "handed_back"), state=DeliveryState.SCHEDULED, next_try_at=self._clock.now()),
        )

    async def _prepare(self, delivery: Delivery) -> FreshCredential:
        """Find the account, check that the author may still use it, and get a credential that works now."""
        connection = await self._connections.find(delivery.team_id, delivery.connection_id)
        if connection is None or connection.status is ConnectionStatus.DISCONNECTED:
            raise _NotPrepared(ReconnectRequired(f"{delivery.account_name} is not connected any more."), None)
        if connection.owner_id != delivery.author_id:
            raise _NotPrepared(
                MemberActionRequired(f"You may not post with {connection.account.name} any more."), connection
            )
        if problems := self._platforms.problems(delivery.platform):
            raise _NotPrepared(OperatorActionRequired(problems[0]), connection)
        if found := self._platforms.validate(delivery.platform, connection.account, delivery.post):
            raise _NotPrepared(PostRejected(*found), connection)
        try:
            return await self._refreshing.get_credential(connection)
        except (PlatformError, PlatformNotReady) as error:
            raise _NotPrepared(error, connection) from error
        except ConnectionGone as error:
            gone = ReconnectRequired(f"{delivery.account_name} is not connected any more.")
            raise _NotPrepared(gone, None) from error

    async def _publish(self, delivery: Delivery, fresh: FreshCredential) -> None:
        try:
            published = await self._platforms.publish(delivery.platform, fresh.credential, delivery.post)
        except (PlatformError, PlatformNotReady) as error:
            await self._settle_refusal(delivery, _Refusal(error=error, connection=fresh.connection))
        else:
            await self._settle_published(delivery, published)

    # --- settling ----------------------------------------------------------------------------------------------------

    async def _settle_published(self, delivery: Delivery, published: PublishedPost) -> None:
        after = replace(
            _closed(delivery, "published"),
            state=DeliveryState.PUBLISHED,
            published_id=published.id,
            published_url=published.url,
            detail=None,
            settled_at=self._clock.now(),
        )
        if await self._settle(delivery, after):
            self._emit(PublishedEvent(**_ids(after)))
            await self._notifier.notify(
                after.author, DeliveryPublished(delivery=after, platform_title=self._title(after))
            )

    async def _settle_refusal(self, delivery: Delivery, refusal: _Refusal) -> None:
        error = refusal.error
        match error:
            case TokenExpired():
                await self._settle_expired_token(delivery, refusal)
            case ReconnectRequired():
                await self._settle_reconnect(delivery, error, refusal.connection)
            case MemberActionRequired():
                await self._settle_held(delivery, HoldReason.MEMBER, error.explanation)
            case OperatorActionRequired() | PlatformNotReady():
                await self._settle_operator(delivery, error.explanation)
            case RateLimited():
                await self._settle_later(delivery, error, at=self._snooze_until(error.until), is_counted=False)
            case PostRejected():
                await self._settle_failed(delivery, error, tuple(problem.message for problem in error.problems))
            case OutcomeUnknown() if delivery.state is DeliveryState.PUBLISHING:
                await self._settle_unknown(delivery, error)
            case PlatformUnavailable():
                await self._settle_retry(delivery, error)
            case _ if delivery.state is DeliveryState.PUBLISHING:
                await self._settle_unknown(delivery, error)
            case _:
                await self._settle_retry(delivery, error)

    async def _settle_expired_token(self, delivery: Delivery, refusal: _Refusal) -> None:
        """Refresh and try again at once; a token refused right after a refresh needs the member."""
        connection = refusal.connection
        was_refreshed = any(attempt.outcome == _TOKEN_EXPIRED for attempt in delivery.attempts[:-1][-1:])
        if connection is None or was_refreshed:
            error = ReconnectRequired(f"{self._title(delivery)} refused the bot's access.")
            await self._settle_reconnect(delivery, error, connection)
            return
        try:
            await self._refreshing.get_credential(connection, refused_version=connection.token_version)
        except (PlatformError, PlatformNotReady) as error:
            await self._settle_refusal(delivery, _Refusal(error=error, connection=connection))
        except ConnectionGone:
            await self._settle_reconnect(delivery, ReconnectRequired("The account was disconnected."), None)
        else:
            again = replace(
                _closed(delivery, _TOKEN_EXPIRED), state=DeliveryState.SCHEDULED, next_try_at=self._clock.now()
            )
            await self._settle(delivery, again)

    async def _settle_reconnect(
        self, delivery: Delivery, error: ReconnectRequired, connection: Connection | None
    ) -> None:
        if connection is not None and not await self._refreshing.end_access(connection, error):
            # The account came back meanwhile: its new tokens deserve a try.
            await self._settle_later(delivery, error, at=self._clock.now(), is_counted=True)
            return
        if connection is None:
            await self._settle_held(delivery, HoldReason.RECONNECT, error.explanation)
            return
        after = self._held(delivery, HoldReason.RECONNECT, error.explanation)
        if await self._settle(delivery, after):
            self._emit(HeldEvent(**_ids(after), reason=HoldReason.RECONNECT))
            await self._release_if_back(after)

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

    async def _settle_held(self, delivery: Delivery, reason: HoldReason, explanation: str) -> bool:
        after = self._held(delivery, reason, explanation)
        if not await self._settle(delivery, after):
            return False
        self._emit(HeldEvent(**_ids(after), reason=reason))
        notice = DeliveryHeld(delivery=after, platform_title=self._title(after), explanation=explanation)
        await self._notifier.notify(after.author, notice)
        return True

    async def _settle_operator(self, delivery: Delivery, explanation: str) -> None:
        if not await self._settle_held(delivery, HoldReason.OPERATOR, explanation):
            return
        notice = OperatorTrouble(
            platform=delivery.platform, platform_title=self._title(delivery), explanation=explanation
        )
        try:
            admins = await self._members.list_admins(delivery.team_id)
        except SlackUnavailable:
            log.warning("admins can't be told", extra={"event": "operator.untold", "platform": delivery.platform})
            return
        for admin in admins:
            await self._notifier.notify(admin, notice)

    async def _settle_retry(self, delivery: Delivery, error: Exception) -> None:
        pause = retry_delay(delivery.tries + 1, random.uniform(-1, 1))  # noqa: S311 - jitter, not a secret
        if pause is None:
            await self._settle_failed(delivery, error, ("The platform could not be reached in several tries.",))
            return
        await self._settle_later(delivery, error, at=self._clock.now() + pause, is_counted=True)

    async def _settle_later(self, delivery: Delivery, error: Exception, *, at: datetime, is_counted: bool) -> None:
        after = replace(
            _closed(delivery, "retried" if is_counted else "snoozed", _words(error)),
            state=DeliveryState.SCHEDULED,
            next_try_at=at,
            tries=delivery.tries + is_counted,
            detail=_words(error),
        )
        if await self._settle(delivery, after):
            kind = DeliveryRetried if is_counted else DeliverySnoozed
            self._emit(kind(**_ids(after), error=type(error).__name__))

    async def _settle_failed(self, delivery: Delivery, error: Exception, problems: tuple[str, ...]) -> None:
        after = replace(
            _closed(delivery, "failed", _words(error)),
            state=DeliveryState.FAILED,
            detail=" ".join(problems),
            settled_at=self._clock.now(),
        )
        if await self._settle(delivery, after):
            self._emit(FailedEvent(**_ids(after), error=type(error).__name__))
            notice = DeliveryFailed(delivery=after, platform_title=self._title(after), problems=problems)
            await self._notifier.notify(after.author, notice)

    async def _settle_unknown(self, delivery: Delivery, error: Exception) -> None:
        after = replace(
            _closed(delivery, "unknown", _words(error)),
            state=DeliveryState.UNKNOWN,
            detail=_words(error),
            settled_at=self._clock.now(),
        )
        if await self._settle(delivery, after):
            self._emit(DeliveryUnknown(**_ids(after)))

    async def _settle(self, before: Delivery, after: Delivery) -> bool:
        """Write an outcome, trying until the lease is over: an outcome that is not stored becomes a question."""
        until = time.monotonic() + LEASE.total_seconds()
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

    def _snooze_until(self, until: datetime) -> datetime:
        """Keep a platform's word for when to come back within reason."""
        now = self._clock.now()
        return min(max(until, now + _SHORTEST_SNOOZE), now + _LONGEST_SNOOZE)

    async def _ask_about_late(self, late: Sequence[Delivery]) -> None:
        by_author: defaultdict[Member, list[Delivery]] = defaultdict(list)
        for delivery in late:
            after = replace(
                self._held(delivery, HoldReason.LATE, "The bot was not running when this was due."), is_asked=True
            )
            try:
                is_held = await self._deliveries.swap(delivery, after)
            except StoreUnavailable:
                # The others' authors must hear of theirs; this one is freed when its lease is over, and comes again.
                log.warning("the database went away", extra={"event": "delivery.store_lost", **_ids(delivery)})
                continue
            if is_held:
                self._emit(HeldEvent(**_ids(after), reason=HoldReason.LATE))
                by_author[after.author].append(after)
        for author, deliveries in by_author.items():
            await self._notifier.notify(author, LateQuestion(deliveries=tuple(deliveries)))

    def _held(self, delivery: Delivery, reason: HoldReason, explanation: str) -> Delivery:
        return replace(
            _closed(delivery, "held", explanation),
            state=DeliveryState.HELD,
            hold_reason=reason,
            detail=explanation,
            settled_at=self._clock.now(),
        )

    def _title(self, delivery: Delivery) -> str:
        platform = self._platforms.find(delivery.platform)
        return platform.title if platform else delivery.platform


class _NotPrepared(Exception):
    def __init__(self, error: Exception, connection: Connection | None) -> None:
        super().__init__()
        self.why = _Refusal(error=error, connection=connection)


def _is_late(delivery: Delivery, now: datetime) -> bool:
    return not delivery.is_confirmed and now - delivery.next_try_at > LATE_AFTER


def _closed(delivery: Delivery, outcome: str, detail: str | None = None) -> Delivery:
    """Drop the claim and close the open attempt, if one was recorded under this claim."""
    attempts = delivery.attempts
    if delivery.state is DeliveryState.PUBLISHING and attempts:
        attempts = (*attempts[:-1], replace(attempts[-1], outcome=outcome, detail=detail))
    return replace(delivery, attempts=attempts, claim_token=None, claimed_by=None, claimed_until=None)


def _outcomes(delivery: Delivery) -> list[tuple[str, str | None]]:
    return [(attempt.attempt_id, attempt.outcome) for attempt in delivery.attempts]


def _words(error: Exception) -> str:
    return error.explanation if isinstance(error, PlatformError | PlatformNotReady) else type(error).__name__


def _ids(delivery: Delivery) -> dict[str, str]:
    return {"team_id": delivery.team_id, "delivery_id": delivery.delivery_id, "platform": delivery.platform}
