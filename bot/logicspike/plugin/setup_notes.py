"""What a plugin can say of the operator's set-up without asking anybody."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["SetupLevel", "SetupNote"]


class SetupLevel(StrEnum):
    """How much a note asks of the operator."""

    OK = "ok"
    """As it should be."""
    UNCHECKED = "unchecked"
    """Can't be seen from here; the note says where to look."""
    WARNING = "warning"
    """Works today; the note says until when, or what is odd."""
    PROBLEM = "problem"
    """Can't work; the note says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupNote:
    """One thing about the set-up, for ``logicspike doctor``.

    Attributes:
        level: how much it asks of the operator.
        message: one line of plain words, which never holds the secret.
    """

    level: SetupLevel
    message: str
