"""The buttons on posts: cancel, show the list, and answer what the bot can't decide alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal

from ..domain import Member
from . import messages, surface
from .clicks import Answer, Click, Place
from .message import Message
from .services import SlackServices

__all__ = ["PostListeners"]


class PostListeners:
    """Answers the clicks on posts, and lists and cancels posts for the schedule command.

    Args:
        services: the use cases.
    """

    def __init__(self, *, services: SlackServices) -> None:
        self._services = services
        self.answers: Final[Mapping[str, Answer]] = {
            surface.POST_CANCEL: Answer(self._on_cancel, Place.ROW),
            surface.POST_LIST: Answer(self._on_list),
            surface.OUTCOME_LIVE: Answer(self._settle_unknown("live"), Place.MESSAGE),
            surface.OUTCOME_AGAIN: Answer(self._settle_unknown("again"), Place.MESSAGE),
            surface.OUTCOME_DROP: Answer(self._settle_unknown("drop"), Place.MESSAGE),
            surface.LATE_PUBLISH: Answer(self._settle_late("publish"), Place.ROW),
            surface.LATE_DROP: Answer(self._settle_late("drop"), Place.ROW),
        }

    async def list_posts(self, member: Member) -> Message:
        """The member's posts that are still to come or need something."""
        profile = await self._services.members.get_profile(member)
        deliveries = await self._services.scheduling.list_open(member)
        return messages.post_list(deliveries, profile.zone, self._services.clock.now(), self._services.titles())

    async def cancel(self, member: Member, delivery_id: str) -> Message:
        """Cancel a post, and say what came of it."""
        outcome = await self._services.scheduling.cancel(member, delivery_id)
        return messages.cancel_result(outcome, delivery_id, self._services.titles())

    async def _on_cancel(self, click: Click) -> Message:
        return await self.cancel(click.member, click.value)

    async def _on_list(self, click: Click) -> Message:
        return await self.list_posts(click.member)

    def _settle_unknown(self, answer: Literal["live", "again", "drop"]) -> Callable[[Click], Awaitable[Message]]:
        async def run(click: Click) -> Message:
            delivery_id, attempt_id = click.split()
            settled = await self._services.answering.settle_unknown(click.member, delivery_id, attempt_id, answer)
            return messages.unknown_result(settled, self._services.titles())

        return run

    def _settle_late(self, answer: Literal["publish", "drop"]) -> Callable[[Click], Awaitable[Message]]:
        async def run(click: Click) -> Message:
            settled = await self._services.answering.settle_late(click.member, click.value, answer)
            return messages.late_result(settled, self._services.titles())

        return run
