"""What can go wrong at a fake platform: faults that happen once, faults that stay on, and refusals word for word."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

__all__ = ["ACTIONS", "MEDIA_ACTIONS", "MEDIA_SWITCHES", "SWITCHES", "ErrorAnswer", "Switch"]

ACTIONS: Final = {
    "expire": "Expire all access tokens now",
    "revoke": "Revoke all access now",
}
"""Faults that happen once, at a click, with their labels."""

SWITCHES: Final = {
    "rate_limit": "Answer “slow down” (429)",
    "unavailable": "Be down (503), doing nothing",
    "error_after_accept": "Publish, then answer 502",
    "accept_then_drop": "Publish, then drop the connection",
    "slow": "Be slow",
    "garbage": "Answer nonsense",
}
"""Faults that stay on until they're switched off, with their labels."""

MEDIA_ACTIONS: Final = {"forget_uploads": "Forget uploads no post has yet"}
"""Further faults of that sort, where the platform takes media."""

MEDIA_SWITCHES: Final = {"fail_processing": "Fail to process uploads"}
"""Further faults of the other sort, where the platform takes media."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    """One refusal of the real platform, as it was seen: ``body`` is sent as JSON, a text as it is."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)
    source: str
    """Where this very body was seen, and when; says so where words in it are ours."""

    def to_response(self) -> web.Response:
        """The answer, to send."""
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        kind = "text/html" if isinstance(self.body, str) else "application/json"
        return web.Response(status=self.status, text=text, content_type=kind, headers=self.headers)


@dataclass(slots=True)
class Switch:
    """A lasting fault as it stands; ``times_left`` of None means until it's switched off."""

    is_on: bool = False
    times_left: int | None = None
    label: str = ""
