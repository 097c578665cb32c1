"""What the page talks to: its files, a stream of what one member sees, and what the member does; same origin only."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from .panel import PanelPlatform
from .slack_files import MAX_FILE_BYTES
from .slack_state import BOT, SLACK, TEAM, Json, Message
from .slack_views import View

if TYPE_CHECKING:
    from .fake_slack import FakeSlack

__all__ = ["PageServer"]

_TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
_UPLOAD: Final = "/sandbox/upload"
_TICK_SECONDS: Final = 2.0
_TIMELINE_TIMEOUT: Final = aiohttp.ClientTimeout(total=1.5)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageServer:
    """Serves the page at ``/`` and its own API under ``/sandbox/``."""

    def __init__(self, slack: FakeSlack) -> None:
        self._slack = slack
        self._files = {entry.name: entry.read_bytes() for entry in files(__package__).joinpath("page").iterdir()}
        self._is_closing = False
        self._timelines = _Timelines(slack)

    def add_to(self, app: web.Application) -> None:
        """Add the page's paths, and see to it that open streams end with the application."""
        app.middlewares.append(self._guard)
        app.router.add_get("/", self._show_file)
        app.router.add_get("/page/{name}", self._show_file)
        app.router.add_get("/sandbox/stream", self._stream)
        for name, act in self._acts().items():
            app.router.add_post(f"/sandbox/{name}", _as_handler(act))
        app.router.add_post(_UPLOAD, self._upload)
        app.on_shutdown.append(self._close)
        app.cleanup_ctx.append(self._timelines.run)

    async def _close(self, _app: web.Application) -> None:
        self._is_closing = True
        self._slack.workspace.changes.note()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(("/api/", "/response/", "/files-pri/")):
            return await handler(request)
        if not self._is_known_host(request.host):
            raise web.HTTPForbidden(text="Open the sandbox by its IP address or as localhost.")
        is_upload = request.path == _UPLOAD
        if request.method == "POST" and not _is_same_origin(request, is_upload=is_upload):
            raise web.HTTPForbidden(text="Only the sandbox's own page may do this.")
        response = await handler(request)
        if not response.prepared:
            response.headers.update(self._security_headers())
        return response

    def _is_known_host(self, host: str) -> bool:
        # Refusing other names keeps a page that rebinds its DNS name to loopback from reading the sandbox.
        name = urlsplit(f"//{host}").hostname or ""
        if name == "localhost" or name in self._slack.trusted_hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _security_headers(self) -> dict[str, str]:
        frames = " ".join(sorted({_origin(p.timeline_url) for p in self._slack.platforms})) or "'none'"
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            f"img-src 'self' data: http://127.0.0.1:* http://localhost:*; frame-src {frames}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
        }

    async def _show_file(self, request: web.Request) -> web.Response:
        name = request.match_info.get("name", "index.html")
        if name not in self._files:
            raise web.HTTPNotFound
        kind = _TYPES.get(name[name.rfind(".") :], "application/octet-stream")
        return web.Response(body=self._files[name], content_type=kind, charset="utf-8")

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: first all that one member sees, then what changes, and a tick at least every 2 s."""
        user_id = request.query.get("as", "")
        if user_id not in {p.id for p in self._slack.workspace.people}:
            raise web.HTTPNotFound
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"} | self._security_headers())
        await response.prepare(request)
        revision, is_first = 0, True
        self._timelines.viewers += 1
        try:
            while not self._is_closing:
                now_at, update = self._slack.workspace.changes.revision, self._update(user_id, revision, is_first)
                await response.write(b"data: " + json.dumps(update).encode() + b"\n\n")
                revision, is_first = now_at, False
                if self._slack.workspace.changes.revision == revision:
                    await self._slack.workspace.changes.wait(_TICK_SECONDS)
        except ConnectionResetError:
            pass  # the page was closed
        finally:
            self._timelines.viewers -= 1
        return response

    def _update(self, user_id: str, since: int, is_first: bool) -> dict[str, Any]:
        slack = self._slack
        view = slack.view_of(user_id)
        update: dict[str, Any] = {
            "reset": is_first,
            "now": slack.clock.now().timestamp(),
            "messages": [_print_message(m) for m in slack.workspace.changed_for(user_id, since)],
            "view": _print_view(view, len(slack.views.stack_of(user_id))) if view else None,
            "unread": {
                person.id: {c.id: slack.workspace.unread(person.id, c.id) for c in self._rail(person.id)}
                for person in slack.workspace.people
            },
            "platforms": [self._print_platform(platform) for platform in slack.platforms],
        }
        return update | self._print_workspace(user_id) if is_first else update

    def _rail(self, user_id: str) -> tuple[Any, ...]:
        return self._slack.workspace.conversations_of(user_id)

    def _print_workspace(self, user_id: str) -> dict[str, Any]:
        slack = self._slack
        return {
            "team": TEAM.name,
            "me": user_id,
            "bot": BOT,
            "slack": SLACK,
            "can_advance_clock": slack.can_advance_clock,
            "members": [
                {
                    "id": m.id,
                    "name": m.display_name,
                    "real_name": m.real_name,
                    "tz": m.tz,
                    "is_admin": m.is_admin,
                    "is_bot": m.is_bot,
                }
                for m in slack.workspace.members.values()
            ],
            "conversations": [{"id": c.id, "name": c.name, "is_im": c.is_im} for c in self._rail(user_id)],
            "commands": [
                {"name": c.name, "description": c.description, "hint": c.usage_hint, "examples": list(c.examples)}
                for c in slack.commands
            ],
            "shortcuts": [
                {"callback_id": s.callback_id, "name": s.name, "is_message": s.is_message} for s in slack.shortcuts
            ],
        }

    def _print_platform(self, platform: PanelPlatform) -> dict[str, Any]:
        return {
            "name": platform.name,
            "title": platform.title,
            "timeline_url": platform.timeline_url,
            "version": self._timelines.version_of(platform.name),
            "faults": [{"name": f.name, "label": f.label, "kind": f.kind, "is_on": f.is_on} for f in platform.faults()],
        }

    def _acts(self) -> dict[str, Callable[[Json], Awaitable[Json]]]:
        return {
            "send": self._send,
            "action": self._act,
            "submit": self._submit,
            "close": self._close_view,
            "shortcut": self._shortcut,
            "read": self._read,
            "clock": self._clock,
            "fault": self._fault,
        }

    async def _send(self, body: Json) -> Json:
        await self._slack.enter(body["as"], str(body["text"]), channel_id=body["channel"])
        return {}

    async def _act(self, body: Json) -> Json:
        where: Message | View | None = None
        if body.get("view_id"):
            where = self._slack.views.find(view_id=body["view_id"])
            if where is None:
                return {}  # Closed while this was on its way, as what is typed last often is.
        else:
            where = self._slack.workspace.find_message(body["channel"], body["ts"])
        if where is None:
            raise KeyError("it is gone")
        if body.get("answers"):
            where = self._slack.fill_view(body["as"], body["answers"])
        answer = await self._slack.click(
            body["as"], where, body["action_id"], body.get("value"), block_id=body.get("block_id")
        )
        return {"error": answer.error}

    async def _upload(self, request: web.Request) -> web.Response:
        """Keep a file that a member chose in a form: its bytes are the body."""
        content = bytearray()
        async for piece in request.content.iter_any():
            content += piece
            if len(content) > MAX_FILE_BYTES:
                return web.json_response({"problem": "The sandbox takes files up to 100 MB."}, status=413)
        if request.query.get("as") not in self._slack.workspace.members:
            raise web.HTTPNotFound
        name = request.query.get("name") or "file"
        file = self._slack.files.upload(request.query["as"], name, bytes(content))
        return web.json_response({"id": file.id, "name": file.name})

    async def _submit(self, body: Json) -> Json:
        result = await self._slack.submit_view(body["as"], body["answers"])
        return {"action": result.action}

    async def _close_view(self, body: Json) -> Json:
        await self._slack.close_view(body["as"])
        return {}

    async def _shortcut(self, body: Json) -> Json:
        if not body.get("ts"):
            await self._slack.shortcut(body["as"], body["callback_id"])
            return {}
        message = self._slack.workspace.find_message(body["channel"], body["ts"])
        if message is None:
            raise KeyError("it is gone")
        await self._slack.message_shortcut(body["as"], message, body["callback_id"])
        return {}

    async def _read(self, body: Json) -> Json:
        self._slack.workspace.mark_read(body["as"], body["channel"])
        return {}

    async def _clock(self, body: Json) -> Json:
        await self._slack.advance_clock(timedelta(seconds=int(body["seconds"])))
        return {"now": self._slack.clock.now().timestamp()}

    async def _fault(self, body: Json) -> Json:
        platforms = {platform.name: platform for platform in self._slack.platforms}
        await platforms[body["platform"]].set_fault(str(body["name"]), bool(body["on"]))
        self._slack.workspace.changes.note()
        return {}


class _Timelines:
    """Looks at each platform's timeline now and then, so that the page reloads a frame only when it changed."""

    def __init__(self, slack: FakeSlack) -> None:
        self._slack = slack
        self._versions: dict[str, str] = {}
        self.viewers = 0

    async def run(self, _app: web.Application) -> AsyncIterator[None]:
        """Watch while the application runs."""
        async with aiohttp.ClientSession(timeout=_TIMELINE_TIMEOUT) as session:
            watching = asyncio.create_task(self._watch(session))
            yield
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    def version_of(self, name: str) -> str:
        """Changes whenever the platform's timeline does; "" before it was seen."""
        return self._versions.get(name, "")

    async def _watch(self, session: aiohttp.ClientSession) -> None:
        while True:
            if self.viewers:
                await asyncio.gather(*(self._look_at(session, platform) for platform in self._slack.platforms))
            await asyncio.sleep(_TICK_SECONDS / 2)

    async def _look_at(self, session: aiohttp.ClientSession, platform: PanelPlatform) -> None:
        try:
            async with session.get(platform.timeline_url) as answer:
                version = hashlib.sha256(await answer.read()).hexdigest()[:16]
        except (aiohttp.ClientError, TimeoutError):
            return  # the frame keeps what it shows
        if self._versions.get(platform.name) != version:
            self._versions[platform.name] = version
            self._slack.workspace.changes.note()


def _as_handler(act: Callable[[Json], Awaitable[Json]]) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.text())
            return web.json_response(await act(body))
        except (LookupError, ValueError, TypeError) as error:
            return web.json_response({"problem": f"That can't be done: {error}"}, status=400)

    return handler


def _is_same_origin(request: web.Request, *, is_upload: bool) -> bool:
    is_simple = request.content_type != ("application/octet-stream" if is_upload else "application/json")
    if is_simple:  # Another page could send that without being asked.
        return False
    origin = request.headers.get("Origin")
    if origin is not None:
        return origin == f"{request.scheme}://{request.host}"
    return request.headers.get("Sec-Fetch-Site") == "same-origin"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _print_message(message: Message) -> dict[str, Any]:
    if message.is_deleted:
        return {"channel": message.channel, "ts": message.ts, "is_deleted": True}
    return {
        "channel": message.channel,
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": list(message.blocks),
        "at": message.at.timestamp(),
        "is_ephemeral": message.is_ephemeral,
        "is_edited": message.is_edited,
        "via": message.via,
    }


def _print_view(view: View, depth: int) -> Mapping[str, Any]:
    return {
        "id": view.id,
        "hash": view.hash,
        "depth": depth,
        "title": view.spec["title"],
        "submit": view.spec.get("submit"),
        "close": view.spec.get("close"),
        "blocks": list(view.blocks),
        "errors": dict(view.errors),
        "trouble": view.trouble,
        "values": dict(view.values),
        "revision": view.revision,
    }
