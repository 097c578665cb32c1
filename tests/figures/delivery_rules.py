"""What holds of deliveries at every step, whatever happens: checked by the delivery machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from logicspike.domain import Delivery, DeliveryState
from logicspike.services.notices import OutcomeQuestion
from logicspike.texts import join_parts

from .local_platform import Entry
from .world import World

__all__ = ["OVER", "DeliveryRules"]

S = DeliveryState
CLEAN = [S.SCHEDULED, S.CLAIMED, S.PUBLISHING, S.PUBLISHED]
OVER = frozenset({S.PUBLISHED, S.FAILED, S.CANCELED})


class DeliveryRules:
    """The rules, and what they need to know of the past."""

    world: World

    def __init__(self) -> None:
        self.scheduled: dict[str, str] = {}  # text of a part to delivery id
        self.versions: dict[str, list[tuple[str, ...]]] = {}  # delivery id to what its author wrote, oldest first
        self.outdated: dict[str, int] = {}  # text that was replaced for certain to how often it was live by then
        self.seen_at: dict[str, datetime] = {}
        self.landed_late: set[str] = set()
        self.settled: dict[str, DeliveryState] = {}
        self.told_again: set[str] = set()
        self.said_live: set[str] = set()
        self.canceled_with: dict[str, int] = {}  # delivery id to how much of it was live when it was canceled

    def deliveries(self) -> list[Delivery]:
        return list(self.world.stores.deliveries.rows.values())

    def ledger(self) -> list[Entry]:
        return [*self.world.readable.ledger, *self.world.mute.ledger]

    def ledger_of(self, delivery: Delivery) -> list[Entry]:
        ledger = self.world.mute.ledger if delivery.platform == "mute" else self.world.readable.ledger
        return [entry for entry in ledger if self.scheduled[entry.text] == delivery.delivery_id]

    def adopt(self) -> None:
        """Take note of what stands there: a schedule whose answer got lost may stand all the same."""
        for each in self.deliveries():
            for text in each.texts:
                self.scheduled.setdefault(text, each.delivery_id)
            versions = self.versions.setdefault(each.delivery_id, [])
            if each.texts not in versions:
                versions.append(each.texts)
            self.seen_at.setdefault(each.delivery_id, self.world.clock.now())

    def note_canceled(self, delivery: Delivery) -> None:
        """Nothing more of it may go live from now on."""
        if delivery.delivery_id not in self.told_again:
            self.canceled_with.setdefault(delivery.delivery_id, len(self.ledger_of(delivery)))

    def outdate(self, delivery_id: str, *, before: str) -> None:
        """From now on no earlier version may go out: the author was told so."""
        live = Counter(entry.text for entry in self.ledger())
        for version in self.versions[delivery_id]:
            if join_parts(version) == before:
                break
            for text in version:
                self.outdated.setdefault(text, live[text])

    def check_rules(self) -> None:
        """All of them."""
        self.nothing_vanishes_and_what_is_over_stays_so()
        self.each_delivery_is_whole()
        self.what_is_said_to_be_live_is()
        self.nothing_is_posted_twice_or_after_its_cancel()
        self.exactly_the_last_acknowledged_version_goes_out()
        self.questions_are_asked_once_for_each_attempt()
        self.an_accounts_posts_keep_their_order()
        self.parts_go_out_in_order_each_behind_the_one_before()

    def nothing_vanishes_and_what_is_over_stays_so(self) -> None:
        rows = self.world.stores.deliveries.rows
        for text, delivery_id in self.scheduled.items():
            assert delivery_id in rows, f"{text} vanished"
        for delivery_id, state in self.settled.items():
            assert rows[delivery_id].state is state, f"{delivery_id} went from {state} to {rows[delivery_id].state}"
        self.settled |= {each.delivery_id: each.state for each in rows.values() if each.state in OVER}

    def each_delivery_is_whole(self) -> None:
        for each in self.deliveries():
            unfinished = [attempt for attempt in each.attempts if attempt.outcome is None]
            assert len(unfinished) <= (each.state is S.PUBLISHING), each
            assert len({attempt.attempt_id for attempt in each.attempts}) == len(each.attempts), each
            is_held = each.state is S.HELD
            assert is_held == (each.hold_reason is not None) or each.state is S.CANCELED, each
            assert not is_held or each.detail, each
            is_claimed = each.state in {S.CLAIMED, S.PUBLISHING}
            assert not is_claimed or (each.claim_token and each.claimed_until), each
            assert (each.state is S.PUBLISHED) == (len(each.live) == len(each.texts)), each
            parts = [attempt.part for attempt in each.attempts]
            assert parts == sorted(parts), f"a part was tried after one that follows it: {each}"

    def what_is_said_to_be_live_is(self) -> None:
        for each in self.deliveries():
            live = Counter(entry.text for entry in self.ledger_of(each))
            for text, part in zip(each.texts, each.live, strict=False):
                assert live[text] or not part.id, f"{text} is not live: {each}"

    def nothing_is_posted_twice_or_after_its_cancel(self) -> None:
        for each in self.deliveries():
            live = self.ledger_of(each)
            times = Counter(_number_of(entry.text) for entry in live)
            is_told_again = each.delivery_id in self.told_again
            assert is_told_again or max(times.values(), default=0) <= 1, f"{live} is live more than once"
            most = self.canceled_with.get(each.delivery_id, len(live))
            assert len(live) <= most, f"{live} is live although the rest was canceled"

    def exactly_the_last_acknowledged_version_goes_out(self) -> None:
        for text, times in Counter(entry.text for entry in self.ledger()).items():
            is_landing = text in self.landed_late  # its request was on its way before its author was asked about it
            assert is_landing or times <= self.outdated.get(text, times), f"{text} went out after it was replaced"
        for each in self.deliveries():
            post = self.world.stores.posts.posts[each.post_id]
            said = (join_parts(each.texts), each.due_at)
            is_whole = said == (post.text, post.due_at) and each.revision <= post.revision
            assert is_whole or post.change is not None, f"{each} and {post} disagree"

    def questions_are_asked_once_for_each_attempt(self) -> None:
        asked = Counter(
            (notice.delivery.delivery_id, notice.delivery.attempts[-1].attempt_id)
            for notice in self.world.notifier.of(OutcomeQuestion)
        )
        # A process that is hit after it asked, before that is noted, leaves the question to the next one.
        again = sum(times - 1 for times in asked.values())
        assert again <= self.world.count_faults(), f"asked more than once: {asked}"

    def an_accounts_posts_keep_their_order(self) -> None:
        """Of posts in one part that nothing came between."""
        store = self.world.stores.deliveries
        by_account: dict[str, list[Delivery]] = {}
        for entry in self.ledger():
            delivery = store.rows[self.scheduled[entry.text]]
            path = store.paths[delivery.delivery_id]
            is_plain = entry.text not in self.landed_late and delivery.delivery_id not in store.rearranged
            if is_plain and path == CLEAN[: len(path)]:
                by_account.setdefault(entry.account_id, []).append(delivery)
        for went_out in by_account.values():
            for first, second in _pairs(went_out):
                was_there = self.seen_at[second.delivery_id] < first.due_at
                is_earlier = (second.due_at, second.delivery_id) < (first.due_at, first.delivery_id)
                assert not (was_there and is_earlier), f"{second.post.text} should have gone before {first.post.text}"

    def parts_go_out_in_order_each_behind_the_one_before(self) -> None:
        for each in self.deliveries():
            for version in self.versions.get(each.delivery_id, ()):
                live = [entry for entry in self.ledger_of(each) if entry.text in version]
                first_times = list(dict.fromkeys(entry.text for entry in live))
                assert first_times == list(version[: len(first_times)]), f"{live} of {version}"
                for entry in live:
                    before = version.index(entry.text) - 1
                    assert entry.reply_to == (version[before] if before >= 0 else None), f"{entry} in {version}"


def _number_of(text: str) -> int:
    """Which part of its post a text is: the machine writes "post 7", "post 7.1", "post 7.2"."""
    return int(text.partition(".")[2] or 0)


def _pairs(deliveries: list[Delivery]) -> Iterator[tuple[Delivery, Delivery]]:
    for place, first in enumerate(deliveries):
        for second in deliveries[place + 1 :]:
            yield first, second
