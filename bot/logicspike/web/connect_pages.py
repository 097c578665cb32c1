"""The pages a member sees in the browser: the one before consent, its button, the renewal, and the result."""

from __future__ import annotations

import re
import secrets
from typing import Final

from aiohttp import web

from ..platforms import PlatformNotReady
from ..plugin.errors import PlatformError
from ..services.connecting import Connecting, DirectMessageFailed, LinkEnded, NoSuchConnection, NotAllowed
from ..services.ports import SlackUnavailable
from .pages import FORM_ACTION, IS_HTTPS, page

__all__ = ["ConnectPages", "read_browser"]

_BROWSER: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_TICKET: Final = "{ticket:[A-Za-z0-9_-]{20,64}}"
_RESULT: Final = "{result_id:[A-Za-z0-9_-]{16,64}}"


class ConnectPages:
    """Handlers of ``/connect/…``.

    Args:
        connecting: the use cases.
    """

    def __init__(self, connecting: Connecting) -> None:
        self._connecting = connecting

    def routes(self) -> list[web.RouteDef]:
        """The routes; the result page comes first, as it would fit the ticket's pattern too."""
        return [
            web.get(f"/connect/result/{_RESULT}", self.show_result, allow_head=False),
            web.get(f"/connect/{_TICKET}", self.show_link, allow_head=False),
            web.post(f"/connect/{_TICKET}", self.begin),
            web.post(f"/connect/{_TICKET}/renew", self.renew),
        ]

    async def show_link(self, request: web.Request) -> web.Response:
        """Name workspace, member and platform, with one button; changes nothing and sets no cookie."""
        ticket = request.match_info["ticket"]
        try:
            link = await self._connecting.open_link(ticket)
        except LinkEnded as ended:
            return _ended(ticket, can_renew=ended.can_renew)
        except PlatformNotReady as error:
            return _not_ready(error.explanation)
        response = page("connect.html", link=link, ticket=ticket)
        response[FORM_ACTION] = link.authorize_origin
        return response

    async def begin(self, request: web.Request) -> web.StreamResponse:
        """Send the browser to the platform with a fresh authorize URL, bound to this browser by a cookie."""
        _refuse_other_sites(request)
        ticket = request.match_info["ticket"]
        browser = read_browser(request) or secrets.token_urlsafe(32)
        try:
            url = await self._connecting.begin(ticket, browser)
        except LinkEnded as ended:
            return _ended(ticket, can_renew=ended.can_renew)
        except (PlatformNotReady, PlatformError) as error:
            return _not_ready(error.explanation)
        response = web.Response(status=303, headers={"Location": url})
        is_https = request.app[IS_HTTPS]
        response.set_cookie(
            _cookie_name(is_https=is_https),
            browser,
            path="/",
            max_age=3600,
            secure=is_https,
            httponly=True,
            samesite="Lax",  # Strict would keep the cookie from coming back with the platform's redirect.
        )
        return response

    async def renew(self, request: web.Request) -> web.Response:
        """Send a new link by DM to the member the old one was for."""
        _refuse_other_sites(request)
        try:
            await self._connecting.renew(request.match_info["ticket"])
        except LinkEnded:
            return _ended("", can_renew=False)
        except PlatformNotReady as error:
            return _not_ready(error.explanation)
        except (NoSuchConnection, NotAllowed):
            return page(
                "message.html",
                status=410,
                title="This account is no longer connected",
                text="There is nothing to renew. Type /connect in Slack to connect it again.",
            )
        except (DirectMessageFailed, SlackUnavailable):
            return page(
                "message.html",
                status=503,
                title="Slack did not take our message",
                text="No new link was sent. Try again in a minute, or type /connect in Slack.",
            )
        return page(
            "message.html",
            title="Look in Slack",
            text="A new link is waiting for you there, in the bot's direct messages. You can close this page.",
        )

    async def show_result(self, request: web.Request) -> web.Response:
        """Say what came of a sign-in and what to do; holds no code, state or token."""
        result = await self._connecting.find_result(request.match_info["result_id"])
        if result is None:
            return page(
                "message.html",
                status=410,
                title="This page has ended",
                text="What came of your sign-in stands in Slack, in the bot's direct messages.",
            )
        return page("result.html", result=result)


def read_browser(request: web.Request) -> str | None:
    """The value of the binding cookie, if there is a well-formed one."""
    value = request.cookies.get(_cookie_name(is_https=request.app[IS_HTTPS]), "")
    return value if _BROWSER.fullmatch(value) else None


def _cookie_name(*, is_https: bool) -> str:
    # __Host- makes browsers refuse a cookie set by a sibling domain; it needs https.
    return "__Host-logicspike" if is_https else "logicspike"


def _refuse_other_sites(request: web.Request) -> None:
    """Refuse forms sent from other sites; Origin is null under our own referrer policy and tells nothing."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise web.HTTPForbidden


def _ended(ticket: str, *, can_renew: bool) -> web.Response:
    return page("ended.html", status=410, ticket=ticket, can_renew=can_renew)


def _not_ready(explanation: str) -> web.Response:
    return page("message.html", status=503, title="This platform can't be used right now", text=explanation)
