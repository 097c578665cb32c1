"""The other side of every benchmark, a process of its own: a platform with an append-only ledger, and Slack's Web API.

It stamps each post with its own clock when the request has arrived, so that all contenders are timed by the same hand.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from aiohttp import web

from .contenders.pipe import say

__all__: list[str] = []


class Services:
    """Takes posts, notes them, and answers; says yes to whatever Slack is asked."""

    def __init__(self) -> None:
        self.ledger: list[tuple[str, str, float]] = []
        self.messages = 0
        self.delay = 0.0
        self._changed = asyncio.Event()

    def build_app(self) -> web.Application:
        """The application, with the platform's paths, Slack's, and those by which the runner looks inside."""
        app = web.Application()
        app.add_routes(
            [
                web.post("/posts", self.take_post),
                web.post("/token", self.give_token),
                web.route("*", "/api/{method}", self.be_slack),  # the SDK asks some methods by GET
                web.post("/response", self.take_response),
                web.get("/ledger", self.show_ledger),
                web.post("/delay", self.set_delay),
            ]
        )
        return app

    async def take_post(self, request: web.Request) -> web.Response:
        """Note a post, then answer."""
        body = await request.json()
        self.ledger.append((body["key"], body["account"], time.time()))
        self._changed.set()
        if self.delay:
            await asyncio.sleep(self.delay)
        return web.json_response({"id": len(self.ledger)}, status=201)

    async def give_token(self, request: web.Request) -> web.Response:
        """Say yes to any code."""
        await request.post()
        return web.json_response({"access_token": "bench-token", "token_type": "bearer", "scope": "post"})

    async def be_slack(self, request: web.Request) -> web.Response:
        """Answer as Slack would, as far as the bot reads it."""
        await request.read()
        self.messages += 1
        match request.match_info["method"]:
            case "auth.test":
                return _ok(team_id="TBENCH", team="Bench", user_id="UBOT", bot_id="BBOT")
            case "users.info":
                return _ok(user={"id": "UBENCH", "team_id": "TBENCH", "tz": "Europe/Berlin", "name": "bench"})
            case "conversations.open":
                return _ok(channel={"id": "DBENCH"})
            case "chat.postMessage":
                return _ok(channel="DBENCH", ts=f"{time.time():.6f}")
            case _:
                return _ok()

    async def take_response(self, request: web.Request) -> web.Response:
        """Take the answer to a command."""
        await request.read()
        return web.Response(text="ok")

    async def show_ledger(self, request: web.Request) -> web.Response:
        """The ledger from a line on, once it has grown by so many lines or the time is over."""
        since, wanted = int(request.query["since"]), int(request.query.get("wanted", 0))
        until = time.monotonic() + float(request.query.get("timeout", 0))
        while len(self.ledger) - since < wanted and (left := until - time.monotonic()) > 0:
            self._changed.clear()
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                break
        return web.json_response(self.ledger[since:])

    async def set_delay(self, request: web.Request) -> web.Response:
        """Let each post take so many seconds to be answered."""
        self.delay = float(request.query["seconds"])
        return web.Response()


def _ok(**more: Any) -> web.Response:
    return web.json_response({"ok": True, **more})


async def _serve() -> None:
    runner = web.AppRunner(Services().build_app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    say({"address": f"http://127.0.0.1:{runner.addresses[0][1]}"})
    await asyncio.to_thread(sys.stdin.read)  # the runner closes it when all is done
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
