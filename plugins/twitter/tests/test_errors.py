"""Each row of the error table, by the bodies X was seen to send, over real HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import logicspike_twitter as plugin
from logicspike.plugin import (
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    Post,
    PostRejected,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
    oauth2,
)
from logicspike_twitter.errors import ROWS, error_of, parse_refusal, reset_at

POST = Post(key="a-key", text="Good morning")
TWITTER, X = "https://api.twitter.com/2/problems/", "https://api.x.com/2/problems/"
UNKNOWN_AUTHENTICATION = (
    "Authenticating with Unknown is forbidden for this endpoint.  Supported authentication types are "
    "[OAuth 1.0a User Context, OAuth 2.0 User Context]."
)
APPLICATION_ONLY = UNKNOWN_AUTHENTICATION.replace("Unknown", "OAuth 2.0 Application-Only")


def problem(title="Forbidden", detail="", kind="about:blank", **more):
    return {"title": title, "detail": detail, "type": kind, **more}


def old(code, message="…"):
    return {"errors": [{"code": code, "message": message}]}


# Status, body, what the host does next.
SAMPLES = [
    (
        402,
        problem("CreditsDepleted", "Your enrolled account does not have any credits.", f"{TWITTER}credits"),
        OperatorActionRequired,
    ),
    (402, problem("Payment Required", "…", f"{X}credits"), OperatorActionRequired),
    (403, problem("SpendCapReached", "…", f"{X}credits"), OperatorActionRequired),
    (403, problem(detail="Your account has hit its spending limit for this billing cycle"), OperatorActionRequired),
    (429, problem("UsageCapExceeded", "Usage cap exceeded: Monthly product cap"), OperatorActionRequired),
    (
        429,
        problem("Usage Capped", "…", "https://developer.x.com/en/support/x-api/errors#usage-capped"),
        OperatorActionRequired,
    ),
    (403, problem("Client Forbidden", "…", "about:blank", reason="client-not-enrolled"), OperatorActionRequired),
    (403, problem("Client Forbidden", "…", f"{TWITTER}client-forbidden"), OperatorActionRequired),
    (403, problem(detail="…", kind=f"{TWITTER}oauth1-permissions"), OperatorActionRequired),
    (403, old(261, "Application cannot perform write actions."), OperatorActionRequired),
    (403, problem(kind=f"{TWITTER}app-suspended"), OperatorActionRequired),
    (
        403,
        problem(detail="The user used for authentication is suspended", kind=f"{TWITTER}user-suspended"),
        MemberActionRequired,
    ),
    (403, old(64, "Your account is suspended and is not permitted to access this feature."), MemberActionRequired),
    (403, old(326, "To protect our users from spam, this account is temporarily locked."), MemberActionRequired),
    (
        403,
        problem("Unsupported Authentication", UNKNOWN_AUTHENTICATION, f"{X}unsupported-authentication"),
        PlatformUnavailable,
    ),
    (403, problem("Unsupported Authentication", APPLICATION_ONLY, f"{X}unsupported-authentication"), ReconnectRequired),
    (403, problem(detail="Forbidden", status=403), MemberActionRequired),
    (403, problem(detail="You are not allowed to create a Tweet with duplicate content.", status=403), PostRejected),
    (403, old(187, "Status is a duplicate."), PostRejected),
    (403, problem(detail="You are not permitted to perform this action."), PostRejected),
    (403, problem(detail="Posts are limited to a maximum of one cashtag"), PostRejected),
    (400, problem("Invalid Request", "The Tweet contains an invalid URL."), PostRejected),
    (403, old(186, "Tweet needs to be a bit shorter."), PostRejected),
    (429, problem("Too Many Requests", "…", f"{X}rate-limit-exceeded"), RateLimited),
    (429, old(88, "Rate limit exceeded"), RateLimited),
    (400, {"errors": [{"message": "…"}], **problem("Invalid Request", "…", f"{TWITTER}invalid-request")}, PostRejected),
]
LABELS = [str(body.get("detail") or body.get("errors"))[:40] for _, body, _ in SAMPLES]


@pytest.mark.parametrize(("status", "body", "expected"), SAMPLES, ids=LABELS)
async def test_refusal_of_a_post_means(answering, credential, status, body, expected):
    there = await answering(status, body, {"x-transaction-id": "0123456789abcdef"})
    with pytest.raises(expected) as caught:
        await plugin.publish(there.ctx, credential, POST)
    assert type(caught.value) is expected
    assert "X" in caught.value.explanation
    assert caught.value.reference == "0123456789abcdef"
    assert len(there.calls) == 1


def test_every_row_is_reached_by_a_sample():
    reached = []
    for status, body, _ in SAMPLES:
        refusal = parse_refusal(oauth2.Reply(status=status, headers={}, body=body))
        assert refusal is not None
        reached.append(next(row for row in ROWS if row.matches(refusal)))
    assert [row for row in ROWS if row not in reached] == []


def test_every_row_says_where_it_was_seen_and_what_to_do():
    for row in ROWS:
        assert "2026-11-23" in row.source
        assert "X" in row.explanation
        assert len(row.explanation) <= 220


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, problem("Unauthorized", "Unauthorized", status=401), TokenExpired),
        (401, "<html>", TokenExpired),
        (429, "Too Many Requests", RateLimited),
        (403, problem("Odd Thing", "never seen", f"{X}odd-thing"), PostRejected),
        (404, problem("Not Found Error", "…", f"{X}resource-not-found"), PostRejected),
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
        await plugin.publish(there.ctx, credential, POST)
    assert type(caught.value) is expected
    assert len(there.calls) == 1


async def test_post_with_partial_errors_is_published(answering, credential):
    body = {"data": {"id": "1990000000000000001", "text": "Good morning"}, "errors": [problem()]}
    there = await answering(201, body)
    assert (await plugin.publish(there.ctx, credential, POST)).id == "1990000000000000001"


async def test_unknown_refusal_is_quoted_by_name_only(answering, credential):
    there = await answering(403, problem("Odd Thing", "<b>secret detail</b>", f"{X}odd-thing"))
    with pytest.raises(PostRejected) as caught:
        await plugin.publish(there.ctx, credential, POST)
    assert "odd-thing" in caught.value.explanation
    assert "secret detail" not in caught.value.explanation


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (problem("<script>", "…"), "status 403"),
        (problem("A Title", "…"), "A Title"),
        (old(999), "999"),
        (problem("A Title", "…", f"{X}{'x' * 100}"), "A Title"),
    ],
)
def test_name_of_a_refusal_is_printable(body, name):
    refusal = parse_refusal(oauth2.Reply(status=403, headers={}, body=body))
    assert refusal is not None
    assert refusal.name == name


async def test_missing_scope_means_reconnect_and_is_named(answering, credential):
    small = replace(credential, tokens=replace(credential.tokens, scopes=("tweet.read", "users.read")))
    there = await answering(403, problem(detail="Forbidden", status=403))
    with pytest.raises(ReconnectRequired) as caught:
        await plugin.publish(there.ctx, small, POST)
    assert caught.value.missing_scopes == ("tweet.write", "offline.access")


async def test_unexplained_refusal_with_unknown_scopes_means_reconnect(answering, credential):
    unknown = replace(credential, tokens=replace(credential.tokens, scopes=()))
    there = await answering(403, problem(detail="Forbidden", status=403))
    with pytest.raises(ReconnectRequired) as caught:
        await plugin.publish(there.ctx, unknown, POST)
    assert caught.value.missing_scopes == ()


async def test_fake_and_plugin_agree_on_a_missing_scope(bench):
    grant = await bench.grant(scopes=("tweet.read", "users.read", "offline.access"))
    tokens = await oauth2.fetch_tokens(bench.ctx(), f"{bench.origin}/2/oauth2/token", grant, auth="client_secret_basic")
    credential = replace(await bench.connect(), tokens=tokens)
    with pytest.raises(ReconnectRequired) as caught:
        await plugin.publish(bench.ctx(), credential, POST)
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
        await plugin.find_published(there.ctx, credential, POST)
    assert type(caught.value) is expected


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
            plugin.publish(bench.ctx(), credential, post),
            plugin.find_published(bench.ctx(), credential, post),
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


def test_refusal_keeps_the_detail_out_of_its_repr():
    body = problem(detail="something private")
    reply = oauth2.Reply(status=403, headers={}, body=body)
    assert "private" not in repr(parse_refusal(reply))


async def test_error_of_takes_the_tokens_without_showing_them(answering, credential):
    there = await answering(500, "")
    reply = oauth2.Reply(status=500, headers={}, body=None)
    error = error_of(there.ctx, reply, credential.tokens, creates=True)
    assert credential.tokens.access_token not in repr(error)
