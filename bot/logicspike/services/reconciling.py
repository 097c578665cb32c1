"""Cleaning up after crashes and lost answers: expired claims are freed, unknown outcomes looked up or asked about."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ..clock import Clock
from ..domain import Attempt, Delivery, DeliveryState, Timings
from ..events import DeliveryRescued, DeliveryRetried, DeliveryUnknown, Emit
from ..platforms import NotSupported, PlatformNotReady, Platforms
from ..plugin.errors import OutcomeUnknown, PlatformError
from ..plugin.types import PublishedPost
from .looking_up import LookingUp
from .notices import OutcomeQuestion
from .parts import live_event, with_part_live
from .people import Notifier
from .ports import DeliveryStore
from .refreshing import ConnectionGone
from .settling import Settling

__all__ = ["DEATHS", "LOOKUPS", "Reconciling"]

log = logging.getLogger(__name__)

LOOKUPS: Final = 2
"""How often a platform must say "not there" before the post is tried again; no answer doesn't count as one."""
DEATHS: Final = 3
"""How often a post may take its process with it before it is set aside for a person."""
_LOOKED_UP_AT_ONCE: Final = 8
_ASK_AGAIN: Final = timedelta(minutes=10)


class Reconciling:
    """Settles what crashes and lost answers left behind.

    Args:
        platforms: the installed platforms.
        deliveries: where deliveries are kept.
        looking_up: asks platforms what became of a post.
        settling: sets posts aside.
        notifier: direct messages.
        clock: the time.
        emit: takes events.
        timings: how long after a lost answer is looked, and how often.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        deliveries: DeliveryStore,
        looking_up: LookingUp,
        settling: Settling,
        notifier: Notifier,
        clock: Clock,
        emit: Emit,
        timings: Timings,
    ) -> None:
        self._platforms = platforms
        self._deliveries = deliveries
        self._looking_up = looking_up
        self._settling = settling
        self._notifier = notifier
        self._clock = clock
        self._emit = emit
        self._timings = timings

    async def rescue(self) -> int:
        """Free deliveries whose claim's lease is over; how many.

        What was only claimed goes back to the schedule; what was being published is unknown now.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        now = self._clock.now()
        found = await self._deliveries.list_expired_claims(now)
        expired = [each for each in found if each.claimed_until is not None and each.claimed_until <= now]
        at_work = _find_at_work(found)
        harmless = {each.delivery_id: each for each in expired if _is_harmless(each, at_work)}
        freed = await self._deliveries.free_claims(harmless, now=now) if harmless else ()
        for delivery_id in freed:
            self._emit(DeliveryRescued(**_ids(harmless[delivery_id])))
        others = [each for each in expired if each.delivery_id not in harmless]
        rescued = await asyncio.gather(*(self._rescue(each, at_work) for each in others))
        return len(freed) + sum(rescued)

    async def _rescue(self, delivery: Delivery, at_work: frozenset[str]) -> bool:
        """Free one that may have been what ended its process; whether it was still there to be freed."""
        died = replace(delivery, deaths=delivery.deaths + (delivery.delivery_id in at_work))
        if died.state is DeliveryState.CLAIMED and died.deaths >= DEATHS:
            return await self._settling.park(delivery)
        after = self._freed(died)
        if not await self._deliveries.swap(delivery, after):
            return False
        self._emit(DeliveryRescued(**_ids(after)))
        if after.state is DeliveryState.UNKNOWN:
            self._emit(DeliveryUnknown(**_ids(after)))
        return True

    def _freed(self, delivery: Delivery) -> Delivery:
        freed = _freed_claim(delivery)
        if delivery.state is DeliveryState.CLAIMED:
            return replace(freed, state=DeliveryState.SCHEDULED)
        attempts: tuple[Attempt, ...] = delivery.attempts
        if attempts:
            attempts = (*attempts[:-1], replace(attempts[-1], outcome="unknown", detail="The process stopped."))
        return replace(
            freed,
            state=DeliveryState.UNKNOWN,
            is_asked=False,
            attempts=attempts,
            detail="The bot was interrupted while publishing.",
            settled_at=self._clock.now(),
        )

    async def settle_unknown(self) -> int:
        """Look up unknown outcomes at their platforms, else ask their authors; how many were looked at.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        now = self._clock.now()
        unknown = await self._deliveries.list_unasked_unknown(now - self._timings.settle)
        free = [each for each in unknown if each.claimed_until is None or each.claimed_until <= now]
        at_once = asyncio.Semaphore(_LOOKED_UP_AT_ONCE)

        async def look_up(delivery: Delivery) -> bool:
            async with at_once:
                until = self._clock.now() + self._timings.lookup
                mine = replace(delivery, claim_token=secrets.token_hex(8), claimed_until=until)
                if not await self._deliveries.swap(delivery, mine):
                    return False
                await self._look_up(mine)
                return True

        # A platform that keeps one look-up waiting must not keep the others.
        ends = await asyncio.gather(*map(look_up, free), return_exceptions=True)
        for error in ends:
            if isinstance(error, BaseException):
                raise error
        return sum(map(bool, ends))

    async def _look_up(self, delivery: Delivery) -> None:
        try:
            found = await self._looking_up.find(delivery)
        except (NotSupported, OutcomeUnknown, ConnectionGone):
            await self._ask(delivery)
        except (PlatformError, PlatformNotReady) as error:
            log.info(
                "look-up failed", extra={"event": "lookup.failed", "error": type(error).__name__, **_ids(delivery)}
            )
            await self._not_found(delivery, is_certain=False)
        else:
            if found is None:
                await self._not_found(delivery, is_certain=True)
            else:
                await self._published(delivery, found)

    async def _published(self, delivery: Delivery, found: PublishedPost) -> None:
        after = with_part_live(_freed_claim(delivery), found, now=self._clock.now())
        if await self._deliveries.swap(delivery, after):
            self._emit(live_event(after))

    async def _not_found(self, delivery: Delivery, *, is_certain: bool) -> None:
        checks = delivery.checks + is_certain
        if not is_certain and self._has_had_its_looks(delivery):
            await self._ask(delivery)
            return
        if checks < LOOKUPS:
            # The lease stays until its end: the next look is a minute away.
            await self._deliveries.swap(delivery, replace(delivery, checks=checks))
            return
        if delivery.deaths >= DEATHS:
            await self._ask(delivery)
            return
        after = replace(
            _freed_claim(delivery),
            state=DeliveryState.SCHEDULED,
            next_try_at=self._clock.now(),
            tries=delivery.tries + 1,
            checks=0,
            is_confirmed=True,
        )
        if await self._deliveries.swap(delivery, after):
            self._emit(DeliveryRetried(**_ids(after), error="not_found"))

    def _has_had_its_looks(self, delivery: Delivery) -> bool:
        """Whether there was time for all looks: a platform that gives no answer then is not waited for."""
        since = delivery.settled_at or delivery.due_at
        return self._clock.now() - since >= self._timings.settle + (LOOKUPS - 1) * self._timings.lookup

    async def _ask(self, delivery: Delivery) -> None:
        """Ask the author, then note it: a process that ends in between leaves the question to the next one."""
        asking = replace(
            delivery, claim_token=secrets.token_hex(8), claimed_until=self._clock.now() + self._timings.lookup
        )
        if not await self._deliveries.swap(delivery, asking):
            return
        question = OutcomeQuestion(delivery=asking, platform_title=self._title(asking))
        if await self._notifier.notify(asking.author, question) is None:
            await self._ask_later(asking)
        else:
            await self._deliveries.swap(asking, replace(_freed_claim(asking), is_asked=True))

    async def _ask_later(self, delivery: Delivery) -> None:
        """Slack did not take the question: look and ask again in a while, behind those that were never asked."""
        now = self._clock.now()
        later = replace(
            delivery,
            is_asked=False,
            settled_at=now,
            claim_token=secrets.token_hex(8),
            claimed_until=now + _ASK_AGAIN,
        )
        await self._deliveries.swap(delivery, later)

    def _title(self, delivery: Delivery) -> str:
        platform = self._platforms.find(delivery.platform)
        return platform.title if platform else delivery.platform


def _find_at_work(claimed: Iterable[Delivery]) -> frozenset[str]:
    """The one of each account that its process was at when it ended: what was being published, else the first in line.

    Those behind it can't have done any harm, however often they were claimed with it.
    """
    lines: dict[tuple[str | None, str], list[Delivery]] = {}
    for each in claimed:
        lines.setdefault((each.claim_token, each.connection_id), []).append(each)
    return frozenset(min(line, key=_place_in_line).delivery_id for line in lines.values())


def _is_harmless(delivery: Delivery, at_work: frozenset[str]) -> bool:
    return delivery.state is DeliveryState.CLAIMED and delivery.delivery_id not in at_work


def _place_in_line(delivery: Delivery) -> tuple[bool, datetime, str]:
    return delivery.state is not DeliveryState.PUBLISHING, delivery.due_at, delivery.delivery_id


def _freed_claim(delivery: Delivery) -> Delivery:
    return replace(delivery, claim_token=None, claimed_by=None, claimed_until=None)


def _ids(delivery: Delivery) -> dict[str, str]:
    return {"team_id": delivery.team_id, "delivery_id": delivery.delivery_id, "platform": delivery.platform}
