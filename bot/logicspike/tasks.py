"""Background work that is never lost sight of: each task is held, its failure logged, all are drained at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, Final, TypeVar

__all__ = ["Tasks", "TooBusy", "cancel"]

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_TASK_LIMIT: Final = 1000
_CANCEL_AGAIN_SECONDS: Final = 0.5


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
    """

    def __init__(self, *, limit: int = _TASK_LIMIT) -> None:
        self._limit = limit
        self._running: set[asyncio.Task[Any]] = set()

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
