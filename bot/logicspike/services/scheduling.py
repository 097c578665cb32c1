"""Scheduling a post, listing what is scheduled, cancelling; what can't be scheduled as it stands is kept as a draft."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from ..clock import Clock
from ..domain import (
    Connection,
    Delivery,
    DeliveryState,
    Draft,
    Member,
    ScheduledPost,
)
from ..events import Emit, PostCanceled, PostScheduled
from ..platforms import Platforms
from ..plugin.types import Media, Post
from ..texts import first_link, join_parts, split_parts
from .addressing import Addressing, ScheduleProblem, Several, is_usable
from .checking import Checking
from .measuring import POST_AND_COMMENT, Measured, Measuring
from .media_rules import fit_media
from .planning import Planning
from .ports import ConnectionStore, DeliveryStore, PostStore

__all__ = [
    "AccountQuestion",
    "CancelOutcome",
    "NotScheduled",
    "ScheduleProblem",
    "ScheduleRequest",
    "ScheduleResult",
    "Scheduled",
    "Scheduling",
]

_ID_LETTERS: Final = "abcdefghjkmnpqrstvwxyz23456789"  # none that look alike: people type these
_CANCELABLE: Final = frozenset({DeliveryState.SCHEDULED, DeliveryState.CLAIMED, DeliveryState.HELD})
_SWAP_TRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRequest:
    """What a member asks for; accounts come as typed, as ids, or both."""

    author: Member
    text: str
    due_at: datetime
    zone: str
    accounts: tuple[str, ...] = ()
    connection_ids: tuple[str, ...] = ()
    draft_id: str | None = None
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """The post is scheduled.

    Attributes:
        post: what was scheduled.
        deliveries: one for each account.
        warnings: what is worth a look, in words for people.
        lengths: how long the post is, by delivery id.
    """

    post: ScheduledPost
    deliveries: tuple[Delivery, ...]
    warnings: tuple[str, ...]
    lengths: Mapping[str, Measured] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountQuestion:
    """A platform's name fits several accounts; nothing is scheduled until one is picked."""

    draft: Draft
    typed: str
    options: tuple[Connection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotScheduled:
    """Nothing is scheduled; what was written is kept as a draft, if there was anything."""

    draft: Draft | None
    problems: tuple[ScheduleProblem, ...]


ScheduleResult: TypeAlias = Scheduled | AccountQuestion | NotScheduled


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOutcome:
    """What came of a cancel; without a delivery there is no such post, and ``suggestion`` may name a similar id."""

    delivery: Delivery | None
    is_canceled: bool
    suggestion: str | None = None


class Scheduling:
    """The use cases around a scheduled post.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        posts: where posts and drafts are kept.
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
        self._addressing = Addressing(platforms)
        self._checking = Checking(platforms=platforms, clock=clock)
        self._measuring = Measuring(platforms)
        self._connections = connections
        self._posts = posts
        self._deliveries = deliveries
        self._clock = clock
        self._emit = emit

    async def schedule(self, request: ScheduleRequest) -> ScheduleResult:
        """Schedule a post to one or more accounts, or say what keeps it from being scheduled.

        Raises:
            StoreUnavailable: the database did not answer; nothing is scheduled.
        """
        parts = split_parts(request.text)
        text = join_parts(parts) if any(parts) else ""
        resolved = self._addressing.resolve(
            request.author,
            await self._connections.list_for_team(request.author.team_id),
            typed=request.accounts,
            connection_ids=request.connection_ids,
        )
        if isinstance(resolved, Several):
            draft = await self._keep(request, text, resolved.certain)
            return AccountQuestion(draft=draft, typed=resolved.typed, options=resolved.options)
        problems = resolved.problems + tuple(self._check(request, parts, resolved.connections))
        if problems:
            draft_or_none = await self._keep(request, text, resolved.connections) if text or request.media else None
            return NotScheduled(draft=draft_or_none, problems=problems)
        if request.draft_id is not None and not await self._posts.delete_draft(request.author, request.draft_id):
            gone = ScheduleProblem(field="text", message="This draft was scheduled or discarded already.")
            return NotScheduled(draft=None, problems=(gone,))
        return await self._store(request, text, resolved.connections)

    async def _store(self, request: ScheduleRequest, text: str, connections: Sequence[Connection]) -> Scheduled:
        now = self._clock.now()
        due_at = max(request.due_at, now)
        post = ScheduledPost(
            post_id=secrets.token_hex(8),
            author=request.author,
            text=text,
            link=first_link(text),
            due_at=due_at,
            zone=request.zone,
            wall_time=due_at.astimezone(ZoneInfo(request.zone)).replace(tzinfo=None).isoformat(timespec="seconds"),
            created_at=now,
            media=request.media,
        )
        deliveries = tuple(self._planning.plan(self._to_delivery(post, connection)) for connection in connections)
        await self._posts.insert(post)
        await self._deliveries.insert_many(deliveries)
        self._emit(PostScheduled(team_id=post.author.team_id, post_id=post.post_id, deliveries=len(deliveries)))
        return Scheduled(
            post=post,
            deliveries=deliveries,
            warnings=tuple(self._checking.warn(connections, due_at, post.zone)),
            lengths=self._measuring.measure_all(deliveries, connections),
        )

    def _to_delivery(self, post: ScheduledPost, connection: Connection) -> Delivery:
        first, *others = split_parts(post.text)
        limits = self._platforms.get(connection.platform).limits
        delivery_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(8))
        return Delivery(
            delivery_id=delivery_id,
            post_id=post.post_id,
            team_id=post.author.team_id,
            author_id=post.author.user_id,
            connection_id=connection.connection_id,
            platform=connection.platform,
            account_name=connection.account.name,
            post=Post(
                key=f"{post.post_id}:{connection.connection_id}",
                text=first,
                link=first_link(first),
                media=fit_media(limits, post.media),
            ),
            parts=tuple(others),
            parts_are_comments=limits.max_parts == POST_AND_COMMENT,
            state=DeliveryState.SCHEDULED,
            due_at=post.due_at,
            next_try_at=post.due_at,
            zone=post.zone,
        )

    # --- which accounts ----------------------------------------------------------------------------------------------

    async def list_usable(self, member: Member) -> tuple[Connection, ...]:
        """The accounts a member may post with, those that need a sign-in among them.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return tuple(each for each in await self._connections.list_for_team(member.team_id) if is_usable(each, member))

    # --- checks ------------------------------------------------------------------------------------------------------

    def _check(
        self, request: ScheduleRequest, parts: Sequence[str], connections: Iterable[Connection]
    ) -> Iterable[ScheduleProblem]:
        if not any(parts) and not request.media:
            yield ScheduleProblem(field="text", message="There is nothing to post yet: write the text after the time.")
        else:
            yield from self._checking.check_parts(parts)
        yield from self._checking.check_time(request.due_at)
        for connection in connections:
            if problems := self._platforms.problems(connection.platform, connection.credential_set):
                yield ScheduleProblem(field="accounts", message=problems[0])
            elif all(parts) or (len(parts) == 1 and request.media):
                yield from self._checking.check_content(parts, request.media, connection)

    # --- drafts ------------------------------------------------------------------------------------------------------

    async def _keep(self, request: ScheduleRequest, text: str, certain: Sequence[Connection]) -> Draft:
        known = {each.connection_id for each in certain}
        return await self.save_draft(
            request.author,
            text,
            accounts=request.accounts,
            connection_ids=tuple(known),
            due_at=request.due_at,
            draft_id=request.draft_id,
            media=request.media,
        )

    async def save_draft(
        self,
        author: Member,
        text: str,
        *,
        accounts: tuple[str, ...] = (),
        connection_ids: tuple[str, ...] = (),
        when: str | None = None,
        due_at: datetime | None = None,
        draft_id: str | None = None,
        media: tuple[Media, ...] = (),
    ) -> Draft:
        """Keep what a member wrote, under a new id or in place of an earlier draft of theirs, if that is still there.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        if draft_id is not None and await self._posts.find_draft(author, draft_id) is None:
            draft_id = None
        draft = Draft(
            draft_id=draft_id or secrets.token_hex(8),
            author=author,
            text=text,
            accounts=accounts,
            connection_ids=connection_ids,
            when=when,
            due_at=due_at,
            created_at=self._clock.now(),
            media=media,
        )
        await self._posts.save_draft(draft)
        return draft

    async def find_draft(self, author: Member, draft_id: str) -> Draft | None:
        """A member's own draft; None when it was scheduled, discarded or is over.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return await self._posts.find_draft(author, draft_id)

    async def discard_draft(self, author: Member, draft_id: str) -> None:
        """Throw a draft away; doing it twice is fine.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        await self._posts.delete_draft(author, draft_id)

    # --- afterwards --------------------------------------------------------------------------------------------------

    async def list_open(self, member: Member) -> tuple[Delivery, ...]:
        """The member's posts that are still to come or need something, by time.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return await self._deliveries.list_open(member.team_id, author_id=member.user_id)

    async def find_delivery(self, member: Member, delivery_id: str) -> Delivery | None:
        """One of the member's own posts, by its id.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        delivery = await self._deliveries.find(member.team_id, delivery_id.strip().casefold())
        return delivery if delivery is not None and delivery.author == member else None

    async def cancel(self, member: Member, delivery_id: str) -> CancelOutcome:
        """Cancel one of the member's own posts, if it has not gone out.

        Raises:
            StoreUnavailable: the database did not answer; nothing may be assumed.
        """
        for _ in range(_SWAP_TRIES):
            delivery = await self.find_delivery(member, delivery_id)
            if delivery is None:
                suggestion = await self.find_similar_id(member, delivery_id)
                return CancelOutcome(delivery=None, is_canceled=False, suggestion=suggestion)
            if delivery.state not in _CANCELABLE:
                return CancelOutcome(delivery=delivery, is_canceled=delivery.state is DeliveryState.CANCELED)
            after = replace(
                delivery,
                state=DeliveryState.CANCELED,
                claim_token=None,
                claimed_by=None,
                claimed_until=None,
                settled_at=self._clock.now(),
            )
            if await self._deliveries.swap(delivery, after):
                self._emit(PostCanceled(team_id=member.team_id, delivery_id=after.delivery_id, platform=after.platform))
                return CancelOutcome(delivery=after, is_canceled=True)
        return CancelOutcome(delivery=delivery, is_canceled=False)

    async def find_similar_id(self, member: Member, delivery_id: str) -> str | None:
        """The id of one of the member's open posts that a mistyped one may stand for.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        ids = [each.delivery_id for each in await self.list_open(member)]
        near = difflib.get_close_matches(delivery_id.strip().casefold(), ids, n=1, cutoff=0.6)
        return near[0] if near else None
