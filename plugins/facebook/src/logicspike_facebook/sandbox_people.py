"""Who lives at the fake Facebook, and the Pages they have a role on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from logicspike.testing import FakeAccount

__all__ = ["DANA", "JONAS", "FakePage", "build_pages"]

DANA: Final = FakeAccount(id="24116000000000101", name="Dana Whitfield", about="three Pages")
"""Has three Pages."""
JONAS: Final = FakeAccount(id="24116000000000202", name="Jonas Bergström", about="one Page")
"""Has exactly one."""


@dataclass(slots=True, kw_only=True)
class FakePage:
    """A Page and the tasks its person may do there."""

    account: FakeAccount
    tasks: list[str] = field(
        default_factory=lambda: ["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE"]
    )


def build_pages() -> dict[str, list[FakePage]]:
    """A fresh set of Pages, by the person's id."""
    return {
        DANA.id: [_page(1, "Acme Coffee"), _page(2, "Acme Coffee Roastery"), _page(3, "Acme Careers")],
        JONAS.id: [_page(4, "Bergström Bikes")],
    }


def _page(number: int, name: str) -> FakePage:
    return FakePage(account=FakeAccount(id=f"61550000000000{number}", name=name))
