"""The doctor, beside a small Slack and a real database: each finding a sentence, no secret in any."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp
import click
import guild_platform
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from certificates import self_signed

from logicspike.clock import SystemClock
from logicspike.doctor import Finding, Section, examine, platform_findings, show
from logicspike.doctor.findings import bad, good, unchecked, warning
from logicspike.key_file import load_key_file
from logicspike.plugin import SetupLevel, hookimpl
from logicspike.sandbox.fake_slack import FakeSlack
from logicspike.settings import load_settings
from logicspike.slack.manifest import SCOPES

TOKEN, SIGNING, KEY = "xoxb-token-canary", "signing-canary", base64.b64encode(b"key-canary".ljust(32, b"!")).decode()
FACEBOOK_SECRET = "0123456789abcdef0123456789abcdef"
SECRETS = (TOKEN, SIGNING, KEY, "password-canary", "client-canary", FACEBOOK_SECRET)
PLATFORMS = ("facebook", "linkedin", "twitter")
APPS = {
    "FACEBOOK_CLIENT_ID": "427758680949",
    "FACEBOOK_CLIENT_SECRET": FACEBOOK_SECRET,
    "LINKEDIN_CLIENT_ID": "77abcdef012345",
    "LINKEDIN_CLIENT_SECRET": "client-canary",
    "TWITTER_CLIENT_ID": base64.urlsafe_b64encode(b"abcdefghijklmno:1:ci").decode().rstrip("="),
    "TWITTER_CLIENT_SECRET": "client-canary",
}
ENDPOINTS = (
    "FACEBOOK_ENDPOINT_DIALOG",
    "FACEBOOK_ENDPOINT_GRAPH",
    "LINKEDIN_ENDPOINT_AUTH",
    "LINKEDIN_ENDPOINT_API",
    "TWITTER_ENDPOINT_AUTH",
    "TWITTER_ENDPOINT_API",
)


@dataclass
class Clinic:
    """A patient in perfect health, until a test changes something."""

    environment: dict[str, str]
    stack: AsyncExitStack
    folder: Path
    findings: tuple[Finding, ...] = field(default=())

    def list_texts(self, level: SetupLevel) -> list[str]:
        return [finding.text for finding in self.findings if finding.level is level]

    async def examine(self, **changes: str | None) -> list[str]:
        """What is bad, after changing these variables (None: not set)."""
        environment = {name: value for name, value in (self.environment | changes).items() if value is not None}
        self.findings = await examine(load_settings(environment, env_file=None))
        return [finding.text for finding in self.findings if finding.level is SetupLevel.PROBLEM]

    @property
    def good(self) -> str:
        return "\n".join(finding.text for finding in self.findings if finding.level is SetupLevel.OK)

    async def use_slack(self, **changes: object) -> None:
        slack = FakeSlack(**{"signing_secret": SIGNING, "bot_token": TOKEN, "clock": SystemClock()} | changes)
        await self.stack.enter_async_context(slack.running())
        self.environment["SLACK_API_URL"] = slack.api_url

    async def use_answer(self, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
        """Something else in Slack's place."""
        self.environment["SLACK_API_URL"] = f"{await self.serve(answer)}/api/"

    async def serve(self, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
        """A server that answers everything the same way; its origin."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        self.stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def not_found(_request: web.Request) -> web.Response:
    return web.Response(status=404)


@pytest.fixture
async def clinic(
    mongod_uri: str, database_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Clinic]:
    # A machine that runs everything at once is slow, and that is nothing to mend.
    monkeypatch.setattr(platform_findings, "_CALL_LIMIT", aiohttp.ClientTimeout(total=30))
    environment = {
        "PUBLIC_URL": "https://bot.example.com",
        "MONGODB_URI": mongod_uri,
        "MONGODB_DATABASE": database_name,
        "LOGICSPIKE_KEYS": f"k:{KEY}",
        "LOGICSPIKE_DATA_DIR": str(tmp_path / "data"),
        "SLACK_SIGNING_SECRET": SIGNING,
        "SLACK_BOT_TOKEN": TOKEN,
        **APPS,
    }
    async with AsyncExitStack() as stack:
        clinic = Clinic(environment, stack, tmp_path)
        await clinic.use_slack()
        origin = await clinic.serve(not_found)
        environment |= dict.fromkeys(ENDPOINTS, origin)
        yield clinic
        for finding in clinic.findings:
            shown = str(finding)
            assert not [secret for secret in SECRETS if secret in shown]
            assert 1 == len(shown.splitlines())
            assert "Traceback" not in shown
            assert shown.startswith(("✓ ", "? ", "! ", "✗ "))


async def test_a_healthy_bot_has_nothing_to_mend(clinic):
    assert [] == await clinic.examine()

    for said in ("PUBLIC_URL is https://bot.example.com", "k seals", "The database answers", "The clock agrees"):
        assert said in clinic.good
    assert "Slack knows the bot, in the workspace" in clinic.good
    assert "all the scopes" in clinic.good
    assert [] == clinic.list_texts(SetupLevel.WARNING)
    assert 3 == clinic.good.count("can be reached.")
    unchecked = clinic.list_texts(SetupLevel.UNCHECKED)
    for name in PLATFORMS:
        address = f"letter by letter: https://bot.example.com/api/auth/{name}/callback"
        assert [text for text in unchecked if text.endswith(address)], "at the end of the line, to be copied"


async def test_nothing_is_asked_of_slack_but_who_the_bot_is(clinic):
    slack = FakeSlack(signing_secret=SIGNING, bot_token=TOKEN, clock=SystemClock())
    await clinic.stack.enter_async_context(slack.running())

    await clinic.examine(SLACK_API_URL=slack.api_url)

    assert ["auth.test"] == [call.method for call in slack.api.calls]


async def test_a_wrong_token_is_told(clinic):
    [bad] = await clinic.examine(SLACK_BOT_TOKEN="xoxb-other")

    assert "Slack refuses SLACK_BOT_TOKEN (invalid_auth). Copy it again from OAuth & Permissions" in bad


@pytest.mark.parametrize("missing", SCOPES)
async def test_a_missing_scope_is_told(clinic, missing):
    await clinic.use_slack(scopes=set(SCOPES) - {missing})

    [bad] = await clinic.examine()

    assert f"The bot token lacks {missing}." in bad
    assert "logicspike manifest" in bad


async def test_a_slack_that_cannot_be_reached_is_told(clinic):
    [bad] = await clinic.examine(SLACK_API_URL="http://127.0.0.1:1/api/")

    assert "Slack can't be reached at http://127.0.0.1:1/api/" in bad


@pytest.mark.parametrize(("status", "body"), [(502, "<h1>Bad Gateway</h1>"), (200, "<h1>Please log in</h1>")])
async def test_something_else_in_slacks_place_is_told(clinic, status, body):
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type="text/html")

    await clinic.use_answer(answer)

    [bad] = await clinic.examine()

    assert "Slack can't be reached" in bad


async def test_a_slack_that_says_nothing_of_scopes_is_no_finding(clinic):
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "team": "Acme", "team_id": "T1"})

    await clinic.use_answer(answer)

    assert [] == await clinic.examine()
    assert "Acme" in clinic.good
    assert "scopes" not in clinic.good


async def test_a_database_that_is_down_is_told(clinic):
    bad = await clinic.examine(MONGODB_URI="mongodb://bot:password-canary@127.0.0.1:1/")

    assert 1 == len(bad), bad
    assert "The database did not answer in time" in bad[0]
    assert "MONGODB_URI" in bad[0]
    assert "Slack knows the bot" in clinic.good, "the rest is looked at all the same"


async def test_a_database_address_that_cannot_be_read_is_told_without_it(clinic):
    [bad] = await clinic.examine(MONGODB_URI="mongodb://bot:password-canary@@:x/")

    assert "MONGODB_URI" in bad


async def test_a_platform_that_does_not_load_is_told(clinic, monkeypatch):
    install(clinic, monkeypatch, "broken", "broken_platform_for_doctor")
    site = clinic.folder / "broken_site"
    (site / "broken_platform_for_doctor.py").write_text("raise RuntimeError('no wings')\n")

    [bad] = await clinic.examine()

    assert bad.startswith("broken is left out: ")
    assert [] == await clinic.examine(LOGICSPIKE_DISABLED_PLATFORMS="broken")


async def test_missing_credentials_of_a_platform_are_told(clinic):
    [bad] = await clinic.examine(TWITTER_CLIENT_SECRET=None)

    assert bad.startswith("TWITTER_CLIENT_SECRET is not set")
    assert "App ID and App secret" in clinic.good
    assert "twitter" not in "".join(clinic.list_texts(SetupLevel.UNCHECKED))


@pytest.mark.parametrize("url", ["http://127.0.0.1:3000", "http://localhost:3000", None])
async def test_an_address_that_only_this_computer_can_open_is_told(clinic, url):
    [bad] = await clinic.examine(PUBLIC_URL=url)

    assert "only this computer can open it" in bad


async def test_an_address_with_a_path_is_told(clinic):
    assert [] == await clinic.examine(PUBLIC_URL="https://example.com/bot/")

    assert ["PUBLIC_URL has a path" in text for text in clinic.list_texts(SetupLevel.WARNING)] == [True]
    unchecked = "\n".join(clinic.list_texts(SetupLevel.UNCHECKED))
    assert "https://example.com/bot/api/auth/twitter/callback" in unchecked


async def test_missing_settings_are_told_and_the_rest_is_looked_at(clinic):
    bad = await clinic.examine(SLACK_BOT_TOKEN=None, SLACK_SIGNING_SECRET=None)

    assert ["SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"] == [text.partition(":")[0] for text in bad]
    assert "The database answers" in clinic.good
    assert "Slack knows" not in clinic.good


async def test_a_missing_key_ring_is_told_once_and_none_is_made(clinic):
    [bad] = await clinic.examine(LOGICSPIKE_KEYS=None)

    assert bad.startswith("LOGICSPIKE_KEYS: is missing.")
    assert not (clinic.folder / "data").exists()


@pytest.mark.parametrize("keys", [KEY, f"k:{KEY}{KEY}", f"k:{KEY},k:{KEY}"])
async def test_a_wrong_key_ring_is_told_without_the_key(clinic, keys):
    [bad] = await clinic.examine(LOGICSPIKE_KEYS=keys)

    assert bad.startswith("LOGICSPIKE_KEYS is not right: ")
    assert not bad.endswith("..")


@pytest.mark.usefixtures("mongod_program")
async def test_the_embedded_database_and_its_key_file_are_looked_at(clinic):
    data = clinic.folder / "data"
    assert [] == await clinic.examine(MONGODB_URI=None, LOGICSPIKE_KEYS=None)
    assert f"The database answers (embedded, in {data})" in clinic.good
    assert "back it up" in clinic.good
    assert 1 == len(load_key_file(data).keys)

    (data / "keys").write_text("spoilt")
    [bad] = await clinic.examine(MONGODB_URI=None, LOGICSPIKE_KEYS=None)
    assert f"The key file {data / 'keys'} can't be used" in bad


# --- platforms --------------------------------------------------------------------------------------------------------


async def test_platforms_are_asked_for_a_sign_of_life_and_nothing_else(clinic):
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(status=503)

    origin = await clinic.serve(answer)

    assert [] == await clinic.examine(**dict.fromkeys(ENDPOINTS, origin)), "an error page is a sign of life, too"
    assert [("GET", "/")] * 3 == [(request.method, request.path_qs) for request in seen], "one origin is asked once"
    assert not [secret for secret in (*SECRETS, *APPS.values()) if secret in str([r.raw_headers for r in seen])]


async def test_a_redirect_is_not_followed(clinic):
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})

    assert [] == await clinic.examine(TWITTER_ENDPOINT_API=await clinic.serve(answer))


async def test_an_origin_that_can_not_be_reached_is_told_and_the_rest_is_looked_at(clinic):
    [bad] = await clinic.examine(FACEBOOK_ENDPOINT_GRAPH="http://127.0.0.1:1")

    assert bad.startswith("http://127.0.0.1:1 can't be reached: the connection fails.")
    assert "App ID and App secret" in clinic.good
    assert 2 == clinic.good.count("can be reached.")


async def test_a_silent_origin_costs_no_more_than_the_limit(clinic, monkeypatch):
    monkeypatch.setattr(platform_findings, "_CALL_LIMIT", aiohttp.ClientTimeout(total=0.2))
    released = asyncio.Event()

    async def answer(_request: web.Request) -> web.Response:
        await released.wait()
        return web.Response()

    try:
        bad = await clinic.examine(**dict.fromkeys(ENDPOINTS, await clinic.serve(answer)))
    finally:
        released.set()
    assert 3 == len(bad)
    assert all("no answer within" in text for text in bad)


async def test_a_certificate_that_can_not_be_verified_is_told(clinic):
    server = TestServer(web.Application(), host="127.0.0.1", scheme="https")
    await server.start_server(ssl=self_signed(clinic.folder))
    async with server:
        [bad] = await clinic.examine(LINKEDIN_ENDPOINT_API=f"https://localhost:{server.port}")

    assert "its certificate can't be verified" in bad


async def test_what_a_plugin_says_of_the_set_up_is_told(clinic):
    [bad] = await clinic.examine(FACEBOOK_CLIENT_ID="acme", TWITTER_CLIENT_ID="zznTQsONJtS8ib4ePGnzNvE4B")

    assert bad.startswith("The client id is no App ID")
    assert ["API Key" in text for text in clinic.list_texts(SetupLevel.WARNING)] == [True]
    unchecked = "\n".join(clinic.list_texts(SetupLevel.UNCHECKED))
    for beyond in ("App Review", "credits", "Read and write", "Share on LinkedIn"):
        assert beyond in unchecked


async def test_a_version_that_is_over_is_told(clinic):
    bad = await clinic.examine(FACEBOOK_GRAPH_VERSION="v20.0", LINKEDIN_VERSION="202511")

    assert ["Graph API v20.0 ended on 2026-09-24", "LinkedIn's API version 202511 ended about"] == [
        bad[0].partition(":")[0],
        bad[1].partition(" 2026")[0],
    ]


def install(clinic: Clinic, monkeypatch: pytest.MonkeyPatch, name: str, entry_point: str) -> None:
    """Install one of the tests' platforms beside the real ones."""
    site = clinic.folder / f"{name}_site"
    folder = site / f"logicspike_{name}-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: logicspike-{name}\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(f"[logicspike.platforms]\n{name} = {entry_point}\n")
    monkeypatch.syspath_prepend(site)


@pytest.fixture
def install_guild(clinic, monkeypatch) -> None:
    """Install Guild, which has a second developer app, callbacks of its own, and no word on its set-up."""
    install(clinic, monkeypatch, "guild", "guild_platform")


@pytest.mark.usefixtures("install_guild")
async def test_a_second_app_and_callbacks_are_looked_at(clinic):
    origin = clinic.environment["TWITTER_ENDPOINT_API"]
    endpoints = {"GUILD_ENDPOINT_AUTH": origin, "GUILD_ENDPOINT_API": origin}

    assert [] == await clinic.examine(**guild_platform.ENVIRONMENT, **endpoints)
    halls = guild_platform.describe().credential_sets[0].title
    assert f"{halls}: The credentials are set." in clinic.good
    addresses = [text.rpartition(" ")[2] for text in clinic.list_texts(SetupLevel.UNCHECKED)]
    for event in ("callback", *guild_platform.describe().events):
        assert f"https://bot.example.com/api/auth/guild/{event}" in addresses

    environment = guild_platform.ENVIRONMENT | endpoints
    half = {"GUILD_HALLS_CLIENT_SECRET": None}
    [bad] = await clinic.examine(**environment | half)
    assert bad.startswith(f"{halls}: GUILD_HALLS_CLIENT_SECRET is not set")
    assert [] == await clinic.examine(**environment | half | {"GUILD_HALLS_CLIENT_ID": None})
    assert f"Optional and not set up: {halls}. GUILD_HALLS_CLIENT_ID is not set" in clinic.good
    only_halls = {"GUILD_CLIENT_ID": None, "GUILD_CLIENT_SECRET": None}
    assert 2 == len(await clinic.examine(**environment | only_halls))
    assert f"{halls}: The credentials are set." in clinic.good


async def test_a_platform_where_the_bot_registers_itself_needs_nothing_registered(clinic, monkeypatch):
    install(clinic, monkeypatch, "pond", "pond_platform:pond")

    assert [] == await clinic.examine(POND_ENDPOINT_ALL=clinic.environment["TWITTER_ENDPOINT_API"])

    assert "It needs no developer app" in clinic.good
    assert "pond" not in "".join(clinic.list_texts(SetupLevel.UNCHECKED))


@pytest.mark.usefixtures("install_guild")
async def test_a_plugin_that_fails_to_look_is_told(clinic, monkeypatch):
    def inspect() -> None:
        raise RuntimeError("client-canary")

    monkeypatch.setattr(guild_platform, "inspect", hookimpl(inspect), raising=False)
    origin = clinic.environment["TWITTER_ENDPOINT_API"]

    bad = await clinic.examine(**guild_platform.ENVIRONMENT, GUILD_ENDPOINT_AUTH=origin, GUILD_ENDPOINT_API=origin)

    assert 2 == len(bad)
    assert all("which is a bug: tell its author" in text for text in bad)


# --- on the terminal --------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    on_write: Callable[[], None] = staticmethod(lambda: None)

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.on_write()
        return super().write(text)


def section(title: str, *findings: Finding) -> Section:
    async def look() -> tuple[Finding, ...]:
        return findings

    return Section(title=title, look=look)


async def test_findings_are_shown_under_headings_and_counted():
    out, errors = io.StringIO(), io.StringIO()
    long = "It must be this: https://bot.example.com/api/auth/chirp/callback " + "and more " * 20

    found = await show(
        [
            section("Settings", good("Fine."), bad("Broken.")),
            section("Nothing"),
            section("Chirp", warning("Ends."), unchecked(long)),
        ],
        out=out,
        errors=errors,
    )

    assert [
        "Settings",
        "  ✓ Fine.",
        "  ✗ Broken.",
        "",
        "Chirp",
        "  ! Ends.",
        f"  ? {long.strip()}",
        "",
        "1 to mend. 1 to keep an eye on. 1 can't be seen from here (?): look at them once.",
    ] == out.getvalue().splitlines(), "not on a terminal: a line each, no colours"
    assert "" == errors.getvalue()
    assert ["Fine.", "Broken.", "Ends.", long] == [finding.text for finding in found]


async def test_a_healthy_bot_is_told_so():
    out = io.StringIO()

    await show([section("Settings", good("Fine."))], out=out, errors=io.StringIO())

    assert "Nothing to mend." == out.getvalue().splitlines()[-1]


async def test_lines_are_wrapped_on_a_terminal_and_addresses_stay_whole(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    out = Terminal()
    address = "https://bot.example.com/api/auth/a-platform-with-a-long-name/callback"

    await show(
        [section("Chirp", unchecked(f"It must be, letter by letter, this one: {address}"))], out=out, errors=Terminal()
    )

    lines = [click.unstyle(line) for line in out.getvalue().splitlines()]
    assert ["Chirp", "  ? It must be, letter by letter, this", "    one:", f"    {address}"] == lines[:4]


async def test_what_takes_long_is_named_meanwhile_on_a_terminal_only():
    for errors, shown in ((Terminal(), "… still looking: Slow\r\x1b[K"), (io.StringIO(), "")):
        going = asyncio.Event()

        async def look(going: asyncio.Event = going) -> tuple[Finding, ...]:
            await going.wait()
            return (good("Fine."),)

        out = io.StringIO()
        if isinstance(errors, Terminal):
            errors.on_write = going.set
        else:
            going.set()
        async with asyncio.timeout(20):
            await show([Section(title="Slow", look=look)], out=out, errors=errors, patience=timedelta(0))

        assert shown == errors.getvalue()
        assert "Fine." in out.getvalue()
