"""A stand-in for LinkedIn: sign-in, identity, posts and their pages, with LinkedIn's own checks, words and quirks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from aiohttp import web

from logicspike.testing import (
    AccessToken,
    CodeRefused,
    ConsentRequest,
    ErrorAnswer,
    FakeAccount,
    FakePlatform,
    Grant,
    LedgerEntry,
    RefreshRefused,
)

from .sandbox_errors import ERROR_ANSWERS
from .sandbox_rules import access_denied, api_error, check_headers, check_post, duplicate, oauth_error, token_error
from .sandbox_text import LittleText, read_little_text

__all__ = ["FakeLinkedIn"]

_SCOPES: Final = frozenset({"openid", "profile", "email", "w_member_social"})


class FakeLinkedIn(FakePlatform):
    """LinkedIn for one developer app: by default a self-serve one, which gets no refresh tokens."""

    name = "linkedin"
    title = "LinkedIn"
    accent = "#0a66c2"
    endpoint_names = ("auth", "api")
    people = (
        FakeAccount(id="782bbtaQ", name="Mara Lindqvist", handle="mara-lindqvist"),
        FakeAccount(id="yrZCpj2Z12", name="Tomás Ferreira", handle="tomas-ferreira"),
        FakeAccount(id="k3-Wq_90ab", name="Aiko Tanaka", handle="aiko-tanaka"),
    )
    code_lifetime = timedelta(minutes=30)
    extra_switches: ClassVar[dict[str, str]] = {
        "spurious_401": "Call fresh tokens revoked for some seconds",
        "refresh_tokens": "Give refresh tokens (approved app)",
        "share_product_off": "Take the product “Share on LinkedIn” from the app",
        "version_sunset": "Switch off the API version in use (426)",
    }

    error_answers: ClassVar[Mapping[str, Sequence[ErrorAnswer]]] = ERROR_ANSWERS

    access_lifetime: ClassVar[timedelta] = timedelta(days=60)
    refresh_lifetime: ClassVar[timedelta] = timedelta(days=365)
    settling: ClassVar[timedelta] = timedelta(seconds=6)
    """How long a fresh token is called revoked while ``spurious_401`` is on."""
    duplicate_window: ClassVar[timedelta] = timedelta(minutes=10)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.published: dict[str, LittleText] = {}
        """What readers see of each post, by its URN."""
        self._issued_at: dict[str, datetime] = {}
        self._refresh_ends_at: dict[str, datetime] = {}
        self._sources: dict[str, tuple[object, ...]] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """LinkedIn's own paths, of both origins."""
        router.add_get("/oauth/v2/authorization", self._authorize)
        router.add_post("/oauth/v2/accessToken", self._give_tokens)
        router.add_post("/oauth/v2/revoke", self._revoke)
        router.add_get("/v2/userinfo", self._show_userinfo)
        router.add_post("/rest/posts", self._create_post)
        router.add_get("/feed/update/{urn}/", self._show_post)

    def is_page(self, request: web.Request) -> bool:
        """The consent page, and the page of a post."""
        return request.path == "/oauth/v2/authorization" or request.path.startswith("/feed/")

    def is_create(self, request: web.Request) -> bool:
        """The call that publishes."""
        return request.method == "POST" and request.path == "/rest/posts"

    def rate_limited(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - the same for every call
        """The daily limit; LinkedIn sends no Retry-After."""
        # learn.microsoft.com/linkedin/shared/api-guide/concepts/rate-limits; with the words "APPLICATION DAY":
        # observed, unattributed (2026-11-23)
        text = "Resource level throttle APPLICATION DAY limit for calls to this resource is reached."
        return api_error(429, message=text, service_code=101)

    def canceled_parameters(self) -> dict[str, str]:
        """What LinkedIn adds to the redirect when the person presses Cancel."""
        # learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23; the
        # description is ours
        return {"error": "user_cancelled_authorize", "error_description": "The user cancelled the authorization"}

    # --- sign-in ------------------------------------------------------------------------------------------------------

    async def _authorize(self, request: web.Request) -> web.Response:
        query = request.query
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != self.client_id:
            return web.Response(status=400, text="The passed in client_id is invalid.")
        if not redirect_uri or not self.is_registered(redirect_uri):
            return web.Response(status=400, text="The redirect_uri does not match the registered value.")
        if query.get("response_type") != "code":
            return web.Response(status=400, text="A required parameter “response_type” is missing or not “code”.")
        scopes = tuple(query.get("scope", "").split())
        if not scopes or not _SCOPES.issuperset(scopes):
            # learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23
            refused = {"error": "unauthorized_scope_error", "state": query.get("state", "")}
            raise web.HTTPFound(f"{redirect_uri}?{urlencode(refused)}")
        return self.show_consent(
            ConsentRequest(
                redirect_uri=redirect_uri,
                state=query.get("state", ""),
                scopes=scopes,
                code_challenge=query.get("code_challenge"),
            )
        )

    async def _give_tokens(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        needed = {"authorization_code": ("code", "redirect_uri"), "refresh_token": ("refresh_token",)}
        grant_type = form.get("grant_type", "")
        for parameter in ("grant_type", *needed.get(grant_type, ()), "client_id", "client_secret"):
            if not form.get(parameter):
                # learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens, checked 2026-11-23
                return oauth_error(400, "invalid_request", f'A required parameter "{parameter}" is missing')
        if not self.is_our_client(form["client_id"], form["client_secret"]):
            # learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23; the
            # description is ours
            return oauth_error(401, "invalid_client", "Client authentication failed")
        match grant_type:
            case "authorization_code":
                return self._trade_code(form)
            case "refresh_token":
                return self._renew(form["refresh_token"])
            case _:
                # RFC 6749 section 5.2; LinkedIn's own words are not known
                return oauth_error(400, "unsupported_grant_type", "The passed in grant_type is invalid")

    def _trade_code(self, form: Mapping[str, str]) -> web.Response:
        is_known = form["code"] in self._codes
        try:
            grant = self.redeem_code(form["code"], form["redirect_uri"], form.get("code_verifier"))
        except CodeRefused:
            # both: learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23
            if not is_known:
                missing = "Unable to retrieve access token: authorization code not found"
                return oauth_error(401, "invalid_request", missing)
            mismatch = (
                "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code. "
                "Or authorization code expired. Or external member binding exists"
            )
            return oauth_error(400, "invalid_redirect_uri", mismatch)
        if self.is_on("share_product_off"):
            grant.scopes = tuple(scope for scope in grant.scopes if scope != "w_member_social")
        refresh_token = self._issue_lasting_refresh_token(grant) if self.is_on("refresh_tokens") else None
        return self._token_answer(grant, refresh_token)

    def _issue_lasting_refresh_token(self, grant: Grant) -> str:
        token = self.issue_refresh_token(grant)
        self._refresh_ends_at[token] = self.clock.now() + self.refresh_lifetime
        return token

    def _renew(self, refresh_token: str) -> web.Response:
        ends_at = self._refresh_ends_at.get(refresh_token)
        is_over = ends_at is None or ends_at <= self.clock.now()
        try:
            grant = self.redeem_refresh_token(None if is_over else refresh_token, is_single_use=False)
        except RefreshRefused:
            # learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens, checked 2026-11-23
            dead = "The provided authorization grant or refresh token is invalid, expired or revoked"
            return oauth_error(400, "invalid_request", dead)
        return self._token_answer(grant, refresh_token)

    def _token_answer(self, grant: Grant, refresh_token: str | None) -> web.Response:
        # No token_type, and commas between the scopes: observed, unattributed (2026-11-23). The rest:
        # learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens, checked 2026-11-23
        lifetime, now = self.access_lifetime, self.clock.now()
        renewal: dict[str, object] = {}
        if refresh_token is not None:
            left = self._refresh_ends_at[refresh_token] - now
            lifetime = min(lifetime, left)
            renewal = {"refresh_token": refresh_token, "refresh_token_expires_in": int(left.total_seconds())}
        token = self.issue_access_token(grant, lifetime=lifetime)
        self._issued_at[token] = now
        seconds = int(lifetime.total_seconds())
        return web.json_response(
            {"access_token": token, "expires_in": seconds, "scope": ",".join(grant.scopes)} | renewal
        )

    async def _revoke(self, request: web.Request) -> web.Response:
        # Undocumented; many clients call it; this answer is assumed (2026-11-23)
        form = await request.post()
        if not self.is_our_client(str(form.get("client_id", "")), str(form.get("client_secret", ""))):
            return oauth_error(401, "invalid_client", "Client authentication failed")
        self.revoke_token(str(form.get("token", "")))
        return web.Response()

    # --- the API ------------------------------------------------------------------------------------------------------

    def _check_token(self, request: web.Request) -> AccessToken | web.Response:
        held, trouble = self.bearer(request)
        token = request.headers.get("Authorization", "").partition(" ")[2]
        issued_at = self._issued_at.get(token)
        if self.is_on("spurious_401") and issued_at and self.clock.now() < issued_at + self.settling:
            # The answer to a fresh, good token: github.com/jclusso/omniauth-linkedin-openid/issues/6 (2026-11-23)
            trouble = "revoked"
        if held is not None and not trouble:
            return held
        return token_error(trouble if token else "empty")

    async def _show_userinfo(self, request: web.Request) -> web.Response:
        held = self._check_token(request)
        if isinstance(held, web.Response):
            return held
        # The answer to a token without these scopes is a guess by that of the other calls.
        if not {"openid", "profile"} <= set(held.grant.scopes):
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

    async def _create_post(self, request: web.Request) -> web.Response:
        held = self._check_token(request)
        if isinstance(held, web.Response):
            return held
        refused = check_headers(request, is_sunset=self.is_on("version_sunset"))
        if refused is not None:
            return refused
        if self.is_on("share_product_off") or "w_member_social" not in held.grant.scopes:
            return access_denied("Not enough permissions to access: partnerApiPostsExternal.CREATE.20260901")
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            # ours: how LinkedIn words it is not known
            return api_error(400, message="Cannot parse request entity")
        return check_post(body, author=f"urn:li:person:{held.account.id}") or self._take_post(body, held)

    def _take_post(self, body: Mapping[str, Any], held: AccessToken) -> web.Response:
        link = body["content"]["article"]["source"] if "content" in body else None
        source = (held.account.id, body["commentary"], link)
        if original := self._find_duplicate(source):
            return duplicate(original.id)
        urn = f"urn:li:share:{7_398_000_000_000_000_000 + self.next_number()}"
        seen = read_little_text(body["commentary"])
        self.published[urn] = seen
        self._sources[urn] = source
        self.record(post_id=urn, account=held.account, text=seen.text, link=link)
        # learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api, checked 2026-11-23
        return web.Response(status=201, headers={"x-restli-id": urn})

    def _find_duplicate(self, source: tuple[object, ...]) -> LedgerEntry | None:
        since = self.clock.now() - self.duplicate_window
        return next((entry for entry in self.ledger if self._sources[entry.id] == source and entry.at > since), None)

    async def _show_post(self, request: web.Request) -> web.Response:
        entry = next((entry for entry in self.ledger if entry.id == request.match_info["urn"]), None)
        if entry is None:
            raise web.HTTPNotFound(text="This post cannot be displayed.")
        link = f'<p><a href="{escape(entry.link)}" rel="noreferrer">{escape(entry.link)}</a></p>' if entry.link else ""
        page = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{escape(entry.account.name)} on LinkedIn (sandbox)</title>"
            '<body style="font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem">'
            f'<h1 style="font-size:1.1rem;color:{self.accent}">{escape(entry.account.name)}</h1>'
            f'<p style="white-space:pre-wrap;overflow-wrap:anywhere">{escape(entry.text)}</p>{link}'
        )
        return web.Response(text=page, content_type="text/html")
