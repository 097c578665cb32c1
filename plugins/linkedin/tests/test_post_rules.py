"""What authors are told before anything is sent."""

from __future__ import annotations

import pytest

import logicspike_linkedin as plugin
from logicspike.plugin import Account, Media, MediaKind, Post, Reply

ME = Account(id="me", name="Me")


def photo(number: int = 0) -> Media:
    return Media(media_id=f"p{number}", kind=MediaKind.IMAGE, content_type="image/png", size=1000, name="p.png")


def video(size: int = 1_000_000) -> Media:
    return Media(media_id="v", kind=MediaKind.VIDEO, content_type="video/mp4", size=size, name="clip.mp4")


def complaints(text: str = "Hello", *media: Media, part: int = 0) -> list[tuple[str, str]]:
    post = Post(key="k", text=text, media=media, part=part)
    return [(problem.field, problem.message) for problem in plugin.validate(post)]


def test_an_empty_text_is_refused_unless_there_is_something_to_see() -> None:
    assert [("text", "LinkedIn needs a text to publish; write one.")] == complaints(" \n")
    assert [] == complaints("", photo())


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a" * 3001, "this is 3,001."),
        ("🚀" * 1501, "this is 3,002 (an emoji counts as two or more)."),
        ("(" * 1501, "this is 3,002 (signs such as brackets and underscores count as two)."),
        ("🚀(" * 1000, "two or more, and signs such as brackets and underscores count as two)."),
    ],
)
def test_a_text_that_is_too_long_says_why_it_is(text: str, hint: str) -> None:
    ((field, message),) = complaints(text)

    assert ("text", True) == (field, message.startswith("LinkedIn allows 3,000 characters"))
    assert message.endswith(hint)


def test_a_comment_is_shorter_and_has_no_markup() -> None:
    assert [] == complaints("(" * 1250, part=1)
    ((_, message),) = complaints("(" * 1251, part=1)
    assert "LinkedIn allows 1,250 characters in a comment; this is 1,251." == message


def test_what_is_shown_while_writing_is_what_is_checked() -> None:
    post = Post(key="k", text="Hi (you) #now")
    assert (15, 3000) == (plugin.measure(post).length, plugin.measure(post).limit)

    comment = Post(key="k:1", text="Hi (you) #now", part=1, reply=Reply(root_id="r", previous_id="r"))
    assert (13, 1250) == (plugin.measure(comment).length, plugin.measure(comment).limit)


def test_pictures_and_a_video_do_not_go_together() -> None:
    assert [] == complaints("Hello", photo(1), photo(2))
    assert [] == complaints("Hello", video())
    assert [("media", "LinkedIn shows pictures or a video, not both in one post.")] == complaints("x", photo(), video())


def test_a_tiny_video_is_refused_by_its_name() -> None:
    assert [("media", "LinkedIn takes videos from 75 KB on; clip.mp4 is smaller.")] == complaints(
        "x", video(size=70_000)
    )
