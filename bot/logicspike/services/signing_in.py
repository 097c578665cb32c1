"""What passes between a sign-in's use cases and its pages: the page's facts, the callback, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ..connectables import Connectable
from ..domain import Connection, PendingAuthorization, Purpose
from ..plugin.errors import AuthorizationFailed
from ..plugin.types import Credential
from .notices import ConnectEnded, ConnectFailed, Notice
from .ports import ConnectResult

__all__ = [
    "Callback",
    "DirectMessageFailed",
    "LinkEnded",
    "LinkPage",
    "SignInOutcome",
    "StateUnknown",
    "WrongBrowser",
    "check_scopes",
    "sign_in_canceled",
    "sign_in_failed",
]


class LinkEnded(Exception):
    """The link is unknown, used or over.

    Args:
        can_renew: whether it was ours, so that a new one can be sent to the same member.
    """

    def __init__(self, *, can_renew: bool) -> None:
        super().__init__("the link has ended")
        self.can_renew = can_renew


class StateUnknown(Exception):
    """The callback's state is unknown, used or over."""


class WrongBrowser(Exception):
    """The callback came from another browser than the one that pressed the button."""


class DirectMessageFailed(Exception):
    """Slack would not take the direct message with the link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPage:
    """What the page behind a link says; ``title`` is what is connected, ``platform_title`` where one signs in."""

    title: str
    platform_title: str
    permissions: tuple[str, ...]
    member_name: str
    workspace_name: str
    purpose: Purpose
    account_name: str | None
    authorize_origin: str
    expires_at: datetime
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What the platform's redirect brought: exactly one of ``code`` and ``error``, and the browser's binding cookie."""

    platform: str
    state: str = field(repr=False)
    browser: str = field(repr=False)
    code: str | None = field(repr=False)
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInOutcome:
    """What came of a sign-in, stored already.

    Attributes:
        result: what the result page says.
        notice: what the member is told in Slack.
        returned: the connection, when there was one to the same account before: posts may be held for it.
    """

    result: ConnectResult
    notice: Notice
    returned: Connection | None = None


def sign_in_canceled(asked: Connectable, pending: PendingAuthorization) -> SignInOutcome:
    """The member pressed Cancel at the platform."""
    return SignInOutcome(
        result=ConnectResult(outcome="canceled", platform_title=asked.platform_title),
        notice=ConnectEnded(
            typed=asked.typed, platform_title=asked.platform_title, connection_id=pending.connection_id
        ),
    )


def sign_in_failed(
    asked: Connectable,
    pending: PendingAuthorization,
    explanation: str,
    *,
    outcome: str = "failed",
    is_for_asking_again: bool = False,
) -> SignInOutcome:
    """Nothing was connected; the explanation is for the member."""
    return SignInOutcome(
        result=ConnectResult(outcome=outcome, platform_title=asked.platform_title, explanation=explanation),
        notice=ConnectFailed(
            typed=asked.typed,
            platform_title=asked.platform_title,
            explanation=explanation,
            connection_id=pending.connection_id,
            is_for_asking_again=is_for_asking_again,
        ),
    )


def check_scopes(asked: Connectable, credential: Credential) -> None:
    """Make sure that a sign-in granted what is needed; one that doesn't say what it granted is believed.

    Raises:
        AuthorizationFailed: something is missing.
    """
    missing = set(asked.scopes) - set(credential.tokens.scopes)
    if credential.tokens.scopes and missing:
        raise AuthorizationFailed(
            f"{asked.platform_title} did not grant everything the bot needs to post "
            f"({', '.join(sorted(missing))} is missing). Please try again and leave all boxes ticked."
        )
