"""Escaping, clipping and tokens of Slack's text format."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logicspike.slack.mrkdwn import (
    clip,
    clip_markup,
    code,
    escape,
    is_web_address,
    link,
    measure,
    mention,
    name,
    one_line,
    show_day_and_time,
    show_time,
)

AT = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def test_the_three_signs_of_markup_are_escaped():
    assert escape("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("two words", 5, "two…"),
        ("abc👨‍👩‍👧", 8, "abc…"),
        ("abe\u0301f", 4, "ab…"),
        ("ab👍🏽c", 6, "ab…"),
        ("a🇩🇪🇫🇷", 7, "a🇩🇪…"),
        ("a❤️b!", 3, "a…"),
        ("\u1100\u1161\u11a8x", 3, "…"),
        ("👩‍👩‍👧", 3, "…"),
    ],
)
def test_a_text_is_clipped_between_what_is_seen_as_signs(text, limit, expected):
    assert clip(text, limit) == expected


@given(st.text(), st.integers(1, 50))
def test_a_clipped_text_fits_and_is_a_beginning(text, limit):
    clipped = clip(text, limit)
    assert measure(clipped) <= limit
    assert clipped == text or text.startswith(clipped.removesuffix("…"))


@given(st.text(), st.integers(1, 50))
def test_clipped_markup_stays_whole(text, limit):
    clipped = clip_markup(f"{escape(text)}<!date^1^{{time}}|x>", limit)
    assert measure(clipped) <= limit
    assert clipped.count("<") == clipped.count(">")
    assert all(part.startswith(("amp;", "lt;", "gt;")) for part in clipped.split("&")[1:])


@given(st.text())
def test_one_line_has_neither_breaks_nor_direction_signs(text):
    line = one_line(f"{text}\u202e\n{text}", 40)
    assert "\u202e" not in line
    assert line == "" or len(line.splitlines()) == 1


def test_code_cannot_be_closed_by_its_content():
    assert code("a`*b*`<c>") == "`a'*b*'&lt;c&gt;`"


def test_a_name_is_never_empty():
    assert name(" \u202e\n") == "–"


def test_only_ids_are_mentioned():
    assert mention("U0ANA") == "<@U0ANA>"
    assert mention("!channel") == "its owner"
    assert mention("U1> <!channel") == "its owner"


@pytest.mark.parametrize(
    ("url", "is_fine"),
    [
        ("https://example.com/a?b=c", True),
        ("http://127.0.0.1:3000/x", True),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("http://[::1", False),
        ("", False),
        (None, False),
        ("https://example.com/" + "a" * 3000, False),
    ],
)
def test_only_web_addresses_are_linked(url, is_fine):
    assert is_web_address(url) is is_fine


def test_a_link_cannot_carry_markup():
    assert link("https://a.example/x?b=1&c=<!channel>|y z") == "<https://a.example/x?b=1&amp;c=%3C!channel%3E%7Cy%20z>"


def test_times_carry_a_fallback_in_the_given_zone():
    stamp = int(AT.timestamp())
    assert show_time(AT, "Europe/Berlin") == f"<!date^{stamp}^{{time}}|09:30 (Europe/Berlin)>"
    assert show_day_and_time(AT, "Nowhere/Land") == (
        f"<!date^{stamp}^{{date_short_pretty}} at {{time}}|Tue 24 Nov 2026, 08:30 (UTC)>"
    )
