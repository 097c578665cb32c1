"""What Slack refuses in blocks and views is refused here too."""

from __future__ import annotations

from typing import Any

import pytest

from logicspike.sandbox.block_rules import check_message_blocks, check_view


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def section(text: str = "Hello") -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(**changes: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "go", "text": plain("Go")} | changes


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def select(count: int = 1, **changes: Any) -> dict[str, Any]:
    options = [{"text": plain(f"Option {n}"), "value": str(n)} for n in range(count)]
    return {"type": "static_select", "action_id": "pick", "options": options} | changes


def text_input(**changes: Any) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": "b",
        "label": plain("Text"),
        "element": {"type": "plain_text_input", **changes},
    }


def modal(**changes: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain("Title"), "blocks": [section()]} | changes


CONFIRM = {"title": plain("Sure?"), "text": plain("Really?"), "confirm": plain("Yes"), "deny": plain("No")}

ALLOWED = [
    [section("x" * 3000)],
    [section()] * 50,
    [actions(button(text=plain("x" * 75), value="v" * 2000, style="danger", confirm=CONFIRM))],
    [actions(*(button(action_id=f"a{n}") for n in range(25)))],
    [{"type": "section", "fields": [plain("x" * 2000)] * 10}],
    [{"type": "header", "text": plain("x" * 150)}, {"type": "divider"}],
    [{"type": "context", "elements": [plain("x")] * 10}],
    [{"type": "image", "image_url": "http://127.0.0.1/a.png", "alt_text": "A picture"}],
    [actions(select(100))],
    [actions({"type": "datetimepicker", "action_id": "at"})],
]

REFUSED = {
    "must be less than 3001 characters": [section("x" * 3001)],
    "no more than 50 items": [section()] * 51,
    "must be more than 0 characters": [section("")],
    "missing required field: text": [{"type": "section"}],
    "no more than 10 items": [{"type": "section", "fields": [plain("x")] * 11}],
    "less than 151": [{"type": "header", "text": plain("x" * 151)}],
    "of type plain_text ": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
    "no more than 10 elements": [{"type": "context", "elements": [plain("x")] * 11}],
    "less than 76": [actions(button(text=plain("x" * 76)))],
    "less than 2001": [actions(button(value="v" * 2001))],
    "valid URL": [actions(button(url="javascript:alert(1)"))],
    "primary or danger": [actions(button(style="warning"))],
    "no more than 25 elements": [actions(*(button(action_id=f"a{n}") for n in range(26)))],
    "no less than 1": [actions()],
    "action_id 'go' already exists": [actions(button(), button())],
    "block_id 'same' already exists": [section() | {"block_id": "same"}, section() | {"block_id": "same"}],
    "no more than 100 items": [actions(select(101))],
    "no less than 1 items": [actions(select(0))],
    "an initial option is not among": [actions(select(initial_option={"text": plain("Other"), "value": "o"}))],
    "no more than 5 items": [actions(select(6, type="overflow"))],
    "less than 31": [actions(button(confirm=CONFIRM | {"deny": plain("x" * 31)}))],
    "less than 101": [actions(button(confirm=CONFIRM | {"title": plain("x" * 101)}))],
    "alt_text": [{"type": "image", "image_url": "https://example.com/a.png"}],
    "unsupported type: carousel_of_dreams": [{"type": "carousel_of_dreams"}],
    "unsupported element: plain_text_input": [actions({"type": "plain_text_input"})],
    "must be an object": ["text"],
}


@pytest.mark.parametrize("blocks", ALLOWED)
def test_blocks_at_the_limit_are_let_through(blocks: list[Any]) -> None:
    assert check_message_blocks(blocks) == []


@pytest.mark.parametrize(("problem", "blocks"), REFUSED.items(), ids=list(REFUSED))
def test_blocks_beyond_a_limit_are_refused(problem: str, blocks: list[Any]) -> None:
    assert any(problem in found for found in check_message_blocks(blocks)), check_message_blocks(blocks)


def test_an_option_beyond_its_limits_is_refused() -> None:
    long = select(options=[{"text": plain("x" * 76), "value": "v" * 151}])

    problems = check_message_blocks([actions(long)])

    assert [problem.split("json-pointer:")[1].rstrip("]") for problem in problems] == [
        "/blocks/0/elements/0/options/0/text/text",
        "/blocks/0/elements/0/options/0/value",
    ]


@pytest.mark.parametrize(
    ("problem", "view"),
    [
        ("less than 25 characters [json-pointer:/view/title/text]", modal(title=plain("x" * 25))),
        ("less than 25 characters [json-pointer:/view/submit/text]", modal(submit=plain("x" * 25))),
        ("less than 25 characters [json-pointer:/view/close/text]", modal(close=plain("x" * 25))),
        ("less than 3001 characters [json-pointer:/view/private_metadata]", modal(private_metadata="x" * 3001)),
        ("no more than 100 items", modal(blocks=[section()] * 101)),
        ("submit", modal(blocks=[text_input()])),
        ("max_length must be between", modal(blocks=[text_input(max_length=3001)], submit=plain("Go"))),
        ("less than 3001", modal(blocks=[text_input(initial_value="x" * 3001)], submit=plain("Go"))),
        (
            "trigger_actions_on must name",
            modal(blocks=[text_input(dispatch_action_config={"trigger_actions_on": ["x"]})]),
        ),
        ("view_too_large", modal(blocks=[section("x" * 2900) for _ in range(90)])),
        ("type must be modal or home", modal(type="drawer")),
        ("datetimepicker is not allowed", {"type": "home", "blocks": [actions({"type": "datetimepicker"})]}),
    ],
)
def test_a_view_beyond_a_limit_is_refused(problem: str, view: dict[str, Any]) -> None:
    assert any(problem in found for found in check_view(view)), check_view(view)


def test_a_view_at_the_limits_is_let_through() -> None:
    view = modal(title=plain("x" * 24), submit=plain("x" * 24), blocks=[text_input(max_length=3000)])

    assert check_view(view) == []
