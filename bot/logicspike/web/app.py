"""The one aiohttp application: pages, callback, health, and the routes handed in (Slack's)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from ..platforms import Platforms
from ..services.connecting import Connecting
from ..services.platform_events import PlatformEvents
from ..services.ports import StoreUnavailable
from .callback import CallbackPage
from .connect_pages import ConnectPages
from .health import Health, health_routes
from .pages import IS_HTTPS, error_pages, security_headers
from .platform_events import PlatformEventPages

__all__ = ["build_web_app"]

_MAX_BODY_BYTES: Final = 512 * 1024


def build_web_app(
    *,
    connecting: Connecting,
    platform_events: PlatformEvents,
    platforms: Platforms,
    health: Health,
    public_url: str,
    connect_command: str = "/connect",
    extra_routes: Sequence[web.RouteDef] = (),
    on_request: Callable[[], None] = lambda: None,
) -> web.Application:
    """Build the application.

    Args:
        connecting: the use cases behind the pages.
        platform_events: takes the platforms' own callbacks.
        platforms: the installed platforms.
        health: what ``/readyz`` asks.
        public_url: address of the callback server as browsers see it; decides about cookies and HSTS. A path in it is
            one that a proxy takes away.
        connect_command: what members type in Slack to connect an account.
        extra_routes: routes of other edges.
        on_request: called when a request has come in, such as ``Tasks.note_request``.
    """
    app = web.Application(
        middlewares=[_tell_of_requests(on_request), security_headers, error_pages, _store_errors],
        client_max_size=_MAX_BODY_BYTES,
    )
    public = urlsplit(public_url)
    app[IS_HTTPS] = public.scheme == "https"
    app.add_routes(ConnectPages(connecting, connect_command).routes())
    app.add_routes(CallbackPage(connecting, platforms, connect_command, public.path).routes())
    app.add_routes(PlatformEventPages(platform_events, platforms).routes())
    app.add_routes(health_routes(health))
    app.add_routes(extra_routes)
    return app


def _tell_of_requests(on_request: Callable[[], None]) -> Middleware:
    @web.middleware
    async def tell(request: web.Request, handler: Handler) -> web.StreamResponse:
        on_request()
        return await handler(request)

    return tell


@web.middleware
async def _store_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except StoreUnavailable as error:
        raise web.HTTPServiceUnavailable from error
