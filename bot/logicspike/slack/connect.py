"""The connect command and the buttons around accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from ..domain import Member
from ..services.connecting import NoSuchConnection
from ..services.disconnecting import AccountAmbiguous, AccountNotFound, PostsOnDisconnect
from . import messages, surface
from .clicks import Answer, Click
from .interaction import Interaction, Unreadable, read_interaction
from .message import Message
from .parsing import ConnectAction, parse_connect
from .replies import Replies
from .services import SlackServices

__all__ = ["ConnectListeners"]


class ConnectListeners:
    """Answers the connect command and the clicks on accounts.

    Args:
        services: the use cases.
        replies: runs the work and answers.
    """

    def __init__(self, *, services: SlackServices, replies: Replies) -> None:
        self._services = services
        self._replies = replies
        self.answers: Final[Mapping[str, Answer]] = {
            surface.CONNECT_START: Answer(self._on_start),
            surface.CONNECT_RECONNECT: Answer(self._on_reconnect),
            surface.CONNECT_CHOOSE: Answer(self._on_choose, replaces=True),
            surface.CONNECT_LIST: Answer(self._on_list),
            surface.DISCONNECT_ASK: Answer(self._on_disconnect),
            surface.DISCONNECT_HOLD_POSTS: Answer(self._on_hold_posts, replaces=True),
            surface.DISCONNECT_CANCEL_POSTS: Answer(self._on_cancel_posts, replaces=True),
            surface.DISCONNECT_MOVE_POSTS: Answer(self._on_move_posts, replaces=True),
            surface.DISCONNECT_KEEP: Answer(self._on_keep, replaces=True),
        }

    async def on_connect(self, ack: AsyncAck, body: Mapping[str, Any], context: AsyncBoltContext) -> None:
        """Answer the connect command: at once where nothing has to be looked up, else behind the ack."""
        command = parse_connect(str(body.get("text") or ""))
        interaction = read_interaction(body, context)
        match command.action:
            case ConnectAction.START:
                await ack_with(ack, self._start(interaction, command.platform or ""))
            case ConnectAction.REMOVE if command.account:
                account = command.account
                self._replies.start(interaction, lambda: self._ask_by_name(interaction.member, account))
                await ack()
            case ConnectAction.LIST:
                self._replies.start(interaction, lambda: self._list(interaction.member))
                await ack()
            case _:
                await ack_with(ack, self._help())

    # --- connecting --------------------------------------------------------------------------------------------------

    def _start(self, interaction: Interaction, typed: str) -> Message:
        """Say at once that a link is on its way, and send it; or why there will be none."""
        platforms = self._services.platforms
        platform = platforms.find(typed)
        if platform is None:
            return messages.unknown_platform(typed, platforms.suggest(typed))
        if problems := platforms.problems(platform.name):
            return messages.platform_not_ready(platform.title, problems)
        self._replies.start(interaction, lambda: self._send_link(interaction.member, platform.name))
        return messages.connect_sending(platform.title)

    async def _send_link(self, member: Member, platform: str, connection_id: str | None = None) -> None:
        await self._services.connecting.start(member, platform, connection_id=connection_id)
