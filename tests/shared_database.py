"""The database that tests share, one after the other: to make one with its indexes and drop it outlasts most tests."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from logicspike.store.mongo import Database, Driver, open_database
from logicspike.store.schema import INDEXES, ensure_schema

_NAME: Final = f"test_{secrets.token_hex(6)}"
_made: set[str] = set()


@asynccontextmanager
async def open_shared_database(uri: str, *, driver: Driver = "motor") -> AsyncIterator[Database]:
    """This process's, with its indexes and nothing else; emptied afterwards.

    Whoever writes so much that emptying it takes seconds, or changes collections and indexes, makes one of their own.
    """
    database = open_database(uri, _NAME, driver=driver)
    if uri not in _made:
        await ensure_schema(database)
        _made.add(uri)
    yield database
    await asyncio.gather(*(database.collection(name).delete_many({}) for name in INDEXES))
    await database.close()
