"""Settings: read once, all problems at once, secrets never shown."""

from __future__ import annotations

import logging
import os
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from logicspike.settings import DESCRIPTIONS, EXAMPLES, Settings, SettingsInvalid, is_loopback, load_settings

CANARY = "canary-7f3a"
SECRETS = {
    "MONGODB_URI": f"mongodb://bot:{CANARY}@db.example/",
    "LOGICSPIKE_KEYS": f"a:{CANARY}",
    "SLACK_SIGNING_SECRET": CANARY,
    "SLACK_BOT_TOKEN": f"xoxb-{CANARY}",
    "SLACK_APP_TOKEN": f"xapp-{CANARY}",
    "FACEBOOK_CLIENT_SECRET": CANARY,
}


def load(**environment: str) -> Settings:
    return load_settings(environment, env_file=None)


def problems_of(**environment: str) -> dict[str, str]:
    with pytest.raises(SettingsInvalid) as caught:
        load(**environment)
    return {problem.variable: str(problem) for problem in caught.value.problems}


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_nothing_set_gives_the_documented_defaults():
    settings = load()

    assert ("http://127.0.0.1:3000", "127.0.0.1", 3000) == (settings.public_url, settings.host, settings.port)
    assert (None, "logicspike", "motor") == (settings.mongodb_uri, settings.mongodb_database, settings.mongodb_driver)
    assert ((), ()) == (settings.logicspike_admins, settings.logicspike_disabled_platforms)
    assert "https://slack.com/api/" == settings.slack_api_url
    assert ("/connect", "/schedule") == (settings.slack_command_connect, settings.slack_command_schedule)
    assert settings.logicspike_data_dir.is_absolute()


def test_every_setting_is_described_and_has_an_example_that_is_right():
    names = {name.upper() for name in Settings.model_fields} - {"ENVIRONMENT"}

    assert names == set(DESCRIPTIONS) == set(EXAMPLES)
    load(**EXAMPLES)


# --- where values come from -------------------------------------------------------------------------------------------


def test_the_environment_wins_over_the_file_and_an_option_over_both(env_file):
    env_file.write_text("PORT=1\nHOST=0.0.0.0\nMONGODB_DATABASE=filed\n")

    settings = load_settings({"PORT": "2", "HOST": "::1"}, env_file=env_file, port=3, host=None)

    assert (3, "::1", "filed") == (settings.port, settings.host, settings.mongodb_database)


def test_without_an_environment_the_process_own_is_read(monkeypatch):
    monkeypatch.setenv("MONGODB_DATABASE", "from_process")

    assert "from_process" == load_settings(env_file=None).mongodb_database


def test_nothing_but_the_given_environment_is_read(monkeypatch):
    monkeypatch.setenv("MONGODB_DATABASE", "from_process")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-from-process")

    assert "logicspike" == load().mongodb_database
    assert None is Settings().slack_bot_token


@pytest.mark.parametrize("blank", ["", "  ", "\t\n"])
def test_a_blank_value_is_as_good_as_none(blank):
    settings = load(PUBLIC_URL=blank, PORT=blank, MONGODB_URI=blank, SLACK_BOT_TOKEN=blank, LOGICSPIKE_ADMINS=blank)

    assert load() == settings.model_copy(update={"environment": {}})
    assert {"SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"} == {each.variable for each in settings.missing_for_serving()}


def test_a_blank_value_in_the_environment_switches_off_the_file(env_file):
    env_file.write_text("MONGODB_URI=mongodb://filed/\n")

    assert None is load_settings({"MONGODB_URI": ""}, env_file=env_file).mongodb_uri


def test_blanks_around_a_value_do_not_count():
    settings = load(PUBLIC_URL=" https://bot.example.com\n", SLACK_BOT_TOKEN=" xoxb-1 ")

    assert "https://bot.example.com" == settings.public_url
    assert "xoxb-1" == settings.slack_bot_token.get_secret_value()


def test_unknown_names_are_left_alone_and_handed_on(env_file):
    env_file.write_text("CHIRP_CLIENT_ID=filed\nCHIRP_VERSION=1\n")

    settings = load_settings({"CHIRP_CLIENT_ID": "set", "PATH": "/bin"}, env_file=env_file)

    assert {"CHIRP_CLIENT_ID": "set", "CHIRP_VERSION": "1", "PATH": "/bin"} == settings.environment


def test_a_file_that_is_not_there_is_no_problem(env_file):
    assert load() == load_settings({}, env_file=env_file)


def test_a_byte_order_mark_does_not_hide_the_first_line(env_file):
    env_file.write_bytes(b"\xef\xbb\xbfPORT=4711\n")

    assert 4711 == load_settings({}, env_file=env_file).port


def test_a_file_that_cannot_be_read_is_named(env_file):
    env_file.write_bytes(f"SLACK_SIGNING_SECRET={CANARY}\nHOST=\xff".encode("latin-1"))

    with pytest.raises(SettingsInvalid, match=r"^\.env: can't be read \(it is not UTF-8\)\.$") as caught:
        load_settings({}, env_file=env_file)

    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_lists_are_split_at_commas():
    settings = load(LOGICSPIKE_ADMINS="U1, U2 ,,U3,", LOGICSPIKE_DISABLED_PLATFORMS="chirp")

    assert ("U1", "U2", "U3") == settings.logicspike_admins
    assert ("chirp",) == settings.logicspike_disabled_platforms


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        load().port = 1


# --- what is wrong ----------------------------------------------------------------------------------------------------


def test_all_problems_are_told_at_once_each_with_variable_sentence_and_example():
    wrong = {
        "PUBLIC_URL": "ftp://x",
        "PORT": "many",
        "MONGODB_DATABASE": "no.dots",
        "MONGODB_DRIVER": "mongoose",
        "SLACK_BOT_TOKEN": CANARY,
        "SLACK_APP_TOKEN": CANARY,
        "SLACK_API_URL": "slack.com",
        "SLACK_COMMAND_CONNECT": "connect",
        "SLACK_COMMAND_SCHEDULE": "/Schedule it",
    }

    found = problems_of(**wrong)

    assert set(wrong) == set(found)
    for variable, sentence in found.items():
        assert sentence.startswith(f"{variable}: ")
        assert sentence.endswith(f". Example: {variable}={EXAMPLES[variable]}")


def test_the_sentence_says_what_is_wrong():
    found = problems_of(PORT="70000", SLACK_BOT_TOKEN="xoxp-1", MONGODB_DRIVER="mongoose")

    assert "less than or equal to 65535" in found["PORT"]
    assert "does not look like a bot token: it begins with xoxb-" in found["SLACK_BOT_TOKEN"]
    assert "'motor' or 'pymongo'" in found["MONGODB_DRIVER"]


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:3000",
        "http://localhost",
        "http://LOCALHOST:1",
        "http://[::1]:3000",
        "https://bot.example.com",
        "https://bot.example.com/",
        "https://bot.example.com/bot",
    ],
)
def test_https_anywhere_and_http_on_this_machine_are_fine(address):
    settings = load(PUBLIC_URL=address, SLACK_API_URL=address)

    assert (address, address) == (settings.public_url, settings.slack_api_url)


@pytest.mark.parametrize(
    "address",
    [
        "http://bot.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://0.0.0.0:3000",
        "http://10.0.0.1",
        f"http://localhost:{CANARY}@bot.example.com",
        f"https://ana:{CANARY}@bot.example.com",
        f"https://:{CANARY}@bot.example.com",
        f"https://{CANARY}\u2100:x@bot.example.com",
        "https://bot.example.com?x=1",
        "https://bot.example.com#",
        "https://bot.example.com:99999",
        "https://bot.example.com:0",
        "https://bot exam.ple",
        "https://[::1",
        "https://",
        "bot.example.com",
        "file:///etc/passwd",
    ],
)
def test_other_addresses_are_refused_and_not_repeated(address):
    found = problems_of(PUBLIC_URL=address, SLACK_API_URL=address)

    assert {"PUBLIC_URL", "SLACK_API_URL"} == set(found)
    assert CANARY not in str(found)


@pytest.mark.parametrize(("address", "expected"), [("http://127.0.0.1:1", True), ("https://x.example", False)])
def test_loopback_is_told_from_the_world(address, expected):
    assert expected is is_loopback(address)


@pytest.mark.parametrize("name", ["connect", "/", "/Connect", "/co nnect", "/" + "x" * 32, "/connect/x", "//"])
def test_a_command_slack_would_not_take_is_refused(name):
    assert {"SLACK_COMMAND_CONNECT"} == set(problems_of(SLACK_COMMAND_CONNECT=name))


def test_both_commands_cannot_have_one_name():
    found = problems_of(SLACK_COMMAND_CONNECT="/social", SLACK_COMMAND_SCHEDULE="/social")

    assert "must differ from SLACK_COMMAND_CONNECT" in found["SLACK_COMMAND_SCHEDULE"]
    assert {"SLACK_COMMAND_SCHEDULE"} == set(problems_of(SLACK_COMMAND_SCHEDULE="/connect"))


# --- what is missing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ((), {"SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"}),
        (("SLACK_BOT_TOKEN",), {"SLACK_SIGNING_SECRET"}),
        (("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"), set()),
        (("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"), set()),
        (("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "MONGODB_URI"), {"LOGICSPIKE_KEYS"}),
        (("MONGODB_URI",), {"SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "LOGICSPIKE_KEYS"}),
        (("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "MONGODB_URI", "LOGICSPIKE_KEYS"), set()),
    ],
)
def test_what_serving_still_needs_is_named(given, missing):
    problems = load(**{name: SECRETS[name] for name in given}).missing_for_serving()

    assert missing == {problem.variable for problem in problems}
    assert all("is missing." in str(problem) and "Example: " in str(problem) for problem in problems)
    assert CANARY not in str(problems)


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_secrets_are_never_shown():
    settings = load(**SECRETS)

    shown = [
        repr(settings),
        str(settings),
        f"{settings!s:>3000}",
        repr(settings.model_dump()),
        settings.model_dump_json(),
        repr(list(settings.__repr_args__())),
    ]
    assert not [text for text in shown if CANARY in text]
    assert f"mongodb://bot:{CANARY}@db.example/" == settings.mongodb_uri.get_secret_value()


@pytest.mark.parametrize("wrong", ["PORT", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_COMMAND_CONNECT"])
def test_secrets_are_never_in_what_is_raised_nor_in_what_is_chained_to_it(wrong, caplog):
    caplog.set_level(logging.DEBUG)

    with pytest.raises(SettingsInvalid) as caught:
        load(**SECRETS | {wrong: f"wrong-{CANARY}"})

    error: BaseException | None = caught.value
    assert None is error.__context__ is error.__cause__, "pydantic's own error holds every value"
    assert CANARY not in "".join((*traceback.format_exception(error), repr(error), str(error), caplog.text))


def test_pydantics_own_error_does_not_show_its_input_either():
    with pytest.raises(ValidationError) as caught:
        Settings(port=f"wrong-{CANARY}", slack_bot_token=SecretStr(CANARY), mongodb_uri=[CANARY])

    assert CANARY not in str(caught.value) + repr(caught.value) + "".join(traceback.format_exception(caught.value))


def test_the_process_environment_is_never_changed(env_file, monkeypatch):
    monkeypatch.delenv("PORT", raising=False)
    env_file.write_text("PORT=4711\n")

    load_settings(env_file=env_file)

    assert "PORT" not in os.environ
