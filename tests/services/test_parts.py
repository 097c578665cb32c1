"""A thread, or a post with a first comment, goes out part by part."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from logicspike.domain import DeliveryState, HoldReason, Timings
from logicspike.events import DeliveryPublished as PublishedEvent
from logicspike.events import PartPublished
from logicspike.platforms import NotSupported
from logicspike.plugin.errors import (
    MemberActionRequired,
    OutcomeUnknown,
    PlatformUnavailable,
    PostRejected,
    RateLimited,
    TokenExpired,
)
from logicspike.plugin.types import Problem
from logicspike.services.disconnecting import PostsOnDisconnect
from logicspike.services.editing import Edited, EditRequest, TooLate
from logicspike.services.notices import DeliveryDelayed, DeliveryPublished, LateQuestion, OutcomeQuestion
from logicspike.services.scheduling import NotScheduled

MINUTE = timedelta(minutes=1)
SETTLE = Timings().settle
THREE = "one\n---\ntwo https://example.com/2\n---\nthree"
TEXTS = ["one", "two https://example.com/2", "three"]


@pytest.fixture
def at_part(team, monkeypatch):
    """Let publish raise once, or so many times, for one part."""

    def arrange(part: int, error: Exception, *, times: int = 1, is_live: bool = False) -> None:
        publish, left = team.platforms.publish, [times]

        async def refusing(name, credential, post, *rest):
            if post.part != part or not left[0]:
                return await publish(name, credential, post, *rest)
            left[0] -= 1
            if is_live:
                await publish(name, credential, post, *rest)
            raise error

        monkeypatch.setattr(team.platforms, "publish", refusing)

    return arrange


@pytest.fixture
def mute(team, monkeypatch):
    """A platform that can't be asked what became of a post."""

    async def find_published(*_: object) -> None:
        raise NotSupported("no")

    monkeypatch.setattr(team.platforms, "find_published", find_published)


def texts(team) -> list[str]:
    return [entry.text for entry in team.fake.ledger]


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


async def test_a_pause_that_the_platform_asks_for_keeps_the_rest_for_later(team, at_part):
    await team.connect()
    delivery = await team.schedule(THREE)
    at_part(1, RateLimited("slow", until=team.clock.now() + 5 * MINUTE))

    await team.deliver(after=MINUTE)
    waiting = await team.read(delivery)
    assert (DeliveryState.SCHEDULED, 1) == (waiting.state, len(waiting.live))
    assert 0 == await team.deliver(after=MINUTE)

    await team.deliver(after=4 * MINUTE)
    assert TEXTS == texts(team)


async def test_tries_are_counted_for_each_part_by_itself(team, at_part):
    await team.connect()
    delivery = await team.schedule(THREE)
    at_part(0, PlatformUnavailable("down"))
    at_part(1, PlatformUnavailable("down"), times=2)

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


async def test_a_token_that_expires_in_the_middle_is_refreshed_and_the_thread_goes_on(team, at_part):
    await team.connect()
    delivery = await team.schedule(THREE)
    at_part(1, TokenExpired("old"))

    await team.deliver(after=MINUTE)
    await team.deliver()

    done = await team.read(delivery)
    assert [(0, "published"), (1, "token_expired"), (1, "published"), (2, "published")] == [
        (attempt.part, attempt.outcome) for attempt in done.attempts
    ]
    assert TEXTS == texts(team)


async def test_a_thread_held_in_the_middle_goes_on_where_it_was(team, at_part):
    await team.connect()
    delivery = await team.schedule(THREE)
    at_part(2, MemberActionRequired("Confirm who you are."))
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


async def test_a_refused_part_ends_the_thread_and_keeps_the_rest_of_its_text(team, at_part):
    await team.connect()
    delivery = await team.schedule(THREE)
    at_part(1, PostRejected(Problem(message="No links.")))

    await team.deliver(after=MINUTE)

    failed = await team.read(delivery)
    assert (DeliveryState.FAILED, 1) == (failed.state, len(failed.live))
    assert "two https://example.com/2\n---\nthree" == failed.unpublished_text


# --- late -------------------------------------------------------------------------------------------------------------


async def stop_after_the_first_part(team, monkeypatch, delivery):
    monkeypatch.setattr(team.delivering, "_timings", replace(Timings(), lease=timedelta(0)))
    await team.deliver(after=MINUTE)
    monkeypatch.undo()
    assert 1 == len((await team.read(delivery)).live)


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


# --- unknown ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_a_lost_answer_is_looked_up_and_the_thread_goes_on_behind_it(team, at_part, part):
    await team.connect()
    delivery = await team.schedule(THREE)
    at_part(part, OutcomeUnknown("lost"), is_live=True)

    await team.deliver(after=MINUTE)
    assert (DeliveryState.UNKNOWN, part) == ((await team.read(delivery)).state, len((await team.read(delivery)).live))

    team.clock.advance(SETTLE)
    await team.reconciling.settle_unknown()
    await team.deliver()

    assert DeliveryState.PUBLISHED == (await team.read(delivery)).state
    assert TEXTS == texts(team)
    assert 1 == len(team.notifier.of(DeliveryPublished))


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_a_part_that_is_not_there_is_sent_again_and_no_other(team, at_part, part):
    await team.connect()
    await team.schedule(THREE)
    at_part(part, OutcomeUnknown("lost"))

    await team.deliver(after=MINUTE)
    for pause in (SETTLE, MINUTE):
        team.clock.advance(pause)
        await team.reconciling.settle_unknown()
    await team.deliver()

    assert TEXTS == texts(team)


async def ask_about(team, delivery):
    team.clock.advance(SETTLE)
    await team.reconciling.settle_unknown()
    asked = await team.read(delivery)
    assert (DeliveryState.UNKNOWN, True) == (asked.state, asked.is_asked)
    assert 1 == len(team.notifier.of(OutcomeQuestion))
    return asked.attempts[-1].attempt_id


@pytest.mark.usefixtures("mute")
async def test_posting_again_is_about_the_part_that_was_lost(team, at_part):
    await team.connect()
    delivery = await team.schedule(THREE)
    at_part(1, OutcomeUnknown("lost"))
    await team.deliver(after=MINUTE)
    attempt_id = await ask_about(team, delivery)

    await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "again")
    await team.deliver()

    assert TEXTS == texts(team)


@pytest.mark.usefixtures("mute")
async def test_dropping_keeps_what_is_live(team, at_part):
    await team.connect()
    delivery = await team.schedule(THREE)
    at_part(1, OutcomeUnknown("lost"))
    await team.deliver(after=MINUTE)
    attempt_id = await ask_about(team, delivery)

    dropped = await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "drop")

    assert (DeliveryState.FAILED, 1) == (dropped.state, len(dropped.live))
    assert team.fake.ledger[0].id == dropped.published_id


@pytest.mark.usefixtures("mute")
async def test_seeing_the_last_part_live_ends_the_thread(team, at_part):
    await team.connect()
    delivery = await team.schedule(THREE)
    at_part(2, OutcomeUnknown("lost"), is_live=True)
    await team.deliver(after=MINUTE)
    attempt_id = await ask_about(team, delivery)

    seen = await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "live")

    assert (DeliveryState.PUBLISHED, 3) == (seen.state, len(seen.live))
    assert team.fake.ledger[0].id == seen.published_id


@pytest.mark.usefixtures("mute")
async def test_seeing_a_part_live_whose_place_nobody_knows_gives_up_the_rest_and_says_so(team, at_part):
    await team.connect()
    delivery = await team.schedule(THREE)
    at_part(1, OutcomeUnknown("lost"), is_live=True)
    await team.deliver(after=MINUTE)
    attempt_id = await ask_about(team, delivery)

    seen = await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "live")

    assert (DeliveryState.FAILED, 2) == (seen.state, len(seen.live))
    assert "You saw part 2 live, but I can't find out where it is" in seen.detail
    assert "three" == seen.unpublished_text


async def test_seeing_a_part_live_that_can_be_found_now_lets_the_thread_go_on(team, at_part, monkeypatch):
    await team.connect()
    delivery = await team.schedule(THREE)
    at_part(1, OutcomeUnknown("lost"), is_live=True)
    find = team.platforms.find_published

    async def down(*_: object) -> None:
        raise PlatformUnavailable("Echo is down.")

    monkeypatch.setattr(team.platforms, "find_published", down)
    await team.deliver(after=MINUTE)
    team.clock.advance(SETTLE + MINUTE)
    attempt_id = await ask_about(team, delivery)

    waiting = await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "live")
    assert DeliveryState.UNKNOWN == waiting.state
    assert "Echo is down. Please answer again in a while." in waiting.detail

    monkeypatch.setattr(team.platforms, "find_published", find)
    await team.answering.settle_unknown(team.ana, delivery.delivery_id, attempt_id, "live")
    await team.deliver()
    assert DeliveryState.PUBLISHED == (await team.read(delivery)).state
    assert TEXTS == texts(team)


# --- changing one's mind ----------------------------------------------------------------------------------------------


async def test_cancelling_in_the_middle_keeps_what_is_live_and_sends_nothing_more(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule(THREE)
    await stop_after_the_first_part(team, monkeypatch, delivery)

    outcome = await team.scheduling.cancel(team.ana, delivery.delivery_id)
    await team.deliver(after=MINUTE)

    assert outcome.is_canceled
    assert (DeliveryState.CANCELED, 1) == (outcome.delivery.state, len(outcome.delivery.live))
    assert ["one"] == texts(team)


async def test_what_has_begun_is_not_edited_any_more(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule(THREE)
    found = await team.editing.find(team.ana, delivery.delivery_id)
    await stop_after_the_first_part(team, monkeypatch, delivery)

    answer = await team.editing.save(edit(team, delivery, "four\n---\nfive", found.post.revision))
    await team.deliver(after=MINUTE)

    assert isinstance(answer, TooLate)
    assert TEXTS == texts(team)


async def test_an_edit_may_add_parts_and_take_them_away(team):
    await team.connect()
    delivery = await team.schedule("alone")

    first = await team.editing.save(edit(team, delivery, "one\r\n -----\r\ntwo", 0))
    assert isinstance(first, Edited)
    assert ("one", "two") == (await team.read(delivery)).texts
    second = await team.editing.save(edit(team, delivery, "just\n---\nthree\n---\nparts", 1))
    assert isinstance(second, Edited)
    await team.deliver(after=MINUTE)

    assert ["just", "three", "parts"] == texts(team)


async def test_an_edit_at_the_moment_a_thread_begins_comes_too_late_for_all_of_it(team, monkeypatch):
    await team.connect()
    delivery = await team.schedule(THREE)
    publish, tasks = team.platforms.publish, []

    async def editing(*args: object) -> object:
        tasks.append(asyncio.create_task(team.editing.save(edit(team, delivery, "other\n---\ntexts", 0))))
        await tasks[-1]
        return await publish(*args)

    monkeypatch.setattr(team.platforms, "publish", editing)
    await team.deliver(after=MINUTE)

    assert all(isinstance(task.result(), TooLate) for task in tasks)
    assert TEXTS == texts(team)


def edit(team, delivery, text, revision):
    return EditRequest(
        author=team.ana,
        delivery_id=delivery.delivery_id,
        revision=revision,
        text=text,
        due_at=delivery.due_at,
        zone="Europe/Berlin",
    )


async def test_what_has_begun_is_held_not_moved_when_its_account_is_disconnected(team, monkeypatch):
    ann = await team.connect(person="p-1")
    ben = await team.connect(person="p-2")
    begun = await team.schedule(THREE, accounts=(ann.nickname,))
    await stop_after_the_first_part(team, monkeypatch, begun)
    whole = await team.schedule(THREE, accounts=(ann.nickname,))

    await team.disconnecting.disconnect(
        team.ana, ann.connection_id, posts=PostsOnDisconnect.MOVE, move_to=ben.connection_id
    )

    assert (DeliveryState.HELD, ann.connection_id) == (
        (await team.read(begun)).state,
        (await team.read(begun)).connection_id,
    )
    assert ben.connection_id == (await team.read(whole)).connection_id
    await team.deliver(after=MINUTE)
    assert ["one", *TEXTS] == texts(team)


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
