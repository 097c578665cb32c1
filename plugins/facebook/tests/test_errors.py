"""Every row of the error table by Facebook's own answers, over HTTP through the hooks; and answers no row knows."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import logicspike_facebook as plugin
from logicspike.plugin import (
    AuthorizationFailed,
    Credential,
    ErrorRow,
    MemberActionRequired,
    Operation,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    PostRejected,
    RateLimited,
    ReconnectRequired,
    oauth2,
)
from logicspike.testing import SAMPLE_PNG, ErrorAnswer, MemoryFile
from logicspike_facebook.errors import TABLE, error_of
from logicspike_facebook.refusals import APPS_OWN, CAN_RENEW, CODE
from logicspike_facebook.sandbox_errors import ERROR_ANSWERS
from logicspike_facebook.sandbox_people import DANA

NEEDS = {
    Operation.PREPARE: "pages_manage_posts",
    Operation.PUBLISH: "pages_manage_posts",
    Operation.LOOK_UP: "pages_read_engagement",
    Operation.REFRESH: "pages_show_list",
}

# Every code of the fact sheet of 2026-11-23 (sections 1.2, 1.3 and 1.6), with what it says of a post.
SHEET: dict[tuple[int, int | None], type[PlatformError]] = {
    (190, None): ReconnectRequired,
    (102, None): ReconnectRequired,
    **{(190, subcode): ReconnectRequired for subcode in (458, 460, 461, 462, 463, 466, 467, 468)},
    **{(190, subcode): MemberActionRequired for subcode in (459, 464, 492)},
    (10, None): ReconnectRequired,
    **{(code, None): ReconnectRequired for code in range(200, 300)},
    (3, None): OperatorActionRequired,
    (1705, None): OperatorActionRequired,
    **{(code, None): RateLimited for code in (4, 17, 32, 341, 613, *range(80000, 80015))},
    (1, None): OutcomeUnknown,
    (1, 99): OutcomeUnknown,
    (2, None): OutcomeUnknown,
    (368, None): MemberActionRequired,
    (368, 1404006): MemberActionRequired,
    (368, 1404078): MemberActionRequired,
    (368, 1404102): PostRejected,
    (368, 1390008): RateLimited,
    (506, None): PostRejected,
    (1609005, None): PostRejected,
    (100, 1609005): PostRejected,
    (1500, None): PostRejected,
    (1609008, None): PostRejected,
    (100, 1609008): PostRejected,
    (324, None): PostRejected,
    (324, 1366046): PostRejected,
    (100, 1366051): PostRejected,
    (100, 2069019): PostRejected,
    (100, None): PostRejected,
    (4854002, None): MemberActionRequired,
    (100, 4854002): MemberActionRequired,
}

# What was found since (the sources stand in the rows).
FOUND_SINCE: dict[tuple[int, int | None], type[PlatformError]] = {
    (100, 2061006): PostRejected,
    (100, 1346003): PostRejected,
    (100, 1349125): PostRejected,
    (368, 1404112): MemberActionRequired,
    (352, None): PostRejected,
    (6000, 1363022): PostRejected,
    (6000, 1363023): PostRejected,
    (6000, 1363042): ReconnectRequired,
    (6000, 1363045): OutcomeUnknown,
    (6001, 1363037): OutcomeUnknown,
    (390, None): OutcomeUnknown,
}


def reply(error: dict[str, Any], status: int = 400, headers: dict[str, str] | None = None) -> oauth2.Reply:
    body = {"error": {"message": "Not for people", "type": "OAuthException", "fbtrace_id": "trace-1"} | error}
    return oauth2.Reply(status=status, headers=headers or {}, body=body)


@pytest.fixture
def verdict(rig: Any) -> Callable[..., PlatformError]:
    """What an answer means for a post, or for another operation."""

    def decide(answer: oauth2.Reply, operation: Operation = Operation.PUBLISH) -> PlatformError:
        return error_of(rig.context(), answer, operation, needs="pages_manage_posts")

    return decide


# --- the table, row by row -------------------------------------------------------------------------------------------


class Member:
    """One who connected before Facebook began to refuse, with a hook for each operation."""

    def __init__(self, rig: Any, page: Credential, person: Credential, grant: Any) -> None:
        self.rig, self.page, self.person, self.grant = rig, page, person, grant

    async def do(self, operation: Operation, row: ErrorRow, answer: ErrorAnswer) -> PlatformError:
        """Have Facebook give an answer to an operation; what the hook raises."""
        # What is wrong with a token that is asked about stands inside an answer that is fine.
        is_about_token = operation is Operation.CHECK and APPS_OWN not in row.given and _is_session_row(row)
        self.rig.fake.refuse_with(_to_debug_answer(answer) if is_about_token else answer)
        page = self.page if CAN_RENEW in row.given else replace(self.page, extra={})
        hooks: dict[Operation, Callable[[], Awaitable[object]]] = {
            Operation.SIGN_IN: lambda: plugin.exchange(self.rig.context(), self.grant),
            Operation.CONNECT: lambda: plugin.accounts(self.rig.context(), self.person),
            Operation.REFRESH: lambda: self.rig.renew(self.page),
            Operation.CHECK: lambda: plugin.check(self.rig.context(), page),
            Operation.PREPARE: lambda: self.rig.prepare(page, MemoryFile(SAMPLE_PNG)),
            Operation.PUBLISH: lambda: self.rig.publish(page),
            Operation.LOOK_UP: lambda: self.rig.find(page),
        }
        with pytest.raises(PlatformError) as caught:
            await hooks[operation]()
        return caught.value


def _is_session_row(row: ErrorRow) -> bool:
    return 190 in row.signs.get(CODE, ())


def _to_debug_answer(answer: ErrorAnswer) -> ErrorAnswer:
    error = answer.body["error"]  # type: ignore[index]
    told = {"code": error["code"], "message": error["message"]}
    told |= {"subcode": error["error_subcode"]} if "error_subcode" in error else {}
    return replace(answer, status=200, body={"data": {"is_valid": False, "scopes": [], "error": told}})


@pytest.fixture
async def member(rig: Any) -> Member:
    person = await rig.sign_in(person=DANA.id)
    page, *_ = await plugin.accounts(rig.context(), person)
    return Member(rig, page, person, await rig.grant(person=DANA.id))


@pytest.mark.parametrize("row", TABLE.rows, ids=lambda row: f"{row.name}, {'+'.join(sorted(row.on))}")
async def test_row_is_reached_by_facebooks_own_answers(rig: Any, member: Member, row: ErrorRow) -> None:
    for answer in ERROR_ANSWERS[row.name]:
        for operation in sorted(row.on):
            error = await member.do(operation, row, answer)

            assert type(error) is row.error
            says = error.problems[0].message if isinstance(error, PostRejected) else error.explanation
            assert says.startswith(row.sentence)
            if isinstance(error, PostRejected):
                assert [row.field] == [problem.field for problem in error.problems]
            if isinstance(error, ReconnectRequired):
                assert ((NEEDS[operation],) if row.lacks_permission else ()) == error.missing_scopes
            if isinstance(error, RateLimited):
                minutes = 19 if "X-Business-Use-Case-Usage" in answer.headers else 60
                assert rig.clock.now() + timedelta(minutes=minutes) == error.until
                assert row.is_app_wide is error.is_app_wide
    assert [] == rig.fake.ledger


def test_every_row_has_a_body_and_every_body_a_row() -> None:
    assert {row.name for row in TABLE.rows} == ERROR_ANSWERS.keys()
    assert all(answers for answers in ERROR_ANSWERS.values())


def test_every_row_names_facebook_and_its_source() -> None:
    assert [] == [row.name for row in TABLE.rows if "Facebook" not in row.sentence or "checked 20" not in row.source]


@pytest.mark.parametrize("status", [200, 400, 403, 500])
def test_every_code_of_the_sheet_has_its_class_whatever_the_status(
    verdict: Callable[..., PlatformError], status: int
) -> None:
    for (code, subcode), expected in (SHEET | FOUND_SINCE).items():
        error = {"code": code} | ({"error_subcode": subcode} if subcode is not None else {})
        found = verdict(reply(error, status))

        assert (code, subcode, expected) == (code, subcode, type(found))
        assert found.reference == "trace-1"
        assert "Not for people" not in found.explanation


def test_a_used_code_is_a_failed_sign_in(verdict: Callable[..., PlatformError]) -> None:
    used = reply({"code": 100, "error_subcode": 36009})
    assert isinstance(verdict(used, Operation.SIGN_IN), AuthorizationFailed)


# --- what no row knows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 400, 403, 500, 503])
def test_an_unknown_error_is_in_doubt_for_a_post_and_temporary_else(
    verdict: Callable[..., PlatformError], caplog: pytest.LogCaptureFixture, status: int
) -> None:
    odd = {"code": 9999, "error_subcode": 12, "message": "Object 190_460 (#368) 1404102", "error_user_msg": "No."}
    with caplog.at_level(logging.WARNING):
        error = verdict(reply(odd, status))

    assert type(error) is OutcomeUnknown
    (record,) = caplog.records
    assert {"code": [9999], "error_subcode": [12], "code or error_subcode": [12, 9999]} == record.codes  # type: ignore[attr-defined]
    assert record.reference in error.explanation  # type: ignore[attr-defined]
    assert "1404102" not in caplog.text
    assert all(type(verdict(reply(odd, status), each)) is PlatformUnavailable for each in set(Operation) - {"publish"})


@pytest.mark.parametrize("message", ["Invalid appsecret_proof provided in the API argument 7", "Sorry: Invalid appsec"])
def test_a_message_is_compared_as_a_whole(verdict: Callable[..., PlatformError], message: str) -> None:
    assert isinstance(verdict(reply({"code": 100, "message": message})), PostRejected)


def test_the_limit_of_the_app_holds_for_all_accounts(verdict: Callable[..., PlatformError]) -> None:
    limits = {code: verdict(reply({"code": code}, headers=usage(5))) for code in (4, 17, 32, 80001)}
    assert [4] == [code for code, error in limits.items() if isinstance(error, RateLimited) and error.is_app_wide]


def test_the_minutes_of_a_page_say_nothing_about_the_limit_of_the_app(
    rig: Any, verdict: Callable[..., PlatformError]
) -> None:
    headers = usage(5) | {"X-App-Usage": json.dumps({"call_count": 104, "total_time": 25, "total_cputime": 25})}
    error = verdict(reply({"code": 4}, 403, headers))
    assert isinstance(error, RateLimited)
    assert timedelta(hours=1) == error.until - rig.clock.now()


def test_long_words_are_cut(verdict: Callable[..., PlatformError]) -> None:
    error = verdict(reply({"code": 506, "error_user_msg": "x" * 5_000}))
    assert "x" * 199 + "…" in error.explanation
    assert "x" * 200 not in error.explanation


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
    verdict: Callable[..., PlatformError], body: object, status: int
) -> None:
    odd = oauth2.Reply(status=status, headers={}, body=body)
    assert isinstance(verdict(odd), OutcomeUnknown)
    assert isinstance(verdict(odd, Operation.LOOK_UP), PlatformUnavailable)
    assert isinstance(verdict(odd, Operation.SIGN_IN), PlatformUnavailable)


def test_odd_fields_are_read_over(verdict: Callable[..., PlatformError]) -> None:
    odd: dict[str, Any] = {"code": 506, "message": None, "error_subcode": "x", "fbtrace_id": 7, "error_user_msg": {}}
    error = verdict(reply(odd))
    assert isinstance(error, PostRejected)
    assert error.reference is None


# --- how long to wait ------------------------------------------------------------------------------------------------


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
def test_how_long_to_wait(
    rig: Any, verdict: Callable[..., PlatformError], headers: dict[str, str], pause: timedelta
) -> None:
    error = verdict(reply({"code": 80001}, headers=headers))
    assert isinstance(error, RateLimited)
    assert pause == error.until - rig.clock.now()
