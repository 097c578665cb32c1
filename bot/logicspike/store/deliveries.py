"""Deliveries in ``deliveries``: the claim, and every later move, is an update that names what it expects to find."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from pymongo import ASCENDING
from pymongo.errors import PyMongoError

from ..domain import Delivery, DeliveryState, DueDelivery, check_transition
from .documents import delivery_changes, delivery_from_document, delivery_to_document
from .grouping import GroupedUpdates
from .mongo import Database, Document, is_reply_lost, reports_outage

__all__ = ["MongoDeliveryStore"]

_WAITING: Final = ("scheduled", "claimed", "publishing", "held")
_OLDEST_FIRST: Final = [("next_try_at", ASCENDING), ("due_at", ASCENDING), ("_id", ASCENDING)]
"""What waited out one pause is tried again at the same moment, and goes out in the order in which it was due."""
_BY_DUE: Final = [("due_at", ASCENDING), ("_id", ASCENDING)]
_UNCLAIM: Final[Document] = {
    "$set": {"state": "scheduled"},
    "$unset": {"claim_token": "", "claimed_by": "", "claimed_until": ""},
}


class MongoDeliveryStore:
    """The ``DeliveryStore``.

    Besides a delivery's own fields a document has ``is_open``; ``write_id``, the mark of the last move, by which a move
    finds out whether it landed when its reply is lost; while somebody is telling its author, ``telling``; and while
    somebody prepares it, ``preparing``.
    """

    def __init__(self, database: Database) -> None:
        self._deliveries = database.collection("deliveries")
        self._moves = GroupedUpdates(self._deliveries)

    @reports_outage
    async def insert_many(self, deliveries: Collection[Delivery]) -> None:
        """Keep new deliveries: all, or when the database fails on the way, none as far as that is still possible.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        if not deliveries:
            return
        try:
            await self._deliveries.insert_many([delivery_to_document(delivery) for delivery in deliveries])
        except PyMongoError as error:
            if not is_reply_lost(error) or not await self._are_there(deliveries):
                raise

    async def _are_there(self, deliveries: Collection[Delivery]) -> bool:
        """Whether all landed; if only some did, takes them back, lest their author's second try post them twice."""
        ids = [delivery.delivery_id for delivery in deliveries]
        teams = sorted({delivery.team_id for delivery in deliveries})
        ours = {"_id": {"$in": ids}, "team_id": {"$in": teams}}
        if await self._deliveries.count_documents(ours) == len(ids):
            return True
        await self._deliveries.delete_many({**ours, "state": {"$in": ["scheduled", "held"]}})
        return False

    @reports_outage
    async def list_due(
        self,
        now: datetime,
        *,
        limit: int,
        not_connections: Collection[str] = (),
        not_teams: Collection[str] = (),
    ) -> tuple[DueDelivery, ...]:
        """What is scheduled and due across workspaces, oldest first, leaving out some accounts and workspaces.

        Args:
            now: what may be tried by then is due.
            limit: how many at most.
            not_connections: accounts to leave out.
            not_teams: workspaces to leave out.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        query: Document = {"state": DeliveryState.SCHEDULED.value, "next_try_at": {"$lte": now}}
        if not_connections:
            query["connection_id"] = {"$nin": list(not_connections)}
        if not_teams:
            query["team_id"] = {"$nin": list(not_teams)}
        only_what_the_index_has = {"_id": 1, "team_id": 1, "connection_id": 1}
        found = self._deliveries.find(query, only_what_the_index_has).sort(_OLDEST_FIRST).limit(limit)
        return tuple(
            DueDelivery(delivery_id=each["_id"], team_id=each["team_id"], connection_id=each["connection_id"])
            for each in await found.to_list(None)
        )

    @reports_outage
    async def claim(
        self, delivery_ids: Collection[str], *, now: datetime, owner: str, until: datetime
    ) -> tuple[Delivery, ...]:
        """Claim those that are still scheduled and due, each for exactly one caller, under one fresh claim_token.

        Args:
            delivery_ids: from ``list_due``.
            now: what may be tried by then is due.
            owner: the process that claims.
            until: end of the lease.

        Raises:
            StoreUnavailable: the database did not answer; what was claimed all the same is free when the lease is over.
        """
        if not delivery_ids:
            return ()
        ids = {"_id": {"$in": list(delivery_ids)}}
        due = {"state": DeliveryState.SCHEDULED.value, "next_try_at": {"$lte": now}}
        claim = {"claim_token": secrets.token_hex(16), "claimed_by": owner, "claimed_until": until}
        lost: PyMongoError | None = None
        try:
            await self._deliveries.update_many(
                {**ids, **due}, {"$set": {"state": DeliveryState.CLAIMED.value, **claim}}
            )
        except PyMongoError as error:
            # The reply may be lost, not the claim: what carries our token is ours.
            if not is_reply_lost(error):
                raise
            lost = error
        ours = {**ids, "claim_token": claim["claim_token"]}
        claimed = _all(await self._deliveries.find(ours).sort(_OLDEST_FIRST).to_list(None))
        if lost is not None and len(claimed) < len(delivery_ids):
            raise lost  # the others may be claimed yet
        return claimed

    @reports_outage
    async def list_due_of(self, connection_id: str, now: datetime, *, limit: int) -> tuple[str, ...]:
        """Ids of what is scheduled and due for one account, oldest first.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        query = {"connection_id": connection_id, "state": DeliveryState.SCHEDULED.value, "next_try_at": {"$lte": now}}
        found = await self._deliveries.find(query, {"_id": 1}).sort(_OLDEST_FIRST).limit(limit).to_list(None)
        return tuple(each["_id"] for each in found)

    @reports_outage
    async def free_claims(self, delivery_ids: Collection[str], *, now: datetime) -> tuple[str, ...]:
        """Put those back on the schedule whose claim's lease is over and of which nothing was sent; which ones.

        Raises:
            StoreUnavailable: the database did not answer; some may have been freed.
        """
        over = {"_id": {"$in": list(delivery_ids)}, "state": "claimed", "claimed_until": {"$lte": now}}
        mark = {"write_id": secrets.token_hex(12)}
        await self._deliveries.update_many(over, {"$set": {**_UNCLAIM["$set"], **mark}, "$unset": _UNCLAIM["$unset"]})
        freed = await self._deliveries.find({"_id": {"$in": list(delivery_ids)}, **mark}, {"_id": 1}).to_list(None)
        return tuple(each["_id"] for each in freed)

    @reports_outage
    async def release_claims(self, connection_ids: Collection[str], *, owner: str) -> None:
        """Put back on the schedule what one process has claimed of these accounts, and of which nothing was sent.

        Args:
            connection_ids: the accounts, none of which the process is publishing to.
            owner: the process.

        Raises:
            StoreUnavailable: the database did not answer; some may have been put back.
        """
        # By the small index of what is claimed at all.
        ours = {"claimed_until": {"$exists": True}, "connection_id": {"$in": list(connection_ids)}, "state": "claimed"}
        await self._deliveries.update_many({**ours, "claimed_by": owner}, _UNCLAIM)

    @reports_outage
    async def postpone(self, *, until: datetime, connection_id: str | None = None, platform: str | None = None) -> int:
        """Let nothing of an account, or of a whole platform, be tried before a time; how many were moved.

        Raises:
            StoreUnavailable: the database did not answer; some may have been moved.
            ValueError: neither an account nor a platform is named.
        """
        if connection_id is None and platform is None:
            raise ValueError("an account or a platform must be named")
        query: Document = {"state": DeliveryState.SCHEDULED.value, "next_try_at": {"$lt": until}}
        query |= {"connection_id": connection_id} if connection_id is not None else {"platform": platform}
        return (await self._deliveries.update_many(query, {"$set": {"next_try_at": until}})).modified_count

    @reports_outage
    async def swap(self, before: Delivery, after: Delivery) -> bool:
        """Move a delivery if it is still stored as ``before`` says (state, claim, history, revision), or do nothing.

        Raises:
            IllegalTransition: the state machine has no such move.
            StoreUnavailable: the database did not answer; whether it moved is not known.
            ValueError: they aren't the same delivery.
        """
        check_transition(before.state, after.state)
        place = {"_id": before.delivery_id, "team_id": before.team_id}
        if place != {"_id": after.delivery_id, "team_id": after.team_id}:
            raise ValueError("a delivery keeps its id and workspace")
        # State and token alone come back, without a token at the latest: what only ever grows tells then from now.
        guard = {
            "state": before.state.value,
            "claim_token": before.claim_token,
            "attempts": {"$size": len(before.attempts)},
            "settled_at": before.settled_at,
            "is_asked": before.is_asked,
            "revision": before.revision or {"$in": [0, None]},  # none: stored before posts could be edited
        }
        mark = {"write_id": secrets.token_hex(12)}
        # Only what changes: each index whose fields are left alone is spared the work.
        changed, gone = delivery_changes(before, after)
        if before.is_owed or after.is_owed:
            gone["telling"] = ""
        if (before.revision, before.connection_id) != (after.revision, after.connection_id):
            gone["preparing"] = ""  # what is being prepared isn't wanted any more
        changes = {"$set": {**changed, **mark}, **({"$unset": gone} if gone else {})}

        return await self._moves.update({**place, **guard}, changes, mark=mark)

    @reports_outage
    async def find(self, team_id: str, delivery_id: str) -> Delivery | None:
        """One delivery of the workspace."""
        document = await self._deliveries.find_one({"_id": delivery_id, "team_id": team_id})
        return None if document is None else delivery_from_document(document)

    @reports_outage
    async def list_open(self, team_id: str, *, author_id: str | None = None, limit: int = 50) -> tuple[Delivery, ...]:
        """The workspace's deliveries that aren't settled (scheduled, claimed, publishing, held, unknown), by due_at."""
        query: Document = {"team_id": team_id, "is_open": True}
        if author_id is not None:
            query["author_id"] = author_id
        return _all(await self._deliveries.find(query).sort(_BY_DUE).limit(limit).to_list(None))

    @reports_outage
    async def list_waiting(self, team_id: str, connection_id: str) -> tuple[Delivery, ...]:
        """Scheduled, claimed, publishing and held deliveries of a connection, by due_at."""
        query = {"team_id": team_id, "connection_id": connection_id, "is_open": True, "state": {"$in": _WAITING}}
        return _all(await self._deliveries.find(query).sort(_BY_DUE).to_list(None))

    @reports_outage
    async def list_expired_claims(self, now: datetime, *, limit: int = 1000) -> tuple[Delivery, ...]:
        """Deliveries, across workspaces, that are claimed or publishing though their lease is over.

        Behind them comes what is still being published under the same claims: whose lease was renewed for it.
        """
        query = {"state": {"$in": ["claimed", "publishing"]}, "claimed_until": {"$lte": now}}
        order = [("claimed_until", ASCENDING), *_BY_DUE]
        expired = _all(await self._deliveries.find(query).sort(order).limit(limit).to_list(None))
        tokens = sorted({each.claim_token for each in expired if each.claim_token is not None})
        if not tokens:
            return expired
        at_work = {"state": "publishing", "claimed_until": {"$gt": now}, "claim_token": {"$in": tokens}}
        return expired + _all(await self._deliveries.find(at_work).to_list(None))

    @reports_outage
    async def list_unasked_unknown(self, settled_before: datetime, *, limit: int = 100) -> tuple[Delivery, ...]:
        """Unknown deliveries, across workspaces, settled by the given time, whose author was not asked yet."""
        query = {"state": "unknown", "is_asked": False, "settled_at": {"$lte": settled_before}}
        return _all(await self._deliveries.find(query).sort([("settled_at", ASCENDING)]).limit(limit).to_list(None))

    @reports_outage
    async def list_held_connections(self) -> tuple[str, ...]:
        """Ids of the connections, across workspaces, for whose reconnect deliveries are held."""
        return tuple(await self._deliveries.distinct("connection_id", {"state": "held", "hold_reason": "reconnect"}))

    @reports_outage
    async def list_for_post(self, team_id: str, post_id: str) -> tuple[Delivery, ...]:
        """All deliveries of a scheduled post, whatever their state, by id."""
        query = {"team_id": team_id, "post_id": post_id}
        return _all(await self._deliveries.find(query).sort([("_id", ASCENDING)]).to_list(None))

    @reports_outage
    async def list_team_waiting(self, team_id: str) -> tuple[Delivery, ...]:
        """All scheduled and held deliveries of a workspace: for when it removes the bot."""
        query = {"team_id": team_id, "is_open": True, "state": {"$in": ["scheduled", "held"]}}
        return _all(await self._deliveries.find(query).sort(_BY_DUE).to_list(None))

    @reports_outage
    async def forget_account(self, team_id: str, connection_id: str, *, account_name: str) -> None:
        """Let all deliveries of a connection, settled ones too, say another name for its account."""
        theirs = {"team_id": team_id, "connection_id": connection_id}
        await self._deliveries.update_many(theirs, {"$set": {"account_name": account_name}})

    @reports_outage
    async def take_owed(self, *, owner: str, now: datetime, until: datetime, limit: int) -> tuple[Delivery, ...]:
        """Become the only one who tells the authors of these deliveries what has become of them.

        Args:
            owner: a fresh random value for this very take.
            now: what somebody else took to tell and let lie until then is free.
            until: end of the lease.
            limit: how many at most.

        Raises:
            StoreUnavailable: the database did not answer; what was taken all the same is free when the lease is over.
        """
        free: Document = {"is_owed": True, "telling.until": {"$not": {"$gt": now}}}
        found = await self._deliveries.find(free, {"_id": 1}).limit(limit).to_list(None)
        if not found:
            return ()
        ids = {"_id": {"$in": [each["_id"] for each in found]}}
        try:
            await self._deliveries.update_many({**ids, **free}, {"$set": {"telling": {"owner": owner, "until": until}}})
        except PyMongoError as error:
            # The reply may be lost, not the take: what carries our mark is ours.
            if not is_reply_lost(error):
                raise
        return _all(await self._deliveries.find({**ids, "telling.owner": owner}).sort(_BY_DUE).to_list(None))

    @reports_outage
    async def mark_told(self, delivery_ids: Collection[str], *, owner: str) -> None:
        """Note that their authors were told, unless something else has become of them since.

        Raises:
            StoreUnavailable: the database did not answer; they may be told again.
        """
        ours = {"_id": {"$in": list(delivery_ids)}, "telling.owner": owner}
        await self._deliveries.update_many(ours, {"$set": {"is_owed": False}, "$unset": {"telling": ""}})

    @reports_outage
    async def list_to_prepare(
        self, now: datetime, *, limit: int, not_connections: Collection[str] = ()
    ) -> tuple[DueDelivery, ...]:
        """What is to be prepared by now across workspaces and nobody prepares, the longest due first.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        query = _to_be_prepared(now)
        if not_connections:
            query["connection_id"] = {"$nin": list(not_connections)}
        wanted = {"_id": 1, "team_id": 1, "connection_id": 1}
        found = self._deliveries.find(query, wanted).sort([("preparation.begin_at", ASCENDING)]).limit(limit)
        return tuple(
            DueDelivery(delivery_id=each["_id"], team_id=each["team_id"], connection_id=each["connection_id"])
            for each in await found.to_list(None)
        )

    @reports_outage
    async def take_preparing(
        self, delivery_ids: Collection[str], *, owner: str, now: datetime, until: datetime
    ) -> tuple[Delivery, ...]:
        """Become the only one who prepares these deliveries; those that nobody else took before.

        Args:
            delivery_ids: from ``list_to_prepare``.
            owner: a fresh random value for this very take.
            now: what somebody else took and let lie until then is free.
            until: end of the lease.

        Raises:
            StoreUnavailable: the database did not answer; what was taken all the same is free when the lease is over.
        """
        if not delivery_ids:
            return ()
        ids = {"_id": {"$in": list(delivery_ids)}}
        lease = {"preparing": {"owner": owner, "until": until}}
        try:
            await self._deliveries.update_many({**ids, **_to_be_prepared(now)}, {"$set": lease})
        except PyMongoError as error:
            # The reply may be lost, not the take: what carries our mark is ours.
            if not is_reply_lost(error):
                raise
        return _all(await self._deliveries.find({**ids, "preparing.owner": owner}).sort(_BY_DUE).to_list(None))

    @reports_outage
    async def renew_preparing(self, delivery: Delivery, *, owner: str, until: datetime) -> bool:
        """Go on being the only one; False when it isn't ours any more, or isn't to be published as it was.

        Raises:
            StoreUnavailable: the database did not answer; it may be renewed.
        """
        ours = {**_preparing(delivery, owner), "state": {"$in": ["scheduled", "claimed"]}}
        return (await self._deliveries.update_one(ours, {"$set": {"preparing.until": until}})).matched_count == 1

    @reports_outage
    async def settle_preparing(self, delivery: Delivery, *, owner: str, try_at: datetime | None = None) -> bool:
        """Write how far a delivery is prepared, if it's still ours and says what it said, and nothing else but a time.

        Args:
            delivery: with its new ``preparation``.
            owner: as in the take.
            try_at: it is tried by then, if it was to be tried later.

        Raises:
            StoreUnavailable: the database did not answer; it may be written.
        """
        assert delivery.preparation is not None
        preparation = {"preparation": delivery_to_document(delivery)["preparation"]}
        changes: Document = {"$set": preparation, **({"$min": {"next_try_at": try_at}} if try_at is not None else {})}
        # What is going out keeps what it goes out with, however that is renewed meanwhile.
        free = {"$or": [{"state": "scheduled"}, {"state": "claimed", "preparation.prepared": None}]}
        return (await self._deliveries.update_one({**_preparing(delivery, owner), **free}, changes)).matched_count == 1

    @reports_outage
    async def release_preparing(self, delivery_id: str, *, owner: str) -> None:
        """Let others prepare it, if it's still ours.

        Raises:
            StoreUnavailable: the database did not answer; it is free when the lease is over.
        """
        await self._deliveries.update_one({"_id": delivery_id, "preparing.owner": owner}, {"$unset": {"preparing": ""}})


def _to_be_prepared(now: datetime) -> Document:
    return {
        "state": DeliveryState.SCHEDULED.value,
        "preparation.begin_at": {"$lte": now},
        "preparing.until": {"$not": {"$gt": now}},
    }


def _preparing(delivery: Delivery, owner: str) -> Document:
    """The delivery while it is ours to prepare, for the same account and with the same content."""
    return {
        "_id": delivery.delivery_id,
        "team_id": delivery.team_id,
        "preparing.owner": owner,
        "connection_id": delivery.connection_id,
        "revision": delivery.revision or {"$in": [0, None]},
    }


def _all(documents: Sequence[Document]) -> tuple[Delivery, ...]:
    return tuple(delivery_from_document(document) for document in documents)
