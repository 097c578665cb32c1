"""Who lives at the fake Facebook, and the Pages they have a role on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from logicspike.testing import FakeAccount

__all__ = ["DANA", "JONAS", "MIRA", "PORTFOLIO_ID", "FakePage", "build_pages"]

DANA: Final = FakeAccount(id="24116000000000101", name="Dana Whitfield", about="three Pages")
"""Has three Pages."""
MIRA: Final = FakeAccount(id="24116000000000303", name="Mira Okafor", about="two Pages of a business portfolio")
"""Has Pages that only a portfolio lists: one it owns, one it looks after for a client."""
JONAS: Final = FakeAccount(id="24116000000000202", name="Jonas Bergström", about="one Page")
"""Has exactly one."""

PORTFOLIO_ID: Final = "51270000000000001"
"""Mira's business portfolio."""


@dataclass(slots=True, kw_only=True)
class FakePage:
    """A Page and the tasks its person may do there.

    Attributes:
        account: the Page.
        tasks: what the person may do.
        edge: in which list of the portfolio it stands; "" for the person's own list.
    """

    account: FakeAccount
    tasks: list[str] = field(
        default_factory=lambda: ["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE"]
    )
    edge: str = ""


def build_pages() -> dict[str, list[FakePage]]:
    """A fresh set of Pages, by the person's id."""
    return {
        DANA.id: [
            _page(1, "Acme Coffee", "acmecoffee"),
            _page(2, "Acme Coffee Roastery", "acmeroastery"),
            _page(3, "Acme Careers"),
        ],
        MIRA.id: [
            _page(5, "Okafor & Sons", "okaforandsons", edge="owned_pages"),
            _page(6, "Harbour Books", "harbourbooks", edge="client_pages"),
        ],
        JONAS.id: [_page(4, "Bergström Bikes", "bergstrombikes")],
    }


def _page(number: int, name: str, username: str = "", *, edge: str = "") -> FakePage:
    return FakePage(account=FakeAccount(id=f"61550000000000{number}", name=name, handle=username), edge=edge)
