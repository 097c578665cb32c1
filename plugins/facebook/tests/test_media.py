"""Photos and videos: uploaded ahead, where nobody sees them, and published in one call."""

from __future__ import annotations

import re
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
    PlatformError,
    PlatformUnavailable,
    Post,
    PostRejected,
    PreparationLost,
    Problem,
    RateLimited,
    ReconnectRequired,
)
from logicspike.testing import SAMPLE_GIF, SAMPLE_JPEG, SAMPLE_MP4, SAMPLE_PNG, MemoryFile
from logicspike.testing.mock_http import MockHttp

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


# --- videos -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [len(VIDEO) + 1, len(VIDEO), 1_000, 777])
async def test_a_video_arrives_byte_for_byte_however_facebook_cuts_it(rig: Any, chunk: int) -> None:
    page, file = await rig.connect(), video()
    rig.fake.chunk_bytes = chunk
    published = await rig.publish_files(page, file, text="A ride & more")

    (entry,) = rig.fake.ledger
    assert (entry.id, entry.text) == (published.id, "A ride & more")
    assert digests(file) == [each.sha256 for each in entry.media]
    assert published.url == f"{rig.origin}/{page.account.id}/videos/{published.id}/"
    async with rig.http.get(published.url) as shown:
        assert "A ride" in await shown.text()


async def test_the_last_phase_alone_publishes(rig: Any) -> None:
    page, file = await rig.connect(), video()
    prepared = await rig.prepare(page, file)
    assert rig.fake.ledger == []

    before = len(rig.fake.requests)
    await plugin.publish(rig.context(), page, to_post(file), prepared)
    assert ["videos"] == paths_since(rig, before)
    assert rig.seen[-1].form["upload_phase"] == "finish"
    assert rig.seen[-1].form["description"] == "Look"


async def test_facebook_may_ask_for_another_part_than_the_next(rig: Any) -> None:
    page, file = await rig.connect(), video()
    rig.fake.chunk_bytes = 2_000
    rig.fake.lose_next_chunk()
    await rig.publish_files(page, file)

    assert digests(file) == [each.sha256 for each in rig.fake.ledger[0].media]
    assert file.opened == 2, "going back opens the file anew"


@pytest.mark.parametrize(
    "offsets",
    [
        {"start_offset": "0", "end_offset": "10"},
        {"start_offset": "999999", "end_offset": "1999999"},
        {"start_offset": "9", "end_offset": "1"},
        {"start_offset": "x", "end_offset": None},
        {},
        {"start_offset": "-9", "end_offset": "5"},
    ],
)
async def test_parts_that_make_no_sense_end_the_upload(
    rig: Any, offsets: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logicspike_facebook.uploading._MOST_CHUNKS", 20)
    page = await rig.connect()
    started = {"video_id": "1", "upload_session_id": "2", "start_offset": "0", "end_offset": "10"}
    with MockHttp() as http:
        http.post(videos(page), payload=started)
        http.post(videos(page), payload=offsets, repeat=True)
        with pytest.raises(PlatformUnavailable):
            await rig.prepare(page, video())


async def test_corrections_without_end_are_given_up(rig: Any) -> None:
    page = await rig.connect()
    started = {"video_id": "1", "upload_session_id": "2", "start_offset": "0", "end_offset": "10"}
    told = {"start_offset": 0, "end_offset": 10}
    error = {"code": 6001, "error_subcode": 1363037, "message": "m", "error_data": told}
    with MockHttp() as http:
        http.post(videos(page), payload=started)
        http.post(videos(page), status=400, payload={"error": error}, repeat=True)
        with pytest.raises(PlatformUnavailable, match="broke off"):
            await rig.prepare(page, video())


@pytest.mark.parametrize("size", [500, 2_100_000_000])
async def test_a_video_of_a_wrong_size_is_refused_at_the_start(rig: Any, size: int) -> None:
    page, file = await rig.connect(), video()
    file.media = Media(media_id="m", kind=MediaKind.VIDEO, content_type="video/mp4", size=size, name="x")
    with pytest.raises(PostRejected) as caught:
        await rig.prepare(page, file)
    assert ["media"] == [problem.field for problem in caught.value.problems]
    assert file.opened == 0


async def test_a_video_that_facebook_forgot_is_made_anew(rig: Any) -> None:
    page, file = await rig.connect(), video()
    prepared = await rig.prepare(page, file)
    rig.fake.perform("forget_uploads")
    with pytest.raises(PreparationLost):
        await plugin.publish(rig.context(), page, to_post(file), prepared)
    assert rig.fake.ledger == []


async def test_a_success_that_does_not_say_so_may_be_one(rig: Any) -> None:
    page, file = await rig.connect(), video()
    prepared = await rig.prepare(page, file)
    with MockHttp() as http:
        http.post(videos(page), payload={"success": False})
        with pytest.raises(OutcomeUnknown):
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


async def test_a_video_that_ends_too_early_does_not_hang(rig: Any) -> None:
    page, file = await rig.connect(), video()
    file.media = Media(media_id="m", kind=MediaKind.VIDEO, content_type="video/mp4", size=len(VIDEO) + 9, name="x")
    with pytest.raises(PlatformUnavailable, match="too early"):
        await rig.prepare(page, file)


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


async def test_a_video_whose_answer_was_lost_on_the_way_there_is_not_published(rig: Any) -> None:
    page = await rig.connect()
    prepared = await rig.prepare(page, video())
    rig.fake.perform("forget_uploads")
    assert await plugin.find_published(rig.context(), page, to_post(video()), prepared) is None


@pytest.mark.parametrize("answer", [{"id": "1"}, {"id": "1", "published": "yes"}, []])
async def test_a_video_of_which_facebook_says_nothing_stays_open(rig: Any, answer: object) -> None:
    page = await rig.connect()
    prepared = await rig.prepare(page, video())
    with MockHttp() as http:
        http.get(re.compile(rf".*/v26\.0/{prepared.handles['video']}\?.*"), payload=answer)
        with pytest.raises(PlatformError):
            await plugin.find_published(rig.context(), page, to_post(video()), prepared)


def videos(page: Any) -> re.Pattern[str]:
    return re.compile(rf"^http://127\.0\.0\.1:\d+/v26\.0/{page.account.id}/videos$")
