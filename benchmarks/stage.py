"""What all benchmarks stand on: a mongod of their own, the fake services, and processes that answer line by line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from logicspike.store.embedded import EmbeddedMongod
from logicspike.store.mongo import Database, open_database
from logicspike.store.schema import ensure_schema
from logicspike.vault import Vault, generate_key, parse_key_ring

from .bench_platform import ENTRY_POINTS
from .stocking import account_names, add_accounts

__all__ = ["Child", "LedgerWrong", "Stage", "open_stage"]

ROOT = Path(__file__).parents[1]
SIGNING_SECRET = "bench-signing-secret"
_PATIENCE = 90.0
_LINE_LIMIT = 64 * 1024 * 1024


class LedgerWrong(Exception):
    """A post was lost, sent twice, or out of its account's order: whatever was measured is void."""


class Child:
    """A process of a benchmark's.

    Args:
        process: started, with pipes.
        hello: the first line it said.
    """

    def __init__(self, process: asyncio.subprocess.Process, hello: Mapping[str, Any]) -> None:
        self.process = process
        self.hello = hello

    @property
    def address(self) -> str:
        """Where it listens."""
        return str(self.hello["address"])

    async def ask(self, line: object) -> Any:
        """Say a line and read the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        await self.process.stdin.drain()
        return await self.read()

    async def read(self) -> Any:
        """Read a line."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), _PATIENCE)
        if not line:
            raise RuntimeError("a benchmark's process ended; its log says why")
        return json.loads(line)

    @property
    def cpu_seconds(self) -> float:
        """CPU time so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def resident_bytes(self) -> int:
        """Resident memory."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    async def stop(self) -> None:
        """Close its input and wait; it is killed if it doesn't end by itself."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), 10)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """Kill -9."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


@dataclass
class Stage:
    """Server, fakes, and how to start what is measured."""

    folder: Path
    mongodb_uri: str
    site: Path
    http: aiohttp.ClientSession
    key: str = field(default_factory=generate_key)
    fake: Child | None = None
    read_lines: int = 0

    @property
    def fake_address(self) -> str:
        """Where the fake services are."""
        assert self.fake is not None
        return self.fake.address

    @property
    def vault(self) -> Vault:
        """Seals as the bot will open."""
        return Vault(parse_key_ring(f"bench:{self.key}"))

    def environment(self, database: str, **more: str) -> dict[str, str]:
        """The bot's settings; other contenders take from them what they need."""
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
        path = [str(ROOT), str(self.site), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        bot = {
            "MONGODB_URI": self.mongodb_uri,
            "MONGODB_DATABASE": database,
            "LOGICSPIKE_KEYS": f"bench:{self.key}",
            "LOGICSPIKE_DATA_DIR": str(self.folder / "data"),
            "PORT": "0",
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_BOT_TOKEN": "xoxb-bench",
        }
        if self.fake is not None:
            bot |= {"SLACK_API_URL": f"{self.fake_address}/api/", "BENCH_ENDPOINT_API": self.fake_address}
            bot |= {"BENCH_CLIENT_ID": "bench", "BENCH_CLIENT_SECRET": "bench-client-secret"}
        return {**kept, "PYTHONPATH": os.pathsep.join(path), **bot, **more}

    async def start(self, module: str, database: str = "none", **more: str) -> Child:
        """Start a module as a process, and wait for its first line."""
        log = (self.folder / f"{module.rpartition('.')[2]}.log").open("ab")
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self.environment(database, **more),
                cwd=ROOT,
                limit=_LINE_LIMIT,
            )
        finally:
            log.close()
        child = Child(process, {})
        try:
            child.hello = await child.read()
        except BaseException:
            await child.kill()
            tail = (self.folder / f"{module.rpartition('.')[2]}.log").read_text(errors="replace")[-2000:]
            print(tail, file=sys.stderr)
            raise
        return child

    @asynccontextmanager
    async def running(self, module: str, database: str = "none", **more: str) -> AsyncIterator[Child]:
        """A process for a while."""
        child = await self.start(module, database, **more)
        try:
            yield child
        finally:
            await child.stop()

    @asynccontextmanager
    async def database(self, name: str, *, accounts: int = 50) -> AsyncIterator[Database]:
        """A fresh database with the bot's indexes and connected accounts, dropped afterwards."""
        database = open_database(self.mongodb_uri, name)
        try:
            await ensure_schema(database)
            await add_accounts(database, self.vault, account_names(accounts))
            yield database
            await database.command("dropDatabase")
        finally:
            await database.close()

    async def read_ledger(self, count: int, *, timeout: float) -> list[tuple[str, str, float]]:
        """What the platform took since the last look; waits until there are so many lines, or for as long as given."""
        query = {"since": str(self.read_lines), "wanted": str(count), "timeout": str(timeout)}
        async with self.http.get(f"{self.fake_address}/ledger", params=query) as answer:
            lines = [(key, account, at) for key, account, at in await answer.json()]
        self.read_lines += len(lines)
        return lines

    async def set_delay(self, seconds: float) -> None:
        """Let the platform take so long for each post."""
        async with self.http.post(f"{self.fake_address}/delay", params={"seconds": str(seconds)}):
            pass

    async def count_operations(self, name: str) -> int:
        """How many operations on a database's collections the server has carried out, without its own housekeeping."""
        admin = open_database(self.mongodb_uri, "admin")
        totals = (await admin.command("top"))["totals"]
        await admin.close()
        kinds = ("queries", "getmore", "insert", "update", "remove", "commands")
        return sum(
            counts[kind]["count"] for place, counts in totals.items() if place.startswith(f"{name}.") for kind in kinds
        )


def check_ledger(lines: Sequence[tuple[str, str, float]], posts: Sequence[tuple[str, str]], *, in_order: bool) -> None:
    """Compare what arrived with what was asked for.

    Raises:
        LedgerWrong: something was lost, doubled, or (where the contender promises it) out of order.
    """
    arrived = [key for key, _, _ in lines]
    wanted = [key for key, _ in posts]
    lost, doubled = set(wanted) - set(arrived), len(arrived) - len(set(arrived))
    if lost or doubled or len(arrived) != len(wanted):
        raise LedgerWrong(f"{len(lost)} lost, {doubled} doubled, {len(set(arrived) - set(wanted))} unasked for")
    if in_order:
        for name in {account for _, account in posts}:
            if [k for k, account, _ in lines if account == name] != [k for k, account in posts if account == name]:
                raise LedgerWrong(f"the posts of {name} came out of order")


def in_unix_seconds(moment: float) -> datetime:
    """A moment as the bot writes it."""
    return datetime.fromtimestamp(moment, UTC)


def round_to_milliseconds(moment: float) -> float:
    """As the database keeps it."""
    return int(moment * 1000) / 1000


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    """Bring everything up, and down again; the logs go with it unless something fails."""
    folder = Path(tempfile.mkdtemp(prefix="logicspike-bench-"))
    site = folder / "site"
    dist_info = site / "logicspike_bench-1.0.dist-info"
    dist_info.mkdir(parents=True)
    (dist_info / "METADATA").write_text("Metadata-Version: 2.1\nName: logicspike-bench\nVersion: 1.0\n")
    (dist_info / "entry_points.txt").write_text(ENTRY_POINTS)
    mongod = EmbeddedMongod(folder / "mongod")
    uri = await mongod.start()
    try:
        async with aiohttp.ClientSession(read_bufsize=2**20) as http:
            stage = Stage(folder=folder, mongodb_uri=uri, site=site, http=http)
            stage.fake = await stage.start("benchmarks.fake_services")
            try:
                yield stage
            finally:
                await stage.fake.stop()
    except BaseException:
        print(f"The logs are in {folder}.", file=sys.stderr)
        await mongod.stop()
        raise
    await mongod.stop()
    shutil.rmtree(folder, ignore_errors=True)


def new_prefix() -> str:
    """Names a run's posts."""
    return f"{time.strftime('%H%M%S')}{secrets.token_hex(2)}"
