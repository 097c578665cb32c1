"""Facebook's refusals as they were seen, by the names of the rows of the error table; the fake gives any on demand.

Where only the numbers are known, the source says that the words are ours: nothing of ours reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from logicspike.testing import ErrorAnswer

__all__ = ["ERROR_ANSWERS"]

_GUIDE: Final = "developers.facebook.com/docs/graph-api/guides/error-handling, checked 2026-11-23"
_SEEN: Final = "observed, unattributed, checked 2026-11-23"
_NUMBERS: Final = (
    "the numbers: github.com/gitroomhq/postiz-app, facebook.provider.ts, checked 2026-11-23; the words are ours"
)
_INVALIDATED: Final = (
    "Error validating access token: The session has been invalidated because the user changed their password or "
    "Facebook has changed the session for security reasons."
)


def _answer(
    code: int,
    message: str,
    *,
    source: str,
    subcode: int | None = None,
    status: int = 400,
    kind: str = "OAuthException",
    for_people: str = "",
    headers: Mapping[str, str] | None = None,
) -> ErrorAnswer:
    error: dict[str, object] = {"message": message, "type": kind, "code": code}
    error |= {"error_subcode": subcode} if subcode is not None else {}
    error |= {"error_user_title": "Can't do this", "error_user_msg": for_people} if for_people else {}
    error["fbtrace_id"] = "AqX0sandboxTrace00000001"
    return ErrorAnswer(status=status, body={"error": error}, headers=headers or {}, source=source)


def _video(code: int, subcode: int, for_people: str) -> ErrorAnswer:
    return _answer(
        code,
        "There was a problem uploading your video. Please try again.",
        subcode=subcode,
        for_people=for_people,
        source="the subcode and the words for people: developers.facebook.com/documentation/video-api/reference/"
        "error-codes; the code and the message: github.com/facebookarchive/php-graph-sdk/issues/821; both checked "
        "2026-11-25",
    )


_SESSION_OVER: Final = (
    _answer(190, "Invalid OAuth access token - Cannot parse access token", source=_SEEN),
    _answer(102, "Session key invalid or no longer valid", source=f"the code: {_GUIDE}; the words: {_SEEN}"),
)
_PERMISSION: Final = (
    _answer(
        200,
        "(#200) Requires pages_manage_posts permission to manage the object",
        status=403,
        source="github.com/criso/fbgraph/issues/147, checked 2026-11-23; the permission's name is put in here",
    ),
    _answer(10, "(#10) Application does not have permission for this action", status=403, source=_SEEN),
    _answer(299, "(#299) Permission error", status=403, source=f"the range: {_GUIDE}; the words are ours"),
)
_BLOCKED: Final = (
    _answer(
        368,
        "The action attempted has been deemed abusive or is otherwise disallowed",
        for_people="You can't post right now.",
        source=f"the code: {_GUIDE}; the words: {_SEEN}",
    ),
    _answer(
        368,
        "You've already posted this",
        source="github.com/arsduo/koala/issues/422, checked 2026-11-23 (the code and the words)",
    ),
)
_UNKNOWN: Final = (
    _answer(
        1,
        "An unknown error occurred",
        subcode=99,
        status=500,
        source="github.com/facebookarchive/php-graph-sdk/issues/1141, checked 2026-11-23",
    ),
    _answer(
        2,
        "An unexpected error has occurred. Please retry your request later.",
        status=503,
        source="github.com/arsduo/koala/issues/699, checked 2026-11-23",
    ),
)
_THROTTLED: Final = (
    _answer(17, "(#17) User request limit reached", source=_SEEN),
    _answer(32, "(#32) Page request limit reached", source=_SEEN),
    _answer(341, "(#341) Feed action request limit reached", source=f"the code: {_GUIDE}; the words are ours"),
    _answer(613, "(#613) Calls to this api have exceeded the rate limit.", source=_SEEN),
    _answer(
        80001,
        "(#80001) There have been too many calls to this Page account. Wait a bit and try again.",
        headers={
            "X-Business-Use-Case-Usage": '{"61550000000000004": [{"type": "pages", "call_count": 101, "total_cputime": '
            '25, "total_time": 25, "estimated_time_to_regain_access": 19}]}'
        },
        source="developers.facebook.com/docs/graph-api/overview/rate-limiting, checked 2026-11-23",
    ),
)

ERROR_ANSWERS: Final[Mapping[str, Sequence[ErrorAnswer]]] = {
    "190/459": (
        _answer(
            190,
            "Error validating access token: You cannot access the app till you log in to www.facebook.com and follow "
            "the instructions given.",
            subcode=459,
            source=_SEEN,
        ),
    ),
    "190/464": (
        _answer(
            190,
            "Error validating access token: Sessions for the user are not allowed because the user is not a confirmed "
            "user.",
            subcode=464,
            source="github.com/snarfed/bridgy/issues/436, checked 2026-11-25",
        ),
    ),
    "190/492": (
        _answer(
            190,
            "The user must be an administrator, editor, or moderator of the page in order to impersonate it.",
            subcode=492,
            source=_SEEN,
        ),
    ),
    "190 while connecting": (*_SESSION_OVER, _answer(190, _INVALIDATED, subcode=460, source=_SEEN)),
    "190/458": (
        _answer(
            190,
            "Error validating access token: The user has not authorized application.",
            subcode=458,
            source=_SEEN,
        ),
    ),
    "190/460": (
        _answer(
            190,
            _INVALIDATED,
            subcode=460,
            source="github.com/roughike/flutter_facebook_login/issues/151, checked 2026-11-23",
        ),
    ),
    "190/463": (
        _answer(
            190,
            "Error validating access token: Session has expired.",
            subcode=463,
            source="developers.facebook.com/docs/facebook-login/access-tokens/debugging-and-error-handling (cut), "
            "checked 2026-11-23",
        ),
    ),
    "190/467": (
        _answer(
            190,
            "Error validating access token: The session is invalid because the user logged out.",
            subcode=467,
            source=_SEEN,
        ),
    ),
    "190/461": tuple(
        _answer(
            190,
            "Error validating access token.",
            subcode=subcode,
            source="the number: gist.github.com/MauricioKruijer/7663113, checked 2026-11-23; the words are ours",
        )
        for subcode in (461, 462, 466, 468)
    ),
    "190": _SESSION_OVER,
    "200 while connecting": _PERMISSION,
    "200": _PERMISSION,
    "4854002": (
        _answer(100, "Invalid parameter", subcode=4854002, source=_NUMBERS),
        _answer(4854002, "Identity confirmation needed", source=_NUMBERS),
    ),
    "368/1390008": (_answer(368, "You are posting too fast", subcode=1390008, source=_NUMBERS),),
    "368/1404006": (_answer(368, "Security check needed", subcode=1404006, source=_NUMBERS),),
    "368/1404078": (_answer(368, "Page publishing authorization needed", subcode=1404078, source=_NUMBERS),),
    "368/1404102": (_answer(368, "Against the community standards", subcode=1404102, source=_NUMBERS),),
    "368": _BLOCKED,
    "506": (
        _answer(
            506,
            "(#506) Duplicate status message",
            source="github.com/facebook-csharp-sdk/facebook-csharp-sdk/issues/119, checked 2026-11-23",
        ),
    ),
    "1609008": (
        _answer(
            100, "Invalid parameter", subcode=1609008, for_people="Facebook links can't be shared.", source=_NUMBERS
        ),
    ),
    "1609005": (
        _answer(
            1500,
            "(#1500) The url you supplied is invalid",
            source="github.com/nov/fb_graph/issues/320, checked 2026-11-23",
        ),
        _answer(
            100,
            "Invalid parameter",
            subcode=1609005,
            for_people="The link could not be scraped. Check that the address is valid.",
            source=f"the number: {_GUIDE}; the words are ours",
        ),
    ),
    "190 of the app": (
        _answer(
            190,
            "Invalid OAuth access token signature.",
            source="github.com/facebookarchive/facebook-swift-sdk/issues/318, checked 2026-11-25",
        ),
    ),
    "2061006": (_answer(100, "Invalid parameter", subcode=2061006, source=_NUMBERS),),
    "1346003": (_answer(100, "Invalid parameter", subcode=1346003, source=_NUMBERS),),
    "1349125": (_answer(100, "Invalid parameter", subcode=1349125, source=_NUMBERS),),
    "1404112": (_answer(368, "Limited access", subcode=1404112, source=_NUMBERS),),
    "1366046": (
        _answer(
            324,
            "(#324) Missing or invalid image file",
            subcode=1366046,
            for_people="Photos should be less than 4 MB and saved as JPG, PNG, GIF or TIFF files.",
            source="the number: developers.facebook.com/docs/graph-api/reference/page/photos, checked 2026-11-23; the "
            "words as remembered",
        ),
    ),
    "1366051": (_answer(100, "Invalid parameter", subcode=1366051, source=_NUMBERS),),
    "324": (
        _answer(324, "(#324) Requires upload file", source=f"the code: {_SEEN}; the words as remembered"),
        _answer(324, "Missing or invalid image file", subcode=2069019, source=_SEEN),
    ),
    "1363042": (_video(6000, 1363042, "You don't have permission to upload a video here."),),
    "100 video": (
        _answer(
            100,
            "(#100) No permission to publish the video",
            source="github.com/mrdotb/facebook-api-video-upload/issues/21, checked 2026-11-25",
        ),
    ),
    "1363023": (
        _video(6000, 1363023, "The video you tried to upload is too large. The maximum size for a video is 2 GB."),
    ),
    "1363022": (
        _video(6000, 1363022, "The video you tried to upload is too small. The minimum size for a video is 1 KB."),
    ),
    "352": (
        _answer(
            352,
            "(#352) Sorry, the video file you selected is in a format that we don't support.",
            source="github.com/restfb/restfb/issues/242, checked 2026-11-25",
        ),
    ),
    "6001": (
        *(
            _video(6001, subcode, "There was a problem uploading your video. Please try uploading it again.")
            for subcode in (1363019, 1363021, 1363033, 1363037, 1363041)
        ),
        _video(6001, 1363030, "Your video upload timed out before it could be completed."),
        _answer(
            390,
            "There was a problem uploading your video file. Please try again.",
            source="github.com/darkwhispering/facebook-sdk-codeigniter/issues/8, checked 2026-11-25",
        ),
    ),
    "6000": (
        _answer(
            6000,
            "There was a problem uploading your video file. Please try again with another file.",
            subcode=1363045,
            source="github.com/yikart/AiToEarn/issues/592, checked 2026-11-25",
        ),
    ),
    "1 while signing in": (
        _answer(
            1,
            "Error validating client secret.",
            source="github.com/facebookarchive/php-graph-sdk/issues/538, checked 2026-11-23",
        ),
    ),
    "100 while signing in": (
        _answer(100, "This authorization code has been used.", subcode=36009, source=_SEEN),
        _answer(100, "This authorization code has expired.", subcode=36007, source=_SEEN),
        _answer(
            100,
            "Error validating verification code. Please make sure your redirect_uri is identical to the one you used "
            "in the OAuth dialog request",
            subcode=36008,
            source="github.com/scribejava/scribejava/issues/605, checked 2026-11-23; the subcode: observed, "
            "unattributed",
        ),
    ),
    "100 appsecret_proof": (
        _answer(
            100,
            "Invalid appsecret_proof provided in the API argument",
            kind="GraphMethodException",
            source="github.com/facebookarchive/php-graph-sdk/issues/986, checked 2026-11-23",
        ),
    ),
    "100/33": (
        _answer(
            100,
            "Unsupported post request. Object with ID '61550000000000004' does not exist, cannot be loaded due to "
            "missing permissions, or does not support this operation. Please read the Graph API documentation at "
            "https://developers.facebook.com/docs/graph-api",
            kind="GraphMethodException",
            subcode=33,
            source="github.com/roughike/flutter_facebook_login/issues/44, checked 2026-11-23",
        ),
    ),
    "3": (_answer(3, "(#3) Application does not have the capability to make this API call.", source=_SEEN),),
    "101": (
        _answer(
            101,
            "Error validating application. Cannot get application info due to a system error.",
            source="github.com/sns-sdks/python-facebook/issues/271, checked 2026-11-23",
        ),
    ),
    "1705": (_answer(1705, "(#1705) A Page access token is needed", source=f"the code: {_SEEN}; the words are ours"),),
    "2500": (
        _answer(
            2500,
            "Unknown path components: /oauth/access_token",
            source="github.com/arsduo/koala/issues/611, checked 2026-11-23",
        ),
    ),
    "4": (_answer(4, "(#4) Application request limit reached", status=403, source=_SEEN),),
    "17": _THROTTLED,
    "1": _UNKNOWN,
    "100 upload": (_answer(100, "(#100) Invalid parameter", source=f"the code: {_GUIDE}; the words are ours"),),
    "100": (_answer(100, "(#100) Param message is too long", source=f"the code: {_GUIDE}; the words are ours"),),
    "down": tuple(
        ErrorAnswer(status=status, body="<html>Sorry, something went wrong.</html>", source="the words are ours")
        for status in (500, 502, 503, 504)
    ),
}
