"""A team for the short stories that the long runs have brought up."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from team import Team, open_team

from logicspike.store.mongo import Database


@pytest.fixture
async def team(mongo_database: Database) -> AsyncIterator[Team]:
    async with open_team(mongo_database) as opened:
        yield opened
