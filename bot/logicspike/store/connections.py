"""Connections in ``social_connections``."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import Final

from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError, PyMongoError

from ..domain import Connection, ConnectionStatus
from ..services.ports import NameTaken
from .documents import changes_to, connection_from_document, connection_to_document
from .mongo import Database, Document, is_reply_lost, reports_outage, wins_or_landed

__all__ = ["MongoConnectionStore"]

_OWNED: Final = frozenset(field.name for field in fields(Connection)) - {"connection_id", "paused_until"}
_NOBODY: Final = ""
"""Owns a lane that is closed."""
_TAKEN: Final = "another connection of the workspace has this nickname or account already"


class MongoConnectionStore:
    """The ``ConnectionStore``.

    Besides a connection's own fields a document has ``is_chosen``, ``refresh_lease`` and ``lane`` (each an owner and
    an until), and ``write_id``, the mark of the last write, by which a write finds out whether it landed when its
    reply is lost.
    """

    def __init__(self, database: Database) -> None:
        self._connections = database.collection("social_connections")

    @reports_outage
    async def insert(self, connection: Connection) -> None:
        """Keep a new connection.

        Raises:
            NameTaken: its nickname is taken, or (unless pending_choice) its account is there already.
            StoreUnavailable: the database did not answer.
        """
        mark = {"write_id": secrets.token_hex(12)}
        place = _place(connection)

        async def write() -> bool:
            await self._connections.insert_one({**connection_to_document(connection), **mark})
            return True

        try:
            await wins_or_landed(write(), lambda: self._is_there({**place, **mark}))
        except DuplicateKeyError:
            raise NameTaken(_TAKEN) from None  # the driver's message quotes the names

    @reports_outage
    async def swap(self, before: Connection, after: Connection) -> bool:
        """Write ``after`` if the stored status and token_version are still those of ``before``; else change nothing.

        Raises:
            NameTaken: as for ``insert``.
            StoreUnavailable: the database did not answer.
            ValueError: they aren't the same connection.
        """
        place = _place(before)
        if place != _place(after):
            raise ValueError("a connection keeps its id and workspace")
        mark = {"write_id": secrets.token_hex(12)}
        document = {**connection_to_document(after), **mark}
        document.pop("paused_until", None)  # a pause may have come since it was read
        changes = changes_to(document, _OWNED)

        async def write() -> bool:
            return (await self._connections.update_one({**place, **_guard(before)}, changes)).matched_count == 1

        try:
            return await wins_or_landed(write(), lambda: self._is_there({**place, **mark}))
        except DuplicateKeyError:
            raise NameTaken(_TAKEN) from None

    @reports_outage
    async def delete(self, connection: Connection) -> bool:
        """Delete a connection if status and token_version are still these.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        result = await self._connections.delete_one({**_place(connection), **_guard(connection)})
        return result.deleted_count == 1

    @reports_outage
    async def find(self, team_id: str, connection_id: str) -> Connection | None:
        """One connection of the workspace, whatever its status."""
        return _maybe(await self._connections.find_one({"_id": connection_id, "team_id": team_id}))

    @reports_outage
    async def find_by_account(self, team_id: str, platform: str, account_id: str) -> Connection | None:
        """The workspace's connection to this account, disconnected or not, but not one in pending_choice."""
        query = {"team_id": team_id, "platform": platform, "account.id": account_id, "is_chosen": True}
        return _maybe(await self._connections.find_one(query))

    @reports_outage
    async def list_for_team(self, team_id: str) -> tuple[Connection, ...]:
        """The workspace's connections that aren't disconnected, oldest first."""
        query = {"team_id": team_id, "status": {"$ne": ConnectionStatus.DISCONNECTED.value}}
        documents = await self._connections.find(query).sort([("created_at", ASCENDING)]).to_list(None)
        return tuple(connection_from_document(document) for document in documents)

    @reports_outage
    async def list_nicknames(self, team_id: str) -> frozenset[str]:
        """All nicknames in use in the workspace, of disconnected ones too."""
        documents = await self._connections.find({"team_id": team_id}, {"_id": 0, "nickname": 1}).to_list(None)
        return frozenset(document["nickname"] for document in documents)

    @reports_outage
    async def take_lanes(
        self, connection_ids: Collection[str], *, owner: str, until: datetime, now: datetime
    ) -> tuple[Connection, ...]:
        """Become the only one who publishes to these accounts, across workspaces; those that nobody else holds.

        Args:
            connection_ids: whose lanes are wanted.
            owner: a random value, fresh unless lanes are renewed.
            until: end of the lease.
            now: lanes whose lease is over by then are free; those that the owner has already are renewed.

        Raises:
            StoreUnavailable: the database did not answer; what was taken all the same is free when the lease is over.
        """
        wanted = {"_id": {"$in": list(connection_ids)}}
        free = {"$or": [{"lane": None}, {"lane.until": {"$lte": now}}, {"lane.owner": owner}]}
        lost: PyMongoError | None = None
        try:
            await self._connections.update_many(
                {**wanted, **free}, {"$set": {"lane": {"owner": owner, "until": until}}}
            )
        except PyMongoError as error:
            # The reply may be lost, not the lanes: what carries our mark is ours.
            if not is_reply_lost(error):
                raise
            lost = error
        documents = await self._connections.find({**wanted, "lane.owner": owner}).to_list(None)
        if lost is not None and len(documents) < len(connection_ids):
            raise lost  # the others may be taken yet
        return tuple(connection_from_document(document) for document in documents)

    @reports_outage
    async def release_lanes(self, connection_ids: Collection[str], *, owner: str) -> None:
        """Give lanes back, if they're still ours."""
        ours = {"_id": {"$in": list(connection_ids)}, "lane.owner": owner}
        await self._connections.update_many(ours, {"$unset": {"lane": ""}})

    @reports_outage
    async def close_lane(self, connection_id: str, *, owner: str, until: datetime) -> None:
        """Let nobody publish to an account before a time, if its lane is still ours; it isn't any more then.

        Raises:
            StoreUnavailable: the database did not answer; it is closed, or still ours.
        """
        ours = {"_id": connection_id, "lane.owner": owner}
        await self._connections.update_one(ours, {"$set": {"lane": {"owner": _NOBODY, "until": until}}})

    @reports_outage
    async def pause(
        self,
        *,
        until: datetime,
        connection_id: str | None = None,
        platform: str | None = None,
        credential_set: str = "",
    ) -> None:
        """Let nothing be published to an account, or through an app at a platform, before a time; ``swap`` keeps that.

        Args:
            until: the time.
            connection_id: the account's.
            platform: instead of an account, all that came by one of our developer apps there.
            credential_set: which of them.

        Raises:
            StoreUnavailable: the database did not answer; some may be paused.
            ValueError: neither an account nor a platform is named.
        """
        if connection_id is None and platform is None:
            raise ValueError("an account or a platform must be named")
        query: Document = {"_id": connection_id} if connection_id is not None else {"platform": platform}
        if connection_id is None:
            query["credential_set"] = credential_set or {
                "$in": ["", None]
            }  # older documents have no field for the first
        await self._connections.update_many(query, {"$max": {"paused_until": until}})

    @reports_outage
    async def find_active(self, connection_ids: Collection[str]) -> tuple[Connection, ...]:
        """Those of these connections, across workspaces, that are active."""
        query = {"_id": {"$in": list(connection_ids)}, "status": ConnectionStatus.ACTIVE.value}
        return tuple(connection_from_document(each) for each in await self._connections.find(query).to_list(None))

    @reports_outage
    async def take_refresh_lease(self, connection: Connection, *, owner: str, until: datetime, now: datetime) -> bool:
        """Become the only one who may refresh this connection; False when someone else is, or its tokens changed.

        Args:
            connection: as last read.
            owner: a random value, fresh for every try.
            until: end of the lease.
            now: an older lease that ends by now is over.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        place = _place(connection)
        free = {"$or": [{"refresh_lease": None}, {"refresh_lease.until": {"$lte": now}}]}
        query = {**place, "token_version": connection.token_version, **free}
        lease = {"refresh_lease": {"owner": owner, "until": until}}

        async def write() -> bool:
            return (await self._connections.update_one(query, {"$set": lease})).matched_count == 1

        return await wins_or_landed(write(), lambda: self._is_there({**place, "refresh_lease.owner": owner}))

    @reports_outage
    async def release_refresh_lease(self, connection_id: str, *, owner: str) -> None:
        """Give the lease back, if it's still ours."""
        ours = {"_id": connection_id, "refresh_lease.owner": owner}
        await self._connections.update_one(ours, {"$unset": {"refresh_lease": ""}})

    @reports_outage
    async def list_due_renewals(self, now: datetime, *, limit: int) -> tuple[Connection, ...]:
        """Active connections, across workspaces, whose tokens are to be renewed by now, the longest due first."""
        query = {"status": ConnectionStatus.ACTIVE.value, "renew_at": {"$lte": now}}
        found = self._connections.find(query).sort([("renew_at", ASCENDING)]).limit(limit)
        return tuple(connection_from_document(each) for each in await found.to_list(None))

    @reports_outage
    async def claim_renewal(self, connection: Connection, *, until: datetime) -> bool:
        """Become the one who tries to renew these tokens; unless it works they are due again at a later time.

        Args:
            connection: as last read.
            until: when they are due again.

        Raises:
            StoreUnavailable: the database did not answer; nobody tries before ``until`` then.
        """
        query = {**_place(connection), **_guard(connection), "renewal_tries": connection.renewal_tries}
        changes = {"$set": {"renew_at": until, "renewal_tries": connection.renewal_tries + 1}}
        return (await self._connections.update_one(query, changes)).matched_count == 1

    @reports_outage
    async def list_owed_notices(self, now: datetime, *, limit: int) -> tuple[Connection, ...]:
        """Connections, across workspaces, whose owner is to be told by now that they need a reconnect, oldest first."""
        query = {"status": ConnectionStatus.NEEDS_RECONNECT.value, "notice_due_at": {"$lte": now}}
        found = self._connections.find(query).sort([("notice_due_at", ASCENDING)]).limit(limit)
        return tuple(connection_from_document(each) for each in await found.to_list(None))

    @reports_outage
    async def claim_notice(self, connection: Connection, *, until: datetime) -> bool:
        """Become the one who tells the owner; unless it's settled, it is due again at a later time.

        Args:
            connection: as last read.
            until: when it is due again.

        Raises:
            StoreUnavailable: the database did not answer; nobody tells before ``until`` then.
        """
        return await self._put_off(connection, "notice_due_at", connection.notice_due_at, until)

    @reports_outage
    async def settle_notice(self, connection: Connection) -> bool:
        """Note that the owner is owed nothing any more; False when that was so already.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        owed = {**_place(connection), "notice_owed_since": connection.notice_owed_since}
        settled = {"$unset": {"notice_owed_since": "", "notice_due_at": ""}}
        return (await self._connections.update_one(owed, settled)).modified_count == 1

    @reports_outage
    async def list_due_checks(self, platforms: Collection[str], now: datetime, *, limit: int) -> tuple[Connection, ...]:
        """Active connections of these platforms, across workspaces, whose access is to be checked by now."""
        due = {"check_at": {"$not": {"$gt": now}}}  # one that was never planned is due as well
        query = {"status": ConnectionStatus.ACTIVE.value, "platform": {"$in": list(platforms)}, **due}
        found = await self._connections.find(query).limit(limit).to_list(None)
        return tuple(connection_from_document(each) for each in found)

    @reports_outage
    async def claim_check(self, connection: Connection, *, until: datetime) -> bool:
        """Become the one who checks this access; unless it's noted, it is due again at a later time.

        Args:
            connection: as last read.
            until: when it is due again.

        Raises:
            StoreUnavailable: the database did not answer; nobody checks before ``until`` then.
        """
        return await self._put_off(connection, "check_at", connection.check_at, until)

    @reports_outage
    async def note_check(
        self,
        connection: Connection,
        *,
        check_at: datetime,
        token_expires_at: datetime | None,
        remind_at: datetime | None,
    ) -> bool:
        """Note what a check has brought, if status and token_version are still these; everything else is left alone."""
        ends = {"token_expires_at": token_expires_at, "remind_at": remind_at}
        known = {name: at for name, at in ends.items() if at is not None}
        query = {**_place(connection), **_guard(connection)}
        return (await self._connections.update_one(query, {"$set": {"check_at": check_at, **known}})).matched_count == 1

    @reports_outage
    async def hasten_checks(self, platform: str, credential_set: str, grant_id: str, *, at: datetime) -> None:
        """Let the active connections on a grant, across workspaces, be checked at a time."""
        query: Document = {"grant_id": grant_id, "platform": platform, "status": ConnectionStatus.ACTIVE.value}
        query["credential_set"] = credential_set or {"$in": ["", None]}  # older documents have no field for the first
        await self._connections.update_many(query, {"$set": {"check_at": at}})

    @reports_outage
    async def list_due_reminders(self, now: datetime, *, limit: int) -> tuple[Connection, ...]:
        """Active connections, across workspaces, whose owner is to be reminded by now, the longest due first."""
        query = {"status": ConnectionStatus.ACTIVE.value, "remind_at": {"$lte": now}}
        found = self._connections.find(query).sort([("remind_at", ASCENDING)]).limit(limit)
        return tuple(connection_from_document(each) for each in await found.to_list(None))

    @reports_outage
    async def claim_reminder(self, connection: Connection, *, until: datetime) -> bool:
        """Become the one who reminds the owner; unless it's settled, it is due again at a later time."""
        return await self._put_off(connection, "remind_at", connection.remind_at, until)

    @reports_outage
    async def settle_reminder(self, connection: Connection, *, next_at: datetime | None) -> None:
        """Note that the owner was reminded of these tokens' end, and when they are next; None for never."""
        change = {"$unset": {"remind_at": ""}} if next_at is None else {"$set": {"remind_at": next_at}}
        await self._connections.update_one({**_place(connection), **_guard(connection)}, change)

    @reports_outage
    async def list_stale_choices(self, created_before: datetime, *, limit: int) -> tuple[Connection, ...]:
        """Connections, across workspaces, whose account was never chosen, oldest first."""
        stale = {"is_chosen": False, "created_at": {"$lt": created_before}}
        found = self._connections.find(stale).sort([("created_at", ASCENDING)]).limit(limit)
        return tuple(connection_from_document(each) for each in await found.to_list(None))

    @reports_outage
    async def list_by_grant(self, platform: str, credential_set: str, grant_id: str) -> tuple[Connection, ...]:
        """Connections, across workspaces and whatever their status, that stand or stood on a grant."""
        query = {"grant_id": grant_id, "platform": platform}
        found = [connection_from_document(each) for each in await self._connections.find(query).to_list(None)]
        return tuple(each for each in found if each.credential_set == credential_set)

    async def _put_off(self, connection: Connection, due_field: str, was: datetime | None, until: datetime) -> bool:
        """Move a date if it's still what it ``was`` and so are status and token_version: one of its readers wins."""
        query = {**_place(connection), **_guard(connection), due_field: was}
        return (await self._connections.update_one(query, {"$set": {due_field: until}})).matched_count == 1

    async def _is_there(self, query: Document) -> bool:
        return await self._connections.find_one(query, {"_id": 1}) is not None


def _place(connection: Connection) -> Document:
    return {"_id": connection.connection_id, "team_id": connection.team_id}


def _guard(connection: Connection) -> Document:
    return {"status": connection.status.value, "token_version": connection.token_version}


def _maybe(document: Document | None) -> Connection | None:
    return None if document is None else connection_from_document(document)
