"""Disconnecting an account, and what becomes of its posts."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from ..clock import Clock
from ..domain import Connection, ConnectionStatus, Delivery, DeliveryState, HoldReason, Member
from ..events import ConnectionRemoved, Emit, PostCanceled
from ..platforms import Platforms
from .connecting import NoSuchConnection, NotAllowed
from .people import MemberDirectory
from .planning import Planning
from .ports import ConnectionStore, DeliveryStore
from .withdrawing import Withdrawal, Withdrawing

__all__ = [
    "AccountAmbiguous",
    "AccountNotFound",
    "DisconnectPlan",
    "Disconnected",
    "Disconnecting",
    "PostsOnDisconnect",
]

_WAITING: Final = frozenset({DeliveryState.SCHEDULED, DeliveryState.CLAIMED, DeliveryState.HELD})
_SWAP_TRIES: Final = 5
_BATCH: Final = 100


class PostsOnDisconnect(StrEnum):
    """What becomes of the posts that wait for an account when it is disconnected."""

    HOLD = "hold"
    CANCEL = "cancel"
    MOVE = "move"


class AccountNotFound(Exception):
    """No account of the workspace has this name.

    Args:
        typed: what the member typed.
        suggestion: a nickname that is similar.
    """

    def __init__(self, typed: str, suggestion: str | None) -> None:
        super().__init__(typed)
        self.typed = typed
        self.suggestion = suggestion


class AccountAmbiguous(Exception):
    """The name fits several accounts.

    Args:
        typed: what the member typed.
        options: which ones.
    """

    def __init__(self, typed: str, options: tuple[Connection, ...]) -> None:
        super().__init__(typed)
        self.typed = typed
        self.options = options


@dataclass(frozen=True, slots=True, kw_only=True)
class DisconnectPlan:
    """What a disconnect would touch: how many posts wait, when the next is due, and where they could move."""

    connection: Connection
    waiting: int
    next_due_at: datetime | None
    move_targets: tuple[Connection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected:
    """What a disconnect did: to the posts that waited, and to the access at the platform."""

    connection: Connection
    held: int
    canceled: int
    moved: int
    withdrawal: Withdrawal


class Disconnecting:
    """The use cases around removing an account.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        deliveries: where deliveries are kept.
        members: who is an admin.
        planning: plans what is prepared ahead.
        withdrawing: ends access at the platform.
        clock: the time.
        emit: takes events.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        connections: ConnectionStore,
        deliveries: DeliveryStore,
        members: MemberDirectory,
        planning: Planning,
        withdrawing: Withdrawing,
        clock: Clock,
        emit: Emit,
    ) -> None:
        self._platforms = platforms
        self._connections = connections
        self._deliveries = deliveries
        self._members = members
        self._planning = planning
        self._withdrawing = withdrawing
        self._clock = clock
        self._emit = emit

    async def list_connections(self, member: Member) -> tuple[Connection, ...]:
        """All accounts of the member's workspace that aren't disconnected, oldest first.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return await self._connections.list_for_team(member.team_id)

    async def plan(self, member: Member, account: str) -> DisconnectPlan:
        """Say what disconnecting an account would touch.

        Args:
            member: who asks.
            account: a nickname, or the name of a platform with one account.

        Raises:
            AccountNotFound: there is none of that name.
            AccountAmbiguous: there are several.
            NotAllowed: it's somebody else's, and the member is no admin.
            StoreUnavailable: the database did not answer.
        """
        linked = [each for each in await self.list_connections(member) if _is_linked(each)]
        matches = self._match(account, linked)
        if not matches:
            near = difflib.get_close_matches(account.casefold(), [each.nickname for each in linked], n=1)
            raise AccountNotFound(account, near[0] if near else None)
        if len(matches) > 1:
            raise AccountAmbiguous(account, matches)
        return await self._plan(member, matches[0])

    async def plan_for(self, member: Member, connection_id: str) -> DisconnectPlan:
        """Say what disconnecting this very account would touch.

        Raises:
            NoSuchConnection: it is gone.
            NotAllowed, StoreUnavailable: as for ``plan``.
        """
        connection = await self._connections.find(member.team_id, connection_id)
        if connection is None or not _is_linked(connection):
            raise NoSuchConnection
        return await self._plan(member, connection)

    def _match(self, account: str, linked: Sequence[Connection]) -> tuple[Connection, ...]:
        name = account.strip().casefold()
        exact = tuple(each for each in linked if each.nickname.casefold() == name)
        if exact:
            return exact
        meant = self._platforms.find_connectable(name)
        return tuple(each for each in linked if meant is not None and meant.covers(each.platform, each.credential_set))

    async def _plan(self, member: Member, connection: Connection) -> DisconnectPlan:
        await self._check_right(member, connection)
        waiting = await self._list_waiting(connection)
        return DisconnectPlan(
            connection=connection,
            waiting=len(waiting),
            next_due_at=waiting[0].due_at if waiting else None,
            move_targets=await self._list_targets(connection),
        )

    async def drop_stale_choices(self, created_before: datetime) -> int:
        """Delete the questions that nobody answered, and withdraw what they held; how many.

        Raises:
            StoreUnavailable: the database did not answer; the rest goes next time.
        """
        dropped = 0
        for question in await self._connections.list_stale_choices(created_before, limit=_BATCH):
            try:
                await self.erase(question)
            except NoSuchConnection:
                continue  # It was answered in the same moment.
            dropped += 1
        return dropped

    async def _check_right(self, member: Member, connection: Connection) -> None:
        if connection.owner_id == member.user_id:
            return
        if not (await self._members.get_profile(member)).is_admin:
            raise NotAllowed(owner_id=connection.owner_id)

    async def _list_targets(self, connection: Connection) -> tuple[Connection, ...]:
        """Accounts of the same platform and owner: only those may take over its posts."""
        everything = await self._connections.list_for_team(connection.team_id)
        return tuple(
            each
            for each in everything
            if each.status is ConnectionStatus.ACTIVE
            and each.platform == connection.platform
            and each.owner_id == connection.owner_id
            and each.connection_id != connection.connection_id
        )

    async def _list_waiting(self, connection: Connection) -> tuple[Delivery, ...]:
        listed = await self._deliveries.list_waiting(connection.team_id, connection.connection_id)
        return tuple(each for each in listed if each.state in _WAITING)

    async def disconnect(
        self, member: Member, connection_id: str, *, posts: PostsOnDisconnect, move_to: str | None = None
    ) -> Disconnected:
        """Disconnect an account: settle its posts, erase its tokens, and withdraw access at the platform if possible.

        Args:
            member: who asks.
            connection_id: which account.
            posts: what becomes of the posts that wait for it.
            move_to: the connection that takes them over, for ``MOVE``.

        Raises:
            NoSuchConnection: it, or the one to move to, is gone.
            NotAllowed: it's somebody else's, and the member is no admin.
            StoreUnavailable: the database did not answer.
        """
        plan = await self.plan_for(member, connection_id)
        target = self._pick_target(plan, posts, move_to)
        before, erased = await self.erase_tokens(plan.connection)
        counts = await self.settle_posts(erased, posts, target)
        withdrawal = await self._withdrawing.withdraw(before)
        return Disconnected(
            connection=erased,
            held=counts[PostsOnDisconnect.HOLD],
            canceled=counts[PostsOnDisconnect.CANCEL],
            moved=counts[PostsOnDisconnect.MOVE],
            withdrawal=withdrawal,
        )

    def _pick_target(self, plan: DisconnectPlan, posts: PostsOnDisconnect, move_to: str | None) -> Connection | None:
        if posts is not PostsOnDisconnect.MOVE:
            return None
        target = next((each for each in plan.move_targets if each.connection_id == move_to), None)
        if target is None:
            raise NoSuchConnection
        return target

    async def erase(self, connection: Connection) -> Withdrawal:
        """Erase a connection's tokens, then withdraw them; for when its workspace leaves, or nobody made the choice.

        Raises:
            NoSuchConnection: it is gone, or has just changed hands.
            StoreUnavailable: the database did not answer.
        """
        if connection.status is ConnectionStatus.PENDING_CHOICE:
            # Deleted, not marked: the account it stands for may be another connection's.
            if not await self._connections.delete(connection):
                raise NoSuchConnection
            return await self._withdrawing.withdraw(connection)
        before, _ = await self.erase_tokens(connection)
        return await self._withdrawing.withdraw(before)

    async def erase_tokens(self, connection: Connection) -> tuple[Connection, Connection]:
        """Erase the tokens, and withdraw nothing.

        Returns:
            The connection as it was at that moment (its tokens may have been refreshed since), and as it is now.

        Raises:
            NoSuchConnection: it is gone, or has just changed hands.
            StoreUnavailable: the database did not answer.
        """
        for _ in range(_SWAP_TRIES):
            after = replace(
                connection,
                status=ConnectionStatus.DISCONNECTED,
                status_reason=None,
                sealed=None,
                choices=(),
                token_version=connection.token_version + 1,
                token_expires_at=None,
                remind_at=None,
            )
            if await self._connections.swap(connection, after):
                self._emit(
                    ConnectionRemoved(team_id=after.team_id, connection_id=after.connection_id, platform=after.platform)
                )
                return connection, after
            current = await self._connections.find(connection.team_id, connection.connection_id)
            if current is None or not _is_linked(current) or current.owner_id != connection.owner_id:
                raise NoSuchConnection
            connection = current
        raise NoSuchConnection

    async def settle_posts(
        self,
        connection: Connection,
        posts: PostsOnDisconnect,
        target: Connection | None = None,
        *,
        detail: str | None = None,
    ) -> dict[PostsOnDisconnect, int]:
        """Hold, cancel or move what waits for a connection; how many each.

        Args:
            connection: whose posts.
            posts: what becomes of them.
            target: the connection that takes them over, for ``MOVE``.
            detail: why they are held, in words for their authors; None for "was disconnected".

        Raises:
            StoreUnavailable: the database did not answer.
        """
        counts = dict.fromkeys(PostsOnDisconnect, 0)
        there = await self._list_posts(target) if target is not None else frozenset()
        for delivery in await self._list_waiting(connection):
            answer = _answer_for(delivery, posts, there)
            after = self._settled(delivery, answer, target, detail)
            if after is not None and await self._deliveries.swap(delivery, after):
                counts[answer] += 1
                if answer is PostsOnDisconnect.CANCEL:
                    self._emit(
                        PostCanceled(team_id=after.team_id, delivery_id=after.delivery_id, platform=after.platform)
                    )
        return counts

    def _settled(
        self, delivery: Delivery, posts: PostsOnDisconnect, target: Connection | None, detail: str | None
    ) -> Delivery | None:
        now = self._clock.now()
        freed = replace(delivery, claim_token=None, claimed_by=None, claimed_until=None)
        if posts is PostsOnDisconnect.CANCEL:
            return replace(freed, state=DeliveryState.CANCELED, settled_at=now)
        if posts is PostsOnDisconnect.HOLD:
            return replace(
                freed,
                state=DeliveryState.HELD,
                hold_reason=HoldReason.RECONNECT,
                detail=detail or f"{delivery.account_name} was disconnected.",
                settled_at=now,
            )
        return self._planning.plan_anew(delivery, _moved(freed, target)) if target is not None else None

    async def _list_posts(self, connection: Connection) -> frozenset[str]:
        waiting = await self._deliveries.list_waiting(connection.team_id, connection.connection_id)
        return frozenset(each.post_id for each in waiting)


def _answer_for(delivery: Delivery, posts: PostsOnDisconnect, there: frozenset[str]) -> PostsOnDisconnect:
    """What becomes of one; ``there`` are the posts that the account to move to has already."""
    if posts is PostsOnDisconnect.MOVE and delivery.live:
        return PostsOnDisconnect.HOLD  # What follows a live part can't go anywhere else.
    # The same post must not go out twice to the account that takes over.
    return PostsOnDisconnect.CANCEL if delivery.post_id in there else posts


def _moved(delivery: Delivery, target: Connection) -> Delivery:
    """Let another account take a delivery over; one that is overdue by then is asked about like any other."""
    moved = replace(
        delivery,
        connection_id=target.connection_id,
        account_name=target.account.name,
        post=replace(delivery.post, key=f"{delivery.post_id}:{target.connection_id}"),
    )
    match delivery.state:
        case DeliveryState.HELD:
            return replace(
                moved, state=DeliveryState.SCHEDULED, hold_reason=None, detail=None, next_try_at=delivery.due_at
            )
        case DeliveryState.CLAIMED:
            return replace(moved, state=DeliveryState.SCHEDULED)
        case _:
            return moved


def _is_linked(connection: Connection) -> bool:
    return connection.status in {ConnectionStatus.ACTIVE, ConnectionStatus.NEEDS_RECONNECT}
