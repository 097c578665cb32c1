"""The authorization server inside a fake platform: codes that die on use and in time, PKCE, tokens, revocation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from aiohttp import web

from ..plugin import OAuthClient

__all__ = [
    "AccessToken",
    "CodeRefused",
    "ConsentRequest",
    "FakeAccount",
    "FakeAuthorizationServer",
    "FakeClock",
    "Grant",
    "RefreshRefused",
]


class FakeClock(Protocol):
    """Tells a fake the time."""

    def now(self) -> datetime:
        """The time, aware UTC."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeAccount:
    """A person, page or organisation at the fake platform.

    Attributes:
        id: stable.
        name: what people read.
        handle: the short name, where the platform has such.
        about: what tells them apart on the consent page, such as "three Pages".
    """

    id: str
    name: str
    handle: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """An authorize request whose consent page is open."""

    redirect_uri: str
    state: str
    scopes: tuple[str, ...]
    code_challenge: str | None
    credential_set: str = ""
    """Which developer app asks: see ``FakeAuthorizationServer.clients``."""


@dataclass(slots=True, kw_only=True)
class Grant:
    """What a person allowed: one per press of Allow."""

    person: FakeAccount
    scopes: tuple[str, ...]
    is_revoked: bool = False
    credential_set: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A token in use: ``account`` is whom it speaks for (a page's token speaks for the page)."""

    grant: Grant
    account: FakeAccount
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    grant: Grant
    redirect_uri: str
    code_challenge: str | None
    expires_at: datetime


@dataclass(slots=True, kw_only=True)
class _Refresh:
    grant: Grant
    is_spent: bool = False


class CodeRefused(Exception):
    """The authorization code is unknown, used, late, or comes with another redirect_uri or code_verifier."""


class RefreshRefused(Exception):
    """The refresh token is unknown, spent or revoked."""


class FakeAuthorizationServer:
    """Issues and checks what OAuth 2.0 needs; a platform's fake shapes the requests and answers around it.

    Args:
        client_id: of the developer app.
        client_secret: of the developer app.
        clock: what the time is here.
        redirect_uris: those registered with the developer app; empty accepts any.
        credential_sets: names of further developer apps, whose id and secret are made up here.

    Attributes:
        clients: all developer apps by the name of their credential set; "" is the first one.
        registered: those that callers registered themselves, by their client id.
    """

    code_lifetime: ClassVar[timedelta] = timedelta(minutes=10)

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        clock: FakeClock,
        redirect_uris: Sequence[str] = (),
        credential_sets: Sequence[str] = (),
    ) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.clients = {"": OAuthClient(client_id=client_id, client_secret=client_secret)} | {
            name: OAuthClient(client_id=f"{client_id}-{name}", client_secret=secrets.token_urlsafe(24))
            for name in credential_sets
        }
        self.registered: dict[str, OAuthClient] = {}
        self.clock = clock
        self.redirect_uris = tuple(redirect_uris)
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, _Refresh] = {}
        self._grants: list[Grant] = []

    def is_registered(self, redirect_uri: str) -> bool:
        """Whether the developer app has this redirect_uri."""
        return not self.redirect_uris or redirect_uri in self.redirect_uris

    def register_client(self) -> OAuthClient:
        """A fresh developer app, for a platform where anybody may register one by a call."""
        client = OAuthClient(client_id=secrets.token_urlsafe(24), client_secret=secrets.token_urlsafe(24))
        self.registered[client.client_id] = client
        return client

    def find_credential_set(self, client_id: str | None) -> str | None:
        """Whose client id this is: the name of the credential set, "" for the first app; None for nobody's."""
        return next((name for name, client in self.clients.items() if client.client_id == client_id), None)

    def is_our_client(self, client_id: str | None, client_secret: str | None) -> bool:
        """Whether id and secret belong together and to one of the developer apps."""
        known = self.registered | {client.client_id: client for client in self.clients.values()}
        found = known.get(client_id or "")
        return found is not None and hmac.compare_digest(client_secret or "", found.client_secret)

    def issue_code(self, consent: ConsentRequest, person: FakeAccount) -> str:
        """A fresh authorization code for what the person allowed."""
        grant = Grant(person=person, scopes=consent.scopes, credential_set=consent.credential_set)
        self._grants.append(grant)
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(
            grant=grant,
            redirect_uri=consent.redirect_uri,
            code_challenge=consent.code_challenge,
            expires_at=self.clock.now() + self.code_lifetime,
        )
        return code

    def redeem_code(self, code: str | None, redirect_uri: str | None, code_verifier: str | None) -> Grant:
        """Use up a code, whatever comes of it.

        Raises:
            CodeRefused: unknown, used, late, or with another redirect_uri or code_verifier.
        """
        held = self._codes.pop(code or "", None)
        if held is None or held.expires_at <= self.clock.now() or held.redirect_uri != redirect_uri:
            raise CodeRefused
        if held.code_challenge is not None and held.code_challenge != _s256(code_verifier or ""):
            raise CodeRefused
        return held.grant

    def issue_access_token(
        self, grant: Grant, *, lifetime: timedelta | None, account: FakeAccount | None = None
    ) -> str:
        """A fresh access token; it speaks for the person unless another account is given."""
        token = secrets.token_urlsafe(32)
        expires_at = self.clock.now() + lifetime if lifetime is not None else None
        self._access[token] = AccessToken(grant=grant, account=account or grant.person, expires_at=expires_at)
        return token

    def issue_refresh_token(self, grant: Grant) -> str:
        """A fresh refresh token."""
        token = secrets.token_urlsafe(32)
        self._refresh[token] = _Refresh(grant=grant)
        return token

    def redeem_refresh_token(self, token: str | None, *, is_single_use: bool) -> Grant:
        """Take a refresh token; a single-use one is spent by it, and replaying a spent one revokes the grant.

        Raises:
            RefreshRefused: unknown, spent or revoked.
        """
        held = self._refresh.get(token or "")
        if held is None or held.grant.is_revoked:
            raise RefreshRefused
        if held.is_spent:
            held.grant.is_revoked = True
            raise RefreshRefused
        held.is_spent = is_single_use
        return held.grant

    def bearer(self, request: web.Request) -> tuple[AccessToken | None, str]:
        """The token of ``Authorization: Bearer`` and what is wrong with it: "", "missing", "expired" or "revoked"."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        held = self._access.get(token)
        if scheme.lower() != "bearer" or held is None:
            return None, "missing"
        if held.grant.is_revoked:
            return held, "revoked"
        if held.expires_at is not None and held.expires_at <= self.clock.now():
            return held, "expired"
        return held, ""

    def revoke_token(self, token: str | None) -> None:
        """Withdraw the grant behind an access or refresh token; an unknown one changes nothing."""
        access, refresh = self._access.get(token or ""), self._refresh.get(token or "")
        for held in (access, refresh):
            if held is not None:
                held.grant.is_revoked = True

    def revoke_person(self, person: FakeAccount) -> None:
        """Withdraw every grant of one person, as if they had removed the app."""
        for grant in self._grants:
            grant.is_revoked |= grant.person == person

    def expire_access_tokens(self) -> None:
        """Let every access token end now; refresh tokens stay good."""
        now = self.clock.now()
        self._access = {
            token: AccessToken(grant=held.grant, account=held.account, expires_at=now)
            for token, held in self._access.items()
        }

    def revoke_all(self) -> None:
        """Withdraw every grant, as if each person had removed the app."""
        for grant in self._grants:
            grant.is_revoked = True


def _s256(code_verifier: str) -> str:
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
