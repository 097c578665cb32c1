"""Tasks: held while they run, logged when they fail, drained at the end."""

from __future__ import annotations

import asyncio
import gc
from datetime import timedelta

import pytest

from logicspike.tasks import Tasks, TooBusy, cancel

SOON = timedelta(seconds=5)


async def test_a_task_is_kept_alive_until_it_ends():
    tasks, done = Tasks(), []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append(True)

    tasks.spawn(work())
    gc.collect()
    assert 0 == await tasks.drain(SOON)
    assert [True] == done
    assert 0 == len(tasks)


async def test_a_failure_is_logged(caplog):
    tasks = Tasks()

    async def fail() -> None:
        raise RuntimeError("broken")

    tasks.spawn(fail(), name="the work")
    await tasks.drain(SOON)
    assert "background task the work failed" in caplog.text
    assert "broken" in caplog.text


async def test_what_tasks_start_is_drained_too():
    tasks, done = Tasks(), []

    async def second() -> None:
        done.append(2)

    async def first() -> None:
        await asyncio.sleep(0)
        tasks.spawn(second())

    tasks.spawn(first())
    assert 0 == await tasks.drain(SOON)
    assert [2] == done


async def test_what_is_not_done_in_time_is_cancelled_and_counted():
    tasks, canceled = Tasks(), []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            canceled.append(True)
            raise

    tasks.spawn(hang())
    await asyncio.sleep(0)
    assert 1 == await tasks.drain(timedelta(milliseconds=10))
    assert [True] == canceled


async def test_beyond_the_limit_nothing_is_started():
    tasks, gate, started = Tasks(limit=1), asyncio.Event(), []

    async def work() -> None:
        started.append(True)
        await gate.wait()

    tasks.spawn(work())
    with pytest.raises(TooBusy):
        tasks.spawn(work())
    gate.set()
    await tasks.drain(SOON)
    assert [True] == started


async def test_a_task_that_loses_a_cancellation_is_cancelled_again(monkeypatch):
    monkeypatch.setattr("logicspike.tasks._CANCEL_AGAIN_SECONDS", 0.01)
    lost = []

    async def lose_it() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if len(lost) == 2:
                    raise
                lost.append("once more")

    task = asyncio.create_task(lose_it())
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await cancel(task)

    assert task.cancelled()
    assert 2 == len(lost)


async def test_cancelling_what_has_ended_or_fails_raises_nothing():
    async def fail() -> None:
        raise RuntimeError("broken")

    failed = asyncio.create_task(fail())
    await asyncio.wait([failed])

    await cancel(failed)
    await cancel()


def note_in(order: list[str], word: str):
    async def work() -> None:
        order.append(word)

    return work


async def test_deferred_work_lets_the_answers_that_are_due_come_first():
    tasks, order = Tasks(quiet=timedelta(milliseconds=300), longest_wait=timedelta(minutes=1)), []
    tasks.defer(note_in(order, "work"))
    for _ in range(20):
        tasks.note_request()
        order.append("answer")
        await asyncio.sleep(0)
    assert 0 == await tasks.drain(SOON)
    assert [*["answer"] * 20, "work"] == order


async def test_deferred_work_begins_though_people_never_cease_to_ask():
    tasks, order = Tasks(quiet=timedelta(hours=1), longest_wait=timedelta(milliseconds=20)), []
    tasks.defer(note_in(order, "work"))
    assert 0 == await tasks.drain(SOON)
    assert ["work"] == order


async def test_deferred_work_that_fails_is_logged(caplog):
    tasks = Tasks()

    async def fail() -> None:
        raise RuntimeError("broken")

    tasks.defer(fail, name="the work")
    await tasks.drain(SOON)
    assert "background task the work failed" in caplog.text


async def test_deferred_work_that_is_broken_off_before_its_time_was_never_begun():
    tasks, order = Tasks(quiet=timedelta(hours=1), longest_wait=timedelta(hours=1)), []
    tasks.defer(note_in(order, "work"))
    assert 1 == await tasks.drain(timedelta(milliseconds=10))
    gc.collect()  # a coroutine that nobody awaited would warn now, and a warning is an error
    assert [] == order


async def test_beyond_the_limit_nothing_is_deferred():
    tasks, gate = Tasks(limit=1), asyncio.Event()
    tasks.spawn(gate.wait())
    with pytest.raises(TooBusy):
        tasks.defer(note_in([], "work"))
    gate.set()
    await tasks.drain(SOON)
