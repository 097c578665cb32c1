"""The floor: a timer for each post and a raw request, nothing written down. A crash would lose everything."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from .pipe import orders, platform_address, say

TOKEN = {"Authorization": "Bearer bench-token"}


async def _send(session: aiohttp.ClientSession, key: str, account: str, due_at: float) -> None:
    await asyncio.sleep(due_at - time.time())
    body = {"key": key, "account": account, "text": f"Hello {key}"}
    async with session.post(f"{platform_address()}/posts", json=body, headers=TOKEN) as answer:
        await answer.json()


async def _main() -> None:
    async with aiohttp.ClientSession() as session:
        say({"ready": True})
        running: set[asyncio.Task[None]] = set()
        async for order in orders():
            for key, account in order.posts:
                task = asyncio.create_task(_send(session, key, account, order.due_at))
                running.add(task)
                task.add_done_callback(running.discard)
            say({"armed": True})


if __name__ == "__main__":
    asyncio.run(_main())
