"""What LinkedIn says to somebody who may not do this: the second part of its error table."""

from __future__ import annotations

from typing import Final

from logicspike.plugin import (
    ErrorRow,
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformUnavailable,
    ReconnectRequired,
)

from .refusals import CODE, COMMENTING, FIELD, FOR_A_PAGE, ITS_FORMAT, LOOKING, MESSAGE, STATUS, WITH_MEDIA
from .row_parts import CONNECT, ERRORS, LOOK_UP, POSTING, PREPARE, PUBLISH, VIDEOS

__all__ = ["PERMISSION_ROWS", "UploadUnseen"]

_DENIED: Final[frozenset[str | int]] = frozenset({100, "ACCESS_DENIED"})
_FORBIDDEN: Final[frozenset[str | int]] = frozenset({403})
_ROLE_LOST: Final = (
    "LinkedIn says that you may not post as this company page any more. An admin of the page needs to make you a super "
    "admin or content admin; if you are one, connect the page again."
)


class UploadUnseen(PlatformUnavailable):
    """LinkedIn doesn't tell this account how far its upload is."""


PERMISSION_ROWS: Final = (
    ErrorRow(
        name="403 for an upload's state",
        on=PREPARE,
        signs={STATUS: _FORBIDDEN},
        given=(ITS_FORMAT, LOOKING),
        error=UploadUnseen,
        sentence="LinkedIn doesn't say how far the picture or video is.",
        source="observed, unattributed, checked 2026-11-25",
    ),
    ErrorRow(
        name="ACCESS_DENIED to the company pages",
        on=CONNECT,
        signs={CODE: _DENIED},
        given=(FOR_A_PAGE,),
        error=OperatorActionRequired,
        sentence="LinkedIn doesn't let the bot read which company pages you manage. An admin needs to add the product "
        "“Community Management API” to the LinkedIn app for company pages, and to wait for LinkedIn's review.",
        source=ERRORS,
    ),
    ErrorRow(
        name="ACCESS_DENIED",
        on=CONNECT,
        signs={CODE: _DENIED},
        error=OperatorActionRequired,
        sentence="LinkedIn doesn't let the bot read who signed in. An admin needs to add the product “Sign In with "
        "LinkedIn using OpenID Connect” to the LinkedIn app.",
        source=ERRORS,
    ),
    ErrorRow(
        name="role lost",
        on=POSTING,
        signs={FIELD: frozenset({"/author", "/initializeUploadRequest/owner", "/actor"})},
        given=(FOR_A_PAGE,),
        error=MemberActionRequired,
        sentence=_ROLE_LOST,
        source="observed with /author, unattributed, checked 2026-11-25",
    ),
    ErrorRow(
        name="role lost, with a video",
        on=PREPARE,
        signs={
            MESSAGE: frozenset(
                {"Accessing this video resource is forbidden. Please check your permissions for this resource"}
            )
        },
        given=(FOR_A_PAGE,),
        error=MemberActionRequired,
        sentence=_ROLE_LOST,
        source=VIDEOS,
    ),
    ErrorRow(
        name="organization permissions",
        on=POSTING,
        signs={
            MESSAGE: frozenset(
                f"Organization permissions must be used when using organization as {role}"
                for role in ("author", "owner")
            )
        },
        error=ReconnectRequired,
        sentence="LinkedIn says this connection may not post as a company page. Connect the page again and allow "
        "posting; if that changes nothing, ask an admin whether LinkedIn has approved the app for company pages.",
        lacks_permission=True,
        source="observed, unattributed, checked 2026-11-25",
    ),
    # The post is live, and no consent of a member's would change what LinkedIn lets the app do.
    ErrorRow(
        name="ACCESS_DENIED to a comment",
        on=PUBLISH,
        signs={CODE: _DENIED},
        given=(COMMENTING,),
        error=OperatorActionRequired,
        sentence="LinkedIn doesn't let the bot's app write comments. An admin finds what can be done in the README of "
        "the LinkedIn plugin, under “First comments”.",
        source="observed, unattributed, checked 2026-11-25",
    ),
    ErrorRow(
        name="ACCESS_DENIED as a company page",
        on=POSTING,
        signs={CODE: _DENIED},
        given=(FOR_A_PAGE,),
        error=ReconnectRequired,
        sentence="LinkedIn says this connection may not post as the company page. Connect the page again and allow "
        "posting; if that changes nothing, ask an admin whether the LinkedIn app for company pages still has the "
        "product “Community Management API”.",
        lacks_permission=True,
        source=ERRORS,
    ),
    ErrorRow(
        name="ACCESS_DENIED",
        on=POSTING,
        signs={CODE: _DENIED},
        error=ReconnectRequired,
        sentence="LinkedIn says this connection may not post. Connect LinkedIn again and allow posting; if that "
        "changes nothing, ask an admin whether the LinkedIn app still has the product “Share on LinkedIn”.",
        lacks_permission=True,
        source=ERRORS,
    ),
    ErrorRow(
        name="ACCESS_DENIED to a look-up",
        on=LOOK_UP,
        signs={CODE: _DENIED},
        error=OutcomeUnknown,
        sentence="LinkedIn doesn't let the bot look up what was published. Look at your profile or page before posting "
        "it again.",
        source=ERRORS,
    ),
    # Without a code it is not about the permission: for a moment after an upload, a post may not use it yet.
    ErrorRow(
        name="403 after an upload",
        on=PUBLISH,
        signs={STATUS: _FORBIDDEN},
        given=(ITS_FORMAT, WITH_MEDIA),
        error=PlatformUnavailable,
        sentence="LinkedIn doesn't let the post use its picture or video yet; nothing was posted.",
        source="github.com/gitroomhq/postiz-app, linkedin.provider.ts (“resource is forbidden”), checked 2026-11-23",
    ),
)
