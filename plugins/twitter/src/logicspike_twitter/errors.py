"""What X's errors mean for us: a table of rows, each with its source; the first row that matches wins.

X answers errors as problem documents, ``{"title", "detail", "type", "status"}``, here and there with an ``errors``
list of ``code`` and ``message`` from its older API. The host of ``type`` varies (api.x.com, api.twitter.com,
developer.x.com/…#name), so only its last segment counts. Details are compared whole, never searched for words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from logicspike.plugin import (
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformContext,
    PlatformError,
    PlatformUnavailable,
    PostRejected,
    Problem,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
    TokenSet,
    oauth2,
)

__all__ = ["ROWS", "SCOPES", "ErrorRow", "Meaning", "Refusal", "error_of", "is_dead_grant", "parse_refusal", "reset_at"]

SCOPES: Final = ("tweet.read", "users.read", "tweet.write", "offline.access")
"""What is asked for: the first three to publish and to read back, the last one for a refresh token."""

# X's windows last 15 minutes (docs.x.com/x-api/fundamentals/rate-limits, checked 2026-11-23).
_WINDOW: Final = timedelta(minutes=15)
_LONGEST_WAIT: Final = timedelta(days=1)
_PRINTABLE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9 _.-]{0,63}")


class Meaning(Enum):
    """What a refusal means for the host."""

    REJECTED = auto()
    """The post must change."""
    MEMBER = auto()
    """The member must do something at X."""
    OPERATOR = auto()
    """Our developer app must be put in order."""
    PERMISSION = auto()
    """The grant is too small, or X doesn't say; the granted scopes decide."""
    RECONNECT = auto()
    """Only a new grant helps."""
    RATE_LIMIT = auto()
    """Wait."""
    NOTHING_DONE = auto()
    """X stumbled before doing anything; the same call works later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error answer of X's API, parsed: absent fields are empty, ``code`` is 0."""

    status: int
    kind: str
    """The last segment of ``type``; empty for ``about:blank``."""
    title: str
    detail: str = field(repr=False)
    reason: str
    code: int
    reference: str | None

    @property
    def name(self) -> str:
        """What people can quote: X's own name of the error, else its status."""
        candidates = (self.kind, str(self.code) if self.code else "", self.title)
        named = (name for name in candidates if name.isdigit() or _PRINTABLE_NAME.fullmatch(name))
        return next(named, f"status {self.status}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """One kind of refusal: every field that is set must equal the refusal's."""

    meaning: Meaning
    explanation: str
    source: str
    kind: str | None = None
    title: str | None = None
    detail: str | None = None
    reason: str | None = None
    code: int | None = None

    def matches(self, refusal: Refusal) -> bool:
        """Whether this row is about the refusal."""
        signs = (
            (self.kind, refusal.kind),
            (self.title, refusal.title),
            (self.detail, refusal.detail),
            (self.reason, refusal.reason),
            (self.code, refusal.code),
        )
        return all(wanted is None or wanted == found for wanted, found in signs)


_NO_CREDITS: Final = (
    "The X developer account behind this bot has no credits left. An admin can buy credits at console.x.com; "
    "then try again."
)
_SPENT: Final = (
    "The X developer account behind this bot has reached its spending or usage limit. An admin can raise it at "
    "console.x.com, or wait for the next billing cycle."
)
_NOT_ENROLLED: Final = (
    "X does not let this bot's developer app use its API. An admin must attach the app to a project at "
    "console.x.com and check its access."
)
_READ_ONLY_APP: Final = (
    "This bot's developer app may only read at X. An admin must set its permissions to “Read and write” at "
    "console.x.com; then members connect X again."
)
_SUSPENDED: Final = "X has suspended this account. Open x.com with this account and follow what X says there."
_LOCKED: Final = "X has locked this account for now. Open x.com with this account and follow what X says there."
_TOO_SMALL: Final = "X no longer lets the bot publish for this account. Connect X again and allow everything it asks."
_DUPLICATE: Final = (
    "X refused this as a duplicate of a recent post. Change the text, or check that it isn't live already."
)
_NOT_PERMITTED: Final = (
    "X refused this post without saying which part. Usual causes: it is too long, it replies where that isn't allowed, "
    "or it mentions or links something X blocks. Change the text and try again."
)
_CASHTAG: Final = "X allows one cashtag (such as $ACME) in a post. Remove the others."
_BAD_LINK: Final = "X does not accept a link in this post. Check the addresses, or remove them."
_TOO_LONG: Final = "X says that this post is too long. Shorten it."
_SLOW_DOWN: Final = "X asks the bot to slow down for this account."
_INVALID: Final = "X could not accept this post as it is. Change the text and try again."
_STUMBLED: Final = "X did not recognise a valid sign-in for a moment. Nothing was posted."

_ERRORS_PAGE: Final = "docs.x.com/x-api/fundamentals/response-codes-and-errors, checked 2026-11-23"
_OLD_CODES: Final = "developer.twitter.com/en/docs/basics/response-codes, checked 2026-11-23"
_SEEN: Final = "observed, unattributed, 2026-11-23"

ROWS: Final[tuple[ErrorRow, ...]] = (
    ErrorRow(meaning=Meaning.OPERATOR, title="CreditsDepleted", explanation=_NO_CREDITS, source=_SEEN),
    ErrorRow(meaning=Meaning.OPERATOR, title="SpendCapReached", explanation=_SPENT, source=_SEEN),
    ErrorRow(meaning=Meaning.OPERATOR, kind="credits", explanation=_NO_CREDITS, source=_SEEN),
    ErrorRow(
        meaning=Meaning.OPERATOR,
        detail="Your account has hit its spending limit for this billing cycle",
        explanation=_SPENT,
        source=_SEEN,
    ),
    ErrorRow(meaning=Meaning.OPERATOR, kind="usage-capped", explanation=_SPENT, source=_ERRORS_PAGE),
    ErrorRow(meaning=Meaning.OPERATOR, title="UsageCapExceeded", explanation=_SPENT, source=_SEEN),
    ErrorRow(
        meaning=Meaning.OPERATOR,
        reason="client-not-enrolled",
        explanation=_NOT_ENROLLED,
        source="github.com/xdevplatform/samples/issues/160, checked 2026-11-23",
    ),
    ErrorRow(meaning=Meaning.OPERATOR, kind="client-forbidden", explanation=_NOT_ENROLLED, source=_ERRORS_PAGE),
    ErrorRow(meaning=Meaning.OPERATOR, kind="oauth1-permissions", explanation=_READ_ONLY_APP, source=_SEEN),
    ErrorRow(meaning=Meaning.OPERATOR, code=261, explanation=_READ_ONLY_APP, source=_OLD_CODES),
    ErrorRow(meaning=Meaning.OPERATOR, kind="app-suspended", explanation=_NOT_ENROLLED, source=_SEEN),
    ErrorRow(meaning=Meaning.MEMBER, kind="user-suspended", explanation=_SUSPENDED, source=_SEEN),
    ErrorRow(meaning=Meaning.MEMBER, code=64, explanation=_SUSPENDED, source=_OLD_CODES),
    ErrorRow(meaning=Meaning.MEMBER, code=326, explanation=_LOCKED, source=_OLD_CODES),
    # X sometimes loses track of what kind of token it was given and takes the same one a moment later.
    ErrorRow(
        meaning=Meaning.NOTHING_DONE,
        kind="unsupported-authentication",
        detail="Authenticating with Unknown is forbidden for this endpoint. Supported authentication types are "
        "[OAuth 1.0a User Context, OAuth 2.0 User Context]",
        explanation=_STUMBLED,
        source="github.com/10up/autoshare-for-twitter/issues/387, checked 2026-11-23",
    ),
    ErrorRow(
        meaning=Meaning.RECONNECT,
        kind="unsupported-authentication",
        explanation=_TOO_SMALL,
        source="github.com/plhery/node-twitter-api-v2/issues/475, checked 2026-11-23",
    ),
    ErrorRow(
        meaning=Meaning.PERMISSION,
        title="Forbidden",
        detail="Forbidden",
        explanation=_TOO_SMALL,
        source="github.com/plhery/node-twitter-api-v2/issues/265, checked 2026-11-23",
    ),
    ErrorRow(
        meaning=Meaning.REJECTED,
        detail="You are not allowed to create a Tweet with duplicate content",
        explanation=_DUPLICATE,
        source="github.com/akrherz/iembot/issues/163, checked 2026-11-23",
    ),
    ErrorRow(meaning=Meaning.REJECTED, code=187, explanation=_DUPLICATE, source=_OLD_CODES),
    ErrorRow(
        meaning=Meaning.REJECTED,
        detail="You are not permitted to perform this action",
        explanation=_NOT_PERMITTED,
        source="github.com/gitroomhq/postiz-app x.provider.ts, checked 2026-11-23",
    ),
    ErrorRow(
        meaning=Meaning.REJECTED,
        detail="Posts are limited to a maximum of one cashtag",
        explanation=_CASHTAG,
        source=_SEEN,
    ),
    ErrorRow(
        meaning=Meaning.REJECTED,
        detail="The Tweet contains an invalid URL",
        explanation=_BAD_LINK,
        source="github.com/gitroomhq/postiz-app x.provider.ts, checked 2026-11-23",
    ),
    ErrorRow(meaning=Meaning.REJECTED, code=186, explanation=_TOO_LONG, source=_OLD_CODES),
    ErrorRow(meaning=Meaning.RATE_LIMIT, kind="rate-limit-exceeded", explanation=_SLOW_DOWN, source=_ERRORS_PAGE),
    ErrorRow(meaning=Meaning.RATE_LIMIT, code=88, explanation=_SLOW_DOWN, source=_OLD_CODES),
    ErrorRow(meaning=Meaning.REJECTED, kind="invalid-request", explanation=_INVALID, source=_ERRORS_PAGE),
)


def parse_refusal(reply: oauth2.Reply) -> Refusal | None:
    """Read X's error envelope; None when the answer isn't one (a proxy's page, a cut answer)."""
    body = reply.object
    entry = _first_entry(body)
    # A bare list of problems, as in answers that half succeed, speaks through its first one.
    document = body if isinstance(body.get("title"), str) or isinstance(body.get("type"), str) else entry
    code = entry.get("code")
    if type(code) is not int and not isinstance(document.get("title"), str):
        return None
    return Refusal(
        status=reply.status,
        kind=_last_segment(_text(document, "type")),
        title=_text(document, "title"),
        detail=" ".join(_text(document, "detail").split()).rstrip("."),
        reason=_text(document, "reason"),
        code=code if type(code) is int else 0,
        reference=reply.headers.get("x-transaction-id"),
    )


def _first_entry(body: Mapping[str, Any]) -> Mapping[str, Any]:
    errors = body.get("errors")
    return errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


def _last_segment(type_uri: str) -> str:
    return "" if type_uri == "about:blank" else re.split(r"[/#]", type_uri)[-1]


def error_of(ctx: PlatformContext, reply: oauth2.Reply, tokens: TokenSet, *, creates: bool) -> PlatformError:
    """Tell what an answer that isn't the wished one means.

    Args:
        ctx: the context of the call.
        reply: X's answer.
        tokens: what the call was made with; the granted scopes tell a small grant from a blocked account.
        creates: whether the call publishes something, so that what can't be told for sure is ``OutcomeUnknown``.
    """
    if reply.status == 401:
        return TokenExpired("X refused the access token.")
    refusal = parse_refusal(reply) if 400 <= reply.status < 500 else None
    row = next((row for row in ROWS if refusal is not None and row.matches(refusal)), None)
    if refusal is not None and row is not None:
        return _by_row(ctx, reply, tokens, refusal, row, creates=creates)
    if reply.status == 429:
        return RateLimited(_SLOW_DOWN, until=reset_at(reply, ctx.now))
    return _by_default(reply, refusal, creates=creates)


def _by_row(
    ctx: PlatformContext, reply: oauth2.Reply, tokens: TokenSet, refusal: Refusal, row: ErrorRow, *, creates: bool
) -> PlatformError:
    reference = refusal.reference
    match row.meaning:
        case Meaning.REJECTED if creates:
            return PostRejected(Problem(message=row.explanation), reference=reference)
        case Meaning.MEMBER:
            return MemberActionRequired(row.explanation, reference=reference)
        case Meaning.OPERATOR:
            return OperatorActionRequired(row.explanation, reference=reference)
        case Meaning.PERMISSION | Meaning.RECONNECT:
            return _permission_error(tokens, row, reference)
        case Meaning.RATE_LIMIT:
            return RateLimited(row.explanation, until=reset_at(reply, ctx.now), reference=reference)
        case Meaning.NOTHING_DONE:
            return PlatformUnavailable(row.explanation, reference=reference)
        case _:
            return _by_default(reply, refusal, creates=creates)


def _permission_error(tokens: TokenSet, row: ErrorRow, reference: str | None) -> PlatformError:
    missing = tuple(scope for scope in SCOPES if scope not in tokens.scopes) if tokens.scopes else ()
    if row.meaning is Meaning.PERMISSION and tokens.scopes and not missing:
        # A new grant would have the same scopes: a lasting connection is not given up for an unexplained refusal.
        return MemberActionRequired(
            "X refused this without a reason. Open x.com with this account and see whether it is locked or limited.",
            reference=reference,
        )
    return ReconnectRequired(row.explanation, missing_scopes=missing, reference=reference)


def _by_default(reply: oauth2.Reply, refusal: Refusal | None, *, creates: bool) -> PlatformError:
    if not creates:
        name = refusal.name if refusal else f"status {reply.status}"
        return PlatformUnavailable(f"X gave no usable answer ({name}).", reference=_reference(reply))
    if refusal is None:
        return OutcomeUnknown(
            "X's answer got lost, so this post may be live. Look at the account at x.com before posting it again.",
            reference=_reference(reply),
        )
    return PostRejected(
        Problem(message=f"X refused this post ({refusal.name}). Change it, or ask an admin what this means."),
        reference=refusal.reference,
    )


def _reference(reply: oauth2.Reply) -> str | None:
    return reply.headers.get("x-transaction-id")


# The 24-hour headers were seen on answers to "create post"; only those used up say when to come back
# (docs.x.com/x-api/fundamentals/rate-limits for the first; the others as remembered, not re-read; written 2026-11-23).
_DAILY_LIMITS: Final = ("x-user-limit-24hour", "x-app-limit-24hour")


def reset_at(reply: oauth2.Reply, now: datetime) -> datetime:
    """Tell when X lets us call again: by its reset headers (Unix seconds), else ``Retry-After``, else in 15 minutes."""
    used_up = [name for name in _DAILY_LIMITS if reply.headers.get(f"{name}-remaining") == "0"]
    times = [_unix_time(reply.headers.get(f"{name}-reset")) for name in (used_up or ("x-rate-limit",))]
    known = [time for time in times if time is not None]
    if not known:
        return oauth2.retry_after(reply, now, default=_WINDOW)
    return min(max(now, *known), now + _LONGEST_WAIT)


def _unix_time(seconds: str | None) -> datetime | None:
    if seconds is None or not (seconds.isascii() and seconds.isdigit()) or len(seconds) > 11:
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


# X says that a refresh token is dead in the words of a malformed request; only the description tells them apart
# (observed in two public projects, unattributed; invalid_grant is accepted in case X follows RFC 6749 one day;
# checked 2026-11-23).
_DEAD_REFRESH_TOKEN: Final = ("invalid_request", "Value passed for the token was invalid.")


def is_dead_grant(error: oauth2.OAuthError) -> bool:
    """Tell whether the token endpoint's refusal means that only a new grant helps."""
    return error.error == "invalid_grant" or (error.error, error.description) == _DEAD_REFRESH_TOKEN
