"""The real bot in a process of its own, which tells on request what it holds; run as ``python -m leak_bot``.

Its settings come from the environment. The first line on standard output says where it listens; each line on standard
input is answered by one on standard output. It stops when standard input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from logicspike.app import run_bot
from logicspike.settings import load_settings

_OWN = Path("/proc/self")


def describe() -> dict[str, Any]:
    """What the process holds: resident bytes, tasks by name, sockets, other handles, threads, objects by type."""
    gc.collect()
    _give_back_what_is_free()
    resident = int((_OWN / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    handles = [handle for each in (_OWN / "fd").iterdir() if (handle := _target(each))]
    objects = Counter(type(each).__name__ for each in gc.get_objects())
    return {
        "resident": resident,
        "tasks": Counter(_name(task) for task in asyncio.all_tasks()),
        "sockets": sum(handle.startswith("socket:") for handle in handles),
        "files": sum(not handle.startswith("socket:") for handle in handles),
        "threads": len(list((_OWN / "task").iterdir())),
        "objects": {name: count for name, count in objects.items() if count > 100},
    }


def _give_back_what_is_free() -> None:
    """What the C library's allocator keeps for later is no leak; only glibc can be asked to give it back."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _target(handle: Path) -> str:
    try:
        return str(handle.readlink())
    except FileNotFoundError:  # the handle by which the folder itself was read
        return ""


def _name(task: asyncio.Task[Any]) -> str:
    return getattr(task.get_coro(), "__qualname__", "?")


def _say(line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def _main() -> None:
    async with run_bot(load_settings(env_file=None), role="all") as bot:
        _say({"address": bot.address})
        while await asyncio.to_thread(sys.stdin.readline):
            _say(describe())


if __name__ == "__main__":
    asyncio.run(_main())
