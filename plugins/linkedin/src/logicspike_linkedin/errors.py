"""What LinkedIn's errors mean for us: tables of rows, each with its source; first match wins.

LinkedIn answers errors of its API with ``{"status", "message"}`` and one or more of ``code``, ``serviceErrorCode`` and
``errorDetails.inputErrors[].code``. Rows match these codes; a row without codes is for what is left of its status.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from logicspike.plugin import (
    AuthorizationFailed,
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

__all__ = [
    "IDENTITY_ROWS",
    "POSTING_SCOPE",
    "PUBLISH_ROWS",
    "Call",
    "ErrorRow",
    "Refusal",
    "TokenNotActiveYet",
    "identity_error",
    "parse_refusal",
    "permalink",
    "publish_error",
]

POSTING_SCOPE: Final = "w_member_social"

_BUSY_PAUSE: Final = timedelta(minutes=5)
_RESET_JITTER: Final = timedelta(minutes=5)
_POST_URN: Final = re.compile(r"urn:li:(?:share|ugcPost|activity):\d+")
_PRINTABLE_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

_REVOKED: Final[frozenset[str | int]] = frozenset({65601, "REVOKED_ACCESS_TOKEN"})
_EXPIRED: Final[frozenset[str | int]] = frozenset({65602, "EXPIRED_ACCESS_TOKEN"})


class TokenNotActiveYet(PlatformUnavailable):
    """A token that was issued moments ago is called revoked; a few seconds later LinkedIn takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error answer of LinkedIn's API, parsed."""

    status: int
    keys: frozenset[str | int]
    """``code``, ``serviceErrorCode`` and the codes of the single inputs, as far as given."""
    message: str = field(repr=False)
    reference: str | None
    retry_at: datetime | None
    """What a ``Retry-After`` header asks for; LinkedIn documents none."""

    @property
    def name(self) -> str:
        """The refusal's own code for people to quote, such as ``MISSING_FIELD``; else its status."""
        names = sorted(key for key in self.keys if isinstance(key, str) and _PRINTABLE_CODE.fullmatch(key))
        return names[0] if names else f"status {self.status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What was tried when LinkedIn refused: the verdict depends on it."""

    ctx: PlatformContext
    tokens: TokenSet = field(repr=False)
    is_fresh: bool
    """Whether the access token was issued within the last minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """One kind of refusal: how to know it, what it means, where it's documented."""

    status: int | None = None
    keys: frozenset[str | int] = frozenset()
    verdict: Callable[[Refusal, Call], PlatformError]
    source: str

    def matches(self, refusal: Refusal) -> bool:
        """Whether this row is about the refusal."""
        return self.status in {None, refusal.status} and (not self.keys or not self.keys.isdisjoint(refusal.keys))


def parse_refusal(reply: oauth2.Reply, now: datetime) -> Refusal | None:
    """Read LinkedIn's error envelope; None when the answer isn't one (a proxy's page, a cut answer)."""
    body = reply.object
    message = body.get("message")
    if not isinstance(message, str) or body.keys().isdisjoint({"status", "code", "serviceErrorCode"}):
        return None
    return Refusal(
        status=reply.status,
        keys=frozenset(_error_codes(body)),
        message=message,
        reference=reply.headers.get("x-li-uuid"),
        retry_at=oauth2.retry_after(reply, now) if "Retry-After" in reply.headers else None,
    )


def _error_codes(body: Any) -> Iterator[str | int]:
    details = body.get("errorDetails")
    inputs = details.get("inputErrors") if isinstance(details, dict) else None
    single = [entry.get("code") for entry in inputs if isinstance(entry, dict)] if isinstance(inputs, list) else []
    yield from (code for code in (body.get("code"), body.get("serviceErrorCode"), *single) if type(code) in {str, int})


def publish_error(reply: oauth2.Reply, call: Call) -> PlatformError:
    """Tell what an answer other than "created" means for a post; what can't be told for sure is ``OutcomeUnknown``."""
    refusal = parse_refusal(reply, call.ctx.now)
    if refusal is None or not 400 <= reply.status < 500 or reply.status == 408:
        return OutcomeUnknown(
            "LinkedIn gave no clear answer, so the post may be live. Look at your profile before posting it again.",
            reference=reply.headers.get("x-li-uuid"),
        )
    return _verdict(PUBLISH_ROWS, refusal, call) or _rejected_as(
        f"LinkedIn refused the post ({refusal.name}). Change the text or the link and schedule it again.", refusal
    )


def identity_error(reply: oauth2.Reply, call: Call) -> PlatformError:
    """Tell what a failed look at the member's identity means."""
    refusal = parse_refusal(reply, call.ctx.now)
    found = _verdict(IDENTITY_ROWS, refusal, call) if refusal is not None else None
    return found or PlatformUnavailable(
        "LinkedIn could not tell whose account this is. Please try again in a few minutes.",
        reference=reply.headers.get("x-li-uuid"),
    )


def _verdict(rows: tuple[ErrorRow, ...], refusal: Refusal, call: Call) -> PlatformError | None:
    return next((row.verdict(refusal, call) for row in rows if row.matches(refusal)), None)


def permalink(ctx: PlatformContext, urn: str) -> str:
    """The public address of a post, by its URN."""
    return f"{ctx.endpoints['auth']}/feed/update/{urn}/"


# --- verdicts --------------------------------------------------------------------------------------------------------


def _token_refused(refusal: Refusal, call: Call) -> PlatformError:
    if call.is_fresh and not _REVOKED.isdisjoint(refusal.keys):
        return _not_active_yet(refusal, call)
    if call.tokens.refresh_token is not None:
        return TokenExpired("LinkedIn refused the access token.", reference=refusal.reference)
    if not _EXPIRED.isdisjoint(refusal.keys):
        reason = "LinkedIn gives access for 60 days, and they are over."
    elif not _REVOKED.isdisjoint(refusal.keys):
        reason = "LinkedIn ended the bot's access: it was withdrawn in your LinkedIn settings, or given anew elsewhere."
    else:
        reason = "LinkedIn no longer accepts the bot's access."
    return ReconnectRequired(f"{reason} Connect LinkedIn again to go on.", reference=refusal.reference)


def _not_active_yet(refusal: Refusal, _call: Call) -> PlatformError:
    return TokenNotActiveYet(
        "LinkedIn needs a moment until new access works. Please try again in a minute.", reference=refusal.reference
    )


def _permission_missing(refusal: Refusal, _call: Call) -> PlatformError:
    return ReconnectRequired(
        "LinkedIn says this connection may not post. Connect LinkedIn again and allow posting; if that changes "
        "nothing, ask an admin whether the LinkedIn app still has the product “Share on LinkedIn”.",
        missing_scopes=(POSTING_SCOPE,),
        reference=refusal.reference,
    )


def _duplicate(refusal: Refusal, call: Call) -> PlatformError:
    urn = _POST_URN.search(refusal.message)
    existing = f" It is already live: {permalink(call.ctx, urn[0])}" if urn else ""
    return _rejected_as(
        f"LinkedIn has this very post from you already and won't publish it twice.{existing} "
        "To post it anew, change the text.",
        refusal,
    )


def _too_long(refusal: Refusal, _call: Call) -> PlatformError:
    return _rejected_as("LinkedIn finds the text too long. Shorten it and schedule it again.", refusal)


def _version_gone(refusal: Refusal, call: Call) -> PlatformError:
    return OperatorActionRequired(
        f"LinkedIn no longer serves version {call.ctx.settings['version']} of its API. An admin needs to set "
        "LINKEDIN_VERSION to a current one, such as last month's (YYYYMM).",
        reference=refusal.reference,
    )


def _conflict(refusal: Refusal, _call: Call) -> PlatformError:
    return PlatformUnavailable("LinkedIn was busy with this account; nothing was posted.", reference=refusal.reference)


def _day_is_used_up(refusal: Refusal, call: Call) -> PlatformError:
    now = call.ctx.now
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    # Everyone's quota comes back at the same instant; the odd part of the clock spreads us over some minutes.
    jitter = _RESET_JITTER * (now.microsecond / 1_000_000)
    return RateLimited(
        "LinkedIn's limit for today is used up; it starts anew at 00:00 UTC.",
        until=refusal.retry_at or midnight + jitter,
        reference=refusal.reference,
    )


def _busy(refusal: Refusal, call: Call) -> PlatformError:
    return RateLimited(
        "LinkedIn asks us to slow down.",
        until=refusal.retry_at or call.ctx.now + _BUSY_PAUSE,
        reference=refusal.reference,
    )


def _sign_in_refused(refusal: Refusal, _call: Call) -> PlatformError:
    return AuthorizationFailed("LinkedIn did not accept the sign-in. Please try again.", reference=refusal.reference)


def _sign_in_product_missing(refusal: Refusal, _call: Call) -> PlatformError:
    return OperatorActionRequired(
        "LinkedIn doesn't let the bot read who signed in. An admin needs to add the product “Sign In with LinkedIn "
        "using OpenID Connect” to the LinkedIn app.",
        reference=refusal.reference,
    )


def _rejected_as(message: str, refusal: Refusal) -> PostRejected:
    return PostRejected(Problem(message=message), reference=refusal.reference)


# --- the tables ------------------------------------------------------------------------------------------------------

_THROTTLED: Final = (
    ErrorRow(
        status=429,
        keys=frozenset({101}),
        verdict=_day_is_used_up,
        source="learn.microsoft.com/linkedin/shared/api-guide/concepts/rate-limits; the code by "
        "learn.microsoft.com/linkedin/shared/api-guide/concepts/decoration, checked 2026-11-23",
    ),
    ErrorRow(
        status=429,
        verdict=_busy,
        source="learn.microsoft.com/linkedin/shared/api-guide/concepts/rate-limits (infrastructure protection), "
        "checked 2026-11-23",
    ),
)

PUBLISH_ROWS: Final = (
    ErrorRow(
        keys=frozenset({"DUPLICATE_POST"}),
        verdict=_duplicate,
        source="github.com/Arisamiga/Linkedin-RSS/issues/5 (status 422), checked 2026-11-23",
    ),
    ErrorRow(
        keys=frozenset({"FIELD_LENGTH_TOO_LONG"}),
        verdict=_too_long,
        source="learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api (status 400), "
        "checked 2026-11-23",
    ),
    ErrorRow(
        keys=frozenset({"NONEXISTENT_VERSION", "VERSION_MISSING"}),
        verdict=_version_gone,
        source="learn.microsoft.com/linkedin/marketing/versioning (statuses 426 and 400); body by "
        "github.com/n8n-io/n8n/issues/28967, checked 2026-11-23",
    ),
    ErrorRow(
        status=426,
        verdict=_version_gone,
        source="learn.microsoft.com/linkedin/marketing/versioning, checked 2026-11-23",
    ),
    # "Fresh token, revoked": github.com/jclusso/omniauth-linkedin-openid/issues/6 and
    # github.com/tomasvotava/fastapi-sso/issues/196. The codes are 65600 (invalid), 65601 (revoked) and 65602 (expired);
    # a 401 without any is about the token as well.
    ErrorRow(
        status=401,
        verdict=_token_refused,
        source="learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling, checked 2026-11-23",
    ),
    ErrorRow(
        status=403,
        keys=frozenset({"ACCESS_DENIED", 100}),
        verdict=_permission_missing,
        source="learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling, checked 2026-11-23",
    ),
    ErrorRow(
        keys=frozenset({"CONFLICT"}),
        verdict=_conflict,
        source="learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api (status 409), "
        "checked 2026-11-23",
    ),
    *_THROTTLED,
)

IDENTITY_ROWS: Final = (
    ErrorRow(
        status=401,
        keys=_REVOKED,
        verdict=_not_active_yet,
        source="github.com/jclusso/omniauth-linkedin-openid/issues/6, "
        "github.com/tomasvotava/fastapi-sso/issues/196, checked 2026-11-23",
    ),
    ErrorRow(
        status=401,
        verdict=_sign_in_refused,
        source="learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling, checked 2026-11-23",
    ),
    ErrorRow(
        status=403,
        keys=frozenset({"ACCESS_DENIED", 100}),
        verdict=_sign_in_product_missing,
        source="learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling, checked 2026-11-23",
    ),
    *_THROTTLED,
)
