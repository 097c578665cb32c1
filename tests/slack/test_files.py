"""Files of Slack's: streamed with the token, to Slack alone; checked on the way; gone, or down, in plain words."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from logicspike.file_types import find_content_type
from logicspike.plugin import MediaKind, OperatorActionRequired, PlatformUnavailable, PostRejected
from logicspike.slack import files as slack_files
from logicspike.slack.client import build_client
from logicspike.slack.files import SlackFiles
from logicspike.testing import SAMPLE_GIF, SAMPLE_JPEG, SAMPLE_MP4, SAMPLE_PNG

LARGE = SAMPLE_PNG + b"\0" * 1_000_000


@pytest.fixture
async def files(slack):
    async with aiohttp.ClientSession() as session:
        client = build_client(token="xoxb-test-token", api_url=slack.api_url, session=session)
        yield SlackFiles(client, session=session)


def upload(slack, content=SAMPLE_PNG, name="cat.png"):
    return slack.files.upload("U0ANA", name, content)


async def read(files, media, max_bytes=10**9):
    async with files.get("T0ACME", media, max_bytes=max_bytes).open() as stream:
        return b"".join([piece async for piece in stream])


def words(caught):
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("content", "name", "kind", "content_type"),
    [
        (SAMPLE_PNG, "cat.png", MediaKind.IMAGE, "image/png"),
        (SAMPLE_JPEG, "cat.png", MediaKind.IMAGE, "image/jpeg"),
        (SAMPLE_GIF, "cat.gif", MediaKind.GIF, "image/gif"),
        (SAMPLE_MP4, "cat.mp4", MediaKind.VIDEO, "video/mp4"),
    ],
)
async def test_a_file_is_what_its_content_says_not_its_name(slack, files, content, name, kind, content_type):
    media = await files.identify(upload(slack, content, name).id)
    assert (kind, content_type, name, len(content)) == (media.kind, media.content_type, media.name, media.size)


@pytest.mark.parametrize(("content", "name"), [(b"%PDF-1.4 hello", "report.pdf"), (b"", "empty.png"), (b"hi", "a.txt")])
async def test_what_is_no_picture_and_no_video_is_refused_by_its_name(slack, files, content, name):
    with pytest.raises(PostRejected) as caught:
        await files.identify(upload(slack, content, name).id)
    assert [f"{name} is neither a picture nor a video."] == words(caught)


async def test_a_file_is_read_in_pieces_and_can_be_read_again(slack, files):
    media = await files.identify(upload(slack, LARGE).id)
    file = files.get("T0ACME", media, max_bytes=10**9)
    for _ in range(2):
        async with file.open() as stream:
            pieces = [piece async for piece in stream]
        assert LARGE == b"".join(pieces)
        assert max(map(len, pieces)) < len(LARGE) / 2


async def test_reading_breaks_off_at_the_platforms_limit(slack, files):
    media = await files.identify(upload(slack, LARGE).id)
    with pytest.raises(PostRejected) as caught:
        await read(files, media, max_bytes=512 * 1024)
    assert ["cat.png has more than 512 KB."] == words(caught)


async def test_a_file_deleted_since_is_said_to_be_gone(slack, files):
    file = upload(slack)
    media = await files.identify(file.id)
    slack.files.delete(file.id)
    with pytest.raises(PostRejected) as caught:
        await read(files, media)
    assert ["I can't read cat.png in Slack any more. It may have been deleted. Please upload it again."] == words(
        caught
    )


@pytest.mark.parametrize("content", [SAMPLE_PNG + b"x", SAMPLE_PNG[:-1], SAMPLE_JPEG])
async def test_a_file_that_is_another_by_now_is_refused(slack, files, content):
    file = upload(slack)
    media = await files.identify(file.id)
    file.content = content
    with pytest.raises(PostRejected):
        await read(files, media)


async def test_without_the_scope_it_is_the_operators_to_mend(slack, files):
    file = upload(slack)
    slack.api.scopes -= {"files:read"}
    with pytest.raises(OperatorActionRequired, match="files:read"):
        await files.identify(file.id)


@pytest.mark.parametrize("error", ["ratelimited", "internal_error", "fatal_error"])
async def test_a_slack_that_does_not_answer_is_tried_again_later(slack, files, error):
    media = await files.identify(upload(slack).id)
    slack.api.fail("files.info", error)
    with pytest.raises(PlatformUnavailable):
        await read(files, media)


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (302, {"Location": "https://acme.slack.com/signin"}, PostRejected),
        (200, {"Content-Type": "text/html"}, PostRejected),
        (403, {}, PostRejected),
        (404, {}, PostRejected),
        (429, {}, PlatformUnavailable),
        (503, {}, PlatformUnavailable),
    ],
)
async def test_each_answer_instead_of_the_file_has_its_meaning(slack, files, monkeypatch, status, headers, error):
    media = await files.identify(upload(slack).id)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers, body=b"<html>Sign in</html>")

    monkeypatch.setattr(slack_files, "_HOSTS", frozenset())
    app = web.Application()
    app.router.add_get("/file", answer)
    async with TestServer(app) as server:
        monkeypatch.setattr(files, "_read_address", lambda *_: str(server.make_url("/file")))
        with pytest.raises(error):
            await read(files, media)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/files-pri/T1-F1/cat.png",
        "https://files.slack.com.evil.example/cat.png",
        "http://files.slack.com/cat.png",
        "https://files.slack.com:8443/cat.png",
        "https://files.slack.com@evil.example/cat.png",
        "https://docs.google.com/document/1",
        "file:///etc/passwd",
        "",
    ],
)
async def test_the_token_goes_to_slacks_own_addresses_only(slack, files, monkeypatch, url):
    file = upload(slack)
    media = await files.identify(file.id)
    monkeypatch.setattr(type(file), "to_json", lambda *_: {"mode": "hosted", "url_private_download": url})
    with pytest.raises(PostRejected, match="isn't kept in Slack itself"):
        await files.locate(media)


async def test_slacks_file_host_is_one_of_them(slack, files, monkeypatch):
    file = upload(slack)
    media = await files.identify(file.id)
    url = "https://files.slack.com/files-pri/T1-F1/download/cat.png"
    monkeypatch.setattr(type(file), "to_json", lambda *_: {"mode": "hosted", "url_private_download": url})
    assert url == await files.locate(media)


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "video/mp4"),
        (b"\0\0\0\x18ftypiso5\0\0\0\0", "video/mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0", "video/quicktime"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"),
        (b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 40, "image/webp"),
        (b"<!DOCTYPE html><html>", "text/html"),
        (b"hello", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_the_type(head, content_type):
    assert content_type == find_content_type(head)
