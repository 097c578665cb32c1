"""CachedAuthorize: one question to Slack, and no answer for workspaces that are not ours."""

from __future__ import annotations

import asyncio
import contextlib

from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from logicspike.sandbox.fake_slack import FakeSlack
from logicspike.slack.authorize import CachedAuthorize, Workspace, describe_failure

TEAM = "T0ACME"


def _asked(slack: FakeSlack) -> int:
    return sum(call.method == "auth.test" for call in slack.api.calls)


async def _authorize(authorize: CachedAuthorize, team_id: str, enterprise_id: str | None = None):
    return await authorize(context=AsyncBoltContext(), enterprise_id=enterprise_id, team_id=team_id, user_id="U0ANA")


async def test_slack_is_asked_once_for_many_requests(slack: FakeSlack, client: AsyncWebClient):
    authorize = CachedAuthorize(client)
    assert await authorize.identify()
    results = await asyncio.gather(*(_authorize(authorize, TEAM) for _ in range(50)))
    assert {result.bot_token for result in results} == {client.token}
    assert results[0].bot_user_id is not None
    assert _asked(slack) == 1


async def test_nobody_is_let_in_before_slack_answers(client: AsyncWebClient):
    authorize = CachedAuthorize(client)
    assert not authorize.is_ready
    assert await _authorize(authorize, TEAM) is None
    refusal = authorize.find_refusal(TEAM, None)
    assert refusal is not None
    assert "try again" in refusal.explanation


async def test_another_workspace_is_refused(client: AsyncWebClient):
    authorize = CachedAuthorize(client)
    await authorize.identify()
    assert await _authorize(authorize, "T0OTHER") is None
    assert authorize.find_refusal("T0OTHER", None) is not None
    assert authorize.find_refusal(TEAM, None) is None
    assert authorize.find_refusal(None, None) is not None


class Told:
    """Notes which workspaces were named, and lets a test wait for the next one."""

    def __init__(self) -> None:
        self.workspaces: asyncio.Queue[Workspace] = asyncio.Queue()

    async def __call__(self, workspace: Workspace) -> None:
        self.workspaces.put_nowait(workspace)

    async def next(self) -> Workspace:
        async with asyncio.timeout(20):
            workspace = await self.workspaces.get()
        await asyncio.sleep(0)  # lets the teller finish what it does after telling
        return workspace


@contextlib.asynccontextmanager
async def running(authorize: CachedAuthorize):
    task = asyncio.create_task(authorize.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_it_asks_again_until_slack_answers(slack: FakeSlack, client: AsyncWebClient):
    slack.api.fail("auth.test", "internal_error", times=3)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    told = Told()
    async with running(CachedAuthorize(client, on_identified=told, pause=pause)):
        await told.next()
    assert pauses == [1, 2, 4]


async def test_who_wants_to_know_is_told_the_workspace(client: AsyncWebClient):
    told = Told()
    await CachedAuthorize(client, on_identified=told).identify()
    workspace = await told.next()
    assert (workspace.team_id, workspace.name) == (TEAM, "Acme")


async def test_it_is_not_ready_while_the_workspace_cannot_be_noted(client: AsyncWebClient):
    async def fail(_: Workspace) -> None:
        raise OSError("the database is away")

    authorize = CachedAuthorize(client, on_identified=fail)
    assert not await authorize.identify()
    assert not authorize.is_ready


async def test_a_removed_workspace_is_refused_until_slack_accepts_the_token_again(
    slack: FakeSlack, client: AsyncWebClient
):
    pauses: list[float] = []
    resume = asyncio.Event()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await resume.wait()

    told = Told()
    authorize = CachedAuthorize(client, on_identified=told, pause=pause)
    async with running(authorize):
        await told.next()
        authorize.forget("T0OTHER")
        assert authorize.is_ready
        authorize.forget(TEAM)
        assert await _authorize(authorize, TEAM) is None
        refusal = authorize.find_refusal(TEAM, None)
        assert refusal is not None
        assert "removed" in refusal.explanation
        resume.set()
        await told.next()
        assert authorize.is_ready
    assert pauses == [60]
    assert _asked(slack) == 2


async def test_an_organisation_wide_token_is_good_for_its_workspaces(client: AsyncWebClient, monkeypatch):
    ask = client.auth_test

    async def auth_test() -> AsyncSlackResponse:
        answer = await ask()
        answer.data |= {"team_id": "E0ORG", "team": "Org", "enterprise_id": "E0ORG", "is_enterprise_install": True}
        return answer

    monkeypatch.setattr(client, "auth_test", auth_test)
    authorize = CachedAuthorize(client)
    await authorize.identify()
    assert await _authorize(authorize, "T0ACME", "E0ORG") is not None
    assert await _authorize(authorize, "T0ACME", "E0ELSE") is None


async def test_what_the_token_may_do_is_known_once_slack_has_said_so(slack: FakeSlack, client: AsyncWebClient):
    slack.api.scopes = frozenset({"commands", "chat:write"})
    authorize = CachedAuthorize(client)
    assert authorize.has_scope("files:read"), "not known yet"
    await authorize.identify()
    assert (True, False) == (authorize.has_scope("chat:write"), authorize.has_scope("files:read"))


async def test_the_token_stays_out_of_the_log(slack: FakeSlack, client: AsyncWebClient, caplog):
    slack.api.fail("auth.test", "invalid_auth", times=1)
    authorize = CachedAuthorize(client)
    assert not await authorize.identify()
    assert "invalid_auth" in caplog.text
    assert str(client.token) not in caplog.text


def test_a_failure_that_came_as_a_page_is_described_by_its_kind():
    answer = AsyncSlackResponse(
        client=None,
        http_verb="GET",
        api_url="https://slack.com/api/users.info",
        req_args={},
        data="<html>Bad gateway, xoxb-secret</html>",
        headers={},
        status_code=502,
    )

    assert "SlackApiError" == describe_failure(SlackApiError("no", answer))
