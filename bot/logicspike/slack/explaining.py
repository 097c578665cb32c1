"""What the failures that every use case may have mean to the member who caused them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from slack_sdk.errors import SlackApiError

from ..platforms import PlatformNotReady, UnknownPlatform
from ..plugin.errors import PlatformError
from ..services.connecting import NoSuchConnection, NotAllowed
from ..services.people import SlackUnavailable
from ..services.ports import NameTaken, StoreUnavailable
from .interaction import Unreadable
from .message import Message, build_message, paragraph
from .messages import account_taken, connection_gone, not_allowed, try_again
from .mrkdwn import prose

__all__ = ["explain"]

_UNSURE: Final = "If you asked for a change, it may have been made all the same: please look before you repeat it."
_TOO_LATE_TRIGGERS: Final = frozenset({"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"})


def explain(error: Exception) -> Message | None:
    """Word an expected failure; None for one that nobody expected."""
    return next((word(error) for kind, word in _WORDS if isinstance(error, kind)), None)


def _say(sentence: str) -> Message:
    return build_message(sentence, paragraph(sentence))


def _explained(error: Any) -> Message:
    return _say(f"{prose(error.explanation)} Nothing was changed.")


def _refused_by_slack(error: Any) -> Message | None:
    if error.response.get("error") in _TOO_LATE_TRIGGERS:
        return _say("The form could not be opened in time. Please try again. What you wrote is kept where it was.")
    return None


_WORDS: Final[tuple[tuple[type[Exception], Callable[[Any], Message | None]], ...]] = (
    (NotAllowed, lambda error: not_allowed(error.owner_id)),
    (NoSuchConnection, lambda _: connection_gone()),
    (Unreadable, lambda _: _say("I can't read that any more. Nothing was changed. Please use a newer message.")),
    (NameTaken, lambda _: account_taken()),
    (PlatformNotReady, _explained),
    (UnknownPlatform, _explained),
    (PlatformError, _explained),
    (StoreUnavailable, lambda _: try_again(_UNSURE)),
    (SlackUnavailable, lambda _: try_again()),
    (TimeoutError, lambda _: try_again(_UNSURE)),
    (SlackApiError, _refused_by_slack),
)
