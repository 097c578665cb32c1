"""The contract of deliveries: the claim, the moves, the lists."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from team import claim_due

from logicspike.domain import TRANSITIONS, Attempt, DeliveryState, HoldReason, IllegalTransition

S = DeliveryState
STAYS = {S.SCHEDULED, S.HELD, S.UNKNOWN}
LEGAL = sorted((before, after) for before, afters in TRANSITIONS.items() for after in afters)
ILLEGAL = sorted(
    (before, after)
    for before, after in product(S, S)
    if after not in TRANSITIONS[before] and not (before is after and before in STAYS)
)


def claim(stores, now, *, limit=10, owner="w1"):
    return claim_due(stores.deliveries, now=now, owner=owner, until=now + timedelta(minutes=2), limit=limit)


async def test_what_was_kept_is_found_with_every_field(stores, new_delivery, now):
    full = new_delivery(
        state=S.HELD,
        claim_token="t",
        claimed_by="w",
        claimed_until=now,
        attempts=(
            Attempt(attempt_id="1", started_at=now, outcome="held", detail="No."),
            Attempt(attempt_id="2", started_at=now),
        ),
        tries=2,
        hold_reason=HoldReason.LATE,
        detail="Late.",
        published_id="x",
        published_url="https://echo.example/x",
        settled_at=now,
        is_asked=True,
        is_confirmed=True,
    )
    await stores.deliveries.insert_many([full])
    assert full == await stores.deliveries.find("T1", full.delivery_id)
    assert await stores.deliveries.find("T2", full.delivery_id) is None


async def test_keeping_none_is_fine(stores):
    await stores.deliveries.insert_many([])


async def test_a_claim_takes_what_is_due_oldest_first_under_one_token(stores, new_delivery, now):
    first, second, third = (new_delivery() for _ in range(3))
    later = new_delivery(next_try_at=now + timedelta(milliseconds=1))
    on_time = new_delivery(next_try_at=now)
    await stores.deliveries.insert_many([third, later, on_time, second, first])
    claimed = await claim(stores, now)
    assert [first.delivery_id, second.delivery_id, third.delivery_id, on_time.delivery_id] == [
        delivery.delivery_id for delivery in claimed
    ]
    assert len({delivery.claim_token for delivery in claimed}) == 1
    assert (
        replace(
            first,
            state=S.CLAIMED,
            claim_token=claimed[0].claim_token,
            claimed_by="w1",
            claimed_until=now + timedelta(minutes=2),
        )
        == claimed[0]
    )
    assert claimed[0] == await stores.deliveries.find("T1", first.delivery_id)


async def test_a_claim_keeps_to_its_limit_and_the_next_gets_the_rest_under_another_token(stores, new_delivery, now):
    await stores.deliveries.insert_many([new_delivery() for _ in range(5)])
    one, two, three = await claim(stores, now, limit=3), await claim(stores, now, limit=3), await claim(stores, now)
    assert [len(one), len(two), len(three)] == [3, 2, 0]
    assert one[0].claim_token != two[0].claim_token


@pytest.mark.parametrize("state", sorted(set(S) - {S.SCHEDULED}))
async def test_only_what_is_scheduled_is_claimed(stores, new_delivery, now, state):
    await stores.deliveries.insert_many([new_delivery(state=state)])
    assert await claim(stores, now) == ()


@pytest.mark.parametrize(("before", "after"), LEGAL)
async def test_every_legal_move_is_made_once(stores, new_delivery, now, before, after):
    there = new_delivery(state=before, claim_token="t", claimed_until=now)
    moved = replace(there, state=after, claim_token=None, claimed_until=None, detail="Moved.", settled_at=now)
    await stores.deliveries.insert_many([there])
    assert await stores.deliveries.swap(there, moved)
    assert moved == await stores.deliveries.find("T1", there.delivery_id)
    assert not await stores.deliveries.swap(there, moved)


@pytest.mark.parametrize("state", sorted(STAYS))
async def test_a_state_that_may_stay_changes_its_fields(stores, new_delivery, state):
    there = new_delivery(state=state)
    await stores.deliveries.insert_many([there])
    assert await stores.deliveries.swap(there, replace(there, is_asked=True))
    assert replace(there, is_asked=True) == await stores.deliveries.find("T1", there.delivery_id)


@pytest.mark.parametrize("token", [None, "other"])
async def test_a_move_under_another_claim_does_nothing(stores, new_delivery, token):
    there = new_delivery(state=S.CLAIMED, claim_token="t")
    await stores.deliveries.insert_many([there])
    mistaken = replace(there, claim_token=token)
    assert not await stores.deliveries.swap(mistaken, replace(mistaken, state=S.PUBLISHING))
    assert there == await stores.deliveries.find("T1", there.delivery_id)


async def test_swap_refuses_to_turn_one_delivery_into_another(stores, new_delivery):
    with pytest.raises(ValueError, match="keeps its id"):
        await stores.deliveries.swap(new_delivery(), new_delivery())


async def test_open_ones_are_listed_by_due_time_per_workspace_and_author(stores, new_delivery):
    every = [new_delivery(state=state) for state in S]
    theirs, elsewhere = new_delivery(author_id="U2"), new_delivery(team_id="T2")
    await stores.deliveries.insert_many([elsewhere, theirs, *reversed(every)])
    mine = tuple(each for each in every if each.state not in {S.PUBLISHED, S.FAILED, S.CANCELED})
    assert (*mine, theirs) == await stores.deliveries.list_open("T1")
    assert mine == await stores.deliveries.list_open("T1", author_id="U1")
    assert mine[:2] == await stores.deliveries.list_open("T1", limit=2)


async def test_waiting_ones_of_a_connection_and_of_a_workspace(stores, new_delivery):
    every = [new_delivery(state=state) for state in S]
    other = new_delivery(connection_id="c2")
    await stores.deliveries.insert_many([*every, other, new_delivery(team_id="T2")])
    waiting = {S.SCHEDULED, S.CLAIMED, S.PUBLISHING, S.HELD}
    assert tuple(each for each in every if each.state in waiting) == await stores.deliveries.list_waiting("T1", "c1")
    unclaimed = tuple(each for each in every if each.state in {S.SCHEDULED, S.HELD})
    assert (*unclaimed, other) == await stores.deliveries.list_team_waiting("T1")


async def test_claims_whose_lease_is_over_are_listed_across_workspaces(stores, new_delivery, now):
    over = new_delivery(state=S.CLAIMED, claimed_until=now - timedelta(seconds=1))
    stuck = new_delivery(state=S.PUBLISHING, claimed_until=now, team_id="T2")
    running = new_delivery(state=S.PUBLISHING, claimed_until=now + timedelta(seconds=1))
    looked_up = new_delivery(state=S.UNKNOWN, claimed_until=now - timedelta(hours=1))
    await stores.deliveries.insert_many([running, stuck, over, looked_up, new_delivery()])
    assert (over, stuck) == await stores.deliveries.list_expired_claims(now)
    assert (over,) == await stores.deliveries.list_expired_claims(now, limit=1)


async def test_unknown_ones_are_listed_until_their_author_was_asked(stores, new_delivery, now):
    old = new_delivery(state=S.UNKNOWN, settled_at=now - timedelta(minutes=5))
    asked = new_delivery(state=S.UNKNOWN, settled_at=now - timedelta(minutes=5), is_asked=True)
    just_now = new_delivery(state=S.UNKNOWN, settled_at=now)
    young = new_delivery(state=S.UNKNOWN, settled_at=now + timedelta(milliseconds=1))
    failed = new_delivery(state=S.FAILED, settled_at=now - timedelta(minutes=5))
    await stores.deliveries.insert_many([just_now, old, asked, young, failed])
    assert (old, just_now) == await stores.deliveries.list_unasked_unknown(now)


async def test_what_is_owed_is_told_by_one_and_once(stores, new_delivery, now):
    owed, other = new_delivery(state=S.PUBLISHED, is_owed=True), new_delivery(state=S.PUBLISHED)
    await stores.deliveries.insert_many([owed, other])
    until = now + timedelta(minutes=1)

    assert [owed] == [*await stores.deliveries.take_owed(owner="a", now=now, until=until, limit=5)]
    assert () == await stores.deliveries.take_owed(owner="b", now=now, until=until, limit=5)
    await stores.deliveries.mark_told([owed.delivery_id], owner="b")
    assert (await stores.deliveries.find("T1", owed.delivery_id)).is_owed, "only who took it may say so"
    await stores.deliveries.mark_told([owed.delivery_id], owner="a")

    assert () == await stores.deliveries.take_owed(owner="b", now=until, until=until, limit=5)
    assert other == await stores.deliveries.find("T1", other.delivery_id)


async def test_what_a_dead_process_did_not_tell_is_free_when_its_lease_is_over(stores, new_delivery, now):
    await stores.deliveries.insert_many([new_delivery(state=S.FAILED, is_owed=True)])
    until = now + timedelta(minutes=1)
    await stores.deliveries.take_owed(owner="dies", now=now, until=until, limit=5)

    assert 1 == len(await stores.deliveries.take_owed(owner="b", now=until, until=until, limit=5))


async def test_what_moves_on_while_it_is_told_is_owed_anew(stores, new_delivery, now):
    held = new_delivery(state=S.HELD, hold_reason=HoldReason.MEMBER, is_owed=True)
    await stores.deliveries.insert_many([held])
    until = now + timedelta(minutes=1)
    [taken] = await stores.deliveries.take_owed(owner="a", now=now, until=until, limit=5)
    late = replace(taken, hold_reason=HoldReason.LATE)
    assert await stores.deliveries.swap(taken, late)
    await stores.deliveries.mark_told([held.delivery_id], owner="a")

    assert [late] == [*await stores.deliveries.take_owed(owner="b", now=now, until=until, limit=5)]


async def test_only_claims_that_are_over_are_freed_in_bulk(stores, new_delivery, now):
    lease = {"claim_token": "t", "claimed_by": "w"}
    over = new_delivery(state=S.CLAIMED, claimed_until=now, **lease)
    kept = [
        new_delivery(state=S.CLAIMED, claimed_until=now + timedelta(seconds=1), **lease),
        new_delivery(state=S.PUBLISHING, claimed_until=now, **lease),
    ]
    await stores.deliveries.insert_many([over, *kept])
    wanted = [each.delivery_id for each in (over, *kept)]

    assert (over.delivery_id,) == await stores.deliveries.free_claims(wanted, now=now)
    freed = await stores.deliveries.find("T1", over.delivery_id)
    assert (S.SCHEDULED, None, None) == (freed.state, freed.claim_token, freed.claimed_until)
    assert kept == [await stores.deliveries.find("T1", each.delivery_id) for each in kept]


async def test_a_process_puts_back_only_what_it_claimed_itself_of_the_accounts_named(stores, new_delivery, now):
    lease = {"claim_token": "t", "claimed_until": now + timedelta(seconds=1)}
    mine = new_delivery(state=S.CLAIMED, claimed_by="w", connection_id="c1", **lease)
    kept = [
        new_delivery(state=S.CLAIMED, claimed_by="v", connection_id="c1", **lease),
        new_delivery(state=S.CLAIMED, claimed_by="w", connection_id="c2", **lease),
        new_delivery(state=S.PUBLISHING, claimed_by="w", connection_id="c1", **lease),
    ]
    await stores.deliveries.insert_many([mine, *kept])

    await stores.deliveries.release_claims(["c1"], owner="w")

    put_back = await stores.deliveries.find("T1", mine.delivery_id)
    assert replace(mine, state=S.SCHEDULED, claim_token=None, claimed_by=None, claimed_until=None) == put_back
    assert kept == [await stores.deliveries.find("T1", each.delivery_id) for each in kept]


@pytest.mark.parametrize(("before", "after"), ILLEGAL)
async def test_every_illegal_move_is_refused_before_anything_is_sent(unreachable_stores, new_delivery, before, after):
    there = new_delivery(state=before)
    with pytest.raises(IllegalTransition):
        await unreachable_stores.deliveries.swap(there, replace(there, state=after))


async def test_a_move_decided_before_an_edit_does_nothing(stores, new_delivery):
    delivery = new_delivery()
    await stores.deliveries.insert_many([delivery])
    edited = replace(delivery, post=replace(delivery.post, text="New"), revision=1)
    assert await stores.deliveries.swap(delivery, edited)
    assert not await stores.deliveries.swap(delivery, replace(delivery, state=DeliveryState.CANCELED))
    assert edited == await stores.deliveries.find("T1", delivery.delivery_id)


async def test_a_delivery_from_before_posts_could_be_edited_moves(stores, new_delivery):
    delivery = new_delivery()
    await stores.deliveries.insert_many([delivery])
    collection = stores.database.collection("deliveries")
    await collection.update_one({"_id": delivery.delivery_id}, {"$unset": {"revision": ""}})
    assert await stores.deliveries.swap(delivery, replace(delivery, state=DeliveryState.CANCELED))


async def test_a_posts_deliveries_are_listed_in_its_workspace_whatever_their_state(stores, new_delivery):
    mine = [new_delivery(delivery_id=f"e{number}", state=state) for number, state in enumerate(DeliveryState)]
    await stores.deliveries.insert_many([*mine, new_delivery(delivery_id="other", post_id="p2")])
    assert tuple(mine) == await stores.deliveries.list_for_post("T1", mine[0].post_id)
    assert () == await stores.deliveries.list_for_post("T2", mine[0].post_id)
