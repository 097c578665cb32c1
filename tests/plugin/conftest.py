from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

TESTS = Path(__file__).parent.parent


@pytest.fixture
def installed_echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module echo_platform, installed: a distribution of this name brings its entry points."""
    monkeypatch.syspath_prepend(TESTS)
    echo_platform = importlib.import_module("echo_platform")
    install(tmp_path / "site", "echo-platform", echo_platform.ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setitem(sys.modules, "echo_platform", echo_platform)
    return echo_platform


@pytest.fixture
def installed_gallery(installed_echo: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module gallery_platform, installed beside Echo, on which it stands."""
    gallery_platform = importlib.import_module("gallery_platform")
    install(tmp_path / "site", "gallery-platform", gallery_platform.ENTRY_POINTS)
    monkeypatch.setitem(sys.modules, "gallery_platform", gallery_platform)
    return gallery_platform


@pytest.fixture
def installed_pond(installed_echo: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module pond_platform, installed beside Echo, on which it stands."""
    pond_platform = importlib.import_module("pond_platform")
    install(tmp_path / "site", "pond-platform", pond_platform.ENTRY_POINTS)
    monkeypatch.setitem(sys.modules, "pond_platform", pond_platform)
    return pond_platform


def install(site: Path, distribution: str, entry_points: str) -> None:
    folder = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(entry_points)
