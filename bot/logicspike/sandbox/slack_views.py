"""Modals: which are open for whom, what stands in their fields, and what a submission says."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from .block_rules import elements_of, options_of
from .slack_state import BOT, TEAM, Changes, Json, fill_ids

__all__ = ["MAX_STACK", "Answers", "View", "Views", "element_state", "missing_answers", "state_of"]

MAX_STACK: Final = 3
"""Views on top of each other. # docs.slack.dev/reference/methods/views.push, checked 2026-11-23."""

Answers = Mapping[str, Any]
"""What a person filled in: ``block_id`` or ``action_id`` to a str, a list of option values, a list of file objects, or
an aware datetime."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One modal as it stands now.

    Attributes:
        spec: what the bot sent, with all ids filled in.
        errors: Slack's or the bot's complaint per ``block_id``.
        trouble: a sentence over the form when a submission went wrong altogether.
        values: the ``state.values`` as last reported by the person's browser.
    """

    id: str
    user_id: str
    hash: str
    spec: Json = field(repr=False)
    root_view_id: str
    previous_view_id: str | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    values: Json = field(default_factory=dict)
    revision: int = field(default=0, compare=False)

    @property
    def title(self) -> str:
        """Its title."""
        return str(self.spec["title"]["text"])

    @property
    def callback_id(self) -> str:
        """The name by which the bot knows it."""
        return str(self.spec.get("callback_id", ""))

    @property
    def private_metadata(self) -> str:
        """What the bot keeps in it."""
        return str(self.spec.get("private_metadata", ""))

    @property
    def blocks(self) -> tuple[Json, ...]:
        """Its blocks."""
        return tuple(self.spec["blocks"])

    @property
    def block_ids(self) -> tuple[str, ...]:
        """The ids of its input blocks, in reading order."""
        return tuple(b["block_id"] for b in self.blocks if b["type"] == "input")

    def block(self, block_id: str) -> Json:
        """One block.

        Raises:
            KeyError: no such block.
        """
        for block in self.blocks:
            if block["block_id"] == block_id:
                return block
        raise KeyError(block_id)

    def to_json(self) -> dict[str, Any]:
        """The view as Slack prints it in payloads and answers."""
        spec = self.spec
        return {
            "id": self.id,
            "team_id": TEAM.id,
            "type": spec["type"],
            "title": spec.get("title"),
            "submit": spec.get("submit"),
            "close": spec.get("close"),
            "blocks": list(self.blocks),
            "private_metadata": self.private_metadata,
            "callback_id": self.callback_id,
            "external_id": spec.get("external_id", ""),
            "state": {"values": dict(self.values)},
            "hash": self.hash,
            "clear_on_close": bool(spec.get("clear_on_close")),
            "notify_on_close": bool(spec.get("notify_on_close")),
            "root_view_id": self.root_view_id,
            "previous_view_id": self.previous_view_id,
            "app_id": TEAM.app_id,
            "app_installed_team_id": TEAM.id,
            "bot_id": TEAM.bot_id,
            "bot_user_id": BOT,
        }


class Views:
    """The modals open for each person, the topmost last."""

    def __init__(self, changes: Changes, real_time: Callable[[], float]) -> None:
        self._changes = changes
        self._real_time = real_time
        self._stacks: dict[str, list[View]] = {}

    def stack_of(self, user_id: str) -> tuple[View, ...]:
        """All views open for this person, the topmost last."""
        return tuple(self._stacks.get(user_id, ()))

    def top_of(self, user_id: str) -> View | None:
        """The view this person sees."""
        stack = self._stacks.get(user_id)
        return stack[-1] if stack else None

    def find(self, *, view_id: str | None = None, external_id: str | None = None) -> View | None:
        """An open view by either id."""
        views = (view for stack in self._stacks.values() for view in stack)
        return next((v for v in views if v.id == view_id or (external_id and _external(v) == external_id)), None)

    def open(self, user_id: str, spec: Json) -> View:
        """Show a new view instead of whatever is open."""
        self._stacks[user_id] = []
        return self.push(user_id, spec)

    def push(self, user_id: str, spec: Json) -> View:
        """Lay a new view over the open one."""
        stack = self._stacks.setdefault(user_id, [])
        view_id = f"V0{secrets.token_hex(5).upper()}"
        root, previous = (stack[0].id, stack[-1].id) if stack else (view_id, None)
        blank = View(id=view_id, user_id=user_id, hash="", spec=spec, root_view_id=root, previous_view_id=previous)
        stack.append(blank)
        return self.update(blank, spec)

    def update(self, view: View, spec: Json) -> View:
        """Let a view show something else; what was typed stays where block and action ids stay."""
        filled = {**spec, "blocks": fill_ids(spec["blocks"])}
        typed = {(b, a): entry for b, entries in view.values.items() for a, entry in entries.items()}
        values = state_of(filled["blocks"], {}, typed)
        fresh = f"{int(self._real_time())}.{secrets.token_hex(4)}"
        return self._replace(replace(view, spec=filled, hash=fresh, errors={}, trouble="", values=values))

    def note(self, view: View, *, values: Json, errors: Mapping[str, str] | None = None, trouble: str = "") -> View:
        """Keep what was typed and what is wrong with it."""
        return self._replace(replace(view, values=values, errors=dict(errors or {}), trouble=trouble))

    def close(self, user_id: str, *, is_all: bool = False) -> None:
        """Close the topmost view, or all of them."""
        stack = self._stacks.get(user_id, [])
        del stack[0 if is_all else -1 :]
        self._changes.note()

    def _replace(self, view: View) -> View:
        kept = replace(view, revision=self._changes.note())
        stack = self._stacks[view.user_id]
        stack[[v.id for v in stack].index(view.id)] = kept
        return kept


def state_of(
    blocks: Sequence[Json], answers: Answers, typed: Mapping[tuple[str, str], Json] | None = None
) -> dict[str, dict[str, Json]]:
    """``state.values``: each field as answered, else as typed before, else as the bot filled it in.

    Raises:
        KeyError: an answer names no block and no action, or no option of the element.
    """
    values: dict[str, dict[str, Json]] = {}
    known: set[str] = set()
    for block, element in elements_of(blocks):
        block_id, action_id = block["block_id"], element.get("action_id", "")
        known |= {block_id, action_id}
        if element["type"] not in _READERS:
            continue
        kept = (typed or {}).get((block_id, action_id))
        if block_id in answers and block["type"] == "input":
            kept = element_state(element, answers[block_id])
        elif action_id in answers:
            kept = element_state(element, answers[action_id])
        values.setdefault(block_id, {})[action_id] = kept or _READERS[element["type"]](element, None)
    if unknown := set(answers) - known:
        raise KeyError(f"no such field: {', '.join(sorted(unknown))}; there are: {', '.join(sorted(known))}")
    return values


def element_state(element: Json, answer: Any) -> Json:
    """What Slack reports of one element with this answer in it.

    Raises:
        KeyError: the answer is no option of it.
    """
    return _READERS[element["type"]](element, answer)


def missing_answers(blocks: Sequence[Json], values: Json) -> dict[str, str]:
    """What Slack's own client refuses to submit, by ``block_id``: empty required fields, texts too long."""
    problems = {}
    for block in blocks:
        if block["type"] == "input":
            entry = values[block["block_id"]][block["element"]["action_id"]]
            if problem := _complaint(block, entry):
                problems[block["block_id"]] = problem
    return problems


def _complaint(block: Json, entry: Json) -> str:
    answer = next((entry[key] for key in entry if key != "type"), None)
    element = block["element"]
    if not answer:
        return "" if block.get("optional") else "Please complete this required field."
    if element["type"] != "plain_text_input":
        return ""
    if len(answer) > element.get("max_length", 3000):
        return f"Please write at most {element.get('max_length', 3000)} characters."
    if len(answer) < element.get("min_length", 0):
        return f"Please write at least {element['min_length']} characters."
    return ""


def _read_text(element: Json, answer: Any) -> Json:
    value = element.get("initial_value") if answer is None else str(answer)
    return {"type": element["type"], "value": value or None}


def _read_one(element: Json, answer: Any) -> Json:
    chosen = element.get("initial_option") if answer is None else _option(element, answer) if answer else None
    return {"type": element["type"], "selected_option": chosen}


def _read_many(element: Json, answer: Any) -> Json:
    if answer is None:
        chosen = list(element.get("initial_options", ()))
    else:
        wanted = [answer] if isinstance(answer, str) else answer
        chosen = [_option(element, value) for value in wanted]
    return {"type": element["type"], "selected_options": chosen}


def _read_files(element: Json, answer: Any) -> Json:
    files = list(answer or ())
    if len(files) > (most := element.get("max_files", 10)):
        raise KeyError(f"this field takes {most} files")
    return {"type": element["type"], "files": files}


def _read_time(element: Json, answer: Any) -> Json:
    if answer is None:
        chosen = element.get("initial_date_time")
    elif isinstance(answer, datetime):
        chosen = int(answer.timestamp())
    else:
        chosen = int(answer) if answer else None
    return {"type": element["type"], "selected_date_time": chosen}


def _option(element: Json, value: str) -> Json:
    options = options_of(element)
    for option in options:
        if value in (option["value"], option["text"]["text"]):
            return option
    raise KeyError(f"no option {value!r}; there are: {', '.join(o['value'] for o in options)}")


_READERS: Final[Mapping[str, Callable[[Json, Any], Json]]] = {
    "plain_text_input": _read_text,
    "static_select": _read_one,
    "radio_buttons": _read_one,
    "multi_static_select": _read_many,
    "checkboxes": _read_many,
    "datetimepicker": _read_time,
    "file_input": _read_files,
}


def _external(view: View) -> str:
    return str(view.spec.get("external_id", ""))
