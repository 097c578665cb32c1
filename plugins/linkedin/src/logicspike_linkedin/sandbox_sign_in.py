"""The stand-in's authorization server: consent, tokens, their introspection, and whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from aiohttp import web

from logicspike.testing import CodeRefused, ConsentRequest, Grant, RefreshRefused

from .sandbox_rules import access_denied, oauth_error

if TYPE_CHECKING:
    from .sandbox import FakeLinkedIn

__all__ = ["SignIn"]

_MEMBERS: Final = frozenset({"openid", "profile", "email", "w_member_social"})
# learn.microsoft.com/linkedin/marketing/increasing-access, checked 2026-11-25; that app has no OpenID, for no other
# product may stand beside this one: github.com/gitroomhq/postiz-app/issues/918, checked 2026-11-23
_COMPANY_PAGES: Final = frozenset(
    {
        "r_basicprofile",
        "r_organization_admin",
        "rw_organization_admin",
        "r_organization_social",
        "w_organization_social",
        "w_member_social",
    }
)
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "authorization_code": ("code", "redirect_uri"),
    "refresh_token": ("refresh_token",),
}


class SignIn:
    """LinkedIn's OAuth endpoints, for both developer apps."""

    def __init__(self, linkedin: FakeLinkedIn) -> None:
        self._linkedin = linkedin
        self._refresh_ends_at: dict[str, datetime] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """The paths of this part."""
        router.add_get("/oauth/v2/authorization", self._authorize)
        router.add_post("/oauth/v2/accessToken", self._give_tokens)
        router.add_post("/oauth/v2/introspectToken", self._introspect)
        router.add_post("/oauth/v2/revoke", self._revoke)
        router.add_get("/v2/userinfo", self._show_userinfo)
        router.add_get("/v2/me", self._show_me)

    async def _authorize(self, request: web.Request) -> web.Response:
        query = request.query
        redirect_uri = query.get("redirect_uri", "")
        credential_set = self._linkedin.find_credential_set(query.get("client_id"))
        if credential_set is None:
            return web.Response(status=400, text="The passed in client_id is invalid.")
        if not redirect_uri or not self._linkedin.is_registered(redirect_uri):
            return web.Response(status=400, text="The redirect_uri does not match the registered value.")
        if query.get("response_type") != "code":
            return web.Response(status=400, text="A required parameter “response_type” is missing or not “code”.")
        scopes = tuple(query.get("scope", "").split())
        if not scopes or not self._list_scopes(credential_set).issuperset(scopes):
            # learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23
            refused = {"error": "unauthorized_scope_error", "state": query.get("state", "")}
            raise web.HTTPFound(f"{redirect_uri}?{urlencode(refused)}")
        return self._linkedin.show_consent(
            ConsentRequest(
                redirect_uri=redirect_uri,
                state=query.get("state", ""),
                scopes=scopes,
                code_challenge=query.get("code_challenge"),
                credential_set=credential_set,
            )
        )

    def _list_scopes(self, credential_set: str) -> frozenset[str]:
        if not credential_set:
            return _MEMBERS
        return frozenset[str]() if self._linkedin.is_on("pages_product_off") else _COMPANY_PAGES

    async def _give_tokens(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        grant_type = form.get("grant_type", "")
        for parameter in ("grant_type", *_NEEDED.get(grant_type, ()), "client_id", "client_secret"):
            if not form.get(parameter):
                # learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens, checked 2026-11-23
                return oauth_error(400, "invalid_request", f'A required parameter "{parameter}" is missing')
        if not self._is_our_client(form):
            return self._refuse_client()
        match grant_type:
            case "authorization_code":
                return self._trade_code(form)
            case "refresh_token":
                return self._renew(form)
            case _:
                # RFC 6749 section 5.2; LinkedIn's own words are not known
                return oauth_error(400, "unsupported_grant_type", "The passed in grant_type is invalid")

    def _trade_code(self, form: Mapping[str, str]) -> web.Response:
        is_known = self._linkedin.knows_code(form["code"])
        try:
            grant = self._linkedin.redeem_code(form["code"], form["redirect_uri"], form.get("code_verifier"))
        except CodeRefused:
            grant = None
        # both: learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23
        if not is_known:
            return oauth_error(401, "invalid_request", "Unable to retrieve access token: authorization code not found")
        if grant is None or grant.credential_set != self._linkedin.find_credential_set(form["client_id"]):
            mismatch = (
                "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code. "
                "Or authorization code expired. Or external member binding exists"
            )
            return oauth_error(400, "invalid_redirect_uri", mismatch)
        if self._linkedin.is_on("share_product_off"):
            grant.scopes = tuple(scope for scope in grant.scopes if scope != "w_member_social")
        has_refresh = self._linkedin.is_on("refresh_tokens")
        return self._token_answer(grant, self._issue_lasting_refresh_token(grant) if has_refresh else None)

    def _issue_lasting_refresh_token(self, grant: Grant) -> str:
        token = self._linkedin.issue_refresh_token(grant)
        self._refresh_ends_at[token] = self._linkedin.clock.now() + self._linkedin.refresh_lifetime
        return token

    def _renew(self, form: Mapping[str, str]) -> web.Response:
        refresh_token = form["refresh_token"]
        ends_at = self._refresh_ends_at.get(refresh_token)
        is_over = ends_at is None or ends_at <= self._linkedin.clock.now()
        try:
            grant = self._linkedin.redeem_refresh_token(None if is_over else refresh_token, is_single_use=False)
        except RefreshRefused:
            # learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens, checked 2026-11-23
            dead = "The provided authorization grant or refresh token is invalid, expired or revoked"
            return oauth_error(400, "invalid_request", dead)
        return self._token_answer(grant, refresh_token)

    def _token_answer(self, grant: Grant, refresh_token: str | None) -> web.Response:
        # No token_type, and commas between the scopes: observed, unattributed (2026-11-23). The rest:
        # learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens, checked 2026-11-23
        lifetime, now = self._linkedin.access_lifetime, self._linkedin.clock.now()
        renewal: dict[str, object] = {}
        if refresh_token is not None:
            left = self._refresh_ends_at[refresh_token] - now
            lifetime = min(lifetime, left)
            renewal = {"refresh_token": refresh_token, "refresh_token_expires_in": int(left.total_seconds())}
        token = self._linkedin.issue_access_token(grant, lifetime=lifetime)
        self._linkedin.issued_at[token] = now
        seconds = int(lifetime.total_seconds())
        return web.json_response(
            {"access_token": token, "expires_in": seconds, "scope": ",".join(grant.scopes)} | renewal
        )

    async def _introspect(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        if not self._is_our_client(form):
            return self._refuse_client()
        held = self._linkedin.find_token(form.get("token", ""))
        if held is None or held.grant.credential_set != self._linkedin.find_credential_set(form["client_id"]):
            return web.json_response({"active": False})
        is_over = held.expires_at is not None and held.expires_at <= self._linkedin.clock.now()
        status = "revoked" if held.grant.is_revoked else "expired" if is_over else "active"
        issued_at = int(self._linkedin.issued_at[form["token"]].timestamp())
        # learn.microsoft.com/linkedin/shared/authentication/token-introspection, checked 2026-11-25
        return web.json_response(
            {
                "active": status == "active",
                "client_id": form["client_id"],
                "authorized_at": issued_at,
                "created_at": issued_at,
                "status": status,
                "expires_at": int(held.expires_at.timestamp()) if held.expires_at else 0,
                "scope": ",".join(held.grant.scopes),
                "auth_type": "3L",
            }
        )

    async def _revoke(self, request: web.Request) -> web.Response:
        # Undocumented; many clients call it; this answer is assumed (2026-11-23)
        form = {key: str(value) for key, value in (await request.post()).items()}
        if not self._is_our_client(form):
            return self._refuse_client()
        self._linkedin.revoke_token(form.get("token", ""))
        return web.Response()

    async def _show_userinfo(self, request: web.Request) -> web.Response:
        # The answer to a token without these scopes is a guess by that of the other calls.
        held = self._linkedin.admit(request, "openid", resource="userinfo.GET")
        if isinstance(held, web.Response):
            return held
        if "profile" not in held.grant.scopes:
            return access_denied("Not enough permissions to access: userinfo.GET.NO_VERSION")
        given, _, family = held.account.name.partition(" ")
        # sub, name and picture: observed, unattributed (2026-11-23); the rest are OpenID Connect's standard claims
        return web.json_response(
            {
                "sub": held.account.id,
                "name": held.account.name,
                "given_name": given,
                "family_name": family,
                "picture": f"https://media.licdn.com/dms/image/{held.account.id}/profile-displayphoto",
                "locale": {"country": "US", "language": "en"},
            }
        )

    async def _show_me(self, request: web.Request) -> web.Response:
        held = self._linkedin.admit(request, "r_basicprofile", resource="me.GET")
        if isinstance(held, web.Response):
            return held
        given, _, family = held.account.name.partition(" ")
        # github.com/om0852/Linkdin-API-, README.md, checked 2026-11-25
        return web.json_response(
            {
                "id": held.account.id,
                "localizedFirstName": given,
                "localizedLastName": family,
                "firstName": {"localized": {"en_US": given}, "preferredLocale": {"country": "US", "language": "en"}},
                "lastName": {"localized": {"en_US": family}, "preferredLocale": {"country": "US", "language": "en"}},
                "vanityName": held.account.handle,
            }
        )

    def _is_our_client(self, form: Mapping[str, str]) -> bool:
        return self._linkedin.is_our_client(form.get("client_id"), form.get("client_secret"))

    def _refuse_client(self) -> web.Response:
        # learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23; the
        # description is ours
        return oauth_error(401, "invalid_client", "Client authentication failed")
