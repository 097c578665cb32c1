"""What a member can connect accounts by: a platform, or one of its further credential sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .plugin import Platform

__all__ = ["Connectable", "list_connectables"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connectable:
    """One thing that can be named after the connect command.

    Attributes:
        platform: the plugin's name.
        platform_title: what people read for the platform itself.
        credential_set: through which of our developer apps there; "" for the one that every platform has.
        typed: what people type.
        title: what people read for it; the platform's title, or that of the set.
        scopes: the permissions asked for, in the platform's own words.
        permissions: the same as phrases that finish "This will let the bot …".
    """

    platform: str
    platform_title: str
    credential_set: str
    typed: str
    title: str
    scopes: tuple[str, ...]
    permissions: tuple[str, ...]

    def covers(self, platform: str, credential_set: str) -> bool:
        """Whether an account that came by a credential set of a platform is meant; a platform means all of its own."""
        return self.platform == platform and self.credential_set in {"", credential_set}


def list_connectables(platform: Platform) -> Iterator[Connectable]:
    """The platform itself, then its further credential sets in the order of their declaration."""
    yield Connectable(
        platform=platform.name,
        platform_title=platform.title,
        credential_set="",
        typed=platform.name,
        title=platform.title,
        scopes=platform.scopes,
        permissions=platform.permissions,
    )
    for each in platform.credential_sets:
        yield Connectable(
            platform=platform.name,
            platform_title=platform.title,
            credential_set=each.name,
            typed=each.typed,
            title=each.title,
            scopes=each.scopes,
            permissions=each.permissions,
        )
