"""The schedule command and the buttons on drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from ..domain import Connection, Draft, Member
from ..services.connecting import NoSuchConnection
from ..services.scheduling import NotScheduled, ScheduleProblem, ScheduleRequest
from . import messages, surface
from .clicks import Answer, Click, Place
from .composing import ComposerListeners, Prefill, render_result
from .editing import EditorListeners
from .help import write_schedule_help
from .interaction import Interaction, Unreadable, ack_with, read_interaction, read_typed, write_answer
from .manifest import CommandNames
from .message import Message
from .parsing import (
    SCHEDULE_SUBCOMMANDS,
    Moment,
    ScheduleAction,
    ScheduleCommand,
    WhenProblem,
    find_zone,
    parse_schedule,
    parse_when,
    suggest_subcommand,
)
from .posts import PostListeners
from .replies import Replies
from .services import SlackServices

__all__ = ["ScheduleListeners"]

_AT_ONCE: Final = timedelta(minutes=1)
_UTC: Final = ZoneInfo("UTC")
_NO_TIME: Final = ScheduleProblem(field="when", message="There is no time yet. Choose one in the form.")
_NOT_FOUND_TIME: Final = ScheduleProblem(
    field="when",
    message="I found no time before your text, so please choose one below, and check that the text is what you meant.",
)
_NOT_FOUND_EITHER: Final = ScheduleProblem(
    field="accounts",
    message=(
        "I found no account and no time before your text, so please choose them below, "
        "and check that the text is what you meant."
    ),
)


class ScheduleListeners:
    """Answers the schedule command and the clicks on drafts.

    Args:
        services: the use cases.
        replies: runs the work and answers.
        composer: opens the form.
        editor: opens the form of a post that is scheduled.
        posts: lists and cancels.
        commands: what the commands are called here.
    """

    def __init__(
        self,
        *,
        services: SlackServices,
        replies: Replies,
        composer: ComposerListeners,
        editor: EditorListeners,
        posts: PostListeners,
        commands: CommandNames,
    ) -> None:
        self._services = services
        self._replies = replies
        self._composer = composer
        self._editor = editor
        self._posts = posts
        self._command = commands.schedule
        self.answers: Final[Mapping[str, Answer]] = {
            surface.DRAFT_PICK_ACCOUNT: Answer(self._on_account_picked, Place.MESSAGE),
            surface.DRAFT_PICK_TIME: Answer(self._on_time_picked, Place.MESSAGE),
            surface.DRAFT_DISCARD: Answer(self._on_discard, Place.MESSAGE),
        }

    # --- the command -------------------------------------------------------------------------------------------------

    async def on_schedule(self, ack: AsyncAck, body: Mapping[str, Any], context: AsyncBoltContext) -> None:
        """Answer the schedule command: at once where nothing has to be looked up, else behind the ack."""
        command = parse_schedule(read_typed(body))
        interaction = read_interaction(body, context)
        if answer := self._answer_at_once(command):
            ack_with(ack, answer)
            return
        self._replies.start(interaction, lambda: self._run(interaction, command))
        await ack()

    def _answer_at_once(self, command: ScheduleCommand) -> str | None:
        match command:
            case ScheduleCommand(action=ScheduleAction.HELP):
                account = self._services.find_ready_platform() or "<account>"
                return write_schedule_help(self._command, account=account)
            case ScheduleCommand(action=ScheduleAction.POST, accounts=(word,), rest=""):
                suggestion = suggest_subcommand(word, SCHEDULE_SUBCOMMANDS)
                if suggestion is not None and self._services.platforms.find_connectable(word) is None:
                    return write_answer(messages.unknown_subcommand(self._command, word, suggestion))
        return None

    async def _run(self, interaction: Interaction, command: ScheduleCommand) -> Message | None:
        match command.action:
            case ScheduleAction.LIST:
                return await self._posts.list_posts(interaction.member)
            case ScheduleAction.EDIT if command.delivery_id is not None:
                await self._editor.open(interaction, command.delivery_id)
                return None
            case ScheduleAction.CANCEL | ScheduleAction.EDIT if command.delivery_id is None:
                return await self._posts.list_posts(interaction.member)  # each with its buttons
            case ScheduleAction.CANCEL:
                return await self._posts.cancel(interaction.member, command.delivery_id or "")
            case ScheduleAction.POST if command.accounts and self._has_time(command):
                return await self._post(interaction.member, command)
            case _:
                await self._open_composer(interaction, command)
                return None

    def _has_time(self, command: ScheduleCommand) -> bool:
        """Whether a time was typed; which one it is takes the member's zone, which takes too long for the composer."""
        when, _ = parse_when(command.rest, now=self._services.clock.now(), zone=_UTC)
        return when is not None

    async def _post(self, member: Member, command: ScheduleCommand) -> Message:
        profile = await self._services.members.get_profile(member)
        when, text = parse_when(command.rest, now=self._services.clock.now(), zone=find_zone(profile.zone))
        match when:
            case Moment(due_at=due_at):
                request = ScheduleRequest(
                    author=member, text=text, due_at=due_at, zone=profile.zone, accounts=command.accounts
                )
                return await self._schedule(request)
            case WhenProblem() as problem:
                draft = await self._services.scheduling.save_draft(
                    member, text, accounts=command.accounts, when=problem.typed
                )
                return messages.time_question(draft, problem, profile.zone)
            case None:
                draft = await self._services.scheduling.save_draft(member, text, accounts=command.accounts)
                return messages.not_scheduled(NotScheduled(draft=draft, problems=(_NO_TIME,)))

    async def _schedule(self, request: ScheduleRequest) -> Message:
        result = await self._services.scheduling.schedule(request)
        return render_result(result, zone=request.zone, services=self._services)

    # --- the composer, filled with what was typed --------------------------------------------------------------------

    async def _open_composer(self, interaction: Interaction, command: ScheduleCommand) -> None:
        async def fill(accounts: Sequence[Connection]) -> Prefill:
            return await self._fill(interaction.member, command, accounts)

        await self._composer.open(interaction, fill)

    async def _fill(self, member: Member, command: ScheduleCommand, accounts: Sequence[Connection]) -> Prefill:
        if command.action is not ScheduleAction.POST:
            return Prefill()
        profile = await self._services.members.get_profile(member)
        chosen = self._composer.match(command.accounts, accounts)
        is_known = bool(chosen) or any(self._services.platforms.find_connectable(typed) for typed in command.accounts)
        # When no word at the start is an account, the text just begins there.
        words = command.rest if is_known or not command.accounts else command.typed
        when, text = parse_when(words, now=self._services.clock.now(), zone=find_zone(profile.zone))
        due_at = when.due_at if isinstance(when, Moment) else None
        if not text:
            return Prefill(connection_ids=chosen, due_at=due_at)
        draft = await self._services.scheduling.save_draft(member, text, connection_ids=chosen, due_at=due_at)
        return Prefill(
            text=text,
            connection_ids=chosen,
            due_at=due_at,
            draft_id=draft.draft_id,
            problems=() if due_at else (_NOT_FOUND_TIME if is_known else _NOT_FOUND_EITHER,),
        )

    # --- drafts ------------------------------------------------------------------------------------------------------

    async def _on_account_picked(self, click: Click) -> Message:
        draft_id, connection_id = click.split()
        draft = await self._services.scheduling.find_draft(click.member, draft_id)
        if draft is None:
            return messages.draft_gone()
        picked = await self._find_usable(click.member, connection_id)
        now = self._services.clock.now()
        if draft.due_at is None:
            return messages.not_scheduled(NotScheduled(draft=draft, problems=(_NO_TIME,)))
        # What was meant to go out at once still goes out at once, however long the answer took.
        due_at = now if draft.due_at <= draft.created_at + _AT_ONCE else draft.due_at
        still_open = tuple(typed for typed in draft.accounts if not self._means(typed, picked))
        connection_ids = (*draft.connection_ids, connection_id)
        return await self._schedule_draft(draft, due_at, accounts=still_open, connection_ids=connection_ids)

    def _means(self, typed: str, connection: Connection) -> bool:
        meant = self._services.platforms.find_connectable(typed)
        return meant is not None and meant.covers(connection.platform, connection.credential_set)

    async def _find_usable(self, member: Member, connection_id: str) -> Connection:
        usable = await self._services.scheduling.list_usable(member)
        found = next((each for each in usable if each.connection_id == connection_id), None)
        if found is None:
            raise NoSuchConnection
        return found

    async def _on_time_picked(self, click: Click) -> Message:
        draft_id, seconds = click.split()
        if not (seconds.isascii() and seconds.isdecimal()) or len(seconds) > _LONGEST_TIME:
            raise Unreadable
        draft = await self._services.scheduling.find_draft(click.member, draft_id)
        if draft is None:
            return messages.draft_gone()
        due_at = datetime.fromtimestamp(int(seconds), UTC)
        return await self._schedule_draft(draft, due_at, accounts=draft.accounts, connection_ids=draft.connection_ids)

    async def _schedule_draft(
        self, draft: Draft, due_at: datetime, *, accounts: tuple[str, ...], connection_ids: tuple[str, ...]
    ) -> Message:
        profile = await self._services.members.get_profile(draft.author)
        request = ScheduleRequest(
            author=draft.author,
            text=draft.text,
            due_at=due_at,
            zone=profile.zone,
            accounts=accounts,
            connection_ids=connection_ids,
            draft_id=draft.draft_id,
            media=draft.media,
        )
        return await self._schedule(request)

    async def _on_discard(self, click: Click) -> Message:
        await self._services.scheduling.discard_draft(click.member, click.value)
        return messages.draft_discarded()


_LONGEST_TIME: Final = 11  # digits of Unix seconds, up to the year 5138
