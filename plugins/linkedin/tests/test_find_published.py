"""Looking for what may have gone out: company pages can be read, members can't."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import logicspike_linkedin as plugin
from logicspike.plugin import Credential, OutcomeUnknown, PlatformUnavailable, Post, Prepared, PublishedPost, Reply
from logicspike.testing import SAMPLE_JPEG, SAMPLE_PNG, ErrorAnswer, MemoryFile

TEXT = "Is (this) live? #launch #snake_case"


async def find(rig: Any, credential: Credential, post: Post, prepared: Prepared | None = None) -> PublishedPost | None:
    return await plugin.find_published(rig.of(credential), credential, post, prepared)


async def lose(rig: Any, credential: Credential, post: Post, prepared: Prepared | None = None) -> None:
    rig.fake.switch("accept_then_drop", times=1)
    with pytest.raises(OutcomeUnknown):
        await plugin.publish(rig.of(credential), credential, post, prepared)


async def test_a_pages_lost_post_is_found_and_one_never_sent_is_not(rig: Any) -> None:
    page, post = await rig.connect_page(), Post(key="k", text=TEXT)
    await lose(rig, page, post)

    found = await find(rig, page, post)

    assert found is not None
    assert (rig.fake.ledger[0].id, f"{rig.origin}/feed/update/{found.id}/") == (found.id, found.url)
    assert await find(rig, page, Post(key="other", text="Never sent")) is None


async def test_another_pages_post_is_not_taken_for_it(rig: Any) -> None:
    first, second = await rig.list_pages()
    rig.clock.advance(timedelta(minutes=2))
    await rig.publish(first, TEXT)

    assert await find(rig, second, Post(key="k", text=TEXT)) is None


async def test_a_post_is_found_by_its_pictures_among_others_of_the_same_text(rig: Any) -> None:
    page, file = await rig.connect_page(), MemoryFile(SAMPLE_PNG)
    await rig.post(page, TEXT, files=[MemoryFile(SAMPLE_JPEG)])
    post = Post(key="k", text=TEXT, media=(file.media,))
    prepared = await rig.prepare(page, post, [file])
    assert await find(rig, page, post, prepared) is None

    await lose(rig, page, post, prepared)

    found = await find(rig, page, post, prepared)
    assert found is not None
    assert rig.fake.ledger[-1].id == found.id


async def test_an_older_post_of_the_same_text_is_for_a_person_to_tell_apart(rig: Any) -> None:
    page, post = await rig.connect_page(), Post(key="k", text=TEXT)
    await rig.publish(page, TEXT)

    rig.clock.advance(timedelta(hours=2))
    with pytest.raises(OutcomeUnknown, match="earlier"):
        await find(rig, page, post)

    rig.clock.advance(timedelta(days=2))
    assert await find(rig, page, post) is None


async def test_members_posts_may_not_be_read(rig: Any) -> None:
    member, post = await rig.connect_and_wait(), Post(key="k", text=TEXT)
    await lose(rig, member, post)
    comment = Post(key="k:1", text="x", part=1, reply=Reply(root_id="urn:li:share:1", previous_id="urn:li:share:1"))

    for each in (post, comment):
        with pytest.raises(OutcomeUnknown, match="Look at your profile"):
            await find(rig, member, each)


async def test_a_pages_lost_comment_is_found_and_one_never_sent_is_not(rig: Any) -> None:
    page = await rig.connect_page()
    root = (await rig.post(page)).id
    reply = Reply(root_id=root, previous_id=root)
    lost, never = (Post(key=f"k:{text}", text=text, part=1, reply=reply) for text in ("And (this)", "Never sent"))
    await lose(rig, page, lost)

    found = await find(rig, page, lost)

    assert found is not None
    assert rig.fake.ledger[-1].id == found.id
    assert await find(rig, page, never) is None


async def test_a_page_that_may_not_be_read_any_more_is_for_a_person(rig: Any) -> None:
    page = await rig.connect_page()
    rig.fake.switch("role_lost")

    with pytest.raises(OutcomeUnknown):
        await find(rig, page, Post(key="k", text=TEXT))


@pytest.mark.parametrize("fault", ["unavailable", "garbage"])
async def test_trouble_is_never_taken_for_not_published(rig: Any, fault: str) -> None:
    page = await rig.connect_page()
    rig.fake.switch(fault)

    with pytest.raises(PlatformUnavailable):
        await find(rig, page, Post(key="k", text=TEXT))


async def test_a_post_of_unknown_age_is_for_a_person(rig: Any) -> None:
    page = await rig.connect_page()
    element = {"id": "urn:li:share:1", "commentary": TEXT, "createdAt": "today"}
    rig.fake.refuse_with(ErrorAnswer(status=200, body={"elements": [element]}, source="ours"), path="/rest/posts")

    with pytest.raises(OutcomeUnknown):
        await find(rig, page, Post(key="k", text=TEXT))


@pytest.mark.parametrize(
    "element",
    [
        None,
        {},
        {"id": 7, "commentary": TEXT},
        {"id": "urn:li:share:1"},
        {"id": "urn:li:share:1", "commentary": "x", "content": {"multiImage": {"images": "x"}}},
    ],
)
async def test_odd_entries_are_read_over(rig: Any, element: object) -> None:
    page = await rig.connect_page()
    rig.fake.refuse_with(ErrorAnswer(status=200, body={"elements": [element]}, source="ours"), path="/rest/posts")

    assert await find(rig, page, Post(key="k", text=TEXT)) is None
