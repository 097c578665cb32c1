"""The fake's answers in X's own words, each with the place it was seen; checked 2026-11-23."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

__all__ = [
    "FAULTS",
    "NOT_ENGAGED",
    "forbidden",
    "invalid_media_ids",
    "invalid_request",
    "not_found",
    "problem",
    "token_error",
    "too_many_requests",
    "unauthorized",
    "window_used_up",
]

_PROBLEMS: Final = "https://api.x.com/2/problems/"

NOT_ENGAGED: Final = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author "
    "of the post you are replying to."
)
"""To a reply to somebody else's post (observed, unattributed)."""

# Lasting faults of X's own: name to status and body.
FAULTS: Final[Mapping[str, tuple[int, Mapping[str, Any]]]] = {
    # Observed, unattributed.
    "no_credits": (
        402,
        {
            "title": "CreditsDepleted",
            "detail": "Your enrolled account [1000000000000000001] does not have any credits to fulfill this request.",
            "type": f"{_PROBLEMS}credits",
        },
    ),
    # docs.x.com/x-api/fundamentals/response-codes-and-errors names the type; the title assumed.
    "usage_capped": (
        429,
        {
            "title": "UsageCapExceeded",
            "detail": "Usage cap exceeded: Monthly product cap",
            "type": f"{_PROBLEMS}usage-capped",
            "period": "Monthly",
            "scope": "Product",
        },
    ),
    # github.com/xdevplatform/samples/issues/160
    "not_enrolled": (
        403,
        {
            "client_id": "10000001",
            "detail": "When authenticating requests to the Twitter API v2 endpoints, you must use keys and tokens from "
            "a Twitter developer App that is attached to a Project. You can create a project via the developer portal.",
            "registration_url": "https://developer.twitter.com/en/docs/projects/overview",
            "title": "Client Forbidden",
            "required_enrollment": "Appropriate Level of API Access",
            "reason": "client-not-enrolled",
            "type": "https://api.twitter.com/2/problems/client-forbidden",
        },
    ),
    # Observed, unattributed.
    "read_only_app": (
        403,
        {
            "title": "Forbidden",
            "status": 403,
            "detail": "Your client app is not configured with the appropriate oauth1 app permissions for this "
            "endpoint.",
            "type": "https://api.twitter.com/2/problems/oauth1-permissions",
        },
    ),
    # Observed, unattributed.
    "suspended": (
        403,
        {
            "title": "Forbidden",
            "status": 403,
            "detail": "The user used for authentication is suspended",
            "type": "https://api.twitter.com/2/problems/user-suspended",
        },
    ),
    # github.com/10up/autoshare-for-twitter/issues/387
    "unknown_authentication": (
        403,
        {
            "title": "Unsupported Authentication",
            "status": 403,
            "detail": "Authenticating with Unknown is forbidden for this endpoint.  Supported authentication types are "
            "[OAuth 1.0a User Context, OAuth 2.0 User Context].",
            "type": "https://api.twitter.com/2/problems/unsupported-authentication",
        },
    ),
    # Named in github.com/gitroomhq/postiz-app, x.provider.ts; the other fields assumed.
    "not_permitted": (
        403,
        {
            "title": "Forbidden",
            "status": 403,
            "detail": "You are not permitted to perform this action.",
            "type": "about:blank",
        },
    ),
}


def problem(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer as a problem document."""
    return web.json_response(dict(body), status=status, headers=headers, content_type="application/problem+json")


def unauthorized() -> web.Response:
    """The access token is missing, expired or revoked (observed, unattributed; no rate-limit headers come with it)."""
    return problem(401, {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"})


def forbidden(detail: str = "Forbidden") -> web.Response:
    """Refused; without a detail: a scope is missing (github.com/plhery/node-twitter-api-v2/issues/265)."""
    return problem(403, {"title": "Forbidden", "type": "about:blank", "status": 403, "detail": detail})


def invalid_request(message: str, parameter: str = "", value: str = "") -> web.Response:
    """A parameter or body X can't accept (form: docs.x.com response codes; ``errors`` assumed)."""
    return problem(
        400,
        {
            "errors": [{"parameters": {parameter: [value]} if parameter else {}, "message": message}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": f"{_PROBLEMS}invalid-request",
        },
    )


def invalid_media_ids(media_ids: Sequence[str]) -> web.Response:
    """Files that X won't attach (github.com/plhery/node-twitter-api-v2/issues/375)."""
    return problem(
        400,
        {
            "errors": [{"parameters": {"media.media_ids": list(media_ids)}, "message": "Your media IDs are invalid."}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": f"{_PROBLEMS}invalid-request",
        },
    )


def not_found() -> web.Response:
    """An upload that X doesn't know (github.com/xdevplatform/xurl/issues/18)."""
    return problem(
        400,
        {
            "errors": [{"message": "BadRequest: Not found"}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": f"{_PROBLEMS}invalid-request",
        },
    )


def too_many_requests(headers: Mapping[str, str] | None = None) -> web.Response:
    """A limit is used up (observed, unattributed)."""
    body = {"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank", "status": 429}
    return problem(429, body, headers)


def window_used_up(now: datetime) -> dict[str, str]:
    """The headers of a window that has just begun and is used up: docs.x.com/x-api/fundamentals/rate-limits."""
    reset = int((now + timedelta(minutes=15)).timestamp())
    return {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0", "x-rate-limit-reset": str(reset)}


def token_error(status: int, error: str, description: str) -> web.Response:
    """A refusal of the token endpoint (RFC 6749 section 5.2)."""
    return web.json_response({"error": error, "error_description": description}, status=status)
