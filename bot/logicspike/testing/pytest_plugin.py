"""The option of ``pytest --pyargs logicspike.testing --platform chirp``, which runs an installed plugin's contract.

pytest imports this module at the start of every run where LogicSpike is installed, so it imports nothing else.
"""

from __future__ import annotations

import pytest

__all__ = ["pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("logicspike").addoption(
        "--platform",
        action="append",
        default=[],
        metavar="NAME",
        help="run LogicSpike's contract for this installed platform, with `--pyargs logicspike.testing`; may be"
        " repeated; default: every installed platform",
    )
