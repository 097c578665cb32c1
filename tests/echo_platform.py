"""Two tiny platforms for tests: Echo has every hook, Whisper (an object, not a module) only the required ones.

The fixture ``installed_echo`` of tests/plugin installs both, with their fakes, under the bot's entry points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar
from urllib.parse import parse_qs

from aiohttp import web

from logicspike.plugin import (
    Account,
    AuthorizationGrant,
    AuthorizationLink,
    AuthorizationRequest,
    Credential,
    Limits,
    Platform,
    PlatformContext,
    Post,
    Problem,
    PublishedPost,
    TokenSet,
    hookimpl,
    oauth2,
)
from logicspike.testing import CodeRefused, ConsentRequest, FakeAccount, FakePlatform, Grant, RefreshRefused

ENTRY_POINTS = """\
[logicspike.platforms]
echo = echo_platform
whisper = echo_platform:whisper

[logicspike.sandboxes]
echo = echo_platform:FakeEcho
whisper = echo_platform:FakeWhisper
"""


@hookimpl
def describe() -> Platform:
    """Echo's facts."""
    return Platform(
        name="echo",
        title="Echo",
        scopes=("say", "who"),
        endpoints={"auth": "https://echo.example", "api": "https://api.echo.example"},
        upload_hosts=("upload.echo.example",),
        settings={"voice": "plain"},
        aliases=("e",),
        limits=Limits(max_chars=100, checked_on=date(2026, 11, 23), max_parts=5),
    )


@hookimpl
def validate(post: Post) -> Sequence[Problem]:
    """Echo counts bytes."""
    count = len(post.text.encode())
    return [Problem(message=f"Echo allows 100 bytes; this is {count}.")] if count > 100 else []


@hookimpl
async def authorize(ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
    """A plain OAuth 2.0 link."""
    return oauth2.authorization_link(f"{ctx.endpoints['auth']}/authorize", ctx.client, request)


@hookimpl
async def exchange(ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
    """Trade the code and ask who it is."""
    tokens = await oauth2.fetch_tokens(ctx, f"{ctx.endpoints['api']}/token", grant)
    me = await oauth2.get_json(ctx, f"{ctx.endpoints['api']}/me", tokens)
    return Credential(account=Account(id=me["id"], name=me["name"]), tokens=tokens)


@hookimpl
async def accounts(credential: Credential) -> Sequence[Credential]:
    """Echo's people post as themselves only."""
    return [credential]


@hookimpl
async def refresh(ctx: PlatformContext, credential: Credential) -> TokenSet:
    """Renew; the refresh token rotates."""
    return await oauth2.refresh_tokens(ctx, f"{ctx.endpoints['api']}/token", credential.tokens)


@hookimpl
async def revoke(ctx: PlatformContext, credential: Credential) -> None:
    """Withdraw the access token."""
    token = credential.tokens.access_token
    await oauth2.revoke_token(ctx, f"{ctx.endpoints['api']}/revoke", token, hint="access_token")


@hookimpl
async def publish(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost:
    """Say it once; the key makes a second call harmless."""
    reply_to = post.reply.previous_id if post.reply else None
    body = {"key": post.key, "text": post.text, "link": post.link, "reply_to": reply_to}
    made = await oauth2.post_json(ctx, f"{ctx.endpoints['api']}/echoes", credential.tokens, body)
    return PublishedPost(id=made["id"], url=made["url"])


@hookimpl
async def find_published(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost | None:
    """Look for the key among what was said."""
    url = f"{ctx.endpoints['api']}/echoes"
    answer = await oauth2.get_json(ctx, url, credential.tokens, params={"key": post.key})
    return next((PublishedPost(id=made["id"], url=made["url"]) for made in answer["found"]), None)


class FakeEcho(FakePlatform):
    """Echo on loopback."""

    name = "echo"
    title = "Echo"
    endpoint_names: ClassVar[tuple[str, ...]] = ("auth", "api")
    people: ClassVar[tuple[FakeAccount, ...]] = (
        FakeAccount(id="p-1", name="Ann Echo"),
        FakeAccount(id="p-2", name="Ben Echo"),
    )
    gives_refresh_tokens = True
    knows_keys = True

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add Echo's paths."""
        router.add_get("/authorize", self._authorize)
        router.add_post("/token", self._token)
        router.add_post("/revoke", self._revoke)
        router.add_get("/me", self._me)
        router.add_post("/echoes", self._say)
        router.add_get("/echoes", self._list)

    def is_page(self, request: web.Request) -> bool:
        """The consent page is the browser's."""
        return request.path == "/authorize"

    def is_create(self, request: web.Request) -> bool:
        """Saying something."""
        return request.method == "POST" and request.path == "/echoes"

    def rate_limited(self, request: web.Request) -> web.StreamResponse:
        """A pause of half a minute."""
        return web.json_response({"error": "slow_down"}, status=429, headers={"Retry-After": "30"})

    async def _authorize(self, request: web.Request) -> web.Response:
        query = request.query
        if query.get("client_id") != self.client_id or not self.is_registered(query["redirect_uri"]):
            return web.Response(status=400, text="unknown app")
        consent = ConsentRequest(
            redirect_uri=query["redirect_uri"],
            state=query["state"],
            scopes=tuple(query["scope"].split()),
            code_challenge=query.get("code_challenge"),
        )
        return self.show_consent(consent)

    async def _token(self, request: web.Request) -> web.Response:
        form = {key: values[0] for key, values in parse_qs(await request.text()).items()}
        if not self.is_our_client(form.get("client_id"), form.get("client_secret")):
            return web.json_response({"error": "invalid_client"}, status=401)
        try:
            grant = self._redeem(form)
        except (CodeRefused, RefreshRefused):
            return web.json_response({"error": "invalid_grant"}, status=400)
        access_token = self.issue_access_token(grant, lifetime=timedelta(hours=1))
        answer = {"access_token": access_token, "token_type": "bearer", "expires_in": 3600}
        if self.gives_refresh_tokens:
            answer["refresh_token"] = self.issue_refresh_token(grant)
        return web.json_response(answer)

    def _redeem(self, form: dict[str, str]) -> Grant:
        if form["grant_type"] == "refresh_token":
            return self.redeem_refresh_token(form.get("refresh_token"), is_single_use=True)
        return self.redeem_code(form.get("code"), form.get("redirect_uri"), form.get("code_verifier"))

    async def _revoke(self, request: web.Request) -> web.Response:
        form = parse_qs(await request.text())
        self.revoke_token(form["token"][0])
        return web.Response()

    async def _me(self, request: web.Request) -> web.Response:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        return web.json_response({"id": held.account.id, "name": held.account.name})

    async def _say(self, request: web.Request) -> web.Response:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        body = await request.json()
        post_id = f"{held.account.id}-{body['key']}" if self.knows_keys else str(self.next_number())
        reply_to = body.get("reply_to")
        if reply_to is not None and self.find_entry(reply_to) is None:
            return web.json_response({"error": "nothing_to_reply_to"}, status=404)
        if self.find_entry(post_id) is None:
            text, link = body["text"], body["link"]
            self.record(post_id=post_id, account=held.account, text=text, link=link, reply_to=reply_to)
        return web.json_response(self._to_json(post_id), status=201)

    async def _list(self, request: web.Request) -> web.Response:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        wanted = f"{held.account.id}-{request.query['key']}"
        return web.json_response({"found": [self._to_json(entry.id) for entry in self.ledger if entry.id == wanted]})

    def _to_json(self, post_id: str) -> dict[str, str]:
        return {"id": post_id, "url": f"https://echo.example/said/{post_id}"}


@dataclass(frozen=True)
class Whisper:
    """A plugin that is an object: no PKCE, no refresh tokens, no optional hook, no argument it doesn't need."""

    title: str = "Whisper"

    @hookimpl
    def describe(self) -> Platform:
        """Whisper's facts."""
        return Platform(
            name="whisper",
            title=self.title,
            scopes=("say",),
            endpoints={"all": "https://whisper.example"},
            authorize_endpoint="all",
            limits=Limits(max_chars=50, checked_on=date(2026, 11, 23)),
            uses_pkce=False,
        )

    @hookimpl
    async def authorize(self, ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
        """A plain OAuth 2.0 link."""
        return oauth2.authorization_link(f"{ctx.endpoints['all']}/authorize", ctx.client, request)

    @hookimpl
    async def exchange(self, grant: AuthorizationGrant, ctx: PlatformContext) -> Credential:
        """Trade the code and ask who it is."""
        tokens = await oauth2.fetch_tokens(ctx, f"{ctx.endpoints['all']}/token", grant)
        me = await oauth2.get_json(ctx, f"{ctx.endpoints['all']}/me", tokens)
        return Credential(account=Account(id=me["id"], name=me["name"]), tokens=tokens)

    @hookimpl
    async def refresh(self, ctx: PlatformContext, credential: Credential) -> TokenSet:
        """There is nothing to renew with."""
        return await oauth2.refresh_tokens(ctx, f"{ctx.endpoints['all']}/token", credential.tokens)

    @hookimpl
    async def publish(self, ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost:
        """Say it."""
        body = {"key": post.key, "text": post.text, "link": post.link}
        made = await oauth2.post_json(ctx, f"{ctx.endpoints['all']}/echoes", credential.tokens, body)
        return PublishedPost(id=made["id"], url=None)


whisper = Whisper()


class FakeWhisper(FakeEcho):
    """Whisper on loopback: one origin, no refresh tokens, no idempotency."""

    name = "whisper"
    title = "Whisper"
    endpoint_names = ("all",)
    people = (FakeAccount(id="w-1", name="Cem"),)
    gives_refresh_tokens = False
    knows_keys = False
