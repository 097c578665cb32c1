"""Reads the time a member typed at the start of a text; what can be read in two ways is asked about, never guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from .moments import FARTHEST, Moment, Present, WhenProblem, WhenResult
from .times import MONTHS, WEEKDAYS, describe_day

__all__ = ["HEAD_CHARS", "parse_when", "starts_with_time", "to_plain"]

HEAD_CHARS: Final = 2000
"""Accounts and time must stand within this many characters; what follows is the post's text, whatever its length."""

_BLANKS: Final = (0xA0, 0x1680, *range(0x2000, 0x200C), 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF)
_PLAIN: Final = str.maketrans(
    {
        **dict.fromkeys(map(chr, _BLANKS), " "),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‘’‚‛′", "'"),
        **dict.fromkeys("‐‑‒–—−", "-"),
        "：": ":",
        "，": ",",
    }
)


def to_plain(text: str) -> str:
    """Replace what keyboards put in place of blanks, quotes, hyphens and colons; every position stays the same."""
    return text.translate(_PLAIN)


_Reader: TypeAlias = Callable[[re.Match[str], Present], WhenResult | None]
_DaysReader: TypeAlias = Callable[[re.Match[str], Present, time], "tuple[date, ...] | WhenProblem"]


def _ask(explanation: str, options: tuple[datetime, ...] = ()) -> WhenProblem:
    return WhenProblem(kind="unclear", explanation=explanation, options=options)


def _read_now(match: re.Match[str], present: Present) -> WhenResult | None:
    # A capital letter starts a text ("Now hiring!") rather than a time, and publishing can't be taken back:
    # the composer opens instead.
    if match[0] == "Now" and match.string[match.end() :].strip():
        return None
    return Moment(due_at=present.now)


_UNIT_SECONDS: Final = {"weeks": 604_800, "days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
_UNIT_WORDS: Final = {
    "weeks": r"w(?:ee)?(?:ks?)?",
    "days": r"d(?:ays?)?",
    "hours": r"h(?:(?:ou)?rs?)?",
    "minutes": r"m(?:in(?:ute)?s?)?",
    "seconds": r"s(?:ec(?:ond)?s?)?",
}
_DURATION: Final = "".join(
    rf"(?:\s*(?:and\s+)?(?P<{unit}>\d{{1,12}}(?:\.\d{{1,3}})?)\s*{words}(?![a-z]))?"
    for unit, words in _UNIT_WORDS.items()
)


def _read_duration(match: re.Match[str], present: Present) -> WhenResult | None:
    counts = {unit: float(match[unit]) for unit in _UNIT_SECONDS if match[unit]}
    if not counts:
        return None
    seconds = sum(count * _UNIT_SECONDS[unit] for unit, count in counts.items())
    if seconds > FARTHEST.total_seconds():
        return present.refuse_too_far(_squeeze(match[0]))
    return Moment(due_at=present.now + timedelta(seconds=seconds))


def _read_clocks(match: re.Match[str]) -> tuple[time, ...]:
    """The times of day the words may mean: two for a bare hour such as "at 9", none for "25:00"."""
    if match["noon"]:
        return (time(12),)
    if match["bare"]:
        return tuple(time(hour) for hour in _double(int(match["bare"])) if hour < 24)
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    half = (match["half"] or match["bare_half"] or "").lower()
    if half and not 1 <= hour <= 12:
        return ()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return (time(hour, minute),) if hour < 24 and minute < 60 else ()


def _double(hour: int) -> tuple[int, ...]:
    return (hour, hour + 12) if hour <= 12 else (hour,)


def _read_clock(match: re.Match[str], present: Present) -> WhenResult | None:
    clocks = _read_clocks(match)
    # Without a day, "at 9" and "9.30" are as likely the start of a text ("At 9 we open").
    if not clocks or match["bare"] or match["sep"] == ".":
        return None
    first = present.resolve(present.today, clocks[0])
    if _is_past(first):
        return present.resolve(present.today + timedelta(days=1), clocks[0])
    return first


def _two_readings(match: re.Match[str]) -> str:
    return f"“{_squeeze(match[0])}” can be read in more than one way. Which one do you mean?"


def _squeeze(words: str) -> str:
    return " ".join(words.split())


def _is_past(result: WhenResult) -> bool:
    return isinstance(result, WhenProblem) and result.kind == "past"


def _on_day(read_days: _DaysReader) -> _Reader:
    """Make the reader of a form that names a day and a time of day."""

    def read(match: re.Match[str], present: Present) -> WhenResult | None:
        clocks = _read_clocks(match)
        if not clocks:
            return _ask(f"“{_squeeze(match[0])}” has no such time of day. Write it like 9:30, 14:00 or 2pm.")
        days = read_days(match, present, clocks[0])
        if isinstance(days, WhenProblem):
            return days
        if len(days) == 1 and not match["bare"]:
            return present.resolve(days[0], clocks[0])
        options = present.list_offers(*((day, clock) for day in days for clock in clocks))
        return _ask(_two_readings(match), options) if options else present.resolve(days[0], clocks[0])

    return read


def _read_relative_day(match: re.Match[str], present: Present, _: time) -> tuple[date, ...]:
    return (present.today + timedelta(days=0 if match["relative"].lower() == "today" else 1),)


def _read_weekday(match: re.Match[str], present: Present, clock: time) -> tuple[date, ...]:
    wanted = [name.lower() for name in WEEKDAYS].index(match["weekday"][:3].lower())
    ahead = (wanted - present.today.weekday()) % 7
    day, week = present.today + timedelta(days=ahead), timedelta(days=7)
    is_next = (match["which"] or "").lower() == "next"
    if ahead == 0 and (is_next or _is_past(present.resolve(day, clock))):
        return (day + week,)
    # "next fri", said on a Monday, is this week's Friday to some and the following week's to others.
    return (day, day + week) if is_next and day.weekday() > present.today.weekday() else (day,)


def _read_iso_date(match: re.Match[str], present: Present, _: time) -> tuple[date, ...] | WhenProblem:
    return _read_date(match, present, int(match["month"]), int(match["day"]), int(match["year"]))


def _read_named_date(match: re.Match[str], present: Present, _: time) -> tuple[date, ...] | WhenProblem:
    month = [name.lower() for name in MONTHS].index(match["month_name"][:3].lower()) + 1
    return _read_date(match, present, month, int(match["day"]), int(match["year"]) if match["year"] else None)


def _read_numeric_date(match: re.Match[str], present: Present, _: time) -> tuple[date, ...] | WhenProblem:
    first, second = int(match["first"]), int(match["second"])
    year = int(match["year"]) if match["year"] else None
    year = year + 2000 if year is not None and year < 100 else year
    readings = [
        _read_date(match, present, month, day, year) for month, day in dict.fromkeys(((second, first), (first, second)))
    ]
    days = tuple(day for reading in readings if isinstance(reading, tuple) for day in reading)
    return days or _ask(_no_such_day(match[0]))


def _read_date(
    match: re.Match[str], present: Present, month: int, day: int, year: int | None
) -> tuple[date, ...] | WhenProblem:
    this_year = present.today.year
    years = (this_year, this_year + 1) if year is None else (year,)
    existing = [found for candidate in years if (found := _find_date(candidate, month, day))]
    if not existing:
        return _ask(_no_such_day(match[0]))
    if year is not None:
        return (existing[0],)
    # A date that has just passed is rather a slip than meant for next year.
    passed_lately = [candidate for candidate in existing if -31 <= (candidate - present.today).days < 0]
    coming = [candidate for candidate in existing if candidate >= present.today]
    return tuple((passed_lately or coming or existing)[:1])


_DAYTIME: Final = (time(9), time(12), time(15))


def _read_date_alone(match: re.Match[str], present: Present) -> WhenResult | None:
    days = _read_iso_date(match, present, _DAYTIME[0])
    if isinstance(days, WhenProblem):
        return days
    options = present.list_offers(*((days[0], clock) for clock in _DAYTIME))
    return (
        _ask(f"At what time on {describe_day(days[0])}?", options)
        if options
        else present.resolve(days[0], time(23, 59))
    )


def _find_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _no_such_day(words: str) -> str:
    return f"The calendar has no such day: {_squeeze(words)}."


_END: Final = r"(?=\s|$|[\"'`]|[,;:](?:\s|$))"
_HALF: Final = r"(?:\.m\.|m\b\.?)"
_EXACT: Final = (
    rf"(?P<hour>\d{{1,2}})(?:(?P<sep>[:.])(?P<minute>\d\d)(?:\s*(?P<half>[ap]){_HALF})?|\s*(?P<bare_half>[ap]){_HALF})"
)
_CLOCK: Final = rf"(?:at\s+)?(?:(?P<noon>noon)|{_EXACT}|(?<=at\s)(?P<bare>\d{{1,2}}))"
_GAP: Final = r"(?:\s*,\s*|\s+)"
_WEEKDAY: Final = (
    r"(?:(?P<which>next|this)\s+)?"
    r"(?P<weekday>mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
)
_MONTH: Final = (
    r"(?P<month_name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"
_YEAR: Final = r"(?:,?\s+(?P<year>\d{4}))?"
_ISO_DATE: Final = r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
_NUMERIC_DATE: Final = r"(?P<first>\d{1,2})(?P<dot>[/.])(?P<second>\d{1,2})(?:(?P=dot)(?P<year>\d{4}|\d\d)?)?"

_FORMS: Final[tuple[tuple[re.Pattern[str], _Reader], ...]] = tuple(
    (re.compile(form + _END, re.IGNORECASE | re.ASCII), reader)
    for form, reader in (
        (r"now", _read_now),
        (rf"in(?=\s*\d){_DURATION}", _read_duration),
        (rf"(?P<relative>today|tomorrow){_GAP}{_CLOCK}", _on_day(_read_relative_day)),
        (rf"(?:on\s+)?{_WEEKDAY}{_GAP}{_CLOCK}", _on_day(_read_weekday)),
        (rf"(?:on\s+)?{_ISO_DATE}(?:T(?=\d)|{_GAP}){_CLOCK}", _on_day(_read_iso_date)),
        (rf"(?:on\s+)?{_DAY}\s+{_MONTH}{_YEAR}{_GAP}{_CLOCK}", _on_day(_read_named_date)),
        (rf"(?:on\s+)?{_MONTH}\s+{_DAY}{_YEAR}{_GAP}{_CLOCK}", _on_day(_read_named_date)),
        (rf"(?:on\s+)?{_NUMERIC_DATE}{_GAP}{_CLOCK}", _on_day(_read_numeric_date)),
        (rf"(?:on\s+)?{_ISO_DATE}", _read_date_alone),
        (_CLOCK, _read_clock),
    )
)


def parse_when(words: str, *, now: datetime, zone: ZoneInfo) -> tuple[WhenResult | None, str]:
    """Read the time at the start of some words.

    Args:
        words: what stands after the accounts: a time, then the post's text.
        now: the present, aware.
        zone: the member's own; every time of day is read in it.

    Returns:
        What the time means, or None when there is none; and the words after it, exactly as typed but for blank ends.
    """
    present = Present(now=now.astimezone(UTC), zone=zone)
    for match, read, end in _match_forms(words):
        result = read(match, present)
        if isinstance(result, WhenProblem):
            return replace(result, typed=_squeeze(match[0])), words[end:].strip()
        if result is not None:
            return result, words[end:].strip()
    return None, words.strip()


def starts_with_time(words: str) -> bool:
    """Tell whether words begin like a time, so that they can't begin with an account."""
    return next(_match_forms(words), None) is not None


def _match_forms(words: str) -> Iterator[tuple[re.Match[str], _Reader, int]]:
    """Every form that fits, with the place where the time ends, its closing quote and punctuation included."""
    plain = to_plain(words)
    start = len(plain) - len(plain.lstrip())
    quote = plain[start : start + 1] if plain[start : start + 1] in _QUOTES else ""
    for pattern, read in _FORMS:
        match = pattern.match(plain, start + len(quote), start + HEAD_CHARS)
        if match is not None and plain.startswith(quote, match.end()):
            yield match, read, _skip_punctuation(plain, match.end() + len(quote))


_QUOTES: Final = frozenset("\"'`")


def _skip_punctuation(plain: str, end: int) -> int:
    is_punctuation = plain[end : end + 1] in {",", ";", ":"} and not plain[end + 1 : end + 2].strip()
    return end + 1 if is_punctuation else end
