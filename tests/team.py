"""A team to test the use cases with: real services, a real database, a real platform's fake, recorded messages.

The fixture ``team`` of tests/services and tests/web makes one for each test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import echo_platform
import guild_platform
from aiohttp.test_utils import TestServer
from memory_slack import Directory, MemoryFiles, RecordingNotifier
from yarl import URL

from logicspike.clock import MovableClock
from logicspike.domain import Connection, ConnectionStatus, Delivery, Member
from logicspike.events import Event
from logicspike.platforms import Platforms
from logicspike.public_web import is_public_web
from logicspike.services.answering import Answering
from logicspike.services.asking_to_reconnect import AskingToReconnect
from logicspike.services.checking_access import CheckingAccess
from logicspike.services.connecting import Callback, Connecting
from logicspike.services.delivering import Delivering
from logicspike.services.disconnecting import Disconnecting
from logicspike.services.editing import Editing, EditRequest, EditResult
from logicspike.services.leaving import Leaving
from logicspike.services.linking import Linking
from logicspike.services.notices import Connected, ConnectLink
from logicspike.services.platform_events import PlatformEvents
from logicspike.services.ports import DeliveryStore
from logicspike.services.preparing import Preparing
from logicspike.services.reconciling import Reconciling
from logicspike.services.refreshing import Refreshing
from logicspike.services.releasing import Releasing
from logicspike.services.reminding import Reminding
from logicspike.services.renewing import Renewing
from logicspike.services.scheduling import Scheduled, ScheduleRequest, Scheduling
from logicspike.services.telling import Telling
from logicspike.store.mongo import Database
from logicspike.store.opening import Stores, build_stores
from logicspike.tasks import Tasks
from logicspike.testing import FakePlatform, press_allow, press_cancel
from logicspike.vault import Vault, generate_key, parse_key_ring
from logicspike.wiring import Parts, build_services

PUBLIC_URL = "http://127.0.0.1:3999"
BROWSER = "b" * 43
ANA = Member(team_id="T1", user_id="UANA")
BEN = Member(team_id="T1", user_id="UBEN")
STRANGER = Member(team_id="T2", user_id="UANA")


@dataclass
class Team:
    clock: MovableClock
    stores: Stores
    platforms: Platforms
    fake: FakePlatform
    notifier: RecordingNotifier
    files: MemoryFiles
    directory: Directory
    events: list[Event]
    connecting: Connecting
    linking: Linking
    disconnecting: Disconnecting
    scheduling: Scheduling
    asking_to_reconnect: AskingToReconnect
    editing: Editing
    refreshing: Refreshing
    renewing: Renewing
    preparing: Preparing
    checking_access: CheckingAccess
    reminding: Reminding
    delivering: Delivering
    reconciling: Reconciling
    answering: Answering
    leaving: Leaving
    platform_events: PlatformEvents
    releasing: Releasing
    telling: Telling
    http: aiohttp.ClientSession
    tasks: Tasks
    vault: Vault
    guild: guild_platform.FakeGuild | None = None
    ana: Member = ANA
    ben: Member = BEN
    stranger: Member = STRANGER

    @property
    def ticket(self) -> str:
        """The ticket of the newest link that was sent."""
        return urlsplit(self.notifier.of(ConnectLink)[-1].url).path.rpartition("/")[2]

    async def sign_in(
        self,
        member: Member,
        *,
        person: str = "",
        platform: str = "echo",
        credential_set: str = "",
        connection_id: str | None = None,
    ) -> str:
        """Ask for a link, press the button, press Allow at the platform, come back; the result's id."""
        await self.connecting.start(member, platform, credential_set=credential_set, connection_id=connection_id)
        return await self.follow_link(person=person, platform=platform)

    async def follow_link(self, *, person: str = "", platform: str = "echo") -> str:
        """Follow the newest link that was sent and press Allow; the result's id."""
        authorize_url = await self.connecting.begin(self.ticket, BROWSER)
        back = await press_allow(self.http, authorize_url, person=person)
        return await self.finish(self.callback(back, platform=platform))

    async def cancel_sign_in(self, member: Member) -> str:
        await self.connecting.start(member, "echo")
        authorize_url = await self.connecting.begin(self.ticket, BROWSER)
        return await self.finish(self.callback(await press_cancel(self.http, authorize_url)))

    async def finish(self, callback: Callback) -> str:
        """Come back from the platform, and wait for what goes on behind the browser's answer."""
        result_id = await self.connecting.finish(callback)
        await self.settle()
        return result_id

    async def settle(self) -> None:
        """Wait for what goes on behind the answers."""
        assert await self.tasks.drain(timedelta(seconds=5)) == 0

    def callback(self, url: str, *, browser: str = BROWSER, platform: str = "echo") -> Callback:
        query = URL(url).query
        return Callback(
            platform=platform,
            state=query["state"],
            browser=browser,
            code=query.get("code"),
            error=query.get("error"),
        )

    async def connect(
        self, member: Member | None = None, *, person: str = "", platform: str = "echo", credential_set: str = ""
    ) -> Connection:
        member = member or self.ana
        await self.sign_in(member, person=person, platform=platform, credential_set=credential_set)
        return (await self.stores.connections.list_for_team(member.team_id))[-1]

    async def connect_both(self) -> tuple[Connection, Connection]:
        """Connect two accounts of one member."""
        first = await self.connect(person="p-1")
        await self.sign_in(self.ana, person="p-2")
        accounts = await self.stores.connections.list_for_team(self.ana.team_id)
        return first, next(each for each in accounts if each.connection_id != first.connection_id)

    async def connect_hall(self, member: Member | None = None, *, position: int = 0, person: str = "m-1") -> Connection:
        """Connect one of the halls a Guild member keeps, by the platform's second developer app."""
        question = await self.connect(member, person=person, platform="guild", credential_set="halls")
        if question.status is ConnectionStatus.PENDING_CHOICE:
            notice = await self.connecting.choose(member or self.ana, question.connection_id, position)
            assert isinstance(notice, Connected), notice
            return notice.connection
        return question

    async def schedule(
        self,
        text: str = "Hello",
        *,
        due_in: timedelta = timedelta(minutes=1),
        accounts: tuple[str, ...] = ("echo",),
        **rest: object,
    ) -> Delivery:
        result = await self.scheduling.schedule(self.request(text, due_in=due_in, accounts=accounts, **rest))
        assert isinstance(result, Scheduled), result
        return result.deliveries[0]

    def request(
        self,
        text: str = "Hello",
        *,
        author: Member | None = None,
        due_in: timedelta = timedelta(minutes=1),
        accounts: tuple[str, ...] = ("echo",),
        **rest: object,
    ) -> ScheduleRequest:
        return ScheduleRequest(
            author=author or self.ana,
            text=text,
            due_at=self.clock.now() + due_in,
            zone="Europe/Berlin",
            accounts=accounts,
            **rest,
        )

    async def schedule_to_both(self, text: str = "Hello", *, due_in: timedelta = timedelta(hours=1)) -> list[Delivery]:
        """Connect two accounts, and schedule a post to both; its deliveries."""
        first, second = await self.connect_both()
        result = await self.scheduling.schedule(
            self.request(text, due_in=due_in, accounts=(first.nickname, second.nickname))
        )
        assert isinstance(result, Scheduled), result
        return list(result.deliveries)

    def edit_request(
        self,
        delivery: Delivery,
        text: str | None = "Changed",
        *,
        due_at: datetime | None = None,
        due_in: timedelta | None = None,
        revision: int = 0,
        **rest: object,
    ) -> EditRequest:
        """What its author would have it say, at its time or another."""
        return EditRequest(
            author=self.ana,
            delivery_id=delivery.delivery_id,
            revision=revision,
            text=text,
            due_at=due_at or (delivery.due_at if due_in is None else self.clock.now() + due_in),
            zone="Europe/Berlin",
            **rest,
        )

    async def edit(self, delivery: Delivery, text: str | None = "Changed", **rest: Any) -> EditResult | None:
        """Save a change of it; the answer."""
        return await self.editing.save(self.edit_request(delivery, text, **rest))

    async def prepare(self, *, after: timedelta = timedelta(0)) -> int:
        """Move the clock, prepare what is to be prepared by then, and wait until all of it has ended."""
        self.clock.advance(after)
        taken = await self.preparing.prepare_due()
        await self.preparing.wait_until_idle()
        return taken

    async def deliver(self, *, after: timedelta = timedelta(0)) -> int:
        """Move the clock, deliver what is due, and wait until all of it is settled."""
        self.clock.advance(after)
        claimed = await self.delivering.deliver_due()
        await self.delivering.wait_until_idle()
        await self.telling.tell_owed()
        return claimed

    async def read(self, delivery: Delivery) -> Delivery:
        found = await self.stores.deliveries.find(delivery.team_id, delivery.delivery_id)
        assert found is not None
        return found

    async def connection(self, connection: Connection) -> Connection:
        found = await self.stores.connections.find(connection.team_id, connection.connection_id)
        assert found is not None
        return found


@asynccontextmanager
async def open_team(
    database: Database,
    *,
    public_url: str = PUBLIC_URL,
    plugin: str = "echo_platform",
    fake_class: type[echo_platform.FakeEcho] = echo_platform.FakeEcho,
    others: Sequence[EntryPoint] = (),
    with_guild: bool = False,
    variables: Mapping[str, str] = MappingProxyType({}),
    may_reach: Callable[[str, int], bool] = is_public_web,
) -> AsyncIterator[Team]:
    """A team on an empty database, with Echo by real HTTP on loopback; other platforms lack their credentials.

    Args:
        database: an empty one, with its indexes.
        public_url: address of the bot.
        plugin: the module that stands for Echo.
        fake_class: its fake.
        others: further platforms, without credentials.
        with_guild: whether Guild is there as well, with its credentials.
        variables: what else the operator has set.
        may_reach: where a server may be that a member has chosen.
    """
    # Whole seconds: the database keeps milliseconds, and times are compared below.
    clock = MovableClock(datetime.now(UTC).replace(microsecond=0), is_frozen=True)
    fake = fake_class(
        client_id="echo-id",
        client_secret="echo-secret",
        clock=clock,
        redirect_uris=[f"{public_url}/api/auth/echo/callback"],
    )
    server = TestServer(fake.build_app())
    await server.start_server(access_log=None)
    address = str(server.make_url("")).rstrip("/")
    environment = {
        **variables,
        "ECHO_CLIENT_ID": "echo-id",
        "ECHO_CLIENT_SECRET": "echo-secret",
        "ECHO_ENDPOINT_AUTH": address,
        "ECHO_ENDPOINT_API": address,
    }
    entry_points = [EntryPoint(name="echo", value=plugin, group="logicspike.platforms"), *others]
    guild, guild_server = None, None
    if with_guild:
        guild, guild_server = await _start_guild(public_url, clock)
        entry_points.append(guild_platform.ENTRY_POINT)
        guild_address = str(guild_server.make_url("")).rstrip("/")
        environment |= guild_platform.ENVIRONMENT
        environment |= {"GUILD_ENDPOINT_AUTH": guild_address, "GUILD_ENDPOINT_API": guild_address}
    async with (
        Platforms.load(
            environment=environment, clock=clock, entry_points=entry_points, may_reach=may_reach
        ) as platforms,
        aiohttp.ClientSession() as http,
    ):
        built = build_team(build_stores(database), platforms, fake, clock, http, public_url)
        built.guild = guild
        yield built
        await built.settle()
        await built.preparing.stop()
        await built.delivering.stop(timedelta(seconds=5))
    await server.close()
    if guild_server is not None:
        await guild_server.close()


async def _start_guild(public_url: str, clock: MovableClock) -> tuple[guild_platform.FakeGuild, TestServer]:
    guild = guild_platform.FakeGuild(
        client_id="guild-id",
        client_secret="guild-secret",
        clock=clock,
        redirect_uris=[f"{public_url}/api/auth/guild/callback"],
    )
    server = TestServer(guild.build_app())
    await server.start_server(access_log=None)
    return guild, server


async def claim_due(
    deliveries: DeliveryStore, *, now: datetime, owner: str, until: datetime, limit: int
) -> tuple[Delivery, ...]:
    """Look for what is due and claim it, without minding whose turn it is."""
    due = await deliveries.list_due(now, limit=limit)
    return await deliveries.claim([each.delivery_id for each in due], now=now, owner=owner, until=until)


async def no_pause(_seconds: float) -> None:
    """Waits not at all: what comes next is tried at once."""


def build_team(
    stores: Stores,
    platforms: Platforms,
    fake: FakePlatform,
    clock: MovableClock,
    http: aiohttp.ClientSession,
    public_url: str,
    *,
    vault: Vault | None = None,
) -> Team:
    vault = vault or Vault(parse_key_ring(f"test:{generate_key()}"))
    notifier, files, directory, events, tasks = RecordingNotifier(), MemoryFiles(), Directory(), [], Tasks()
    services = build_services(
        Parts(
            stores=stores,
            platforms=platforms,
            members=directory,
            notifier=notifier,
            files=files,
            vault=vault,
            clock=clock,
            emit=events.append,
            public_url=public_url,
            pause=no_pause,
            tasks=tasks,
        )
    )
    return Team(
        clock=clock,
        stores=stores,
        platforms=platforms,
        fake=fake,
        notifier=notifier,
        files=files,
        directory=directory,
        events=events,
        http=http,
        tasks=tasks,
        vault=vault,
        **{each.name: getattr(services, each.name) for each in fields(services)},
    )
