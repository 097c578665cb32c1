"""Who is who in Slack: names, time zones and rights, remembered for a little while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from ..clock import Clock
from ..domain import Member
from ..services.people import MemberProfile, SlackUnavailable
from .authorize import CachedAuthorize, describe_failure

__all__ = ["SlackDirectory"]

log = logging.getLogger(__name__)

_FRESH: Final = timedelta(minutes=5)
_ADMINS_FRESH: Final = timedelta(hours=1)
_CALL_LIMIT: Final = timedelta(seconds=8)
_REMEMBERED: Final = 10_000
_PAGE_SIZE: Final = 200  # what Slack recommends: docs.slack.dev/reference/methods/users.list, checked 2026-11
_PAGES: Final = 50
_ADMINS_TOLD: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remembered:
    profile: MemberProfile
    until: datetime


class SlackDirectory:
    """Asks Slack who a member is; rights fail closed.

    Args:
        client: carries the bot token.
        authorize: knows the workspace's name.
        admins: Slack user ids that are admins of the bot beside the workspace's own admins and owners.
        clock: how long ago something was asked.
    """

    def __init__(
        self, client: AsyncWebClient, *, authorize: CachedAuthorize, admins: Collection[str], clock: Clock
    ) -> None:
        self._client = client
        self._authorize = authorize
        self._admins = frozenset(admins)
        self._clock = clock
        self._profiles: dict[Member, _Remembered] = {}
        self._admin_lists: dict[str, tuple[datetime, tuple[Member, ...]]] = {}

    async def get_profile(self, member: Member) -> MemberProfile:
        """The member's name, time zone and rights; asked from Slack at most every five minutes.

        While Slack doesn't answer, an older name and zone do, but nobody is an admin by what Slack said long ago.

        Raises:
            SlackUnavailable: Slack did not answer, or knows no such member, and nothing is remembered.
        """
        known = self._profiles.get(member)
        if known is not None and known.until > self._clock.now():
            return known.profile
        try:
            user = await self._ask(member)
        except SlackUnavailable:
            if known is None:
                raise
            return replace(known.profile, is_admin=member.user_id in self._admins)
        return self._remember(member, user)

    async def _ask(self, member: Member) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(_CALL_LIMIT.total_seconds()):
                answer = await self._client.users_info(user=member.user_id)
        except (SlackClientError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise SlackUnavailable(f"users.info: {describe_failure(error)}") from None
        user: Mapping[str, Any] = answer["user"]
        return user

    def _remember(self, member: Member, user: Mapping[str, Any]) -> MemberProfile:
        is_admin = not user.get("deleted") and (member.user_id in self._admins or _is_workspace_admin(member, user))
        profile = MemberProfile(
            name=_name(user), zone=_zone(user), is_admin=is_admin, is_deleted=bool(user.get("deleted"))
        )
        self._profiles.pop(member, None)
        self._profiles[member] = _Remembered(profile=profile, until=self._clock.now() + _FRESH)
        if len(self._profiles) > _REMEMBERED:
            del self._profiles[next(iter(self._profiles))]
        return profile

    async def get_workspace_name(self, team_id: str) -> str:
        """The workspace's name for people; its id while Slack has not told the name."""
        workspace = self._authorize.workspace
        return workspace.name if workspace is not None and workspace.team_id == team_id else team_id

    async def list_admins(self, team_id: str) -> tuple[Member, ...]:
        """Whom to tell when the bot's own set-up is in trouble: those listed, then the workspace's, ten at most."""
        until, admins = self._admin_lists.get(team_id, (None, ()))
        if until is None or until <= self._clock.now():
            admins = await self._find_admins(team_id)
            self._admin_lists = {team_id: (self._clock.now() + _ADMINS_FRESH, admins)}
        return admins

    async def _find_admins(self, team_id: str) -> tuple[Member, ...]:
        listed = [Member(team_id=team_id, user_id=each) for each in sorted(self._admins)]
        try:
            found = await self._list_workspace_admins(team_id)
        except (SlackClientError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning(
                "the workspace's admins could not be listed: %s",
                describe_failure(error),
                extra={"event": "slack.admins_unknown", "team_id": team_id},
            )
            found = []
        return tuple(dict.fromkeys([*listed, *found]))[:_ADMINS_TOLD]

    async def _list_workspace_admins(self, team_id: str) -> list[Member]:
        found: list[Member] = []
        cursor: str | None = None
        for _ in range(_PAGES):
            async with asyncio.timeout(_CALL_LIMIT.total_seconds()):
                answer = await self._client.users_list(cursor=cursor, limit=_PAGE_SIZE)
            members: list[Mapping[str, Any]] = answer["members"]
            for user in members:
                member = Member(team_id=team_id, user_id=str(user["id"]))
                if not user.get("deleted") and _is_workspace_admin(member, user):
                    found.append(member)
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return found


def _is_workspace_admin(member: Member, user: Mapping[str, Any]) -> bool:
    """An admin of this very workspace: somebody from elsewhere, seen in a shared channel, has no say here."""
    if member.team_id not in {user.get("team_id"), *(user.get("enterprise_user") or {}).get("teams", ())}:
        return False
    return any(user.get(each) is True for each in ("is_admin", "is_owner", "is_primary_owner"))


def _name(user: Mapping[str, Any]) -> str:
    profile = user.get("profile") or {}
    names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    return next((str(each).strip() for each in names if each and str(each).strip()), "a member")


def _zone(user: Mapping[str, Any]) -> str:
    zone = user.get("tz") or "UTC"
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, TypeError, KeyError):  # ZoneInfoNotFoundError is a KeyError; odd names are the others
        return "UTC"
    return str(zone)
