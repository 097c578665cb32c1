"""A thread on X, from the command to the timeline."""

from __future__ import annotations

from datetime import timedelta

from logicspike.sandbox.slack_state import ANA

MINUTE = timedelta(minutes=1)
THREAD = "twitter in 1m One\n---\nTwo\n---\nThree: https://example.com/three"
TEXTS = ["One", "Two", "Three: https://example.com/three"]


async def test_a_thread_goes_out_in_order_and_its_author_hears_of_it_once(walk):
    fake = walk.fake("twitter")
    await walk.connect("twitter")
    confirmed = await walk.schedule(THREAD)
    assert "(thread of 3)" in confirmed.everything
    assert " of 280" in confirmed.everything

    await walk.slack.advance_clock(MINUTE)

    told = await walk.slack.wait_for_message(ANA, "Part 3", channel=walk.slack.im_of(ANA))
    assert TEXTS == [entry.text for entry in fake.ledger]
    assert [None, fake.ledger[0].id, fake.ledger[1].id] == [entry.reply_to for entry in fake.ledger]
    assert told.everything.count("Published") == 1
