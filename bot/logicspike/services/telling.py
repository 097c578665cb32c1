"""Telling authors what has become of their posts: it's owed from the outcome on, and told until it has been said."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from ..clock import Clock
from ..domain import Delivery, DeliveryState, HoldReason, Member, Timings
from ..platforms import Platforms
from .notices import (
    DeliveryDelayed,
    DeliveryFailed,
    DeliveryHeld,
    DeliveryPublished,
    LateQuestion,
    Notice,
    OperatorTrouble,
    PostsPublished,
)
from .people import MemberDirectory, Notifier, SlackUnavailable
from .ports import DeliveryStore

__all__ = ["Telling"]

log = logging.getLogger(__name__)

_BATCH: Final = 500
_TOLD_AT_ONCE: Final = 4
"""Slack takes some hundred messages a minute from an app; more at once would meet its limit."""
_ONE_BY_ONE: Final = 3
"""More posts than this that went live together are told in one message."""
_LONGEST_MESSAGE: Final = timedelta(seconds=50)
"""How long sending one message takes at most; the notifier gives up after 45 s."""
_GIVE_UP_AFTER: Final = timedelta(days=1)


class Telling:
    """Says what is owed: outcomes to authors, trouble of the bot's own to admins too.

    An outcome and that its author is owed a word are one write; the word is taken back by another once Slack has it.
    So a process that ends in between leaves it to the next, and at worst a message comes twice.

    Args:
        platforms: the installed platforms, for their titles.
        deliveries: where deliveries are kept.
        members: who the admins are.
        notifier: direct messages.
        clock: the time.
        timings: how long one worker has what is owed for itself.
        wake: called when more is owed than one round takes.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        deliveries: DeliveryStore,
        members: MemberDirectory,
        notifier: Notifier,
        clock: Clock,
        timings: Timings,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._platforms = platforms
        self._deliveries = deliveries
        self._members = members
        self._notifier = notifier
        self._clock = clock
        self._timings = timings
        self._wake = wake

    async def tell_owed(self) -> int:
        """Tell what is owed; how many deliveries that was about.

        Raises:
            StoreUnavailable: the database did not answer; what was told already may be told again.
        """
        owner, now = secrets.token_hex(8), self._clock.now()
        tell_until = time.monotonic() + (self._timings.tell - _LONGEST_MESSAGE).total_seconds()
        owed = await self._deliveries.take_owed(owner=owner, now=now, until=now + self._timings.tell, limit=_BATCH)
        by_author: defaultdict[Member, list[Delivery]] = defaultdict(list)
        for delivery in owed:
            by_author[delivery.author].append(delivery)
        at_once = asyncio.Semaphore(_TOLD_AT_ONCE)

        async def tell(author: Member, deliveries: Sequence[Delivery]) -> None:
            async with at_once:
                for notice, about in self._word(deliveries):
                    if time.monotonic() > tell_until:
                        return  # The lease ends soon: whoever takes it next goes on.
                    await self._tell(author, notice, about, owner=owner)

        works = (tell(author, deliveries) for author, deliveries in by_author.items())
        # One author's trouble must not keep the others' messages back.
        ends = await asyncio.gather(self._tell_admins(owed), *works, return_exceptions=True)
        for error in filter(None, ends):
            raise error
        if len(owed) == _BATCH:
            self._wake()
        return len(owed)

    async def _tell(self, author: Member, notice: Notice | None, about: Sequence[Delivery], *, owner: str) -> None:
        is_told = notice is None or await self._notifier.notify(author, notice) is not None
        old = [] if is_told else [each for each in about if self._clock.now() - _since(each) > _GIVE_UP_AFTER]
        for delivery in old:
            log.warning(
                "its author could not be told for a day; not tried any more",
                extra={"event": "delivery.untold", "team_id": delivery.team_id, "delivery_id": delivery.delivery_id},
            )
        if done := [each.delivery_id for each in (about if is_told else old)]:
            await self._deliveries.mark_told(done, owner=owner)

    # --- what to say --------------------------------------------------------------------------------------------------

    def _word(self, deliveries: Sequence[Delivery]) -> Iterable[tuple[Notice | None, Sequence[Delivery]]]:
        """What one author is told, and about which deliveries; None where there is nothing left to say."""
        published = [each for each in deliveries if each.state is DeliveryState.PUBLISHED]
        late = [each for each in deliveries if _is_held_as_late(each)]
        if len(published) > _ONE_BY_ONE:
            yield PostsPublished(deliveries=tuple(published), titles=self._titles(published)), published
        if late:
            yield LateQuestion(deliveries=tuple(late)), late
        for each in deliveries:
            is_in_digest = each.state is DeliveryState.PUBLISHED and len(published) > _ONE_BY_ONE
            if not is_in_digest and not _is_held_as_late(each):
                yield self._word_one(each), [each]

    def _word_one(self, delivery: Delivery) -> Notice | None:
        title, detail = self._title(delivery.platform), delivery.detail or ""
        match delivery.state:
            case DeliveryState.PUBLISHED:
                return DeliveryPublished(delivery=delivery, platform_title=title)
            case DeliveryState.FAILED:
                return DeliveryFailed(delivery=delivery, platform_title=title, problems=tuple(detail.splitlines()))
            case DeliveryState.HELD:
                return DeliveryHeld(delivery=delivery, platform_title=title, explanation=detail)
            case DeliveryState.SCHEDULED if detail:
                return DeliveryDelayed(delivery=delivery, platform_title=title, explanation=detail)
            case _:
                return None  # Something else has become of it since, of which its author knows.

    def _titles(self, deliveries: Iterable[Delivery]) -> Mapping[str, str]:
        return {name: self._title(name) for name in {each.platform for each in deliveries}}

    def _title(self, name: str) -> str:
        platform = self._platforms.find(name)
        return platform.title if platform else name

    # --- admins -------------------------------------------------------------------------------------------------------

    async def _tell_admins(self, owed: Iterable[Delivery]) -> None:
        """Each trouble once, however many posts are held for it."""
        troubles: dict[tuple[str, OperatorTrouble], None] = {}
        for delivery in owed:
            trouble = self._trouble(delivery)
            if trouble is not None:
                troubles[delivery.team_id, trouble] = None
        for team_id, trouble in troubles:
            try:
                admins = await self._members.list_admins(team_id)
            except SlackUnavailable:
                log.warning("admins can't be told", extra={"event": "operator.untold", "platform": trouble.platform})
                continue
            for admin in admins:
                await self._notifier.notify(admin, trouble)

    def _trouble(self, delivery: Delivery) -> OperatorTrouble | None:
        if delivery.state is not DeliveryState.HELD:
            return None
        match delivery.hold_reason:
            case HoldReason.OPERATOR:
                explanation = delivery.detail or ""
            case HoldReason.PARKED:
                explanation = f"A post ({delivery.delivery_id}) keeps stopping the bot and was set aside."
            case _:
                return None
        title = self._title(delivery.platform)
        return OperatorTrouble(platform=delivery.platform, platform_title=title, explanation=explanation)


def _is_held_as_late(delivery: Delivery) -> bool:
    return delivery.state is DeliveryState.HELD and delivery.hold_reason is HoldReason.LATE


def _since(delivery: Delivery) -> datetime:
    return delivery.settled_at or delivery.due_at
