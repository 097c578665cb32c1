"""The backends the contract is held on, and makers of what is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from mongomock_motor import AsyncMongoMockClient
from shared_database import open_shared_database

from logicspike.domain import (
    Connection,
    ConnectionStatus,
    Delivery,
    DeliveryState,
    Draft,
    Member,
    PendingAuthorization,
    Preparation,
    Purpose,
    ReceivedEvent,
    ScheduledPost,
    Ticket,
)
from logicspike.plugin.types import Account, Post
from logicspike.services.ports import ConnectResult
from logicspike.store.connections import MongoConnectionStore
from logicspike.store.deliveries import MongoDeliveryStore
from logicspike.store.installations import MongoWorkspaceStore
from logicspike.store.mongo import Database, open_database
from logicspike.store.opening import Stores
from logicspike.store.pending import MongoPendingStore
from logicspike.store.platform_events import MongoPlatformEventStore
from logicspike.store.posts import MongoPostStore
from logicspike.store.requests import MongoRequestLog
from logicspike.store.schema import ensure_schema

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """A fixed time; what is stored is compared with the time handed in, never with the machine's."""
    return NOW


@pytest.fixture
def build_stores() -> Callable[[Database], Stores]:
    """Builds all stores over a database."""

    def build(database: Database) -> Stores:
        return Stores(
            connections=MongoConnectionStore(database),
            pending=MongoPendingStore(database),
            posts=MongoPostStore(database),
            deliveries=MongoDeliveryStore(database),
            workspaces=MongoWorkspaceStore(database),
            requests=MongoRequestLog(database),
            platform_events=MongoPlatformEventStore(database),
            database=database,
        )

    return build


@pytest.fixture(params=["motor", "pymongo"])
async def real_database(request: Any, mongod_uri: str) -> AsyncIterator[Database]:
    """An empty database with its indexes on the real server, under either driver."""
    async with open_shared_database(mongod_uri, driver=request.param) as database:
        yield database


@pytest.fixture
def real_stores(real_database: Database, build_stores: Callable[[Database], Stores]) -> Stores:
    """All stores on the real server, under either driver: for races, indexes and lost replies."""
    return build_stores(real_database)


@pytest.fixture(params=["mongomock", "motor", "pymongo"])
async def stores(request: Any, database_name: str, build_stores: Callable[[Database], Stores]) -> AsyncIterator[Stores]:
    """All stores: in memory, and on the real server under either driver."""
    if request.param == "mongomock":
        database = Database(AsyncMongoMockClient(tz_aware=True), database_name)
        await ensure_schema(database)
        yield build_stores(database)
        return
    uri = request.getfixturevalue("mongod_uri")
    async with open_shared_database(uri, driver=request.param) as database:
        yield build_stores(database)


@pytest.fixture
def member() -> Member:
    """Somebody in workspace T1."""
    return Member(team_id="T1", user_id="U1")


@pytest.fixture
def new_connection() -> Callable[..., Connection]:
    """Makes connections that differ in id, account and nickname; arguments replace fields."""
    numbers = count(1)

    def new(**changes: Any) -> Connection:
        number = next(numbers)
        connection = Connection(
            connection_id=f"c{number}",
            team_id="T1",
            owner_id="U1",
            platform="echo",
            account=Account(id=f"a{number}", name=f"Acme {number}", url="https://echo.example/acme"),
            status=ConnectionStatus.ACTIVE,
            nickname=f"echo:acme-{number}",
            created_at=NOW,
            sealed="sealed",
            token_version=1,
        )
        return replace(connection, **changes)

    return new


@pytest.fixture
def new_delivery() -> Callable[..., Delivery]:
    """Makes scheduled deliveries that are due, each a second after the one before; arguments replace fields."""
    numbers = count(1)

    def new(**changes: Any) -> Delivery:
        number = next(numbers)
        due_at = NOW - timedelta(hours=1) + timedelta(seconds=number)
        delivery = Delivery(
            delivery_id=f"d{number:05}",
            post_id="p1",
            team_id="T1",
            author_id="U1",
            connection_id="c1",
            platform="echo",
            account_name="Acme",
            post=Post(key=f"k{number}", text="Grüße", link="https://acme.example/"),
            state=DeliveryState.SCHEDULED,
            due_at=due_at,
            next_try_at=due_at,
            zone="Europe/Berlin",
        )
        return replace(delivery, **changes)

    return new


@pytest.fixture
def scheduled_post(member: Member) -> ScheduledPost:
    """A scheduled post with every field filled."""
    return ScheduledPost(
        post_id="p1",
        author=member,
        text="Grüße\nhttps://acme.example/",
        link="https://acme.example/",
        due_at=NOW,
        zone="Europe/Berlin",
        wall_time="2026-11-23T13:00",
        created_at=NOW,
    )


@pytest.fixture(params=["motor", "pymongo"])
async def unreachable_stores(
    request: Any, tmp_path: Path, build_stores: Callable[[Database], Stores]
) -> AsyncIterator[Stores]:
    """All stores over a server that isn't there."""
    database = open_database(f"mongodb://{quote_plus(str(tmp_path / 'none.sock'))}/", "none", driver=request.param)
    yield build_stores(database)
    await database.close()


@pytest.fixture
def every_call(
    member: Member,
    scheduled_post: ScheduledPost,
    new_connection: Callable[..., Connection],
    new_delivery: Callable[..., Delivery],
) -> dict[str, Callable[[Stores], Awaitable[object]]]:
    """``Port.method`` to one call of it, on behalf of workspace T1."""
    connection, delivery = new_connection(), new_delivery()
    claimed = replace(delivery, state=DeliveryState.CLAIMED)
    draft = Draft(draft_id="x1", author=member, text="Hello", created_at=NOW)
    common: dict[str, Any] = {
        "member": member,
        "platform": "echo",
        "purpose": Purpose.CONNECT,
        "expires_at": NOW + timedelta(minutes=10),
    }
    ticket = Ticket(ticket_hash="h1", member_name="Ann", workspace_name="Acme", **common)
    pending = PendingAuthorization(
        state_hash="s1", ticket_hash="h1", browser_hash="b1", redirect_uri="https://bot.example/", sealed="s", **common
    )
    result = ConnectResult(outcome="failed", platform_title="Echo")
    until = NOW + timedelta(minutes=1)
    event = ReceivedEvent(event_id="e1", platform="echo", confirmation_code="code", received_at=NOW, due_at=NOW)
    return {
        "PendingStore.save_ticket": lambda s: s.pending.save_ticket(ticket),
        "PendingStore.find_ticket": lambda s: s.pending.find_ticket("h1"),
        "PendingStore.set_ticket_message": lambda s: s.pending.set_ticket_message("h1", "D1"),
        "PendingStore.spend_ticket": lambda s: s.pending.spend_ticket("h1"),
        "PendingStore.save_authorization": lambda s: s.pending.save_authorization(pending),
        "PendingStore.find_authorization": lambda s: s.pending.find_authorization("s1"),
        "PendingStore.take_authorization": lambda s: s.pending.take_authorization(
            "s1", platform="echo", browser_hash="b1", now=NOW
        ),
        "PendingStore.save_result": lambda s: s.pending.save_result("r1", result),
        "PendingStore.find_result": lambda s: s.pending.find_result("r1"),
        "PendingStore.forget_team": lambda s: s.pending.forget_team("T1"),
        "ConnectionStore.insert": lambda s: s.connections.insert(connection),
        "ConnectionStore.swap": lambda s: s.connections.swap(connection, connection),
        "ConnectionStore.find": lambda s: s.connections.find("T1", "c1"),
        "ConnectionStore.find_by_account": lambda s: s.connections.find_by_account("T1", "echo", "a1"),
        "ConnectionStore.list_for_team": lambda s: s.connections.list_for_team("T1"),
        "ConnectionStore.list_nicknames": lambda s: s.connections.list_nicknames("T1"),
        "ConnectionStore.pause": lambda s: s.connections.pause(until=until, platform="echo"),
        "ConnectionStore.find_active": lambda s: s.connections.find_active(["c1"]),
        "ConnectionStore.take_lanes": lambda s: s.connections.take_lanes(["c1"], owner="a", until=until, now=NOW),
        "ConnectionStore.release_lanes": lambda s: s.connections.release_lanes(["c1"], owner="a"),
        "ConnectionStore.close_lane": lambda s: s.connections.close_lane("c1", owner="a", until=until),
        "ConnectionStore.take_refresh_lease": lambda s: s.connections.take_refresh_lease(
            connection, owner="a", until=until, now=NOW
        ),
        "ConnectionStore.release_refresh_lease": lambda s: s.connections.release_refresh_lease("c1", owner="a"),
        "ConnectionStore.list_due_renewals": lambda s: s.connections.list_due_renewals(NOW, limit=5),
        "ConnectionStore.claim_renewal": lambda s: s.connections.claim_renewal(connection, until=until),
        "ConnectionStore.list_owed_notices": lambda s: s.connections.list_owed_notices(NOW, limit=5),
        "ConnectionStore.claim_notice": lambda s: s.connections.claim_notice(connection, until=until),
        "ConnectionStore.settle_notice": lambda s: s.connections.settle_notice(connection),
        "ConnectionStore.list_due_checks": lambda s: s.connections.list_due_checks(["echo"], NOW, limit=5),
        "ConnectionStore.claim_check": lambda s: s.connections.claim_check(connection, until=until),
        "ConnectionStore.note_check": lambda s: s.connections.note_check(
            connection, check_at=until, token_expires_at=None, remind_at=None
        ),
        "ConnectionStore.hasten_checks": lambda s: s.connections.hasten_checks("echo", "", "g1", at=NOW),
        "ConnectionStore.list_due_reminders": lambda s: s.connections.list_due_reminders(NOW, limit=5),
        "ConnectionStore.claim_reminder": lambda s: s.connections.claim_reminder(connection, until=until),
        "ConnectionStore.settle_reminder": lambda s: s.connections.settle_reminder(connection, next_at=None),
        "ConnectionStore.list_stale_choices": lambda s: s.connections.list_stale_choices(NOW, limit=5),
        "ConnectionStore.list_by_grant": lambda s: s.connections.list_by_grant("echo", "", "g1"),
        "ConnectionStore.delete": lambda s: s.connections.delete(connection),
        "DeliveryStore.insert_many": lambda s: s.deliveries.insert_many([delivery]),
        "DeliveryStore.list_due": lambda s: s.deliveries.list_due(NOW, limit=5),
        "DeliveryStore.claim": lambda s: s.deliveries.claim(["d1"], now=NOW, owner="w", until=until),
        "DeliveryStore.list_held_connections": lambda s: s.deliveries.list_held_connections(),
        "DeliveryStore.postpone": lambda s: s.deliveries.postpone(until=until, platform="echo"),
        "DeliveryStore.swap": lambda s: s.deliveries.swap(claimed, replace(claimed, state=DeliveryState.HELD)),
        "DeliveryStore.find": lambda s: s.deliveries.find("T1", delivery.delivery_id),
        "DeliveryStore.list_open": lambda s: s.deliveries.list_open("T1", author_id="U1"),
        "DeliveryStore.list_waiting": lambda s: s.deliveries.list_waiting("T1", "c1"),
        "DeliveryStore.list_expired_claims": lambda s: s.deliveries.list_expired_claims(NOW),
        "DeliveryStore.list_unasked_unknown": lambda s: s.deliveries.list_unasked_unknown(NOW),
        "DeliveryStore.list_for_post": lambda s: s.deliveries.list_for_post("T1", "p1"),
        "DeliveryStore.list_team_waiting": lambda s: s.deliveries.list_team_waiting("T1"),
        "DeliveryStore.list_due_of": lambda s: s.deliveries.list_due_of("c1", NOW, limit=5),
        "DeliveryStore.free_claims": lambda s: s.deliveries.free_claims(["d1"], now=NOW),
        "DeliveryStore.release_claims": lambda s: s.deliveries.release_claims(["c1"], owner="w"),
        "DeliveryStore.take_owed": lambda s: s.deliveries.take_owed(owner="a", now=NOW, until=until, limit=5),
        "DeliveryStore.mark_told": lambda s: s.deliveries.mark_told(["d1"], owner="a"),
        "DeliveryStore.forget_account": lambda s: s.deliveries.forget_account("T1", "c1", account_name="gone"),
        "PlatformEventStore.begin": lambda s: s.platform_events.begin(event),
        "PlatformEventStore.list_due": lambda s: s.platform_events.list_due(NOW, limit=5),
        "PlatformEventStore.claim": lambda s: s.platform_events.claim(event, until=until),
        "PlatformEventStore.finish": lambda s: s.platform_events.finish("e1", at=NOW),
        "PlatformEventStore.find_erasure": lambda s: s.platform_events.find_erasure("code"),
        "DeliveryStore.list_to_prepare": lambda s: s.deliveries.list_to_prepare(NOW, limit=5),
        "DeliveryStore.take_preparing": lambda s: s.deliveries.take_preparing(["d1"], owner="a", now=NOW, until=until),
        "DeliveryStore.renew_preparing": lambda s: s.deliveries.renew_preparing(delivery, owner="a", until=until),
        "DeliveryStore.settle_preparing": lambda s: s.deliveries.settle_preparing(
            replace(delivery, preparation=Preparation(begin_at=NOW)), owner="a"
        ),
        "DeliveryStore.release_preparing": lambda s: s.deliveries.release_preparing("d1", owner="a"),
        "PostStore.insert": lambda s: s.posts.insert(scheduled_post),
        "PostStore.find": lambda s: s.posts.find("T1", "p1"),
        "PostStore.swap": lambda s: s.posts.swap(scheduled_post, scheduled_post),
        "PostStore.list_changing": lambda s: s.posts.list_changing(NOW),
        "PostStore.save_draft": lambda s: s.posts.save_draft(draft),
        "PostStore.find_draft": lambda s: s.posts.find_draft(member, "x1"),
        "PostStore.delete_draft": lambda s: s.posts.delete_draft(member, "x1"),
        "RequestLog.is_first": lambda s: s.requests.is_first("Ev1"),
        "WorkspaceStore.mark_cleared": lambda s: s.workspaces.mark_cleared("T1", NOW),
        "WorkspaceStore.list_uncleared": lambda s: s.workspaces.list_uncleared(),
        "WorkspaceStore.mark_installed": lambda s: s.workspaces.mark_installed("T1", "Acme", NOW),
        "WorkspaceStore.is_removed": lambda s: s.workspaces.is_removed("T1"),
        "WorkspaceStore.mark_removed": lambda s: s.workspaces.mark_removed("T1", NOW),
    }
