"""Publishing against the stand-in: what readers see, and which error each trouble becomes."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

import logicspike_linkedin as plugin
from logicspike.plugin import (
    Account,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    Post,
    PostRejected,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)
from logicspike_linkedin.posts import link_title

AWKWARD = "Ask us (really!) about C# & snake_case [v2] <3 ~ 100% {true} | a\\b @home\n\n#launch #Größe"
ME = Account(id="me", name="Me")


async def test_a_post_is_published_whole_with_its_hashtags(rig: Any) -> None:
    credential = await rig.connect()

    published = await plugin.publish(rig.context(), credential, Post(key="k", text=AWKWARD), None)

    assert rig.fake.ledger[0].text == AWKWARD
    assert rig.fake.published[published.id].hashtags == ("#launch", "#Größe")
    assert credential.account.id == rig.fake.ledger[0].account.id


async def test_the_permalink_opens_the_post(rig: Any) -> None:
    published = await plugin.publish(rig.context(), await rig.connect(), Post(key="k", text="Hello <b>"), None)

    assert f"{rig.origin}/feed/update/{published.id}/" == published.url
    async with rig.http.get(published.url) as page:
        assert page.status == 200
        assert "Hello &lt;b&gt;" in await page.text()


async def test_a_link_becomes_a_card(rig: Any) -> None:
    text = "Read on: https://www.example.com/news/launch_day"

    await rig.publish(await rig.connect(), text, link="https://www.example.com/news/launch_day")

    assert (text, "https://www.example.com/news/launch_day") == (rig.fake.ledger[0].text, rig.fake.ledger[0].link)


@pytest.mark.parametrize(
    ("link", "title"),
    [
        ("https://www.example.com/news/launch?utm_source=x#top", "example.com/news/launch"),
        ("https://example.com/", "example.com"),
        ("https://user:secret@example.com:8443/a", "example.com/a"),
        ("https://example.com/caf%C3%A9", "example.com/café"),
        ("https://[broken/x", "https://[broken/x"),
    ],
)
def test_the_title_of_a_card_names_the_page(link: str, title: str) -> None:
    assert title == link_title(link)


def test_a_long_title_is_shortened() -> None:
    title = link_title(f"https://example.com/{'a' * 300}")

    assert (len(title), title[-1]) == (100, "…")


# --- length ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a" * 3000, "(" * 1500, "🚀" * 1500])
async def test_the_longest_text_is_accepted_here_and_there(rig: Any, text: str) -> None:
    assert plugin.validate(Post(key="k", text=text)) == ()
    assert text == await rig.publish(await rig.connect(), text)


@pytest.mark.parametrize("text", ["a" * 3001, "(" * 1500 + "a", "🚀" * 1500 + "a"])
async def test_a_longer_text_is_refused_here_and_there(rig: Any, text: str) -> None:
    (problem,) = plugin.validate(Post(key="k", text=text))
    assert "LinkedIn allows 3,000 characters; this is 3,001" in problem.message

    with pytest.raises(PostRejected, match="too long"):
        await rig.publish(await rig.connect(), text)


# --- refusals --------------------------------------------------------------------------------------------------------


async def test_a_duplicate_names_the_post_that_is_live(rig: Any) -> None:
    credential = await rig.connect()
    await rig.publish(credential, "Hello")

    with pytest.raises(PostRejected) as caught:
        await rig.publish(credential, "Hello")

    assert f"{rig.origin}/feed/update/{rig.fake.ledger[0].id}/" in caught.value.problems[0].message
    assert caught.value.reference
    assert len(rig.fake.ledger) == 1


async def test_the_same_text_may_be_posted_again_later(rig: Any) -> None:
    credential = await rig.connect()
    await rig.publish(credential, "Hello")
    rig.clock.advance(timedelta(minutes=10))

    assert await rig.publish(credential, "Hello") == "Hello"


async def test_an_expired_token_without_a_refresh_token_asks_for_a_reconnect(rig: Any) -> None:
    credential = await rig.connect_and_wait(timedelta(days=60))

    with pytest.raises(ReconnectRequired, match="60 days"):
        await rig.publish(credential, "Hello")


async def test_an_expired_token_with_a_refresh_token_is_refreshed_first(rig: Any) -> None:
    rig.fake.switch("refresh_tokens")
    credential = await rig.connect()
    rig.fake.perform("expire")

    with pytest.raises(TokenExpired):
        await rig.publish(credential, "Hello")


async def test_a_withdrawn_grant_asks_for_a_reconnect(rig: Any) -> None:
    credential = await rig.connect_and_wait()
    rig.fake.perform("revoke")

    with pytest.raises(ReconnectRequired, match="withdrawn"):
        await rig.publish(credential, "Hello")


async def test_a_fresh_token_called_revoked_is_only_a_delay(rig: Any) -> None:
    credential = await rig.connect()
    rig.fake.switch("spurious_401")

    with pytest.raises(PlatformUnavailable):
        await rig.publish(credential, "Hello")

    rig.clock.advance(rig.fake.settling)
    assert await rig.publish(credential, "Hello") == "Hello"


async def test_a_lost_permission_is_named(rig: Any) -> None:
    credential = await rig.connect()
    rig.fake.switch("share_product_off")

    with pytest.raises(ReconnectRequired, match="Share on LinkedIn") as caught:
        await rig.publish(credential, "Hello")

    assert caught.value.missing_scopes == ("w_member_social",)


@pytest.mark.parametrize("version", ["202511", "2026-09", ""])
async def test_a_version_that_is_not_served_is_the_admins_to_mend(rig: Any, version: str) -> None:
    credential = await rig.connect()

    with pytest.raises(OperatorActionRequired, match="LINKEDIN_VERSION"):
        await rig.publish(credential, "Hello", version=version)


async def test_a_version_sunset_overnight_is_the_admins_to_mend(rig: Any) -> None:
    credential = await rig.connect()
    rig.fake.switch("version_sunset")

    with pytest.raises(OperatorActionRequired, match="202609"):
        await rig.publish(credential, "Hello")


async def test_the_daily_limit_waits_for_midnight_utc_and_a_little(rig: Any) -> None:
    credential = await rig.connect()
    rig.fake.switch("rate_limit")

    with pytest.raises(RateLimited) as caught:
        await rig.publish(credential, "Hello")

    assert datetime(2026, 11, 24, 0, 2, 30, tzinfo=UTC) == caught.value.until


# --- lost answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["error_after_accept", "accept_then_drop"])
async def test_a_post_whose_answer_got_lost_is_live_and_unknown(rig: Any, fault: str) -> None:
    credential = await rig.connect()
    rig.fake.switch(fault)

    with pytest.raises(OutcomeUnknown):
        await rig.publish(credential, "Hello")

    assert len(rig.fake.ledger) == 1
    assert rig.fake.requests.count(("POST", "/rest/posts")) == 1


@pytest.mark.parametrize("fault", ["unavailable", "garbage"])
async def test_an_unclear_answer_leaves_the_outcome_unknown(rig: Any, fault: str) -> None:
    credential = await rig.connect()
    rig.fake.switch(fault)

    with pytest.raises(OutcomeUnknown):
        await rig.publish(credential, "Hello")


async def test_a_slow_answer_leaves_the_outcome_unknown(rig: Any) -> None:
    credential = await rig.connect()
    rig.fake.switch("slow")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.1)) as hasty:
        rig.http = hasty
        with pytest.raises(OutcomeUnknown):
            await rig.publish(credential, "Hello")


async def test_a_host_that_is_not_there_posted_nothing(rig: Any, unused_tcp_port: int) -> None:
    credential = await rig.connect()
    rig.origin = f"http://127.0.0.1:{unused_tcp_port}"

    with pytest.raises(PlatformUnavailable):
        await rig.publish(credential, "Hello")


# --- secrets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", ["rate_limit", "unavailable", "garbage", "accept_then_drop", "share_product_off", "version_sunset"]
)
async def test_no_secret_is_shown(rig: Any, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    rig.fake.switch("refresh_tokens")
    grant = await rig.grant()
    credential = await plugin.exchange(rig.context(), grant)
    rig.fake.switch(fault)

    with pytest.raises(PlatformError) as caught:
        await rig.publish(credential, "Hello")

    shown = [repr(credential), repr(grant), repr(rig.context()), caplog.text, repr(caught.value)]
    shown += traceback.format_exception(caught.value)
    secrets = [credential.tokens.access_token, credential.tokens.refresh_token, grant.code, rig.fake.client_secret]
    assert not [secret for secret in secrets if secret in "".join(shown)]
