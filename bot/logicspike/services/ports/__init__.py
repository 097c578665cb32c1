"""What the use cases need from outside, as Protocols; ``store`` implements most, ``wiring`` marries them."""

from __future__ import annotations

from .accounts import ConnectionStore, ConnectResult, PendingStore, PlatformEventStore
from .failures import NameTaken, StoreUnavailable
from .posts import DeliveryStore, LinkReader, MediaSource, PostStore
from .process import RequestLog, ServerTime, WorkspaceStore

__all__ = [
    "ConnectResult",
    "ConnectionStore",
    "DeliveryStore",
    "LinkReader",
    "MediaSource",
    "NameTaken",
    "PendingStore",
    "PlatformEventStore",
    "PostStore",
    "RequestLog",
    "ServerTime",
    "StoreUnavailable",
    "WorkspaceStore",
]
