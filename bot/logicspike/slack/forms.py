"""Modals: opened at once and filled in a moment later, and taken in within Slack's patience."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.models.views import View

from .interaction import Interaction
from .message import Message
from .replies import Replies
from .services import SlackServices

__all__ = ["SUBMIT_BUDGET", "Forms", "Submitted", "ack_errors"]

SUBMIT_BUDGET: Final = timedelta(seconds=2.2)
"""How long a submitted form may stay open while it is checked; less than what Slack waits for an answer."""

_CALL_LIMIT: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What came of a submission.

    Attributes:
        message: what is said once the form is closed; it stands on its own, with whatever was typed.
        errors: what is wrong, by block: with any, the form stays open.
        view: what the form shows instead, and stays open.
    """

    message: Message
    errors: Mapping[str, str] = field(default_factory=dict)
    view: View | None = None


class Forms:
    """Opens modals and takes what was written in them.

    Args:
        services: the use cases.
        replies: runs the work and answers.
        budget: how long a submitted form may stay open while it is checked.
    """

    def __init__(self, *, services: SlackServices, replies: Replies, budget: timedelta = SUBMIT_BUDGET) -> None:
        self._services = services
        self._replies = replies
        self._budget = budget

    async def open(
        self,
        interaction: Interaction,
        build: Callable[[], Awaitable[View]],
        *,
        loading: View,
        explain: Callable[[str], View],
    ) -> None:
        """Open a form empty, since Slack gives us three seconds for that, and then fill it in.

        Args:
            interaction: whose click or command it answers.
            build: looks up what to fill in.
            loading: what is shown meanwhile.
            explain: the form that says why there is none.

        Raises:
            SlackApiError: it could not be opened.
        """
        async with asyncio.timeout(_CALL_LIMIT.total_seconds()):
            opened = await interaction.client.views_open(trigger_id=interaction.trigger_id, view=loading)
        try:
            view = await build()
        except Exception as error:
            view = explain(self._replies.explain(error, interaction).text)
        await self._update(interaction, opened["view"]["id"], view)

    async def _update(self, interaction: Interaction, view_id: str, view: View) -> None:
        try:
            async with asyncio.timeout(_CALL_LIMIT.total_seconds()):
                await interaction.client.views_update(view_id=view_id, view=view)
        except SlackApiError as error:
            if error.response.get("error") != "not_found":  # closed in the meantime
                raise

    async def take(
        self, ack: AsyncAck, interaction: Interaction, work: Callable[[], Awaitable[Submitted]], *, block_id: str
    ) -> None:
        """Do what a submission asks for, once: the form stays open with what is wrong, and closes when all is well.

        Args:
            ack: Slack's.
            interaction: whose submission it is.
            work: checks and carries out.
            block_id: the field at which a failure is told.
        """
        # A task of its own: what has begun is carried through even if Slack's patience ends before.
        task = self._services.tasks.spawn(self._try(interaction, work, block_id))
        await asyncio.wait({task}, timeout=self._budget.total_seconds())
        if not task.done():
            self._services.tasks.spawn(self._tell_later(interaction, task))
            await ack()
            return
        done = task.result()
        if done is None:
            await ack()
        elif done.errors:
            await ack_errors(ack, done.errors)
        elif done.view is not None:
            await ack(response_action="update", view=done.view)
        else:
            self._replies.tell(interaction, done.message)
            await ack()

    async def _tell_later(self, interaction: Interaction, task: asyncio.Task[Submitted | None]) -> None:
        done = await task
        if done is not None:
            await self._replies.send(interaction, done.message)

    async def _try(
        self, interaction: Interaction, work: Callable[[], Awaitable[Submitted]], block_id: str
    ) -> Submitted | None:
        """Do the work; None for a submission that was seen before."""
        try:
            if not await self._services.requests.is_first(interaction.request_id):
                return None
            return await work()
        except Exception as error:
            message = self._replies.explain(error, interaction)
            return Submitted(message=message, errors={block_id: message.text})


async def ack_errors(ack: AsyncAck, errors: Mapping[str, str]) -> None:
    """Keep a form open, with what is wrong at its fields."""
    await ack(response_action="errors", errors=dict(errors))
