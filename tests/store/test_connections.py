"""The contract of connections."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from logicspike.domain import ConnectionStatus
from logicspike.plugin.types import Account
from logicspike.services.ports import NameTaken


async def test_what_was_kept_is_found_with_every_field(stores, new_connection, now):
    full = new_connection(
        status=ConnectionStatus.NEEDS_RECONNECT,
        choices=(Account(id="x", name="X"), Account(id="y", name="Y", kind="page")),
        status_reason="The password was changed.",
        grant_id="g1",
        token_expires_at=now + timedelta(days=60),
        refreshed_at=now,
        reconnects="c0",
    )
    await stores.connections.insert(full)
    assert full == await stores.connections.find("T1", full.connection_id)


async def test_another_workspace_does_not_see_it(stores, new_connection):
    connection = new_connection()
    await stores.connections.insert(connection)
    assert await stores.connections.find("T2", connection.connection_id) is None
    assert await stores.connections.find_by_account("T2", "echo", connection.account.id) is None
    assert await stores.connections.list_for_team("T2") == ()
    assert await stores.connections.list_nicknames("T2") == frozenset()


async def test_the_same_account_twice_is_refused(stores, new_connection):
    first = new_connection()
    await stores.connections.insert(first)
    with pytest.raises(NameTaken):
        await stores.connections.insert(new_connection(account=first.account))


async def test_the_same_account_in_another_workspace_is_fine(stores, new_connection):
    first = new_connection()
    await stores.connections.insert(first)
    await stores.connections.insert(new_connection(team_id="T2", account=first.account, nickname=first.nickname))


async def test_a_connection_that_waits_for_its_choice_does_not_take_the_account(real_stores, new_connection):
    # On the real server only: mongomock's create_indexes drops partial filters.
    waiting = new_connection(status=ConnectionStatus.PENDING_CHOICE)
    await real_stores.connections.insert(waiting)
    assert await real_stores.connections.find_by_account("T1", "echo", waiting.account.id) is None
    chosen = new_connection(account=waiting.account)
    await real_stores.connections.insert(chosen)
    assert chosen == await real_stores.connections.find_by_account("T1", "echo", waiting.account.id)


async def test_choosing_an_account_that_is_there_already_is_refused(stores, new_connection):
    there, waiting = new_connection(), new_connection(status=ConnectionStatus.PENDING_CHOICE)
    await stores.connections.insert(there)
    await stores.connections.insert(waiting)
    chosen = replace(waiting, status=ConnectionStatus.ACTIVE, account=there.account)
    with pytest.raises(NameTaken):
        await stores.connections.swap(waiting, chosen)
    assert waiting == await stores.connections.find("T1", waiting.connection_id)


async def test_a_nickname_is_unique_in_the_workspace_even_of_disconnected_ones(stores, new_connection):
    gone = new_connection(status=ConnectionStatus.DISCONNECTED, sealed=None)
    await stores.connections.insert(gone)
    with pytest.raises(NameTaken):
        await stores.connections.insert(new_connection(nickname=gone.nickname))
    assert frozenset({gone.nickname}) == await stores.connections.list_nicknames("T1")


async def test_swap_writes_and_clears_fields(stores, new_connection):
    before = new_connection(status_reason="Why")
    await stores.connections.insert(before)
    after = replace(
        before, status=ConnectionStatus.DISCONNECTED, status_reason=None, sealed=None, token_version=2, grant_id="g"
    )
    assert await stores.connections.swap(before, after)
    assert after == await stores.connections.find("T1", before.connection_id)


@pytest.mark.parametrize("stale", [{"token_version": 0}, {"status": ConnectionStatus.NEEDS_RECONNECT}])
async def test_swap_and_delete_of_what_changed_meanwhile_do_nothing(stores, new_connection, stale):
    stored = new_connection()
    await stores.connections.insert(stored)
    before = replace(stored, **stale)
    assert not await stores.connections.swap(before, replace(before, nickname="other"))
    assert not await stores.connections.delete(before)
    assert stored == await stores.connections.find("T1", stored.connection_id)


async def test_swap_refuses_to_turn_one_connection_into_another(stores, new_connection):
    with pytest.raises(ValueError, match="keeps its id"):
        await stores.connections.swap(new_connection(), new_connection())


async def test_swap_leaves_the_refresh_lease_alone(stores, new_connection, now):
    before = new_connection()
    await stores.connections.insert(before)
    until = now + timedelta(minutes=1)
    assert await stores.connections.take_refresh_lease(before, owner="a", until=until, now=now)
    assert await stores.connections.swap(before, replace(before, nickname="echo:new"))
    assert not await stores.connections.take_refresh_lease(before, owner="b", until=until, now=now)


async def test_delete_removes_it(stores, new_connection):
    connection = new_connection()
    await stores.connections.insert(connection)
    assert await stores.connections.delete(connection)
    assert await stores.connections.find("T1", connection.connection_id) is None


async def test_the_list_leaves_out_disconnected_ones_and_is_oldest_first(stores, new_connection, now):
    young = new_connection(created_at=now)
    old = new_connection(created_at=now - timedelta(days=1))
    gone = new_connection(status=ConnectionStatus.DISCONNECTED)
    for connection in (young, old, gone):
        await stores.connections.insert(connection)
    assert (old, young) == await stores.connections.list_for_team("T1")


async def test_a_lane_is_one_workers_at_a_time_across_workspaces(stores, new_connection, now):
    mine, theirs = new_connection(), new_connection(team_id="T2")
    await stores.connections.insert(mine)
    await stores.connections.insert(theirs)
    ids, until = [mine.connection_id, theirs.connection_id, "none"], now + timedelta(minutes=1)
    take = stores.connections.take_lanes
    assert {mine, theirs} == set(await take(ids, owner="a", until=until, now=now))
    assert () == await take(ids, owner="b", until=until, now=now)
    await stores.connections.release_lanes([mine.connection_id], owner="b")
    assert () == await take(ids, owner="b", until=until, now=now)
    await stores.connections.release_lanes([mine.connection_id], owner="a")
    assert (mine,) == await take(ids, owner="b", until=until, now=now)
    assert (theirs,) == await take([theirs.connection_id], owner="c", until=until + timedelta(minutes=1), now=until)


async def test_a_lane_that_its_owner_closes_is_nobodys_until_then(stores, new_connection, now):
    connection = new_connection()
    await stores.connections.insert(connection)
    ids, until, soon = [connection.connection_id], now + timedelta(minutes=1), now + timedelta(seconds=1)
    take = stores.connections.take_lanes
    await take(ids, owner="a", until=until, now=now)

    await stores.connections.close_lane(connection.connection_id, owner="b", until=soon)
    assert (connection,) == await take(ids, owner="a", until=until, now=now), "it is still a's"
    await stores.connections.close_lane(connection.connection_id, owner="a", until=soon)
    await stores.connections.release_lanes(ids, owner="a")

    assert () == await take(ids, owner="a", until=until, now=now)
    assert (connection,) == await take(ids, owner="b", until=until, now=soon)


async def test_a_refresh_lease_is_for_one_and_free_again_when_given_back(stores, new_connection, now):
    connection = new_connection()
    await stores.connections.insert(connection)
    until = now + timedelta(minutes=1)
    take = stores.connections.take_refresh_lease
    assert await take(connection, owner="a", until=until, now=now)
    assert not await take(connection, owner="b", until=until, now=now)
    await stores.connections.release_refresh_lease(connection.connection_id, owner="b")
    assert not await take(connection, owner="b", until=until, now=now)
    await stores.connections.release_refresh_lease(connection.connection_id, owner="a")
    assert await take(connection, owner="b", until=until, now=now)


async def test_a_refresh_lease_ends_by_the_time_given(stores, new_connection, now):
    connection = new_connection()
    await stores.connections.insert(connection)
    until = now + timedelta(minutes=1)
    take = stores.connections.take_refresh_lease
    assert await take(connection, owner="a", until=until, now=now)
    assert not await take(connection, owner="b", until=until, now=until - timedelta(milliseconds=1))
    assert await take(connection, owner="b", until=until + timedelta(minutes=1), now=until)


async def test_no_refresh_lease_on_tokens_that_changed_meanwhile(stores, new_connection, now):
    connection = new_connection()
    await stores.connections.insert(connection)
    stale = replace(connection, token_version=0)
    assert not await stores.connections.take_refresh_lease(stale, owner="a", until=now + timedelta(minutes=1), now=now)


async def test_only_old_unanswered_choices_are_stale(stores, new_connection, now):
    old = new_connection(status=ConnectionStatus.PENDING_CHOICE, created_at=now - timedelta(days=2))
    young = new_connection(status=ConnectionStatus.PENDING_CHOICE, created_at=now)
    chosen = new_connection(created_at=now - timedelta(days=2))
    for connection in (old, young, chosen):
        await stores.connections.insert(connection)
    assert (old,) == await stores.connections.list_stale_choices(now - timedelta(days=1), limit=5)


async def test_a_grant_is_found_across_workspaces_whatever_has_become_of_its_connections(stores, new_connection):
    here = new_connection(grant_id="g1")
    there = new_connection(grant_id="g1", team_id="T2", status=ConnectionStatus.DISCONNECTED, sealed=None)
    question = new_connection(grant_id="g1", status=ConnectionStatus.PENDING_CHOICE)
    others = [
        new_connection(grant_id="g2"),
        new_connection(),
        new_connection(grant_id="g1", platform="other"),
        new_connection(grant_id="g1", credential_set="pages"),
    ]
    for connection in (here, there, question, *others):
        await stores.connections.insert(connection)

    found = await stores.connections.list_by_grant("echo", "", "g1")

    assert {here.connection_id, there.connection_id, question.connection_id} == {each.connection_id for each in found}
    assert [others[3]] == list(await stores.connections.list_by_grant("echo", "pages", "g1"))


async def test_only_active_connections_of_the_platforms_asked_for_are_due_for_a_check(stores, new_connection, now):
    due, never_planned = new_connection(check_at=now), new_connection()
    others = (
        new_connection(check_at=now + timedelta(seconds=1)),
        new_connection(platform="other", check_at=now),
        new_connection(check_at=now, status=ConnectionStatus.NEEDS_RECONNECT),
    )
    for connection in (due, never_planned, *others):
        await stores.connections.insert(connection)

    found = await stores.connections.list_due_checks(["echo", "third"], now, limit=9)

    assert {due.connection_id, never_planned.connection_id} == {each.connection_id for each in found}
    assert 1 == len(await stores.connections.list_due_checks(["echo"], now, limit=1))


async def test_of_many_processes_one_claims_a_check_and_one_a_reminder(real_stores, new_connection, now):
    connection = new_connection(check_at=now, remind_at=now)
    await real_stores.connections.insert(connection)
    store, later = real_stores.connections, [now + timedelta(minutes=n) for n in range(1, 21)]

    assert 1 == sum(await asyncio.gather(*(store.claim_check(connection, until=each) for each in later)))
    assert 1 == sum(await asyncio.gather(*(store.claim_reminder(connection, until=each) for each in later)))


async def test_a_check_is_noted_with_the_tokens_it_was_about_and_beside_what_others_write(stores, new_connection, now):
    connection = new_connection(check_at=now, renew_at=now)
    await stores.connections.insert(connection)
    await stores.connections.claim_renewal(connection, until=now + timedelta(hours=1))
    ends, next_at = now + timedelta(days=9), now + timedelta(days=1)

    noted = {"check_at": next_at, "token_expires_at": ends, "remind_at": None}
    assert await stores.connections.note_check(connection, **noted)
    assert not await stores.connections.note_check(replace(connection, token_version=2), **noted)

    [after] = await stores.connections.list_for_team("T1")
    expected = {"check_at": next_at, "token_expires_at": ends, "renew_at": now + timedelta(hours=1)}
    assert replace(connection, **expected, renewal_tries=1) == after


async def test_a_reminder_is_settled_for_the_tokens_it_was_about(stores, new_connection, now):
    connection, later = new_connection(remind_at=now), now + timedelta(days=6)
    await stores.connections.insert(connection)

    assert (connection,) == await stores.connections.list_due_reminders(now, limit=5)
    await stores.connections.settle_reminder(replace(connection, token_version=9), next_at=later)
    assert (connection,) == await stores.connections.list_due_reminders(now, limit=5)
    await stores.connections.settle_reminder(connection, next_at=later)
    assert () == await stores.connections.list_due_reminders(now, limit=5)
    await stores.connections.settle_reminder(connection, next_at=None)
    assert () == await stores.connections.list_due_reminders(later, limit=5)


async def test_checks_of_a_grant_are_hastened_across_workspaces(stores, new_connection, now):
    later = now + timedelta(days=1)
    here, there = new_connection(grant_id="g", check_at=later), new_connection(grant_id="g", team_id="T2")
    other = new_connection(grant_id="h", check_at=later)
    for connection in (here, replace(there, check_at=later), other):
        await stores.connections.insert(connection)

    await stores.connections.hasten_checks("echo", "", "g", at=now)

    found = await stores.connections.list_due_checks(["echo"], now, limit=9)
    assert {here.connection_id, there.connection_id} == {each.connection_id for each in found}
