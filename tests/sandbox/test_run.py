"""The sandbox is closed: nothing of the environment gets in, nothing but loopback gets out."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from logicspike.app import StartFailed
from logicspike.sandbox.run import Sandbox, open_sandbox

ANA = "U0ANA"
REAL = {
    "SLACK_BOT_TOKEN": "xoxb-real-canary",
    "SLACK_APP_TOKEN": "xapp-real-canary",
    "SLACK_SIGNING_SECRET": "real-canary",
    "SLACK_CLIENT_ID": "real-canary",
    "SLACK_CLIENT_SECRET": "real-canary",
    "SLACK_API_URL": "https://slack.real-canary.example/api/",
    "SLACK_COMMAND_CONNECT": "/real-canary",
    "MONGODB_URI": "mongodb://bot:real-canary@mongo.real-canary.example/",
    "MONGODB_DATABASE": "real-canary",
    "LOGICSPIKE_KEYS": "real-canary",
    "LOGICSPIKE_DISABLED_PLATFORMS": "twitter",
    "PUBLIC_URL": "https://real-canary.example",
    "PORT": "real-canary",
    **{f"{name}_CLIENT_ID": "real-canary" for name in ("FACEBOOK", "TWITTER", "LINKEDIN")},
    **{f"{name}_CLIENT_SECRET": "real-canary" for name in ("FACEBOOK", "TWITTER", "LINKEDIN")},
    "FACEBOOK_ENDPOINT_GRAPH": "https://graph.real-canary.example",
    "TWITTER_ENDPOINT_API": "https://api.real-canary.example",
}


class WatchedEnvironment(dict[str, str]):
    """The process's environment, noting which names are looked up and whether all of it is read."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.read.add(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)


@pytest.fixture
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Whom the process talks to; anyone outside of this machine is refused."""
    reached: list[object] = []
    connect = socket.socket.connect
    look_up = socket.getaddrinfo

    def watch(self: socket.socket, address: object) -> None:
        check(address[0] if isinstance(address, tuple) else "127.0.0.1")
        connect(self, address)  # type: ignore[arg-type]

    def check(host: object) -> None:
        reached.append(host)
        if host not in {"127.0.0.1", "::1", "localhost", None}:
            raise OSError(errno.ENETUNREACH, f"outside of this machine: {host}")

    def watch_look_up(host: object, *rest: object, **more: object) -> object:
        check(host)
        return look_up(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", watch)
    monkeypatch.setattr(socket, "getaddrinfo", watch_look_up)
    return reached


@pytest.fixture
async def sandbox(mongod_uri: str, tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with open_sandbox(folder=tmp_path, mongodb_uri=mongod_uri) as opened:
        yield opened


async def ask(sandbox: Sandbox) -> str:
    """Ask for a link, as a member does; what the message with it says."""
    answer = await sandbox.slack.command(ANA, "/connect", "twitter")
    assert answer.is_ok
    dm = await sandbox.slack.wait_for_message(ANA, "/connect/", channel=sandbox.slack.im_of(ANA))
    return " ".join(dm.urls)


async def test_real_credentials_in_the_environment_are_ignored(
    mongod_uri, tmp_path, monkeypatch, only_loopback, caplog
):
    caplog.set_level(logging.DEBUG)
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in REAL.items()))
    monkeypatch.chdir(tmp_path)
    for name, value in REAL.items():
        monkeypatch.setenv(name, value)

    async with open_sandbox(folder=tmp_path / "data", mongodb_uri=mongod_uri) as sandbox:
        urls = await ask(sandbox)
        calls = repr(list(sandbox.slack.api.calls))
        endpoints = {name: sandbox.bot.platforms.endpoints(name) for name in sandbox.bot.platforms.names}
        assert all(sandbox.bot.platforms.is_ready(name) for name in sandbox.bot.platforms.names)

    assert {"facebook", "linkedin", "twitter"} == set(endpoints)
    assert {"127.0.0.1"} == {url.split("/")[2].split(":")[0] for each in endpoints.values() for url in each.values()}
    assert urls.startswith("http://127.0.0.1:")
    assert "real-canary" not in urls + calls + repr(endpoints) + caplog.text
    assert {"127.0.0.1"} >= {host for host in only_loopback if host is not None}


async def test_their_names_are_not_even_looked_up(mongod_uri, tmp_path, monkeypatch):
    watched = WatchedEnvironment({**os.environ, **REAL})
    monkeypatch.setattr(os, "environ", watched)

    async with open_sandbox(folder=tmp_path, mongodb_uri=mongod_uri) as sandbox:
        await ask(sandbox)

    # Bolt looks for some of Slack's by itself; what it finds is overruled, as the test above shows.
    assert set() == {name for name in watched.read & REAL.keys() if not name.startswith("SLACK_")}
    assert set() == watched.read & {"SLACK_API_URL", "SLACK_COMMAND_CONNECT", "SLACK_APP_TOKEN"}


async def test_a_proxy_in_the_environment_is_not_used(mongod_uri, tmp_path, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async with open_sandbox(folder=tmp_path, mongodb_uri=mongod_uri) as sandbox:
        await ask(sandbox)


async def test_every_platform_is_there_with_a_running_fake(sandbox):
    assert ["facebook", "linkedin", "twitter"] == sorted(sandbox.platforms)
    for name, platform in sandbox.platforms.items():
        assert name == platform.name
        assert platform.timeline_url.startswith("http://127.0.0.1:")
        assert {platform.timeline_url} == set(sandbox.bot.platforms.endpoints(name).values())


async def test_two_sandboxes_share_nothing(sandbox, mongod_uri, tmp_path):
    async with open_sandbox(folder=tmp_path / "other", mongodb_uri=mongod_uri) as other:
        await ask(sandbox)
        assert () == other.slack.messages_for(ANA, other.slack.im_of(ANA))
        assert sandbox.public_url != other.public_url
        assert sandbox.platforms["twitter"].fake.client_secret != other.platforms["twitter"].fake.client_secret


@pytest.fixture
def broken_fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Distributions whose fakes can't be imported, built, or turned into an application."""
    site = tmp_path / "site"
    folder = site / "logicspike_broken-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: logicspike-broken\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[logicspike.sandboxes]\n"
        "absent = broken_fakes_for_sandbox_not_there:Fake\n"
        "nameless = broken_fakes_for_sandbox:NotThere\n"
        "picky = broken_fakes_for_sandbox:Picky\n"
        "shapeless = broken_fakes_for_sandbox:Shapeless\n"
    )
    (site / "broken_fakes_for_sandbox.py").write_text(
        "class Picky:\n    def __init__(self): pass\n"
        "class Shapeless:\n    def __init__(self, **_): pass\n"
        "    def build_app(self): raise RuntimeError('no shape')\n"
    )
    monkeypatch.syspath_prepend(site)


@pytest.mark.usefixtures("broken_fakes")
async def test_a_fake_that_fails_to_load_is_left_out(mongod_uri, tmp_path, caplog):
    async with open_sandbox(folder=tmp_path, mongodb_uri=mongod_uri) as sandbox:
        assert ["facebook", "linkedin", "twitter"] == sorted(sandbox.platforms)
        await ask(sandbox)

    for name in ("absent", "nameless", "picky", "shapeless"):
        assert f"the fake of {name} could not be loaded" in caplog.text
    sys.modules.pop("broken_fakes_for_sandbox", None)


async def test_a_taken_port_is_told_and_nothing_is_left_running(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(StartFailed, match=f"^Port {port} is taken by another program. Choose another: "):
            async with open_sandbox(port=port, folder=tmp_path):
                pytest.fail("it started")

    assert not list(tmp_path.iterdir()), "no database was begun"


@pytest.mark.usefixtures("mongod_program")
async def test_nothing_is_kept_when_it_stops(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async with open_sandbox() as sandbox:
        await ask(sandbox)
        assert list(tmp_path.iterdir())

    assert [] == list(tmp_path.iterdir())
