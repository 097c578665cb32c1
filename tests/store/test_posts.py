"""The contract of scheduled posts and drafts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from logicspike.domain import Draft


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
