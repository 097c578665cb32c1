"""From the dialog to the Pages a member may publish on."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from yarl import URL

import logicspike_facebook as plugin
from logicspike.plugin import (
    AuthorizationFailed,
    AuthorizationGrant,
    MemberActionRequired,
    OperatorActionRequired,
    PlatformUnavailable,
    RateLimited,
)
from logicspike.testing import press_cancel
from logicspike.testing.mock_http import MockHttp
from logicspike_facebook.sandbox_people import DANA, JONAS

LONG_LIFETIME = timedelta(seconds=5_183_944)


async def test_the_dialog_asks_for_what_publishing_takes_and_again_for_what_was_declined(rig: Any) -> None:
    url = URL(await rig.authorize_url())

    assert url.path == "/v26.0/dialog/oauth"
    assert url.query["scope"] == (
        "pages_show_list,pages_manage_posts,pages_read_engagement,pages_manage_engagement,business_management"
    )
    assert url.query["auth_type"] == "rerequest"
    assert url.query["response_type"] == "code"
    assert url.query["state"] == "state-1"


async def test_a_configuration_takes_the_place_of_the_scopes(rig: Any) -> None:
    url = URL(await rig.authorize_url(config_id="777"))

    assert url.query["config_id"] == "777"
    assert "scope" not in url.query
    assert "auth_type" not in url.query
    assert URL(await rig.authorize_url(config_id="777", is_rerequest=True)).query["auth_type"] == "rerequest"


async def test_a_sign_in_by_configuration_lists_pages_too(rig: Any) -> None:
    url = URL(await rig.authorize_url(config_id="777"))
    grant = await rig.grant(config_id=url.query["config_id"])
    person = await plugin.exchange(rig.context(), grant)

    assert len(await plugin.accounts(rig.context(), person)) == 1


async def test_the_version_of_the_api_is_a_setting(rig: Any) -> None:
    assert URL(await rig.authorize_url(graph_version="v25.0")).path == "/v25.0/dialog/oauth"


async def test_exchange_gives_the_person_with_a_token_of_sixty_days(rig: Any) -> None:
    person = await rig.sign_in(person=DANA.id)

    assert (person.account.id, person.account.name, person.account.kind) == (DANA.id, DANA.name, "profile")
    assert person.grant_id == DANA.id
    assert person.tokens.expires_at == rig.clock.now() + LONG_LIFETIME
    assert set(plugin.describe().scopes) <= set(person.tokens.scopes)


async def test_the_short_token_is_not_the_one_that_is_kept(rig: Any) -> None:
    person = await rig.sign_in()

    exchanged = [seen for seen in rig.seen if "fb_exchange_token" in seen.form]
    assert len(exchanged) == 1
    assert exchanged[0].form["fb_exchange_token"] != person.tokens.access_token


async def test_each_page_comes_with_its_own_token(rig: Any) -> None:
    pages = await rig.list_pages(person=DANA.id)

    assert [page.account.name for page in pages] == ["Acme Coffee", "Acme Coffee Roastery", "Acme Careers"]
    assert {page.account.kind for page in pages} == {"page"}
    assert {page.grant_id for page in pages} == {DANA.id}
    assert len({page.tokens.access_token for page in pages}) == 3
    assert all(page.extra["user_token"] != page.tokens.access_token for page in pages)
    assert {page.tokens.expires_at for page in pages} == {None}
    assert pages[0].account.url == f"{rig.origin}/{pages[0].account.id}"


async def test_one_page_is_one_account(rig: Any) -> None:
    assert [page.account.name for page in await rig.list_pages(person=JONAS.id)] == ["Bergström Bikes"]


async def test_pages_where_the_person_may_not_publish_are_left_out(rig: Any) -> None:
    rig.fake.pages[DANA.id][1].tasks = ["ANALYZE", "MODERATE"]

    assert [page.account.name for page in await rig.list_pages()] == ["Acme Coffee", "Acme Careers"]


async def test_nothing_to_publish_on_is_said_with_what_to_do(rig: Any) -> None:
    rig.fake.pages[JONAS.id] = []
    with pytest.raises(AuthorizationFailed, match="choose a Page"):
        await rig.connect()


async def test_a_list_in_several_parts_is_read_to_its_end_without_tokens_in_addresses(rig: Any) -> None:
    rig.fake.largest_part = 1

    assert len(await rig.list_pages(person=DANA.id)) == 3
    asked = [seen for seen in rig.seen if seen.url.path.endswith("/me/accounts")]
    assert [seen.url.query.get("after") for seen in asked] == [None, "1", "2"]
    assert all(seen.has_bearer and "access_token" not in seen.url.query for seen in asked)
    assert all(seen.url.query["fields"] == "id,name,username,access_token,picture{url},link,tasks" for seen in asked)


@pytest.mark.parametrize("address", ["https://graph.facebook.com.evil.example/v26.0/me", "http://[", "ftp://x/"])
async def test_a_list_that_goes_on_at_a_foreign_address_is_not_followed(rig: Any, address: str) -> None:
    person = await rig.sign_in()
    answer = {"data": [{"id": "1"}], "paging": {"next": address}}
    with MockHttp() as http:
        http.get(_any_url("me/accounts"), payload=answer)
        with pytest.raises(PlatformUnavailable, match="isn't Facebook's"):
            await plugin.accounts(rig.context(), person)


async def test_an_empty_part_is_not_the_end_of_a_list(rig: Any) -> None:
    person = await rig.sign_in()
    page = {"id": "1", "name": "P", "access_token": "page-token", "tasks": ["CREATE_CONTENT"]}
    with MockHttp() as http:
        following = {"next": f"{rig.origin}/v26.0/me/accounts?after=x"}
        http.get(_any_url("me/accounts"), payload={"data": [], "paging": following})
        http.get(_any_url("me/accounts"), payload={"data": [page]})
        assert len(await plugin.accounts(rig.context(), person)) == 1


async def test_a_list_without_an_end_is_cut(rig: Any) -> None:
    person = await rig.sign_in()
    page = {"id": "1", "name": "P", "access_token": "page-token", "tasks": ["CREATE_CONTENT"]}
    with MockHttp() as http:
        for number in range(9):
            listed = {"data": [page | {"id": str(number)}]}
            http.get(
                _any_url("me/accounts"),
                payload=listed | {"paging": {"next": f"{rig.origin}/v26.0/me/accounts?after=x"}},
            )
        assert len(await plugin.accounts(rig.context(), person)) == 5


@pytest.mark.parametrize(
    "entry",
    [
        "nonsense",
        {"id": "1", "name": "P", "tasks": ["CREATE_CONTENT"]},
        {"id": 1, "name": "P", "access_token": "t", "tasks": ["CREATE_CONTENT"]},
        {"id": "1", "name": "P", "access_token": "t", "tasks": None},
    ],
)
async def test_entries_that_cant_be_used_are_left_out(rig: Any, entry: object) -> None:
    person = await rig.sign_in()
    page = {"id": "2", "name": "Good", "access_token": "page-token", "tasks": ["CREATE_CONTENT"]}
    with MockHttp() as http:
        http.get(_any_url("me/accounts"), payload={"data": [entry, page]})
        assert [found.account.name for found in await plugin.accounts(rig.context(), person)] == ["Good"]


async def test_a_missing_permission_is_named(rig: Any) -> None:
    rig.fake.switch("posting_withheld")
    with pytest.raises(AuthorizationFailed, match="pages_manage_posts") as caught:
        await rig.sign_in()
    assert "pages_show_list" not in caught.value.explanation


async def test_cancel_comes_back_as_a_declared_error(rig: Any) -> None:
    callback = URL(await press_cancel(rig.http, await rig.authorize_url()))

    assert callback.query["error"] in plugin.describe().cancel_errors
    assert callback.query["state"] == "state-1"


async def test_a_code_works_once(rig: Any) -> None:
    grant = await rig.grant()
    await plugin.exchange(rig.context(), grant)
    with pytest.raises(AuthorizationFailed, match="try again"):
        await plugin.exchange(rig.context(), grant)


async def test_a_late_code_is_refused(rig: Any) -> None:
    grant = await rig.grant()
    rig.clock.advance(timedelta(minutes=11))
    with pytest.raises(AuthorizationFailed):
        await plugin.exchange(rig.context(), grant)


async def test_another_redirect_uri_is_refused(rig: Any) -> None:
    grant = await rig.grant()
    with pytest.raises(AuthorizationFailed):
        await plugin.exchange(rig.context(), AuthorizationGrant(code=grant.code, redirect_uri="http://127.0.0.1/other"))


@pytest.mark.parametrize(
    ("change", "variable"),
    [({"client_secret": "wrong"}, "FACEBOOK_CLIENT_SECRET"), ({"client_id": "999"}, "FACEBOOK_CLIENT_ID")],
)
async def test_a_wrong_app_is_the_operators_to_mend(rig: Any, change: dict[str, str], variable: str) -> None:
    grant = await rig.grant()
    with pytest.raises(OperatorActionRequired, match=variable):
        await plugin.exchange(rig.context(**change), grant)


async def test_an_unknown_version_is_the_operators_to_mend(rig: Any) -> None:
    grant = await rig.grant()
    with pytest.raises(OperatorActionRequired, match="FACEBOOK_GRAPH_VERSION"):
        await plugin.exchange(rig.context(graph_version="v99.0"), grant)


async def test_a_checkpoint_is_the_members_to_clear(rig: Any) -> None:
    grant = await rig.grant()
    rig.fake.switch("checkpoint")
    with pytest.raises(MemberActionRequired, match=r"www\.facebook\.com"):
        await plugin.exchange(rig.context(), grant)


@pytest.mark.parametrize("fault", ["unavailable", "garbage"])
async def test_an_outage_is_no_refusal(rig: Any, fault: str) -> None:
    grant, person = await rig.grant(), await rig.sign_in()
    rig.fake.switch(fault)
    with pytest.raises(PlatformUnavailable):
        await plugin.exchange(rig.context(), grant)
    with pytest.raises(PlatformUnavailable):
        await plugin.accounts(rig.context(), person)


async def test_throttling_while_connecting_says_until_when(rig: Any) -> None:
    grant = await rig.grant()
    rig.fake.switch("rate_limit")
    with pytest.raises(RateLimited) as caught:
        await plugin.exchange(rig.context(), grant)
    assert rig.clock.now() + timedelta(hours=1) == caught.value.until


async def test_access_that_ended_between_sign_in_and_list_is_a_failed_sign_in(rig: Any) -> None:
    person = await rig.sign_in()
    rig.fake.perform("revoke")
    with pytest.raises(AuthorizationFailed):
        await plugin.accounts(rig.context(), person)


async def test_an_answer_without_an_end_of_the_token_means_not_known(rig: Any) -> None:
    with MockHttp() as http:
        _answer_sign_in(http, token={"access_token": "user-token"})
        person = await plugin.exchange(rig.context(), AuthorizationGrant(code="c", redirect_uri="r"))

        page = {"id": "2", "name": "Good", "access_token": "page-token", "tasks": ["CREATE_CONTENT"]}
        http.get(_any_url("me/accounts"), payload={"data": [page]})
        (found,) = await plugin.accounts(rig.context(), person)
    assert person.tokens.expires_at is None
    assert dict(found.extra) == {"user_token": "user-token"}


@pytest.mark.parametrize(
    "answers",
    [
        {"token": {"token_type": "bearer"}},
        {"token": ["x"]},
        {"me": {"name": "Nobody"}},
        {"me": []},
        {"permissions": {"error": "odd"}},
        {"permissions": []},
    ],
)
async def test_an_answer_that_lacks_what_is_needed_is_an_outage(rig: Any, answers: dict[str, Any]) -> None:
    with MockHttp() as http:
        _answer_sign_in(http, **answers)
        with pytest.raises(PlatformUnavailable, match="Facebook"):
            await plugin.exchange(rig.context(), AuthorizationGrant(code="c", redirect_uri="r"))


async def test_every_call_with_a_token_proves_the_secret_and_no_address_holds_a_token_or_secret(rig: Any) -> None:
    page = await rig.connect()
    await rig.publish(page)
    await rig.find(page)
    await rig.renew(page)

    with_token = [seen for seen in rig.seen if seen.has_bearer]
    assert len(with_token) == 7
    assert all(len({**seen.url.query, **seen.form}["appsecret_proof"]) == 64 for seen in with_token)
    secrets = (page.tokens.access_token, page.extra["user_token"], "facebook-app-secret")
    assert [] == [seen.url for seen in rig.seen if any(secret in str(seen.url) for secret in secrets)]


def _any_url(path: str) -> Any:
    return re.compile(rf"^http://127\.0\.0\.1:\d+/v26\.0/{path}(\?.*)?$")


def _answer_sign_in(http: Any, *, token: Any = None, me: Any = None, permissions: Any = None) -> None:
    granted = [{"permission": scope, "status": "granted"} for scope in plugin.describe().scopes]
    http.post(_any_url("oauth/access_token"), payload=token or {"access_token": "user-token"}, repeat=True)
    http.get(_any_url("me"), payload={"id": "1", "name": "N"} if me is None else me)
    http.get(_any_url("me/permissions"), payload={"data": granted} if permissions is None else permissions)
