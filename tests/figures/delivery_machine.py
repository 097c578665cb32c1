"""The delivery machine under all that may happen to it, in any order; its invariants are checked at every step."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from team import ANA, BROWSER
from yarl import URL

from logicspike.domain import Connection, ConnectionStatus, Delivery, DeliveryState
from logicspike.plugin.errors import (
    MemberActionRequired,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformUnavailable,
    PostRejected,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)
from logicspike.plugin.types import Problem
from logicspike.services.connecting import Callback, DirectMessageFailed, LinkEnded, NoSuchConnection
from logicspike.services.disconnecting import PostsOnDisconnect
from logicspike.services.editing import EDITABLE, Edited, EditRequest
from logicspike.services.notices import ConnectLink, OutcomeQuestion
from logicspike.services.ports import StoreUnavailable
from logicspike.services.scheduling import CancelOutcome, Scheduled, ScheduleRequest

from .local_platform import Entry, LocalPlatform
from .world import Process, World

S = DeliveryState
CLEAN = [S.SCHEDULED, S.CLAIMED, S.PUBLISHING, S.PUBLISHED]
OVER = frozenset({S.PUBLISHED, S.FAILED, S.CANCELED})
PUBLISH_LIMIT = timedelta(seconds=30)
ACCOUNTS = (("readable", "r1"), ("readable", "r2"), ("mute", "m1"))
NUMBERS = st.integers(min_value=0, max_value=1000)
FAULTS = st.sampled_from([f"{what} {when}" for what in ("lost", "kill", "pause") for when in ("before", "after")])
TURNS = st.integers(min_value=0, max_value=25)
RIVALS = st.sampled_from(["nothing", "work", "cancel", "release", "look"])
KINDS = (
    "accepted",
    "unavailable",
    "rate limit",
    "app-wide limit",
    "expired",
    "refused",
    "rejected",
    "member",
    "operator",
    "lost but live",
    "lost and not live",
    "bug but live",
    "bug",
)


class DeliveryMachine(RuleBasedStateMachine):
    """Two processes, three accounts, one author."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.scheduled: dict[str, str] = {}  # text to delivery id
        self.told_again: set[str] = set()
        self.said_live: set[str] = set()
        self.written = 0
        self.seen_at: dict[str, datetime] = {}
        self.landed_late: set[str] = set()
        self.settled: dict[str, DeliveryState] = {}
        self.canceled_without: set[str] = set()
        self.versions: dict[str, list[str]] = {}  # delivery id to the texts its author gave it, oldest first
        self.outdated: dict[str, int] = {}  # text that was replaced for certain to how often it was live by then

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @initialize(seed=st.integers(min_value=0, max_value=2**32))
    def start(self, seed: int) -> None:
        self.world = World(seed)
        self.run(self._open())

    async def _open(self) -> None:
        await self.world.open()
        for platform, person in ACCOUNTS:
            await self._sign_in(self.world.processes[0], platform, person, None)

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.run(self._come_to_rest())
        finally:
            if hasattr(self, "world"):
                self.run(self.world.close())
            self.loop.close()

    # --- people -------------------------------------------------------------------------------------------------------

    @rule(who=NUMBERS, where=NUMBERS, dues=st.lists(st.integers(min_value=0, max_value=9), min_size=1, max_size=4))
    def schedule(self, who: int, where: int, dues: list[int]) -> None:
        """Some posts are scheduled, for now or for some minutes ahead in steps of twenty seconds."""
        for number, due_in in enumerate(dues):
            self._schedule(who, where + number // 2, due_in)

    def _schedule(self, who: int, where: int, due_in: int) -> None:
        self.written += 1
        text = f"post {self.written}"
        usable = [each for each in self.connections() if each.status is not ConnectionStatus.DISCONNECTED]
        if not usable:
            return
        request = ScheduleRequest(
            author=ANA,
            text=text,
            due_at=self.world.clock.now() + timedelta(seconds=20 * due_in),
            zone="UTC",
            connection_ids=(usable[where % len(usable)].connection_id,),
        )
        result = self.act(who, lambda it: it.services.scheduling.schedule(request))
        if isinstance(result, Scheduled):
            self.scheduled[text] = result.deliveries[0].delivery_id
        self._adopt()

    def _adopt(self) -> None:
        """A schedule whose answer got lost may stand all the same."""
        for each in self.deliveries():
            self.scheduled.setdefault(each.post.text, each.delivery_id)
            versions = self.versions.setdefault(each.delivery_id, [])
            if each.post.text not in versions:
                versions.append(each.post.text)
            self.seen_at.setdefault(each.delivery_id, self.world.clock.now())

    @rule(who=NUMBERS, which=NUMBERS)
    def cancel(self, who: int, which: int) -> None:
        # No preconditions here and below: what Hypothesis draws must hang on nothing but its own choices.
        if not self.scheduled:
            return
        delivery = self.pick(which)
        outcome = self.act(who, lambda it: it.services.scheduling.cancel(ANA, delivery.delivery_id))
        self._note_cancel(delivery, outcome)

    def _note_cancel(self, delivery: Delivery, outcome: CancelOutcome | None) -> None:
        if outcome is not None and outcome.is_canceled and delivery.delivery_id not in self.told_again:
            self.canceled_without.add(delivery.delivery_id)

    @rule(
        who=NUMBERS,
        which=NUMBERS,
        due_in=st.sampled_from([None, 0, 1, 3, 9]),
        is_stale=st.booleans(),
        rival=RIVALS,
        turns=TURNS,
    )
    def edit(self, who: int, which: int, due_in: int | None, is_stale: bool, rival: str, turns: int) -> None:
        """A post is changed, perhaps in a form opened before an earlier change, and while something else happens."""
        if not self.scheduled:
            return
        waiting = [each for each in self.deliveries() if each.state in EDITABLE]
        delivery = waiting[which % len(waiting)] if waiting and which % 4 else self.pick(which)
        self._edit(who, delivery, due_in, is_stale, rival, turns)

    @rule(who=NUMBERS, where=NUMBERS, rival=RIVALS, turns=st.lists(TURNS, min_size=1, max_size=4))
    def edit_at_work(self, who: int, where: int, rival: str, turns: list[int]) -> None:
        """Posts that are due are changed while they are claimed and go out."""
        for number, turn in enumerate(turns):
            before = {each.delivery_id for each in self.deliveries()}
            self._schedule(who, where + number, 0)
            for each in self.deliveries():
                if each.delivery_id not in before:
                    self._edit(who + number, each, None, False, "work" if number % 2 else rival, turn)

    def _edit(self, who: int, delivery: Delivery, due_in: int | None, is_stale: bool, rival: str, turns: int) -> None:
        post = self.world.stores.posts.posts[delivery.post_id]
        self.written += 1
        text = f"post {self.written}"
        due_at = delivery.due_at if due_in is None else self.world.clock.now() + timedelta(seconds=20 * due_in)
        request = EditRequest(
            author=ANA,
            delivery_id=delivery.delivery_id,
            revision=max(post.revision - is_stale, 0),
            text=text,
            due_at=due_at,
            zone="UTC",
        )
        rivals: list[asyncio.Task[Any]] = []

        async def edit_beside_rivals(process: Process) -> Any:
            for number, work in self._list_rivals(rival, who, delivery):
                rivals.append(self.process(number).start(_quietly(_in_a_while(turns, work))))
            return await process.services.editing.save(request)

        answer = self.act(who, edit_beside_rivals)
        if rival == "cancel":
            done = [task.result() for task in rivals if task.done() and not task.cancelled()]
            self._note_cancel(delivery, done[0] if done else None)
        self._adopt()
        if isinstance(answer, Edited):
            [now] = answer.changed
            assert text == now.post.text, "the answer promises what the author did not write"
            self._outdate(now.delivery_id, before=text)
        elif answer is not None:
            assert text not in {each.post.text for each in self.deliveries()}, "refused, and made all the same"

    def _list_rivals(self, rival: str, who: int, delivery: Delivery) -> list[tuple[int, Awaitable[Any]]]:
        one, other = self.process(who).services, self.process(who + 1).services
        match rival:
            case "work":
                return [(who, _tick(self.process(who))), (who + 1, _tick(self.process(who + 1)))]
            case "cancel":
                return [(who + 1, other.scheduling.cancel(ANA, delivery.delivery_id))]
            case "release":
                return [(who + 1, other.answering.settle_late(ANA, delivery.delivery_id, "publish"))]
            case "look":
                return [(who, one.editing.find(ANA, delivery.delivery_id)), (who + 1, other.editing.finish_changes())]
            case _:
                return []

    def _outdate(self, delivery_id: str, *, before: str) -> None:
        """From now on no earlier version may go out: the author was told so."""
        live = Counter(entry.text for entry in self.ledger())
        for text in self.versions[delivery_id]:
            if text == before:
                break
            self.outdated.setdefault(text, live[text])

    @rule(who=NUMBERS, which=NUMBERS, answer=st.sampled_from(["live", "again", "drop"]))
    def answer_question(self, who: int, which: int, answer: str) -> None:
        asked = [each for each in self.deliveries() if each.state is S.UNKNOWN and each.is_asked]
        if not asked:
            return
        delivery = asked[which % len(asked)]
        {"again": self.told_again, "live": self.said_live}.get(answer, set()).add(delivery.delivery_id)
        attempt_id = delivery.attempts[-1].attempt_id
        self.act(who, lambda it: it.services.answering.settle_unknown(ANA, delivery.delivery_id, attempt_id, answer))

    @rule(who=NUMBERS, which=NUMBERS, answer=st.sampled_from(["publish", "drop"]))
    def answer_held(self, who: int, which: int, answer: str) -> None:
        held = [each for each in self.deliveries() if each.state is S.HELD]
        if not held:
            return
        delivery = held[which % len(held)]
        self.act(who, lambda it: it.services.answering.settle_late(ANA, delivery.delivery_id, answer))

    @rule(who=NUMBERS, where=NUMBERS)
    def reconnect(self, who: int, where: int) -> None:
        connection = self.connections()[where % len(self.connections())]
        account = connection.account.id
        linked = connection.connection_id if connection.status is not ConnectionStatus.DISCONNECTED else None
        self.act(who, lambda it: self._sign_in(it, connection.platform, account, linked))

    async def _sign_in(self, process: Process, platform: str, person: str, connection_id: str | None) -> None:
        await process.services.connecting.start(ANA, platform, connection_id=connection_id)
        ticket = URL(self.world.notifier.of(ConnectLink)[-1].url).name
        url = URL(await process.services.connecting.begin(ticket, BROWSER))
        callback = Callback(platform=platform, state=url.query["state"], browser=BROWSER, code=person, error=None)
        await process.services.connecting.finish(callback)

    @rule(who=NUMBERS, where=NUMBERS, posts=st.sampled_from(PostsOnDisconnect))
    def disconnect(self, who: int, where: int, posts: PostsOnDisconnect) -> None:
        connections = self.connections()
        connection = connections[where % len(connections)]
        target = next(
            (each for each in connections if each.platform == connection.platform and each != connection), None
        )
        self.act(
            who,
            lambda it: it.services.disconnecting.disconnect(
                ANA, connection.connection_id, posts=posts, move_to=target.connection_id if target else None
            ),
        )
        self.canceled_without |= {
            each.delivery_id
            for each in self.deliveries()
            if each.state is S.CANCELED and each.delivery_id not in self.told_again
        }

    # --- the bot ------------------------------------------------------------------------------------------------------

    @rule(who=NUMBERS)
    def tick(self, who: int) -> None:
        self.act(who, _tick)

    @rule(
        who=NUMBERS,
        where=NUMBERS,
        fault=FAULTS,
        calls=st.integers(min_value=0, max_value=25),
        dues=st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=4),
    )
    def go_wrong_at_work(self, who: int, where: int, fault: str, calls: int, dues: list[int]) -> None:
        """The process that publishes is hit while it does."""
        for due_in in dues:
            self._schedule(who + 1, where, due_in)
        self.process(who).gate.arm(fault, calls)
        self.tick(who)
        self.run(self._work(20))

    @rule(rounds=st.integers(min_value=1, max_value=8), seconds=st.sampled_from([0, 5, 20, 60]))
    def both_work_for_a_while(self, rounds: int, seconds: int) -> None:
        for _ in range(rounds):
            self.run(self._work(seconds))

    async def _work(self, seconds: int) -> None:
        for process in self.world.processes:
            process.start(_quietly(_tick(process)))
        await self.world.settle()
        await self.world.restart_dead()
        await self.world.advance(timedelta(seconds=seconds))
        await self.world.restart_dead()

    @rule(seconds=st.sampled_from([1, 20, 35, 95, 130, 300, 900]))
    def time_passes(self, seconds: int) -> None:
        self.run(self.world.advance(timedelta(seconds=seconds)))
        self.run(self.world.restart_dead())

    @rule(who=NUMBERS, fault=FAULTS, calls=st.integers(min_value=0, max_value=14), size=st.integers(1, 3))
    def go_wrong_soon(self, who: int, fault: str, calls: int, size: int) -> None:
        """In some calls' time the process is killed, paused, or loses its database for a moment."""
        process = self.process(who)
        process.gate.arm(fault, calls, times=size if fault.startswith("lost") else 1)

    @rule(who=NUMBERS)
    def kill(self, who: int) -> None:
        self.process(who).gate.is_dead = True
        self.run(self.world.restart_dead())

    @rule(who=NUMBERS)
    def resume(self, who: int) -> None:
        async def go_on() -> None:
            self.process(who).gate.resumed.set()
            await self.world.settle()
            await self.world.restart_dead()

        self.run(go_on())

    # --- the platforms ------------------------------------------------------------------------------------------------

    @rule(where=NUMBERS, kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    def next_publishes_end(self, where: int, kinds: list[str]) -> None:
        for kind in kinds:
            self._script(where, kind)

    def _script(self, where: int, kind: str) -> None:
        platform = self.platform(where)
        now = self.world.clock.now

        async def outcome(entry: Entry) -> None:
            if kind in {"accepted", "lost but live", "bug but live"}:
                platform.ledger.append(entry)
            match kind:
                case "unavailable":
                    raise PlatformUnavailable("Down.")
                case "rate limit" | "app-wide limit":
                    is_app_wide = kind == "app-wide limit"
                    raise RateLimited("Slow.", until=now() + timedelta(seconds=40), is_app_wide=is_app_wide)
                case "expired":
                    raise TokenExpired("Expired.")
                case "refused":
                    raise ReconnectRequired("Ended.")
                case "rejected":
                    raise PostRejected(Problem(message="No."))
                case "member":
                    raise MemberActionRequired("Do something.")
                case "operator":
                    raise OperatorActionRequired("Our app.")
                case "lost but live" | "lost and not live":
                    raise OutcomeUnknown("Lost.")
                case "bug but live" | "bug":
                    raise RuntimeError("a bug in the plugin")

        platform.outcomes.append(outcome)

    @rule(
        where=NUMBERS, lands_after=st.sampled_from([None, 0, 10, 25, 50]), answers_after=st.sampled_from([15, 29, 45])
    )
    def next_publish_hangs(self, where: int, lands_after: int | None, answers_after: int) -> None:
        """The answer comes late, or not before the limit; and the post may land late, whoever waits for it by then."""
        platform, world = self.platform(where), self.world

        async def outcome(entry: Entry) -> None:
            started_at = world.clock.now()
            if lands_after is not None:
                if timedelta(seconds=lands_after) > PUBLISH_LIMIT:
                    self.landed_late.add(entry.text)  # the next in line goes out when the limit is over
                world.at(started_at + timedelta(seconds=lands_after), lambda: platform.ledger.append(entry))
            answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            limit = min(timedelta(seconds=answers_after), PUBLISH_LIMIT)
            world.at(started_at + limit, lambda: None if answered.done() else answered.set_result(None))
            await answered
            is_answered = lands_after is not None and lands_after <= answers_after < PUBLISH_LIMIT.total_seconds()
            if not is_answered:
                raise OutcomeUnknown("No answer in time.")

        platform.outcomes.append(outcome)

    @rule(where=NUMBERS)
    def revoke(self, where: int) -> None:
        platform, person = ACCOUNTS[where % len(ACCOUNTS)]
        self.platforms_by_name()[platform].revoked.add(person)

    @rule(where=NUMBERS)
    def go_down_or_up(self, where: int) -> None:
        platform = self.platform(where)
        platform.is_down = not platform.is_down

    @rule()
    def slack_goes_down_or_up(self) -> None:
        self.world.notifier.is_down = not self.world.notifier.is_down

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def all_is_well(self) -> None:
        if hasattr(self, "world"):
            self._adopt()
            self.nothing_vanishes_and_what_is_over_stays_so()
            self.each_delivery_is_whole()
            self.nothing_is_posted_twice_or_after_its_cancel()
            self.exactly_the_last_acknowledged_version_goes_out()
            self.questions_are_asked_once_for_each_attempt()
            self.an_accounts_posts_keep_their_order()

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

    def nothing_is_posted_twice_or_after_its_cancel(self) -> None:
        for delivery_id, times in Counter(self.scheduled[entry.text] for entry in self.ledger()).items():
            said = self.versions[delivery_id]
            assert times == 1 or delivery_id in self.told_again, f"{said} is live {times} times"
            assert delivery_id not in self.canceled_without, f"{said} is live although it was canceled"

    def exactly_the_last_acknowledged_version_goes_out(self) -> None:
        for text, times in Counter(entry.text for entry in self.ledger()).items():
            is_landing = text in self.landed_late  # its request was on its way before its author was asked about it
            assert is_landing or times <= self.outdated.get(text, times), f"{text} went out after it was replaced"
        for each in self.deliveries():
            post = self.world.stores.posts.posts[each.post_id]
            is_whole = (each.post.text, each.due_at) == (post.text, post.due_at) and each.revision <= post.revision
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
        store = self.world.stores.deliveries
        by_account: dict[str, list[Delivery]] = {}
        for entry in self.ledger():
            delivery = store.rows[self.scheduled[entry.text]]
            path = store.paths[delivery.delivery_id]
            is_plain = entry.text not in self.landed_late and delivery.delivery_id not in store.rearranged
            if is_plain and path == CLEAN[: len(path)]:
                by_account.setdefault(entry.account_id, []).append(delivery)
        for went_out in by_account.values():
            for place, first in enumerate(went_out):
                for second in went_out[place + 1 :]:
                    was_there = self.seen_at[second.delivery_id] < first.due_at
                    is_earlier = (second.due_at, second.delivery_id) < (first.due_at, first.delivery_id)
                    assert not (was_there and is_earlier), (
                        f"{second.post.text} should have gone before {first.post.text}"
                    )

    # --- coming to rest -----------------------------------------------------------------------------------------------

    async def _come_to_rest(self) -> None:
        """All faults end; then nothing may be left that neither is settled nor waits for a person."""
        world = self.world
        world.notifier.is_down = False
        for platform in self.platforms_by_name().values():
            platform.is_down = False
            platform.outcomes.clear()
        for process in world.processes:
            process.gate.fault = None
            process.gate.resumed.set()
        pauses = [100] * 10 + [1800] * 16
        await world.settle()
        await world.restart_dead()
        for seconds in pauses:
            await self._work(seconds)
        self._adopt()
        left = [each for each in self.deliveries() if not _is_at_rest(each)]
        assert not left, f"nobody will ever see to {left}"
        # What went out in the very last round is told in the next; what a dead process was telling, after its lease.
        for _ in range(2):
            await self._work(150)
        untold = [each for each in self.deliveries() if each.is_owed]
        assert not untold, f"nobody will ever tell the authors of {untold}"
        self._check_the_end()

    def _check_the_end(self) -> None:
        live = {entry.text for entry in self.ledger()}
        for each in self.deliveries():
            if each.state is S.PUBLISHED:
                assert each.post.text in live or each.delivery_id in self.said_live, f"{each} is not live"
            if each.state is S.UNKNOWN:
                questions = [
                    notice
                    for notice in self.world.notifier.of(OutcomeQuestion)
                    if notice.delivery.attempts[-1].attempt_id == each.attempts[-1].attempt_id
                ]
                assert questions, f"nobody was asked about {each}"
        self.nothing_vanishes_and_what_is_over_stays_so()
        self.each_delivery_is_whole()
        self.nothing_is_posted_twice_or_after_its_cancel()
        self.exactly_the_last_acknowledged_version_goes_out()
        self.an_accounts_posts_keep_their_order()

    # --- small things -------------------------------------------------------------------------------------------------

    def act(self, who: int, work: Callable[[Process], Awaitable[Any]]) -> Any:
        """Let a process do something; None when it didn't get to an end."""
        return self.run(self._act(self.process(who), work))

    async def _act(self, process: Process, work: Callable[[Process], Awaitable[Any]]) -> Any:
        task = process.start(_quietly(work(process)))
        await self.world.settle()
        await self.world.restart_dead()
        return task.result() if task.done() and not task.cancelled() else None

    def process(self, who: int) -> Process:
        return self.world.processes[who % len(self.world.processes)]

    def platforms_by_name(self) -> dict[str, LocalPlatform]:
        return {"readable": self.world.readable, "mute": self.world.mute}

    def platform(self, where: int) -> LocalPlatform:
        return self.world.mute if where % 3 == 0 else self.world.readable

    def connections(self) -> list[Connection]:
        return list(self.world.stores.connections.rows.values())

    def deliveries(self) -> list[Delivery]:
        return list(self.world.stores.deliveries.rows.values())

    def pick(self, which: int) -> Delivery:
        deliveries = self.deliveries()
        return deliveries[which % len(deliveries)]

    def ledger(self) -> list[Entry]:
        return [*self.world.readable.ledger, *self.world.mute.ledger]


async def _tick(process: Process) -> None:
    for each in (
        process.services.reconciling.rescue,
        process.services.reconciling.settle_unknown,
        process.services.editing.finish_changes,
        process.services.delivering.deliver_due,
        process.services.telling.tell_owed,
    ):
        with contextlib.suppress(StoreUnavailable):
            await each()


async def _quietly(work: Awaitable[Any]) -> Any:
    """What a member is told as a sentence is no failure of the machine."""
    try:
        return await work
    except (StoreUnavailable, NoSuchConnection, LinkEnded, DirectMessageFailed):
        return None


async def _in_a_while(turns: int, work: Awaitable[Any]) -> Any:
    for _ in range(turns):
        await asyncio.sleep(0)
    return await work


def _is_at_rest(delivery: Delivery) -> bool:
    is_waiting = delivery.state is S.HELD or (delivery.state is S.UNKNOWN and delivery.is_asked)
    return delivery.state in OVER or is_waiting
