"""Links are opened on behalf of people who may have typed anything: nothing but the public web is reached."""

from __future__ import annotations

import asyncio
import ipaddress
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web
from link_site import Names, Site, open_pages

from logicspike.link_pages import LinkPages, PageUnreadable
from logicspike.public_web import is_public_web


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site().running() as running:
        yield running


@pytest.fixture
async def other() -> AsyncIterator[Site]:
    """A server of this machine that nobody may reach by a link."""
    async with Site().running() as running:
        running.put("/", "the database's front page")
        yield running


async def fetch(pages: LinkPages, url: str) -> bytes:
    async with pages, pages.read(url, accept="text/html") as page:
        return b"".join([piece async for piece in page.pieces])


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.8.8.8", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1",
        "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::7f00:1", "fe80::1", "fe80::1%1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "100::1",
        "2001:db8::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "3fff::1", "5f00::1", "4000::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1",
        "64:ff9b::192.168.0.1", "64:ff9b:1::808:808", "2002:7f00:1::1", "2002:a00:1::", "2002:808:808::1",
    ],
)  # fmt: skip
def test_an_address_in_nobodys_public_web_is_refused(address):
    assert not is_public_web(address, 443)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1",
     "198.20.0.1", "223.255.255.1", "2606:4700::1111", "2a00:1450::1", "2001:4860::8888", "64:ff9b::8.8.8.8",
     "::ffff:8.8.8.8"],
)  # fmt: skip
def test_a_public_address_is_reached_at_the_webs_ports_only(address):
    assert is_public_web(address, 80)
    assert is_public_web(address, 443)
    for port in (0, 22, 25, 6379, 8080, 27017):
        assert not is_public_web(address, port)


def test_no_private_network_has_a_public_address():
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10"):
        inside = ipaddress.IPv4Network(network)
        for address in (inside[0], inside[1], inside[inside.num_addresses // 2], inside[-1]):
            mapped, nat64 = f"::ffff:{address}", f"64:ff9b::{address}"
            assert not [text for text in (str(address), mapped, nat64) if is_public_web(text, 80)]


async def test_a_page_is_read(site):
    site.put("/a", "hello")

    assert b"hello" == await fetch(open_pages(site), site.url("/a?b=c#d"))
    assert "LogicSpike/" in site.seen[0].headers["User-Agent"]
    assert "b=c" == site.seen[0].query_string


@pytest.mark.parametrize("form", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433",
                                  "0x7f000001", "0177.0.0.1", "127.0.0.1.", "①②⑦.⓪.⓪.①"])  # fmt: skip
async def test_this_machine_is_not_reached_by_any_spelling(other, form):
    with pytest.raises(PageUnreadable):
        await fetch(open_pages(), other.url(host=form))
    assert [] == other.seen


async def test_a_name_that_leads_to_this_machine_is_refused(other):
    names = Names(evil_example=[["127.0.0.1"]])

    with pytest.raises(PageUnreadable, match="not public"):
        await fetch(open_pages(resolver=names), other.url(host="evil.example"))
    assert ["evil.example"] == names.asked
    assert [] == other.seen


async def test_a_name_that_leads_elsewhere_the_second_time_gains_nothing(site, other):
    """The address that is checked is the one the socket is made for; there is no second look-up between the two."""
    site.redirect("/", site.url("/again", host="evil.example"))
    site.put("/again", "public")
    for lists in ([["127.0.0.1"], ["127.0.0.2"]], [["127.0.0.1"], ["::1"]], [["127.0.0.1"], ["169.254.169.254"]]):
        names = Names(evil_example=list(lists))
        with pytest.raises(PageUnreadable, match="not public"):
            await fetch(open_pages(site, resolver=names), site.url(host="evil.example"))
        assert 2 == len(names.asked)
    assert ["/"] * 3 == [request.path for request in site.seen]


async def test_of_several_addresses_of_a_name_only_public_ones_are_tried(site, other):
    names = Names(mixed_example=[["127.0.0.2", "10.0.0.1", "127.0.0.1", "::1"]])
    site.put("/", "here")

    assert b"here" == await fetch(open_pages(site, resolver=names), site.url(host="mixed.example"))


@pytest.mark.parametrize("target", ["http://127.0.0.1:{other}/", "http://localhost:{other}/", "//127.0.0.1:{other}/",
                                    "http://169.254.169.254/latest/meta-data/", "http://[::1]:{other}/"])  # fmt: skip
async def test_a_redirect_to_a_private_address_is_refused(site, other, target):
    site.redirect("/", target.format(other=other.address[1]))

    with pytest.raises(PageUnreadable, match="not public"):
        await fetch(open_pages(site), site.url())
    assert [] == other.seen


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.com/", "data:text/html,hello", "unix:///x",
                                    "ws://127.0.0.1/", "gopher://127.0.0.1:6379/", "javascript:alert(1)",
                                    "http://me:secret@127.0.0.1/", "http://127.0.0.1:99999/",
                                    "http://[::1/"])  # fmt: skip
async def test_a_redirect_to_anything_but_a_plain_web_address_is_refused(site, target):
    site.redirect("/", target)

    with pytest.raises(PageUnreadable) as refused:
        await fetch(open_pages(site), site.url())
    assert "secret" not in refused.value.reason
    assert 1 == len(site.seen)


@pytest.mark.parametrize("link", ["file:///etc/passwd", "http://me:secret@{host}/", "http://me@{host}/", "mailto:a@b.c",
                                  "ws://{host}/", "", "//{host}/", "http:///x", "http://%00/", "http://a..b/",
                                  "http://" + "a" * 300 + ".example/"])  # fmt: skip
async def test_a_link_that_is_no_plain_web_address_is_refused(site, link):
    with pytest.raises(PageUnreadable):
        await fetch(open_pages(site, resolver=Names()), link.format(host=f"127.0.0.1:{site.address[1]}"))
    assert [] == site.seen


async def test_five_redirects_are_followed_and_six_are_not(site):
    for n in range(6):
        site.redirect(f"/{n}", f"/{n + 1}")
    site.put("/6", "the end")

    assert b"the end" == await fetch(open_pages(site), site.url("/1"))
    with pytest.raises(PageUnreadable, match="redirects too often"):
        await fetch(open_pages(site), site.url("/0"))


@pytest.mark.parametrize("status", [201, 204, 304, 400, 403, 404, 500])
async def test_an_answer_that_is_no_page_is_told_by_its_status(site, status):
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    site.pages["/"] = answer

    with pytest.raises(PageUnreadable, match=f"answered {status}"):
        await fetch(open_pages(site), site.url())


async def test_a_redirect_that_leads_nowhere_is_told_by_its_status(site):
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=302)

    site.pages["/"] = answer

    with pytest.raises(PageUnreadable, match="answered 302"):
        await fetch(open_pages(site), site.url())


async def test_no_cookie_is_kept_and_no_proxy_used(site, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    async def answer(_request: web.Request) -> web.Response:
        response = web.Response(status=302, headers={"Location": "/end"})
        response.set_cookie("who", "me")
        return response

    site.pages["/"] = answer
    site.put("/end", "hello")

    assert b"hello" == await fetch(open_pages(site), site.url())
    assert ["Cookie" in request.headers for request in site.seen] == [False, False]
    assert "Referer" not in site.seen[1].headers


@pytest.mark.parametrize("when", ["before the headers", "in the body", "between the redirects"])
async def test_a_slow_server_costs_no_more_than_the_time_limit(site, when):
    released = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if when == "in the body":
            await response.prepare(request)
            await response.write(b"<html>")
        if when == "between the redirects" and request.path == "/":
            return web.Response(status=302, headers={"Location": "/next"})
        await released.wait()
        return response

    site.pages |= {"/": answer, "/next": answer}

    try:
        with pytest.raises(PageUnreadable, match="took too long"):
            await fetch(open_pages(site, time_limit=timedelta(seconds=0.2)), site.url())
    finally:
        released.set()


async def test_a_page_that_unpacks_to_gigabytes_is_given_up_early(site):
    """What the reader doesn't take is not unpacked: 64 MB of blanks, of which it reads one."""
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join([*(packer.compress(b" " * 1024 * 1024) for _ in range(64)), packer.flush()])

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip", "Content-Type": "text/html"})

    site.pages["/"] = answer
    taken = 0
    tracemalloc.start()
    try:
        async with open_pages(site) as pages, pages.read(site.url(), accept="*/*") as page:
            async for piece in page.pieces:
                taken += len(piece)
                if taken >= 1024 * 1024:
                    break
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 1024 * 1024 <= taken <= 1024 * 1024 + 16 * 1024
    assert peak < 4 * 1024 * 1024


async def test_a_body_that_can_not_be_unpacked_is_unreadable(site):
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=b"no gzip", headers={"Content-Encoding": "gzip"})

    site.pages["/"] = answer

    with pytest.raises(PageUnreadable):
        await fetch(open_pages(site), site.url())


async def test_a_connection_that_breaks_off_is_unreadable(site):
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    site.pages["/"] = answer

    with pytest.raises(PageUnreadable):
        await fetch(open_pages(site), site.url())


async def test_a_bug_of_the_reader_is_not_taken_for_an_unreadable_page(site):
    site.put("/", "hello")

    async with open_pages(site) as pages:
        with pytest.raises(KeyError):
            async with pages.read(site.url(), accept="*/*"):
                raise KeyError
        with pytest.raises(PageUnreadable):
            await fetch(open_pages(), site.url())


async def test_nothing_is_opened_before_opening_or_after_closing(site):
    pages = open_pages(site)
    with pytest.raises(RuntimeError):
        async with pages.read(site.url(), accept="*/*"):
            pass
    async with pages:
        await pages.open()
    with pytest.raises(RuntimeError):
        async with pages.read(site.url(), accept="*/*"):
            pass
