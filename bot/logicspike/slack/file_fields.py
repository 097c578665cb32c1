"""The composer's fields for pictures and videos: what they show, and what comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from slack_sdk.models.blocks import Block, CheckboxesElement, InputBlock, PlainTextInputElement
from slack_sdk.models.blocks.block_elements import FileInputElement

from ..platforms import Platforms
from ..plugin.types import Media
from .message import choice, note
from .mrkdwn import clip, one_line, prose
from .surface import BLOCK_ALT_TEXT, BLOCK_FILES, BLOCK_KEPT_FILES
from .wording import join_words, media_words

__all__ = ["NO_FILES", "FileValues", "file_blocks", "kept_note", "list_file_types", "parse_files"]

MAX_FILES: Final = 10
"""What one field takes (docs.slack.dev/reference/block-kit/block-elements/file-input-element, checked 2026-11)."""
_ALT_TEXT_AT_MOST: Final = 3000
_OPTION: Final = 75
_KEEP: Final = "keep"

_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "image/jpeg": ("jpg", "jpeg"),
    "image/png": ("png",),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/heic": ("heic",),
    "image/heif": ("heif",),
    "image/avif": ("avif",),
    "image/bmp": ("bmp",),
    "image/tiff": ("tif", "tiff"),
    "video/mp4": ("mp4", "m4v"),
    "video/quicktime": ("mov",),
    "video/webm": ("webm",),
    "video/x-msvideo": ("avi",),
    "video/x-matroska": ("mkv",),
}
"""Content type to how Slack names it: by the end of the file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileValues:
    """What was filled in.

    Attributes:
        file_ids: of the files that were uploaded in this form, in order.
        keeps_files: whether those of the draft are still wanted.
        alt_texts: descriptions, in the files' order; "" for one that was left out.
    """

    file_ids: tuple[str, ...] = ()
    keeps_files: bool = False
    alt_texts: tuple[str, ...] = ()


NO_FILES: Final = FileValues()


def list_file_types(platforms: Platforms, names: Iterable[str]) -> tuple[str, ...]:
    """The ends of file names that any of these platforms takes, as Slack lists them; none where none takes files."""
    limits = [found.limits for found in map(platforms.find, names) if found is not None]
    content_types = dict.fromkeys(each for limit in limits for rule in limit.media for each in rule.content_types)
    return tuple(dict.fromkeys(end for each in content_types for end in _TYPES.get(each, ())))


def file_blocks(file_types: Sequence[str], kept: Sequence[Media] = ()) -> tuple[Block, ...]:
    """The fields; none where no platform takes files, but what a draft has is shown in any case.

    Args:
        file_types: from ``list_file_types``.
        kept: the files of the draft: Slack can't put them back into its field.
    """
    if not file_types:
        return (note(f"{kept_note(kept)} No account here takes files."),) if kept else ()
    names = join_words(tuple(dict.fromkeys(each.upper() for each in file_types if each not in _SECOND_NAMES)))
    fields = [_kept_files(kept)] if kept else []
    fields.append(
        InputBlock(
            block_id=BLOCK_FILES,
            label="More pictures or a video" if kept else "Pictures or a video",
            hint=f"Several pictures, or one video: {names}.",
            optional=True,
            element=FileInputElement(action_id=BLOCK_FILES, filetypes=list(file_types), max_files=MAX_FILES),
        )
    )
    return (*fields, _alt_text([each.alt_text for each in kept]))


_SECOND_NAMES: Final = frozenset({"jpeg", "tif", "m4v"})


def _kept_files(kept: Sequence[Media]) -> InputBlock:
    named = one_line(join_words(tuple(each.name for each in kept)), _OPTION)
    option = choice(named, _KEEP)
    return InputBlock(
        block_id=BLOCK_KEPT_FILES,
        label="Files from before",
        hint="Take the mark away to leave them out.",
        optional=True,
        element=CheckboxesElement(action_id=BLOCK_KEPT_FILES, options=[option], initial_options=[option]),
    )


def _alt_text(lines: Sequence[str]) -> InputBlock:
    known = "\n".join(lines).rstrip()
    return InputBlock(
        block_id=BLOCK_ALT_TEXT,
        label="Describe the pictures",
        hint="One line for each, in their order: it is read to people who can't see them. Few platforms take one for "
        "a video.",
        optional=True,
        element=PlainTextInputElement(
            action_id=BLOCK_ALT_TEXT,
            multiline=True,
            max_length=_ALT_TEXT_AT_MOST,
            initial_value=clip(known, _ALT_TEXT_AT_MOST) or None,
        ),
    )


def kept_note(media: Sequence[Media]) -> str:
    """Say which files a post has, for mrkdwn: "cat.png and dog.png (2 pictures)."."""
    names = prose(join_words(tuple(each.name for each in media)), 300)
    return f"{names} ({media_words(media)})."


def parse_files(view: Mapping[str, Any]) -> FileValues:
    """Read the fields of a submitted form; what is missing or odd counts as not filled in.

    Args:
        view: the ``view`` of Slack's ``view_submission`` payload.
    """
    state = view.get("state")
    values = state.get("values") if isinstance(state, Mapping) else None
    if not isinstance(values, Mapping):
        return NO_FILES
    files = _entry(values, BLOCK_FILES).get("files")
    kept = _entry(values, BLOCK_KEPT_FILES).get("selected_options")
    text = _entry(values, BLOCK_ALT_TEXT).get("value")
    ids = (each.get("id") for each in files if isinstance(each, Mapping)) if isinstance(files, list) else ()
    return FileValues(
        file_ids=tuple(dict.fromkeys(each for each in ids if isinstance(each, str))),
        keeps_files=bool(kept),
        alt_texts=_lines(text) if isinstance(text, str) else (),
    )


def _lines(text: str) -> tuple[str, ...]:
    """Blank lines in the middle stand for a picture without a description; those at the end for nothing."""
    return tuple(line.strip() for line in text.rstrip().splitlines())


def _entry(values: Mapping[str, Any], block_id: str) -> Mapping[str, Any]:
    field = values.get(block_id)
    entry = field.get(block_id) if isinstance(field, Mapping) else None
    return entry if isinstance(entry, Mapping) else {}
