"""A post is changed in the very moment in which something else happens to it, on a real database, bout after bout.

Whatever the order: exactly one version goes out, it is the one that the answer promised, and none is half of each.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta

import pytest
from measured import factor

from logicspike.domain import DeliveryState
from logicspike.services.editing import ChangedMeanwhile, Edited, TooLate

pytestmark = [pytest.mark.chaos, pytest.mark.patient]

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SEEDS = range(4 if factor() > 1 else 2)
BOUTS = 6
POSTS = 8
S = DeliveryState


@pytest.fixture(params=SEEDS)
def chance(request) -> random.Random:
    return random.Random(request.param)


async def at_some_point(chance, work, *, within=0.0):
    """Start after some turns of the loop or a bit of time, so that each bout meets the others' work elsewhere."""
    for _ in range(chance.randrange(60)):
        await asyncio.sleep(0)
    await asyncio.sleep(chance.random() * within)
    return await work


def texts(team):
    return [entry.text for entry in team.fake.ledger]


async def schedule_some(team, bout):
    return [await team.schedule(f"old {bout}.{number}") for number in range(POSTS)]


def word(answer):
    """What a post with one account was promised to say."""
    assert isinstance(answer, Edited | TooLate), answer
    return "new" if isinstance(answer, Edited) else "old"


async def test_an_edit_against_claims_and_publishes_is_answered_by_what_goes_out(
    team, restart, check_invariants, chance
):
    await team.connect()
    workers, editor, seen = [team, restart()], restart(), Counter()

    async def work(worker):
        for _ in range(3):
            await worker.delivering.deliver_due()
            await worker.delivering.wait_until_idle()

    for bout in range(BOUTS):
        posts = await schedule_some(team, bout)
        team.clock.advance(MINUTE)
        edits = (editor.edit(each, f"new {bout}.{number}") for number, each in enumerate(posts))
        answers = await asyncio.gather(
            *(at_some_point(chance, each, within=0.04) for each in edits),
            *(at_some_point(chance, work(worker)) for worker in workers),
        )
        words = [word(answer) for answer in answers[:POSTS]]
        seen.update(words)
        await work(team)
        for number, each in enumerate(posts):
            now = await team.read(each)
            assert (S.PUBLISHED, f"{words[number]} {bout}.{number}") == (now.state, now.post.text)
            assert [now.post.text] == [text for text in texts(team) if text.endswith(f" {bout}.{number}")]
    assert {"old", "new"} == set(seen), f"they never met: {seen}"
    await check_invariants()


async def test_a_post_that_is_moved_never_goes_out_old_or_early(team, restart, check_invariants, chance):
    await team.connect()
    editor, seen, later = restart(), Counter(), team.clock.now() + HOUR
    for bout in range(BOUTS):
        posts = await schedule_some(team, bout)
        team.clock.advance(MINUTE)
        edits = (editor.edit(each, f"new {bout}.{number}", due_at=later) for number, each in enumerate(posts))
        answers = await asyncio.gather(
            *(at_some_point(chance, each, within=0.04) for each in edits), at_some_point(chance, team.deliver())
        )
        words = [word(answer) for answer in answers[:POSTS]]
        seen.update(words)
        await team.deliver()
        for number, each in enumerate(posts):
            now, text = await team.read(each), f"{words[number]} {bout}.{number}"
            is_moved = words[number] == "new"
            expected = (S.SCHEDULED, text, later) if is_moved else (S.PUBLISHED, text, each.due_at)
            assert expected == (now.state, now.post.text, now.due_at)
            assert [text][is_moved:] == [text for text in texts(team) if text.endswith(f" {bout}.{number}")]
    assert {"old", "new"} == set(seen), f"they never met: {seen}"
    await team.deliver(after=HOUR)
    assert BOUTS * POSTS == len(texts(team))
    await check_invariants()


async def test_an_edit_against_a_cancel_leaves_the_post_cancelled_and_both_answers_true(
    team, restart, check_invariants, chance
):
    await team.connect()
    editor, canceler, seen = restart(), restart(), Counter()
    for bout in range(BOUTS):
        posts = await schedule_some(team, bout)
        edits = (editor.edit(each, f"new {bout}.{number}") for number, each in enumerate(posts))
        cancels = (canceler.scheduling.cancel(team.ana, each.delivery_id) for each in posts)
        done = await asyncio.gather(
            *(at_some_point(chance, each) for each in edits),
            *(at_some_point(chance, each, within=0.1) for each in cancels),
        )
        words = [word(answer) for answer in done[:POSTS]]
        seen.update(words)
        assert all(outcome.is_canceled for outcome in done[POSTS:])
        for number, each in enumerate(posts):
            now = await team.read(each)
            assert (S.CANCELED, f"{words[number]} {bout}.{number}") == (now.state, now.post.text)
    assert {"old", "new"} == set(seen), f"they never met: {seen}"
    await team.deliver(after=MINUTE)
    assert [] == texts(team)
    await check_invariants()


async def test_of_edits_at_once_one_is_saved_whole_at_every_account(team, restart, check_invariants, chance):
    first = await team.connect(person="p-1")
    await team.sign_in(team.ana, person="p-2")
    second = (await team.stores.connections.list_for_team("T1"))[-1]
    editors, winners = [restart() for _ in range(5)], set()
    for bout in range(BOUTS):
        delivery = await team.schedule(f"old {bout}", due_in=HOUR, accounts=(first.nickname, second.nickname))
        times = [team.clock.now() + (2 + n) * HOUR for n in range(5)]
        answers = await asyncio.gather(
            *(
                at_some_point(chance, editor.edit(delivery, f"new {bout}.{n}", due_at=times[n]))
                for n, editor in enumerate(editors)
            )
        )

        [winner] = [n for n, answer in enumerate(answers) if isinstance(answer, Edited)]
        winners.add(winner)
        assert all(isinstance(answer, ChangedMeanwhile) for n, answer in enumerate(answers) if n != winner)
        post = await team.stores.posts.find("T1", delivery.post_id)
        found = await team.stores.deliveries.list_for_post("T1", delivery.post_id)
        version = (f"new {bout}.{winner}", times[winner], 1)
        assert [version, version] == [(each.post.text, each.due_at, each.revision) for each in found]
        assert (*version, None) == (post.text, post.due_at, post.revision, post.change)
    assert len(winners) > 1, "the same one always wins: they never met"
    await check_invariants()


async def test_a_change_that_several_carry_through_at_once_is_made_once(team, restart, chance):
    await team.connect()
    editor, helpers = restart(), [restart() for _ in range(3)]
    for bout in range(BOUTS):
        posts = await schedule_some(team, bout)
        edits = (editor.edit(each, f"new {bout}.{number}") for number, each in enumerate(posts))
        looks = (helper.editing.find(team.ana, each.delivery_id) for helper in helpers for each in posts)
        answers = await asyncio.gather(*(at_some_point(chance, each) for each in (*edits, *looks)))

        assert all(isinstance(answer, Edited) for answer in answers[:POSTS])
        for number, each in enumerate(posts):
            post, now = await team.stores.posts.find("T1", each.post_id), await team.read(each)
            assert (f"new {bout}.{number}", 1, None) == (post.text, post.revision, post.change)
            assert (f"new {bout}.{number}", 1) == (now.post.text, now.revision)


async def test_an_edit_against_a_release_keeps_the_new_text_and_time(team, restart, check_invariants, chance):
    connection, editor = await team.connect(), restart()
    for bout in range(BOUTS):
        posts = await schedule_some(team, bout)
        team.fake.perform("revoke")
        await team.deliver(after=MINUTE)
        later = team.clock.now() + 9 * HOUR
        edits = (editor.edit(each, f"new {bout}.{n}", due_at=later) for n, each in enumerate(posts))
        done = await asyncio.gather(
            *(at_some_point(chance, each, within=0.1) for each in edits),
            at_some_point(chance, team.sign_in(team.ana, connection_id=connection.connection_id)),
        )
        await team.releasing.release_stranded()
        await team.deliver()

        for number, (each, answer) in enumerate(zip(posts, done[:POSTS], strict=True)):
            now, text = await team.read(each), f"{word(answer)} {bout}.{number}"
            is_moved = isinstance(answer, Edited)
            state = S.SCHEDULED if is_moved else S.PUBLISHED
            assert (state, text, later if is_moved else each.due_at) == (now.state, now.post.text, now.due_at)
            assert not is_moved or now.next_try_at == later
    await check_invariants()
