"""Every row of the error tables, and the answers that no row knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logicspike.plugin import (
    AuthorizationFailed,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    PostRejected,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
    TokenSet,
    oauth2,
)
from logicspike_linkedin.errors import (
    IDENTITY_ROWS,
    PUBLISH_ROWS,
    Call,
    TokenNotActiveYet,
    identity_error,
    parse_refusal,
    publish_error,
)

EXPIRED = {"code": "EXPIRED_ACCESS_TOKEN", "serviceErrorCode": 65602}
REVOKED = {"code": "REVOKED_ACCESS_TOKEN", "serviceErrorCode": 65601}
DAILY = {"serviceErrorCode": 101, "message": "Resource level throttle limit for calls to this resource is reached."}
DUPLICATE = {"errorDetails": {"inputErrors": [{"code": "DUPLICATE_POST"}]}}


@pytest.fixture
def call(rig: Any) -> Call:
    return Call(ctx=rig.context(), tokens=TokenSet(access_token="t"), is_fresh=False)


def reply(status: int, codes: dict[str, Any], headers: dict[str, str] | None = None) -> oauth2.Reply:
    return oauth2.Reply(status=status, headers=headers or {}, body={"status": status, "message": "No."} | codes)


PUBLISH_CASES = [
    (422, DUPLICATE, PostRejected),
    (400, {"code": "FIELD_LENGTH_TOO_LONG"}, PostRejected),
    (400, {"code": "VERSION_MISSING"}, OperatorActionRequired),
    (426, {"code": "NONEXISTENT_VERSION"}, OperatorActionRequired),
    (426, {"code": "SOMETHING_NEW"}, OperatorActionRequired),
    (401, EXPIRED, ReconnectRequired),
    (401, REVOKED, ReconnectRequired),
    (401, {"serviceErrorCode": 65600, "message": "Invalid access token"}, ReconnectRequired),
    (401, {"message": "Empty oauth2_access_token"}, ReconnectRequired),
    (403, {"code": "ACCESS_DENIED"}, ReconnectRequired),
    (403, {"serviceErrorCode": 100}, ReconnectRequired),
    (409, {"code": "CONFLICT"}, PlatformUnavailable),
    (429, DAILY, RateLimited),
    (429, {"code": "TOO_MANY_REQUESTS"}, RateLimited),
]


@pytest.mark.parametrize(("status", "codes", "expected"), PUBLISH_CASES)
def test_a_refused_post(call: Call, status: int, codes: dict[str, Any], expected: type[PlatformError]) -> None:
    error = publish_error(reply(status, codes, {"x-li-uuid": "trace-1"}), call)

    assert expected is type(error)
    assert error.reference == "trace-1"
    assert "LinkedIn" in error.explanation


IDENTITY_CASES = [
    (401, REVOKED, TokenNotActiveYet),
    (401, EXPIRED, AuthorizationFailed),
    (403, {"code": "ACCESS_DENIED"}, OperatorActionRequired),
    (429, DAILY, RateLimited),
    (429, {}, RateLimited),
    (500, {}, PlatformUnavailable),
    (404, {"code": "NOT_FOUND"}, PlatformUnavailable),
]


@pytest.mark.parametrize(("status", "codes", "expected"), IDENTITY_CASES)
def test_a_refused_look_at_the_identity(
    call: Call, status: int, codes: dict[str, Any], expected: type[PlatformError]
) -> None:
    assert expected is type(identity_error(reply(status, codes), call))


@pytest.mark.parametrize(("rows", "cases"), [(PUBLISH_ROWS, PUBLISH_CASES), (IDENTITY_ROWS, IDENTITY_CASES)])
def test_every_row_is_reached_by_a_case_and_says_where_it_comes_from(rows: Any, cases: Any) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    refusals = [parse_refusal(reply(status, codes), now) for status, codes, _ in cases]
    reached = {next((row for row in rows if row.matches(refusal)), None) for refusal in refusals}

    assert set(rows) <= reached
    assert all("checked 20" in row.source for row in rows)


def test_a_revoked_fresh_token_is_only_a_delay(rig: Any) -> None:
    fresh = Call(ctx=rig.context(), tokens=TokenSet(access_token="t", refresh_token="r"), is_fresh=True)

    assert isinstance(publish_error(reply(401, REVOKED), fresh), PlatformUnavailable)
    assert isinstance(publish_error(reply(401, EXPIRED), fresh), TokenExpired)


def test_an_unknown_refusal_is_told_by_its_code(call: Call) -> None:
    error = publish_error(reply(400, {"code": "INVALID_URN_TYPE", "message": "Not for people"}), call)

    assert isinstance(error, PostRejected)
    assert "INVALID_URN_TYPE" in error.problems[0].message
    assert "Not for people" not in error.problems[0].message


def test_a_code_that_is_no_code_is_not_shown(call: Call) -> None:
    error = publish_error(reply(400, {"code": "<script>alert(1)</script>"}), call)

    assert "status 400" in error.explanation


def test_a_duplicate_without_the_other_posts_name_is_still_one(call: Call) -> None:
    assert "twice. To post it anew" in publish_error(reply(422, DUPLICATE), call).explanation


@pytest.mark.parametrize(
    "answer",
    [
        oauth2.Reply(status=403, headers={}, body=None),
        oauth2.Reply(status=401, headers={}, body={"message": "Service Unavailable"}),
        oauth2.Reply(status=400, headers={}, body=["x"]),
        oauth2.Reply(status=408, headers={}, body={"status": 408, "message": "Timed out"}),
        oauth2.Reply(status=500, headers={}, body={"status": 500, "message": "Internal"}),
        oauth2.Reply(status=503, headers={}, body={"status": 503, "message": "Down", "code": "CONFLICT"}),
        oauth2.Reply(status=302, headers={}, body=None),
    ],
)
def test_an_answer_that_is_not_clearly_linkedins_refusal_leaves_the_outcome_unknown(
    call: Call, answer: oauth2.Reply
) -> None:
    assert isinstance(publish_error(answer, call), OutcomeUnknown)


@pytest.mark.parametrize(
    "details", [None, [], "x", {"inputErrors": None}, {"inputErrors": ["x", {"code": {}}]}, {"inputErrors": {}}]
)
def test_odd_details_are_read_over(call: Call, details: object) -> None:
    assert isinstance(publish_error(reply(400, {"errorDetails": details}), call), PostRejected)


def test_other_throttling_waits_some_minutes(call: Call) -> None:
    error = publish_error(reply(429, {"code": "TOO_MANY_REQUESTS"}), call)

    assert isinstance(error, RateLimited)
    assert call.ctx.now + timedelta(minutes=5) == error.until


@pytest.mark.parametrize("codes", [DAILY, {"code": "TOO_MANY_REQUESTS"}])
def test_a_hint_when_to_try_again_is_followed(call: Call, codes: dict[str, Any]) -> None:
    error = publish_error(reply(429, codes, {"Retry-After": "90"}), call)

    assert isinstance(error, RateLimited)
    assert call.ctx.now + timedelta(seconds=90) == error.until
