"""The OAuth redirect URI: checks what came back, hands it on, and sends the browser to a clean page."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from ..platforms import Platforms
from ..services.connecting import Callback, Connecting, StateUnknown, WrongBrowser
from .connect_pages import read_browser
from .pages import page

__all__ = ["CallbackPage"]

_STATE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_CODE: Final = re.compile(r"[\x20-\x7e]{1,4096}")  # RFC 6749 appendix A.11: visible ASCII and space
_ERROR: Final = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]{1,200}")  # RFC 6749 appendix A.7
_READ: Final = ("state", "code", "error")


class CallbackPage:
    """Handler of ``/api/auth/{platform}/callback``.

    Args:
        connecting: the use cases.
        platforms: the installed platforms.
    """

    def __init__(self, connecting: Connecting, platforms: Platforms) -> None:
        self._connecting = connecting
        self._platforms = platforms

    def routes(self) -> list[web.RouteDef]:
        """The one route, for GET only."""
        return [web.get("/api/auth/{platform}/callback", self.finish, allow_head=False)]

    async def finish(self, request: web.Request) -> web.StreamResponse:
        """Use up the state and send the browser to the result page, for success and failure alike."""
        platform = self._platforms.find(request.match_info["platform"])
        if platform is None or platform.name != request.match_info["platform"]:
            raise web.HTTPNotFound
        state, code, error = (_read_once(request, name) for name in _READ)
        if not _is_well_formed(state, code, error):
            raise web.HTTPBadRequest
        assert state is not None
        browser = read_browser(request)
        if browser is None:
            return _wrong_browser()
        try:
            result_id = await self._connecting.finish(
                Callback(platform=platform.name, state=state, browser=browser, code=code, error=error)
            )
        except WrongBrowser:
            return _wrong_browser()
        except StateUnknown:
            return page("ended.html", status=410, ticket="", can_renew=False)
        return web.Response(status=303, headers={"Location": f"/connect/result/{result_id}"})


def _read_once(request: web.Request, name: str) -> str | None:
    values = request.query.getall(name, [])
    if len(values) > 1:
        raise web.HTTPBadRequest
    return values[0] if values else None


def _is_well_formed(state: str | None, code: str | None, error: str | None) -> bool:
    if state is None or not _STATE.fullmatch(state) or (code is None) == (error is None):
        return False
    return bool(_CODE.fullmatch(code) if code is not None else _ERROR.fullmatch(error or ""))


def _wrong_browser() -> web.Response:
    return page(
        "message.html",
        status=403,
        title="This link was opened in another browser",
        text=(
            "For your safety, the sign-in must end in the browser it began in. Nothing was connected. "
            "Open the link from Slack again, and stay in that browser."
        ),
    )
