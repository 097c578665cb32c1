"""Writes the files that are made from the code; ``tests/test_docs.py`` fails when one of them is out of date.

Run it with ``make docs``.
"""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import itertools
import re
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from logicspike.developer_apps import set_prefix, variable_prefix
from logicspike.loading import GROUP, load_installed
from logicspike.plugin import (
    CredentialSet,
    ErrorRow,
    ErrorTable,
    Operation,
    Platform,
    PlatformError,
    TokenExpired,
    error_table,
    errors,
    hookspecs,
    media,
    oauth2,
    setup_notes,
    types,
)
from logicspike.settings import DESCRIPTIONS, EXAMPLES, Settings
from logicspike.slack import surface

ROOT: Final = Path(__file__).resolve().parent.parent

_WIDTH: Final = 118
_VERSION_ADDED: Final = re.compile(r"\.\. versionadded:: (\S+)")
_VERSION_CHANGED: Final = re.compile(r"\n?\.\. versionchanged:: (\S+) (.+)")
_SECTION: Final = re.compile(r"^(Args|Returns|Raises|Attributes):$", re.MULTILINE)
_SECTION_ITEM: Final = re.compile(r"^    (\w[\w, *]*): ", re.MULTILINE)

_HOOKS_INTRO: Final = """\
# Hooks, types and errors

Everything a platform plugin may use at run time, printed from the code by `make docs`. How to write one, step by step,
stands in [add-a-platform.md](add-a-platform.md). All of it is imported from `logicspike.plugin`.

## Hooks

A plugin is a module whose functions are marked with `@hookimpl`. Facts and checks are plain functions without I/O;
whatever may talk to the platform is `async def`. Take any of a hook's arguments by name, without defaults and not
keyword-only. A hook marked *optional* may be left out.
"""

_HELPERS_INTRO: Final = """\
## Helpers

`from logicspike.plugin import oauth2`: OAuth 2.0 and JSON calls over the plugin's own session. Each has a timeout,
follows no redirect, retries nothing, and turns trouble into the errors below.
"""

_TYPES_INTRO: Final = "## Types\n\nFrozen, keyword-only; what is secret stays out of every repr.\n"

_MEDIA_INTRO: Final = """\
## Media

Pictures and videos come to `prepare` as streams: read them piece by piece, and open them again for another try.
"""

_ERRORS_INTRO: Final = """\
## Errors

Each class is named by what the bot does next. Anything else that escapes a hook is a bug in the plugin: it is logged
with the platform's name and treated as `OutcomeUnknown` when it came from `publish`, else as `PlatformUnavailable`.
"""

_TABLES_INTRO: Final = """\
## Error tables

What a platform refuses with, written down once: the rows decide what a hook raises, and
[platform-errors.md](platform-errors.md) is printed from a plugin's `errors.TABLE`. A plugin need not have one.
"""

_REFUSALS_INTRO: Final = """\
# What the platforms refuse, and what happens then

Every refusal of the bundled platforms that the bot knows, printed from the plugins' own tables by `make docs`. The
codes in an answer decide, by the first row that fits. The status decides only where a row says so, because the
platform says no more.

An answer **in no row** is never guessed at. After a call that publishes, the post's outcome is unknown: the bot looks
it up where the platform allows that, else it asks the author. After any other call it tries again later. Each such
answer is one warning in the log, “… gave an answer that is not in its error table …”, with its status, its codes and
a short reference, and without tokens, texts or anything else of it; the explanation of the error holds the same
reference. Please send us such a line: the table grows by it.

## What happens

| class | what the bot does |
| --- | --- |
"""

_REFUSALS_WHEN: Final = """
*When* is said where it matters: *sign-in* trades the code that the member's browser brings for tokens, *connect*
reads with them whose account it is, *refresh* gets new ones, *check* asks once a day whether a connection still works,
*prepare* uploads a post's pictures or video ahead of time, *publish* is the one call that creates a post, and *look-up*
looks for a post whose outcome is unknown. Where the outcome is unknown, the author is asked whether the
post is there; the sentence here is kept with the attempt.
"""

_SURFACE_INTRO: Final = """\
# What Slack calls back

Every name by which Slack reaches the bot, printed from the code by `make docs`. Values carry ids only, never content:
each click reads the present state and checks the clicker's rights again.
"""

_ENV_INTRO: Final = """\
# Copy this file to .env and fill it in. Going live takes PUBLIC_URL, SLACK_SIGNING_SECRET, SLACK_BOT_TOKEN
# and two variables per platform; docs/operate.md leads through it. Variables of the environment win over this file.
# Written by `make docs`.
"""

_ENV_PLATFORMS: Final = """\
# --- Platforms ---
# The id and secret of your developer app there (the plugin's README says where to get them), and the plugin's own
# settings with their defaults. <PLATFORM>_ENDPOINT_<NAME> replaces an origin, for tests.
"""

_ENV_SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "The bot": ("PUBLIC_URL", "HOST", "PORT", "LOGICSPIKE_ADMINS", "LOGICSPIKE_DISABLED_PLATFORMS"),
    "Slack": (
        "SLACK_SIGNING_SECRET",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_COMMAND_CONNECT",
        "SLACK_COMMAND_SCHEDULE",
        "SLACK_API_URL",
    ),
    "Database": (
        "LOGICSPIKE_DATA_DIR",
        "MONGODB_URI",
        "LOGICSPIKE_KEYS",
        "MONGODB_DATABASE",
        "MONGODB_DRIVER",
    ),
}


# --- docs/hooks.md ----------------------------------------------------------------------------------------------------


def render_hooks() -> str:
    """The page of hooks, helpers, types and errors."""
    parts = [_HOOKS_INTRO]
    parts += [_render_hook(name, function) for name, function in list_hooks().items()]
    parts.append(_HELPERS_INTRO)
    parts += [
        _render_helper(f"oauth2.{name}", helper)
        for name in oauth2.__all__
        if inspect.isfunction(helper := getattr(oauth2, name))
    ]
    parts += [_source(getattr(oauth2, name)) for name in oauth2.__all__ if inspect.isclass(getattr(oauth2, name))]
    parts.append(_TYPES_INTRO)
    parts += [_source(getattr(types, name)) for name in types.__all__]
    parts += [_source(getattr(setup_notes, name)) for name in setup_notes.__all__]
    parts.append(_MEDIA_INTRO)
    parts += [_render_helper(name, each) for name in media.__all__ if inspect.isfunction(each := getattr(media, name))]
    parts += [_source(getattr(media, name)) for name in media.__all__ if inspect.isclass(getattr(media, name))]
    parts.append(_ERRORS_INTRO)
    parts += [_source(getattr(errors, name)) for name in errors.__all__]
    parts.append(_TABLES_INTRO)
    parts += [_source(getattr(error_table, name)) for name in error_table.__all__]
    return "\n".join(parts).rstrip() + "\n"


def list_hooks() -> Mapping[str, Callable[..., Any]]:
    """The hook specifications by name, in the order of a connection's life."""
    return {
        name: function
        for name, function in vars(hookspecs).items()
        if inspect.isfunction(function) and hasattr(function, "logicspike_spec")
    }


def hook_heading(name: str, function: Callable[..., Any]) -> str:
    """The heading of a hook: its name and exactly its arguments, and whether it may be left out."""
    optional = " *(optional)*" if "Optional." in (function.__doc__ or "") else ""
    return f"### `{name}({', '.join(inspect.signature(function).parameters)})`{optional}"


def _render_hook(name: str, function: Callable[..., Any]) -> str:
    return f"{hook_heading(name, function)}\n\n{_signature(function)}\n\n{_prose(function)}\n"


def _render_helper(name: str, function: Callable[..., Any]) -> str:
    return f"### `{name}`\n\n{_signature(function)}\n\n{_prose(function)}\n"


def _signature(function: Callable[..., Any]) -> str:
    """The signature as it is written in the source, defaults and all."""
    source = textwrap.dedent(inspect.getsource(function))
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    lines = source.splitlines()[node.lineno - 1 : node.body[0].lineno - 1]
    return "```python\n" + "\n".join(lines).rstrip().removesuffix(":") + "\n```"


def _prose(function: Callable[..., Any]) -> str:
    text = (inspect.getdoc(function) or "").replace("``", "`")
    text = re.sub(r"\s*\b(Required|Optional)\.", "", text)  # the heading says it
    text = _VERSION_CHANGED.sub(r" *\2 since \1.*", _VERSION_ADDED.sub(r"*Since \1.*", text))
    head, *sections = _SECTION.split(text)
    lists = "".join(
        f"\n\n**{title}**\n\n{_to_list(body)}" for title, body in zip(sections[::2], sections[1::2], strict=True)
    )
    return f"{head.strip()}{lists}"


def _to_list(body: str) -> str:
    """Turn the indented items of a docstring's section into a list."""
    return _SECTION_ITEM.sub(r"- `\1`: ", body.strip("\n")).replace("\n        ", "\n  ").rstrip()


def _source(kind: type) -> str:
    return f"### `{kind.__name__}`\n\n```python\n{inspect.getsource(kind).rstrip()}\n```\n"


# --- docs/platform-errors.md ------------------------------------------------------------------------------------------

# The tree in the docstring of ``logicspike.plugin.errors``: a class, and what the host does.
_TREE_LINE: Final = re.compile(r"^    [├└]── (\w+) +(.+)$", re.MULTILINE)
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


def render_platform_errors() -> str:
    """The page of the platforms' refusals."""
    classes = "".join(f"| `{name}` | {_cell(does)} |\n" for name, does in _list_consequences().items())
    tables = "".join(_render_table(table, platform) for table, platform in _list_tables())
    return f"{_REFUSALS_INTRO}{classes}{_REFUSALS_WHEN}{tables}"


def _list_tables() -> Iterator[tuple[ErrorTable, Platform]]:
    modules = [importlib.import_module(f"{found.module}.errors") for found in _bundled_entry_points()]
    return zip([module.TABLE for module in modules], bundled_platforms(), strict=True)


def _list_consequences() -> Mapping[str, str]:
    return dict(_TREE_LINE.findall(errors.__doc__ or ""))


def _render_table(table: ErrorTable, platform: Platform) -> str:
    every = frozenset[Operation]().union(*(row.on for row in table.rows))
    rows = "".join(_render_row(row, every) for row in table.rows)
    canceled = " or ".join(f"`{error}`" for error in platform.cancel_errors)
    told = "".join(f" `{error}` there is told as “{means}”" for error, means in platform.callback_errors.items())
    note = (
        f"{table.note} Back from the consent page, `error` {canceled} means that the member pressed Cancel; any other "
        f"`error` there, that the sign-in failed.{told}"
    )
    return (
        f"\n## {table.title}\n\n{textwrap.fill(note, _WIDTH, break_on_hyphens=False)}\n\n"
        f"| what {table.title} says | when | what happens | what the author or admin reads | source |\n"
        f"| --- | --- | --- | --- | --- |\n{rows}"
    )


def _render_row(row: ErrorRow, every: frozenset[Operation]) -> str:
    says = ", ".join([*(_render_sign(sign, values) for sign, values in row.signs.items()), *row.given])
    # Of an expired token nobody is told: what the refresh then answers is what people read.
    is_told = not issubclass(row.error, TokenExpired)
    sentence = _PLACEHOLDER.sub(r"*\1*", row.sentence) if is_told else "*nothing; what the refresh brings decides*"
    cells = (says, _render_operations(row, every), f"`{_public_class(row.error)}`", sentence, row.source)
    return f"| {' | '.join(_cell(cell) for cell in cells)} |\n"


def _render_operations(row: ErrorRow, every: frozenset[Operation]) -> str:
    return "always" if row.on == every else ", ".join(each for each in Operation if each in row.on)


def _public_class(error: type[PlatformError]) -> str:
    """The class of the plugin API that the host knows this one by."""
    return next(kind.__name__ for kind in error.__mro__ if kind.__name__ in errors.__all__)


def _render_sign(sign: str, values: Collection[str | int]) -> str:
    numbers = sorted(value for value in values if isinstance(value, int))
    words = sorted(value for value in values if isinstance(value, str))
    found = [*_join_ranges(numbers), *(f"“{word}”" if " " in word else f"`{word}`" for word in words)]
    listed = found[0] if len(found) == 1 else f"{', '.join(found[:-1])} or {found[-1]}"
    return f"{' or '.join(f'`{part}`' for part in sign.split(' or '))} {listed}"


def _join_ranges(numbers: list[int]) -> Iterator[str]:
    for _, group in itertools.groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        yield from (str(number) for number in run) if len(run) < 3 else (f"{run[0]} to {run[-1]}",)


# --- docs/slack-surface.md --------------------------------------------------------------------------------------------


def render_surface() -> str:
    """The page of action ids, modals and blocks."""
    rows = "\n".join(f"| `{action}` | {_cell(meaning)} |" for action, meaning in surface.ACTIONS.items())
    modals = "\n".join(f"| `{callback}` | {_cell(meaning)} |" for callback, meaning in surface.MODALS.items())
    blocks = "\n".join(f"- `{value}`" for name, value in vars(surface).items() if name.startswith("BLOCK_"))
    typed = "\n".join(f"- `{action}`: {_cell(meaning)}" for action, meaning in surface.TYPED.items())
    return (
        f"{_SURFACE_INTRO}\n"
        "## Buttons and menus\n\n"
        f"| `action_id` | what its `value` holds, and what a click does |\n| --- | --- |\n{rows}\n\n"
        f"## Modals\n\n| `callback_id` | what it is for |\n| --- | --- |\n{modals}\n\n"
        f"Their blocks' `block_id`s (the editor has no `{surface.BLOCK_ACCOUNTS}`):\n\n{blocks}\n\n"
        f"Fields that report while they are filled in, by `action_id`:\n\n{typed}\n\n"
        "## Events\n\n`app_uninstalled` and `tokens_revoked` stop the workspace's work at once.\n"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


# --- .env.example -----------------------------------------------------------------------------------------------------


def render_env_example() -> str:
    """The example of ``.env``."""
    fields = {field.upper() for field in Settings.model_fields} & DESCRIPTIONS.keys()
    listed = {variable for variables in _ENV_SECTIONS.values() for variable in variables}
    if fields != listed:
        raise ValueError(f"_ENV_SECTIONS does not fit the settings: {sorted(fields ^ listed)}")
    parts = [_ENV_INTRO]
    for title, variables in _ENV_SECTIONS.items():
        parts.append(f"# --- {title} ---\n")
        parts += [f"{_comment(DESCRIPTIONS[variable])}\n#{variable}={EXAMPLES[variable]}\n" for variable in variables]
    parts.append(_ENV_PLATFORMS)
    parts += [_platform_lines(platform) for platform in bundled_platforms()]
    return "\n".join(parts)


def bundled_platforms() -> tuple[Platform, ...]:
    """The facts of the platforms in ``plugins/``, by name; other installed ones are left out."""
    plugins = load_installed(_bundled_entry_points()).plugins
    return tuple(plugins[name].platform for name in sorted(plugins))


def _bundled_entry_points() -> list[importlib.metadata.EntryPoint]:
    names = {folder.name for folder in (ROOT / "plugins").iterdir() if (folder / "pyproject.toml").is_file()}
    found = (each for each in importlib.metadata.entry_points(group=GROUP) if each.name in names)
    return sorted(found, key=lambda each: each.name)


def _comment(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")


def _platform_lines(platform: Platform) -> str:
    prefix = variable_prefix(platform.name)
    values = {"CLIENT_ID": "…", "CLIENT_SECRET": "…", **platform.settings}
    lines = "".join(f"#{prefix}{name.upper().replace('-', '_')}={value}\n" for name, value in values.items())
    sets = "".join(_set_lines(platform, each) for each in platform.credential_sets)
    return f"# {platform.title}\n{lines}{sets}"


def _set_lines(platform: Platform, credential_set: CredentialSet) -> str:
    prefix = set_prefix(platform, credential_set)
    what = _comment(f"Optional, a second app at {platform.title}: {credential_set.title}")
    return f"{what}\n#{prefix}CLIENT_ID=…\n#{prefix}CLIENT_SECRET=…\n"


RENDERERS: Final = {
    "docs/hooks.md": render_hooks,
    "docs/platform-errors.md": render_platform_errors,
    "docs/slack-surface.md": render_surface,
    ".env.example": render_env_example,
}
"""The files that are made from the code, and what makes each."""


def main() -> None:
    """Write all of them."""
    for path, render in RENDERERS.items():
        (ROOT / path).write_text(render(), encoding="utf-8")
        print(f"wrote {path}")  # noqa: T201 - a command's output


if __name__ == "__main__":
    main()
