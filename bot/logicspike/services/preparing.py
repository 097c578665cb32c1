"""Preparing posts before they are due: uploading their pictures and videos, and what else takes its time."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ..clock import Clock
from ..domain import Connection, Delivery, DeliveryState, Preparation, Timings
from ..events import DeliveryPrepared, Emit, PreparationRetried
from ..platforms import NotSupported, PlatformNotReady, Platforms
from ..plugin.errors import (
    MemberActionRequired,
    OperatorActionRequired,
    PlatformError,
    PostRejected,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)
from ..plugin.types import Credential, Prepared, Problem
from ..tasks import cancel
from .admitting import Admitting, NotAdmitted
from .notices import Notice, PreparationDelayed, UploadEnded
from .pauses import retry_delay
from .people import Notifier
from .ports import ConnectionStore, DeliveryStore, LinkReader, MediaSource, StoreUnavailable
from .progress import ProgressReport
from .refreshing import ConnectionGone, Refreshing
from .settling import Refusal, Settling, delivery_ids
from .turns import choose_fairly

__all__ = ["Preparing"]

log = logging.getLogger(__name__)

_AT_ONCE: Final = 6
"""Uploads share one line to the network, and each keeps a piece of its file in memory."""
_PER_TEAM: Final = 4
_WINDOW: Final = 100
_SHORT_PAUSES: Final = 3
"""How many of the pauses between tries are taken; afterwards the last of them goes on, up to the time the post is due
and beyond."""
_GIVE_UP_AFTER: Final = timedelta(hours=3)
_TOO_NEAR: Final = timedelta(minutes=10)
"""Trouble this near to the time a post is due is told at once; earlier, only once a second try hasn't worked either."""
_SETTLE_TRIES: Final = 5


class Preparing:
    """Prepares what is due in a while, each delivery by one worker at a time.

    Nothing a preparation does can be seen, and it may be done twice: so it needs a lease, and no word written ahead. A
    process that ends leaves it to the next one as soon as the lease is over.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        deliveries: where deliveries are kept.
        admitting: checks again, and hands out fresh credentials.
        refreshing: renews refused tokens.
        settling: writes outcomes.
        files: where the bytes of pictures and videos are.
        links: reads what links lead to; None where nothing can.
        notifier: direct messages.
        clock: the time.
        emit: takes events.
        timings: how long a lease holds.
        wake: called when something is ready whose time has come.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        connections: ConnectionStore,
        deliveries: DeliveryStore,
        admitting: Admitting,
        refreshing: Refreshing,
        settling: Settling,
        files: MediaSource,
        links: LinkReader | None,
        notifier: Notifier,
        clock: Clock,
        emit: Emit,
        timings: Timings,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._platforms = platforms
        self._connections = connections
        self._deliveries = deliveries
        self._admitting = admitting
        self._refreshing = refreshing
        self._settling = settling
        self._files = files
        self._links = links
        self._notifier = notifier
        self._clock = clock
        self._emit = emit
        self._timings = timings
        self._wake = wake
        self._running: dict[asyncio.Task[None], Delivery] = {}
        self._is_stopping = False

    async def prepare_due(self) -> int:
        """Take what is to be prepared by now and start on it; returns at once with how many were taken.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        room = _AT_ONCE - len(self._running)
        if self._is_stopping or room <= 0:
            return 0
        now, owner = self._clock.now(), secrets.token_hex(8)
        busy = {each.connection_id for each in self._running.values()}
        found = await self._deliveries.list_to_prepare(now, limit=_WINDOW, not_connections=busy)
        taken = Counter(each.team_id for each in self._running.values())
        turn = choose_fairly(found, lanes=room, lanes_per_team=_PER_TEAM, taken=taken, per_lane=1)
        wanted = [delivery_id for ids in turn.values() for delivery_id in ids]
        until = now + self._timings.prepare_lease
        ours = await self._deliveries.take_preparing(wanted, owner=owner, now=now, until=until)
        for delivery in ours:
            task = asyncio.create_task(self._run(delivery, owner), name=f"preparing {delivery.delivery_id}")
            self._running[task] = delivery
            task.add_done_callback(self._ended)
        return len(ours)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("preparing failed", extra={"event": "prepare.bug"}, exc_info=error)

    async def stop(self) -> None:
        """Begin nothing more, and leave to others what is under way: nobody sees the half of it."""
        self._is_stopping = True
        await cancel(*self._running)

    async def wait_until_idle(self) -> None:
        """Wait for everything that is being prepared now."""
        while self._running:
            await asyncio.wait(self._running)

    # --- one delivery, under its lease --------------------------------------------------------------------------------

    async def _run(self, delivery: Delivery, owner: str) -> None:
        report = self._build_report(delivery, owner)
        work = asyncio.create_task(self._work(delivery, owner, report))
        third = (self._timings.prepare_lease / 3).total_seconds()
        try:
            while not (await asyncio.wait({work}, timeout=third))[0]:
                if not await self._may_go_on(delivery, owner):
                    log.info("not wanted any more", extra={"event": "prepare.dropped", **delivery_ids(delivery)})
                    await cancel(work)
                    await report.end(self._stopped(delivery))
                    return
            work.result()
        except StoreUnavailable:
            log.warning("the database went away", extra={"event": "prepare.store_lost", **delivery_ids(delivery)})
        finally:
            await cancel(work)
            await report.close()
            await self._release(delivery, owner)

    async def _may_go_on(self, delivery: Delivery, owner: str) -> bool:
        until = self._clock.now() + self._timings.prepare_lease
        try:
            return await self._deliveries.renew_preparing(delivery, owner=owner, until=until)
        except StoreUnavailable:
            return True  # Should another worker take it meanwhile, both prepare it, and one of them counts.

    async def _release(self, delivery: Delivery, owner: str) -> None:
        try:
            await self._deliveries.release_preparing(delivery.delivery_id, owner=owner)
        except StoreUnavailable:
            log.info("released by its lease", extra={"event": "prepare.kept", **delivery_ids(delivery)})

    async def _work(self, delivery: Delivery, owner: str, report: ProgressReport) -> None:
        connection = await self._connections.find(delivery.team_id, delivery.connection_id)
        paused_until = connection.paused_until if connection is not None else None
        if paused_until is not None and paused_until > self._clock.now():
            await self._begin_later(delivery, owner, at=paused_until)
            return
        try:
            async with report.running():
                prepared = await self._prepare(delivery, connection, report)
        except NotAdmitted as refusal:
            last_word = await self._refused(delivery, owner, refusal.why)
            await report.end(last_word or self._stopped(delivery))
        except NotSupported:
            # Its plugin was changed: whether it can do without is checked when it goes out.
            await self._begin_later(delivery, owner, at=None)
        else:
            is_ours = await self._ready(delivery, owner, prepared)
            await report.end(None if is_ours else self._stopped(delivery))

    def _build_report(self, delivery: Delivery, owner: str) -> ProgressReport:
        async def keep(message: str) -> None:
            noted = replace(delivery, preparation=replace(_of(delivery), message=message))
            with suppress(StoreUnavailable):
                await self._deliveries.settle_preparing(noted, owner=owner)

        return ProgressReport(
            delivery,
            platform_title=self._title(delivery),
            notifier=self._notifier,
            timings=self._timings,
            keep=keep,
        )

    def _stopped(self, delivery: Delivery) -> UploadEnded:
        return UploadEnded(delivery=delivery, platform_title=self._title(delivery), is_done=False)

    def _title(self, delivery: Delivery) -> str:
        platform = self._platforms.find(delivery.platform)
        return platform.title if platform else delivery.platform

    async def _prepare(self, delivery: Delivery, connection: Connection | None, report: ProgressReport) -> Prepared:
        fresh = await self._admitting.admit(delivery, connection)
        try:
            return await self._ask_platform(delivery, fresh.credential, report)
        except TokenExpired:
            refused = fresh.connection.token_version
        except (PlatformError, PlatformNotReady) as error:
            raise NotAdmitted(error, fresh.connection) from error
        try:
            fresh = await self._refreshing.get_credential(fresh.connection, refused_version=refused)
            return await self._ask_platform(delivery, fresh.credential, report)
        except TokenExpired as error:
            raise NotAdmitted(ReconnectRequired(error.explanation), fresh.connection) from error
        except (PlatformError, PlatformNotReady) as error:
            raise NotAdmitted(error, fresh.connection) from error
        except ConnectionGone as error:
            gone = ReconnectRequired(f"{delivery.account_name} is not connected any more.")
            raise NotAdmitted(gone, None) from error

    async def _ask_platform(self, delivery: Delivery, credential: Credential, report: ProgressReport) -> Prepared:
        platform, post = self._platforms.get(delivery.platform), delivery.post
        sizes = {rule.kind: rule.max_bytes for rule in platform.limits.media}
        files = [
            report.watch(self._files.get(delivery.team_id, each, max_bytes=sizes.get(each.kind, each.size)))
            for each in post.media
        ]
        card = None
        if platform.wants_link_card and self._links is not None and post.link is not None:
            card = await self._links.read(post.link)
        return await self._platforms.prepare(delivery.platform, credential, post, files=files, card=card)

    # --- what comes of it ---------------------------------------------------------------------------------------------

    async def _ready(self, delivery: Delivery, owner: str, prepared: Prepared) -> bool:
        """Note what is prepared; whether it was still wanted, and ours to note."""
        now = self._clock.now()
        preparation = _of(delivery).ended(prepared, due_at=delivery.due_at, now=now)
        is_waited_for = delivery.due_at <= now and _of(delivery).prepared is None
        try_at = now if is_waited_for else None  # it was looked at, perhaps, to be tried again in a while
        prepared_delivery = replace(delivery, preparation=preparation)
        if not await self._deliveries.settle_preparing(prepared_delivery, owner=owner, try_at=try_at):
            return False
        self._emit(DeliveryPrepared(**delivery_ids(delivery)))
        if try_at is not None:
            self._wake()
        return True

    async def _begin_later(self, delivery: Delivery, owner: str, *, at: datetime | None) -> None:
        later = replace(delivery, preparation=replace(_of(delivery), begin_at=at))
        await self._deliveries.settle_preparing(later, owner=owner)

    async def _refused(self, delivery: Delivery, owner: str, refusal: Refusal) -> Notice | None:
        """Do what the error asks for; what an author is told who was shown how far it is."""
        error = refusal.error
        match error:
            case RateLimited():
                await self._begin_later(delivery, owner, at=await self._settling.pause(delivery, error))
            case (
                PostRejected()
                | ReconnectRequired()
                | MemberActionRequired()
                | OperatorActionRequired()
                | PlatformNotReady()
            ):
                await self._settle(delivery, refusal)
            case _:
                return await self._retry(delivery, owner, error)
        return None

    async def _settle(self, delivery: Delivery, refusal: Refusal) -> None:
        """Hold it or give it up, as when publishing is refused; ahead of its time where that has not come yet."""
        for _ in range(_SETTLE_TRIES):
            current = await self._deliveries.find(delivery.team_id, delivery.delivery_id)
            if current is None or not _is_still(current, delivery):
                return
            # Should a worker have claimed it in this very moment, to find that it isn't ready, that is overtaken.
            if await self._settling.refused(current, refusal):
                return

    async def _retry(self, delivery: Delivery, owner: str, error: Exception) -> Notice | None:
        """Try again in a while, for as long as that can help; the author hears of it before the post is late."""
        now, preparation = self._clock.now(), _of(delivery)
        pause = retry_delay(min(preparation.tries + 1, _SHORT_PAUSES), 0)
        assert pause is not None
        again_at = now + pause
        explanation = error.explanation if isinstance(error, PlatformError) else "It did not work."
        if again_at > delivery.due_at + _GIVE_UP_AFTER:
            await self._settle(delivery, Refusal(error=_given_up(delivery, explanation)))
            return None
        notice = PreparationDelayed(
            delivery=delivery, platform_title=self._title(delivery), explanation=explanation, again_at=again_at
        )
        is_told = preparation.is_told
        if not is_told and (preparation.tries > 0 or again_at > delivery.due_at - _TOO_NEAR):
            # Before it is noted as told: a process that ends in between tells it twice at worst.
            is_told = await self._notifier.notify(delivery.author, notice) is not None
        failed = preparation.failed(again_at=again_at, is_told=is_told)
        if await self._deliveries.settle_preparing(replace(delivery, preparation=failed), owner=owner):
            self._emit(PreparationRetried(**delivery_ids(delivery), error=type(error).__name__))
        return notice


def _of(delivery: Delivery) -> Preparation:
    return delivery.preparation or Preparation(begin_at=delivery.due_at)


def _is_still(current: Delivery, delivery: Delivery) -> bool:
    says_the_same = (current.revision, current.connection_id) == (delivery.revision, delivery.connection_id)
    return says_the_same and current.state in {DeliveryState.SCHEDULED, DeliveryState.CLAIMED}


def _given_up(delivery: Delivery, explanation: str) -> PostRejected:
    what = "Its files could not be uploaded" if delivery.post.media else "It could not be prepared"
    return PostRejected(Problem(message=f"{what} in many tries. {explanation}", field="media"))
