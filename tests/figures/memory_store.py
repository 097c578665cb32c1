"""The store's ports in memory, with the same compare-and-set rules as the database: for thousands of steps a second.

``test_memory_store`` holds it to the real one, on random sequences of calls.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from logicspike.domain import (
    Connection,
    ConnectionStatus,
    Delivery,
    DeliveryState,
    Draft,
    DueDelivery,
    Member,
    PendingAuthorization,
    ScheduledPost,
    Ticket,
    check_transition,
)
from logicspike.services.ports import ConnectResult, NameTaken

_S = DeliveryState
_OPEN = frozenset({_S.SCHEDULED, _S.CLAIMED, _S.PUBLISHING, _S.HELD, _S.UNKNOWN})
_WAITING = frozenset({_S.SCHEDULED, _S.CLAIMED, _S.PUBLISHING, _S.HELD})


@dataclass
class _Lease:
    owner: str
    until: datetime


@dataclass
class MemoryConnections:
    """The ``ConnectionStore``."""

    rows: dict[str, Connection] = field(default_factory=dict)
    lanes: dict[str, _Lease] = field(default_factory=dict)
    refresh_leases: dict[str, _Lease] = field(default_factory=dict)

    async def insert(self, connection: Connection) -> None:
        if connection.connection_id in self.rows:
            raise NameTaken
        self._check_names(connection)
        self.rows[connection.connection_id] = connection

    async def swap(self, before: Connection, after: Connection) -> bool:
        if not self._is_still(before):
            return False
        self._check_names(after)
        self.rows[after.connection_id] = replace(after, paused_until=self.rows[after.connection_id].paused_until)
        return True

    async def delete(self, connection: Connection) -> bool:
        if not self._is_still(connection):
            return False
        del self.rows[connection.connection_id]
        return True

    async def find(self, team_id: str, connection_id: str) -> Connection | None:
        found = self.rows.get(connection_id)
        return found if found is not None and found.team_id == team_id else None

    async def find_by_account(self, team_id: str, platform: str, account_id: str) -> Connection | None:
        key = (team_id, platform, account_id)
        return next((each for each in self.rows.values() if _account_key(each) == key and _is_chosen(each)), None)

    async def list_for_team(self, team_id: str) -> tuple[Connection, ...]:
        linked = (each for each in self.rows.values() if each.status is not ConnectionStatus.DISCONNECTED)
        return tuple(sorted((each for each in linked if each.team_id == team_id), key=lambda each: each.created_at))

    async def list_nicknames(self, team_id: str) -> frozenset[str]:
        return frozenset(each.nickname for each in self.rows.values() if each.team_id == team_id)

    async def take_lanes(
        self, connection_ids: Collection[str], *, owner: str, until: datetime, now: datetime
    ) -> tuple[Connection, ...]:
        there = [each for each in dict.fromkeys(connection_ids) if each in self.rows]
        for each in there:
            if _is_free(self.lanes.get(each), now) or self.lanes[each].owner == owner:
                self.lanes[each] = _Lease(owner, until)
        return tuple(self.rows[each] for each in there if each in self.lanes and self.lanes[each].owner == owner)

    async def release_lanes(self, connection_ids: Collection[str], *, owner: str) -> None:
        for each in connection_ids:
            if each in self.lanes and self.lanes[each].owner == owner:
                del self.lanes[each]

    async def close_lane(self, connection_id: str, *, owner: str, until: datetime) -> None:
        if connection_id in self.lanes and self.lanes[connection_id].owner == owner:
            self.lanes[connection_id] = _Lease("", until)

    async def pause(
        self,
        *,
        until: datetime,
        connection_id: str | None = None,
        platform: str | None = None,
        credential_set: str = "",
    ) -> None:
        for key, each in self.rows.items():
            is_of_the_app = (each.platform, each.credential_set) == (platform, credential_set)
            if connection_id == key or (connection_id is None and is_of_the_app):
                self.rows[key] = replace(each, paused_until=max(until, each.paused_until or until))

    async def take_refresh_lease(self, connection: Connection, *, owner: str, until: datetime, now: datetime) -> bool:
        stored = await self.find(connection.team_id, connection.connection_id)
        if stored is None or stored.token_version != connection.token_version:
            return False
        if not _is_free(self.refresh_leases.get(stored.connection_id), now):
            return False
        self.refresh_leases[stored.connection_id] = _Lease(owner, until)
        return True

    async def release_refresh_lease(self, connection_id: str, *, owner: str) -> None:
        if connection_id in self.refresh_leases and self.refresh_leases[connection_id].owner == owner:
            del self.refresh_leases[connection_id]

    async def settle_notice(self, connection: Connection) -> bool:
        stored = await self.find(connection.team_id, connection.connection_id)
        if stored is None or stored.notice_owed_since != connection.notice_owed_since:
            return False
        self.rows[stored.connection_id] = replace(stored, notice_owed_since=None, notice_due_at=None)
        return True

    async def list_stale_choices(self, created_before: datetime, *, limit: int) -> tuple[Connection, ...]:
        stale = [each for each in self.rows.values() if not _is_chosen(each) and each.created_at < created_before]
        return tuple(sorted(stale, key=lambda each: each.created_at)[:limit])

    async def list_by_grant(self, platform: str, credential_set: str, grant_id: str) -> tuple[Connection, ...]:
        wanted = (platform, credential_set, grant_id)
        return tuple(
            each for each in self.rows.values() if (each.platform, each.credential_set, each.grant_id) == wanted
        )

    def _is_still(self, before: Connection) -> bool:
        stored = self.rows.get(before.connection_id)
        return stored is not None and _guard(stored) == _guard(before)

    def _check_names(self, connection: Connection) -> None:
        for other in self.rows.values():
            if other.connection_id == connection.connection_id or other.team_id != connection.team_id:
                continue
            is_same_account = _is_chosen(connection) and _is_chosen(other) and _same_account(connection, other)
            if other.nickname == connection.nickname or is_same_account:
                raise NameTaken


@dataclass
class MemoryDeliveries:
    """The ``DeliveryStore``; it remembers besides which states each delivery went through, and what was rearranged."""

    rows: dict[str, Delivery] = field(default_factory=dict)
    paths: dict[str, list[DeliveryState]] = field(default_factory=dict)
    tellers: dict[str, _Lease] = field(default_factory=dict)
    rearranged: set[str] = field(default_factory=set)

    async def insert_many(self, deliveries: Collection[Delivery]) -> None:
        for each in deliveries:
            assert each.delivery_id not in self.rows
            self._write(each)

    async def list_due(
        self,
        now: datetime,
        *,
        limit: int,
        not_connections: Collection[str] = (),
        not_teams: Collection[str] = (),
    ) -> tuple[DueDelivery, ...]:
        due = [
            each
            for each in self._in(_S.SCHEDULED)
            if each.next_try_at <= now and each.connection_id not in not_connections and each.team_id not in not_teams
        ]
        return tuple(
            DueDelivery(delivery_id=each.delivery_id, team_id=each.team_id, connection_id=each.connection_id)
            for each in sorted(due, key=_by_try)[:limit]
        )

    async def claim(
        self, delivery_ids: Collection[str], *, now: datetime, owner: str, until: datetime
    ) -> tuple[Delivery, ...]:
        token = secrets.token_hex(16)
        wanted = (self.rows[each] for each in delivery_ids if each in self.rows)
        due = [each for each in wanted if each.state is _S.SCHEDULED and each.next_try_at <= now]
        claimed = [
            replace(each, state=_S.CLAIMED, claim_token=token, claimed_by=owner, claimed_until=until) for each in due
        ]
        for each in claimed:
            self._write(each)
        return tuple(sorted(claimed, key=_by_try))

    async def list_due_of(self, connection_id: str, now: datetime, *, limit: int) -> tuple[str, ...]:
        due = [
            each for each in self._in(_S.SCHEDULED) if each.next_try_at <= now and each.connection_id == connection_id
        ]
        return tuple(each.delivery_id for each in sorted(due, key=_by_try)[:limit])

    async def free_claims(self, delivery_ids: Collection[str], *, now: datetime) -> tuple[str, ...]:
        claimed = [each for each in self._in(_S.CLAIMED) if each.delivery_id in set(delivery_ids)]
        over = [each for each in claimed if each.claimed_until is not None and each.claimed_until <= now]
        for each in over:
            self._write(replace(each, state=_S.SCHEDULED, claim_token=None, claimed_by=None, claimed_until=None))
        return tuple(each.delivery_id for each in over)

    async def release_claims(self, connection_ids: Collection[str], *, owner: str) -> None:
        for each in self._in(_S.CLAIMED):
            if each.connection_id in connection_ids and each.claimed_by == owner:
                self._write(replace(each, state=_S.SCHEDULED, claim_token=None, claimed_by=None, claimed_until=None))

    async def postpone(self, *, until: datetime, connection_id: str | None = None, platform: str | None = None) -> int:
        if connection_id is None and platform is None:
            raise ValueError("an account or a platform must be named")
        moved = [
            each
            for each in self._in(_S.SCHEDULED)
            if each.next_try_at < until
            and (each.connection_id == connection_id if connection_id is not None else each.platform == platform)
        ]
        for each in moved:
            self.rows[each.delivery_id] = replace(each, next_try_at=until)
            self.rearranged.add(each.delivery_id)
        return len(moved)

    async def swap(self, before: Delivery, after: Delivery) -> bool:
        check_transition(before.state, after.state)
        stored = await self.find(before.team_id, before.delivery_id)
        if stored is None or _where(stored) != _where(before):
            return False
        if before.is_owed or after.is_owed:
            self.tellers.pop(after.delivery_id, None)
        self._write(after)
        return True

    async def find(self, team_id: str, delivery_id: str) -> Delivery | None:
        found = self.rows.get(delivery_id)
        return found if found is not None and found.team_id == team_id else None

    async def list_open(self, team_id: str, *, author_id: str | None = None, limit: int = 50) -> tuple[Delivery, ...]:
        found = [each for each in self.rows.values() if each.team_id == team_id and each.state in _OPEN]
        mine = [each for each in found if author_id is None or each.author_id == author_id]
        return tuple(sorted(mine, key=_by_due)[:limit])

    async def list_waiting(self, team_id: str, connection_id: str) -> tuple[Delivery, ...]:
        found = (each for each in self.rows.values() if (each.team_id, each.connection_id) == (team_id, connection_id))
        return tuple(sorted((each for each in found if each.state in _WAITING), key=_by_due))

    async def list_expired_claims(self, now: datetime, *, limit: int = 100) -> tuple[Delivery, ...]:
        found = (each for each in self._in(_S.CLAIMED, _S.PUBLISHING) if each.claimed_until is not None)
        over = [(each.claimed_until, each) for each in found if each.claimed_until <= now]
        return tuple(each for _, each in sorted(over, key=lambda pair: pair[0])[:limit])

    async def list_unasked_unknown(self, settled_before: datetime, *, limit: int = 100) -> tuple[Delivery, ...]:
        found = (each for each in self._in(_S.UNKNOWN) if not each.is_asked and each.settled_at is not None)
        settled = [(each.settled_at, each) for each in found if each.settled_at <= settled_before]
        return tuple(each for _, each in sorted(settled, key=lambda pair: pair[0])[:limit])

    async def list_for_post(self, team_id: str, post_id: str) -> tuple[Delivery, ...]:
        found = (each for each in self.rows.values() if (each.team_id, each.post_id) == (team_id, post_id))
        return tuple(sorted(found, key=lambda each: each.delivery_id))

    async def list_team_waiting(self, team_id: str) -> tuple[Delivery, ...]:
        found = (each for each in self._in(_S.SCHEDULED, _S.HELD) if each.team_id == team_id)
        return tuple(sorted(found, key=_by_due))

    async def take_owed(self, *, owner: str, now: datetime, until: datetime, limit: int) -> tuple[Delivery, ...]:
        owed = [
            each for each in self.rows.values() if each.is_owed and _is_free(self.tellers.get(each.delivery_id), now)
        ]
        for each in owed[:limit]:
            self.tellers[each.delivery_id] = _Lease(owner, until)
        return tuple(sorted(owed[:limit], key=_by_due))

    async def mark_told(self, delivery_ids: Collection[str], *, owner: str) -> None:
        for each in delivery_ids:
            if each in self.tellers and self.tellers[each].owner == owner:
                del self.tellers[each]
                self.rows[each] = replace(self.rows[each], is_owed=False)

    def _in(self, *states: DeliveryState) -> list[Delivery]:
        return [each for each in self.rows.values() if each.state in states]

    def _write(self, delivery: Delivery) -> None:
        before = self.rows.get(delivery.delivery_id, delivery)
        if (before.connection_id, before.due_at) != (delivery.connection_id, delivery.due_at):
            self.rearranged.add(delivery.delivery_id)
        path = self.paths.setdefault(delivery.delivery_id, [])
        if not path or path[-1] is not delivery.state:
            path.append(delivery.state)
        self.rows[delivery.delivery_id] = delivery


@dataclass
class MemoryPosts:
    """The ``PostStore``."""

    posts: dict[str, ScheduledPost] = field(default_factory=dict)
    drafts: dict[tuple[Member, str], Draft] = field(default_factory=dict)

    async def insert(self, post: ScheduledPost) -> None:
        self.posts[post.post_id] = post

    async def find(self, team_id: str, post_id: str) -> ScheduledPost | None:
        found = self.posts.get(post_id)
        return found if found is not None and found.author.team_id == team_id else None

    async def swap(self, before: ScheduledPost, after: ScheduledPost) -> bool:
        stored = await self.find(before.author.team_id, before.post_id)
        if stored is None or (stored.revision, stored.change) != (before.revision, before.change):
            return False
        self.posts[after.post_id] = after
        return True

    async def list_changing(self, begun_before: datetime, *, limit: int = 100) -> tuple[ScheduledPost, ...]:
        changing = [(each.change.begun_at, each) for each in self.posts.values() if each.change is not None]
        left = sorted((each for each in changing if each[0] <= begun_before), key=lambda pair: pair[0])
        return tuple(post for _, post in left[:limit])

    async def save_draft(self, draft: Draft) -> None:
        self.drafts[draft.author, draft.draft_id] = draft

    async def find_draft(self, author: Member, draft_id: str) -> Draft | None:
        return self.drafts.get((author, draft_id))

    async def delete_draft(self, author: Member, draft_id: str) -> bool:
        return self.drafts.pop((author, draft_id), None) is not None


@dataclass
class MemoryPending:
    """The ``PendingStore``."""

    tickets: dict[str, Ticket] = field(default_factory=dict)
    requests: dict[str, PendingAuthorization] = field(default_factory=dict)
    results: dict[str, ConnectResult] = field(default_factory=dict)

    async def save_ticket(self, ticket: Ticket) -> None:
        self.tickets[ticket.ticket_hash] = ticket

    async def find_ticket(self, ticket_hash: str) -> Ticket | None:
        return self.tickets.get(ticket_hash)

    async def set_ticket_message(self, ticket_hash: str, message: str) -> None:
        if ticket_hash in self.tickets:
            self.tickets[ticket_hash] = replace(self.tickets[ticket_hash], message=message)

    async def spend_ticket(self, ticket_hash: str) -> Ticket | None:
        if ticket_hash in self.tickets:
            self.tickets[ticket_hash] = replace(self.tickets[ticket_hash], is_spent=True)
        return self.tickets.get(ticket_hash)

    async def save_authorization(self, pending: PendingAuthorization) -> None:
        self.requests[pending.state_hash] = pending

    async def take_authorization(
        self, state_hash: str, *, platform: str, browser_hash: str, now: datetime
    ) -> PendingAuthorization | None:
        found = self.requests.get(state_hash)
        if found is None or (found.platform, found.browser_hash) != (platform, browser_hash) or found.expires_at <= now:
            return None
        return self.requests.pop(state_hash)

    async def find_authorization(self, state_hash: str) -> PendingAuthorization | None:
        return self.requests.get(state_hash)

    async def save_result(self, result_id: str, result: ConnectResult) -> None:
        self.results[result_id] = result

    async def find_result(self, result_id: str) -> ConnectResult | None:
        return self.results.get(result_id)

    async def forget_team(self, team_id: str) -> None:
        self.tickets = {key: each for key, each in self.tickets.items() if each.member.team_id != team_id}
        self.requests = {key: each for key, each in self.requests.items() if each.member.team_id != team_id}


@dataclass
class MemoryWorkspaces:
    """The ``WorkspaceStore``."""

    removed: set[str] = field(default_factory=set)

    async def mark_removed(self, team_id: str, at: datetime) -> bool:
        is_news = team_id not in self.removed
        self.removed.add(team_id)
        return is_news

    async def mark_installed(self, team_id: str, name: str, at: datetime) -> None:
        self.removed.discard(team_id)

    async def is_removed(self, team_id: str) -> bool:
        return team_id in self.removed


@dataclass
class MemoryStores:
    """All stores, as ``Parts`` takes them."""

    connections: MemoryConnections = field(default_factory=MemoryConnections)
    pending: MemoryPending = field(default_factory=MemoryPending)
    posts: MemoryPosts = field(default_factory=MemoryPosts)
    deliveries: MemoryDeliveries = field(default_factory=MemoryDeliveries)
    workspaces: MemoryWorkspaces = field(default_factory=MemoryWorkspaces)
    platform_events: object = field(default_factory=object)
    """Nobody here receives a platform's own callbacks."""


def _is_free(lease: _Lease | None, now: datetime) -> bool:
    return lease is None or lease.until <= now


def _is_chosen(connection: Connection) -> bool:
    return connection.status is not ConnectionStatus.PENDING_CHOICE


def _guard(connection: Connection) -> Iterable[object]:
    return (connection.team_id, connection.status, connection.token_version)


def _where(delivery: Delivery) -> tuple[object, ...]:
    return (
        delivery.state,
        delivery.claim_token,
        len(delivery.attempts),
        delivery.settled_at,
        delivery.is_asked,
        delivery.revision,
    )


def _account_key(connection: Connection) -> tuple[str, str, str]:
    return (connection.team_id, connection.platform, connection.account.id)


def _same_account(one: Connection, other: Connection) -> bool:
    return _account_key(one) == _account_key(other)


def _by_try(delivery: Delivery) -> tuple[datetime, datetime, str]:
    return (delivery.next_try_at, delivery.due_at, delivery.delivery_id)


def _by_due(delivery: Delivery) -> tuple[datetime, str]:
    return (delivery.due_at, delivery.delivery_id)
