"""Every row of the error table by the bodies X was seen to send, over HTTP; and answers no row knows."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

import logicspike_twitter as plugin
from logicspike.plugin import (
    AuthorizationFailed,
    MemberActionRequired,
    Operation,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    Post,
    PostRejected,
    RateLimited,
    ReconnectRequired,
    Refusal,
    Reply,
    TokenExpired,
    oauth2,
)
from logicspike.testing import SAMPLE_MP4, MemoryFile
from logicspike_twitter.api import read_identity
from logicspike_twitter.errors import TABLE
from logicspike_twitter.post_errors import DUPLICATE, NEW_PARENT
from logicspike_twitter.refusals import ALL_GRANTED, LONG_VIDEO, read_refusal, reset_at
from logicspike_twitter.sandbox_errors import ERROR_ANSWERS
from logicspike_twitter.sandbox_ids import make_id

TEXTS = {"detail", "error_description"}

POST = Post(key="a-key", text="Good morning")
TWITTER, X = "https://api.twitter.com/2/problems/", "https://api.x.com/2/problems/"

# Every code of the fact sheet of 2026-11-23 (sections 2.2, 2.3, 2.6): what X says, and what it means.
SHEET_OF_A_POST = [
    ({"status": 401}, TokenExpired),
    ({"title": "CreditsDepleted"}, OperatorActionRequired),
    ({"type": "credits"}, OperatorActionRequired),
    ({"detail": "You are not allowed to create a Tweet with duplicate content"}, PostRejected),
    ({"detail": "You are not permitted to perform this action"}, PostRejected),
    ({"type": "unsupported-authentication"}, ReconnectRequired),
    ({"type": "client-forbidden"}, OperatorActionRequired),
    ({"reason": "client-not-enrolled"}, OperatorActionRequired),
    ({"type": "oauth1-permissions"}, OperatorActionRequired),
    ({"type": "user-suspended"}, MemberActionRequired),
    ({"errors.code": 64}, MemberActionRequired),
    ({"detail": "Your account has hit its spending limit for this billing cycle"}, OperatorActionRequired),
    ({"type": "usage-capped"}, OperatorActionRequired),
    ({"title": "UsageCapExceeded"}, OperatorActionRequired),
    ({"type": "rate-limit-exceeded"}, RateLimited),
    ({"errors.code": 88}, RateLimited),
    ({"type": "invalid-request"}, PostRejected),
    ({"detail": "Posts are limited to a maximum of one cashtag"}, PostRejected),
    ({"detail": "The Tweet contains an invalid URL"}, PostRejected),
    ({"detail": LONG_VIDEO}, PostRejected),
    ({"status": 402}, OperatorActionRequired),
    *[({"status": status}, OutcomeUnknown) for status in (500, 502, 503, 504)],
]
# The same codes while uploading, but for those about a post's own text.
SHEET_OF_AN_UPLOAD = [
    *[(signs, expected) for signs, expected in SHEET_OF_A_POST if expected not in {PostRejected, OutcomeUnknown}],
    ({"type": "invalid-request"}, PostRejected),
    ({"processing_info.state": "failed"}, PostRejected),
    *[({"status": status}, PlatformUnavailable) for status in (500, 502, 503, 504)],
]
SHEET_OF_A_REFRESH = [
    ({"error": "invalid_request", "error_description": "Value passed for the token was invalid"}, ReconnectRequired),
    ({"error": "invalid_grant"}, ReconnectRequired),
    ({"error": "unsupported_grant_type"}, OperatorActionRequired),
    ({"error": "invalid_client"}, OperatorActionRequired),
    ({"error": "unauthorized_client"}, OperatorActionRequired),
    ({"status": 429}, RateLimited),
    *[({"status": status}, PlatformUnavailable) for status in (500, 502, 503, 504)],
]
CODE_REFUSED = {
    "error": "invalid_request",
    "error_description": "Value passed for the authorization code was invalid",
}


def problem(title="Forbidden", detail="", kind="about:blank", **more):
    return {"title": title, "detail": detail, "type": kind, **more}


def old(code, message="…"):
    return {"errors": [{"code": code, "message": message}]}


# --- the table, row by row --------------------------------------------------------------------------------------------


@pytest.fixture
async def hooks(bench):
    """A hook for each operation, of one who connected before X began to refuse."""
    connected, grant = await bench.connect(), await bench.grant()

    def build(row):
        scopes = connected.tokens.scopes if ALL_GRANTED in row.given else ()
        credential = replace(connected, tokens=replace(connected.tokens, scopes=scopes))
        parent = make_id(bench.clock.now() - timedelta(hours=1 - (NEW_PARENT in row.given)), 1)
        post = replace(POST, reply=Reply(root_id=parent, previous_id=parent))
        return {
            Operation.SIGN_IN: lambda: plugin.exchange(bench.ctx(), grant),
            Operation.CONNECT: lambda: read_identity(bench.ctx(), credential.tokens),
            Operation.REFRESH: lambda: plugin.refresh(bench.ctx(), credential),
            Operation.PREPARE: lambda: bench.prepare(credential, MemoryFile(SAMPLE_MP4)),
            Operation.PUBLISH: lambda: plugin.publish(bench.ctx(), credential, post, None),
            Operation.LOOK_UP: lambda: plugin.find_published(bench.ctx(), credential, POST, None),
        }

    return build


@pytest.mark.parametrize("row", TABLE.rows, ids=lambda row: f"{row.name}, {'+'.join(sorted(row.on))}")
async def test_row_is_reached_by_xs_own_answers(bench, hooks, row):
    # X looks at a file when it is complete; and a duplicate is looked up once.
    path = "/finalize" if row.name == "failed processing" else ""
    for answer in ERROR_ANSWERS[row.name]:
        traced = replace(answer, headers={**answer.headers, "x-transaction-id": "0123456789abcdef"})
        bench.fake.refuse_with(traced, path=path)
        for operation in sorted(row.on):
            before = len(bench.fake.requests)
            with pytest.raises(PlatformError) as caught:
                await hooks(row)[operation]()
            error = caught.value

            assert type(error) is row.error
            assert error.explanation.startswith(row.sentence.partition("{")[0])
            assert "{" not in error.explanation
            assert error.reference == "0123456789abcdef"
            assert len(bench.fake.requests) == before + (3 if path else 2 if row.name in DUPLICATE else 1)
            check_details(error, row, bench.clock.now())
    assert bench.fake.ledger == []


def check_details(error, row, now):
    if isinstance(error, PostRejected):
        assert [problem.field for problem in error.problems] == [row.field]
    if isinstance(error, ReconnectRequired):
        assert error.missing_scopes == ()
    if isinstance(error, RateLimited):
        assert error.until == now + timedelta(minutes=15)
        assert error.is_app_wide == row.is_app_wide


def test_every_row_has_a_body_and_every_body_a_row():
    assert {row.name for row in TABLE.rows} == ERROR_ANSWERS.keys()
    assert all(answers for answers in ERROR_ANSWERS.values())


def test_every_row_says_where_it_was_seen_and_what_to_do():
    for row in TABLE.rows:
        assert re.search(r"checked 2026-11-2[35]", row.source)
        assert "X" in row.sentence
        assert len(row.sentence) <= 220


@pytest.mark.parametrize(
    ("operation", "sheet"),
    [
        (Operation.PUBLISH, SHEET_OF_A_POST),
        (Operation.PREPARE, SHEET_OF_AN_UPLOAD),
        (Operation.REFRESH, SHEET_OF_A_REFRESH),
        (Operation.SIGN_IN, [(CODE_REFUSED, AuthorizationFailed)]),
    ],
)
def test_every_code_of_the_sheet_has_its_class(clock, operation, sheet):
    for signs, expected in sheet:
        codes = {sign: (value,) for sign, value in signs.items() if sign not in {"status", *TEXTS}}
        texts = {sign: value for sign, value in signs.items() if sign in TEXTS}
        status = signs.get("status", 403)
        found = TABLE.find(Refusal(operation=operation, status=status, codes=codes, texts=texts, now=clock.now()))
        assert found is not None, signs
        assert (signs, found.error) == (signs, expected)


# --- what no row knows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, problem("Unauthorized", "Unauthorized", status=401), TokenExpired),
        (401, "<html>", TokenExpired),
        (429, "Too Many Requests", RateLimited),
        (403, problem("Odd Thing", "never seen", f"{X}odd-thing"), OutcomeUnknown),
        (404, problem("Not Found Error", "…", f"{X}resource-not-found"), OutcomeUnknown),
        (403, "<html>blocked by a proxy</html>", OutcomeUnknown),
        (403, {"message": "not X's envelope"}, OutcomeUnknown),
        (400, [], OutcomeUnknown),
        (408, "", OutcomeUnknown),
        (302, "", OutcomeUnknown),
        (500, problem("Internal Server Error", "…", "about:blank", status=500), OutcomeUnknown),
        (502, "Bad Gateway", OutcomeUnknown),
        (503, problem("Service Unavailable", "Forbidden", f"{X}invalid-request"), OutcomeUnknown),
        (504, "", OutcomeUnknown),
        (200, {}, OutcomeUnknown),
        (200, "OK", OutcomeUnknown),
        (201, {"data": {"text": "no id"}}, OutcomeUnknown),
        (201, {"data": {"id": "../../etc"}}, OutcomeUnknown),
        (200, {"errors": [problem(detail="You are not permitted to perform this action.")]}, OutcomeUnknown),
    ],
)
async def test_unknown_answer_to_a_post_means(answering, credential, status, body, expected):
    there = await answering(status, body)
    with pytest.raises(expected) as caught:
        await plugin.publish(there.ctx, credential, POST, None)
    assert type(caught.value) is expected
    assert len(there.calls) == 1


async def test_post_with_partial_errors_is_published(answering, credential):
    body = {"data": {"id": "1990000000000000001", "text": "Good morning"}, "errors": [problem()]}
    there = await answering(201, body)
    assert (await plugin.publish(there.ctx, credential, POST, None)).id == "1990000000000000001"


async def test_unknown_refusal_is_logged_by_its_codes_and_a_reference(answering, credential, caplog):
    body = {
        **problem("Odd Thing", "<b>Good morning</b>", f"{X}odd-thing", reason="<script>"),
        **old(999, "Good morning"),
    }
    there = await answering(403, body)
    with pytest.raises(OutcomeUnknown) as caught:
        await plugin.publish(there.ctx, credential, POST, None)

    (record,) = [record for record in caplog.records if record.name.startswith("logicspike")]
    assert record.status == 403
    assert record.codes == {
        "type": ["odd-thing"],
        "title": ["Odd Thing"],
        "reason": ["(not a code)"],
        "errors.code": [999],
    }
    assert record.reference in caught.value.explanation
    assert record.reference in record.getMessage()
    assert "Good morning" not in record.getMessage()


async def test_missing_scope_means_reconnect_and_is_named(answering, credential):
    small = replace(credential, tokens=replace(credential.tokens, scopes=("tweet.read", "users.read")))
    there = await answering(403, problem(detail="Forbidden", status=403))
    with pytest.raises(ReconnectRequired) as caught:
        await plugin.publish(there.ctx, small, POST, None)
    assert caught.value.missing_scopes == ("tweet.write", "offline.access")


async def test_grant_from_before_uploads_keeps_publishing_text(answering, credential):
    old = replace(
        credential,
        tokens=replace(credential.tokens, scopes=("tweet.read", "users.read", "tweet.write", "offline.access")),
    )
    there = await answering(403, problem(detail="Forbidden", status=403))
    with pytest.raises(MemberActionRequired):
        await plugin.publish(there.ctx, old, POST, None)


async def test_long_video_is_told_with_the_accounts_own_limit(answering, credential):
    there = await answering(
        403, problem(detail="This user is not allowed to post a video longer than 20 minutes.", status=403)
    )
    with pytest.raises(PostRejected) as caught:
        await plugin.publish(there.ctx, credential, POST, None)
    assert [(each.field, "20 minutes" in each.message) for each in caught.value.problems] == [("media", True)]


async def test_unexplained_refusal_with_unknown_scopes_means_reconnect(answering, credential):
    unknown = replace(credential, tokens=replace(credential.tokens, scopes=()))
    there = await answering(403, problem(detail="Forbidden", status=403))
    with pytest.raises(ReconnectRequired) as caught:
        await plugin.publish(there.ctx, unknown, POST, None)
    assert caught.value.missing_scopes == ()


async def test_fake_and_plugin_agree_on_a_missing_scope(bench):
    grant = await bench.grant(scopes=("tweet.read", "users.read", "offline.access"))
    tokens = await oauth2.fetch_tokens(bench.ctx(), f"{bench.origin}/2/oauth2/token", grant, auth="client_secret_basic")
    credential = replace(await bench.connect(), tokens=tokens)
    with pytest.raises(ReconnectRequired) as caught:
        await plugin.publish(bench.ctx(), credential, POST, None)
    assert caught.value.missing_scopes == ("tweet.write",)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, problem("Invalid Request", "…", f"{X}invalid-request"), PlatformUnavailable),
        (403, problem(detail="You are not permitted to perform this action."), PlatformUnavailable),
        (403, "<html>", PlatformUnavailable),
        (500, "", PlatformUnavailable),
        (402, problem("CreditsDepleted"), OperatorActionRequired),
        (401, problem("Unauthorized"), TokenExpired),
        (429, "", RateLimited),
    ],
)
async def test_refusal_of_a_read_never_blames_the_post(answering, credential, status, body, expected):
    there = await answering(status, body)
    with pytest.raises(expected) as caught:
        await plugin.find_published(there.ctx, credential, POST, None)
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, problem("Odd Thing", "never seen", f"{X}odd-thing")),
        (403, problem(detail="You are not permitted to perform this action.")),
        (403, "<html>"),
        (404, problem("Not Found Error", "…", f"{X}resource-not-found")),
    ],
)
async def test_unknown_refusal_of_an_upload_blames_no_file(answering, credential, caplog, status, body):
    there = await answering(status, body)
    with pytest.raises(PlatformUnavailable) as caught:
        await plugin.prepare(there.ctx, credential, [MemoryFile(SAMPLE_MP4)])
    (record,) = [record for record in caplog.records if record.name.startswith("logicspike")]
    assert record.operation == "prepare"
    assert record.reference in caught.value.explanation


# --- when to come back ------------------------------------------------------------------------------------------------


def unix(at):
    return str(int(at.timestamp()))


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [
        ({"x-rate-limit-reset": 7}, 7),
        ({"x-rate-limit-reset": 7, "Retry-After": "60"}, 7),
        ({"Retry-After": "60"}, 1),
        ({"x-rate-limit-reset": "soon", "Retry-After": "120"}, 2),
        ({}, 15),
        ({"x-rate-limit-reset": -5}, 0),
        ({"x-rate-limit-reset": "9" * 11}, 24 * 60),
        ({"x-rate-limit-reset": "9" * 40}, 15),
        (
            {"x-rate-limit-reset": 7, "x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": 600},
            600,
        ),
        (
            {"x-rate-limit-reset": 7, "x-app-limit-24hour-remaining": "55", "x-app-limit-24hour-reset": 600},
            7,
        ),
    ],
)
def test_wait_ends_when_the_headers_say(clock, headers, minutes):
    now = clock.now()
    sent = {
        name: unix(now + timedelta(minutes=value)) if isinstance(value, int) else value
        for name, value in headers.items()
    }
    reply = oauth2.Reply(status=429, headers=sent, body=None)
    assert reset_at(reply, now) == now + timedelta(minutes=minutes)


# --- secrets ----------------------------------------------------------------------------------------------------------


async def test_no_secret_in_errors_logs_or_reprs(bench, caplog):
    caplog.set_level("DEBUG")
    grant = await bench.grant()
    credential = await plugin.exchange(bench.ctx(), grant)
    seen = [repr(grant), repr(credential), repr(bench.ctx())]
    post = Post(key="k", text="Good morning")
    for switch in (*bench.fake.switches(), ""):
        if switch:
            bench.fake.switch(switch)
        for call in (
            plugin.publish(bench.ctx(), credential, post, None),
            plugin.find_published(bench.ctx(), credential, post, None),
            plugin.exchange(bench.ctx(), grant),
        ):
            try:
                seen.append(repr(await call))
            except PlatformError as error:
                seen += [repr(error), str(error), error.explanation, repr(error.__cause__), repr(vars(error))]
        if switch:
            bench.fake.switch(switch, on=False)
    ours = [record for record in caplog.records if record.name != "aiohttp.access"]
    seen += [f"{record.getMessage()} {vars(record)}" for record in ours]
    secrets = (
        credential.tokens.access_token,
        credential.tokens.refresh_token,
        grant.code,
        bench.verifier,
        bench.ctx().client.client_secret,
    )
    assert [text for text in seen if any(secret in text for secret in secrets)] == []


def test_refusal_keeps_the_detail_out_of_its_repr(bench):
    reply = oauth2.Reply(status=403, headers={}, body=problem(detail="something private"))
    assert "private" not in repr(read_refusal(bench.ctx(), reply, Operation.PUBLISH))
