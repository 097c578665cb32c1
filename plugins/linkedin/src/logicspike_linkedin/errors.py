"""What LinkedIn's errors mean for us: one table, each row with its source; the first row that fits decides.

LinkedIn answers errors of its API with ``{"status", "message"}`` and one or more of ``code``, ``serviceErrorCode`` and
``errorDetails.inputErrors[].code``; the token endpoint with ``error`` and ``error_description``. Rows ask for these;
the status decides where LinkedIn gives no code.
"""

from __future__ import annotations

from typing import Final

from logicspike.plugin import (
    ErrorRow,
    ErrorTable,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformUnavailable,
    RateLimited,
)

from .access_errors import ACCESS_EXPIRED, ACCESS_ROWS, ACCESS_WITHDRAWN, NOT_ACCEPTED, TokenNotActiveYet
from .permission_errors import PERMISSION_ROWS, UploadUnseen
from .post_errors import MEDIA_FAILED, POST_ROWS
from .refusals import CODE, ITS_FORMAT, LIMIT, STATUS
from .row_parts import ERRORS, EVERY, LIMITS, PUBLISH, VERSIONS, WITH_TOKEN, after_midnight, in_five_minutes

__all__ = [
    "ACCESS_EXPIRED",
    "ACCESS_WITHDRAWN",
    "MEDIA_FAILED",
    "NOT_ACCEPTED",
    "TABLE",
    "TokenNotActiveYet",
    "UploadUnseen",
]

_VERSION_GONE: Final = (
    "LinkedIn no longer serves version {version} of its API. An admin needs to set LINKEDIN_VERSION to a current one, "
    "such as last month's (YYYYMM)."
)
_SERVER_ERRORS: Final[frozenset[str | int]] = frozenset({500, 502, 503, 504})

_DOWN_ROWS: Final = (
    # Whatever the body says: a post was not refused by a server that stumbled.
    ErrorRow(
        name="down",
        on=PUBLISH,
        signs={STATUS: _SERVER_ERRORS},
        error=OutcomeUnknown,
        sentence="LinkedIn gave no clear answer, so the post may be live. Look at your profile or page before posting "
        "it again.",
        source=ERRORS,
    ),
    ErrorRow(
        name="down",
        on=EVERY - PUBLISH,
        signs={STATUS: _SERVER_ERRORS},
        error=PlatformUnavailable,
        sentence="LinkedIn can't be reached or is having trouble. Please try again in a few minutes.",
        source=ERRORS,
    ),
)

_SERVICE_ROWS: Final = (
    ErrorRow(
        name="NONEXISTENT_VERSION",
        on=WITH_TOKEN,
        signs={CODE: frozenset({"NONEXISTENT_VERSION", "VERSION_MISSING"})},
        error=OperatorActionRequired,
        sentence=_VERSION_GONE,
        source="body: github.com/n8n-io/n8n/issues/28967; " + VERSIONS,
    ),
    # No other use of 426 ("Upgrade Required") is documented, whatever its code.
    ErrorRow(
        name="426",
        on=WITH_TOKEN,
        signs={STATUS: frozenset({426})},
        given=(ITS_FORMAT,),
        error=OperatorActionRequired,
        sentence=_VERSION_GONE,
        source=VERSIONS,
    ),
    ErrorRow(
        name="daily limit of the app",
        on=EVERY,
        signs={LIMIT: frozenset({"APPLICATION DAY"}), STATUS: frozenset({429})},
        error=RateLimited,
        sentence="LinkedIn's limit for today is used up for everybody who posts through this bot; it starts anew at "
        "00:00 UTC.",
        is_app_wide=True,
        resumes=after_midnight,
        source=LIMITS,
    ),
    ErrorRow(
        name="daily limit",
        on=EVERY,
        signs={CODE: frozenset({101}), STATUS: frozenset({429})},
        error=RateLimited,
        sentence="LinkedIn's limit for today is used up; it starts anew at 00:00 UTC.",
        resumes=after_midnight,
        source="the code: learn.microsoft.com/linkedin/shared/api-guide/concepts/decoration; " + LIMITS,
    ),
    # For its other limits LinkedIn documents no code, only the status.
    ErrorRow(
        name="429",
        on=EVERY,
        signs={STATUS: frozenset({429})},
        error=RateLimited,
        sentence="LinkedIn asks us to slow down.",
        resumes=in_five_minutes,
        source="infrastructure protection: " + LIMITS,
    ),
)

TABLE: Final = ErrorTable(
    platform="linkedin",
    title="LinkedIn",
    look_at="your profile or page",
    note="A `code` may stand for the whole answer or for one input of it; `limit` and `field` are read from messages "
    "of a known form. Where LinkedIn gives no code, the status decides. LinkedIn doesn't say how long a limit lasts: "
    "that of the day until 00:00 UTC, another five minutes.",
    rows=(*_DOWN_ROWS, *ACCESS_ROWS, *PERMISSION_ROWS, *_SERVICE_ROWS, *POST_ROWS),
)
"""What LinkedIn is known to refuse with."""
