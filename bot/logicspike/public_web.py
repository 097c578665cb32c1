"""Which addresses are public, for what the bot opens because a member named it: a link, a server of theirs.

It is decided at the last moment, when the socket for a resolved address is made: so for names and literal addresses,
first requests and redirects alike, and no second look-up can lead elsewhere (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Final

import aiohttp

__all__ = ["AddressRefused", "guard_sockets", "is_public_web"]

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


class AddressRefused(OSError):
    """A connection to this address is not allowed; none was opened."""


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


def guard_sockets(may_reach: Callable[[str, int], bool]) -> Callable[[aiohttp.AddrInfoType], socket.socket]:
    """Make a socket factory for ``aiohttp.TCPConnector`` that opens none to where one may not go.

    Args:
        may_reach: decides by IP address and port.
    """

    def make_socket(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        if not may_reach(str(address[0]), int(address[1])):
            raise AddressRefused("not a public web address")
        return socket.socket(family=family, type=kind, proto=protocol)

    return make_socket
