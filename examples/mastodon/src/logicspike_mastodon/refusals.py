"""What Mastodon's refusals mean. Its answers carry a status and a sentence in the member's language, no codes.

docs.joinmastodon.org/methods and the server's app/controllers/concerns/api/error_handling.rb, checked 2026-11.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from logicspike.plugin import (
    MemberActionRequired,
    PlatformContext,
    PlatformError,
    PlatformUnavailable,
    RateLimited,
    ReconnectRequired,
    oauth2,
)

__all__ = ["ENDED", "raise_for_access", "to_unavailable"]

ENDED: Final = "Mastodon ended my access: it was withdrawn there, or the password was changed."
_LONGEST_PAUSE: Final = timedelta(days=1)
_SHORTEST_PAUSE: Final = timedelta(seconds=1)


def raise_for_access(ctx: PlatformContext, reply: oauth2.Reply) -> None:
    """Raise what a refusal means that any call may meet.

    Raises:
        ReconnectRequired: 401. Tokens have no end and can't be renewed, so a refused one was withdrawn.
        MemberActionRequired: 403, for a suspended account, one not yet confirmed, or a rule of the server.
        RateLimited: 429.
    """
    match reply.status:
        case 401:
            raise ReconnectRequired(ENDED)
        case 403:
            raise MemberActionRequired(
                "Your Mastodon server doesn't let this account do that. Sign in there and see what it says: the "
                "address may have to be confirmed, or the account may be limited."
            )
        case 429:
            raise RateLimited("Your Mastodon server asks me to slow down.", until=_read_reset(ctx, reply))


def to_unavailable(reply: oauth2.Reply) -> PlatformError:
    """What any other answer means to a call that makes nothing public."""
    return PlatformUnavailable(f"Your Mastodon server answered with status {reply.status}. I'll try again.")


def _read_reset(ctx: PlatformContext, reply: oauth2.Reply) -> datetime:
    """When the limit is over, by ``X-RateLimit-Reset`` (ISO 8601, such as ``2026-11-25T10:05:00.000000Z``)."""
    try:
        reset = datetime.fromisoformat(reply.headers.get("X-RateLimit-Reset", ""))
        return min(max(reset, ctx.now + _SHORTEST_PAUSE), ctx.now + _LONGEST_PAUSE)
    except (ValueError, TypeError):  # no date, or one without a zone
        return oauth2.retry_after(reply, ctx.now, default=timedelta(minutes=5))
