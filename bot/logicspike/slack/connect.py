"""The connect command and the buttons around accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from ..connectables import Connectable
from ..domain import Connection, Member
from ..services.connecting import DirectMessageFailed, NoSuchConnection
from ..services.disconnecting import AccountAmbiguous, AccountNotFound, DisconnectPlan, PostsOnDisconnect
from . import messages, surface
from .clicks import Answer, Click, Place
from .help import write_connect_help
from .interaction import Interaction, ack_with, read_interaction, read_typed, write_answer
from .manifest import CommandNames
from .message import Message
from .parsing import CONNECT_SUBCOMMANDS, ConnectAction, parse_connect, suggest_subcommand
from .replies import Replies
from .services import SlackServices

__all__ = ["ConnectListeners"]


class ConnectListeners:
    """Answers the connect command and the clicks on accounts.

    Args:
        services: the use cases.
        replies: runs the work and answers.
        commands: what the commands are called here.
    """

    def __init__(self, *, services: SlackServices, replies: Replies, commands: CommandNames) -> None:
        self._services = services
        self._replies = replies
        self._command = commands.connect
        self.answers: Final[Mapping[str, Answer]] = {
            surface.CONNECT_START: Answer(self._on_start),
            surface.CONNECT_RECONNECT: Answer(self._on_reconnect),
            surface.CONNECT_ASK_AGAIN: Answer(self._on_ask_again),
            surface.CONNECT_CHOOSE: Answer(self._on_choose, Place.MESSAGE),
            surface.CONNECT_LIST: Answer(self._on_list),
            surface.DISCONNECT_ASK: Answer(self._on_disconnect),
            surface.DISCONNECT_HOLD_POSTS: Answer(self._disconnect(PostsOnDisconnect.HOLD), Place.MESSAGE),
            surface.DISCONNECT_CANCEL_POSTS: Answer(self._disconnect(PostsOnDisconnect.CANCEL), Place.MESSAGE),
            surface.DISCONNECT_MOVE_POSTS: Answer(self._on_move_posts, Place.MESSAGE),
            surface.DISCONNECT_KEEP: Answer(self._on_keep, Place.MESSAGE),
        }

    # --- the command -------------------------------------------------------------------------------------------------

    async def on_connect(self, ack: AsyncAck, body: Mapping[str, Any], context: AsyncBoltContext) -> None:
        """Answer the connect command: at once where nothing has to be looked up, else behind the ack."""
        command = parse_connect(read_typed(body))
        interaction = read_interaction(body, context)
        match command.action:
            case ConnectAction.START:
                ack_with(ack, write_answer(self._start(interaction, command.platform or "")))
            case ConnectAction.REMOVE if command.account:
                account = command.account
                self._replies.start(interaction, lambda: self._ask_by_name(interaction.member, account))
                await ack()
            case ConnectAction.LIST | ConnectAction.REMOVE:  # without a name: each account with its Disconnect button
                self._replies.start(interaction, lambda: self._list(interaction.member))
                await ack()
            case _:
                ack_with(ack, self._write_help())

    def _write_help(self) -> str:
        return write_connect_help(self._command, platform=self._services.find_ready_platform() or "<platform>")

    def _start(self, interaction: Interaction, typed: str) -> Message:
        """Say at once that a link is on its way, and send it; or why there will be none."""
        platforms = self._services.platforms
        asked = platforms.find_connectable(typed)
        if asked is None:
            return self._unknown(typed)
        if problems := platforms.problems(asked.platform, asked.credential_set):
            return messages.platform_not_ready(asked.title, " ".join(problems))
        self._replies.start(interaction, lambda: self._send_link(interaction.member, asked))
        return messages.connect_sending(asked.title)

    def _unknown(self, typed: str) -> Message:
        suggestion = self._services.platforms.suggest(typed)
        subcommand = suggest_subcommand(typed, CONNECT_SUBCOMMANDS)
        if suggestion is None and subcommand is not None:
            return messages.unknown_subcommand(self._command, typed, subcommand)
        return messages.unknown_platform(typed, suggestion, self._services.choices())

    # --- connecting --------------------------------------------------------------------------------------------------

    async def _send_link(
        self, member: Member, asked: Connectable, *, connection_id: str | None = None, is_rerequest: bool = False
    ) -> Message | None:
        """Send the private link; only its failure needs an answer of its own."""
        try:
            await self._services.connecting.start(
                member,
                asked.platform,
                credential_set=asked.credential_set,
                connection_id=connection_id,
                is_rerequest=is_rerequest,
            )
        except DirectMessageFailed:
            return messages.link_not_delivered(asked.title)
        return None

    async def _on_start(self, click: Click) -> Message | None:
        asked = self._services.platforms.find_connectable(click.value)
        if asked is None:
            return self._unknown(click.value)
        failure = await self._send_link(click.member, asked)
        return failure or self._say_sent(click, asked.title)

    async def _on_ask_again(self, click: Click) -> Message | None:
        typed, _, connection_id = click.value.partition(":")
        asked = self._services.platforms.find_connectable(typed)
        if asked is None:
            return self._unknown(typed)
        failure = await self._send_link(click.member, asked, connection_id=connection_id or None, is_rerequest=True)
        return failure or self._say_sent(click, asked.title)

    def _say_sent(self, click: Click, title: str) -> Message | None:
        """Point to the link; a click in a form is answered by direct message, where the link itself is already."""
        return messages.connect_sending(title) if click.interaction.response_url else None

    async def _on_reconnect(self, click: Click) -> Message | None:
        connection = await self._find(click.member, click.value)
        asked = self._services.platforms.get_connectable(connection.platform, connection.credential_set)
        failure = await self._send_link(click.member, asked, connection_id=connection.connection_id)
        return failure or self._say_sent(click, asked.platform_title)

    async def _on_choose(self, click: Click) -> Message:
        connection_id, position = click.split()
        if not position.isdecimal():
            raise NoSuchConnection
        notice = await self._services.connecting.choose(click.member, connection_id, int(position))
        profile = await self._services.members.get_profile(click.member)
        now = self._services.clock.now()
        return messages.render_notice(notice, zone=profile.zone, now=now, titles=self._services.titles())

    # --- looking -----------------------------------------------------------------------------------------------------

    async def _on_list(self, click: Click) -> Message:
        return await self._list(click.member)

    async def _list(self, member: Member) -> Message:
        profile = await self._services.members.get_profile(member)
        connections = await self._services.disconnecting.list_connections(member)
        return messages.connect_list(
            connections, self._services.choices(), member.user_id, profile.zone, self._services.clock.now()
        )

    async def _find(self, member: Member, connection_id: str) -> Connection:
        connections = await self._services.disconnecting.list_connections(member)
        found = next((each for each in connections if each.connection_id == connection_id), None)
        if found is None:
            raise NoSuchConnection
        return found

    # --- disconnecting -----------------------------------------------------------------------------------------------

    async def _ask_by_name(self, member: Member, account: str) -> Message:
        try:
            plan = await self._services.disconnecting.plan(member, account)
        except AccountNotFound as error:
            return messages.account_not_found(error.typed, error.suggestion)
        except AccountAmbiguous as error:
            return messages.account_ambiguous(error.typed, error.options, self._services.titles())
        return await self._ask(member, plan)

    async def _on_disconnect(self, click: Click) -> Message:
        return await self._ask(click.member, await self._services.disconnecting.plan_for(click.member, click.value))

    async def _ask(self, member: Member, plan: DisconnectPlan) -> Message:
        profile = await self._services.members.get_profile(member)
        return messages.disconnect_question(plan, profile.zone, self._services.clock.now(), self._services.titles())

    def _disconnect(self, posts: PostsOnDisconnect) -> Callable[[Click], Awaitable[Message]]:
        async def run(click: Click) -> Message:
            done = await self._services.disconnecting.disconnect(click.member, click.value, posts=posts)
            return messages.disconnected(done, self._services.titles())

        return run

    async def _on_move_posts(self, click: Click) -> Message:
        connection_id, move_to = click.split()
        done = await self._services.disconnecting.disconnect(
            click.member, connection_id, posts=PostsOnDisconnect.MOVE, move_to=move_to
        )
        return messages.disconnected(done, self._services.titles())

    async def _on_keep(self, click: Click) -> Message:
        return messages.account_kept(await self._find(click.member, click.value), self._services.titles())
