"""Following the database server's clock: what is believed, what is told, and when it's looked at again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from logicspike.clock import SystemClock, TimeReading
from logicspike.services.ports import StoreUnavailable
from logicspike.services.timekeeping import Timekeeping

START = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


class Setting:
    """A machine and a server, with a timer that only the pauses move."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.machine_error = self.server_error = timedelta(0)
        self.uncertainty = timedelta(milliseconds=1)
        self.failure: Exception | None = None
        self.pauses: list[float] = []
        self.script: list[Callable[[], None]] = []
        self.at_end = asyncio.Event()
        self.clock = SystemClock(steady=lambda: self.seconds, machine=lambda: self.true + self.machine_error)
        self.timekeeping = Timekeeping(self.clock, self, pause=self.pause)

    @property
    def true(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    async def read_time(self, steady: Callable[[], float]) -> TimeReading:
        if self.failure is not None:
            raise self.failure
        return TimeReading(server_at=self.true + self.server_error, steady=steady(), uncertainty=self.uncertainty)

    async def pause(self, seconds: float) -> None:
        """Let time pass, and the next thing of the script happen; at its end stand still."""
        self.pauses.append(seconds)
        self.seconds += seconds
        if not self.script:
            self.at_end.set()
            await asyncio.Event().wait()
        self.script.pop(0)()

    async def run(self, *script: Callable[[], None]) -> None:
        self.script = list(script)
        async with asyncio.timeout(20), self.timekeeping.running():
            await self.at_end.wait()

    def server(self, error: timedelta) -> Callable[[], None]:
        return lambda: setattr(self, "server_error", error)

    def fails(self, error: Exception | None) -> Callable[[], None]:
        return lambda: setattr(self, "failure", error)

    @property
    def ahead(self) -> timedelta:
        return self.clock.now() - self.true


@pytest.fixture
async def setting():
    return Setting()


def events(caplog) -> list[str]:
    return [record.event for record in caplog.records]


async def test_at_the_start_it_takes_the_servers_time_and_says_that_the_machines_is_off(setting, caplog):
    setting.machine_error = HOUR
    setting.clock = SystemClock(steady=lambda: setting.seconds, machine=lambda: setting.true + setting.machine_error)
    setting.timekeeping = Timekeeping(setting.clock, setting, pause=setting.pause)

    await setting.run()

    assert abs(setting.ahead) <= timedelta(milliseconds=1)
    assert ["clock.machine_off"] == events(caplog)
    assert "this computer's clock is +3600 s from the database server's" in caplog.text


async def test_it_looks_each_minute_and_follows_what_is_small_without_a_word(setting, caplog):
    await setting.run(setting.server(SECOND / 2), setting.server(SECOND))

    assert [60, 60, 60] == setting.pauses
    assert abs(setting.ahead - SECOND) <= timedelta(milliseconds=2)
    assert [] == caplog.records


async def test_a_jump_is_looked_at_again_soon_and_then_adopted_and_told(setting, caplog):
    await setting.run(setting.server(-HOUR), lambda: None)

    assert [60, 5, 60] == setting.pauses
    assert abs(setting.ahead + HOUR) <= timedelta(milliseconds=1)
    assert ["clock.suspected", "clock.moved", "clock.machine_off"] == events(caplog)


async def test_a_jump_that_is_over_at_the_second_look_changes_nothing(setting, caplog):
    await setting.run(setting.server(HOUR), setting.server(timedelta(0)))

    assert [60, 5, 60] == setting.pauses
    assert timedelta(0) == setting.ahead
    assert ["clock.suspected"] == events(caplog)


async def test_a_reading_that_took_long_is_not_believed(setting):
    setting.uncertainty = timedelta(milliseconds=300)

    await setting.run(setting.server(HOUR), lambda: None)

    assert [60, 60, 60] == setting.pauses
    assert timedelta(0) == setting.ahead


@pytest.mark.parametrize("failure", [StoreUnavailable("away"), RuntimeError("a bug")])
async def test_it_runs_on_while_the_database_is_away_and_catches_up_afterwards(setting, failure):
    await setting.run(setting.fails(failure), setting.fails(None), setting.server(SECOND / 2))

    assert abs(setting.ahead - SECOND / 2) <= timedelta(milliseconds=1)


async def test_without_a_database_at_the_start_there_is_no_time(setting):
    setting.failure = StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        await setting.run()


async def test_a_machine_that_goes_wrong_is_told_of_once_until_it_was_right_again(setting, caplog):
    def machine(error: timedelta) -> Callable[[], None]:
        return lambda: setattr(setting, "machine_error", error)

    await setting.run(machine(HOUR), machine(HOUR), machine(timedelta(0)), machine(-HOUR))

    assert ["clock.machine_off", "clock.machine_off"] == events(caplog)
    assert timedelta(0) == setting.ahead


async def test_it_ends_without_leaving_a_task(setting):
    await setting.run()

    assert {asyncio.current_task()} == asyncio.all_tasks()
