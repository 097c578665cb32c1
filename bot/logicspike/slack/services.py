"""Everything the Slack edge works with, in one value that the composition root fills in."""

from __future__ import annotations

from dataclasses import dataclass

from ..clock import Clock
from ..connectables import Connectable
from ..platforms import Platforms
from ..services.answering import Answering
from ..services.connecting import Connecting
from ..services.disconnecting import Disconnecting
from ..services.editing import Editing
from ..services.leaving import Leaving
from ..services.people import MemberDirectory
from ..services.ports import RequestLog
from ..services.scheduling import Scheduling
from ..tasks import Tasks
from .files import SlackFiles
from .messages_connect import PlatformChoice
from .wording import Titles

__all__ = ["SlackServices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackServices:
    """The use cases and ports that the listeners call."""

    connecting: Connecting
    disconnecting: Disconnecting
    scheduling: Scheduling
    editing: Editing
    answering: Answering
    leaving: Leaving
    platforms: Platforms
    members: MemberDirectory
    requests: RequestLog
    files: SlackFiles
    clock: Clock
    tasks: Tasks

    def titles(self) -> Titles:
        """What people read for each platform's name."""
        return {name: self.platforms.get(name).title for name in self.platforms.names}

    def choices(self) -> tuple[PlatformChoice, ...]:
        """The installed platforms, and their further credential sets that are set up, as messages show them."""
        return tuple(self._choice(each) for each in self.platforms.list_connectables())

    def find_ready_platform(self) -> str | None:
        """The first installed platform that can be used now, for examples; None without any."""
        return next((name for name in self.platforms.names if self.platforms.is_ready(name)), None)

    def _choice(self, asked: Connectable) -> PlatformChoice:
        problems = self.platforms.problems(asked.platform, asked.credential_set)
        return PlatformChoice(
            name=asked.typed,
            title=asked.title,
            is_ready=not problems,
            reason=problems[0] if problems else None,
            is_further=bool(asked.credential_set),
        )
