"""Bolt with one trivial listener, in its fastest mode."""

from __future__ import annotations

import asyncio
import os
import sys

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from .pipe import say


async def _authorize(**_: object) -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id="TBENCH", bot_token="xoxb-bench", bot_id="BBOT")


async def _main() -> None:
    app = AsyncApp(
        signing_secret=os.environ["SLACK_SIGNING_SECRET"], authorize=_authorize, process_before_response=True
    )

    @app.command("/schedule")
    async def on_schedule(ack) -> None:
        await ack("Hello")

    runner = web.AppRunner(app.web_app(path="/slack/events"), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    say({"ready": True, "address": f"http://127.0.0.1:{runner.addresses[0][1]}"})
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_main())
