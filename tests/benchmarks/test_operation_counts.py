"""Database operations are exact where times are not: what a post costs, a sign-in, and a process with nothing to do."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import fields
from datetime import timedelta

import pytest
from benchmarks.stocking import account_names, add_accounts, add_posts
from team import open_team

from logicspike.domain import Timings
from logicspike.plugin.types import PublishedPost
from logicspike.services.connecting import Callback
from logicspike.testing import press_allow

ACCOUNTS = account_names(20)


@pytest.fixture
async def team(watched_database):
    async with open_team(watched_database) as opened:
        await add_accounts(watched_database, opened.refreshing._vault, ACCOUNTS, platform="echo")
        yield opened


@pytest.fixture
def publishes_at_once(team, monkeypatch) -> list[str]:
    """The platform takes everything without a request; the keys it was given."""
    taken: list[str] = []

    async def publish(_name, _credential, post, _prepared):
        taken.append(post.key)
        return PublishedPost(id=post.key, url=None)

    monkeypatch.setattr(team.platforms, "publish", publish)
    return taken


async def drain(team) -> None:
    while await team.deliver():
        pass


@pytest.mark.parametrize("count", [200, 600])
async def test_draining_a_backlog_takes_at_most_three_operations_a_post(team, commands, publishes_at_once, count):
    posts = [(f"p{number:04}", ACCOUNTS[number % len(ACCOUNTS)]) for number in range(count)]
    await add_posts(team.stores.database, posts, due_at=team.clock.now(), platform="echo")
    commands.sent.clear()

    await drain(team)

    assert count == len(publishes_at_once), "all must have gone out, or the count means nothing"
    spent = Counter(name for name, _ in commands.sent)
    assert spent.total() <= 3 * count, spent


async def test_a_single_post_takes_at_most_twelve_operations(team, commands, publishes_at_once):
    await add_posts(team.stores.database, [("p1", ACCOUNTS[0])], due_at=team.clock.now(), platform="echo")
    commands.sent.clear()

    await team.deliver()

    assert ["p1"] == publishes_at_once
    # look, take the lane (2), claim (2), write ahead, outcome, release the lane; take what is owed (3), note it as told
    assert len(commands.sent) <= 12, Counter(name for name, _ in commands.sent)


async def test_each_further_part_of_a_thread_takes_at_most_four_operations(team, commands, publishes_at_once):
    await team.connect()
    await team.schedule("\n---\n".join("abcde"), due_in=timedelta(0))
    commands.sent.clear()

    await team.deliver()

    assert 5 == len(publishes_at_once)
    # look at it, claim it, write ahead, outcome
    assert len(commands.sent) <= 12 + 4 * 4, Counter(name for name, _ in commands.sent)


async def test_a_process_with_nothing_to_do_looks_at_most_twice_a_second(team, commands):
    """Counted by tick and multiplied by how often each comes round, so that no test must wait for it."""
    timings = Timings()
    spent = {}
    for name, tick in {
        "deliver_every": team.delivering.deliver_due,
        "prepare_every": team.preparing.prepare_due,
        "rescue_every": team.reconciling.rescue,
        "settle_every": team.reconciling.settle_unknown,
        "keep_every": lambda: asyncio.gather(
            team.asking_to_reconnect.ask_owed(),
            team.platform_events.finish_due(),
            team.renewing.renew_due(),
            team.checking_access.check_due(),
            team.reminding.remind_due(),
        ),
        "tell_every": team.telling.tell_owed,
    }.items():
        commands.sent.clear()
        await tick()
        spent[name] = len(commands.sent) * (timedelta(seconds=1) / getattr(timings, name))

    assert spent.keys() == {each.name for each in fields(timings) if each.name.endswith("_every")} - {"progress_every"}
    assert sum(spent.values()) <= 2, spent


BROWSER = "b" * 43


async def press_the_button(team, *, connection_id: str | None = None) -> Callback:
    """Do what comes before the callback."""
    await team.connecting.start(team.ana, "echo", connection_id=connection_id)
    url = await team.connecting.begin(team.ticket, BROWSER)
    return team.callback(await press_allow(team.http, url, person="p-1"))


async def test_a_callback_takes_four_operations_and_its_page_one(team, commands):
    callback = await press_the_button(team)
    commands.sent.clear()

    result_id = await team.finish(callback)

    # use up the state, end the link, keep the connection, keep what the page says
    assert [
        ("findAndModify", "pending_authorizations"),
        ("findAndModify", "pending_authorizations"),
        ("insert", "social_connections"),
        ("update", "pending_authorizations"),
    ] == [(name, command[name]) for name, command in commands.sent]
    commands.sent.clear()
    await team.connecting.find_result(result_id)
    assert ["find"] == [name for name, _ in commands.sent]


async def test_a_callback_of_an_account_that_is_back_takes_five_operations_and_looks_for_held_posts(team, commands):
    connection = await team.connect(person="p-1")
    callback = await press_the_button(team, connection_id=connection.connection_id)
    commands.sent.clear()

    await team.connecting.finish(callback)

    assert 5 == len(commands.sent), Counter(name for name, _ in commands.sent)  # one more: which account it was
    await team.settle()
    assert 6 == len(commands.sent)
    assert 1 == len(commands.of("find", "deliveries"))
