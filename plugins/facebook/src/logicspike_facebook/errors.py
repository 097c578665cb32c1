"""What Facebook's errors mean for us: tables of rows, each with its source; first match wins.

The Graph API answers errors with ``{"error": {"message", "type", "code", "error_subcode", "fbtrace_id", …}}``, most of
them with status 400. Rows match the integers ``code`` and ``error_subcode``, never the status.
"""

from __future__ import annotations

from typing import Final

from logicspike.plugin import (
    AuthorizationFailed,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    PostRejected,
    Problem,
    ReconnectRequired,
    TokenExpired,
    oauth2,
)

from .verdicts import (
    Call,
    ErrorRow,
    GraphError,
    expired,
    member_action,
    missing_permission,
    operator,
    parse_graph_error,
    rate_limited,
    reconnect,
    rejected,
    sign_in_refused,
    unclear,
)

__all__ = ["API_ROWS", "TOKEN_ROWS", "publish_error", "read_error", "sign_in_error", "token_error"]

_GUIDE: Final = "developers.facebook.com/docs/graph-api/guides/error-handling, checked 2026-11-23"
_LIMITS: Final = "developers.facebook.com/docs/graph-api/overview/rate-limiting, checked 2026-11-23"
_SUBCODES: Final = "gist.github.com/MauricioKruijer/7663113, checked 2026-11-23"
_POSTIZ: Final = (
    "github.com/gitroomhq/postiz-app, libraries/nestjs-libraries/src/integrations/social/facebook.provider.ts, "
    "checked 2026-11-23"
)

_SESSION: Final = frozenset({102, 190})
_NO_ANSWER: Final = "Facebook gave no usable answer. Please try again in a few minutes."
_MAYBE_LIVE: Final = "Facebook gave no clear answer, so the post may be live. Look at the Page before posting it again."

# --- the member's access ---------------------------------------------------------------------------------------------

_ACCESS_ROWS: Final = (
    ErrorRow(
        codes=_SESSION,
        subcodes=frozenset({458}),
        verdict=reconnect,
        explanation="The bot was removed from the Facebook account that connected this Page. Connect Facebook again "
        "to go on.",
        source=_GUIDE,
    ),
    ErrorRow(
        codes=_SESSION,
        subcodes=frozenset({459}),
        verdict=member_action,
        explanation="Facebook wants to check that it's you. Sign in at www.facebook.com, do what it asks, then try "
        "again; if that doesn't help, connect Facebook again.",
        source=_GUIDE,
    ),
    ErrorRow(
        codes=_SESSION,
        subcodes=frozenset({460}),
        verdict=reconnect,
        explanation="Facebook ended the bot's access because the password was changed, or for security. Connect "
        "Facebook again to go on.",
        source=_GUIDE + "; github.com/roughike/flutter_facebook_login/issues/151",
    ),
    ErrorRow(
        codes=_SESSION,
        subcodes=frozenset({463}),
        verdict=expired,
        explanation="The bot's access to Facebook has expired. Connect Facebook again to go on.",
        source=_GUIDE,
    ),
    ErrorRow(
        codes=_SESSION,
        subcodes=frozenset({464}),
        verdict=member_action,
        explanation="Your Facebook account isn't confirmed. Confirm it at www.facebook.com, then try again.",
        source=_GUIDE,
    ),
    ErrorRow(
        codes=_SESSION,
        subcodes=frozenset({467}),
        verdict=reconnect,
        explanation="Facebook ended the bot's access: somebody signed out everywhere or withdrew it. Connect Facebook "
        "again to go on.",
        source=_GUIDE,
    ),
    ErrorRow(
        codes=_SESSION,
        subcodes=frozenset({461, 462, 466, 468}),
        verdict=reconnect,
        explanation="Facebook no longer accepts the bot's access. Connect Facebook again to go on.",
        source=_SUBCODES,
    ),
    ErrorRow(
        codes=_SESSION,
        subcodes=frozenset({492}),
        verdict=member_action,
        explanation="The person who connected this Page may not post on it any more. An admin of the Page must give "
        "the role back at Facebook (or turn on two-factor sign-in, where the business asks for it); then try again.",
        source=_GUIDE,
    ),
    ErrorRow(
        codes=_SESSION,
        verdict=reconnect,
        explanation="Facebook has ended the bot's access. Connect Facebook again to go on.",
        source=_GUIDE,
    ),
)

# --- the post --------------------------------------------------------------------------------------------------------

_POST_ROWS: Final = (
    ErrorRow(
        numbers=frozenset({4854002}),
        verdict=member_action,
        explanation="Facebook wants the identity of the Page's people confirmed before it publishes. Do that at "
        "www.facebook.com, then try again.",
        source=_POSTIZ,
    ),
    ErrorRow(
        codes=frozenset({368}),
        subcodes=frozenset({1390008}),
        verdict=rate_limited,
        explanation="Facebook finds that this Page posts too fast.",
        source=_POSTIZ,
    ),
    ErrorRow(
        codes=frozenset({368}),
        subcodes=frozenset({1404006}),
        verdict=member_action,
        explanation="Facebook asks for a security check. Sign in at www.facebook.com, do what it asks, then try again.",
        source=_POSTIZ,
    ),
    ErrorRow(
        codes=frozenset({368}),
        subcodes=frozenset({1404078}),
        verdict=member_action,
        explanation="Facebook asks the Page's people for its “Page publishing authorization”. Complete it at "
        "www.facebook.com, then try again.",
        source=_POSTIZ,
    ),
    ErrorRow(
        codes=frozenset({368}),
        subcodes=frozenset({1404102}),
        verdict=rejected,
        explanation="Facebook says that this goes against its community standards. Change the text and schedule it "
        "again.",
        source=_POSTIZ,
    ),
    ErrorRow(
        codes=frozenset({368}),
        verdict=member_action,
        explanation="Facebook blocked this post: the Page is restricted for a while, or the text says the same as an "
        "earlier post. Look at the Page's support inbox at www.facebook.com; then try again, or cancel the post and "
        "change the text.",
        source=_GUIDE + "; github.com/arsduo/koala/issues/422 (a repeated text)",
    ),
    ErrorRow(
        codes=frozenset({506}),
        verdict=rejected,
        explanation="Facebook has this very post on the Page already and won't publish it twice in a row. To post it "
        "anew, change the text.",
        source=_GUIDE,
    ),
    ErrorRow(
        numbers=frozenset({1609008}),
        verdict=rejected,
        explanation="Facebook doesn't take links to facebook.com from apps. Leave the link out.",
        field="link",
        source=_POSTIZ,
    ),
    ErrorRow(
        numbers=frozenset({1500, 1609005}),
        verdict=rejected,
        explanation="Facebook can't open the link. Check that the address is right and public, or leave it out.",
        field="link",
        source=_GUIDE + "; github.com/nov/fb_graph/issues/320 (1500)",
    ),
)

# --- permissions, our app, throttling, outages -----------------------------------------------------------------------

_APP_ROWS: Final = (
    ErrorRow(
        codes=frozenset({100}),
        message="Invalid appsecret_proof provided in the API argument",
        verdict=operator,
        explanation="Facebook refused the proof made from the app secret. An admin needs to check that "
        "FACEBOOK_CLIENT_SECRET is the secret of the app this Page was connected with.",
        source="github.com/facebookarchive/php-graph-sdk/issues/986, github.com/restfb/restfb/issues/1118, "
        "checked 2026-11-23",
    ),
    ErrorRow(
        codes=frozenset({100}),
        subcodes=frozenset({33}),
        verdict=member_action,
        explanation="Facebook can't find the Page, or doesn't show it to the bot. Check at www.facebook.com that it "
        "still exists and that you may post on it; then try again, or connect Facebook again.",
        source="github.com/roughike/flutter_facebook_login/issues/44, checked 2026-11-23",
    ),
    ErrorRow(
        codes=frozenset({10, *range(200, 300)}),
        verdict=missing_permission,
        explanation="Facebook says that the bot may not do this: a permission is missing, was withdrawn, or was not "
        "used for 90 days. Connect Facebook again and leave everything ticked.",
        source=_GUIDE + "; the 90 days: observed, unattributed",
    ),
    ErrorRow(
        codes=frozenset({3}),
        verdict=operator,
        explanation="Facebook says that the bot's app may not make this call. An admin needs to look at the app's "
        "permissions and its review at developers.facebook.com.",
        source=_GUIDE,
    ),
    ErrorRow(
        codes=frozenset({101}),
        verdict=operator,
        explanation="Facebook doesn't know the bot's app. An admin needs to check FACEBOOK_CLIENT_ID.",
        source="github.com/sns-sdks/python-facebook/issues/271, checked 2026-11-23",
    ),
    ErrorRow(
        codes=frozenset({1705}),
        verdict=operator,
        explanation="Facebook says that this needs a Page's own access. An admin should report this with the log.",
        source="observed, unattributed, checked 2026-11-23",
    ),
    ErrorRow(
        codes=frozenset({2500}),
        verdict=operator,
        explanation="Facebook doesn't know this version of its API. An admin needs to check FACEBOOK_GRAPH_VERSION (it "
        "looks like v26.0).",
        source="github.com/arsduo/koala/issues/611, checked 2026-11-23",
    ),
    ErrorRow(
        codes=frozenset({4, 17, 32, 341, 613, *range(80000, 80015)}),
        verdict=rate_limited,
        explanation="Facebook asks the bot to slow down.",
        source=_LIMITS + "; 341: " + _GUIDE,
    ),
    # A post was seen live after 1/99 (github.com/facebookarchive/php-graph-sdk/issues/1141) and after 2
    # (github.com/arsduo/koala/issues/699).
    ErrorRow(
        codes=frozenset({1, 2}),
        verdict=unclear,
        explanation=_MAYBE_LIVE,
        source=_GUIDE,
    ),
    ErrorRow(
        codes=frozenset({100}),
        verdict=rejected,
        explanation="Facebook doesn't take the post as it is (error 100). Change the text or the link.",
        source=_GUIDE,
    ),
)

API_ROWS: Final = (*_ACCESS_ROWS, *_POST_ROWS, *_APP_ROWS)
"""Every call with an access token."""

TOKEN_ROWS: Final = (
    ErrorRow(
        codes=frozenset({1}),
        message="Error validating client secret",
        verdict=operator,
        explanation="Facebook refused the bot's app secret. An admin needs to check FACEBOOK_CLIENT_SECRET.",
        source="github.com/facebookarchive/php-graph-sdk/issues/538, checked 2026-11-23",
    ),
    # Used (subcode 36009), unknown or late code, and another redirect_uri: all mean "once more, please".
    ErrorRow(
        codes=frozenset({100}),
        verdict=sign_in_refused,
        explanation="Facebook refused the sign-in; the link may have been used or have expired. Please try again with "
        "a new one.",
        source="github.com/scribejava/scribejava/issues/605; subcode 36009: observed, unattributed; checked 2026-11-23",
    ),
    *_ACCESS_ROWS,
    *_APP_ROWS,
)
"""The token endpoint."""


def publish_error(reply: oauth2.Reply, call: Call) -> PlatformError:
    """Tell what an answer other than "created" means for a post; what can't be told for sure is ``OutcomeUnknown``."""
    error = parse_graph_error(reply, call.ctx.now)
    if error is None:
        return OutcomeUnknown(_MAYBE_LIVE)
    if verdict := _find_verdict(API_ROWS, error, call):
        return verdict
    if not 400 <= reply.status < 500:
        return OutcomeUnknown(_MAYBE_LIVE, reference=error.reference)
    return PostRejected(Problem(message=_unknown_refusal(error)), reference=error.reference)


def read_error(reply: oauth2.Reply, call: Call) -> PlatformError:
    """Tell what a failed look at Facebook means; nothing was published by it."""
    return _as_read(_verdict_of(API_ROWS, reply, call))


def sign_in_error(reply: oauth2.Reply, call: Call) -> PlatformError:
    """Tell what a failed look at Facebook means while a member connects, with a token that is seconds old."""
    return _as_sign_in(_as_read(_verdict_of(API_ROWS, reply, call)))


def token_error(reply: oauth2.Reply, call: Call) -> PlatformError:
    """Tell what a refusal of the token endpoint means while a member connects."""
    return _as_sign_in(_as_read(_verdict_of(TOKEN_ROWS, reply, call)))


def _verdict_of(rows: tuple[ErrorRow, ...], reply: oauth2.Reply, call: Call) -> PlatformError | None:
    error = parse_graph_error(reply, call.ctx.now)
    return _find_verdict(rows, error, call) if error is not None else None


def _find_verdict(rows: tuple[ErrorRow, ...], error: GraphError, call: Call) -> PlatformError | None:
    return next((row.verdict(row, error, call) for row in rows if row.matches(error)), None)


def _as_read(verdict: PlatformError | None) -> PlatformError:
    if verdict is None or isinstance(verdict, OutcomeUnknown | PostRejected):
        reference = verdict.reference if verdict is not None else None
        return PlatformUnavailable(_NO_ANSWER, reference=reference)
    return verdict


def _as_sign_in(verdict: PlatformError) -> PlatformError:
    if isinstance(verdict, ReconnectRequired | TokenExpired):
        return AuthorizationFailed(
            "Facebook did not accept the sign-in. Please try again, and leave everything ticked.",
            reference=verdict.reference,
        )
    return verdict


def _unknown_refusal(error: GraphError) -> str:
    says = f" Facebook says: {error.user_message}" if error.user_message else ""
    return f"Facebook refused the post (error {error.name}).{says} Change the text or the link and schedule it again."
