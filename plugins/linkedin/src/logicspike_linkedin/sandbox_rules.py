"""What the stand-in refuses, in LinkedIn's own words; each answer says where it was seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from .sandbox_text import count_units

__all__ = [
    "access_denied",
    "api_error",
    "check_comment",
    "check_encoding",
    "check_headers",
    "check_post",
    "duplicate",
    "field_denied",
    "oauth_error",
    "read_body",
    "token_error",
]

_OLDEST_ACTIVE_VERSION: Final = "202601"  # learn.microsoft.com/linkedin/marketing/versioning, checked 2026-11-23
_MAX_CHARS: Final = 3000
_MAX_COMMENT: Final = 1250
_IMAGES: Final = range(2, 21)
_FIELDS: Final = frozenset(
    {"author", "commentary", "visibility", "distribution", "lifecycleState", "isReshareDisabledByAuthor", "content"}
)
_REQUIRED: Final = ("author", "commentary", "visibility", "distribution", "lifecycleState")
_CONTENT: Final[Mapping[str, frozenset[str]]] = {
    "media": frozenset({"id", "altText", "title"}),
    "multiImage": frozenset({"images", "altText"}),
    "article": frozenset({"source", "title", "description", "thumbnail", "thumbnailAltText"}),
}
_TRACE: Final = {"x-li-uuid": "AAYsandboxsandboxsandboxA=="}


def check_headers(request: web.Request, *, is_sunset: bool) -> web.Response | None:
    """What LinkedIn finds wrong with the headers of a versioned call, if anything."""
    version = request.headers.get("LinkedIn-Version", "")
    if not version:
        # observed, unattributed (2026-11-23)
        return api_error(
            400,
            message="A version must be present. Please specify a version by adding the LinkedIn-Version header.",
            code="VERSION_MISSING",
        )
    if is_sunset or not re.fullmatch(r"\d{6}", version) or version < _OLDEST_ACTIVE_VERSION:
        # github.com/n8n-io/n8n/issues/28967 (2026-11-23)
        return api_error(426, message=f"Requested version {version}01 is not active", code="NONEXISTENT_VERSION")
    if request.headers.get("X-Restli-Protocol-Version") != "2.0.0":
        # Stricter than the real one, which takes it for protocol 1.0; what then happens is not documented.
        return api_error(400, message="X-Restli-Protocol-Version must be 2.0.0", code="ILLEGAL_ARGUMENT")
    return None


def check_encoding(request: web.Request) -> web.Response | None:
    """What Rest.li finds wrong with an address whose URNs aren't encoded: they hold its own separators."""
    # learn.microsoft.com/linkedin/shared/api-guide/concepts/protocol-version, checked 2026-11-25; the words are ours
    if "urn:li:" in request.raw_path:
        return api_error(400, message="Invalid query parameters passed to request", code="ILLEGAL_ARGUMENT")
    return None


async def read_body(request: web.Request) -> Mapping[str, Any] | web.Response:
    """The JSON object of a call; or LinkedIn's complaint that there is none."""
    try:
        body = await request.json()
    except ValueError:
        body = None
    # ours: how LinkedIn words it is not known
    return body if isinstance(body, dict) else api_error(400, message="Cannot parse request entity")


def check_post(body: Mapping[str, Any]) -> web.Response | None:
    """What LinkedIn finds wrong with a post, if anything, but for its author and its uploads."""
    # The codes: learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api, checked 2026-11-23; the
    # words beside them are ours. The words about an unknown field: observed, unattributed (2026-11-23); its status is
    # ours.
    missing = next((name for name in _REQUIRED if name not in body), None)
    if missing is not None:
        return _missing(missing)
    unknown = next((name for name in body if name not in _FIELDS), None)
    if unknown is not None:
        return _unknown(unknown)
    if body["visibility"] not in {"PUBLIC", "CONNECTIONS", "LOGGED_IN"} or body["lifecycleState"] != "PUBLISHED":
        return _invalid()
    if count_units(str(body["commentary"])) > _MAX_CHARS:
        return api_error(400, message="The commentary is too long", code="FIELD_LENGTH_TOO_LONG")
    return _check_content(body["content"]) if "content" in body else None


def check_comment(body: Mapping[str, Any], root: str) -> web.Response | None:
    """What LinkedIn finds wrong with a comment on ``root``, if anything, but for its actor."""
    # learn.microsoft.com/linkedin/marketing/community-management/shares/comments-api, checked 2026-11-25; the words,
    # and the limit as an error, are ours
    message = body.get("message")
    text = message.get("text") if isinstance(message, dict) else None
    if "actor" not in body or not isinstance(text, str) or not text.strip():
        return _missing("actor" if "actor" not in body else "message/text")
    if body.get("object", root) != root:
        return _invalid()
    if count_units(text) > _MAX_COMMENT:
        return api_error(400, message="The comment is too long", code="FIELD_LENGTH_TOO_LONG")
    return None


def _check_content(content: object) -> web.Response | None:
    if not isinstance(content, dict) or len(content) != 1 or not content.keys() <= _CONTENT.keys():
        return _invalid()
    ((kind, value),) = content.items()
    if not isinstance(value, dict):
        return _invalid()
    unknown = next((name for name in value if name not in _CONTENT[kind]), None)
    if unknown is not None:
        return _unknown(f"content/{kind}/{unknown}")
    match kind:
        case "article":
            return _check_article(value)
        case "multiImage":
            return _check_images(value.get("images"))
        case _:
            return None if value.get("id") else _missing("content/media/id")


def _check_images(images: object) -> web.Response | None:
    if not isinstance(images, list) or len(images) not in _IMAGES:
        return _invalid()
    is_each_named = all(isinstance(each, dict) and each.get("id") for each in images)
    return None if is_each_named else _missing("content/multiImage/images/id")


def _check_article(article: Mapping[str, Any]) -> web.Response | None:
    missing = next((name for name in ("source", "title") if not article.get(name)), None)
    if missing is not None:
        return _missing(f"content/article/{missing}")
    return None if article["source"].startswith(("https://", "http://")) else _invalid()


def _missing(field: str) -> web.Response:
    return api_error(400, message=f"/{field} is required", code="MISSING_FIELD")


def _unknown(field: str) -> web.Response:
    return api_error(422, message=f"ERROR :: /{field} :: unrecognized field found but not allowed\n")


def _invalid() -> web.Response:
    return api_error(400, message="Invalid value for field", code="INVALID_VALUE_FOR_FIELD")


def oauth_error(status: int, error: str, description: str) -> web.Response:
    """An error of the token endpoint (RFC 6749 section 5.2)."""
    return web.json_response({"error": error, "error_description": description}, status=status)


def api_error(status: int, *, message: str, code: str | None = None, service_code: int | None = None) -> web.Response:
    """An error of the API, with whichever codes it has."""
    # The envelope: learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling, checked 2026-11-23
    body: dict[str, object] = {"message": message, "status": status}
    body |= {"code": code} if code is not None else {}
    body |= {"serviceErrorCode": service_code} if service_code is not None else {}
    return web.json_response(body, status=status, headers=_TRACE)


# The first: learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling, checked 2026-11-23. 65601:
# github.com/jclusso/omniauth-linkedin-openid/issues/6 (2026-11-23). The others: observed, unattributed (2026-11-23);
# only the name INVALID_ACCESS_TOKEN is ours.
_TOKEN_ERRORS: Final[dict[str, tuple[int, str | None, str]]] = {
    "empty": (401, None, "Empty oauth2_access_token"),
    "missing": (65600, "INVALID_ACCESS_TOKEN", "Invalid access token"),
    "revoked": (65601, "REVOKED_ACCESS_TOKEN", "The token used in the request has been revoked by the user"),
    "expired": (65602, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired"),
}


def token_error(trouble: str) -> web.Response:
    """What a call hears whose token is "empty", "missing", "revoked" or "expired"."""
    service_code, code, message = _TOKEN_ERRORS[trouble]
    return api_error(401, message=message, code=code, service_code=service_code)


def access_denied(message: str) -> web.Response:
    """What a call hears that its permissions don't cover."""
    # observed, unattributed (2026-11-23)
    return api_error(403, message=message, code="ACCESS_DENIED", service_code=100)


def field_denied(field: str) -> web.Response:
    """What a call hears that names somebody in ``field`` ("/author") whom its token may not speak for."""
    # with /author: observed, unattributed (2026-11-23)
    return access_denied(
        f"Field Value validation failed in REQUEST_BODY: Data Processing Exception while processing fields [{field}]"
    )


def duplicate(urn: str) -> web.Response:
    """What a post hears that is live already, as ``urn``."""
    # github.com/Arisamiga/Linkedin-RSS/issues/5 (2026-11-23)
    prefix = "com.linkedin.content.common.exception.BadRequestResponseException"
    body = {
        "errorDetailType": "com.linkedin.common.error.BadRequest",
        "message": f"{prefix}: Content is a duplicate of {urn}",
        "errorDetails": {
            "inputErrors": [{"description": "Duplicate post is detected", "input": {}, "code": "DUPLICATE_POST"}]
        },
        "status": 422,
    }
    return web.json_response(body, status=422, headers=_TRACE)
