"""Callbacks of platforms: a grant that its person ended there, or wants erased here, in whatever workspace."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any, Final

from ..clock import Clock
from ..domain import Connection, ConnectionStatus, ReceivedEvent
from ..platforms import Platforms
from ..plugin.errors import ReconnectRequired
from ..plugin.types import PlatformEvent
from ..tasks import Tasks, TooBusy
from .erasing import Erasing
from .ports import ConnectionStore, PlatformEventStore, StoreUnavailable
from .refreshing import Refreshing

__all__ = ["PlatformEvents"]

log = logging.getLogger(__name__)

_CLAIM: Final = timedelta(minutes=2)
"""How long one process has a callback for itself: longer than telling a few owners takes."""
_UNDER_WAY: Final = timedelta(minutes=1)
"""Tokens that came so soon after a callback are no sign that the grant was given anew: they were asked for before."""
_BATCH: Final = 20
_TRIES: Final = 5


class PlatformEvents:
    """Takes callbacks and carries them out.

    What is to be done is written down before the platform has its answer, so that a process which ends right after
    leaves it to another. The same callback again changes nothing, whether it is a retry or a copy of an old one.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        events: where callbacks are kept.
        refreshing: ends access, and tells the owner.
        erasing: erases accounts.
        clock: the time.
        public_url: address of the callback server.
        tasks: runs what the platform need not wait for.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        connections: ConnectionStore,
        events: PlatformEventStore,
        refreshing: Refreshing,
        erasing: Erasing,
        clock: Clock,
        public_url: str,
        tasks: Tasks,
    ) -> None:
        self._platforms = platforms
        self._connections = connections
        self._events = events
        self._refreshing = refreshing
        self._erasing = erasing
        self._clock = clock
        self._public_url = public_url.rstrip("/")
        self._tasks = tasks

    async def receive(
        self, platform: str, name: str, *, form: Mapping[str, str], body: bytes, headers: Mapping[str, str]
    ) -> Mapping[str, str] | None:
        """Take a callback; the JSON object to answer with, or None for an empty answer.

        Until its plugin has verified it, nothing is read from the database or written.

        Args:
            platform: the plugin's name.
            name: the callback's, one of ``Platform.events``.
            form: the fields of a form-encoded body.
            body: the body as it came.
            headers: by lower-case name.

        Raises:
            PlatformEventRefused: it does not come from the platform.
            NotSupported, PlatformNotReady: nothing takes it.
            PlatformError: the plugin could not read it just now.
            StoreUnavailable: the database did not answer; the platform should call again.
        """
        event_id = hashlib.sha256(b"\0".join((platform.encode(), name.encode(), body))).hexdigest()
        # Made from the callback, so that a retry is given the same; only who has the callback can know it.
        code = hashlib.sha256(f"confirmation {event_id}".encode()).hexdigest()[:24]
        outcome = await self._platforms.receive(
            platform,
            PlatformEvent(
                name=name,
                form=form,
                body=body,
                headers=headers,
                status_url=f"{self._public_url}/connect/deletion/{code}",
                confirmation_code=code,
            ),
        )
        if outcome.ended_grants or outcome.erased_grants:
            now = self._clock.now()
            event = ReceivedEvent(
                event_id=event_id,
                platform=platform,
                confirmation_code=code,
                received_at=now,
                ended_grants=tuple(outcome.ended_grants),
                erased_grants=tuple(outcome.erased_grants),
                is_erasure=bool(outcome.erased_grants),
                due_at=now + _CLAIM,
            )
            if await self._events.begin(event):
                log.info("took %s of %s", name, platform, extra={"event": "platform.event", "platform": platform})
                await self._later(lambda: self._try(event))
        return outcome.answer

    async def _later(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        try:
            self._tasks.defer(work, name="carry out a platform's callback")
        except TooBusy:
            await work()

    async def finish_due(self) -> int:
        """Carry out what a process left undone; how many callbacks.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        finished = 0
        now = self._clock.now()
        for event in await self._events.list_due(now, limit=_BATCH):
            if await self._events.claim(event, until=now + _CLAIM):
                finished += await self._try(event)
        return finished

    async def find_erasure(self, confirmation_code: str) -> ReceivedEvent | None:
        """The request for an erasure with this code; None when there is none, or none any more.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return await self._events.find_erasure(confirmation_code)

    async def _try(self, event: ReceivedEvent) -> bool:
        try:
            for grant_id in event.ended_grants:
                await self._for_each(event, grant_id, self._end)
            for grant_id in event.erased_grants:
                await self._for_each(event, grant_id, self._erasing.erase)
            await self._events.finish(event.event_id, at=self._clock.now())
        except StoreUnavailable:
            log.warning("a platform's callback waits for the database", extra={"event": "platform.event_waits"})
            return False
        return True

    async def _for_each(
        self, event: ReceivedEvent, grant_id: str, work: Callable[[Connection], Awaitable[object]]
    ) -> None:
        # A callback is verified by the secret of the platform's first app, and speaks of that app's grants alone.
        for connection in await self._connections.list_by_grant(event.platform, "", grant_id):
            given_anew = connection.refreshed_at is not None and connection.refreshed_at > (
                event.received_at + _UNDER_WAY
            )
            if not given_anew:
                await work(connection)

    async def _end(self, connection: Connection) -> None:
        title = self._platforms.get(connection.platform).title
        why = ReconnectRequired(f"You removed LogicSpike at {title}.")
        for _ in range(_TRIES):
            if connection.status is ConnectionStatus.PENDING_CHOICE:
                await self._connections.delete(connection)
                return
            if connection.status is not ConnectionStatus.ACTIVE or await self._refreshing.end_access(connection, why):
                return
            current = await self._connections.find(connection.team_id, connection.connection_id)
            if current is None:
                return
            connection = current
        log.warning(
            "a connection changed too fast to be ended",
            extra={"event": "platform.event_lost", "connection_id": connection.connection_id},
        )
