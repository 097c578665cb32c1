"""What links in the demo's posts may lead to: the pages of the demo itself, and nothing else anywhere."""

from __future__ import annotations

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from ..link_pages import LinkPages

__all__ = ["EXAMPLE_PATH", "open_example_pages"]

EXAMPLE_PATH = "/page/example.html"
"""A page of the demo's that says something of itself, to post a link to."""


class _NoNames(AbstractResolver):
    """Knows no name but this computer's, so that not even a look-up leaves it."""

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - the signature is aiohttp's
    ) -> list[ResolveResult]:
        if host != "localhost":
            raise OSError("the demo looks up no names")
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        pass


def open_example_pages(port: int) -> LinkPages:
    """Reaches one port of this computer, where the demo's pages are."""
    return LinkPages(
        may_reach=lambda address, to: to == port and ipaddress.ip_address(address).is_loopback, resolver=_NoNames()
    )
