"""Every query on behalf of a member carries the workspace; the others are listed, with their reasons."""

from typing import Protocol

import pytest
from pymongo.monitoring import CommandListener

from logicspike.services import ports
from logicspike.store import UNSCOPED
from logicspike.store.mongo import open_database

PORTS = (
    "PendingStore",
    "ConnectionStore",
    "DeliveryStore",
    "PlatformEventStore",
    "PostStore",
    "RequestLog",
    "WorkspaceStore",
)


class Listener(CommandListener):
    """Notes what is asked of the server: the filter of a query, or the document of an insert."""

    def __init__(self):
        self.asked = []

    def started(self, event):
        command = event.command
        match event.command_name:
            case "find":
                self.asked.append(command["filter"])
            case "findAndModify" | "distinct":
                self.asked.append(command["query"])
            case "insert":
                self.asked.extend(command["documents"])
            case "update":
                self.asked.extend(update["q"] for update in command["updates"])
            case "delete":
                self.asked.extend(delete["q"] for delete in command["deletes"])
            case "aggregate":  # count_documents
                self.asked.append(command["pipeline"][0]["$match"])

    def succeeded(self, event):
        pass

    def failed(self, event):
        pass


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
async def watched_stores(mongo_database, mongod_uri, build_stores, listener):
    database = open_database(mongod_uri, mongo_database.name, listeners=[listener])
    yield build_stores(database)
    await database.close()


async def test_every_query_carries_its_workspace_unless_it_is_listed(watched_stores, listener, every_call):
    unscoped = set()
    for name, call in every_call.items():
        listener.asked.clear()
        await call(watched_stores)
        assert listener.asked, f"{name} asked nothing that was understood"
        if any(query.get("team_id") != "T1" for query in listener.asked):
            unscoped.add(name)
    assert set(UNSCOPED) == unscoped


def test_every_method_of_every_port_is_called(every_call):
    methods = {
        f"{port}.{method}"
        for port in PORTS
        for method in vars(getattr(ports, port))
        if not method.startswith("_") and method not in vars(Protocol)
    }
    assert methods == set(every_call)
