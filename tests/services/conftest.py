"""A team of its own for each test of the use cases."""

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
