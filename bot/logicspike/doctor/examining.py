"""Which things are looked at, and in which order they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from ..clock import SystemClock
from ..platforms import Platforms
from ..settings import Settings
from .bot_findings import look_at_database, look_at_settings, look_at_slack
from .findings import Finding
from .platform_findings import look_at_platform, look_for_platforms

__all__ = ["Section", "examine", "list_sections"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What is looked at together, and told under one heading.

    Attributes:
        title: the heading.
        look: looks, and says what it found; () leaves the heading out.
    """

    title: str
    look: Callable[[], Awaitable[tuple[Finding, ...]]]


def list_sections(settings: Settings) -> tuple[Section, ...]:
    """All that is to be looked at, in the order it is told; nothing has been looked at yet."""
    platforms = Platforms.load(
        environment=settings.environment, clock=SystemClock(), disabled=settings.logicspike_disabled_platforms
    )
    return (
        Section(title="Settings", look=partial(look_at_settings, settings)),
        Section(title="Database", look=partial(look_at_database, settings)),
        Section(title="Slack", look=partial(look_at_slack, settings)),
        Section(title="Platforms", look=partial(look_for_platforms, platforms)),
        *(
            Section(
                title=platforms.get(name).title,
                look=partial(look_at_platform, platforms, name, public_url=settings.public_url),
            )
            for name in platforms.names
        ),
    )


async def examine(settings: Settings) -> tuple[Finding, ...]:
    """Look at settings, keys, database, clock, Slack and each platform, all at once; nothing is posted.

    The embedded database and its key are made, as they would be at the first start, when they aren't there yet.
    """
    results = await asyncio.gather(*(section.look() for section in list_sections(settings)))
    return tuple(finding for findings in results for finding in findings)
