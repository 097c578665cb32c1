"""What the doctor says: one line for each thing it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..plugin import SetupLevel

__all__ = ["SIGNS", "Finding", "bad", "good", "unchecked", "warning"]

SIGNS: Final = {SetupLevel.OK: "✓", SetupLevel.UNCHECKED: "?", SetupLevel.WARNING: "!", SetupLevel.PROBLEM: "✗"}
"""What stands in front of a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: how much it asks of the operator.
        text: what is so, and what to do if something is.
    """

    level: SetupLevel
    text: str

    def __str__(self) -> str:
        return f"{SIGNS[self.level]} {self.text}"


def good(text: str) -> Finding:
    """Something is as it should be."""
    return Finding(level=SetupLevel.OK, text=text)


def unchecked(text: str) -> Finding:
    """Something can't be seen from here."""
    return Finding(level=SetupLevel.UNCHECKED, text=text)


def warning(text: str) -> Finding:
    """Something works today, but may not for long, or is odd."""
    return Finding(level=SetupLevel.WARNING, text=text)


def bad(text: str) -> Finding:
    """Something must be mended."""
    return Finding(level=SetupLevel.PROBLEM, text=text)
