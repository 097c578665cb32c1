"""What Facebook says about the member's access: the first part of its error table."""

from __future__ import annotations

from typing import Final

from logicspike.plugin import (
    AuthorizationFailed,
    ErrorRow,
    MemberActionRequired,
    OperatorActionRequired,
    ReconnectRequired,
    TokenExpired,
)

from .refusals import APPS_OWN, CAN_RENEW, CODE, SUBCODE
from .row_parts import AS_THE_PAGE, CHECK, CONNECTED, EVERY, GUIDE, SIGNING_IN

__all__ = ["ACCESS_ROWS"]

_SUBCODES: Final = "gist.github.com/MauricioKruijer/7663113 (a community's list), checked 2026-11-23"

_APPS: Final = "github.com/facebookarchive/facebook-swift-sdk/issues/318, checked 2026-11-25"
_SESSION: Final = frozenset({102, 190})
_PERMISSION: Final = frozenset({10, *range(200, 300)})
_SIGN_IN_FAILED: Final = "Facebook did not accept the sign-in. Please try again, and leave everything ticked."

ACCESS_ROWS: Final = (
    # Before all others of these numbers: a mistyped secret must not end everybody's connections.
    ErrorRow(
        name="190 of the app",
        on=CHECK,
        signs={CODE: _SESSION},
        given=(APPS_OWN,),
        error=OperatorActionRequired,
        sentence="Facebook refused the bot's own access as an app. An admin needs to check FACEBOOK_CLIENT_ID and "
        "FACEBOOK_CLIENT_SECRET.",
        source=_APPS,
    ),
    ErrorRow(
        name="190/459",
        on=EVERY,
        signs={CODE: _SESSION, SUBCODE: frozenset({459})},
        error=MemberActionRequired,
        sentence="Facebook wants to check that it's you. Sign in at www.facebook.com, do what it asks, then try "
        "again; if that doesn't help, connect Facebook again.",
        source=GUIDE,
    ),
    ErrorRow(
        name="190/464",
        on=EVERY,
        signs={CODE: _SESSION, SUBCODE: frozenset({464})},
        error=MemberActionRequired,
        sentence="Your Facebook account isn't confirmed. Confirm it at www.facebook.com, then try again.",
        source=GUIDE,
    ),
    ErrorRow(
        name="190/492",
        on=EVERY,
        signs={CODE: _SESSION, SUBCODE: frozenset({492})},
        error=MemberActionRequired,
        sentence="The person who connected this Page may not post on it any more. An admin of the Page must give the "
        "role back at Facebook (or turn on two-factor sign-in, where the business asks for it); then try again.",
        source=GUIDE,
    ),
    ErrorRow(
        name="190 while connecting",
        on=SIGNING_IN,
        signs={CODE: _SESSION},
        error=AuthorizationFailed,
        sentence=_SIGN_IN_FAILED,
        source=GUIDE,
    ),
    ErrorRow(
        name="190/458",
        on=CONNECTED,
        signs={CODE: _SESSION, SUBCODE: frozenset({458})},
        error=ReconnectRequired,
        sentence="The bot was removed from the Facebook account that connected this Page. Connect Facebook again to "
        "go on.",
        source=GUIDE,
    ),
    ErrorRow(
        name="190/460",
        on=CONNECTED,
        signs={CODE: _SESSION, SUBCODE: frozenset({460})},
        error=ReconnectRequired,
        sentence="Facebook ended the bot's access because the password was changed, or for security. Connect "
        "Facebook again to go on.",
        source=GUIDE + "; github.com/roughike/flutter_facebook_login/issues/151",
    ),
    ErrorRow(
        name="190/463",
        on=AS_THE_PAGE,
        signs={CODE: _SESSION, SUBCODE: frozenset({463})},
        given=(CAN_RENEW,),
        error=TokenExpired,
        sentence="Facebook says that the Page's access has expired.",
        source=GUIDE,
    ),
    ErrorRow(
        name="190/463",
        on=CONNECTED,
        signs={CODE: _SESSION, SUBCODE: frozenset({463})},
        error=ReconnectRequired,
        sentence="The bot's access to Facebook has expired. Connect Facebook again to go on.",
        source=GUIDE,
    ),
    ErrorRow(
        name="190/467",
        on=CONNECTED,
        signs={CODE: _SESSION, SUBCODE: frozenset({467})},
        error=ReconnectRequired,
        sentence="Facebook ended the bot's access: somebody signed out everywhere or withdrew it. Connect Facebook "
        "again to go on.",
        source=GUIDE,
    ),
    ErrorRow(
        name="190/461",
        on=CONNECTED,
        signs={CODE: _SESSION, SUBCODE: frozenset({461, 462, 466, 468})},
        error=ReconnectRequired,
        sentence="Facebook no longer accepts the bot's access. Connect Facebook again to go on.",
        source=_SUBCODES,
    ),
    ErrorRow(
        name="190",
        on=CONNECTED,
        signs={CODE: _SESSION},
        error=ReconnectRequired,
        sentence="Facebook has ended the bot's access. Connect Facebook again to go on.",
        source=GUIDE,
    ),
    ErrorRow(
        name="200 while connecting",
        on=SIGNING_IN,
        signs={CODE: _PERMISSION},
        error=AuthorizationFailed,
        sentence=_SIGN_IN_FAILED,
        source=GUIDE,
    ),
    ErrorRow(
        name="200",
        on=CONNECTED - CHECK,
        signs={CODE: _PERMISSION},
        error=ReconnectRequired,
        sentence="Facebook says that the bot may not do this: a permission is missing, was withdrawn, or was not "
        "used for 90 days. Connect Facebook again and leave everything ticked.",
        lacks_permission=True,
        source=GUIDE + "; the 90 days: observed, unattributed",
    ),
)
