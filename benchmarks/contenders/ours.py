"""The real bot: ``run_bot`` as ``logicspike serve`` runs it, told its role and timings by the runner."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from datetime import timedelta
from typing import cast

from logicspike.app import Role, run_bot
from logicspike.domain import Timings
from logicspike.settings import load_settings

from .pipe import say


async def _main() -> None:
    role = cast("Role", os.environ.get("BENCH_ROLE", "worker"))
    shrunk = {
        name: timedelta(seconds=value) for name, value in json.loads(os.environ.get("BENCH_TIMINGS", "{}")).items()
    }
    async with run_bot(load_settings(env_file=None), role=role, timings=Timings(**shrunk)) as bot:
        say({"ready": True, "address": bot.address})
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    # As the command does it; the runner sends it to a file.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(_main())
