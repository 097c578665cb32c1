"""Whatever the documentation says that the code knows better: held against it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest
from click.testing import CliRunner
from scripts.write_docs import RENDERERS, bundled_platforms, hook_heading, list_hooks

from logicspike import clock, domain, events
from logicspike.__main__ import main
from logicspike.developer_apps import variable_prefix
from logicspike.domain import TRANSITIONS, ConnectionStatus, DeliveryState, HoldReason
from logicspike.plugin import errors, types
from logicspike.sandbox.run import open_sandbox
from logicspike.services.pauses import retry_delay
from logicspike.settings import Settings
from logicspike.slack.manifest import SCOPES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SKIPPED = {"__pycache__", "node_modules", "dist", "build", "site-packages"}
TEXT_SUFFIXES = {
    "",
    ".cfg",
    ".css",
    ".html",
    ".js",
    ".json",
    ".md",
    ".py",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
    ".example",
}
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


@cache
def list_files() -> tuple[Path, ...]:
    """The project's own text files: no hidden folders but .ci, nothing that tools make, no worktree's .git."""

    def is_ours(path: Path) -> bool:
        parts = path.relative_to(ROOT).parts
        hidden = parts == (".git",) or any(part.startswith(".") and part != ".ci" for part in parts[:-1])
        return not hidden and not SKIPPED.intersection(parts) and ".egg-info" not in str(path)

    return tuple(
        path for path in sorted(ROOT.rglob("*")) if path.suffix in TEXT_SUFFIXES and is_ours(path) and path.is_file()
    )


def list_pages() -> list[Path]:
    return [path for path in list_files() if path.suffix == ".md"]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def read(path: Path | str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def read_prose(path: Path | str) -> str:
    """A page without its code blocks."""
    return FENCE.sub("", read(path))


def read_tables(path: Path | str) -> Iterator[tuple[str, ...]]:
    """The rows of all tables on a page, headings and rules included."""
    for line in read(path).splitlines():
        if line.startswith("| "):
            yield tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])


def codes(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


# --- generated files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", RENDERERS)
def test_generated_file_is_up_to_date(path: str) -> None:
    assert RENDERERS[path]() == read(path), "run `make docs`"


def test_every_hook_has_a_heading_with_its_arguments() -> None:
    lines = read("docs/hooks.md").splitlines()
    hooks = {name: function for name, function in list_hooks().items() if hook_heading(name, function) not in lines}
    assert hooks == {}
    assert len(list_hooks()) >= 9


def test_every_type_and_error_of_the_plugin_api_is_printed() -> None:
    headings = {heading.strip("`") for heading in HEADING.findall(read_prose("docs/hooks.md"))}
    assert {*types.__all__, *errors.__all__} - headings == set()


# --- links ------------------------------------------------------------------------------------------------------------


@cache
def list_anchors(path: Path) -> frozenset[str]:
    """The anchors of a page's headings, by the rule that code hosts use."""
    anchors: set[str] = set()
    for heading in HEADING.findall(read_prose(path)):
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
        anchors.add(next(name for n in range(100) if (name := f"{slug}-{n}" if n else slug) not in anchors))
    return frozenset(anchors)


@pytest.mark.parametrize("page", list_pages(), ids=name_of)
def test_links_of_a_page_resolve(page: Path) -> None:
    broken = []
    for target in LINK.findall(re.sub(r"`[^`\n]*`", "", read_prose(page))):
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in list_anchors(file)):
            broken.append(target)
    assert broken == []


def test_every_page_of_the_documentation_is_in_its_index() -> None:
    linked = {(DOCS / target.partition("#")[0]).resolve() for target in LINK.findall(read("docs/README.md"))}
    assert {page for page in DOCS.glob("*.md") if page.name != "README.md"} - linked == set()


# --- variables and commands -------------------------------------------------------------------------------------------


def list_platform_variables() -> dict[str, frozenset[str]]:
    """What the operator may set for each bundled platform."""
    return {
        platform.name: frozenset(
            variable_prefix(platform.name) + name.upper().replace("-", "_")
            for name in (
                "CLIENT_ID",
                "CLIENT_SECRET",
                *platform.settings,
                *(f"ENDPOINT_{endpoint}" for endpoint in platform.endpoints),
                *(f"{each.name}_CLIENT_{what}" for each in platform.credential_sets for what in ("ID", "SECRET")),
            )
        )
        for platform in bundled_platforms()
    }


def list_settings() -> frozenset[str]:
    return frozenset(field.upper() for field in Settings.model_fields if field != "environment")


PAGES_WITH_VARIABLES = [
    *(name_of(page) for page in list_pages() if page.name != "CHANGELOG.md"),
    ".env.example",
    "compose.yaml",
    "Dockerfile",
]


@pytest.mark.parametrize("page", PAGES_WITH_VARIABLES)
def test_variables_that_a_page_names_exist(page: str) -> None:
    by_platform = list_platform_variables()
    families = ["SLACK", "MONGODB", "LOGICSPIKE", *(variable_prefix(name)[:-1] for name in by_platform)]
    pattern = re.compile(rf"\b(?:(?:{'|'.join(families)})(?:_[A-Z0-9]+)+|PUBLIC_[A-Z_]+)(?![A-Z0-9_]|<)")
    of_test_runs = pattern.findall(read("tests/measured.py"))
    known = list_settings().union(*by_platform.values(), of_test_runs)
    assert set(pattern.findall(read(page))) - known == set()


def test_every_setting_is_in_the_example() -> None:
    named = set(re.findall(r"^#([A-Z0-9_]+)=", read(".env.example"), re.MULTILINE))
    required = {
        f"{variable_prefix(name)}{what}"
        for name in list_platform_variables()
        for what in ("CLIENT_ID", "CLIENT_SECRET")
    }
    assert (list_settings() | required) - named == set()


@pytest.mark.parametrize("platform", sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")))
def test_readme_of_a_plugin_names_its_variables(platform: str) -> None:
    readme = read(f"plugins/{platform}/README.md")
    assert {variable for variable in list_platform_variables()[platform] if variable not in readme} == set()


def list_named_commands() -> dict[str, str]:
    """The commands that the pages name, each with a page that does."""
    named: dict[str, str] = {}
    for page in list_pages():
        text = read(page)
        code = [block for block in FENCE.findall(text) if not block.startswith("```python")]
        for snippet in [*code, *codes(FENCE.sub("", text))]:
            for command in re.findall(r"(?<!-u )(?<![\w-])logicspike ([a-z][a-z-]*)\b", snippet):
                named[command] = name_of(page)
    return named


def test_commands_that_pages_name_exist_and_the_other_way_round() -> None:
    assert list_named_commands().keys() == main.commands.keys()


@pytest.mark.parametrize("command", sorted(main.commands))
def test_help_of_a_command_has_an_example(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert "Example:" in result.output
    assert f"logicspike {command}" in result.output.split("Example:")[1]


# --- states, errors, events -------------------------------------------------------------------------------------------


def test_lifecycle_draws_exactly_the_legal_moves() -> None:
    diagram = read("docs/lifecycle.md").split("```mermaid")[1].split("```")[0]
    arrows = re.findall(r"^\s*(\S+) --> (\w+|\[\*\])", diagram, re.MULTILINE)
    moves = {(DeliveryState(before), DeliveryState(after)) for before, after in arrows if "[*]" not in (before, after)}
    assert {(before, after) for before, afters in TRANSITIONS.items() for after in afters} == moves
    assert {state for state in DeliveryState if not TRANSITIONS[state]} == {
        DeliveryState(before) for before, after in arrows if after == "[*]"
    }
    assert [("[*]", DeliveryState.SCHEDULED)] == [arrow for arrow in arrows if arrow[0] == "[*]"]


def test_lifecycle_says_of_each_error_what_exists() -> None:
    rows = [row for row in read_tables("docs/lifecycle.md") if len(row) == 4 and row[0].startswith("`")]
    errors_named = {word for row in rows for word in codes(row[0]) if word in errors.__all__}
    not_of_posts = {"PlatformError", "AuthorizationFailed", "PlatformEventRefused"}
    assert {*errors.__all__} - not_of_posts == errors_named
    assert {reason for row in rows for reason in re.findall(r"\((\w+)\)", row[1])} == {
        reason.value for reason in HoldReason if reason not in {HoldReason.LATE, HoldReason.PARKED}
    }
    assert {row[2] for row in rows} - {*ConnectionStatus} == {"untouched", "refreshed"}


@pytest.mark.parametrize("page", ["docs/lifecycle.md", "docs/add-a-platform.md"])
def test_pauses_between_retries_are_the_codes(page: str) -> None:
    units = {"s": 1, "min": 60, "h": 3600}
    pauses = [pause.total_seconds() for tries in range(1, 10) if (pause := retry_delay(tries, 0))]
    (row,) = [row for row in read_tables(page) if row[0] == "`PlatformUnavailable`"]
    assert pauses == [int(number) * units[unit] for number, unit in re.findall(r"(\d+) (s|min|h)\b", " ".join(row))]


def test_tutorial_explains_every_error() -> None:
    rows = [row for row in read_tables("docs/add-a-platform.md") if len(row) == 3]
    named = {match[1] for row in rows if (match := re.match(r"`(\w+)", row[0])) and match[1] in errors.__all__}
    assert {*errors.__all__} - {"PlatformError"} == named


def list_events() -> dict[str, type[events.Event]]:
    public = [getattr(events, name) for name in events.__all__]
    return {
        kind.name: kind
        for kind in public
        if isinstance(kind, type) and issubclass(kind, events.Event) and kind is not events.Event
    }


def test_operator_is_told_every_event() -> None:
    rows = [codes(row[0]) for row in read_tables("docs/operate.md") if len(row) == 2]
    named = {words[0] for words in rows if len(words) == 1 and re.fullmatch(r"[a-z]+\.[a-z_]+", words[0])}
    assert list_events().keys() == named - {"mongod.log"}


def test_operator_is_told_which_events_are_warnings(caplog: pytest.LogCaptureFixture) -> None:
    (sentence,) = re.findall(
        r"These are warnings, the others informational:\n([^.]+\.[^|]*?)\.\n", read("docs/operate.md")
    )
    assert {kind.name for kind in events._WARNINGS} == set(codes(sentence))


def test_every_scope_is_explained() -> None:
    assert set(SCOPES) <= set(codes(read("docs/security.md")))


async def test_health_answers_as_the_operator_is_told(mongod_uri: str) -> None:
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", read("docs/operate.md"), re.DOTALL)]
    answers = []
    async with open_sandbox(mongodb_uri=mongod_uri) as sandbox, aiohttp.ClientSession() as browser:
        for path in ("/healthz", "/readyz"):
            async with browser.get(f"{sandbox.public_url}{path}") as answer:
                answers.append(await answer.json())
    assert [answer.keys() for answer in answers] == [answer.keys() for answer in shown]
    assert [answer["status"] for answer in answers] == [answer["status"] for answer in shown]


# --- messages ---------------------------------------------------------------------------------------------------------


@cache
def list_texts() -> tuple[str, ...]:
    """Every text in the code, with … where a value is put in."""
    texts: list[str] = []
    for path in (ROOT / "bot").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(re.sub(r"%[sd]", "…", node.value))
            elif isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                texts.append("".join(str(part) for part in parts))
    return tuple(texts)


def is_in_code(message: str) -> bool:
    """Whether what stands between the values is in the code, each piece within one text."""
    # What is said about a setting gets the variable's name put in front.
    message = re.sub(r"^[A-Z_]+: ", "", message)
    pieces = [piece.strip() for piece in message.split("…") if len(piece.strip()) > 3]
    variants = [(piece, piece.rstrip(".")) for piece in pieces]
    return bool(pieces) and all(any(v in text for text in list_texts() for v in pair) for pair in variants)


def test_messages_of_the_troubleshooting_tables_are_real() -> None:
    section = read("docs/operate.md").split("## Troubleshooting")[1]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")]
    messages = [codes(row)[-1] for row in rows if row.startswith(("`", "log: `", "people read `", "a page says `"))]
    assert [message for message in messages if not is_in_code(message)] == []
    assert len(messages) > 30


def test_messages_of_the_settings_are_real() -> None:
    missing = Settings(mongodb_uri="mongodb://127.0.0.1").missing_for_serving()  # type: ignore[arg-type]
    assert {"SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "LOGICSPIKE_KEYS"} == {problem.variable for problem in missing}


# --- glossary ---------------------------------------------------------------------------------------------------------


def list_terms() -> frozenset[str]:
    cells = [row[0] for row in read_tables("docs/glossary.md")]
    return frozenset(
        term for cell in cells for bold in re.findall(r"\*\*([^*]+)\*\*", cell) for term in bold.split(", ")
    )


def list_classes(module: ModuleType) -> Mapping[str, type]:
    return {name: kind for name in module.__all__ if isinstance(kind := getattr(module, name), type)}


def test_classes_of_the_domain_are_words_of_the_glossary() -> None:
    terms = {term.casefold() for term in list_terms()}
    stray = []
    for name, kind in list_classes(domain).items():
        # A state, status or reason is the one of the thing it's named after.
        stem = re.sub(r"(State|Status|Reason)$", "", name) if issubclass(kind, Enum) else name
        if not issubclass(kind, Exception) and stem.casefold() not in terms:
            stray.append(name)
    assert stray == []


def test_class_names_of_the_glossary_exist() -> None:
    known = {*list_classes(domain), *list_classes(types), *list_classes(clock)}
    assert {term for term in list_terms() if re.fullmatch(r"[A-Z][A-Za-z]+", term)} - known == set()


# --- the files of the project -----------------------------------------------------------------------------------------

# Put together here, so that this file doesn't hold them itself.
FORBIDDEN = [
    re.compile(r"(?<![\w$])/wor" + "k/"),
    re.compile("/tm" + r"p/w\b"),
    re.compile("/far" + "m/"),
    re.compile(r"\bdesig" + r"n\.md\b"),
    re.compile("py" + r"pi\.org|python" + r"hosted\.org"),
    re.compile("npm" + r"js\.|deb\.deb" + r"ian\.org|crates" + r"\.io"),
    re.compile("cla" + "ude|anthro" + "pic|chat" + "gpt|open" + r"ai|copi" + "lot", re.IGNORECASE),
    re.compile(r"language mod" + r"el|\bAI[- ]gen" + r"erated|coding ag" + "ent", re.IGNORECASE),
]


def test_no_file_holds_a_local_path_a_package_index_or_an_author() -> None:
    found = [
        f"{name_of(path)}:{number}: {line.strip()[:120]}"
        for path in list_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for pattern in FORBIDDEN
        if pattern.search(line)
    ]
    assert found == []


def test_changelog_has_a_place_for_what_is_new() -> None:
    headings = re.findall(r"^## (.+)$", read("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "Unreleased"


def test_image_is_built_from_files_that_exist_and_holds_every_platform() -> None:
    dockerfile = read("Dockerfile")
    sources = [
        word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE) for word in line.split()
    ]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert {path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")} == set(
        re.findall(r"\./plugins/(\w+)", dockerfile)
    )
