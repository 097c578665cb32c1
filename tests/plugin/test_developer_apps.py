from __future__ import annotations

from dataclasses import replace

import pytest

from logicspike.developer_apps import read_developer_app
from logicspike.plugin import CredentialSet, Limits, OAuthClient, Platform

NET = Platform(
    name="my-net",
    title="My Net",
    scopes=("post",),
    limits=Limits(max_chars=200),
    endpoints={"auth": "https://net.example", "api": "https://api.net.example"},
    settings={"graph_version": "v1"},
)
CREDENTIALS = {"MY_NET_CLIENT_ID": "id", "MY_NET_CLIENT_SECRET": "a-secret"}


def test_credentials_are_enough() -> None:
    app = read_developer_app(NET, CREDENTIALS)
    assert app.problems == ()
    assert app.client is not None
    assert (app.client.client_id, app.client.client_secret) == ("id", "a-secret")
    assert dict(NET.endpoints) == dict(app.endpoints)
    assert dict(app.settings) == {"graph_version": "v1"}


def test_missing_credentials_are_named_with_an_example() -> None:
    app = read_developer_app(NET, {"MY_NET_CLIENT_ID": "  "})
    assert app.client is None
    assert list(app.problems) == [
        "MY_NET_CLIENT_ID is not set: it holds the client id of your app at My Net"
        " (for example MY_NET_CLIENT_ID=1a2b3c4d5e6f).",
        "MY_NET_CLIENT_SECRET is not set: it holds the client secret of your app at My Net"
        " (for example MY_NET_CLIENT_SECRET=1a2b3c4d5e6f).",
    ]


def test_pasted_line_break_is_named_and_the_secret_is_not() -> None:
    app = read_developer_app(NET, CREDENTIALS | {"MY_NET_CLIENT_SECRET": "part one\npart two"})
    (problem,) = app.problems
    assert "MY_NET_CLIENT_SECRET holds a space or line break" in problem
    assert "part" not in problem
    assert "a-secret" not in repr(read_developer_app(NET, CREDENTIALS))


def test_setting_replaces_its_default() -> None:
    assert read_developer_app(NET, {"MY_NET_GRAPH_VERSION": "v2"}).settings["graph_version"] == "v2"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("https://other.example", "https://other.example"),
        ("https://Other.example:8443/", "https://other.example:8443"),
        ("https://other.example:443", "https://other.example"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://localhost:9000", "http://localhost:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_endpoint_is_replaced(given: str, read: str) -> None:
    app = read_developer_app(NET, CREDENTIALS | {"MY_NET_ENDPOINT_API": given})
    assert app.problems == ()
    assert {"auth": "https://net.example", "api": read} == dict(app.endpoints)


@pytest.mark.parametrize(
    "given",
    [
        "other.example",
        "ftp://other.example",
        "https://other.example/v1",
        "https://other.example?a=b",
        "https://other.example#a",
        "https://user:word@other.example",
        "https://other.example:99999",
        "https://",
        "https://exam ple",
        "http://other.example",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://2130706433",
    ],
)
def test_unusable_endpoint_is_named_and_not_followed(given: str) -> None:
    app = read_developer_app(NET, CREDENTIALS | {"MY_NET_ENDPOINT_API": given})
    (problem,) = app.problems
    assert problem.startswith("MY_NET_ENDPOINT_API must ")
    assert "(for example MY_NET_ENDPOINT_API=https://api.net.example)" in problem
    assert app.endpoints["api"] == "https://api.net.example"


def test_misspelt_endpoint_is_named() -> None:
    app = read_developer_app(NET, CREDENTIALS | {"MY_NET_ENDPOINT_APPI": "http://127.0.0.1:1"})
    assert app.problems == ("MY_NET_ENDPOINT_APPI names no endpoint of My Net: did you mean MY_NET_ENDPOINT_API?",)


PAIR = Platform(
    name="my-net",
    title="My Net",
    scopes=(),
    endpoints={"auth": "https://net.example"},
    limits=Limits(max_chars=10),
    credential_sets=(CredentialSet(name="big_pages", title="My Net pages", typed="my-net-page", scopes=()),),
)
SET_ID, SET_SECRET = "MY_NET_BIG_PAGES_CLIENT_ID", "MY_NET_BIG_PAGES_CLIENT_SECRET"


def test_a_further_set_has_variables_of_its_own() -> None:
    app = read_developer_app(PAIR, CREDENTIALS | {SET_ID: "two", SET_SECRET: "second"})

    assert app.get_client("big_pages") == OAuthClient(client_id="two", client_secret="second")
    assert {"big_pages": ()} == dict(app.set_problems)
    assert frozenset() == app.untouched_sets


def test_a_further_set_that_is_left_out_is_told_from_one_that_is_set_up_by_half() -> None:
    left_out = read_developer_app(PAIR, CREDENTIALS)
    by_half = read_developer_app(PAIR, CREDENTIALS | {SET_ID: "two"})

    assert ({"big_pages"}, frozenset()) == (left_out.untouched_sets, by_half.untouched_sets)
    assert [SET_ID, SET_SECRET] == [problem.split()[0] for problem in left_out.set_problems["big_pages"]]
    assert [SET_SECRET] == [problem.split()[0] for problem in by_half.set_problems["big_pages"]]
    assert () == left_out.problems == by_half.problems


def test_platform_that_needs_no_developer_app_is_ready_without_one() -> None:
    app = read_developer_app(replace(NET, needs_client=False), {})
    assert app.problems == ()
    assert app.client == OAuthClient(client_id="", client_secret="")
    given = read_developer_app(replace(NET, needs_client=False), CREDENTIALS)
    assert given.client == OAuthClient(client_id="id", client_secret="a-secret")
