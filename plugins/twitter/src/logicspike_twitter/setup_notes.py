"""What can be told of an app at X by looking at its id alone."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from logicspike.plugin import OAuthClient, SetupLevel, SetupNote

__all__ = ["find_notes"]

_PREFIX: Final = re.compile(r"^[0-9]+-")


def find_notes(client: OAuthClient) -> tuple[SetupNote, ...]:
    """Look at the client id, and name what X alone knows."""
    return (_look_at_id(client.client_id), _CREDITS, _PERMISSIONS)


def _look_at_id(client_id: str) -> SetupNote:
    # Base64 of a text that ends with the type of the app: ":ci" confidential, ":na" native. X doesn't promise it; seen
    # in all ids that stand in public code (checked 2026-11-25).
    text = _decode(client_id)
    if text.endswith(":ci"):
        return SetupNote(level=SetupLevel.OK, message="The client id is one of OAuth 2.0, of an app that has a secret.")
    if text.endswith(":na"):
        return SetupNote(
            level=SetupLevel.PROBLEM,
            message="The client id belongs to a Native App, which has no secret: under User authentication settings, "
            "choose Web App, Automated App or Bot, and copy the new id and secret.",
        )
    return SetupNote(
        level=SetupLevel.WARNING,
        message="The client id doesn't look like the OAuth 2.0 Client ID; "
        "the API Key (consumer key) on the same page is something else.",
    )


def _decode(client_id: str) -> str:
    core = _PREFIX.sub("", client_id)
    try:
        return base64.b64decode(core + "=" * (-len(core) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


_CREDITS: Final = SetupNote(
    level=SetupLevel.UNCHECKED,
    message="Whether credits are left to pay for posts can't be seen from here: look under Billing on "
    "https://console.x.com",
)
_PERMISSIONS: Final = SetupNote(
    level=SetupLevel.UNCHECKED,
    message="Whether the app may Read and write can't be seen from here: look under User authentication settings.",
)
