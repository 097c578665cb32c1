"""What is said about a text and a time before they're accepted, be the post new or changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from ..clock import Clock
from ..domain import Connection, ConnectionStatus
from ..platforms import Platforms
from ..plugin.types import Post
from ..texts import first_link
from .addressing import ScheduleProblem

__all__ = ["Checking"]

_GRACE: Final = timedelta(minutes=1)


class Checking:
    """Checks what an author wrote against the time and the platforms' rules.

    Args:
        platforms: the installed platforms.
        clock: the time.
    """

    def __init__(self, *, platforms: Platforms, clock: Clock) -> None:
        self._platforms = platforms
        self._clock = clock

    def check_time(self, due_at: datetime) -> Iterable[ScheduleProblem]:
        """Complain of a time that has passed; one a moment ago still means "now"."""
        if due_at < self._clock.now() - _GRACE:
            yield ScheduleProblem(field="when", message="That time has passed. Choose one that is still to come.")

    def check_text(self, text: str, connection: Connection) -> Iterable[ScheduleProblem]:
        """Complain of what the account's platform would refuse; its plugin must be ready."""
        post = Post(key="check", text=text, link=first_link(text))
        for problem in self._platforms.validate(connection.platform, connection.account, post):
            yield ScheduleProblem(field="text", message=problem.message)

    def warn(self, connections: Iterable[Connection]) -> Iterable[str]:
        """What is worth a look about these accounts, in words for people."""
        for connection in connections:
            title = self._platforms.get(connection.platform).title
            if connection.status is ConnectionStatus.NEEDS_RECONNECT:
                yield (
                    f"{connection.account.name} ({title}) needs you to sign in again before this can go out; "
                    "until then the post is held, not lost."
                )
