from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from logicspike.chosen_servers import ServerRefused, read_server, show_server

SUGGESTED = "https://pond.example"


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("", SUGGESTED),
        ("pond.example", SUGGESTED),
        (" https://Lake.Example ", "https://lake.example"),
        ("http://lake.example/", "https://lake.example"),
        ("https://lake.example/@ann?x=1#y", "https://lake.example"),
        ("@ann@lake.example", "https://lake.example"),
        ("ann@lake.example", "https://lake.example"),
        ("lake.example.", "https://lake.example"),
        ("see.lake.example", "https://see.lake.example"),
        ("müll.example", "https://xn--mll-hoa.example"),
    ],
)
def test_server_is_read_from_what_people_type(typed: str, origin: str) -> None:
    assert origin == read_server(typed, suggested=SUGGESTED)


@pytest.mark.parametrize(
    "typed",
    [
        "ann", "localhost", "lake.example:8443", "127.0.0.1", "10.0.0.1", "[::1]", "::1", "0x7f.1", "1.2.3.4.",
        "2130706433", "lake..example", "-lake.example", "lake example", "ftp://lake.example", "javascript:alert(1)",
        "lake.example\\@evil", "@", "a" * 600 + ".example", "lake_.example", "https://", "lake.example\n.evil:1",
    ],
)  # fmt: skip
def test_what_is_no_public_name_is_refused(typed: str) -> None:
    with pytest.raises(ServerRefused, match=r"is no server’s address\. It looks like pond\.example\."):
        read_server(typed, suggested=SUGGESTED)


@given(st.text(max_size=80))
def test_whatever_is_typed_gives_a_bare_https_origin_or_a_sentence(typed: str) -> None:
    with suppress(ServerRefused):
        url = URL(read_server(typed, suggested=SUGGESTED))
        assert url == url.origin()
        assert (url.scheme, url.port, url.user) == ("https", 443, None)
        assert "." in (url.host or "")


def test_in_the_sandbox_there_is_one_server_only() -> None:
    here = "http://127.0.0.1:4001"
    assert here == read_server("127.0.0.1:4001", suggested=here) == read_server("", suggested=here)
    with pytest.raises(ServerRefused, match=r"only 127\.0\.0\.1:4001 can be reached"):
        read_server("lake.example", suggested=here)


@pytest.mark.parametrize(
    ("origin", "shown"),
    [("https://pond.example", "pond.example"), ("http://127.0.0.1:4001", "127.0.0.1:4001")],
)
def test_server_is_shown_as_people_know_it(origin: str, shown: str) -> None:
    assert shown == show_server(origin)
