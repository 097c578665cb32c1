"""Handing a request to Bolt so that Slack gets an answer in time, whatever happens inside."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Final

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from .refusing import SLOW, build_refusal

__all__ = ["ACK_BUDGET", "dispatch_in_time"]

log = logging.getLogger(__name__)

ACK_BUDGET: Final = timedelta(seconds=2.5)
"""Slack waits three seconds for an answer: docs.slack.dev/interactivity/handling-user-interaction, checked 2026-11."""


async def dispatch_in_time(app: AsyncApp, request: AsyncBoltRequest, *, budget: timedelta) -> BoltResponse:
    """Let Bolt answer a request.

    One that takes longer than ``budget`` is cancelled and answered with a sentence. So is one that Bolt itself stumbles
    over: it looks into payloads before it calls anybody, its error handler included.
    """
    try:
        async with asyncio.timeout(budget.total_seconds()):
            return await app.async_dispatch(request)
    except TimeoutError:
        # no traceback: it would show where Bolt waited, not what for
        log.error("a request was not answered in time", extra={"event": "slack.slow"})  # noqa: TRY400
        return build_refusal(request.body, SLOW)
    except Exception as error:
        # no traceback: its text may quote the payload
        log.error("a request was not understood: %s", type(error).__name__, extra={"event": "slack.unreadable"})  # noqa: TRY400
        return BoltResponse(status=400, body="not readable")
