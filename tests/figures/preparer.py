"""A worker of its own that prepares what is due, for a test that kills it in the middle; run as a program."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime
from importlib.metadata import EntryPoint
from typing import Any

from memory_slack import Directory, MemoryFiles, RecordingNotifier

from logicspike.clock import MovableClock
from logicspike.platforms import Platforms
from logicspike.store.mongo import open_database
from logicspike.store.opening import build_stores
from logicspike.vault import Vault, parse_key_ring
from logicspike.wiring import Parts, build_services


async def main(config: dict[str, Any]) -> None:
    clock = MovableClock(datetime.fromisoformat(config["now"]), is_frozen=True)
    database = open_database(config["uri"], config["database"])
    entry_points = [EntryPoint(name="echo", value="album_platform", group="logicspike.platforms")]
    async with Platforms.load(environment=config["environment"], clock=clock, entry_points=entry_points) as platforms:
        services = build_services(
            Parts(
                stores=build_stores(database),
                platforms=platforms,
                members=Directory(),
                notifier=RecordingNotifier(),
                files=MemoryFiles({name: bytes.fromhex(content) for name, content in config["files"].items()}),
                vault=Vault(parse_key_ring(config["keys"])),
                clock=clock,
                emit=lambda _event: None,
                public_url="http://127.0.0.1:3999",
            )
        )
        print(await services.preparing.prepare_due(), flush=True)
        await services.preparing.wait_until_idle()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
