"""Company pages: which ones a member may post as, what they look like, and what happens when a role is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from yarl import URL

import logicspike_linkedin as plugin
from logicspike.plugin import (
    AuthorizationFailed,
    MemberActionRequired,
    OperatorActionRequired,
    PlatformUnavailable,
    Post,
    ReconnectRequired,
)
from logicspike.testing import SAMPLE_MP4, SAMPLE_PNG, ErrorAnswer, FakeAccount, MemoryFile
from logicspike_linkedin import sign_in
from logicspike_linkedin.api import PAGES
from logicspike_linkedin.sandbox_pages import Role


async def test_a_member_sees_the_pages_they_may_post_as_and_no_others(rig: Any) -> None:
    pages = await rig.list_pages()

    assert ["Lindqvist Studio", "Nordic Makers"] == [page.account.name for page in pages]
    assert {"organization"} == {page.account.kind for page in pages}
    assert {rig.fake.people[0].id} == {page.grant_id for page in pages}


async def test_a_page_is_known_by_its_urn_name_address_and_logo(rig: Any) -> None:
    first, second = (page.account for page in await rig.list_pages())

    assert ("urn:li:organization:5583111", f"{rig.origin}/company/lindqvist-studio/") == (first.id, first.url)
    assert str(first.picture).startswith("https://media.licdn.com/")
    # A content admin may not read the page's logo.
    assert second.picture is None


async def test_a_member_without_pages_has_nothing_to_choose(rig: Any) -> None:
    assert () == await rig.list_pages(person=rig.fake.people[2].id)


async def test_a_member_of_the_first_app_is_one_account(rig: Any) -> None:
    member = await rig.connect()

    assert (member,) == await plugin.accounts(rig.context(), member)


async def test_many_pages_are_read_to_the_last(rig: Any) -> None:
    person = rig.fake.people[2]
    rig.fake.pages.roles += [
        Role(
            member_id=person.id,
            page=FakeAccount(id=f"urn:li:organization:{1000 + number}", name=f"Shop {number}", handle=f"shop-{number}"),
        )
        for number in range(230)
    ]

    pages = await rig.list_pages(person=person.id)

    assert [f"Shop {number}" for number in range(230)] == [page.account.name for page in pages]
    assert 3 == rig.fake.requests.count(("GET", "/rest/organizationAcls"))


@pytest.mark.parametrize(
    "odd",
    [
        None,
        {},
        {"organization": "urn:li:organization:1", "state": "APPROVED", "role": "ANALYST"},
        {"organization": "urn:li:organization:1", "state": "REQUESTED", "role": "ADMINISTRATOR"},
        {"organization": "urn:li:organizationBrand:1", "state": "APPROVED", "role": "ADMINISTRATOR"},
        {"organization": "urn:li:organization:1/../2", "state": "APPROVED", "role": "ADMINISTRATOR"},
    ],
)
async def test_a_role_that_does_not_let_post_is_read_over(rig: Any, odd: object) -> None:
    ctx = rig.context(PAGES)
    member = await sign_in.connect(ctx, await rig.grant(PAGES), sleep=rig.pause)
    rig.fake.refuse_with(ErrorAnswer(status=200, body={"elements": [odd]}, source="ours"), path="/organizationAcls")

    assert () == await plugin.accounts(ctx, member)


async def test_a_page_without_a_name_is_known_by_its_number(rig: Any) -> None:
    ctx = rig.context(PAGES)
    member = await sign_in.connect(ctx, await rig.grant(PAGES), sleep=rig.pause)
    rig.fake.refuse_with(ErrorAnswer(status=200, body={"results": {}}, source="ours"), path="/organizationsLookup")

    first, _ = await plugin.accounts(ctx, member)

    assert ("LinkedIn page 5583111", f"{rig.origin}/company/5583111/") == (first.account.name, first.account.url)


async def test_listing_waits_for_a_fresh_token_as_well(rig: Any) -> None:
    rig.fake.switch("spurious_401")

    assert 2 == len(await rig.list_pages())


async def test_a_code_of_the_one_app_is_no_good_for_the_other(rig: Any) -> None:
    grant = await rig.grant()

    with pytest.raises(AuthorizationFailed):
        await sign_in.connect(rig.context(PAGES), grant, sleep=rig.pause)


async def test_a_wrong_secret_names_the_variables_of_that_app(rig: Any) -> None:
    grant = await rig.grant(PAGES)
    rig.client_secret = "wrong"

    with pytest.raises(OperatorActionRequired, match="LINKEDIN_ORGANIZATION_CLIENT_SECRET"):
        await sign_in.connect(rig.context(PAGES), grant, sleep=rig.pause)


async def test_without_its_product_the_app_may_not_even_ask(rig: Any) -> None:
    rig.fake.switch("pages_product_off")
    async with rig.http.get(await rig.authorize_url(PAGES), allow_redirects=False) as answer:
        error = URL(answer.headers["Location"]).query["error"]

    assert "admin" in plugin.describe().callback_errors[error]


async def test_a_product_lost_while_connecting_is_the_admins_to_mend(rig: Any) -> None:
    ctx = rig.context(PAGES)
    member = await sign_in.connect(ctx, await rig.grant(PAGES), sleep=rig.pause)
    rig.fake.switch("pages_product_off")

    with pytest.raises(OperatorActionRequired, match="Community Management API"):
        await plugin.accounts(ctx, member)


async def test_a_permission_to_post_that_was_left_out_is_noticed(rig: Any) -> None:
    grant = await rig.grant(PAGES, scope="r_basicprofile rw_organization_admin")

    with pytest.raises(OperatorActionRequired, match="Community Management API"):
        await sign_in.connect(rig.context(PAGES), grant, sleep=rig.pause)


async def test_a_post_is_the_pages(rig: Any) -> None:
    page = await rig.connect_page()

    await rig.publish(page, "From the studio")

    (entry,) = rig.fake.ledger
    assert ("From the studio", "Lindqvist Studio") == (entry.text, entry.account.name)
    async with rig.http.get(page.account.url) as timeline:
        assert "From the studio" in await timeline.text()


@pytest.mark.parametrize("files", [[], [MemoryFile(SAMPLE_PNG)], [MemoryFile(SAMPLE_MP4 + bytes(100_000))]])
async def test_a_lost_role_is_the_members_to_mend(rig: Any, files: list[MemoryFile]) -> None:
    page = await rig.connect_page()
    rig.fake.switch("role_lost")

    with pytest.raises(MemberActionRequired, match="super admin or content admin"):
        await rig.post(page, files=files)

    assert [] == rig.fake.ledger


async def test_a_members_token_may_not_post_as_a_page(rig: Any) -> None:
    member, page = await rig.connect_and_wait(), await rig.connect_page()
    ctx = rig.context()

    with pytest.raises(ReconnectRequired, match="company page") as caught:
        await plugin.publish(
            ctx, type(page)(account=page.account, tokens=member.tokens), Post(key="k", text="Hello"), None
        )

    assert caught.value.missing_scopes == ("w_organization_social",)


async def test_pages_of_one_grant_are_not_cut_off_with_one_of_them(rig: Any) -> None:
    first, second = await rig.list_pages()
    rig.clock.advance(timedelta(minutes=2))

    await plugin.revoke(rig.of(first), first, False)
    assert await rig.publish(second, "Still here")

    await plugin.revoke(rig.of(second), second, True)
    with pytest.raises(ReconnectRequired, match="withdrawn"):
        await rig.publish(second, "Not any more")


@pytest.mark.parametrize("fault", ["unavailable", "garbage"])
async def test_trouble_while_listing_is_an_outage(rig: Any, fault: str) -> None:
    ctx = rig.context(PAGES)
    member = await sign_in.connect(ctx, await rig.grant(PAGES), sleep=rig.pause)
    rig.fake.switch(fault)

    with pytest.raises(PlatformUnavailable):
        await plugin.accounts(ctx, member)
