"""The composition root: builds everything from Settings, and owns the order of starting and stopping."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import aiohttp
from aiohttp import web

from .clock import Clock, SystemClock
from .events import ConnectionCompleted, DeliveryRetried, Emit, Event, PostScheduled, emit_to, log_event
from .key_file import KeyFileBroken, load_key_file
from .platforms import Platforms
from .scheduler import Scheduler
from .services.answering import Answering
from .services.connecting import Connecting
from .services.delivering import Delivering
from .services.disconnecting import Disconnecting
from .services.leaving import Leaving
from .services.ports import StoreUnavailable
from .services.reconciling import Reconciling
from .services.refreshing import Refreshing
from .services.releasing import Releasing
from .services.scheduling import Scheduling
from .services.settling import Settling
from .settings import Settings
from .slack.edge import SlackEdge
from .slack.services import SlackServices
from .store.opening import StoreNotUsable, Stores, open_stores
from .vault import KeyRing, Vault, parse_key_ring
from .web.app import build_web_app
from .web.health import HealthReport
from .web.serving import build_runner

__all__ = ["Bot", "StartFailed", "run_bot", "serve"]

log = logging.getLogger("logicspike")

_STOP_TIMEOUT: Final = timedelta(seconds=35)  # longer than the façade's 30 s for a publish
_SLACK_TIMEOUT: Final = aiohttp.ClientTimeout(total=15, connect=5)
_CHOICE_LIFETIME: Final = timedelta(hours=24)
_LAG_LIMIT: Final = timedelta(seconds=30)


class StartFailed(Exception):
    """The bot could not start; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases, married to their adapters."""

    connecting: Connecting
    disconnecting: Disconnecting
    scheduling: Scheduling
    delivering: Delivering
    reconciling: Reconciling
    answering: Answering
    leaving: Leaving


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """The running bot: where it listens, and the parts that a sandbox looks at."""

    address: str
    platforms: Platforms
    scheduler: Scheduler
    services: Services


async def serve(settings: Settings) -> None:
    """Run the bot until SIGTERM or Ctrl-C; what is in flight is finished first, a second signal stops at once.

    Raises:
        StartFailed: it could not start.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if stop.is_set():
            log.warning("stopping at once; what was in flight is settled at the next start")
            os._exit(130)
        log.info("stopping: finishing what is in flight (again to stop at once)")
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    async with run_bot(settings) as bot:
        log.info("listening on %s, reachable at %s", bot.address, settings.public_url)
        await stop.wait()
    log.info("stopped")


@asynccontextmanager
async def run_bot(
    settings: Settings, *, clock: Clock | None = None, listener: socket.socket | None = None
) -> AsyncIterator[Bot]:
    """Start everything, yield the running bot, and stop everything in the opposite order.

    Args:
        settings: what the operator chose.
        clock: None for the machine's time, corrected by the database server's.
        listener: a socket that is bound already; None to bind ``settings.host`` and ``settings.port``.

    Raises:
        StartFailed: something it needs is missing; says what to do.
    """
    async with AsyncExitStack() as stack:
        try:
            bot = await _start(settings, clock, listener, stack)
        except (StoreNotUsable, KeyFileBroken) as error:
            raise StartFailed(str(error)) from error
        except StoreUnavailable as error:
            raise StartFailed(f"{error} Is it running, and is MONGODB_URI right?") from error
        yield bot


async def _start(settings: Settings, clock: Clock | None, listener: socket.socket | None, stack: AsyncExitStack) -> Bot:
    time = clock or SystemClock()
    stores = await stack.enter_async_context(
        open_stores(
            settings.mongodb_uri.get_secret_value() if settings.mongodb_uri else None,
            database_name=settings.mongodb_database,
            driver=settings.mongodb_driver,
            folder=settings.logicspike_data_dir,
        )
    )
    if isinstance(time, SystemClock):
        time.offset = await stores.time_offset()
    platforms = Platforms.load(
        environment=settings.environment, clock=time, disabled=settings.logicspike_disabled_platforms
    )
    await stack.enter_async_context(platforms)
    _log_platforms(platforms)
    session = await stack.enter_async_context(
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=_SLACK_TIMEOUT)
    )
    slack = SlackEdge(
        settings,
        session=session,
        workspaces=stores.workspaces,
        clock=time,
        titles={name: platforms.get(name).title for name in platforms.names},
    )
    bell = _Bell()
    services = _build_services(settings, stores, platforms, slack, time, bell)
    stack.push_async_callback(services.delivering.stop, _STOP_TIMEOUT)
    scheduler = bell.scheduler = _build_scheduler(services, stores, time)
    slack.connect(
        SlackServices(
            connecting=services.connecting,
            disconnecting=services.disconnecting,
            scheduling=services.scheduling,
            answering=services.answering,
            leaving=services.leaving,
            platforms=platforms,
            members=slack.directory,
            requests=stores.requests,
            clock=time,
            tasks=slack.tasks,
        )
    )
    stack.push_async_callback(slack.drain)
    health = _Health(stores=stores, slack=slack, scheduler=scheduler, platforms=platforms)
    app = build_web_app(
        connecting=services.connecting,
        platforms=platforms,
        health=health,
        public_url=settings.public_url,
        connect_command=settings.slack_command_connect,
        extra_routes=slack.routes(),
    )
    address = await _listen(app, settings, listener, stack)
    await stack.enter_async_context(slack.running())
    scheduler.start()
    stack.push_async_callback(scheduler.stop)
    return Bot(address=address, platforms=platforms, scheduler=scheduler, services=services)


class _Bell:
    """Wakes the scheduler when something may be due at once; it comes to be before the scheduler does."""

    def __init__(self) -> None:
        self.scheduler: Scheduler | None = None

    def ring(self) -> None:
        if self.scheduler is not None:
            self.scheduler.wake()

    def on_event(self, event: Event) -> None:
        if isinstance(event, PostScheduled | ConnectionCompleted | DeliveryRetried):
            self.ring()


def _build_services(
    settings: Settings, stores: Stores, platforms: Platforms, slack: SlackEdge, clock: Clock, bell: _Bell
) -> Services:
    emit: Emit = emit_to([log_event, bell.on_event])
    vault = Vault(_load_keys(settings))
    refreshing = Refreshing(
        platforms=platforms,
        connections=stores.connections,
        deliveries=stores.deliveries,
        notifier=slack.notifier,
        vault=vault,
        clock=clock,
        emit=emit,
    )
    settling = Settling(
        platforms=platforms,
        connections=stores.connections,
        deliveries=stores.deliveries,
        refreshing=refreshing,
        members=slack.directory,
        notifier=slack.notifier,
        clock=clock,
        emit=emit,
    )
    disconnecting = Disconnecting(
        platforms=platforms,
        connections=stores.connections,
        deliveries=stores.deliveries,
        members=slack.directory,
        vault=vault,
        clock=clock,
        emit=emit,
    )
    return Services(
        connecting=Connecting(
            platforms=platforms,
            connections=stores.connections,
            pending=stores.pending,
            members=slack.directory,
            notifier=slack.notifier,
            releasing=Releasing(deliveries=stores.deliveries, clock=clock),
            vault=vault,
            clock=clock,
            emit=emit,
            public_url=settings.public_url,
        ),
        disconnecting=disconnecting,
        scheduling=Scheduling(
            platforms=platforms,
            connections=stores.connections,
            posts=stores.posts,
            deliveries=stores.deliveries,
            clock=clock,
            emit=emit,
        ),
        delivering=Delivering(
            platforms=platforms,
            connections=stores.connections,
            deliveries=stores.deliveries,
            refreshing=refreshing,
            settling=settling,
            notifier=slack.notifier,
            clock=clock,
            emit=emit,
            worker_id=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}",
            wake=bell.ring,
        ),
        reconciling=Reconciling(
            platforms=platforms,
            connections=stores.connections,
            deliveries=stores.deliveries,
            refreshing=refreshing,
            settling=settling,
            notifier=slack.notifier,
            clock=clock,
            emit=emit,
        ),
        answering=Answering(deliveries=stores.deliveries, clock=clock, emit=emit),
        leaving=Leaving(
            workspaces=stores.workspaces,
            connections=stores.connections,
            deliveries=stores.deliveries,
            pending=stores.pending,
            disconnecting=disconnecting,
            clock=clock,
            emit=emit,
        ),
    )


def _load_keys(settings: Settings) -> KeyRing:
    if settings.logicspike_keys is None:
        return load_key_file(settings.logicspike_data_dir)
    try:
        return parse_key_ring(settings.logicspike_keys.get_secret_value())
    except ValueError as error:
        raise StartFailed(f"LOGICSPIKE_KEYS is not right: {error}.") from None


def _build_scheduler(services: Services, stores: Stores, clock: Clock) -> Scheduler:
    async def clean_up() -> None:
        await stores.connections.delete_stale_choices(clock.now() - _CHOICE_LIFETIME)

    return Scheduler(
        deliver=services.delivering.deliver_due,
        rescue=services.reconciling.rescue,
        settle_unknown=services.reconciling.settle_unknown,
        clean_up=clean_up,
    )


async def _listen(
    app: web.Application, settings: Settings, listener: socket.socket | None, stack: AsyncExitStack
) -> str:
    runner = build_runner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site: web.BaseSite
    if listener is not None:
        site = web.SockSite(runner, listener)
    else:
        site = web.TCPSite(runner, settings.host, settings.port, backlog=1024)
    try:
        await site.start()
    except OSError as error:
        raise StartFailed(
            f"Can't listen on {settings.host}:{settings.port} ({error.strerror or error}). "
            "Is another program using it? Choose another with --port."
        ) from error
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _log_platforms(platforms: Platforms) -> None:
    for name, reason in platforms.quarantined.items():
        log.error("platform %s is left out: %s", name, reason, extra={"event": "platform.left_out", "platform": name})
    for name in platforms.names:
        for problem in platforms.problems(name):
            log.warning("platform %s: %s", name, problem, extra={"event": "platform.not_ready", "platform": name})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Health:
    stores: Stores
    slack: SlackEdge
    scheduler: Scheduler
    platforms: Platforms

    async def check(self) -> HealthReport:
        lag = self.scheduler.lag
        words = {name: "; ".join(self.platforms.problems(name)) or "ok" for name in self.platforms.names}
        return HealthReport(
            required={
                "database": "ok" if await self.stores.is_reachable() else "not reachable",
                "slack": "ok" if self.slack.is_ready else "not reachable",
                "scheduler": "ok" if lag < _LAG_LIMIT else f"last looked {lag.total_seconds():.0f} s ago",
            },
            platforms={**words, **self.platforms.quarantined},
        )
