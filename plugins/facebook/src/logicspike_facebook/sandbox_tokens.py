"""The part of the fake Facebook that signs people in: the dialog, tokens that are exchanged, and what ends them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from logicspike.testing import AccessToken, CodeRefused, ConsentRequest, FakeAccount, FakePlatform

from . import sandbox_answers as answers
from .sandbox_rules import PAGE_PERMISSIONS, VERSIONS, find_dialog_problem, read_scopes

__all__ = ["Answer", "TokenSide"]

Answer = Callable[[web.Request, AccessToken], Awaitable[web.Response]]
"""Answers a call whose token is good."""

_WITHHELD: Final = {"posting_withheld": "pages_manage_posts", "comments_withheld": "pages_manage_engagement"}
"""Switch to the permission it leaves out of a consent."""


@dataclass(slots=True, kw_only=True)
class _Consent:
    """What Facebook keeps of a press of Allow, beside the grant."""

    at: datetime
    has_first_page_only: bool = False
    is_before_new_password: bool = False


class TokenSide(FakePlatform):
    """Signs people in and knows which tokens are good."""

    # One to two hours: developers.facebook.com/documentation/facebook-login/guides/access-tokens, checked 2026-11-23
    short_lifetime: ClassVar[timedelta] = timedelta(minutes=90)
    # What answers are seen to say, a little less than 60 days: observed, unattributed.
    long_lifetime: ClassVar[timedelta] = timedelta(seconds=5_183_944)
    # developers.facebook.com/docs/facebook-login/guides/access-tokens/debugging, checked 2026-11-25
    data_access_lifetime: ClassVar[timedelta] = timedelta(days=90)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._used_codes: set[str] = set()
        self._long_lived: set[str] = set()
        self._consented: dict[int, _Consent] = {}

    def change_passwords(self) -> None:
        """End every token there is, as new passwords do."""
        for consent in self._consented.values():
            consent.is_before_new_password = True

    def consent_of(self, held: AccessToken) -> _Consent:
        """What was consented to behind a token."""
        return self._consented[id(held.grant)]

    # --- the dialog ---------------------------------------------------------------------------------------------------

    async def show_dialog(self, request: web.Request) -> web.Response:
        """The page that asks the person."""
        problem = find_dialog_problem(request, client_id=self.client_id, is_registered=self.is_registered)
        if problem:
            return web.Response(status=400, text=problem)
        return self.show_consent(
            ConsentRequest(
                redirect_uri=request.query["redirect_uri"],
                state=request.query["state"],
                scopes=read_scopes(request.query),
                code_challenge=request.query.get("code_challenge"),
            )
        )

    # --- tokens -------------------------------------------------------------------------------------------------------

    async def give_token(self, request: web.Request) -> web.Response:
        """The token endpoint: a code for a short token, a short token for a long one."""
        if request.method not in {"GET", "POST"} or request.match_info["version"] not in VERSIONS:
            return answers.unknown_path("/oauth/access_token")
        form = {key: str(value) for key, value in {**request.query, **(await request.post())}.items()}
        if form.get("client_id") != self.client_id:
            return answers.app_unknown()
        if not self.is_our_client(self.client_id, form.get("client_secret")) or self.is_on("secret_reset"):
            return answers.secret_refused()
        if form.get("grant_type") == "fb_exchange_token":
            return self._exchange_token(form.get("fb_exchange_token", ""))
        return self._trade_code(form)

    def _trade_code(self, form: Mapping[str, str]) -> web.Response:
        code = form.get("code", "")
        why = self._find_code_problem(code, form.get("redirect_uri"))
        try:
            grant = self.redeem_code(code, form.get("redirect_uri"), form.get("code_verifier"))
        except CodeRefused:
            return answers.code_refused(why or "mismatch")
        self._used_codes.add(code)
        withheld = {permission for switch, permission in _WITHHELD.items() if self.is_on(switch)}
        grant.scopes = tuple(scope for scope in grant.scopes if scope not in withheld)
        self._consented[id(grant)] = _Consent(at=self.clock.now(), has_first_page_only=self.is_on("first_page_only"))
        return _token_answer(self.issue_access_token(grant, lifetime=self.short_lifetime), self.short_lifetime)

    def _find_code_problem(self, code: str, redirect_uri: str | None) -> str:
        if code in self._used_codes:
            return "used"
        held = self._codes.get(code)
        if held is None:
            return "unknown"
        if held.expires_at <= self.clock.now():
            return "late"
        return "mismatch" if held.redirect_uri != redirect_uri else ""

    def _exchange_token(self, token: str) -> web.Response:
        held = self._access.get(token)
        if held is None or self.is_page_account(held.account):
            return answers.session_refused(None)
        if subcode := self.find_session_problem(held):
            return answers.session_refused(subcode)
        long = self.issue_access_token(held.grant, lifetime=self.long_lifetime)
        self._long_lived.add(long)
        return _token_answer(long, self.long_lifetime)

    def issue_page_token(self, request: web.Request, held: AccessToken, page: FakeAccount) -> str:
        """A Page's token, from the person's own."""
        # From a long-lived token comes one without an end (developers.facebook.com/documentation/facebook-login/guides/
        # access-tokens/get-long-lived, checked 2026-11-23).
        left = None
        if read_bearer(request) not in self._long_lived and held.expires_at is not None:
            left = held.expires_at - self.clock.now()
        return self.issue_access_token(held.grant, lifetime=left, account=page)

    # --- who calls ----------------------------------------------------------------------------------------------------

    def with_token(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Answer only calls whose token and proof are good."""

        async def check_first(request: web.Request) -> web.Response:
            given = {**request.query, **(await request.post())}
            held = self._check_token(request, str(given.get("appsecret_proof", "")))
            return held if isinstance(held, web.Response) else await answer(request, held)

        return check_first

    def _check_token(self, request: web.Request, proof: str) -> AccessToken | web.Response:
        if request.match_info["version"] not in VERSIONS:
            return answers.unknown_path(request.path.partition("/v")[2].partition("/")[2])
        held, _ = self.bearer(request)
        if held is None:
            return answers.session_refused(None)
        if not proof:
            return answers.proof_refused(is_missing=True)
        expected = hmac.new(self.client_secret.encode(), read_bearer(request).encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, proof) or self.is_on("secret_reset"):
            return answers.proof_refused(is_missing=False)
        subcode = self.find_session_problem(held)
        return held if subcode is None else answers.session_refused(subcode)

    def refuse_app(self, request: web.Request) -> web.Response | None:
        """What is wrong with a call that must come with our app's own access, ``{app id}|{app secret}``."""
        if request.match_info["version"] not in VERSIONS:
            return answers.unknown_path(request.path.partition("/v")[2].partition("/")[2])
        app_id, _, secret = read_bearer(request).partition("|")
        if self.is_our_client(app_id, secret) and not self.is_on("secret_reset"):
            return None
        return answers.app_token_refused()

    def find_session_problem(self, held: AccessToken) -> int | None:
        """Facebook's subcode for why a token is not good; None when it is."""
        consent = self.consent_of(held)
        problems = {
            458: held.grant.is_revoked,
            460: consent.is_before_new_password,
            463: held.expires_at is not None and held.expires_at <= self.clock.now(),
            459: self.is_on("checkpoint"),
            492: self.is_on("role_lost") and self.is_page_account(held.account),
        }
        return next((subcode for subcode, is_so in problems.items() if is_so), None)

    def is_page_account(self, account: FakeAccount) -> bool:
        """Whether a token speaks for a Page."""
        return all(account.id != person.id for person in self.people)

    # --- what a person gave -------------------------------------------------------------------------------------------

    async def show_me(self, _request: web.Request, held: AccessToken) -> web.Response:
        """Whom a token speaks for."""
        return web.json_response({"id": held.account.id, "name": held.account.name})

    async def list_permissions(self, _request: web.Request, held: AccessToken) -> web.Response:
        """What was granted and what was declined."""
        # developers.facebook.com/docs/graph-api/reference/user/permissions, checked 2026-11-23
        listed = [
            {"permission": permission, "status": "granted" if permission in held.grant.scopes else "declined"}
            for permission in PAGE_PERMISSIONS
        ]
        return web.json_response({"data": [*listed, {"permission": "public_profile", "status": "granted"}]})

    async def remove_app(self, request: web.Request) -> web.Response:
        """Remove the app from a person's account, asked by the app."""
        if refused := self.refuse_app(request):
            return refused
        person = next((each for each in self.people if each.id == request.match_info["user_id"]), None)
        if person is None or all(grant.is_revoked for grant in self._grants if grant.person == person):
            return answers.page_missing(request.match_info["user_id"], request.method)
        self.revoke_person(person)
        # developers.facebook.com/docs/graph-api/reference/user/permissions, checked 2026-11-23
        return web.json_response({"success": True})


def read_bearer(request: web.Request) -> str:
    """The token in the call's header, known or not."""
    return request.headers.get("Authorization", "").partition(" ")[2]


def _token_answer(token: str, lifetime: timedelta) -> web.Response:
    # developers.facebook.com/documentation/facebook-login/guides/advanced/manual-flow, checked 2026-11-23
    body = {"access_token": token, "token_type": "bearer", "expires_in": int(lifetime.total_seconds())}
    return web.json_response(body)
