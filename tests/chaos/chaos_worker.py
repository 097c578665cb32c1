"""A nursery of workers: imports the bot once, then forks a real worker process at each request; tells how each ends.

Run as ``python -m chaos_worker CONFIG``. Each line on standard input is a request, each line on standard output a
report, all of them JSON: ``{"do": "spawn"}`` is answered by ``{"spawned": PID}``; ``{"do": "signal", "pid": PID,
"number": 9}`` signals a child that has not ended; an end is reported as ``{"ended": PID, "code": CODE}``. A signal
reaches nobody else: a process id is free for others only once its end was reported here. At the end of standard input
all children are killed.

Forking spares each worker the second that its imports take, and with it most of the time of a run with a hundred kills.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import logging
import os
import select
import signal
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from logicspike import app
from logicspike.domain import Delivery, Timings
from logicspike.platforms import Platforms
from logicspike.services import settling
from logicspike.settings import load_settings
from logicspike.store.deliveries import MongoDeliveryStore

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_POLL_SECONDS: Final = 0.01


@dataclass(frozen=True, kw_only=True)
class Config:
    """How the workers run.

    Attributes:
        environment: the settings, as an operator would give them.
        log: what the workers have to say: one line for each event.
        timings: seconds by the names of ``Timings``; empty for the usual ones.
        publish_limit: seconds; 0 for the usual one.
    """

    environment: dict[str, str]
    log: str
    timings: dict[str, float]
    publish_limit: float


def main() -> None:
    """Serve requests until standard input ends."""
    config = Config(**json.loads(sys.argv[1]))
    parent, children = os.getpid(), set[int]()
    rest = b""
    while True:
        for pid, code in _reap(children):
            _report({"ended": pid, "code": code})
        if not select.select([0], [], [], _POLL_SECONDS)[0]:
            continue
        read = os.read(0, 65536)
        if not read:
            break
        *lines, rest = (rest + read).split(b"\n")
        for line in lines:
            _serve(json.loads(line), config, children, parent)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _serve(request: dict[str, Any], config: Config, children: set[int], parent: int) -> None:
    if request["do"] == "signal":
        if request["pid"] in children:
            os.kill(request["pid"], request["number"])
        return
    pid = os.fork()
    if pid == 0:
        _be_a_worker(config, parent)
    children.add(pid)
    _report({"spawned": pid})


def _reap(children: set[int]) -> list[tuple[int, int]]:
    ended = []
    for pid in tuple(children):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            children.discard(pid)
            ended.append((pid, os.waitstatus_to_exitcode(status)))
    return ended


def _report(report: dict[str, int]) -> None:
    os.write(1, json.dumps(report).encode() + b"\n")


def _be_a_worker(config: Config, parent: int) -> None:
    """Run one worker, and end the process."""
    code = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(config.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), 2)
        os.dup2(2, 1)
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(process)d %(name)s %(message)s")
        logging.getLogger("logicspike.events").setLevel(logging.DEBUG)
        _count_misses()
        asyncio.run(_work(config))
        code = 0
    except app.StartFailed as error:
        logging.getLogger("chaos").warning("start.failed %s", error)
    except BaseException:
        logging.getLogger("chaos").exception("worker.bug")
    finally:
        sys.stderr.flush()
        os._exit(code)


async def _work(config: Config) -> None:
    settings = load_settings(config.environment, env_file=None)
    if not config.timings:
        await app.serve(settings, "worker")
        return
    Platforms.PUBLISH_LIMIT = timedelta(seconds=config.publish_limit)
    settling._SETTLE_PAUSE_SECONDS = 0.2  # a fraction of the shrunken lease, as it is of the usual one
    timings = Timings(**{name: timedelta(seconds=seconds) for name, seconds in config.timings.items()})
    async with app.run_bot(settings, role="worker", timings=timings):
        await asyncio.Event().wait()


def _count_misses() -> None:
    """Say so whenever a conditional write finds that somebody else was faster."""
    swap = MongoDeliveryStore.swap
    log = logging.getLogger("chaos")

    async def watched(self: MongoDeliveryStore, before: Delivery, after: Delivery) -> bool:
        has_won = await swap(self, before, after)
        if not has_won:
            log.info("swap.missed %s %s->%s", before.delivery_id, before.state, after.state)
        return has_won

    MongoDeliveryStore.swap = watched  # type: ignore[method-assign]


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
