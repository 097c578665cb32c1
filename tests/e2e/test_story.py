"""The main job by signed requests and real HTTP: connect, schedule, publish, revoke, reconnect, and what can fail."""

from __future__ import annotations

from datetime import timedelta

import pytest

ANA, BEN = "U0ANA", "U0BEN"
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("platform", ["twitter", "linkedin", "facebook"])
async def test_connect_schedule_and_see_it_published(walk, platform):
    assert "Connected" in await walk.connect(platform, person=single_account(walk, platform))

    answer = await walk.schedule(f"{platform} in 1m Hello from Slack https://example.com/news")
    assert "Hello from Slack" in answer.everything
    assert answer.is_ephemeral
    assert [] == walk.fake(platform).ledger

    await walk.slack.advance_clock(MINUTE)
    dm = await walk.slack.wait_for_message(ANA, "Published", channel=walk.slack.im_of(ANA))

    [entry] = walk.fake(platform).ledger
    assert entry.text.startswith("Hello from Slack")
    async with walk.browser.get(dm.urls[0]) as permalink:
        assert 200 == permalink.status
        assert "Hello from Slack" in await permalink.text()


async def test_a_links_card_is_what_its_page_says_of_itself(walk, monkeypatch):
    """LinkedIn shows what it is told of a link."""
    monkeypatch.setattr("logicspike_linkedin.uploads.UNSEEN_IMAGE_PAUSE", 0.0)
    await walk.connect("linkedin")
    link = f"{walk.slack.base_url}/page/example.html"

    await walk.schedule(f"linkedin in 1m Look at this: {link}")
    await walk.schedule("linkedin in 2m Nobody is asked for this: https://news.example/launch")
    await walk.slack.advance_clock(3 * MINUTE)
    await walk.until(lambda: 2 == len(walk.fake("linkedin").ledger), 30)

    read, unread = walk.fake("linkedin").ledger
    assert link == read.link
    assert "Winter sale: all sledges at half price" == read.card.title
    assert "From Friday until the snow melts, in the shop and online." == read.card.description
    assert "image/png" == read.card.picture.content_type
    assert ("news.example", None) == (unread.card.title, unread.card.picture)


def single_account(walk, platform: str) -> str:
    """A person who has one account to post as."""
    return "" if platform != "facebook" else walk.fake(platform).people[-1].id


async def test_several_accounts_are_chosen_from_in_slack(walk):
    assert "One step left" in await walk.connect("facebook", person=walk.fake("facebook").people[0].id)
    question = await walk.slack.wait_for_message(ANA, "One step left", channel=walk.slack.im_of(ANA))
    [menu] = [each for each in question.elements if each["type"] == "static_select"]
    assert 3 == len(menu["options"])

    await walk.slack.click(ANA, question, "connect.choose", menu["options"][1]["value"])
    chosen = menu["options"][1]["text"]["text"]
    await walk.slack.wait_for_message(ANA, chosen, channel=walk.slack.im_of(ANA), after=question)

    await walk.schedule("facebook now Which page is this?")
    await walk.slack.wait_for_message(ANA, "Published", channel=walk.slack.im_of(ANA))
    assert walk.fake("facebook").ledger[0].account.name in chosen


@pytest.mark.parametrize("platform", ["twitter", "linkedin", "facebook"])
async def test_revoked_held_reconnected_released(walk, platform):
    person = single_account(walk, platform)
    await walk.connect(platform, person=person)
    await walk.slack.advance_clock(2 * MINUTE)
    await walk.schedule(f"{platform} in 5m Not lost")
    walk.fake(platform).perform("revoke")

    await walk.slack.advance_clock(5 * MINUTE)
    asked = await walk.wait_for_button(ANA, "connect.reconnect")
    assert "Nothing is lost" in asked.everything
    assert [] == walk.fake(platform).ledger

    await walk.slack.click(ANA, asked, "connect.reconnect")
    link = await walk.slack.wait_for_message(ANA, "/connect/", channel=walk.slack.im_of(ANA), after=asked)
    assert "Connected" in await walk.follow(link, person=person)

    await walk.slack.wait_for_message(ANA, "Published", channel=walk.slack.im_of(ANA))
    assert ["Not lost"] == [entry.text for entry in walk.fake(platform).ledger]


async def test_an_expired_token_is_refreshed_without_a_word(walk):
    await walk.connect("twitter")
    await walk.schedule("twitter in 5m Still here")
    walk.fake("twitter").perform("expire")

    await walk.slack.advance_clock(5 * MINUTE)

    await walk.slack.wait_for_message(ANA, "Published", channel=walk.slack.im_of(ANA))
    assert 1 == len(walk.fake("twitter").ledger)


async def test_cancelling_at_the_platform_offers_another_try(walk):
    assert "Nothing was connected" in await walk.connect("twitter", decision="cancel")

    ended = await walk.wait_for_button(ANA, "connect.start")
    await walk.slack.click(ANA, ended, "connect.start")
    link = await walk.slack.wait_for_message(ANA, "/connect/", channel=walk.slack.im_of(ANA), after=ended)
    assert "Connected" in await walk.follow(link)


async def test_the_composer_schedules_and_corrects(walk):
    await walk.connect("twitter")
    await walk.slack.command(ANA, "/schedule")
    view = await walk.slack.wait_for(
        lambda: (view := walk.slack.view_of(ANA)) and "accounts" in view.block_ids and view
    )
    [option] = view.block("accounts")["element"]["options"]
    at = walk.sandbox.clock.now() + timedelta(hours=1)

    refused = await walk.slack.submit_view(
        ANA, {"accounts": [option["value"]], "text": "x" * 281, "when": "at", "at": at}
    )
    assert {"text"} == set(refused.errors)
    done = await walk.slack.submit_view(ANA, {"text": "Short enough"})

    assert done.action in {"closed", "cleared"}
    await walk.slack.wait_for_message(ANA, "Short enough")
    await walk.slack.advance_clock(timedelta(hours=1, minutes=1))
    await walk.slack.wait_for_message(ANA, "Published", channel=walk.slack.im_of(ANA))
    assert ["Short enough"] == [entry.text for entry in walk.fake("twitter").ledger]


async def test_a_post_can_be_listed_and_cancelled(walk):
    await walk.connect("twitter")
    await walk.schedule("twitter in 5m Never mind")
    listed = await walk.schedule("list")
    assert "Never mind" in listed.everything

    await walk.slack.click(ANA, listed, "post.cancel")
    await walk.slack.wait_for_message(ANA, "ancelled", after=listed)

    await walk.slack.advance_clock(10 * MINUTE)
    listed = await walk.schedule("list")
    assert "Never mind" not in listed.everything
    assert [] == walk.fake("twitter").ledger


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("twitter in 1m", "text"),
        ("chirpy in 1m Hello", "chirpy"),
        ("linkedin in 1m Hello", "connect"),
        ("cancel zzzzzzzz", "zzzzzzzz"),
        ("help", "/schedule"),
    ],
)
async def test_what_cannot_be_done_is_answered_with_what_to_do(walk, typed, answer):
    await walk.connect("twitter")

    message = await walk.schedule(typed)

    assert answer in message.everything
    assert "went wrong" not in message.everything
    assert [] == walk.fake("twitter").ledger


async def test_a_post_without_a_time_opens_the_composer_with_the_text(walk):
    await walk.connect("twitter")

    await walk.slack.command(ANA, "/schedule", "twitter Hello without a time")

    view = await walk.slack.wait_for(lambda: (view := walk.slack.view_of(ANA)) and "text" in view.block_ids and view)
    assert "Hello without a time" in str(view.block("text"))


async def test_disconnecting_asks_what_becomes_of_the_posts(walk):
    await walk.connect("twitter")
    await walk.schedule("twitter in 1h Waiting")
    before = walk.newest(ANA)
    await walk.slack.command(ANA, "/connect", "remove twitter")
    question = await walk.wait_for_button(ANA, "disconnect.hold_posts", after=before)

    await walk.slack.click(ANA, question, "disconnect.hold_posts")
    await walk.slack.wait_for_message(ANA, "isconnected", after=question)

    await walk.slack.advance_clock(timedelta(hours=2))
    assert "On hold" in (await walk.schedule("list")).everything
    assert [] == walk.fake("twitter").ledger


async def test_a_colleague_sees_nothing_of_a_members_link(walk):
    await walk.slack.command(ANA, "/connect", "twitter")
    await walk.slack.wait_for_message(ANA, "/connect/", channel=walk.slack.im_of(ANA))

    assert all("/connect/" not in str(each.urls) for each in walk.slack.messages_for(BEN))


async def test_a_delivery_that_slack_sends_twice_counts_once(walk):
    await walk.connect("twitter")
    answer = await walk.slack.command(ANA, "/schedule", "twitter in 5m Once")
    await walk.slack.wait_for_message(ANA, "Once")

    again = await walk.slack.redeliver(answer.sent)
    assert again.is_ok

    await walk.slack.advance_clock(5 * MINUTE)
    await walk.slack.wait_for_message(ANA, "Published", channel=walk.slack.im_of(ANA))
    assert 1 == len(walk.fake("twitter").ledger)


async def test_removing_the_bot_stops_everything(walk):
    await walk.connect("twitter")
    await walk.schedule("twitter in 5m Too late")

    await walk.slack.send_event({"type": "app_uninstalled"})
    await walk.until(lambda: all(grant.is_revoked for grant in walk.fake("twitter")._grants))

    await walk.slack.advance_clock(10 * MINUTE)
    answer = await walk.slack.command(ANA, "/schedule", "list")
    assert "removed" in (answer.message.everything if answer.message else "")
    assert [] == walk.fake("twitter").ledger
