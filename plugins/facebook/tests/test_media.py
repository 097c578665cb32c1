"""Photos and videos: uploaded ahead, where nobody sees them, and published in one call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

import logicspike_facebook as plugin
from logicspike.plugin import (
    Media,
    MediaKind,
    OutcomeUnknown,
    PlatformUnavailable,
    Post,
    PostRejected,
    PreparationLost,
    Problem,
    RateLimited,
    ReconnectRequired,
)
from logicspike.testing import SAMPLE_GIF, SAMPLE_JPEG, SAMPLE_MP4, SAMPLE_PNG, MemoryFile

VIDEO = SAMPLE_MP4 + bytes(5_000)


def photo(content: bytes = SAMPLE_PNG, *, number: int = 0, alt_text: str = "") -> MemoryFile:
    return MemoryFile(content + bytes(number), name=f"{number}.png", alt_text=alt_text, media_id=f"m{number}")


def video(content: bytes = VIDEO) -> MemoryFile:
    return MemoryFile(content, name="film.mp4")


def to_post(*files: MemoryFile, text: str = "Look") -> Post:
    return Post(key="key-1", text=text, media=tuple(file.media for file in files))


def medium(kind: MediaKind) -> Media:
    return Media(media_id="m", kind=kind, content_type="image/png", size=9, name="x")


def digests(*files: MemoryFile) -> list[str]:
    return [sha256(file.content).hexdigest() for file in files]


def paths_since(rig: Any, before: int) -> list[str]:
    return [path.rpartition("/")[2] for _, path in rig.fake.requests[before:]]


# --- what may be posted ----------------------------------------------------------------------------------------------


def test_photos_beside_a_video_are_a_problem_of_the_media() -> None:
    both = Post(key="k", text="x", media=(medium(MediaKind.IMAGE), medium(MediaKind.VIDEO)))
    (problem,) = plugin.validate(both)
    assert problem.field == "media"


def test_a_picture_needs_no_text() -> None:
    assert () == plugin.validate(Post(key="k", text="", media=(medium(MediaKind.IMAGE),)))


def test_the_limits_are_facebooks() -> None:
    rules = {rule.kind: rule for rule in plugin.describe().limits.media}
    assert rules[MediaKind.IMAGE].max_count == 10
    assert rules[MediaKind.IMAGE].max_bytes < 10_000_000
    assert "image/gif" in rules[MediaKind.IMAGE].content_types
    assert rules[MediaKind.VIDEO].max_count == 1
    assert MediaKind.GIF not in rules


# --- photos -----------------------------------------------------------------------------------------------------------


async def test_several_photos_are_one_post_in_order_with_their_descriptions(rig: Any) -> None:
    page = await rig.connect()
    files = [photo(number=number, alt_text=f"Bike “{number}” & <sun> é") for number in range(3)]
    published = await rig.publish_files(page, *files, text="Three bikes")

    (entry,) = rig.fake.ledger
    assert (entry.id, entry.text, entry.link) == (published.id, "Three bikes", None)
    assert digests(*files) == [each.sha256 for each in entry.media]
    assert [file.media.alt_text for file in files] == [each.alt_text for each in entry.media]


@pytest.mark.parametrize("content", [SAMPLE_PNG, SAMPLE_JPEG, SAMPLE_GIF])
async def test_one_photo_goes_the_same_way(rig: Any, content: bytes) -> None:
    page, file = await rig.connect(), photo(content)
    published = await rig.publish_files(page, file, text="")

    assert digests(file) == [each.sha256 for each in rig.fake.ledger[0].media]
    async with rig.http.get(published.url) as shown:
        assert shown.status == 200


async def test_uploading_shows_nothing_and_publishing_is_one_call(rig: Any) -> None:
    page, file = await rig.connect(), photo()
    prepared = await rig.prepare(page, file, photo(number=1))
    assert rig.fake.ledger == []
    assert timedelta(hours=20) < prepared.expires_at - rig.clock.now() < timedelta(hours=24)

    before = len(rig.fake.requests)
    await plugin.publish(rig.context(), page, to_post(file, photo(number=1)), prepared)
    assert ["feed"] == paths_since(rig, before)


async def test_a_link_in_the_text_of_photos_stays_a_text(rig: Any) -> None:
    page, file = await rig.connect(), photo()
    prepared = await rig.prepare(page, file)
    post = Post(key="k", text="See https://example.com/a", link="https://example.com/a", media=(file.media,))
    await plugin.publish(rig.context(), page, post, prepared)

    (entry,) = rig.fake.ledger
    assert (entry.text, entry.link, len(entry.media)) == (post.text, None, 1)


async def test_preparing_again_reads_the_file_again(rig: Any) -> None:
    page, file = await rig.connect(), photo()
    first, second = await rig.prepare(page, file), await rig.prepare(page, file)
    assert file.opened == 2
    assert first.handles != second.handles


@pytest.mark.parametrize(
    "file",
    [
        photo(SAMPLE_PNG + bytes(10_000_000)),
        MemoryFile(b"not a picture", content_type="image/png"),
        MemoryFile(SAMPLE_MP4, content_type="image/png"),
    ],
    ids=["too large", "no picture", "a video"],
)
async def test_a_photo_that_facebook_refuses_is_a_problem_of_the_media_before_the_post_is_due(
    rig: Any, file: MemoryFile
) -> None:
    page = await rig.connect()
    file.media = Media(media_id="m", kind=MediaKind.IMAGE, content_type="image/png", size=len(file.content), name="x")
    with pytest.raises(PostRejected) as caught:
        await rig.prepare(page, file)
    assert ["media"] == [problem.field for problem in caught.value.problems]


async def test_photos_that_facebook_forgot_are_made_anew(rig: Any) -> None:
    page, file = await rig.connect(), photo()
    prepared = await rig.prepare(page, file)
    rig.clock.advance(timedelta(hours=25))
    with pytest.raises(PreparationLost):
        await plugin.publish(rig.context(), page, to_post(file), prepared)
    assert rig.fake.ledger == []
    assert await rig.publish_files(page, file)


async def test_a_refusal_that_is_not_about_the_photos_stays_one(rig: Any) -> None:
    page, file = await rig.connect(), photo()
    prepared = await rig.prepare(page, file)
    rig.fake.refuse_with("100", path="/feed")
    with pytest.raises(PostRejected):
        await plugin.publish(rig.context(), page, to_post(file), prepared)


@pytest.mark.parametrize("files", [(photo(),), (photo(), photo(number=1))])
async def test_a_post_is_never_published_without_its_photos(rig: Any, files: tuple[MemoryFile, ...]) -> None:
    page = await rig.connect()
    too_few = await rig.prepare(page, *files[1:])
    for prepared in (None, too_few):
        with pytest.raises(PreparationLost):
            await plugin.publish(rig.context(), page, to_post(*files), prepared)
    assert rig.fake.ledger == []


async def test_photos_posted_by_an_earlier_try_are_that_post(rig: Any) -> None:
    page, file = await rig.connect(), photo()
    prepared = await rig.prepare(page, file)
    first = await plugin.publish(rig.context(), page, to_post(file), prepared)
    assert first == await plugin.publish(rig.context(), page, to_post(file), prepared)
    assert len(rig.fake.ledger) == 1


async def test_photos_already_posted_elsewhere_are_refused(rig: Any) -> None:
    page, file = await rig.connect(), photo()
    prepared = await rig.prepare(page, file)
    rig.fake.refuse_with("1366051", path="/feed")
    with pytest.raises(PostRejected, match="has this photo"):
        await plugin.publish(rig.context(), page, to_post(file), prepared)


# --- trouble ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [photo(), video()], ids=["photo", "video"])
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("unavailable", PlatformUnavailable),
        ("garbage", PlatformUnavailable),
        ("rate_limit", RateLimited),
        ("posting_withheld", ReconnectRequired),
        ("fail_processing", (PostRejected, PlatformUnavailable)),
    ],
)
async def test_an_upload_that_fails_says_so_before_the_post_is_due(
    rig: Any, file: MemoryFile, fault: str, expected: Any
) -> None:
    page = await rig.connect()
    rig.fake.switch(fault)
    with pytest.raises(expected):
        await rig.prepare(page, file)
    rig.fake.switch(fault, on=False)
    assert rig.fake.ledger == []
    assert await rig.publish_files(page, file)


class Vanishing(MemoryFile):
    """A file that is deleted while it is read."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        async def pieces() -> AsyncIterator[bytes]:
            yield self.content[:20]
            raise PostRejected(Problem(message="The file is gone.", field="media"))

        yield pieces()


@pytest.mark.parametrize("content", [SAMPLE_PNG, VIDEO], ids=["photo", "video"])
async def test_a_file_that_is_deleted_meanwhile_is_told_as_such(rig: Any, content: bytes) -> None:
    page = await rig.connect()
    with pytest.raises(PostRejected, match="gone"):
        await rig.prepare(page, Vanishing(content))


# --- finding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("files", [(photo(),), (photo(), photo(number=1)), (video(),)], ids=["one", "two", "video"])
async def test_a_lost_post_is_found_by_its_uploads_even_without_a_text(rig: Any, files: tuple[MemoryFile, ...]) -> None:
    page = await rig.connect()
    await rig.publish_files(page, photo(SAMPLE_JPEG), text="")
    prepared, post = await rig.prepare(page, *files), to_post(*files, text="")
    assert await plugin.find_published(rig.context(), page, post, prepared) is None

    rig.fake.switch("accept_then_drop", times=1)
    with pytest.raises(OutcomeUnknown):
        await plugin.publish(rig.context(), page, post, prepared)
    await rig.publish_files(page, photo(SAMPLE_GIF), text="")
    found = await plugin.find_published(rig.context(), page, post, prepared)
    assert found is not None
    assert found.id == rig.fake.ledger[1].id
    async with rig.http.get(found.url) as shown:
        assert shown.status == 200


async def test_another_post_of_the_same_text_is_not_taken_for_the_one_with_photos(rig: Any) -> None:
    page, file = await rig.connect(), photo()
    await rig.publish_files(page, file, text="Every day")
    prepared = await rig.prepare(page, file)
    assert await plugin.find_published(rig.context(), page, to_post(file, text="Every day"), prepared) is None


async def test_without_text_and_uploads_nothing_can_be_said(rig: Any) -> None:
    page = await rig.connect()
    with pytest.raises(OutcomeUnknown):
        await plugin.find_published(rig.context(), page, to_post(photo(), text=""), None)
