from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from certificates import self_signed

from logicspike.egress import TIMEOUT, Egress, EgressRefused, parse_origin


class Server:
    """A server that redirects where it's told, sets cookies, and remembers what came."""

    def __init__(self) -> None:
        self.seen: list[web.Request] = []
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        self.server = TestServer(app)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        if target := request.query.get("to"):
            raise web.HTTPTemporaryRedirect(target)
        response = web.Response(text="here")
        response.set_cookie("who", "me")
        return response

    @property
    def origin(self) -> str:
        return str(self.server.make_url("")).rstrip("/")


@pytest.fixture
async def declared() -> AsyncIterator[Server]:
    it = Server()
    async with it.server:
        yield it


@pytest.fixture
async def foreign() -> AsyncIterator[Server]:
    it = Server()
    async with it.server:
        yield it


@pytest.fixture
async def http(declared: Server) -> AsyncIterator[aiohttp.ClientSession]:
    async with Egress() as egress:
        yield egress.get_session("echo", [declared.origin])


async def test_declared_origin_is_reached(http: aiohttp.ClientSession, declared: Server) -> None:
    async with http.get(f"{declared.origin}/a?b=c") as response:
        assert await response.text() == "here"
    assert declared.seen[0].headers["User-Agent"].startswith("LogicSpike/")


async def test_undeclared_origin_is_refused_and_not_asked(
    http: aiohttp.ClientSession, foreign: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(EgressRefused):
        await http.get(f"{foreign.origin}/a?token=canary")
    assert foreign.seen == []
    (record,) = [record for record in caplog.records if record.name == "logicspike.egress"]
    assert (vars(record)["event"], vars(record)["platform"]) == ("egress.refused", "echo")
    assert "canary" not in caplog.text


async def test_another_name_scheme_or_port_is_another_origin(http: aiohttp.ClientSession, declared: Server) -> None:
    port = declared.server.port
    for url in (f"http://localhost:{port}/", f"https://127.0.0.1:{port}/", "http://127.0.0.1/"):
        with pytest.raises(EgressRefused):
            await http.get(url)
    assert declared.seen == []


async def test_redirect_to_an_undeclared_origin_is_refused(
    http: aiohttp.ClientSession, declared: Server, foreign: Server
) -> None:
    with pytest.raises(EgressRefused):
        await http.post(f"{declared.origin}/a", params={"to": f"{foreign.origin}/b"}, data="secret")
    assert len(declared.seen) == 1
    assert foreign.seen == []


async def test_redirect_within_the_origin_is_followed(http: aiohttp.ClientSession, declared: Server) -> None:
    async with http.get(f"{declared.origin}/a", params={"to": "/b"}) as response:
        assert await response.text() == "here"
    assert [request.path for request in declared.seen] == ["/a", "/b"]


async def test_sessions_are_kept_apart(declared: Server, foreign: Server) -> None:
    async with Egress() as egress:
        first, second = egress.get_session("a", [declared.origin]), egress.get_session("b", [foreign.origin])
        assert first is egress.get_session("a", [foreign.origin])
        async with second.get(foreign.origin):
            pass
        with pytest.raises(EgressRefused):
            await second.get(declared.origin)


async def test_cookies_are_dropped_and_proxies_ignored(
    http: aiohttp.ClientSession, declared: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    for _ in range(2):
        async with http.get(declared.origin) as response:
            assert response.status == 200
    assert ["Cookie" in request.headers for request in declared.seen] == [False, False]


async def test_every_call_has_a_time_limit(http: aiohttp.ClientSession) -> None:
    assert TIMEOUT is http.timeout
    assert (TIMEOUT.total, TIMEOUT.connect, TIMEOUT.sock_read) == (30, 10, 20)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_dropped_request_is_not_sent_again(method: str) -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b""):
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, Egress() as egress:
        http = egress.get_session("echo", [origin])
        async with http.request(method, origin) as response:
            assert await response.text() == "ok"
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.request(method, origin)
    assert len(seen) == 2


async def test_refused_connection_is_told_apart() -> None:
    async with Egress() as egress:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        server.close()
        await server.wait_closed()
        with pytest.raises(aiohttp.ClientConnectorError):
            await egress.get_session("echo", [origin]).get(origin)


async def test_certificate_is_verified(tmp_path: Path) -> None:
    server = TestServer(web.Application(), host="127.0.0.1", scheme="https")
    await server.start_server(ssl=self_signed(tmp_path))
    async with server, Egress() as egress:
        origin = parse_origin(f"https://localhost:{server.port}")
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await egress.get_session("echo", [origin]).get(origin)


async def test_nothing_goes_out_before_opening_or_after_closing() -> None:
    egress = Egress()
    with pytest.raises(RuntimeError):
        egress.get_session("echo", [])
    async with egress:
        session = egress.get_session("echo", [])
    assert session.closed
    with pytest.raises(RuntimeError):
        egress.get_session("echo", [])


async def test_a_server_that_a_member_chose_must_have_a_public_address(declared: Server) -> None:
    for origin in (declared.origin, declared.origin.replace("127.0.0.1", "localhost")):
        async with Egress() as egress, egress.lend_session("pond", [origin]) as http:
            with pytest.raises(aiohttp.ClientConnectorError):
                await http.get(origin)
    assert declared.seen == []


async def test_a_chosen_server_is_reached_and_nothing_else(declared: Server, foreign: Server) -> None:
    async with Egress(may_reach=lambda _address, _port: True) as egress:
        async with egress.lend_session("pond", [declared.origin]) as http:
            assert "here" == await (await http.get(declared.origin)).text()
            with pytest.raises(EgressRefused):
                await http.get(f"{declared.origin}/?to={foreign.origin}")
        assert http.closed
    assert foreign.seen == []


async def test_lending_before_opening_is_a_mistake_of_ours() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        async with Egress().lend_session("pond", []):
            pass
