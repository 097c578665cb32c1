"""The part of the contract about posts of several parts, and about the count that authors see while they write."""

from __future__ import annotations

from typing import Final

import pytest

from ..plugin import OutcomeUnknown, Post, PublishedPost, Reply
from .stage import Stage
from .undeclared import skip_undeclared

__all__ = ["PartsContract"]

MOST_PARTS: Final = 4
TEXTS: Final = {
    "plain": "",
    "a link": "Read https://example.com/a/rather/long/address?with=a&query=too ",
    "emoji": "👩‍👩‍👧 🇩🇪 👍🏽 ",
    "accents": "Straße, naïve, Übermut, 日本 ",
    "signs": "(a) [b] {c} <d> @e #f *g* _h_ ~i~ \\j | ",
    "lines": "One\n\nTwo\n",
}


class PartsContract:
    """What a plugin promises that declares ``Limits.max_parts`` above 1, or has the hook ``measure``."""

    # --- parts --------------------------------------------------------------------------------------------------------

    async def test_parts_go_out_in_order_each_under_the_right_post(self, stage: Stage) -> None:
        """A thread's parts reply each to the one before; a first comment goes to the post."""
        credential, name, count = await stage.connect(), stage.platform.name, _need_parts(stage)
        published: list[PublishedPost] = []
        for number in range(count):
            part = _part(number, published, text=f"Part {number + 1} of {count}")
            published.append(await stage.platforms.publish(name, credential, part))
        ledger = stage.fake.ledger
        assert [f"Part {number + 1} of {count}" for number in range(count)] == [entry.text for entry in ledger]
        assert [None, *(entry.id for entry in ledger[:-1])] == [entry.reply_to for entry in ledger]
        assert count == len({each.id for each in published})

    async def test_further_part_can_be_checked_before_the_first_is_live(self, stage: Stage) -> None:
        """While a post is only checked, no part knows yet what it will reply to."""
        account, count = (await stage.connect()).account, _need_parts(stage)
        part = Post(key="a-key", text="Part 2", part=1)
        assert count >= 2
        assert stage.platforms.validate(stage.platform.name, account, part) == ()

    @pytest.mark.parametrize("fault", ["error_after_accept", "accept_then_drop"])
    async def test_lost_part_is_unknown_and_found(self, stage: Stage, fault: str) -> None:
        """A further part whose answer got lost is not sent again, and is told apart from the first."""
        credential, name, _ = await stage.connect(), stage.platform.name, _need_parts(stage)
        first = await stage.platforms.publish(name, credential, _part(0, [], text="Begun"))
        lost = _part(1, [first], text="Was this live?")
        stage.fake.switch(fault, times=1)
        with stage.raises(OutcomeUnknown):
            await stage.platforms.publish(name, credential, lost)
        assert [entry.text for entry in stage.fake.ledger] == ["Begun", "Was this live?"]
        if not stage.platforms.supports(name, "find_published"):
            return
        try:
            found = await stage.platforms.find_published(name, credential, lost)
        except OutcomeUnknown as error:  # this account may not look
            stage.show(error)
            return
        assert found is not None
        assert stage.fake.ledger[1].id == found.id
        never = _part(1, [first], text="Never sent")
        assert await stage.platforms.find_published(name, credential, never) is None

    # --- counting -----------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("kind", TEXTS)
    async def test_count_agrees_with_the_check(self, stage: Stage, kind: str) -> None:
        """What the counter shows as full passes the check, and one letter more does not."""
        account, name = (await stage.connect()).account, stage.platform.name
        if not stage.platforms.supports(name, "measure"):
            skip_undeclared(stage.platform, "counts code points")
        start = stage.platforms.measure(name, account, Post(key="a-key", text=TEXTS[kind] + "a"))
        full = Post(key="a-key", text=TEXTS[kind] + "a" * (start.limit - start.length + 1))
        over = Post(key="a-key", text=full.text + "a")
        assert start.limit == stage.platforms.measure(name, account, full).length
        assert stage.platforms.validate(name, account, full) == ()
        assert start.limit + 1 == stage.platforms.measure(name, account, over).length
        assert stage.platforms.validate(name, account, over) != ()


def _need_parts(stage: Stage) -> int:
    if stage.platform.limits.max_parts < 2:
        skip_undeclared(stage.platform, "takes no further parts")
    return min(stage.platform.limits.max_parts, MOST_PARTS)


def _part(number: int, published: list[PublishedPost], *, text: str) -> Post:
    reply = Reply(root_id=published[0].id, previous_id=published[-1].id) if published else None
    return Post(key=f"key of {text}", text=text, part=number, reply=reply)
