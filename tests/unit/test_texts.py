from __future__ import annotations

import pytest

from logicspike.texts import join_parts, split_parts


def test_a_text_without_a_line_of_dashes_is_one_part():
    assert ("Hello\n\nWorld",) == split_parts("  Hello\n\nWorld \n")


@pytest.mark.parametrize("line", ["---", "-----", "---   ", "  ---", "\t---\t", "—-", "———", "–––"])
def test_a_line_of_three_dashes_or_more_parts_a_text(line):
    assert ("one", "two") == split_parts(f"one\n{line}\ntwo")


@pytest.mark.parametrize(
    "line", ["--", "—", "- - -", "--- a/file.py", "+---+", "***", "___", "–", "a---", "--->", "− − −", ""]
)
def test_what_is_not_only_dashes_or_too_few_of_them_parts_nothing(line):
    assert 1 == len(split_parts(f"one\n{line}\ntwo"))


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n"])
def test_line_endings_of_any_kind_will_do(ending):
    assert ("one\nmore", "two") == split_parts(ending.join(("one", "more", "", "---", "", "two", "")))


def test_several_lines_part_a_text_in_order():
    assert ("a", "b", "c", "d") == split_parts("a\n---\nb\n----\nc\n---\n\nd")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("---\none", ("", "one")),
        ("one\n---", ("one", "")),
        ("one\n---\n \n---\ntwo", ("one", "", "two")),
        ("---", ("", "")),
        ("", ("",)),
    ],
)
def test_where_nothing_was_written_the_part_is_empty(text, parts):
    assert parts == split_parts(text)


def test_dashes_between_fences_belong_to_the_code_there():
    assert ("see\n```\ntitle: x\n---\n```", "end") == split_parts("see\n```\ntitle: x\n---\n```\n---\nend")


def test_a_fence_that_nothing_closes_is_none():
    assert ("a\n```", "b") == split_parts("a\n```\n---\nb")


def test_parts_are_normalised_like_a_whole_text():
    assert ("caf\u00e9", "x") == split_parts("cafe\u0301 \n---\nx")


@pytest.mark.parametrize(
    "text",
    ["a", "a\n-----\nb", "```\n---\n```\n---\nb", "a\n———\n\n\nb\n---\nc", "```\n---\na", "a\n```\n---\n```\n---\nb"],
)
def test_parts_put_together_come_apart_again_the_same(text):
    parts = split_parts(text)

    assert parts == split_parts(join_parts(parts))
