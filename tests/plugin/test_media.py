"""Streams of media: cut into parts, and sent with a length, never whole in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from logicspike.plugin import Media, MediaKind, in_chunks, to_payload


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@pytest.mark.parametrize(
    ("pieces", "chunks"),
    [
        ((), []),
        ((b"abc",), [b"abc"]),
        ((b"abcd",), [b"abcd"]),
        ((b"ab", b"cdef", b"", b"ghi"), [b"abcd", b"efgh", b"i"]),
        ((b"abcdefgh",), [b"abcd", b"efgh"]),
    ],
)
async def test_a_stream_is_cut_into_equal_parts(pieces: tuple[bytes, ...], chunks: list[bytes]) -> None:
    assert [chunk async for chunk in in_chunks(stream(*pieces), 4)] == chunks


async def receive(request: web.Request) -> web.Response:
    if request.content_type == "multipart/form-data":
        form = await request.post()
        field = form["source"]
        assert isinstance(field, web.FileField)
        body, kind = field.file.read(), field.content_type
    else:
        body, kind = await request.read(), request.content_type
    return web.json_response({"length": request.content_length, "kind": kind, "body": body.decode()})


@pytest.mark.parametrize("is_form", [False, True])
async def test_a_stream_is_sent_with_its_length_and_type(is_form: bool) -> None:
    app = web.Application()
    app.router.add_post("/", receive)
    media = Media(media_id="m", kind=MediaKind.IMAGE, content_type="image/png", size=6, name="cat.png")
    body = to_payload(media, stream(b"abc", b"def"))
    form = aiohttp.FormData()
    form.add_field("source", body, filename=media.name)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession() as http,
        http.post(server.make_url("/"), data=form if is_form else body) as answer,
    ):
        got = await answer.json()
    assert (got["kind"], got["body"]) == ("image/png", "abcdef")
    assert got["length"] is not None, "sent in chunks, which upload servers refuse"
