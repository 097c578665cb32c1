"""arq on Redis: one deferred job for each post. At least once: a crash repeats what ran."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime

import aiohttp
from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker

from .physical import TOKEN
from .pipe import orders, platform_address, say


async def send(ctx: dict[str, object], key: str, account: str) -> None:
    """The job."""
    body = {"key": key, "account": account, "text": f"Hello {key}"}
    session = ctx["session"]
    assert isinstance(session, aiohttp.ClientSession)
    async with session.post(f"{platform_address()}/posts", json=body, headers=TOKEN) as answer:
        await answer.json()


async def _main() -> None:
    settings = RedisSettings.from_dsn(os.environ["BENCH_REDIS"])
    pool = await create_pool(settings)
    async with aiohttp.ClientSession() as session:
        worker = Worker(
            functions=[send], redis_settings=settings, max_jobs=50, ctx={"session": session}, handle_signals=False
        )
        running = asyncio.create_task(worker.async_run())
        say({"ready": True})
        async for order in orders():
            due_at = datetime.fromtimestamp(order.due_at, UTC)
            for key, account in order.posts:
                await pool.enqueue_job("send", key, account, _defer_until=due_at)
            say({"armed": True})
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await worker.close()
    await pool.aclose()


if __name__ == "__main__":
    asyncio.run(_main())
