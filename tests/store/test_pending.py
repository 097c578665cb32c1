"""The contract of links, authorization requests and results."""

from dataclasses import replace
from datetime import timedelta

import pytest

from logicspike.domain import PendingAuthorization, Purpose, Ticket
from logicspike.services.ports import ConnectResult


@pytest.fixture
def ticket(member, now):
    return Ticket(
        ticket_hash="h1",
        member=member,
        platform="echo",
        purpose=Purpose.RECONNECT,
        member_name="Ann",
        workspace_name="Acme",
        expires_at=now + timedelta(minutes=30),
        connection_id="c1",
    )


@pytest.fixture
def pending(member, now):
    return PendingAuthorization(
        state_hash="s1",
        ticket_hash="h1",
        member=member,
        platform="echo",
        purpose=Purpose.CONNECT,
        browser_hash="b1",
        redirect_uri="https://bot.example/api/auth/echo/callback",
        sealed="sealed",
        expires_at=now + timedelta(minutes=10),
    )


async def test_a_link_is_found_by_its_hash_and_remembers_its_message_and_its_end(stores, ticket):
    await stores.pending.save_ticket(ticket)
    assert ticket == await stores.pending.find_ticket("h1")
    await stores.pending.set_ticket_message("h1", "D1/1.2")
    spent = replace(ticket, message="D1/1.2", is_spent=True)
    assert spent == await stores.pending.spend_ticket("h1")
    assert spent == await stores.pending.find_ticket("h1")
    assert await stores.pending.spend_ticket("h2") is None
    assert await stores.pending.find_ticket("h2") is None


async def test_a_request_is_used_once(stores, pending, now):
    await stores.pending.save_authorization(pending)
    take = {"platform": "echo", "browser_hash": "b1", "now": now}
    assert pending == await stores.pending.take_authorization("s1", **take)
    assert await stores.pending.take_authorization("s1", **take) is None
    assert await stores.pending.find_authorization("s1") is None


@pytest.mark.parametrize(
    "wrong",
    [{"platform": "other"}, {"browser_hash": "b2"}, {"now": timedelta(minutes=10)}, {"state_hash": "s2"}],
    ids=["platform", "browser", "expired", "state"],
)
async def test_a_request_that_does_not_fit_is_neither_given_nor_used_up(stores, pending, now, wrong):
    await stores.pending.save_authorization(pending)
    asked = {"state_hash": "s1", "platform": "echo", "browser_hash": "b1", "now": timedelta(0)} | wrong
    asked["now"] = now + asked["now"]
    assert await stores.pending.take_authorization(asked.pop("state_hash"), **asked) is None
    assert pending == await stores.pending.find_authorization("s1")


async def test_a_link_cannot_be_taken_for_a_request_nor_a_result(stores, ticket):
    await stores.pending.save_ticket(ticket)
    assert await stores.pending.find_authorization("h1") is None
    assert await stores.pending.find_result("h1") is None


async def test_a_result_is_kept(stores):
    result = ConnectResult(outcome="connected", platform_title="Echo", account_name="Acme")
    await stores.pending.save_result("r1", result)
    assert result == await stores.pending.find_result("r1")
    assert await stores.pending.find_result("r2") is None


async def test_a_workspace_is_forgotten_and_only_that(stores, ticket, pending, member):
    other = replace(ticket, ticket_hash="h2", member=replace(member, team_id="T2"))
    await stores.pending.save_ticket(ticket)
    await stores.pending.save_ticket(other)
    await stores.pending.save_authorization(pending)
    await stores.pending.forget_team("T1")
    assert await stores.pending.find_ticket("h1") is None
    assert await stores.pending.find_authorization("s1") is None
    assert other == await stores.pending.find_ticket("h2")
