"""The part of the contract about access: several developer apps, health checks, shared grants, platform's callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from ..plugin import (
    AuthorizationFailed,
    Credential,
    OperatorActionRequired,
    PlatformEvent,
    PlatformEventRefused,
    PlatformUnavailable,
    Post,
    ReconnectRequired,
    TokenExpired,
)
from .fake_platform import FakeEvent
from .stage import Stage
from .undeclared import skip_undeclared

__all__ = ["AccessContract"]


class AccessContract:
    """What a plugin promises that declares credential sets or events, or has ``inspect``, ``check`` or ``revoke``."""

    # --- credential sets ----------------------------------------------------------------------------------------------

    async def test_each_credential_set_connects_accounts_of_its_own(self, stage: Stage) -> None:
        """The consent page of a set asks for the set's permissions, by its developer app; its accounts can post."""
        for each in _need_sets(stage):
            asked = await stage.ask(credential_set=each)
            assert stage.fake.clients[each].client_id in asked.link.url
            assert stage.fake.clients[""].client_id not in _values(asked.link.url)
            for credential in await stage.list_accounts(credential_set=each):
                assert each == credential.credential_set
                before = len(stage.fake.ledger)
                await _publish(stage, credential, f"Through {each}: {credential.account.name}")
                assert [credential.account.id] == [entry.account.id for entry in stage.fake.ledger[before:]]

    async def test_code_of_one_credential_set_is_worth_nothing_to_another(self, stage: Stage) -> None:
        """Which developer app a sign-in is for decides with which it is finished."""
        for each in _need_sets(stage):
            grant = await stage.consent(credential_set=each)
            with stage.raises(AuthorizationFailed, OperatorActionRequired):
                await stage.exchange(grant)

    # --- servers ------------------------------------------------------------------------------------------------------

    async def test_each_server_has_accounts_of_its_own(self, stage: Stage) -> None:
        """Where members choose a server, equal ids at two servers are two accounts, each posted to at its own."""
        if not stage.platform.chosen_endpoint:
            skip_undeclared(stage.platform, "has no servers to choose from")
        here = await stage.connect()
        async with stage.another_server() as (fake, address):
            there = await stage.connect(server=address)
            assert here.account.id != there.account.id, "Account.id must name the server"
            await _publish(stage, there, "Over there")
            assert [entry.text for entry in fake.ledger] == ["Over there"]
        assert stage.fake.ledger == []
        await _publish(stage, here, "Over here")
        assert [entry.text for entry in stage.fake.ledger] == ["Over here"]

    # --- the operator's set-up ----------------------------------------------------------------------------------------

    async def test_inspecting_the_set_up_says_a_line_each_and_no_secret(self, stage: Stage) -> None:
        """The doctor shows what is said of each developer app, in a terminal and maybe in somebody's report."""
        name = stage.platform.name
        if not stage.platforms.supports(name, "inspect"):
            skip_undeclared(stage.platform, "has no inspect()")
        for each in ("", *stage.fake.credential_sets):
            for note in stage.platforms.inspect(name, each):
                assert [note.message] == note.message.splitlines()
                stage.shown.append(note.message)
        assert stage.find_leaks(()) == []

    # --- health -------------------------------------------------------------------------------------------------------

    async def test_check_reports_the_permissions(self, stage: Stage) -> None:
        """Access that works is reported as such, with all that was asked for, and with an end that lies ahead."""
        credential = await _need_check(stage)
        report = await stage.platforms.check(stage.platform.name, credential)
        assert not report.scopes or set(stage.platform.scopes) <= set(report.scopes)
        assert report.expires_at is None or report.expires_at > stage.clock.now()
        assert stage.fake.ledger == []

    async def test_check_notices_that_access_was_withdrawn(self, stage: Stage) -> None:
        """The member hears of it before a post is due."""
        credential = await _need_check(stage)
        stage.fake.perform("revoke")
        with stage.raises(ReconnectRequired, TokenExpired) as caught:
            await stage.platforms.check(stage.platform.name, credential)
        if isinstance(caught[0], TokenExpired):
            with stage.raises(ReconnectRequired):
                await stage.refresh(credential)

    @pytest.mark.parametrize("fault", ["unavailable", "garbage"])
    async def test_check_of_a_platform_in_trouble_says_nothing(self, stage: Stage, fault: str) -> None:
        """An outage is no end of access."""
        credential = await _need_check(stage)
        stage.fake.switch(fault)
        with stage.raises(PlatformUnavailable):
            await stage.platforms.check(stage.platform.name, credential)

    # --- shared grants ------------------------------------------------------------------------------------------------

    async def test_disconnecting_one_leaves_others_of_the_same_grant(self, stage: Stage) -> None:
        """With ``is_last`` unset, what else stands on the grant goes on working: other accounts, other workspaces."""
        name = stage.platform.name
        if not stage.platforms.supports(name, "revoke"):
            skip_undeclared(stage.platform, "has no revoke()")
        first, second = await stage.connect(), await stage.connect()
        if first.grant_id is None or first.grant_id != second.grant_id:
            skip_undeclared(stage.platform, "has no grants that several connections share")
        await stage.platforms.revoke(name, first, is_last=False)
        await _publish(stage, second, "Still connected")
        await stage.platforms.revoke(name, second, is_last=True)
        with stage.raises(ReconnectRequired, TokenExpired):
            await _publish(stage, second, "After the end")

    # --- the platform's own callbacks ---------------------------------------------------------------------------------

    async def test_callback_names_the_grant(self, stage: Stage) -> None:
        """A genuine callback says whose grant has ended, or is to be erased."""
        for name in _need_events(stage):
            credential = await stage.connect()
            assert credential.grant_id is not None, "a platform with callbacks must set Credential.grant_id"
            event = stage.fake.build_event(name, stage.fake.people[0])
            outcome = await stage.platforms.receive(stage.platform.name, _to_event(name, event))
            assert credential.grant_id in {*outcome.ended_grants, *outcome.erased_grants}

    async def test_forged_callback_is_refused(self, stage: Stage) -> None:
        """Anybody can send one: changed by a letter, cut short, empty or with other headers, it is refused."""
        for name in _need_events(stage):
            await stage.connect()
            genuine = stage.fake.build_event(name, stage.fake.people[0])
            for forged in _forge(genuine):
                with stage.raises(PlatformEventRefused):
                    await stage.platforms.receive(stage.platform.name, _to_event(name, forged))


def _need_sets(stage: Stage) -> tuple[str, ...]:
    names = tuple(each.name for each in stage.platform.credential_sets)
    assert names == stage.fake.credential_sets, "the fake must name the plugin's credential sets"
    return names or skip_undeclared(stage.platform, "has no further credential sets")


def _need_events(stage: Stage) -> tuple[str, ...]:
    assert set(stage.platform.events) == set(stage.fake.events), "the fake must name the plugin's events"
    return stage.platform.events or skip_undeclared(stage.platform, "sends no callbacks")


async def _need_check(stage: Stage) -> Credential:
    if not stage.platforms.supports(stage.platform.name, "check"):
        skip_undeclared(stage.platform, "has no check()")
    return await stage.connect()


async def _publish(stage: Stage, credential: Credential, text: str) -> None:
    await stage.platforms.publish(stage.platform.name, credential, Post(key=f"key of {text}", text=text))


def _values(url: str) -> list[str]:
    return [value for _, value in parse_qsl(url.partition("?")[2])]


def _to_event(name: str, event: FakeEvent) -> PlatformEvent:
    headers = {key.lower(): value for key, value in event.headers.items()}
    is_form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    form: Mapping[str, str] = dict(parse_qsl(event.body.decode())) if is_form else {}
    return PlatformEvent(
        name=name,
        form=form,
        body=event.body,
        headers=headers,
        status_url="http://127.0.0.1:3000/connect/deletion/a-code",
        confirmation_code="a-code",
    )


def _forge(event: FakeEvent) -> list[FakeEvent]:
    """The event with one letter changed at several places, cut short, and empty; each header gone, or changed."""
    size = len(event.body)
    bodies = [_change(event.body, at) for at in sorted({size // 5, size // 2, size * 3 // 4})]
    kinds = ("content-type", "content-length")
    signing = [key for key in event.headers if key.lower() not in kinds]
    return [
        *(replace(event, body=body) for body in (*bodies, event.body[: size // 2], b"")),
        *(replace(event, headers={k: v for k, v in event.headers.items() if k != key}) for key in signing),
        *(replace(event, headers={**event.headers, key: event.headers[key][::-1]}) for key in signing),
    ]


def _change(body: bytes, at: int) -> bytes:
    """Another letter at the first letter or digit from there on: what is signed, not how it is packed."""
    while at < len(body) - 1 and not chr(body[at]).isalnum():
        at += 1
    return body[:at] + (b"A" if body[at : at + 1] != b"A" else b"B") + body[at + 1 :]
