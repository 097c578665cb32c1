"""What the long runs of this folder have found, each as the shortest story that shows it."""

from __future__ import annotations

from datetime import timedelta

from logicspike.domain import DeliveryState, HoldReason
from logicspike.plugin.errors import ReconnectRequired
from logicspike.services.notices import OutcomeQuestion

MINUTE = timedelta(minutes=1)


async def test_a_late_post_whose_outcome_gets_lost_is_looked_up_although_its_author_was_asked_before(team):
    await team.connect()
    delivery = await team.schedule()
    await team.deliver(after=timedelta(hours=1))
    await team.answering.settle_late(team.ana, delivery.delivery_id, "publish")
    team.fake.switch("accept_then_drop", times=1)
    await team.deliver()
    assert (await team.read(delivery)).state is DeliveryState.UNKNOWN

    for _ in range(3):
        team.clock.advance(3 * MINUTE)
        await team.reconciling.settle_unknown()

    assert (await team.read(delivery)).state is DeliveryState.PUBLISHED
    assert [] == team.notifier.of(OutcomeQuestion)


async def test_nothing_is_sent_while_an_account_needs_a_sign_in(team):
    """The platform's own refusal would hide it, so the grant is still good there."""
    connection = await team.connect()
    await team.refreshing.end_access(connection, ReconnectRequired("The password was changed."))
    delivery = await team.schedule()
    before = len(team.fake.requests)

    await team.deliver(after=MINUTE)

    assert (await team.read(delivery)).hold_reason is HoldReason.RECONNECT
    assert before == len(team.fake.requests)
