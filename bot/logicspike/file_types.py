"""What a file is, found in its first bytes; what its name or its sender says of it is not asked."""

from __future__ import annotations

from typing import Final

import puremagic

__all__ = ["ENOUGH", "find_content_type"]

ENOUGH: Final = 4096
"""How many bytes of the beginning tell a file's type."""

_BOX: Final = slice(4, 8)
_BRAND: Final = slice(8, 12)
_BRANDS: Final = {
    b"qt  ": "video/quicktime",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"avif": "image/avif",
    b"avis": "image/avif",
}
"""Major brands of ISO/IEC 14496-12 files that aren't MP4 videos; of those there are dozens, and puremagic
knows a few."""


def find_content_type(head: bytes) -> str | None:
    """The content type of a file; None where it is unknown.

    Args:
        head: its first bytes, ``ENOUGH`` of them unless it is shorter.
    """
    if head[_BOX] == b"ftyp":
        return _BRANDS.get(head[_BRAND], "video/mp4")
    try:
        found = puremagic.magic_string(head[:ENOUGH])
    except (puremagic.PureError, ValueError):
        return None
    return next((match.mime_type for match in found if match.mime_type), None)
