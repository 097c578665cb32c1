"""The core knows no platform by name, and a plugin knows nothing of the core but its public API."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "bot" / "logicspike"
PLUGINS = sorted(path.parent for folder in ("plugins", "examples") for path in (ROOT / folder).glob("*/pyproject.toml"))
PLATFORM_NAME = re.compile("facebook|twitter|linkedin", re.IGNORECASE)
# The types and errors explain themselves by examples, in docstrings only.
MAY_EXPLAIN = {CORE / "plugin" / "types.py", CORE / "plugin" / "errors.py"}


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def without_docstrings(source: str) -> str:
    """The source with its docstrings blanked, lines kept."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        if not isinstance(body, list) or not body or not isinstance(body[0], ast.Expr):
            continue
        value = body[0].value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            for number in range(value.lineno, (value.end_lineno or value.lineno) + 1):
                lines[number - 1] = "\n"
    return "".join(lines)


def named_platforms(path: Path) -> Iterator[str]:
    source = path.read_text()
    if path in MAY_EXPLAIN:
        source = without_docstrings(source)
    if path == CORE / "page_summary.py":
        source = source.replace('"twitter:', '"')  # what web pages call their card's facts, for whoever shows them
    for number, line in enumerate(source.splitlines(), start=1):
        if PLATFORM_NAME.search(line):
            yield f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "logicspike":
                yield from (f"logicspike.{alias.name}" for alias in node.names)
            else:
                yield node.module


def test_core_names_no_platform() -> None:
    assert [found for path in python_files(CORE) for found in named_platforms(path)] == []


def test_templates_and_pages_of_the_core_name_no_platform() -> None:
    pages = [path for suffix in ("html", "css", "js") for path in CORE.rglob(f"*.{suffix}")]
    found = [str(path.relative_to(ROOT)) for path in pages if PLATFORM_NAME.search(path.read_text())]
    assert found == []


def test_docstrings_are_blanked_and_nothing_else() -> None:
    source = 'def f():\n    """twitter\n    again"""\n    return "facebook"  # linkedin\n'
    assert without_docstrings(source) == 'def f():\n\n\n    return "facebook"  # linkedin\n'


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_plugin_imports_the_public_api_only(plugin: Path) -> None:
    files = python_files(plugin / "src")
    assert files
    for path in files:
        of_the_bot = {name for name in imported_modules(path) if name.split(".")[0] == "logicspike"}
        if path.stem.startswith("sandbox"):
            of_the_bot = {name for name in of_the_bot if not name.startswith("logicspike.testing")}
        assert of_the_bot <= {"logicspike.plugin"}, path


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_plugin_asks_nobody_but_its_context_for_time_and_http(plugin: Path) -> None:
    forbidden = {("datetime", "now"), ("datetime", "utcnow"), ("time", "time"), ("os", "environ"), ("os", "getenv")}
    for path in python_files(plugin / "src"):
        attributes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)]
        used = {(node.value.id, node.attr) for node in attributes if isinstance(node.value, ast.Name)}
        assert used & forbidden == set(), path
        assert ("aiohttp", "ClientSession") not in used, path


def test_only_the_loader_and_the_specifications_know_pluggy() -> None:
    users = {
        str(path.relative_to(CORE))
        for path in python_files(CORE)
        if any(name.split(".")[0] == "pluggy" for name in imported_modules(path))
    }
    assert users == {"loading.py", "plugin/hookspecs.py"}
