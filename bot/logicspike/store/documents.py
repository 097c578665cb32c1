"""Dataclass to document and back: pure, and besides queries the only place where fields have names in quotes.

A field of a dataclass is a field of its document; None is stored by leaving it out. Fields that a document has besides
are ignored, so that what a later version wrote can be read. MongoDB keeps milliseconds: a time that comes back may lie
up to one before what went in. Times come back aware, UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, TypeVar

from ..domain import (
    OPEN_STATES,
    Attempt,
    Connection,
    ConnectionStatus,
    Delivery,
    DeliveryState,
    Draft,
    HoldReason,
    Member,
    PendingAuthorization,
    PostChange,
    Preparation,
    Purpose,
    ReceivedEvent,
    ScheduledPost,
    Ticket,
)
from ..plugin.types import Account, Media, MediaKind, Post, Prepared, PublishedPost
from ..services.ports import ConnectResult
from .mongo import Document

__all__ = [
    "authorization_from_document",
    "authorization_to_document",
    "changes_to",
    "connection_from_document",
    "connection_to_document",
    "delivery_changes",
    "delivery_from_document",
    "delivery_to_document",
    "draft_from_document",
    "draft_to_document",
    "platform_event_from_document",
    "platform_event_to_document",
    "post_from_document",
    "post_to_document",
    "result_from_document",
    "result_to_document",
    "ticket_from_document",
    "ticket_to_document",
]

_T = TypeVar("_T")


def connection_to_document(connection: Connection) -> Document:
    """The document of a connection; ``is_chosen`` is there for the unique index on accounts."""
    document = _with_id(_to_document(connection), "connection_id")
    return {**document, "is_chosen": connection.status is not ConnectionStatus.PENDING_CHOICE}


def connection_from_document(document: Document) -> Connection:
    """The connection in a document."""
    return _from_document(
        Connection,
        document,
        connection_id=document["_id"],
        account=_from_document(Account, document["account"]),
        choices=tuple(_from_document(Account, choice) for choice in document.get("choices", ())),
        status=ConnectionStatus(document["status"]),
    )


def delivery_to_document(delivery: Delivery) -> Document:
    """The document of a delivery; ``is_open`` is there for the indexes on what is not settled yet."""
    return {**_with_id(_to_document(delivery), "delivery_id"), "is_open": delivery.state in OPEN_STATES}


def delivery_from_document(document: Document) -> Delivery:
    """The delivery in a document."""
    reason = document.get("hold_reason")
    return _from_document(
        Delivery,
        document,
        delivery_id=document["_id"],
        post=_post(document["post"]),
        state=DeliveryState(document["state"]),
        attempts=tuple(_from_document(Attempt, attempt) for attempt in document.get("attempts", ())),
        hold_reason=None if reason is None else HoldReason(reason),
        live=tuple(PublishedPost(id=each["id"], url=each.get("url")) for each in document.get("live", ())),
        preparation=_preparation(document.get("preparation")),
    )


def ticket_to_document(ticket: Ticket) -> Document:
    """The document of a connect link."""
    return _with_id(_flat(_to_document(ticket), "member"), "ticket_hash")


def ticket_from_document(document: Document) -> Ticket:
    """The connect link in a document."""
    return _from_document(
        Ticket,
        document,
        ticket_hash=document["_id"],
        member=_from_document(Member, document),
        purpose=Purpose(document["purpose"]),
    )


def authorization_to_document(pending: PendingAuthorization) -> Document:
    """The document of an authorization request."""
    return _with_id(_flat(_to_document(pending), "member"), "state_hash")


def authorization_from_document(document: Document) -> PendingAuthorization:
    """The authorization request in a document."""
    return _from_document(
        PendingAuthorization,
        document,
        state_hash=document["_id"],
        member=_from_document(Member, document),
        purpose=Purpose(document["purpose"]),
    )


def platform_event_to_document(event: ReceivedEvent) -> Document:
    """The document of a platform's callback."""
    return _with_id(_to_document(event), "event_id")


def platform_event_from_document(document: Document) -> ReceivedEvent:
    """The platform's callback in a document."""
    return _from_document(ReceivedEvent, document, event_id=document["_id"])


def result_to_document(result_id: str, result: ConnectResult) -> Document:
    """The document of what a result page says."""
    return {"_id": result_id, **_to_document(result)}


def result_from_document(document: Document) -> ConnectResult:
    """What a result page says."""
    return _from_document(ConnectResult, document)


def post_to_document(post: ScheduledPost) -> Document:
    """The document of a scheduled post."""
    return _with_id(_flat(_to_document(post), "author"), "post_id")


def post_from_document(document: Document) -> ScheduledPost:
    """The scheduled post in a document."""
    change = document.get("change")
    return _from_document(
        ScheduledPost,
        document,
        post_id=document["_id"],
        author=_author(document),
        link=document.get("link"),
        change=None if change is None else _change(change),
        media=_media(document),
    )


def draft_to_document(draft: Draft) -> Document:
    """The document of a draft."""
    return _with_id(_flat(_to_document(draft), "author"), "draft_id")


def draft_from_document(document: Document) -> Draft:
    """The draft in a document."""
    return _from_document(Draft, document, draft_id=document["_id"], author=_author(document), media=_media(document))


def _post(document: Document) -> Post:
    return _from_document(Post, document, media=_media(document))


def _change(document: Document) -> PostChange:
    return _from_document(PostChange, document, link=document.get("link"), media=_media(document))


def _media(document: Document) -> tuple[Media, ...]:
    return tuple(_from_document(Media, each, kind=MediaKind(each["kind"])) for each in document.get("media", ()))


def _preparation(document: Document | None) -> Preparation | None:
    if document is None:
        return None
    prepared = document.get("prepared")
    return _from_document(
        Preparation,
        document,
        begin_at=_plain(document.get("begin_at")),
        prepared=None if prepared is None else _from_document(Prepared, prepared),
    )


def changes_to(document: Document, owned: Collection[str]) -> Document:
    """The update that makes a stored document this one.

    Args:
        document: as it should be.
        owned: the fields it may have; those it lacks are removed, and all others are left alone.
    """
    changes: Document = {"$set": {name: value for name, value in document.items() if name not in {"_id", "team_id"}}}
    gone = {name: "" for name in owned if name not in document}
    return {**changes, "$unset": gone} if gone else changes


def delivery_changes(before: Delivery, after: Delivery) -> tuple[Document, Document]:
    """What to set and what to unset so that one delivery's document becomes the other's: only what differs."""
    changed: Document = {}
    gone: Document = {}
    for name in _field_names(Delivery):
        value = getattr(after, name)
        if value == getattr(before, name):
            continue
        if value is None:
            gone[name] = ""
        else:
            changed[name] = _to_document(value)
    if (before.state in OPEN_STATES) != (is_open := after.state in OPEN_STATES):
        changed["is_open"] = is_open
    return changed, gone


def _to_document(value: Any) -> Any:
    if isinstance(value, _AS_THEY_ARE):
        return value
    match value:
        case Enum():
            return value.value
        case datetime():
            if value.utcoffset() is None:
                raise ValueError("a time without a zone must not be stored")
            return value.astimezone(UTC)
        case tuple():
            return [_to_document(item) for item in value]
        case Mapping():
            return dict(value)
        case _ if is_dataclass(value):
            named = ((name, getattr(value, name)) for name in _field_names(type(value)))
            return {name: _to_document(item) for name, item in named if item is not None}
        case _:
            return value


_AS_THEY_ARE: Final = (bool, int, bytes)  # text is left to the cases: an enumeration's members are text too


_NAMES: Final[dict[type[Any], tuple[str, ...]]] = {}


def _field_names(cls: type[Any]) -> tuple[str, ...]:
    if cls not in _NAMES:
        _NAMES[cls] = tuple(field.name for field in fields(cls))
    return _NAMES[cls]


def _from_document(cls: type[_T], document: Document, **converted: object) -> _T:
    known = _field_names(cls)
    plain = {name: _plain(document[name]) for name in known if name in document and name not in converted}
    return cls(**plain, **converted)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        case list():
            return tuple(value)
        case _:
            return value


def _with_id(document: Document, name: str) -> Document:
    return {"_id": document.pop(name), **document}


def _flat(document: Document, name: str) -> Document:
    """The member's two ids as the document's own: ``team_id``, and ``user_id`` or ``author_id``."""
    member = document.pop(name)
    user_field = "author_id" if name == "author" else "user_id"
    return {**document, "team_id": member["team_id"], user_field: member["user_id"]}


def _author(document: Document) -> Member:
    return Member(team_id=document["team_id"], user_id=document["author_id"])
