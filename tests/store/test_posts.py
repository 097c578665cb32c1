"""The contract of scheduled posts and drafts."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from logicspike.domain import Draft, PostChange


@pytest.fixture
def draft(member, now):
    return Draft(
        draft_id="x1",
        author=member,
        text="Hello",
        created_at=now,
        accounts=("echo", "fb:acme"),
        connection_ids=("c1",),
        when="fri 14:00",
        due_at=now + timedelta(days=1),
    )


async def test_a_post_is_found_in_its_workspace_only(stores, scheduled_post):
    await stores.posts.insert(scheduled_post)
    assert scheduled_post == await stores.posts.find("T1", "p1")
    assert await stores.posts.find("T2", "p1") is None


async def test_a_post_without_a_link_comes_back_without_one(stores, scheduled_post):
    plain = replace(scheduled_post, link=None)
    await stores.posts.insert(plain)
    assert plain == await stores.posts.find("T1", "p1")


@pytest.fixture
def change(scheduled_post, now):
    return PostChange(
        text="New",
        link=None,
        due_at=now + timedelta(days=1),
        zone="UTC",
        wall_time="2026-11-24T12:00:00",
        begun_at=now,
        reaches={"d1": 0, "d2": 3},
    )


async def test_a_change_under_way_comes_back_as_it_was_written_down(stores, scheduled_post, change):
    await stores.posts.insert(scheduled_post)
    begun = replace(scheduled_post, change=change)
    assert await stores.posts.swap(scheduled_post, begun)
    assert begun == await stores.posts.find("T1", "p1")


async def test_of_two_changes_of_one_post_one_is_written_down(stores, scheduled_post, change):
    await stores.posts.insert(scheduled_post)
    changes = [replace(change, text=f"New {number}") for number in range(10)]
    done = await asyncio.gather(
        *(stores.posts.swap(scheduled_post, replace(scheduled_post, change=each)) for each in changes)
    )
    assert 1 == sum(done)
    assert changes[done.index(True)] == (await stores.posts.find("T1", "p1")).change


async def test_a_change_is_taken_over_once_and_from_its_own_revision_only(stores, scheduled_post, change):
    await stores.posts.insert(scheduled_post)
    begun = replace(scheduled_post, change=change)
    ended = replace(begun, text="New", revision=1, change=None)
    await stores.posts.swap(scheduled_post, begun)
    assert [True, False] == [await stores.posts.swap(begun, ended) for _ in range(2)]
    assert not await stores.posts.swap(scheduled_post, begun), "the form was opened at revision 0"
    assert ended == await stores.posts.find("T1", "p1")


async def test_a_post_from_before_posts_could_be_edited_can_be(stores, scheduled_post, change):
    await stores.posts.insert(scheduled_post)
    await stores.database.collection("scheduled_posts").update_one({"_id": "p1"}, {"$unset": {"revision": ""}})
    assert await stores.posts.swap(scheduled_post, replace(scheduled_post, change=change))


async def test_changes_left_behind_are_listed_oldest_first(stores, scheduled_post, change, now):
    for number, minutes in ((1, 2), (2, 1), (3, 30)):
        post = replace(scheduled_post, post_id=f"p{number}")
        await stores.posts.insert(replace(post, change=replace(change, begun_at=now + timedelta(minutes=minutes))))
    await stores.posts.insert(replace(scheduled_post, post_id="p4"))
    found = await stores.posts.list_changing(now + timedelta(minutes=2))
    assert ["p2", "p1"] == [post.post_id for post in found]


async def test_a_draft_is_its_authors_own_and_can_be_saved_again(stores, draft, member):
    await stores.posts.save_draft(draft)
    changed = replace(draft, text="Hello again", when=None)
    await stores.posts.save_draft(changed)
    assert changed == await stores.posts.find_draft(member, "x1")
    for stranger in (replace(member, user_id="U2"), replace(member, team_id="T2")):
        assert await stores.posts.find_draft(stranger, "x1") is None
        assert not await stores.posts.delete_draft(stranger, "x1")


async def test_of_two_deletions_of_a_draft_one_counts(stores, draft, member):
    await stores.posts.save_draft(draft)
    assert await stores.posts.delete_draft(member, "x1")
    assert not await stores.posts.delete_draft(member, "x1")


async def test_a_draft_is_not_a_post(stores, draft):
    await stores.posts.save_draft(draft)
    assert await stores.posts.find("T1", "x1") is None
