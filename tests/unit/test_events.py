"""Events: ids only, and a sink that fails harms nobody."""

from __future__ import annotations

import dataclasses
import logging
import re
import typing

import pytest

from logicspike import events
from logicspike.events import (
    ConnectionCompleted,
    DeliveryFailed,
    DeliveryPublished,
    Event,
    TokensRefreshed,
    emit_to,
    log_event,
)

DONE = ConnectionCompleted(team_id="T1", connection_id="c1", platform="chirp")


PUBLIC = [
    cls
    for name, cls in vars(events).items()
    if isinstance(cls, type) and issubclass(cls, Event) and cls is not Event and not name.startswith("_")
]

ALLOWED_FIELDS = {
    *("team_id", "user_id", "connection_id", "post_id", "delivery_id"),
    "platform",
    *("reason", "outcome", "error"),  # words of our own: names of enumerations and of error classes
    *("deliveries", "canceled", "disconnected", "part"),  # counts, and which part of a post
}


def make(cls: type[Event]) -> Event:
    hints = typing.get_type_hints(cls)
    return cls(
        **{field.name: 3 if hints[field.name] is int else f"a {field.name}" for field in dataclasses.fields(cls)}
    )


def test_every_event_is_public():
    def walk(cls: type[Event]) -> set[str]:
        return {cls.__name__}.union(*(walk(sub) for sub in cls.__subclasses__()))

    found = {name for name in walk(Event) if not name.startswith("_")}
    assert found == {"Event", *(cls.__name__ for cls in PUBLIC)} <= set(events.__all__)
    assert len(PUBLIC) > 15


@pytest.mark.parametrize("cls", PUBLIC)
def test_an_event_holds_ids_counts_and_words_of_our_own(cls):
    hints = typing.get_type_hints(cls)
    names = {field.name for field in dataclasses.fields(cls)}

    assert names <= ALLOWED_FIELDS
    assert "team_id" in names
    assert {hints[name] for name in names} <= {str, int}
    for name in names:
        assert not re.search(r"text|token|code|secret|state|verifier|cookie|url|link|ticket|account|body", name)


@pytest.mark.parametrize("cls", PUBLIC)
def test_an_event_cannot_be_changed(cls):
    with pytest.raises(dataclasses.FrozenInstanceError):
        make(cls).team_id = "T2"


def test_names_are_dotted_and_none_comes_twice():
    names = [cls.name for cls in PUBLIC]

    assert sorted(set(names)) == sorted(names)
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", name) for name in names)


@pytest.mark.parametrize("cls", PUBLIC)
def test_every_event_can_be_logged(cls, caplog):
    caplog.set_level(logging.DEBUG, "logicspike.events")
    event = make(cls)

    log_event(event)

    [record] = caplog.records
    assert cls.name == record.event
    assert cls.name == record.getMessage().split()[0]
    assert dataclasses.asdict(event).items() <= vars(record).items()


def test_what_needs_somebody_is_a_warning(caplog):
    caplog.set_level(logging.DEBUG, "logicspike.events")

    log_event(DeliveryPublished(team_id="T1", delivery_id="d1", platform="chirp"))
    log_event(DeliveryFailed(team_id="T1", delivery_id="d1", platform="chirp", error="PostRejected"))

    assert [logging.INFO, logging.WARNING] == [record.levelno for record in caplog.records]
    assert "delivery.failed team_id=T1 delivery_id=d1 platform=chirp error=PostRejected" == caplog.messages[1]


def test_every_sink_gets_every_event_in_order():
    first, second = [], []
    emit = emit_to([first.append, second.append])
    other = TokensRefreshed(team_id="T1", connection_id="c1", platform="chirp")

    emit(DONE)
    emit(other)

    assert [DONE, other] == first == second


def test_a_failing_sink_is_logged_and_harms_nobody(caplog):
    seen: list[Event] = []

    def fail(_event: Event) -> None:
        raise RuntimeError("full")

    emit = emit_to([fail, seen.append, fail])
    emit(DONE)

    assert [DONE] == seen
    assert ["sink.failed"] * 2 == [record.event for record in caplog.records]
    assert "full" in caplog.text


def test_without_a_sink_nothing_happens(caplog):
    emit_to([])(DONE)

    assert "" == caplog.text
