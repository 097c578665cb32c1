"""The harness's end of ``chaos_worker``: worker processes that are started, signalled and seen to end, by their ids."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from chaos_worker import Config

TESTS = Path(__file__).parent.parent


class Nursery:
    """Worker processes, all children of one process of ours.

    Args:
        process: runs ``chaos_worker``.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._spawned: asyncio.Queue[int] = asyncio.Queue()
        self._changed = asyncio.Condition()
        self.alive: set[int] = set()
        self.ended: dict[int, int] = {}
        """Exit codes by process id, of the process that had it last; minus the signal for those that were killed."""

    async def spawn(self) -> int:
        """Start a worker; its process id."""
        await self._request({"do": "spawn"})
        async with asyncio.timeout(20):
            return await self._spawned.get()

    async def signal(self, pid: int, number: signal.Signals) -> None:
        """Signal a worker; nothing happens if it has ended."""
        await self._request({"do": "signal", "pid": pid, "number": int(number)})

    async def wait_for_end(self, pid: int, *, limit: float) -> int:
        """Wait until a worker has ended; its exit code.

        Raises:
            TimeoutError: it hasn't in so many seconds.
        """
        async with asyncio.timeout(limit), self._changed:
            await self._changed.wait_for(lambda: pid in self.ended and pid not in self.alive)
        return self.ended[pid]

    async def _request(self, request: dict[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        await self._process.stdin.drain()

    async def listen(self) -> None:
        """Take reports until the process ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            report = json.loads(line)
            async with self._changed:
                if "spawned" in report:
                    self.alive.add(report["spawned"])
                    self._spawned.put_nowait(report["spawned"])
                else:
                    self.alive.discard(report["ended"])
                    self.ended[report["ended"]] = report["code"]
                self._changed.notify_all()


@asynccontextmanager
async def open_nursery(config: Config, *, site: Path) -> AsyncIterator[Nursery]:
    """Workers with this configuration and the distributions in ``site`` installed; none is left at the end."""
    path = ":".join([str(site), str(TESTS / "chaos")])
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "chaos_worker", json.dumps(asdict(config))),
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": path},
        cwd=site,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    nursery = Nursery(process)
    listening = asyncio.create_task(nursery.listen())
    try:
        yield nursery
    finally:
        assert process.stdin is not None
        process.stdin.close()  # upon which it kills its children and ends
        try:
            async with asyncio.timeout(10):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()  # its children die with it
                await process.wait()
            await listening
