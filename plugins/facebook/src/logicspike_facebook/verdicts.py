"""A refusal of the Graph API, parsed, and what can follow from one: a builder for each kind of outcome."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from logicspike.plugin import (
    AuthorizationFailed,
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformContext,
    PlatformError,
    PostRejected,
    Problem,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
    oauth2,
)

__all__ = [
    "Call",
    "ErrorRow",
    "GraphError",
    "expired",
    "member_action",
    "missing_permission",
    "operator",
    "parse_graph_error",
    "rate_limited",
    "reconnect",
    "rejected",
    "sign_in_refused",
    "unclear",
]

# The limits count over a rolling hour, and calling while throttled makes the pause longer
# (developers.facebook.com/docs/graph-api/overview/rate-limiting, checked 2026-11-23).
_PAUSE: Final = timedelta(hours=1)
_LONGEST_PAUSE: Final = timedelta(hours=24)
_MAX_SHOWN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphError:
    """An error answer of the Graph API.

    Attributes:
        code: Facebook's number for the kind of error.
        subcode: its number for the case, where there is one.
        message: for developers; compared as a whole only, never searched and never shown.
        user_message: what Facebook wants people to read, at most 200 characters; "" where it says nothing.
        reference: Facebook's trace id, for its support.
        retry_at: when Facebook says that calls will be taken again.
    """

    code: int
    subcode: int | None
    message: str = field(repr=False)
    user_message: str = field(repr=False)
    reference: str | None
    retry_at: datetime | None

    @property
    def name(self) -> str:
        """The error's numbers for people to quote, such as ``100/33``."""
        return str(self.code) if self.subcode is None else f"{self.code}/{self.subcode}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What was tried when Facebook refused: the verdict depends on it.

    Attributes:
        ctx: the context the hook was given.
        needs: the permission the call stands on.
        can_renew: whether a refused Page token may be had anew without the member.
    """

    ctx: PlatformContext
    needs: str
    can_renew: bool = False


Verdict = Callable[["ErrorRow", GraphError, Call], PlatformError]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """One kind of refusal: how to know it, what it means, where it's documented.

    Attributes:
        codes: values of ``code`` it stands for; None for any.
        subcodes: values of ``error_subcode`` it stands for; None for any, and for none.
        numbers: values it stands for in either place, for those seen without a word on where they stood.
        message: the developer's message, whole, where nothing else tells the case.
        verdict: builds the error.
        explanation: what people read.
        field: which part of the post is refused.
        source: where this is documented or was seen, and when that was checked.
    """

    codes: Container[int] | None = None
    subcodes: Container[int] | None = None
    numbers: Container[int] | None = None
    message: str | None = None
    verdict: Verdict
    explanation: str
    field: str = "text"
    source: str

    def matches(self, error: GraphError) -> bool:
        """Whether this row is about the error."""
        if self.message is not None and self.message != error.message.strip().rstrip("."):
            return False
        if self.numbers is not None:
            return error.code in self.numbers or error.subcode in self.numbers
        is_code = self.codes is None or error.code in self.codes
        return is_code and (self.subcodes is None or error.subcode in self.subcodes)


# --- reading an answer -----------------------------------------------------------------------------------------------


def parse_graph_error(reply: oauth2.Reply, now: datetime) -> GraphError | None:
    """Read Facebook's error envelope; None when the answer isn't one (a proxy's page, a cut answer)."""
    error = reply.object.get("error")
    if not isinstance(error, dict) or type(error.get("code")) is not int:
        return None
    subcode = error.get("error_subcode")
    return GraphError(
        code=error["code"],
        subcode=subcode if type(subcode) is int else None,
        message=_text(error.get("message")),
        user_message=_shorten(_text(error.get("error_user_msg"))),
        reference=_text(error.get("fbtrace_id")) or None,
        retry_at=_retry_at(reply, now),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _retry_at(reply: oauth2.Reply, now: datetime) -> datetime | None:
    minutes = max(_regain_minutes(reply.headers.get("X-Business-Use-Case-Usage", "")), default=0)
    if minutes > 0:
        return now + min(timedelta(minutes=minutes), _LONGEST_PAUSE)
    return oauth2.retry_after(reply, now) if "Retry-After" in reply.headers else None


def _regain_minutes(header: str) -> Iterator[int]:
    # {"<id>": [{"type": "pages", …, "estimated_time_to_regain_access": minutes}]}
    # (developers.facebook.com/docs/graph-api/overview/rate-limiting, checked 2026-11-23)
    for usages in _parse_object(header).values():
        for usage in usages if isinstance(usages, list) else ():
            minutes = usage.get("estimated_time_to_regain_access") if isinstance(usage, dict) else None
            if type(minutes) is int:
                # Beyond a day the number only has to stay small enough to count with.
                yield min(minutes, 24 * 60)


def _parse_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


# --- what can follow -------------------------------------------------------------------------------------------------


def reconnect(row: ErrorRow, error: GraphError, _call: Call) -> PlatformError:
    """The grant is dead."""
    return ReconnectRequired(row.explanation, reference=error.reference)


def expired(row: ErrorRow, error: GraphError, call: Call) -> PlatformError:
    """The token is over; a Page's token can be read anew while the member's own is alive."""
    if call.can_renew:
        return TokenExpired("Facebook says that the Page's access has expired.", reference=error.reference)
    return reconnect(row, error, call)


def missing_permission(row: ErrorRow, error: GraphError, call: Call) -> PlatformError:
    """The grant is too small."""
    return ReconnectRequired(row.explanation, missing_scopes=(call.needs,), reference=error.reference)


def member_action(row: ErrorRow, error: GraphError, _call: Call) -> PlatformError:
    """The member must do something at Facebook."""
    return MemberActionRequired(_with_words(row.explanation, error), reference=error.reference)


def operator(row: ErrorRow, error: GraphError, _call: Call) -> PlatformError:
    """Our developer app is at fault."""
    return OperatorActionRequired(row.explanation, reference=error.reference)


def rate_limited(row: ErrorRow, error: GraphError, call: Call) -> PlatformError:
    """Wait as long as Facebook says, else an hour."""
    return RateLimited(row.explanation, until=error.retry_at or call.ctx.now + _PAUSE, reference=error.reference)


def rejected(row: ErrorRow, error: GraphError, _call: Call) -> PlatformError:
    """The post can't go out as it is."""
    problem = Problem(message=_with_words(row.explanation, error), field=row.field)
    return PostRejected(problem, reference=error.reference)


def unclear(row: ErrorRow, error: GraphError, _call: Call) -> PlatformError:
    """The post may be live, whatever the answer says."""
    return OutcomeUnknown(row.explanation, reference=error.reference)


def sign_in_refused(row: ErrorRow, error: GraphError, _call: Call) -> PlatformError:
    """The authorization came to nothing."""
    return AuthorizationFailed(row.explanation, reference=error.reference)


def _with_words(explanation: str, error: GraphError) -> str:
    return f"{explanation} Facebook says: {error.user_message}" if error.user_message else explanation
