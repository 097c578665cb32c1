"""P1 and P2: how late posts arrive that are due at one moment, and how many a second go out; P9: at what cost."""

from __future__ import annotations

import asyncio
import random
import secrets
import shutil
import socket
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec

from logicspike.domain import Timings
from logicspike.store.mongo import Database

from .measuring import Row, Table, median, percentile, ratio_of
from .stage import Child, LedgerWrong, Stage, check_ledger, in_unix_seconds, new_prefix, round_to_milliseconds
from .stocking import account_names, add_posts

__all__ = ["measure_publishing", "measure_workers", "run_posts"]

ACCOUNTS = 50
WARM_UP = 200
_ATTEMPTS = 3
_LOOK_AHEAD = Timings().look_ahead.total_seconds()


@dataclass(kw_only=True)
class Contender:
    """One way to publish, running.

    Attributes:
        name: as in the table.
        child: its process (of several, the first).
        database: where the runner schedules its posts; None where it is told line by line.
        seconds_per_post: how long storing one post takes at most, so that all are stored in time.
        keeps_order: whether an account's posts go out in order.
        others: its further processes.
    """

    name: str
    child: Child
    database: Database | None = None
    seconds_per_post: float = 0.0004
    keeps_order: bool = True
    others: Sequence[Child] = ()

    async def arm(self, posts: Sequence[tuple[str, str]], due_at: float) -> None:
        """Hand over posts that are due at one moment."""
        if self.database is not None:
            await add_posts(self.database, posts, due_at=in_unix_seconds(due_at))
        else:
            await self.child.ask({"due_at": due_at, "posts": posts})

    @property
    def is_ours(self) -> bool:
        """Whether it is the bot itself."""
        return self.database is not None

    @property
    def cpu_seconds(self) -> float:
        """CPU time of all its processes so far."""
        return self.child.cpu_seconds + sum(each.cpu_seconds for each in self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of one run; times in seconds."""

    p50: float
    p99: float
    per_second: float
    cpu_per_post: float


@dataclass
class _Runs:
    by_name: dict[str, dict[int, list[Run]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def of(self, name: str, size: int, what: str) -> list[float]:
        return [getattr(run, what) for run in self.by_name[name][size]]


async def run_posts(stage: Stage, contender: Contender, count: int, *, seed: int) -> Run:
    """Let a contender publish posts that are all due at one moment; run again, with more time, if it was armed late.

    A rival whose ledger is wrong has to run again, too, and it is said; ours has to be right the first time.

    Raises:
        LedgerWrong: ours was wrong, or a rival in every run.
    """
    for attempt in range(_ATTEMPTS):
        posts = make_posts(count, seed=seed)
        lead = 2.5 + count * contender.seconds_per_post * (attempt + 1)
        due_at = round_to_milliseconds(time.time() + lead)
        before = contender.cpu_seconds
        await contender.arm(posts, due_at)
        # Whoever is armed after ours may have looked ahead has had no fair start.
        in_time = time.time() < due_at - _LOOK_AHEAD - 0.2
        lines = await stage.read_ledger(count, timeout=lead + 60)
        try:
            check_ledger(lines, posts, in_order=contender.keeps_order)
        except LedgerWrong as error:
            print(f"  {contender.name}, {count:,} posts, seed {seed}: {error}; the run is void", flush=True)
            if contender.is_ours or attempt == _ATTEMPTS - 1:
                raise
            continue
        if in_time:
            return _evaluate(lines, due_at, contender.cpu_seconds - before)
    raise RuntimeError(f"{contender.name} could not store {count} posts in time")


def make_posts(count: int, *, seed: int) -> list[tuple[str, str]]:
    """Keys that sort as they were made, spread over the accounts at random but evenly."""
    prefix = new_prefix()
    names = account_names(ACCOUNTS) * (count // ACCOUNTS + 1)
    spread = names[:count]
    random.Random(seed).shuffle(spread)
    return [(f"{prefix}-{number:06}", name) for number, name in enumerate(spread)]


def _evaluate(lines: Sequence[tuple[str, str, float]], due_at: float, cpu: float) -> Run:
    late = [at - due_at for _, _, at in lines]
    if min(late) < -0.005:
        raise LedgerWrong(f"a post went out {-min(late):.3f} s early")
    return Run(
        p50=max(percentile(late, 0.5), 1e-6),
        p99=max(percentile(late, 0.99), 1e-6),
        per_second=len(late) / max(late),
        cpu_per_post=cpu / len(late),
    )


# --- who takes part ---------------------------------------------------------------------------------------------------


@asynccontextmanager
async def contenders(stage: Stage, only: Sequence[str] = ()) -> AsyncIterator[list[Contender]]:
    """All that can run on this machine, each warmed up; says why others can't."""
    async with AsyncExitStack() as stack:
        found = [await start_ours(stage, stack)]
        tells = {"BENCH_TELLS": "1"}
        for name, module, per_post, keeps_order, more in (
            ("raw+db", "raw_db", 0.0004, True, {}),
            ("raw+db+dm", "raw_db", 0.0004, True, tells),
            ("physical", "physical", 0.0001, False, {}),
            ("apscheduler3", "apscheduler3", 0.0015, False, {}),
        ):
            child = await stack.enter_async_context(stage.running(f"benchmarks.contenders.{module}", "none", **more))
            found.append(Contender(name=name, child=child, seconds_per_post=per_post, keeps_order=keeps_order))
        found += await _start_redis_ones(stage, stack)
        taking_part = [each for each in found if not only or each.name in {"ours", "raw+db", *only}]
        for contender in taking_part:
            await run_posts(stage, contender, WARM_UP, seed=0)
        yield taking_part


async def start_ours(stage: Stage, stack: AsyncExitStack, *, workers: int = 1) -> Contender:
    """The bot's worker role, one process or several."""
    name = f"bench_{secrets.token_hex(4)}"
    database = await stack.enter_async_context(stage.database(name, accounts=ACCOUNTS))
    children = [
        await stack.enter_async_context(stage.running("benchmarks.contenders.ours", name)) for _ in range(workers)
    ]
    return Contender(name="ours", child=children[0], others=children[1:], database=database)


_ON_REDIS = (("arq", "arq_worker", 0.002), ("celery", "celery_worker", 0.004))
"""Name, module, and seconds for each post: those that need Redis and a package of their own name."""


async def _start_redis_ones(stage: Stage, stack: AsyncExitStack) -> list[Contender]:
    missing = {name: f"the package {name} is not installed" for name, *_ in _ON_REDIS if not find_spec(name)}
    if shutil.which("redis-server") is None:
        missing = {name: "there is no redis-server on PATH" for name, *_ in _ON_REDIS}
    for name, reason in missing.items():
        print(f"  {name} is left out: {reason}")
    taking_part = [each for each in _ON_REDIS if each[0] not in missing]
    if not taking_part:
        return []
    redis = await _start_redis(stage, stack)
    found = []
    for number, (name, module, per_post) in enumerate(taking_part):
        child = await stack.enter_async_context(
            stage.running(f"benchmarks.contenders.{module}", "none", BENCH_REDIS=f"{redis}/{number}")
        )
        found.append(Contender(name=name, child=child, seconds_per_post=per_post, keeps_order=False))
    return found


async def _start_redis(stage: Stage, stack: AsyncExitStack) -> str:
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        *("redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(stage.folder)),
        stdout=asyncio.subprocess.DEVNULL,
    )

    async def stop() -> None:
        process.terminate()
        await process.wait()

    stack.push_async_callback(stop)
    await _wait_for_port(port)
    return f"redis://127.0.0.1:{port}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _wait_for_port(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


# --- the tables -------------------------------------------------------------------------------------------------------


async def measure_publishing(stage: Stage, table: Table, *, rounds: int, sizes: Sequence[int]) -> None:
    """P1 at each size, P2 and P9 at the largest; contenders take turns, another one begins each round."""
    runs = _Runs()
    async with contenders(stage) as found:
        for number in range(rounds):
            for size in sizes:
                for contender in found[number % len(found) :] + found[: number % len(found)]:
                    run = await run_posts(stage, contender, size, seed=number + 1)
                    runs.by_name[contender.name][size].append(run)
        others = [each.name for each in found if each.name not in {"ours", "raw+db"}]
    for size in sizes:
        _add_lateness(table, runs, size, others)
    _add_throughput(table, runs, max(sizes), others)


def _add_lateness(table: Table, runs: _Runs, size: int, others: Sequence[str]) -> None:
    for share, limit in (("p50", 1.5), ("p99", 2.0)):
        ours, rival = runs.of("ours", size, share), runs.of("raw+db", size, share)
        ratio = ratio_of(ours, rival)
        beside = ", ".join(f"{name} {_ms(runs.of(name, size, share))}" for name in others)
        table.add(
            Row(
                name="P1",
                what=f"lateness {share}, {size:,} posts due at once",
                ours=_ms(ours),
                rival=f"raw+db {_ms(rival)} ({beside})",
                ratio=ratio,
                target=f"≤ {limit} × raw+db",
                holds=ratio.middle <= limit,
            )
        )
    queues = [name for name in others if name in {"apscheduler3", "arq", "celery"}]
    if size >= 100 and queues:
        best = min(queues, key=lambda name: median(runs.of(name, size, "p99")))
        ratio = ratio_of(runs.of("ours", size, "p99"), runs.of(best, size, "p99"))
        table.add(
            Row(
                name="P1",
                what=f"lateness p99, {size:,} posts, beside the best queue",
                ours=_ms(runs.of("ours", size, "p99")),
                rival=f"{best} {_ms(runs.of(best, size, 'p99'))}",
                ratio=ratio,
                target="ahead",
                holds=ratio.middle < 1,
            )
        )


def _add_throughput(table: Table, runs: _Runs, size: int, others: Sequence[str]) -> None:
    ours, rival = runs.of("ours", size, "per_second"), runs.of("raw+db", size, "per_second")
    ratio = ratio_of(ours, rival)
    beside = ", ".join(f"{name} {median(runs.of(name, size, 'per_second')):,.0f}" for name in others)
    table.add(
        Row(
            name="P2",
            what=f"posts/s, draining {size:,}",
            ours=f"{median(ours):,.0f}/s",
            rival=f"raw+db {median(rival):,.0f}/s ({beside})",
            ratio=ratio,
            target="≥ 0.7 × raw+db",
            holds=ratio.middle >= 0.7,
        )
    )
    told = runs.of("raw+db+dm", size, "per_second")
    table.add(
        Row(
            name="P2",
            what=f"posts/s, draining {size:,}, beside a rival that tells the authors too",
            ours=f"{median(ours):,.0f}/s",
            rival=f"raw+db+dm {median(told):,.0f}/s",
            ratio=ratio_of(ours, told),
        )
    )
    cpu, raw = runs.of("ours", size, "cpu_per_post"), runs.of("raw+db", size, "cpu_per_post")
    table.add(
        Row(
            name="P9",
            what=f"CPU per post, draining {size:,}",
            ours=_ms(cpu),
            rival=f"raw+db {_ms(raw)}",
            ratio=ratio_of(cpu, raw),
        )
    )


async def measure_workers(stage: Stage, table: Table, *, rounds: int, size: int) -> None:
    """How far more worker processes on one machine go; for docs/scale.md."""
    rates: dict[int, list[float]] = {}
    for workers in (1, 2, 4):
        async with AsyncExitStack() as stack:
            contender = await start_ours(stage, stack, workers=workers)
            await run_posts(stage, contender, WARM_UP, seed=0)
            runs = [await run_posts(stage, contender, size, seed=number + 1) for number in range(rounds)]
        rates[workers] = [run.per_second for run in runs]
    for workers, found in rates.items():
        ratio = ratio_of(found, rates[1]) if workers > 1 else None
        what = f"posts/s with {workers} worker process{'es' if workers > 1 else ''}, {size:,} posts"
        table.add(Row(name="scale", what=what, ours=f"{median(found):,.0f}/s", rival="one worker", ratio=ratio))


def _ms(seconds: Sequence[float]) -> str:
    return f"{median(seconds) * 1000:,.1f} ms"
