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
    """Let Bolt answer a request; one that takes longer than ``budget`` is cancelled and answered with a sentence."""
    try:
        async with asyncio.timeout(budget.total_seconds()):
            return await app.async_dispatch(request)
    except TimeoutError:
        # no traceback: it would show where Bolt waited, not what for
        log.error(  # noqa: TRY400
            "a request was not answered in time", extra={"event": "slack.slow"}
        )
        return build_refusal(request.body, SLOW)
