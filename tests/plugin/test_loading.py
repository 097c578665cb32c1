from __future__ import annotations

import dataclasses
import importlib.metadata
import logging
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from logicspike.clock import MovableClock
from logicspike.loading import GROUP, load_installed
from logicspike.platforms import Platforms

Write = Callable[..., importlib.metadata.EntryPoint]

CHIRP = """
from logicspike.plugin import (
    Account, AuthorizationLink, Credential, Limits, Platform, PublishedPost, TokenSet, hookimpl, oauth2,
)
import dataclasses

FACTS = Platform(
    name="chirp", title="Chirp", scopes=("post",), limits=Limits(max_chars=200),
    endpoints={"auth": "https://chirp.example", "api": "https://api.chirp.example"},
)

@hookimpl
def describe():
    return FACTS

@hookimpl
async def authorize(ctx, request):
    return oauth2.authorization_link(f"{ctx.endpoints['auth']}/authorize", ctx.client, request)

@hookimpl
async def exchange(ctx, grant):
    return None

@hookimpl
async def refresh(ctx, credential):
    return None

@hookimpl
async def publish(ctx, credential, post):
    return None
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a plugin module, the smallest one plus some lines, and return its entry point."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(more: str = "", *, name: str = "chirp", whole: str | None = None) -> importlib.metadata.EntryPoint:
        module = f"written_{name.replace('-', '_')}"
        source = CHIRP.replace('"chirp"', repr(name)) if whole is None else whole
        (tmp_path / f"{module}.py").write_text(source + textwrap.dedent(more))
        monkeypatch.delitem(sys.modules, module, raising=False)
        return importlib.metadata.EntryPoint(name=name, value=module, group=GROUP)

    return write


def reason(entry_point: importlib.metadata.EntryPoint) -> str:
    installed = load_installed([entry_point])
    assert dict(installed.plugins) == {}
    return installed.refused[entry_point.name]


def facts(**changes: object) -> str:
    written = ", ".join(f"{field}={value!r}" for field, value in changes.items())
    return f"FACTS = dataclasses.replace(FACTS, {written})\n"


def test_smallest_plugin_is_accepted(write: Write) -> None:
    installed = load_installed([write()])
    assert dict(installed.refused) == {}
    assert {"describe", "authorize", "exchange", "refresh", "publish"} == installed.plugins["chirp"].hooks


def test_refused_plugin_leaves_the_others_and_is_logged(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    bad, good = write("raise RuntimeError('no')", name="bad"), write(name="good")
    with caplog.at_level(logging.WARNING):
        platforms = Platforms.load(environment={}, clock=MovableClock(), entry_points=[bad, good])
    assert platforms.names == ("good",)
    assert list(platforms.quarantined) == ["bad"]
    (record,) = caplog.records
    assert (vars(record)["event"], vars(record)["platform"]) == ("platform.quarantined", "bad")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("raise RuntimeError('no luck')", "Importing written_chirp failed with RuntimeError: no luck."),
        ("raise SystemExit(3)", "Importing written_chirp failed with SystemExit: 3."),
        ("import nowhere_to_be_found", "failed with ModuleNotFoundError: No module named 'nowhere_to_be_found'."),
        ("def broken(:", "failed with SyntaxError"),
    ],
)
def test_plugin_that_fails_to_import_is_refused(write: Write, line: str, expected: str) -> None:
    assert expected in reason(write(line))


@pytest.mark.parametrize("hook", ["describe", "authorize", "exchange", "refresh", "publish"])
def test_missing_required_hook_is_named(write: Write, hook: str) -> None:
    assert f"It lacks {hook}(); a platform must implement" in reason(write(f"del {hook}"))


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("limits=Limits(max_chars=9, media=(RULE,))", "It takes media, but lacks prepare(), to which they are handed."),
        ("wants_link_card=True", "It takes link cards, but lacks prepare(), to which they are handed."),
    ],
)
def test_what_is_handed_to_prepare_needs_it(write: Write, declared: str, expected: str) -> None:
    rule = "from logicspike.plugin import MediaKind, MediaRule\nRULE = MediaRule(kind=MediaKind.IMAGE, "
    rule += f"content_types=('image/png',), max_bytes=9)\nFACTS = dataclasses.replace(FACTS, {declared})\n"
    assert expected == reason(write(rule))
    prepare = "@hookimpl\nasync def prepare(ctx, credential, post, files, card): ...\n"
    assert dict(load_installed([write(rule + prepare)]).refused) == {}


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ("async def pubish(ctx): ...", "There is no hook named pubish(); did you mean publish()?"),
        ("async def publish(ctx, credential, message): ...", "Its hooks don't fit: Plugin 'chirp' for hook 'publish'"),
        ("def revoke(ctx): ...", "revoke() is specified as “async def” and implemented as “def”"),
        ("async def validate(post): ...", "validate() is specified as “def” and implemented as “async def”"),
        ("async def revoke(ctx, credential=None): ...", "revoke() gives credential a default"),
        ("async def revoke(ctx, *, credential): ...", "revoke() takes credential, which would never get a value"),
        ("async def revoke(ctx, **rest): ...", "revoke() takes **rest, which would never get a value"),
        ("def describe(): raise ValueError('oops')", "describe() failed with ValueError: oops."),
        ("def describe(): raise SystemExit", "describe() failed with SystemExit."),
        ("def describe(): return {}", "describe() must return a Platform, not dict."),
        ("def describe(): return None", "describe() must return a Platform, not NoneType."),
    ],
)
def test_hook_that_does_not_fit_is_refused(write: Write, hook: str, expected: str) -> None:
    assert expected in reason(write(f"@hookimpl\n{hook}\n"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "chirpy"}, "the name is 'chirpy', but the plugin is installed as 'chirp'"),
        ({"title": " "}, "the title is empty"),
        ({"scopes": "post"}, "scopes must be a tuple of words"),
        ({"cancel_errors": ["denied"]}, "cancel_errors must be a tuple of words"),
        ({"callback_errors": {"denied": ""}}, "callback_errors must map error values to sentences"),
        ({"callback_errors": ("denied",)}, "callback_errors must map error values to sentences"),
        ({"endpoints": {}}, "endpoints must name at least one origin"),
        ({"endpoints": {"auth": "http://chirp.example"}}, "the endpoint 'auth' must begin with https://"),
        ({"endpoints": {"auth": "https://chirp.example/v1"}}, "the endpoint 'auth' must be an origin"),
        ({"endpoints": {"auth": "https://me@chirp.example"}}, "the endpoint 'auth' must be an origin"),
        ({"endpoints": {"api": "https://chirp.example"}}, "authorize_endpoint is 'auth', which is not among"),
        ({"chosen_endpoint": "here"}, "chosen_endpoint is 'here', which is not among the endpoints"),
        ({"upload_hosts": ("https://up.example",)}, "the upload host 'https://up.example' must be a host name alone"),
        ({"aliases": ("X!",)}, "the alias 'X!' may hold only lower-case letters"),
        ({"settings": {"client-secret": "s"}}, "the setting 'client-secret' is reserved"),
        ({"settings": {"endpoint_auth": "s"}}, "the setting 'endpoint_auth' is reserved"),
        ({"settings": {"version": 3}}, "the setting 'version' must be a word with a text as its default"),
        ({"limits": None}, "limits must be Limits"),
        ({"refresh_margin_seconds": -1}, "refresh_margin_seconds must be a number"),
    ],
)
def test_unusable_facts_are_refused(write: Write, changes: dict[str, object], expected: str) -> None:
    assert f"describe(): {expected}" in reason(write(facts(**changes)))


def test_limit_of_zero_is_refused(write: Write) -> None:
    assert "limits must be" in reason(write("FACTS = dataclasses.replace(FACTS, limits=Limits(max_chars=0))\n"))


def test_http_is_accepted_on_loopback_only(write: Write) -> None:
    endpoints = {"auth": "http://127.0.0.1:8080", "api": "http://[::1]:8080"}
    assert not load_installed([write(facts(endpoints=endpoints))]).refused
    assert "https" in reason(write(facts(endpoints={"auth": "http://127.0.0.1.chirp.example"})))


def test_bad_name_is_refused(write: Write) -> None:
    assert "The name 'Chirp_2' may hold only" in reason(write(name="Chirp_2"))


def test_class_is_refused_and_unhashable_object_too(write: Write) -> None:
    module = write(
        """
        class Plugin: ...

        @dataclasses.dataclass
        class Loose: ...

        loose = Loose()
        """
    )
    as_class = importlib.metadata.EntryPoint("chirp", f"{module.value}:Plugin", GROUP)
    as_object = importlib.metadata.EntryPoint("chirp", f"{module.value}:loose", GROUP)
    assert "names a class" in reason(as_class)
    assert "can't be hashed" in reason(as_object)


def test_alias_of_two_platforms_refuses_both(write: Write) -> None:
    both = [write(facts(aliases=("z",)), name=name) for name in ("first", "second")]
    installed = load_installed(both)
    assert {"first", "second"} == set(installed.refused)
    assert installed.refused["first"] == "Its alias 'z' is a name or an alias of another installed platform."


def test_alias_that_is_anothers_name_refuses_the_alias_only(write: Write) -> None:
    installed = load_installed([write(facts(aliases=("second",)), name="first"), write(name="second")])
    assert list(installed.refused) == ["first"]
    assert list(installed.plugins) == ["second"]


def test_disabled_platform_is_not_imported(write: Write) -> None:
    entry_point = write("raise RuntimeError('imported')")
    platforms = Platforms.load(environment={}, clock=MovableClock(), disabled=["Chirp"], entry_points=[entry_point])
    assert dict(platforms.quarantined) == {}
    assert platforms.find("chirp") is None
    assert platforms.problems("chirp") == ("The platform chirp is switched off here (LOGICSPIKE_DISABLED_PLATFORMS).",)


def test_two_distributions_with_one_name_are_both_refused(tmp_path: Path, write: Write) -> None:
    write()
    for distribution in ("chirp-one", "chirp-two"):
        folder = tmp_path / f"{distribution.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[{GROUP}]\nchirp = written_chirp\n")
    installed = load_installed()
    assert "chirp" not in installed.plugins
    assert (
        installed.refused["chirp"]
        == "chirp-one 1.0 and chirp-two 1.0 all bring a platform of this name; uninstall all but one of them."
    )


def test_installed_plugins_are_found_with_their_versions(installed_echo: ModuleType) -> None:
    installed = load_installed()
    assert {"echo", "whisper"} <= set(installed.plugins)
    assert installed.versions["echo"] == "echo-platform 1.0"


def test_frozen_object_is_a_plugin(installed_echo: ModuleType) -> None:
    loaded = load_installed().plugins["whisper"]
    assert installed_echo.whisper == loaded.plugin
    assert dataclasses.is_dataclass(loaded.plugin)
