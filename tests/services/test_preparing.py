"""Pictures are at their platform before a post is due; a post goes out with them, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import album_platform
import pytest
from pictures import open_album_team, schedule_picture
from team import Team, open_team

from logicspike.domain import DeliveryState, HoldReason
from logicspike.events import DeliveryPrepared, PreparationRetried
from logicspike.plugin import LinkCard, OperatorActionRequired, RateLimited
from logicspike.services.notices import (
    DeliveryFailed,
    DeliveryHeld,
    PreparationDelayed,
    ReconnectNeeded,
)
from logicspike.services.scheduling import NotScheduled
from logicspike.store.mongo import Database
from logicspike.testing import SAMPLE_PNG

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=60)


@pytest.fixture
async def team(mongo_database: Database) -> AsyncIterator[Team]:
    async with open_album_team(mongo_database) as opened:
        yield opened


# --- before it is due -------------------------------------------------------------------------------------------------


async def test_a_picture_is_uploaded_half_an_hour_ahead_and_published_in_one_call(team):
    delivery = await schedule_picture(team, alt_text="A cat.")

    assert 0 == await team.prepare(after=timedelta(minutes=29))
    assert 1 == await team.prepare(after=MINUTE)
    assert [SAMPLE_PNG] == team.fake.uploaded
    assert [] == team.fake.ledger, "nothing can be seen"
    assert 0 == await team.prepare()

    await team.deliver(after=timedelta(minutes=30))

    [entry] = team.fake.ledger
    assert ["A cat."] == [each.alt_text for each in entry.media]
    assert 1 == len(team.fake.uploaded)
    assert DeliveryState.PUBLISHED == (await team.read(delivery)).state
    assert [DeliveryPrepared.name] == [each.name for each in team.events if isinstance(each, DeliveryPrepared)]


async def test_a_text_alone_is_never_prepared(team):
    delivery = await team.schedule()
    assert (await team.read(delivery)).preparation is None
    assert 0 == await team.prepare(after=HOUR)


async def test_a_post_that_is_due_waits_for_its_picture_while_others_of_the_account_go_on(team):
    first = await schedule_picture(team, "first", due_in=MINUTE)
    await team.schedule("second", due_in=MINUTE)

    await team.deliver(after=MINUTE)

    assert ["second"] == [entry.text for entry in team.fake.ledger]
    assert DeliveryState.SCHEDULED == (await team.read(first)).state
    await team.prepare()
    await team.deliver(after=timedelta(seconds=1))
    assert ["second", "first"] == [entry.text for entry in team.fake.ledger]
    assert 1 == len(team.fake.ledger[1].media)


async def test_a_due_post_without_its_picture_wakes_who_uploads_it(team, monkeypatch):
    rung = []
    monkeypatch.setattr(team.delivering._publishing, "_wake", lambda: rung.append(None))
    await schedule_picture(team, due_in=MINUTE)

    await team.deliver(after=MINUTE)

    assert [None] == rung


async def test_a_post_that_is_overdue_goes_out_the_moment_its_picture_is_there(team):
    """The longer it is overdue, the less often it is looked at; but nobody waits for the next look."""
    delivery = await schedule_picture(team, due_in=MINUTE)
    await team.deliver(after=3 * MINUTE)
    assert (await team.read(delivery)).next_try_at > team.clock.now() + timedelta(seconds=10)

    await team.prepare(after=timedelta(seconds=1))
    await team.deliver()

    assert DeliveryState.PUBLISHED is (await team.read(delivery)).state


async def test_a_picture_that_is_uploaded_while_its_post_stands_in_line_is_in_time(team, monkeypatch):
    await team.schedule("first", due_in=MINUTE)
    second = await schedule_picture(team, "second", due_in=MINUTE + timedelta(seconds=1))
    team.clock.advance(2 * MINUTE)
    settle, publish, reached, go = (
        team.stores.deliveries.settle_preparing,
        team.platforms.publish,
        asyncio.Event(),
        asyncio.Event(),
    )

    async def settle_later(*args, **rest):
        reached.set()
        await go.wait()
        return await settle(*args, **rest)

    async def publish_meanwhile(*args):
        published = await publish(*args)
        go.set()
        await preparing
        return published

    monkeypatch.setattr(team.stores.deliveries, "settle_preparing", settle_later)
    monkeypatch.setattr(team.platforms, "publish", publish_meanwhile)
    preparing = asyncio.create_task(team.prepare())
    await asyncio.wait_for(reached.wait(), 10)
    await team.deliver()

    assert ["first", "second"] == [entry.text for entry in team.fake.ledger]
    assert DeliveryState.PUBLISHED is (await team.read(second)).state


async def test_a_post_whose_picture_never_comes_never_goes_out_without_it(team):
    delivery = await schedule_picture(team, due_in=MINUTE)
    team.fake.refusals = [503] * 100

    for _ in range(40):
        team.clock.advance(timedelta(minutes=6))
        await team.prepare()
        await team.deliver()

    assert [] == team.fake.ledger
    assert DeliveryState.FAILED == (await team.read(delivery)).state
    [notice] = team.notifier.of(DeliveryFailed)
    assert ("Its files could not be uploaded in many tries. Echo takes no uploads now.",) == notice.problems


async def test_an_upload_is_done_anew_where_the_platform_would_forget_it_before_the_post_is_due(team):
    team.fake.lifetime = timedelta(minutes=20)
    delivery = await schedule_picture(team)

    await team.prepare(after=timedelta(minutes=30))
    assert (await team.read(delivery)).preparation.begin_at == team.clock.now() + timedelta(minutes=15)
    assert 1 == await team.prepare(after=timedelta(minutes=15))
    await team.deliver(after=timedelta(minutes=15))

    assert 2 == len(team.fake.uploaded)
    assert 1 == len(team.fake.ledger[0].media)


async def test_what_a_platform_has_lost_is_uploaded_anew_and_published_then(team):
    delivery = await schedule_picture(team)
    await team.prepare(after=timedelta(minutes=30))
    team.fake.uploads.forget()

    await team.deliver(after=timedelta(minutes=30))
    assert [] == team.fake.ledger
    await team.prepare()
    await team.deliver(after=timedelta(seconds=1))

    assert 1 == len(team.fake.ledger)
    assert 2 == len(team.fake.uploaded)
    assert 1 == (await team.read(delivery)).tries


# --- trouble ----------------------------------------------------------------------------------------------------------


async def test_a_single_failed_upload_is_repeated_without_a_word(team):
    await schedule_picture(team)
    team.fake.refusals = [503]
    await team.prepare(after=timedelta(minutes=30))
    assert [] == team.notifier.of(PreparationDelayed)

    assert 0 == await team.prepare()
    assert 1 == await team.prepare(after=timedelta(seconds=30))
    assert 1 == len(team.fake.uploaded)
    assert ["PlatformUnavailable"] == [each.error for each in team.events if isinstance(each, PreparationRetried)]


async def test_the_author_hears_once_of_an_upload_that_does_not_work_long_before_the_post_is_late(team):
    delivery = await schedule_picture(team)
    team.fake.refusals = [503, 503, 503]
    await team.prepare(after=timedelta(minutes=30))
    await team.prepare(after=timedelta(seconds=30))

    [notice] = team.notifier.of(PreparationDelayed)
    assert "Echo takes no uploads now." == notice.explanation
    assert notice.again_at < delivery.due_at - timedelta(minutes=20)
    await team.prepare(after=timedelta(minutes=2))
    await team.prepare(after=timedelta(minutes=8))
    assert 1 == len(team.notifier.of(PreparationDelayed))
    await team.deliver(after=timedelta(minutes=20))
    assert 1 == len(team.fake.ledger)


async def test_the_author_hears_of_a_first_failure_when_the_post_is_due_soon(team):
    await schedule_picture(team, due_in=MINUTE)
    team.fake.refusals = [503]
    await team.prepare()
    assert 1 == len(team.notifier.of(PreparationDelayed))


async def test_a_picture_the_platform_cannot_show_fails_the_post_ahead_of_its_time(team):
    delivery = await schedule_picture(team, name="odd.png")
    team.fake.refusals = [422]

    await team.prepare(after=timedelta(minutes=30))
    await team.telling.tell_owed()

    assert DeliveryState.FAILED == (await team.read(delivery)).state
    assert [("Echo can't show odd.png.",)] == [each.problems for each in team.notifier.of(DeliveryFailed)]
    assert 0 == await team.deliver(after=HOUR)


async def test_a_refused_token_is_renewed_once_and_the_upload_repeated(team):
    await schedule_picture(team)
    team.fake.refusals = [401]
    await team.prepare(after=timedelta(minutes=30))
    assert 1 == len(team.fake.uploaded)


async def test_an_account_that_is_gone_at_the_platform_holds_the_post_and_asks_its_owner_before_it_is_late(team):
    delivery = await schedule_picture(team)
    team.fake.refusals = [401, 401]

    await team.prepare(after=timedelta(minutes=30))

    held = await team.read(delivery)
    assert (DeliveryState.HELD, HoldReason.RECONNECT) == (held.state, held.hold_reason)
    assert 1 == len(team.notifier.of(ReconnectNeeded))
    await team.sign_in(team.ana, connection_id=delivery.connection_id)
    assert 1 == await team.prepare(after=LEASE)
    await team.deliver(after=timedelta(minutes=29))
    assert 1 == len(team.fake.ledger)


async def test_trouble_of_the_bots_own_holds_the_post_and_tells_author_and_admins(team, monkeypatch):
    delivery = await schedule_picture(team)

    async def refuse(*_args: object, **_rest: object) -> object:
        raise OperatorActionRequired("The app's secret is wrong.")

    monkeypatch.setattr(team.platforms, "prepare", refuse)
    await team.prepare(after=timedelta(minutes=30))
    await team.telling.tell_owed()

    assert HoldReason.OPERATOR == (await team.read(delivery)).hold_reason
    assert 1 == len(team.notifier.of(DeliveryHeld))


async def test_a_platform_that_asks_to_wait_is_left_alone_until_then(team, monkeypatch):
    delivery = await schedule_picture(team)
    until = team.clock.now() + timedelta(minutes=40)

    async def refuse(*_args: object, **_rest: object) -> object:
        raise RateLimited("Slow down.", until=until)

    with monkeypatch.context() as throttled:
        throttled.setattr(team.platforms, "prepare", refuse)
        await team.prepare(after=timedelta(minutes=30))
    assert 0 == await team.prepare(after=timedelta(minutes=9))
    other = await schedule_picture(team, "other", due_in=MINUTE)
    await team.prepare()
    assert [] == team.fake.uploaded, "its other posts wait, too"
    assert 1 == await team.prepare(after=MINUTE), "one after the other, for each account"
    await team.prepare()
    assert 2 == len(team.fake.uploaded)
    assert {0} == {(await team.read(each)).preparation.tries for each in (delivery, other)}


async def test_a_bug_in_a_plugin_is_repeated_like_an_outage(team, monkeypatch):
    delivery = await schedule_picture(team)

    async def break_down(*_args: object, **_rest: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(team.platforms, "_hooks", {**team.platforms._hooks, ("echo", "prepare"): break_down})
    await team.prepare(after=timedelta(minutes=30))

    assert 1 == (await team.read(delivery)).preparation.tries


# --- links, and what is refused at once -------------------------------------------------------------------------------


async def test_a_link_is_read_ahead_where_the_platform_shows_a_card(team):
    class Links:
        async def read(self, link):
            return LinkCard(url=link, title="The page")

    team.preparing._links = Links()
    delivery = await team.schedule("See https://example.com/a", due_in=HOUR)
    await team.prepare(after=timedelta(minutes=30))
    assert {"card": "The page"} == (await team.read(delivery)).preparation.prepared.handles


async def test_files_a_platform_does_not_take_are_refused_when_scheduling_and_kept_with_the_draft(team):
    media = (team.files.add(b"x" * 10, name="a.mp4", content_type="video/mp4"), team.files.add(b"y", name="b.png"))

    answer = await team.scheduling.schedule(team.request(media=media))

    assert isinstance(answer, NotScheduled)
    assert [("media", "Echo takes pictures or one video, not together.")] == [
        (each.field, each.message) for each in answer.problems
    ]
    assert media == answer.draft.media
    assert media == (await team.scheduling.find_draft(team.ana, answer.draft.draft_id)).media


async def test_a_platform_without_files_says_so(mongo_database):
    async with open_team(mongo_database) as plain:
        await plain.connect()
        answer = await plain.scheduling.schedule(plain.request(media=(plain.files.add(b"x"),)))
    assert ["Echo takes no files through this bot."] == [each.message for each in answer.problems]


async def test_a_gif_is_a_picture_where_it_is_shown_like_one(team):
    delivery = await schedule_picture(team, name="a.gif", content_type="image/gif")
    assert "image" == (await team.read(delivery)).post.media[0].kind
    assert album_platform.LIMITS.media[0].content_types[2] == delivery.post.media[0].content_type
