"""Changing a scheduled post: its text and time, at every account where it has not begun to go out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from ..clock import Clock
from ..domain import Connection, Delivery, DeliveryState, HoldReason, Member, PostChange, ScheduledPost
from ..events import Emit, PostEdited
from ..platforms import Platforms
from ..texts import first_link, join_parts, split_parts
from .addressing import ScheduleProblem
from .checking import Checking
from .measuring import Measured, Measuring
from .planning import Planning
from .ports import ConnectionStore, DeliveryStore, PostStore, StoreUnavailable

__all__ = [
    "EDITABLE",
    "ChangedMeanwhile",
    "EditRequest",
    "EditResult",
    "Editable",
    "Edited",
    "Editing",
    "NotEdited",
    "TooLate",
    "change_delivery",
]

EDITABLE: Final = frozenset({DeliveryState.SCHEDULED, DeliveryState.CLAIMED, DeliveryState.HELD})
"""Nothing is being sent, so that what goes out can still be another text, unless a part of it is live already."""

_SWAP_TRIES: Final = 20
_SAVE_TRIES: Final = 5
_UNDER_WAY: Final = timedelta(seconds=10)
"""A change this old was left behind by a process that ended: carrying one through takes milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Editable:
    """A post as its author would change it.

    Attributes:
        delivery: the one that was asked for.
        post: the post it belongs to; no change is under way.
        open: its deliveries that can still be changed.
        gone: the others.
    """

    delivery: Delivery
    post: ScheduledPost
    open: tuple[Delivery, ...]
    gone: tuple[Delivery, ...]

    @property
    def shown(self) -> Delivery:
        """The delivery whose text and time stand for the post: the one asked for, unless it is gone and others not."""
        return self.delivery if self.delivery in self.open or not self.open else self.open[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRequest:
    """What an author wants a post to become.

    Attributes:
        author: who asks.
        delivery_id: any delivery of the post.
        revision: of the post that the author was looking at.
        text: as written; None keeps it.
        due_at: when it goes out; within the present time's minute it keeps the time.
        is_now: it goes out right away; ``due_at`` is left aside.
        zone: IANA name of the author's zone.
    """

    author: Member
    delivery_id: str
    revision: int
    text: str | None
    due_at: datetime
    zone: str
    is_now: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The change is saved.

    Attributes:
        post: as it is now.
        changed: where the change counts.
        unchanged: where it came too late and the post is as it was.
        warnings: what is worth a look, in words for people.
        lengths: how long the post is, by delivery id.
    """

    post: ScheduledPost
    changed: tuple[Delivery, ...]
    unchanged: tuple[Delivery, ...]
    warnings: tuple[str, ...] = ()
    lengths: Mapping[str, Measured] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotEdited:
    """Nothing is changed, and why."""

    problems: tuple[ScheduleProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedMeanwhile:
    """Nothing is changed: the post is not the one any more that the author was looking at."""

    now: Editable


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLate:
    """Nothing is changed: the post goes out, or is settled, at every account."""

    deliveries: tuple[Delivery, ...]


EditResult: TypeAlias = Edited | NotEdited | ChangedMeanwhile | TooLate


class Editing:
    """The use cases around changing a scheduled post.

    A post is one record and its deliveries are others, and no write covers both. So the change is written down at the
    post first, then carried to each delivery, and last taken over by the post itself. Whoever finds a change that was
    left behind carries it on: after a crash the post and what waits to go out agree again. Deliveries first would leave
    some accounts with the old text and nobody who knows; the post first would claim what no account was given.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        posts: where posts are kept.
        deliveries: where deliveries are kept.
        planning: plans what is prepared ahead.
        clock: the time.
        emit: takes events.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        connections: ConnectionStore,
        posts: PostStore,
        deliveries: DeliveryStore,
        planning: Planning,
        clock: Clock,
        emit: Emit,
    ) -> None:
        self._platforms = platforms
        self._planning = planning
        self._checking = Checking(platforms=platforms, clock=clock)
        self._measuring = Measuring(platforms)
        self._connections = connections
        self._posts = posts
        self._deliveries = deliveries
        self._clock = clock
        self._emit = emit

    async def find(self, author: Member, delivery_id: str) -> Editable | None:
        """One of the author's own posts, by the id of any of its deliveries.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        delivery_id = delivery_id.strip().casefold()
        found = await self._deliveries.find(author.team_id, delivery_id)
        if found is None or found.author != author:
            return None
        post = await self._settle(author.team_id, found.post_id)
        if post is None:
            return None
        deliveries = await self._deliveries.list_for_post(author.team_id, post.post_id)
        return Editable(
            delivery=next((each for each in deliveries if each.delivery_id == delivery_id), found),
            post=post,
            open=tuple(each for each in deliveries if _is_editable(each)),
            gone=tuple(each for each in deliveries if not _is_editable(each)),
        )

    async def save(self, request: EditRequest) -> EditResult | None:
        """Change a post wherever nothing of it was sent yet; None when the author has no such post.

        Saving the same once more is answered like the first time.

        Raises:
            StoreUnavailable: the database did not answer; the change may be saved all the same, or be saved in a while.
        """
        for _ in range(_SAVE_TRIES):
            current = await self.find(request.author, request.delivery_id)
            if current is None:
                return None
            if not current.open:
                return TooLate(deliveries=current.gone)
            change = self._to_change(request, current)
            if current.post.revision != request.revision:
                return await self._saved_before(current, change) or ChangedMeanwhile(now=current)
            connections = await self._list_connections(current.open)
            if problems := tuple(self._check(request, change, current.shown, connections)):
                return NotEdited(problems=problems)
            begun = replace(current.post, change=change)
            if await self._posts.swap(current.post, begun):
                done = await self._carry_through(begun, change)
                if not done.changed:
                    return TooLate(deliveries=done.unchanged)
                return self._with_warnings(done, connections)
        raise StoreUnavailable("the post kept changing")

    async def finish_changes(self) -> int:
        """Carry through what processes left behind that ended while a change was being saved; how many.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        left = await self._posts.list_changing(self._clock.now() - _UNDER_WAY)
        for post in left:
            if post.change is not None:
                await self._carry_through(post, post.change)
        return len(left)

    # --- what is asked for -------------------------------------------------------------------------------------------

    def _to_change(self, request: EditRequest, current: Editable) -> PostChange:
        now, shown = self._clock.now(), current.shown
        keeps_time = not request.is_now and _minute(request.due_at) == _minute(shown.due_at)
        due_at = shown.due_at if keeps_time else now if request.is_now else max(request.due_at, now)
        text = shown.unpublished_text if request.text is None else join_parts(split_parts(request.text))
        return PostChange(
            text=text,
            link=first_link(text),
            due_at=due_at,
            zone=request.zone,
            wall_time=due_at.astimezone(ZoneInfo(request.zone)).replace(tzinfo=None).isoformat(timespec="seconds"),
            begun_at=now,
            reaches={each.delivery_id: len(each.attempts) for each in current.open},
            media=current.post.media,
        )

    def _check(
        self, request: EditRequest, change: PostChange, shown: Delivery, connections: Iterable[Connection]
    ) -> Iterable[ScheduleProblem]:
        parts = split_parts(change.text)
        if not any(parts) and not change.media:
            yield ScheduleProblem(
                field="text", message="There is nothing to post: write something, or cancel the post."
            )
            return
        yield from self._checking.check_parts(parts)
        if not request.is_now and change.due_at != shown.due_at:
            yield from self._checking.check_time(request.due_at)
        for connection in connections:
            # A post for a platform that isn't ready is held until it is.
            is_ready = self._platforms.is_ready(connection.platform, connection.credential_set)
            if (all(parts) or len(parts) == 1) and is_ready:
                yield from self._checking.check_content(parts, change.media, connection)

    async def _list_connections(self, deliveries: Sequence[Delivery]) -> tuple[Connection, ...]:
        """The accounts the post goes to, as far as they're still connected."""
        wanted = {each.connection_id for each in deliveries}
        everything = await self._connections.list_for_team(deliveries[0].team_id)
        return tuple(each for each in everything if each.connection_id in wanted)

    async def _saved_before(self, current: Editable, change: PostChange) -> Edited | None:
        """The answer to a change that is saved already: its first answer got lost."""
        post = current.post
        if (change.text, change.due_at) != (post.text, post.due_at):
            return None
        everything = (*current.open, *current.gone)
        done = Edited(
            post=post,
            changed=tuple(each for each in everything if each.revision == post.revision),
            unchanged=tuple(each for each in everything if each.revision != post.revision),
        )
        return self._with_warnings(done, await self._list_connections(current.open))

    def _with_warnings(self, done: Edited, connections: Sequence[Connection]) -> Edited:
        taking = {each.connection_id for each in done.changed if each.state is not DeliveryState.HELD}
        known = (each for each in connections if each.connection_id in taking and self._platforms.find(each.platform))
        lengths = self._measuring.measure_all(done.changed, connections)
        return replace(
            done, warnings=tuple(self._checking.warn(known, done.post.due_at, done.post.zone)), lengths=lengths
        )

    # --- carrying it through -----------------------------------------------------------------------------------------

    async def _settle(self, team_id: str, post_id: str) -> ScheduledPost | None:
        """The post with no change under way: one that is left from before comes first."""
        for _ in range(_SAVE_TRIES):
            post = await self._posts.find(team_id, post_id)
            if post is None or post.change is None:
                return post
            await self._carry_through(post, post.change)
        raise StoreUnavailable("the post kept changing")

    async def _carry_through(self, begun: ScheduledPost, change: PostChange) -> Edited:
        """Give each delivery the change, then let the post take it over; safe to do twice, and for two at once.

        What becomes of each delivery is settled once: it takes the change, or is tried or settled first.
        """
        revision = begun.revision + 1
        team_id = begun.author.team_id
        done = [
            await self._carry_to(each, change, revision)
            for each in await self._deliveries.list_for_post(team_id, begun.post_id)
        ]
        changed = tuple(each for each in done if each.revision >= revision)
        ended = replace(begun, revision=revision, change=None)
        if changed:
            ended = replace(
                ended,
                text=change.text,
                link=change.link,
                due_at=change.due_at,
                zone=change.zone,
                wall_time=change.wall_time,
                edited_at=change.begun_at,
                media=change.media,
            )
        if await self._posts.swap(begun, ended) and changed:
            self._emit(PostEdited(team_id=team_id, post_id=begun.post_id, deliveries=len(changed)))
        return Edited(post=ended, changed=changed, unchanged=tuple(each for each in done if each not in changed))

    async def _carry_to(self, delivery: Delivery, change: PostChange, revision: int) -> Delivery:
        """Give one delivery the change unless it has gone; the delivery as it is now."""
        for _ in range(_SWAP_TRIES):
            is_within_reach = len(delivery.attempts) == change.reaches.get(delivery.delivery_id)
            if delivery.revision >= revision or not _is_editable(delivery) or not is_within_reach:
                return delivery
            after = self._planning.plan_anew(delivery, change_delivery(delivery, change, revision=revision))
            if await self._deliveries.swap(delivery, after):
                return after
            found = await self._deliveries.find(delivery.team_id, delivery.delivery_id)
            if found is None:
                return delivery
            delivery = found
        raise StoreUnavailable("a delivery kept changing")


def change_delivery(delivery: Delivery, change: PostChange, *, revision: int) -> Delivery:
    """The delivery with its author's change: what was claimed is free again, so that nobody sends the old text.

    With another time it starts anew, except that a pause goes on which the platform needs. What is held stays held,
    unless that was for being late: a new time settles that. Its key stays the same whatever it says.
    """
    first, *others = split_parts(change.text)
    changed = replace(
        delivery,
        post=replace(delivery.post, text=first, link=first_link(first)),
        parts=tuple(others),
        zone=change.zone,
        revision=revision,
        claim_token=None,
        claimed_by=None,
        claimed_until=None,
        state=DeliveryState.HELD if delivery.state is DeliveryState.HELD else DeliveryState.SCHEDULED,
    )
    if change.due_at == delivery.due_at:
        return changed
    pauses_until = delivery.next_try_at if delivery.next_try_at > delivery.due_at else change.due_at
    moved = replace(changed, due_at=change.due_at, next_try_at=max(change.due_at, pauses_until), is_confirmed=False)
    if delivery.state is not DeliveryState.HELD:
        return moved if moved.next_try_at > change.due_at else replace(moved, tries=0, detail=None, is_owed=False)
    moved = replace(moved, next_try_at=change.due_at, tries=0)
    if delivery.hold_reason is not HoldReason.LATE:
        return moved
    return replace(moved, state=DeliveryState.SCHEDULED, hold_reason=None, detail=None, is_asked=False, is_owed=False)


def _is_editable(delivery: Delivery) -> bool:
    """Whether all that it says can still be changed: what follows a live part belongs to what that says."""
    return delivery.state in EDITABLE and not delivery.live


def _minute(at: datetime) -> int:
    """The minute that a form shows: people pick no seconds."""
    return int(at.timestamp()) // 60
