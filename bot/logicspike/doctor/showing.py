"""Shows on a terminal what is found, as it is found."""

from __future__ import annotations

import asyncio
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final, TextIO

import click

from ..plugin import SetupLevel
from .examining import Section
from .findings import SIGNS, Finding

__all__ = ["show"]

_PATIENCE: Final = timedelta(seconds=2)
_MAX_WIDTH: Final = 100
_COLOURS: Final = {
    SetupLevel.OK: "green",
    SetupLevel.UNCHECKED: "cyan",
    SetupLevel.WARNING: "yellow",
    SetupLevel.PROBLEM: "red",
}


async def show(
    sections: Iterable[Section], *, out: TextIO, errors: TextIO, patience: timedelta = _PATIENCE
) -> tuple[Finding, ...]:
    """Look at all sections at once and print each when those before it are printed, then what it comes to.

    Args:
        sections: what to look at.
        out: where the findings go; wrapped and coloured on a terminal, a line each elsewhere.
        errors: where the name of what takes long stands meanwhile, on a terminal only.
        patience: how long nothing is said of what takes long.

    Returns:
        All findings.
    """
    found: list[Finding] = []
    async with asyncio.TaskGroup() as group:
        waiting = [(section, group.create_task(_look(section))) for section in sections]
        for section, looking in waiting:
            findings = await _await(looking, section.title, errors=errors, patience=patience)
            _print_section(section.title, findings, out)
            found += findings
    click.echo(_summarise(found), file=out)
    return tuple(found)


async def _look(section: Section) -> tuple[Finding, ...]:
    return await section.look()


async def _await(
    looking: asyncio.Task[tuple[Finding, ...]], title: str, *, errors: TextIO, patience: timedelta
) -> tuple[Finding, ...]:
    await asyncio.wait({looking}, timeout=patience.total_seconds())
    is_shown = errors.isatty() and not looking.done()
    if is_shown:
        click.echo(f"… still looking: {title}", file=errors, nl=False)
    try:
        return await looking
    finally:
        if is_shown:
            click.echo("\r\x1b[K", file=errors, nl=False)


def _print_section(title: str, findings: Sequence[Finding], out: TextIO) -> None:
    if not findings:
        return
    click.secho(title, file=out, bold=True)
    for finding in findings:
        click.echo("\n".join(_wrap(finding, out)), file=out)
    click.echo(file=out)


def _wrap(finding: Finding, out: TextIO) -> Iterator[str]:
    width = min(shutil.get_terminal_size().columns, _MAX_WIDTH) - 4 if out.isatty() else len(finding.text) + 1
    # Addresses stay whole, to be copied.
    lines = textwrap.wrap(finding.text, max(width, 20), break_long_words=False, break_on_hyphens=False)
    yield f"  {click.style(SIGNS[finding.level], fg=_COLOURS[finding.level])} {lines[0]}"
    yield from (f"    {line}" for line in lines[1:])


def _summarise(findings: Sequence[Finding]) -> str:
    counts = {level: sum(finding.level is level for finding in findings) for level in SetupLevel}
    parts = [
        f"{counts[SetupLevel.PROBLEM]} to mend." if counts[SetupLevel.PROBLEM] else "",
        f"{counts[SetupLevel.WARNING]} to keep an eye on." if counts[SetupLevel.WARNING] else "",
    ]
    said = " ".join(part for part in parts if part) or "Nothing to mend."
    if not counts[SetupLevel.UNCHECKED]:
        return said
    return f"{said} {counts[SetupLevel.UNCHECKED]} can't be seen from here (?): look at them once."
