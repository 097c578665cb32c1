"""Guild, a platform for tests: halls on one member's grant, a second developer app, checks, and callbacks of its own.

What Echo lacks, the way Facebook and LinkedIn have it: a grant is for a member and shared by all halls they post for;
withdrawing it ends it for every hall; access has an end and cannot be renewed; the platform tells when it was ended.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from importlib.metadata import EntryPoint
from typing import ClassVar, Final
from urllib.parse import parse_qs

from aiohttp import web

from logicspike.plugin import (
    AccessReport,
    Account,
    AuthorizationGrant,
    AuthorizationLink,
    AuthorizationRequest,
    Credential,
    CredentialSet,
    Limits,
    Platform,
    PlatformContext,
    PlatformEvent,
    PlatformEventOutcome,
    PlatformEventRefused,
    Post,
    PublishedPost,
    ReconnectRequired,
    TokenSet,
    hookimpl,
    oauth2,
)
from logicspike.testing import CodeRefused, ConsentRequest, FakeAccount, FakePlatform

ENTRY_POINT: Final = EntryPoint(name="guild", value="guild_platform", group="logicspike.platforms")
ENVIRONMENT: Final = {
    "GUILD_CLIENT_ID": "guild-id",
    "GUILD_CLIENT_SECRET": "guild-secret",
    "GUILD_HALLS_CLIENT_ID": "halls-id",
    "GUILD_HALLS_CLIENT_SECRET": "halls-secret",
}


@hookimpl
def describe() -> Platform:
    """Guild's facts."""
    return Platform(
        name="guild",
        title="Guild",
        scopes=("speak", "who"),
        endpoints={"auth": "https://guild.example", "api": "https://api.guild.example"},
        limits=Limits(max_chars=100, checked_on=date(2026, 11, 25)),
        permissions=("publish posts on your own board",),
        uses_pkce=False,
        credential_sets=(
            CredentialSet(
                name="halls",
                title="Guild halls",
                typed="guild-hall",
                scopes=("speak_for_halls",),
                permissions=("publish posts for the halls you keep",),
            ),
        ),
        events=("removed", "erase"),
    )


@hookimpl
async def authorize(ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
    """A plain OAuth 2.0 link; one that asks again says so."""
    extra = {"ask": "again"} if request.is_rerequest else {}
    return oauth2.authorization_link(f"{ctx.endpoints['auth']}/authorize", ctx.client, request, **extra)


@hookimpl
async def exchange(ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
    """Trade the code and ask who it is."""
    tokens = await oauth2.fetch_tokens(ctx, f"{ctx.endpoints['api']}/token", grant)
    me = await oauth2.get_json(ctx, f"{ctx.endpoints['api']}/me", tokens)
    account = Account(id=me["id"], name=me["name"], url=f"https://guild.example/{me['id']}")
    return Credential(account=account, tokens=tokens, grant_id=me["id"])


@hookimpl
async def accounts(ctx: PlatformContext, credential: Credential) -> Sequence[Credential]:
    """The member's own board, or by the second app the halls they keep."""
    if not credential.credential_set:
        return (credential,)
    answer = await oauth2.get_json(ctx, f"{ctx.endpoints['api']}/halls", credential.tokens)
    return tuple(
        Credential(
            account=Account(
                id=hall["id"],
                name=hall["name"],
                kind="hall",
                url=f"https://guild.example/halls/{hall['id']}",
                handle=f"@{hall['id']}",
                picture=f"{ctx.endpoints['api']}/pictures/{hall['id']}.png",
            ),
            tokens=credential.tokens,
            grant_id=credential.grant_id,
        )
        for hall in answer["halls"]
    )


@hookimpl
async def refresh() -> TokenSet:
    """Guild has nothing to renew with."""
    raise ReconnectRequired("Guild asks its members to sign in anew.")


@hookimpl
async def revoke(ctx: PlatformContext, credential: Credential, is_last: bool) -> None:
    """Withdraw the member's grant, unless other halls still stand on it."""
    if is_last:
        token = credential.tokens.access_token
        await oauth2.revoke_token(ctx, f"{ctx.endpoints['api']}/revoke", token, hint="access_token")


@hookimpl
async def check(ctx: PlatformContext, credential: Credential) -> AccessReport:
    """Ask what is still allowed."""
    answer = await oauth2.get_json(ctx, f"{ctx.endpoints['api']}/access", credential.tokens)
    return AccessReport(scopes=tuple(answer["scopes"]), expires_at=credential.tokens.expires_at)


@hookimpl
async def receive(ctx: PlatformContext, event: PlatformEvent) -> PlatformEventOutcome:
    """Take the member's id, when it is signed with our secret."""
    member = event.form.get("member", "")
    if not hmac.compare_digest(event.headers.get("x-guild-signature", ""), sign(event.body, ctx.client.client_secret)):
        raise PlatformEventRefused("The signature is not Guild's.")
    if event.name == "erase":
        answer = {"url": event.status_url, "confirmation_code": event.confirmation_code}
        return PlatformEventOutcome(erased_grants=(member,), answer=answer)
    return PlatformEventOutcome(ended_grants=(member,))


@hookimpl
async def publish(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost:
    """Nail it to the board."""
    body = {"key": post.key, "text": post.text, "board": credential.account.id}
    made = await oauth2.post_json(ctx, f"{ctx.endpoints['api']}/notes", credential.tokens, body)
    return PublishedPost(id=made["id"], url=None)


def sign(body: bytes, secret: str) -> str:
    """How Guild vouches for a callback."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class FakeGuild(FakePlatform):
    """Guild on loopback.

    Attributes:
        lifetime: of an access token; None when the answer doesn't say.
        shrunk: scopes that members have taken back since.
        asked_again: whether the last consent page was asked for once more.
    """

    name = "guild"
    title = "Guild"
    endpoint_names: ClassVar[tuple[str, ...]] = ("auth", "api")
    people: ClassVar[tuple[FakeAccount, ...]] = (
        FakeAccount(id="m-1", name="Ann Guild"),
        FakeAccount(id="m-2", name="Ben Guild"),
        FakeAccount(id="m-3", name="Cem Guild"),
    )
    halls: ClassVar[Mapping[str, Sequence[str]]] = {"m-1": ("north", "south"), "m-2": ("east",)}
    lifetime: timedelta | None = timedelta(days=60)
    shrunk: frozenset[str] = frozenset()
    asked_again = False

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add Guild's paths."""
        router.add_get("/authorize", self._authorize)
        router.add_post("/token", self._token)
        router.add_post("/revoke", self._revoke)
        router.add_get("/me", self._me)
        router.add_get("/halls", self._halls)
        router.add_get("/access", self._access_of)
        router.add_post("/notes", self._note)

    def is_page(self, request: web.Request) -> bool:
        """The consent page is the browser's."""
        return request.path == "/authorize"

    def is_create(self, request: web.Request) -> bool:
        """Nailing up a note."""
        return request.path == "/notes"

    def rate_limited(self, request: web.Request) -> web.StreamResponse:
        """A pause of half a minute."""
        return web.json_response({"error": "slow_down"}, status=429, headers={"Retry-After": "30"})

    async def _authorize(self, request: web.Request) -> web.Response:
        query = request.query
        asked = {"guild-id": {"speak", "who"}, "halls-id": {"speak_for_halls"}}.get(query["client_id"])
        if asked != set(query["scope"].split()) or not self.is_registered(query["redirect_uri"]):
            return web.Response(status=400, text="unknown app, or scopes it may not ask for")
        self.asked_again = query.get("ask") == "again"
        return self.show_consent(
            ConsentRequest(
                redirect_uri=query["redirect_uri"],
                state=query["state"],
                scopes=tuple(query["scope"].split()),
                code_challenge=None,
            )
        )

    async def _token(self, request: web.Request) -> web.Response:
        form = {key: values[0] for key, values in parse_qs(await request.text()).items()}
        secrets_by_id = {"guild-id": "guild-secret", "halls-id": "halls-secret"}
        if secrets_by_id.get(form["client_id"]) != form["client_secret"]:
            return web.json_response({"error": "invalid_client"}, status=401)
        try:
            grant = self.redeem_code(form.get("code"), form.get("redirect_uri"), None)
        except CodeRefused:
            return web.json_response({"error": "invalid_grant"}, status=400)
        token = self.issue_access_token(grant, lifetime=self.lifetime)
        answer = {"access_token": token, "token_type": "bearer", "scope": " ".join(grant.scopes)}
        if self.lifetime is not None:
            answer["expires_in"] = int(self.lifetime.total_seconds())
        return web.json_response(answer)

    async def _revoke(self, request: web.Request) -> web.Response:
        """Removing the app ends all that the member ever allowed it."""
        token = parse_qs(await request.text())["token"][0]
        if (held := self._access.get(token)) is not None:
            for grant in self._grants:
                grant.is_revoked |= grant.person == held.grant.person and grant.scopes == held.grant.scopes
        return web.Response()

    async def _me(self, request: web.Request) -> web.Response:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        return web.json_response({"id": held.account.id, "name": held.account.name})

    async def _halls(self, request: web.Request) -> web.Response:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        kept = self.halls.get(held.account.id, ())
        return web.json_response({"halls": [{"id": each, "name": f"{each.title()} Hall"} for each in kept]})

    async def _access_of(self, request: web.Request) -> web.Response:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        left = [each for each in held.grant.scopes if each not in self.shrunk]
        return web.json_response({"scopes": ["be_a_member", *left]})

    async def _note(self, request: web.Request) -> web.Response:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        body = await request.json()
        board = FakeAccount(id=body["board"], name=body["board"])
        self.record(post_id=f"{body['board']}-{body['key']}", account=board, text=body["text"])
        return web.json_response({"id": f"{body['board']}-{body['key']}"}, status=201)
