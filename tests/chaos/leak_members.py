"""Members who connect an account again and again, type commands and schedule posts, by real signed HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import aiohttp
from aiohttp import web

from logicspike.sandbox.slack_out import sign

TEAM, SECRET = "TBENCH", "bench-signing-secret"
_TICKET = re.compile(r"/connect/([\w-]{20,})")
_PATIENCE = 20.0


@dataclass(eq=False)
class SmallSlack:
    """As much of Slack's Web API as the bot needs; keeps nothing but what somebody waits for."""

    waiting: dict[str, asyncio.Future[str]] = field(default_factory=dict)
    address: str = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SmallSlack]:
        """Serve on loopback."""
        app = web.Application()
        app.add_routes([web.route("*", "/api/{method}", self._answer), web.post("/response/{name}", self._respond)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
            self.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()

    def expect(self, name: str) -> asyncio.Future[str]:
        """What comes under a name: an answer to a response URL, or the link in a member's direct message."""
        self.waiting[name] = asyncio.get_running_loop().create_future()
        return self.waiting[name]

    def _hand_over(self, name: str, text: str) -> None:
        future = self.waiting.pop(name, None)
        if future is not None and not future.done():
            future.set_result(text)

    async def _respond(self, request: web.Request) -> web.Response:
        self._hand_over(request.match_info["name"], await request.text())
        return web.Response(text="ok")

    async def _answer(self, request: web.Request) -> web.Response:
        body: Any = await request.json() if request.content_type == "application/json" else await request.post()
        args = {**request.query, **body}
        match request.match_info["method"]:
            case "auth.test":
                return _ok(team_id=TEAM, team="Bench", user_id="UBOT", bot_id="BBOT")
            case "users.info":
                return _ok(user={"id": args["user"], "team_id": TEAM, "tz": "Europe/Berlin", "name": args["user"]})
            case "conversations.open":
                return _ok(channel={"id": f"D{args['users']}"})
            case "chat.postMessage":
                if ticket := _TICKET.search(str(args.get("text"))):
                    self._hand_over(str(args["channel"]).removeprefix("D"), ticket[1])
                return _ok(channel=args["channel"], ts=f"{time.time():.6f}")
            case _:
                return _ok()


def _ok(**more: Any) -> web.Response:
    return web.json_response({"ok": True, **more})


@dataclass(kw_only=True)
class Members:
    """Everybody's keyboards and browsers.

    Args:
        http: carries no cookies.
        bot: its address.
        slack: where its answers come out.
    """

    http: aiohttp.ClientSession
    bot: str
    slack: SmallSlack

    async def type(self, user: str, command: str, text: str) -> str:
        """Type a command and read the answer, whichever way it comes."""
        name = secrets.token_hex(8)
        body = urlencode(
            {
                "command": command,
                "text": text,
                "team_id": TEAM,
                "user_id": user,
                "channel_id": "CBENCH",
                "api_app_id": "ABENCH",
                "trigger_id": secrets.token_hex(12),
                "response_url": f"{self.slack.address}/response/{name}",
            }
        ).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(SECRET.encode(), timestamp, body),
        }
        answer = self.slack.expect(name)
        async with self.http.post(f"{self.bot}/slack/events", data=body, headers=headers) as acknowledged:
            said = await acknowledged.text()
            assert acknowledged.status == 200, said
        if not said:
            async with asyncio.timeout(_PATIENCE):
                said = await answer
        self.slack.waiting.pop(name, None)
        return str(json.loads(said).get("text", said)) if said.startswith("{") else said

    async def connect(self, user: str, account: str) -> None:
        """Ask for a link, press its button, come back from the platform, and read the result page."""
        message = self.slack.expect(user)
        await self.type(user, "/connect", "bench")
        async with asyncio.timeout(_PATIENCE):
            link = f"{self.bot}/connect/{await message}"
        async with self.http.get(link) as page:
            assert page.status == 200, await page.text()
            await page.read()
        async with self.http.post(link, allow_redirects=False) as begun:
            assert begun.status == 303, await begun.text()
            [state] = parse_qs(urlsplit(begun.headers["Location"]).query)["state"]
            cookie = begun.headers["Set-Cookie"].partition(";")[0]
        callback = f"{self.bot}/api/auth/bench/callback?state={quote(state)}&code={account}"
        async with self.http.get(callback, headers={"Cookie": cookie}, allow_redirects=False) as back:
            assert back.status == 303, await back.text()
            result = urlsplit(back.headers["Location"]).path
        async with self.http.get(f"{self.bot}{result}") as page:
            assert "onnected" in await page.text()


async def in_parallel(work: Iterable[Callable[[], Awaitable[object]]], *, at_once: int) -> None:
    """Do all of it, so many at a time."""
    todo = iter(work)

    async def take() -> None:
        for each in todo:
            await each()

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(take())
