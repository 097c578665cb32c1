"""Posts with pictures, for tests: a team whose Echo takes files, and processes that end in the middle of an upload."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from album_platform import FakeAlbum
from team import PUBLIC_URL, Team, build_team, open_team

from logicspike.domain import Delivery
from logicspike.store.mongo import Database
from logicspike.testing import SAMPLE_PNG


@asynccontextmanager
async def open_album_team(database: Database) -> AsyncIterator[Team]:
    """A team whose Echo takes files; Ana's account is connected."""
    async with open_team(database, plugin="album_platform", fake_class=FakeAlbum) as opened:
        await opened.connect()
        yield opened


async def schedule_picture(
    team: Team, text: str = "Look", *, due_in: timedelta = timedelta(hours=1), **facts: str
) -> Delivery:
    """Schedule a post with one picture."""
    return await team.schedule(text, due_in=due_in, media=(team.files.add(SAMPLE_PNG, **facts),))


def another_process(team: Team) -> Team:
    """Fresh services over the same database, platform and files."""
    other = build_team(team.stores, team.platforms, team.fake, team.clock, team.http, PUBLIC_URL, vault=team.vault)
    other.files.contents = team.files.contents
    return other


def kill(process: Team) -> None:
    """End its tasks as a kill would: nothing more reaches the database."""

    async def nothing(*_args: object, **_rest: object) -> None:
        return None

    process.preparing._deliveries = type("Gone", (), {"release_preparing": staticmethod(nothing)})()
    for task in process.preparing._running:
        task.cancel()
