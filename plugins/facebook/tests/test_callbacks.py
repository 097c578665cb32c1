"""Facebook's own calls: taken when they are signed with our secret, refused else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

import logicspike_facebook as plugin
from logicspike.plugin import PlatformEvent, PlatformEventRefused
from logicspike_facebook.sandbox_people import DANA, JONAS

SECRET = "facebook-app-secret"


def encode(raw: bytes, *, padding: bool = False) -> str:
    text = base64.urlsafe_b64encode(raw).decode()
    return text if padding else text.rstrip("=")


def sign(said: object, *, secret: str = SECRET, padding: bool = False) -> str:
    payload = encode(said if isinstance(said, bytes) else json.dumps(said).encode(), padding=padding)
    digest = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
    return f"{encode(digest, padding=padding)}.{payload}"


def event(name: str, signed_request: str | None) -> PlatformEvent:
    return PlatformEvent(
        name=name,
        form={} if signed_request is None else {"signed_request": signed_request},
        body=b"",
        headers={},
        status_url="https://bot.example/deletion/abc123",
        confirmation_code="abc123",
    )


@pytest.fixture
def said(rig: Any) -> dict[str, Any]:
    issued_at = int(rig.clock.now().timestamp())
    return {"algorithm": "HMAC-SHA256", "expires": issued_at + 3600, "issued_at": issued_at, "user_id": "218471"}


async def receive(rig: Any, name: str, signed_request: str | None) -> Any:
    return await plugin.receive(rig.context(), event(name, signed_request))


def test_both_calls_are_declared() -> None:
    assert {"deauthorize", "data-deletion"} == set(plugin.describe().events)


@pytest.mark.parametrize("padding", [False, True])
async def test_a_removed_app_ends_that_persons_grant(rig: Any, said: dict[str, Any], padding: bool) -> None:
    outcome = await receive(rig, "deauthorize", sign(said, padding=padding))
    assert outcome.ended_grants == ("218471",)
    assert (outcome.erased_grants, outcome.answer) == ((), None)


async def test_a_wish_for_deletion_is_answered_as_meta_wants_it(rig: Any, said: dict[str, Any]) -> None:
    outcome = await receive(rig, "data-deletion", sign(said))
    assert outcome.erased_grants == ("218471",)
    assert outcome.answer == {"url": "https://bot.example/deletion/abc123", "confirmation_code": "abc123"}


@pytest.mark.parametrize("name", ["deauthorize", "data-deletion"])
async def test_what_the_fake_sends_names_the_grant_of_the_connection(rig: Any, name: str) -> None:
    page = (await rig.list_pages(person=DANA.id))[0]
    sent = dict(parse_qsl(rig.fake.build_event(name, DANA).body.decode()))
    outcome = await receive(rig, name, sent["signed_request"])
    assert page.grant_id in {*outcome.ended_grants, *outcome.erased_grants}
    assert page.grant_id != JONAS.id


async def test_the_example_in_metas_documentation_is_read(rig: Any) -> None:
    """The payload of the page on data deletion; its key order and spacing are Meta's."""
    payload = b'{"user_id":"218471","algorithm":"HMAC-SHA256","issued_at":%d,"expires":1291840400}'
    outcome = await receive(rig, "deauthorize", sign(payload % int(rig.clock.now().timestamp())))
    assert outcome.ended_grants == ("218471",)


@pytest.mark.parametrize(
    "change",
    [
        {"algorithm": "none"},
        {"algorithm": "hmac-sha256"},
        {"algorithm": None},
        {"user_id": ""},
        {"user_id": None},
        {"user_id": 218471},
        {"user_id": "21 or 1=1"},
        {"user_id": "٣"},
        {"issued_at": None},
        {"issued_at": "1"},
        {"issued_at": True},
        {"issued_at": 10**30},
        {"issued_at": -1},
    ],
)
async def test_a_signed_call_that_says_something_odd_is_refused(
    rig: Any, said: dict[str, Any], change: dict[str, Any]
) -> None:
    with pytest.raises(PlatformEventRefused):
        await receive(rig, "deauthorize", sign(said | change))


@pytest.mark.parametrize(
    ("age", "is_taken"),
    [
        (timedelta(hours=23), True),
        (timedelta(hours=25), False),
        (timedelta(minutes=-4), True),
        (timedelta(minutes=-6), False),
    ],
)
async def test_a_call_is_good_for_a_day(rig: Any, said: dict[str, Any], age: timedelta, is_taken: bool) -> None:
    signed = sign(said)
    rig.clock.advance(age)
    if is_taken:
        assert await receive(rig, "deauthorize", signed)
        return
    with pytest.raises(PlatformEventRefused, match="too old"):
        await receive(rig, "deauthorize", signed)


@pytest.mark.parametrize("text", [None, "", ".", "..", "a.b.c", "nonsense", "é.é", "a" * 5000 + ".b", "====.===="])
async def test_what_is_no_signed_request_is_refused(rig: Any, text: str | None) -> None:
    with pytest.raises(PlatformEventRefused):
        await receive(rig, "deauthorize", text)


@pytest.mark.parametrize("payload", [b"", b"[]", b"7", b"\xff\xfe", b"{", b"[" * 2_000])
async def test_a_signed_payload_that_is_no_object_is_refused(rig: Any, payload: bytes) -> None:
    with pytest.raises(PlatformEventRefused):
        await receive(rig, "deauthorize", sign(payload))


async def test_a_signature_of_anybody_else_is_refused(rig: Any, said: dict[str, Any]) -> None:
    signature, payload = sign(said).split(".")
    for forged in (
        sign(said, secret="guessed"),
        f".{payload}",
        f"{signature}.{encode(json.dumps(said | {'user_id': '1'}).encode())}",
        f"{signature[:-2]}.{payload}",
        f"{signature[::-1]}.{payload}",
        f"{payload}.{payload}",
        f"{signature}.{payload}.",
        f"{signature}.{payload}.{payload}",
        f"{signature}!.{payload}",
    ):
        with pytest.raises(PlatformEventRefused):
            await receive(rig, "deauthorize", forged)


async def test_the_signature_covers_the_payload_as_it_was_sent(rig: Any, said: dict[str, Any]) -> None:
    """The same JSON, packed in another way, is another payload."""
    signature, _ = sign(said).split(".")
    other = encode(json.dumps(said, indent=1).encode())
    with pytest.raises(PlatformEventRefused):
        await receive(rig, "deauthorize", f"{signature}.{other}")
