"""The card of a post's link, read from servers that may be slow, huge, odd or hostile: always a card."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web
from link_site import Names, Site, open_pages

from logicspike.plugin import LinkCard, MediaKind
from logicspike.services.link_cards import LinkCards

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00" * 600
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 600
GIF = b"GIF89a" + b"\x00" * 600
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"\x00" * 600
PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>Plain</title>
<meta property="og:title" content="Winter sale"><meta property="og:description" content="All of it, half price.">
<meta property="og:image" content="{picture}"><meta property="og:image:alt" content="A sledge"></head><body></body>"""


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site().running() as running:
        yield running


@pytest.fixture
async def other() -> AsyncIterator[Site]:
    async with Site().running() as running:
        running.put("/picture.png", PNG, "image/png")
        yield running


@pytest.fixture
async def cards(site: Site) -> AsyncIterator[LinkCards]:
    async with open_pages(site, time_limit=timedelta(seconds=5)) as pages:
        yield LinkCards(pages)


async def read_whole(card: LinkCard | None) -> bytes:
    assert card is not None
    assert card.picture is not None
    async with card.picture.open() as stream:
        return b"".join([piece async for piece in stream])


async def test_title_description_and_picture_are_read(site, cards):
    site.put("/shop/sale", PAGE.format(picture="pictures/sledge.png?size=2"))
    site.put("/shop/pictures/sledge.png", PNG, "application/octet-stream")

    card = await cards.read(site.url("/shop/sale?utm_source=x#top"))

    assert card is not None
    assert site.url("/shop/sale?utm_source=x#top") == card.url
    assert ("Winter sale", "All of it, half price.") == (card.title, card.description)
    assert card.picture is not None
    media = card.picture.media
    assert (MediaKind.IMAGE, "image/png", len(PNG)) == (media.kind, media.content_type, media.size)
    assert ("picture.png", "A sledge") == (media.name, media.alt_text)
    assert PNG == await read_whole(card)
    assert PNG == await read_whole(card), "it can be read again"
    assert "size=2" == site.seen[-1].query_string
    again = await cards.read(site.url("/shop/sale"))
    assert again is not None
    assert again.picture is not None
    assert media.media_id == again.picture.media.media_id


async def test_a_relative_picture_belongs_to_where_the_redirect_ended(site, cards):
    site.redirect("/short", "/far/away/page")
    site.put("/far/away/page", PAGE.format(picture="../p.png"))
    site.put("/far/p.png", PNG, "image/png")

    card = await cards.read(site.url("/short"))

    assert PNG == await read_whole(card)
    assert card is not None
    assert site.url("/short") == card.url


@pytest.mark.parametrize(("content", "content_type", "name"), [
    (PNG, "image/png", "picture.png"), (JPEG, "image/jpeg", "picture.jpg"), (GIF, "image/gif", "picture.gif"),
    (WEBP, "image/webp", "picture.webp"),
])  # fmt: skip
async def test_the_pictures_type_is_told_by_its_content(site, cards, content, content_type, name):
    site.put("/", PAGE.format(picture="/p"))
    site.put("/p", content, "image/wrong")

    card = await cards.read(site.url())

    assert card is not None
    assert card.picture is not None
    assert (content_type, name) == (card.picture.media.content_type, card.picture.media.name)


@pytest.mark.parametrize("content", [
    b"", b"\x89PN", b"<html>log in</html>", b"<svg xmlns='http://www.w3.org/2000/svg'></svg>" + b" " * 600,
    b"\x00" * 600, b"%PDF-1.7" + b" " * 600, b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2" + b"\x00" * 600,
    b"#!/bin/sh\n" * 100, b"PK\x03\x04" + b"\x00" * 600,
])  # fmt: skip
async def test_what_is_no_picture_is_left_out_whatever_its_server_calls_it(site, cards, content):
    site.put("/", PAGE.format(picture="/p.png"))
    site.put("/p.png", content, "image/png")

    assert LinkCard(url=site.url(), title="Winter sale", description="All of it, half price.") == await cards.read(
        site.url()
    )


@pytest.mark.parametrize("picture", [
    "data:image/png;base64,iVBORw0KGgo=", "file:///etc/passwd", "javascript:1", "http://", "http://[::1",
    "/missing.png",
    "http://169.254.169.254/p.png", "http://localhost/p.png", "ftp://a.example/p.png", "http://me:secret@a.example/",
    "blob:x", "//", "?", "#",
])  # fmt: skip
async def test_a_picture_that_can_not_be_read_is_left_out(site, cards, picture):
    site.put("/", PAGE.format(picture=picture))

    card = await cards.read(site.url())

    assert LinkCard(url=site.url(), title="Winter sale", description="All of it, half price.") == card


async def test_a_picture_on_a_private_server_is_not_asked_for(site, cards, other):
    site.put("/", PAGE.format(picture=other.url("/picture.png")))
    site.put("/2", PAGE.format(picture="/hop"))
    site.redirect("/hop", other.url("/picture.png"))

    for path in ("/", "/2"):
        card = await cards.read(site.url(path))
        assert card is not None
        assert card.picture is None
    assert [] == other.seen


async def test_a_picture_that_is_too_large_is_left_out(site, cards):
    site.put("/", PAGE.format(picture="/p.png"))
    site.put("/p.png", PNG + b"\x00" * (5 * 1024 * 1024 - len(PNG)), "image/png")
    card = await cards.read(site.url())
    assert 5 * 1024 * 1024 == len(await read_whole(card))

    site.put("/p.png", PNG + b"\x00" * (5 * 1024 * 1024 - len(PNG) + 1), "image/png")
    card = await cards.read(site.url())
    assert card is not None
    assert card.picture is None


@pytest.mark.parametrize("page", ["", "<html></html>", "<title> </title>", "\x00\x01\x02"])
async def test_a_page_without_a_title_has_its_host_for_one(site, cards, page):
    site.put("/", page)

    assert LinkCard(url=site.url(), title="127.0.0.1") == await cards.read(site.url())


@pytest.mark.parametrize("content_type", ["application/pdf", "image/png", "application/json", "text/plain"])
async def test_a_link_to_something_else_than_a_page_has_its_host_for_a_title(site, cards, content_type):
    site.put("/", "<title>not meant to be read</title>", content_type)

    assert LinkCard(url=site.url(), title="127.0.0.1") == await cards.read(site.url())


@pytest.mark.parametrize("content_type", ["text/html", "TEXT/HTML; charset=utf-8", "application/xhtml+xml", None])
async def test_a_page_is_read_as_one(site, cards, content_type):
    site.put("/", "<title>Grüße</title>", content_type)

    assert LinkCard(url=site.url(), title="Grüße") == await cards.read(site.url())


@pytest.mark.parametrize(("charset", "encoding"), [("iso-8859-1", "latin-1"), ("x-sjis", "shift_jis"),
                                                   ("no-such", "utf-8"), ("utf-16", "utf-16")])  # fmt: skip
async def test_the_servers_encoding_is_used(site, cards, charset, encoding):
    title = "日本語" if encoding != "latin-1" else "Grüße"
    site.put("/", f"<title>{title}</title>".encode(encoding), f"text/html; charset={charset}")

    assert LinkCard(url=site.url(), title=title) == await cards.read(site.url())


@pytest.mark.parametrize("link", ["", "example.com", "mailto:a@b.example", "ftp://a.example/", "http://", "http://[::1",
                                  "javascript:alert(1)"])  # fmt: skip
async def test_what_is_no_web_address_has_no_card(cards, link):
    assert await cards.read(link) is None


@pytest.mark.parametrize(("link", "host"), [
    ("http://127.0.0.1/admin", "127.0.0.1"), ("http://10.0.0.1/", "10.0.0.1"), ("https://localhost/", "localhost"),
    ("http://me:secret@bank.example/", "bank.example"), ("http://No-Such-Name.example/", "no-such-name.example"),
    ("http://a.example:22/", "a.example"),
])  # fmt: skip
async def test_where_nobody_may_or_can_look_the_host_is_the_card(site, link, host):
    async with open_pages(site, resolver=Names(a_example=[["8.8.8.8"]])) as pages:
        assert LinkCard(url=link, title=host) == await LinkCards(pages).read(link)


async def test_no_more_of_a_page_is_read_than_its_head(site, cards):
    """The body never ends; only one who stops reading comes to an answer."""
    stopped = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        await response.write(b"<html><head><title>Endless</title></head>")
        try:
            while True:
                await response.write(b"<p>more</p>" * 1000)
        except (ConnectionError, asyncio.CancelledError):
            stopped.set()
            raise

    site.pages["/"] = answer

    assert LinkCard(url=site.url(), title="Endless") == await cards.read(site.url())
    await asyncio.wait_for(stopped.wait(), 20)


async def test_no_more_than_a_megabyte_of_a_page_is_read(site, cards):
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        await response.write(b"<html><head><title>Endless head</title>")
        while True:
            await response.write(b"<link rel=x href=y>" * 1000)

    site.pages["/"] = answer

    assert LinkCard(url=site.url(), title="Endless head") == await cards.read(site.url())


async def test_a_page_that_unpacks_to_gigabytes_still_gives_its_card(site, cards):
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(b"<title>Bomb</title>"), *(packer.compress(b" " * 1024 * 1024) for _ in range(64))]

    async def answer(_request: web.Request) -> web.Response:
        body = b"".join([*parts, packer.flush()])
        return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "text/html"})

    site.pages["/"] = answer

    assert LinkCard(url=site.url(), title="Bomb") == await cards.read(site.url())


@pytest.mark.parametrize("what", ["page", "picture"])
async def test_a_slow_server_costs_the_time_limit_and_not_the_card(site, what):
    released = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        await response.write(b"<title>Slow")
        await released.wait()
        return response

    site.put("/", PAGE.format(picture="/p.png"))
    site.pages["/" if what == "page" else "/p.png"] = answer

    try:
        async with open_pages(site, time_limit=timedelta(seconds=0.3)) as pages:
            card = await LinkCards(pages).read(site.url())
    finally:
        released.set()
    assert card is not None
    assert {"page": "127.0.0.1", "picture": "Winter sale"}[what] == card.title
    assert card.picture is None


async def test_why_a_link_can_not_be_read_is_logged_by_its_host_alone(site, cards, caplog):
    caplog.set_level(logging.INFO, "logicspike")
    site.put("/", PAGE.format(picture="/secret-picture?token=canary"))

    await cards.read(site.url("/secret-path?token=canary"))
    await cards.read(site.url("/?token=canary"))

    records = [record for record in caplog.records if getattr(record, "event", "") == "link_card.unreadable"]
    assert [
        "The page of a link to 127.0.0.1 can't be read: the server answered 404.",
        "The picture of a link to 127.0.0.1 can't be read: the server answered 404.",
    ] == [record.getMessage() for record in records]
    assert "canary" not in "".join(str(vars(record)) for record in records)
    assert "secret" not in "".join(str(vars(record)) for record in records)
