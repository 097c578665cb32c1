"""The contract is only worth something if it fails: one broken plugin for each thing it must catch."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from logicspike.plugin import (
    AuthorizationFailed,
    AuthorizationLink,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    PostRejected,
    Problem,
    ReconnectRequired,
    SetupLevel,
    SetupNote,
    TokenExpired,
    hookimpl,
    oauth2,
)
from logicspike.testing import PlatformContract
from logicspike.testing.stage import open_stage

Break = Callable[[str, Any], None]
CONTRACT = PlatformContract()


@pytest.fixture
def echo(installed_echo: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(installed_echo.FakeEcho, "knows_keys", False)
    return installed_echo


@pytest.fixture
def break_hook(echo: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Break:
    return lambda name, function: monkeypatch.setattr(echo, name, hookimpl(function))


async def is_caught(test: Callable[..., Any], *arguments: object) -> bool:
    async with open_stage("echo") as stage:
        try:
            await test(stage, *arguments)
        except (AssertionError, PlatformError):
            return True
    return False


def turning(function: Callable[..., Any], caught: type[Exception], into: Exception) -> Callable[..., Any]:
    """The hook, but one kind of its errors comes out as another."""

    async def hook(ctx: Any, credential: Any) -> Any:
        try:
            return await function(ctx, credential)
        except caught:
            raise into from None

    return hook


async def test_unbroken_plugin_is_not_caught(echo: ModuleType) -> None:
    assert not await is_caught(CONTRACT.test_text_is_published_once)


async def test_an_alias_that_is_another_platforms_name(echo: ModuleType, break_hook: Break) -> None:
    await CONTRACT.test_stands_beside_what_else_is_installed("echo")
    facts = replace(echo.describe(), aliases=("facebook",))
    break_hook("describe", lambda: facts)
    with pytest.raises(AssertionError, match="'facebook' is a name or an alias of another"):
        await CONTRACT.test_stands_beside_what_else_is_installed("echo")


async def test_publishing_again_after_a_lost_answer(echo: ModuleType, break_hook: Break) -> None:
    right = echo.publish

    async def publish(ctx: Any, credential: Any, post: Any) -> Any:
        try:
            return await right(ctx, credential, post)
        except OutcomeUnknown:
            return await right(ctx, credential, post)

    break_hook("publish", publish)
    assert await is_caught(CONTRACT.test_lost_answer_is_unknown_and_never_sent_again, "error_after_accept")
    assert await is_caught(CONTRACT.test_lost_answer_is_unknown_and_never_sent_again, "accept_then_drop")


async def test_calling_the_unknown_a_failure(echo: ModuleType, break_hook: Break) -> None:
    right = echo.publish

    async def publish(ctx: Any, credential: Any, post: Any) -> Any:
        try:
            return await right(ctx, credential, post)
        except OutcomeUnknown:
            raise PlatformUnavailable("down") from None

    break_hook("publish", publish)
    assert await is_caught(CONTRACT.test_nonsense_is_unknown)
    assert await is_caught(CONTRACT.test_lost_answer_is_unknown_and_never_sent_again, "accept_then_drop")


async def test_dropping_the_state(echo: ModuleType, break_hook: Break) -> None:
    async def authorize(ctx: Any, request: Any) -> AuthorizationLink:
        url = f"{ctx.endpoints['auth']}/authorize"
        return oauth2.authorization_link(url, ctx.client, replace(request, state="constant"))

    break_hook("authorize", authorize)
    assert await is_caught(CONTRACT.test_authorize_link_carries_the_request)
    assert await is_caught(CONTRACT.test_cancel_is_told_apart)


async def test_dropping_the_challenge(echo: ModuleType, break_hook: Break) -> None:
    async def authorize(ctx: Any, request: Any) -> AuthorizationLink:
        url = f"{ctx.endpoints['auth']}/authorize"
        return oauth2.authorization_link(url, ctx.client, replace(request, code_challenge=None))

    break_hook("authorize", authorize)
    assert await is_caught(CONTRACT.test_wrong_verifier_is_refused)


@pytest.mark.parametrize("into", [AuthorizationFailed("no"), ReconnectRequired("no")])
async def test_taking_an_outage_for_a_refusal(echo: ModuleType, break_hook: Break, into: PlatformError) -> None:
    right = echo.exchange

    async def exchange(ctx: Any, grant: Any) -> Any:
        try:
            return await right(ctx, grant)
        except PlatformError:
            raise into from None

    break_hook("exchange", exchange)
    assert await is_caught(CONTRACT.test_exchange_survives, "unavailable")
    assert await is_caught(CONTRACT.test_wrong_client_secret_is_the_operators_to_mend)


async def test_ending_a_connection_in_an_outage(echo: ModuleType, break_hook: Break) -> None:
    break_hook("refresh", turning(echo.refresh, PlatformUnavailable, ReconnectRequired("over")))
    assert await is_caught(CONTRACT.test_refresh_while_the_platform_is_down)


async def test_taking_the_end_for_an_outage(echo: ModuleType, break_hook: Break) -> None:
    break_hook("refresh", turning(echo.refresh, ReconnectRequired, PlatformUnavailable("down")))
    assert await is_caught(CONTRACT.test_revoked_access_leads_to_the_member)


async def test_blaming_the_author_for_an_expired_token(echo: ModuleType, break_hook: Break) -> None:
    right = echo.publish

    async def publish(ctx: Any, credential: Any, post: Any) -> Any:
        try:
            return await right(ctx, credential, post)
        except TokenExpired:
            raise PostRejected(Problem(message="no")) from None

    break_hook("publish", publish)
    assert await is_caught(CONTRACT.test_expired_token_is_told_and_can_be_mended)


async def test_an_id_that_changes(echo: ModuleType, break_hook: Break) -> None:
    right = echo.exchange

    async def exchange(ctx: Any, grant: Any) -> Any:
        credential = await right(ctx, grant)
        return replace(credential, account=replace(credential.account, id=secrets.token_hex(4)))

    break_hook("exchange", exchange)
    assert await is_caught(CONTRACT.test_same_person_keeps_the_id)


async def test_a_text_that_is_changed(echo: ModuleType, break_hook: Break) -> None:
    right = echo.publish

    async def publish(ctx: Any, credential: Any, post: Any) -> Any:
        return await right(ctx, credential, replace(post, text=post.text.replace("<", "&lt;")))

    break_hook("publish", publish)
    assert await is_caught(CONTRACT.test_text_with_a_link_is_published_once)


async def test_a_length_nobody_checks(break_hook: Break) -> None:
    break_hook("validate", lambda: ())
    assert await is_caught(CONTRACT.test_length_is_checked_beforehand)


@pytest.mark.parametrize("said", ["Your secret is {secret}.", "two\nlines", ""])
async def test_a_set_up_that_is_shown_badly(echo: ModuleType, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    def inspect(client: Any) -> Any:
        return [SetupNote(level=SetupLevel.OK, message=said.format(secret=client.client_secret))]

    monkeypatch.setattr(echo, "inspect", hookimpl(inspect), raising=False)
    assert await is_caught(CONTRACT.test_inspecting_the_set_up_says_a_line_each_and_no_secret)


async def test_never_finding_anything(echo: ModuleType, break_hook: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    async def find_published() -> None:
        return None

    monkeypatch.setattr(echo.FakeEcho, "knows_keys", True)
    assert not await is_caught(CONTRACT.test_lost_post_is_found)
    break_hook("find_published", find_published)
    assert await is_caught(CONTRACT.test_lost_post_is_found)


async def test_a_refresh_token_that_is_lost(echo: ModuleType, break_hook: Break) -> None:
    right = echo.refresh

    async def refresh(ctx: Any, credential: Any) -> Any:
        return replace(await right(ctx, credential), refresh_token=None)

    break_hook("refresh", refresh)
    assert await is_caught(CONTRACT.test_refreshed_tokens_work)


async def test_a_revoke_that_does_nothing(break_hook: Break) -> None:
    async def revoke() -> None:
        return None

    break_hook("revoke", revoke)
    assert await is_caught(CONTRACT.test_revoke_ends_the_access)


@pytest.fixture
def offences(echo: ModuleType, caplog: pytest.LogCaptureFixture) -> Callable[[], Any]:
    caplog.set_level(logging.DEBUG)

    async def offences() -> list[str]:
        async with open_stage("echo") as stage:
            credential = await stage.connect()
            with stage.raises(PlatformError):
                await stage.refresh(credential)
            found = stage.list_offences(caplog.records)
        assert all(credential.tokens.access_token not in offence for offence in found)
        return found

    return offences


@pytest.mark.parametrize("is_chained", [True, False])
async def test_a_token_in_an_error(break_hook: Break, offences: Callable[[], Any], is_chained: bool) -> None:
    async def refresh(credential: Any) -> None:
        cause = ValueError(credential.tokens.access_token)
        if is_chained:
            raise PlatformUnavailable("down") from cause
        raise PlatformUnavailable(f"down: {cause}")

    break_hook("refresh", refresh)
    assert any("a secret shows" in offence for offence in await offences())


async def test_a_token_in_the_log(break_hook: Break, offences: Callable[[], Any]) -> None:
    async def refresh(credential: Any) -> None:
        logging.getLogger("plugin").debug("with %s", credential.tokens.access_token)
        raise PlatformUnavailable("down")

    break_hook("refresh", refresh)
    assert any("a secret shows: with «secret»" in offence for offence in await offences())


async def test_asking_a_host_that_is_not_declared(break_hook: Break, offences: Callable[[], Any]) -> None:
    async def refresh(ctx: Any) -> None:
        try:
            await ctx.http.get("https://elsewhere.example/")
        except Exception:
            raise PlatformUnavailable("down") from None

    break_hook("refresh", refresh)
    assert await offences() == ["The echo plugin may not reach elsewhere.example; its describe() doesn't declare it."]


async def test_a_bug(break_hook: Break, offences: Callable[[], Any]) -> None:
    async def refresh() -> None:
        raise KeyError("oops")

    break_hook("refresh", refresh)
    (offence,) = await offences()
    assert offence.startswith("The echo plugin has a bug: refresh() raised KeyError.")


async def test_a_plugin_that_is_not_installed() -> None:
    with pytest.raises(AssertionError, match="0 fakes are installed for 'nothing'"):
        async with open_stage("nothing"):
            pass
