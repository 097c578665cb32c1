"""A person's answers about posts the bot can't decide on alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ..clock import Clock
from ..domain import Delivery, DeliveryState, HoldReason, Member
from ..events import DeliveryFailed, DeliveryPublished, DeliveryRetried, Emit, PostCanceled
from .connecting import NotAllowed
from .ports import DeliveryStore

__all__ = ["Answering"]


class Answering:
    """Takes answers about unknown outcomes and held posts; each is safe to give twice.

    Args:
        deliveries: where deliveries are kept.
        clock: the time.
        emit: takes events.
    """

    def __init__(self, *, deliveries: DeliveryStore, clock: Clock, emit: Emit) -> None:
        self._deliveries = deliveries
        self._clock = clock
        self._emit = emit

    async def settle_unknown(
        self, member: Member, delivery_id: str, attempt_id: str, answer: Literal["live", "again", "drop"]
    ) -> Delivery | None:
        """Settle an unknown outcome by what the author saw; the delivery as it is now, None when there is none.

        Args:
            member: who answers.
            delivery_id: about which post.
            attempt_id: about which try; an answer about an earlier one changes nothing.
            answer: it's live, post it again, or give it up.

        Raises:
            NotAllowed: it's somebody else's post.
            StoreUnavailable: the database did not answer.
        """
        delivery = await self._own(member, delivery_id)
        if delivery is None or delivery.state is not DeliveryState.UNKNOWN or not delivery.attempts:
            return delivery
        if delivery.attempts[-1].attempt_id != attempt_id:
            return delivery
        after = self._answered(delivery, answer)
        if not await self._deliveries.swap(delivery, after):
            return await self._own(member, delivery_id)
        ids = {"team_id": after.team_id, "delivery_id": after.delivery_id, "platform": after.platform}
        match answer:
            case "live":
                self._emit(DeliveryPublished(**ids))
            case "again":
                self._emit(DeliveryRetried(**ids, error="author_asked"))
            case "drop":
                self._emit(DeliveryFailed(**ids, error="author_dropped"))
        return after

    def _answered(self, delivery: Delivery, answer: Literal["live", "again", "drop"]) -> Delivery:
        now = self._clock.now()
        freed = replace(delivery, claim_token=None, claimed_by=None, claimed_until=None, settled_at=now, is_owed=False)
        match answer:
            case "live":
                return replace(freed, state=DeliveryState.PUBLISHED, detail="Seen live by its author.")
            case "again":
                return replace(
                    freed, state=DeliveryState.SCHEDULED, next_try_at=now, is_confirmed=True, is_asked=False, checks=0
                )
            case "drop":
                return replace(freed, state=DeliveryState.FAILED, detail="Dropped by its author.")

    async def settle_late(
        self, member: Member, delivery_id: str, answer: Literal["publish", "drop"]
    ) -> Delivery | None:
        """Let a held post go now, or cancel it; the delivery as it is now, None when there is none.

        A post that waits for its account to be connected again stays held whatever the answer, unless it is dropped.

        Raises:
            NotAllowed: it's somebody else's post.
            StoreUnavailable: the database did not answer.
        """
        delivery = await self._own(member, delivery_id)
        if delivery is None or delivery.state is not DeliveryState.HELD:
            return delivery
        if answer == "publish" and delivery.hold_reason is HoldReason.RECONNECT:
            return delivery
        now = self._clock.now()
        if answer == "publish":
            after = replace(
                delivery,
                state=DeliveryState.SCHEDULED,
                hold_reason=None,
                detail=None,
                next_try_at=max(delivery.due_at, now),
                is_confirmed=True,
                is_owed=False,
                settled_at=now,
            )
        else:
            after = replace(delivery, state=DeliveryState.CANCELED, is_owed=False, settled_at=now)
        if not await self._deliveries.swap(delivery, after):
            return await self._own(member, delivery_id)
        if answer == "drop":
            self._emit(PostCanceled(team_id=after.team_id, delivery_id=after.delivery_id, platform=after.platform))
        return after

    async def _own(self, member: Member, delivery_id: str) -> Delivery | None:
        delivery = await self._deliveries.find(member.team_id, delivery_id)
        if delivery is not None and delivery.author != member:
            raise NotAllowed(owner_id=delivery.author_id)
        return delivery
