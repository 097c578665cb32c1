"""What the page's sandbox panel shows of each platform: its timeline and its fault switches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = ["FaultSwitch", "PanelPlatform"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSwitch:
    """One way to let a platform misbehave.

    Attributes:
        name: short, in lower case with underscores, for instance ``rate_limit``.
        label: what it does, as a sentence.
        kind: an ``action`` happens once at a click, a ``switch`` stays on until it is switched off.
        is_on: whether a switch is on now.
    """

    name: str
    label: str
    kind: Literal["action", "switch"]
    is_on: bool = False


class PanelPlatform(Protocol):
    """A platform's fake as the panel needs it."""

    @property
    def name(self) -> str:
        """The name people type, for instance ``chirp``."""
        ...

    @property
    def title(self) -> str:
        """The name people read."""
        ...

    @property
    def timeline_url(self) -> str:
        """The page that shows what was published, on loopback."""
        ...

    def faults(self) -> Sequence[FaultSwitch]:
        """Its faults as they stand now."""
        ...

    async def set_fault(self, name: str, on: bool) -> None:
        """Switch a fault on or off, or do an action.

        Raises:
            KeyError: no such fault.
        """
        ...
