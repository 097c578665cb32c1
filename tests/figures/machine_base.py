"""What the delivery machine does its steps with: two processes, three accounts, one author, and the way to rest."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any, Final

from team import ANA, BROWSER
from yarl import URL

from logicspike.domain import Connection, Delivery, DeliveryState
from logicspike.services.connecting import Callback, DirectMessageFailed, LinkEnded, NoSuchConnection
from logicspike.services.notices import ConnectLink, OutcomeQuestion
from logicspike.services.ports import StoreUnavailable

from .delivery_rules import OVER, DeliveryRules
from .local_platform import LocalPlatform
from .world import Process, World

__all__ = ["ACCOUNTS", "MachineBase", "in_a_while", "quietly", "run_ticks"]

S = DeliveryState
ACCOUNTS: Final = (("readable", "r1"), ("readable", "r2"), ("mute", "m1"))


class MachineBase(DeliveryRules):
    """Two processes, three accounts, one author."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.written = 0

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    async def open(self) -> None:
        await self.world.open()
        for platform, person in ACCOUNTS:
            await self.sign_in(self.world.processes[0], platform, person, None)

    async def sign_in(self, process: Process, platform: str, person: str, connection_id: str | None) -> None:
        await process.services.connecting.start(ANA, platform, connection_id=connection_id)
        ticket = URL(self.world.notifier.of(ConnectLink)[-1].url).name
        url = URL(await process.services.connecting.begin(ticket, BROWSER))
        callback = Callback(platform=platform, state=url.query["state"], browser=BROWSER, code=person, error=None)
        await process.services.connecting.finish(callback)

    async def work(self, seconds: int) -> None:
        for process in self.world.processes:
            process.start(quietly(run_ticks(process)))
        await self.world.settle()
        await self.world.restart_dead()
        await self.world.advance(timedelta(seconds=seconds))
        await self.world.restart_dead()

    # --- coming to rest -----------------------------------------------------------------------------------------------

    async def come_to_rest(self) -> None:
        """All faults end; then nothing may be left that neither is settled nor waits for a person."""
        world = self.world
        world.notifier.is_down = False
        for platform in self.platforms_by_name().values():
            platform.is_down = False
            platform.outcomes.clear()
        for process in world.processes:
            process.gate.fault = None
            process.gate.resumed.set()
        pauses = [100] * 10 + [1800] * 16
        await world.settle()
        await world.restart_dead()
        for seconds in pauses:
            await self.work(seconds)
        self.adopt()
        left = [each for each in self.deliveries() if not _is_at_rest(each)]
        assert not left, f"nobody will ever see to {left}"
        # What went out in the very last round is told in the next; what a dead process was telling, after its lease.
        for _ in range(2):
            await self.work(150)
        untold = [each for each in self.deliveries() if each.is_owed]
        assert not untold, f"nobody will ever tell the authors of {untold}"
        self._check_the_end()

    def _check_the_end(self) -> None:
        live = {entry.text for entry in self.ledger()}
        for each in self.deliveries():
            if each.state is S.PUBLISHED:
                assert live.issuperset(each.texts) or each.delivery_id in self.said_live, f"{each} is not live"
            if each.state is S.UNKNOWN:
                questions = [
                    notice
                    for notice in self.world.notifier.of(OutcomeQuestion)
                    if notice.delivery.attempts[-1].attempt_id == each.attempts[-1].attempt_id
                ]
                assert questions, f"nobody was asked about {each}"
        self.check_rules()

    # --- small things -------------------------------------------------------------------------------------------------

    def act(self, who: int, work: Callable[[Process], Awaitable[Any]]) -> Any:
        """Let a process do something; None when it didn't get to an end."""
        return self.run(self._act(self.process(who), work))

    async def _act(self, process: Process, work: Callable[[Process], Awaitable[Any]]) -> Any:
        task = process.start(quietly(work(process)))
        await self.world.settle()
        await self.world.restart_dead()
        return task.result() if task.done() and not task.cancelled() else None

    def process(self, who: int) -> Process:
        return self.world.processes[who % len(self.world.processes)]

    def platforms_by_name(self) -> dict[str, LocalPlatform]:
        return {"readable": self.world.readable, "mute": self.world.mute}

    def platform(self, where: int) -> LocalPlatform:
        return self.world.mute if where % 3 == 0 else self.world.readable

    def connections(self) -> list[Connection]:
        return list(self.world.stores.connections.rows.values())

    def pick(self, which: int) -> Delivery:
        deliveries = self.deliveries()
        return deliveries[which % len(deliveries)]


async def run_ticks(process: Process) -> None:
    for each in (
        process.services.reconciling.rescue,
        process.services.reconciling.settle_unknown,
        process.services.editing.finish_changes,
        process.services.delivering.deliver_due,
        process.services.telling.tell_owed,
    ):
        with contextlib.suppress(StoreUnavailable):
            await each()


async def quietly(work: Awaitable[Any]) -> Any:
    """What a member is told as a sentence is no failure of the machine."""
    try:
        return await work
    except (StoreUnavailable, NoSuchConnection, LinkEnded, DirectMessageFailed):
        return None


async def in_a_while(turns: int, work: Awaitable[Any]) -> Any:
    for _ in range(turns):
        await asyncio.sleep(0)
    return await work


def _is_at_rest(delivery: Delivery) -> bool:
    is_waiting = delivery.state is S.HELD or (delivery.state is S.UNKNOWN and delivery.is_asked)
    return delivery.state in OVER or is_waiting
