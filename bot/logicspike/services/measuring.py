"""How long a post is, as each platform counts."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..domain import Connection, Delivery
from ..platforms import PlatformNotReady, Platforms, UnknownPlatform
from ..plugin.errors import PlatformError
from ..plugin.types import Post
from ..texts import first_link

__all__ = ["POST_AND_COMMENT", "Measured", "Measuring"]

log = logging.getLogger(__name__)

POST_AND_COMMENT: Final = 2
"""``Limits.max_parts`` of a platform whose second part is a comment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How long a post is at one account: the part that comes nearest to its limit, or is farthest above it.

    Attributes:
        part: which part that is, from 0.
        parts: how many the post has.
        most_parts: how many the platform takes.
        length: in the characters that the platform counts.
        limit: the longest that it takes.
    """

    part: int
    parts: int
    most_parts: int
    length: int
    limit: int

    @property
    def excess(self) -> int:
        """By how many characters it is too long; 0 or less when it isn't."""
        return self.length - self.limit

    @property
    def takes_comments(self) -> bool:
        """Whether a second part is the first comment of the post, not the next part of a thread."""
        return self.most_parts == POST_AND_COMMENT


class Measuring:
    """Asks plugins how long a text is; no I/O.

    Args:
        platforms: the installed platforms.
    """

    def __init__(self, platforms: Platforms) -> None:
        self._platforms = platforms

    def measure(self, connection: Connection, parts: Sequence[str]) -> Measured | None:
        """Measure a post for an account; None where its platform can't tell, which is nobody's trouble but the log's.

        Args:
            connection: the account.
            parts: the text of each part, at least one.
        """
        try:
            # Of more parts than it takes none is measured but the first: thousands would take their time.
            most = self._platforms.get(connection.platform).limits.max_parts
            wanted = range(len(parts) if len(parts) <= most else 1)
            measured = [self._measure_part(connection, parts, number) for number in wanted]
        except (PlatformError, PlatformNotReady, UnknownPlatform) as error:
            log.info(
                "a text could not be measured: %s",
                type(error).__name__,
                extra={"event": "measure.failed", "platform": connection.platform},
            )
            return None
        return max(measured, key=lambda each: each.excess)

    def _measure_part(self, connection: Connection, parts: Sequence[str], number: int) -> Measured:
        post = Post(key="measure", text=parts[number], link=first_link(parts[number]), part=number)
        found = self._platforms.measure(connection.platform, connection.account, post)
        return Measured(
            part=number,
            parts=len(parts),
            most_parts=self._platforms.get(connection.platform).limits.max_parts,
            length=found.length,
            limit=found.limit,
        )

    def measure_all(self, deliveries: Sequence[Delivery], connections: Sequence[Connection]) -> Mapping[str, Measured]:
        """Measure what deliveries say, as far as their accounts are among these; by delivery id."""
        by_id = {each.connection_id: each for each in connections}
        known = ((each, by_id.get(each.connection_id)) for each in deliveries)
        found = ((each, self.measure(account, each.texts)) for each, account in known if account is not None)
        return {each.delivery_id: measured for each, measured in found if measured is not None}
