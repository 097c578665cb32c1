"""The checks for what a plugin declares beyond text: one broken plugin for each thing they must catch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from logicspike.plugin import (
    AccessReport,
    OutcomeUnknown,
    PlatformError,
    PlatformEventOutcome,
    PlatformUnavailable,
    PostRejected,
    PreparationLost,
    Prepared,
    Problem,
    ReconnectRequired,
    TextLength,
    TokenExpired,
    hookimpl,
)
from logicspike.testing import PlatformContract
from logicspike.testing.stage import open_stage

Break = Callable[[str, Any], None]
CONTRACT = PlatformContract()


@pytest.fixture
def gallery(installed_gallery: ModuleType) -> ModuleType:
    return installed_gallery


@pytest.fixture
def break_hook(gallery: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Break:
    return lambda name, function: monkeypatch.setattr(gallery, name, hookimpl(function))


async def is_caught(test: Callable[..., Any], *arguments: object) -> bool:
    async with open_stage("gallery") as stage:
        try:
            await test(stage, *arguments)
        except (AssertionError, PlatformError):
            return True
        return bool(stage.find_leaks(()))


async def test_unbroken_plugin_is_not_caught(gallery: ModuleType) -> None:
    assert not await is_caught(CONTRACT.test_each_kind_of_media_is_published)
    assert not await is_caught(CONTRACT.test_forged_callback_is_refused)


# --- media ------------------------------------------------------------------------------------------------------------


async def test_a_fake_that_takes_no_media(gallery: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery.FakeGallery, "takes_media", False)
    assert await is_caught(CONTRACT.test_fake_takes_the_media_that_are_declared)


async def test_a_post_without_its_media(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.publish

    async def publish(ctx: Any, credential: Any, post: Any) -> Any:
        return await right(ctx, credential, post, None)

    break_hook("publish", publish)
    assert await is_caught(CONTRACT.test_each_kind_of_media_is_published)
    assert await is_caught(CONTRACT.test_forgotten_preparation_is_told)
    assert await is_caught(CONTRACT.test_link_card_is_shown, True)


async def test_not_waiting_until_it_is_processed(gallery: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    async def upload(ctx: Any, credential: Any, file: Any) -> str:
        async with file.open() as stream:
            body = gallery.to_payload(file.media, stream)
            url, tokens = f"{ctx.endpoints['api']}/media", credential.tokens
            reply = await gallery.oauth2.call(ctx, "POST", url, tokens=tokens, params={"alt": ""}, body=body)
        return str(reply.object["id"])

    monkeypatch.setattr(gallery, "upload", upload)
    assert await is_caught(CONTRACT.test_each_kind_of_media_is_published)


async def test_cutting_the_alt_text(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.prepare

    async def prepare(ctx: Any, credential: Any, post: Any, files: Any, card: Any) -> Any:
        for file in files:
            file.media = replace(file.media, alt_text=file.media.alt_text[:100])
        return await right(ctx, credential, post, files, card)

    break_hook("prepare", prepare)
    assert await is_caught(CONTRACT.test_alt_text_arrives)


async def test_another_order_of_media(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.prepare

    async def prepare(ctx: Any, credential: Any, post: Any, files: Any, card: Any) -> Any:
        return await right(ctx, credential, post, files[::-1], card)

    break_hook("prepare", prepare)
    assert await is_caught(CONTRACT.test_several_media_keep_their_order)


async def test_publishing_while_preparing(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.prepare

    async def prepare(ctx: Any, credential: Any, post: Any, files: Any, card: Any) -> Any:
        prepared = await right(ctx, credential, post, files, card)
        await gallery.publish(ctx, credential, post, prepared)
        return prepared

    break_hook("prepare", prepare)
    assert await is_caught(CONTRACT.test_preparing_shows_nothing_and_may_be_repeated)


async def test_preparing_once_for_good(gallery: ModuleType, break_hook: Break) -> None:
    right, kept = gallery.prepare, {}

    async def prepare(ctx: Any, credential: Any, post: Any, files: Any, card: Any) -> Any:
        if post.key not in kept:
            kept[post.key] = await right(ctx, credential, post, files, card)
        return kept[post.key]

    break_hook("prepare", prepare)
    assert await is_caught(CONTRACT.test_preparing_shows_nothing_and_may_be_repeated)
    kept.clear()
    assert await is_caught(CONTRACT.test_forgotten_preparation_is_told)


@pytest.mark.parametrize("fault", ["unavailable", "garbage", "rate_limit", "fail_processing"])
async def test_keeping_a_failed_upload_to_oneself(gallery: ModuleType, break_hook: Break, fault: str) -> None:
    right = gallery.prepare

    async def prepare(ctx: Any, credential: Any, post: Any, files: Any, card: Any) -> Any:
        try:
            return await right(ctx, credential, post, files, card)
        except PlatformError:
            return Prepared(handles={})

    break_hook("prepare", prepare)
    assert await is_caught(CONTRACT.test_failed_upload_is_told_and_posts_nothing, fault)
    assert await is_caught(CONTRACT.test_ended_access_is_told_while_preparing)


@pytest.mark.parametrize("into", [PostRejected(Problem(message="no")), PlatformUnavailable("down")])
async def test_taking_a_lost_preparation_for_something_else(
    gallery: ModuleType, break_hook: Break, into: PlatformError
) -> None:
    right = gallery.publish

    async def publish(ctx: Any, credential: Any, post: Any, prepared: Any) -> Any:
        try:
            return await right(ctx, credential, post, prepared)
        except PreparationLost:
            raise into from None

    break_hook("publish", publish)
    assert await is_caught(CONTRACT.test_forgotten_preparation_is_told)


async def test_a_token_among_the_handles(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.prepare

    async def prepare(ctx: Any, credential: Any, post: Any, files: Any, card: Any) -> Any:
        prepared = await right(ctx, credential, post, files, card)
        return replace(prepared, handles={**prepared.handles, "token": credential.tokens.access_token})

    break_hook("prepare", prepare)
    assert await is_caught(CONTRACT.test_each_kind_of_media_is_published)


async def test_a_preparation_that_is_over_at_once(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.prepare

    async def prepare(ctx: Any, credential: Any, post: Any, files: Any, card: Any) -> Any:
        return replace(await right(ctx, credential, post, files, card), expires_at=ctx.now)

    break_hook("prepare", prepare)
    assert await is_caught(CONTRACT.test_each_kind_of_media_is_published)


# --- link cards -------------------------------------------------------------------------------------------------------


async def test_a_card_without_its_picture(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.prepare

    async def prepare(ctx: Any, credential: Any, post: Any, files: Any, card: Any) -> Any:
        return await right(ctx, credential, post, files, card and replace(card, picture=None))

    break_hook("prepare", prepare)
    assert await is_caught(CONTRACT.test_link_card_is_shown, True)
    assert not await is_caught(CONTRACT.test_link_card_is_shown, False)


async def test_insisting_on_a_card(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.publish

    async def publish(ctx: Any, credential: Any, post: Any, prepared: Any) -> Any:
        if prepared is None or "title" not in prepared.handles:
            raise PostRejected(Problem(message="no card"))
        return await right(ctx, credential, post, prepared)

    break_hook("publish", publish)
    assert await is_caught(CONTRACT.test_link_without_a_card_is_published)


# --- parts and counting -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["root", "nothing"])
async def test_replying_to_the_wrong_post(gallery: ModuleType, break_hook: Break, wrong: str) -> None:
    right = gallery.publish

    async def publish(ctx: Any, credential: Any, post: Any, prepared: Any) -> Any:
        if post.reply is not None:
            reply = None if wrong == "nothing" else replace(post.reply, previous_id=post.reply.root_id)
            post = replace(post, reply=reply)
        return await right(ctx, credential, post, prepared)

    break_hook("publish", publish)
    assert await is_caught(CONTRACT.test_parts_go_out_in_order_each_under_the_right_post)


async def test_needing_the_reply_while_only_checking(break_hook: Break) -> None:
    def validate(post: Any) -> list[Problem]:
        return [] if post.part == 0 else [Problem(message="no")] * (post.reply.root_id == "")

    break_hook("validate", validate)
    assert await is_caught(CONTRACT.test_further_part_can_be_checked_before_the_first_is_live)


async def test_finding_the_first_part_for_a_lost_one(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.find_published

    async def find_published(ctx: Any, credential: Any, post: Any) -> Any:
        first = replace(post, key="key of Begun")
        return await right(ctx, credential, first)

    break_hook("find_published", find_published)
    assert await is_caught(CONTRACT.test_lost_part_is_unknown_and_found, "accept_then_drop")


async def test_calling_a_lost_part_a_failure(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.publish

    async def publish(ctx: Any, credential: Any, post: Any, prepared: Any) -> Any:
        try:
            return await right(ctx, credential, post, prepared)
        except OutcomeUnknown:
            raise PlatformUnavailable("down") from None

    break_hook("publish", publish)
    assert await is_caught(CONTRACT.test_lost_part_is_unknown_and_found, "error_after_accept")
    assert await is_caught(CONTRACT.test_lost_post_with_media_is_found)


async def test_never_finding_a_post_with_media(break_hook: Break) -> None:
    async def find_published() -> None:
        return None

    break_hook("find_published", find_published)
    assert await is_caught(CONTRACT.test_lost_post_with_media_is_found)


@pytest.mark.parametrize("limit", [200, 199])
async def test_a_count_that_differs_from_the_check(break_hook: Break, limit: int) -> None:
    break_hook("measure", lambda post: TextLength(length=len(post.text), limit=limit))
    assert await is_caught(CONTRACT.test_count_agrees_with_the_check, "a link" if limit == 200 else "plain")


# --- access -----------------------------------------------------------------------------------------------------------


async def test_a_check_that_asks_nobody(gallery: ModuleType, break_hook: Break) -> None:
    async def check() -> AccessReport:
        return AccessReport()

    break_hook("check", check)
    assert await is_caught(CONTRACT.test_check_notices_that_access_was_withdrawn)
    assert await is_caught(CONTRACT.test_check_of_a_platform_in_trouble_says_nothing, "unavailable")


async def test_a_check_that_ends_the_access_in_an_outage(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.check

    async def check(ctx: Any, credential: Any) -> Any:
        try:
            return await right(ctx, credential)
        except PlatformUnavailable:
            raise ReconnectRequired("over") from None

    break_hook("check", check)
    assert await is_caught(CONTRACT.test_check_of_a_platform_in_trouble_says_nothing, "unavailable")
    assert await is_caught(CONTRACT.test_check_of_a_platform_in_trouble_says_nothing, "garbage")


async def test_a_check_that_calls_withdrawn_access_an_outage(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.check

    async def check(ctx: Any, credential: Any) -> Any:
        try:
            return await right(ctx, credential)
        except TokenExpired:
            raise PlatformUnavailable("down") from None

    break_hook("check", check)
    assert await is_caught(CONTRACT.test_check_notices_that_access_was_withdrawn)


async def test_a_check_that_reports_other_permissions(break_hook: Break) -> None:
    async def check() -> AccessReport:
        return AccessReport(scopes=("sing",))

    break_hook("check", check)
    assert await is_caught(CONTRACT.test_check_reports_the_permissions)


async def test_withdrawing_what_others_use(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.revoke

    async def revoke(ctx: Any, credential: Any) -> None:
        await right(ctx, credential, True)

    break_hook("revoke", revoke)
    assert await is_caught(CONTRACT.test_disconnecting_one_leaves_others_of_the_same_grant)


async def test_never_withdrawing(break_hook: Break) -> None:
    async def revoke() -> None:
        return None

    break_hook("revoke", revoke)
    assert await is_caught(CONTRACT.test_disconnecting_one_leaves_others_of_the_same_grant)


async def test_believing_every_callback(gallery: ModuleType, break_hook: Break) -> None:
    async def receive(event: Any) -> PlatformEventOutcome:
        return PlatformEventOutcome(ended_grants=(event.body.decode() or "nobody",))

    break_hook("receive", receive)
    assert await is_caught(CONTRACT.test_forged_callback_is_refused)


async def test_checking_only_that_there_is_a_signature(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.receive

    async def receive(ctx: Any, event: Any) -> Any:
        signature = gallery.sign(ctx.client.client_secret, event.body) if "x-signature" in event.headers else ""
        return await right(ctx, replace(event, headers={"x-signature": signature}))

    break_hook("receive", receive)
    assert await is_caught(CONTRACT.test_forged_callback_is_refused)


async def test_a_callback_that_names_nobody(break_hook: Break) -> None:
    async def receive() -> PlatformEventOutcome:
        return PlatformEventOutcome()

    break_hook("receive", receive)
    assert await is_caught(CONTRACT.test_callback_names_the_grant)


async def test_asking_through_the_wrong_developer_app(gallery: ModuleType, break_hook: Break) -> None:
    right = gallery.authorize

    async def authorize(ctx: Any, request: Any) -> Any:
        client = replace(ctx.client, client_id=ctx.client.client_id.removesuffix("-walls"))
        return await right(replace(ctx, client=client), request)

    break_hook("authorize", authorize)
    assert await is_caught(CONTRACT.test_each_credential_set_connects_accounts_of_its_own)


# --- servers ----------------------------------------------------------------------------------------------------------


async def is_caught_at_pond(test: Callable[..., Any]) -> bool:
    async with open_stage("pond") as stage:
        try:
            await test(stage)
        except (AssertionError, PlatformError):
            return True
    return False


async def test_an_id_that_does_not_name_the_server(installed_pond: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not await is_caught_at_pond(CONTRACT.test_each_server_has_accounts_of_its_own)
    right = installed_pond.Pond.exchange

    async def exchange(self: Any, ctx: Any, grant: Any) -> Any:
        credential = await right(self, grant, ctx)
        account = replace(credential.account, id=credential.account.id.partition("@")[0])
        return replace(credential, account=account)

    monkeypatch.setattr(installed_pond.Pond, "exchange", hookimpl(exchange))
    assert await is_caught_at_pond(CONTRACT.test_each_server_has_accounts_of_its_own)
