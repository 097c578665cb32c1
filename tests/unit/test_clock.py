"""Clocks: aware UTC, corrected or moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from logicspike.clock import MovableClock, SystemClock

START = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def is_between(before: datetime, shown: datetime, after: datetime) -> bool:
    return before <= shown <= after


def test_the_system_clock_shows_the_machines_time():
    before = datetime.now(UTC)

    assert is_between(before, SystemClock().now(), datetime.now(UTC))


@pytest.mark.parametrize("offset", [HOUR, -HOUR, timedelta(milliseconds=1)])
def test_the_system_clock_is_corrected_by_its_offset(offset):
    clock = SystemClock()
    clock.offset = offset
    before = datetime.now(UTC)

    assert is_between(before, clock.now() - offset, datetime.now(UTC))


def test_a_frozen_clock_stands_still_between_moves():
    clock = MovableClock(START, is_frozen=True)
    assert START == clock.now() == clock.now()

    clock.advance(HOUR)
    assert START + HOUR == clock.now() == clock.now()

    clock.advance(-2 * HOUR)
    assert START - HOUR == clock.now()


def test_a_frozen_clock_without_a_start_stands_at_the_machines_time():
    before = datetime.now(UTC)
    clock = MovableClock(is_frozen=True)

    assert is_between(before, clock.now(), datetime.now(UTC))
    assert clock.now() == clock.now()


def test_a_running_clock_starts_where_it_is_told_and_runs_on():
    before = datetime.now(UTC)
    clock = MovableClock(START)
    built = datetime.now(UTC)
    shown = clock.now()
    after = datetime.now(UTC)

    assert is_between(START, shown, START + (after - before))
    clock.advance(HOUR)
    assert is_between(START + HOUR, clock.now(), START + HOUR + (datetime.now(UTC) - before))
    assert clock.now() >= shown + HOUR - (after - built)


def test_a_running_clock_never_goes_back_by_itself():
    clock = MovableClock()
    shown = [clock.now() for _ in range(1000)]

    assert sorted(shown) == shown
    assert shown[-1] > shown[0]


@pytest.mark.parametrize("clock", [SystemClock(), MovableClock(), MovableClock(START), MovableClock(is_frozen=True)])
def test_every_clock_shows_aware_utc(clock):
    assert timedelta(0) == clock.now().utcoffset()
