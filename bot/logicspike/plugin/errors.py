"""The errors a hook may raise, each named by what the host does next.

::

    PlatformError
    ├── AuthorizationFailed      tell the member why; offer a new link
    ├── ReconnectRequired        the grant is dead or too small: ask the member to connect again, hold the posts
    ├── MemberActionRequired     the member must do something at the platform: hold the posts, say what
    ├── OperatorActionRequired   our developer app is at fault: hold the posts, tell the admins
    ├── TokenExpired             refresh once, then try again at once
    ├── RateLimited              wait until the given time; the attempt is not counted
    ├── PlatformUnavailable      retry with backoff; nothing was posted
    ├── PostRejected             give up; show the author what to change
    ├── PreparationLost          prepare it anew, then try again; nothing was posted
    ├── OutcomeUnknown           it may be live: look, else ask the author; never retry blindly
    └── PlatformEventRefused     a callback that is not the platform's: answer 400, do nothing

Anything else that escapes a hook is a bug in the plugin. The host logs it with the platform's name and treats it
as ``OutcomeUnknown`` when it came from ``publish`` and as a plain failure elsewhere.

The message of an error is for the log and for developers; what people read is its ``explanation``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from .types import Problem

__all__ = [
    "AuthorizationFailed",
    "MemberActionRequired",
    "OperatorActionRequired",
    "OutcomeUnknown",
    "PlatformError",
    "PlatformEventRefused",
    "PlatformUnavailable",
    "PostRejected",
    "PreparationLost",
    "RateLimited",
    "ReconnectRequired",
    "TokenExpired",
]


class PlatformError(Exception):
    """What a hook raises when a platform did not do what was asked.

    Args:
        explanation: one or two plain sentences for the member or admin; no token, no code, no raw answer.
        reference: the platform's own trace id (``fbtrace_id``, ``x-li-uuid``), for its support; None where it has none.
    """

    explanation: str

    def __init__(self, explanation: str, *, reference: str | None = None) -> None:
        super().__init__(explanation)
        self.explanation = explanation
        self.reference = reference


class AuthorizationFailed(PlatformError):
    """The authorization didn't come through; nothing is stored and the member is offered a new link."""


class ReconnectRequired(PlatformError):
    """Only the member can help, by connecting again: the grant is dead, or lacks a permission.

    Args:
        explanation: why, in plain words ("Facebook ended my access: the password was changed.").
        missing_scopes: the permissions that are missing, when that is the reason.
        reference: the platform's own trace id, if it gave one.
    """

    def __init__(self, explanation: str, *, missing_scopes: Sequence[str] = (), reference: str | None = None) -> None:
        super().__init__(explanation, reference=reference)
        self.missing_scopes = tuple(missing_scopes)


class MemberActionRequired(PlatformError):
    """The grant may be fine, but the member must do something at the platform first (checkpoint, role lost)."""


class OperatorActionRequired(PlatformError):
    """Our developer app is at fault (secret wrong, API version gone, no credits); the connection is not touched."""


class TokenExpired(PlatformError):
    """The access token was refused; the host refreshes once and tries again at once. Nothing was posted."""


class RateLimited(PlatformError):
    """The platform asks us to wait; nothing was posted and the attempt is not counted.

    Args:
        explanation: what was throttled, in plain words.
        until: when to try again, aware UTC.
        is_app_wide: whether our whole developer app is throttled, not just this account; another one that the platform
            has by a credential set is not.
        reference: the platform's own trace id, if it gave one.
    """

    def __init__(
        self, explanation: str, *, until: datetime, is_app_wide: bool = False, reference: str | None = None
    ) -> None:
        super().__init__(explanation, reference=reference)
        self.until = until
        self.is_app_wide = is_app_wide


class PlatformUnavailable(PlatformError):
    """The platform can't be reached or is broken, and nothing was posted: the host tries again later."""


class PostRejected(PlatformError):
    """The platform won't take this post as it is; the host gives up and shows the author what to change.

    Args:
        problems: what to change, worded for the author; at least one.
        reference: the platform's own trace id, if it gave one.
    """

    def __init__(self, *problems: Problem, reference: str | None = None) -> None:
        super().__init__(" ".join(problem.message for problem in problems), reference=reference)
        self.problems = problems


class OutcomeUnknown(PlatformError):
    """The post may be live or not: an answer got lost. The host looks it up or asks; it never retries blindly."""


class PreparationLost(PlatformError):
    """What ``prepare`` had made is gone at the platform (expired, deleted); nothing was posted, it is prepared anew."""


class PlatformEventRefused(PlatformError):
    """A callback that does not come from the platform, or can't be read: answered with 400, and nothing is done."""
