"""What X takes of pictures and videos in one post: four pictures, or one GIF, or one video.

Source: docs.x.com/x-api/media/quickstart/best-practices, checked 2026-11-25. Its page "introduction" still says 512 MB
for a video; the newer one says 8 GB, and 20 minutes for accounts without Premium.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from logicspike.plugin import Media, MediaKind, MediaRule

__all__ = ["MEDIA_RULES", "SEGMENT_BYTES", "check_mixture"]

SEGMENT_BYTES: Final = 1024 * 1024
"""Bytes sent at a time: the size that others are known to use (github.com/gitroomhq/postiz-app, x.provider.ts)."""

_MAX_SEGMENTS: Final = 1000
_MEBIBYTE: Final = 1024 * 1024
_MAX_ALT_TEXT: Final = 1000

MEDIA_RULES: Final = (
    MediaRule(
        kind=MediaKind.IMAGE,
        content_types=("image/jpeg", "image/png", "image/webp"),
        max_bytes=5 * _MEBIBYTE,
        max_count=4,
        max_alt_text=_MAX_ALT_TEXT,
    ),
    MediaRule(
        kind=MediaKind.GIF,
        content_types=("image/gif",),
        max_bytes=15 * _MEBIBYTE,
        max_alt_text=_MAX_ALT_TEXT,
    ),
    # X takes 8 GB, but no more than 1,000 segments, and Slack holds no file that is larger than this.
    MediaRule(
        kind=MediaKind.VIDEO,
        content_types=("video/mp4", "video/quicktime"),
        max_bytes=_MAX_SEGMENTS * SEGMENT_BYTES,
    ),
)


def check_mixture(media: Sequence[Media]) -> str:
    """Say what is wrong with the files of one post together; "" when nothing is."""
    kinds = [medium.kind for medium in media]
    has_moving = MediaKind.GIF in kinds or MediaKind.VIDEO in kinds
    if len(kinds) > 4 or (has_moving and len(kinds) > 1):
        return "X takes up to 4 pictures, or 1 GIF, or 1 video in a post, and no mixture. Remove the others."
    return ""
