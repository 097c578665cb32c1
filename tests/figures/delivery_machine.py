"""The delivery machine under all that may happen to it, in any order; its invariants are checked at every step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from team import ANA

from logicspike.domain import ConnectionStatus, Delivery, DeliveryState
from logicspike.services.disconnecting import PostsOnDisconnect
from logicspike.services.editing import EDITABLE, Edited, EditRequest
from logicspike.services.scheduling import CancelOutcome, ScheduleRequest
from logicspike.texts import join_parts

from .machine_base import ACCOUNTS, MachineBase, in_a_while, quietly, run_ticks
from .outcomes import KINDS, make_hanging, make_outcome
from .world import Process, World

S = DeliveryState
NUMBERS = st.integers(min_value=0, max_value=1000)
FAULTS = st.sampled_from([f"{what} {when}" for what in ("lost", "kill", "pause") for when in ("before", "after")])
TURNS = st.integers(min_value=0, max_value=25)
RIVALS = st.sampled_from(["nothing", "work", "cancel", "release", "look"])
PARTS = (1, 3, 1, 2)
"""How many parts the posts have, in turn."""


class DeliveryMachine(MachineBase, RuleBasedStateMachine):
    """Two processes, three accounts, one author."""

    def __init__(self) -> None:
        MachineBase.__init__(self)
        RuleBasedStateMachine.__init__(self)

    @initialize(seed=st.integers(min_value=0, max_value=2**32))
    def start(self, seed: int) -> None:
        self.world = World(seed)
        self.run(self.open())

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.run(self.come_to_rest())
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

    def _schedule(self, who: int, where: int, due_in: int, *, parts: int = 0) -> None:
        text = self._write(parts)
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
        self.act(who, lambda it: it.services.scheduling.schedule(request))
        self.adopt()

    def _write(self, parts: int = 0) -> str:
        """A text that nobody wrote before, in one part or several."""
        self.written += 1
        first, count = f"post {self.written}", parts or PARTS[self.written % len(PARTS)]
        return join_parts((first, *(f"{first}.{number}" for number in range(1, count))))

    @rule(who=NUMBERS, which=NUMBERS)
    def cancel(self, who: int, which: int) -> None:
        # No preconditions here and below: what Hypothesis draws must hang on nothing but its own choices.
        if not self.scheduled:
            return
        delivery = self.pick(which)
        outcome = self.act(who, lambda it: it.services.scheduling.cancel(ANA, delivery.delivery_id))
        self._note_cancel(delivery, outcome)

    def _note_cancel(self, delivery: Delivery, outcome: CancelOutcome | None) -> None:
        if outcome is not None and outcome.is_canceled:
            self.note_canceled(delivery)

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
        text = self._write()
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
                rivals.append(self.process(number).start(quietly(in_a_while(turns, work))))
            return await process.services.editing.save(request)

        answer = self.act(who, edit_beside_rivals)
        if rival == "cancel":
            done = [task.result() for task in rivals if task.done() and not task.cancelled()]
            self._note_cancel(delivery, done[0] if done else None)
        self.adopt()
        if isinstance(answer, Edited):
            [now] = answer.changed
            assert text == join_parts(now.texts), "the answer promises what the author did not write"
            self.outdate(now.delivery_id, before=text)
        elif answer is not None:
            said = {join_parts(each.texts) for each in self.deliveries()}
            assert text not in said, "refused, and made all the same"

    def _list_rivals(self, rival: str, who: int, delivery: Delivery) -> list[tuple[int, Awaitable[Any]]]:
        one, other = self.process(who).services, self.process(who + 1).services
        match rival:
            case "work":
                return [(who, run_ticks(self.process(who))), (who + 1, run_ticks(self.process(who + 1)))]
            case "cancel":
                return [(who + 1, other.scheduling.cancel(ANA, delivery.delivery_id))]
            case "release":
                return [(who + 1, other.answering.settle_late(ANA, delivery.delivery_id, "publish"))]
            case "look":
                return [(who, one.editing.find(ANA, delivery.delivery_id)), (who + 1, other.editing.finish_changes())]
            case _:
                return []

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
        self.act(who, lambda it: self.sign_in(it, connection.platform, account, linked))

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
        for each in self.deliveries():
            if each.state is S.CANCELED:
                self.note_canceled(each)

    # --- the bot ------------------------------------------------------------------------------------------------------

    @rule(who=NUMBERS)
    def tick(self, who: int) -> None:
        self.act(who, run_ticks)

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
        self.run(self.work(20))

    @rule(who=NUMBERS, where=NUMBERS, part=st.integers(0, 2), kind=st.sampled_from(KINDS), is_asked=st.booleans())
    def a_part_goes_wrong(self, who: int, where: int, part: int, kind: str, is_asked: bool) -> None:
        """A thread goes well up to some part; then perhaps so much time passes that its author is asked."""
        self._schedule(who, where, 0, parts=3)
        for platform in self.platforms_by_name().values():
            platform.outcomes.clear()
            outcomes = ["accepted"] * part + [kind]
            platform.outcomes.extend(make_outcome(each, platform, self.world) for each in outcomes)
        self.tick(who)
        self.run(self.work(200 if is_asked else 20))

    @rule(
        who=NUMBERS,
        where=NUMBERS,
        fault=FAULTS,
        calls=st.integers(min_value=4, max_value=20),
        hangs=st.sampled_from([None, 0, 10, 50]),
    )
    def go_wrong_between_parts(self, who: int, where: int, fault: str, calls: int, hangs: int | None) -> None:
        """The process that publishes a thread is hit on the way from one part to the next."""
        self._schedule(who + 1, where, 0, parts=3)
        if hangs is not None:
            self.next_publish_hangs(where, hangs, 29)
        self.process(who).gate.arm(fault, calls)
        self.tick(who)
        self.run(self.work(20))

    @rule(rounds=st.integers(min_value=1, max_value=8), seconds=st.sampled_from([0, 5, 20, 60]))
    def both_work_for_a_while(self, rounds: int, seconds: int) -> None:
        for _ in range(rounds):
            self.run(self.work(seconds))

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
            platform = self.platform(where)
            platform.outcomes.append(make_outcome(kind, platform, self.world))

    @rule(
        where=NUMBERS, lands_after=st.sampled_from([None, 0, 10, 25, 50]), answers_after=st.sampled_from([15, 29, 45])
    )
    def next_publish_hangs(self, where: int, lands_after: int | None, answers_after: int) -> None:
        """The answer comes late, or not before the limit; and the post may land late, whoever waits for it by then."""
        platform = self.platform(where)
        hanging = make_hanging(platform, self.world, lands_after, answers_after, landed_late=self.landed_late)
        platform.outcomes.append(hanging)

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

    @invariant()
    def all_is_well(self) -> None:
        if hasattr(self, "world"):
            self.adopt()
            self.check_rules()
