"""The contract of preparing: who may, for how long, and that nothing else of a delivery is touched."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from logicspike.domain import Delivery, DeliveryState, Draft, PostChange, Preparation
from logicspike.plugin.types import Media, MediaKind, Post, Prepared
from logicspike.store.documents import (
    delivery_from_document,
    delivery_to_document,
    draft_from_document,
    draft_to_document,
    post_from_document,
    post_to_document,
)

LEASE = timedelta(minutes=1)
CAT = Media(media_id="F1", kind=MediaKind.IMAGE, content_type="image/png", size=9, name="cat.png", alt_text="A cat.")


@pytest.fixture
def waiting(new_delivery, now):
    """A delivery whose picture is to be uploaded by now."""

    def new(**changes) -> Delivery:
        post = Post(key="p1:c1", text="Look", media=(CAT,))
        return new_delivery(**{"post": post, "preparation": Preparation(begin_at=now), **changes})

    return new


async def take(stores, delivery, now, *, owner="a"):
    ids = [each.delivery_id for each in await stores.deliveries.list_to_prepare(now, limit=10)]
    return await stores.deliveries.take_preparing(ids, owner=owner, now=now, until=now + LEASE)


async def test_what_is_to_be_prepared_is_taken_by_one_and_found_with_all_of_it(stores, waiting, now):
    delivery = waiting()
    await stores.deliveries.insert_many([delivery, waiting(preparation=Preparation(begin_at=now + LEASE))])
    assert (delivery,) == await take(stores, delivery, now)
    assert () == await take(stores, delivery, now, owner="b")


async def test_only_what_is_scheduled_is_prepared(stores, waiting, now):
    await stores.deliveries.insert_many([waiting(state=state) for state in DeliveryState])
    assert 1 == len(await stores.deliveries.list_to_prepare(now, limit=10))


async def test_some_accounts_can_be_left_out_and_the_longest_due_comes_first(stores, waiting, now):
    first = waiting(preparation=Preparation(begin_at=now - LEASE), connection_id="c7")
    await stores.deliveries.insert_many([waiting(connection_id="c8"), first, waiting(connection_id="c9")])
    found = await stores.deliveries.list_to_prepare(now, limit=2, not_connections=["c9"])
    assert ["c7", "c8"] == [each.connection_id for each in found]


async def test_a_lease_that_is_over_is_anybodys_and_one_that_is_renewed_is_not(stores, waiting, now):
    delivery = waiting()
    await stores.deliveries.insert_many([delivery])
    await take(stores, delivery, now)
    assert await stores.deliveries.renew_preparing(delivery, owner="a", until=now + 2 * LEASE)
    assert () == await take(stores, delivery, now + LEASE, owner="b")
    assert (delivery,) == await take(stores, delivery, now + 2 * LEASE, owner="b")
    assert not await stores.deliveries.renew_preparing(delivery, owner="a", until=now + 3 * LEASE)
    assert not await stores.deliveries.settle_preparing(delivery, owner="a")


async def test_what_came_of_it_is_written_and_nothing_else(stores, waiting, now):
    delivery = waiting()
    await stores.deliveries.insert_many([delivery])
    await take(stores, delivery, now)
    postponed = now + timedelta(hours=3)
    await stores.deliveries.postpone(until=postponed, connection_id=delivery.connection_id)
    prepared = Preparation(begin_at=None, prepared=Prepared(handles={"media-0": "u1"}, expires_at=now + LEASE))

    assert await stores.deliveries.settle_preparing(replace(delivery, preparation=prepared), owner="a")

    stored = await stores.deliveries.find("T1", delivery.delivery_id)
    assert replace(delivery, preparation=prepared, next_try_at=postponed) == stored
    assert () == await stores.deliveries.list_to_prepare(now + 2 * LEASE, limit=10)


async def test_what_waits_for_it_may_be_tried_from_then_on_or_sooner(stores, waiting, now):
    delivery = waiting()
    await stores.deliveries.insert_many([delivery])
    await take(stores, delivery, now)
    sooner = delivery.next_try_at - timedelta(seconds=1)

    for try_at in (sooner, delivery.next_try_at):
        assert await stores.deliveries.settle_preparing(delivery, owner="a", try_at=try_at)
        assert sooner == (await stores.deliveries.find("T1", delivery.delivery_id)).next_try_at


async def test_released_it_is_free_at_once_but_only_by_who_has_it(stores, waiting, now):
    delivery = waiting()
    await stores.deliveries.insert_many([delivery])
    await take(stores, delivery, now)
    await stores.deliveries.release_preparing(delivery.delivery_id, owner="b")
    assert () == await take(stores, delivery, now, owner="b")
    await stores.deliveries.release_preparing(delivery.delivery_id, owner="a")
    assert (delivery,) == await take(stores, delivery, now, owner="b")


@pytest.mark.parametrize("changes", [{"revision": 1}, {"connection_id": "c99"}])
async def test_a_change_of_the_post_or_its_account_ends_the_lease(stores, waiting, now, changes):
    delivery = waiting()
    await stores.deliveries.insert_many([delivery])
    await take(stores, delivery, now)
    changed = replace(delivery, **changes)

    assert await stores.deliveries.swap(delivery, changed)

    assert not await stores.deliveries.renew_preparing(delivery, owner="a", until=now + LEASE)
    assert not await stores.deliveries.settle_preparing(delivery, owner="a")
    assert (changed,) == await take(stores, delivery, now, owner="b")


async def test_a_post_that_is_cancelled_or_held_is_not_gone_on_with(stores, waiting, now):
    for state in (DeliveryState.CANCELED, DeliveryState.HELD):
        delivery = waiting()
        await stores.deliveries.insert_many([delivery])
        await take(stores, delivery, now)
        await stores.deliveries.swap(delivery, replace(delivery, state=state, settled_at=now))
        assert not await stores.deliveries.renew_preparing(delivery, owner="a", until=now + LEASE)


async def test_of_many_who_take_at_once_one_gets_it(real_stores, waiting, now):
    await real_stores.deliveries.insert_many([waiting() for _ in range(20)])
    ids: list[str] = []
    while len(ids) < 20:  # who comes upon what others are taking goes without
        taken = await asyncio.gather(*(take(real_stores, None, now, owner=f"o{number}") for number in range(10)))
        found = [each.delivery_id for some in taken for each in some]
        assert found, "nobody took anything"
        ids += found
    assert 20 == len(ids) == len(set(ids))


def test_what_was_stored_before_posts_had_media_is_read(new_delivery, scheduled_post, member, now):
    delivery = delivery_to_document(new_delivery())
    del delivery["post"]["media"], delivery["post"]["part"]
    assert () == delivery_from_document(delivery).post.media
    assert delivery_from_document(delivery).preparation is None
    post = post_to_document(scheduled_post)
    del post["media"]
    assert () == post_from_document(post).media
    draft = draft_to_document(Draft(draft_id="d", author=member, text="x", created_at=now))
    del draft["media"]
    assert () == draft_from_document(draft).media


def test_media_of_posts_changes_and_drafts_come_back_as_they_went(scheduled_post, member, now):
    change = PostChange(
        text="x", link=None, due_at=now, zone="UTC", wall_time="", begun_at=now, reaches={"d1": 0}, media=(CAT,)
    )
    post = replace(scheduled_post, media=(CAT,), change=change)
    assert post == post_from_document(post_to_document(post))
    draft = Draft(draft_id="d", author=member, text="x", created_at=now, media=(CAT,))
    assert draft == draft_from_document(draft_to_document(draft))
    [stored] = post_to_document(post)["media"]
    assert {"media_id", "kind", "content_type", "size", "name", "alt_text"} == set(stored), "no address, nothing secret"
