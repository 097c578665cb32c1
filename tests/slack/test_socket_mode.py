"""Socket Mode: commands come over a connection of ours, are answered there, and it is closed in the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.context.ack.async_ack import AsyncAck

from logicspike.slack.app import build_slack_app
from logicspike.slack.client import build_client
from logicspike.slack.refusing import SLOW
from logicspike.slack.socket_mode import SocketMode


class SocketSlack:
    """Slack's side of Socket Mode: gives out an address, takes one connection, sends envelopes and hears answers."""

    def __init__(self) -> None:
        self.connected: asyncio.Queue[web.WebSocketResponse] = asyncio.Queue()
        self.answers: asyncio.Queue[dict] = asyncio.Queue()
        self.closed = asyncio.Event()
        self.app_tokens: list[str] = []

    def build_app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/apps.connections.open", self._open)
        app.router.add_get("/socket", self._serve)
        return app

    async def _open(self, request: web.Request) -> web.Response:
        self.app_tokens.append(request.headers["Authorization"])
        return web.json_response({"ok": True, "url": f"ws://{request.host}/socket"})

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connected.put_nowait(socket)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.answers.put_nowait(json.loads(message.data))
        self.closed.set()
        return socket

    async def ask(self, socket: web.WebSocketResponse, kind: str, payload: dict) -> dict:
        """Send an envelope and hear the answer."""
        await socket.send_json(
            {"envelope_id": "e1", "type": kind, "payload": payload, "accepts_response_payload": True}
        )
        async with asyncio.timeout(20):
            return await self.answers.get()


@pytest.fixture
async def socket_slack() -> AsyncIterator[tuple[SocketSlack, str]]:
    slack = SocketSlack()
    async with TestServer(slack.build_app()) as server:
        yield slack, str(server.make_url("/api/"))


@contextlib.asynccontextmanager
async def running(edge, api_url: str) -> AsyncIterator[SocketMode]:
    async with aiohttp.ClientSession() as session:
        client = build_client(token="xoxb-test-token", api_url=api_url, session=session)
        app = build_slack_app(client=client, signing_secret="x", authorize=edge.authorize, services=edge.services)

        @app.command("/hang")
        async def on_hang(ack: AsyncAck) -> None:
            await asyncio.Event().wait()

        app._async_listeners.insert(0, app._async_listeners.pop())
        mode = SocketMode(app, app_token="xapp-1", budget=timedelta(milliseconds=200))
        task = asyncio.create_task(mode.run())
        yield mode
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not await mode.is_connected()
        await edge.settle()


def command(edge, text: str, name: str = "/connect") -> dict:
    return {
        "command": name,
        "text": text,
        "team_id": edge.ana.team_id,
        "user_id": edge.ana.user_id,
        "trigger_id": "1.2",
        "response_url": f"{edge.slack.base_url}/response/none",
    }


async def test_a_command_is_answered_in_its_envelope_and_the_connection_is_closed_in_the_end(edge, socket_slack):
    slack, api_url = socket_slack
    async with running(edge, api_url) as mode:
        async with asyncio.timeout(20):
            socket = await slack.connected.get()
        answer = await slack.ask(socket, "slash_commands", command(edge, "echo"))
        assert "e1" == answer["envelope_id"]
        assert "private link" in answer["payload"]["text"]
        assert await mode.is_connected()
    async with asyncio.timeout(20):
        await slack.closed.wait()
    assert ["Bearer xapp-1"] == slack.app_tokens
    assert [(edge.ana, "echo", None)] == edge.notes.of("start")


async def test_what_hangs_or_is_unknown_is_answered_too(edge, socket_slack):
    slack, api_url = socket_slack
    async with running(edge, api_url):
        async with asyncio.timeout(20):
            socket = await slack.connected.get()
        hung = await slack.ask(socket, "slash_commands", command(edge, "", "/hang"))
        assert SLOW == hung["payload"]["text"]
        unknown = await slack.ask(socket, "interactive", {"type": "shortcut", "callback_id": "x"})
        assert "e1" == unknown["envelope_id"]
