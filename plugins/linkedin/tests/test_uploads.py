"""Pictures, videos and link cards: uploaded before the post is due, waited for, and shown with it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from tenacity import wait_none

import logicspike_linkedin as plugin
from logicspike.plugin import (
    Credential,
    LinkCard,
    OperatorActionRequired,
    PlatformError,
    PlatformUnavailable,
    Post,
    PostRejected,
    PreparationLost,
    Prepared,
    Problem,
)
from logicspike.testing import SAMPLE_GIF, SAMPLE_JPEG, SAMPLE_MP4, SAMPLE_PNG, ErrorAnswer, MemoryFile
from logicspike_linkedin import uploads

LINK = "https://example.com/news"
PNG = MemoryFile(SAMPLE_PNG, media_id="m1", alt_text="A wide (red) field")
JPEG = MemoryFile(SAMPLE_JPEG, media_id="m2")
GIF = MemoryFile(SAMPLE_GIF, media_id="m3", alt_text="A waving hand")
MEGABYTE = 1024 * 1024


def video(size: int = 200_000) -> MemoryFile:
    return MemoryFile(SAMPLE_MP4 + bytes(size - len(SAMPLE_MP4)), media_id="v1", name="clip.mp4")


def digest(file: MemoryFile) -> str:
    return hashlib.sha256(file.content).hexdigest()


def paths(rig: Any, method: str) -> list[str]:
    return [path for verb, path in rig.fake.requests if verb == method]


@pytest.fixture(autouse=True)
def no_pauses_between_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "TRY_WAIT", wait_none())


@pytest.fixture(params=["member", "page"])
async def account(rig: Any, request: pytest.FixtureRequest) -> Credential:
    """A member's connection, and a company page's."""
    found: Credential = await (rig.connect_and_wait() if request.param == "member" else rig.connect_page())
    return found


# --- pictures --------------------------------------------------------------------------------------------------------


async def test_a_picture_is_shown_with_its_description(rig: Any, account: Credential) -> None:
    entry = await rig.post(account, "Look (here)", files=[PNG])

    (shown,) = entry.media
    assert ("Look (here)", "A wide (red) field", digest(PNG)) == (entry.text, shown.alt_text, shown.sha256)
    assert account.account.id == entry.account.id


@pytest.mark.parametrize("files", [[PNG, JPEG], [PNG, JPEG, GIF]])
async def test_several_pictures_keep_their_order_and_descriptions(
    rig: Any, account: Credential, files: Sequence[MemoryFile]
) -> None:
    entry = await rig.post(account, files=files)

    assert [(digest(file), file.media.alt_text) for file in files] == [
        (shown.sha256, shown.alt_text) for shown in entry.media
    ]


async def test_a_post_may_be_pictures_alone(rig: Any) -> None:
    assert (await rig.post(await rig.connect(), "", files=[GIF])).text == ""


async def test_beside_a_picture_the_link_stays_in_the_text(rig: Any) -> None:
    entry = await rig.post(await rig.connect(), f"See {LINK}", files=[PNG], card=LinkCard(url=LINK, title="News"))

    assert (f"See {LINK}", None, None) == (entry.text, entry.link, entry.card)


async def test_preparing_is_seen_by_nobody_and_may_be_repeated(rig: Any, account: Credential) -> None:
    post = Post(key="k", text="Hello", media=(PNG.media,))

    first, second = await rig.prepare(account, post, [PNG]), await rig.prepare(account, post, [PNG])

    assert [] == rig.fake.ledger
    assert first.handles != second.handles
    assert rig.clock.now() < first.expires_at <= rig.clock.now() + timedelta(days=1)


async def test_a_member_whose_uploads_are_hidden_waits_once_for_all(rig: Any) -> None:
    await rig.post(await rig.connect(), files=[PNG, JPEG, GIF])

    looks = [path for path in paths(rig, "GET") if path.startswith("/rest/images/")]
    assert (1, [5.0]) == (len(looks), rig.pauses)


async def test_a_page_waits_until_linkedin_is_done(rig: Any) -> None:
    await rig.post(await rig.connect_page(), files=[PNG])

    assert [2.0] == rig.pauses


async def test_a_picture_that_linkedin_cannot_process_is_told_before_the_post_is_due(rig: Any) -> None:
    page = await rig.connect_page()
    rig.fake.switch("fail_processing")

    with pytest.raises(PostRejected) as caught:
        await rig.prepare(page, Post(key="k", text="x", media=(PNG.media,)), [PNG])

    assert ["media"] == [problem.field for problem in caught.value.problems]


async def test_a_members_picture_that_failed_is_told_at_the_post(rig: Any) -> None:
    member = await rig.connect()
    rig.fake.switch("fail_processing")

    with pytest.raises(PostRejected, match="could not process"):
        await rig.post(member, files=[PNG])

    assert [] == rig.fake.ledger


async def test_a_post_that_comes_too_early_for_its_picture_is_tried_again(rig: Any) -> None:
    page = await rig.connect_page()
    rig.fake.switch("slow_media")
    post = Post(key="k", text="Hello", media=(PNG.media,))
    prepared = await rig.prepare(page, post, [PNG])

    with pytest.raises(PlatformUnavailable, match="still working"):
        await plugin.publish(rig.of(page), page, post, prepared)
    rig.clock.advance(rig.fake.settling)

    assert await plugin.publish(rig.of(page), page, post, prepared)


@pytest.mark.parametrize("prepared", ["forgotten", "of another file", "nothing"])
async def test_a_lost_upload_is_prepared_anew(rig: Any, account: Credential, prepared: str) -> None:
    post = Post(key="k", text="Hello", media=(PNG.media,))
    held: Prepared | None = await rig.prepare(account, post, [PNG])
    if prepared == "forgotten":
        rig.fake.perform("forget_uploads")
    else:
        held = Prepared(handles={"media:else": "urn:li:image:x"}) if prepared == "of another file" else None

    with pytest.raises(PreparationLost):
        await plugin.publish(rig.of(account), account, post, held)

    assert [] == rig.fake.ledger


# --- where bytes may go, and where they come from --------------------------------------------------------------------


async def test_a_token_goes_to_linkedins_hosts_only(rig: Any) -> None:
    member = await rig.connect()
    value = {"uploadUrl": "https://evil.example/dms-uploads/x", "image": "urn:li:image:x"}
    rig.fake.refuse_with(ErrorAnswer(status=200, body={"value": value}, source="ours"), path="/rest/images")

    with pytest.raises(OperatorActionRequired, match=r"evil\.example"):
        await rig.prepare(member, Post(key="k", text="x", media=(PNG.media,)), [PNG])

    assert [] == paths(rig, "PUT")


@pytest.mark.parametrize("value", [None, {}, {"image": "urn:li:image:x"}, {"image": "x", "uploadUrl": "nonsense"}])
async def test_an_answer_without_an_address_is_an_outage(rig: Any, value: object) -> None:
    member = await rig.connect()
    rig.fake.refuse_with(ErrorAnswer(status=200, body={"value": value}, source="ours"), path="/rest/images")

    with pytest.raises(PlatformUnavailable, match="where to upload"):
        await rig.prepare(member, Post(key="k", text="x", media=(PNG.media,)), [PNG])


class BrokenFile(MemoryFile):
    """A file that can't be read to its end."""

    error: PlatformError

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        async def read() -> AsyncIterator[bytes]:
            yield self.content[:10]
            raise self.error from ConnectionError("no bytes")

        yield read()


@pytest.mark.parametrize(
    "error",
    [PostRejected(Problem(message="cat.png was deleted.", field="media")), PlatformUnavailable("Slack is down.")],
)
async def test_a_file_that_cannot_be_read_is_not_called_linkedins_fault(rig: Any, error: PlatformError) -> None:
    member, file = await rig.connect(), BrokenFile(SAMPLE_PNG)
    file.error = error

    with pytest.raises(type(error), match=error.explanation):
        await rig.prepare(member, Post(key="k", text="x", media=(file.media,)), [file])


async def test_one_picture_is_tried_again_without_the_others(rig: Any) -> None:
    member = await rig.connect()
    rig.fake.refuse_with(ErrorAnswer(status=503, body="", source="ours"), path="/uploaded-image/0")

    with pytest.raises(PlatformUnavailable):
        await rig.prepare(member, Post(key="k", text="x", media=(PNG.media,)), [PNG])

    assert uploads.TRIES == len(paths(rig, "PUT"))


# --- videos ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [200_000, 4 * MEGABYTE, 4 * MEGABYTE + 1, 9 * MEGABYTE])
async def test_a_video_arrives_whole_in_parts_of_four_megabytes(rig: Any, account: Credential, size: int) -> None:
    file = video(size)

    entry = await rig.post(account, "Watch this", files=[file])

    assert [(digest(file), size)] == [(shown.sha256, shown.size) for shown in entry.media]
    assert -(-size // (4 * MEGABYTE)) == len(paths(rig, "PUT"))


async def test_a_video_is_asked_about_until_linkedin_is_done(rig: Any) -> None:
    await rig.post(await rig.connect(), files=[video()])

    assert [2.0, 4.0] == rig.pauses


async def test_a_video_nobody_may_ask_about_is_given_time(rig: Any) -> None:
    rig.fake.switch("hidden_video_state")

    assert (await rig.post(await rig.connect(), files=[video()])).media
    assert [30.0] == rig.pauses


async def test_a_video_that_linkedin_cannot_process_is_told_before_the_post_is_due(
    rig: Any, account: Credential
) -> None:
    rig.fake.switch("fail_processing")

    with pytest.raises(PostRejected, match="could not process"):
        await rig.prepare(account, Post(key="k", text="x", media=(video().media,)), [video()])


async def test_patience_with_a_video_ends(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LOOK_PAUSES", (2.0,))

    with pytest.raises(PlatformUnavailable, match="still working"):
        await rig.prepare(await rig.connect(), Post(key="k", text="x", media=(video().media,)), [video()])


@pytest.mark.parametrize(
    "instructions",
    [
        None,
        [],
        [{"uploadUrl": "http://x/", "firstByte": 0, "lastByte": 9}],
        [{"uploadUrl": "http://x/", "firstByte": 1, "lastByte": 199_999}],
        [{"uploadUrl": "http://x/", "firstByte": 0, "lastByte": "199999"}],
        [{"uploadUrl": "http://x/", "firstByte": 0, "lastByte": 199_998}, "x"],
    ],
)
async def test_instructions_that_do_not_fit_the_video_are_an_outage(rig: Any, instructions: object) -> None:
    member = await rig.connect()
    value = {"video": "urn:li:video:x", "uploadToken": "", "uploadInstructions": instructions}
    rig.fake.refuse_with(ErrorAnswer(status=200, body={"value": value}, source="ours"), path="/rest/videos")

    with pytest.raises(PlatformUnavailable, match="do not fit"):
        await rig.prepare(member, Post(key="k", text="x", media=(video().media,)), [video()])


async def test_a_video_that_ends_before_its_end_is_not_finished(rig: Any) -> None:
    member, file = await rig.connect(), video()
    file.content = file.content[:-1]

    with pytest.raises(PlatformUnavailable, match="before its end"):
        await rig.prepare(member, Post(key="k", text="x", media=(file.media,)), [file])


async def test_a_part_is_tried_again_and_then_given_up(rig: Any) -> None:
    member = await rig.connect()
    rig.fake.refuse_with(ErrorAnswer(status=200, body={}, source="ours: no ETag"), path="/uploadedVideo/0")

    with pytest.raises(PlatformUnavailable, match="didn't name it"):
        await rig.prepare(member, Post(key="k", text="x", media=(video().media,)), [video()])

    assert uploads.TRIES == len(paths(rig, "PUT"))


# --- link cards ------------------------------------------------------------------------------------------------------


async def test_a_card_shows_title_description_and_picture(rig: Any, account: Credential) -> None:
    card = LinkCard(url=LINK, title="The news", description="All of it", picture=PNG)

    entry = await rig.post(account, f"See {LINK}", card=card)

    assert (LINK, "The news", "All of it") == (entry.link, entry.card.title, entry.card.description)
    assert digest(PNG) == entry.card.picture.sha256


async def test_long_titles_and_descriptions_are_shortened(rig: Any) -> None:
    card = LinkCard(url=LINK, title="T" * 500, description="d" * 500)

    entry = await rig.post(await rig.connect(), LINK, card=card)

    assert (200, 256) == (len(entry.card.title), len(entry.card.description))
    assert entry.card.title.endswith("…")


async def test_without_a_card_the_link_is_named_by_its_address(rig: Any) -> None:
    await rig.publish(await rig.connect(), f"See {LINK}", link=LINK)

    assert ("example.com/news", "", None) == (
        rig.fake.ledger[0].card.title,
        rig.fake.ledger[0].card.description,
        rig.fake.ledger[0].card.picture,
    )


@pytest.mark.parametrize(
    "trouble", ["a type LinkedIn doesn't take", "can't be read", "can't be processed", "no upload"]
)
async def test_a_card_does_without_a_picture_that_cannot_be_had(rig: Any, trouble: str) -> None:
    page, broken = await rig.connect_page(), BrokenFile(SAMPLE_PNG)
    broken.error = PlatformUnavailable("example.com is down.")
    picture: MemoryFile = broken
    match trouble:
        case "a type LinkedIn doesn't take":
            picture = MemoryFile(SAMPLE_PNG, content_type="image/webp")
        case "can't be processed":
            picture = PNG
            rig.fake.switch("fail_processing")
        case "no upload":
            picture = PNG
            rig.fake.refuse_with(ErrorAnswer(status=503, body="", source="ours"), path="/uploaded-image/0")

    entry = await rig.post(page, LINK, card=LinkCard(url=LINK, title="The news", picture=picture))

    assert ("The news", None) == (entry.card.title, entry.card.picture)
