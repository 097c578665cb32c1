"""The tutorial's platform is built from the page, as a reader would type it, and has to pass the contract."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from plugin_project import assert_contract_is_green, assert_demo_shows, install, run, run_pytest

import logicspike.plugin
from logicspike.loading import GROUP, load_installed

PAGE = Path(__file__).parents[1] / "docs" / "add-a-platform.md"
ADDITION = r"(, at its end|, with [^*]+ in place of those above)?"
FILE = re.compile(rf"^\*\*`([^`]+)`{ADDITION}\*\*\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"^<!-- output: ([^\n]+) -->\n\n```\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_files(*, with_additions: bool) -> dict[str, str]:
    files: dict[str, str] = {}
    for path, addition, text in FILE.findall(PAGE.read_text(encoding="utf-8")):
        if not addition:
            assert path not in files, f"{path} stands on the page twice"
            files[path] = text
        elif with_additions:
            files[path] += text if path.startswith("tests/") else f"\n{text}"
    return files


def build_project(folder: Path, *, with_additions: bool) -> Path:
    """Write the page's files, and install them."""
    for path, text in read_files(with_additions=with_additions).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    install(folder)
    return folder


def test_page_has_every_file_of_its_tree() -> None:
    tree = PAGE.read_text(encoding="utf-8").split("```\nlogicspike-chirp/\n")[1].split("```")[0]
    assert [line.split()[0] for line in tree.splitlines()] == list(read_files(with_additions=False))


def test_plugin_of_the_page_is_the_one_of_the_docstring() -> None:
    docstring = inspect.getdoc(logicspike.plugin) or ""
    shown = docstring.split("::\n", 1)[1].split("\nThe hooks are described")[0]
    page = read_files(with_additions=False)["src/logicspike_chirp/__init__.py"]
    _module_docstring, *statements = ast.parse(page).body
    assert ast.dump(ast.parse(textwrap.dedent(shown))) == ast.dump(ast.Module(body=statements, type_ignores=[]))


def test_contract_of_the_smallest_plugin_is_green(tmp_path: Path) -> None:
    project = build_project(tmp_path, with_additions=False)
    assert_contract_is_green(run_pytest(project))


def test_contract_with_the_optional_hooks_is_green(tmp_path: Path) -> None:
    project = build_project(tmp_path, with_additions=True)
    ran = run_pytest(project, "-rs")
    assert_contract_is_green(ran)
    assert "takes no media" not in ran.stdout
    assert "takes no further parts" not in ran.stdout


def test_commands_say_what_the_page_says(tmp_path: Path) -> None:
    project = build_project(tmp_path, with_additions=False)
    shown = OUTPUT.findall(PAGE.read_text(encoding="utf-8"))
    assert shown
    for command, output in shown:
        ran = run(project, *command.split())
        assert output in ran.stdout, ran.stdout + ran.stderr


def test_demo_shows_the_platform(tmp_path: Path, mongod_uri: str) -> None:
    assert_demo_shows(build_project(tmp_path, with_additions=False), "chirp", "Chirp", mongod_uri)


REFUSALS = {
    "misspelt hook": ("async def publish(ctx, credential, post)", "async def publsh(ctx, credential, post)"),
    "wrong colour": ("async def publish(ctx, credential, post)", "def publish(ctx, credential, post)"),
    "default": ("async def publish(ctx, credential, post)", "async def publish(ctx, credential, post=None)"),
    "wrong name": ('name="chirp"', 'name="chrp"'),
}


@pytest.mark.parametrize("mistake", REFUSALS)
def test_refusal_reads_as_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mistake: str) -> None:
    before, after = REFUSALS[mistake]
    source = read_files(with_additions=False)["src/logicspike_chirp/__init__.py"]
    assert before in source
    broken = source.replace(before, after).replace("await oauth2.post_json", "oauth2.post_json")
    module = f"broken_chirp_{list(REFUSALS).index(mistake)}"
    (tmp_path / f"{module}.py").write_text(broken, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    installed = load_installed([EntryPoint(name="chirp", value=module, group=GROUP)])
    assert f"`{installed.refused['chirp']}`" in PAGE.read_text(encoding="utf-8")
