"""X's refusals as they were seen, by the names of the rows of the error table; the fake gives any on demand.

Where only a code or a sentence of X is known, the source says that the rest is assumed: nothing of ours reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from logicspike.testing import ErrorAnswer

from .sandbox_answers import FAULTS, NOT_ENGAGED

__all__ = ["ERROR_ANSWERS"]

_PAGE: Final = "docs.x.com/x-api/fundamentals/response-codes-and-errors, checked 2026-11-23; the other fields assumed"
_OLD: Final = "developer.twitter.com/en/docs/basics/response-codes, checked 2026-11-23"
_SEEN: Final = "observed, unattributed, checked 2026-11-23"
_POSTIZ: Final = "named in github.com/gitroomhq/postiz-app, x.provider.ts, checked 2026-11-23; the other fields assumed"
_MEDIA_PAGE: Final = "docs.x.com/x-api/media/quickstart/best-practices, checked 2026-11-25"
_REPLIES: Final = "github.com/plhery/node-twitter-api-v2/issues/366, checked 2026-11-25"
_NOT_VISIBLE: Final = "You attempted to reply to a Tweet that is deleted or not visible to you."
_API, _TWITTER = "https://api.x.com/2/problems/", "https://api.twitter.com/2/problems/"


def _problem(
    status: int, title: str, detail: str, kind: str = "about:blank", *, source: str, **more: object
) -> ErrorAnswer:
    body = {"title": title, "detail": detail, "type": kind, "status": status, **more}
    return ErrorAnswer(status=status, body=body, source=source)


def _old(status: int, code: int, message: str) -> ErrorAnswer:
    return ErrorAnswer(status=status, body={"errors": [{"code": code, "message": message}]}, source=_OLD)


def _oauth(status: int, error: str, description: str, *, source: str) -> ErrorAnswer:
    return ErrorAnswer(status=status, body={"error": error, "error_description": description}, source=source)


def _invalid(message: str, parameters: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    return {
        "errors": [{"parameters": dict(parameters or {}), "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": f"{_TWITTER}invalid-request",
    }


def _failed_processing(state: str, error: Mapping[str, Any]) -> dict[str, Any]:
    info = {"state": state, "progress_percent": 99, "error": dict(error)}
    return {"data": {"id": "1880028106020515840", "media_key": "7_1880028106020515840", "processing_info": info}}


def _fault(name: str, *, source: str, **changes: Any) -> ErrorAnswer:
    """One of the fake's switches, whose body stands beside the fake."""
    status, body = FAULTS[name]
    return ErrorAnswer(status=status, body={**body, **changes}, source=source)


_DOWN: Final = tuple(
    _problem(status, title, title, source=_PAGE)
    for status, title in (
        (500, "Internal Server Error"),
        (502, "Bad Gateway"),
        (503, "Service Unavailable"),
        (504, "Gateway Timeout"),
    )
)
_UNSUPPORTED: Final = (
    _problem(
        403,
        "Unsupported Authentication",
        "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  Supported authentication "
        "types are [OAuth 1.0a User Context, OAuth 2.0 User Context].",
        f"{_API}unsupported-authentication",
        source="github.com/plhery/node-twitter-api-v2/issues/475, checked 2026-11-23",
    ),
)
_FORBIDDEN: Final = (
    _problem(
        403,
        "Forbidden",
        "Forbidden",
        source="github.com/plhery/node-twitter-api-v2/issues/265, checked 2026-11-23",
    ),
)

ERROR_ANSWERS: Final[Mapping[str, Sequence[ErrorAnswer]]] = {
    "invalid_client": (
        _oauth(401, "invalid_client", "Invalid client credentials.", source=_SEEN),
        _oauth(
            401,
            "unauthorized_client",
            "Missing valid authorization header",
            source="github.com/unasuke/omniauth-twitter2/issues/4, checked 2026-11-23",
        ),
    ),
    "dead refresh token": (_oauth(400, "invalid_request", "Value passed for the token was invalid.", source=_SEEN),),
    "invalid_grant": (_oauth(400, "invalid_grant", "", source="RFC 6749 section 5.2, checked 2026-11-23"),),
    "refused code": (
        _oauth(
            400,
            "invalid_request",
            "Value passed for the authorization code was invalid.",
            source="github.com/plhery/node-twitter-api-v2/issues/496, checked 2026-11-23",
        ),
    ),
    "malformed request": (_oauth(400, "unsupported_grant_type", "Unsupported grant_type.", source=_SEEN),),
    "down": _DOWN,
    "401": (_problem(401, "Unauthorized", "Unauthorized", source=_SEEN),),
    "CreditsDepleted": (
        _fault("no_credits", source=_SEEN),
        _fault("no_credits", type=f"{_TWITTER}credits", source=f"{_SEEN}; another host of the type"),
    ),
    "SpendCapReached": (_problem(403, "SpendCapReached", "…", f"{_API}credits", source=f"{_SEEN}: title and type"),),
    "credits": (_problem(402, "Payment Required", "…", f"{_API}credits", source=f"{_SEEN}: title and type"),),
    "402": (ErrorAnswer(status=402, body="", source=f"{_SEEN}: the status; the body assumed"),),
    "spending limit": (
        _problem(
            403,
            "Forbidden",
            "Your account has hit its spending limit for this billing cycle",
            source=f"{_SEEN}: title and detail",
        ),
    ),
    "usage-capped": (
        _fault("usage_capped", source=_PAGE),
        _problem(
            429,
            "Usage Capped",
            "…",
            "https://developer.x.com/en/support/x-api/error-troubleshooting#usage-capped",
            source=_PAGE,
        ),
    ),
    "UsageCapExceeded": (
        _problem(429, "UsageCapExceeded", "Usage cap exceeded: Monthly product cap", source=_SEEN),
        _problem(429, "UsageCapped", "Usage cap exceeded: Monthly product cap", source=_SEEN),
    ),
    "client-not-enrolled": (
        _fault("not_enrolled", source="github.com/xdevplatform/samples/issues/160, checked 2026-11-23"),
    ),
    "client-forbidden": (_problem(403, "Client Forbidden", "…", f"{_API}client-forbidden", source=_PAGE),),
    "oauth1-permissions": (_fault("read_only_app", source=_SEEN),),
    "261": (_old(403, 261, "Application cannot perform write actions."),),
    "app-suspended": (_problem(403, "Forbidden", "…", f"{_TWITTER}app-suspended", source=f"{_SEEN}: the type"),),
    "user-suspended": (_fault("suspended", source=_SEEN),),
    "64": (_old(403, 64, "Your account is suspended and is not permitted to access this feature."),),
    "326": (
        _old(
            403, 326, "To protect our users from spam and other malicious activity, this account is temporarily locked."
        ),
    ),
    "unknown authentication": (
        _fault(
            "unknown_authentication",
            source="github.com/10up/autoshare-for-twitter/issues/387, checked 2026-11-23",
        ),
    ),
    "unsupported-authentication": _UNSUPPORTED,
    "Forbidden": _FORBIDDEN,
    "duplicate": (
        _problem(
            403,
            "Forbidden",
            "You are not allowed to create a Tweet with duplicate content.",
            source="github.com/akrherz/iembot/issues/163, checked 2026-11-23",
        ),
    ),
    "187": (_old(403, 187, "Status is a duplicate."),),
    "not permitted": (_fault("not_permitted", source=_POSTIZ),),
    "cashtag": (
        _problem(403, "Forbidden", "Posts are limited to a maximum of one cashtag", source=f"{_SEEN}: the detail"),
    ),
    "invalid URL": (_problem(400, "Invalid Request", "The Tweet contains an invalid URL.", source=_POSTIZ),),
    "long video": tuple(
        _problem(
            403,
            "Forbidden",
            f"This user is not allowed to post a video longer than {minutes} minutes.",
            source=_MEDIA_PAGE if minutes > 2 else _POSTIZ,
        )
        for minutes in (20, 2, 125)
    ),
    "parent not visible": (_problem(403, "Forbidden", _NOT_VISIBLE, source=_REPLIES),),
    "385": (_old(403, 385, _NOT_VISIBLE),),
    "reply not allowed": (_problem(403, "Forbidden", NOT_ENGAGED, source=f"{_SEEN}: the detail"),),
    "186": (_old(403, 186, "Tweet needs to be a bit shorter."),),
    "invalid-request": (
        _problem(
            400,
            "Invalid Request",
            "One or more parameters to your request was invalid.",
            f"{_TWITTER}invalid-request",
            errors=[{"parameters": {"text": [""]}, "message": "…"}],
            source=_PAGE,
        ),
    ),
    "failed processing": (
        ErrorAnswer(
            status=200,
            body=_failed_processing(
                "failed",
                {
                    "code": 3,
                    "name": "UnsupportedMedia",
                    "message": "Duration 2.minutes+29.seconds+350.milliseconds exceeds max duration of "
                    "2.minutes+20.seconds",
                },
            ),
            source="github.com/plhery/node-twitter-api-v2/issues/243, checked 2026-11-25; X's new envelope around it",
        ),
        ErrorAnswer(
            status=200,
            body=_failed_processing("in_progress", {"code": 1, "name": "InvalidMedia"}),
            source="github.com/plhery/node-twitter-api-v2/issues/483, checked 2026-11-25; X's new envelope around it",
        ),
    ),
    "upload not found": (
        ErrorAnswer(
            status=400,
            body=_invalid("BadRequest: Not found"),
            source="github.com/xdevplatform/xurl/issues/18, checked 2026-11-25",
        ),
    ),
    "413": (ErrorAnswer(status=413, body="", source="github.com/trypostit/trypost, its tests, checked 2026-11-25"),),
    "invalid file": (ErrorAnswer(status=400, body=_invalid("…"), source=_PAGE),),
    "invalid media IDs": (
        ErrorAnswer(
            status=400,
            body=_invalid("Your media IDs are invalid.", {"media.media_ids": ["1757063824702574592"]}),
            source="github.com/plhery/node-twitter-api-v2/issues/375, github.com/abraham/twitteroauth/issues/1222, "
            "checked 2026-11-25",
        ),
    ),
    "324 or 325": (
        _old(400, 324, "The validation of media ids failed."),
        _old(400, 325, "A media id was not found."),
    ),
    "429 for the app": (
        ErrorAnswer(
            status=429,
            body={"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank", "status": 429},
            headers={"x-app-limit-24hour-remaining": "0"},
            source="the header: github.com/plhery/node-twitter-api-v2/issues/495, checked 2026-11-25; the rest assumed",
        ),
    ),
    "rate-limit-exceeded": (_problem(429, "Too Many Requests", "…", f"{_API}rate-limit-exceeded", source=_PAGE),),
    "88": (_old(429, 88, "Rate limit exceeded"),),
    "429": (
        _problem(429, "Too Many Requests", "Too Many Requests", source=_SEEN),
        ErrorAnswer(status=429, body="Too Many Requests", source=f"{_SEEN}: no JSON"),
    ),
}
