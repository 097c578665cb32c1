"""A real mongod for the whole run, and a database of its own for every test that asks for one."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from logicspike.store.embedded import EmbeddedMongod, MongodMissing, find_mongod
from logicspike.store.mongo import Database, open_database


@pytest.fixture(scope="session")
def mongod_program() -> Path:
    """The mongod of this machine; where there is none, tests that need it are skipped, but fail under CI=true."""
    try:
        return find_mongod()
    except MongodMissing as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must test against a real MongoDB. {error}")
        pytest.skip(f"NOT TESTED AGAINST A REAL MONGODB: {error}")


@pytest.fixture(scope="session")
def mongod_uri(mongod_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real mongod on a Unix socket, which ends with the run."""
    mongod = EmbeddedMongod(tmp_path_factory.mktemp("mongod"), mongod=mongod_program)
    with ThreadPoolExecutor(max_workers=1) as thread:  # a test's own loop may be running here
        yield thread.submit(lambda: asyncio.run(mongod.start())).result()
        thread.submit(lambda: asyncio.run(mongod.stop())).result()


@pytest.fixture
def database_name() -> str:
    """A name that no other test has."""
    return f"test_{secrets.token_hex(6)}"


@pytest.fixture
async def mongo_database(mongod_uri: str, database_name: str) -> AsyncIterator[Database]:
    """An empty database on the real server, without indexes, dropped afterwards."""
    database = open_database(mongod_uri, database_name)
    yield database
    await database.command("dropDatabase")
    await database.close()
