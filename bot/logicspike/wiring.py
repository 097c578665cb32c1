"""Marries the use cases to their adapters: which service gets which store, notifier and clock."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from .clock import Clock
from .domain import Timings
from .events import (
    ConnectionCompleted,
    DeliveryFailed,
    DeliveryHeld,
    DeliveryPublished,
    DeliveryRetried,
    DeliverySnoozed,
    Emit,
    Event,
    PostEdited,
    PostScheduled,
)
from .platforms import Platforms
from .scheduler import Scheduler
from .services.admitting import Admitting
from .services.answering import Answering
from .services.asking_to_reconnect import AskingToReconnect
from .services.checking_access import CheckingAccess
from .services.connecting import Connecting
from .services.delivering import Delivering
from .services.disconnecting import Disconnecting
from .services.editing import Editing
from .services.erasing import Erasing
from .services.leaving import Leaving
from .services.linking import CHOICE_LIFETIME, Linking
from .services.looking_up import LookingUp
from .services.people import MemberDirectory, Notifier
from .services.planning import Planning
from .services.platform_events import PlatformEvents
from .services.ports import LinkReader, MediaSource
from .services.preparing import Preparing
from .services.publishing import Publishing
from .services.reconciling import Reconciling
from .services.refreshing import Refreshing
from .services.releasing import Releasing
from .services.reminding import Reminding
from .services.renewing import Renewing
from .services.scheduling import Scheduling
from .services.sending_links import SendingLinks
from .services.settling import Settling
from .services.telling import Telling
from .services.withdrawing import Withdrawing
from .store.opening import Stores
from .tasks import Tasks
from .vault import Vault

__all__ = ["Bell", "Parts", "Services", "build_scheduler", "build_services"]

_CHOICE_KEPT: Final = CHOICE_LIFETIME + timedelta(minutes=10)
"""Longer than it can be answered, so that what a member has just chosen isn't withdrawn under their hands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the use cases are built from.

    Attributes:
        stores: all stores over one database.
        platforms: the installed platforms.
        members: who is who in Slack.
        notifier: direct messages.
        files: where the bytes of pictures and videos are.
        links: reads what links lead to; None where nothing can.
        vault: seals tokens.
        clock: the time.
        emit: takes events.
        public_url: address of the callback server.
        timings: how long things hold.
        wake: makes the scheduler look at once for what is due.
        wake_teller: makes it look at once for what is to be told.
        pause: waits, in seconds.
        tasks: runs what no answer waits for; whoever hands it in drains it.
    """

    stores: Stores
    platforms: Platforms
    members: MemberDirectory
    notifier: Notifier
    files: MediaSource
    vault: Vault
    clock: Clock
    emit: Emit
    public_url: str
    links: LinkReader | None = None
    timings: Timings = field(default_factory=Timings)
    wake: Callable[[], None] = lambda: None
    wake_teller: Callable[[], None] = lambda: None
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    tasks: Tasks = field(default_factory=Tasks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases, married to their adapters."""

    connecting: Connecting
    linking: Linking
    disconnecting: Disconnecting
    scheduling: Scheduling
    asking_to_reconnect: AskingToReconnect
    editing: Editing
    refreshing: Refreshing
    renewing: Renewing
    preparing: Preparing
    checking_access: CheckingAccess
    reminding: Reminding
    delivering: Delivering
    reconciling: Reconciling
    releasing: Releasing
    answering: Answering
    leaving: Leaving
    platform_events: PlatformEvents
    telling: Telling


def build_services(parts: Parts) -> Services:
    """Build all use cases over the same parts."""
    stores, clock, emit = parts.stores, parts.clock, parts.emit
    asking_to_reconnect = AskingToReconnect(
        platforms=parts.platforms,
        connections=stores.connections,
        deliveries=stores.deliveries,
        notifier=parts.notifier,
        clock=clock,
    )
    withdrawing = Withdrawing(platforms=parts.platforms, connections=stores.connections, vault=parts.vault, clock=clock)
    refreshing = Refreshing(
        platforms=parts.platforms,
        connections=stores.connections,
        asking_to_reconnect=asking_to_reconnect,
        withdrawing=withdrawing,
        vault=parts.vault,
        clock=clock,
        emit=emit,
        timings=parts.timings,
        pause=parts.pause,
    )
    planning = Planning(platforms=parts.platforms, timings=parts.timings)
    looking_up = LookingUp(platforms=parts.platforms, connections=stores.connections, refreshing=refreshing)
    preparing, delivering, reconciling = _build_delivering(parts, planning, refreshing, looking_up)
    disconnecting = _build_disconnecting(parts, planning, withdrawing)
    releasing = Releasing(connections=stores.connections, deliveries=stores.deliveries, clock=clock)
    linking = Linking(
        platforms=parts.platforms,
        connections=stores.connections,
        releasing=releasing,
        vault=parts.vault,
        clock=clock,
        emit=emit,
    )
    return Services(
        connecting=_build_connecting(parts, linking),
        linking=linking,
        disconnecting=disconnecting,
        scheduling=Scheduling(
            platforms=parts.platforms,
            connections=stores.connections,
            posts=stores.posts,
            deliveries=stores.deliveries,
            planning=planning,
            clock=clock,
            emit=emit,
        ),
        asking_to_reconnect=asking_to_reconnect,
        editing=Editing(
            platforms=parts.platforms,
            connections=stores.connections,
            posts=stores.posts,
            deliveries=stores.deliveries,
            planning=planning,
            clock=clock,
            emit=emit,
        ),
        refreshing=refreshing,
        renewing=Renewing(connections=stores.connections, refreshing=refreshing, clock=clock),
        preparing=preparing,
        checking_access=CheckingAccess(
            platforms=parts.platforms, connections=stores.connections, refreshing=refreshing, clock=clock
        ),
        reminding=Reminding(
            platforms=parts.platforms,
            connections=stores.connections,
            deliveries=stores.deliveries,
            notifier=parts.notifier,
            clock=clock,
        ),
        delivering=delivering,
        reconciling=reconciling,
        releasing=releasing,
        answering=Answering(deliveries=stores.deliveries, looking_up=looking_up, clock=clock, emit=emit),
        leaving=_build_leaving(parts, disconnecting),
        platform_events=_build_platform_events(parts, refreshing, disconnecting),
        telling=Telling(
            platforms=parts.platforms,
            deliveries=stores.deliveries,
            members=parts.members,
            notifier=parts.notifier,
            clock=clock,
            timings=parts.timings,
            wake=parts.wake_teller,
        ),
    )


def _build_delivering(
    parts: Parts, planning: Planning, refreshing: Refreshing, looking_up: LookingUp
) -> tuple[Preparing, Delivering, Reconciling]:
    stores = parts.stores
    admitting = Admitting(platforms=parts.platforms, refreshing=refreshing)
    settling = Settling(
        platforms=parts.platforms,
        connections=stores.connections,
        deliveries=stores.deliveries,
        refreshing=refreshing,
        clock=parts.clock,
        emit=parts.emit,
        timings=parts.timings,
    )
    publishing = Publishing(
        platforms=parts.platforms,
        deliveries=stores.deliveries,
        admitting=admitting,
        planning=planning,
        settling=settling,
        clock=parts.clock,
        emit=parts.emit,
        timings=parts.timings,
        wake=parts.wake,
    )
    preparing = Preparing(
        platforms=parts.platforms,
        connections=stores.connections,
        deliveries=stores.deliveries,
        admitting=admitting,
        refreshing=refreshing,
        settling=settling,
        files=parts.files,
        links=parts.links,
        notifier=parts.notifier,
        clock=parts.clock,
        emit=parts.emit,
        timings=parts.timings,
        wake=parts.wake,
    )
    delivering = Delivering(
        connections=stores.connections,
        deliveries=stores.deliveries,
        publishing=publishing,
        clock=parts.clock,
        emit=parts.emit,
        worker_id=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}",
        timings=parts.timings,
        wake=parts.wake,
    )
    reconciling = Reconciling(
        platforms=parts.platforms,
        deliveries=stores.deliveries,
        looking_up=looking_up,
        settling=settling,
        notifier=parts.notifier,
        clock=parts.clock,
        emit=parts.emit,
        timings=parts.timings,
    )
    return preparing, delivering, reconciling


def _build_connecting(parts: Parts, linking: Linking) -> Connecting:
    return Connecting(
        platforms=parts.platforms,
        connections=parts.stores.connections,
        pending=parts.stores.pending,
        links=SendingLinks(
            platforms=parts.platforms,
            pending=parts.stores.pending,
            members=parts.members,
            notifier=parts.notifier,
            linking=linking,
            clock=parts.clock,
            emit=parts.emit,
            public_url=parts.public_url,
        ),
        notifier=parts.notifier,
        linking=linking,
        vault=parts.vault,
        clock=parts.clock,
        emit=parts.emit,
        public_url=parts.public_url,
        tasks=parts.tasks,
    )


def _build_disconnecting(parts: Parts, planning: Planning, withdrawing: Withdrawing) -> Disconnecting:
    return Disconnecting(
        platforms=parts.platforms,
        connections=parts.stores.connections,
        deliveries=parts.stores.deliveries,
        members=parts.members,
        planning=planning,
        withdrawing=withdrawing,
        clock=parts.clock,
        emit=parts.emit,
    )


def _build_leaving(parts: Parts, disconnecting: Disconnecting) -> Leaving:
    return Leaving(
        workspaces=parts.stores.workspaces,
        connections=parts.stores.connections,
        deliveries=parts.stores.deliveries,
        pending=parts.stores.pending,
        disconnecting=disconnecting,
        clock=parts.clock,
        emit=parts.emit,
    )


def _build_platform_events(parts: Parts, refreshing: Refreshing, disconnecting: Disconnecting) -> PlatformEvents:
    erasing = Erasing(
        platforms=parts.platforms,
        connections=parts.stores.connections,
        deliveries=parts.stores.deliveries,
        disconnecting=disconnecting,
        notifier=parts.notifier,
        emit=parts.emit,
    )
    return PlatformEvents(
        platforms=parts.platforms,
        connections=parts.stores.connections,
        events=parts.stores.platform_events,
        refreshing=refreshing,
        erasing=erasing,
        clock=parts.clock,
        public_url=parts.public_url,
        tasks=parts.tasks,
    )


def build_scheduler(services: Services, clock: Clock, timings: Timings) -> Scheduler:
    """Build the scheduler with its ticks."""

    async def settle_unknown() -> None:
        await services.reconciling.settle_unknown()
        await services.releasing.release_stranded()
        await services.editing.finish_changes()

    async def clean_up() -> None:
        await services.disconnecting.drop_stale_choices(clock.now() - _CHOICE_KEPT)
        await services.leaving.finish_removals()

    async def keep_access() -> None:
        await services.asking_to_reconnect.ask_owed()
        await services.platform_events.finish_due()
        await services.renewing.renew_due()
        await services.checking_access.check_due()
        await services.reminding.remind_due()

    return Scheduler(
        deliver=services.delivering.deliver_due,
        prepare=services.preparing.prepare_due,
        rescue=services.reconciling.rescue,
        settle_unknown=settle_unknown,
        tell=services.telling.tell_owed,
        clean_up=clean_up,
        keep_access=keep_access,
        timings=timings,
    )


class Bell:
    """Wakes the scheduler when there may be work for it at once; it comes to be before the scheduler does."""

    def __init__(self) -> None:
        self.scheduler: Scheduler | None = None

    def ring(self) -> None:
        """Let the scheduler look for what is due now, if there is one."""
        if self.scheduler is not None:
            self.scheduler.wake()

    def ring_teller(self) -> None:
        """Let the scheduler look for what is to be told now, if there is one."""
        if self.scheduler is not None:
            self.scheduler.wake_teller()

    def on_event(self, event: Event) -> None:
        """Ring for events after which something may be due, or its author be owed a word: an event sink."""
        if isinstance(event, PostScheduled | PostEdited | ConnectionCompleted | DeliveryRetried):
            self.ring()
        if isinstance(event, _TOLD):
            self.ring_teller()


_TOLD: Final = (
    ConnectionCompleted,
    DeliveryPublished,
    DeliveryFailed,
    DeliveryHeld,
    DeliveryRetried,
    DeliverySnoozed,
)
"""What may have left something to be told; a connection that came back, posts that are late by then."""
