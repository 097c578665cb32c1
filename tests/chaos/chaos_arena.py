"""A whole deployment on one machine: a real database, worker processes, Slack's and the platforms' stand-ins, a ledger.

Everything that fails here fails as it would outside: processes by ``kill -9``, the database too, platforms over HTTP.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from chaos_nursery import Nursery, open_nursery
from chaos_platform import ENTRY_POINTS, KINDS, ChaosFake, Weather
from chaos_worker import Config
from pymongo.errors import PyMongoError

from logicspike.clock import SystemClock
from logicspike.domain import Connection, ConnectionStatus, Delivery, DeliveryState
from logicspike.plugin.types import Account, Credential, Post, TokenSet
from logicspike.sandbox.fake_slack import FakeSlack
from logicspike.sandbox.slack_state import ANA, TEAM
from logicspike.services.credentials import seal_credential
from logicspike.slack.surface import OUTCOME_LIVE
from logicspike.store.documents import delivery_from_document
from logicspike.store.embedded import EmbeddedMongod
from logicspike.store.mongo import open_database
from logicspike.store.opening import Stores, build_stores
from logicspike.store.schema import ensure_schema
from logicspike.testing import FakeAccount
from logicspike.vault import Vault, generate_key, parse_key_ring

SHRUNKEN: Final = {
    "lease": 2.5,
    "settle": 2.5,
    "lookup": 0.5,
    "refresh_lease": 4.0,
    "look_ahead": 0.2,
    "between_suspects": 0.2,
    "deliver_every": 0.2,
    "rescue_every": 0.2,
    "settle_every": 0.2,
}
"""All timings, shrunk together; seconds by the names of ``Timings``."""
AT_ONCE: Final = 500  # posts that one write stores
PUBLISH_LIMIT: Final = 1.0
LEASE: Final = SHRUNKEN["lease"]
_TOKEN: Final = "xoxb-chaos"
_DONE: Final = {DeliveryState.PUBLISHED, DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.CANCELED}


@dataclass(kw_only=True)
class Arena:
    """What a run is made of.

    Attributes:
        log: what the workers have said.
        scheduled: how many posts were scheduled so far.
        longest_in_doubt: seconds that an outcome stayed unknown at most, counted from when all was waited for.
    """

    seed: int
    mongod: EmbeddedMongod
    folder: Path
    fakes: dict[str, ChaosFake]
    slack: FakeSlack
    nursery: Nursery
    stores: Stores
    vault: Vault
    log: Path
    dice: random.Random
    database_kills: int = 0
    scheduled: int = 0
    longest_in_doubt: float = 0.0

    # --- before -------------------------------------------------------------------------------------------------------

    async def connect_accounts(self, kind: str, count: int) -> list[Connection]:
        """Connected accounts with tokens that the fake takes."""
        made = [make_connection(self.fakes[kind], number, self.vault) for number in range(count)]
        for each in made:
            await self.stores.connections.insert(each)
        return made

    async def schedule(
        self, connections: Sequence[Connection], texts: Sequence[str], *, over: float = 0.0, thread_every: int = 0
    ) -> list[Delivery]:
        """Schedule posts, turn by turn over the accounts, due evenly over so many seconds from now.

        Args:
            connections: the accounts.
            texts: what they say.
            over: so many seconds.
            thread_every: of so many posts one has three parts; 0 for none.
        """
        start, first = datetime.now(UTC) + timedelta(seconds=0.1), self.scheduled
        self.scheduled += len(texts)
        made = [
            make_delivery(
                first + number,
                text,
                connections[number % len(connections)],
                start + timedelta(seconds=over * number / len(texts)),
                parts=(f"{text}, part 1", f"{text}, part 2") if thread_every and number % thread_every == 0 else (),
            )
            for number, text in enumerate(texts)
        ]
        for begin in range(0, len(made), AT_ONCE):  # the store gives each write its 1.75 seconds, however long it is
            await self.stores.deliveries.insert_many(made[begin : begin + AT_ONCE])
        return made

    # --- while it runs ------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def keeping(self, count: int) -> AsyncIterator[None]:
        """Keep so many workers alive, as a supervisor does."""
        stop = asyncio.Event()

        async def keep() -> None:
            while not stop.is_set():
                for _ in range(count - len(self.nursery.alive)):
                    await self.nursery.spawn()
                await asyncio.sleep(0.02)

        keeping = asyncio.create_task(keep())
        try:
            yield
        finally:
            stop.set()
            await keeping

    async def kill_a_worker(self) -> bool:
        """Kill -9 one that is chosen by the dice; False when none was alive."""
        if not self.nursery.alive:
            return False
        pid = self.dice.choice(sorted(self.nursery.alive))
        await self.nursery.signal(pid, signal.SIGKILL)
        await self.nursery.wait_for_end(pid, limit=10)
        return True

    async def kill_the_database(self) -> None:
        """Kill -9 mongod, and bring it back on the same files at once."""
        pid = int((self.folder / "mongod.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        await until(lambda: not _is_alive(pid), limit=10)
        self.database_kills += 1
        await self.mongod.start()

    async def read_all(self) -> list[Delivery]:
        """Every delivery there is."""
        documents = await self.stores.database.collection("deliveries").find({}).to_list(None)
        return [delivery_from_document(document) for document in documents]

    async def wait_until_settled(self, *, limit: float) -> list[Delivery]:
        """Wait until every delivery has an outcome, or a person was asked for one."""
        began_at = datetime.now(UTC)
        # Asked of the database, not read and sorted out here: the fakes answer from this very process.
        deliveries = self.stores.database.collection("deliveries")
        is_open = {"state": {"$nin": [state.value for state in _DONE]}, "is_asked": {"$ne": True}}

        async def is_settled() -> bool:
            try:
                doubts = await deliveries.find({**is_open, "state": "unknown"}, {"settled_at": 1}).to_list(None)
                left = await deliveries.count_documents(is_open)
            except PyMongoError:
                return False
            now = datetime.now(UTC)
            since = (max(began_at, each["settled_at"]) for each in doubts)
            self.longest_in_doubt = max(self.longest_in_doubt, *((now - each).total_seconds() for each in since), 0.0)
            return not left

        try:
            await until_async(is_settled, limit=limit)
        except TimeoutError:
            left = [each for each in await self.read_all() if each.state not in _DONE and not each.is_asked]
            raise AssertionError(f"not settled: {len(left)}, such as {left[:3]}") from None
        return await self.read_all()

    # --- afterwards ---------------------------------------------------------------------------------------------------

    def questions(self) -> Counter[tuple[str, str]]:
        """How often each outcome was asked about, by delivery and attempt."""
        asked: Counter[tuple[str, str]] = Counter()
        for blocks in self.messages():
            elements = [element for block in blocks for element in block.get("elements", ())]
            values = [element["value"] for element in elements if element.get("action_id") == OUTCOME_LIVE]
            asked.update((value.partition(":")[0], value.partition(":")[2]) for value in values)
        return asked

    def messages(self) -> list[list[dict[str, Any]]]:
        """The blocks of every message that was sent."""
        sent = [call for call in self.slack.api.calls if call.method == "chat.postMessage" and not call.error]
        return [_parsed(call.args.get("blocks")) for call in sent]

    def said(self, event: str) -> int:
        """How many lines of the workers' log hold this."""
        return self.log.read_text(errors="replace").count(event) if self.log.exists() else 0


def make_connection(fake: ChaosFake, number: int, vault: Vault) -> Connection:
    """An account of the fake's, connected, with a token that it takes."""
    account = FakeAccount(id=f"{fake.kind}-{number}", name=f"{fake.kind} {number}")
    connection_id = f"c-{fake.kind}-{number}"
    credential = Credential(
        account=Account(id=account.id, name=account.name),
        tokens=TokenSet(access_token=fake.open_account(account), expires_at=None),
    )
    return Connection(
        connection_id=connection_id,
        team_id=TEAM.id,
        owner_id=ANA,
        platform=fake.kind,
        account=credential.account,
        status=ConnectionStatus.ACTIVE,
        nickname=f"{fake.kind}:{number}",
        created_at=datetime.now(UTC),
        sealed=seal_credential(vault, credential, connection_id=connection_id, team_id=TEAM.id),
        token_version=1,
    )


def make_delivery(
    number: int, text: str, connection: Connection, due_at: datetime, *, parts: tuple[str, ...] = ()
) -> Delivery:
    """A scheduled post to a connected account."""
    return Delivery(
        delivery_id=f"d{number:05}",
        post_id=f"p{number:05}",
        team_id=connection.team_id,
        author_id=connection.owner_id,
        connection_id=connection.connection_id,
        platform=connection.platform,
        account_name=connection.account.name,
        post=Post(key=f"key-{number:05}", text=text),
        parts=parts,
        state=DeliveryState.SCHEDULED,
        due_at=due_at,
        next_try_at=due_at,
        zone="UTC",
    )


def _parsed(blocks: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(blocks) if isinstance(blocks, str) else blocks or []
    return found


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until(is_so: Callable[[], bool], *, limit: float) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: it isn't in so many seconds.
    """
    deadline = time.monotonic() + limit
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(0.01)


async def until_async(is_so: Callable[[], Awaitable[bool]], *, limit: float) -> None:
    """Wait until something is so that has to be asked for.

    Raises:
        TimeoutError: it isn't in so many seconds.
    """
    deadline = time.monotonic() + limit
    while not await is_so():
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(0.1)


@asynccontextmanager
async def open_arena(
    folder: Path, *, seed: int, weather: Weather, timings: dict[str, float] | None = None
) -> AsyncIterator[Arena]:
    """Build it, without workers; nothing of it is left at the end.

    Args:
        folder: for the database and the log.
        seed: of the harness's own dice.
        weather: of all platforms.
        timings: see ``SHRUNKEN``; empty for the usual ones.
    """
    timings = SHRUNKEN if timings is None else timings
    keys = f"chaos:{generate_key()}"
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        mongod = EmbeddedMongod(folder / "data")
        uri = await mongod.start()
        stack.push_async_callback(mongod.stop)
        database = open_database(uri, "chaos")
        stack.push_async_callback(database.close)
        await ensure_schema(database)
        slack = await stack.enter_async_context(
            FakeSlack(signing_secret="chaos", bot_token=_TOKEN, clock=clock).running()
        )
        fakes = {kind: ChaosFake(kind, weather=weather, clock=clock) for kind in KINDS}
        environment = {
            "MONGODB_URI": uri,
            "MONGODB_DATABASE": "chaos",
            "LOGICSPIKE_KEYS": keys,
            "LOGICSPIKE_DATA_DIR": str(folder),
            "LOGICSPIKE_DISABLED_PLATFORMS": "facebook,linkedin,twitter",
            "SLACK_BOT_TOKEN": _TOKEN,
            "SLACK_SIGNING_SECRET": "chaos",
            "SLACK_API_URL": slack.api_url,
        }
        for kind, fake in fakes.items():
            environment |= {
                f"{kind.upper()}_CLIENT_ID": fake.client_id,
                f"{kind.upper()}_CLIENT_SECRET": fake.client_secret,
                f"{kind.upper()}_ENDPOINT_API": await stack.enter_async_context(fake.running()),
            }
        _install(folder / "site")
        log = folder / "workers.log"
        config = Config(environment=environment, log=str(log), timings=timings, publish_limit=PUBLISH_LIMIT)
        nursery = await stack.enter_async_context(open_nursery(config, site=folder / "site"))
        yield Arena(
            seed=seed,
            mongod=mongod,
            folder=folder / "data",
            fakes=fakes,
            slack=slack,
            nursery=nursery,
            stores=build_stores(database),
            vault=Vault(parse_key_ring(keys)),
            log=log,
            dice=random.Random(seed),
        )


def _install(site: Path) -> None:
    folder = site / "chaos_platform-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: chaos-platform\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(ENTRY_POINTS)
