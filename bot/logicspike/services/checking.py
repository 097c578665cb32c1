"""What is said about a text and a time before they're accepted, be the post new or changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ..clock import Clock
from ..domain import Connection, ConnectionStatus
from ..platforms import Platforms
from ..plugin.types import Media, Platform, Post, Problem
from ..texts import first_link
from .addressing import ScheduleProblem
from .media_rules import check_media, fit_media

__all__ = ["Checking"]

_GRACE: Final = timedelta(minutes=1)
_FIELDS: Final[Mapping[str, str]] = {"media": "media", "alt_text": "alt_text"}
"""Field of a plugin's problem to field of the form; a link is written in the text."""


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

    def check_parts(self, parts: Sequence[str]) -> Iterable[ScheduleProblem]:
        """Complain of lines of dashes that part nothing."""
        if len(parts) > 1 and "" in parts:
            number = parts.index("") + 1
            yield ScheduleProblem(field="text", message=_EMPTY_PART.format(number=number, count=len(parts)))

    def check_content(
        self, parts: Sequence[str], media: Sequence[Media], connection: Connection
    ) -> Iterable[ScheduleProblem]:
        """Complain of what the account's platform would refuse of a post's parts; its plugin must be ready."""
        platform = self._platforms.get(connection.platform)
        if len(parts) > platform.limits.max_parts:
            yield ScheduleProblem(field="text", message=_too_many_parts(platform, len(parts)))
            return
        fitted = fit_media(platform.limits, media)
        of_files = check_media(platform, fitted)
        yield from map(_to_problem, of_files)
        for number, text in enumerate(parts):
            first_media = fitted if number == 0 else ()
            post = Post(key="check", text=text, link=first_link(text), media=first_media, part=number)
            where = f"Part {number + 1}: " if len(parts) > 1 else ""
            for problem in self._platforms.validate(connection.platform, connection.account, post):
                if problem.field != "media" or not of_files:  # The plugin may say the same in its own words.
                    yield _to_problem(problem, where)

    def warn(self, connections: Iterable[Connection], due_at: datetime, zone: str) -> Iterable[str]:
        """What is worth a look about these accounts for a post at a time, in words for people of a zone."""
        for connection in connections:
            title = self._platforms.get(connection.platform).title
            if connection.status is ConnectionStatus.NEEDS_RECONNECT:
                yield (
                    f"{connection.account.name} ({title}) needs you to sign in again before this can go out; "
                    "until then the post is held, not lost."
                )
            elif connection.access_ends_at is not None and connection.access_ends_at <= due_at:
                has_ended = connection.access_ends_at <= self._clock.now()
                yield _ends_before(
                    connection, title, connection.access_ends_at.astimezone(ZoneInfo(zone)), has_ended=has_ended
                )


def _ends_before(connection: Connection, title: str, ends_at: datetime, *, has_ended: bool) -> str:
    when = f"{ends_at.day} {ends_at:%b %Y at %H:%M}"
    if has_ended:
        return (
            f"My access to {connection.account.name} ({title}) ended on {when}, and only you can renew it: sign in "
            "again before this is due; until then the post is held, not lost."
        )
    return (
        f"My access to {connection.account.name} ({title}) ends on {when}, before this is due, and only you can renew "
        "it: I will remind you to sign in again."
    )


_EMPTY_PART: Final = (
    "A line of dashes parts the text, and part {number} of {count} is empty: write something there, or take the line "
    "out."
)


def _too_many_parts(platform: Platform, count: int) -> str:
    match platform.limits.max_parts:
        case 1:
            takes = "takes a post in one part"
        case 2:
            takes = "takes a post and one first comment"
        case most:
            takes = f"takes threads of up to {most} parts"
    return f"{platform.title} {takes}; this has {count} parts."


def _to_problem(problem: Problem, where: str = "") -> ScheduleProblem:
    return ScheduleProblem(field=_FIELDS.get(problem.field, "text"), message=f"{where}{problem.message}")
