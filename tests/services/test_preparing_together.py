"""Preparing while processes end and posts change, and what its author sees of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from pictures import another_process, kill, open_album_team, schedule_picture
from team import Team

from logicspike.domain import HoldReason, Preparation
from logicspike.events import DeliveryPrepared
from logicspike.services.disconnecting import PostsOnDisconnect
from logicspike.services.editing import EditRequest
from logicspike.services.notices import (
    Connected,
    UploadEnded,
    UploadUnderWay,
)
from logicspike.store.mongo import Database

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=60)


@pytest.fixture
async def team(mongo_database: Database) -> AsyncIterator[Team]:
    async with open_album_team(mongo_database) as opened:
        yield opened


# --- processes --------------------------------------------------------------------------------------------------------


async def test_two_processes_prepare_a_post_once(team):
    await schedule_picture(team)
    other = another_process(team)
    team.clock.advance(timedelta(minutes=30))

    taken = await asyncio.gather(*(each.preparing.prepare_due() for each in (team, other) for _ in range(4)))
    await team.preparing.wait_until_idle()
    await other.preparing.wait_until_idle()

    assert 1 == sum(taken)
    assert 1 == len(team.fake.uploaded)


async def test_a_killed_workers_preparation_is_taken_over_once_its_lease_is_over(team):
    await schedule_picture(team)
    dying = another_process(team)
    team.fake.may_end.clear()
    team.clock.advance(timedelta(minutes=30))
    assert 1 == await dying.preparing.prepare_due()
    await team.fake.began.wait()
    kill(dying)

    assert 0 == await team.prepare(after=LEASE - timedelta(seconds=1))
    team.fake.may_end.set()
    assert 1 == await team.prepare(after=timedelta(seconds=1))
    await team.deliver(after=timedelta(minutes=30))

    assert 1 == len(team.fake.ledger)
    assert 1 == len(team.fake.ledger[0].media)


async def test_a_worker_that_stops_hands_back_at_once(team):
    await schedule_picture(team)
    stopping = another_process(team)
    team.fake.may_end.clear()
    team.clock.advance(timedelta(minutes=30))
    await stopping.preparing.prepare_due()
    await team.fake.began.wait()

    await stopping.preparing.stop()
    team.fake.may_end.set()

    assert 0 == await stopping.preparing.prepare_due()
    assert 1 == await team.prepare()


async def test_what_a_worker_prepared_after_its_lease_was_over_does_not_count(team):
    delivery = await schedule_picture(team)
    slow = another_process(team)
    team.fake.may_end.clear()
    team.clock.advance(timedelta(minutes=30))
    await slow.preparing.prepare_due()
    await team.fake.began.wait()
    team.clock.advance(LEASE)
    await team.preparing.prepare_due()
    team.fake.may_end.set()
    await slow.preparing.wait_until_idle()
    await team.preparing.wait_until_idle()

    assert 2 == len(team.fake.uploaded)
    assert 1 == len([each for each in (*team.events, *slow.events) if isinstance(each, DeliveryPrepared)])
    assert (await team.read(delivery)).preparation.begin_at is None


# --- changes meanwhile ------------------------------------------------------------------------------------------------


async def edit(team, delivery, text, *, due_in=None):
    due_at = delivery.due_at if due_in is None else team.clock.now() + due_in
    revision = (await team.stores.posts.find("T1", delivery.post_id)).revision
    return await team.editing.save(
        EditRequest(
            author=team.ana,
            delivery_id=delivery.delivery_id,
            revision=revision,
            text=text,
            due_at=due_at,
            zone="Europe/Berlin",
        )
    )


async def test_an_edited_post_keeps_its_pictures_and_is_prepared_anew(team):
    delivery = await schedule_picture(team, "old")
    await team.prepare(after=timedelta(minutes=30))

    await edit(team, delivery, "new")

    assert 1 == await team.prepare()
    await team.deliver(after=timedelta(minutes=30))
    [entry] = team.fake.ledger
    assert ("new", 1) == (entry.text, len(entry.media))


async def test_a_post_moved_to_another_time_keeps_what_is_prepared_if_the_platform_does(team):
    delivery = await schedule_picture(team, "same")
    await team.prepare(after=timedelta(minutes=30))
    await edit(team, delivery, "same", due_in=timedelta(days=14))
    assert (await team.read(delivery)).preparation.prepared is not None

    team.fake.lifetime = timedelta(hours=24)
    other = await schedule_picture(team, "other")
    await team.prepare(after=timedelta(minutes=30))
    await edit(team, other, "other", due_in=timedelta(days=14))
    moved = await team.read(other)
    assert Preparation(begin_at=moved.due_at - timedelta(minutes=30)) == moved.preparation


async def test_an_edit_while_it_is_uploaded_drops_that_upload(team):
    delivery = await schedule_picture(team, "old")
    team.fake.may_end.clear()
    team.clock.advance(timedelta(minutes=30))
    await team.preparing.prepare_due()
    await team.fake.began.wait()
    await edit(team, delivery, "new")
    team.fake.may_end.set()
    await team.preparing.wait_until_idle()
    assert (await team.read(delivery)).preparation.prepared is None

    assert 1 == await team.prepare()
    await team.deliver(after=timedelta(minutes=30))
    assert ["new"] == [entry.text for entry in team.fake.ledger]


async def test_a_post_that_another_account_takes_over_is_prepared_for_that_account(team):
    delivery = await schedule_picture(team)
    await team.prepare(after=timedelta(minutes=30))
    target = await team.connect(person="p-2")

    await team.disconnecting.disconnect(
        team.ana, delivery.connection_id, posts=PostsOnDisconnect.MOVE, move_to=target.connection_id
    )

    assert 1 == await team.prepare()
    await team.deliver(after=timedelta(minutes=30))
    [entry] = team.fake.ledger
    assert ("p-2", 1) == (entry.account.id, len(entry.media))


async def test_a_cancelled_post_is_not_prepared(team):
    delivery = await schedule_picture(team)
    await team.scheduling.cancel(team.ana, delivery.delivery_id)
    assert 0 == await team.prepare(after=timedelta(minutes=30))


async def test_a_late_post_is_asked_about_and_prepared_once_it_may_go_out(team):
    delivery = await schedule_picture(team)
    await team.deliver(after=2 * HOUR)
    assert HoldReason.LATE == (await team.read(delivery)).hold_reason
    assert 0 == await team.prepare()

    await team.answering.settle_late(team.ana, delivery.delivery_id, "publish")
    await team.deliver()
    await team.prepare()
    await team.deliver(after=timedelta(seconds=15))

    assert 1 == len(team.fake.ledger)


# --- progress ---------------------------------------------------------------------------------------------------------

AT_ONCE = timedelta(milliseconds=1)


def show_at_once(process):
    process.preparing._timings = replace(process.preparing._timings, progress_after=AT_ONCE, progress_every=AT_ONCE)


def revisions(process):
    return [(where, notice) for where, notice in process.notifier.revised if not isinstance(notice, Connected)]


async def begin_slow_upload(process, team, monkeypatch):
    """Begin an upload that takes as long as the test likes, until its author is shown it and that is noted."""
    show_at_once(process)
    team.fake.may_end.clear()
    noted, settle = asyncio.Event(), team.stores.deliveries.settle_preparing

    async def noting(delivery, *, owner):
        done = await settle(delivery, owner=owner)
        noted.set()
        return done

    with monkeypatch.context() as watched:
        watched.setattr(team.stores.deliveries, "settle_preparing", noting)
        await process.preparing.prepare_due()
        async with asyncio.timeout(10):
            await noted.wait()


async def test_a_quick_upload_is_not_talked_about(team):
    await schedule_picture(team)
    await team.prepare(after=timedelta(minutes=30))
    assert ([], []) == (team.notifier.of(UploadUnderWay), revisions(team))


async def test_a_slow_upload_is_shown_in_one_message_that_ends_with_when_the_post_goes_out(team, monkeypatch):
    await schedule_picture(team)
    team.clock.advance(timedelta(minutes=30))
    await begin_slow_upload(team, team, monkeypatch)
    team.fake.may_end.set()
    await team.preparing.wait_until_idle()

    assert 1 == len(team.notifier.of(UploadUnderWay))
    last = revisions(team)[-1][1]
    assert isinstance(last, UploadEnded)
    assert last.is_done
    assert (await team.read(last.delivery)).preparation.message is None


async def test_a_slow_upload_that_fails_ends_with_why_and_when_again(team, monkeypatch):
    await schedule_picture(team)
    team.clock.advance(timedelta(minutes=30))
    team.fake.refusals = [503]
    await begin_slow_upload(team, team, monkeypatch)
    team.fake.may_end.set()
    await team.preparing.wait_until_idle()
    assert "Echo takes no uploads now." == revisions(team)[-1][1].explanation


async def test_the_message_of_a_process_that_ended_is_gone_on_with_by_the_next(team, monkeypatch):
    delivery = await schedule_picture(team)
    team.clock.advance(timedelta(minutes=30))
    dying = another_process(team)
    await begin_slow_upload(dying, team, monkeypatch)
    message = (await team.read(delivery)).preparation.message
    kill(dying)

    team.fake.may_end.set()
    await team.prepare(after=LEASE)

    assert [] == team.notifier.of(UploadUnderWay)
    assert [(message, UploadEnded)] == [(where, type(notice)) for where, notice in revisions(team)]


async def test_an_upload_whose_post_is_cancelled_is_broken_off_and_says_so(team, monkeypatch):
    delivery = await schedule_picture(team)
    team.clock.advance(timedelta(minutes=30))
    team.preparing._timings = replace(team.preparing._timings, prepare_lease=30 * AT_ONCE)
    await begin_slow_upload(team, team, monkeypatch)

    await team.scheduling.cancel(team.ana, delivery.delivery_id)
    await team.preparing.wait_until_idle()

    assert not revisions(team)[-1][1].is_done
    assert [] == team.fake.uploaded


async def test_an_upload_that_is_not_wanted_any_more_says_so(team, monkeypatch):
    delivery = await schedule_picture(team, "old")
    team.clock.advance(timedelta(minutes=30))
    await begin_slow_upload(team, team, monkeypatch)
    await edit(team, delivery, "new")
    team.fake.may_end.set()
    await team.preparing.wait_until_idle()
    assert not revisions(team)[-1][1].is_done
