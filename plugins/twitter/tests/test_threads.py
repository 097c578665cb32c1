"""Threads: every part replies to the one before; a lost part is found among the replies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import logicspike_twitter as plugin
from logicspike.plugin import OutcomeUnknown, PlatformUnavailable, Post, PostRejected, Reply
from logicspike.testing import SAMPLE_PNG, MemoryFile

PICTURE = MemoryFile(SAMPLE_PNG)


def part(text, number=0, root=None, previous=None):
    reply = Reply(root_id=root.id, previous_id=(previous or root).id) if root is not None else None
    return Post(key=f"key-{number}", text=text, part=number, reply=reply)


async def publish_thread(bench, credential, *texts):
    live = []
    for number, text in enumerate(texts):
        wanted = part(text, number, live[0] if live else None, live[-1] if live else None)
        live.append(await plugin.publish(bench.ctx(), credential, wanted, None))
    return live


async def test_each_part_replies_to_the_one_before(bench):
    live = await publish_thread(bench, await bench.connect(), "One", "Two", "Three")
    assert [(entry.text, entry.reply_to) for entry in bench.fake.ledger] == [
        ("One", None),
        ("Two", live[0].id),
        ("Three", live[1].id),
    ]
    _, page = await bench.get(bench.origin + "/")
    assert page.index("One") < page.index("Two") < page.index("Three")


async def test_lost_part_is_found_by_the_post_it_replies_to(bench):
    credential = await bench.connect()
    (root, again) = (await publish_thread(bench, credential, "One", "More"))[:2]
    (other,) = await publish_thread(bench, credential, "Another one")
    lost = part("More", 1, other)
    assert await plugin.find_published(bench.ctx(), credential, lost, None) is None

    bench.fake.switch("error_after_accept", times=1)
    with pytest.raises(OutcomeUnknown):
        await plugin.publish(bench.ctx(), credential, lost, None)
    found = await plugin.find_published(bench.ctx(), credential, lost, None)
    assert found is not None
    assert found.id == bench.fake.ledger[-1].id
    assert found.id not in {root.id, again.id}


async def test_reply_is_not_taken_for_a_post_of_the_same_text(bench):
    credential = await bench.connect()
    await publish_thread(bench, credential, "One", "More")
    assert await plugin.find_published(bench.ctx(), credential, part("More"), None) is None


async def test_thread_is_searched_from_the_part_before_on(bench):
    credential = await bench.connect()
    for number in range(30):
        await publish_thread(bench, credential, f"Number {number}")
    live = await publish_thread(bench, credential, "One", "Two")
    bench.fake.requests.clear()
    bench.clock.advance(timedelta(hours=1))
    assert await plugin.find_published(bench.ctx(), credential, part("Two", 1, live[0]), None) == live[1]
    assert len(bench.fake.requests) == 1


async def test_part_that_comes_before_x_shows_the_last_one_is_tried_again(bench):
    credential = await bench.connect()
    live = await publish_thread(bench, credential, "One")
    bench.fake.switch("parent_not_visible", times=1)
    with pytest.raises(PlatformUnavailable):
        await plugin.publish(bench.ctx(), credential, part("Two", 1, live[0]), None)
    await plugin.publish(bench.ctx(), credential, part("Two", 1, live[0]), None)
    assert len(bench.fake.ledger) == 2


async def test_part_behind_a_deleted_post_is_rejected(bench):
    credential = await bench.connect()
    live = await publish_thread(bench, credential, "One")
    bench.fake.ledger.clear()
    bench.clock.advance(timedelta(minutes=2))
    with pytest.raises(PostRejected) as caught:
        await plugin.publish(bench.ctx(), credential, part("Two", 1, live[0]), None)
    assert "deleted" in caught.value.problems[0].message


async def test_reply_to_somebody_else_is_rejected(bench):
    credential, other = await bench.connect(), await bench.connect(person="1500000000000000002")
    (theirs,) = await publish_thread(bench, other, "Theirs")
    with pytest.raises(PostRejected):
        await plugin.publish(bench.ctx(), credential, part("Mine", 1, theirs), None)


# --- duplicates as evidence -------------------------------------------------------------------------------------------


async def test_duplicate_part_is_the_part_itself(bench):
    credential = await bench.connect()
    live = await publish_thread(bench, credential, "One", "Two")
    assert await plugin.publish(bench.ctx(), credential, part("Two", 1, live[0]), None) == live[1]
    assert len(bench.fake.ledger) == 2


async def test_duplicate_post_is_told_with_the_address_of_the_other(bench):
    credential = await bench.connect()
    live = await publish_thread(bench, credential, "One")
    with pytest.raises(PostRejected) as caught:
        await publish_thread(bench, credential, "One")
    assert live[0].url in caught.value.problems[0].message
    assert "live already" in caught.value.problems[0].message


async def test_duplicate_that_cannot_be_looked_up_is_told_without_an_address(bench):
    credential = await bench.connect()
    bench.fake.refuse_with("duplicate", path="/2/tweets")
    with pytest.raises(PostRejected) as caught:
        await publish_thread(bench, credential, "One")
    assert "duplicate" in caught.value.problems[0].message


async def test_thread_may_begin_with_pictures(bench):
    credential = await bench.connect()
    prepared = await bench.prepare(credential, PICTURE)
    first = replace(part("One"), media=(PICTURE.media,))
    root = await plugin.publish(bench.ctx(), credential, first, prepared)
    await plugin.publish(bench.ctx(), credential, part("Two", 1, root), None)
    assert [len(entry.media) for entry in bench.fake.ledger] == [1, 0]
