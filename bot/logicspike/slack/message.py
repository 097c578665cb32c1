"""A message and the pieces it is built from, each kept within Slack's limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    ImageElement,
    InteractiveElement,
    MarkdownTextObject,
    Option,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
)

from ..egress import find_picture_origin
from .mrkdwn import clip, clip_markup, one_line

__all__ = [
    "OPTIONS_AT_MOST",
    "Message",
    "actions",
    "ask_first",
    "build_message",
    "button",
    "choice",
    "link_button",
    "menu",
    "note",
    "paragraph",
    "pictured",
    "quoted",
    "row",
]

# docs.slack.dev/reference/block-kit, checked 2026-11; each is also held by a test over every message
OPTIONS_AT_MOST: Final = 100
_BLOCKS_AT_MOST: Final = 50
_SECTION: Final = 3000
_CONTEXT: Final = 2000
_BUTTON: Final = 75
_ADDRESS: Final = 3000
_ALT_TEXT: Final = 200
_PREVIEW: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent to a member.

    Attributes:
        text: mrkdwn that says the whole in one or two sentences: for notifications and screen readers.
        blocks: what is shown.
    """

    text: str
    blocks: tuple[Block, ...]

    def to_payload(self) -> dict[str, Any]:
        """The fields ``text`` and ``blocks`` for Slack's Web API or a response_url."""
        return {"text": self.text, "blocks": [block.to_dict() for block in self.blocks]}

    def without_pictures(self) -> Message | None:
        """The same without its pictures; None when it has none.

        Slack fetches each picture while it takes a message, and refuses all of it where one can't be had.
        """
        if not any(_has_picture(block) for block in self.blocks):
            return None
        return Message(text=self.text, blocks=tuple(_without_picture(block) for block in self.blocks))


def _has_picture(block: Block) -> bool:
    return isinstance(block, SectionBlock) and isinstance(block.accessory, ImageElement)


def _without_picture(block: Block) -> Block:
    return SectionBlock(text=block.text) if isinstance(block, SectionBlock) and _has_picture(block) else block


def build_message(text: str, *blocks: Block | None) -> Message:
    """Put a message together; pieces that are None are left out.

    Args:
        text: mrkdwn, as ``Message.text``.
        blocks: at most 50 are kept.
    """
    kept = tuple(block for block in blocks if block is not None)
    return Message(text=clip_markup(text, _SECTION), blocks=kept[:_BLOCKS_AT_MOST])


def _markup(markup: str, limit: int) -> MarkdownTextObject:
    # verbatim: Slack must not find names of channels or people in what a member wrote
    return MarkdownTextObject(text=clip_markup(markup, limit).strip() or "–", verbatim=True)


def paragraph(markup: str) -> SectionBlock:
    """A paragraph of mrkdwn."""
    return SectionBlock(text=_markup(markup, _SECTION))


def row(markup: str, accessory: InteractiveElement | None) -> SectionBlock:
    """A paragraph with a button or menu at its side."""
    return SectionBlock(text=_markup(markup, _SECTION), accessory=accessory)


def pictured(markup: str, picture: str | None, alt_text: str) -> SectionBlock:
    """A paragraph with a picture at its side; without one where there is none that Slack could fetch."""
    if picture is None or find_picture_origin(picture) is None or len(picture) > _ADDRESS:
        return paragraph(markup)
    shown = ImageElement(image_url=picture, alt_text=one_line(alt_text, _ALT_TEXT) or "–")
    return SectionBlock(text=_markup(markup, _SECTION), accessory=shown)


def note(markup: str) -> ContextBlock:
    """A line in small print."""
    return ContextBlock(elements=[_markup(markup, _CONTEXT)])


def quoted(text: str, limit: int = _PREVIEW) -> SectionBlock | None:
    """What a member wrote, as it is and without any formatting; None when that is nothing."""
    shown = clip(text.strip(), limit)
    return SectionBlock(text=PlainTextObject(text=shown, emoji=False)) if shown else None


def button(
    label: str,
    action_id: str,
    value: str | None = None,
    *,
    style: Literal["primary", "danger"] | None = None,
    confirm: ConfirmObject | None = None,
) -> ButtonElement:
    """A button; ``value`` holds ids only."""
    return ButtonElement(text=_plain(label, _BUTTON), action_id=action_id, value=value, style=style, confirm=confirm)


def link_button(label: str, action_id: str, url: str, *, style: Literal["primary"] | None = None) -> ButtonElement:
    """A button that opens a page."""
    return ButtonElement(text=_plain(label, _BUTTON), action_id=action_id, url=url, style=style)


def _plain(text: str, limit: int) -> PlainTextObject:
    return PlainTextObject(text=one_line(text, limit) or "–", emoji=False)


def ask_first(title: str, text: str, *, do: str, keep: str) -> ConfirmObject:
    """The question before something that can't be undone: title 100, text 300, buttons 30 characters."""
    return ConfirmObject(
        title=_plain(title, 100), text=_plain(text, 300), confirm=_plain(do, 30), deny=_plain(keep, 30), style="danger"
    )


def choice(label: str, value: str, description: str | None = None) -> Option:
    """One entry of a menu; ``value`` holds ids only, at most 150 characters."""
    described = _plain(description, _BUTTON) if description else None
    return Option(text=_plain(label, _BUTTON), value=value, description=described)


def menu(
    placeholder: str, action_id: str, options: tuple[Option, ...], *, confirm: ConfirmObject | None = None
) -> StaticSelectElement:
    """A menu of at most 100 entries."""
    return StaticSelectElement(
        placeholder=_plain(placeholder, 150), action_id=action_id, options=options[:OPTIONS_AT_MOST], confirm=confirm
    )


def actions(*elements: InteractiveElement | None) -> ActionsBlock | None:
    """Buttons in a line, each with an action of its own; None without any."""
    kept = [element for element in elements if element is not None]
    return ActionsBlock(elements=kept) if kept else None
