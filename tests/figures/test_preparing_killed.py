"""A worker that is killed with SIGKILL in the middle of an upload: the next one takes the preparation over."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from album_platform import FakeAlbum
from pictures import schedule_picture
from team import PUBLIC_URL, Team, build_team, open_team

from logicspike.domain import DeliveryState
from logicspike.store.mongo import Database
from logicspike.store.schema import ensure_schema
from logicspike.vault import Vault, generate_key, parse_key_ring

TESTS = Path(__file__).parents[1]
KEYS = f"test:{generate_key()}"


@pytest.fixture
async def team(bare_database: Database) -> AsyncIterator[Team]:
    """A team whose keys another process can be given."""
    await ensure_schema(bare_database)
    async with open_team(bare_database, plugin="album_platform", fake_class=FakeAlbum) as opened:
        keys = Vault(parse_key_ring(KEYS))
        known = build_team(
            opened.stores, opened.platforms, opened.fake, opened.clock, opened.http, PUBLIC_URL, vault=keys
        )
        await known.connect()
        yield known
        await known.preparing.stop()
        await known.delivering.stop(timedelta(seconds=5))


async def test_a_killed_workers_upload_is_begun_anew_and_the_post_goes_out_once_with_its_picture(team, mongod_uri):
    delivery = await schedule_picture(team)
    team.clock.advance(timedelta(minutes=30))
    team.fake.may_end.clear()
    address = team.platforms.endpoints("echo")["api"]
    config = {
        "uri": mongod_uri,
        "database": team.stores.database.name,
        "now": team.clock.now().isoformat(),
        "keys": KEYS,
        "files": {name: content.hex() for name, content in team.files.contents.items()},
        "environment": {
            "ECHO_CLIENT_ID": "echo-id",
            "ECHO_CLIENT_SECRET": "echo-secret",
            "ECHO_ENDPOINT_AUTH": address,
            "ECHO_ENDPOINT_API": address,
        },
    }
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "figures.preparer", json.dumps(config), env={**os.environ, "PYTHONPATH": str(TESTS)}
    )
    try:
        async with asyncio.timeout(60):
            await team.fake.began.wait()
    finally:
        worker.kill()
        await worker.wait()
    team.fake.may_end.set()

    assert 0 == await team.prepare(after=timedelta(seconds=59)), "its lease is not over"
    assert 1 == await team.prepare(after=timedelta(seconds=1))
    await team.deliver(after=timedelta(minutes=29))

    assert DeliveryState.PUBLISHED == (await team.read(delivery)).state
    [entry] = team.fake.ledger
    assert 1 == len(entry.media)
