"""The work behind an answered request: done once, answered by the request's own address, never failing in silence."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeAlias

import aiohttp

from ..services.ports import RequestLog, StoreUnavailable
from ..tasks import Tasks
from .explaining import explain
from .interaction import Interaction
from .message import Message
from .messages import something_broke, try_again
from .notifier import DirectMessages

__all__ = ["Replies", "Work", "new_reference"]

log = logging.getLogger(__name__)

Work: TypeAlias = Callable[[], Awaitable[Message | None]]
"""Something to do after the ack; the message it returns is the answer."""

_POST_LIMIT: Final = timedelta(seconds=10)


class _NotBegun(Exception):
    """Whether the request is new could not be found out, so nothing was done."""


class Replies:
    """Runs what a request asks for and answers it.

    Args:
        session: the shared one.
        messages: for answers where the request brought no address, or where that has ended.
        requests: knows which requests were seen.
        tasks: runs the work.
    """

    def __init__(
        self, *, session: aiohttp.ClientSession, messages: DirectMessages, requests: RequestLog, tasks: Tasks
    ) -> None:
        self._session = session
        self._messages = messages
        self._requests = requests
        self._tasks = tasks

    def start(self, interaction: Interaction, work: Work, *, replaces: bool = False) -> None:
        """Do the work in the background, unless this very request was seen before, and send its answer.

        Args:
            interaction: whose request it is.
            work: what to do; its expected failures are answered with what they mean, others with a reference.
            replaces: put the answer in place of the message that was clicked; a failure never takes that place.

        Raises:
            TooBusy: nothing was started.
        """
        self._tasks.defer(lambda: self._run(interaction, work, replaces=replaces))

    def tell(self, interaction: Interaction, message: Message) -> None:
        """Send an answer in the background, whether the request was seen before or not.

        Raises:
            TooBusy: nothing was started.
        """
        self._tasks.defer(lambda: self.send(interaction, message))

    async def _run(self, interaction: Interaction, work: Work, *, replaces: bool) -> None:
        try:
            answer = await self._do_once(interaction, work)
        except Exception as error:
            await self.send(interaction, self.explain(error, interaction))
            return
        if answer is not None:
            await self.send(interaction, answer, replaces=replaces)

    async def _do_once(self, interaction: Interaction, work: Work) -> Message | None:
        try:
            is_first = await self._requests.is_first(interaction.request_id)
        except StoreUnavailable as error:
            raise _NotBegun from error
        return await work() if is_first else None

    def explain(self, error: Exception, interaction: Interaction) -> Message:
        """Word a failure; one that nobody expected is logged with the reference that the member is given."""
        if isinstance(error, _NotBegun):
            return try_again()
        if (message := explain(error)) is not None:
            return message
        reference = new_reference()
        log.error(
            "a request failed (reference %s)",
            reference,
            exc_info=error,
            extra={"event": "slack.failed", "reference": reference, "team_id": interaction.member.team_id},
        )
        return something_broke(reference)

    async def send(self, interaction: Interaction, message: Message, *, replaces: bool = False) -> None:
        """Answer by the request's own address, for the member's eyes only; by direct message where that fails."""
        url = interaction.response_url
        plain = message.without_pictures()
        is_taken = url is not None and (
            await self._post(url, message, replaces) or (plain is not None and await self._post(url, plain, replaces))
        )
        if not is_taken:
            await self._messages.send(interaction.member, message)

    async def _post(self, url: str, message: Message, replaces: bool) -> bool:
        # A replacement keeps the kind of the original: private stays private, a direct message stays one.
        kind = {"replace_original": True} if replaces else {"replace_original": False, "response_type": "ephemeral"}
        timeout = aiohttp.ClientTimeout(total=_POST_LIMIT.total_seconds())
        try:
            async with self._session.post(
                url, json={**message.to_payload(), **kind}, timeout=timeout, allow_redirects=False
            ) as response:
                if response.status == 200:
                    return True
                reason = f"HTTP {response.status}"
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            reason = type(error).__name__
        log.warning("an answer was not taken by its address: %s", reason, extra={"event": "slack.reply_failed"})
        return False


def new_reference() -> str:
    """Make a short reference by which a member's report is found in the log."""
    return secrets.token_hex(4)
