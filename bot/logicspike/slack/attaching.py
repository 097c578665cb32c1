"""Making media of the files in a form: found out by their content, each with its description."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..plugin.errors import OperatorActionRequired, PlatformError, PostRejected
from ..plugin.types import Media
from ..services.addressing import ScheduleProblem
from .file_fields import FileValues
from .files import SlackFiles

__all__ = ["Attached", "attach"]

_AT_ONCE: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """The media of a post, and what is wrong with the files or their descriptions."""

    media: tuple[Media, ...] = ()
    problems: tuple[ScheduleProblem, ...] = ()


async def attach(values: FileValues, kept: Sequence[Media], files: SlackFiles) -> Attached:
    """Look at the files of a form and put the descriptions to them.

    Args:
        values: what was filled in.
        kept: the draft's files.
        files: Slack's.
    """
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def identify(file_id: str) -> Media | ScheduleProblem:
        async with at_once:
            try:
                return await files.identify(file_id)
            except PostRejected as error:
                return _problem(" ".join(problem.message for problem in error.problems))
            except (PlatformError, OperatorActionRequired) as error:
                return _problem(f"{error.explanation} Please try again in a minute.")

    before = tuple(kept) if values.keeps_files else ()
    known = {each.media_id for each in before}
    found = await asyncio.gather(*(identify(each) for each in values.file_ids if each not in known))
    media = (*before, *(each for each in found if isinstance(each, Media)))
    problems = tuple(each for each in found if isinstance(each, ScheduleProblem))
    if not problems and len(values.alt_texts) > len(media):
        problems = (_too_many_lines(len(values.alt_texts), len(media)),)
    texts = (*values.alt_texts, *("" for _ in media))
    described = tuple(replace(each, alt_text=text) for each, text in zip(media, texts, strict=False))
    return Attached(media=described, problems=problems)


def _problem(message: str) -> ScheduleProblem:
    return ScheduleProblem(field="media", message=message)


def _too_many_lines(lines: int, files: int) -> ScheduleProblem:
    if not files:
        return ScheduleProblem(field="alt_text", message="There is no picture to describe.")
    count = "1 file" if files == 1 else f"{files} files"
    message = f"There are {lines} lines for {count}: please write one line for each."
    return ScheduleProblem(field="alt_text", message=message)
