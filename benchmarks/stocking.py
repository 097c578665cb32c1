"""Fills a database as members would have: connected accounts, and posts that wait for their time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from logicspike.domain import Connection, ConnectionStatus, Delivery, DeliveryState
from logicspike.plugin.types import Account, Credential, Post, TokenSet
from logicspike.services.credentials import seal_credential
from logicspike.store.documents import connection_to_document, delivery_to_document
from logicspike.store.mongo import Database
from logicspike.vault import Vault

__all__ = ["TEAM", "account_names", "add_accounts", "add_posts", "add_waiting"]

TEAM = "TBENCH"
_AT_ONCE = 5_000
_BATCHES = 3


def account_names(count: int) -> list[str]:
    """The accounts all contenders post to."""
    return [f"account-{number:03}" for number in range(count)]


async def add_accounts(database: Database, vault: Vault, names: Iterable[str], *, platform: str = "bench") -> None:
    """Connect accounts, each by a member of its own; an account's name is its connection's id too."""
    connections = [_build_connection(vault, name, platform) for name in names]
    await database.collection("social_connections").insert_many([connection_to_document(each) for each in connections])


def _build_connection(vault: Vault, name: str, platform: str) -> Connection:
    account = Account(id=name, name=name)
    credential = Credential(account=account, tokens=TokenSet(access_token="bench-token"))
    return Connection(
        connection_id=name,
        team_id=TEAM,
        owner_id=_owner(name),
        platform=platform,
        account=account,
        status=ConnectionStatus.ACTIVE,
        nickname=f"{platform}:{name}",
        created_at=datetime.now(UTC),
        sealed=seal_credential(vault, credential, connection_id=name, team_id=TEAM),
        token_version=1,
    )


def _owner(name: str) -> str:
    return f"U{name.upper().replace('-', '')}"


def _build_delivery(key: str, account: str, due_at: datetime, platform: str) -> Delivery:
    return Delivery(
        delivery_id=key,
        post_id=key,
        team_id=TEAM,
        author_id=_owner(account),
        connection_id=account,
        platform=platform,
        account_name=account,
        post=Post(text=f"Hello {key}", key=key),
        state=DeliveryState.SCHEDULED,
        due_at=due_at,
        next_try_at=due_at,
        zone="Europe/Berlin",
    )


async def add_posts(
    database: Database, posts: Sequence[tuple[str, str]], *, due_at: datetime, platform: str = "bench"
) -> None:
    """Schedule posts, given as key and account, all for the same moment."""
    documents = [delivery_to_document(_build_delivery(key, account, due_at, platform)) for key, account in posts]
    await database.collection("deliveries").insert_many(documents, ordered=False)


async def add_waiting(database: Database, count: int, *, accounts: Sequence[str], first: int = 0) -> None:
    """Schedule posts for the days to come, a minute apart from each other; a million takes some two minutes."""
    start = datetime.now(UTC) + timedelta(days=1)
    pattern = delivery_to_document(_build_delivery("w", accounts[0], start, "bench"))
    deliveries, writing = database.collection("deliveries"), set[asyncio.Future[object]]()
    for begin in range(first, first + count, _AT_ONCE):
        documents = []
        for number in range(begin, min(begin + _AT_ONCE, first + count)):
            due_at = start + timedelta(minutes=number)
            name, key = accounts[number % len(accounts)], f"w{number:08}"
            own = {"_id": key, "post_id": key, "author_id": _owner(name), "connection_id": name}
            documents.append({**pattern, **own, "account_name": name, "due_at": due_at, "next_try_at": due_at})
        # The next batch is made while the server still writes this one.
        writing.add(asyncio.ensure_future(deliveries.insert_many(documents, ordered=False)))
        if len(writing) >= _BATCHES:
            done, writing = await asyncio.wait(writing, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
    await asyncio.gather(*writing)
