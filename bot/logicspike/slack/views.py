"""The composer: the form in which a post is written and scheduled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    DateTimePickerElement,
    InputBlock,
    MarkdownTextObject,
    Option,
    PlainTextInputElement,
    RadioButtonsElement,
    StaticMultiSelectElement,
)
from slack_sdk.models.blocks.basic_components import DispatchActionConfig
from slack_sdk.models.views import View

from ..domain import Connection, ConnectionStatus
from ..plugin.types import Media
from ..services.scheduling import ScheduleProblem
from .file_fields import NO_FILES, FileValues, file_blocks, parse_files
from .message import OPTIONS_AT_MOST, button, choice, note, paragraph, quoted, row
from .messages_connect import PlatformChoice
from .mrkdwn import clip, measure, name, one_line, prose
from .surface import (
    BLOCK_ACCOUNTS,
    BLOCK_ALT_TEXT,
    BLOCK_AT,
    BLOCK_COUNT,
    BLOCK_FILES,
    BLOCK_TEXT,
    BLOCK_WHEN,
    COMPOSER,
    CONNECT_START,
)
from .times import find_zone
from .wording import NO_TITLES, Titles, title_of

__all__ = [
    "TEXT_AT_MOST",
    "ComposerValues",
    "at_input",
    "composer",
    "composer_errors",
    "composer_loading",
    "composer_no_accounts",
    "composer_notice",
    "count_block",
    "cut_off",
    "parse_composer",
    "text_input",
    "when_input",
]

TEXT_AT_MOST: Final = 3000
"""Characters that Slack's text field takes (slack_sdk.models.blocks.PlainTextInputElement, checked 2026-11)."""

_NOW: Final = "now"
_AT: Final = "at"
_EARLIEST: Final = timedelta(minutes=10)
_ERROR_UNITS: Final = 300
_PLATFORMS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposerValues:
    """What was filled in.

    Attributes:
        connection_ids: the chosen accounts.
        text: as written.
        is_now: publish right away; ``due_at`` is None then.
        due_at: the chosen time, aware UTC; None when none was chosen.
        draft_id: the draft the form was opened with.
        files: the files, and their descriptions.
    """

    connection_ids: tuple[str, ...]
    text: str
    is_now: bool
    due_at: datetime | None
    draft_id: str | None
    files: FileValues = NO_FILES


def composer(
    *,
    accounts: Sequence[Connection],
    now: datetime,
    zone: str,
    selected: Iterable[str] = (),
    text: str = "",
    due_at: datetime | None = None,
    draft_id: str | None = None,
    problems: Sequence[ScheduleProblem] = (),
    count: str = "",
    file_types: Sequence[str] = (),
    kept_files: Sequence[Media] = (),
    titles: Titles = NO_TITLES,
) -> View:
    """Build the form.

    Args:
        accounts: what this member may post with, at least one; more than a menu's 100 are left out, and it says so.
        now: the present, aware.
        zone: the member's, named below the time.
        selected: connection ids that are chosen already; those not among ``accounts`` are left out.
        text: what is written already.
        due_at: the time that is chosen already; a past one is replaced by the default.
        draft_id: comes back in ``ComposerValues``.
        problems: what kept the post from being scheduled as it was.
        count: how long the text is, mrkdwn; "" leaves that out.
        file_types: ends of file names that the accounts' platforms take; none leaves the fields for files out.
        kept_files: what the draft has.
        titles: what people read for each platform.
    """
    wanted = frozenset(selected)
    if len(accounts) == 1:
        wanted = frozenset(account.connection_id for account in accounts)  # the only one there is, is meant
    ordered = sorted(accounts, key=lambda account: account.connection_id not in wanted)[:OPTIONS_AT_MOST]
    hidden = len(accounts) - len(ordered)
    blocks: list[Block | None] = [
        *(note(prose(problem.message, _ERROR_UNITS)) for problem in problems[:_PROBLEMS_SHOWN]),
        _accounts_input(ordered, wanted, titles),
        note(f"{hidden} more accounts are not shown here: name them in the command instead.") if hidden else None,
        text_input(text, is_optional=bool(file_types)),
        count_block(count) if count else None,
        *cut_off(text),
        *file_blocks(file_types, kept_files),
        when_input(),
        at_input(due_at if due_at is not None and due_at > now else _next_hour(now, zone)),
        note(f"Times are in {find_zone(zone).key}, from your Slack profile.{_about_sign_ins(ordered)}"),
    ]
    return _modal(blocks, submit="Schedule", draft_id=draft_id)


def _about_sign_ins(accounts: Iterable[Connection]) -> str:
    if all(account.status is ConnectionStatus.ACTIVE for account in accounts):
        return ""
    return " An account marked “needs sign-in” holds the post until you have signed in again."


_PROBLEMS_SHOWN: Final = 10


def _modal(blocks: Iterable[Block | None], *, submit: str | None = None, draft_id: str | None = None) -> View:
    kept = [block for block in blocks if block is not None]
    return View(
        type="modal",
        callback_id=COMPOSER,
        title="Schedule a post",
        submit=submit,
        close="Close",
        blocks=kept,
        private_metadata=draft_id or "",
    )


def _accounts_input(accounts: Sequence[Connection], wanted: frozenset[str], titles: Titles) -> InputBlock:
    options = {account.connection_id: _account_option(account, titles) for account in accounts}
    chosen = [option for connection_id, option in options.items() if connection_id in wanted]
    return InputBlock(
        block_id=BLOCK_ACCOUNTS,
        label="Accounts",
        dispatch_action=True,
        element=StaticMultiSelectElement(
            action_id=BLOCK_ACCOUNTS,
            placeholder="Where to publish",
            options=list(options.values()),
            initial_options=chosen or None,
        ),
    )


def _account_option(connection: Connection, titles: Titles) -> Option:
    is_sick = connection.status is ConnectionStatus.NEEDS_RECONNECT
    described = f"{connection.nickname} · needs sign-in" if is_sick else connection.nickname
    if measure(described) > _DESCRIPTION and is_sick:
        described = f"{clip(connection.nickname, _DESCRIPTION - len(' · needs sign-in'))} · needs sign-in"
    title = f" ({one_line(title_of(connection.platform, titles), _TITLE)})"
    named = clip(connection.account.name, _OPTION - measure(title))
    return choice(f"{named}{title}", connection.connection_id, described)


_DESCRIPTION: Final = 75
_OPTION: Final = 75
_TITLE: Final = 30


def text_input(text: str, *, is_optional: bool = False) -> InputBlock:
    """The field for a post's text; optional where pictures may stand alone."""
    return InputBlock(
        block_id=BLOCK_TEXT,
        label="Text",
        hint="A line of three dashes begins the next part: of a thread, or the first comment.",
        dispatch_action=True,
        optional=is_optional or None,
        element=PlainTextInputElement(
            action_id=BLOCK_TEXT,
            multiline=True,
            dispatch_action_config=DispatchActionConfig(trigger_actions_on=["on_character_entered"]),
            max_length=TEXT_AT_MOST,
            initial_value=_fitting(text) or None,
            focus_on_load=not text or None,
        ),
    )


def count_block(line: str) -> ContextBlock:
    """How long the text is, below it."""
    return ContextBlock(block_id=BLOCK_COUNT, elements=[MarkdownTextObject(text=line, verbatim=True)])


def _fitting(text: str) -> str:
    return text if measure(text) <= TEXT_AT_MOST else clip(text, TEXT_AT_MOST + 1).removesuffix("…")


def cut_off(text: str) -> tuple[Block | None, ...]:
    """The end of a text that is longer than the form takes: shown, so that it can be copied, and never lost unseen."""
    rest = text[len(_fitting(text)) :]
    if not rest.strip():
        return ()
    return (note(f"This form takes {TEXT_AT_MOST} characters. The end of your text did not fit:"), quoted(rest, 2900))


def when_input() -> InputBlock:
    """The choice between a time and now."""
    # "Now" is never preset: publishing can't be taken back.
    at, right_away = choice("At this time", _AT), choice("Now", _NOW)
    return InputBlock(
        block_id=BLOCK_WHEN,
        label="When",
        element=RadioButtonsElement(action_id=BLOCK_WHEN, options=[at, right_away], initial_option=at),
    )


def at_input(initial: datetime) -> InputBlock:
    """The field for day and time; Slack shows it on the reader's own clock."""
    return InputBlock(
        block_id=BLOCK_AT,
        label="Date and time",
        optional=True,
        element=DateTimePickerElement(action_id=BLOCK_AT, initial_date_time=int(initial.timestamp())),
    )


def _next_hour(now: datetime, zone: str) -> datetime:
    """The next full hour on the member's clock that is at least ten minutes away."""
    earliest = (now + _EARLIEST).astimezone(find_zone(zone))
    past_hour = timedelta(minutes=earliest.minute, seconds=earliest.second, microseconds=earliest.microsecond)
    wait = timedelta(hours=1) - past_hour if past_hour else timedelta(0)
    return now + _EARLIEST + wait


def composer_loading() -> View:
    """What is shown at once, while the accounts are looked up."""
    return _modal([paragraph("One moment: I'm looking up your accounts …")])


def composer_notice(sentence: str) -> View:
    """A form that can't be shown: why, and what was kept.

    Args:
        sentence: ready to read.
    """
    return _modal([paragraph(prose(sentence))])


def composer_no_accounts(platforms: Sequence[PlatformChoice], draft_id: str | None = None) -> View:
    """There is no account to post with yet: connect one first.

    Args:
        platforms: what is installed; those that are ready get a button.
        draft_id: what was written already; it is kept.
    """
    ready = [platform for platform in platforms if platform.is_ready][:_PLATFORMS_SHOWN]
    rows = (
        row(
            f"Connect an account at {name(platform.title)}",
            button(f"Connect {one_line(platform.title, 50)}", CONNECT_START, platform.name),
        )
        for platform in ready
    )
    advice = "Connect one first; I'll send you a private link." if ready else _NONE_READY
    kept = note("Your text is kept.") if draft_id else None
    return _modal(
        [paragraph(f"*There is no account you can post with yet.*\n{advice}"), *rows, kept], draft_id=draft_id
    )


_NONE_READY: Final = "No platform is ready here yet: the people who run me have to set one up."


def parse_composer(view: Mapping[str, Any]) -> ComposerValues:
    """Read a submitted form; what is missing or odd counts as not filled in.

    Args:
        view: the ``view`` of Slack's ``view_submission`` payload.
    """
    accounts = _read_field(view, BLOCK_ACCOUNTS).get("selected_options")
    text = _read_field(view, BLOCK_TEXT).get("value")
    is_now = _read_value(_read_field(view, BLOCK_WHEN).get("selected_option")) == _NOW
    draft_id = view.get("private_metadata")
    chosen = (_read_value(option) for option in accounts) if isinstance(accounts, list) else ()
    return ComposerValues(
        connection_ids=tuple(dict.fromkeys(filter(None, chosen))),
        text=text if isinstance(text, str) else "",
        is_now=is_now,
        due_at=None if is_now else _read_time(_read_field(view, BLOCK_AT).get("selected_date_time")),
        draft_id=draft_id if isinstance(draft_id, str) and draft_id else None,
        files=parse_files(view),
    )


def _read_field(view: Mapping[str, Any], block_id: str) -> Mapping[str, Any]:
    match view.get("state"):
        case {"values": {**values}}:
            field = values.get(block_id)
        case _:
            return {}
    element = field.get(block_id) if isinstance(field, Mapping) else None
    return element if isinstance(element, Mapping) else {}


def _read_value(option: object) -> str | None:
    match option:
        case {"value": str(value)}:
            return value
        case _:
            return None


def _read_time(seconds: object) -> datetime | None:
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


_BLOCK_OF_FIELD: Final = {"accounts": BLOCK_ACCOUNTS, "text": BLOCK_TEXT, "when": BLOCK_AT}
_BLOCK_OF_FILES: Final = {"media": BLOCK_FILES, "alt_text": BLOCK_ALT_TEXT}


def composer_errors(problems: Iterable[ScheduleProblem], *, has_files: bool = False) -> dict[str, str]:
    """Put each problem at the field it belongs to; several at one field are joined.

    Args:
        problems: what is wrong.
        has_files: whether the form has fields for files: Slack takes no word about a field that isn't there.

    Returns:
        The ``errors`` of Slack's ``response_action``: block id to sentence, as plain text.
    """
    blocks = _BLOCK_OF_FIELD | (_BLOCK_OF_FILES if has_files else {})
    found: dict[str, list[str]] = {}
    for problem in problems:
        sentences = found.setdefault(blocks.get(problem.field, BLOCK_TEXT), [])
        if problem.message not in sentences:
            sentences.append(problem.message)
    return {block_id: one_line(" ".join(sentences), _ERROR_UNITS) for block_id, sentences in found.items()}
