"""The platforms' own callbacks, and the page that tells how an erasure of data stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from ..platforms import NotSupported, PlatformNotReady, Platforms
from ..plugin.errors import PlatformError, PlatformEventRefused
from ..services.platform_events import PlatformEvents
from .pages import page

__all__ = ["PlatformEventPages"]

_CODE: Final = "{code:[a-z0-9]{16,64}}"
_FORM: Final = "application/x-www-form-urlencoded"
_MAX_BODY_BYTES: Final = 64 * 1024
_MAX_FIELDS: Final = 20
_AT_ONCE: Final = 16


class PlatformEventPages:
    """Handlers of ``/api/auth/{platform}/{event}`` and ``/connect/deletion/{code}``.

    Anybody can send a callback, and only a plugin can tell whose it is: so they are short, and few are read at once.

    Args:
        events: the use cases.
        platforms: the installed platforms.
    """

    def __init__(self, events: PlatformEvents, platforms: Platforms) -> None:
        self._events = events
        self._platforms = platforms
        self._running = 0

    def routes(self) -> list[web.RouteDef]:
        """The two routes; a sign-in's callback is another's, and takes no POST."""
        return [
            web.post("/api/auth/{platform}/{event:(?!callback$)[a-z0-9-]+}", self.receive),
            web.get(f"/connect/deletion/{_CODE}", self.show_erasure, allow_head=False),
        ]

    async def receive(self, request: web.Request) -> web.Response:
        """Hand a platform's callback to its plugin, and answer what that says."""
        name, event = request.match_info["platform"], request.match_info["event"]
        platform = self._platforms.find(name)
        if platform is None or platform.name != name or event not in platform.events:
            raise web.HTTPNotFound
        if self._running >= _AT_ONCE:
            raise web.HTTPServiceUnavailable
        self._running += 1
        try:
            return await self._receive(request, name, event)
        finally:
            self._running -= 1

    async def _receive(self, request: web.Request, platform: str, event: str) -> web.Response:
        body = await _read_body(request)
        form = _read_form(body) if request.content_type == _FORM else {}
        headers = {key.lower(): value for key, value in request.headers.items()}
        try:
            answer = await self._events.receive(platform, event, form=form, body=body, headers=headers)
        except PlatformEventRefused as error:
            raise web.HTTPBadRequest from error
        except (NotSupported, PlatformNotReady) as error:
            raise web.HTTPNotFound from error
        except PlatformError as error:
            raise web.HTTPServiceUnavailable from error
        return web.Response() if answer is None else web.json_response(dict(answer))

    async def show_erasure(self, request: web.Request) -> web.Response:
        """Say how an erasure stands, to whoever has its code; names nobody."""
        found = await self._events.find_erasure(request.match_info["code"])
        if found is None:
            raise web.HTTPNotFound
        title = platform.title if (platform := self._platforms.find(found.platform)) else found.platform
        return page("deletion.html", event=found, platform_title=title)


async def _read_body(request: web.Request) -> bytes:
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > _MAX_BODY_BYTES:
            raise web.HTTPRequestEntityTooLarge(max_size=_MAX_BODY_BYTES, actual_size=len(body))
    return bytes(body)


def _read_form(body: bytes) -> Mapping[str, str]:
    """The fields of a form; none may come twice."""
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise web.HTTPBadRequest from error
    if len(dict(fields)) < len(fields):
        raise web.HTTPBadRequest
    return dict(fields)
