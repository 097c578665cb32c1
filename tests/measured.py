"""What the long runs have measured: one line of the table that a run ends with, for each row of docs/testing.md."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

__all__ = ["LINES", "Line", "choose_seed", "factor", "show", "size", "to_markdown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one test has measured.

    Attributes:
        row: such as "F1".
        figures: sizes and what was found, in words.
        seed: what the run was drawn from; None where nothing is left to chance.
        test: pytest's id of the test.
    """

    row: str
    figures: str
    seed: int | None
    test: str


LINES: list[Line] = []
"""All lines of this run, in the order in which they were shown."""


def choose_seed() -> int:
    """The run's seed: LOGICSPIKE_SEED, or a fresh one; printed, so that a run can be repeated."""
    seed = int(os.environ.get("LOGICSPIKE_SEED") or random.SystemRandom().randrange(10**9))
    print(f"\nLOGICSPIKE_SEED={seed}")  # noqa: T201  # printed first, since a run that hangs must be repeatable as well
    return seed


def factor() -> int:
    """1, or by how much a soak is bigger."""
    return int(os.environ.get("LOGICSPIKE_SOAK") or 1)


def size(short: int) -> int:
    """How much of something: the short size, or ten times as much in a soak."""
    return short * factor()


def show(row: str, *, seed: int | None = None, **figures: object) -> None:
    """Print a line of figures, which the table at the end of the run repeats."""
    words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items())
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    LINES.append(Line(row=row, figures=words, seed=seed, test=test))
    print(f"\n{row}: {words}")  # noqa: T201  # what was measured is what the run is for


def to_markdown(lines: Collection[Line], *, failed: Collection[str], seconds: Mapping[str, float]) -> str:
    """The table, in the order of the rows.

    Args:
        lines: what was measured.
        failed: ids of the tests that failed.
        seconds: how long each test took, by its id.
    """
    head = ("row", "sizes and figures", "seed", "seconds", "held")
    cells = [
        (
            line.row,
            line.figures.replace("|", "\\|"),
            "–" if line.seed is None else str(line.seed),
            f"{seconds.get(line.test, 0):.0f}",
            "NO" if line.test in failed else "yes",
        )
        for line in sorted(lines, key=lambda line: int(re.sub(r"\D", "", line.row)))
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *cells))
