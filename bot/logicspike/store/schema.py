"""Indexes and migrations: what the database must look like before the bot serves anybody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError, OperationFailure

from ..domain import OPEN_STATES
from .mongo import Database, Document, outages_as_unavailable, ping

__all__ = ["INDEXES", "MIGRATIONS", "SCHEMA_VERSION", "SchemaTooNew", "ensure_schema"]

_BUILDING: Final = timedelta(minutes=10)
_NOT_THERE: Final = frozenset({26, 27})  # NamespaceNotFound, IndexNotFound


class SchemaTooNew(Exception):
    """The database was written by a later version of the bot: starting would risk what it holds."""


def _index(name: str, *keys: str, **options: object) -> IndexModel:
    directions = [(key.removeprefix("-"), DESCENDING if key.startswith("-") else ASCENDING) for key in keys]
    return IndexModel(directions, name=name, **options)


def _purge() -> IndexModel:
    return _index("purge", "purge_at", expireAfterSeconds=0)


_OPEN: Final = {"is_open": True}

INDEXES: Final[Mapping[str, tuple[IndexModel, ...]]] = {
    "social_connections": (
        # Partial filters stay with equality and $exists, which every server since 5.0 takes.
        _index(
            "account",
            "team_id",
            "platform",
            "account.id",
            unique=True,
            partialFilterExpression={"is_chosen": True},
        ),
        _index("nickname", "team_id", "nickname", unique=True),
        _index("oldest_first", "team_id", "created_at"),
        _index("grant", "grant_id", "platform", partialFilterExpression={"grant_id": {"$exists": True}}),
        _index("stale_choices", "created_at", partialFilterExpression={"is_chosen": False}),
        _index(
            "due_renewals",
            "renew_at",
            partialFilterExpression={"status": "active", "renew_at": {"$exists": True}},
        ),
        _index("due_checks", "platform", "check_at", partialFilterExpression={"status": "active"}),
        _index(
            "due_reminders",
            "remind_at",
            partialFilterExpression={"status": "active", "remind_at": {"$exists": True}},
        ),
        _index(
            "owed_notices",
            "notice_due_at",
            partialFilterExpression={"status": "needs_reconnect", "notice_due_at": {"$exists": True}},
        ),
    ),
    "scheduled_posts": (
        _index("author", "team_id", "author_id", "-created_at"),
        _index("changing", "change.begun_at", sparse=True),
        _purge(),
    ),
    "deliveries": (
        # The look for what is due needs nothing but this index: it never touches a document. Those of what is
        # scheduled, and of what is open, are partial: a post on its way out is written into as few as possible.
        _index(
            "due_in_order",
            "state",
            "next_try_at",
            "due_at",
            "_id",
            "team_id",
            "connection_id",
            partialFilterExpression={"state": "scheduled"},
        ),
        _index(
            "lane_in_order",
            "connection_id",
            "state",
            "next_try_at",
            "due_at",
            "_id",
            partialFilterExpression={"state": "scheduled"},
        ),
        _index("post", "team_id", "post_id", "_id"),
        _index("lease", "claimed_until", partialFilterExpression={"claimed_until": {"$exists": True}}),
        _index("held", "hold_reason", "connection_id", partialFilterExpression={"state": "held"}),
        _index("unasked", "settled_at", partialFilterExpression={"state": "unknown", "is_asked": False}),
        _index("owed", "telling.until", partialFilterExpression={"is_owed": True}),
        _index(
            "prepare",
            "preparation.begin_at",
            partialFilterExpression={"state": "scheduled", "preparation.begin_at": {"$exists": True}},
        ),
        _index("open_of_team", "team_id", "due_at", "_id", partialFilterExpression=_OPEN),
        _index("open_of_author", "team_id", "author_id", "due_at", "_id", partialFilterExpression=_OPEN),
        _index("open_of_connection", "team_id", "connection_id", "due_at", "_id", partialFilterExpression=_OPEN),
    ),
    "pending_authorizations": (_index("team", "team_id"), _purge()),
    "platform_events": (
        _index("code", "confirmation_code", unique=True),
        _index("due", "due_at", partialFilterExpression={"due_at": {"$exists": True}}),
        _purge(),
    ),
    "slack_installations": (),
    "seen_requests": (_purge(),),
    "audit_log": (_index("team", "team_id", "-at"),),
}
"""Collection to indexes; a TTL index deletes a document once its ``purge_at`` is past, within about a minute."""


async def _mark_open_deliveries(database: Database) -> None:
    """2: indexes on what is open need ``is_open``, and take the place of those on every state."""
    deliveries = database.collection("deliveries")
    states = [state.value for state in OPEN_STATES]
    await deliveries.update_many({"is_open": None, "state": {"$in": states}}, {"$set": {"is_open": True}})
    await deliveries.update_many({"is_open": None, "state": {"$nin": states}}, {"$set": {"is_open": False}})
    await _drop_indexes(deliveries, "due", "team", "author", "connection", "bucket", "platform_bucket")


async def _drop_indexes_without_due_at(database: Database) -> None:
    """3: what is tried again at the same moment is found in the order in which it was due."""
    await _drop_indexes(database.collection("deliveries"), "due_next", "lane")


async def _drop_indexes(collection: AsyncCollection[Document], *names: str) -> None:
    for name in names:
        try:
            await collection.drop_index(name)
        except OperationFailure as error:
            if error.code not in _NOT_THERE:
                raise


MIGRATIONS: Final[Mapping[int, Callable[[Database], Awaitable[None]]]] = {
    2: _mark_open_deliveries,
    3: _drop_indexes_without_due_at,
}
"""Version to what brings the one before it there. Each must bear being run twice, and two processes running it at once.

The first layout is version 1 and needs none.
"""

SCHEMA_VERSION: Final = max(MIGRATIONS, default=1)


async def ensure_schema(database: Database) -> None:
    """Bring indexes and documents up to this version; safe to repeat, and for several processes at once.

    The version stands in a collection of its own, ``schema``: it belongs to no workspace, so that in any of the others
    each query would have to step around it; and as a document it travels with a dump of the database.

    Raises:
        SchemaTooNew: a later version of the bot has been here; nothing was changed.
        StoreUnavailable: the database did not answer.
    """
    await ping(database)  # with its own, short patience
    with outages_as_unavailable(_BUILDING):
        stored = await _stored_version(database)
        if stored > SCHEMA_VERSION:
            raise SchemaTooNew(
                f"The database has schema version {stored}; this version of LogicSpike knows {SCHEMA_VERSION} at most. "
                "Nothing was changed. Start the newer version, or use another database."
            )
        for version in range(stored + 1, SCHEMA_VERSION + 1):
            await MIGRATIONS[version](database)
            await _store_version(database, version)
        for name, indexes in INDEXES.items():
            if indexes:
                await database.collection(name).create_indexes(list(indexes))


async def _stored_version(database: Database) -> int:
    document = await database.collection("schema").find_one({"_id": "schema"})
    if document is None:
        try:
            await database.collection("schema").insert_one({"_id": "schema", "version": SCHEMA_VERSION})
        except DuplicateKeyError:
            return await _stored_version(database)
        return SCHEMA_VERSION
    return int(document["version"])


async def _store_version(database: Database, version: int) -> None:
    # $max: of two processes that migrate together, the slower one must not turn the number back.
    await database.collection("schema").update_one({"_id": "schema"}, {"$max": {"version": version}})
