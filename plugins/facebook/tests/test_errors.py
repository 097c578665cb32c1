"""Every row of the error tables, and the answers that no row knows."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from logicspike.plugin import (
    AuthorizationFailed,
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    PostRejected,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
    oauth2,
)
from logicspike_facebook.errors import (
    API_ROWS,
    TOKEN_ROWS,
    publish_error,
    read_error,
    sign_in_error,
    token_error,
)
from logicspike_facebook.verdicts import Call, ErrorRow, parse_graph_error

PROOF = "Invalid appsecret_proof provided in the API argument"

PUBLISH_CASES: list[tuple[dict[str, Any], type[PlatformError]]] = [
    ({"code": 190}, ReconnectRequired),
    ({"code": 102}, ReconnectRequired),
    ({"code": 190, "error_subcode": 9999}, ReconnectRequired),
    *[
        ({"code": 190, "error_subcode": subcode}, ReconnectRequired)
        for subcode in (458, 460, 461, 462, 463, 466, 467, 468)
    ],
    *[({"code": 190, "error_subcode": subcode}, MemberActionRequired) for subcode in (459, 464, 492)],
    *[({"code": code}, ReconnectRequired) for code in (10, 200, 283, 299)],
    ({"code": 3}, OperatorActionRequired),
    ({"code": 101}, OperatorActionRequired),
    ({"code": 1705}, OperatorActionRequired),
    ({"code": 2500}, OperatorActionRequired),
    ({"code": 100, "message": PROOF}, OperatorActionRequired),
    ({"code": 100, "message": f"{PROOF}."}, OperatorActionRequired),
    *[({"code": code}, RateLimited) for code in (4, 17, 32, 341, 613, 80000, 80001, 80014)],
    *[({"code": code, "error_subcode": 99}, OutcomeUnknown) for code in (1, 2)],
    ({"code": 368}, MemberActionRequired),
    ({"code": 368, "error_subcode": 1404006}, MemberActionRequired),
    ({"code": 368, "error_subcode": 1404078}, MemberActionRequired),
    ({"code": 368, "error_subcode": 1404102}, PostRejected),
    ({"code": 368, "error_subcode": 1390008}, RateLimited),
    ({"code": 506}, PostRejected),
    ({"code": 1500}, PostRejected),
    ({"code": 1609005}, PostRejected),
    ({"code": 100, "error_subcode": 1609005}, PostRejected),
    ({"code": 100, "error_subcode": 1609008}, PostRejected),
    ({"code": 4854002}, MemberActionRequired),
    ({"code": 100, "error_subcode": 4854002}, MemberActionRequired),
    ({"code": 100, "error_subcode": 33}, MemberActionRequired),
    ({"code": 100}, PostRejected),
]

TOKEN_CASES: list[tuple[dict[str, Any], type[PlatformError]]] = [
    ({"code": 1, "message": "Error validating client secret."}, OperatorActionRequired),
    ({"code": 1, "message": "An unknown error has occurred."}, PlatformUnavailable),
    ({"code": 100, "error_subcode": 36009}, AuthorizationFailed),
    ({"code": 100}, AuthorizationFailed),
    ({"code": 101}, OperatorActionRequired),
    ({"code": 190, "error_subcode": 460}, AuthorizationFailed),
    ({"code": 190, "error_subcode": 463}, AuthorizationFailed),
    ({"code": 190, "error_subcode": 459}, MemberActionRequired),
    ({"code": 10}, AuthorizationFailed),
    ({"code": 4}, RateLimited),
    ({"code": 2}, PlatformUnavailable),
    ({"code": 7777}, PlatformUnavailable),
]


@pytest.fixture
def call(rig: Any) -> Call:
    return Call(ctx=rig.context(), needs="pages_manage_posts")


def reply(error: dict[str, Any], status: int = 400, headers: dict[str, str] | None = None) -> oauth2.Reply:
    body = {"error": {"message": "Not for people", "type": "OAuthException", "fbtrace_id": "trace-1"} | error}
    return oauth2.Reply(status=status, headers=headers or {}, body=body)


@pytest.mark.parametrize("status", [200, 400, 403, 500])
@pytest.mark.parametrize(("error", "expected"), PUBLISH_CASES)
def test_a_refused_post(call: Call, error: dict[str, Any], expected: type[PlatformError], status: int) -> None:
    verdict = publish_error(reply(error, status), call)

    assert expected is type(verdict), "the codes decide, whatever the status"
    assert verdict.reference == "trace-1"
    assert "Facebook" in verdict.explanation
    assert "Not for people" not in verdict.explanation


@pytest.mark.parametrize(("error", "expected"), TOKEN_CASES)
def test_a_refusal_of_the_token_endpoint(call: Call, error: dict[str, Any], expected: type[PlatformError]) -> None:
    verdict = token_error(reply(error), call)

    assert expected is type(verdict)
    assert "Facebook" in verdict.explanation


def _first_match(rows: tuple[ErrorRow, ...], error: dict[str, Any], call: Call) -> ErrorRow | None:
    parsed = parse_graph_error(reply(error), call.ctx.now)
    assert parsed is not None
    return next((row for row in rows if row.matches(parsed)), None)


def test_every_row_is_reached_by_a_case_and_says_where_it_comes_from(call: Call) -> None:
    reached = [_first_match(API_ROWS, error, call) for error, _ in PUBLISH_CASES]
    reached += [_first_match(TOKEN_ROWS, error, call) for error, _ in TOKEN_CASES]

    unreached = [row for row in {*API_ROWS, *TOKEN_ROWS} if not any(row is found for found in reached)]
    assert [] == unreached
    assert all("checked 20" in row.source for row in (*API_ROWS, *TOKEN_ROWS))


def test_reading_never_ends_in_doubt_or_in_a_refused_post(call: Call) -> None:
    for error, on_publish in PUBLISH_CASES:
        verdict = read_error(reply(error), call)
        expected = PlatformUnavailable if on_publish in {OutcomeUnknown, PostRejected} else on_publish
        assert type(verdict) is expected


def test_dead_access_while_connecting_is_a_failed_sign_in(call: Call) -> None:
    assert isinstance(sign_in_error(reply({"code": 190}), call), AuthorizationFailed)
    assert isinstance(sign_in_error(reply({"code": 200}), call), AuthorizationFailed)


def test_an_expired_token_is_mended_where_that_can_be_done(rig: Any) -> None:
    expired, other = reply({"code": 190, "error_subcode": 463}), reply({"code": 190, "error_subcode": 460})
    call = Call(ctx=rig.context(), needs="pages_manage_posts", can_renew=True)

    assert isinstance(publish_error(expired, call), TokenExpired)
    assert isinstance(publish_error(other, call), ReconnectRequired)


def test_a_number_elsewhere_in_the_answer_means_nothing(call: Call) -> None:
    odd = {"code": 9999, "message": "Object 190_460 (#368) 1404102", "fbtrace_id": "A506", "error_data": {"code": 4}}
    verdict = publish_error(reply(odd), call)

    assert isinstance(verdict, PostRejected)
    assert "9999" in verdict.explanation


@pytest.mark.parametrize("message", [f"{PROOF} 7", f"Sorry: {PROOF}"])
def test_a_message_is_compared_as_a_whole(call: Call, message: str) -> None:
    assert isinstance(publish_error(reply({"code": 100, "message": message}), call), PostRejected)


@pytest.mark.parametrize(("status", "expected"), [(400, PostRejected), (403, PostRejected), (500, OutcomeUnknown)])
def test_an_unknown_error_is_told_by_its_numbers(call: Call, status: int, expected: type[PlatformError]) -> None:
    error = {"code": 9999, "error_subcode": 12, "error_user_msg": "Please  choose\nanother photo."}
    verdict = publish_error(reply(error, status), call)

    assert type(verdict) is expected
    if isinstance(verdict, PostRejected):
        assert "9999/12" in verdict.explanation
        assert "Facebook says: Please choose another photo." in verdict.explanation


def test_long_words_are_cut(call: Call) -> None:
    verdict = publish_error(reply({"code": 9999, "error_user_msg": "x" * 5_000}), call)
    assert "x" * 199 + "…" in verdict.explanation
    assert "x" * 200 not in verdict.explanation


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        {},
        {"error": "invalid_request"},
        {"error": {}},
        {"error": {"code": "190"}},
        {"error": {"code": True}},
    ],
)
@pytest.mark.parametrize("status", [200, 302, 400, 403, 429, 502])
def test_an_answer_that_is_not_facebooks_envelope_leaves_the_outcome_unknown(
    call: Call, body: object, status: int
) -> None:
    odd = oauth2.Reply(status=status, headers={}, body=body)
    assert isinstance(publish_error(odd, call), OutcomeUnknown)
    assert isinstance(read_error(odd, call), PlatformUnavailable)
    assert isinstance(token_error(odd, call), PlatformUnavailable)


def test_odd_fields_are_read_over(call: Call) -> None:
    odd: dict[str, Any] = {"code": 506, "message": None, "error_subcode": "x", "fbtrace_id": 7, "error_user_msg": {}}
    verdict = publish_error(reply(odd), call)
    assert isinstance(verdict, PostRejected)
    assert verdict.reference is None


def usage(*minutes: object) -> dict[str, str]:
    entries = [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": each} for each in minutes]
    return {"X-Business-Use-Case-Usage": json.dumps({"1": entries[:1], "2": entries[1:]})}


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, timedelta(hours=1)),
        (usage(0), timedelta(hours=1)),
        (usage(5), timedelta(minutes=5)),
        (usage(5, 42, 7), timedelta(minutes=42)),
        (usage(10**30), timedelta(hours=24)),
        (usage("soon", None, True, 2.5), timedelta(hours=1)),
        ({"X-Business-Use-Case-Usage": "{"}, timedelta(hours=1)),
        ({"X-Business-Use-Case-Usage": "[1]"}, timedelta(hours=1)),
        ({"X-Business-Use-Case-Usage": '{"1": 7, "2": [8]}'}, timedelta(hours=1)),
        ({"Retry-After": "90"}, timedelta(seconds=90)),
        (usage(5) | {"Retry-After": "90"}, timedelta(minutes=5)),
    ],
)
def test_how_long_to_wait(call: Call, headers: dict[str, str], pause: timedelta) -> None:
    verdict = publish_error(reply({"code": 80001}, headers=headers), call)
    assert isinstance(verdict, RateLimited)
    assert verdict.until - call.ctx.now == pause
