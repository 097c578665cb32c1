"""What comes back from a plugin: whether it is what the hook promises, and what is said and done when it isn't."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from .plugin import (
    AccessReport,
    Account,
    AuthorizationFailed,
    AuthorizationLink,
    Credential,
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    Platform,
    PlatformError,
    PlatformEventOutcome,
    PlatformEventRefused,
    PlatformUnavailable,
    PostRejected,
    PreparationLost,
    Prepared,
    Problem,
    PublishedPost,
    RateLimited,
    ReconnectRequired,
    SetupLevel,
    SetupNote,
    TextLength,
    TokenExpired,
    TokenSet,
)

__all__ = ["fits", "is_expected", "report_bug", "report_timeout", "report_wrong_result", "to_failure"]

log = logging.getLogger(__name__)

# A bare PlatformError is not among them: it does not say what to do next.
_KNOWN_ERRORS: Final = (
    AuthorizationFailed,
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformUnavailable,
    PostRejected,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)


def fits(hook: str, result: object) -> bool:
    """Whether a hook returned what its specification says, in full: ids and tokens not empty, times aware."""
    return _PROMISES[hook](result)


def is_expected(hook: str, error: BaseException) -> bool:
    """Whether this error is one that the hook may raise."""
    match error:
        case AuthorizationFailed():
            return hook not in {"prepare", "publish"}
        case PreparationLost():
            return hook == "publish"
        case PlatformEventRefused():
            return hook == "receive"
        case RateLimited():
            return _is_aware(error.until)
        case _:
            return isinstance(error, _KNOWN_ERRORS)


def to_failure(platform: Platform, hook: str) -> PlatformError:
    """What to raise in place of a plugin's bug, or when its time is up."""
    if hook == "publish":
        return OutcomeUnknown(f"{platform.title} gave no clear answer; the post may be live or not.")
    return PlatformUnavailable(f"{platform.title} gave no usable answer. Please try again in a few minutes.")


def report_timeout(platform: Platform, hook: str, limit: timedelta) -> None:
    """Log that a hook took too long."""
    log.warning(
        "The %s plugin did not finish %s() within %d seconds.",
        platform.name,
        hook,
        limit.total_seconds(),
        extra={"event": "plugin.timeout", "platform": platform.name},
    )


def report_wrong_result(platform: Platform, hook: str, result: object) -> None:
    """Log that a hook returned something else than it promised: the type alone, the value may be a secret."""
    log.error(
        "The %s plugin has a bug: %s() returned something it must not (%s, or an empty id or token, or a naive time).",
        platform.name,
        hook,
        type(result).__name__,
        extra={"event": "plugin.bug", "platform": platform.name},
    )


def report_bug(platform: Platform, hook: str, error: BaseException) -> None:
    """Log what escaped a hook: its type and where it was raised, never its text, which may hold a token."""
    log.error(
        "The %s plugin has a bug: %s() raised %s.\n%s",
        platform.name,
        hook,
        type(error).__name__,
        "".join(traceback.format_tb(error.__traceback__)),
        extra={"event": "plugin.bug", "platform": platform.name},
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value) and _UNPAIRED.search(value) is None


_UNPAIRED: Final = re.compile("[\ud800-\udfff]")  # half of a pair: neither stored nor sent by anybody


def _is_aware(value: object) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def _is_link(value: object) -> bool:
    return isinstance(value, AuthorizationLink) and _is_text(value.url) and isinstance(value.carry, Mapping)


def _is_token_set(value: object) -> bool:
    if not isinstance(value, TokenSet) or not _is_text(value.access_token):
        return False
    has_refresh_token = value.refresh_token is None or _is_text(value.refresh_token)
    return has_refresh_token and (value.expires_at is None or _is_aware(value.expires_at))


def _is_credential(value: object) -> bool:
    if not isinstance(value, Credential) or not isinstance(value.account, Account):
        return False
    if value.grant_id is not None and not _is_text(value.grant_id):
        return False
    return _is_account(value.account) and _is_text_mapping(value.extra) and _is_token_set(value.tokens)


def _is_account(value: Account) -> bool:
    return (
        _is_text(value.id)
        and _is_text(value.name)
        and _is_text(value.kind)
        and all(each is None or isinstance(each, str) for each in (value.url, value.handle, value.picture))
    )


def _is_text_mapping(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(item, str) for pair in value.items() for item in pair)


def _is_published(value: object) -> bool:
    return isinstance(value, PublishedPost) and _is_text(value.id) and (value.url is None or _is_text(value.url))


def _is_prepared(value: object) -> bool:
    if not isinstance(value, Prepared) or not _is_text_mapping(value.handles):
        return False
    return value.expires_at is None or _is_aware(value.expires_at)


def _is_access_report(value: object) -> bool:
    if not isinstance(value, AccessReport) or not _is_each(_is_text)(value.scopes):
        return False
    return value.expires_at is None or _is_aware(value.expires_at)


def _is_event_outcome(value: object) -> bool:
    if not isinstance(value, PlatformEventOutcome) or not (value.answer is None or _is_text_mapping(value.answer)):
        return False
    return all(_is_each(_is_text)(grants) for grants in (value.ended_grants, value.erased_grants))


def _is_setup_note(value: object) -> bool:
    return isinstance(value, SetupNote) and isinstance(value.level, SetupLevel) and _is_text(value.message)


def _is_each(fits_one: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and all(fits_one(item) for item in value)
    )


_PROMISES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "validate": _is_each(lambda item: isinstance(item, Problem) and _is_text(item.message)),
    "measure": lambda value: isinstance(value, TextLength) and value.limit > 0,
    "inspect": _is_each(_is_setup_note),
    "authorize": _is_link,
    "exchange": _is_credential,
    "accounts": _is_each(_is_credential),
    "refresh": _is_token_set,
    "revoke": lambda _value: True,
    "check": _is_access_report,
    "receive": _is_event_outcome,
    "prepare": _is_prepared,
    "publish": _is_published,
    "find_published": lambda value: value is None or _is_published(value),
}
