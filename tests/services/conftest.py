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
    """Let publish raise once, or so many times, as a platform's plugin would."""

    def arrange(error: Exception, *, times: int = 1) -> None:
        publish = team.platforms.publish
        left = [times]

        async def refusing(*args: object) -> object:
            if left[0]:
                left[0] -= 1
                raise error
            return await publish(*args)

        monkeypatch.setattr(team.platforms, "publish", refusing)

    return arrange


@pytest.fixture
def at_part(team, monkeypatch):
    """Let publish raise once, or so many times, for one part."""

    def arrange(part: int, error: Exception, *, times: int = 1, is_live: bool = False) -> None:
        publish, left = team.platforms.publish, [times]

        async def refusing(name, credential, post, *rest):
            if post.part != part or not left[0]:
                return await publish(name, credential, post, *rest)
            left[0] -= 1
            if is_live:
                await publish(name, credential, post, *rest)
            raise error

        monkeypatch.setattr(team.platforms, "publish", refusing)

    return arrange
