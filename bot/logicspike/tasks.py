"""Background work that is never lost sight of: each task is held, its failure logged, all are drained at the end."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final, TypeVar

__all__ = ["Tasks", "TooBusy", "cancel"]

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_TASK_LIMIT: Final = 1000
_CANCEL_AGAIN_SECONDS: Final = 0.5
_QUIET: Final = timedelta(milliseconds=10)  # more than lies between the requests of one burst
_LONGEST_WAIT: Final = timedelta(milliseconds=250)  # a trigger_id is good for three seconds


class TooBusy(Exception):
    """So many tasks are under way that another one would only make all of them late; nothing was started."""


async def cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks, and wait until all have ended; what they ended with is not looked at.

    More than once where it takes that: ``asyncio.wait_for``, by which PyMongo waits, loses a cancellation that comes
    together with its result, until Python 3.12 (github.com/python/cpython/issues/86296, checked 2026-11).
    """
    while pending := {task for task in tasks if not task.done()}:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_CANCEL_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


class Tasks:
    """A bounded set of background tasks.

    Args:
        limit: how many may be under way at once; beyond it ``spawn`` refuses.
        quiet: deferred work begins once nobody has asked for this long.
        longest_wait: deferred work begins after this long, however much is asked.
    """

    def __init__(
        self, *, limit: int = _TASK_LIMIT, quiet: timedelta = _QUIET, longest_wait: timedelta = _LONGEST_WAIT
    ) -> None:
        self._limit = limit
        self._quiet = quiet.total_seconds()
        self._longest_wait = longest_wait.total_seconds()
        self._running: set[asyncio.Task[Any]] = set()
        self._asked_at = -math.inf

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, work: Coroutine[Any, Any, Result], *, name: str | None = None) -> asyncio.Task[Result]:
        """Start work in the background, and keep it alive until it ends.

        Args:
            work: what is to be done; its failure is logged unless somebody awaits the task first.
            name: for the log.

        Raises:
            TooBusy: the limit is reached; ``work`` was closed without being started.
        """
        if len(self._running) >= self._limit:
            work.close()
            raise TooBusy
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._forget)
        return task

    def note_request(self) -> None:
        """Note that somebody waits for an answer now: deferred work gives way to it."""
        self._asked_at = asyncio.get_running_loop().time()

    def defer(
        self, work: Callable[[], Coroutine[Any, Any, Result]], *, name: str | None = None
    ) -> asyncio.Task[Result]:
        """Do work for which no answer waits, a moment later: the answers that are due now come first.

        Answering one of a burst of requests takes a moment, the work behind it much longer. Were that begun at once,
        the last of the burst would wait for the work of the first.

        Args:
            work: begins what is to be done; its failure is logged unless somebody awaits the task first.
            name: for the log.

        Raises:
            TooBusy: the limit is reached; ``work`` was not begun.
        """
        self.note_request()
        return self.spawn(self._give_way(work), name=name)

    async def _give_way(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        loop = asyncio.get_running_loop()
        latest = loop.time() + self._longest_wait
        while (wait := min(self._asked_at + self._quiet, latest) - loop.time()) > 0:  # noqa: ASYNC110 - the end of it moves with each request
            await asyncio.sleep(wait)
        return await work()

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background task %s failed", task.get_name(), exc_info=error, extra={"event": "task.failed"})

    async def drain(self, deadline: timedelta) -> int:
        """Wait for all tasks, those they start included; what isn't done by the deadline is cancelled.

        Returns:
            How many had to be cancelled.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + deadline.total_seconds()
        while self._running and (left := until - loop.time()) > 0:
            await asyncio.wait(set(self._running), timeout=left)
        late = set(self._running)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)
