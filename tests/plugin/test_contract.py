from __future__ import annotations

from types import ModuleType

import pytest

from logicspike.testing import PlatformContract


class TestEcho(PlatformContract):
    platform = "echo"
    is_idempotent = True

    @pytest.fixture
    def platform_name(self, installed_echo: ModuleType) -> str:
        return self.platform


class TestWhisper(PlatformContract):
    platform = "whisper"

    @pytest.fixture
    def platform_name(self, installed_echo: ModuleType) -> str:
        return self.platform


class TestGallery(PlatformContract):
    platform = "gallery"
    is_idempotent = True

    @pytest.fixture
    def platform_name(self, installed_gallery: ModuleType) -> str:
        return self.platform


class TestPond(PlatformContract):
    platform = "pond"

    @pytest.fixture
    def platform_name(self, installed_pond: ModuleType) -> str:
        return self.platform
