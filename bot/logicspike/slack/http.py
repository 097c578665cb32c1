"""The route that Slack calls: what is not signed by Slack, or not readable, never gets past it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import CIMultiDictProxy
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from .dispatching import ACK_BUDGET, dispatch_in_time

__all__ = ["BODY_LIMIT", "EVENTS_PATH", "is_signed", "slack_routes"]

log = logging.getLogger(__name__)

EVENTS_PATH: Final = "/slack/events"
BODY_LIMIT: Final = 512 * 1024
"""Bytes; the largest payloads, submissions of a full modal, stay well below."""

_WINDOW_SECONDS: Final = 300  # docs.slack.dev/authentication/verifying-requests-from-slack, checked 2026-11
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE: Final = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)
_SSL_CHECK_LIMIT: Final = 1024


def slack_routes(app: AsyncApp, *, signing_secret: str, budget: timedelta = ACK_BUDGET) -> list[web.RouteDef]:
    """Build the route for commands, interactions and events; to be added to the bot's aiohttp application.

    Args:
        app: from ``build_slack_app``.
        signing_secret: the Slack app's.
        budget: after this long a request is answered with a sentence instead, and its listener cancelled.

    Raises:
        ValueError: the signing secret is empty.
    """
    if not signing_secret.strip():
        raise ValueError("the Slack signing secret is empty")
    guard = _Guard(app, signing_secret=signing_secret, budget=budget)
    return [web.post(EVENTS_PATH, guard.on_request)]


def is_signed(raw: bytes, headers: CIMultiDictProxy[str], *, signing_secret: str, now: float) -> bool:
    """Tell whether Slack signed these very bytes within the last five minutes.

    Args:
        raw: the body as it came.
        headers: the request's.
        signing_secret: the Slack app's.
        now: Unix seconds, of real time.
    """
    timestamps = headers.getall("X-Slack-Request-Timestamp", [])
    signatures = headers.getall("X-Slack-Signature", [])
    if len(timestamps) != 1 or len(signatures) != 1:
        return False
    timestamp, signature = timestamps[0], signatures[0]
    if _TIMESTAMP.fullmatch(timestamp) is None or _SIGNATURE.fullmatch(signature) is None:
        return False
    if abs(now - int(timestamp)) > _WINDOW_SECONDS:
        return False
    signed = b"v0:%b:%b" % (timestamp.encode(), raw)
    digest = hmac.new(signing_secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", signature)


class _Guard:
    def __init__(self, app: AsyncApp, *, signing_secret: str, budget: timedelta) -> None:
        self._app = app
        self._signing_secret = signing_secret
        self._budget = budget

    async def on_request(self, request: web.Request) -> web.Response:
        """Answer one request of Slack's."""
        if request.content_length is not None and request.content_length > BODY_LIMIT:
            return _plain(413, "too large")
        try:
            async with asyncio.timeout(self._budget.total_seconds()):
                raw = await request.read()
        except TimeoutError:
            return _plain(408, "too slow")
        if len(raw) > BODY_LIMIT:
            return _plain(413, "too large")
        if _is_ssl_check(raw):
            return _plain(200, "")
        if not is_signed(raw, request.headers, signing_secret=self._signing_secret, now=time.time()):
            log.warning("a request that Slack did not sign was refused", extra={"event": "slack.unsigned"})
            return _plain(401, "not signed by Slack")
        bolt_request = _parse(raw, request)
        if bolt_request is None:
            log.warning("a signed request could not be read", extra={"event": "slack.unreadable"})
            return _plain(400, "not readable")
        response = await dispatch_in_time(self._app, bolt_request, budget=self._budget)
        return await to_aiohttp_response(response)


def _parse(raw: bytes, request: web.Request) -> AsyncBoltRequest | None:
    # Bolt obeys headers of its own name, meant for its lazy listeners: nobody outside may send them.
    headers: dict[str, str] = {
        name: value for name, value in request.headers.items() if not name.lower().startswith("x-slack-bolt-")
    }
    try:
        parsed = AsyncBoltRequest(body=raw.decode(), query=request.query_string, headers=dict(headers))
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        # Bolt digs for ids while it reads: JSON that is no object, or has lists where ids belong, fails in many ways.
        return None
    if not _has_objects(parsed.body):
        return None
    if _ESCAPED_SURROGATE.search(raw):
        parsed.body = _mend(parsed.body)
    return parsed


_OBJECTS: Final = ("container", "event", "message", "user", "view")
_ESCAPED_SURROGATE: Final = re.compile(rb"(?:\\|%5c)ud[89a-f]", re.IGNORECASE)


def _has_objects(body: Mapping[str, Any]) -> bool:
    """Whether objects are where Slack has them: Bolt looks into them before any listener can."""
    actions = body.get("actions", [{}])
    is_list = isinstance(actions, list) and all(isinstance(action, dict) for action in actions)
    return is_list and bool(actions) and all(isinstance(body.get(name, {}), dict) for name in _OBJECTS)


def _mend(body: dict[str, Any]) -> dict[str, Any]:
    """Put U+FFFD where half of an emoji is left, as a field's limit may cut it: half a pair can't be stored or sent."""
    text = json.dumps(body, ensure_ascii=False)
    mended: dict[str, Any] = json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    return mended


def _is_ssl_check(raw: bytes) -> bool:
    """Whether it's Slack's look at our certificate, which carries no signature."""
    if b"ssl_check" not in raw or len(raw) > _SSL_CHECK_LIMIT or not raw.isascii():
        return False
    return ("ssl_check", "1") in parse_qsl(raw.decode("ascii"))


def _plain(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text)
