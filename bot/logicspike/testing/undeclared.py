"""Checks of the contract that have nothing to look at: what they are about, the plugin doesn't declare."""

from __future__ import annotations

from typing import Final, NoReturn

import pytest

from ..plugin import Platform

__all__ = ["UNDECLARED", "skip_undeclared"]

UNDECLARED: Final = "not declared: "
"""How the reason of each such skip begins, to tell them from those that leave something unproved."""


def skip_undeclared(platform: Platform, what: str) -> NoReturn:
    """Skip the running check; ``what`` goes on after the platform's title ("takes no media")."""
    pytest.skip(f"{UNDECLARED}{platform.title} {what}")
