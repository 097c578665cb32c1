"""Everything the Slack edge works with, in one value that the composition root fills in."""

from __future__ import annotations

from dataclasses import dataclass

from ..clock import Clock
from ..platforms import Platforms
from ..services.answering import Answering
from ..services.connecting import Connecting
from ..services.disconnecting import Disconnecting
from ..services.leaving import Leaving
from ..services.ports import MemberDirectory, RequestLog
from ..services.scheduling import Scheduling
from ..tasks import Tasks

__all__ = ["SlackServices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackServices:
    """The use cases and ports that the listeners call."""

    connecting: Connecting
    disconnecting: Disconnecting
    scheduling: Scheduling
    answering: Answering
    leaving: Leaving
    platforms: Platforms
    members: MemberDirectory
    requests: RequestLog
    clock: Clock
    tasks: Tasks
