"""What the use cases need to know of people and to tell them; ``slack`` implements it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..domain import Member
from .notices import Notice

__all__ = ["MemberDirectory", "MemberProfile", "Notifier", "SlackUnavailable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberProfile:
    """What Slack knows of a member.

    Attributes:
        name: display name, else real name, else user name; never escaped.
        zone: IANA name of the member's time zone; "UTC" when Slack doesn't say.
        is_admin: an admin or owner of the workspace, or listed in LOGICSPIKE_ADMINS.
        is_deleted: the account was deactivated.
    """

    name: str
    zone: str
    is_admin: bool
    is_deleted: bool = False


class MemberDirectory(Protocol):
    """Who is who in Slack."""

    async def get_profile(self, member: Member) -> MemberProfile:
        """The member's name, time zone and rights; asked from Slack at most every five minutes.

        Raises:
            SlackUnavailable: Slack did not answer, and nothing is remembered.
        """
        ...

    async def get_workspace_name(self, team_id: str) -> str:
        """The workspace's name for people."""
        ...

    async def list_admins(self, team_id: str) -> tuple[Member, ...]:
        """Whom to tell when the bot's own set-up is in trouble."""
        ...


class SlackUnavailable(Exception):
    """Slack did not answer, or refused."""


class Notifier(Protocol):
    """Direct messages."""

    async def notify(self, member: Member, notice: Notice) -> str | None:
        """Send a DM; an opaque reference for ``revise``, or None when Slack would not take it (that is logged)."""
        ...

    async def revise(self, message: str, notice: Notice) -> None:
        """Put another notice in a message's place; a failure is logged, never raised."""
        ...
