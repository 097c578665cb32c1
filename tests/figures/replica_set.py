"""A real replica set, whose members can be killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

from pymongo import AsyncMongoClient, WriteConcern
from pymongo.errors import PyMongoError

from .floor import until


class ReplicaSet:
    """Members on loopback: three, or as many as are wanted."""

    def __init__(self, program: Path, folder: Path, *, size: int = 3) -> None:
        self._program, self._folder = program, folder
        self.ports = _free_ports(size)
        self._members: dict[int, asyncio.subprocess.Process] = {}

    @property
    def uri(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"mongodb://{hosts}/?replicaSet=figures"

    async def __aenter__(self) -> ReplicaSet:
        await asyncio.gather(*(self.start(port) for port in self.ports))
        config = {
            "_id": "figures",
            "members": [{"_id": n, "host": f"127.0.0.1:{port}"} for n, port in enumerate(self.ports)],
            "settings": {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 300},
        }
        for port in reversed(self.ports):  # all must be up before one of them makes the set
            direct = f"mongodb://127.0.0.1:{port}/?directConnection=true"
            async with AsyncMongoClient(direct, serverSelectionTimeoutMS=60_000) as client:
                await client.admin.command("ping")
                if port == self.ports[0]:
                    await client.admin.command("replSetInitiate", config)
        await until(self._has_primary, 60)
        return self

    async def __aexit__(self, *_: object) -> None:
        for member in self._members.values():
            if member.returncode is None:
                member.kill()
        await asyncio.gather(*(member.wait() for member in self._members.values()))

    async def start(self, port: int) -> None:
        data = self._folder / str(port)
        data.mkdir(exist_ok=True)
        self._members[port] = await asyncio.create_subprocess_exec(
            self._program, "--replSet", "figures", "--dbpath", data, "--port", str(port), "--bind_ip", "127.0.0.1",
            "--nounixsocket", "--quiet", "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64",
            "--setParameter", "diagnosticDataCollectionEnabled=false",
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip

    async def _has_primary(self) -> bool:
        return await self.primary() is not None

    async def is_whole(self) -> bool:
        """Whether every member follows the primary: a write reaches them all.

        A state isn't enough: a member that comes back is a secondary for a moment, before it finds out that it has to
        take back what no majority had.
        """
        everybody = WriteConcern(w=len(self.ports), wtimeout=1000)
        async with AsyncMongoClient(self.uri, serverSelectionTimeoutMS=2000) as client:
            with contextlib.suppress(PyMongoError):
                await client.admin.get_collection("whole", write_concern=everybody).insert_one({})
                return True
        return False

    async def primary(self) -> int | None:
        async with AsyncMongoClient(self.uri, serverSelectionTimeoutMS=2000) as client:
            with contextlib.suppress(PyMongoError):
                await client.admin.command("ping")
                address = await client.primary
                return address[1] if address else None
        return None

    async def kill_primary(self) -> int:
        port = await self.primary()
        assert port is not None
        self._members[port].kill()
        await self._members[port].wait()
        return port


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
