"""The command: help, exit codes, and one sentence for what goes wrong."""

from __future__ import annotations

import base64
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import guild_platform
import pytest
import yaml
from click.testing import CliRunner, Result

from logicspike.__main__ import _show_credential_sets, main
from logicspike.clock import SystemClock
from logicspike.platforms import Platforms
from logicspike.settings import Settings

ROOT = Path(__file__).parents[2]
KEYS = "k:" + base64.b64encode(bytes(32)).decode()
SLACK = {"SLACK_SIGNING_SECRET": "signing-canary", "SLACK_BOT_TOKEN": "xoxb-canary"}

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in an empty folder, with only these settings."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    def invoke(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(
            main, arguments, env={"LOGICSPIKE_DATA_DIR": str(tmp_path / "data")} | environment, prog_name="logicspike"
        )

    return invoke


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def is_one_sentence(text: str) -> bool:
    return 1 == len(text.strip().splitlines()) and "Traceback" not in text


# --- help and usage ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", sorted(main.commands))
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_the_help_of_every_command_has_an_example(run, command, flag):
    result = run(command, flag)

    assert 0 == result.exit_code
    assert re.search(rf"Example:\n +logicspike {command}\b", result.stdout)
    assert len(result.stdout.split("Options:")[0].splitlines()) > 5


def test_every_command_is_in_the_help(run):
    result = run("--help")

    assert 0 == result.exit_code
    assert {"serve", "demo", "doctor", "manifest", "platforms"} <= set(main.commands)
    assert all(re.search(rf"^  {name} ", result.stdout, re.MULTILINE) for name in main.commands)


@pytest.mark.parametrize(("typed", "meant"), [("serv", "serve"), ("docter", "doctor"), ("platform", "platforms")])
def test_an_unknown_command_names_the_nearest(run, typed, meant):
    result = run(typed)

    assert 2 == result.exit_code
    assert f"There is no command {typed!r}. Did you mean {meant!r}?" in result.stderr


def test_a_command_that_is_like_none_points_to_the_list(run):
    result = run("xyzzy")

    assert 2 == result.exit_code
    assert "There is no command 'xyzzy'. `logicspike --help` lists all." in result.stderr


@pytest.mark.parametrize("arguments", [("serve", "--port", "many"), ("demo", "--port", "70000"), ("doctor", "--fix")])
def test_a_wrong_option_is_a_usage_error(run, arguments):
    assert 2 == run(*arguments).exit_code


def test_the_version_is_told(run):
    result = run("--version")

    assert 0 == result.exit_code
    assert re.fullmatch(r"logicspike \d+\.\d+\.\d+\S*\n", result.stdout)


def test_the_command_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "logicspike", "docs"], capture_output=True, text=True, check=False, timeout=30
    )

    assert 2 == done.returncode
    assert "Did you mean 'doctor'?" in done.stderr


# --- platforms --------------------------------------------------------------------------------------------------------


def test_platforms_lists_the_installed_ones_with_what_they_lack(run):
    result = run("platforms")

    assert 0 == result.exit_code
    for name in ("facebook", "linkedin", "twitter"):
        block = re.search(rf"^✗ {name} +logicspike-{name} [\d.]+\n((?:    .+\n)+)", result.stdout, re.MULTILINE)
        assert block is not None, result.stdout
        assert f"{name.upper()}_CLIENT_ID" in block[1]


def test_platforms_shows_what_is_ready_and_no_secret(run):
    result = run("platforms", TWITTER_CLIENT_ID="an-id", TWITTER_CLIENT_SECRET="a-secret-canary")

    assert re.search(r"^✓ twitter ", result.stdout, re.MULTILINE)
    assert "canary" not in result.output


def test_platforms_says_what_is_switched_off(run):
    result = run("platforms", LOGICSPIKE_DISABLED_PLATFORMS="facebook,linkedin,twitter")

    assert 0 == result.exit_code
    assert ["facebook", "linkedin", "twitter"] == re.findall(r"^– (\w+) +switched off", result.stdout, re.MULTILINE)
    assert 3 == len(result.stdout.splitlines()), "that they are there is not denied"


def test_platforms_names_further_credentials_as_optional(capsys):
    first = {name: value for name, value in guild_platform.ENVIRONMENT.items() if "HALLS" not in name}
    found = Platforms.load(environment=first, clock=SystemClock(), entry_points=[guild_platform.ENTRY_POINT])

    _show_credential_sets(found, "guild")

    head, *problems = capsys.readouterr().out.splitlines()
    assert "  – guild-hall: Guild halls (optional)" == head
    assert ["GUILD_HALLS_CLIENT_ID", "GUILD_HALLS_CLIENT_SECRET"] == [problem.split()[0] for problem in problems]


# --- manifest ---------------------------------------------------------------------------------------------------------


def test_the_manifest_is_the_one_in_the_repository_with_your_address(run):
    example = yaml.safe_load((ROOT / "app_manifest.yaml").read_text())
    result = run("manifest", "--url", "https://bot.example.com")
    other = run("manifest", "--url", "https://other.example/")

    assert (0, 0) == (result.exit_code, other.exit_code)
    assert example == yaml.safe_load(result.stdout)
    assert other.stdout.replace("https://other.example", "https://bot.example.com") == result.stdout


def test_the_manifest_takes_address_and_command_names_from_the_settings(run):
    result = run("manifest", PUBLIC_URL="https://set.example", SLACK_COMMAND_CONNECT="/social")

    features = yaml.safe_load(result.stdout)["features"]
    assert ["/social", "/schedule"] == [command["command"] for command in features["slash_commands"]]
    assert "https://set.example/slack/events" == features["slash_commands"][0]["url"]


@pytest.mark.parametrize("url", ["ftp://bot.example", "http://bot.example.com", "https://user:canary@bot.example"])
def test_a_manifest_for_a_wrong_address_is_refused(run, url):
    result = run("manifest", "--url", url)

    assert 2 == result.exit_code
    assert "PUBLIC_URL: " in result.stderr
    assert "" == result.stdout
    assert "canary" not in result.output


# --- serve, demo, doctor ----------------------------------------------------------------------------------------------


def test_serve_names_everything_that_is_missing(run):
    result = run("serve", MONGODB_URI="mongodb://bot:canary@127.0.0.1/")

    assert 2 == result.exit_code
    assert {"SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "LOGICSPIKE_KEYS"} == set(
        re.findall(r"^  ([A-Z_]+): ", result.stderr, re.MULTILINE)
    )
    assert "logicspike demo" in result.stderr
    assert "canary" not in result.output


def test_serve_names_everything_that_is_wrong_without_the_secrets(run):
    result = run("serve", PORT="many", SLACK_BOT_TOKEN="xoxp-canary", SLACK_SIGNING_SECRET="canary")

    assert 2 == result.exit_code
    assert {"PORT", "SLACK_BOT_TOKEN"} == set(re.findall(r"^  ([A-Z_]+): ", result.stderr, re.MULTILINE))
    assert "canary" not in result.output


def test_serve_on_a_taken_port_says_so_in_a_sentence(run, mongod_uri, database_name, taken_port):
    result = run(
        "serve",
        *("--port", str(taken_port)),
        **SLACK,
        MONGODB_URI=mongod_uri,
        MONGODB_DATABASE=database_name,
        LOGICSPIKE_KEYS=KEYS,
    )

    assert 1 == result.exit_code
    assert is_one_sentence(result.stderr), result.stderr
    assert f"Can't listen on 127.0.0.1:{taken_port}" in result.stderr
    assert "--port" in result.stderr


@pytest.mark.parametrize(
    ("keys", "says"), [("k:canary", "LOGICSPIKE_KEYS is not right: the key 'k'"), ("canary", "id:base64key")]
)
def test_serve_with_wrong_keys_says_so_without_the_key(run, mongod_uri, database_name, keys, says):
    result = run(
        "serve",
        **SLACK,
        MONGODB_URI=mongod_uri,
        MONGODB_DATABASE=database_name,
        LOGICSPIKE_KEYS=keys,
    )

    assert 1 == result.exit_code
    assert is_one_sentence(result.stderr), result.stderr
    assert says in result.stderr
    assert "canary" not in result.output


def test_demo_on_a_taken_port_says_so_in_a_sentence(run, taken_port):
    result = run("demo", "--no-browser", "--port", str(taken_port))

    assert 1 == result.exit_code
    assert is_one_sentence(result.stderr), result.stderr
    assert f"Port {taken_port} is taken by another program." in result.stderr
    assert "logicspike demo --port" in result.stderr


def test_doctor_tells_of_wrong_settings_as_findings(run):
    result = run("doctor", PORT="many", SLACK_BOT_TOKEN="canary")

    assert 1 == result.exit_code
    assert ["✗ PORT", "✗ SLACK_BOT_TOKEN"] == sorted(line.partition(":")[0] for line in result.stdout.splitlines())
    assert "canary" not in result.output


def test_doctor_counts_what_is_to_mend(run, mongod_uri, database_name):
    result = run("doctor", MONGODB_URI=mongod_uri, MONGODB_DATABASE=database_name, LOGICSPIKE_KEYS=KEYS)

    lines = result.stdout.splitlines()
    bad = sum(line.startswith("  ✗ ") for line in lines)
    assert 1 == result.exit_code
    assert bad > 0
    assert lines[-1].startswith(f"{bad} to mend.")
    assert KEYS not in result.output
