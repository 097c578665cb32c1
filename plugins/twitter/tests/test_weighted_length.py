"""X's way of counting: the examples of its documentation, the limits of its ranges, and what people really write."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logicspike_twitter.weighted_length import find_links, has_forbidden_characters, weighted_length


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("Good morning", 12),
        ("caf\u00e9", 4),
        ("cafe\u0301", 4),
        ("Привет, мир", 11),
        ("日本語", 6),
        ("안녕", 4),
        ("\u10ff", 1),
        ("\u1100", 2),
        ("\u2000\u200d", 2),
        ("\u200e", 2),
        ("“”‘’—…", 7),
        ("\u2032\u2037", 2),
        ("\u2038", 2),
        ("a\nb", 3),
        ("a\r\nb", 3),
        ("👾", 2),
        ("🙋🏽", 2),
        ("👨‍🎤", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("🇩🇪", 2),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 2),
        ("1️⃣", 2),
        ("❤️", 2),
        ("©", 1),
        ("©️", 2),
        ("🇩🇪🇫🇷", 4),
        ("x👾y", 4),
    ],
)
def test_text_weighs_what_x_says(text, weight):
    assert weighted_length(text) == weight


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("https://example.com", 23),
        ("http://example.com/a/very/long/path/that/goes/on/and/on/for/ever.html?with=a&query=too#and-anchor", 23),
        ("HTTPS://EXAMPLE.COM/X", 23),
        ("example.com", 23),
        ("www.example.co.uk/page", 23),
        ("Read https://example.com and example.org now", 5 + 23 + 5 + 23 + 4),
        ("Read https://example.com.", 5 + 23 + 1),
        ("(see https://example.com/a_(b))", 5 + 23 + 1),
        ("“https://example.com/a”", 25),
        ("https://example.com日本語", 23 + 6),
        ("日本語example.com", 6 + 23),
        ("https://例え.jp/道", 24 + 1),
        ("https://пример.рф", 23),
        ("https://xn--e1afmkfd.xn--p1ai/", 23),
        ("https://example.com:8080/x", 23),
        ("example.com:8080", 23 + 5),
        ("https://example.com?a=1", 23),
        ("https://t.co/abc", 23),
        ("https://sub_domain.example.com", 23),
        ("👾https://example.com👾", 27),
    ],
)
def test_every_link_weighs_23(text, weight):
    assert weighted_length(text) == weight


@pytest.mark.parametrize(
    "text",
    [
        "node.js",
        "e.g. this",
        "v1.2.3",
        "mail me@example.com",
        "@example.com",
        "#example.com",
        "$example.com",
        "https://localhost/x",
        "https://192.168.0.1/x",
        "https://-bad-.com",
        "https://under_score.com",
        "ftp.",
        "...",
        "https://",
    ],
)
def test_what_x_does_not_link_is_counted_as_it_stands(text):
    assert list(find_links(text)) == []
    assert weighted_length(text) == len(text)


def test_links_come_in_order_with_their_places():
    text = "One https://example.com/a, two example.org!"
    links = list(find_links(text))
    assert [link.address for link in links] == ["https://example.com/a", "example.org"]
    assert [text[link.start : link.end] for link in links] == ["https://example.com/a", "example.org"]


def test_address_beyond_4096_characters_is_no_link():
    assert list(find_links("https://example.com/" + "a" * 4096)) == []


@pytest.mark.parametrize("character", ["\ufffe", "\ufeff", "\uffff"])
def test_forbidden_characters_are_found(character):
    assert has_forbidden_characters(f"a{character}b")
    assert not has_forbidden_characters("a\u200bb")


@settings(deadline=None)
@given(st.text())
def test_no_text_breaks_the_count(text):
    assert weighted_length(text) >= 0
    for link in find_links(text):
        assert text[link.start : link.end] == link.address


@settings(deadline=None)
@given(st.text(alphabet=st.characters(max_codepoint=0xFF, exclude_characters=".\r")))
def test_western_text_without_dots_weighs_its_characters(text):
    assert weighted_length(text) == len(text)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["日", "語", "本", "字"]), max_size=200))
def test_wide_text_weighs_two_each(characters):
    assert weighted_length("".join(characters)) == 2 * len(characters)


@pytest.mark.parametrize("text", ["https://a.com/" + "(" * 5000, "a." * 5000, "https://a.com/" + "(a(b)" * 1500])
def test_hostile_texts_are_counted_in_no_time(text):
    assert weighted_length(text) > 280
