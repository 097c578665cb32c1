"""A team for the short stories that the long runs have brought up; the long runs themselves only when asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from team import Team, open_team

from logicspike.store.mongo import Database


@pytest.fixture
async def team(mongo_database: Database) -> AsyncIterator[Team]:
    async with open_team(mongo_database) as opened:
        yield opened


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long, unless it is asked for by ``-m chaos``."""
    if "chaos" in config.getoption("markexpr"):
        return
    long_ones = [item for item in items if "figures" in item.path.parts and item.get_closest_marker("chaos")]
    config.hook.pytest_deselected(items=long_ones)
    items[:] = [item for item in items if item not in long_ones]
