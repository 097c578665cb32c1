"""What one would write by hand: each account's posts in order, one request each, three compare-and-sets around it.

The same driver, server and write concern as ours; no turns, no look at the account, no encryption. Told to by
``BENCH_TELLS``, it also sends the author a direct message for each post, as ours does, by Slack's own SDK.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time

import aiohttp
from motor.motor_asyncio import AsyncIOMotorClient
from slack_sdk.web.async_client import AsyncWebClient

from .physical import TOKEN
from .pipe import Order, orders, platform_address, say


class _Sender:
    def __init__(self, session: aiohttp.ClientSession, collection) -> None:
        self._session = session
        self._posts = collection
        self._slack: AsyncWebClient | None = None
        if "BENCH_TELLS" in os.environ:
            self._slack = AsyncWebClient("xoxb-bench", base_url=os.environ["SLACK_API_URL"], session=session)

    async def prepare(self, order: Order) -> None:
        documents = [
            {"_id": key, "account": account, "text": f"Hello {key}", "state": "scheduled", "due_at": order.due_at}
            for key, account in order.posts
        ]
        await self._posts.insert_many(documents)

    async def send_in_order(self, account: str, keys: list[str], due_at: float) -> None:
        await asyncio.sleep(due_at - time.time())
        for key in keys:
            await self._send(account, key)

    async def _send(self, account: str, key: str) -> None:
        token = secrets.token_hex(16)
        claim = {"state": "claimed", "token": token}
        if not await self._move(key, {"state": "scheduled"}, claim):
            return
        if not await self._move(key, claim, {"state": "publishing", "started_at": time.time()}):
            return
        body = {"key": key, "account": account, "text": f"Hello {key}"}
        async with self._session.post(f"{platform_address()}/posts", json=body, headers=TOKEN) as answer:
            made = await answer.json()
        await self._move(key, {"state": "publishing", "token": token}, {"state": "published", "id": made["id"]})
        if self._slack is not None:
            await self._slack.chat_postMessage(channel="DBENCH", text=f"Your post {key} is live.")

    async def _move(self, key: str, before: dict[str, object], after: dict[str, object]) -> bool:
        return (await self._posts.update_one({"_id": key, **before}, {"$set": after})).matched_count == 1


async def _main() -> None:
    client = AsyncIOMotorClient(os.environ["MONGODB_URI"], w="majority", journal=True)
    async with aiohttp.ClientSession() as session:
        sender = _Sender(session, client[f"bench_raw_db_{os.getpid()}"]["posts"])
        say({"ready": True})
        running: set[asyncio.Task[None]] = set()
        async for order in orders():
            await sender.prepare(order)
            for account, keys in order.by_account().items():
                task = asyncio.create_task(sender.send_in_order(account, keys, order.due_at))
                running.add(task)
                task.add_done_callback(running.discard)
            say({"armed": True})
    client.close()


if __name__ == "__main__":
    asyncio.run(_main())
