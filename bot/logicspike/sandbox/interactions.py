"""What members do in the small Slack: commands, clicks, choices, modals, shortcuts; the bot gets Slack's requests."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from . import slack_payloads as payloads
from .block_rules import check_view, elements_of, options_of
from .slack_files import FakeFiles
from .slack_out import BotAnswer, Outbox, Sent, Triggers
from .slack_responses import ResponseRefused, ResponseUrls
from .slack_state import GENERAL, SLACK, Conversation, Json, Message, Workspace
from .slack_views import MAX_STACK, Answers, View, Views, element_state, missing_answers, state_of

__all__ = ["Interactions", "SubmitResult"]

_TROUBLE: Final = "We had some trouble connecting. Try again?"

SubmitAction = Literal["closed", "incomplete", "errors", "updated", "pushed", "cleared", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitResult:
    """What became of a modal that was submitted.

    Attributes:
        action: ``incomplete`` when Slack's own client refused (nothing was sent); ``failed`` when the bot gave no
            usable answer; else what the bot asked for.
        errors: complaints by ``block_id``.
        view: the view the member sees now, or None.
        answer: the bot's answer, or None when nothing was sent.
    """

    action: SubmitAction
    errors: Mapping[str, str] = field(default_factory=dict)
    view: View | None = None
    answer: BotAnswer | None = None


class Interactions:
    """Turns what a member does into a signed request, and the bot's answer into what the member sees."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        files: FakeFiles,
        outbox: Outbox,
        real_time: Callable[[], float],
        timer: Callable[[], float],
    ) -> None:
        self.workspace = workspace
        self.files = files
        self.views = Views(workspace.changes, real_time)
        self._outbox = outbox
        self._triggers = Triggers(timer)
        self._responses = ResponseUrls(workspace)
        self._choices: dict[tuple[str, str, str], dict[tuple[str, str], Json]] = {}
        self.base_url = "http://127.0.0.1"

    async def command(self, user_id: str, name: str, text: str = "", *, channel_id: str = GENERAL) -> BotAnswer:
        """Send a slash command, for instance ``("U0ANA", "/connect", "chirp")``; its answer's body is shown."""
        conversation = self._conversation(user_id, channel_id)
        via = f"{name} {text}".strip()
        response_id = self._responses.issue(user_id=user_id, channel=channel_id, via=via)
        trigger_id = self._triggers.issue(user_id)
        sent = payloads.command(
            member=self.workspace.members[user_id],
            conversation=conversation,
            name=name,
            text=text,
            response_url=self._response_url(response_id),
            trigger_id=trigger_id,
        )
        answer = await self._outbox.send(sent)
        message = self._show_answer(answer, user_id, channel_id, name, response_id)
        return replace(answer, message=message, trigger_id=trigger_id, response_url=self._response_url(response_id))

    async def click(
        self, user_id: str, where: Message | View, action_id: str, value: Any = None, *, block_id: str | None = None
    ) -> BotAnswer:
        """Click a button, or choose ``value`` in a select, overflow, radio, checkbox or date-time element.

        Of several elements with the same ``action_id``, ``value`` also says which button: by its value or its label.
        A ``Message`` from before an edit is clicked as it looked then: a stale card.

        Raises:
            LookupError: no such element, or no such option.
        """
        block, element = _find_element(where, action_id, value, block_id)
        entry = _action_entry(element, value)
        action = {"block_id": block["block_id"], "action_id": element.get("action_id", action_id)} | entry
        action["action_ts"] = self._action_ts()
        trigger_id = self._triggers.issue(user_id)
        if isinstance(where, View):
            return await self._click_in_view(user_id, where, element, action, trigger_id)
        return await self._click_in_message(user_id, where, action, trigger_id)

    async def _click_in_message(self, user_id: str, where: Message, action: Json, trigger_id: str) -> BotAnswer:
        conversation = self._conversation(user_id, where.channel)
        response_id = self._responses.issue(user_id=user_id, channel=where.channel, original_ts=where.ts)
        url = self._response_url(response_id)
        sent = payloads.block_actions(
            member=self.workspace.members[user_id],
            conversation=conversation,
            where=where,
            action=action,
            values=self._remember_choice(user_id, where, action),
            trigger_id=trigger_id,
            response_url=url,
        )
        answer = await self._outbox.send(sent)
        self._show_failure(answer, user_id, where.channel, "That click")
        return replace(answer, trigger_id=trigger_id, response_url=url)

    async def _click_in_view(
        self, user_id: str, where: View, element: Json, action: Json, trigger_id: str
    ) -> BotAnswer:
        view = self.views.find(view_id=where.id) or where
        if element["type"] not in ("button", "overflow") and self.views.find(view_id=view.id):
            entry = {key: value for key, value in action.items() if key not in ("block_id", "action_id", "action_ts")}
            values = {**view.values}
            values[action["block_id"]] = {**values.get(action["block_id"], {}), action["action_id"]: entry}
            view = self.views.note(view, values=values)
        sent = payloads.block_actions(
            member=self.workspace.members[user_id],
            conversation=None,
            where=view,
            action=action,
            values=view.values,
            trigger_id=trigger_id,
            response_url="",
        )
        answer = await self._outbox.send(sent)
        if not answer.is_ok and (current := self.views.find(view_id=view.id)):
            self.views.note(current, values=current.values, trouble=_TROUBLE)
        return replace(answer, trigger_id=trigger_id)

    def fill_view(self, user_id: str, answers: Answers) -> View:
        """Fill in the modal this member sees without submitting it, and return it so.

        Raises:
            LookupError: no modal is open, or an answer names no field or no option.
        """
        view = self._top(user_id)
        typed = {(b, a): entry for b, entries in view.values.items() for a, entry in entries.items()}
        values = state_of(view.blocks, self._with_files(view, answers), typed)
        return self.views.note(view, values=values, errors=view.errors, trouble=view.trouble)

    def _with_files(self, view: View, answers: Answers) -> Answers:
        """The answers, with whole files in place of their ids."""
        fields = [(b["block_id"], e["action_id"]) for b, e in elements_of(view.blocks) if e["type"] == "file_input"]
        chosen = {name: self.files.print_files(answers[name]) for both in fields for name in both if name in answers}
        return {**answers, **chosen}

    async def submit_view(self, user_id: str, answers: Answers | None = None) -> SubmitResult:
        """Fill in the modal this member sees and submit it.

        Args:
            user_id: the member.
            answers: by ``block_id`` or ``action_id``: a str, a list of option values or of uploaded files' ids, or an
                aware datetime; fields not named keep what was typed before, or what the bot filled in.

        Raises:
            LookupError: no modal is open, or an answer names no field or no option.
        """
        view = self.fill_view(user_id, answers or {})
        if problems := missing_answers(view.blocks, view.values):
            view = self.views.note(view, values=view.values, errors=problems)
            return SubmitResult(action="incomplete", errors=problems, view=view)
        trigger_id = self._triggers.issue(user_id)
        sent = payloads.view_submission(member=self.workspace.members[user_id], view=view, trigger_id=trigger_id)
        answer = replace(await self._outbox.send(sent), trigger_id=trigger_id)
        action, errors = self._apply(view, answer)
        return SubmitResult(action=action, errors=errors, view=self.views.top_of(user_id), answer=answer)

    def _apply(self, view: View, answer: BotAnswer) -> tuple[SubmitAction, Mapping[str, str]]:
        body = answer.to_body() if answer.is_ok else {"response_action": "failed"}
        current = self.views.find(view_id=view.id) or view
        match body:
            case {"response_action": "errors", "errors": dict(errors)} if errors and set(errors) <= set(view.block_ids):
                self.views.note(current, values=view.values, errors=errors)
                return "errors", errors
            case {"response_action": "update", "view": dict(spec)} if not check_view(spec):
                self.views.update(current, spec)
                return "updated", {}
            case {"response_action": "push", "view": dict(spec)} if self._can_push(view.user_id, spec):
                self.views.push(view.user_id, spec)
                return "pushed", {}
            case {"response_action": "clear"}:
                self.views.close(view.user_id, is_all=True)
                return "cleared", {}
            case {"response_action": _} | {"text": _}:
                self.views.note(current, values=view.values, trouble=_TROUBLE)
                return "failed", {}
        self.views.close(view.user_id)
        return "closed", {}

    def _can_push(self, user_id: str, spec: Json) -> bool:
        return not check_view(spec) and len(self.views.stack_of(user_id)) < MAX_STACK

    async def close_view(self, user_id: str, *, is_all: bool = False) -> BotAnswer | None:
        """Close the modal this member sees; the bot is told when the view asks for it.

        Raises:
            LookupError: no modal is open.
        """
        view = self._top(user_id)
        is_all = is_all or bool(view.spec.get("clear_on_close"))
        self.views.close(user_id, is_all=is_all)
        if not view.spec.get("notify_on_close"):
            return None
        member = self.workspace.members[user_id]
        return await self._outbox.send(payloads.view_closed(member=member, view=view, is_cleared=is_all))

    async def shortcut(self, user_id: str, callback_id: str) -> BotAnswer:
        """Choose a global shortcut."""
        trigger_id = self._triggers.issue(user_id)
        member, action_ts = self.workspace.members[user_id], self._action_ts()
        answer = await self._outbox.send(
            payloads.shortcut(member=member, callback_id=callback_id, action_ts=action_ts, trigger_id=trigger_id)
        )
        self._show_failure(answer, user_id, self.workspace.im_of(user_id).id, "That shortcut")
        return replace(answer, trigger_id=trigger_id)

    async def message_shortcut(self, user_id: str, message: Message, callback_id: str) -> BotAnswer:
        """Choose a shortcut in a message's menu."""
        trigger_id = self._triggers.issue(user_id)
        response_id = self._responses.issue(user_id=user_id, channel=message.channel)
        sent = payloads.message_action(
            member=self.workspace.members[user_id],
            conversation=self._conversation(user_id, message.channel),
            message=message,
            callback_id=callback_id,
            action_ts=self._action_ts(),
            trigger_id=trigger_id,
            response_url=self._response_url(response_id),
        )
        answer = await self._outbox.send(sent)
        self._show_failure(answer, user_id, message.channel, "That shortcut")
        return replace(answer, trigger_id=trigger_id, response_url=self._response_url(response_id))

    async def send_event(self, body: Json, *, event_id: str | None = None) -> BotAnswer:
        """Send an event in its envelope, for instance ``{"type": "app_uninstalled"}``."""
        now = int(self.workspace.clock.now().timestamp())
        event_id = event_id or f"Ev0{secrets.token_hex(5).upper()}"
        return await self._outbox.send(payloads.event(body=body, event_id=event_id, event_time=now))

    async def redeliver(self, sent: Sent, *, retry_num: int | None = None) -> BotAnswer:
        """Send the same request again, freshly signed; with ``retry_num`` marked as Slack's retry of an event.

        The member sees nothing of the answer.
        """
        retry = (retry_num, "http_timeout") if retry_num is not None else None
        return await self._outbox.send(sent, retry=retry)

    def _show_answer(
        self, answer: BotAnswer, user_id: str, channel_id: str, name: str, response_id: str
    ) -> Message | None:
        body = answer.to_body() if answer.is_ok else {}
        if not answer.is_ok:
            return self._show_failure(answer, user_id, channel_id, name)
        if not body.get("text") and not body.get("blocks"):
            return None
        try:
            return self._responses.show(response_id, body)
        except ResponseRefused as refusal:
            return self._tell(user_id, channel_id, f"{name} answered something Slack can't show: {refusal.text}.")

    def _show_failure(self, answer: BotAnswer, user_id: str, channel_id: str, what: str) -> Message | None:
        match answer.error:
            case "operation_timeout":
                text = f"{what} failed: the app gave no answer within 3 seconds (operation_timeout)."
            case "dispatch_failed":
                came = "could not be reached" if answer.status is None else f"answered with HTTP {answer.status}"
                text = f"{what} failed: the app {came} (dispatch_failed)."
            case _:
                return None
        return self._tell(user_id, channel_id, text)

    def _tell(self, user_id: str, channel_id: str, text: str) -> Message:
        return self.workspace.post(channel=channel_id, user=SLACK, text=text, only_for=user_id)

    def _remember_choice(self, user_id: str, where: Message, action: Json) -> Json:
        """``state.values`` of the message: what this member has chosen in it so far."""
        typed = self._choices.setdefault((user_id, where.channel, where.ts), {})
        if action["type"] not in ("button", "overflow"):
            entry = {key: value for key, value in action.items() if key not in ("block_id", "action_id", "action_ts")}
            typed[action["block_id"], action["action_id"]] = entry
        return state_of(where.blocks, {}, typed)

    def _top(self, user_id: str) -> View:
        view = self.views.top_of(user_id)
        if view is None:
            raise LookupError(f"No modal is open for {user_id}.")
        return view

    def _conversation(self, user_id: str, channel_id: str) -> Conversation:
        conversation = self.workspace.conversations[channel_id]
        if not conversation.includes(user_id):
            raise LookupError(f"{user_id} is not in {channel_id}.")
        return conversation

    def _response_url(self, response_id: str) -> str:
        return f"{self.base_url}/response/{response_id}"

    def _action_ts(self) -> str:
        return f"{self.workspace.clock.now().timestamp():.6f}"


def _find_element(where: Message | View, action_id: str, value: Any, block_id: str | None) -> tuple[Json, Json]:
    pairs = [(b, e) for b, e in elements_of(where.blocks) if block_id in (None, b["block_id"])]
    found = [(b, e) for b, e in pairs if e.get("action_id") == action_id]
    if len(found) > 1 and value is not None:
        found = [(b, e) for b, e in found if _is_meant(e, value)]
    if not found:
        there = [f"{e.get('action_id')}={e.get('value', '')!r}" for _, e in pairs]
        raise LookupError(f"No element {action_id} (value {value!r}); there are: {', '.join(there) or 'none'}.")
    return found[0]


def _is_meant(element: Json, value: Any) -> bool:
    if element["type"] == "button":
        return value in (element.get("value"), element["text"]["text"])
    return not isinstance(value, str) or any(option.get("value") == value for option in options_of(element))


def _action_entry(element: Json, value: Any) -> dict[str, Any]:
    match element["type"]:
        case "button":
            entry: dict[str, Any] = {"type": "button", "text": element["text"]}
            return entry | ({"value": element["value"]} if "value" in element else {})
        case "overflow":
            return {"type": "overflow", "selected_option": _option_of(element, value)}
    return dict(element_state(element, value))


def _option_of(element: Json, value: Any) -> Json:
    for option in options_of(element):
        if value in (option.get("value"), option["text"]["text"]):
            return option
    raise LookupError(f"No option {value!r} in {element['action_id']}.")
