"""Videos: uploaded in the parts that Facebook asks for, and published by the last phase."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

import aiohttp
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
)
from logicspike.testing import SAMPLE_MP4, MemoryFile
from logicspike.testing.mock_http import MockHttp

VIDEO = SAMPLE_MP4 + bytes(5_000)


def video(content: bytes = VIDEO) -> MemoryFile:
    return MemoryFile(content, name="film.mp4")


def to_post(*files: MemoryFile, text: str = "Look") -> Post:
    return Post(key="key-1", text=text, media=tuple(file.media for file in files))


def digests(*files: MemoryFile) -> list[str]:
    return [sha256(file.content).hexdigest() for file in files]


def paths_since(rig: Any, before: int) -> list[str]:
    return [path.rpartition("/")[2] for _, path in rig.fake.requests[before:]]


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


@pytest.mark.parametrize("is_taken", [True, False])
async def test_an_upload_goes_on_where_a_lost_connection_broke_it_off(rig: Any, is_taken: bool) -> None:
    page, file = await rig.connect(), video()
    rig.fake.chunk_bytes = 2_000
    rig.fake.drop_next_chunk(is_taken=is_taken)
    await rig.publish_files(page, file)
    assert digests(file) == [each.sha256 for each in rig.fake.ledger[0].media]


async def test_a_connection_that_is_lost_again_and_again_ends_the_upload(rig: Any) -> None:
    page = await rig.connect()
    started = {"video_id": "1", "upload_session_id": "2", "start_offset": "0", "end_offset": "10"}
    with MockHttp() as http:
        http.post(videos(page), payload=started)
        http.post(videos(page), exception=aiohttp.ServerDisconnectedError(), repeat=True)
        with pytest.raises(PlatformUnavailable, match="can't be reached"):
            await rig.prepare(page, video())


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


async def test_a_video_that_ends_too_early_does_not_hang(rig: Any) -> None:
    page, file = await rig.connect(), video()
    file.media = Media(media_id="m", kind=MediaKind.VIDEO, content_type="video/mp4", size=len(VIDEO) + 9, name="x")
    with pytest.raises(PlatformUnavailable, match="too early"):
        await rig.prepare(page, file)


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
