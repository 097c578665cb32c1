"""Showing an author how far an upload is, if it takes a while: one message, kept up to date and ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from ..domain import Delivery, Timings
from ..plugin.media import MediaFile
from ..tasks import cancel
from .notices import Notice, UploadEnded, UploadUnderWay
from .people import Notifier

__all__ = ["ProgressReport"]


class ProgressReport:
    """The report of one upload; nothing is said of one that is quick.

    Args:
        delivery: what is uploaded for.
        platform_title: where to, for people.
        notifier: direct messages.
        timings: from when on, and how often.
        keep: notes where the message is, for the process that may have to go on with it.
    """

    def __init__(
        self,
        delivery: Delivery,
        *,
        platform_title: str,
        notifier: Notifier,
        timings: Timings,
        keep: Callable[[str], Awaitable[object]],
    ) -> None:
        self._delivery = delivery
        self._title = platform_title
        self._notifier = notifier
        self._timings = timings
        self._keep = keep
        self._message = delivery.preparation.message if delivery.preparation is not None else None
        self._sent: dict[str, int] = {}
        self._is_over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def watch(self, file: MediaFile) -> MediaFile:
        """The same file, whose reading is counted."""
        return _Watched(file, self._sent)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Report while this is entered; ``end`` or ``close`` must follow."""
        self._task = asyncio.create_task(self._run(), name=f"progress {self._delivery.delivery_id}")
        try:
            yield
        finally:
            self._is_over.set()

    async def end(self, notice: Notice | None = None) -> bool:
        """Put the last word in the message's place; False when there is no message.

        Args:
            notice: it; None for the usual "uploaded".
        """
        if self._task is not None:
            await asyncio.wait({self._task})  # A message on its way to Slack has to be known to be replaced.
        if self._message is None:
            return False
        last = notice or UploadEnded(delivery=self._delivery, platform_title=self._title, is_done=True)
        await self._notifier.revise(self._message, last)
        return True

    async def close(self) -> None:
        """Leave the message as it is, for whoever goes on with the upload."""
        if self._task is not None:
            await cancel(self._task)

    async def _run(self) -> None:
        await self._pause(self._timings.progress_after.total_seconds())
        shown = -1
        while not self._is_over.is_set():
            percent = self._percent()
            if percent != shown:
                shown = percent
                await self._show(percent)
            await self._pause(self._timings.progress_every.total_seconds())

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_over.wait(), seconds)

    def _percent(self) -> int:
        total = sum(each.size for each in self._delivery.post.media)
        return min(100, 100 * sum(self._sent.values()) // total) if total else 100

    async def _show(self, percent: int) -> None:
        notice = UploadUnderWay(delivery=self._delivery, platform_title=self._title, percent=percent)
        if self._message is not None:
            await self._notifier.revise(self._message, notice)
            return
        self._message = await self._notifier.notify(self._delivery.author, notice)
        if self._message is not None:
            await self._keep(self._message)


class _Watched(MediaFile):
    def __init__(self, file: MediaFile, sent: dict[str, int]) -> None:
        self.media = file.media
        self._file = file
        self._sent = sent

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        async with self._file.open() as stream:
            yield self._count(stream)

    async def _count(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self._sent[self.media.media_id] = 0
        async for piece in stream:
            yield piece
            self._sent[self.media.media_id] += len(piece)
