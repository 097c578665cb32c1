"""What the wheels promise, read from the sources: building and installing them is .ci/packaging's part."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from logicspike.loading import GROUP
from logicspike.testing import FakePlatform
from logicspike.testing.stage import SANDBOX_GROUP

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bot" / "logicspike"
PLUGINS = sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))
# What these hand out of others is part of their own API.
HANDED_ON = {"aiohttp": {"multidict", "yarl"}, "jinja2": {"markupsafe"}, "pydantic-settings": {"pydantic"}}


def read_project(folder: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def normalize(name: str) -> str:
    """A distribution's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names_of(requirements: list[str]) -> set[str]:
    return {normalize(re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0]) for requirement in requirements}


def imported(folder: Path) -> Iterator[tuple[str, Path]]:
    """The top-level packages that a folder's modules import at run time, with the module that does."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((alias.name.split(".")[0], path) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield node.module.split(".")[0], path


def find_undeclared(folder: Path, declared: set[str]) -> set[str]:
    """What is imported but comes from no declared distribution."""
    declared = declared.union(*(HANDED_ON.get(name, set()) for name in declared))
    distributions = importlib.metadata.packages_distributions()
    return {
        f"{package} in {path.relative_to(ROOT)}"
        for package, path in imported(folder)
        if package not in sys.stdlib_module_names
        and not declared.intersection(normalize(name) for name in distributions.get(package, [package]))
    }


def test_installed_version_is_the_sources() -> None:
    assert read_project(ROOT)["version"] == importlib.metadata.version("logicspike")


def test_command_is_there() -> None:
    module, _, function = read_project(ROOT)["scripts"]["logicspike"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_pytest_plugin_is_registered() -> None:
    module = read_project(ROOT)["entry-points"]["pytest11"]["logicspike"]
    assert hasattr(importlib.import_module(module), "pytest_addoption")


def test_everything_imported_is_a_declared_dependency() -> None:
    project = read_project(ROOT)
    declared = names_of(project["dependencies"]) | {"logicspike"}
    for_tests = declared | names_of(project["optional-dependencies"]["testing"])
    undeclared = find_undeclared(PACKAGE, declared)
    assert {each for each in undeclared if "/testing/" not in each} == set()
    assert find_undeclared(PACKAGE / "testing", for_tests) == set()


def test_constraints_pin_every_direct_dependency() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {normalize(line.split("==")[0]) for line in lines if "==" in line}
    projects = [read_project(folder) for folder in (ROOT, *(ROOT / "plugins" / name for name in PLUGINS))]
    required = set().union(*(names_of(project["dependencies"]) for project in projects))
    assert required - {"logicspike"} - pinned == set()
    assert [line for line in lines if "://" in line or line.startswith("-")] == []


@pytest.mark.parametrize("name", PLUGINS)
def test_plugin_says_what_it_is(name: str) -> None:
    project = read_project(ROOT / "plugins" / name)
    assert project["name"] == f"logicspike-{name}"
    assert project["requires-python"] == ">=3.11"
    assert "logicspike>=0.1,<2" in project["dependencies"]
    assert project["license"] == read_project(ROOT)["license"]
    assert project["description"]
    assert (ROOT / "plugins" / name / project["readme"]).is_file()


@pytest.mark.parametrize("name", PLUGINS)
def test_plugin_has_its_entry_points(name: str) -> None:
    points = read_project(ROOT / "plugins" / name)["entry-points"]
    assert points[GROUP] == {name: f"logicspike_{name}"}
    assert importlib.import_module(points[GROUP][name]).describe().name == name
    assert points[SANDBOX_GROUP].keys() == {name}
    module, _, fake = points[SANDBOX_GROUP][name].partition(":")
    assert issubclass(getattr(importlib.import_module(module), fake), FakePlatform)


@pytest.mark.parametrize("name", PLUGINS)
def test_plugin_declares_what_it_imports(name: str) -> None:
    declared = names_of(read_project(ROOT / "plugins" / name)["dependencies"]) | names_of(
        read_project(ROOT)["dependencies"]
    )
    source = ROOT / "plugins" / name / "src"
    assert {each for each in find_undeclared(source, declared) if f"logicspike_{name} in" not in each} == set()


@pytest.mark.parametrize("name", PLUGINS)
def test_plugin_is_installed_for_development(name: str) -> None:
    assert f"-e plugins/{name}" in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "package", [PACKAGE, *(ROOT / "plugins" / name / "src" / f"logicspike_{name}" for name in PLUGINS)]
)
def test_types_are_announced(package: Path) -> None:
    assert (package / "py.typed").read_bytes() == b""


def test_wheel_check_looks_into_every_folder_with_files_that_are_no_modules() -> None:
    """An import doesn't miss them, so .ci/packaging looks for one of each folder in the built wheel."""
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}]
    folders = {str(path.relative_to(PACKAGE).parent) for path in files}
    checked = re.findall(
        r'"([\w/.]+\.(?:html|css|js|typed))"', (ROOT / ".ci" / "packaging").read_text(encoding="utf-8")
    )
    assert [path for path in checked if not (PACKAGE / path).is_file()] == []
    assert folders == {str(Path(path).parent) for path in checked}


def test_no_module_hides_in_a_folder_that_builds_leave_out() -> None:
    """hatchling leaves out what .gitignore names."""
    ignored = {
        line.rstrip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split() if line.endswith("/")
    }
    assert {"build", "dist"} <= ignored
    lost = [path for path in PACKAGE.rglob("*.py") if ignored.intersection(path.relative_to(PACKAGE).parts[:-1])]
    assert lost == []
