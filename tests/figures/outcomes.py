"""What may become of a request to publish, as a platform's script for its next calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeAlias

from logicspike.plugin.errors import (
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformUnavailable,
    PostRejected,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)
from logicspike.plugin.types import Problem

from .local_platform import Entry, LocalPlatform
from .world import World

__all__ = ["KINDS", "PUBLISH_LIMIT", "Outcome", "make_hanging", "make_outcome"]

Outcome: TypeAlias = Callable[[Entry], Awaitable[None]]

PUBLISH_LIMIT: Final = timedelta(seconds=30)
KINDS: Final = (
    "accepted",
    "unavailable",
    "rate limit",
    "app-wide limit",
    "expired",
    "refused",
    "rejected",
    "member",
    "operator",
    "lost but live",
    "lost and not live",
    "bug but live",
    "bug",
)


def make_outcome(kind: str, platform: LocalPlatform, world: World) -> Outcome:
    """One that is known at once."""

    async def outcome(entry: Entry) -> None:
        if kind in {"accepted", "lost but live", "bug but live"}:
            platform.ledger.append(entry)
        match kind:
            case "unavailable":
                raise PlatformUnavailable("Down.")
            case "rate limit" | "app-wide limit":
                until = world.clock.now() + timedelta(seconds=40)
                raise RateLimited("Slow.", until=until, is_app_wide=kind == "app-wide limit")
            case "expired":
                raise TokenExpired("Expired.")
            case "refused":
                raise ReconnectRequired("Ended.")
            case "rejected":
                raise PostRejected(Problem(message="No."))
            case "member":
                raise MemberActionRequired("Do something.")
            case "operator":
                raise OperatorActionRequired("Our app.")
            case "lost but live" | "lost and not live":
                raise OutcomeUnknown("Lost.")
            case "bug but live" | "bug":
                raise RuntimeError("a bug in the plugin")

    return outcome


def make_hanging(
    platform: LocalPlatform, world: World, lands_after: int | None, answers_after: int, *, landed_late: set[str]
) -> Outcome:
    """An answer that comes late, or not before the limit, to a post that may land late, whoever waits for it by then.

    Args:
        platform: whose.
        world: its time.
        lands_after: seconds until the post is live; None if it never is.
        answers_after: seconds until the answer.
        landed_late: takes the text of a post that lands when nobody waits for it any more.
    """

    async def outcome(entry: Entry) -> None:
        started_at = world.clock.now()
        if lands_after is not None:
            if timedelta(seconds=lands_after) > PUBLISH_LIMIT:
                landed_late.add(entry.text)  # the next in line goes out when the limit is over
            world.at(started_at + timedelta(seconds=lands_after), lambda: platform.ledger.append(entry))
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        limit = min(timedelta(seconds=answers_after), PUBLISH_LIMIT)
        world.at(started_at + limit, lambda: None if answered.done() else answered.set_result(None))
        await answered
        is_answered = lands_after is not None and lands_after <= answers_after < PUBLISH_LIMIT.total_seconds()
        if not is_answered:
            raise OutcomeUnknown("No answer in time.")

    return outcome
