"""A thread of three parts to test with, what is live of it, and one that is broken off."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from team import Team

from logicspike.domain import Delivery, Timings

__all__ = ["TEXTS", "THREE", "stop_after_the_first_part", "texts"]

THREE = "one\n---\ntwo https://example.com/2\n---\nthree"
TEXTS = ["one", "two https://example.com/2", "three"]


def texts(team: Team) -> list[str]:
    """What is live, oldest first."""
    return [entry.text for entry in team.fake.ledger]


async def stop_after_the_first_part(team: Team, monkeypatch: pytest.MonkeyPatch, delivery: Delivery) -> None:
    """Let a thread be broken off: its lane's time is over after one part. All of ``monkeypatch`` is undone."""
    monkeypatch.setattr(team.delivering, "_timings", replace(Timings(), lease=timedelta(0)))
    await team.deliver(after=timedelta(minutes=1))
    monkeypatch.undo()
    assert 1 == len((await team.read(delivery)).live)
