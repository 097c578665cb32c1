"""What a post may be on Facebook, as facts and checks without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from logicspike.plugin import Limits, MediaKind, MediaRule, Post, Problem, TextLength

__all__ = ["LIMITS", "find_problems", "measure"]

# Facebook doesn't document it; github.com/gitroomhq/postiz-app, facebook.provider.ts, and vendors agree,
# checked 2026-11-23.
_MAX_CHARS: Final = 63_206
# Nor this one; typecount.com/blog/facebook-post-character-limit and other vendors agree, checked 2026-11-25.
_MAX_COMMENT_CHARS: Final = 8_000

_PHOTOS: Final = MediaRule(
    kind=MediaKind.IMAGE,
    # Facebook takes BMP and TIFF as well, which few people have. GIFs are shown standing still ("animated photos are
    # not supported"). developers.facebook.com/docs/graph-api/reference/page/photos, checked 2026-11-25.
    content_types=("image/jpeg", "image/png", "image/gif"),
    # "Less than 10 MB", with a decimal reading to be safe: developers.facebook.com/docs/graph-api/reference/photo,
    # checked 2026-11-25. It advises less than 4 MB, and refuses some larger ones (error 1366046).
    max_bytes=9_999_999,
    # github.com/inovector/mixpost, config/mixpost.php, checked 2026-11-23
    max_count=10,
    # Not documented for Pages; this is what Instagram allows (developers.facebook.com/docs/instagram-platform/
    # instagram-graph-api/reference/ig-user/media, checked 2026-11-25).
    max_alt_text=1_000,
)
_VIDEO: Final = MediaRule(
    kind=MediaKind.VIDEO,
    # The formats that developers.facebook.com/documentation/video-api names first, checked 2026-11-25.
    content_types=("video/mp4", "video/quicktime"),
    # 1 KB to 2 GB: developers.facebook.com/documentation/video-api/reference/error-codes (1363022, 1363023), checked
    # 2026-11-25.
    max_bytes=2_000_000_000,
)

LIMITS: Final = Limits(max_chars=_MAX_CHARS, checked_on=date(2026, 11, 25), media=(_PHOTOS, _VIDEO), max_parts=2)
"""A post of a text, photos or one video, and a first comment."""


def measure(post: Post) -> TextLength:
    """Count the characters, against the limit of a post or of a comment."""
    return TextLength(length=len(post.text), limit=_MAX_COMMENT_CHARS if post.part else _MAX_CHARS)


def find_problems(post: Post) -> Sequence[Problem]:
    """List what Facebook would refuse: no content, a text that is too long, photos beside a video."""
    return tuple(problem for problem in (_find_text_problem(post), _find_media_problem(post)) if problem is not None)


def _find_text_problem(post: Post) -> Problem | None:
    counted = measure(post)
    what = "in a comment " if post.part else ""
    if counted.length > counted.limit:
        return Problem(message=f"Facebook allows {counted.limit:,} characters {what}and this is {counted.length:,}.")
    if not post.text.strip() and not post.media:
        return Problem(message="Facebook needs a text to publish; write one.")
    return None


def _find_media_problem(post: Post) -> Problem | None:
    # github.com/inovector/mixpost, config/mixpost.php, checked 2026-11-23
    kinds = {medium.kind for medium in post.media}
    if MediaKind.VIDEO not in kinds or len(kinds) == 1:
        return None
    return Problem(message="Facebook shows photos or a video, not both in one post.", field="media")
