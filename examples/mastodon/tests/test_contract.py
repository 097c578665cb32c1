"""What every platform must do."""

from __future__ import annotations

from logicspike.testing import PlatformContract


class TestMastodon(PlatformContract):
    platform = "mastodon"
    is_idempotent = True
