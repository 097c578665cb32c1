"""How a request that can't be served is answered: kindly, in the one form that Slack shows for its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from slack_bolt.response import BoltResponse

from .surface import BLOCK_TEXT

__all__ = ["SLOW", "TOO_BUSY", "build_refusal"]

SLOW: Final = "I'm slow at the moment. If nothing arrives within a minute, please try again."
TOO_BUSY: Final = "I have more to do than I can manage right now. Nothing was done. Please try again in a minute."


def build_refusal(body: Mapping[str, Any], explanation: str) -> BoltResponse:
    """Build the answer to a request as Slack shows it: a private message, an error in the modal, or nothing.

    Args:
        body: the request, parsed.
        explanation: what is the matter, in words for people.
    """
    if "command" in body:
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": explanation})
    if body.get("type") == "view_submission":
        return BoltResponse(status=200, body={"response_action": "errors", "errors": {BLOCK_TEXT: explanation}})
    return BoltResponse(status=200, body="")
