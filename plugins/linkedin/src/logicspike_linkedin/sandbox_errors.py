"""LinkedIn's refusals as they were seen, by the names of the rows of the error table; the fake gives any on demand.

Where only a code of LinkedIn's is known, the source says that the words are ours: nothing of ours reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from logicspike.testing import ErrorAnswer

__all__ = ["ERROR_ANSWERS"]

_CODE_FLOW: Final = "learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23"
_REFRESH_TOKENS: Final = (
    "learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens, checked 2026-11-23"
)
_ERRORS: Final = "learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling, checked 2026-11-23"
_POSTS: Final = (
    "the code: learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api, checked 2026-11-23; the "
    "words are ours"
)
_VIDEOS: Final = (
    "learn.microsoft.com/linkedin/marketing/community-management/shares/videos-api, by a public digest of it, checked "
    "2026-11-25"
)
_SEEN: Final = "observed, unattributed, checked 2026-11-23"
_SEEN_LATER: Final = "observed, unattributed, checked 2026-11-25"


def _oauth(status: int, error: str, description: str, *, source: str) -> ErrorAnswer:
    return ErrorAnswer(status=status, body={"error": error, "error_description": description}, source=source)


def _api(
    status: int,
    message: str,
    *,
    source: str,
    code: str | None = None,
    service_code: int | None = None,
    inputs: tuple[str, ...] = (),
) -> ErrorAnswer:
    body: dict[str, object] = {"status": status, "message": message}
    body |= {"code": code} if code is not None else {}
    body |= {"serviceErrorCode": service_code} if service_code is not None else {}
    if inputs:
        errors = [{"description": "Duplicate post is detected", "input": {}, "code": each} for each in inputs]
        body |= {"errorDetailType": "com.linkedin.common.error.BadRequest", "errorDetails": {"inputErrors": errors}}
    return ErrorAnswer(status=status, body=body, source=source)


_REVOKED: Final = _api(
    401,
    "The token used in the request has been revoked by the user",
    code="REVOKED_ACCESS_TOKEN",
    service_code=65601,
    source="github.com/jclusso/omniauth-linkedin-openid/issues/6, checked 2026-11-23",
)
_EXPIRED: Final = _api(
    401,
    "The token used in the request has expired",
    code="EXPIRED_ACCESS_TOKEN",
    service_code=65602,
    source=_SEEN,
)
_INVALID: Final = (
    _api(401, "Invalid access token", service_code=65600, source=_SEEN),
    _api(401, "Empty oauth2 access token", code="EMPTY_ACCESS_TOKEN", source=_SEEN),
)
_NO_CODE: Final = _api(401, "Empty oauth2_access_token", service_code=401, source=_ERRORS)
_DENIED: Final = (
    _api(
        403,
        "Not enough permissions to access: partnerApiPostsExternal.CREATE.20260901",
        code="ACCESS_DENIED",
        service_code=100,
        source=_SEEN,
    ),
    _api(403, "Not enough permissions to access: userinfo.GET.NO_VERSION", service_code=100, source=_SEEN),
)
_DOWN: Final = (
    _api(500, "Internal Server Error", source=_ERRORS),
    ErrorAnswer(status=502, body="<html>Bad Gateway</html>", source="the words are ours"),
    _api(503, "Service Unavailable", source=_ERRORS),
    _api(504, "Gateway Timeout", source=_ERRORS),
)
_DUPLICATE: Final = "com.linkedin.content.common.exception.BadRequestResponseException: Content is a duplicate"

_INVALID_CLIENT: Final = tuple(
    _oauth(status, "invalid_client", "Client authentication failed", source=f"{_CODE_FLOW}; the words are ours")
    for status in (401, 400)
)


def _field_denied(field: str, *, source: str) -> ErrorAnswer:
    message = (
        f"Field Value validation failed in REQUEST_BODY: Data Processing Exception while processing fields [{field}]"
    )
    return _api(403, message, code="ACCESS_DENIED", service_code=100, source=source)


def _throttled(whose: str, *, source: str) -> ErrorAnswer:
    message = f"Resource level throttle {whose} limit for calls to this resource is reached."
    return _api(429, message, code="TOO_MANY_REQUESTS", service_code=101, source=source)


_PERMISSION_ANSWERS: Final[Mapping[str, Sequence[ErrorAnswer]]] = {
    "ACCESS_DENIED": _DENIED,
    "ACCESS_DENIED to the company pages": (
        _api(
            403,
            "Not enough permissions to access: organizationAcls.FINDER-roleAssignee.20260901",
            code="ACCESS_DENIED",
            service_code=100,
            source=f"{_SEEN_LATER}; the version is put in here",
        ),
    ),
    "ACCESS_DENIED as a company page": _DENIED[:1],
    "ACCESS_DENIED to a comment": (
        _api(
            403,
            "Not enough permissions to access: partnerApiSocialActions.CREATE.20260701",
            code="ACCESS_DENIED",
            service_code=100,
            source=_SEEN_LATER,
        ),
    ),
    "ACCESS_DENIED to a look-up": (
        _api(
            403,
            "Not enough permissions to access: partnerApiSocialActions.GET_ALL.20260601",
            code="ACCESS_DENIED",
            service_code=100,
            source=_SEEN_LATER,
        ),
    ),
    "role lost": (
        _field_denied("/author", source=_SEEN),
        _field_denied("/actor", source="the one above, with a comment's field put in by us"),
        _field_denied("/initializeUploadRequest/owner", source="the one above, with an upload's field put in by us"),
    ),
    "role lost, with a video": (
        _api(
            403,
            "Accessing this video resource is forbidden. Please check your permissions for this resource",
            source=_VIDEOS,
        ),
    ),
    "organization permissions": tuple(
        _api(400, f"Organization permissions must be used when using organization as {role}", source=_SEEN_LATER)
        for role in ("author", "owner")
    ),
    "403 for an upload's state": (
        _api(
            403,
            "Not enough permissions to access: partnerApiVideosExternal",
            code="ACCESS_DENIED",
            service_code=100,
            source=_SEEN_LATER,
        ),
        _api(
            403,
            "Accessing this video resource is forbidden. Please check your permissions for this resource",
            source=_VIDEOS,
        ),
    ),
    "403 after an upload": (
        _api(
            403,
            "This resource is forbidden",
            source="github.com/gitroomhq/postiz-app, linkedin.provider.ts, checked 2026-11-23; the word before "
            "“resource is forbidden” is ours",
        ),
    ),
}

ERROR_ANSWERS: Final[Mapping[str, Sequence[ErrorAnswer]]] = {
    **_PERMISSION_ANSWERS,
    "invalid_client": _INVALID_CLIENT,
    "invalid_client of the app for company pages": _INVALID_CLIENT,
    "RESTRICTED_MEMBER": (
        _api(
            401,
            "The member is restricted",
            code="RESTRICTED_MEMBER",
            source=f"{_SEEN_LATER}; the words are ours",
        ),
    ),
    "dead refresh token": (
        _oauth(
            400,
            "invalid_request",
            "The provided authorization grant or refresh token is invalid, expired or revoked.",
            source=_REFRESH_TOKENS,
        ),
    ),
    "invalid_grant": (
        _oauth(
            400,
            "invalid_grant",
            "The provided authorization grant or refresh token is invalid, expired or revoked.",
            source="nango.dev/blog/linkedin-oauth-refresh-token-invalid-grant, checked 2026-11-23",
        ),
    ),
    "refresh_token_client_mismatch": (
        _oauth(
            400,
            "refresh_token_client_mismatch",
            "The passed in client_id does not own the refresh token",
            source=f"{_SEEN}; the words are ours",
        ),
    ),
    "malformed refresh": (
        _oauth(400, "invalid_request", 'A required parameter "refresh_token" is missing', source=_REFRESH_TOKENS),
        _oauth(400, "unsupported_grant_type", "", source="RFC 6749 section 5.2, checked 2026-11-23"),
    ),
    "refused code": (
        _oauth(
            401,
            "invalid_request",
            "Unable to retrieve access token: authorization code not found",
            source=_CODE_FLOW,
        ),
        _oauth(
            400,
            "invalid_redirect_uri",
            "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code. Or "
            "authorization code expired. Or external member binding exists",
            source=_CODE_FLOW,
        ),
        _oauth(400, "invalid_request", 'A required parameter "code" is missing', source=_CODE_FLOW),
    ),
    "down": _DOWN,
    "65601": (_REVOKED,),
    "401 while connecting": (_EXPIRED, *_INVALID, _NO_CODE),
    "401 renewable": (_REVOKED, _EXPIRED, *_INVALID, _NO_CODE),
    "65602": (_EXPIRED,),
    "65600": _INVALID,
    "401": (_NO_CODE,),
    "NONEXISTENT_VERSION": (
        _api(
            426,
            "Requested version 20260901 is not active",
            code="NONEXISTENT_VERSION",
            source="github.com/n8n-io/n8n/issues/28967, checked 2026-11-23; the version is put in here",
        ),
        _api(
            400,
            "A version must be present. Please specify a version by adding the LinkedIn-Version header.",
            code="VERSION_MISSING",
            source=_SEEN,
        ),
    ),
    "426": (_api(426, "Upgrade Required", source="the words are ours"),),
    "daily limit of the app": (_throttled("APPLICATION DAY", source=_SEEN_LATER),),
    "daily limit": (
        _throttled("APPLICATION_AND_MEMBER DAY", source=_SEEN_LATER),
        _api(
            429,
            "Resource level throttle limit for calls to this resource is reached.",
            service_code=101,
            source="learn.microsoft.com/linkedin/shared/api-guide/concepts/decoration, checked 2026-11-23",
        ),
    ),
    "429": (_api(429, "Too Many Requests", code="TOO_MANY_REQUESTS", source=f"{_ERRORS}; the code is ours"),),
    "DUPLICATE_POST": (
        _api(
            422,
            f"{_DUPLICATE} of urn:li:share:7398000000000000001",
            inputs=("DUPLICATE_POST",),
            source="github.com/Arisamiga/Linkedin-RSS/issues/5, checked 2026-11-23",
        ),
    ),
    "DUPLICATE_POST without its address": (
        _api(422, _DUPLICATE, inputs=("DUPLICATE_POST",), source="the one above, its end left out by us"),
    ),
    "FIELD_LENGTH_TOO_LONG": (_api(400, "The commentary is too long", code="FIELD_LENGTH_TOO_LONG", source=_POSTS),),
    "INVALID_VALUE_FOR_FIELD": tuple(
        _api(400, "Invalid value for field", code=code, source=_POSTS)
        for code in ("INVALID_VALUE_FOR_FIELD", "MISSING_FIELD", "INVALID_URN_TYPE", "INVALID_URN_ID")
    ),
    "MEDIA_ASSET_PROCESSING_FAILED": (
        _api(400, "Media asset failed processing", code="MEDIA_ASSET_PROCESSING_FAILED", source=_VIDEOS),
        _api(400, "Failed to update asset", code="UPDATING_ASSET_FAILED", source=_VIDEOS),
    ),
    "EXPIRED_UPLOAD_URL": (_api(400, "The Video upload URL is expired", code="EXPIRED_UPLOAD_URL", source=_VIDEOS),),
    "upload gone": tuple(
        _api(400, "Invalid value for field", code=code, source=_POSTS)
        for code in ("INVALID_URN_ID", "INVALID_URN_TYPE")
    ),
    "404 for the post": (
        _api(404, "Unable to obtain activity for urn: 'urn:li:share:7234567890123456789'", source=_SEEN_LATER),
    ),
    "MEDIA_ASSET_WAITING_UPLOAD": (
        _api(400, "Media asset is waiting upload", code="MEDIA_ASSET_WAITING_UPLOAD", source=_VIDEOS),
    ),
    "CONFLICT": (_api(409, "Conflict", code="CONFLICT", source=_POSTS),),
}
