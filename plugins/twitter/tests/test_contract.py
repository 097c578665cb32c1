"""X keeps the contract every platform plugin keeps."""

from __future__ import annotations

from logicspike.testing import PlatformContract


class TestTwitter(PlatformContract):
    platform = "twitter"
