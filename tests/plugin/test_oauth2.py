from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict

from logicspike.plugin import (
    AuthorizationFailed,
    AuthorizationGrant,
    AuthorizationRequest,
    Media,
    MediaKind,
    MemberActionRequired,
    OAuthClient,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformContext,
    PlatformError,
    PlatformUnavailable,
    PostRejected,
    Problem,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
    TokenSet,
    oauth2,
    to_payload,
)

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
CLIENT = OAuthClient(client_id="the-id", client_secret="the secret+")
GRANT = AuthorizationGrant(code="a-code", redirect_uri="https://bot.example/cb", code_verifier="a-verifier")
TOKENS = TokenSet(access_token="an-access-token", refresh_token="a-refresh-token")

Answer = Callable[[web.Request], Any]


class Api:
    """A server that gives the next answer and keeps what was asked."""

    def __init__(self) -> None:
        self.answer: Answer = lambda _request: web.json_response({})
        self.requests: list[tuple[web.Request, str]] = []
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._respond)
        self.server = TestServer(app)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request, await request.text()))
        answer = self.answer(request)
        if asyncio.iscoroutine(answer):
            answer = await answer
        assert isinstance(answer, web.StreamResponse)
        return answer

    def will(self, body: object = None, *, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, str):
            self.answer = lambda _request: web.Response(text=body, status=status, headers=named)
        else:
            self.answer = lambda _request: web.json_response(body, status=status, headers=named)

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.requests[-1][1])

    def url(self, path: str = "/token") -> str:
        return str(self.server.make_url(path))


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    it = Api()
    async with it.server:
        yield it


@pytest.fixture
async def ctx() -> AsyncIterator[PlatformContext]:
    async with aiohttp.ClientSession() as http:
        yield PlatformContext(client=CLIENT, endpoints={}, settings={}, http=http, now=NOW)


def test_link_carries_the_request_and_keeps_the_endpoints_query() -> None:
    request = AuthorizationRequest(
        redirect_uri="https://bot.example/cb?a=b", state="s&t", scopes=("x", "y"), code_challenge="c"
    )
    link = oauth2.authorization_link(
        "https://a.example/auth?v=1", CLIENT, request, scope_separator=",", prompt="consent"
    )
    assert parse_qs(urlsplit(link.url).query) == {
        "v": ["1"],
        "response_type": ["code"],
        "client_id": ["the-id"],
        "redirect_uri": ["https://bot.example/cb?a=b"],
        "scope": ["x,y"],
        "state": ["s&t"],
        "prompt": ["consent"],
        "code_challenge": ["c"],
        "code_challenge_method": ["S256"],
    }


def test_link_without_pkce_carries_no_challenge() -> None:
    request = AuthorizationRequest(redirect_uri="https://bot.example/cb", state="s", scopes=(), code_challenge=None)
    assert "code_challenge" not in oauth2.authorization_link("https://a.example/auth", CLIENT, request).url


async def test_code_is_traded_for_tokens(api: Api, ctx: PlatformContext) -> None:
    api.will({"access_token": "a", "refresh_token": "r", "expires_in": 3600, "scope": "x,y z"})
    tokens = await oauth2.fetch_tokens(ctx, api.url(), GRANT, scope_separators=" ,")
    assert (tokens.access_token, tokens.refresh_token) == ("a", "r")
    assert tokens.expires_at == NOW + timedelta(hours=1)
    assert tokens.scopes == ("x", "y", "z")
    assert api.form == {
        "grant_type": ["authorization_code"],
        "code": ["a-code"],
        "redirect_uri": ["https://bot.example/cb"],
        "code_verifier": ["a-verifier"],
        "client_id": ["the-id"],
        "client_secret": ["the secret+"],
    }


async def test_client_secret_can_go_in_the_header(api: Api, ctx: PlatformContext) -> None:
    api.will({"access_token": "a"})
    await oauth2.fetch_tokens(ctx, api.url(), GRANT, auth="client_secret_basic")
    scheme, _, credentials = api.requests[0][0].headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(credentials)) == ("Basic", b"the-id:the secret+")
    assert "client_secret" not in api.form


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (60, 60),
        ("60", 60),
        (60.5, 60.5),
        (None, None),
        (0, None),
        (-5, None),
        ("soon", None),
        (1e300, None),
        (True, None),
    ],
)
async def test_expiry_is_read_from_what_platforms_send(
    api: Api, ctx: PlatformContext, expires_in: object, seconds: float | None
) -> None:
    api.will({"access_token": "a", "expires_in": expires_in})
    tokens = await oauth2.fetch_tokens(ctx, api.url(), GRANT)
    assert tokens.expires_at == (None if seconds is None else NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": "invalid_grant"}, AuthorizationFailed),
        (400, {"error": "anything"}, AuthorizationFailed),
        (200, {"error": "bad_verification_code"}, AuthorizationFailed),
        (400, {"message": "no"}, AuthorizationFailed),
        (401, {"error": "invalid_client"}, OperatorActionRequired),
        (400, {"error": "unauthorized_client"}, OperatorActionRequired),
        (400, "<html>", PlatformUnavailable),
        (302, "", PlatformUnavailable),
        (500, {"error": "invalid_grant"}, PlatformUnavailable),
        (200, "<html>", PlatformUnavailable),
        (200, {"access_token": ""}, PlatformUnavailable),
        (200, {"access_token": 5}, PlatformUnavailable),
        (200, ["access_token"], PlatformUnavailable),
        (429, {}, RateLimited),
    ],
)
async def test_code_exchange_that_fails(
    api: Api, ctx: PlatformContext, status: int, body: object, expected: type[PlatformError]
) -> None:
    api.will(body, status=status)
    with pytest.raises(expected) as caught:
        await oauth2.fetch_tokens(ctx, api.url(), GRANT)
    assert type(caught.value) is expected
    assert not any(secret in repr(caught.value) for secret in ("a-code", "a-verifier", "the secret"))


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": "invalid_grant"}, ReconnectRequired),
        (400, {"error": "invalid_request"}, OperatorActionRequired),
        (401, {"error": "invalid_client"}, OperatorActionRequired),
        (403, "<html>", PlatformUnavailable),
        (503, "", PlatformUnavailable),
        (429, "", RateLimited),
    ],
)
async def test_refresh_that_fails(
    api: Api, ctx: PlatformContext, status: int, body: object, expected: type[PlatformError]
) -> None:
    api.will(body, status=status)
    with pytest.raises(expected):
        await oauth2.refresh_tokens(ctx, api.url(), TOKENS)


async def test_refresh_token_that_the_answer_omits_is_none(api: Api, ctx: PlatformContext) -> None:
    api.will({"access_token": "new"})
    assert await oauth2.refresh_tokens(ctx, api.url(), TOKENS) == TokenSet(access_token="new")
    assert api.form["refresh_token"] == ["a-refresh-token"]


async def test_nothing_to_refresh_with_needs_the_member(api: Api, ctx: PlatformContext) -> None:
    with pytest.raises(ReconnectRequired):
        await oauth2.refresh_tokens(ctx, api.url(), TokenSet(access_token="a"))
    assert api.requests == []


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, {"error": "invalid_grant"}), (429, ""), (503, ""), (200, "<html>"), (200, {"error": "bad_code"})],
)
async def test_plugin_may_decide_what_any_answer_without_tokens_means(
    api: Api, ctx: PlatformContext, status: int, body: object
) -> None:
    def refused(reply: oauth2.Reply) -> PlatformError:
        return MemberActionRequired(f"status {reply.status}")

    for call in (
        oauth2.fetch_tokens(ctx, api.url(), GRANT, refused=refused),
        oauth2.refresh_tokens(ctx, api.url(), TOKENS, refused=refused),
    ):
        api.will(body, status=status)
        with pytest.raises(MemberActionRequired, match=f"status {status}"):
            await call


async def test_platform_says_what_a_dead_grant_is(api: Api, ctx: PlatformContext) -> None:
    api.will({"error": "invalid_request", "error_description": "Revoked"}, status=400)
    with pytest.raises(ReconnectRequired):
        await oauth2.refresh_tokens(ctx, api.url(), TOKENS, is_dead_grant=lambda error: error.description == "Revoked")


@pytest.mark.parametrize("status", [200, 400, 404])
async def test_unknown_token_counts_as_revoked(api: Api, ctx: PlatformContext, status: int) -> None:
    api.will({}, status=status)
    await oauth2.revoke_token(ctx, api.url("/revoke"), "an-access-token", hint="access_token")
    assert api.form["token"] == ["an-access-token"]
    assert api.form["token_type_hint"] == ["access_token"]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_unconfirmed_revocation_is_told(api: Api, ctx: PlatformContext, status: int) -> None:
    api.will({}, status=status)
    with pytest.raises(PlatformUnavailable):
        await oauth2.revoke_token(ctx, api.url("/revoke"), "an-access-token", hint="access_token")


async def test_token_goes_in_the_header(api: Api, ctx: PlatformContext) -> None:
    api.will({"id": "1"})
    assert await oauth2.get_json(ctx, api.url("/me"), TOKENS, params={"fields": "id"}) == {"id": "1"}
    request, _ = api.requests[0]
    assert request.headers["Authorization"] == "Bearer an-access-token"
    assert request.path_qs == "/me?fields=id"


@pytest.mark.parametrize(
    ("status", "body", "reading", "creating"),
    [
        (401, {}, TokenExpired, TokenExpired),
        (429, {}, RateLimited, RateLimited),
        (400, {}, PlatformUnavailable, PostRejected),
        (403, "<html>", PlatformUnavailable, PostRejected),
        (408, {}, PlatformUnavailable, OutcomeUnknown),
        (302, "", PlatformUnavailable, OutcomeUnknown),
        (500, {}, PlatformUnavailable, OutcomeUnknown),
        (200, "<html>", PlatformUnavailable, OutcomeUnknown),
        (200, [1], PlatformUnavailable, OutcomeUnknown),
        (200, {}, PlatformUnavailable, OutcomeUnknown),
    ],
)
async def test_answers_are_told_apart(
    api: Api,
    ctx: PlatformContext,
    status: int,
    body: object,
    reading: type[PlatformError],
    creating: type[PlatformError],
) -> None:
    api.will(body, status=status)
    with pytest.raises(reading):
        await oauth2.get_json(ctx, api.url(), TOKENS)
    with pytest.raises(creating):
        await oauth2.post_json(ctx, api.url(), TOKENS, {})
    assert len(api.requests) == 2


async def test_answer_in_many_pieces_is_read_whole(api: Api, ctx: PlatformContext) -> None:
    async def in_pieces(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b'{"id": "', b"1" * 70_000, b'"}'):
            await response.write(piece)
            await asyncio.sleep(0)
        return response

    api.answer = in_pieces
    assert (await oauth2.post_json(ctx, api.url(), TOKENS, {})) == {"id": "1" * 70_000}


async def test_answer_without_end_is_not_read(api: Api, ctx: PlatformContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oauth2, "MAX_ANSWER_BYTES", 1000)
    api.will({"id": "1" * 2000})
    with pytest.raises(OutcomeUnknown):
        await oauth2.post_json(ctx, api.url(), TOKENS, {})


async def test_nesting_without_end_is_not_followed(api: Api, ctx: PlatformContext) -> None:
    api.will("[" * 200_000)
    reply = await oauth2.call(ctx, "GET", api.url())
    assert (reply.status, reply.body) == (200, None)


async def test_a_form_with_a_file_is_sent_with_its_length(api: Api, ctx: PlatformContext) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"half "
        yield b"and half"

    media = Media(media_id="m", kind=MediaKind.IMAGE, content_type="image/png", size=13, name="a.png")
    form = aiohttp.FormData({"caption": "Hello"})
    form.add_field("source", to_payload(media, pieces()), filename=media.name, content_type=media.content_type)
    await oauth2.call(ctx, "POST", api.url(), body=form, timeout=timedelta(minutes=5))

    request, text = api.requests[-1]
    assert len(text.encode()) == request.content_length
    assert "half and half" in text
    assert "image/png" in text


async def test_trouble_with_the_file_is_told_as_such(api: Api, ctx: PlatformContext) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"half "
        raise PostRejected(Problem(message="The file is gone.", field="media"))

    media = Media(media_id="m", kind=MediaKind.IMAGE, content_type="image/png", size=13, name="a.png")
    with pytest.raises(PostRejected, match="gone"):
        await oauth2.call(ctx, "POST", api.url(), body=to_payload(media, pieces()))


async def test_a_call_may_have_a_time_limit_of_its_own(api: Api, ctx: PlatformContext) -> None:
    ended = asyncio.Event()

    async def wait(_request: web.Request) -> web.Response:
        await ended.wait()
        return web.Response()

    api.answer = wait
    with pytest.raises(PlatformUnavailable):
        await oauth2.call(ctx, "POST", api.url(), timeout=timedelta(milliseconds=50))
    ended.set()


async def test_lost_answer(api: Api, ctx: PlatformContext) -> None:
    def drop(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    api.answer = drop
    with pytest.raises(OutcomeUnknown):
        await oauth2.call(ctx, "POST", api.url(), creates=True)
    with pytest.raises(PlatformUnavailable):
        await oauth2.call(ctx, "POST", api.url())


async def test_nothing_sent_is_unavailable_even_when_creating(ctx: PlatformContext) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(PlatformUnavailable):
        await oauth2.call(ctx, "POST", f"http://127.0.0.1:{port}/", creates=True)


async def test_redirects_are_not_followed(api: Api, ctx: PlatformContext) -> None:
    api.will("", status=307, Location="/elsewhere")
    assert (await oauth2.call(ctx, "POST", api.url(), tokens=TOKENS)).status == 307
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("value", "pause"),
    [
        ("30", timedelta(seconds=30)),
        ("0", timedelta(seconds=1)),
        ("Tue, 01 Dec 2026 09:05:00 GMT", timedelta(minutes=5)),
        ("Tue, 01 Dec 2026 08:00:00 GMT", timedelta(seconds=1)),
        ("Fri, 01 Dec 2099 09:00:00 GMT", timedelta(days=1)),
        ("9" * 30, timedelta(minutes=1)),
        ("9" * 5000, timedelta(minutes=1)),
        ("999999", timedelta(days=1)),
        ("Tue, 01 Dec 2026 09:05:00 -0000", timedelta(minutes=1)),
        ("٣", timedelta(minutes=1)),
        ("-5", timedelta(minutes=1)),
        ("soon", timedelta(minutes=1)),
        (None, timedelta(minutes=1)),
    ],
)
def test_pause_is_read_and_bounded(value: str | None, pause: timedelta) -> None:
    headers = CIMultiDict({"retry-after": value} if value is not None else {})
    assert oauth2.retry_after(oauth2.Reply(status=429, headers=headers, body=None), NOW) == NOW + pause


def test_reply_shows_neither_headers_nor_body() -> None:
    reply = oauth2.Reply(status=200, headers={"a": "secret"}, body={"access_token": "secret"})
    assert "secret" not in repr(reply)
