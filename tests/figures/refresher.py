"""One of several processes that want fresh tokens at once; run as ``python -m figures.refresher CONFIG``."""

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
from logicspike.plugin.errors import PlatformError
from logicspike.services.notices import ReconnectNeeded
from logicspike.store.mongo import open_database
from logicspike.store.opening import build_stores
from logicspike.vault import Vault, parse_key_ring
from logicspike.wiring import Parts, build_services


def leave_out(part: str, refreshing: Any) -> None:
    """Take one of the safeguards out, to see what it is good for."""
    match part:
        case "lease":
            refreshing._connections.take_refresh_lease = lambda *_args, **_rest: _true()
            refreshing._locks = _NoLocks()
        case "recheck":
            refreshing._is_good = lambda *_: False
            refreshing._ends_soon = lambda _: True
        case "latch":
            refreshing.end_access = lambda *_: _true()


async def _true() -> bool:
    return True


class _NoLocks:
    def setdefault(self, _key: str, lock: asyncio.Lock) -> asyncio.Lock:
        return lock


async def main(config: dict[str, Any]) -> None:
    clock = MovableClock(datetime.fromisoformat(config["now"]), is_frozen=True)
    database = open_database(config["uri"], config["database"])
    stores, notifier = build_stores(database), RecordingNotifier()
    entry_points = [EntryPoint(name="echo", value="echo_platform", group="logicspike.platforms")]
    async with Platforms.load(environment=config["environment"], clock=clock, entry_points=entry_points) as platforms:
        services = build_services(
            Parts(
                stores=stores,
                platforms=platforms,
                members=Directory(),
                notifier=notifier,
                files=MemoryFiles(),
                vault=Vault(parse_key_ring(config["keys"])),
                clock=clock,
                emit=lambda _: None,
                public_url="http://127.0.0.1:3999",
            )
        )
        refreshing = services.refreshing
        leave_out(config["without"], refreshing)
        connection = await stores.connections.find("T1", config["connection_id"])
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)

        async def call() -> str:
            try:
                if config["is_ahead"]:
                    await services.renewing.renew_due()
                    return "looked"
                return (await refreshing.get_credential(connection)).credential.tokens.access_token
            except PlatformError as error:
                return type(error).__name__

        outcomes = await asyncio.gather(*(call() for _ in range(config["callers"])))
    await database.close()
    print(json.dumps({"outcomes": outcomes, "messages": len(notifier.of(ReconnectNeeded))}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
