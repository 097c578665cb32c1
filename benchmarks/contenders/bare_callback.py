"""An OAuth callback as one would write it in an afternoon: trade the code, three writes, a page.

It is there twice: with a redirect to a result page, which keeps code and state out of the browser's history and is what
the bot does, and, at ``/one-page``, with the page as the answer itself.
"""

from __future__ import annotations

import asyncio
import html
import os
import secrets
import sys

import aiohttp
from aiohttp import web
from motor.motor_asyncio import AsyncIOMotorClient

from .pipe import platform_address, say

PAGE = "<!doctype html><title>Connected</title><p>Your account {} is connected. You can close this page.</p>"


async def _main() -> None:
    client = AsyncIOMotorClient(os.environ["MONGODB_URI"], w="majority", journal=True)
    database = client["bench_bare_callback"]

    async def connect(request: web.Request) -> tuple[str, str]:
        state, code = request.query["state"], request.query["code"]
        await database["states"].update_one({"_id": state}, {"$set": {"is_used": True}}, upsert=True)
        form = {"grant_type": "authorization_code", "code": code, "client_id": "bench", "client_secret": "secret"}
        async with session.post(f"{platform_address()}/token", data=form) as answer:
            tokens = await answer.json()
        await database["connections"].insert_one({"_id": secrets.token_hex(8), "account": code, "tokens": tokens})
        result_id = secrets.token_hex(8)
        await database["results"].insert_one({"_id": result_id, "account": code})
        return result_id, code

    async def finish(request: web.Request) -> web.Response:
        result_id, _ = await connect(request)
        return web.Response(status=303, headers={"Location": f"/result/{result_id}"})

    async def show_result(request: web.Request) -> web.Response:
        result = await database["results"].find_one({"_id": request.match_info["id"]})
        return web.Response(text=PAGE.format(html.escape(result["account"])), content_type="text/html")

    async def finish_on_one_page(request: web.Request) -> web.Response:
        _, account = await connect(request)
        return web.Response(text=PAGE.format(html.escape(account)), content_type="text/html")

    app = web.Application()
    app.add_routes(
        [
            web.get("/api/auth/bench/callback", finish),
            web.get("/result/{id}", show_result),
            web.get("/one-page", finish_on_one_page),
        ]
    )
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
