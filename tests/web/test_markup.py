"""Nothing that comes from people, Slack, platforms or the address becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logicspike.platforms import PlatformNotReady
from logicspike.services.connecting import StateUnknown
from logicspike.services.ports import ConnectResult

TICKET = "t" * 43
OUTCOMES = ("connected", "choose", "wrong_account", "canceled", "failed", "unavailable", "taken")
HOSTILE = [
    "</style><script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onfocus='alert(1)' autofocus='",
    "{{ 7 * 7 }}{% raw %}",
    "<!--",
    "]]><b>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "<ſcript>",
]
names = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from("<>\"'&;/=!-{}%# a\n\x00"), max_size=30),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)
often = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)


class Skeleton(HTMLParser):
    """The elements of a page with all of their attributes, and nothing of its text but the style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.parts: list[object] = []
        self._is_style = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.parts.append((tag, tuple(attrs)))
        self._is_style = tag == "style"

    def handle_endtag(self, tag):
        self.parts.append(tag)
        self._is_style = False

    def handle_data(self, data):
        if self._is_style:
            self.parts.append(data)

    def handle_comment(self, data):
        self.parts.append(data)

    def handle_decl(self, decl):
        self.parts.append(decl)

    def handle_pi(self, data):
        self.parts.append(data)

    def unknown_decl(self, data):
        self.parts.append(data)


def skeleton_of(text: str) -> list[object]:
    return Skeleton(text).parts


def test_the_skeleton_sees_what_escaping_prevents():
    harmless = skeleton_of("<style>a {}</style><p title='x'>Ann</p>")

    for hostile in ("<p title='x'>Ann<b></p>", "<p title='x' onclick='y'>Ann</p>", "<p title='x'>Ann<!-- --></p>"):
        assert harmless != skeleton_of(f"<style>a {{}}</style>{hostile}")
    assert harmless != skeleton_of("<style>b {}</style><p title='x'>Ann</p>")


@pytest.mark.parametrize("is_reconnect", [True, False])
@often
@given(platform=names, workspace=names, member=names, account=names, permission=names)
async def test_names_stay_text_on_the_connect_page(
    site, is_reconnect, platform, workspace, member, account, permission
):
    plain = site.connecting.link = replace(
        site.connecting.link,
        platform_title="x",
        workspace_name="x",
        member_name="x",
        permissions=("x",),
        account_name="x" if is_reconnect else None,
    )
    expected = await site.get(f"/connect/{TICKET}")
    site.connecting.link = replace(
        plain,
        platform_title=platform,
        workspace_name=workspace,
        member_name=member,
        permissions=(permission,),
        account_name=account if is_reconnect else None,
    )

    answer = await site.get(f"/connect/{TICKET}")

    assert 200 == answer.status
    assert skeleton_of(expected.text) == skeleton_of(answer.text)
    assert expected.headers["Content-Security-Policy"] == answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("outcome", OUTCOMES)
@often
@given(title=names, account=names, explanation=names)
async def test_names_stay_text_on_the_result_page(site, outcome, title, account, explanation):
    path = "/connect/result/" + "r" * 22
    site.connecting.result = ConnectResult(outcome=outcome, platform_title="x", account_name="x", explanation="x")
    expected = await site.get(path)
    site.connecting.result = ConnectResult(
        outcome=outcome, platform_title=title, account_name=account, explanation=explanation
    )

    answer = await site.get(path)

    assert skeleton_of(expected.text) == skeleton_of(answer.text)


@often
@given(explanation=names)
async def test_a_platforms_explanation_stays_text(site, explanation):
    site.connecting.raises = PlatformNotReady("x")
    expected = await site.get(f"/connect/{TICKET}")
    site.connecting.raises = PlatformNotReady(explanation)

    answer = await site.get(f"/connect/{TICKET}")

    assert skeleton_of(expected.text) == skeleton_of(answer.text)


@often
@given(name=names, value=names, state=names)
async def test_parameters_of_the_callback_are_never_repeated(site, name, value, state):
    """Each error page is the same, byte by byte, as the one for a harmless request."""
    site.connecting.raises = StateUnknown()
    answers = {
        400: (await site.get("/api/auth/echo/callback")).text,
        404: (await site.get("/nowhere")).text,
        410: (await site.get(f"/api/auth/echo/callback?state={'s' * 43}&code=c")).text,
    }
    for query in (
        f"state={quote(state, safe='')}&code={quote(value, safe='')}",
        f"state={'s' * 43}&code={quote(value, safe='')}",
        f"state={'s' * 43}&error={quote(value, safe='')}&error_description={quote(state, safe='')}",
        f"state={'s' * 43}&code=c&{quote(name, safe='')}={quote(value, safe='')}",
    ):
        answer = await site.get(f"/api/auth/echo/callback?{query}")
        assert answers[answer.status] == answer.text


@often
@given(part=names)
async def test_parts_of_an_address_are_never_repeated(site, part):
    expected = (await site.get("/nowhere")).text
    part = quote(part, safe="")
    for path in (f"/connect/{part}!", f"/connect/result/{part}!", f"/api/auth/{part}!/callback", f"/{part}!"):
        answer = await site.get(path)
        assert (404, expected) == (answer.status, answer.text)


async def test_hostile_names_are_shown_as_they_are(site):
    site.connecting.link = replace(site.connecting.link, workspace_name="<b>A&B</b>", member_name='"Ana"')

    answer = await site.get(f"/connect/{TICKET}")

    assert "&lt;b&gt;A&amp;B&lt;/b&gt;" in answer.text
    assert "&#34;Ana&#34;" in answer.text


async def test_pages_ask_nothing_of_other_sites(site):
    answer = await site.get(f"/connect/{TICKET}")

    assert not re.search(r"\b(src|href|srcset|poster)=|url\(|@import|https?://", answer.text)
