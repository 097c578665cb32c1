"""What the long runs have measured: one line of the table that a run ends with, for each row of docs/testing.md."""

from __future__ import annotations

import os
import random
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

import pytest

__all__ = ["Line", "choose_seed", "factor", "hand_over", "read_lines", "show", "size", "to_markdown"]


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


_NAME: Final = "measured"
_untold: list[Line] = []
"""Lines that no report has taken along yet."""


def choose_seed() -> int:
    """The run's seed: LOGICSPIKE_SEED, or a fresh one; printed, so that a run can be repeated."""
    seed = int(os.environ.get("LOGICSPIKE_SEED") or random.SystemRandom().randrange(10**9))
    _say(f"LOGICSPIKE_SEED={seed}")  # first, since a run that hangs must be repeatable as well
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
    _untold.append(Line(row=row, figures=words, seed=seed, test=test))
    _say(f"{row}: {words}")


def hand_over(report: pytest.TestReport) -> None:
    """Let a test's report carry what it has measured: to the end of the run, and out of another process too."""
    report.user_properties = [*report.user_properties, *((_NAME, asdict(line)) for line in _untold)]
    _untold.clear()


def read_lines(reports: Iterable[pytest.TestReport]) -> list[Line]:
    """What the tests have measured, in the order of their reports."""
    return [Line(**value) for each in reports for name, value in each.user_properties if name == _NAME]


def _say(words: str) -> None:
    """At once: what was measured is what the run is for. One of several processes has only standard error for that."""
    stream = sys.stderr if "PYTEST_XDIST_WORKER" in os.environ else sys.stdout
    stream.write(f"\n{words}\n")
    stream.flush()


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
