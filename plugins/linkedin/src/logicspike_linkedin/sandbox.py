"""A stand-in for LinkedIn: sign-in, company pages, uploads, posts and comments, with LinkedIn's checks and quirks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from logicspike.testing import AccessToken, ErrorAnswer, FakeAccount, FakePlatform

from .sandbox_errors import ERROR_ANSWERS
from .sandbox_pages import CompanyPages
from .sandbox_posts import Posts
from .sandbox_rules import access_denied, api_error, check_encoding, check_headers, field_denied, token_error
from .sandbox_sign_in import SignIn
from .sandbox_text import LittleText
from .sandbox_uploads import Uploads

__all__ = ["FakeLinkedIn"]

_PAGE: Final = "urn:li:organization:"


class FakeLinkedIn(FakePlatform):
    """LinkedIn for two developer apps: a self-serve one for members, and an approved one for company pages."""

    name = "linkedin"
    title = "LinkedIn"
    accent = "#0a66c2"
    endpoint_names = ("auth", "api")
    credential_sets = ("organization",)
    takes_media = True
    people = (
        FakeAccount(id="782bbtaQ", name="Mara Lindqvist", handle="mara-lindqvist", about="manages two company pages"),
        FakeAccount(id="yrZCpj2Z12", name="Tomás Ferreira", handle="tomas-ferreira", about="manages one company page"),
        FakeAccount(id="k3-Wq_90ab", name="Aiko Tanaka", handle="aiko-tanaka", about="manages no company page"),
    )
    code_lifetime = timedelta(minutes=30)
    extra_switches: ClassVar[dict[str, str]] = {
        "spurious_401": "Call fresh tokens revoked for some seconds",
        "refresh_tokens": "Give refresh tokens (approved app)",
        "share_product_off": "Take the product “Share on LinkedIn” from the app",
        "pages_product_off": "Take the product “Community Management API” from the app for company pages",
        "role_lost": "Take people's roles on company pages",
        "version_sunset": "Switch off the API version in use (426)",
        "slow_media": "Need some seconds until a post may use an upload",
        "hidden_video_state": "Don't tell members how far a video is",
        "late_activity": "Find new posts only after some seconds (404 for comments)",
        "comments_denied": "Refuse comments of apps without approval",
    }

    error_answers: ClassVar[Mapping[str, Sequence[ErrorAnswer]]] = ERROR_ANSWERS

    access_lifetime: ClassVar[timedelta] = timedelta(days=60)
    refresh_lifetime: ClassVar[timedelta] = timedelta(days=365)
    settling: ClassVar[timedelta] = timedelta(seconds=6)
    """How long a fresh token is called revoked, an upload is not usable, or a post not found, while told to be so."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.issued_at: dict[str, datetime] = {}
        self.pages = CompanyPages(self)
        self._sign_in = SignIn(self)
        self._uploads = Uploads(self)
        self._posts = Posts(self, self._uploads)

    @property
    def published(self) -> Mapping[str, LittleText]:
        """What readers see of each post, by its URN."""
        return self._posts.published

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """LinkedIn's own paths, of both origins."""
        for part in (self._sign_in, self.pages, self._uploads, self._posts):
            part.add_routes(router)

    def is_page(self, request: web.Request) -> bool:
        """The consent page, the page of a post, and that of a company."""
        return request.path == "/oauth/v2/authorization" or request.path.startswith(("/feed/", "/company/"))

    def is_create(self, request: web.Request) -> bool:
        """The calls that publish: a post, a comment."""
        return request.method == "POST" and request.path.endswith(("/rest/posts", "/comments"))

    def rate_limited(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - the same for every call
        """The daily limit of one member; LinkedIn sends no Retry-After."""
        return ERROR_ANSWERS["daily limit"][0].to_response()

    def canceled_parameters(self) -> dict[str, str]:
        """What LinkedIn adds to the redirect when the person presses Cancel."""
        # learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23; the
        # description is ours
        return {"error": "user_cancelled_authorize", "error_description": "The user cancelled the authorization"}

    # --- what every call of the API goes through ----------------------------------------------------------------------

    def admit(self, request: web.Request, *scopes: str, resource: str) -> AccessToken | web.Response:
        """Whom a call comes from; or what LinkedIn finds wrong with its token, headers or permissions.

        Args:
            request: the call.
            scopes: one of these is needed.
            resource: how LinkedIn calls what is asked for, in its refusal.
        """
        held = self._check_token(request)
        if isinstance(held, web.Response):
            return held
        if request.path.startswith("/rest/"):
            refused = check_headers(request, is_sunset=self.is_on("version_sunset"))
            if refused is not None:
                return refused
        if (refused := check_encoding(request)) is not None:
            return refused
        if not set(scopes) & self._list_granted(held):
            version = request.headers.get("LinkedIn-Version")
            return access_denied(
                f"Not enough permissions to access: {resource}.{f'{version}01' if version else 'NO_VERSION'}"
            )
        return held

    def find_author(self, held: AccessToken, urn: object, *, field: str, role: str) -> FakeAccount | web.Response:
        """Who may be written as; or LinkedIn's refusal of another.

        Args:
            held: the token.
            urn: whom the body names.
            field: where, in Rest.li's way ("/author").
            role: what the body names them as ("author").
        """
        if isinstance(urn, str) and urn.startswith(_PAGE):
            if "w_organization_social" not in held.grant.scopes:
                # observed, unattributed (2026-11-25)
                message = f"Organization permissions must be used when using organization as {role}"
                return api_error(400, message=message)
            page = self.pages.find_managed(held.grant.person, urn)
            return page if page is not None else field_denied(field)
        if urn == f"urn:li:person:{held.account.id}" and "w_member_social" in held.grant.scopes:
            return held.account
        return field_denied(field)

    def is_settled(self, since: datetime) -> bool:
        """Whether what happened then is some seconds old."""
        return self.clock.now() >= since + self.settling

    def _check_token(self, request: web.Request) -> AccessToken | web.Response:
        held, trouble = self.bearer(request)
        token = request.headers.get("Authorization", "").partition(" ")[2]
        issued_at = self.issued_at.get(token)
        if self.is_on("spurious_401") and issued_at and not self.is_settled(issued_at):
            # The answer to a fresh, good token: github.com/jclusso/omniauth-linkedin-openid/issues/6 (2026-11-23)
            trouble = "revoked"
        if held is not None and not trouble:
            return held
        return token_error(trouble if token else "empty")

    def _list_granted(self, held: AccessToken) -> frozenset[str]:
        """What a token still allows, of all the member granted: an app may have lost a product since."""
        granted = frozenset(held.grant.scopes)
        if held.grant.credential_set:
            return frozenset() if self.is_on("pages_product_off") else granted
        return granted - {"w_member_social"} if self.is_on("share_product_off") else granted

    # --- what the parts need to know of tokens ------------------------------------------------------------------------

    def knows_code(self, code: str) -> bool:
        """Whether this authorization code was given and not used yet."""
        return code in self._codes

    def find_token(self, token: str) -> AccessToken | None:
        """An access token that was once given, whatever has become of it."""
        return self._access.get(token)
