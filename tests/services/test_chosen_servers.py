"""Where each member chooses a server: the sign-in is at theirs, and so is everything afterwards."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pond_platform
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from team import BROWSER, Team, open_team
from yarl import URL

from logicspike.chosen_servers import ServerRefused
from logicspike.clock import MovableClock
from logicspike.domain import DeliveryState
from logicspike.services import asking_for_servers
from logicspike.store.mongo import Database
from logicspike.testing import press_allow


@dataclass
class Pond:
    fake: pond_platform.FakePond
    server: TestServer

    @property
    def origin(self) -> str:
        return str(self.server.make_url("")).rstrip("/")


async def open_pond() -> Pond:
    fake = pond_platform.FakePond(client_id="", client_secret="", clock=MovableClock())
    server = TestServer(fake.build_app())
    await server.start_server(access_log=None)
    return Pond(fake, server)


@pytest.fixture
async def suggested() -> AsyncIterator[Pond]:
    pond = await open_pond()
    yield pond
    await pond.server.close()


@pytest.fixture
async def other(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pond]:
    """Another server; on loopback it has no name, so what is typed is taken as it is."""
    pond = await open_pond()
    monkeypatch.setattr(asking_for_servers, "read_server", lambda typed, *, suggested: typed or suggested)
    yield pond
    await pond.server.close()


@pytest.fixture
async def team(mongo_database: Database, suggested: Pond) -> AsyncIterator[Team]:
    async with open_team(
        mongo_database,
        others=[pond_platform.ENTRY_POINT],
        variables={"POND_ENDPOINT_ALL": suggested.origin},
        may_reach=lambda address, _port: ipaddress.ip_address(address).is_loopback,
    ) as opened:
        yield opened


async def sign_in_at(team: Team, server: str) -> None:
    await team.connecting.start(team.ana, "pond")
    url = await team.connecting.begin(team.ticket, BROWSER, server)
    await team.finish(team.callback(await press_allow(team.http, url), platform="pond"))


async def test_platform_without_credentials_of_the_operator_is_ready(team: Team) -> None:
    assert team.platforms.problems("pond") == ()


async def test_the_page_suggests_a_server(team: Team, suggested: Pond) -> None:
    await team.connecting.start(team.ana, "pond")
    assert f"127.0.0.1:{suggested.server.port}" == (await team.connecting.open_link(team.ticket)).server
    await team.connecting.start(team.ana, "echo")
    assert "" == (await team.connecting.open_link(team.ticket)).server


async def test_posts_go_to_the_server_that_was_chosen(team: Team, suggested: Pond, other: Pond) -> None:
    await sign_in_at(team, other.origin)
    delivery = await team.schedule(accounts=("pond",))
    await team.deliver(after=delivery.due_at - team.clock.now())
    assert DeliveryState.PUBLISHED == (await team.read(delivery)).state
    assert ["Hello"] == [entry.text for entry in other.fake.ledger]
    assert suggested.fake.requests == []


async def test_the_same_id_at_two_servers_is_two_accounts(team: Team, suggested: Pond, other: Pond) -> None:
    for server in (suggested.origin, other.origin):
        await sign_in_at(team, server)
    found = await team.stores.connections.list_for_team("T1")
    assert 2 == len({connection.account.id for connection in found})


async def test_a_reconnect_suggests_the_accounts_own_server(team: Team, suggested: Pond, other: Pond) -> None:
    await sign_in_at(team, other.origin)
    [connection] = await team.stores.connections.list_for_team("T1")
    await team.connecting.start(team.ana, "pond", connection_id=connection.connection_id)
    assert f"127.0.0.1:{other.server.port}" == (await team.connecting.open_link(team.ticket)).server


async def test_what_is_no_server_is_refused_before_anything_is_asked(team: Team, suggested: Pond) -> None:
    await team.connecting.start(team.ana, "pond")
    with pytest.raises(ServerRefused, match="can be reached"):
        await team.connecting.begin(team.ticket, BROWSER, "lake.example")
    assert suggested.fake.requests == []


async def test_a_server_of_something_else_is_asked_about_and_the_link_stays_good(
    team: Team, suggested: Pond, other: Pond
) -> None:
    async with TestServer(web.Application()) as elsewhere:
        await team.connecting.start(team.ana, "pond")
        with pytest.raises(ServerRefused, match=r"This server is no Pond. Is 127.0.0.1:\d+ the right server\?"):
            await team.connecting.begin(team.ticket, BROWSER, str(elsewhere.make_url("").origin()))
    assert URL(await team.connecting.begin(team.ticket, BROWSER, "")).port == suggested.server.port


async def test_a_server_in_a_private_network_is_not_reached(mongo_database: Database, other: Pond) -> None:
    async with open_team(mongo_database, others=[pond_platform.ENTRY_POINT]) as team:
        await team.connecting.start(team.ana, "pond")
        with pytest.raises(ServerRefused):
            await team.connecting.begin(team.ticket, BROWSER, other.origin)
    assert other.fake.requests == []
