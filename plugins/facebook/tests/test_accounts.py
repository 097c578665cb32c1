"""Which Pages a member is offered, how they are shown, and what is said when there is none."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

import logicspike_facebook as plugin
from logicspike.plugin import AuthorizationFailed
from logicspike.testing.mock_http import MockHttp
from logicspike_facebook.sandbox_people import DANA, JONAS, MIRA, PORTFOLIO_ID


def any_url(path: str) -> Any:
    return re.compile(rf"^http://127\.0\.0\.1:\d+/v26\.0/{path}(\?.*)?$")


async def test_a_page_is_shown_with_its_name_handle_picture_and_address(rig: Any) -> None:
    account = (await rig.connect()).account

    assert (account.name, account.handle, account.kind) == ("Bergström Bikes", "@bergstrombikes", "page")
    assert account.url == f"{rig.origin}/{account.id}"
    async with rig.http.get(account.picture) as picture:
        assert picture.content_type == "image/svg+xml"


async def test_a_page_without_a_short_name_has_no_handle(rig: Any) -> None:
    assert [page.account.handle for page in await rig.list_pages()] == ["@acmecoffee", "@acmeroastery", None]


@pytest.mark.parametrize(
    "entry",
    [
        {"link": "javascript:alert(1)", "picture": {"data": {"url": "data:image/png;base64,"}}},
        {"link": 7, "picture": {"data": {"url": None}}, "username": 7},
        {"picture": {"data": []}, "username": ""},
        {"picture": "x", "link": "https://["},
        {},
    ],
)
async def test_odd_facts_of_a_page_are_left_out(rig: Any, entry: dict[str, Any]) -> None:
    person = await rig.sign_in()
    page = {"id": "2", "name": "Good", "access_token": "page-token", "tasks": ["CREATE_CONTENT"]}
    with MockHttp() as http:
        http.get(any_url("me/accounts"), payload={"data": [page | entry]})
        http.get(any_url("me/businesses"), payload={"data": []})
        (found,) = await plugin.accounts(rig.context(), person)
    assert (found.account.handle, found.account.picture) == (None, None)
    assert found.account.url == f"{rig.origin}/2"


# --- business portfolios ---------------------------------------------------------------------------------------------


async def test_pages_that_only_a_portfolio_lists_are_offered_and_can_be_posted_on(rig: Any) -> None:
    pages = await rig.list_pages(person=MIRA.id)

    assert [page.account.name for page in pages] == ["Okafor & Sons", "Harbour Books"]
    for page in pages:
        await rig.publish(page)
    assert len(rig.fake.ledger) == 2


async def test_a_page_in_both_lists_is_offered_once_with_the_tasks_of_the_first(rig: Any) -> None:
    person = await rig.sign_in()
    own = {"id": "2", "name": "Twice", "access_token": "t", "tasks": ["ANALYZE"]}
    with MockHttp() as http:
        http.get(any_url("me/accounts"), payload={"data": [own]})
        http.get(any_url("me/businesses"), payload={"data": [{"id": "9"}]})
        http.get(any_url("9/owned_pages"), payload={"data": [{"id": "2", "name": "Twice", "access_token": "t"}]})
        http.get(any_url("9/client_pages"), payload={"data": [{"id": "3", "name": "Third", "access_token": "t"}]})
        assert [page.account.id for page in await plugin.accounts(rig.context(), person)] == ["3"]


async def test_a_portfolios_page_without_access_is_not_offered(rig: Any) -> None:
    rig.fake.pages[MIRA.id][0].tasks = ["ANALYZE"]
    assert [page.account.name for page in await rig.list_pages(person=MIRA.id)] == ["Harbour Books"]


async def test_without_the_permission_no_portfolio_is_asked_for(rig: Any) -> None:
    grant = await rig.grant(scope="pages_show_list,pages_manage_posts,pages_read_engagement")
    person = await plugin.exchange(rig.context(), grant)
    assert len(await plugin.accounts(rig.context(), person)) == 1
    assert [] == [path for _, path in rig.fake.requests if "businesses" in path]


@pytest.mark.parametrize("path", ["me/businesses", "owned_pages"])
async def test_a_portfolio_that_cant_be_read_keeps_nobody_from_their_own_pages(
    rig: Any, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    person = await rig.sign_in(person=MIRA.id)
    rig.fake.pages[MIRA.id][1].edge = ""
    rig.fake.refuse_with("1", path=path)
    with caplog.at_level(logging.INFO, logger="logicspike_facebook"):
        pages = await plugin.accounts(rig.context(), person)
    assert [page.account.name for page in pages] == ["Harbour Books"]
    assert ["facebook.portfolio_unread"] == [record.event for record in caplog.records if hasattr(record, "event")]


async def test_a_portfolio_that_takes_too_long_keeps_nobody_waiting(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logicspike_facebook.pages._PORTFOLIO_SECONDS", 0.0)
    assert len(await rig.list_pages(person=JONAS.id)) == 1


# --- nothing to post on ----------------------------------------------------------------------------------------------


async def test_pages_without_the_right_are_named_when_there_is_no_other(rig: Any) -> None:
    rig.fake.switch("role_lost")
    with pytest.raises(AuthorizationFailed, match="lists Acme Coffee, Acme Coffee Roastery, Acme Careers, but"):
        await rig.list_pages(person=DANA.id)


async def test_many_pages_without_the_right_are_counted(rig: Any) -> None:
    person = await rig.sign_in()
    listed = [{"id": str(number), "name": f"Page {number}", "access_token": "t", "tasks": []} for number in range(5)]
    with MockHttp() as http:
        http.get(any_url("me/accounts"), payload={"data": listed})
        http.get(any_url("me/businesses"), payload={"data": []})
        with pytest.raises(AuthorizationFailed, match="lists Page 0, Page 1, Page 2 and 2 more, but"):
            await plugin.accounts(rig.context(), person)


async def test_only_the_pages_that_were_ticked_are_listed_and_more_after_asking_again(rig: Any) -> None:
    rig.fake.switch("first_page_only")
    assert ["Acme Coffee"] == [page.account.name for page in await rig.list_pages()]

    rig.fake.switch("first_page_only", on=False)
    url = await rig.authorize_url(is_rerequest=True)
    assert "auth_type=rerequest" in url
    assert len(await rig.list_pages()) == 3


async def test_what_is_optional_may_be_declined(rig: Any) -> None:
    rig.fake.switch("comments_withheld")
    page = await rig.connect()
    assert "pages_manage_engagement" not in page.tokens.scopes
    assert await rig.publish(page)


def test_the_fakes_portfolio_is_not_a_page() -> None:
    assert PORTFOLIO_ID not in {JONAS.id, DANA.id, MIRA.id}
