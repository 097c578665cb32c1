"""Fetches what links lead to, on behalf of members who may have typed anything: public web addresses only.

What may be reached is decided at the last moment, when the socket for a resolved address is made: so for names and
literal addresses, first requests and redirects alike, and no second look-up can lead elsewhere (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from .public_web import AddressRefused, guard_sockets, is_public_web

__all__ = ["LinkPages", "PageUnreadable", "WebPage"]

_MAX_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PIECE_BYTES: Final = 16 * 1024


class PageUnreadable(Exception):
    """A link leads to nothing that can be read.

    Args:
        reason: a phrase for the log, without any part of an address.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPage:
    """What a link leads to, while it is being read.

    Attributes:
        url: where the redirects ended.
        content_type: what the server calls it, without parameters; "" when it says nothing.
        charset: the encoding that the server names; None when it names none.
        pieces: the content, decompressed, in small pieces.
    """

    url: str
    content_type: str
    charset: str | None
    pieces: AsyncIterator[bytes]


class LinkPages:
    """Opens public web pages: GET alone, no cookies, no proxies, no credentials, certificates verified.

    Args:
        may_reach: decides by IP address and port; tests and the sandbox allow what is theirs on this machine.
        time_limit: for one page, from the first look-up to the last byte that is wanted.
        resolver: looks up names; None for the system's.
    """

    def __init__(
        self,
        *,
        may_reach: Callable[[str, int], bool] = is_public_web,
        time_limit: timedelta = timedelta(seconds=5),
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._may_reach = may_reach
        self._time_limit = time_limit
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Get ready; opening twice changes nothing."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    force_close=True,
                    resolver=self._resolver,
                    socket_factory=guard_sockets(self._may_reach),
                    use_dns_cache=False,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": f"LogicSpike/{importlib.metadata.version('logicspike')} (link preview)"},
                timeout=aiohttp.ClientTimeout(total=None),  # one limit stands around request and reading
                trust_env=False,
            )

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    @asynccontextmanager
    async def read(self, link: str, *, accept: str, base: str | None = None) -> AsyncIterator[WebPage]:
        """Open what a link leads to; leave the block when enough has been read.

        Args:
            link: an address.
            accept: which content types are wanted, for the server.
            base: the address of the page it stands on, where it may be relative.

        Raises:
            PageUnreadable: it leads nowhere, to where it must not, or its time is up, be it in the middle of reading.
        """
        if self._session is None:
            raise RuntimeError("the session for links is not open")
        try:
            async with asyncio.timeout(self._time_limit.total_seconds()):
                async with await self._follow(self._session, _to_url(link, base=base), accept) as response:
                    yield _to_page(response)
        except TimeoutError:
            raise PageUnreadable("it took too long") from None
        except aiohttp.ClientError as error:
            raise PageUnreadable(_explain(error)) from None

    async def _follow(self, session: aiohttp.ClientSession, url: URL, accept: str) -> aiohttp.ClientResponse:
        for _ in range(_MAX_REDIRECTS + 1):
            response = await session.get(url, headers={"Accept": accept}, allow_redirects=False)
            target = response.headers.get("Location")
            if response.status == 200:
                return response
            response.close()
            if response.status not in _REDIRECTS or target is None:
                raise PageUnreadable(f"the server answered {response.status}")
            url = _to_url(target, base=str(url))
        raise PageUnreadable("it redirects too often")


def _to_url(text: str, *, base: str | None = None) -> URL:
    """Read an address; aiohttp would send a user name in it along, and knows more schemes than are meant here."""
    try:
        url = URL(text) if base is None else URL(base).join(URL(text))
    except ValueError:
        raise PageUnreadable("it is no web address") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise PageUnreadable("it is no web address")
    if url.user is not None or url.password is not None:
        raise PageUnreadable("it carries credentials")
    return url


def _to_page(response: aiohttp.ClientResponse) -> WebPage:
    return WebPage(
        url=str(response.url),
        content_type=response.content_type if "Content-Type" in response.headers else "",
        charset=response.charset,
        pieces=response.content.iter_chunked(_PIECE_BYTES),
    )


def _explain(error: aiohttp.ClientError) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name can't be resolved"
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, AddressRefused):
        return "it leads to an address that is not public"
    return type(error).__name__
