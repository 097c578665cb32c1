"""A team whose database has its real indexes and tells every command that is sent to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from logicspike.store.mongo import Database, open_database
from logicspike.store.schema import ensure_schema

_CARRIES_DATA = frozenset({"find", "getMore", "insert", "update", "delete", "findAndModify", "aggregate", "count"})


@dataclass
class Commands(CommandListener):
    """Notes what is sent, heartbeats and handshakes aside."""

    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in _CARRIES_DATA:
            self.sent.append((event.command_name, dict(event.command)))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass

    def of(self, name: str, collection: str) -> list[dict[str, Any]]:
        return [command for sent, command in self.sent if sent == name and command[name] == collection]


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
async def watched_database(mongod_uri: str, database_name: str, commands: Commands) -> AsyncIterator[Database]:
    database = open_database(mongod_uri, database_name, listeners=[commands])
    await ensure_schema(database)
    yield database
    await database.command("dropDatabase")
    await database.close()
