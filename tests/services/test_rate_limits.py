"""A platform that says "slow down" is left alone until the time it names, by whatever has been claimed already, too."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from logicspike.domain import DeliveryState
from logicspike.plugin.errors import RateLimited
from logicspike.services import delivering

MINUTE = timedelta(minutes=1)
PAUSE = timedelta(minutes=9)


@pytest.fixture
def sent(team, monkeypatch):
    """The texts that were sent, in order; "first" and "everybody" are told to slow down once, and all others after."""
    texts: list[str] = []
    refused = asyncio.Event()
    publish, until = team.platforms.publish, team.clock.now() + PAUSE

    async def publish_or_refuse(name, credential, post, prepared):
        texts.append(post.text)
        if post.text in {"first", "everybody"} and texts.count(post.text) == 1:
            refused.set()
            raise RateLimited("slow down", until=until, is_app_wide=post.text == "everybody")
        await refused.wait()
        return await publish(name, credential, post, prepared)

    monkeypatch.setattr(team.platforms, "publish", publish_or_refuse)
    return texts


async def test_what_was_claimed_with_a_refused_post_waits_with_it(team, sent):
    await team.connect()
    until = team.clock.now() + PAUSE
    posts = [
        await team.schedule(text, due_in=timedelta(seconds=place))
        for place, text in enumerate(("first", "second", "third"), start=1)
    ]

    await team.deliver(after=MINUTE)

    assert ["first"] == sent
    assert [(DeliveryState.SCHEDULED, until)] * 3 == [
        (found.state, found.next_try_at) for found in [await team.read(each) for each in posts]
    ]
    await team.deliver(after=PAUSE)
    assert ["first", "first", "second", "third"] == sent


async def test_nobody_overtakes_when_the_pause_ends_while_the_rest_is_put_back(team, sent, monkeypatch):
    await team.connect()
    for place, text in enumerate(("first", "second", "third"), start=1):
        await team.schedule(text, due_in=timedelta(seconds=place))
    settling = team.delivering._publishing._settling
    hand_back = settling.hand_back

    async def hand_back_slowly(delivery, *, at):
        await hand_back(delivery, at=at)
        team.clock.advance(PAUSE)

    monkeypatch.setattr(settling, "hand_back", hand_back_slowly)
    await team.deliver(after=MINUTE)
    assert ["first"] == sent

    await team.deliver()
    assert ["first", "first", "second", "third"] == sent


async def test_many_that_wait_out_one_pause_go_out_in_order_though_no_lane_takes_them_all(team, sent, monkeypatch):
    """All are tried again at the same moment, and claimed batch by batch."""
    monkeypatch.setattr(delivering, "_PER_LANE", 3)
    await team.connect()
    texts = ["first", *(f"post {place}" for place in range(10))]
    for place, text in enumerate(texts):
        await team.schedule(text, due_in=timedelta(seconds=1 + place))

    await team.deliver(after=PAUSE / 2)
    await team.deliver()
    assert ["first"] == sent
    await team.deliver(after=PAUSE)
    while len(sent) <= len(texts):
        await team.deliver()

    assert ["first", *texts] == sent


async def test_what_was_claimed_for_another_account_waits_out_a_limit_of_the_whole_app(team, sent):
    await team.connect(person="p-1")
    other = await team.connect(person="p-2")
    await team.schedule("everybody", accounts=("echo:ann-echo",))
    elsewhere = [
        await team.schedule(f"elsewhere {n}", accounts=(other.nickname,), due_in=timedelta(seconds=n + 1))
        for n in range(3)
    ]

    await team.deliver(after=MINUTE)

    # One was on its way already.
    assert {"everybody", "elsewhere 0"} == set(sent)
    assert DeliveryState.SCHEDULED is (await team.read(elsewhere[-1])).state


async def test_what_is_scheduled_or_tried_again_meanwhile_waits_in_every_process(team, sent):
    connection = await team.connect()
    until = team.clock.now() + PAUSE
    await team.schedule("first")
    await team.deliver(after=MINUTE)
    await team.stores.connections.swap(await team.connection(connection), connection)  # read before the pause
    later = await team.schedule("later", due_in=timedelta(seconds=1))
    team.delivering._publishing._pauses.clear()  # as in another process

    await team.deliver(after=MINUTE)

    assert ["first"] == sent
    assert (DeliveryState.SCHEDULED, until) == ((await team.read(later)).state, (await team.read(later)).next_try_at)
    await team.deliver(after=PAUSE)
    assert {"first", "later"} == set(sent)
