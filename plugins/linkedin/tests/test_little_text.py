"""All of a text is published, hashtags stay hashtags: written by one reading of the format, read back by another."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logicspike_linkedin.little_text import count_characters, to_little_text, to_plain_text
from logicspike_linkedin.sandbox_text import read_little_text

RESERVED = "\\|{}@[]()<>#*_~"

markup_heavy = st.text(alphabet=st.sampled_from(RESERVED + "ab1 é\n.:/"), max_size=60)
any_text = st.one_of(st.text(max_size=200), markup_heavy)


@given(any_text)
def test_everything_written_is_published(text: str) -> None:
    seen = read_little_text(to_little_text(text))

    assert not seen.is_cut
    assert text == seen.text


@given(any_text)
def test_only_the_sign_of_a_hashtag_is_left_unescaped(text: str) -> None:
    without_escapes = re.sub(r"\\.", "", to_little_text(text), flags=re.DOTALL)
    without_hashtags = re.sub(r"#(?=\w)", "", without_escapes)

    assert set(RESERVED).isdisjoint(without_hashtags)


@given(any_text)
def test_what_was_written_can_be_read_back(text: str) -> None:
    assert text == to_plain_text(to_little_text(text))


@pytest.mark.parametrize(
    ("commentary", "text"),
    [
        (r"{hashtag|\#|launch} day", "#launch day"),
        (r"{hashtag|＃|snake\_case}", "#snake_case"),
        ("Thanks @[Acme](urn:li:organization:1)!", "Thanks Acme!"),
        (r"\{hashtag\|x\}", "{hashtag|x}"),
    ],
)
def test_linkedins_own_way_to_keep_a_text_is_read_back(commentary: str, text: str) -> None:
    assert text == to_plain_text(commentary)


@given(st.text(alphabet=st.characters(categories=["L"], exclude_characters=RESERVED), min_size=1, max_size=20))
def test_a_word_of_letters_after_a_sign_is_a_hashtag(word: str) -> None:
    assert (f"#{word}",) == read_little_text(to_little_text(f"News: #{word}!")).hashtags


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ask (us) [now]", r"Ask \(us\) \[now\]"),
        ("a_b*c~d|e<f>{g}", r"a\_b\*c\~d\|e\<f\>\{g\}"),
        (r"C:\temp", r"C:\\temp"),
        ("mail me@example.com", r"mail me\@example.com"),
        ("#launch", "#launch"),
        ("Today: #launch, #Größe and #2026goals", "Today: #launch, #Größe and #2026goals"),
        ("(#launch)", r"\(#launch\)"),
        ("C# and F#", r"C\# and F\#"),
        ("we are #1", r"we are \#1"),
        ("##twice", r"\#\#twice"),
        ("https://example.com/a_b#part", r"https://example.com/a\_b\#part"),
        ("https://example.com/#part", r"https://example.com/\#part"),
        ("#snake_case", r"#snake\_case"),
        ("issue # 5", r"issue \# 5"),
        ("", ""),
    ],
)
def test_examples(text: str, expected: str) -> None:
    assert expected == to_little_text(text)


def test_a_mention_is_published_as_it_is_written() -> None:
    text = "Thanks @[Acme](urn:li:organization:1)"

    assert text == read_little_text(to_little_text(text)).text


def test_an_emoji_counts_as_two() -> None:
    assert count_characters("a🚀") == 3


@pytest.mark.parametrize(
    ("commentary", "shown"),
    [
        ("Ask (us) now", "Ask "),
        ("a_b", "a"),
        ("C# rocks", "C"),
        (r"C:\temp", "C:"),
        (r"{hashtag|\#|launch} day", "#launch day"),
        ("Thanks @[Acme](urn:li:organization:1)!", "Thanks Acme!"),
    ],
)
def test_the_stand_in_cuts_where_linkedin_does(commentary: str, shown: str) -> None:
    assert shown == read_little_text(commentary).text
