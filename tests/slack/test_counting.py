"""The line below a text that is being written: how long it is at each platform."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from logicspike.domain import ConnectionStatus
from logicspike.plugin.errors import PlatformUnavailable
from logicspike.plugin.types import Account
from logicspike.services.measuring import Measured, Measuring
from logicspike.services.ports import StoreUnavailable
from logicspike.slack import counting
from logicspike.slack.counting import count_line
from logicspike.slack.wording import measured_words

USER = "U0ANA"
TITLES = {"echo": "Echo"}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    """What rests between two updates rests not at all."""
    monkeypatch.setattr(counting, "_PAUSE", timedelta(0))


async def compose(edge, words: str = ""):
    await edge.slack.command(USER, "/schedule", words)
    await edge.settle()
    return edge.slack.view_of(USER)


def line(edge) -> str:
    return edge.slack.view_of(USER).block("count")["elements"][0]["text"]


async def write(edge, text: str) -> str:
    """Type a text, and let the bot do what it does with that; the line below it."""
    edge.slack.fill_view(USER, {"text": text})
    await edge.slack.click(USER, edge.slack.view_of(USER), "text", text)
    await edge.settle()
    return line(edge)


# --- in the composer --------------------------------------------------------------------------------------------------


async def test_the_line_stands_there_from_the_start(edge):
    await compose(edge, "echo We are hiring!")
    assert "Echo 14 of 100" == line(edge)


async def test_the_line_follows_what_is_typed(edge):
    await compose(edge)
    assert "Echo 0 of 100" == line(edge)
    assert "Echo 5 of 100" == await write(edge, "Hello")
    assert "Echo 12 of 100" == await write(edge, "Hello, world")
    assert "*Echo 102 of 100 (2 too many)*" == await write(edge, "x" * 102)
    assert "Echo 1 of 100" == await write(edge, "x")


async def test_what_was_typed_and_chosen_stays(edge):
    await compose(edge)
    edge.slack.fill_view(USER, {"when": "now"})
    await write(edge, "Hello")
    values = edge.slack.view_of(USER).values
    assert "Hello" == values["text"]["text"]["value"]
    assert "now" == values["when"]["when"]["selected_option"]["value"]
    assert (await edge.slack.submit_view(USER)).action == "closed"
    assert "Hello" == edge.notes.of("schedule")[0][0].text


async def test_a_text_in_parts_is_counted_part_by_part(edge):
    await compose(edge)
    assert "Echo part 2 of 3: 7 of 100" == await write(edge, "One\n---\nTwo two\n---\n3")
    six = "\n---\n".join("abcdef")
    assert "*Echo takes 5 parts, this has 6*" == await write(edge, six)


async def test_the_accounts_that_are_chosen_decide(edge):
    first = edge.scheduling.usable[0]
    edge.scheduling.usable = (first, replace(first, connection_id="c2", nickname="echo:c2"))
    await compose(edge)
    assert "5 characters" == await write(edge, "Hello")

    await edge.slack.click(USER, edge.slack.view_of(USER), "accounts", ["c1", "c2"])
    await edge.settle()

    assert "Echo 5 of 100" == line(edge)


async def test_an_account_that_waits_for_a_sign_in_counts_too(edge):
    edge.scheduling.usable = (replace(edge.scheduling.usable[0], status=ConnectionStatus.NEEDS_RECONNECT),)
    await compose(edge)
    assert "Echo 5 of 100" == await write(edge, "Hello")


async def test_the_accounts_are_looked_up_once_for_a_form(edge):
    await compose(edge)
    before = len(edge.notes.of("list_usable"))
    for text in ("a", "ab", "abc"):
        await write(edge, text)
    assert 1 == len(edge.notes.of("list_usable")) - before


async def test_a_line_that_would_say_the_same_is_not_sent(edge):
    await compose(edge)
    await write(edge, "abc")
    version = edge.slack.view_of(USER).hash
    await write(edge, "xyz")
    assert version == edge.slack.view_of(USER).hash


# --- in the editor ----------------------------------------------------------------------------------------------------


async def test_the_editor_counts_for_the_accounts_of_its_post(edge, delivery):
    edge.scheduling.deliveries[delivery.delivery_id] = delivery
    await compose(edge, f"edit {delivery.delivery_id}")
    assert "Echo 14 of 100" == line(edge)
    assert "Echo 5 of 100" == await write(edge, "Hello")
    assert (await edge.slack.submit_view(USER)).action == "closed"


# --- order, and what goes wrong ---------------------------------------------------------------------------------------


async def type_in(edge, text: str):
    """Type a text without waiting for what the bot does."""
    edge.slack.fill_view(USER, {"text": text})
    return await edge.slack.click(USER, edge.slack.view_of(USER), "text", text)


async def test_of_what_is_typed_in_a_row_the_last_is_shown(edge):
    await compose(edge)
    for number in range(1, 8):
        await type_in(edge, "x" * number)
    await edge.settle()
    assert "Echo 7 of 100" == line(edge)


async def test_a_form_has_one_update_under_way_and_rests_between_two(edge, monkeypatch):
    """What is typed meanwhile is shown by the next, though it names the version that the form had before."""
    await compose(edge)
    monkeypatch.setattr(counting, "_PAUSE", timedelta(milliseconds=200))
    shown, update = [], edge.slack.views.update

    def noting(view, spec):
        shown.append(spec["blocks"][2]["elements"][0]["text"])
        return update(view, spec)

    monkeypatch.setattr(edge.slack.views, "update", noting)
    for number in range(1, 8):
        await type_in(edge, "x" * number)
    await edge.settle()

    assert "Echo 7 of 100" == shown[-1] == line(edge)
    assert len(shown) < 7


async def test_what_is_overtaken_on_its_way_is_not_shown(edge):
    await compose(edge)
    first = await type_in(edge, "a")
    edge.clock.advance(timedelta(seconds=1))
    assert "Echo 2 of 100" == await write(edge, "ab")

    await edge.slack.redeliver(first.sent)
    await edge.settle()

    assert "Echo 2 of 100" == line(edge)


async def test_an_update_for_an_older_version_changes_nothing(edge):
    """Another process has shown something newer since."""
    await compose(edge)
    await write(edge, "abc")
    await type_in(edge, "abcd")
    view = edge.slack.view_of(USER)
    newer = edge.slack.views.update(view, view.spec)
    await edge.settle()

    assert newer.hash == edge.slack.view_of(USER).hash
    assert "Echo 7 of 100" == await write(edge, "abcdefg"), "the next one is shown again"


@pytest.mark.parametrize("failure", [StoreUnavailable("no"), TimeoutError()])
async def test_a_failure_costs_nothing_but_the_count(edge, failure, caplog):
    await compose(edge)
    edge.notes.failures["list_usable"] = failure
    assert "Echo 0 of 100" == await write(edge, "secret text")
    assert "secret text" not in caplog.text
    del edge.notes.failures["list_usable"]
    assert "Echo 3 of 100" == await write(edge, "abc")


@pytest.mark.parametrize(
    "view",
    [
        None,
        [],
        {"id": "V1", "hash": "1.a"},
        {"id": "V1", "hash": "1.a", "blocks": [3], "state": {"values": {}}},
        {"id": "V1", "hash": "1.a", "blocks": [], "state": {"values": []}},
        {
            "id": "V1",
            "hash": "1.a",
            "blocks": [{"block_id": "count"}],
            "state": {"values": {"text": 5, "accounts": []}},
        },
        {
            "id": "V1",
            "hash": "1.a",
            "blocks": [],
            "state": {"values": {"accounts": {"accounts": {"selected_options": "x"}}}},
        },
    ],
)
async def test_a_form_like_none_of_ours_is_answered_and_harms_nobody(edge, view, caplog):
    payload = {
        "type": "block_actions",
        "team": {"id": "T0ACME"},
        "user": {"id": "U0ANA"},
        "trigger_id": "1.2.abc",
        "view": view,
        "actions": [{"type": "plain_text_input", "action_id": "text", "block_id": "text", "value": "x"}],
    }
    status, _ = await edge.post(urlencode({"payload": json.dumps(payload)}).encode())
    await edge.settle()
    assert status < 500
    assert "Traceback" not in caplog.text


async def test_a_form_that_was_closed_meanwhile_is_left_alone(edge):
    view = await compose(edge)
    await edge.slack.close_view(USER)
    await edge.slack.click(USER, view, "text", "Hello")
    await edge.settle()
    assert edge.slack.view_of(USER) is None
    assert () == edge.slack.messages_for(USER)


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "212 of 280"),
        ({"length": 1_301, "limit": 1_280}, "1,301 of 1,280 (21 too many)"),
        ({"length": 198, "limit": 63_206}, "198 of 63,206"),
        ({"parts": 3, "part": 1, "most_parts": 25, "length": 301}, "part 2 of 3: 301 of 280 (21 too many)"),
        ({"parts": 2, "part": 1, "most_parts": 2}, "first comment: 212 of 280"),
        ({"parts": 2, "most_parts": 2}, "post: 212 of 280"),
        ({"parts": 3}, "takes 1 part, this has 3"),
        ({"parts": 3, "most_parts": 2}, "takes 2 parts, this has 3"),
    ],
)
def test_a_length_is_said_as_people_say_it(fields, words):
    given = {"part": 0, "parts": 1, "most_parts": 1, "length": 212, "limit": 280, **fields}
    assert words == measured_words(Measured(**given))


def test_several_accounts_of_a_platform_are_counted_once(edge):
    one = edge.scheduling.usable[0]
    two = replace(one, connection_id="c2", account=Account(id="p-9", name="Ben"))
    assert "Echo 2 of 100" == count_line("Hi", [one, two], Measuring(edge.services.platforms), TITLES)


def test_a_hundred_accounts_and_a_thousand_parts_cost_no_more_than_one(edge, monkeypatch):
    asked, measure = [], edge.services.platforms.measure

    def noting(*arguments):
        asked.append(arguments)
        return measure(*arguments)

    monkeypatch.setattr(edge.services.platforms, "measure", noting)
    one = edge.scheduling.usable[0]
    many = [replace(one, connection_id=f"c{n}", account=Account(id=str(n), name=f"Ann {n}")) for n in range(100)]
    line = count_line("\n---\n".join("x" * 1000), many, Measuring(edge.services.platforms), TITLES)
    assert "*Echo takes 5 parts, this has 1000*" == line
    assert 1 == len(asked)


def test_a_platform_that_is_not_there_any_more_is_left_out(edge):
    gone = replace(edge.scheduling.usable[0], platform="gone")
    assert "2 characters" == count_line("Hi", [gone], Measuring(edge.services.platforms), TITLES)


def test_a_platform_that_cannot_tell_is_left_out(edge, monkeypatch):
    def broken(*_: object) -> None:
        raise PlatformUnavailable("bug")

    monkeypatch.setattr(edge.services.platforms, "measure", broken)
    one = edge.scheduling.usable[0]
    assert "2 characters" == count_line("Hi", [one], Measuring(edge.services.platforms), TITLES)
