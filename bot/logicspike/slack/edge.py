"""The Slack edge as one part: built from settings, connected to the services, run and drained by the bot's app."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import aiohttp
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp

from ..clock import Clock
from ..services.ports import WorkspaceStore
from ..settings import Settings
from ..tasks import Tasks
from .app import build_slack_app
from .authorize import CachedAuthorize, Workspace
from .client import build_client
from .directory import SlackDirectory
from .files import SlackFiles
from .http import slack_routes
from .manifest import CommandNames
from .notifier import DirectMessages, SlackNotifier
from .services import SlackServices
from .socket_mode import SocketMode

__all__ = ["SlackEdge"]

log = logging.getLogger(__name__)

_DRAIN: Final = timedelta(seconds=10)
_SOCKET_MODE_SECRET: Final = "socket-mode-requests-are-not-signed"  # noqa: S105 - Bolt wants one; no route uses it


class SlackEdge:
    """Everything between Slack and the services.

    Args:
        settings: tokens, secrets, command names.
        session: shared; its timeout bounds each call.
        workspaces: where it is noted which workspace has the bot.
        clock: the time.
        titles: what people read for each platform's name.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        session: aiohttp.ClientSession,
        workspaces: WorkspaceStore,
        clock: Clock,
        titles: Mapping[str, str],
    ) -> None:
        assert settings.slack_bot_token is not None, "checked by missing_for_serving"
        self._settings = settings
        self._workspaces = workspaces
        self._clock = clock
        self.tasks: Final = Tasks()
        self._client = build_client(
            token=settings.slack_bot_token.get_secret_value(), api_url=settings.slack_api_url, session=session
        )
        self._authorize = CachedAuthorize(self._client, on_identified=self._note_workspace)
        self.directory: Final = SlackDirectory(
            self._client, authorize=self._authorize, admins=settings.logicspike_admins, clock=clock
        )
        self.notifier: Final = SlackNotifier(
            DirectMessages(self._client), directory=self.directory, clock=clock, titles=titles
        )
        self.files: Final = SlackFiles(self._client, session=session, has_scope=self._authorize.has_scope)
        self._app: AsyncApp | None = None

    @property
    def is_ready(self) -> bool:
        """Whether Slack has accepted the bot token."""
        return self._authorize.is_ready

    def connect(self, services: SlackServices) -> None:
        """Hand in the services; before ``routes`` and ``running``. A process that only publishes leaves it out."""
        names = CommandNames(
            connect=self._settings.slack_command_connect, schedule=self._settings.slack_command_schedule
        )
        self._app = build_slack_app(
            client=self._client,
            signing_secret=self._signing_secret or _SOCKET_MODE_SECRET,
            authorize=self._authorize,
            services=services,
            commands=names,
        )

    @property
    def _signing_secret(self) -> str:
        secret = self._settings.slack_signing_secret
        return secret.get_secret_value() if secret is not None else ""

    def routes(self) -> Sequence[web.RouteDef]:
        """The route Slack calls; none in Socket Mode, where Slack calls over a connection of ours."""
        assert self._app is not None, "connect() comes first"
        if self._settings.slack_app_token is not None:
            return ()
        return slack_routes(self._app, signing_secret=self._signing_secret)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ask Slack who we are, in the background until it answers; once connected, keep Socket Mode's connection."""
        await self._authorize.identify()
        background = [asyncio.create_task(self._authorize.run(), name="slack authorize")]
        app_token = self._settings.slack_app_token
        if app_token is not None and self._app is not None:
            socket = SocketMode(self._app, app_token=app_token.get_secret_value())
            background.append(asyncio.create_task(socket.run(), name="slack socket mode"))
        try:
            yield
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)

    async def drain(self) -> None:
        """Let the work behind the acknowledgements finish."""
        if left := await self.tasks.drain(_DRAIN):
            log.warning("%s background tasks were broken off", left, extra={"event": "slack.broken_off"})

    async def _note_workspace(self, workspace: Workspace) -> None:
        await self._workspaces.mark_installed(workspace.team_id, workspace.name, self._clock.now())
