"""The plugins in examples/ are projects of their own: copied away and installed there, they pass their tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from plugin_project import assert_contract_is_green, assert_demo_shows, install, run, run_pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/pyproject.toml"))


@pytest.fixture(params=NAMES)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / request.param
    shutil.copytree(EXAMPLES / request.param, folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    install(folder)
    return folder


def test_there_is_an_example() -> None:
    assert "mastodon" in NAMES


def test_its_tests_and_the_contract_are_green(project: Path) -> None:
    assert_contract_is_green(run_pytest(project))


def test_the_bot_takes_it_without_credentials(project: Path) -> None:
    ran = run(project, "logicspike", "platforms")
    assert f"✓ {project.name}" in ran.stdout, ran.stdout + ran.stderr


def test_demo_shows_it(project: Path, mongod_uri: str) -> None:
    assert_demo_shows(project, project.name, project.name.title(), mongod_uri)
