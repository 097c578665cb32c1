"""Error tables: what a platform's refusals mean, one row each, decided by the codes in the answer.

A plugin writes its platform's refusals down once, as rows. The rows decide what a hook raises, and the page
``docs/platform-errors.md`` is printed from them. An answer that no row knows is never guessed at: after a call that
publishes it is ``OutcomeUnknown``, else ``PlatformUnavailable``, and its codes are logged with a short reference, which
stands in the sentence as well, so that the table can grow.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from .errors import (
    MemberActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    PostRejected,
    RateLimited,
    ReconnectRequired,
)
from .types import Problem

__all__ = ["ErrorRow", "ErrorTable", "Operation", "Refusal"]

log = logging.getLogger(__name__)

_DEFAULT_PAUSE: Final = timedelta(minutes=15)
# What a platform's code may look like for the log; anything else could be a sentence somebody wrote.
_LOGGABLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.:/-]{0,63}")


class Operation(StrEnum):
    """What was being done when the platform refused; named by how people would say it."""

    SIGN_IN = "sign-in"
    """Trading the authorization code for tokens."""
    CONNECT = "connect"
    """Reading, with new tokens, whose they are and which accounts they open."""
    REFRESH = "refresh"
    """Getting new tokens for a connection."""
    CHECK = "check"
    """Asking, once in a while, whether a connection still works."""
    PREPARE = "prepare"
    """Getting ready what a post needs: uploading its pictures or video, waiting for them."""
    PUBLISH = "publish"
    """The one call that creates the post."""
    LOOK_UP = "look-up"
    """Looking for a post whose outcome is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A platform's answer that isn't the wished one, parsed.

    Attributes:
        operation: what was being done.
        status: the HTTP status; rows may ask for it as the sign ``status``.
        codes: the platform's own codes by the names of its fields; they are logged when no row knows the answer.
        texts: what the answer says in sentences, by field; compared whole only, never searched, logged or shown.
        given: what holds beside the answer, in the words of the rows' ``given``.
        words: values for the ``{placeholders}`` in the sentences.
        said: what the platform wants people to read; added to sentences that ask a person to do something.
        missing_scopes: the permissions to name where the grant is too small.
        now: aware UTC.
        retry_at: when the platform says that calls will be taken again, if it says so.
        reference: the platform's trace id, for its support.
    """

    operation: Operation
    status: int
    codes: Mapping[str, Collection[str | int]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    given: Collection[str] = ()
    words: Mapping[str, str] = field(default_factory=dict, repr=False)
    said: str = field(default="", repr=False)
    missing_scopes: Sequence[str] = ()
    now: datetime
    retry_at: datetime | None = None
    reference: str | None = None

    def values(self, sign: str) -> Collection[str | int]:
        """What the answer holds for a sign: ``status``, one of the codes, or one of the texts."""
        if sign == "status":
            return (self.status,)
        return (self.texts[sign],) if sign in self.texts else self.codes.get(sign, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """One kind of refusal: how it is known, what follows, what people read, where it is documented.

    Attributes:
        name: what to call it, such as ``190/460``; rows of one name stand for the same answer.
        on: the operations it is about.
        signs: the fields that must hold one of these values, all of them; ``status`` where the platform says no more.
        given: what must hold beside the answer, as phrases to read; all of them.
        error: the class that is raised.
        sentence: what people read; may hold ``{placeholders}``.
        field: which part of the post is refused: "text", "link", "media".
        lacks_permission: whether the error names the missing permissions.
        is_app_wide: whether a limit holds for our whole developer app, not just this account.
        resumes: when calls are taken again where the platform doesn't say so; in 15 minutes by default.
        source: where this is documented or was seen, and when that was checked.
    """

    name: str
    on: frozenset[Operation]
    signs: Mapping[str, frozenset[str | int]]
    given: tuple[str, ...] = ()
    error: type[PlatformError]
    sentence: str
    field: str = "text"
    lacks_permission: bool = False
    is_app_wide: bool = False
    resumes: Callable[[datetime], datetime] = lambda now: now + _DEFAULT_PAUSE
    source: str

    def fits(self, refusal: Refusal) -> bool:
        """Whether this row is about the refusal."""
        return (
            refusal.operation in self.on
            and all(condition in refusal.given for condition in self.given)
            and all(not wanted.isdisjoint(refusal.values(sign)) for sign, wanted in self.signs.items())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorTable:
    """Everything a platform is known to refuse with; of the rows that fit, the first one decides.

    Attributes:
        platform: the platform's name, for the log.
        title: its name for people.
        look_at: where a person sees whether a post is live ("the Page").
        note: what readers of the printed table should know beforehand.
        rows: in the order they are tried.
    """

    platform: str
    title: str
    look_at: str
    note: str = ""
    rows: tuple[ErrorRow, ...]

    def find(self, refusal: Refusal) -> ErrorRow | None:
        """The row that decides; None when the table doesn't know the answer."""
        return next((row for row in self.rows if row.fits(refusal)), None)

    def to_error(self, refusal: Refusal) -> PlatformError:
        """The error to raise; an answer that no row knows is logged once, by a reference that its sentence holds."""
        row = self.find(refusal)
        return self._to_unknown(refusal) if row is None else self._by_row(row, refusal)

    def _by_row(self, row: ErrorRow, refusal: Refusal) -> PlatformError:
        sentence, reference = row.sentence.format_map(refusal.words), refusal.reference
        if refusal.said and issubclass(row.error, MemberActionRequired | PostRejected):
            sentence = f"{sentence} {self.title} says: {refusal.said}"
        if issubclass(row.error, PostRejected):
            return row.error(Problem(message=sentence, field=row.field), reference=reference)
        if issubclass(row.error, RateLimited):
            until = refusal.retry_at or row.resumes(refusal.now)
            return row.error(sentence, until=until, is_app_wide=row.is_app_wide, reference=reference)
        if issubclass(row.error, ReconnectRequired):
            missing = refusal.missing_scopes if row.lacks_permission else ()
            return row.error(sentence, missing_scopes=missing, reference=reference)
        return row.error(sentence, reference=reference)

    def _to_unknown(self, refusal: Refusal) -> PlatformError:
        number = secrets.token_hex(4)
        codes = {sign: _loggable(values) for sign, values in refusal.codes.items()}
        log.warning(
            "%s gave an answer that is not in its error table: %s, status %s, codes %s, reference %s",
            self.title,
            refusal.operation,
            refusal.status,
            codes,
            number,
            extra={
                "event": "platform.unknown_answer",
                "platform": self.platform,
                "operation": str(refusal.operation),
                "status": refusal.status,
                "codes": codes,
                "reference": number,
                "platform_reference": _loggable((refusal.reference,) if refusal.reference else ()),
            },
        )
        for_admins = f"(For your admin: reference {number} in the log.)"
        if refusal.operation is Operation.PUBLISH:
            return OutcomeUnknown(
                f"{self.title} gave an answer the bot doesn't know, so the post may be live. Look at {self.look_at} "
                f"before posting it again. {for_admins}",
                reference=refusal.reference,
            )
        return PlatformUnavailable(
            f"{self.title} gave an answer the bot doesn't know. Please try again in a few minutes. {for_admins}",
            reference=refusal.reference,
        )


def _loggable(values: Collection[str | int]) -> list[str | int]:
    return sorted(
        (value if isinstance(value, int) or _LOGGABLE.fullmatch(value) else "(not a code)" for value in values), key=str
    )
