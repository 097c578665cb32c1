"""The pages a member sees in the browser: the one before consent, its button, the renewal, and the result."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Final

from aiohttp import web

from ..chosen_servers import ServerRefused
from ..egress import find_picture_origin
from ..platforms import PlatformNotReady
from ..plugin.errors import PlatformError
from ..services.connecting import Connecting, DirectMessageFailed, LinkEnded, NoSuchConnection, NotAllowed
from ..services.people import SlackUnavailable
from .pages import FORM_ACTION, FORM_LEADS_ANYWHERE, IS_HTTPS, PICTURE_ORIGIN, ended_page, page

__all__ = ["ConnectPages", "read_browser"]

_BROWSER: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_BROWSER_BYTES: Final = 32
_BROWSER_LIFETIME: Final = timedelta(hours=1)
_LONGEST_SERVER: Final = 300
_TICKET: Final = "{ticket:[A-Za-z0-9_-]{20,64}}"
_RESULT: Final = "{result_id:[A-Za-z0-9_-]{16,64}}"


class ConnectPages:
    """Handlers of ``/connect/…``; forms lead to relative addresses, so that a proxy may put a path in front.

    Args:
        connecting: the use cases.
        connect_command: what members type in Slack to connect an account.
    """

    def __init__(self, connecting: Connecting, connect_command: str) -> None:
        self._connecting = connecting
        self._command = connect_command

    def routes(self) -> list[web.RouteDef]:
        """The four routes; only the methods named are answered, HEAD is not."""
        return [
            web.get(f"/connect/result/{_RESULT}", self.show_result, allow_head=False),
            web.get(f"/connect/{_TICKET}", self.show_link, allow_head=False),
            web.post(f"/connect/{_TICKET}", self.begin),
            web.post(f"/connect/{_TICKET}/renew", self.renew),
        ]

    async def show_link(self, request: web.Request) -> web.Response:
        """Name workspace, member and platform, with one button; changes nothing and sets no cookie."""
        return await self._show(request.match_info["ticket"])

    async def begin(self, request: web.Request) -> web.StreamResponse:
        """Send the browser to the platform with a fresh authorize URL, bound to this browser by a cookie."""
        _refuse_other_sites(request)
        ticket = request.match_info["ticket"]
        browser = read_browser(request) or secrets.token_urlsafe(_BROWSER_BYTES)
        server = await _read_server(request)
        try:
            url = await self._connecting.begin(ticket, browser, server)
        except LinkEnded as ended:
            return self._ended(ticket, ended)
        except ServerRefused as refused:
            return await self._show(ticket, typed=server, problem=refused.explanation)
        except (PlatformNotReady, PlatformError) as error:
            return _not_ready(error.explanation)
        response = web.Response(status=303, headers={"Location": url})
        _bind_browser(request, response, browser)
        return response

    async def renew(self, request: web.Request) -> web.Response:
        """Send a new link by DM to the member the old one was for."""
        _refuse_other_sites(request)
        try:
            await self._connecting.renew(request.match_info["ticket"])
        except LinkEnded:
            return ended_page(command=self._command)
        except PlatformNotReady as error:
            return _not_ready(error.explanation)
        except (NoSuchConnection, NotAllowed):
            return page(
                "message.html",
                status=410,
                title="There is nothing to renew",
                text="The account this link was for is no longer connected by you.",
                advice=f"To connect it again, type {self._command} in Slack.",
            )
        except (DirectMessageFailed, SlackUnavailable):
            return page(
                "message.html",
                status=503,
                title="Slack did not take our message",
                text="No new link was sent.",
                advice=f"Go back and try again in a minute, or type {self._command} in Slack.",
            )
        return page(
            "message.html",
            title="Look in Slack",
            text="A new link is waiting for you in your direct messages with the bot.",
            advice="You can close this page.",
        )

    async def show_result(self, request: web.Request) -> web.Response:
        """Say what came of a sign-in and what to do; holds no code, state or token."""
        result = await self._connecting.find_result(request.match_info["result_id"])
        if result is None:
            return page(
                "message.html",
                status=410,
                title="This page has ended",
                text="What came of your sign-in is in Slack, in your direct messages with the bot.",
            )
        origin = find_picture_origin(result.account_picture)
        address = result.account_url or ""
        response = page(
            "result.html",
            result=result,
            has_picture=origin is not None,
            address=address if address.startswith(("https://", "http://")) else None,
        )
        if origin is not None:
            response[PICTURE_ORIGIN] = origin
        return response

    async def _show(self, ticket: str, *, typed: str = "", problem: str = "") -> web.Response:
        try:
            link = await self._connecting.open_link(ticket)
        except LinkEnded as ended:
            return self._ended(ticket, ended)
        except PlatformNotReady as error:
            return _not_ready(error.explanation)
        response = page(
            "connect.html",
            status=422 if problem else 200,
            link=replace(link, server=typed) if problem else link,
            ticket=ticket,
            problem=problem,
        )
        response[FORM_ACTION] = link.authorize_origin
        # Which server it will lead to is in the field, and not known yet.
        response[FORM_LEADS_ANYWHERE] = bool(link.server)
        return response

    def _ended(self, ticket: str, ended: LinkEnded) -> web.Response:
        return ended_page(command=self._command, renewable_ticket=ticket if ended.can_renew else None)


async def _read_server(request: web.Request) -> str:
    """What stands in the field of the page's form; "" where it has none."""
    if request.content_type != "application/x-www-form-urlencoded":
        return ""
    try:
        form = await request.post()
    except (ValueError, LookupError):  # bytes that are not in the encoding it names, or one that nobody knows
        raise web.HTTPBadRequest from None
    return str(form.get("server", ""))[:_LONGEST_SERVER]


def read_browser(request: web.Request) -> str | None:
    """The value of the binding cookie, if there is a well-formed one."""
    value = request.cookies.get(_cookie_name(is_https=request.app[IS_HTTPS]), "")
    return value if _BROWSER.fullmatch(value) else None


def _bind_browser(request: web.Request, response: web.Response, browser: str) -> None:
    is_https = request.app[IS_HTTPS]
    response.set_cookie(
        _cookie_name(is_https=is_https),
        browser,
        path="/",
        max_age=int(_BROWSER_LIFETIME.total_seconds()),
        secure=is_https,
        httponly=True,
        samesite="Lax",  # Strict would keep the cookie from coming back with the platform's redirect.
    )


def _cookie_name(*, is_https: bool) -> str:
    # __Host- makes browsers refuse a cookie set by a sibling domain; it needs https.
    return "__Host-logicspike" if is_https else "logicspike"


def _refuse_other_sites(request: web.Request) -> None:
    """Refuse forms sent from other sites; Origin is null under our own referrer policy and tells nothing."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise web.HTTPForbidden


def _not_ready(explanation: str) -> web.Response:
    return page(
        "message.html",
        status=503,
        title="This platform can’t be used right now",
        text=explanation,
        advice="Nothing was connected. The link in Slack stays good until it ends.",
    )
