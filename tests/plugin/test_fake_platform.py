"""What every fake has for media, replies and cards: uploads that are found out, kept and taken, and the timeline."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import ClassVar

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from echo_platform import FakeEcho

from logicspike.clock import MovableClock
from logicspike.plugin import MediaKind
from logicspike.testing import (
    SAMPLE_GIF,
    SAMPLE_JPEG,
    SAMPLE_MP4,
    SAMPLE_PNG,
    ConsentRequest,
    FakeAccount,
    FakeCard,
    FakeEvent,
    FakePlatform,
    FakeUploads,
    MemoryFile,
    UploadRefused,
    UploadState,
)

ANN, BEN = FakeEcho.people


class FakeGallery(FakeEcho):
    """Echo, with media."""

    takes_media = True


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(is_frozen=True)


@pytest.fixture
def uploads(clock: MovableClock) -> FakeUploads:
    return FakeUploads(clock=clock)


@pytest.fixture
def fake(clock: MovableClock) -> FakePlatform:
    return FakeGallery(client_id="client", client_secret="secret", clock=clock)


@pytest_asyncio.fixture
async def address(fake: FakePlatform) -> AsyncIterator[str]:
    server = TestServer(fake.build_app())
    await server.start_server()
    yield str(server.make_url("")).rstrip("/")
    await server.close()


async def read(url: str) -> tuple[int, str, bytes]:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status, answer.content_type, await answer.read()


@pytest.mark.parametrize(
    ("content", "kind", "content_type"),
    [
        (SAMPLE_PNG, MediaKind.IMAGE, "image/png"),
        (SAMPLE_JPEG, MediaKind.IMAGE, "image/jpeg"),
        (SAMPLE_GIF, MediaKind.GIF, "image/gif"),
        (SAMPLE_MP4, MediaKind.VIDEO, "video/mp4"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", MediaKind.IMAGE, "image/webp"),
        (b"\x00\x00\x00\x14ftypqt  ", MediaKind.VIDEO, "video/quicktime"),
    ],
)
def test_type_is_found_in_the_bytes(uploads: FakeUploads, content: bytes, kind: MediaKind, content_type: str) -> None:
    uploads.keep("m-1", content, alt_text="A square")
    medium = uploads.take("m-1")
    assert (kind, content_type, len(content), "A square") == (
        medium.kind,
        medium.content_type,
        medium.size,
        medium.alt_text,
    )
    assert hashlib.sha256(content).hexdigest() == medium.sha256
    assert uploads.get_served("m-1") == (content_type, content)


def refusal(uploads: FakeUploads, upload_id: str, account: FakeAccount | None = None) -> str:
    with pytest.raises(UploadRefused) as caught:
        uploads.take(upload_id, account=account)
    return caught.value.reason


def test_upload_is_taken_once_unless_it_may_be_reused(uploads: FakeUploads) -> None:
    uploads.keep("m-1", SAMPLE_PNG, account=ANN)
    assert "foreign" == refusal(uploads, "m-1", BEN)
    uploads.take("m-1", account=ANN)
    assert "used" == refusal(uploads, "m-1", ANN)
    assert "m-1" == uploads.take("m-1", account=ANN, is_reusable=True).id


def test_upload_is_over_by_the_clock_but_a_post_keeps_it(uploads: FakeUploads, clock: MovableClock) -> None:
    for upload_id in ("m-1", "m-2"):
        uploads.keep(upload_id, SAMPLE_PNG, lifetime=timedelta(hours=24))
    uploads.take("m-1")
    clock.advance(timedelta(hours=24))
    assert uploads.find("m-2") is None
    assert "unknown" == refusal(uploads, "m-2")
    assert uploads.get_served("m-1") is not None


def test_processing_ends_after_so_many_looks(uploads: FakeUploads) -> None:
    uploads.keep("m-1", SAMPLE_MP4, looks=2)
    assert "processing" == refusal(uploads, "m-1")
    seen = [found.state for _ in range(3) if (found := uploads.look("m-1"))]
    assert [UploadState.PROCESSING, UploadState.PROCESSING, UploadState.READY] == seen
    assert uploads.look("m-0") is None


async def test_bytes_may_come_in_pieces_and_must_be_all_there(uploads: FakeUploads) -> None:
    upload = uploads.begin("m-1", announced_size=len(SAMPLE_PNG))
    async with MemoryFile(SAMPLE_PNG).open() as stream:
        await upload.receive(stream)
    assert "open" == refusal(uploads, "m-1")
    assert UploadState.READY is uploads.finish(upload).state
    short = uploads.begin("m-2", announced_size=len(SAMPLE_PNG))
    short.content += SAMPLE_PNG[:50]
    assert UploadState.FAILED is uploads.finish(short).state
    assert UploadState.FAILED is uploads.keep("m-3", b"just text").state


def test_media_faults_are_there_only_where_the_platform_takes_media(fake: FakePlatform, clock: MovableClock) -> None:
    assert {"forget_uploads"} <= set(fake.actions())
    assert {"fail_processing"} <= set(fake.switches())
    plain = FakeEcho(client_id="client", client_secret="secret", clock=clock)
    assert "forget_uploads" not in plain.actions()
    assert "fail_processing" not in plain.switches()


def test_media_faults_do_what_they_say(fake: FakePlatform) -> None:
    fake.switch("fail_processing", times=1)
    assert UploadState.FAILED is fake.uploads.keep("m-1", SAMPLE_PNG).state
    assert UploadState.READY is fake.uploads.keep("m-2", SAMPLE_PNG).state
    fake.perform("forget_uploads")
    assert "unknown" == refusal(fake.uploads, "m-2")


async def test_memory_file_is_read_again_from_the_beginning() -> None:
    file = MemoryFile(SAMPLE_JPEG, name="a.jpg", alt_text="A square")
    for _ in range(2):
        async with file.open() as stream:
            assert SAMPLE_JPEG == b"".join([piece async for piece in stream])
    assert 2 == file.opened
    assert ("image/jpeg", "a.jpg", len(SAMPLE_JPEG)) == (file.media.content_type, file.media.name, file.media.size)
    with pytest.raises(ValueError, match="content_type"):
        MemoryFile(b"just text")
    assert MediaKind.VIDEO is MemoryFile(b"just text", content_type="video/mp4").media.kind


async def test_timeline_shows_media_with_alt_text_cards_and_replies(fake: FakePlatform, address: str) -> None:
    urn = "urn:li:image:1"
    fake.uploads.keep(urn, SAMPLE_PNG, alt_text="A <square>")
    fake.uploads.keep("m-2", SAMPLE_MP4)
    fake.uploads.keep("m-4", SAMPLE_JPEG)
    media = [fake.uploads.take(media_id) for media_id in (urn, "m-2", "m-4")]
    fake.record(post_id="p-1", account=ANN, text="Three", media=media)
    card = FakeCard(title="News", description="What happened", picture=fake.uploads.show("m-3", SAMPLE_JPEG))
    fake.record(post_id="p-2", account=BEN, text="Newer", link="https://example.com/", card=card)
    for number, reply_to in ((3, "p-1"), (4, "p-3"), (5, "elsewhere")):
        fake.record(post_id=f"p-{number}", account=ANN, text=f"Reply {number}", reply_to=reply_to)
    page = (await read(f"{address}/"))[2].decode()
    at = [page.index(f'id="p-{number}"') for number in (5, 2, 1, 3, 4)]
    assert sorted(at) == at
    assert page.count('data-testid="reply"') == 2
    assert page.count('data-testid="post"') == 3
    assert 1 == page.count("No alt text")  # Of the video, nobody expects one.
    for piece in ("Alt text: A &lt;square&gt;", "no pictures in it", "News", "What happened"):
        assert piece in page
    assert (200, "image/png", SAMPLE_PNG) == await read(f"{address}/sandbox/media/urn%3Ali%3Aimage%3A1")
    assert (200, "image/jpeg", SAMPLE_JPEG) == await read(f"{address}/sandbox/media/m-3")
    assert 404 == (await read(f"{address}/sandbox/media/nobody"))[0]


class FakeGuild(FakeEcho):
    """Echo, with a second developer app and a callback of its own."""

    credential_sets: ClassVar[tuple[str, ...]] = ("guild-page",)
    events: ClassVar[dict[str, str]] = {"goodbye": "Leave"}

    def build_event(self, name: str, person: FakeAccount) -> FakeEvent:
        return FakeEvent(body=f"{name} {person.id}".encode(), headers={"X-Signature": "signed"})


@pytest.fixture
def guild(clock: MovableClock) -> FakeGuild:
    return FakeGuild(client_id="client", client_secret="secret", clock=clock)


def test_each_credential_set_is_a_developer_app_of_its_own(guild: FakeGuild) -> None:
    variables = guild.list_variables("http://127.0.0.1:9")
    assert {
        "ECHO_CLIENT_ID",
        "ECHO_CLIENT_SECRET",
        "ECHO_GUILD_PAGE_CLIENT_ID",
        "ECHO_GUILD_PAGE_CLIENT_SECRET",
        "ECHO_ENDPOINT_AUTH",
        "ECHO_ENDPOINT_API",
    } == set(variables)
    client_id, client_secret = variables["ECHO_GUILD_PAGE_CLIENT_ID"], variables["ECHO_GUILD_PAGE_CLIENT_SECRET"]
    assert "guild-page" == guild.find_credential_set(client_id)
    assert "" == guild.find_credential_set("client")
    assert guild.find_credential_set("nobody") is None
    assert guild.is_our_client(client_id, client_secret)
    assert guild.is_our_client("client", "secret")
    assert not guild.is_our_client(client_id, "secret")
    assert not guild.is_our_client("nobody", "secret")


async def test_event_ends_the_persons_grants_and_reaches_the_bot(guild: FakeGuild) -> None:
    seen: list[tuple[str, bytes, str]] = []

    async def take(request: web.Request) -> web.Response:
        seen.append((request.path, await request.read(), request.headers["X-Signature"]))
        return web.Response(status=204)

    bot = web.Application()
    bot.router.add_post("/api/auth/echo/goodbye", take)
    server = TestServer(bot)
    await server.start_server()
    guild.redirect_uris = (str(server.make_url("/api/auth/echo/callback")),)
    asked = ConsentRequest(redirect_uri="r", state="s", scopes=(), code_challenge=None, credential_set="guild-page")
    grants = [guild.redeem_code(guild.issue_code(asked, person), "r", None) for person in (ANN, BEN)]
    assert 204 == await guild.send_event("goodbye", ANN)
    await server.close()
    assert [("/api/auth/echo/goodbye", b"goodbye p-1", "signed")] == seen
    assert [True, False] == [grant.is_revoked for grant in grants]
    assert "guild-page" == grants[0].credential_set


async def test_picture_of_an_account_has_its_initials(fake: FakePlatform) -> None:
    drawn = fake.show_picture(FakeAccount(id="a-1", name="<Ann Echo & Sons"))
    assert "image/svg+xml" == drawn.content_type
    assert ">&lt;E</text>" in (drawn.text or "")
