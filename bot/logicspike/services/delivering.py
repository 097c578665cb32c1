"""Publishing what is due: choose whose turn it is, claim, and let each account's posts go out in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from ..clock import Clock
from ..domain import (
    Connection,
    Delivery,
    DeliveryState,
    Timings,
)
from ..events import DeliveryClaimed, Emit
from .ports import ConnectionStore, DeliveryStore, StoreUnavailable
from .publishing import Lane, LaneOver, Publishing
from .refreshing import FreshCredential
from .settling import delivery_ids
from .turns import choose_fairly, find_greedy_teams

__all__ = ["Delivering"]

log = logging.getLogger(__name__)

_LANES: Final = 96
_LANES_PER_TEAM: Final = 64
_PER_LANE: Final = 50
_WINDOW: Final = 400
_LOOKS: Final = 4
_BATCHES_IN_A_ROW: Final = 4
"""How many batches a lane takes before it gives others their turn."""


class Delivering:
    """Publishes due deliveries, each account's in order and by one worker at a time, many accounts at once.

    Args:
        connections: where connections are kept.
        deliveries: where deliveries are kept.
        publishing: sends each.
        clock: the time.
        emit: takes events.
        worker_id: names this process in claims.
        timings: how long a claim holds, and how far ahead is looked.
        wake: called when an account may have more that is due, so that nothing waits for the next tick.
    """

    def __init__(
        self,
        *,
        connections: ConnectionStore,
        deliveries: DeliveryStore,
        publishing: Publishing,
        clock: Clock,
        emit: Emit,
        worker_id: str,
        timings: Timings,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._connections = connections
        self._deliveries = deliveries
        self._publishing = publishing
        self._clock = clock
        self._emit = emit
        self._worker_id = worker_id
        self._timings = timings
        self._wake = wake
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: dict[str, str] = {}  # connection to workspace
        self._strays: dict[str, str] = {}  # connection to owner of a lane that is ours, perhaps, and that nobody serves
        self._suspect = ""  # the connection at whose post this process may end
        self._is_stopping = False

    @property
    def in_flight(self) -> int:
        """How many accounts are being served right now."""
        return len(self._busy)

    async def deliver_due(self) -> int:
        """Claim what is due and start publishing it; returns at once with how many were claimed.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        if self._is_stopping:
            return 0
        await self._hand_back_strays()
        owner, chosen = secrets.token_hex(8), dict[str, list[str]]()
        try:
            return await self._begin(owner, chosen)
        except StoreUnavailable:
            self._strays |= dict.fromkeys(chosen, owner)
            raise
        finally:
            if self._suspect not in self._busy:  # its lane has not begun
                self._suspect = ""

    async def _begin(self, owner: str, chosen: dict[str, list[str]]) -> int:
        now, taken_at = self._clock.now(), time.monotonic()
        lanes, is_cut_short = await self._take_turns(now, owner, chosen)
        if not lanes:
            return 0
        wanted = [delivery_id for connection_id in lanes for delivery_id in chosen[connection_id]]
        claimed = await self._deliveries.claim(
            wanted, now=now + self._timings.look_ahead, owner=self._worker_id, until=now + self._timings.lease
        )
        by_connection: defaultdict[str, list[Delivery]] = defaultdict(list)
        for delivery in claimed:
            self._emit(DeliveryClaimed(**delivery_ids(delivery)))
            by_connection[delivery.connection_id].append(delivery)
        taken = []
        for connection_id, connection in lanes.items():
            batch = _in_order(by_connection[connection_id])
            may_have_more = is_cut_short or len(batch) == _PER_LANE
            lane = Lane(
                connection=connection,
                batch=batch,
                owner=owner,
                taken_at=taken_at,
                may_have_more=may_have_more,
            )
            taken.append(lane)
        for lane in await self._part_suspects(taken):
            self._start(lane)
        return len(claimed)

    async def _part_suspects(self, lanes: Sequence[Lane]) -> list[Lane]:
        """Let only one lane begin whose first post was at work when processes ended; the others step aside.

        Together they would end together again, and the harmless ones be set aside with the one that does it.
        """
        suspects = [lane for lane in lanes if lane.batch and lane.batch[0].is_suspect]
        begins = bool(suspects) and self._may_try_suspect(suspects[0])
        waiting = suspects[1:] if begins else suspects
        await self._step_aside(waiting)
        return [lane for lane in lanes if lane not in waiting]

    def _may_try_suspect(self, lane: Lane) -> bool:
        """Whether no other account's suspect is being tried; none is from now on, until this one is through."""
        if self._suspect not in {"", lane.connection.connection_id}:
            return False
        self._suspect = lane.connection.connection_id
        return True

    def _clear(self, connection_id: str) -> None:
        """Let the next suspect come: this account's has harmed nobody."""
        if self._suspect == connection_id:
            self._suspect = ""

    async def _step_aside(self, lanes: Sequence[Lane]) -> None:
        """Put back what is left of these lanes' posts, and keep the lanes closed, each a little longer than the last.

        The posts keep their times: moved to a later one, they would be overtaken by their account's other posts. They
        are put back in one go: should the process end meanwhile, those not put back yet would count as at work.
        """
        if not lanes:
            return
        await self._deliveries.release_claims([lane.connection.connection_id for lane in lanes], owner=self._worker_id)
        now, pause = self._clock.now(), self._timings.between_suspects
        closed = (
            self._connections.close_lane(lane.connection.connection_id, owner=lane.owner, until=now + number * pause)
            for number, lane in enumerate(lanes, start=1)
        )
        await asyncio.gather(*closed)

    async def _hand_back_strays(self) -> None:
        """Hand back what was taken before the database went away, and can't be used: nothing waits for a lease's end.

        Posts go first, so that nobody takes a lane while some of its posts are still claimed: they would be overtaken.
        And the claims before what was never sent: a late write of an attempt finds no claim, or is undone.
        """
        strays, self._strays = self._strays, {}
        try:
            if strays:
                await self._deliveries.release_claims(tuple(strays), owner=self._worker_id)
            await self._publishing.hand_back_unsent()
            for owner in set(strays.values()):
                await self._connections.release_lanes([each for each in strays if strays[each] == owner], owner=owner)
        except StoreUnavailable:
            self._strays |= strays
            raise
        if strays:
            log.info("handed back", extra={"event": "delivery.handed_back", "accounts": len(strays)})

    async def _take_turns(
        self, now: datetime, owner: str, chosen: dict[str, list[str]]
    ) -> tuple[dict[str, Connection], bool]:
        """Look for what is due, past accounts that others serve and workspaces that fill the window, and take lanes.

        Args:
            now: the time.
            owner: who takes them.
            chosen: gets what is wanted of each account, before its lane is taken.

        Returns:
            The lanes taken, and whether more is due than was seen or chosen.
        """
        skipped, greedy, is_cut_short = set(self._busy), frozenset[str](), False
        lanes: dict[str, Connection] = {}
        for _ in range(_LOOKS):
            found = await self._deliveries.list_due(
                now + self._timings.look_ahead, limit=_WINDOW, not_connections=skipped, not_teams=greedy
            )
            per_team = Counter(self._busy.values()) + Counter(each.team_id for each in lanes.values())
            turn = choose_fairly(
                found,
                lanes=_LANES - len(self._busy) - len(lanes),
                lanes_per_team=_LANES_PER_TEAM,
                taken=per_team,
                per_lane=_PER_LANE,
            )
            if turn:
                chosen |= turn
                taken = await self._connections.take_lanes(
                    tuple(turn), owner=owner, until=now + self._timings.lease, now=now
                )
                lanes |= {each.connection_id: each for each in taken}
                skipped |= set(turn)
            greedy |= find_greedy_teams(found, window=_WINDOW)
            is_cut_short |= len(found) >= _WINDOW or sum(map(len, turn.values())) < len(found)
            if len(found) < _WINDOW or len(self._busy) + len(lanes) >= _LANES:
                break
        return lanes, is_cut_short

    def _start(self, lane: Lane) -> None:
        self._busy[lane.connection.connection_id] = lane.connection.team_id
        self._track(self._run(lane))

    def _track(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self, timeout: timedelta) -> int:
        """Claim nothing more, hand back what has not been sent, and let what is being sent finish.

        Returns:
            How many accounts' work had to be broken off; their posts are settled by the next process.
        """
        self._is_stopping = True
        self._publishing.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout.total_seconds())
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        with contextlib.suppress(StoreUnavailable):  # then the leases end it
            await self._hand_back_strays()
        return len(left)

    async def wait_until_idle(self) -> None:
        """Wait for everything that is being published now."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    # --- a lane: one account's posts, in order -----------------------------------------------------------------------

    async def _run(self, lane: Lane) -> None:
        connection_id, has_more = lane.connection.connection_id, lane.may_have_more
        try:
            has_more = await self._serve_in_turns(lane)
            await self._connections.release_lanes([connection_id], owner=lane.owner)
        except StoreUnavailable:
            if not self._strays:  # one line for an outage, however many accounts it stops
                log.warning("the database went away", extra={"event": "delivery.store_lost"})
            self._strays[connection_id] = lane.owner
        finally:
            self._busy.pop(connection_id, None)
            self._clear(connection_id)
        if has_more:
            self._wake()

    async def _serve_in_turns(self, lane: Lane) -> bool:
        """Publish batch after batch, but not so many that others wait long; whether more may be waiting."""
        for _ in range(_BATCHES_IN_A_ROW - 1):
            if not await self._serve(lane):
                return True
            more = await self._take_more(lane) if lane.may_have_more and self._may_go_on() else None
            if more is None:
                return lane.may_have_more
            lane = more
        return not await self._serve(lane) or lane.may_have_more

    async def _serve(self, lane: Lane) -> bool:
        """Publish a batch, one after the other; False when the rest was put back, for another look to find.

        It is when the lane's time is over, when the process stops, and when another account's suspect is being tried;
        but what is put back until a certain time isn't for another look.
        """
        await self._publishing.hold_late([each for each in lane.batch if self._publishing.is_late(each)])
        opened: FreshCredential | None = None
        for number, delivery in enumerate(lane.batch):
            if self._publishing.is_late(delivery):
                continue
            if not self._publishing.may_send(lane):
                return await self._release(lane)
            if delivery.is_suspect and not self._may_try_suspect(lane):
                await self._step_aside([lane])
                return False
            try:
                opened = await self._publish(delivery, lane, opened)
            except LaneOver as over:
                return await self._end(lane, lane.batch[number + 1 :], over)
            self._clear(lane.connection.connection_id)
        return True

    async def _end(self, lane: Lane, rest: Sequence[Delivery], over: LaneOver) -> bool:
        """Put the rest of a batch back; False when another look may find it."""
        if over.until is None:
            return await self._release(lane)
        await self._publishing.put_back([each for each in rest if not self._publishing.is_late(each)], until=over.until)
        return True

    async def _release(self, lane: Lane) -> bool:
        await self._deliveries.release_claims([lane.connection.connection_id], owner=self._worker_id)
        return False

    async def _publish(self, delivery: Delivery, lane: Lane, opened: FreshCredential | None) -> FreshCredential | None:
        """Publish one, and if it has parts, one after the other: readers should not have to wait for the rest."""
        part: Delivery | None = delivery
        while part is not None:
            opened = await self._publishing.publish(part, lane, opened)
            goes_on = opened is not None and not part.is_last_part
            part = await self._claim_next_part(part, lane) if goes_on else None
        return opened

    async def _claim_next_part(self, before: Delivery, lane: Lane) -> Delivery | None:
        """Claim what follows the part that is live now, for as long as the lane has time; others get the rest."""
        is_time_left = time.monotonic() - lane.taken_at < (self._timings.lease / 4).total_seconds()
        if self._is_stopping or not is_time_left:
            return None
        found = await self._deliveries.find(before.team_id, before.delivery_id)
        if found is None or found.state is not DeliveryState.SCHEDULED or len(found.live) <= len(before.live):
            return None
        # Under the claim of the others in the lane: should the process end, it is told apart from those behind it.
        claim = {each: getattr(before, each) for each in ("claim_token", "claimed_by", "claimed_until")}
        claimed = replace(found, state=DeliveryState.CLAIMED, **claim)
        if not await self._deliveries.swap(found, claimed):
            return None
        self._emit(DeliveryClaimed(**delivery_ids(claimed)))
        return claimed

    def _may_go_on(self) -> bool:
        """Whether a lane may take another batch: nobody waits for its place, and the process goes on."""
        return not self._is_stopping and len(self._busy) < _LANES

    async def _take_more(self, lane: Lane) -> Lane | None:
        """Claim the account's next posts under its lane, renewed; None when it has none, or is somebody else's now."""
        now, taken_at = self._clock.now(), time.monotonic()
        connection_id, until = lane.connection.connection_id, now + self._timings.lease
        kept = await self._connections.take_lanes([connection_id], owner=lane.owner, until=until, now=now)
        due_by = now + self._timings.look_ahead
        wanted = await self._deliveries.list_due_of(connection_id, due_by, limit=_PER_LANE) if kept else ()
        if not wanted:
            return None
        batch = await self._deliveries.claim(wanted, now=due_by, owner=self._worker_id, until=until)
        for delivery in batch:
            self._emit(DeliveryClaimed(**delivery_ids(delivery)))
        more = replace(
            lane,
            connection=kept[0],
            batch=_in_order(batch),
            taken_at=taken_at,
            may_have_more=len(batch) == _PER_LANE,
        )
        return more if await self._part_suspects([more]) else None


def _in_order(deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
    return tuple(sorted(deliveries, key=lambda each: (each.due_at, each.delivery_id)))
