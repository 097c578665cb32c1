"""A team of its own for each test of the use cases, and how its platform refuses a post or a part of one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from team import Team, open_team

from logicspike.store.mongo import Database


@pytest.fixture
async def team(mongo_database: Database) -> AsyncIterator[Team]:
    async with open_team(mongo_database) as opened:
        yield opened


@pytest.fixture
async def guild_team(mongo_database: Database) -> AsyncIterator[Team]:
    """A team that has Guild as well, with both of its developer apps."""
    async with open_team(mongo_database, with_guild=True) as opened:
        yield opened


@pytest.fixture
def refuse(team, monkeypatch):
    """Let publish raise once, or so many times, as a platform's plugin would; if asked to, for one part alone.

    ``is_live`` says that the platform has published it all the same.
    """

    def arrange(error: Exception, *, times: int = 1, part: int | None = None, is_live: bool = False) -> None:
        publish, left = team.platforms.publish, [times]

        async def refusing(name, credential, post, *rest):
            if not left[0] or part not in {None, post.part}:
                return await publish(name, credential, post, *rest)
            left[0] -= 1
            if is_live:
                await publish(name, credential, post, *rest)
            raise error

        monkeypatch.setattr(team.platforms, "publish", refusing)

    return arrange
