"""Ids as X makes them: the time in milliseconds, then a number; a later one is greater."""

from __future__ import annotations

from datetime import datetime
from typing import Final

__all__ = ["ID_EPOCH", "make_id", "number_of"]

ID_EPOCH: Final = 1_288_834_974_657
"""The beginning of the ids' time, in milliseconds (docs.x.com/fundamentals/x-ids, checked 2026-11-25)."""

_NUMBER_BITS: Final = 22


def make_id(at: datetime, number: int) -> str:
    """An id of this time."""
    milliseconds = round(at.timestamp() * 1000) - ID_EPOCH
    return str((milliseconds << _NUMBER_BITS) | number)


def number_of(post_id: str) -> int:
    """The number in an id."""
    return int(post_id) & ((1 << _NUMBER_BITS) - 1)
