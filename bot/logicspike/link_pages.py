"""Fetches what links lead to, on behalf of members who may have typed anything: public web addresses only.

What may be reached is decided at the last moment, when the socket for a resolved address is made: so for names and
literal addresses, first requests and redirects alike, and no second look-up can lead elsewhere (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

__all__ = ["LinkPages", "PageUnreadable", "WebPage", "is_public_web"]

_MAX_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PIECE_BYTES: Final = 16 * 1024
_WEB_PORTS: Final = frozenset({80, 443})

# Global unicast; ``is_global`` leaves the registry's exceptions inside of it out
# (iana.org/assignments/ipv6-unicast-address-assignments, checked 2026-11).
_IPV6_INTERNET: Final = ipaddress.IPv6Network("2000::/3")
# The well-known prefix by which a network without IPv4 reaches IPv4 hosts (RFC 6052 section 2.1).
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# Said outright, since what ``is_global`` says of some of them depends on Python's patch version: carrier-grade NAT
# (RFC 6598), protocol assignments, 6to4 relays and benchmarking (RFC 6890); Teredo, benchmarking, ORCHID and
# documentation, 6to4, which carries any IPv4 address, and documentation again (RFC 9637).
_NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip


class PageUnreadable(Exception):
    """A link leads to nothing that can be read.

    Args:
        reason: a phrase for the log, without any part of an address.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _AddressRefused(OSError):
    """A connection to this address is not allowed; none was opened."""


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


def is_public_web(address: str, port: int) -> bool:
    """Whether an IP address and port are where public web pages are: not in anybody's own network, no odd port."""
    return port in _WEB_PORTS and _is_public(ipaddress.ip_address(address))


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address in _NAT64:
            return _is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        if address not in _IPV6_INTERNET:
            return False
    if any(address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


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
                    force_close=True, resolver=self._resolver, socket_factory=self._make_socket, use_dns_cache=False
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

    def _make_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        if not self._may_reach(str(address[0]), int(address[1])):
            raise _AddressRefused("not a public web address")
        return socket.socket(family=family, type=kind, proto=protocol)


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
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, _AddressRefused):
        return "it leads to an address that is not public"
    return type(error).__name__
