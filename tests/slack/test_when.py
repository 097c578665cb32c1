"""Times as people type them, on ordinary days and on the nights when clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logicspike.slack.moments import FARTHEST, Moment, WhenProblem
from logicspike.slack.times import describe_distance, describe_moment, find_zone
from logicspike.slack.when import parse_when

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 23, 19, 30, tzinfo=UTC)  # 20:30 in Berlin


def read(words: str, *, now: datetime = MONDAY, zone: ZoneInfo = BERLIN):
    return parse_when(words, now=now, zone=zone)


def local(result: object, zone: ZoneInfo = BERLIN) -> str:
    assert isinstance(result, Moment), result
    assert result.due_at.utcoffset() == timedelta(0)
    return result.due_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("now", "2026-11-23 20:30:00"),
        ("NOW", "2026-11-23 20:30:00"),
        ("in 20m", "2026-11-23 20:50:00"),
        ("in 3s", "2026-11-23 20:30:03"),
        ("in 2h", "2026-11-23 22:30:00"),
        ("in 1h30m", "2026-11-23 22:00:00"),
        ("in 1 h 30 min", "2026-11-23 22:00:00"),
        ("in 1.5 hours", "2026-11-23 22:00:00"),
        ("in 3 days", "2026-11-26 20:30:00"),
        ("in 20 minutes", "2026-11-23 20:50:00"),
        ("in 1 week", "2026-11-30 20:30:00"),
        ("today 22:00", "2026-11-23 22:00:00"),
        ("tomorrow 9:30", "2026-11-24 09:30:00"),
        ("Tomorrow at 9:30 PM", "2026-11-24 21:30:00"),
        ("tomorrow 9am", "2026-11-24 09:00:00"),
        ("tomorrow 12am", "2026-11-24 00:00:00"),
        ("tomorrow 12 p.m.", "2026-11-24 12:00:00"),
        ("tomorrow noon", "2026-11-24 12:00:00"),
        ("tomorrow 9.30", "2026-11-24 09:30:00"),
        ("fri 14:00", "2026-11-27 14:00:00"),
        ("friday 2pm", "2026-11-27 14:00:00"),
        ("on Thurs, 8:15", "2026-11-26 08:15:00"),
        ("mon 22:00", "2026-11-23 22:00:00"),
        ("mon 8:00", "2026-11-30 08:00:00"),
        ("next mon 22:00", "2026-11-30 22:00:00"),
        ("this wed 8:00", "2026-11-25 08:00:00"),
        ("9:30", "2026-11-24 09:30:00"),
        ("at 9:30", "2026-11-24 09:30:00"),
        ("23:00", "2026-11-23 23:00:00"),
        ("2026-12-01 09:00", "2026-12-01 09:00:00"),
        ("2026-12-01T09:00", "2026-12-01 09:00:00"),
        ("1 Dec 09:00", "2026-12-01 09:00:00"),
        ("1st December at 9am", "2026-12-01 09:00:00"),
        ("Dec 1 09:00", "2026-12-01 09:00:00"),
        ("Dec 1, 2026, 09:00", "2026-12-01 09:00:00"),
        ("5 Jan 9:00", "2027-01-05 09:00:00"),
        ("25/12 9:00", "2026-12-25 09:00:00"),
        ("5/5 9:00", "2027-05-05 09:00:00"),
        ("“tomorrow 9:30”", "2026-11-24 09:30:00"),
        ("tomorrow\u00a09：30", "2026-11-24 09:30:00"),
        ("2026–12–01 09:00", "2026-12-01 09:00:00"),
    ],
)
def test_a_time_is_understood_and_the_rest_is_the_text(words, expected):
    result, rest = read(f"  {words}   We’re hiring:  2 people\nApply! ")
    assert local(result) == expected
    assert rest == "We’re hiring:  2 people\nApply!"


def test_punctuation_after_the_time_is_not_part_of_the_text():
    assert read("tomorrow 9:30: Hello")[1] == "Hello"
    assert read("in 20m, Hello")[1] == "Hello"
    assert read("tomorrow 9:30 - Hello")[1] == "- Hello"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "We are hiring",
        "Now hiring!",
        "nowhere",
        "Tomorrow we launch",
        "Friday is cake day",
        "in 5 cats",
        "in 2 months we move",
        "9 reasons to join",
        "9.30 Euro only",
        "At 9 we open",
        "25:99 is no time",
        "1 Dec is our birthday",
        "tomorrow",
    ],
)
def test_a_text_without_a_time_is_left_whole(text):
    assert read(text) == (None, text)


@pytest.mark.parametrize(
    ("words", "kind", "options"),
    [
        ("today 9:00", "past", ["2026-11-24 09:00"]),
        ("22 Nov 9:00", "past", ["2026-11-24 09:00"]),
        ("2020-01-01 21:00", "past", ["2026-11-23 21:00", "2026-11-24 21:00"]),
        ("0001-01-01 9:00", "past", ["2026-11-24 09:00"]),
        ("05/06 9:00", "unclear", ["2027-06-05 09:00", "2027-05-06 09:00"]),
        ("05.06. 9:00", "unclear", ["2027-06-05 09:00", "2027-05-06 09:00"]),
        ("5/6/27 9:00", "unclear", ["2027-06-05 09:00", "2027-05-06 09:00"]),
        ("next fri 14:00", "unclear", ["2026-11-27 14:00", "2026-12-04 14:00"]),
        ("tomorrow at 9", "unclear", ["2026-11-24 09:00", "2026-11-24 21:00"]),
        ("tomorrow at 14", "unclear", ["2026-11-24 14:00"]),
        ("2026-12-01", "unclear", ["2026-12-01 09:00", "2026-12-01 12:00", "2026-12-01 15:00"]),
        ("tomorrow 25:00", "unclear", []),
        ("tomorrow 14pm", "unclear", []),
        ("2026-02-30 9:00", "unclear", []),
        ("29 Feb 9:00", "unclear", []),
        ("0000-01-01 9:00", "unclear", []),
        ("31/31 9:00", "unclear", []),
        ("2027-11-30 9:00", "too_far", []),
        ("9999-12-31 23:59", "too_far", []),
        ("in 367 days", "too_far", []),
        ("in 999999999999 weeks", "too_far", []),
    ],
)
def test_what_cannot_be_used_is_asked_about(words, kind, options):
    result, rest = read(f"{words} Hello")
    assert isinstance(result, WhenProblem), result
    assert (result.kind, rest, result.typed) == (kind, "Hello", words)
    assert [at.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M") for at in result.options] == options
    assert result.explanation.endswith((".", "?"))


CLOCK_CHANGES = [
    # zone, now, what was typed, kind, offered moments in UTC
    ("Europe/Berlin", "2027-03-27T12:00", "tomorrow 2:30", "nonexistent", ["2027-03-28T01:30", "2027-03-28T00:30"]),
    ("Europe/Berlin", "2026-10-24T12:00", "tomorrow 2:30", "ambiguous", ["2026-10-25T00:30", "2026-10-25T01:30"]),
    ("Europe/Berlin", "2026-10-25T00:45", "today 2:30", "ambiguous", ["2026-10-25T01:30"]),
    (
        "America/New_York",
        "2027-03-13T12:00",
        "tomorrow 2:30am",
        "nonexistent",
        ["2027-03-14T07:30", "2027-03-14T06:30"],
    ),
    ("America/New_York", "2026-10-31T12:00", "tomorrow 1:30am", "ambiguous", ["2026-11-01T05:30", "2026-11-01T06:30"]),
    (
        "Australia/Lord_Howe",
        "2026-10-03T05:00",
        "tomorrow 2:15",
        "nonexistent",
        ["2026-10-03T15:45", "2026-10-03T15:15"],
    ),
    ("Australia/Lord_Howe", "2027-04-03T05:00", "tomorrow 1:45", "ambiguous", ["2027-04-03T14:45", "2027-04-03T15:15"]),
]


@pytest.mark.parametrize(("zone", "now", "words", "kind", "options"), CLOCK_CHANGES)
def test_on_the_night_the_clocks_change_both_readings_are_offered(zone, now, words, kind, options):
    present = datetime.fromisoformat(now).replace(tzinfo=UTC)
    result, _ = read(words, now=present, zone=ZoneInfo(zone))
    assert isinstance(result, WhenProblem), result
    assert result.kind == kind
    assert [at.strftime("%Y-%m-%dT%H:%M") for at in result.options] == options


def test_the_hours_around_a_clock_change_are_plain_times():
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert local(read("tomorrow 1:59", now=before)[0]) == "2026-10-25 01:59:00"
    assert local(read("tomorrow 3:00", now=before)[0]) == "2026-10-25 03:00:00"


def test_a_duration_is_absolute_across_a_clock_change():
    result, _ = read("in 24h", now=datetime(2026, 10, 24, 18, tzinfo=UTC))
    assert local(result) == "2026-10-25 19:00:00"
    result, _ = read("in 2h", now=datetime(2027, 3, 28, 0, 30, tzinfo=UTC))
    assert local(result) == "2027-03-28 04:30:00"


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("Asia/Kathmandu", "2026-11-25T03:45"), ("Pacific/Kiritimati", "2026-11-24T19:30"), ("UTC", "2026-11-24T09:30")],
)
def test_the_members_own_zone_decides(zone, expected):
    result, _ = read("tomorrow 9:30", zone=ZoneInfo(zone))
    assert isinstance(result, Moment)
    assert result.due_at.strftime("%Y-%m-%dT%H:%M") == expected


ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"])
NOWS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - made aware at once
WORDS = "now in at on next this today tomorrow mon fri friday dec 1 9 30 29 feb 2026-12-01 05/06 31.12. 2027 9:30 25:00"
ODDITIES = "pm a.m. noon 1h30m 999999999999 days w s - , : “ ” ' T 12:60 0000-00-00 9999-12-31 2:30"
PIECES = st.sampled_from(f"{WORDS} {ODDITIES}".split())


@given(words=st.one_of(st.text(), st.lists(PIECES).map(" ".join), st.lists(PIECES).map("".join)), now=NOWS, zone=ZONES)
def test_any_words_are_read_without_an_error_and_no_time_is_in_the_past_or_too_far(words, now, zone):
    result, rest = parse_when(words, now=now, zone=ZoneInfo(zone))
    assert words.strip().endswith(rest)
    times = [result.due_at] if isinstance(result, Moment) else list(result.options) if result else []
    assert all(now <= at <= now + FARTHEST for at in times)


@given(hour=st.integers(0, 23), minute=st.integers(0, 59), days=st.integers(1, 360), now=NOWS, zone=ZONES)
def test_a_date_and_time_mean_exactly_this_wall_time_or_are_asked_about(hour, minute, days, now, zone):
    here = ZoneInfo(zone)
    day = now.astimezone(here).date() + timedelta(days=days)
    result, _ = parse_when(f"{day} {hour}:{minute:02d}", now=now, zone=here)
    if isinstance(result, Moment):
        assert result.due_at.astimezone(here).strftime("%Y-%m-%d %H:%M") == f"{day} {hour:02d}:{minute:02d}"
    else:
        assert result is not None
        assert result.kind in {"nonexistent", "ambiguous"}


def test_a_moment_is_described_with_zone_and_distance():
    at = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    now = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    assert describe_moment(at, "Europe/Berlin", now) == "Tue 24 Nov 2026, 09:30 (Europe/Berlin), in 18 hours"


def test_a_repeated_hour_is_described_with_its_offset():
    at = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    words = describe_moment(at, "Europe/Berlin", at - timedelta(minutes=1))
    assert words == "Sun 25 Oct 2026, 02:30 CET (UTC+01:00) (Europe/Berlin), in 1 minute"


def test_an_unknown_zone_is_read_as_utc():
    assert find_zone("Mars/Olympus").key == "UTC"
    assert find_zone("../etc/passwd").key == "UTC"
    assert find_zone("").key == "UTC"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (1, "in 1 second"),
        (59.4, "in 59 seconds"),
        (59.9, "in 1 minute"),
        (119, "in 119 seconds"),
        (119.9, "in 2 minutes"),
        (3599.8, "in 1 hour"),
        (5400, "in 90 minutes"),
        (7199.9, "in 2 hours"),
        (64_800, "in 18 hours"),
        (259_200, "in 3 days"),
        (-1200, "20 minutes ago"),
    ],
)
def test_distances_are_worded(seconds, words):
    assert describe_distance(MONDAY + timedelta(seconds=seconds), MONDAY) == words
