"""What Slack refuses in blocks and views: the limits of Block Kit, checked as strictly as Slack checks them.

The limits are those printed by the reference pages under docs.slack.dev/reference/block-kit and the constants of
slack_sdk 3.47 (``models/blocks``, ``models/views``), checked 2026-11-23.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

__all__ = ["Surface", "check_message_blocks", "check_view", "elements_of", "options_of"]

Surface = Literal["message", "modal", "home"]
Json = Mapping[str, Any]
Problems = Iterator[str]

MAX_BLOCKS: Final[Mapping[Surface, int]] = {"message": 50, "modal": 100, "home": 100}
MAX_VIEW_BYTES: Final = 250_000
_ID_CHARS: Final = 255
_SELECTS: Final = frozenset({"static_select", "multi_static_select"})
_INPUTS: Final = frozenset(
    {
        "plain_text_input",
        "static_select",
        "multi_static_select",
        "datetimepicker",
        "radio_buttons",
        "checkboxes",
        "file_input",
    }
)
_ACTIONS: Final = frozenset(
    {"button", "static_select", "multi_static_select", "overflow", "datetimepicker", "radio_buttons", "checkboxes"}
)


@dataclass(frozen=True, slots=True)
class _OptionRule:
    least: int
    most: int


_OPTION_RULES: Final = {
    "static_select": _OptionRule(1, 100),
    "multi_static_select": _OptionRule(1, 100),
    "overflow": _OptionRule(1, 5),
    "radio_buttons": _OptionRule(1, 10),
    "checkboxes": _OptionRule(1, 10),
}


def check_message_blocks(blocks: object, surface: Surface = "message") -> list[str]:
    """List what Slack would refuse in ``blocks``, in Slack's wording with a JSON pointer; an empty list means fine."""
    if not isinstance(blocks, Sequence) or isinstance(blocks, str):
        return ["[ERROR] must be an array [json-pointer:/blocks]"]
    problems = list(_too_many(blocks, MAX_BLOCKS[surface], "items", "/blocks"))
    for index, block in enumerate(blocks):
        problems.extend(_check_block(block, surface, f"/blocks/{index}"))
    problems.extend(_doubled((b.get("block_id") for b in blocks if isinstance(b, Mapping)), "block_id", "/blocks"))
    return problems


def check_view(view: object) -> list[str]:
    """List what Slack would refuse in a view (``modal`` or ``home``); an empty list means fine."""
    if not isinstance(view, Mapping):
        return ["[ERROR] must be an object [json-pointer:/view]"]
    kind = view.get("type")
    if kind not in ("modal", "home"):
        return [f"[ERROR] type must be modal or home, not {kind!r} [json-pointer:/view/type]"]
    problems = check_message_blocks(view.get("blocks"), kind)
    problems.extend(_long(view.get("private_metadata"), 3000, "/view/private_metadata"))
    problems.extend(_long(view.get("callback_id"), _ID_CHARS, "/view/callback_id"))
    if kind == "modal":
        problems.extend(_check_modal(view))
    if len(json.dumps(view).encode()) > MAX_VIEW_BYTES:
        problems.append("[ERROR] view_too_large: more than 250 KB [json-pointer:/view]")
    return problems


def elements_of(blocks: Sequence[Json]) -> Iterator[tuple[Json, Json]]:
    """Every interactive element with the block it stands in, in reading order: ``(block, element)``."""
    for block in blocks:
        match block.get("type"):
            case "actions":
                yield from ((block, element) for element in block["elements"])
            case "section" if "accessory" in block:
                yield block, block["accessory"]
            case "input":
                yield block, block["element"]


def options_of(element: Json) -> list[Json]:
    """All options of a select, overflow, radio or checkbox element, groups flattened."""
    groups = element.get("option_groups") or ()
    return [*element.get("options", ()), *(option for group in groups for option in group.get("options", ()))]


def _check_block(block: object, surface: Surface, at: str) -> Problems:
    if not isinstance(block, Mapping):
        yield f"[ERROR] must be an object [json-pointer:{at}]"
        return
    yield from _long(block.get("block_id"), _ID_CHARS, f"{at}/block_id")
    check = _BLOCK_CHECKS.get(block.get("type", ""))
    if check is None:
        yield f"[ERROR] unsupported type: {block.get('type')} [json-pointer:{at}/type]"
        return
    yield from check(block, at)
    if surface == "home" and any(e.get("type") == "datetimepicker" for _, e in _safe_elements(block)):
        yield f"[ERROR] datetimepicker is not allowed on a home tab [json-pointer:{at}]"


def _safe_elements(block: Json) -> list[tuple[Json, Json]]:
    try:
        return [(b, e) for b, e in elements_of([block]) if isinstance(e, Mapping)]
    except (KeyError, TypeError):  # malformed: reported by the block's own check
        return []


def _section(block: Json, at: str) -> Problems:
    if not block.get("text") and not block.get("fields"):
        yield f"[ERROR] missing required field: text [json-pointer:{at}]"
    if block.get("text"):
        yield from _text(block["text"], 3000, f"{at}/text")
    fields = block.get("fields") or ()
    yield from _too_many(fields, 10, "items", f"{at}/fields")
    for index, one in enumerate(fields):
        yield from _text(one, 2000, f"{at}/fields/{index}")
    if "accessory" in block:
        yield from _element(block["accessory"], _ACTIONS | {"image"}, f"{at}/accessory")


def _header(block: Json, at: str) -> Problems:
    yield from _text(block.get("text"), 150, f"{at}/text", is_plain=True)


def _context(block: Json, at: str) -> Problems:
    elements = block.get("elements") or ()
    yield from _too_few(elements, f"{at}/elements")
    yield from _too_many(elements, 10, "elements", f"{at}/elements")
    for index, one in enumerate(elements):
        where = f"{at}/elements/{index}"
        yield from _image(one, where) if _type(one) == "image" else _text(one, 2000, where)


def _actions(block: Json, at: str) -> Problems:
    elements = block.get("elements") or ()
    yield from _too_few(elements, f"{at}/elements")
    yield from _too_many(elements, 25, "elements", f"{at}/elements")
    for index, one in enumerate(elements):
        yield from _element(one, _ACTIONS, f"{at}/elements/{index}")
    ids = (one.get("action_id") for one in elements if isinstance(one, Mapping))
    yield from _doubled(ids, "action_id", f"{at}/elements")


def _input(block: Json, at: str) -> Problems:
    yield from _text(block.get("label"), 2000, f"{at}/label", is_plain=True)
    if block.get("hint"):
        yield from _text(block["hint"], 2000, f"{at}/hint", is_plain=True)
    yield from _element(block.get("element"), _INPUTS, f"{at}/element")


def _image(block: Json, at: str) -> Problems:
    yield from _url(block.get("image_url"), f"{at}/image_url")
    if not block.get("alt_text"):
        yield f"[ERROR] missing required field: alt_text [json-pointer:{at}]"
    yield from _long(block.get("alt_text"), 2000, f"{at}/alt_text")
    if block.get("title"):
        yield from _text(block["title"], 2000, f"{at}/title", is_plain=True)


def _divider(_block: Json, _at: str) -> Problems:
    yield from ()


_BLOCK_CHECKS: Final[Mapping[str, Callable[[Json, str], Problems]]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "image": _image,
    "divider": _divider,
}


def _element(element: object, allowed: frozenset[str], at: str) -> Problems:
    if not isinstance(element, Mapping) or element.get("type") not in allowed:
        yield f"[ERROR] unsupported element: {_type(element)} [json-pointer:{at}]"
        return
    kind = element["type"]
    if kind == "image":
        yield from _image(element, at)
        return
    yield from _long(element.get("action_id"), _ID_CHARS, f"{at}/action_id")
    if element.get("placeholder"):
        yield from _text(element["placeholder"], 150, f"{at}/placeholder", is_plain=True)
    if element.get("confirm"):
        yield from _confirm(element["confirm"], f"{at}/confirm")
    if kind in _OPTION_RULES:
        yield from _options(element, _OPTION_RULES[kind], at)
    elif kind == "button":
        yield from _button(element, at)
    elif kind == "plain_text_input":
        yield from _plain_text_input(element, at)
    elif kind == "file_input":
        yield from _file_input(element, at)


def _button(element: Json, at: str) -> Problems:
    yield from _text(element.get("text"), 75, f"{at}/text", is_plain=True)
    yield from _long(element.get("value"), 2000, f"{at}/value")
    if element.get("url"):
        yield from _url(element["url"], f"{at}/url")
    if element.get("style") not in (None, "primary", "danger"):
        yield f"[ERROR] style must be primary or danger [json-pointer:{at}/style]"


def _plain_text_input(element: Json, at: str) -> Problems:
    most = element.get("max_length", 3000)
    if not 1 <= most <= 3000:
        yield f"[ERROR] max_length must be between 1 and 3000 [json-pointer:{at}/max_length]"
    yield from _long(element.get("initial_value"), most, f"{at}/initial_value")
    config = element.get("dispatch_action_config")
    if config is not None and not _triggers(config):
        yield f"[ERROR] trigger_actions_on must name on_enter_pressed or on_character_entered [json-pointer:{at}]"


def _file_input(element: Json, at: str) -> Problems:
    # docs.slack.dev/reference/block-kit/block-elements/file-input-element, checked 2026-11-25
    if not 1 <= element.get("max_files", 10) <= 10:
        yield f"[ERROR] max_files must be between 1 and 10 [json-pointer:{at}/max_files]"
    types = element.get("filetypes")
    if types is not None and (
        not isinstance(types, list) or not types or not all(isinstance(one, str) for one in types)
    ):
        yield f"[ERROR] filetypes must be an array of strings [json-pointer:{at}/filetypes]"


_TRIGGERS: Final = frozenset({"on_enter_pressed", "on_character_entered"})


def _triggers(config: object) -> bool:
    names = config.get("trigger_actions_on") if isinstance(config, Mapping) else None
    return isinstance(names, Sequence) and bool(names) and set(names) <= _TRIGGERS


def _options(element: Json, rule: _OptionRule, at: str) -> Problems:
    options = options_of(element)
    if len(options) < rule.least:
        yield f"[ERROR] no less than {rule.least} items allowed [json-pointer:{at}/options]"
    yield from _too_many(element.get("options") or (), rule.most, "items", f"{at}/options")
    yield from _too_many(element.get("option_groups") or (), 100, "items", f"{at}/option_groups")
    is_plain = element["type"] in _SELECTS or element["type"] == "overflow"
    for index, option in enumerate(options):
        yield from _option(option, f"{at}/options/{index}", is_plain=is_plain)
    yield from _doubled((o.get("value") for o in options), "value", f"{at}/options")
    chosen = [*element.get("initial_options", ()), *filter(None, [element.get("initial_option")])]
    for one in chosen:
        if one not in options:
            yield f"[ERROR] an initial option is not among the options [json-pointer:{at}]"


def _option(option: Json, at: str, *, is_plain: bool) -> Problems:
    yield from _text(option.get("text"), 75, f"{at}/text", is_plain=is_plain)
    if not option.get("value") and not option.get("url"):
        yield f"[ERROR] missing required field: value [json-pointer:{at}]"
    yield from _long(option.get("value"), 150, f"{at}/value")
    if option.get("description"):
        yield from _text(option["description"], 75, f"{at}/description")


def _confirm(confirm: Json, at: str) -> Problems:
    for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        yield from _text(confirm.get(name), most, f"{at}/{name}", is_plain=name != "text")


def _check_modal(view: Json) -> Problems:
    yield from _text(view.get("title"), 24, "/view/title", is_plain=True)
    for name in ("submit", "close"):
        if view.get(name):
            yield from _text(view[name], 24, f"/view/{name}", is_plain=True)
    blocks = view.get("blocks")
    has_input = isinstance(blocks, Sequence) and any(_type(block) == "input" for block in blocks)
    if has_input and not view.get("submit"):
        yield "[ERROR] missing required field: submit, since there is an input block [json-pointer:/view]"


def _text(text: object, most: int, at: str, *, is_plain: bool = False) -> Problems:
    allowed = ("plain_text",) if is_plain else ("plain_text", "mrkdwn")
    if not isinstance(text, Mapping) or text.get("type") not in allowed:
        yield f"[ERROR] must be a text object of type {' or '.join(allowed)} [json-pointer:{at}]"
        return
    if not text.get("text"):
        yield f"[ERROR] must be more than 0 characters [json-pointer:{at}/text]"
    yield from _long(text.get("text"), most, f"{at}/text")


def _long(value: object, most: int, at: str) -> Problems:
    if value is None:
        return
    if not isinstance(value, str):
        yield f"[ERROR] must be a string [json-pointer:{at}]"
    elif len(value) > most:
        yield f"[ERROR] must be less than {most + 1} characters [json-pointer:{at}]"


def _url(value: object, at: str) -> Problems:
    yield from _long(value, 3000, at)
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
        yield f"[ERROR] must be a valid URL [json-pointer:{at}]"


def _too_many(items: Sequence[object], most: int, noun: str, at: str) -> Problems:
    if len(items) > most:
        yield f"[ERROR] no more than {most} {noun} allowed [json-pointer:{at}]"


def _too_few(items: Sequence[object], at: str) -> Problems:
    if not items:
        yield f"[ERROR] no less than 1 items allowed [json-pointer:{at}]"


def _doubled(values: Iterator[str | None], name: str, at: str) -> Problems:
    seen: set[str] = set()
    for value in values:
        if value is not None and value in seen:
            yield f"[ERROR] {name} {value!r} already exists [json-pointer:{at}]"
        seen.add(value or "")


def _type(thing: object) -> str:
    return str(thing.get("type", "")) if isinstance(thing, Mapping) else type(thing).__name__
