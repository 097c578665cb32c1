"""Renders pages, and puts the strict headers on every answer."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import jinja2
from aiohttp import web
from markupsafe import Markup

from ..services.connecting import LINK_LIFETIME

__all__ = [
    "FORM_ACTION",
    "FORM_LEADS_ANYWHERE",
    "IS_HTTPS",
    "PICTURE_ORIGIN",
    "ended_page",
    "error_pages",
    "page",
    "security_headers",
]

log = logging.getLogger(__name__)

IS_HTTPS: Final = web.AppKey("is_https", bool)
"""Whether browsers reach the bot by https."""
FORM_ACTION: Final = web.ResponseKey("form_action", str)
"""The platform's authorize origin, on pages whose form leads there."""
FORM_LEADS_ANYWHERE: Final = web.ResponseKey("form_leads_anywhere", bool)
"""Whether the form leads to a server that the member names in it, by https."""

PICTURE_ORIGIN: Final = web.ResponseKey("picture_origin", str)
"""Where the page's one picture comes from, on pages that show one."""

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("logicspike.web"), autoescape=True, undefined=jinja2.StrictUndefined
)


def _load_style() -> tuple[Markup, str]:
    loader = _templates.loader
    assert loader is not None
    source, _, _ = loader.get_source(_templates, "style.css")
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return Markup(source), f"'sha256-{digest}'"  # noqa: S704 - our own file, nothing of anybody else's is in it


_STYLE, _STYLE_HASH = _load_style()


def page(template: str, *, status: int = 200, **values: object) -> web.Response:
    """Render one of our templates as an answer."""
    text = _templates.get_template(template).render(style=_STYLE, **values)
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


def ended_page(*, command: str, renewable_ticket: str | None = None) -> web.Response:
    """The answer (410) to a link or a sign-in that is unknown, used or over.

    Args:
        command: what members type in Slack to connect an account.
        renewable_ticket: of the ended link, if the page may offer a new one.
    """
    minutes = LINK_LIFETIME // timedelta(minutes=1)
    return page("ended.html", status=410, ticket=renewable_ticket, minutes=minutes, command=command)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ERRORS: Final = {
    400: ("This address is not complete", "Please go back to Slack and start again from there."),
    403: ("This can’t be done from here", "Please go back to Slack and start again from there."),
    404: ("There is nothing here", "Check the address, or go back to Slack and start again from there."),
    405: ("This address can’t be used like that", "Please go back to Slack and start again from there."),
    413: ("That was too large", "Nothing was changed."),
    503: (
        "Not just now",
        "The bot can’t reach its database at the moment. Nothing was changed; try again in a minute.",
    ),
}


@web.middleware
async def error_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error with a friendly page that repeats nothing of the request."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _error_page(error.status, allow=error.headers.get("Allow"))
    except Exception:
        reference = secrets.token_hex(4)
        # The path may hold a ticket, so it is not logged: the traceback and the reference are enough.
        log.exception("a page failed, reference %s", reference, extra={"event": "page.failed", "reference": reference})
        return page(
            "message.html",
            status=500,
            title="Something broke on our side",
            text="Go back to Slack and try again in a minute.",
            advice=f"If it happens again, tell whoever runs the bot this reference: {reference}.",
        )


def _error_page(status: int, *, allow: str | None) -> web.Response:
    title, text = _ERRORS.get(status, (HTTPStatus(status).phrase, "Please go back to Slack and start again."))
    response = page("message.html", status=status, title=title, text=text)
    if allow:
        response.headers["Allow"] = allow
    return response


_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Server": "LogicSpike",  # else aiohttp names itself and Python with their versions
}
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")
_DOMAIN: Final = re.compile(r"https://(?:www\.)?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z][A-Za-z0-9-]*)")


@web.middleware
async def security_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put the strict headers on an answer, redirects included."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        _add_headers(request, error)
        raise
    _add_headers(request, response)
    return response


def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    form_action = _list_form_targets(response.get(FORM_ACTION, ""))
    if response.get(FORM_LEADS_ANYWHERE, False):
        form_action += " https:"
    pictures = response.get(PICTURE_ORIGIN, "")
    img_src = f"img-src {pictures}; " if _ORIGIN.fullmatch(pictures) else ""
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src {_STYLE_HASH}; {img_src}form-action {form_action}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    if request.app[IS_HTTPS]:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"


def _list_form_targets(origin: str) -> str:
    """Where forms of the page may lead: to us and, with an origin given, to the platform."""
    if not _ORIGIN.fullmatch(origin):
        return "'self'"
    targets = ["'self'", origin]
    # Chromium holds every redirect after a form against form-action (156, tried 2026-11), and platforms send people on
    # to names of the same domain, such as www. to m., before they show the sign-in.
    if found := _DOMAIN.fullmatch(origin):
        targets.append(f"https://*.{found[1]}")
    return " ".join(targets)
