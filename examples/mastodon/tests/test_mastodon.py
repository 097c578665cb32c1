"""What is Mastodon's own: its counting, its waiting, its keys, and what its refusals mean."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from logicspike.plugin import (
    AuthorizationFailed,
    Credential,
    MediaFile,
    MemberActionRequired,
    OutcomeUnknown,
    PlatformUnavailable,
    Post,
    PostRejected,
    PreparationLost,
    Prepared,
    PublishedPost,
    RateLimited,
    ReconnectRequired,
    Reply,
)
from logicspike.testing import SAMPLE_GIF, SAMPLE_MP4, SAMPLE_PNG, MemoryFile, Stage, open_stage
from logicspike_mastodon.counting import count_characters


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with open_stage("mastodon") as opened:
        yield opened


async def publish(
    stage: Stage, credential: Credential, text: str, *, key: str = "a-key", reply: Reply | None = None
) -> PublishedPost:
    return await stage.platforms.publish("mastodon", credential, Post(key=key, text=text, reply=reply))


async def prepare(stage: Stage, credential: Credential, *files: MediaFile) -> tuple[Post, Prepared]:
    post = Post(key="a-key", text="Look", media=tuple(file.media for file in files))
    return post, await stage.platforms.prepare("mastodon", credential, post, files=files, card=None)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("Straße 日本", 9),
        ("https://example.com/a/very/long/address?with=many&words=in#it", 23),
        ("See http://x.example.", 4 + 23 + 1),
        ("(https://example.com/)", 2 + 23),
        ("Hello @ann@lake.example!", len("Hello @ann!")),
        ("Hello @ann, mail me@example.com", len("Hello @ann, mail me@example.com")),
        ("e\u0301", 1),
    ],
)
def test_counting(text: str, length: int) -> None:
    assert length == count_characters(text)


async def test_account_names_its_server(stage: Stage) -> None:
    account = (await stage.connect()).account
    assert account.id.startswith("109001@127.0.0.1:")
    assert account.handle is not None
    assert account.handle.startswith("@acme@127.0.0.1:")
    assert "Acme Inc" == account.name


async def test_server_of_something_else_is_told_to_the_member(stage: Stage) -> None:
    async with TestServer(web.Application()) as elsewhere:
        with stage.raises(AuthorizationFailed) as caught:
            await stage.ask(server=str(elsewhere.make_url("").origin()))
    assert "That server isn't Mastodon's, or lets no apps sign people in." == caught[0].explanation


async def test_server_that_is_down_is_no_other_platform(stage: Stage) -> None:
    stage.fake.switch("unavailable")
    with stage.raises(PlatformUnavailable):
        await stage.ask()


@pytest.mark.parametrize("content", [SAMPLE_MP4, SAMPLE_GIF])
async def test_what_is_large_is_waited_for(stage: Stage, content: bytes) -> None:
    credential, before = await stage.connect(), stage.clock.now()
    await prepare(stage, credential, MemoryFile(content))
    looks = [path for method, path in stage.fake.requests if method == "GET" and path.startswith("/api/v1/media/")]
    assert 3 == len(looks)
    assert timedelta(seconds=3) == stage.clock.now() - before  # a second, then two


async def test_picture_is_ready_at_once(stage: Stage) -> None:
    credential, before = await stage.connect(), stage.clock.now()
    await prepare(stage, credential, MemoryFile(SAMPLE_PNG))
    assert before == stage.clock.now()


async def test_key_is_good_for_an_hour(stage: Stage) -> None:
    credential = await stage.connect()
    first = await publish(stage, credential, "Once")
    stage.clock.advance(timedelta(minutes=59))
    assert first == await publish(stage, credential, "Once")
    stage.clock.advance(timedelta(minutes=1))
    assert first != await publish(stage, credential, "Once")


async def test_rate_limit_ends_when_the_server_says(stage: Stage) -> None:
    credential = await stage.connect()
    stage.fake.switch("rate_limit")
    with stage.raises(RateLimited) as caught:
        await publish(stage, credential, "Too much")
    assert isinstance(caught[0], RateLimited)
    assert stage.clock.now() + timedelta(minutes=5) == caught[0].until


async def test_post_that_was_replied_to_and_is_gone(stage: Stage) -> None:
    credential = await stage.connect()
    with stage.raises(PostRejected) as caught:
        await publish(stage, credential, "Part 2", reply=Reply(root_id="1", previous_id="1"))
    assert "is gone" in caught[0].explanation


async def test_limited_account_is_the_members_to_mend(stage: Stage) -> None:
    credential = await stage.connect()
    stage.fake.switch("limited")
    with stage.raises(MemberActionRequired):
        await publish(stage, credential, "May I?")
    with stage.raises(MemberActionRequired):
        await stage.platforms.check("mastodon", credential)


async def test_lost_files_and_a_refused_text_are_told_apart(stage: Stage) -> None:
    credential = await stage.connect()
    post, prepared = await prepare(stage, credential, MemoryFile(SAMPLE_PNG))
    too_long = Post(key="b-key", text="a" * 501, media=post.media)
    with stage.raises(PostRejected):
        await stage.platforms.publish("mastodon", credential, too_long, prepared)
    stage.clock.advance(timedelta(days=1))
    with stage.raises(PreparationLost):
        await stage.platforms.publish("mastodon", credential, post, prepared)
    assert prepared.expires_at is not None
    assert prepared.expires_at < stage.clock.now()


async def test_withdrawn_access_needs_the_member(stage: Stage) -> None:
    credential = await stage.connect()
    stage.fake.perform("revoke")
    with stage.raises(ReconnectRequired):
        await stage.platforms.check("mastodon", credential)


async def test_lost_post_is_told_from_others_with_the_same_text(stage: Stage) -> None:
    credential = await stage.connect()
    first = await publish(stage, credential, "Same words")
    lost = Post(key="lost", text="Same words", reply=Reply(root_id=first.id, previous_id=first.id))
    assert await stage.platforms.find_published("mastodon", credential, lost) is None
    stage.fake.switch("accept_then_drop", times=1)
    with stage.raises(OutcomeUnknown):
        await stage.platforms.publish("mastodon", credential, lost)
    found = await stage.platforms.find_published("mastodon", credential, lost)
    assert found is not None
    assert stage.fake.ledger[1].id == found.id


async def test_disconnecting_one_connection_leaves_another_of_the_same_person(stage: Stage) -> None:
    first, second = await stage.connect(), await stage.connect()
    await stage.platforms.revoke("mastodon", first, is_last=False)
    assert await publish(stage, second, "Still here")
    with stage.raises(ReconnectRequired):
        await publish(stage, first, "Not any more")
