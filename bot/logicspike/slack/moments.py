"""Turns wall times of a zone into moments, and says what is wrong with those that aren't exactly one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from .times import describe_day, describe_moment, find_instants

__all__ = ["FARTHEST", "Moment", "Present", "WhenProblem", "WhenResult"]

FARTHEST: Final = timedelta(days=366)
"""How far ahead a post may be scheduled."""

_CONVERTIBLE: Final = timedelta(days=400)
"""Wall times farther away than this are refused by their date alone; datetime can't convert those of year 1 or 9999."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time that was understood; aware UTC."""

    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WhenProblem:
    """A time that was recognised but can't be used as it stands.

    Attributes:
        kind: what is wrong with it.
        explanation: one or two plain sentences for the member.
        options: times to offer instead, aware UTC, the likeliest first; all in the future.
        typed: the words it was read from.
    """

    kind: Literal["past", "nonexistent", "ambiguous", "unclear", "too_far"]
    explanation: str
    options: tuple[datetime, ...] = ()
    typed: str = ""


WhenResult: TypeAlias = Moment | WhenProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The present, and the zone in which words about time are read.

    Attributes:
        now: aware UTC.
        zone: the member's.
    """

    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The member's date."""
        return self.now.astimezone(self.zone).date()

    def resolve(self, day: date, clock: time) -> WhenResult:
        """Turn a wall time into a moment, or say why it can't be one."""
        named = f"{describe_day(day)}, {clock:%H:%M}"
        if day < self.today - _CONVERTIBLE:
            return self._past(named, clock)
        if day > self.today + _CONVERTIBLE:
            return self.refuse_too_far(named)
        candidates = self._candidates(day, clock)
        if max(candidates) <= self.now:
            return self._past(describe_moment(candidates[-1], self.zone.key, self.now), clock)
        if min(candidates) > self.now + FARTHEST:
            return self.refuse_too_far(named)
        if len(candidates) == 1:
            return Moment(due_at=candidates[0])
        return self._ask_about_clock_change(day, clock)

    def list_offers(self, *readings: tuple[date, time]) -> tuple[datetime, ...]:
        """What can be offered for some wall times: each moment once, none in the past and none too far away."""
        near = (reading for reading in readings if abs(reading[0] - self.today) <= _CONVERTIBLE)
        found = (at for reading in near for at in self._candidates(*reading))
        return tuple(dict.fromkeys(at for at in found if self.now < at <= self.now + FARTHEST))

    def refuse_too_far(self, named: str) -> WhenProblem:
        """Say that a time is more than a year away."""
        sentence = f"I can schedule up to one year ahead, and this is later: {named}."
        return WhenProblem(kind="too_far", explanation=sentence)

    def _candidates(self, day: date, clock: time) -> tuple[datetime, ...]:
        """The moments of a wall time; where the clocks skip it, the one after the gap, then the one before."""
        wall = datetime.combine(day, clock)
        around = (wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return find_instants(wall, self.zone) or tuple(around)

    def _past(self, named: str, clock: time) -> WhenProblem:
        options = self.list_offers((self.today, clock), (self.today + timedelta(days=1), clock))
        return WhenProblem(kind="past", explanation=f"That time has passed: {named}.", options=options)

    def _ask_about_clock_change(self, day: date, clock: time) -> WhenProblem:
        options = self.list_offers((day, clock))
        named = f"{clock:%H:%M} on {describe_day(day)}"
        if find_instants(datetime.combine(day, clock), self.zone):
            why = f"In {self.zone.key}, {named} comes twice, because the clocks go back. Which one do you mean?"
            return WhenProblem(kind="ambiguous", explanation=why, options=options)
        why = f"In {self.zone.key}, {named} doesn't exist, because the clocks go forward."
        return WhenProblem(kind="nonexistent", explanation=why, options=options)
