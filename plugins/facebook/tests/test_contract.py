"""What every platform must do."""

from __future__ import annotations

from logicspike.testing import PlatformContract


class TestFacebook(PlatformContract):
    platform = "facebook"
