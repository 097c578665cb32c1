"""The answers of the fake Facebook that say no, in Facebook's own words as far as these are known."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Final

from aiohttp import web

__all__ = [
    "SESSION_WORDS",
    "app_token_refused",
    "app_unknown",
    "attachment_refused",
    "code_refused",
    "duplicate",
    "graph_error",
    "link_refused",
    "page_missing",
    "permission_missing",
    "photo_refused",
    "proof_refused",
    "secret_refused",
    "session_refused",
    "too_many_calls",
    "unknown_path",
    "video_refused",
]

SESSION_WORDS: Final = {
    # Words of 463, cut: developers.facebook.com/docs/facebook-login/access-tokens/debugging-and-error-handling, checked
    # 2026-11-23; the others: observed, unattributed.
    458: "Error validating access token: The user has not authorized application.",
    459: "Error validating access token: You cannot access the app till you log in to www.facebook.com and follow the "
    "instructions given.",
    460: "Error validating access token: The session has been invalidated because the user changed their password or "
    "Facebook has changed the session for security reasons.",
    463: "Error validating access token: Session has expired.",
    492: "The user must be an administrator, editor, or moderator of the page in order to impersonate it.",
}


def graph_error(
    code: int,
    message: str,
    *,
    status: int = 400,
    kind: str = "OAuthException",
    subcode: int | None = None,
    user_message: str = "",
    error_data: Mapping[str, int] | None = None,
) -> web.Response:
    """Facebook's error envelope (developers.facebook.com/docs/graph-api/guides/error-handling, checked 2026-11-23)."""
    error: dict[str, object] = {"message": message, "type": kind, "code": code}
    if subcode is not None:
        error["error_subcode"] = subcode
    if user_message:
        error |= {"error_user_title": "Can't do this", "error_user_msg": user_message}
    if error_data is not None:
        error["error_data"] = dict(error_data)
    error["fbtrace_id"] = f"A{secrets.token_urlsafe(16)}"
    return web.json_response({"error": error}, status=status)


def session_refused(subcode: int | None) -> web.Response:
    """A token that isn't accepted; without a subcode it was never one."""
    if subcode is None:
        # observed, unattributed
        return graph_error(190, "Invalid OAuth access token - Cannot parse access token")
    return graph_error(190, SESSION_WORDS[subcode], subcode=subcode)


def proof_refused(*, is_missing: bool) -> web.Response:
    """``appsecret_proof`` is wrong or not there."""
    if is_missing:
        # That it's required: developers.facebook.com/docs/graph-api/guides/secure-requests, checked 2026-11-23; the
        # words: observed, unattributed
        return graph_error(
            100, "API calls from the server require an appsecret_proof argument", kind="GraphMethodException"
        )
    # github.com/facebookarchive/php-graph-sdk/issues/986, checked 2026-11-23
    return graph_error(100, "Invalid appsecret_proof provided in the API argument", kind="GraphMethodException")


def app_token_refused() -> web.Response:
    """The app's own access is wrong."""
    # github.com/facebookarchive/facebook-swift-sdk/issues/318, checked 2026-11-25
    return graph_error(190, "Invalid OAuth access token signature.")


def app_unknown() -> web.Response:
    """No such client id."""
    # github.com/sns-sdks/python-facebook/issues/271, checked 2026-11-23
    return graph_error(101, "Error validating application. Cannot get application info due to a system error.")


def secret_refused() -> web.Response:
    """The client secret is wrong."""
    # github.com/facebookarchive/php-graph-sdk/issues/538, checked 2026-11-23
    return graph_error(1, "Error validating client secret.")


def code_refused(why: str) -> web.Response:
    """An authorization code that gives nothing: "used", "late", "mismatch" or "unknown"."""
    match why:
        case "used":
            # observed, unattributed
            return graph_error(100, "This authorization code has been used.", subcode=36009)
        case "late":
            # observed, unattributed
            return graph_error(100, "This authorization code has expired.", subcode=36007)
        case "mismatch":
            # github.com/scribejava/scribejava/issues/605, checked 2026-11-23; the subcode: observed, unattributed
            return graph_error(
                100,
                "Error validating verification code. Please make sure your redirect_uri is identical to the one you "
                "used in the OAuth dialog request",
                subcode=36008,
            )
        case _:
            # observed, unattributed
            return graph_error(100, "Invalid verification code format.")


def permission_missing(permission: str) -> web.Response:
    """The grant is too small."""
    # github.com/criso/fbgraph/issues/147, checked 2026-11-23; the permission's name is put in here
    return graph_error(200, f"(#200) Requires {permission} permission to manage the object", status=403)


def page_missing(page_id: str, method: str) -> web.Response:
    """No such Page, or not for this token."""
    # github.com/roughike/flutter_facebook_login/issues/44, checked 2026-11-23
    return graph_error(
        100,
        f"Unsupported {method.lower()} request. Object with ID '{page_id}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        kind="GraphMethodException",
        subcode=33,
    )


def unknown_path(path: str) -> web.Response:
    """A version or path that the Graph API doesn't have."""
    # github.com/arsduo/koala/issues/611, checked 2026-11-23
    return graph_error(2500, f"Unknown path components: {path}")


def duplicate() -> web.Response:
    """The same post twice in a row."""
    # github.com/facebook-csharp-sdk/facebook-csharp-sdk/issues/119, checked 2026-11-23
    return graph_error(506, "(#506) Duplicate status message")


def photo_refused(subcode: int | None) -> web.Response:
    """A photo that Facebook doesn't take: none there, 1366046 too large, 2069019 not a picture."""
    match subcode:
        case None:
            # the code: observed, unattributed; the words as remembered
            return graph_error(324, "(#324) Requires upload file")
        case 1366046:
            # the number: developers.facebook.com/docs/graph-api/reference/page/photos, checked 2026-11-23; the words as
            # remembered
            words = "Photos should be less than 4 MB and saved as JPG, PNG, GIF or TIFF files."
            return graph_error(324, "(#324) Missing or invalid image file", subcode=subcode, user_message=words)
        case _:
            # observed, unattributed
            return graph_error(324, "Missing or invalid image file", subcode=subcode)


def attachment_refused(reason: str) -> web.Response:
    """A photo that a post can't have: "used" by another one, or anything else."""
    if reason == "used":
        # the number: github.com/gitroomhq/postiz-app, facebook.provider.ts, checked 2026-11-23; the words are ours
        return graph_error(100, "Invalid parameter", subcode=1366051)
    # the words are ours
    return graph_error(100, "(#100) Param attached_media holds an id that does not exist")


def video_refused(subcode: int, *, error_data: Mapping[str, int] | None = None) -> web.Response:
    """A video that Facebook doesn't take, or not this part of it; the words by ``subcode``."""
    # Numbers and words for people: developers.facebook.com/documentation/video-api/reference/error-codes; code 6001:
    # github.com/facebookarchive/php-graph-sdk/issues/821; code 6000 and 1363045: github.com/yikart/AiToEarn/issues/592;
    # all checked 2026-11-25.
    again = "There was a problem uploading your video. Please try uploading it again."
    words = {
        1363019: again,
        1363022: "The video you tried to upload is too small. The minimum size for a video is 1 KB.",
        1363023: "The video you tried to upload is too large. The maximum size for a video is 2 GB.",
        1363037: again,
        1363045: "There was a problem uploading your video file. Please try again with another file.",
    }[subcode]
    code = 6001 if subcode in {1363019, 1363037} else 6000
    message = "There was a problem uploading your video. Please try again."
    return graph_error(code, message, subcode=subcode, user_message=words, error_data=error_data)


def link_refused(number: int) -> web.Response:
    """A link that Facebook won't show: 1500 malformed, 1609005 not to be opened, 1609008 its own."""
    match number:
        case 1500:
            # github.com/nov/fb_graph/issues/320, checked 2026-11-23
            return graph_error(1500, "(#1500) The url you supplied is invalid")
        case 1609005:
            # developers.facebook.com/docs/graph-api/guides/error-handling, checked 2026-11-23; the words are ours
            return graph_error(
                100,
                "Invalid parameter",
                subcode=1609005,
                user_message="The link could not be scraped. Check that the address is valid.",
            )
        case _:
            # github.com/gitroomhq/postiz-app, facebook.provider.ts, checked 2026-11-23; the words are ours
            return graph_error(
                100, "Invalid parameter", subcode=1609008, user_message="Facebook links can't be shared."
            )


def too_many_calls(page_id: str, *, minutes: int) -> web.Response:
    """The limit of a Page, with the minutes until it's over; without a Page, the limit of the app."""
    # Codes and headers: developers.facebook.com/docs/graph-api/overview/rate-limiting, checked 2026-11-23; status 403
    # for code 4: observed, unattributed
    if not page_id:
        answer = graph_error(4, "(#4) Application request limit reached", status=403)
        answer.headers["X-App-Usage"] = json.dumps({"call_count": 104, "total_time": 25, "total_cputime": 25})
        return answer
    answer = graph_error(
        80001, "(#80001) There have been too many calls to this Page account. Wait a bit and try again."
    )
    usage = {
        "type": "pages",
        "call_count": 101,
        "total_cputime": 25,
        "total_time": 25,
        "estimated_time_to_regain_access": minutes,
    }
    answer.headers["X-Business-Use-Case-Usage"] = json.dumps({page_id: [usage]})
    return answer
