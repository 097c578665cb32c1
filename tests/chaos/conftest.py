"""Runs that take minutes: only when they are asked for, by ``pytest tests/chaos`` or ``-m chaos``."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave all of it out unless it was named."""
    if "chaos" in config.getoption("markexpr"):
        return None
    named = [(config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args]
    is_named = any(path == HERE or HERE in path.parents for path in named)
    return None if is_named else True
