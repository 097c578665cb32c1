"""What X would refuse in a text, said to its author before anything is sent."""

from __future__ import annotations

import re
from typing import Final

from logicspike.plugin import Post, Problem

from .media_rules import check_mixture
from .weighted_length import LINK_WEIGHT, MAX_WEIGHT, find_links, has_forbidden_characters, weighted_length

__all__ = ["count_cashtags", "find_problems"]

# One cashtag a post for self-serve apps (docs.x.com/changelog, checked 2026-11-23). A cashtag is a dollar sign and up
# to six letters, standing alone (github.com/twitter/twitter-text, checked 2026-11-23); "$100" is none.
_CASHTAG: Final = re.compile(r"(?:^|(?<=\s))\$[a-z]{1,6}(?:[._][a-z]{1,2})?(?=$|\s|[!-#%-/:-@\[-`{-~])", re.IGNORECASE)


def find_problems(post: Post) -> tuple[Problem, ...]:
    """List what the author must change; empty when X should take the post."""
    mixture = check_mixture(post.media)
    about_media = (Problem(message=mixture, field="media"),) if mixture else ()
    return (*_find_text_problems(post), *about_media)


def _find_text_problems(post: Post) -> tuple[Problem, ...]:
    if not post.text.strip():
        return () if post.media else (Problem(message="X needs a text, a picture or a video to publish."),)
    checks = (_check_length(post.text), _check_characters(post.text), _check_cashtags(post.text))
    return tuple(Problem(message=message) for message in checks if message)


def count_cashtags(text: str) -> int:
    """Count the cashtags ("$ACME") in a text."""
    return len(_CASHTAG.findall(text))


def _check_length(text: str) -> str:
    weight = weighted_length(text)
    if weight <= MAX_WEIGHT:
        return ""
    return (
        f"X allows {MAX_WEIGHT} characters; this is {weight}, so {weight - MAX_WEIGHT} too many.{_counting_hint(text)}"
    )


def _counting_hint(text: str) -> str:
    hints = []
    if any(True for _ in find_links(text)):
        hints.append(f"every link counts as {LINK_WEIGHT}")
    if weighted_length(text) != len(text) and any(ord(character) > 0x10FF for character in text):
        hints.append("emoji and Chinese, Japanese or Korean characters count as 2")
    return f" At X, {' and '.join(hints)}." if hints else ""


def _check_characters(text: str) -> str:
    if not has_forbidden_characters(text):
        return ""
    return "The text holds an invisible character that X refuses. Type the text again instead of pasting it."


def _check_cashtags(text: str) -> str:
    cashtags = _CASHTAG.findall(text)
    if len(cashtags) <= 1:
        return ""
    return f"X allows one cashtag in a post; this has {len(cashtags)} ({', '.join(cashtags)})."
