"""The OAuth redirect URI: checks what came back, hands it on, and sends the browser to a clean page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from ..platforms import Platforms
from ..services.connecting import Callback, Connecting, StateUnknown, WrongBrowser
from .connect_pages import read_browser
from .pages import ended_page, page

__all__ = ["CallbackPage"]

_STATE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_CODE: Final = re.compile(r"[\x20-\x7e]{1,4096}")  # RFC 6749 appendix A.11: visible ASCII and space
_ERROR: Final = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]{1,200}")  # RFC 6749 appendix A.7


class CallbackPage:
    """Handler of ``/api/auth/{platform}/callback``.

    Args:
        connecting: the use cases.
        platforms: the installed platforms.
        connect_command: what members type in Slack to connect an account.
        public_path: what a proxy takes away from the front of the path; mostly nothing.
    """

    def __init__(
        self, connecting: Connecting, platforms: Platforms, connect_command: str, public_path: str = ""
    ) -> None:
        self._connecting = connecting
        self._platforms = platforms
        self._command = connect_command
        self._result = f"{public_path.rstrip('/')}/connect/result"

    def routes(self) -> list[web.RouteDef]:
        """The one route, for GET only."""
        return [web.get("/api/auth/{platform}/callback", self.finish, allow_head=False)]

    async def finish(self, request: web.Request) -> web.StreamResponse:
        """Use up the state and send the browser to the result page, for success and failure alike."""
        name = request.match_info["platform"]
        platform = self._platforms.find(name)
        if platform is None or platform.name != name:  # aliases are for typing, not for addresses
            raise web.HTTPNotFound
        # Without a cookie no state fits; whether it is another browser's or over is told all the same.
        callback = _read_callback(platform.name, _read_query(request), browser=read_browser(request) or "")
        try:
            result_id = await self._connecting.finish(callback)
        except WrongBrowser:
            return _wrong_browser()
        except StateUnknown:
            return ended_page(command=self._command)
        return web.Response(status=303, headers={"Location": f"{self._result}/{result_id}"})


def _read_query(request: web.Request) -> Mapping[str, str]:
    """The parameters that have a value; RFC 6749 section 3.1: none may come twice, an empty one counts as absent."""
    query = request.query
    if len(query) != len(set(query)):
        raise web.HTTPBadRequest
    return {name: value for name, value in query.items() if value}


def _read_callback(platform: str, query: Mapping[str, str], *, browser: str) -> Callback:
    state, code, error = query.get("state"), query.get("code"), query.get("error")
    if state is None or not _STATE.fullmatch(state) or (code is None) == (error is None):
        raise web.HTTPBadRequest
    if (code is not None and not _CODE.fullmatch(code)) or (error is not None and not _ERROR.fullmatch(error)):
        raise web.HTTPBadRequest
    return Callback(platform=platform, state=state, browser=browser, code=code, error=error)


def _wrong_browser() -> web.Response:
    return page(
        "message.html",
        status=403,
        title="This sign-in began in another browser",
        text="For your safety it must end where it began. Nothing was connected.",
        advice=(
            "Open the link from Slack again and stay in that browser. If Slack or the platform opens a window of its "
            "own, copy the link into the browser you are signed in with."
        ),
    )
