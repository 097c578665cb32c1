"""Words for times: always absolute, with the zone they are read in and how far away they are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

__all__ = [
    "MONTHS",
    "WEEKDAYS",
    "describe_clock",
    "describe_day",
    "describe_distance",
    "describe_end",
    "describe_instant",
    "describe_moment",
    "describe_offset",
    "find_instants",
    "find_zone",
]

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def find_zone(name: str) -> ZoneInfo:
    """Look up an IANA zone; UTC for a name that isn't one, so that a profile with an odd zone still works."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def find_instants(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Find the moments, in UTC, at which clocks in a zone show a naive wall time.

    Returns:
        One moment as a rule; two, earlier first, on the night the clocks go back; none when the clocks skip it.
    """
    readings = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return tuple(sorted(at for at in readings if at.astimezone(zone).replace(tzinfo=None) == wall))


def describe_day(day: date) -> str:
    """Word a day: "Tue 24 Nov 2026", whatever the process's locale."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"


def describe_clock(local: datetime) -> str:
    """Word a time of day: "09:30", with seconds only when there are some."""
    return local.strftime("%H:%M:%S" if local.second else "%H:%M")


def describe_offset(local: datetime) -> str:
    """Tell two equal wall times apart: "CEST (UTC+02:00)"; without the letters where a zone has none."""
    sign = "-" if (offset := local.utcoffset() or timedelta(0)) < timedelta(0) else "+"
    minutes = int(abs(offset).total_seconds()) // 60
    utc = f"UTC{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    letters = local.tzname() or ""
    return f"{letters} ({utc})" if letters.isalpha() and letters != "UTC" else utc


class _Step(NamedTuple):
    """A unit, in seconds, and the distance in seconds from which it is too fine."""

    below: int
    seconds: int
    name: str


_STEPS: Final = (_Step(120, 1, "second"), _Step(7200, 60, "minute"), _Step(172_800, 3600, "hour"))


def describe_distance(at: datetime, now: datetime) -> str:
    """Word how far away a moment is: "in 18 hours", "20 minutes ago", "now"."""
    seconds = (at - now).total_seconds()
    if abs(seconds) < 1:
        return "now"
    away = round(abs(seconds))
    # Exactly one minute or hour is said as such, not as 60 of the smaller unit.
    steps = (step for step in _STEPS if away < step.below and away != 60 * step.seconds)
    step = next(steps, _Step(below=0, seconds=86_400, name="day"))
    count = max(1, round(away / step.seconds))
    words = f"{count} {step.name}{'' if count == 1 else 's'}"
    return f"in {words}" if seconds > 0 else f"{words} ago"


def describe_moment(due_at: datetime, zone: str, now: datetime) -> str:
    """Word a moment so that nobody can misread it: "Tue 24 Nov 2026, 09:30 (Europe/Berlin), in 18 hours".

    Args:
        due_at: the moment, aware.
        zone: IANA name of the zone to show it in; an unknown one is shown as UTC.
        now: the present, aware.
    """
    return f"{describe_instant(due_at, zone)}, {describe_distance(due_at, now)}"


def describe_end(at: datetime, zone: str, now: datetime) -> str:
    """Word when something ends, like ``describe_moment``, but to the full minute that is still good."""
    return describe_moment(at.replace(second=0, microsecond=0), zone, now)


def describe_instant(at: datetime, zone: str) -> str:
    """Word a moment without its distance: "Tue 24 Nov 2026, 09:30 (Europe/Berlin)"; in a repeated hour with offset."""
    found = find_zone(zone)
    local = at.astimezone(found)
    clock = describe_clock(local)
    if len(find_instants(local.replace(tzinfo=None, fold=0), found)) > 1:
        clock = f"{clock} {describe_offset(local)}"
    return f"{describe_day(local)}, {clock} ({found.key})"
