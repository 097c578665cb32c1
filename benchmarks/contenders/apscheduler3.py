"""APScheduler 3: one date job for each post, kept in its MongoDB job store. One process only; a crash loses posts."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime

import aiohttp
import pymongo
from apscheduler.jobstores.mongodb import MongoDBJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from .physical import TOKEN
from .pipe import orders, platform_address, say

session: aiohttp.ClientSession


async def send(key: str, account: str) -> None:
    """The job; the job store keeps its name, so it stands at module level."""
    body = {"key": key, "account": account, "text": f"Hello {key}"}
    async with session.post(f"{platform_address()}/posts", json=body, headers=TOKEN) as answer:
        await answer.json()


async def _main() -> None:
    global session  # a stored job can't carry it
    client = pymongo.MongoClient(os.environ["MONGODB_URI"], w="majority", journal=True)
    store = MongoDBJobStore(database="bench_apscheduler3", client=client)
    scheduler = AsyncIOScheduler(jobstores={"default": store}, timezone=UTC)
    async with aiohttp.ClientSession() as session:
        scheduler.start()
        say({"ready": True})
        async for order in orders():
            run_date = datetime.fromtimestamp(order.due_at, UTC)
            scheduler.pause()  # or it would look at the whole store after each addition
            for key, account in order.posts:
                scheduler.add_job(send, "date", run_date=run_date, args=[key, account], misfire_grace_time=None)
            scheduler.resume()
            say({"armed": True})
        scheduler.shutdown(wait=False)


if __name__ == "__main__":
    # Jobs are stored by the name of their function's module, which must not be __main__.
    from benchmarks.contenders import apscheduler3

    asyncio.run(apscheduler3._main())  # noqa: SLF001 - it is this very module
