"""Which workspace the bot's token belongs to, asked from Slack once and remembered: no request waits for Slack."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import aiohttp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

__all__ = ["CachedAuthorize", "Refusal", "Workspace", "describe_failure"]

log = logging.getLogger(__name__)

_FIRST_PAUSE: Final = timedelta(seconds=1)
_LONGEST_PAUSE: Final = timedelta(minutes=1)
_CALL_LIMIT: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What ``auth.test`` says of the bot's token: https://docs.slack.dev/reference/methods/auth.test, checked 2026-11.

    Attributes:
        team_id: the workspace.
        name: for people.
        bot_id: of the bot as an app.
        bot_user_id: of the bot as a member.
        organization_id: the organisation the token is good for, when it was installed there; else None.
        scopes: what the token may do, as Slack says in a header of each answer; None where it doesn't say.
    """

    team_id: str
    name: str
    bot_id: str | None
    bot_user_id: str | None
    organization_id: str | None = None
    scopes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a workspace's requests can't be answered now, in words for people."""

    explanation: str


_NOT_YET: Final = Refusal(
    explanation="I'm still starting and can't reach Slack properly yet. Nothing was done. Please try again in a minute."
)
_REMOVED: Final = Refusal(
    explanation=(
        "I was removed from this workspace, so I've stopped its posts and forgotten its accounts. "
        "To use me again, please ask an admin to install me anew."
    )
)
_ELSEWHERE: Final = Refusal(
    explanation="I'm not installed in your workspace, so I can't do this for you. Please ask an admin to install me."
)


class CachedAuthorize(AsyncAuthorize):
    """Answers Bolt from memory for the one workspace whose token the bot was given.

    Args:
        client: carries the bot token; its session is the shared one.
        on_identified: told which workspace it is, each time Slack says so anew.
        pause: how to wait between tries; a test hands in its own.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        on_identified: Callable[[Workspace], Awaitable[None]] | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped
        self._client = client
        self._on_identified = on_identified
        self._pause = pause
        self._workspace: Workspace | None = None
        self._removed_team_id: str | None = None
        self._wanted = asyncio.Event()
        self._wanted.set()

    @property
    def is_ready(self) -> bool:
        """Whether Slack has said whose token it is, and that it's good."""
        return self._workspace is not None

    @property
    def workspace(self) -> Workspace | None:
        """The workspace, once Slack has named it."""
        return self._workspace

    def has_scope(self, scope: str) -> bool:
        """Whether the bot may do something; what Slack didn't say is taken for granted."""
        scopes = self._workspace.scopes if self._workspace is not None else None
        return scopes is None or scope in scopes

    async def identify(self) -> bool:
        """Ask Slack once; whether it answered. A failure is logged, never raised."""
        try:
            async with asyncio.timeout(_CALL_LIMIT.total_seconds()):
                answer = await self._client.auth_test()
        except (SlackClientError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning(
                "Slack did not accept the bot token: %s", describe_failure(error), extra={"event": "slack.not_ready"}
            )
            return False
        workspace = Workspace(
            team_id=str(answer["team_id"]),
            name=str(answer.get("team") or answer["team_id"]),
            bot_id=answer.get("bot_id"),
            bot_user_id=answer.get("user_id"),
            organization_id=answer.get("enterprise_id") if answer.get("is_enterprise_install") else None,
            scopes=_read_scopes(answer.headers),
        )
        if not await self._announce(workspace):
            return False
        self._workspace, self._removed_team_id = workspace, None
        self._wanted.clear()
        log.info("connected to Slack", extra={"event": "slack.ready", "team_id": workspace.team_id})
        return True

    async def _announce(self, workspace: Workspace) -> bool:
        if self._on_identified is None:
            return True
        try:
            await self._on_identified(workspace)
        except Exception:
            log.exception("the workspace could not be noted", extra={"event": "slack.not_ready"})
            return False
        return True

    async def run(self) -> None:
        """Ask Slack whenever the answer is missing, with growing pauses, until cancelled."""
        while True:
            await self._wanted.wait()
            if self._removed_team_id is not None:
                # The token is on its way out: Slack may accept it a moment longer, which would undo the removal.
                await self._pause(_LONGEST_PAUSE.total_seconds())
            wait = _FIRST_PAUSE
            while not await self.identify():
                await self._pause(wait.total_seconds())
                wait = min(wait * 2, _LONGEST_PAUSE)

    def forget(self, team_id: str) -> None:
        """Stop answering for a workspace that removed the bot, until Slack accepts the token again."""
        if self._workspace is None or self._workspace.team_id != team_id:
            return
        self._workspace, self._removed_team_id = None, team_id
        self._wanted.set()

    def find_refusal(self, team_id: str | None, organization_id: str | None) -> Refusal | None:
        """Why requests of a workspace are refused; None when they are welcome."""
        if team_id is not None and team_id == self._removed_team_id:
            return _REMOVED
        if self._workspace is None:
            return _NOT_YET
        if team_id == self._workspace.team_id:
            return None
        if organization_id is not None and organization_id == self._workspace.organization_id:
            return None
        return _ELSEWHERE

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,  # noqa: ARG002 - Bolt's signature
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        actor_enterprise_id: str | None = None,  # noqa: ARG002 - Bolt's signature
        actor_team_id: str | None = None,  # noqa: ARG002 - Bolt's signature
        actor_user_id: str | None = None,  # noqa: ARG002 - Bolt's signature
    ) -> AuthorizeResult | None:
        """Tell Bolt which token to use; None for a workspace that is not ours. No I/O."""
        if self._workspace is None or self.find_refusal(team_id, enterprise_id) is not None:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_id=self._workspace.bot_id,
            bot_user_id=self._workspace.bot_user_id,
            bot_token=self._client.token,
            user_id=user_id,
        )


def _read_scopes(headers: Mapping[str, str]) -> frozenset[str] | None:
    found = next((value for name, value in headers.items() if name.lower() == "x-oauth-scopes"), None)
    return None if found is None else frozenset(scope.strip() for scope in found.split(","))


def describe_failure(error: Exception) -> str:
    """Slack's error code, or the kind of failure; never the response itself, which may hold what people wrote."""
    # What stands between us and Slack may answer with a page, which the SDK hands on as text.
    answer = getattr(error.response, "data", error.response) if isinstance(error, SlackApiError) else None
    code = answer.get("error") if isinstance(answer, Mapping) else None
    return str(code or type(error).__name__)
