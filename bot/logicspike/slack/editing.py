"""The editor of scheduled posts: opened from a post's Edit button or by its id, saved with a truthful answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.models.views import View

from ..domain import Member
from ..services.addressing import ScheduleProblem
from ..services.editing import ChangedMeanwhile, Editable, Edited, EditRequest, NotEdited, TooLate
from . import messages, surface
from .clicks import Answer, Click
from .counting import CountingListeners
from .editor import EditorValues, editor, editor_loading, editor_notice, error_block, parse_editor
from .forms import Forms, Submitted, ack_errors
from .interaction import Interaction, read_interaction
from .mrkdwn import one_line, prose
from .services import SlackServices
from .views import composer_errors

__all__ = ["EditorListeners"]

_NO_TIME: Final = ScheduleProblem(field="when", message="Choose a date and time, or Now.")
_ERROR_UNITS: Final = 600
_SAVE_ANYWAY: Final = "Save again to replace that with what stands below, or close this form to leave it."


class EditorListeners:
    """Opens the editor and takes what was written in it.

    Args:
        services: the use cases.
        forms: opens modals and takes what was written in them.
        counting: says how long a text is.
    """

    def __init__(self, *, services: SlackServices, forms: Forms, counting: CountingListeners) -> None:
        self._services = services
        self._forms = forms
        self._counting = counting
        self.answers: Final[Mapping[str, Answer]] = {surface.POST_EDIT: Answer(self._on_edit)}

    async def _on_edit(self, click: Click) -> None:
        await self.open(click.interaction, click.value)

    async def open(self, interaction: Interaction, delivery_id: str) -> None:
        """Open the editor of one of the member's posts, or say why it can't be edited.

        Raises:
            SlackApiError: it could not be opened.
        """
        await self._forms.open(
            interaction,
            lambda: self._build(interaction.member, delivery_id),
            loading=editor_loading(),
            explain=editor_notice,
        )

    async def _build(self, member: Member, delivery_id: str) -> View:
        post = await self._services.editing.find(member, delivery_id)
        if post is None:
            suggestion = await self._services.scheduling.find_similar_id(member, delivery_id)
            return editor_notice(messages.no_such_post(suggestion, delivery_id).text)
        titles = self._services.titles()
        if not post.open:
            return editor_notice(prose(messages.too_late_words(TooLate(deliveries=post.gone), titles)))
        profile = await self._services.members.get_profile(member)
        count = await self._count(member, post, post.shown.unpublished_text)
        return editor(post, zone=profile.zone, titles=titles, count=count)

    async def _count(self, member: Member, post: Editable, text: str) -> str:
        """How long a text is at the accounts that the post still goes to."""
        wanted = {each.connection_id for each in post.open}
        usable = await self._services.scheduling.list_usable(member)
        return self._counting.line(text, [each for each in usable if each.connection_id in wanted])

    async def on_edit_submitted(
        self, ack: AsyncAck, body: Mapping[str, Any], view: Mapping[str, Any], context: AsyncBoltContext
    ) -> None:
        """Check and save what was written; the form stays open with what is wrong, and closes when it is saved."""
        interaction = read_interaction(body, context)
        values = parse_editor(view)
        if not values.is_now and values.due_at is None:
            await ack_errors(ack, composer_errors([_NO_TIME]))
            return
        await self._forms.take(
            ack, interaction, lambda: self._save(interaction.member, values), block_id=error_block(values)
        )

    async def _save(self, member: Member, values: EditorValues) -> Submitted:
        profile = await self._services.members.get_profile(member)
        now, zone, titles = self._services.clock.now(), profile.zone, self._services.titles()
        result = await self._services.editing.save(
            EditRequest(
                author=member,
                delivery_id=values.delivery_id,
                revision=values.revision,
                text=values.text,
                due_at=values.due_at or now,
                is_now=values.is_now,
                zone=zone,
            )
        )
        match result:
            case Edited():
                return Submitted(message=messages.edit_saved(result, zone, now, titles))
            case NotEdited():
                errors = _at_fields(result, values)
                return Submitted(message=messages.not_edited(result, values.text), errors=errors)
            case ChangedMeanwhile():
                words = f"{messages.meanwhile_words(result, zone)} {_SAVE_ANYWAY}"
                text = result.now.shown.unpublished_text if values.text is None else values.text
                count = await self._count(member, result.now, text)
                again = editor(result.now, zone=zone, titles=titles, typed=values, notes=(words,), count=count)
                return Submitted(message=messages.changed_meanwhile(result, values.text, zone), view=again)
            case TooLate():
                words = one_line(f"Nothing was changed. {messages.too_late_words(result, titles)}", _ERROR_UNITS)
                message = messages.edit_too_late(result, values.text, titles)
                return Submitted(message=message, errors={error_block(values): words})
            case None:
                message = messages.no_such_post()
                return Submitted(message=message, errors={error_block(values): message.text})


def _at_fields(result: NotEdited, values: EditorValues) -> Mapping[str, str]:
    """What is wrong, at the fields that the form has."""
    errors = composer_errors(result.problems)
    if values.text is None and surface.BLOCK_TEXT in errors:
        about_text = errors.pop(surface.BLOCK_TEXT)
        errors[surface.BLOCK_AT] = " ".join(filter(None, (about_text, errors.get(surface.BLOCK_AT))))
    return errors
