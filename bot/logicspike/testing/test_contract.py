"""The contract without a file of one's own: ``pytest --pyargs logicspike.testing --platform chirp``."""

from __future__ import annotations

import importlib.metadata

import pytest

from logicspike.loading import GROUP
from logicspike.testing import PlatformContract


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test for every platform asked for, by default for all that are installed."""
    installed = {entry_point.name for entry_point in importlib.metadata.entry_points(group=GROUP)}
    metafunc.parametrize("platform_name", metafunc.config.getoption("--platform", default=[]) or sorted(installed))


class TestInstalledPlatform(PlatformContract):
    """The contract, for what the command line names."""
