"""A thread, or a post with a first comment, goes out part by part."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from threads import TEXTS, THREE, stop_after_the_first_part, texts

from logicspike.domain import DeliveryState, HoldReason, Timings
from logicspike.events import DeliveryPublished as PublishedEvent
from logicspike.events import PartPublished
from logicspike.plugin.errors import MemberActionRequired, PlatformUnavailable, PostRejected, RateLimited, TokenExpired
from logicspike.plugin.types import Problem
from logicspike.services.notices import DeliveryDelayed, DeliveryPublished, LateQuestion
from logicspike.services.scheduling import NotScheduled

MINUTE = timedelta(minutes=1)


# --- going out --------------------------------------------------------------------------------------------------------


async def test_a_thread_goes_out_in_one_go_each_part_behind_the_one_before(team):
    await team.connect()
    delivery = await team.schedule(THREE)

    assert 1 == await team.deliver(after=MINUTE)

    done = await team.read(delivery)
    assert DeliveryState.PUBLISHED == done.state
    assert TEXTS == texts(team)
    ids = [entry.id for entry in team.fake.ledger]
    assert [None, *ids[:2]] == [entry.reply_to for entry in team.fake.ledger]
    assert ids == [part.id for part in done.live]
    assert (ids[0], done.live[0].url) == (done.published_id, done.published_url)


async def test_each_part_has_a_key_a_link_and_an_attempt_of_its_own(team):
    await team.connect()
    delivery = await team.schedule(THREE)
    await team.deliver(after=MINUTE)

    done = await team.read(delivery)
    assert [0, 1, 2] == [attempt.part for attempt in done.attempts]
    assert ["published"] * 3 == [attempt.outcome for attempt in done.attempts]
    assert 3 == len({attempt.attempt_id for attempt in done.attempts})
    key = done.post.key
    assert [f"p-1-{key}", f"p-1-{key}:1", f"p-1-{key}:2"] == [entry.id for entry in team.fake.ledger]
    assert [None, "https://example.com/2", None] == [entry.link for entry in team.fake.ledger]


async def test_the_author_is_told_once_when_the_last_part_is_live(team):
    await team.connect()
    delivery = await team.schedule(THREE)
    await team.deliver(after=MINUTE)

    assert [delivery.delivery_id] == [notice.delivery.delivery_id for notice in team.notifier.of(DeliveryPublished)]
    assert [0, 1] == [event.part for event in team.events if isinstance(event, PartPublished)]
    assert 1 == sum(isinstance(event, PublishedEvent) for event in team.events)


async def test_another_post_of_the_account_waits_for_the_end_of_a_thread(team):
    await team.connect()
    await team.schedule(THREE)
    await team.schedule("behind it", due_in=timedelta(seconds=61))

    await team.deliver(after=2 * MINUTE)

    assert [*TEXTS, "behind it"] == texts(team)


async def test_a_thread_in_the_middle_of_which_the_process_stops_goes_on_later(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule(THREE)
    publish = team.platforms.publish

    async def stopping(*args: object) -> object:
        team.delivering._is_stopping = True
        return await publish(*args)

    monkeypatch.setattr(team.platforms, "publish", stopping)
    await team.deliver(after=MINUTE)
    waiting = await team.read(delivery)
    assert (DeliveryState.SCHEDULED, 1, None) == (waiting.state, len(waiting.live), waiting.claim_token)

    team.delivering._is_stopping = False
    monkeypatch.setattr(team.platforms, "publish", publish)
    await team.deliver()
    assert TEXTS == texts(team)


async def test_a_long_thread_gives_others_their_turn_and_goes_on(team, monkeypatch):
    """A lane has its time, which its lease bounds; what is left then is claimed anew."""
    await team.connect()
    await team.schedule(THREE)
    monkeypatch.setattr(team.delivering, "_timings", replace(Timings(), lease=timedelta(0)))

    for _ in range(3):
        await team.deliver(after=MINUTE)

    assert TEXTS == texts(team)


# --- what comes in between --------------------------------------------------------------------------------------------


async def test_a_pause_that_the_platform_asks_for_keeps_the_rest_for_later(team, refuse):
    await team.connect()
    delivery = await team.schedule(THREE)
    refuse(RateLimited("slow", until=team.clock.now() + 5 * MINUTE), part=1)

    await team.deliver(after=MINUTE)
    waiting = await team.read(delivery)
    assert (DeliveryState.SCHEDULED, 1) == (waiting.state, len(waiting.live))
    assert 0 == await team.deliver(after=MINUTE)

    await team.deliver(after=4 * MINUTE)
    assert TEXTS == texts(team)


async def test_tries_are_counted_for_each_part_by_itself(team, refuse):
    await team.connect()
    delivery = await team.schedule(THREE)
    refuse(PlatformUnavailable("down"), part=0)
    refuse(PlatformUnavailable("down"), part=1, times=2)

    await team.deliver(after=MINUTE)
    assert 1 == (await team.read(delivery)).tries
    await team.deliver(after=MINUTE)
    assert (1, 1) == ((await team.read(delivery)).tries, len((await team.read(delivery)).live))
    await team.deliver(after=MINUTE)
    assert 2 == (await team.read(delivery)).tries
    await team.deliver(after=10 * MINUTE)

    done = await team.read(delivery)
    assert (DeliveryState.PUBLISHED, 0) == (done.state, done.tries)
    assert TEXTS == texts(team)
    assert 2 == len(team.notifier.of(DeliveryDelayed)), "of each part's delay its author hears"


async def test_a_token_that_expires_in_the_middle_is_refreshed_and_the_thread_goes_on(team, refuse):
    await team.connect()
    delivery = await team.schedule(THREE)
    refuse(TokenExpired("old"), part=1)

    await team.deliver(after=MINUTE)
    await team.deliver()

    done = await team.read(delivery)
    assert [(0, "published"), (1, "token_expired"), (1, "published"), (2, "published")] == [
        (attempt.part, attempt.outcome) for attempt in done.attempts
    ]
    assert TEXTS == texts(team)


async def test_a_thread_held_in_the_middle_goes_on_where_it_was(team, refuse):
    await team.connect()
    delivery = await team.schedule(THREE)
    refuse(MemberActionRequired("Confirm who you are."), part=2)
    await team.deliver(after=MINUTE)
    held = await team.read(delivery)
    assert (HoldReason.MEMBER, 2) == (held.hold_reason, len(held.live))

    await team.answering.settle_late(team.ana, delivery.delivery_id, "publish")
    await team.deliver()

    assert TEXTS == texts(team)


async def test_after_a_reconnect_a_thread_goes_on_where_it_was(team, monkeypatch):
    connection = await team.connect()
    delivery = await team.schedule(THREE)
    publish = team.platforms.publish

    async def revoking(*args: object) -> object:
        made = await publish(*args)
        team.fake.revoke_all()
        return made

    monkeypatch.setattr(team.platforms, "publish", revoking)
    for _ in range(3):
        await team.deliver(after=MINUTE)
    monkeypatch.setattr(team.platforms, "publish", publish)
    held = await team.read(delivery)
    assert (HoldReason.RECONNECT, 1) == (held.hold_reason, len(held.live))

    team.clock.advance(15 * MINUTE)
    await team.sign_in(team.ana, connection_id=connection.connection_id)
    await team.deliver()

    assert TEXTS == texts(team)


async def test_a_refused_part_ends_the_thread_and_keeps_the_rest_of_its_text(team, refuse):
    await team.connect()
    delivery = await team.schedule(THREE)
    refuse(PostRejected(Problem(message="No links.")), part=1)

    await team.deliver(after=MINUTE)

    failed = await team.read(delivery)
    assert (DeliveryState.FAILED, 1) == (failed.state, len(failed.live))
    assert "two https://example.com/2\n---\nthree" == failed.unpublished_text


# --- late -------------------------------------------------------------------------------------------------------------


async def test_a_thread_that_has_begun_is_not_asked_about_within_the_hour(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule(THREE)
    await stop_after_the_first_part(team, monkeypatch, delivery)

    await team.deliver(after=59 * MINUTE)

    assert TEXTS == texts(team)
    assert [] == team.notifier.of(LateQuestion)


async def test_a_thread_broken_off_for_longer_is_asked_about(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule(THREE)
    await stop_after_the_first_part(team, monkeypatch, delivery)

    await team.deliver(after=61 * MINUTE)
    assert ["one"] == texts(team)
    assert 1 == len(team.notifier.of(LateQuestion))

    await team.answering.settle_late(team.ana, delivery.delivery_id, "publish")
    await team.deliver()
    assert TEXTS == texts(team)


# --- checks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n---\n".join("abcdef"), "Echo takes threads of up to 5 parts; this has 6 parts."),
        (f"ok\n---\n{'x' * 101}", "Part 2: Echo allows 100 bytes; this is 101."),
        ("one\n---\n\n---\ntwo", "part 2 of 3 is empty"),
        ("---\none", "part 1 of 2 is empty"),
        ("one\n---", "part 2 of 2 is empty"),
        ("---", "There is nothing to post yet"),
    ],
)
async def test_parts_that_cannot_go_out_are_refused_in_plain_words(team, text, message):
    await team.connect()

    result = await team.scheduling.schedule(team.request(text))

    assert isinstance(result, NotScheduled)
    [problem] = result.problems
    assert message in problem.message
    assert "text" == problem.field


@pytest.mark.parametrize(
    ("most", "message"),
    [(1, "Echo takes a post in one part; this has 3 parts."), (2, "Echo takes a post and one first comment; this has")],
)
async def test_how_many_parts_a_platform_takes_is_said(team, monkeypatch, most, message):
    await team.connect()
    platform = team.platforms.get("echo")
    few = replace(platform, limits=replace(platform.limits, max_parts=most))
    monkeypatch.setattr(team.platforms, "get", lambda _: few)

    result = await team.scheduling.schedule(team.request(THREE))

    assert isinstance(result, NotScheduled)
    assert message in result.problems[0].message


async def test_a_refused_draft_keeps_every_part(team):
    await team.connect()
    result = await team.scheduling.schedule(team.request("one\n---\n\n---\ntwo"))

    assert "one\n---\n\n---\ntwo" == result.draft.text
