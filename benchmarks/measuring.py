"""Numbers: percentiles, ratios per round, and the rows of the table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Ratio", "Row", "Table", "median", "percentile", "ratio_of"]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Ours by the rival's, round by round; the median decides, the spread says how far it can be believed."""

    middle: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.lowest:.2f}–{self.highest:.2f})"


def ratio_of(ours: Sequence[float], rival: Sequence[float]) -> Ratio:
    """Pair the rounds of both and take the ratio of each pair."""
    ratios = [mine / theirs for mine, theirs in zip(ours, rival, strict=True)]
    return Ratio(middle=median(ratios), lowest=min(ratios), highest=max(ratios))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        name: such as "P1".
        what: what was measured.
        ours: our figure, with its unit.
        rival: whose figure it is compared with, and that figure.
        ratio: the comparison, or None where the target is absolute.
        target: in words.
        holds: whether the target is met; None where there is none.
    """

    name: str
    what: str
    ours: str
    rival: str = "–"
    ratio: Ratio | None = None
    target: str = "–"
    holds: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """The line's texts."""
        verdict = {True: "yes", False: "NO", None: "–"}[self.holds]
        return (self.name, self.what, self.ours, self.rival, str(self.ratio or "–"), self.target, verdict)


@dataclass
class Table:
    """All lines so far; each is printed when it comes in."""

    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Keep and print a line."""
        self.rows.append(row)
        print("  " + "  |  ".join(row.cells()), flush=True)

    def to_markdown(self) -> str:
        """The table as it stands in the documentation."""
        head = ("", "what", "ours", "rival", "ratio: median (min–max)", "target", "met")
        lines = [head, ("---",) * len(head), *(row.cells() for row in self.rows)]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)
