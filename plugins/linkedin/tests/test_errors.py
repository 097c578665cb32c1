"""Every row of the error table by LinkedIn's own answers, over HTTP through the hooks; and answers no row knows."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tenacity import wait_none

import logicspike_linkedin as plugin
from logicspike.plugin import (
    AuthorizationFailed,
    Credential,
    ErrorRow,
    Operation,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    Post,
    PostRejected,
    PreparationLost,
    Prepared,
    RateLimited,
    ReconnectRequired,
    Reply,
    TokenExpired,
    oauth2,
)
from logicspike.testing import SAMPLE_PNG, MemoryFile
from logicspike_linkedin import api, company_pages, sign_in, uploads
from logicspike_linkedin.api import PAGES
from logicspike_linkedin.errors import TABLE
from logicspike_linkedin.refusals import (
    COMMENTING,
    FOR_A_PAGE,
    FRESH,
    LOOKING,
    RENEWABLE,
    WITH_MEDIA,
    read_refusal,
)
from logicspike_linkedin.sandbox_errors import ERROR_ANSWERS
from logicspike_linkedin.uploads import media_handle

EXPIRED = {"code": "EXPIRED_ACCESS_TOKEN", "serviceErrorCode": 65602}
REVOKED = {"code": "REVOKED_ACCESS_TOKEN", "serviceErrorCode": 65601}
DAILY = {"serviceErrorCode": 101, "message": "Resource level throttle limit for calls to this resource is reached."}
DUPLICATE = {"errorDetails": {"inputErrors": [{"code": "DUPLICATE_POST"}]}}
DEAD = "The provided authorization grant or refresh token is invalid, expired or revoked"
MISSING = 'A required parameter "refresh_token" is missing'

# Every code of the fact sheet of 2026-11-23 (sections 3.2, 3.3, 3.5 and 3.6): status, codes, what it means.
SHEET_OF_A_POST: list[tuple[int, dict[str, Any], type[PlatformError]]] = [
    (401, REVOKED, ReconnectRequired),
    (401, {"serviceErrorCode": 65601}, ReconnectRequired),
    (401, EXPIRED, ReconnectRequired),
    (401, {"serviceErrorCode": 65602}, ReconnectRequired),
    (401, {"serviceErrorCode": 65600}, ReconnectRequired),
    (401, {"code": "EMPTY_ACCESS_TOKEN"}, ReconnectRequired),
    (401, {}, ReconnectRequired),
    (403, {"code": "ACCESS_DENIED"}, ReconnectRequired),
    (403, {"serviceErrorCode": 100}, ReconnectRequired),
    (422, DUPLICATE, PostRejected),
    *[
        (400, {"code": code}, PostRejected)
        for code in (
            "FIELD_LENGTH_TOO_LONG",
            "INVALID_VALUE_FOR_FIELD",
            "MISSING_FIELD",
            "INVALID_URN_TYPE",
            "INVALID_URN_ID",
            "MEDIA_ASSET_PROCESSING_FAILED",
        )
    ],
    (400, {"code": "MEDIA_ASSET_WAITING_UPLOAD"}, PlatformUnavailable),
    (409, {"code": "CONFLICT"}, PlatformUnavailable),
    (426, {"code": "NONEXISTENT_VERSION"}, OperatorActionRequired),
    (426, {"code": "SOMETHING_NEW"}, OperatorActionRequired),
    (400, {"code": "VERSION_MISSING"}, OperatorActionRequired),
    (429, DAILY, RateLimited),
    (429, {}, RateLimited),
    *[(status, {}, OutcomeUnknown) for status in (500, 502, 503, 504)],
    (503, {"code": "CONFLICT"}, OutcomeUnknown),
]
SHEET_OF_MEDIA: list[tuple[int, dict[str, Any], type[PlatformError]]] = [
    (400, {"code": "INVALID_URN_ID"}, PreparationLost),
    (400, {"code": "INVALID_URN_TYPE"}, PreparationLost),
    (400, {"code": "MEDIA_ASSET_PROCESSING_FAILED"}, PostRejected),
    (400, {"code": "UPDATING_ASSET_FAILED"}, PostRejected),
    (400, {"code": "MEDIA_ASSET_WAITING_UPLOAD"}, PlatformUnavailable),
    (403, {"message": "This resource is forbidden"}, PlatformUnavailable),
    (403, {"code": "ACCESS_DENIED"}, ReconnectRequired),
]
SHEET_OF_TOKENS: list[tuple[Operation, str, str, type[PlatformError]]] = [
    (Operation.SIGN_IN, "invalid_request", "authorization code not found", AuthorizationFailed),
    (Operation.SIGN_IN, "invalid_redirect_uri", "does not match", AuthorizationFailed),
    (Operation.SIGN_IN, "invalid_request", 'A required parameter "code" is missing', AuthorizationFailed),
    (Operation.SIGN_IN, "invalid_client", "", OperatorActionRequired),
    (Operation.REFRESH, "invalid_request", DEAD, ReconnectRequired),
    (Operation.REFRESH, "invalid_request", f"{DEAD}.", ReconnectRequired),
    (Operation.REFRESH, "invalid_request", MISSING, OperatorActionRequired),
    (Operation.REFRESH, "invalid_request", "", OperatorActionRequired),
    (Operation.REFRESH, "invalid_grant", "", ReconnectRequired),
    (Operation.REFRESH, "refresh_token_client_mismatch", "", ReconnectRequired),
    (Operation.REFRESH, "invalid_client", DEAD, OperatorActionRequired),
]


def reply(status: int, codes: dict[str, Any], headers: dict[str, str] | None = None) -> oauth2.Reply:
    return oauth2.Reply(status=status, headers=headers or {}, body={"status": status, "message": "No."} | codes)


@pytest.fixture
def verdict(rig: Any) -> Callable[..., PlatformError]:
    """What an answer means for a post, or for another operation."""

    def decide(answer: oauth2.Reply, operation: Operation = Operation.PUBLISH, *given: str) -> PlatformError:
        return TABLE.to_error(read_refusal(rig.context(), answer, operation, given=given))

    return decide


# --- the table, row by row -------------------------------------------------------------------------------------------

PICTURE = MemoryFile(SAMPLE_PNG)
HELLO = Post(key="key-1", text="Hello")
WITH_PICTURE = Post(key="key-1", text="Hello", media=(PICTURE.media,))
UPLOADED = Prepared(handles={media_handle(PICTURE.media): "urn:li:image:C4E10AQ"})
ROOT = "urn:li:share:7398000000000000009"
COMMENT = Post(key="key-1:1", text="And this", part=1, reply=Reply(root_id=ROOT, previous_id=ROOT))

Calls = dict[Operation, Callable[[], Awaitable[object]]]


@pytest.fixture
async def calls(
    rig: Any, with_tokens: Callable[..., Credential], monkeypatch: pytest.MonkeyPatch
) -> Callable[[ErrorRow], Calls]:
    """A hook for each operation, of somebody who connected before LinkedIn began to refuse."""
    monkeypatch.setattr(api, "ACTIVE_WAIT", wait_none())
    monkeypatch.setattr(uploads, "TRY_WAIT", wait_none())
    rig.fake.switch("refresh_tokens")
    members = {"": await rig.connect(), PAGES: (await rig.list_pages())[0]}
    grants = {"": await rig.grant(), PAGES: await rig.grant(PAGES)}

    def age(row: ErrorRow, credential: Credential) -> Credential:
        is_fresh = FRESH in row.given
        refresh_token = credential.tokens.refresh_token if RENEWABLE in row.given else None
        ends_at = credential.tokens.expires_at if is_fresh else rig.clock.now() + timedelta(days=59)
        extra = {"issued_at": (rig.clock.now() - (timedelta(0) if is_fresh else timedelta(days=1))).isoformat()}
        return replace(with_tokens(credential, refresh_token=refresh_token, expires_at=ends_at), extra=extra)

    def build(row: ErrorRow) -> Calls:
        credential_set = PAGES if FOR_A_PAGE in row.given else ""
        ctx, signed_in = rig.context(credential_set), members[credential_set]
        posting, page = age(row, signed_in), age(row, members[PAGES])
        post = COMMENT if COMMENTING in row.given else WITH_PICTURE if WITH_MEDIA in row.given else HELLO
        looking = api.Api(ctx=ctx, credential=posting, operation=Operation.PREPARE, given=(LOOKING,))
        return {
            Operation.SIGN_IN: lambda: plugin.exchange(ctx, grants[credential_set]),
            Operation.CONNECT: lambda: (
                company_pages.list_pages(ctx, signed_in) if credential_set else sign_in.read_identity(ctx, signed_in)
            ),
            Operation.REFRESH: lambda: plugin.refresh(ctx, signed_in),
            Operation.CHECK: lambda: plugin.check(ctx, posting),
            Operation.PREPARE: lambda: (
                looking.call("GET", "/rest/videos/x")
                if LOOKING in row.given
                else rig.prepare(posting, WITH_PICTURE, [PICTURE])
            ),
            Operation.PUBLISH: lambda: plugin.publish(ctx, posting, post, UPLOADED),
            Operation.LOOK_UP: lambda: plugin.find_published(rig.context(PAGES), page, HELLO, None),
        }

    return build


@pytest.mark.parametrize("row", TABLE.rows, ids=lambda row: f"{row.name}, {'+'.join(sorted(row.on))}")
async def test_row_is_reached_by_linkedins_own_answers(
    rig: Any, calls: Callable[[ErrorRow], Calls], row: ErrorRow
) -> None:
    scope = "w_organization_social" if FOR_A_PAGE in row.given else "w_member_social"
    for answer in ERROR_ANSWERS[row.name]:
        rig.fake.refuse_with(replace(answer, headers={"x-li-uuid": "trace-1"}))
        for operation in sorted(row.on):
            with pytest.raises(PlatformError) as caught:
                await calls(row)[operation]()
            error = caught.value

            assert type(error) is row.error
            link = f"{rig.origin}/feed/update/urn:li:share:7398000000000000001/"
            assert row.sentence.format(version="202609", link=link) == error.explanation
            assert error.reference == "trace-1"
            if isinstance(error, PostRejected):
                assert [row.field] == [problem.field for problem in error.problems]
            if isinstance(error, ReconnectRequired):
                assert ((scope,) if row.lacks_permission else ()) == error.missing_scopes
            if isinstance(error, RateLimited):
                midnight = datetime(2026, 11, 24, 0, 2, 30, tzinfo=UTC)
                is_daily = row.name.startswith("daily limit")
                assert (midnight if is_daily else rig.clock.now() + timedelta(minutes=5)) == error.until
                assert ("of the app" in row.name) == error.is_app_wide
    assert [] == rig.fake.ledger


def test_every_row_has_a_body_and_every_body_a_row() -> None:
    assert {row.name for row in TABLE.rows} == ERROR_ANSWERS.keys()
    assert all(answers for answers in ERROR_ANSWERS.values())


def test_every_row_names_linkedin_and_its_source() -> None:
    assert [] == [row.name for row in TABLE.rows if "LinkedIn" not in row.sentence or "checked 20" not in row.source]


@pytest.mark.parametrize(("status", "codes", "expected"), SHEET_OF_A_POST)
def test_every_code_of_the_sheet_has_its_class(
    verdict: Callable[..., PlatformError], status: int, codes: dict[str, Any], expected: type[PlatformError]
) -> None:
    error = verdict(reply(status, codes, {"x-li-uuid": "trace-1"}))

    assert expected is type(error)
    assert error.reference == "trace-1"
    assert "No." not in error.explanation


@pytest.mark.parametrize(("status", "codes", "expected"), SHEET_OF_MEDIA)
def test_every_code_about_media_has_its_class(
    verdict: Callable[..., PlatformError], status: int, codes: dict[str, Any], expected: type[PlatformError]
) -> None:
    assert expected is type(verdict(reply(status, codes), Operation.PUBLISH, WITH_MEDIA))


@pytest.mark.parametrize(("operation", "code", "description", "expected"), SHEET_OF_TOKENS)
def test_every_refusal_of_tokens_in_the_sheet_has_its_class(
    verdict: Callable[..., PlatformError],
    operation: Operation,
    code: str,
    description: str,
    expected: type[PlatformError],
) -> None:
    for status in (400, 401):
        answer = oauth2.Reply(status=status, headers={}, body={"error": code, "error_description": description})
        assert expected is type(verdict(answer, operation))


def test_a_revoked_fresh_token_is_only_a_delay(verdict: Callable[..., PlatformError]) -> None:
    given = (Operation.PUBLISH, FRESH, RENEWABLE)
    assert isinstance(verdict(reply(401, REVOKED), *given), PlatformUnavailable)
    assert isinstance(verdict(reply(401, EXPIRED), *given), TokenExpired)


# --- what no row knows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "codes", [{"code": "NEVER_SEEN", "serviceErrorCode": 7}, {"code": "<script>alert(1)</script>"}]
)
def test_an_unknown_refusal_is_in_doubt_for_a_post_and_temporary_else(
    verdict: Callable[..., PlatformError], caplog: pytest.LogCaptureFixture, codes: dict[str, Any]
) -> None:
    with caplog.at_level(logging.WARNING):
        error = verdict(reply(400, codes | {"message": "Not for people"}))

    assert type(error) is OutcomeUnknown
    (record,) = caplog.records
    assert record.reference in error.explanation  # type: ignore[attr-defined]
    assert ("NEVER_SEEN" in caplog.text) == ("serviceErrorCode" in codes)
    assert "Not for people" not in caplog.text
    assert "script" not in caplog.text
    others = set(Operation) - {Operation.PUBLISH}
    assert all(type(verdict(reply(400, codes), each)) is PlatformUnavailable for each in others)


@pytest.mark.parametrize(
    "answer",
    [
        oauth2.Reply(status=403, headers={}, body=None),
        oauth2.Reply(status=401, headers={}, body={"message": "Service Unavailable"}),
        oauth2.Reply(status=400, headers={}, body=["x"]),
        oauth2.Reply(status=408, headers={}, body={"status": 408, "message": "Timed out"}),
        oauth2.Reply(status=422, headers={}, body={"status": 422, "message": "ERROR :: /x :: unrecognized field"}),
        oauth2.Reply(status=302, headers={}, body=None),
    ],
)
def test_an_answer_that_is_not_clearly_linkedins_refusal_leaves_the_outcome_unknown(
    verdict: Callable[..., PlatformError], answer: oauth2.Reply
) -> None:
    assert isinstance(verdict(answer), OutcomeUnknown)
    assert isinstance(verdict(answer, Operation.CONNECT), PlatformUnavailable)


@pytest.mark.parametrize(
    "details", [None, [], "x", {"inputErrors": None}, {"inputErrors": ["x", {"code": {}}]}, {"inputErrors": {}}]
)
def test_odd_details_are_read_over(verdict: Callable[..., PlatformError], details: object) -> None:
    assert isinstance(verdict(reply(400, {"errorDetails": details, "code": "MISSING_FIELD"})), PostRejected)


@pytest.mark.parametrize("codes", [DAILY, {"code": "TOO_MANY_REQUESTS"}])
def test_a_hint_when_to_try_again_is_followed(
    rig: Any, verdict: Callable[..., PlatformError], codes: dict[str, Any]
) -> None:
    error = verdict(reply(429, codes, {"Retry-After": "90"}))

    assert isinstance(error, RateLimited)
    assert rig.clock.now() + timedelta(seconds=90) == error.until
