"""What a platform's refusal leads to: another try, a pause, a hold, or the end; and who hears of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from logicspike.domain import ConnectionStatus, DeliveryState, HoldReason
from logicspike.plugin.errors import (
    MemberActionRequired,
    OperatorActionRequired,
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
    LateQuestion,
    OperatorTrouble,
    Reconnected,
    ReconnectNeeded,
)

MINUTE = timedelta(minutes=1)


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
