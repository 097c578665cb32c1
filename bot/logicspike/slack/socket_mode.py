"""Socket Mode: Slack's requests over a connection that we open, for a bot that no address leads to."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from .dispatching import ACK_BUDGET, dispatch_in_time

__all__ = ["SocketMode"]

log = logging.getLogger(__name__)


class SocketMode:
    """Keeps one connection to Slack open and answers what comes through it.

    The connection itself is the proof of who is calling: it was opened with the app token, and nothing in it is signed.

    Args:
        app: from ``build_slack_app``.
        app_token: the Slack app's token with the scope connections:write.
        budget: after this long a request is answered with a sentence instead, and its listener cancelled.
    """

    def __init__(self, app: AsyncApp, *, app_token: str, budget: timedelta = ACK_BUDGET) -> None:
        self._app = app
        self._app_token = app_token
        self._budget = budget
        self._handler: _Handler | None = None

    async def is_connected(self) -> bool:
        """Whether the connection is up."""
        return self._handler is not None and await self._handler.client.is_connected()

    async def run(self) -> None:
        """Connect, reconnect whenever it breaks, and close when cancelled."""
        # Made here because its constructor starts tasks and opens a session of its own.
        handler = self._handler = _Handler(self._app, app_token=self._app_token, budget=self._budget)
        try:
            await handler.client.connect()  # type: ignore[no-untyped-call]  # tries again by itself, for ever
            log.info("connected to Slack by Socket Mode", extra={"event": "slack.socket_open"})
            await asyncio.Event().wait()
        finally:
            self._handler = None
            await handler.client.close()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
            await asyncio.sleep(0)  # the SDK cancels its tasks without waiting for them


class _Handler(AsyncSocketModeHandler):
    def __init__(self, app: AsyncApp, *, app_token: str, budget: timedelta) -> None:
        super().__init__(app, app_token, logger=logging.getLogger("slack_sdk.socket_mode"))
        self._budget = budget

    async def handle(self, client: AsyncBaseSocketModeClient, req: SocketModeRequest) -> None:
        """Answer one envelope of Slack's."""
        started = time.time()  # the SDK's own measure, for its debug log
        request = AsyncBoltRequest(mode="socket_mode", body=req.payload, headers=build_headers(req))
        response = await dispatch_in_time(self.app, request, budget=self._budget)
        await send_async_response(client, req, response, started)
