"""The editor of a scheduled post: what it shows, and what comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from ..plugin.types import Media
from ..services.editing import Editable
from .file_fields import kept_note
from .message import note, paragraph, quoted
from .messages_editing import state_note, unchanged_words
from .mrkdwn import bullets, measure, prose
from .surface import BLOCK_AT, BLOCK_TEXT, EDITOR
from .times import find_zone
from .views import TEXT_AT_MOST, at_input, count_block, parse_composer, text_input, when_input
from .wording import Titles, target_words, title_of

__all__ = ["EditorValues", "editor", "editor_loading", "editor_notice", "error_block", "parse_editor"]

_ACCOUNTS_SHOWN: Final = 20
_PREVIEW: Final = 600
_REVISION_DIGITS: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorValues:
    """What was filled in.

    Attributes:
        delivery_id: whose post.
        revision: of the post that the form showed.
        text: as written; None when the form had no field for it.
        is_now: publish right away; ``due_at`` is None then.
        due_at: the chosen time, aware UTC; None when none was chosen.
    """

    delivery_id: str
    revision: int
    text: str | None
    is_now: bool
    due_at: datetime | None


def editor(
    post: Editable,
    *,
    zone: str,
    titles: Titles,
    typed: EditorValues | None = None,
    notes: Sequence[str] = (),
    count: str = "",
) -> View:
    """Build the form.

    Args:
        post: what it shows; some of its deliveries can still be changed.
        zone: the member's, named below the time.
        titles: what people read for each platform.
        typed: what was written in an earlier version of the form: it stays.
        notes: what has to be said first; plain text.
        count: how long the text is, mrkdwn; "" leaves that out.
    """
    shown = post.shown
    text = shown.unpublished_text if typed is None or typed.text is None else typed.text
    due_at = shown.due_at if typed is None or typed.due_at is None else typed.due_at
    blocks: list[Block | None] = [
        *(paragraph(prose(sentence)) for sentence in notes),
        *_accounts(post, zone, titles),
        *_text_blocks(text, count, post.post.media),
        when_input(),
        at_input(due_at),
        note(f"Times are in {find_zone(zone).key}, from your Slack profile."),
    ]
    return _modal(blocks, submit="Save", metadata=f"{shown.delivery_id}:{post.post.revision}")


def _accounts(post: Editable, zone: str, titles: Titles) -> Iterable[Block]:
    """Where it goes, as words: the accounts of a post can't be changed."""
    lines = []
    for each in post.open[:_ACCOUNTS_SHOWN]:
        extra = state_note(each, zone)
        lines.append(f"{target_words(each, title_of(each.platform, titles))}{f' · {extra}' if extra else ''}")
    gone = [prose(unchanged_words(each, title_of(each.platform, titles))) for each in post.gone[:_ACCOUNTS_SHOWN]]
    hidden = len(post.open) - _ACCOUNTS_SHOWN
    more = (f"and {hidden} more",) if hidden > 0 else ()
    yield paragraph(f"*Accounts*\n{bullets((*lines, *more))}")
    yield note(" ".join((*gone, "To post elsewhere, cancel this post and write a new one.")))


def _text_blocks(text: str, count: str, media: Sequence[Media]) -> Iterable[Block | None]:
    carried = note(f"Goes with {kept_note(media)} To change the files, write a new post.") if media else None
    if measure(text) <= TEXT_AT_MOST:
        return (text_input(text, is_optional=bool(media)), count_block(count) if count else None, carried)
    # A field that cut it off would let a new time cost half the text.
    return (
        paragraph("*Text*"),
        quoted(text, _PREVIEW),
        note(f"A form takes {TEXT_AT_MOST} characters, and this text is longer: only its time can be changed here."),
        carried,
    )


def _modal(blocks: Iterable[Block | None], *, submit: str | None = None, metadata: str = "") -> View:
    return View(
        type="modal",
        callback_id=EDITOR,
        title="Edit a post",
        submit=submit,
        close="Close",
        blocks=[block for block in blocks if block is not None],
        private_metadata=metadata,
    )


def editor_loading() -> View:
    """What is shown at once, while the post is looked up."""
    return _modal([paragraph("One moment: I'm looking up your post …")])


def editor_notice(sentence: str) -> View:
    """A form that can't be shown: why.

    Args:
        sentence: mrkdwn, ready to read.
    """
    return _modal([paragraph(sentence)])


def parse_editor(view: Mapping[str, Any]) -> EditorValues:
    """Read a submitted form; what is missing or odd counts as not filled in, and as a post that isn't there.

    Args:
        view: the ``view`` of Slack's ``view_submission`` payload.
    """
    values = parse_composer(view)
    delivery_id, _, revision = (values.draft_id or "").rpartition(":")
    is_number = revision.isascii() and revision.isdecimal() and len(revision) <= _REVISION_DIGITS
    return EditorValues(
        delivery_id=delivery_id,
        revision=int(revision) if is_number else 0,
        text=values.text if _has_text(view) else None,
        is_now=values.is_now,
        due_at=values.due_at,
    )


def _has_text(view: Mapping[str, Any]) -> bool:
    match view.get("state"):
        case {"values": {**values}}:
            return BLOCK_TEXT in values
        case _:
            return False


def error_block(values: EditorValues) -> str:
    """The field at which something about the whole form is told: Slack takes none that the form doesn't have."""
    return BLOCK_TEXT if values.text is not None else BLOCK_AT
