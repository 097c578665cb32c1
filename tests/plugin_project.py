"""A plugin's own project in a folder: installed as its author would, and its tests run as they would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path


def install(folder: Path) -> None:
    """Install a project as ``pip install --editable`` would, without pip: its metadata stands beside its source."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name, version = project["name"], project["version"]
    metadata = folder / "src" / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = project["entry-points"].items()
    lines = [
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items()) for group, points in groups
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines))


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python's with what is importable here and the project, and none of this machine's settings."""
    paths = [str(project / "src"), *sys.path]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(project),
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def run_pytest(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # The option --platform by its module and not by its entry point, so that an older installation's metadata will do.
    plugin = ("-p", "no:logicspike", "-p", "logicspike.testing.pytest_plugin", "-p", "no:cacheprovider")
    return run(project, "pytest", "-W", "error", *plugin, "-q", *arguments)


def assert_contract_is_green(ran: subprocess.CompletedProcess[str]) -> None:
    passed = re.search(r"^(\d+) passed, \d+ skipped in", ran.stdout, re.MULTILINE)
    assert passed is not None, ran.stdout + ran.stderr
    assert ran.returncode == 0
    assert int(passed[1]) > 30, "the contract has more promises than that"


DEMO = """
import asyncio
import sys

import aiohttp
from logicspike.sandbox.run import open_sandbox


async def main():
    _, name, mongodb_uri = sys.argv
    async with open_sandbox(mongodb_uri=mongodb_uri) as sandbox, aiohttp.ClientSession() as http:
        async with http.get(f"{sandbox.public_url}/readyz") as answer:
            print(name, "is", (await answer.json())["platforms"][name])
        async with http.get(sandbox.platforms[name].timeline_url) as answer:
            print(await answer.text())


asyncio.run(main())
"""


def assert_demo_shows(project: Path, name: str, title: str, mongodb_uri: str) -> None:
    (project / "src" / "look_at_the_demo.py").write_text(DEMO, encoding="utf-8")
    ran = run(project, "look_at_the_demo", name, mongodb_uri)
    assert f"{name} is ok" in ran.stdout, ran.stdout + ran.stderr
    assert f"<title>{title}: timeline</title>" in ran.stdout
