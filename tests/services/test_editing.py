"""Changing a scheduled post: what it becomes in each state, and what it answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from team import claim_due

from logicspike.domain import DeliveryState, HoldReason
from logicspike.events import PostEdited
from logicspike.plugin.errors import MemberActionRequired, PlatformUnavailable, PostRejected
from logicspike.plugin.types import Problem
from logicspike.services.disconnecting import PostsOnDisconnect
from logicspike.services.editing import ChangedMeanwhile, Edited, NotEdited, TooLate

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
S = DeliveryState


# --- what it becomes --------------------------------------------------------------------------------------------------


async def test_a_changed_post_goes_out_once_with_its_new_text_at_its_new_time(team):
    await team.connect()
    delivery = await team.schedule("Old", due_in=HOUR)

    done = await team.edit(delivery, "New https://example.com/a", due_in=2 * HOUR)

    assert isinstance(done, Edited)
    assert 0 == await team.deliver(after=HOUR)
    await team.deliver(after=HOUR)
    assert ["New https://example.com/a"] == [entry.text for entry in team.fake.ledger]
    now = await team.read(delivery)
    assert (delivery.post.key, "https://example.com/a") == (now.post.key, now.post.link)
    assert [PostEdited(team_id="T1", post_id=delivery.post_id, deliveries=1)] == [
        each for each in team.events if isinstance(each, PostEdited)
    ]


async def test_the_post_and_all_its_deliveries_take_the_change(team):
    deliveries = await team.schedule_to_both()

    done = await team.edit(deliveries[1], due_in=3 * HOUR)

    due_at = team.clock.now() + 3 * HOUR
    post = await team.stores.posts.find("T1", deliveries[0].post_id)
    assert ("Changed", due_at, 1, None) == (post.text, post.due_at, post.revision, post.change)
    wall_time = due_at.astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None)
    assert wall_time.isoformat() == post.wall_time
    for each in deliveries:
        now = await team.read(each)
        assert ("Changed", due_at, due_at) == (now.post.text, now.due_at, now.next_try_at)
    assert {each.delivery_id for each in deliveries} == {each.delivery_id for each in done.changed}
    assert () == done.unchanged


async def test_the_same_minute_keeps_the_time_to_the_second(team):
    await team.connect()
    team.clock.advance(timedelta(seconds=47 - team.clock.now().second % 60))
    delivery = await team.schedule(due_in=HOUR)

    await team.edit(delivery, due_at=delivery.due_at.replace(second=0))

    assert delivery.due_at == (await team.read(delivery)).due_at


async def test_now_means_now_even_within_the_posts_own_minute(team):
    await team.connect()
    delivery = await team.schedule(due_in=timedelta(seconds=20))

    await team.edit(delivery, is_now=True)

    assert team.clock.now() == (await team.read(delivery)).due_at


async def test_a_claimed_post_is_taken_back_and_the_worker_sends_nothing(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule("Old")
    answers = []
    real = team.refreshing.get_credential

    async def get_credential(connection):
        if not answers:
            answers.append(await team.edit(delivery, "New"))
        return await real(connection)

    monkeypatch.setattr(team.refreshing, "get_credential", get_credential)
    await team.deliver(after=MINUTE)

    assert [] == team.fake.ledger
    assert S.SCHEDULED is (await team.read(delivery)).state
    assert [delivery.delivery_id] == [each.delivery_id for each in answers[0].changed]
    await team.deliver()
    assert ["New"] == [entry.text for entry in team.fake.ledger]


async def test_a_post_that_waits_for_its_next_try_starts_anew_at_a_later_time(team, refuse):
    await team.connect()
    delivery = await team.schedule()
    refuse(PlatformUnavailable("Down."))
    await team.deliver(after=MINUTE)
    waiting = await team.read(delivery)
    assert (1, "Down.") == (waiting.tries, waiting.detail)

    await team.edit(delivery, due_in=HOUR)

    now = await team.read(delivery)
    assert (0, None, now.due_at) == (now.tries, now.detail, now.next_try_at)
    assert waiting.attempts == now.attempts


@pytest.mark.parametrize("is_now", [True, False])
async def test_a_pause_that_the_platform_needs_outlasts_an_edit(team, is_now):
    await team.connect()
    delivery = await team.schedule()
    until = team.clock.now() + HOUR
    await team.stores.deliveries.postpone(until=until, platform="echo")

    await team.edit(delivery, is_now=is_now)

    assert until == (await team.read(delivery)).next_try_at


async def hold(team, reason):
    await team.connect()
    delivery = await team.schedule()
    held = replace(delivery, state=S.HELD, hold_reason=reason, detail="Why.", is_asked=reason is HoldReason.LATE)
    assert await team.stores.deliveries.swap(delivery, held)
    return held


@pytest.mark.parametrize("reason", HoldReason)
@pytest.mark.parametrize("moves", [True, False])
async def test_a_held_post_stays_held_with_its_reason_unless_a_new_time_settles_it(team, reason, moves):
    held = await hold(team, reason)

    await team.edit(held, due_in=HOUR if moves else None)

    now = await team.read(held)
    assert "Changed" == now.post.text
    if reason is HoldReason.LATE and moves:
        assert (S.SCHEDULED, None, None, False) == (now.state, now.hold_reason, now.detail, now.is_asked)
        assert team.clock.now() + HOUR == now.next_try_at
    else:
        assert (S.HELD, reason, "Why.") == (now.state, now.hold_reason, now.detail)


async def test_a_held_post_goes_out_changed_once_its_account_is_back(team):
    connection = await team.connect()
    delivery = await team.schedule("Old")
    team.fake.perform("revoke")
    await team.deliver(after=MINUTE)
    assert HoldReason.RECONNECT is (await team.read(delivery)).hold_reason

    await team.edit(delivery, "New", due_in=HOUR)
    await team.sign_in(team.ana, connection_id=connection.connection_id)

    assert 0 == await team.deliver()
    await team.deliver(after=HOUR)
    assert ["New"] == [entry.text for entry in team.fake.ledger]


async def test_a_confirmed_late_post_with_a_new_time_may_be_late_again(team):
    await team.connect()
    delivery = await team.schedule()
    await team.deliver(after=HOUR)
    await team.answering.settle_late(team.ana, delivery.delivery_id, "publish")

    await team.edit(delivery, due_in=HOUR)
    await team.deliver(after=3 * HOUR)

    assert HoldReason.LATE is (await team.read(delivery)).hold_reason


async def test_a_post_of_an_account_that_was_disconnected_is_changed_while_held(team):
    connection = await team.connect()
    delivery = await team.schedule(due_in=HOUR)
    await team.disconnecting.disconnect(team.ana, connection.connection_id, posts=PostsOnDisconnect.HOLD)

    done = await team.edit(delivery, "New")

    assert [(S.HELD, "New")] == [(each.state, each.post.text) for each in done.changed]


# --- what it refuses --------------------------------------------------------------------------------------------------


async def test_what_the_platform_would_refuse_stands_at_its_field_and_nothing_changes(team):
    await team.connect()
    delivery = await team.schedule(due_in=HOUR)

    done = await team.edit(delivery, "x" * 101, due_in=-HOUR)

    assert isinstance(done, NotEdited)
    assert ["when", "text"] == [each.field for each in done.problems]
    assert delivery == await team.read(delivery)
    assert None is (await team.stores.posts.find("T1", delivery.post_id)).change


async def test_an_empty_text_is_refused(team):
    await team.connect()
    delivery = await team.schedule(due_in=HOUR)

    done = await team.edit(delivery, " \n ")

    assert ["text"] == [each.field for each in done.problems]


async def test_a_past_time_that_is_not_touched_is_no_complaint(team):
    held = await hold(team, HoldReason.LATE)
    team.clock.advance(HOUR)

    assert isinstance(await team.edit(held), Edited)


async def test_no_text_keeps_the_text(team):
    await team.connect()
    delivery = await team.schedule("Kept", due_in=HOUR)

    await team.edit(delivery, None, due_in=2 * HOUR)

    assert "Kept" == (await team.read(delivery)).post.text


async def test_a_colleagues_post_is_none(team):
    await team.connect()
    delivery = await team.schedule(due_in=HOUR)

    assert None is await team.editing.save(replace(team.edit_request(delivery), author=team.ben))
    assert None is await team.editing.find(team.ben, delivery.delivery_id)
    assert delivery == await team.read(delivery)


async def bring_to(team, delivery, state, refuse):
    """Let a delivery get into a state, by what really leads there."""
    match state:
        case S.PUBLISHED:
            await team.deliver(after=MINUTE)
        case S.UNKNOWN:
            team.fake.switch("error_after_accept", times=1)
            await team.deliver(after=MINUTE)
        case S.FAILED:
            refuse(PostRejected(Problem(message="No.")))
            await team.deliver(after=MINUTE)
        case S.CANCELED:
            await team.scheduling.cancel(team.ana, delivery.delivery_id)
        case S.HELD:
            refuse(MemberActionRequired("Do something there."))
            await team.deliver(after=MINUTE)
        case S.CLAIMED | S.PUBLISHING:
            until = team.clock.now() + MINUTE
            [claimed] = await claim_due(team.stores.deliveries, now=until, owner="w", until=until, limit=1)
            if state is S.PUBLISHING:
                assert await team.stores.deliveries.swap(claimed, replace(claimed, state=state))
    found = await team.read(delivery)
    assert state is found.state
    return found


GONE = [S.PUBLISHING, S.PUBLISHED, S.UNKNOWN, S.FAILED, S.CANCELED]


@pytest.mark.parametrize("state", GONE)
async def test_what_has_gone_or_is_over_is_not_changed_and_said_so(team, refuse, state):
    await team.connect()
    delivery = await team.schedule()
    before = await bring_to(team, delivery, state, refuse)

    done = await team.edit(delivery)

    assert isinstance(done, TooLate)
    assert [before] == list(done.deliveries)
    assert before == await team.read(delivery)


@pytest.mark.parametrize("state", DeliveryState)
async def test_a_cancel_is_answered_truthfully_in_every_state(team, refuse, state):
    await team.connect()
    delivery = await team.schedule()
    before = await bring_to(team, delivery, state, refuse) if state is not S.SCHEDULED else delivery

    outcome = await team.scheduling.cancel(team.ana, delivery.delivery_id)

    now = await team.read(delivery)
    assert now == outcome.delivery
    is_in_time = state in {S.SCHEDULED, S.CLAIMED, S.HELD, S.CANCELED}
    assert is_in_time is outcome.is_canceled
    assert (S.CANCELED if is_in_time else before.state) is now.state


async def test_where_it_has_gone_it_stays_and_elsewhere_it_changes(team):
    first, second = await team.schedule_to_both("Old", due_in=MINUTE)
    publishing = await bring_to_publishing(team, first)

    done = await team.edit(second, "New", due_in=HOUR)

    assert ([second.delivery_id], [publishing]) == (
        [each.delivery_id for each in done.changed],
        list(done.unchanged),
    )
    assert ("Old", "New") == ((await team.read(first)).post.text, (await team.read(second)).post.text)


async def bring_to_publishing(team, delivery):
    now = team.clock.now()
    [claimed] = await team.stores.deliveries.claim([delivery.delivery_id], now=now + HOUR, owner="w", until=now + HOUR)
    assert await team.stores.deliveries.swap(claimed, replace(claimed, state=S.PUBLISHING))
    return await team.read(delivery)


# --- two editors, and the same one twice ------------------------------------------------------------------------------


async def test_a_form_opened_before_another_change_changes_nothing(team):
    await team.connect()
    delivery = await team.schedule("Old", due_in=HOUR)
    await team.edit(delivery, "First", due_in=2 * HOUR)

    done = await team.edit(delivery, "Second")

    assert isinstance(done, ChangedMeanwhile)
    assert ("First", 1) == (done.now.post.text, done.now.post.revision)
    assert "First" == (await team.read(delivery)).post.text
    assert isinstance(await team.edit(delivery, "Second", revision=1), Edited)
    assert "Second" == (await team.read(delivery)).post.text


async def test_saving_the_same_again_is_answered_like_the_first_time(team):
    deliveries = await team.schedule_to_both()
    first = await team.edit(deliveries[0], due_in=2 * HOUR)

    again = await team.edit(deliveries[0], due_in=2 * HOUR)

    assert (first.changed, first.unchanged) == (again.changed, again.unchanged)
    assert 1 == (await team.stores.posts.find("T1", deliveries[0].post_id)).revision


async def test_a_move_decided_before_an_edit_does_not_undo_it(team):
    held = await hold(team, HoldReason.MEMBER)
    await team.edit(held, "New", due_in=HOUR)

    released = replace(held, state=S.SCHEDULED, hold_reason=None, detail=None)

    assert not await team.stores.deliveries.swap(held, released)
    assert "New" == (await team.read(held)).post.text
