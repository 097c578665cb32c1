"""What authors are told before anything is sent."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import logicspike_twitter
import logicspike_twitter as plugin
from logicspike.plugin import Media, MediaKind, Post, TextLength


def messages(text):
    return [problem.message for problem in plugin.validate(Post(key="k", text=text))]


@pytest.mark.parametrize(
    "text", ["a" * 280, "日" * 140, "👨‍👩‍👧‍👦" * 140, "https://example.com/" + "a" * 400, "It costs $100 or $5.50"]
)
def test_what_x_takes_passes(text):
    assert messages(text) == []


def test_one_character_too_many_is_told_with_both_numbers():
    assert messages("a" * 281) == ["X allows 280 characters; this is 281, so 1 too many."]


def test_links_and_wide_characters_are_explained_when_they_matter():
    assert "every link counts as 23" in messages("a" * 270 + " example.com")[0]
    assert "count as 2" in messages("日" * 141)[0]


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_empty_text_is_told(text):
    assert len(messages(text)) == 1


def test_invisible_character_is_told():
    assert "invisible" in messages("Hello\ufeff")[0]


def test_second_cashtag_is_told():
    assert messages("Only $ACME today") == []
    assert "$XYZ" in messages("$ACME and $XYZ today")[0]


def test_several_problems_are_told_at_once():
    assert len(messages("$ACME $XYZ \ufeff" + "a" * 300)) == 3


def media(*kinds):
    return tuple(
        Media(media_id=f"m{number}", kind=kind, content_type="image/png", size=10, name="a file")
        for number, kind in enumerate(kinds)
    )


@pytest.mark.parametrize("kinds", [[MediaKind.IMAGE], [MediaKind.IMAGE] * 4, [MediaKind.GIF], [MediaKind.VIDEO]])
def test_media_alone_make_a_post(kinds):
    assert plugin.validate(Post(key="k", text="", media=media(*kinds))) == ()


@pytest.mark.parametrize(
    "kinds",
    [
        [MediaKind.IMAGE] * 5,
        [MediaKind.GIF] * 2,
        [MediaKind.VIDEO] * 2,
        [MediaKind.IMAGE, MediaKind.GIF],
        [MediaKind.VIDEO, MediaKind.IMAGE],
    ],
)
def test_mixture_of_media_is_told_at_the_media(kinds):
    (problem,) = plugin.validate(Post(key="k", text="Look", media=media(*kinds)))
    assert problem.field == "media"
    assert "up to 4 pictures, or 1 GIF, or 1 video" in problem.message


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("Good morning", 12),
        ("日本", 4),
        ("Read https://example.com/" + "a" * 90, 28),
        ("Cafe\u0301 👨‍👩‍👧‍👦", 7),
    ],
)
def test_measure_counts_as_x_does(text, length):
    assert plugin.measure(Post(key="k", text=text)) == TextLength(length=length, limit=280)


def test_facts():
    platform = plugin.describe()
    assert (platform.name, platform.title, platform.aliases) == ("twitter", "X", ("x",))
    assert platform.endpoints == {"auth": "https://x.com", "api": "https://api.x.com"}
    assert platform.uses_pkce
    assert platform.limits.max_chars == 280
    assert platform.limits.max_parts == 25
    assert {rule.kind: (rule.max_count, rule.max_bytes // 2**20) for rule in platform.limits.media} == {
        MediaKind.IMAGE: (4, 5),
        MediaKind.GIF: (1, 15),
        MediaKind.VIDEO: (1, 1000),
    }
    assert "media.write" in platform.scopes


def test_plugin_stays_on_the_public_interface():
    for path in Path(logicspike_twitter.__file__).parent.glob("*.py"):
        allowed = (
            ("logicspike.plugin", "logicspike.testing") if path.name.startswith("sandbox") else ("logicspike.plugin",)
        )
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            ours = [name for name in names if name.split(".")[0] == "logicspike"]
            assert [name for name in ours if not name.startswith(allowed)] == [], path.name
