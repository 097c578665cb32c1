"""A person's answers about posts the bot can't decide on alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ..clock import Clock
from ..domain import Delivery, DeliveryState, HoldReason, Member
from ..events import DeliveryFailed, DeliveryRetried, Emit, Event, PostCanceled
from ..platforms import NotSupported, PlatformNotReady
from ..plugin.errors import OutcomeUnknown, PlatformError
from ..texts import storable
from .connecting import NotAllowed
from .looking_up import LookingUp
from .parts import SEEN, live_event, with_part_live
from .ports import DeliveryStore
from .refreshing import ConnectionGone

__all__ = ["Answering"]


class Answering:
    """Takes answers about unknown outcomes and held posts; each is safe to give twice.

    Args:
        deliveries: where deliveries are kept.
        looking_up: asks platforms what became of a post.
        clock: the time.
        emit: takes events.
    """

    def __init__(self, *, deliveries: DeliveryStore, looking_up: LookingUp, clock: Clock, emit: Emit) -> None:
        self._deliveries = deliveries
        self._looking_up = looking_up
        self._clock = clock
        self._emit = emit

    async def settle_unknown(
        self, member: Member, delivery_id: str, attempt_id: str, answer: Literal["live", "again", "drop"]
    ) -> Delivery | None:
        """Settle an unknown outcome by what the author saw; the delivery as it is now, None when there is none.

        Where a post has parts the answer is about the one that was tried last. What follows a part that is live is
        attached to it, so the platform has to say where that is: it's asked once more. Where it can't tell, the rest
        is given up; where it doesn't answer, the question stays, and ``detail`` says so.

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
        after = await self._answered(delivery, answer)
        if not await self._deliveries.swap(delivery, after):
            return await self._own(member, delivery_id)
        if after.state is not DeliveryState.UNKNOWN:
            self._emit(_event(after, answer))
        return after

    async def _answered(self, delivery: Delivery, answer: Literal["live", "again", "drop"]) -> Delivery:
        now = self._clock.now()
        freed = replace(delivery, claim_token=None, claimed_by=None, claimed_until=None, settled_at=now, is_owed=False)
        match answer:
            case "live" if delivery.is_last_part:
                seen = with_part_live(freed, SEEN, now=now)
                return replace(seen, detail="Seen live by its author.", is_owed=False)
            case "live":
                return await self._go_on(delivery, freed)
            case "again":
                return replace(
                    freed, state=DeliveryState.SCHEDULED, next_try_at=now, is_confirmed=True, is_asked=False, checks=0
                )
            case "drop":
                return replace(freed, state=DeliveryState.FAILED, detail="Dropped by its author.")

    async def _go_on(self, delivery: Delivery, freed: Delivery) -> Delivery:
        """The author saw a part that others follow."""
        number = len(delivery.live) + 1
        try:
            found = await self._looking_up.find(delivery)
        except (NotSupported, OutcomeUnknown, ConnectionGone):
            found = None
        except (PlatformError, PlatformNotReady) as error:
            why = f"What follows part {number} is attached to it, and I can't look up where it is."
            words = f"{why} {storable(error.explanation)} Please answer again in a while."
            return replace(delivery, detail=words)
        if found is not None:
            return with_part_live(freed, found, now=self._clock.now())
        why = f"You saw part {number} live, but I can't find out where it is, so what follows it can't be attached."
        return replace(freed, state=DeliveryState.FAILED, live=(*delivery.live, SEEN), detail=why)

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


def _event(delivery: Delivery, answer: Literal["live", "again", "drop"]) -> Event:
    """What to emit once an answer is written."""
    ids = {"team_id": delivery.team_id, "delivery_id": delivery.delivery_id, "platform": delivery.platform}
    if answer == "again":
        return DeliveryRetried(**ids, error="author_asked")
    if delivery.state is DeliveryState.FAILED:
        return DeliveryFailed(**ids, error="author_dropped" if answer == "drop" else "place_unknown")
    return live_event(delivery)
