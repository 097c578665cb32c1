"""One of several processes that publish what is due; run as ``python -m figures.claimer CONFIG`` by test_claims."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from datetime import timedelta

from figures.floor import TimedPlatform, build_worker

from logicspike.clock import SystemClock
from logicspike.events import DeliveryClaimed, Event
from logicspike.services import delivering
from logicspike.store.mongo import open_database
from logicspike.store.opening import build_stores


async def main(uri: str, name: str, lanes: int) -> None:
    delivering._LANES = lanes
    clock, platform = SystemClock(), TimedPlatform()
    database = open_database(uri, name)
    stores = build_stores(database)
    claimed: list[Event] = []
    worker = build_worker(stores, platform, clock, on_event=claimed.append)
    async with worker.platforms:
        await stores.is_reachable()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        while await stores.deliveries.list_due(clock.now(), limit=1) or worker.services.delivering.in_flight:
            await worker.services.delivering.deliver_due()
            await asyncio.sleep(0.01)
        await worker.services.delivering.stop(timedelta(seconds=30))
    await database.close()
    print(
        json.dumps(
            {
                "claimed": sum(isinstance(each, DeliveryClaimed) for each in claimed),
                "sent": [asdict(each) for each in platform.sent],
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    asyncio.run(main(*json.loads(sys.argv[1])))
