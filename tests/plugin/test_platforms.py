from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from logicspike.clock import MovableClock
from logicspike.loading import GROUP
from logicspike.platforms import NotSupported, PlatformNotReady, Platforms, UnknownPlatform
from logicspike.plugin import (
    Account,
    AuthorizationFailed,
    AuthorizationGrant,
    Credential,
    MemberActionRequired,
    OAuthClient,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformContext,
    PlatformError,
    PlatformUnavailable,
    Post,
    PostRejected,
    Problem,
    PublishedPost,
    RateLimited,
    ReconnectRequired,
    SetupLevel,
    SetupNote,
    TokenExpired,
    TokenSet,
    hookimpl,
)

TOKEN = "canary-token-0123456789"
NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
CREDENTIAL = Credential(account=Account(id="1", name="Ann"), tokens=TokenSet(access_token=TOKEN))
POST = Post(key="k", text="Hello")
ENVIRONMENT = {
    "ECHO_CLIENT_ID": "echo-id",
    "ECHO_CLIENT_SECRET": "echo-secret",
    "ECHO_VOICE": "loud",
    "ECHO_ENDPOINT_AUTH": "http://127.0.0.1:9",
    "WHISPER_CLIENT_ID": "whisper-id",
    "WHISPER_CLIENT_SECRET": "whisper-secret",
}

Open = Callable[..., AbstractAsyncContextManager[Platforms]]


@pytest.fixture
def open_with(installed_echo: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open Echo and a Whisper whose hooks are replaced by the functions given."""

    @asynccontextmanager
    async def open_with(environment: dict[str, str] = ENVIRONMENT, **hooks: Any) -> AsyncIterator[Platforms]:
        methods = {name: hookimpl(hook) for name, hook in hooks.items()}
        module = SimpleNamespace(plugin=type("Rogue", (installed_echo.Whisper,), methods)())
        monkeypatch.setitem(sys.modules, "rogue_module", module)
        entry_points = [
            importlib.metadata.EntryPoint("echo", "echo_platform", GROUP),
            importlib.metadata.EntryPoint("whisper", "rogue_module:plugin", GROUP),
        ]
        clock = MovableClock(NOW, is_frozen=True)
        async with Platforms.load(environment=environment, clock=clock, entry_points=entry_points) as platforms:
            yield platforms

    return open_with


def raising(error: BaseException) -> Callable[..., Any]:
    async def hook(self: object, ctx: PlatformContext, credential: Credential) -> Any:
        raise error

    return hook


def returning(value: object) -> Callable[..., Any]:
    async def hook(self: object, credential: Credential) -> Any:
        return value

    return hook


async def test_platforms_are_found_by_name_or_alias_in_any_case(open_with: Open) -> None:
    async with open_with() as platforms:
        assert platforms.names == ("echo", "whisper")
        assert "Echo" == platforms.get("E").title == platforms.get("echo").title
        assert platforms.find("nothing") is None
        assert platforms.suggest("Wisper") == "whisper"
        assert platforms.suggest("qqqqqq") is None


async def test_unknown_platform_is_explained(open_with: Open) -> None:
    async with open_with() as platforms:
        with pytest.raises(UnknownPlatform) as caught:
            platforms.get("wisper")
    assert str(caught.value) == "There is no platform named 'wisper' here. Did you mean whisper?"
    assert isinstance(caught.value, KeyError)


async def test_only_the_platform_that_is_meant_is_called(open_with: Open, installed_echo: ModuleType) -> None:
    called: list[str] = []

    async def publish(self: object, post: Post) -> PublishedPost:
        called.append(post.key)
        return PublishedPost(id="w", url=None)

    def validate(self: object, post: Post) -> tuple[Problem, ...]:
        called.append("validate")
        return ()

    async with open_with(publish=publish, validate=validate) as platforms:
        with pytest.raises(PlatformError):  # Echo itself has no server behind it here
            await platforms.refresh("echo", CREDENTIAL)
        platforms.validate("echo", CREDENTIAL.account, POST)
        assert called == []
        assert (await platforms.publish("whisper", CREDENTIAL, POST)).id == "w"
    assert called == ["k"]


async def test_context_holds_what_the_operator_set(open_with: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[PlatformContext] = []

    async def publish(self: object, ctx: PlatformContext) -> PublishedPost:
        seen.append(ctx)
        return PublishedPost(id="w", url=None)

    environment = ENVIRONMENT | {"WHISPER_ENDPOINT_ALL": "http://localhost:9/"}
    async with open_with(environment, publish=publish) as platforms:
        await platforms.publish("whisper", CREDENTIAL, POST)
        assert platforms.authorize_origin("whisper") == "http://localhost:9"
        assert dict(platforms.endpoints("e")) == {"auth": "http://127.0.0.1:9", "api": "https://api.echo.example"}
    (ctx,) = seen
    assert (ctx.client.client_id, ctx.client.client_secret) == ("whisper-id", "whisper-secret")
    assert dict(ctx.endpoints) == {"all": "http://localhost:9"}
    assert ctx.now == NOW
    assert ctx.sleep is asyncio.sleep
    assert "whisper-secret" not in repr(ctx)


async def test_platform_without_credentials_is_not_called(open_with: Open) -> None:
    async with open_with({}, publish=raising(AssertionError("called"))) as platforms:
        assert not platforms.is_ready("whisper")
        with pytest.raises(PlatformNotReady) as caught:
            await platforms.publish("whisper", CREDENTIAL, POST)
        assert platforms.validate("whisper", CREDENTIAL.account, POST) == ()
    assert caught.value.explanation.startswith("Whisper can't be used yet. WHISPER_CLIENT_ID is not set")


async def test_unknown_platform_is_not_ready(open_with: Open) -> None:
    async with open_with() as platforms:
        with pytest.raises(PlatformNotReady):
            await platforms.refresh("nothing", CREDENTIAL)
        with pytest.raises(PlatformNotReady):
            platforms.validate("nothing", CREDENTIAL.account, POST)
        assert not platforms.is_ready("nothing")


@pytest.mark.parametrize(
    "error",
    [
        ReconnectRequired("a"),
        MemberActionRequired("a"),
        OperatorActionRequired("a"),
        TokenExpired("a"),
        RateLimited("a", until=NOW),
        PlatformUnavailable("a"),
        PostRejected(Problem(message="a")),
        OutcomeUnknown("a"),
    ],
)
async def test_errors_of_the_tree_pass_through(open_with: Open, error: PlatformError) -> None:
    async with open_with(publish=raising(error), refresh=raising(error)) as platforms:
        with pytest.raises(type(error)) as caught:
            await platforms.publish("whisper", CREDENTIAL, POST)
        assert caught.value is error
        with pytest.raises(type(error)):
            await platforms.refresh("whisper", CREDENTIAL)


@pytest.mark.parametrize(
    "error",
    [
        KeyError(TOKEN),
        ValueError(f"bad answer: {TOKEN}"),
        TimeoutError(TOKEN),
        SystemExit(TOKEN),
        PlatformError(TOKEN),
        RateLimited(TOKEN, until=datetime(2026, 12, 1)),  # noqa: DTZ001 - a naive time is the bug
    ],
)
async def test_plugin_bug_is_logged_without_its_text(
    open_with: Open, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_with(publish=raising(error), refresh=raising(error)) as platforms:
        with pytest.raises(OutcomeUnknown) as from_publish:
            await platforms.publish("whisper", CREDENTIAL, POST)
        with pytest.raises(PlatformUnavailable) as from_refresh:
            await platforms.refresh("whisper", CREDENTIAL)
    for caught in (from_publish, from_refresh):
        assert caught.value.__context__ is None
        assert TOKEN not in str(caught.value)
    assert [(vars(record)["event"], vars(record)["platform"]) for record in caplog.records] == [
        ("plugin.bug", "whisper")
    ] * 2
    for record in caplog.records:
        assert type(error).__name__ in record.getMessage()
        assert "test_platforms.py" in record.getMessage()
        assert TOKEN not in f"{record.getMessage()} {vars(record)}"


async def test_authorization_failed_is_no_answer_of_publish(open_with: Open) -> None:
    async with open_with(publish=raising(AuthorizationFailed("a"))) as platforms:
        with pytest.raises(OutcomeUnknown):
            await platforms.publish("whisper", CREDENTIAL, POST)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"id": TOKEN},
        PublishedPost(id="", url=None),
        PublishedPost(id=12, url=None),  # type: ignore[arg-type]
        TokenSet(access_token=TOKEN),
    ],
)
async def test_wrong_result_of_publish_is_unknown(
    open_with: Open, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_with(publish=returning(value)) as platforms:
        with pytest.raises(OutcomeUnknown):
            await platforms.publish("whisper", CREDENTIAL, POST)
    assert [vars(record)["event"] for record in caplog.records] == ["plugin.bug"]
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    "value",
    [
        None,
        TOKEN,
        TokenSet(access_token=""),
        TokenSet(access_token=TOKEN, refresh_token=""),
        TokenSet(access_token=TOKEN, expires_at=datetime(2026, 12, 1)),  # noqa: DTZ001 - a naive time is the bug
        TokenSet(access_token=TOKEN, expires_at=3600),  # type: ignore[arg-type]
    ],
)
async def test_wrong_result_elsewhere_is_unavailable(open_with: Open, value: object) -> None:
    async with open_with(refresh=returning(value)) as platforms:
        with pytest.raises(PlatformUnavailable):
            await platforms.refresh("whisper", CREDENTIAL)


@pytest.mark.parametrize("value", [None, "text", [None], [Account(id="1", name="Ann")], CREDENTIAL])
async def test_wrong_accounts_are_unavailable(open_with: Open, value: object) -> None:
    async with open_with(accounts=returning(value)) as platforms:
        with pytest.raises(PlatformUnavailable):
            await platforms.accounts("whisper", CREDENTIAL)


async def test_hook_that_takes_too_long_is_ended(
    open_with: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[bool] = []

    async def forever(self: object, credential: Credential) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    monkeypatch.setattr(Platforms, "PUBLISH_LIMIT", timedelta(milliseconds=10))
    monkeypatch.setattr(Platforms, "CALL_LIMIT", timedelta(milliseconds=10))
    async with open_with(publish=forever, refresh=forever) as platforms:
        with pytest.raises(OutcomeUnknown):
            await platforms.publish("whisper", CREDENTIAL, POST)
        with pytest.raises(PlatformUnavailable):
            await platforms.refresh("whisper", CREDENTIAL)
    assert ended == [True, True]
    assert [vars(record)["event"] for record in caplog.records] == ["plugin.timeout"] * 2


async def test_cancellation_passes_through(open_with: Open, caplog: pytest.LogCaptureFixture) -> None:
    started = asyncio.Event()

    async def forever(self: object) -> Any:
        started.set()
        await asyncio.Event().wait()

    async with open_with(publish=forever) as platforms:
        call = asyncio.create_task(platforms.publish("whisper", CREDENTIAL, POST))
        await started.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert caplog.records == []


async def test_missing_optional_hooks_have_an_answer(open_with: Open) -> None:
    async with open_with() as platforms:
        assert not platforms.supports("whisper", "revoke")
        assert platforms.supports("echo", "revoke")
        assert not platforms.supports("nothing", "publish")
        assert await platforms.accounts("whisper", CREDENTIAL) == (CREDENTIAL,)
        with pytest.raises(NotSupported):
            await platforms.revoke("whisper", CREDENTIAL, is_last=True)
        with pytest.raises(NotSupported):
            await platforms.find_published("whisper", CREDENTIAL, POST)


async def test_length_is_checked_without_a_validate_hook(open_with: Open) -> None:
    async with open_with() as platforms:
        assert platforms.validate("whisper", CREDENTIAL.account, Post(key="k", text="é" * 50)) == ()
        (problem,) = platforms.validate("whisper", CREDENTIAL.account, Post(key="k", text="é" * 51))
        assert platforms.validate("echo", CREDENTIAL.account, Post(key="k", text="é" * 51)) != ()
    assert problem.message == "Whisper allows 50 characters; this is 51."


async def test_the_set_up_is_inspected_without_a_word_to_the_platform(open_with: Open) -> None:
    seen: list[tuple[object, ...]] = []
    note = SetupNote(level=SetupLevel.WARNING, message="This ends soon.")

    def inspect(
        self: object, client: OAuthClient, credential_set: str, settings: Mapping[str, str], now: datetime
    ) -> list[SetupNote]:
        seen.append((client.client_id, credential_set, dict(settings), now))
        return [note]

    async with open_with(inspect=inspect) as platforms:
        assert platforms.inspect("echo") == ()
        assert platforms.inspect("whisper") == (note,)
        with pytest.raises(PlatformNotReady):
            platforms.inspect("nothing")
    assert [("whisper-id", "", {}, NOW)] == seen
    async with open_with({}, inspect=inspect) as platforms:
        with pytest.raises(PlatformNotReady):
            platforms.inspect("whisper")


@pytest.mark.parametrize(
    "broken",
    [
        lambda self: 1 / 0,
        lambda self: None,
        lambda self: ["a note"],
        lambda self: [SetupNote(level=SetupLevel.OK, message="")],
        lambda self: [SetupNote(level="ok", message="A word is no level.")],  # type: ignore[arg-type]
    ],
)
async def test_broken_inspect_is_unavailable(open_with: Open, broken: Callable[..., Any]) -> None:
    async with open_with(inspect=broken) as platforms:
        with pytest.raises(PlatformUnavailable):
            platforms.inspect("whisper")


@pytest.mark.parametrize("broken", [lambda self: 1 / 0, lambda self: None, lambda self: ["too long"]])
async def test_broken_validate_is_unavailable(
    open_with: Open, broken: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with open_with(validate=broken) as platforms:
        with pytest.raises(PlatformUnavailable) as caught:
            platforms.validate("whisper", CREDENTIAL.account, POST)
    assert caught.value.__context__ is None
    assert [vars(record)["event"] for record in caplog.records] == ["plugin.bug"]


async def test_sandboxed_platform_may_not_reach_its_upload_hosts(
    open_with: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refresh(ctx: PlatformContext) -> TokenSet:
        await ctx.http.get("https://upload.echo.example/")
        raise AssertionError("reached")

    monkeypatch.setattr(sys.modules["echo_platform"], "refresh", hookimpl(refresh))
    caplog.set_level(logging.WARNING)
    environment = ENVIRONMENT | {"ECHO_ENDPOINT_API": "http://127.0.0.1:9"}
    async with open_with(environment) as platforms:
        with pytest.raises(PlatformUnavailable):
            await platforms.refresh("echo", CREDENTIAL)
    assert [vars(record)["event"] for record in caplog.records] == ["egress.refused", "plugin.bug"]


async def test_calling_before_opening_is_a_mistake_of_ours(open_with: Open) -> None:
    async with open_with() as platforms:
        await platforms.close()
        with pytest.raises(RuntimeError, match="not open"):
            await platforms.publish("whisper", CREDENTIAL, POST)


@pytest.mark.parametrize(
    ("endpoint", "picture", "is_shown"),
    [
        ("https://whisper.example", "https://pictures.example/a.png", True),
        ("https://whisper.example", "http://pictures.example/a.png", False),
        ("https://whisper.example", "javascript:alert(1)", False),
        ("http://127.0.0.1:9", "http://127.0.0.1:8/a.png", True),
        ("http://127.0.0.1:9", "https://pictures.example/a.png", False),
    ],
    ids=["https", "plain http", "no address", "on this machine", "from a sandbox to elsewhere"],
)
async def test_only_a_picture_that_may_be_fetched_is_handed_on(
    open_with: Open, endpoint: str, picture: str, is_shown: bool
) -> None:
    shown = replace(CREDENTIAL, account=replace(CREDENTIAL.account, picture=picture))

    async def exchange(self: object) -> Credential:
        return shown

    async def accounts(self: object) -> tuple[Credential, ...]:
        return (shown,)

    environment = ENVIRONMENT | {"WHISPER_ENDPOINT_ALL": endpoint}
    async with open_with(environment, exchange=exchange, accounts=accounts) as platforms:
        exchanged = await platforms.exchange(
            "whisper", AuthorizationGrant(code="c", redirect_uri="https://bot.example")
        )
        [listed] = await platforms.accounts("whisper", exchanged)

    assert [picture if is_shown else None] * 2 == [exchanged.account.picture, listed.account.picture]
