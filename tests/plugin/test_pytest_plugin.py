from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as a plugin author would, with what is importable here."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    # The plugin by its module and not by its entry point, so that an older installation's metadata will do.
    command = [sys.executable, "-m", "pytest", "-p", "no:logicspike", "-p", "logicspike.testing.pytest_plugin"]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", "-q", "--pyargs", "logicspike.testing", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_contract_runs_without_a_file(installed_echo: ModuleType, tmp_path: Path) -> None:
    ran = run(tmp_path, "--platform", "whisper", "-k", "name_equals or published_once")
    assert "3 passed" in ran.stdout, ran.stdout + ran.stderr


def test_platform_that_is_not_installed_is_named(installed_echo: ModuleType, tmp_path: Path) -> None:
    ran = run(tmp_path, "--platform", "nothing", "-k", "name_equals")
    assert ran.returncode == 1
    assert "0 fakes are installed for 'nothing'" in ran.stdout


def test_plugin_is_registered_with_pytest() -> None:
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    assert 'logicspike = "logicspike.testing.pytest_plugin"' in pyproject.read_text()
