"""Writes the files that are made from the code; ``tests/test_docs.py`` fails when one of them is out of date.

Run it with ``make docs``.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from logicspike.plugin import errors, hookspecs, types
from logicspike.settings import DESCRIPTIONS, EXAMPLES, Settings
from logicspike.slack import surface

ROOT: Final = Path(__file__).resolve().parent.parent

_HOOKS_INTRO: Final = """\
# Hooks, types and errors

Everything a platform plugin may use at run time, printed from the code by `make docs`. How to write one, step by step,
stands in [add-a-platform.md](add-a-platform.md).

A plugin is a module. Facts and checks are plain functions without I/O; whatever may talk to the platform is
`async def`. A hook implementation takes any of the arguments by name, without defaults and not keyword-only.
Marked *optional*, a hook may be left out.
"""

_SURFACE_INTRO: Final = """\
# What Slack calls back

Every name by which Slack reaches the bot, printed from the code by `make docs`. Values carry ids only, never content:
each click reads the present state and checks the clicker's rights again.
"""

_ENV_INTRO: Final = """\
# Copy this file to .env and fill it in. Going live takes PUBLIC_URL, SLACK_SIGNING_SECRET, SLACK_BOT_TOKEN
# and two variables per platform. Variables of the environment win over this file. Written by `make docs`.
"""


def render_hooks() -> str:
    """The page of hooks, types and errors."""
    parts = [_HOOKS_INTRO, "## Hooks\n"]
    for name, function in _hooks().items():
        optional = " *(optional)*" if "Optional." in (function.__doc__ or "") else ""
        parts.append(f"### `{name}`{optional}\n\n```python\n{_signature(name, function)}\n```\n\n{_prose(function)}\n")
    parts.append("## Types\n")
    parts += [_source(getattr(types, name)) for name in types.__all__]
    parts.append("## Errors\n\nEach class is named by what the host does next.\n")
    parts += [_source(getattr(errors, name)) for name in errors.__all__]
    return "\n".join(parts).rstrip() + "\n"


def _hooks() -> Mapping[str, object]:
    return {
        name: function
        for name, function in vars(hookspecs).items()
        if inspect.isfunction(function) and hasattr(function, "logicspike_spec")
    }


def _signature(name: str, function: object) -> str:
    colour = "async def" if inspect.iscoroutinefunction(function) else "def"
    return f"{colour} {name}{inspect.signature(function)}".replace("'", "")  # type: ignore[arg-type]


def _prose(function: object) -> str:
    text = inspect.getdoc(function) or ""
    return text.replace("``", "`").replace(".. versionadded:: ", "*Since ").rstrip() + "*"


def _source(kind: type) -> str:
    return f"### `{kind.__name__}`\n\n```python\n{inspect.getsource(kind).rstrip()}\n```\n"


def render_surface() -> str:
    """The page of action ids, modals and blocks."""
    rows = "\n".join(f"| `{action}` | {meaning} |" for action, meaning in surface.ACTIONS.items())
    blocks = ", ".join(f"`{value}`" for name, value in vars(surface).items() if name.startswith("BLOCK_"))
    return (
        f"{_SURFACE_INTRO}\n"
        f"## Buttons and menus\n\n| `action_id` | what its `value` holds, and what a click does |\n| --- | --- |\n{rows}\n\n"
        f"## Modals\n\n`callback_id` `{surface.COMPOSER}`: the composer. Its blocks' `block_id`s: {blocks}.\n\n"
        "## Events\n\n`app_uninstalled` and `tokens_revoked` stop the workspace's work at once.\n"
    )


def render_env_example() -> str:
    """The example of ``.env``."""
    lines = [_ENV_INTRO]
    for field in Settings.model_fields:
        variable = field.upper()
        if variable in DESCRIPTIONS:
            lines.append(f"# {DESCRIPTIONS[variable]}\n#{variable}={EXAMPLES[variable]}\n")
    lines.append(
        "# Per platform, by its name in capitals: the id and secret of your developer app there (the plugin's README\n"
        "# says where to get them), and any setting the plugin declares.\n"
        "#FACEBOOK_CLIENT_ID=1234567890\n#FACEBOOK_CLIENT_SECRET=…\n"
        "#TWITTER_CLIENT_ID=…\n#TWITTER_CLIENT_SECRET=…\n"
        "#LINKEDIN_CLIENT_ID=…\n#LINKEDIN_CLIENT_SECRET=…\n"
    )
    return "\n".join(lines)


RENDERERS: Final = {
    "docs/hooks.md": render_hooks,
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
