"""The composer: opened at once and filled in a moment later, checked before it closes, confirmed by direct message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.models.views import View

from ..domain import Connection, Delivery, Draft, Member
from ..plugin.types import Media
from ..services.scheduling import (
    AccountQuestion,
    NotScheduled,
    Scheduled,
    ScheduleProblem,
    ScheduleRequest,
    ScheduleResult,
)
from . import messages, surface
from .attaching import Attached, attach
from .clicks import Answer, Click
from .counting import CountingListeners
from .file_fields import list_file_types
from .forms import Forms, Submitted, ack_errors
from .interaction import Interaction, read_interaction
from .message import Message
from .services import SlackServices
from .views import (
    ComposerValues,
    composer,
    composer_errors,
    composer_loading,
    composer_no_accounts,
    composer_notice,
    parse_composer,
)
from .wording import unpublished_media

__all__ = ["ComposerListeners", "Filling", "Prefill", "render_result"]

_POST_PREFIX: Final = "post:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefill:
    """What the composer holds when it opens."""

    text: str = ""
    connection_ids: tuple[str, ...] = ()
    due_at: datetime | None = None
    draft_id: str | None = None
    problems: tuple[ScheduleProblem, ...] = ()
    media: tuple[Media, ...] = ()


Filling: TypeAlias = Callable[[Sequence[Connection]], Awaitable[Prefill | None]]
"""Looks up what to fill in, given the member's accounts; None when what the button stood for is gone."""


class ComposerListeners:
    """Opens the composer and takes what was written in it.

    Args:
        services: the use cases.
        forms: opens modals and takes what was written in them.
        counting: says how long a text is.
    """

    def __init__(self, *, services: SlackServices, forms: Forms, counting: CountingListeners) -> None:
        self._services = services
        self._forms = forms
        self._counting = counting
        self.answers: Final[Mapping[str, Answer]] = {surface.SCHEDULE_OPEN: Answer(self._on_open)}

    # --- opening -----------------------------------------------------------------------------------------------------

    async def open(self, interaction: Interaction, fill: Filling) -> None:
        """Open the composer and fill it in.

        Raises:
            SlackApiError: it could not be opened.
        """
        await self._forms.open(
            interaction,
            lambda: self._build(interaction.member, fill),
            loading=composer_loading(),
            explain=composer_notice,
        )

    async def _build(self, member: Member, fill: Filling) -> View:
        accounts = await self._services.scheduling.list_usable(member)
        prefill = await fill(accounts)
        if prefill is None:
            return composer_notice(messages.draft_gone().text)
        if not accounts:
            return composer_no_accounts(self._services.choices(), prefill.draft_id)
        profile = await self._services.members.get_profile(member)
        chosen = [each for each in accounts if len(accounts) == 1 or each.connection_id in prefill.connection_ids]
        return composer(
            accounts=accounts,
            now=self._services.clock.now(),
            zone=profile.zone,
            selected=prefill.connection_ids,
            text=prefill.text,
            due_at=prefill.due_at,
            draft_id=prefill.draft_id,
            problems=prefill.problems,
            count=self._counting.line(prefill.text, chosen),
            file_types=self._list_file_types(accounts),
            kept_files=prefill.media,
            titles=self._services.titles(),
        )

    def _list_file_types(self, accounts: Iterable[Connection]) -> tuple[str, ...]:
        if not self._services.files.may_be_read:
            return ()
        return list_file_types(self._services.platforms, [each.platform for each in accounts])

    async def _on_open(self, click: Click) -> None:
        async def fill(accounts: Sequence[Connection]) -> Prefill | None:
            return await self._find_prefill(click.member, click.value, accounts)

        await self.open(click.interaction, fill)

    def match(self, typed: Iterable[str], accounts: Sequence[Connection]) -> tuple[str, ...]:
        """The connection ids that typed names stand for; a name that is none or could be several is left out.

        Args:
            typed: nicknames, and platforms' names.
            accounts: those the member may post with.
        """
        return tuple(found for each in typed for found in self._match_one(each, accounts))

    def _match_one(self, typed: str, accounts: Sequence[Connection]) -> tuple[str, ...]:
        name, meant = typed.casefold(), self._services.platforms.find_connectable(typed)
        exact = tuple(each.connection_id for each in accounts if each.nickname.casefold() == name)
        if exact or meant is None:
            return exact
        there = tuple(each.connection_id for each in accounts if meant.covers(each.platform, each.credential_set))
        return there if len(there) == 1 else ()

    async def _find_prefill(self, member: Member, value: str, accounts: Sequence[Connection]) -> Prefill | None:
        """What a button's value stands for: nothing, an earlier post, or a draft."""
        if not value:
            return Prefill()
        if value.startswith(_POST_PREFIX):
            delivery = await self._services.scheduling.find_delivery(member, value.removeprefix(_POST_PREFIX))
            if delivery is None:
                return None
            return await self._prefill_from(delivery)
        draft = await self._services.scheduling.find_draft(member, value)
        if draft is None:
            return None
        chosen = (*draft.connection_ids, *self.match(draft.accounts, accounts))
        return Prefill(
            text=draft.text, connection_ids=chosen, due_at=draft.due_at, draft_id=draft.draft_id, media=draft.media
        )

    async def _prefill_from(self, delivery: Delivery) -> Prefill:
        """What a post says; its files are kept with a draft, for a form can't be given any."""
        text, chosen, media = delivery.unpublished_text, (delivery.connection_id,), unpublished_media(delivery)
        draft = None
        if media:
            draft = await self._services.scheduling.save_draft(
                delivery.author, text, connection_ids=chosen, due_at=delivery.due_at, media=media
            )
        draft_id = draft.draft_id if draft is not None else None
        return Prefill(text=text, connection_ids=chosen, due_at=delivery.due_at, draft_id=draft_id, media=media)

    # --- submitting --------------------------------------------------------------------------------------------------

    async def on_schedule_submitted(
        self, ack: AsyncAck, body: Mapping[str, Any], view: Mapping[str, Any], context: AsyncBoltContext
    ) -> None:
        """Check and schedule what was written; the form stays open with what is wrong, and closes when all is well."""
        interaction = read_interaction(body, context)
        values = parse_composer(view)
        if not values.is_now and values.due_at is None:
            await ack_errors(ack, composer_errors([_NO_TIME]))
            return
        has_files = any(block.get("block_id") == surface.BLOCK_FILES for block in view.get("blocks") or ())
        await self._forms.take(
            ack,
            interaction,
            lambda: self._schedule(interaction.member, values, has_files=has_files),
            block_id=surface.BLOCK_TEXT,
        )

    async def _schedule(self, member: Member, values: ComposerValues, *, has_files: bool) -> Submitted:
        profile = await self._services.members.get_profile(member)
        now = self._services.clock.now()
        attached = await self._attach(member, values)
        if attached.problems:
            draft = await self._keep(member, values, attached)
            unsent = NotScheduled(draft=draft, problems=attached.problems)
            errors = composer_errors(attached.problems, has_files=has_files)
            return Submitted(message=messages.not_scheduled(unsent), errors=errors)
        result = await self._services.scheduling.schedule(
            ScheduleRequest(
                author=member,
                text=values.text,
                due_at=values.due_at or now,
                zone=profile.zone,
                connection_ids=values.connection_ids,
                draft_id=values.draft_id,
                media=attached.media,
            )
        )
        errors = composer_errors(result.problems, has_files=has_files) if isinstance(result, NotScheduled) else {}
        return Submitted(message=render_result(result, zone=profile.zone, services=self._services), errors=errors)

    async def _attach(self, member: Member, values: ComposerValues) -> Attached:
        if not values.files.keeps_files or values.draft_id is None:
            return await attach(values.files, (), self._services.files)
        draft = await self._services.scheduling.find_draft(member, values.draft_id)
        return await attach(values.files, draft.media if draft is not None else (), self._services.files)

    async def _keep(self, member: Member, values: ComposerValues, attached: Attached) -> Draft:
        """Keep what was written and those files that could be read."""
        return await self._services.scheduling.save_draft(
            member,
            values.text,
            connection_ids=values.connection_ids,
            due_at=values.due_at,
            draft_id=values.draft_id,
            media=attached.media,
        )


_NO_TIME: Final = ScheduleProblem(field="when", message="Choose a date and time, or Now.")


def render_result(result: ScheduleResult, *, zone: str, services: SlackServices) -> Message:
    """Word what came of scheduling."""
    match result:
        case Scheduled():
            return messages.schedule_confirmed(result, zone, services.clock.now(), services.titles())
        case AccountQuestion():
            return messages.account_question(result, services.titles())
        case NotScheduled():
            return messages.not_scheduled(result)
