"""The doctor, beside a small Slack and a real database: each finding a sentence, no secret in any."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import guild_platform
import pytest
from aiohttp import web

from logicspike.clock import SystemClock
from logicspike.doctor import Finding, _credential_sets, examine
from logicspike.key_file import load_key_file
from logicspike.platforms import Platforms
from logicspike.sandbox.fake_slack import FakeSlack
from logicspike.settings import load_settings
from logicspike.slack.manifest import SCOPES

TOKEN, SIGNING, KEY = "xoxb-token-canary", "signing-canary", base64.b64encode(b"key-canary".ljust(32, b"!")).decode()
SECRETS = (TOKEN, SIGNING, KEY, "password-canary", "client-canary")
PLATFORMS = ("facebook", "linkedin", "twitter")


@dataclass
class Clinic:
    """A patient in perfect health, until a test changes something."""

    environment: dict[str, str]
    stack: AsyncExitStack
    folder: Path
    findings: tuple[Finding, ...] = field(default=())

    async def examine(self, **changes: str | None) -> list[str]:
        """What is bad, after changing these variables (None: not set)."""
        environment = {name: value for name, value in (self.environment | changes).items() if value is not None}
        self.findings = await examine(load_settings(environment, env_file=None))
        return [finding.text for finding in self.findings if not finding.is_fine]

    @property
    def good(self) -> str:
        return "\n".join(finding.text for finding in self.findings if finding.is_fine)

    async def use_slack(self, **changes: object) -> None:
        slack = FakeSlack(**{"signing_secret": SIGNING, "bot_token": TOKEN, "clock": SystemClock()} | changes)
        await self.stack.enter_async_context(slack.running())
        self.environment["SLACK_API_URL"] = slack.api_url

    async def use_answer(self, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
        """Something else in Slack's place."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        self.stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.environment["SLACK_API_URL"] = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"


@pytest.fixture
async def clinic(mongod_uri: str, database_name: str, tmp_path: Path) -> AsyncIterator[Clinic]:
    environment = {
        "PUBLIC_URL": "https://bot.example.com",
        "MONGODB_URI": mongod_uri,
        "MONGODB_DATABASE": database_name,
        "LOGICSPIKE_KEYS": f"k:{KEY}",
        "LOGICSPIKE_DATA_DIR": str(tmp_path / "data"),
        "SLACK_SIGNING_SECRET": SIGNING,
        "SLACK_BOT_TOKEN": TOKEN,
        **{f"{name.upper()}_CLIENT_ID": "an-id" for name in PLATFORMS},
        **{f"{name.upper()}_CLIENT_SECRET": "client-canary" for name in PLATFORMS},
    }
    async with AsyncExitStack() as stack:
        clinic = Clinic(environment, stack, tmp_path)
        await clinic.use_slack()
        yield clinic
        for finding in clinic.findings:
            shown = str(finding)
            assert not [secret for secret in SECRETS if secret in shown]
            assert 1 == len(shown.splitlines())
            assert "Traceback" not in shown
            assert shown.startswith("✓ " if finding.is_fine else "✗ ")


async def test_a_healthy_bot_has_nothing_to_mend(clinic):
    assert [] == await clinic.examine()

    for good in ("PUBLIC_URL is https://bot.example.com", "k seals", "The database answers", "The clock agrees"):
        assert good in clinic.good
    assert "Slack knows the bot, in the workspace" in clinic.good
    assert "all the scopes" in clinic.good
    for name in PLATFORMS:
        assert f"must list exactly https://bot.example.com/api/auth/{name}/callback" in clinic.good


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
    site = clinic.folder / "site"
    folder = site / "logicspike_broken-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: logicspike-broken\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[logicspike.platforms]\nbroken = broken_platform_for_doctor\n")
    (site / "broken_platform_for_doctor.py").write_text("raise RuntimeError('no wings')\n")
    monkeypatch.syspath_prepend(site)

    [bad] = await clinic.examine()

    assert bad.startswith("broken is left out: ")
    assert [] == await clinic.examine(LOGICSPIKE_DISABLED_PLATFORMS="broken")


async def test_missing_credentials_of_a_platform_are_told(clinic):
    [bad] = await clinic.examine(TWITTER_CLIENT_SECRET=None)

    assert bad.startswith("X: ")
    assert "TWITTER_CLIENT_SECRET" in bad
    assert "facebook/callback" in clinic.good


@pytest.mark.parametrize("url", ["http://127.0.0.1:3000", "http://localhost:3000", None])
async def test_an_address_that_only_this_computer_can_open_is_told(clinic, url):
    [bad] = await clinic.examine(PUBLIC_URL=url)

    assert "only this computer can open it" in bad


async def test_an_address_with_a_path_is_told(clinic):
    [bad] = await clinic.examine(PUBLIC_URL="https://example.com/bot")

    assert "PUBLIC_URL has a path" in bad


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


@pytest.mark.parametrize(
    ("left_out", "is_fine", "says"),
    [
        ((), True, "Guild halls: the credentials are set; the redirect URL is that of Guild"),
        (("GUILD_HALLS_CLIENT_ID", "GUILD_HALLS_CLIENT_SECRET"), True, "Optional and not set up: Guild halls."),
        (("GUILD_HALLS_CLIENT_SECRET",), False, "Guild halls: GUILD_HALLS_CLIENT_SECRET is not set"),
    ],
)
def test_a_further_set_of_credentials_is_optional_until_it_is_begun(left_out, is_fine, says):
    environment = {name: value for name, value in guild_platform.ENVIRONMENT.items() if name not in left_out}
    platforms = Platforms.load(environment=environment, clock=SystemClock(), entry_points=[guild_platform.ENTRY_POINT])

    [finding] = _credential_sets(platforms, "guild")

    assert is_fine is finding.is_fine
    assert finding.text.startswith(says)
    assert all(name in finding.text for name in left_out)
