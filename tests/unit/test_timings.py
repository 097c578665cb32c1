"""How long things hold and how often the bot looks must fit together."""

from __future__ import annotations

from datetime import timedelta

from logicspike.domain import Timings


def test_no_post_comes_due_between_two_looks():
    assert Timings().deliver_every <= Timings().look_ahead


def test_a_worker_looks_often_enough_to_find_within_two_seconds_what_another_process_scheduled():
    assert Timings().deliver_every + timedelta(milliseconds=500) <= timedelta(seconds=2)
