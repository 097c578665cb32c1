"""What a plugin is lent for a call: our app, the origins to build addresses from, a session that reaches them only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import MappingProxyType

from .clock import Clock
from .developer_apps import DeveloperApp
from .egress import Egress, is_loopback_origin
from .plugin import Platform, PlatformContext

__all__ = ["ContextLender", "Sleep"]

Sleep = Callable[[float], Awaitable[None]]
"""Waits so many seconds."""


class ContextLender:
    """Makes the context of each call.

    Args:
        egress: the HTTP sessions.
        clock: what the plugins are told the time by.
        sleep: how they wait for a platform that is still processing.
    """

    def __init__(self, egress: Egress, clock: Clock, sleep: Sleep) -> None:
        self._egress = egress
        self._clock = clock
        self._sleep = sleep

    @asynccontextmanager
    async def lend(
        self, platform: Platform, app: DeveloperApp, credential_set: str, server: str
    ) -> AsyncIterator[PlatformContext]:
        """The context of one call, good until the block ends.

        Args:
            platform: whose call it is.
            app: our app there, whose client is not missing.
            credential_set: which of its clients.
            server: the origin that the member chose; "" where they don't.

        Raises:
            RuntimeError: the sessions are not open.
        """
        endpoints = dict(app.endpoints)
        is_elsewhere = server not in {"", app.endpoints.get(platform.chosen_endpoint, server)}
        if is_elsewhere:
            endpoints[platform.chosen_endpoint] = server
        origins = set(endpoints.values())
        # With all endpoints on this machine, as in the sandbox, nothing outside of it is reached.
        if not all(is_loopback_origin(origin) for origin in origins):
            origins |= {f"https://{host}" for host in platform.upload_hosts}
        client = app.get_client(credential_set)
        assert client is not None  # the caller looked
        async with AsyncExitStack() as stack:
            if is_elsewhere:
                http = await stack.enter_async_context(self._egress.lend_session(platform.name, origins))
            else:
                http = self._egress.get_session(platform.name, origins)
            yield PlatformContext(
                client=client,
                endpoints=MappingProxyType(endpoints),
                settings=MappingProxyType(dict(app.settings)),
                http=http,
                now=self._clock.now(),
                credential_set=credential_set,
                sleep=self._sleep,
            )
