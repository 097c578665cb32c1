"""An OAuth callback as one would write it in an afternoon: trade the code, three writes, a page."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys

import aiohttp
from aiohttp import web
from motor.motor_asyncio import AsyncIOMotorClient

from .pipe import platform_address, say

PAGE = "<!doctype html><title>Connected</title><p>Your account is connected. You can close this page.</p>"


async def _main() -> None:
    client = AsyncIOMotorClient(os.environ["MONGODB_URI"], w="majority", journal=True)
    database = client["bench_bare_callback"]

    async def finish(request: web.Request) -> web.Response:
        state, code = request.query["state"], request.query["code"]
        await database["states"].update_one({"_id": state}, {"$set": {"is_used": True}}, upsert=True)
        form = {"grant_type": "authorization_code", "code": code, "client_id": "bench", "client_secret": "secret"}
        async with session.post(f"{platform_address()}/token", data=form) as answer:
            tokens = await answer.json()
        await database["connections"].insert_one({"_id": secrets.token_hex(8), "account": code, "tokens": tokens})
        await database["results"].insert_one({"_id": secrets.token_hex(8), "account": code})
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/api/auth/bench/callback", finish)])
    async with aiohttp.ClientSession() as session:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        say({"ready": True, "address": f"http://127.0.0.1:{runner.addresses[0][1]}"})
        await asyncio.to_thread(sys.stdin.read)
        await runner.cleanup()
    client.close()


if __name__ == "__main__":
    asyncio.run(_main())
