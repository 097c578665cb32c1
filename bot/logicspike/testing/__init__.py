"""Everything a plugin author needs in tests and for the sandbox: a base for the platform's fake, and the contract.

``logicspike.testing.fake_platform`` needs no pytest; ``PlatformContract`` is imported on first use because it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .fake_platform import (
    AccessToken,
    CodeRefused,
    ConsentRequest,
    FakeAccount,
    FakePlatform,
    Grant,
    LedgerEntry,
    RefreshRefused,
    press_allow,
    press_cancel,
)

if TYPE_CHECKING:
    from .contract import PlatformContract

__all__ = [
    "AccessToken",
    "CodeRefused",
    "ConsentRequest",
    "FakeAccount",
    "FakePlatform",
    "Grant",
    "LedgerEntry",
    "PlatformContract",
    "RefreshRefused",
    "press_allow",
    "press_cancel",
]


def __getattr__(name: str) -> Any:
    if name == "PlatformContract":
        from .contract import PlatformContract

        return PlatformContract
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
