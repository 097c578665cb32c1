"""Outgoing HTTP of the plugins: one session per platform over one connector, to declared origins only.

This guards against mistakes and against answers that point elsewhere, not against malice: a plugin runs with the
bot's own rights.
"""

from __future__ import annotations

import importlib.metadata
import ipaddress
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Final, Self

import aiohttp
from yarl import URL

from .plugin.errors import OutcomeUnknown
from .public_web import guard_sockets, is_public_web

__all__ = [
    "TIMEOUT",
    "Egress",
    "EgressRefused",
    "find_picture_origin",
    "is_loopback_origin",
    "parse_origin",
    "sending_until",
]

log = logging.getLogger(__name__)

TIMEOUT: Final = aiohttp.ClientTimeout(total=30, connect=10, sock_read=20)
"""Seconds for each call, unless a plugin asks for less."""

# Shorter than the idle time after which common servers hang up, so that a call seldom meets a dead connection.
_KEEPALIVE_SECONDS: Final = 15.0
_ORIGIN: Final = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?/?", re.IGNORECASE)

_OriginKey = tuple[str, str | None, int | None]


_last_moment: ContextVar[float | None] = ContextVar("last_moment", default=None)


@contextmanager
def sending_until(moment: float) -> Iterator[None]:
    """Let no request begin within this block once ``time.monotonic()`` is past a moment; it raises ``OutcomeUnknown``.

    A process that was stopped may wake after others have taken its work over: what it hasn't sent by then, it must not.
    """
    token = _last_moment.set(moment)
    try:
        yield
    finally:
        _last_moment.reset(token)


class EgressRefused(Exception):
    """A plugin tried to reach an origin that its platform does not declare; nothing was sent there."""


def is_loopback_origin(origin: str) -> bool:
    """Whether an origin is on this very machine."""
    host = URL(origin).host or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_origin(text: str) -> str:
    """Read an origin, such as ``https://api.example.com``: scheme, host and maybe a port; http for loopback only.

    Raises:
        ValueError: with a phrase that says what is wrong, to stand behind the name of what was read.
    """
    if _ORIGIN.fullmatch(text) is None:
        raise ValueError("must be an origin: a scheme and a host, no path, no user name, no query")
    try:
        origin = URL(text).origin()
    except ValueError:
        raise ValueError("must be an origin: a scheme and a host, no path, no user name, no query") from None
    if origin.scheme == "http" and not is_loopback_origin(str(origin)):
        raise ValueError("must begin with https:// (http:// is for 127.0.0.1, [::1] and localhost only)")
    return str(origin)


def find_picture_origin(address: str | None) -> str | None:
    """The origin of a picture that may be shown: https, or http on this machine, as in the sandbox; None for others."""
    try:
        return parse_origin(str(URL(address).origin())) if address else None
    except ValueError:
        return None


class Egress:
    """The platforms' HTTP sessions. Each reaches only the origins it was made for, redirects included.

    Certificates are verified, cookies are dropped, proxies of the environment are ignored, and a request is never
    sent twice behind the caller's back.

    Args:
        may_reach: decides by IP address and port where a server may be that a member has named.
    """

    def __init__(self, *, may_reach: Callable[[str, int], bool] = is_public_web) -> None:
        self._may_reach = may_reach
        self._connector: aiohttp.TCPConnector | None = None
        self._guarded: aiohttp.TCPConnector | None = None
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def open(self) -> None:
        """Get ready; opening twice changes nothing."""
        if self._connector is None:
            self._connector = aiohttp.TCPConnector(keepalive_timeout=_KEEPALIVE_SECONDS)
            self._guarded = aiohttp.TCPConnector(
                keepalive_timeout=_KEEPALIVE_SECONDS, socket_factory=guard_sockets(self._may_reach)
            )

    async def close(self) -> None:
        """Close all sessions and connections."""
        sessions, self._sessions = self._sessions, {}
        connectors = (self._connector, self._guarded)
        self._connector = self._guarded = None
        for session in sessions.values():
            await session.close()
        for connector in connectors:
            if connector is not None:
                await connector.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    def get_session(self, platform: str, origins: Iterable[str]) -> aiohttp.ClientSession:
        """The platform's session, made at first use.

        Args:
            platform: its name.
            origins: all that it may reach; what was given first counts.

        Raises:
            RuntimeError: not open.
        """
        if self._connector is None:
            raise RuntimeError("the platforms' HTTP sessions are not open")
        if platform not in self._sessions:
            self._sessions[platform] = _build_session(platform, origins, self._connector)
        return self._sessions[platform]

    @asynccontextmanager
    async def lend_session(self, platform: str, origins: Iterable[str]) -> AsyncIterator[aiohttp.ClientSession]:
        """A session for one call to where a member has sent us: what it reaches must have a public address too.

        Args:
            platform: its name.
            origins: all that it may reach.

        Raises:
            RuntimeError: not open.
        """
        if self._guarded is None:
            raise RuntimeError("the platforms' HTTP sessions are not open")
        async with _build_session(platform, origins, self._guarded) as session:
            yield session


def _build_session(platform: str, origins: Iterable[str], connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        connector_owner=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"LogicSpike/{importlib.metadata.version('logicspike')}"},
        middlewares=(_Guard(platform, origins),),
        timeout=TIMEOUT,
        trust_env=False,
    )


class _Guard:
    """A client middleware, which aiohttp runs anew for each hop of a redirect."""

    def __init__(self, platform: str, origins: Iterable[str]) -> None:
        self._platform = platform
        self._allowed = frozenset(_key(URL(origin)) for origin in origins)

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if _key(request.url) not in self._allowed:
            log.warning(
                "The %s plugin may not reach %s; its describe() doesn't declare it.",
                self._platform,
                request.url.host,
                extra={"event": "egress.refused", "platform": self._platform},
            )
            raise EgressRefused(f"{request.url.host} is not declared by the {self._platform} plugin")
        last_moment = _last_moment.get()
        if last_moment is not None and time.monotonic() > last_moment:
            raise OutcomeUnknown("The bot was held up for so long that it sent nothing more.")
        try:
            return await handler(request)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            # aiohttp sends an idempotent request (GET, PUT, DELETE, …) once more when one of these two reaches it
            # (aiohttp 3.14.5, client.py); their common base class does not make it do so.
            raise aiohttp.ClientConnectionError("The connection was lost before an answer came.") from error


def _key(url: URL) -> _OriginKey:
    return url.scheme, url.host, url.port
