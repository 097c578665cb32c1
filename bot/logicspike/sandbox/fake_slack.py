"""A small Slack on one port: the Web API under ``/api/``, response URLs, and the page at ``/``."""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, TypeVar

from aiohttp import web

from .interactions import Interactions
from .page_server import PageServer
from .panel import PanelPlatform
from .slack_api import DEFAULT_SCOPES, WebApi
from .slack_files import FakeFiles
from .slack_out import ACK_SECONDS, BotAnswer, Outbox
from .slack_state import GENERAL, SLACK, Clock, Command, Message, Shortcut, Workspace
from .slack_views import View

__all__ = ["FakeSlack"]

PATIENCE: Final = 20.0
"""Seconds after which what hasn't come is given up; generous, for a machine that runs everything at once is slow."""

Found = TypeVar("Found")


class FakeSlack(Interactions):
    """A faithful small Slack with one workspace, three people, and one app: the bot under test.

    Args:
        signing_secret: with which requests to the bot are signed.
        bot_token: the only token the Web API lets in.
        clock: the sandbox's time; signatures and triggers live on real time.
        events_url: the bot's address for all requests; may be set later, before the first request.
        commands: slash commands the composer offers.
        shortcuts: shortcuts the page offers.
        platforms: what the page's sandbox panel shows.
        advance_clock: moves the sandbox's time; None hides the buttons.
        scopes: what the app was granted.
        subscribed_events: which events members cause by themselves are sent (``message.im``, ``app_home_opened``).
        trusted_hosts: host names under which the page may be opened beside localhost and IP addresses.
        ack_seconds: how long the bot may take to answer.
        real_time, timer: Unix seconds for signatures, and a steady timer for triggers.
    """

    def __init__(
        self,
        *,
        signing_secret: str,
        bot_token: str,
        clock: Clock,
        events_url: str | None = None,
        commands: Sequence[Command] = (),
        shortcuts: Sequence[Shortcut] = (),
        platforms: Sequence[PanelPlatform] = (),
        advance_clock: Callable[[timedelta], Awaitable[None] | None] | None = None,
        scopes: Collection[str] = DEFAULT_SCOPES,
        subscribed_events: Collection[str] = (),
        trusted_hosts: Collection[str] = (),
        ack_seconds: float = ACK_SECONDS,
        real_time: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        outbox = Outbox(signing_secret, real_time, ack_seconds)
        workspace = Workspace(clock)
        files = FakeFiles(clock=clock, changes=workspace.changes, bot_token=bot_token)
        super().__init__(workspace=workspace, files=files, outbox=outbox, real_time=real_time, timer=timer)
        self.clock = clock
        self.commands = tuple(commands)
        self.shortcuts = tuple(shortcuts)
        self.platforms: Sequence[PanelPlatform] = tuple(platforms)
        self.subscribed_events = frozenset(subscribed_events)
        self.trusted_hosts = frozenset(trusted_hosts)
        self.api = WebApi(
            workspace=self.workspace,
            views=self.views,
            files=self.files,
            triggers=self._triggers,
            responses=self._responses,
            bot_token=bot_token,
            scopes=scopes,
        )
        self._advance_clock = advance_clock
        self.events_url = events_url

    @property
    def events_url(self) -> str | None:
        """Where the bot takes commands, interactions and events."""
        return self._outbox.events_url

    @events_url.setter
    def events_url(self, url: str | None) -> None:
        self._outbox.events_url = url

    @property
    def api_url(self) -> str:
        """What the bot's ``SLACK_API_URL`` must be."""
        return f"{self.base_url}/api/"

    @property
    def can_advance_clock(self) -> bool:
        """Whether the sandbox's time can be moved."""
        return self._advance_clock is not None

    def build_app(self) -> web.Application:
        """The application for the Web API, the response URLs and the page; set ``base_url`` once it is bound."""
        app = web.Application(client_max_size=4 * 1024 * 1024)
        self.api.add_routes(app.router)
        self.files.add_routes(app.router)
        page = PageServer(self)
        page.add_to(app)
        app.cleanup_ctx.append(self._run_outbox)
        return app

    async def _run_outbox(self, _app: web.Application) -> AsyncIterator[None]:
        await self._outbox.open()
        yield
        await self._outbox.close()

    @asynccontextmanager
    async def running(self, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[FakeSlack]:
        """Serve on this address (port 0: a free one) and know ``base_url``, until the block ends."""
        runner = web.AppRunner(self.build_app(), handle_signals=False, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            self.base_url = self.files.base_url = f"http://{host}:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()

    async def advance_clock(self, by: timedelta) -> None:
        """Move the sandbox's time, by the function that was handed in."""
        if self._advance_clock is not None:
            done = self._advance_clock(by)
            if inspect.isawaitable(done):
                await done
        self.workspace.changes.note()

    async def say(self, user_id: str, text: str, *, channel_id: str = GENERAL) -> BotAnswer | None:
        """Write a plain message; in direct messages the bot hears it if it subscribed to ``message.im``."""
        conversation = self._conversation(user_id, channel_id)
        message = self.workspace.post(channel=channel_id, user=user_id, text=text)
        if not conversation.is_im or "message.im" not in self.subscribed_events:
            return None
        body = {"channel": channel_id, "channel_type": "im", "event_ts": message.ts} | message.to_json()
        return await self.send_event(body)

    async def enter(self, user_id: str, line: str, *, channel_id: str = GENERAL) -> BotAnswer | None:
        """Send what a member typed: a slash command the app has, or a plain message."""
        name, _, rest = line.strip().partition(" ")
        if not name.startswith("/"):
            return await self.say(user_id, line.strip(), channel_id=channel_id)
        if self.commands and name not in {command.name for command in self.commands}:
            known = ", ".join(command.name for command in self.commands)
            self.workspace.post(
                channel=channel_id,
                user=SLACK,
                only_for=user_id,
                text=f"{name} is not a command here. There are: {known}.",
            )
            return None
        return await self.command(user_id, name, rest.strip(), channel_id=channel_id)

    def messages_for(self, user_id: str, channel: str | None = None) -> tuple[Message, ...]:
        """What this member sees, oldest first: in one conversation, or in all of them."""
        return self.workspace.messages_for(user_id, channel)

    def im_of(self, user_id: str) -> str:
        """The id of the direct messages between this member and the bot."""
        return self.workspace.im_of(user_id).id

    def view_of(self, user_id: str) -> View | None:
        """The modal this member sees, if any."""
        return self.views.top_of(user_id)

    async def wait_for(self, find: Callable[[], Found | None], timeout: float = PATIENCE) -> Found:
        """Wait until ``find`` returns something true, trying again after each change, and return it.

        Raises:
            TimeoutError: not within ``timeout`` seconds of real time; says what was there instead.
        """
        deadline = time.monotonic() + timeout
        while not (found := find()):
            if not await self.workspace.changes.wait(max(0.0, deadline - time.monotonic())):
                raise TimeoutError(f"Nothing came within {timeout} s.\n{self._summary()}")
        return found

    async def wait_for_message(
        self,
        user_id: str,
        containing: str = "",
        *,
        channel: str | None = None,
        after: Message | None = None,
        timeout: float = PATIENCE,
    ) -> Message:
        """Wait for a message this member sees, newest first, whose blocks or text contain this.

        Args:
            user_id: who sees it.
            containing: a part of ``Message.everything`` or of ``text``.
            channel: only there.
            after: only what was posted or edited after this one.
            timeout: seconds of real time.

        Raises:
            TimeoutError: it did not come.
        """
        since = after.revision if after is not None else -1

        def find() -> Message | None:
            seen = (m for m in reversed(self.messages_for(user_id, channel)) if m.revision > since)
            return next((m for m in seen if containing in m.everything or containing in m.text), None)

        return await self.wait_for(find, timeout)

    async def wait_for_view(self, user_id: str, callback_id: str | None = None, timeout: float = PATIENCE) -> View:
        """Wait until this member sees a modal, of this name if one is given.

        Raises:
            TimeoutError: it did not open.
        """

        def find() -> View | None:
            view = self.view_of(user_id)
            return view if view is not None and callback_id in (None, view.callback_id) else None

        return await self.wait_for(find, timeout)

    def _summary(self) -> str:
        last = {m.ts: m for p in self.workspace.people for m in self.messages_for(p.id)}
        messages = [
            f"  {m.channel} for {m.only_for or 'all'}: {m.everything[:160]!r}" for m in list(last.values())[-8:]
        ]
        calls = [f"  {call.method} {call.error or 'ok'}" for call in self.api.calls[-8:]]
        return "\n".join(["Last messages:", *messages, "Last calls:", *calls])
