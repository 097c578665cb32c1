"""What Facebook's errors mean for us: one table, each row with its source; the first row that fits decides.

The Graph API answers errors with ``{"error": {"message", "type", "code", "error_subcode", "fbtrace_id", …}}``, most of
them with status 400. Rows ask for the integers ``code`` and ``error_subcode``; the status is asked only where an answer
has no such error, and the message, as a whole, only where Facebook gives two meanings to one code.
"""

from __future__ import annotations

from typing import Final

from logicspike.plugin import (
    AuthorizationFailed,
    ErrorRow,
    ErrorTable,
    MemberActionRequired,
    Operation,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformContext,
    PlatformError,
    PlatformUnavailable,
    PostRejected,
    RateLimited,
    oauth2,
)

from .access_errors import ACCESS_ROWS
from .media_errors import MEDIA_ROWS
from .post_errors import POST_ROWS
from .refusals import CODE, MESSAGE, NOT_ITS_FORMAT, STATUS, SUBCODE, read_refusal
from .row_parts import EVERY, GUIDE, MAYBE_LIVE, NOT_PUBLISHING, PUBLISH, SIGN_IN, UPLOAD, WITH_TOKEN, in_an_hour

__all__ = ["TABLE", "error_of", "is_about_an_object", "is_duplicate"]

_LIMITS: Final = "developers.facebook.com/docs/graph-api/overview/rate-limiting, checked 2026-11-23"
_HTTP: Final = "RFC 9110 section 15.6, checked 2026-11-23"

_NO_ANSWER: Final = "Facebook gave no usable answer. Please try again in a few minutes."

_APP_ROWS: Final = (
    ErrorRow(
        name="1 while signing in",
        on=SIGN_IN,
        signs={CODE: frozenset({1}), MESSAGE: frozenset({"Error validating client secret"})},
        error=OperatorActionRequired,
        sentence="Facebook refused the bot's app secret. An admin needs to check FACEBOOK_CLIENT_SECRET.",
        source="github.com/facebookarchive/php-graph-sdk/issues/538, checked 2026-11-23",
    ),
    # Used (subcode 36009), late (36007), unknown code, and another redirect_uri (36008): all mean "once more, please".
    ErrorRow(
        name="100 while signing in",
        on=SIGN_IN,
        signs={CODE: frozenset({100})},
        error=AuthorizationFailed,
        sentence="Facebook refused the sign-in; the link may have been used or have expired. Please try again with a "
        "new one.",
        source="github.com/scribejava/scribejava/issues/605; subcode 36009: observed, unattributed; checked 2026-11-23",
    ),
    ErrorRow(
        name="100 appsecret_proof",
        on=WITH_TOKEN,
        signs={CODE: frozenset({100}), MESSAGE: frozenset({"Invalid appsecret_proof provided in the API argument"})},
        error=OperatorActionRequired,
        sentence="Facebook refused the proof made from the app secret. An admin needs to check that "
        "FACEBOOK_CLIENT_SECRET is the secret of the app this Page was connected with.",
        source="github.com/facebookarchive/php-graph-sdk/issues/986, github.com/restfb/restfb/issues/1118, checked "
        "2026-11-23",
    ),
    ErrorRow(
        name="100/33",
        on=WITH_TOKEN,
        signs={CODE: frozenset({100}), SUBCODE: frozenset({33})},
        error=MemberActionRequired,
        sentence="Facebook can't find the Page, or doesn't show it to the bot. Check at www.facebook.com that it "
        "still exists and that you may post on it; then try again, or connect Facebook again.",
        source="github.com/roughike/flutter_facebook_login/issues/44, checked 2026-11-23",
    ),
    ErrorRow(
        name="3",
        on=EVERY,
        signs={CODE: frozenset({3})},
        error=OperatorActionRequired,
        sentence="Facebook says that the bot's app may not make this call. An admin needs to look at the app's "
        "permissions and its review at developers.facebook.com.",
        source=GUIDE,
    ),
    ErrorRow(
        name="101",
        on=EVERY,
        signs={CODE: frozenset({101})},
        error=OperatorActionRequired,
        sentence="Facebook doesn't know the bot's app. An admin needs to check FACEBOOK_CLIENT_ID.",
        source="github.com/sns-sdks/python-facebook/issues/271, checked 2026-11-23",
    ),
    ErrorRow(
        name="1705",
        on=EVERY,
        signs={CODE: frozenset({1705})},
        error=OperatorActionRequired,
        sentence="Facebook says that this needs a Page's own access. An admin should report this with the log.",
        source="observed, unattributed, checked 2026-11-23",
    ),
    ErrorRow(
        name="2500",
        on=EVERY,
        signs={CODE: frozenset({2500})},
        error=OperatorActionRequired,
        sentence="Facebook doesn't know this version of its API. An admin needs to check FACEBOOK_GRAPH_VERSION (it "
        "looks like v26.0).",
        source="github.com/arsduo/koala/issues/611, checked 2026-11-23",
    ),
    ErrorRow(
        name="4",
        on=EVERY,
        signs={CODE: frozenset({4})},
        error=RateLimited,
        sentence="Facebook asks the bot to slow down for all accounts.",
        is_app_wide=True,
        resumes=in_an_hour,
        source=_LIMITS,
    ),
    ErrorRow(
        name="17",
        on=EVERY,
        signs={CODE: frozenset({17, 32, 341, 613, *range(80000, 80015)})},
        error=RateLimited,
        sentence="Facebook asks the bot to slow down.",
        resumes=in_an_hour,
        source=_LIMITS + "; 341: " + GUIDE,
    ),
    # A post was seen live after 1/99 (github.com/facebookarchive/php-graph-sdk/issues/1141) and after 2
    # (github.com/arsduo/koala/issues/699).
    ErrorRow(
        name="1",
        on=PUBLISH,
        signs={CODE: frozenset({1, 2})},
        error=OutcomeUnknown,
        sentence=MAYBE_LIVE,
        source=GUIDE,
    ),
    ErrorRow(
        name="1",
        on=NOT_PUBLISHING,
        signs={CODE: frozenset({1, 2})},
        error=PlatformUnavailable,
        sentence=_NO_ANSWER,
        source=GUIDE,
    ),
    ErrorRow(
        name="100",
        on=PUBLISH,
        signs={CODE: frozenset({100})},
        error=PostRejected,
        sentence="Facebook doesn't take the post as it is (error 100). Change the text or the link.",
        source=GUIDE,
    ),
    ErrorRow(
        name="100 upload",
        on=UPLOAD,
        signs={CODE: frozenset({100})},
        error=PostRejected,
        sentence="Facebook doesn't take the file as it is (error 100). Use another one.",
        field="media",
        source=GUIDE,
    ),
    # From what stands before Facebook: all there is to decide by is the status.
    ErrorRow(
        name="down",
        on=PUBLISH,
        signs={STATUS: frozenset({500, 502, 503, 504})},
        given=(NOT_ITS_FORMAT,),
        error=OutcomeUnknown,
        sentence=MAYBE_LIVE,
        source=_HTTP,
    ),
    ErrorRow(
        name="down",
        on=NOT_PUBLISHING,
        signs={STATUS: frozenset({500, 502, 503, 504})},
        given=(NOT_ITS_FORMAT,),
        error=PlatformUnavailable,
        sentence=_NO_ANSWER,
        source=_HTTP,
    ),
)

TABLE: Final = ErrorTable(
    platform="facebook",
    title="Facebook",
    look_at="the Page",
    note="Facebook answers most errors with status 400, so its numbers decide, whatever the status. Where it sends a "
    "message for people (`error_user_msg`), that is added to what asks a person to do something. A limit lasts as many "
    "minutes as Facebook's `X-Business-Use-Case-Usage` says, else an hour; code 4 holds back all accounts. A duplicate "
    "is looked up once: a comment, or a post with these very uploads, counts as live then; of any other the author "
    "is told the address.",
    rows=(*ACCESS_ROWS, *POST_ROWS, *MEDIA_ROWS, *_APP_ROWS),
)
"""What Facebook is known to refuse with."""


def error_of(
    ctx: PlatformContext,
    reply: oauth2.Reply,
    operation: Operation,
    *,
    needs: str,
    can_renew: bool = False,
    is_apps_own: bool = False,
) -> PlatformError:
    """Tell what an answer other than the wished one means.

    Args:
        ctx: the context the hook was given.
        reply: Facebook's answer.
        operation: what was being done.
        needs: the permission the call stands on.
        can_renew: whether a refused Page token may be had anew without the member.
        is_apps_own: whether the call was made with our app's access instead of a person's or a Page's.
    """
    refusal = read_refusal(ctx, reply, operation, needs=needs, can_renew=can_renew, is_apps_own=is_apps_own)
    return TABLE.to_error(refusal)


def is_about_an_object(reply: oauth2.Reply) -> bool:
    """Whether Facebook says that something it was given isn't there, or isn't right: code 100."""
    error = reply.object.get("error")
    return isinstance(error, dict) and error.get(CODE) == 100


def is_duplicate(reply: oauth2.Reply) -> bool:
    """Whether Facebook says that it has this post, or a photo of it, already: codes 506 and 100/1366051."""
    error = reply.object.get("error")
    return isinstance(error, dict) and (error.get(CODE) == 506 or error.get(SUBCODE) == 1366051)
