"""The part of the fake X that people sign in at: consent, tokens that rotate, revocation, whose token it is."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from logicspike.testing import (
    AccessToken,
    CodeRefused,
    ConsentRequest,
    FakeAccount,
    FakePlatform,
    Grant,
    RefreshRefused,
)

from . import sandbox_answers as answers
from .sandbox_limits import CallLimits, Standing

__all__ = ["FakeSignIn"]

_AUTHORIZE: Final = "/i/oauth2/authorize"
# Those a poster could ask for; docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code, checked 2026-11-23.
_KNOWN_SCOPES: Final = frozenset({"tweet.read", "tweet.write", "users.read", "media.write", "offline.access"})
_STANDING: Final = web.RequestKey("standing", Standing)
_TOKEN_LIFETIME: Final = timedelta(hours=2)


class FakeSignIn(FakePlatform):
    """X's consent page and token endpoint."""

    # docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code, checked 2026-11-23.
    code_lifetime: ClassVar[timedelta] = timedelta(seconds=30)
    extra_actions: ClassVar[dict[str, str]] = {
        "lose_refresh": "Spend the refresh tokens, as if the answer to a refresh got lost",
        "spend_the_day": "Use up the app's posts of 24 hours",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._limits = CallLimits(self.clock.now)

    def build_app(self) -> web.Application:
        """The application, whose API answers come with the headers of their limits."""
        app = super().build_app()
        app.on_response_prepare.append(self._add_limits)
        return app

    def perform(self, action: str) -> None:
        """Do a one-time fault.

        Raises:
            KeyError: no such fault.
        """
        match action:
            case "spend_the_day":
                self._limits.spend_the_day()
            case "lose_refresh":
                for held in self._refresh.values():
                    held.is_spent = True
            case _:
                super().perform(action)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the paths of OAuth 2.0."""
        router.add_get(_AUTHORIZE, self._authorize)
        router.add_post("/2/oauth2/token", self._token)
        router.add_post("/2/oauth2/revoke", self._revoke)

    async def _authorize(self, request: web.Request) -> web.Response:
        query = request.query
        if problem := self._authorize_problem(request):
            return web.Response(status=400, text=f"Something went wrong\n\n{problem}\n")
        return self.show_consent(
            ConsentRequest(
                redirect_uri=query["redirect_uri"],
                state=query["state"],
                scopes=tuple(query["scope"].split()),
                code_challenge=query["code_challenge"],
            )
        )

    def _authorize_problem(self, request: web.Request) -> str:
        query = request.query
        checks = {
            "response_type must be code": query.get("response_type") == "code",
            "client_id is unknown": query.get("client_id") == self.client_id,
            "redirect_uri is not registered": self.is_registered(query.get("redirect_uri", "")),
            "redirect_uri is missing": bool(query.get("redirect_uri")),
            "state is missing or longer than 500 characters": 0 < len(query.get("state", "")) <= 500,
            "scope is missing or unknown": _are_known_scopes(query.get("scope", "")),
            "code_challenge is missing": bool(query.get("code_challenge")),
            # The real X takes "plain" as well; nothing of ours should ever send it.
            "code_challenge_method must be S256": query.get("code_challenge_method") == "S256",
        }
        return next((problem for problem, is_fine in checks.items() if not is_fine), "")

    async def _token(self, request: web.Request) -> web.Response:
        if refusal := self._client_refusal(request):
            return refusal
        form = {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        match form.get("grant_type"):
            case "authorization_code":
                return self._exchange(form)
            case "refresh_token":
                return self._refresh_grant(form)
            case _:
                # Observed, unattributed.
                return answers.token_error(400, "unsupported_grant_type", "Unsupported grant_type.")

    def _client_refusal(self, request: web.Request) -> web.Response | None:
        client_id, client_secret = _basic_credentials(request.headers.get("Authorization", ""))
        if client_id is None:
            # github.com/unasuke/omniauth-twitter2/issues/4, github.com/better-auth/better-auth/issues/2095
            return answers.token_error(401, "unauthorized_client", "Missing valid authorization header")
        if not self.is_our_client(client_id, client_secret):
            # Observed, unattributed.
            return answers.token_error(401, "invalid_client", "Invalid client credentials.")
        return None

    def _exchange(self, form: dict[str, str]) -> web.Response:
        for name in ("code", "redirect_uri", "code_verifier"):
            if not form.get(name):
                # Observed, unattributed.
                return answers.token_error(400, "invalid_request", f"Missing required parameter [{name}].")
        try:
            grant = self.redeem_code(form["code"], form["redirect_uri"], form["code_verifier"])
        except CodeRefused:
            # github.com/plhery/node-twitter-api-v2/issues/496
            description = "Value passed for the authorization code was invalid."
            return answers.token_error(400, "invalid_request", description)
        return self._issue(grant)

    def _refresh_grant(self, form: dict[str, str]) -> web.Response:
        try:
            grant = self.redeem_refresh_token(form.get("refresh_token"), is_single_use=True)
        except RefreshRefused:
            # Observed in two public projects, unattributed.
            return answers.token_error(400, "invalid_request", "Value passed for the token was invalid.")
        return self._issue(grant)

    def _issue(self, grant: Grant) -> web.Response:
        tokens: dict[str, Any] = {
            "token_type": "bearer",
            "expires_in": int(_TOKEN_LIFETIME.total_seconds()),
            "access_token": self.issue_access_token(grant, lifetime=_TOKEN_LIFETIME),
            "scope": " ".join(grant.scopes),
        }
        if "offline.access" in grant.scopes:
            tokens["refresh_token"] = self.issue_refresh_token(grant)
        return web.json_response(tokens)

    async def _revoke(self, request: web.Request) -> web.Response:
        if refusal := self._client_refusal(request):
            return refusal
        token = (await request.post()).get("token")
        if not isinstance(token, str) or not token:
            return answers.token_error(400, "invalid_request", "Missing required parameter [token].")
        self.revoke_token(token)
        # Observed, unattributed.
        return web.json_response({"revoked": True})

    # --- whose token it is, for the other parts -----------------------------------------------------------------------

    def refusal(self, request: web.Request, *needed: str) -> web.Response | None:
        """X's refusal of a call: a token worth nothing, a fault that is on, a missing scope; None when it may go."""
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return answers.unauthorized()
        standing = self._limits.count(held.account.id, request.method, _path_of(request))
        request[_STANDING] = standing
        if standing.is_over:
            return answers.too_many_requests()
        for name, (status, body) in answers.FAULTS.items():
            if self._use(name):
                return answers.problem(status, body)
        return None if set(needed) <= set(held.grant.scopes) else answers.forbidden()

    def speaker(self, request: web.Request) -> FakeAccount:
        """Whose token it is; ask ``refusal`` before."""
        held, _ = self.bearer(request)
        assert isinstance(held, AccessToken)
        return held.account

    async def _add_limits(self, request: web.Request, response: web.StreamResponse) -> None:
        standing = request.get(_STANDING)
        if standing is not None:
            response.headers.update(standing.headers)


def _path_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    assert resource is not None
    return resource.canonical


def _are_known_scopes(scope: str) -> bool:
    return bool(scope.split()) and set(scope.split()) <= _KNOWN_SCOPES


def _basic_credentials(header: str) -> tuple[str | None, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, ""
    return (client_id, secret) if scheme.lower() == "basic" and colon else (None, "")
