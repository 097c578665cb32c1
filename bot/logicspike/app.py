"""The composition root: builds everything from Settings, and owns the order of starting and stopping."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, TypeAlias

import aiohttp
from aiohttp import web

from .clock import Clock, SystemClock
from .domain import Timings
from .events import emit_to, log_event
from .key_file import KeyFileBroken, load_key_file
from .link_pages import LinkPages
from .platforms import Platforms
from .scheduler import Scheduler
from .services.link_cards import LinkCards
from .services.ports import StoreUnavailable
from .services.timekeeping import Timekeeping
from .settings import Settings
from .slack.edge import SlackEdge
from .slack.services import SlackServices
from .store.opening import StoreNotUsable, Stores, open_stores
from .vault import KeyRing, Vault, parse_key_ring
from .web.app import build_web_app
from .web.health import HealthReport
from .web.serving import build_runner
from .wiring import Bell, Parts, Services, build_scheduler, build_services

__all__ = ["Bot", "Role", "StartFailed", "run_bot", "serve"]

log = logging.getLogger("logicspike")

_STOP_TIMEOUT: Final = timedelta(seconds=35)  # longer than the façade's 30 s for a publish
_LAST_WORDS: Final = timedelta(seconds=5)
_SLACK_TIMEOUT: Final = aiohttp.ClientTimeout(total=15, connect=5)
_LAG_LIMIT: Final = timedelta(seconds=30)


Role: TypeAlias = Literal["all", "web", "worker"]
"""What a process does: answer Slack and browsers, publish, or both."""


class StartFailed(Exception):
    """The bot could not start; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """The running bot: where it listens, and the parts that a sandbox looks at."""

    address: str | None
    platforms: Platforms
    scheduler: Scheduler
    services: Services


async def serve(settings: Settings, role: Role = "all") -> None:
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
    async with run_bot(settings, role=role) as bot:
        if bot.address is not None:
            log.info("listening on %s, reachable at %s", bot.address, settings.public_url)
        else:
            log.info("publishing; another process answers Slack and browsers")
        await stop.wait()
    log.info("stopped")


@asynccontextmanager
async def run_bot(
    settings: Settings,
    *,
    role: Role = "all",
    clock: Clock | None = None,
    timings: Timings | None = None,
    listener: socket.socket | None = None,
    link_pages: LinkPages | None = None,
) -> AsyncIterator[Bot]:
    """Start everything, yield the running bot, and stop everything in the opposite order.

    Args:
        settings: what the operator chose.
        role: ``web`` answers Slack and browsers, ``worker`` publishes, ``all`` does both; any number of each may run
            against one database.
        clock: None for the database server's time, on a steady timer.
        timings: how long things hold; None for the usual.
        listener: a socket that is bound already; None to bind ``settings.host`` and ``settings.port``.
        link_pages: opens what links in posts lead to; None for the public web and nothing else.

    Raises:
        StartFailed: something it needs is missing; says what to do.
    """
    async with AsyncExitStack() as stack:
        try:
            bot = await _start(settings, role, clock, timings or Timings(), listener, link_pages or LinkPages(), stack)
        except (StoreNotUsable, KeyFileBroken) as error:
            raise StartFailed(str(error)) from error
        except StoreUnavailable as error:
            raise StartFailed(f"{error} Is it running, and is MONGODB_URI right?") from error
        yield bot


async def _start(
    settings: Settings,
    role: Role,
    clock: Clock | None,
    timings: Timings,
    listener: socket.socket | None,
    link_pages: LinkPages,
    stack: AsyncExitStack,
) -> Bot:
    time = clock or SystemClock()
    stores = await _open_stores(settings, time, stack)
    platforms = Platforms.load(
        environment=settings.environment, clock=time, disabled=settings.logicspike_disabled_platforms
    )
    await stack.enter_async_context(platforms)
    _log_platforms(platforms)
    slack = await _build_slack(settings, stores, platforms, time, stack)
    bell = Bell()
    services = build_services(
        Parts(
            stores=stores,
            platforms=platforms,
            members=slack.directory,
            notifier=slack.notifier,
            files=slack.files,
            links=LinkCards(await stack.enter_async_context(link_pages)),
            vault=Vault(_load_keys(settings)),
            clock=time,
            emit=emit_to([log_event, bell.on_event]),
            public_url=settings.public_url,
            timings=timings,
            wake=bell.ring,
            wake_teller=bell.ring_teller,
            tasks=slack.tasks,
        )
    )
    if role != "web":
        stack.push_async_callback(_finish, services)
    scheduler = build_scheduler(services, time, timings)
    health = _Health(stores=stores, slack=slack, scheduler=scheduler, platforms=platforms, role=role)
    address = None
    if role != "worker":
        address = await _serve_web(settings, stores, slack, services, health, listener, stack, time)
    await stack.enter_async_context(slack.running())
    if role != "web":
        bell.scheduler = scheduler
        scheduler.start()
        stack.push_async_callback(scheduler.stop)
        await stack.enter_async_context(stores.watching_due(bell.ring))
        for service in (services.renewing, services.checking_access, services.reminding):
            stack.callback(service.stop)
        stack.callback(services.asking_to_reconnect.stop)
    return Bot(address=address, platforms=platforms, scheduler=scheduler, services=services)


async def _open_stores(settings: Settings, clock: Clock, stack: AsyncExitStack) -> Stores:
    stores = await stack.enter_async_context(
        open_stores(
            settings.mongodb_uri.get_secret_value() if settings.mongodb_uri else None,
            database_name=settings.mongodb_database,
            driver=settings.mongodb_driver,
            folder=settings.logicspike_data_dir,
            real_time=clock if isinstance(clock, SystemClock) else None,
        )
    )
    if isinstance(clock, SystemClock):
        await stack.enter_async_context(Timekeeping(clock, stores).running())
    return stores


async def _build_slack(
    settings: Settings, stores: Stores, platforms: Platforms, clock: Clock, stack: AsyncExitStack
) -> SlackEdge:
    session = await stack.enter_async_context(
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=_SLACK_TIMEOUT)
    )
    return SlackEdge(
        settings,
        session=session,
        workspaces=stores.workspaces,
        clock=clock,
        titles={name: platforms.get(name).title for name in platforms.names},
    )


async def _serve_web(
    settings: Settings,
    stores: Stores,
    slack: SlackEdge,
    services: Services,
    health: _Health,
    listener: socket.socket | None,
    stack: AsyncExitStack,
    clock: Clock,
) -> str:
    slack.connect(
        SlackServices(
            connecting=services.connecting,
            disconnecting=services.disconnecting,
            scheduling=services.scheduling,
            editing=services.editing,
            answering=services.answering,
            leaving=services.leaving,
            platforms=health.platforms,
            members=slack.directory,
            requests=stores.requests,
            files=slack.files,
            clock=clock,
            tasks=slack.tasks,
        )
    )
    stack.push_async_callback(slack.drain)
    app = build_web_app(
        connecting=services.connecting,
        platform_events=services.platform_events,
        platforms=health.platforms,
        health=health,
        public_url=settings.public_url,
        connect_command=settings.slack_command_connect,
        extra_routes=slack.routes(),
        on_request=slack.tasks.note_request,
    )
    return await _listen(app, settings, listener, stack)


async def _finish(services: Services) -> None:
    """Let what is in flight end, and tell its authors; what can't be told now is told by the next process."""
    await services.preparing.stop()
    await services.delivering.stop(_STOP_TIMEOUT)
    with contextlib.suppress(StoreUnavailable, TimeoutError):
        async with asyncio.timeout(_LAST_WORDS.total_seconds()):
            await services.telling.tell_owed()


def _load_keys(settings: Settings) -> KeyRing:
    if settings.logicspike_keys is None:
        return load_key_file(settings.logicspike_data_dir)
    try:
        return parse_key_ring(settings.logicspike_keys.get_secret_value())
    except ValueError as error:
        raise StartFailed(f"LOGICSPIKE_KEYS is not right: {error}.") from None


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

    role: Role

    async def check(self) -> HealthReport:
        lag = self.scheduler.lag
        is_ticking = self.role == "web" or lag < _LAG_LIMIT
        words = {name: "; ".join(self.platforms.problems(name)) or "ok" for name in self.platforms.names}
        return HealthReport(
            required={
                "database": "ok" if await self.stores.is_reachable() else "not reachable",
                "slack": "ok" if self.slack.is_ready else "not reachable",
                "scheduler": "ok" if is_ticking else f"last looked {lag.total_seconds():.0f} s ago",
            },
            platforms={**words, **self.platforms.quarantined},
        )
