"""SlackDirectory: names, zones and rights, remembered for five minutes and failing closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.web.async_client import AsyncWebClient

from logicspike.clock import MovableClock
from logicspike.domain import Member
from logicspike.sandbox.fake_slack import FakeSlack
from logicspike.services.people import SlackUnavailable
from logicspike.slack.authorize import CachedAuthorize
from logicspike.slack.client import build_client
from logicspike.slack.directory import SlackDirectory

ANA = Member(team_id="T0ACME", user_id="U0ANA")


@pytest.fixture
def directory(client: AsyncWebClient, clock: MovableClock) -> SlackDirectory:
    return SlackDirectory(client, authorize=CachedAuthorize(client), admins=(), clock=clock)


def _asked(slack: FakeSlack) -> int:
    return sum(call.method == "users.info" for call in slack.api.calls)


async def test_a_member_is_asked_about_once_in_five_minutes(
    slack: FakeSlack, directory: SlackDirectory, clock: MovableClock
):
    first = await directory.get_profile(ANA)
    clock.advance(timedelta(minutes=4, seconds=59))
    assert await directory.get_profile(ANA) == first
    assert _asked(slack) == 1
    clock.advance(timedelta(seconds=2))
    await directory.get_profile(ANA)
    assert _asked(slack) == 2


async def test_without_slack_and_memory_nobody_is_known(slack: FakeSlack, directory: SlackDirectory):
    slack.api.fail("users.info", "internal_error")
    with pytest.raises(SlackUnavailable):
        await directory.get_profile(ANA)


async def test_an_old_answer_names_the_member_but_gives_no_rights(
    slack: FakeSlack, directory: SlackDirectory, clock: MovableClock
):
    admin = next(each for each in slack.workspace.people if each.is_admin or each.is_owner)
    member = Member(team_id="T0ACME", user_id=admin.id)
    before = await directory.get_profile(member)
    assert before.is_admin
    clock.advance(timedelta(minutes=6))
    slack.api.fail("users.info", "internal_error")
    after = await directory.get_profile(member)
    assert (after.name, after.zone, after.is_admin) == (before.name, before.zone, False)


async def test_the_listed_are_admins_too(client: AsyncWebClient, clock: MovableClock):
    directory = SlackDirectory(client, authorize=CachedAuthorize(client), admins=["U0ANA"], clock=clock)
    assert (await directory.get_profile(ANA)).is_admin
    assert await directory.list_admins("T0ACME") == (ANA,)


async def test_the_workspace_has_the_name_slack_gives_it(client: AsyncWebClient, clock: MovableClock):
    authorize = CachedAuthorize(client)
    directory = SlackDirectory(client, authorize=authorize, admins=(), clock=clock)
    assert await directory.get_workspace_name("T0ACME") == "T0ACME"
    await authorize.identify()
    assert await directory.get_workspace_name("T0ACME") == "Acme"


USERS = {
    "U1": {
        "team_id": "T0ACME",
        "is_admin": True,
        "tz": "Europe/Berlin",
        "profile": {"display_name": "  "},
        "name": "x",
    },
    "U2": {"team_id": "T0ACME", "is_owner": True, "deleted": True, "name": "gone"},
    "U3": {"team_id": "T0OTHER", "is_admin": True, "tz": "Not/AZone", "real_name": "Guest"},
    "U4": {"team_id": "T0ORG", "is_owner": True, "enterprise_user": {"teams": ["T0ACME"]}, "tz": None},
    "U5": {"team_id": "T0ACME", "is_admin": "yes", "tz": "../etc/passwd"},
    "U6": {"team_id": "T0ACME", "is_primary_owner": True},
}


@pytest.fixture
async def odd_directory(clock: MovableClock) -> AsyncIterator[SlackDirectory]:
    """Members of kinds that the sandbox's workspace doesn't have."""

    async def info(request: web.Request) -> web.Response:
        form = await request.post()
        user_id = str(form.get("user") or request.query.get("user"))
        return web.json_response({"ok": True, "user": {"id": user_id, **USERS[user_id]}})

    async def page(request: web.Request) -> web.Response:
        form = {**request.query, **await request.post()}
        ids = list(USERS)
        start = int(form.get("cursor") or 0)
        members = [{"id": each, **USERS[each]} for each in ids[start : start + 4]]
        cursor = "4" if start == 0 else ""
        return web.json_response({"ok": True, "members": members, "response_metadata": {"next_cursor": cursor}})

    app = web.Application()
    app.router.add_route("*", "/api/users.info", info)
    app.router.add_route("*", "/api/users.list", page)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        client = build_client(token="xoxb-test", api_url=str(server.make_url("/api/")), session=session)
        yield SlackDirectory(client, authorize=CachedAuthorize(client), admins=["U9"], clock=clock)


@pytest.mark.parametrize(
    ("user_id", "name", "zone", "is_admin"),
    [
        ("U1", "x", "Europe/Berlin", True),
        ("U2", "gone", "UTC", False),
        ("U3", "Guest", "UTC", False),
        ("U4", "a member", "UTC", True),
        ("U5", "a member", "UTC", False),
        ("U6", "a member", "UTC", True),
    ],
)
async def test_rights_names_and_zones_of_odd_members(
    odd_directory: SlackDirectory, user_id: str, name: str, zone: str, is_admin: bool
):
    profile = await odd_directory.get_profile(Member(team_id="T0ACME", user_id=user_id))
    assert (profile.name, profile.zone, profile.is_admin) == (name, zone, is_admin)


async def test_a_deactivated_member_is_told_apart(odd_directory: SlackDirectory):
    assert (await odd_directory.get_profile(Member(team_id="T0ACME", user_id="U2"))).is_deleted


async def test_admins_are_those_listed_and_those_of_all_pages(odd_directory: SlackDirectory):
    admins = await odd_directory.list_admins("T0ACME")
    assert [each.user_id for each in admins] == ["U9", "U1", "U4", "U6"]
