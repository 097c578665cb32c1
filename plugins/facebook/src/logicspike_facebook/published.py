"""What was published, with an address that people can open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from logicspike.plugin import PlatformContext, PublishedPost

__all__ = ["to_published"]


def to_published(ctx: PlatformContext, post_id: str, answer: Mapping[str, Any]) -> PublishedPost:
    """A post with its address: the one Facebook gives, or one that is made from its id."""
    address = answer.get("permalink_url")
    if isinstance(address, str) and address.startswith("/"):
        # Those of videos come without their origin.
        return PublishedPost(id=post_id, url=f"{ctx.endpoints['dialog']}{address}")
    if not isinstance(address, str) or urlsplit(address).scheme not in {"https", "http"}:
        # Opens the same post (github.com/inovector/mixpost, src/SocialProviders/Meta, checked 2026-11-23).
        address = f"{ctx.endpoints['dialog']}/{post_id}"
    return PublishedPost(id=post_id, url=address)
