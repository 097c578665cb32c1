from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from team import claim_due

from logicspike.domain import Attempt, ConnectionStatus, DeliveryState, HoldReason, Timings
from logicspike.plugin.errors import (
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformUnavailable,
    PostRejected,
    RateLimited,
    TokenExpired,
)
from logicspike.plugin.types import Problem
from logicspike.services.notices import (
    DeliveryDelayed,
    DeliveryFailed,
    DeliveryHeld,
    DeliveryPublished,
    LateQuestion,
    OperatorTrouble,
    OutcomeQuestion,
    Reconnected,
    ReconnectNeeded,
)

MINUTE = timedelta(minutes=1)
LEASE_AND_A_BIT = timedelta(seconds=95)
SETTLE = Timings().settle


@pytest.fixture
def refuse(team, monkeypatch):
    """Let publish raise once, as a platform's plugin would."""

    def arrange(error: Exception, *, times: int = 1) -> None:
        publish = team.platforms.publish
        left = [times]

        async def refusing(*args: object) -> object:
            if left[0]:
                left[0] -= 1
                raise error
            return await publish(*args)

        monkeypatch.setattr(team.platforms, "publish", refusing)

    return arrange


async def test_a_due_post_is_published_once_and_its_author_told(team):
    await team.connect()
    delivery = await team.schedule("Hello")

    assert 0 == await team.deliver()
    assert 1 == await team.deliver(after=MINUTE)

    done = await team.read(delivery)
    assert DeliveryState.PUBLISHED == done.state
    assert ["Hello"] == [entry.text for entry in team.fake.ledger]
    assert team.fake.ledger[0].id == done.published_id
    assert [delivery.delivery_id] == [notice.delivery.delivery_id for notice in team.notifier.of(DeliveryPublished)]
    assert not done.is_owed
    assert done.claim_token is None
    assert ["published"] == [attempt.outcome for attempt in done.attempts]


async def test_a_later_look_finds_nothing_more(team):
    await team.connect()
    await team.schedule()
    await team.deliver(after=MINUTE)

    assert 0 == await team.deliver(after=MINUTE)
    assert 1 == len(team.fake.ledger)


async def test_an_accounts_posts_go_out_in_order(team):
    await team.connect()
    for number in range(5):
        await team.schedule(f"post {number}", due_in=timedelta(seconds=10 + number))

    await team.deliver(after=MINUTE)

    assert [f"post {n}" for n in range(5)] == [entry.text for entry in team.fake.ledger]


async def test_the_attempt_is_recorded_before_the_first_byte(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule()
    seen = []
    publish = team.platforms.publish

    async def watching(*args: object) -> object:
        seen.append(await team.read(delivery))
        return await publish(*args)

    monkeypatch.setattr(team.platforms, "publish", watching)
    await team.deliver(after=MINUTE)

    assert DeliveryState.PUBLISHING == seen[0].state
    assert [None] == [attempt.outcome for attempt in seen[0].attempts]


async def test_an_expired_access_token_is_refreshed_before_use(team):
    connection = await team.connect()
    await team.schedule(due_in=timedelta(hours=2))

    await team.deliver(after=timedelta(hours=2))

    assert 1 == len(team.fake.ledger)
    assert connection.token_version + 1 == (await team.connection(connection)).token_version


async def test_a_token_refused_on_publish_is_refreshed_and_the_post_goes_out(team):
    await team.connect()
    delivery = await team.schedule()
    team.fake.expire_access_tokens()

    await team.deliver(after=MINUTE)
    await team.deliver()

    done = await team.read(delivery)
    assert DeliveryState.PUBLISHED == done.state
    assert ["token_expired", "published"] == [attempt.outcome for attempt in done.attempts]
    assert 1 == len(team.fake.ledger)


async def test_a_token_refused_again_right_after_a_refresh_asks_for_a_reconnect(team, refuse):
    connection = await team.connect()
    delivery = await team.schedule()
    refuse(TokenExpired("no"), times=2)

    await team.deliver(after=MINUTE)
    await team.deliver()

    assert HoldReason.RECONNECT == (await team.read(delivery)).hold_reason
    assert ConnectionStatus.NEEDS_RECONNECT == (await team.connection(connection)).status


async def test_a_revoked_grant_holds_the_due_post_and_asks_once(team):
    connection = await team.connect()
    first, second = await team.schedule("one"), await team.schedule("two")
    future = await team.schedule("three", due_in=timedelta(hours=5))
    team.fake.revoke_all()

    for _ in range(4):
        await team.deliver(after=MINUTE)

    assert ConnectionStatus.NEEDS_RECONNECT == (await team.connection(connection)).status
    for delivery in (first, second):
        held = await team.read(delivery)
        assert (DeliveryState.HELD, HoldReason.RECONNECT) == (held.state, held.hold_reason)
    assert DeliveryState.SCHEDULED == (await team.read(future)).state
    [asked] = team.notifier.of(ReconnectNeeded)
    assert 3 == asked.waiting
    assert [] == team.fake.ledger


async def test_after_a_reconnect_held_posts_go_out_in_order(team):
    connection = await team.connect()
    for number in range(3):
        await team.schedule(f"held {number}", due_in=timedelta(seconds=30 + number))
    team.fake.revoke_all()
    for _ in range(3):
        await team.deliver(after=MINUTE)

    await team.sign_in(team.ana, connection_id=connection.connection_id)
    await team.deliver()

    assert ["held 0", "held 1", "held 2"] == [entry.text for entry in team.fake.ledger]
    [back] = team.notifier.revised_to(Reconnected)
    assert (3, 0) == (len(back.released), len(back.late))


async def test_posts_overdue_by_more_than_ten_minutes_are_asked_about_after_a_reconnect(team):
    connection = await team.connect()
    delivery = await team.schedule()
    team.fake.revoke_all()
    for _ in range(2):
        await team.deliver(after=MINUTE)
    team.clock.advance(timedelta(minutes=30))

    await team.sign_in(team.ana, connection_id=connection.connection_id)
    await team.deliver()

    assert [] == team.fake.ledger
    assert HoldReason.LATE == (await team.read(delivery)).hold_reason
    [back] = team.notifier.revised_to(Reconnected)
    assert (0, 1) == (len(back.released), len(back.late))

    await team.answering.settle_late(team.ana, delivery.delivery_id, "publish")
    await team.deliver()
    assert 1 == len(team.fake.ledger)


async def test_posts_that_are_late_because_the_bot_was_down_are_held_and_asked_about_in_one_message(team):
    await team.connect()
    deliveries = [await team.schedule(f"late {n}") for n in range(3)]

    await team.deliver(after=timedelta(minutes=12))

    assert [] == team.fake.ledger
    [question] = team.notifier.of(LateQuestion)
    assert {each.delivery_id for each in deliveries} == {each.delivery_id for each in question.deliveries}


async def test_posts_up_to_ten_minutes_late_just_go_out(team):
    await team.connect()
    await team.schedule()

    await team.deliver(after=timedelta(minutes=10))

    assert 1 == len(team.fake.ledger)


async def test_a_rate_limit_snoozes_without_counting(team):
    await team.connect()
    delivery = await team.schedule()
    team.fake.switch("rate_limit", times=1)

    await team.deliver(after=MINUTE)

    waiting = await team.read(delivery)
    assert (DeliveryState.SCHEDULED, 0) == (waiting.state, waiting.tries)
    assert team.clock.now() + timedelta(seconds=30) == waiting.next_try_at
    assert 0 == await team.deliver(after=timedelta(seconds=28))
    await team.deliver(after=timedelta(seconds=2))
    assert 1 == len(team.fake.ledger)


async def test_an_unreachable_platform_is_tried_again_later_then_given_up_with_a_word(team, refuse):
    await team.connect()
    delivery = await team.schedule()
    refuse(PlatformUnavailable("down"), times=99)

    await team.deliver(after=MINUTE)
    for _ in range(5):
        waiting = await team.read(delivery)
        assert DeliveryState.SCHEDULED == waiting.state
        await team.deliver(after=waiting.next_try_at - team.clock.now())

    done = await team.read(delivery)
    assert DeliveryState.FAILED == done.state
    assert 6 == len(done.attempts)
    assert 1 == len(team.notifier.of(DeliveryFailed))


async def test_a_rejected_post_fails_with_what_to_change(team, refuse):
    await team.connect()
    delivery = await team.schedule()
    refuse(PostRejected(Problem(message="Echo refuses shouting.")))

    await team.deliver(after=MINUTE)

    assert DeliveryState.FAILED == (await team.read(delivery)).state
    assert [("Echo refuses shouting.",)] == [notice.problems for notice in team.notifier.of(DeliveryFailed)]


async def test_what_the_member_must_do_holds_only_the_post(team, refuse):
    connection = await team.connect()
    delivery = await team.schedule()
    refuse(MemberActionRequired("Confirm your identity at Echo."))

    await team.deliver(after=MINUTE)

    assert HoldReason.MEMBER == (await team.read(delivery)).hold_reason
    assert ConnectionStatus.ACTIVE == (await team.connection(connection)).status
    assert 1 == len(team.notifier.of(DeliveryHeld))


async def test_trouble_with_our_app_tells_author_and_admins_and_leaves_the_connection_alone(team, refuse):
    connection = await team.connect()
    delivery = await team.schedule()
    refuse(OperatorActionRequired("No credits are left."))

    await team.deliver(after=MINUTE)

    assert HoldReason.OPERATOR == (await team.read(delivery)).hold_reason
    assert ConnectionStatus.ACTIVE == (await team.connection(connection)).status
    told = [member.user_id for member, notice in team.notifier.sent if isinstance(notice, OperatorTrouble)]
    assert ["UADMIN"] == told


@pytest.mark.parametrize("fault", ["accept_then_drop", "error_after_accept"])
async def test_a_lost_answer_is_unknown_then_found_and_never_posted_twice(team, fault):
    await team.connect()
    delivery = await team.schedule()
    team.fake.switch(fault, times=1)

    await team.deliver(after=MINUTE)
    assert DeliveryState.UNKNOWN == (await team.read(delivery)).state
    assert 0 == await team.reconciling.settle_unknown()

    team.clock.advance(SETTLE)
    assert 1 == await team.reconciling.settle_unknown()
    await team.telling.tell_owed()

    assert DeliveryState.PUBLISHED == (await team.read(delivery)).state
    assert 1 == len(team.fake.ledger)
    assert 1 == len(team.notifier.of(DeliveryPublished))


async def test_an_unknown_post_that_is_not_there_twice_is_published_again(team, refuse):
    await team.connect()
    delivery = await team.schedule()
    refuse(OutcomeUnknown("no answer, and nothing arrived"))

    await team.deliver(after=MINUTE)
    team.clock.advance(SETTLE)
    await team.reconciling.settle_unknown()
    assert DeliveryState.UNKNOWN == (await team.read(delivery)).state
    assert 0 == await team.reconciling.settle_unknown()
    team.clock.advance(MINUTE)
    await team.reconciling.settle_unknown()
    await team.deliver()

    assert DeliveryState.PUBLISHED == (await team.read(delivery)).state
    assert 1 == len(team.fake.ledger)


async def test_a_platform_without_look_up_asks_the_author(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule()
    team.fake.switch("accept_then_drop", times=1)
    await team.deliver(after=MINUTE)
    hooks = {key: value for key, value in team.platforms._hooks.items() if key[1] != "find_published"}
    monkeypatch.setattr(team.platforms, "_hooks", hooks)
    monkeypatch.setattr(type(team.platforms), "supports", lambda self, name, hook: (name, hook) in self._hooks)

    team.clock.advance(SETTLE)
    await team.reconciling.settle_unknown()
    await team.reconciling.settle_unknown()

    [question] = team.notifier.of(OutcomeQuestion)
    attempt_id = question.delivery.attempts[-1].attempt_id
    settled = await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "live")
    assert DeliveryState.PUBLISHED == settled.state
    again = await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "again")
    assert DeliveryState.PUBLISHED == again.state


async def test_an_account_that_may_not_look_asks_the_author_at_once(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule()
    team.fake.switch("accept_then_drop", times=1)
    await team.deliver(after=MINUTE)

    async def may_not_look(*_args: object) -> object:
        raise OutcomeUnknown("Chirp doesn't let the bot look.")

    monkeypatch.setattr(team.platforms, "find_published", may_not_look)
    team.clock.advance(SETTLE)
    await team.reconciling.settle_unknown()

    [question] = team.notifier.of(OutcomeQuestion)
    assert delivery.delivery_id == question.delivery.delivery_id


async def test_a_claim_whose_process_died_before_sending_goes_back_to_the_schedule(team):
    await team.connect()
    delivery = await team.schedule()
    team.clock.advance(MINUTE)
    now = team.clock.now()
    await claim_due(team.stores.deliveries, now=now, owner="dead", until=now + timedelta(seconds=90), limit=10)

    assert 0 == await team.reconciling.rescue()
    team.clock.advance(LEASE_AND_A_BIT)
    assert 1 == await team.reconciling.rescue()

    assert DeliveryState.SCHEDULED == (await team.read(delivery)).state
    await team.deliver()
    assert 1 == len(team.fake.ledger)


async def test_a_process_that_died_while_publishing_leaves_an_unknown_not_a_second_post(team):
    await team.connect()
    delivery = await team.schedule()
    team.clock.advance(MINUTE)
    now = team.clock.now()
    [claimed] = await claim_due(
        team.stores.deliveries, now=now, owner="dead", until=now + timedelta(seconds=90), limit=10
    )
    publishing = replace(claimed, state=DeliveryState.PUBLISHING)
    assert await team.stores.deliveries.swap(claimed, publishing)
    team.clock.advance(LEASE_AND_A_BIT)

    await team.reconciling.rescue()

    assert DeliveryState.UNKNOWN == (await team.read(delivery)).state
    assert 0 == await team.deliver()


async def test_a_post_canceled_between_claim_and_send_is_not_sent(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule()
    get_credential = team.refreshing.get_credential

    async def cancel_first(*args: object, **kwargs: object) -> object:
        outcome = await team.scheduling.cancel(team.ana, delivery.delivery_id)
        assert outcome.is_canceled
        return await get_credential(*args, **kwargs)

    monkeypatch.setattr(team.refreshing, "get_credential", cancel_first)
    await team.deliver(after=MINUTE)

    assert [] == team.fake.ledger
    assert DeliveryState.CANCELED == (await team.read(delivery)).state


async def test_stopping_finishes_what_is_being_sent_and_hands_back_the_rest(team, monkeypatch):
    await team.connect()
    first, second = await team.schedule("first"), await team.schedule("second", due_in=timedelta(seconds=59))
    in_publish, go_on = asyncio.Event(), asyncio.Event()
    publish = team.platforms.publish

    async def waiting(*args: object) -> object:
        in_publish.set()
        await go_on.wait()
        return await publish(*args)

    monkeypatch.setattr(team.platforms, "publish", waiting)
    team.clock.advance(MINUTE)
    await team.delivering.deliver_due()
    await in_publish.wait()
    stopping = asyncio.ensure_future(team.delivering.stop(timedelta(seconds=10)))
    await asyncio.sleep(0)
    go_on.set()

    assert 0 == await stopping
    assert ["second"] == [entry.text for entry in team.fake.ledger]
    assert DeliveryState.PUBLISHED == (await team.read(second)).state
    assert DeliveryState.SCHEDULED == (await team.read(first)).state
    assert 0 == await team.delivering.deliver_due()


async def test_a_post_whose_author_lost_the_account_is_held(team):
    connection = await team.connect()
    delivery = await team.schedule()
    current = await team.connection(connection)
    assert await team.stores.connections.swap(current, replace(current, owner_id="UBEN"))

    await team.deliver(after=MINUTE)

    assert HoldReason.MEMBER == (await team.read(delivery)).hold_reason
    assert [] == team.fake.ledger


async def test_a_rate_limit_holds_back_the_whole_account(team, refuse):
    await team.connect()
    first, second = await team.schedule("first"), await team.schedule("second", due_in=timedelta(minutes=2))
    until = team.clock.now() + timedelta(minutes=9)
    refuse(RateLimited("slow down", until=until), times=9)

    await team.deliver(after=MINUTE)

    assert [until, until] == [(await team.read(each)).next_try_at for each in (first, second)]
    assert 0 == await team.deliver(after=timedelta(minutes=5))


async def test_an_app_wide_limit_holds_back_every_account_of_the_platform(team, refuse):
    await team.connect(person="p-1")
    other = await team.connect(person="p-2")
    limited = await team.schedule("limited", accounts=("echo:ann-echo",))
    elsewhere = await team.schedule("elsewhere", accounts=(other.nickname,), due_in=timedelta(minutes=3))
    until = team.clock.now() + timedelta(minutes=9)
    refuse(RateLimited("no more today", until=until, is_app_wide=True))

    await team.deliver(after=MINUTE)

    assert [until, until] == [(await team.read(each)).next_try_at for each in (limited, elsewhere)]


async def test_one_account_is_served_by_one_worker_at_a_time(team, second_worker, monkeypatch):
    await team.connect()
    for number in range(6):
        await team.schedule(f"post {number}", due_in=timedelta(seconds=10 + number))
    at_once, most = 0, 0
    publish = team.platforms.publish

    async def counting(*args: object) -> object:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await publish(*args)
        finally:
            at_once -= 1

    monkeypatch.setattr(team.platforms, "publish", counting)
    team.clock.advance(MINUTE)
    await asyncio.gather(team.delivering.deliver_due(), second_worker.deliver_due())
    await team.delivering.wait_until_idle()
    await second_worker.wait_until_idle()

    assert 1 == most
    assert [f"post {n}" for n in range(6)] == [entry.text for entry in team.fake.ledger]


async def test_a_lane_of_a_dead_worker_is_free_when_its_lease_is_over(team):
    connection = await team.connect()
    await team.schedule()
    now = team.clock.now()
    await team.stores.connections.take_lanes(
        [connection.connection_id], owner="dead", until=now + timedelta(minutes=2), now=now
    )

    assert 0 == await team.deliver(after=MINUTE)
    assert 1 == await team.deliver(after=MINUTE)
    assert 1 == len(team.fake.ledger)


async def test_a_post_that_keeps_ending_its_process_is_set_aside_with_one_message(team):
    await team.connect()
    poison = await team.schedule("poison")
    team.clock.advance(MINUTE)
    for _ in range(4):
        now = team.clock.now()
        await claim_due(team.stores.deliveries, now=now, owner="dies", until=now + timedelta(seconds=90), limit=10)
        team.clock.advance(LEASE_AND_A_BIT)
        await team.reconciling.rescue()
    await team.telling.tell_owed()

    parked = await team.read(poison)
    assert (DeliveryState.HELD, HoldReason.PARKED, 2) == (parked.state, parked.hold_reason, parked.deaths)
    assert 1 == len(team.notifier.of(DeliveryHeld))
    assert 1 == len(team.notifier.of(OperatorTrouble))
    await team.schedule("other", due_in=timedelta(seconds=1))
    await team.deliver(after=timedelta(seconds=1))
    assert ["other"] == [entry.text for entry in team.fake.ledger]


async def test_a_post_that_dies_while_publishing_is_asked_about_after_three_deaths(team):
    await team.connect()
    poison = await team.schedule("poison")
    team.clock.advance(MINUTE)
    for _ in range(3):
        now = team.clock.now()
        [claimed] = await claim_due(
            team.stores.deliveries, now=now, owner="dies", until=now + timedelta(seconds=90), limit=10
        )
        attempts = (*claimed.attempts, Attempt(attempt_id=f"a{len(claimed.attempts)}", started_at=now))
        assert await team.stores.deliveries.swap(
            claimed, replace(claimed, state=DeliveryState.PUBLISHING, attempts=attempts)
        )
        team.clock.advance(LEASE_AND_A_BIT)
        await team.reconciling.rescue()
        for _ in range(2):
            team.clock.advance(SETTLE)
            await team.reconciling.settle_unknown()

    assert DeliveryState.UNKNOWN == (await team.read(poison)).state
    assert 1 == len(team.notifier.of(OutcomeQuestion))
    assert [] == team.fake.ledger


async def test_a_first_delay_is_told_once(team, refuse):
    await team.connect()
    delivery = await team.schedule()
    refuse(PlatformUnavailable("Echo is down."), times=2)

    await team.deliver(after=MINUTE)
    waiting = await team.read(delivery)
    await team.deliver(after=waiting.next_try_at - team.clock.now())

    assert ["Echo is down."] == [notice.explanation for notice in team.notifier.of(DeliveryDelayed)]
    assert 2 == (await team.read(delivery)).tries


async def test_posts_stranded_by_a_crash_between_reconnect_and_release_go_out(team, monkeypatch):
    connection = await team.connect()
    delivery = await team.schedule("stranded")
    late = await team.schedule("late")
    team.fake.revoke_all()
    for _ in range(2):
        await team.deliver(after=MINUTE)
    held = await team.read(late)
    await team.stores.deliveries.swap(held, replace(held, due_at=team.clock.now() - timedelta(hours=1)))

    async def die(*_: object) -> object:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(team.releasing, "release", die)
        await team.sign_in(team.ana, connection_id=connection.connection_id)
    assert DeliveryState.HELD == (await team.read(delivery)).state

    assert 2 == await team.releasing.release_stranded()
    await team.deliver()

    assert ["stranded"] == [entry.text for entry in team.fake.ledger]
    [question] = team.notifier.of(LateQuestion)
    assert [late.delivery_id] == [each.delivery_id for each in question.deliveries]
    assert 0 == await team.releasing.release_stranded()


@pytest.fixture
async def second_worker(team):
    """Another process on the same store."""
    other = object.__new__(type(team.delivering))
    other.__dict__.update(team.delivering.__dict__)
    other._tasks, other._busy, other._worker_id = set(), {}, "worker-2"
    yield other
    await other.stop(timedelta(seconds=5))
