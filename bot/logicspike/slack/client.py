"""The one Web API client: over the shared session, patient with rate limits."""

from __future__ import annotations

import logging
from typing import Final

import aiohttp
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from ..settings import is_loopback

__all__ = ["build_client", "keep_off_proxy"]

_RATE_LIMIT_TRIES: Final = 2


def build_client(*, token: str, api_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Build the client for a bot token.

    Args:
        token: the bot token.
        api_url: the Web API's address, with its ``/api/``.
        session: the shared one; its own timeout bounds each request, since the SDK applies none to a lent session.
    """
    # At DEBUG the SDK logs what it sends, and with it every private link.
    logging.getLogger("slack_sdk").setLevel(logging.WARNING)
    client = AsyncWebClient(
        token=token,
        base_url=api_url,
        session=session,
        # A message sent twice after a broken connection is a lesser evil than a sign-in link that never comes.
        retry_handlers=[
            AsyncConnectionErrorRetryHandler(),
            AsyncRateLimitErrorRetryHandler(max_retry_count=_RATE_LIMIT_TRIES),
        ],
    )
    keep_off_proxy(client)
    return client


def keep_off_proxy(client: AsyncWebClient) -> None:
    """Reach a Slack on this very machine, as in the sandbox, without the proxy that the SDK takes from the environment.

    The SDK (3.x, checked 2026-11) heeds ``HTTPS_PROXY``, but no ``NO_PROXY``.
    """
    if is_loopback(client.base_url):
        client.proxy = None
