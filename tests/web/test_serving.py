from __future__ import annotations

import asyncio
import logging
from urllib.parse import urlsplit

import pytest

SECRET = b"c0de-that-nobody-may-see"
TARGET = b"/api/auth/echo/callback?code=" + SECRET


async def send(address: str, raw: bytes) -> bytes:
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(raw)
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "raw",
    [
        b"GET " + TARGET + b"\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET " + TARGET + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET " + TARGET + b" HTTP/9.9.9\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: logicspike=" + SECRET + b"\x00\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: logicspike=" + SECRET + b"b" * 9000 + b"\r\n\r\n",
        SECRET + b" " + TARGET + b"\r\n\r\n",
    ],
)
async def test_a_malformed_request_is_logged_without_a_word_of_it(site, caplog, raw):
    caplog.set_level(logging.DEBUG)

    answer = await send(site.address, raw)

    assert answer.split()[1] == b"400"
    assert ["request.malformed"] == [record.event for record in caplog.records if hasattr(record, "event")]
    for record in caplog.records:
        assert SECRET.decode() not in logging.Formatter().format(record) + str(vars(record))


async def test_requests_are_not_logged_by_their_address(site, caplog):
    caplog.set_level(logging.DEBUG)

    await site.get("/connect/" + "t" * 43)
    await site.post("/connect/" + "t" * 43)

    assert "t" * 43 not in caplog.text
    assert [] == [record for record in caplog.records if record.name == "aiohttp.access"]
