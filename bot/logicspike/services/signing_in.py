"""What passes between a sign-in's use cases and its pages: the page's facts, the callback, and why it was refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ..domain import Purpose

__all__ = ["Callback", "DirectMessageFailed", "LinkEnded", "LinkPage", "StateUnknown", "WrongBrowser"]


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
    """What the page behind a link says."""

    platform: str
    platform_title: str
    permissions: tuple[str, ...]
    member_name: str
    workspace_name: str
    purpose: Purpose
    account_name: str | None
    authorize_origin: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What the platform's redirect brought: exactly one of ``code`` and ``error``, and the browser's binding cookie."""

    platform: str
    state: str = field(repr=False)
    browser: str = field(repr=False)
    code: str | None = field(repr=False)
    error: str | None
