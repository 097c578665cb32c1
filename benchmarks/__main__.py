"""Runs the benchmarks and prints the table of docs/benchmarks.md."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import platform
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version

from .answering import measure_acks, measure_callback, measure_start
from .measuring import Table
from .publishing import measure_publishing, measure_workers
from .recovering import measure_recovery
from .stage import Stage, open_stage
from .waiting import describe_machine, measure_claims, measure_idling

__all__: list[str] = []

_BACKLOGS = (1_000, 10_000, 100_000)
_MILLION = 1_000_000
_IDLE_SECONDS, _FULL_IDLE_SECONDS = 60, 600
_FULL = "P3 and P4 with a million waiting posts too, and P4 for ten minutes; adds some 15 minutes"

_ALIASES = {"P2": "P1", "P9": "P1", "P7": "P4"}


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="P1,P5", help="a few of P1 to P10 and scale; all by default")
    parser.add_argument("--rounds", type=int, default=5, help="how often each comparison is run (5)")
    parser.add_argument("--sizes", default="1,100,1000,5000", help="posts due at once, for P1 (1,100,1000,5000)")
    parser.add_argument("--full", action="store_true", help=_FULL)
    return parser.parse_args()


def _plan(arguments: argparse.Namespace) -> dict[str, Callable[[Stage, Table], Awaitable[None]]]:
    rounds, sizes = arguments.rounds, [int(size) for size in arguments.sizes.split(",")]
    backlogs = [*_BACKLOGS, _MILLION] if arguments.full else [*_BACKLOGS]
    idle = _FULL_IDLE_SECONDS if arguments.full else _IDLE_SECONDS
    return {
        "P1": lambda stage, table: measure_publishing(stage, table, rounds=rounds, sizes=sizes),
        "P3": lambda stage, table: measure_claims(stage, table, rounds=rounds, backlogs=backlogs),
        "P4": lambda stage, table: measure_idling(stage, table, backlog=backlogs[-1], seconds=idle),
        "P5": lambda stage, table: measure_acks(stage, table, rounds=rounds),
        "P6": lambda stage, table: measure_callback(stage, table, rounds=rounds),
        "P8": lambda stage, table: measure_start(stage, table, rounds=rounds),
        "P10": lambda stage, table: measure_recovery(stage, table, rounds=min(rounds, 3)),
        "scale": lambda stage, table: measure_workers(stage, table, rounds=min(rounds, 3), size=max(sizes)),
    }


async def _run(arguments: argparse.Namespace) -> bool:
    plan = _plan(arguments)
    wanted = [_ALIASES.get(each, each) for each in arguments.only.split(",")] if arguments.only else list(plan)
    if unknown := set(wanted) - set(plan):
        sys.exit(f"There is no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(plan)}.")
    packages = ", ".join(f"{name} {version(name)}" for name in ("aiohttp", "motor", "pymongo", "slack-bolt"))
    print(f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {describe_machine()}, Python {platform.python_version()}")
    print(f"{packages}; {arguments.rounds} rounds, seeds 1 to {arguments.rounds}\n")
    table, began = Table(), time.monotonic()
    async with open_stage() as stage:
        for name in dict.fromkeys(wanted):
            print(f"{name} … ({time.monotonic() - began:.0f} s)", flush=True)
            await plan[name](stage, table)
    print(f"\n{table.to_markdown()}\n\nThat took {time.monotonic() - began:.0f} s.")
    return all(row.holds is not False for row in table.rows)


if __name__ == "__main__":
    arguments = _read_arguments()
    if not asyncio.run(_run(arguments)):
        sys.exit("Some targets were missed.")
