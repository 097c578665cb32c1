"""A small web for links to lead to: servers on this machine, and names that lead where a test wants."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from logicspike.link_pages import LinkPages
from logicspike.public_web import is_public_web

_NO_TYPE = "none/none"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """A web server whose pages a test sets, and what it was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, Answer] = {}
        self.seen: list[web.Request] = []
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        app.on_response_prepare.append(_drop_type)
        self._server = TestServer(app)

    @property
    def address(self) -> tuple[str, int]:
        assert self._server.port is not None
        return "127.0.0.1", self._server.port

    def url(self, path: str = "/", *, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.address[1]}{path}"

    def put(self, path: str, body: bytes | str, content_type: str | None = "text/html; charset=utf-8") -> None:
        content = body.encode() if isinstance(body, str) else body

        async def answer(_request: web.Request) -> web.Response:
            return web.Response(body=content, headers={"Content-Type": content_type or _NO_TYPE})

        self.pages[path] = answer

    def redirect(self, path: str, target: str) -> None:
        async def answer(_request: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": target})

        self.pages[path] = answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        if request.path not in self.pages:
            raise web.HTTPNotFound
        return await self.pages[request.path](request)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Site]:
        async with self._server:
            yield self


async def _drop_type(_request: web.Request, response: web.StreamResponse) -> None:
    # aiohttp adds one where there is none.
    if response.headers.get("Content-Type") == _NO_TYPE:
        del response.headers["Content-Type"]


class Names(AbstractResolver):
    """Leads each name to the addresses a test gives, one list for each look-up, the last one for ever."""

    def __init__(self, **addresses: list[list[str]]) -> None:
        self._addresses = {name.replace("_", "."): lists for name, lists in addresses.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        await asyncio.sleep(0)
        lists = self._addresses.get(host)
        if not lists:
            raise OSError(f"{host} is unknown")
        found = lists.pop(0) if len(lists) > 1 else lists[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        pass


def open_pages(*sites: Site, resolver: AbstractResolver | None = None, **settings: object) -> LinkPages:
    """The product's rule of what may be reached, and these sites besides."""
    allowed = {site.address for site in sites}
    return LinkPages(
        may_reach=lambda address, port: (address, port) in allowed or is_public_web(address, port),
        resolver=resolver,
        **settings,  # type: ignore[arg-type]
    )
