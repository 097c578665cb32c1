"""F18: the tests can fail. Each mutant is put into a copy of the program, and the tests named for it must go red."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from figures.mutants import MUTANTS, Mutant
from measured import show

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "bot" / "logicspike"
TESTS_FAILED = 1  # pytest's exit code; others mean that nothing was tested

pytestmark = pytest.mark.chaos


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package, which the tests import in place of the real one."""
    target = tmp_path / "bot" / "logicspike"
    shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


@pytest.fixture(scope="module")
def verdicts() -> dict[str, int]:
    """How the tests of each mutant so far ended."""
    return {}


def run_tests(copy: Path, tests: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(copy.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-o",
        "addopts=--import-mode=importlib",
    ]
    return subprocess.run(
        [*command, *tests], cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def mutate(mutant: Mutant, copy: Path) -> None:
    path = copy / mutant.path
    text = path.read_text(encoding="utf-8")
    for old, new in mutant.changes:
        assert text.count(old) >= 1, f"{mutant.name}: {mutant.path} no longer has {old!r}"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    compile(text, str(path), "exec")


def test_there_are_twelve_mutants():
    assert len(MUTANTS) == 12
    assert len({mutant.name for mutant in MUTANTS}) == 12


def test_the_copy_is_what_is_tested_and_without_a_mutant_all_is_green(copy):
    where = "import logicspike, sys; sys.exit(0 if logicspike.__file__.startswith(sys.argv[1]) else 3)"
    environment = {**os.environ, "PYTHONPATH": str(copy.parent)}
    subprocess.run([sys.executable, "-c", where, str(copy)], env=environment, check=True, cwd=REPOSITORY)
    ran = run_tests(copy, tuple(dict.fromkeys(test for mutant in MUTANTS for test in mutant.tests)))
    assert ran.returncode == 0, ran.stdout[-3000:]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_mutant_is_noticed(mutant, copy, verdicts):
    mutate(mutant, copy)
    ran = run_tests(copy, mutant.tests)
    verdicts[mutant.name] = ran.returncode
    if len(verdicts) == len(MUTANTS):
        show("F18", mutants=len(MUTANTS), red=sum(code == TESTS_FAILED for code in verdicts.values()))
    assert ran.returncode == TESTS_FAILED, f"{mutant.name} went unnoticed\n{ran.stdout[-2000:]}"
