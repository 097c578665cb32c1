"""Clocks: aware UTC, corrected or moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from logicspike.clock import Correction, MovableClock, SystemClock, TimeReading, steady_seconds

START = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
MILLISECOND = timedelta(milliseconds=1)


def is_between(before: datetime, shown: datetime, after: datetime) -> bool:
    return before <= shown <= after


class Machine:
    """A steady timer and a clock of its own, which somebody may set."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.error = timedelta(0)
        self.clock = SystemClock(steady=lambda: self.seconds, machine=lambda: self.true + self.error)

    @property
    def true(self) -> datetime:
        return START + timedelta(seconds=self.seconds - 1000)

    def reads(self, server_ahead: timedelta, *, uncertainty: timedelta = MILLISECOND) -> TimeReading:
        """What a server says whose clock is ahead of true time."""
        return TimeReading(server_at=self.true + server_ahead, steady=self.seconds, uncertainty=uncertainty)

    @property
    def ahead(self) -> timedelta:
        """How far the clock is ahead of true time."""
        return self.clock.now() - self.true


def test_the_system_clock_shows_the_machines_time_until_it_knows_better():
    before = datetime.now(UTC)

    assert is_between(before - MILLISECOND, SystemClock().now(), datetime.now(UTC) + MILLISECOND)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_the_system_clock_runs_on_when_the_machines_clock_jumps(jump):
    machine = Machine()
    machine.error = jump
    machine.seconds += 60

    assert timedelta(0) == machine.ahead
    assert jump == machine.clock.machine_error


@pytest.mark.parametrize("off", [HOUR, -HOUR, timedelta(milliseconds=300)])
def test_at_the_start_the_servers_time_counts_whatever_it_is(off):
    machine = Machine()

    machine.clock.anchor(machine.reads(off))

    assert abs(machine.ahead - off) <= MILLISECOND


@pytest.mark.parametrize("off", [timedelta(milliseconds=200), timedelta(milliseconds=-200), timedelta(0)])
def test_what_a_reading_cannot_tell_moves_nothing(off):
    machine = Machine()

    followed = machine.clock.correct(machine.reads(off, uncertainty=timedelta(milliseconds=200)))

    assert (Correction.FOLLOWED, timedelta(0)) == followed
    assert timedelta(0) == machine.ahead


@pytest.mark.parametrize("off", [timedelta(milliseconds=900), timedelta(milliseconds=-900)])
def test_a_small_difference_is_followed_at_once(off):
    machine = Machine()

    what, _ = machine.clock.correct(machine.reads(off))

    assert Correction.FOLLOWED == what
    assert abs(machine.ahead - off) <= MILLISECOND


@pytest.mark.parametrize("jump", [HOUR, -HOUR, timedelta(seconds=2)])
def test_a_server_that_jumps_is_believed_the_second_time(jump):
    machine = Machine()

    first, _ = machine.clock.correct(machine.reads(jump))
    assert (Correction.SUSPECTED, timedelta(0)) == (first, machine.ahead)

    machine.seconds += 5
    second, by = machine.clock.correct(machine.reads(jump))
    assert Correction.ADOPTED == second
    assert abs(by - jump) <= MILLISECOND
    assert abs(machine.ahead - jump) <= MILLISECOND


def test_two_readings_that_disagree_confirm_nothing():
    machine = Machine()

    for off in (HOUR, -HOUR, 2 * HOUR, HOUR):
        assert Correction.SUSPECTED == machine.clock.correct(machine.reads(off))[0]

    assert timedelta(0) == machine.ahead


def test_a_server_that_comes_to_its_senses_is_not_held_to_what_it_said():
    machine = Machine()
    for off in (HOUR, timedelta(0), HOUR):
        machine.clock.correct(machine.reads(off))

    assert abs(machine.ahead) <= MILLISECOND


def test_a_timer_that_slept_is_caught_up_after_two_readings():
    """Where the timer stands still while the machine is suspended, the server's time is what tells."""
    machine = Machine()
    for _ in range(2):
        machine.clock.correct(machine.reads(8 * HOUR))

    assert abs(machine.ahead - 8 * HOUR) <= MILLISECOND


def test_the_steady_timer_only_ever_grows():
    seen = [steady_seconds() for _ in range(1000)]

    assert sorted(seen) == seen
    assert seen[-1] > seen[0]


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
