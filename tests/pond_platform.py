"""Pond, a platform for tests with many servers, of which each member chooses one; the bot registers itself there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import EntryPoint
from typing import Final

from aiohttp import web
from echo_platform import FakeWhisper, Whisper
from yarl import URL

from logicspike.plugin import (
    Account,
    AuthorizationFailed,
    AuthorizationGrant,
    AuthorizationLink,
    AuthorizationRequest,
    Credential,
    Limits,
    OAuthClient,
    Platform,
    PlatformContext,
    hookimpl,
    oauth2,
)
from logicspike.testing import ConsentRequest

ENTRY_POINT: Final = EntryPoint(name="pond", value="pond_platform:pond", group="logicspike.platforms")
ENTRY_POINTS = """\
[logicspike.platforms]
pond = pond_platform:pond

[logicspike.sandboxes]
pond = pond_platform:FakePond
"""


@dataclass(frozen=True)
class Pond(Whisper):
    """As Whisper, at the member's server."""

    @hookimpl
    def describe(self) -> Platform:
        """Pond's facts."""
        return Platform(
            name="pond",
            title="Pond",
            scopes=("say",),
            endpoints={"all": "https://pond.example"},
            authorize_endpoint="all",
            chosen_endpoint="all",
            needs_client=False,
            limits=Limits(max_chars=50, checked_on=date(2026, 11, 25)),
            uses_pkce=False,
        )

    @hookimpl
    async def authorize(self, ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
        """Register, and send the member to the consent page of the new app."""
        reply = await oauth2.call(ctx, "POST", f"{ctx.endpoints['all']}/apps")
        if not reply.object:
            raise AuthorizationFailed("This server is no Pond.")
        client = OAuthClient(client_id=reply.object["id"], client_secret=reply.object["secret"])
        link = oauth2.authorization_link(f"{ctx.endpoints['all']}/authorize", client, request)
        return replace(link, carry={"id": client.client_id, "secret": client.client_secret})

    @hookimpl
    async def exchange(self, grant: AuthorizationGrant, ctx: PlatformContext) -> Credential:
        """Trade the code as the app that was registered."""
        client = OAuthClient(client_id=grant.carry["id"], client_secret=grant.carry["secret"])
        tokens = await oauth2.fetch_tokens(replace(ctx, client=client), f"{ctx.endpoints['all']}/token", grant)
        me = await oauth2.get_json(ctx, f"{ctx.endpoints['all']}/me", tokens)
        server = URL(ctx.endpoints["all"])
        account = Account(id=f"{me['id']}@{server.authority}", name=me["name"], url=f"{server}/{me['id']}")
        return Credential(account=account, tokens=tokens)


pond = Pond(title="Pond")


class FakePond(FakeWhisper):
    """One server of Pond on loopback."""

    name = "pond"
    title = "Pond"

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Whisper's paths, and the one where apps are registered."""
        super().add_routes(router)
        router.add_post("/apps", self._register)

    async def _register(self, _request: web.Request) -> web.Response:
        client = self.register_client()
        return web.json_response({"id": client.client_id, "secret": client.client_secret})

    async def _authorize(self, request: web.Request) -> web.Response:
        if request.query.get("client_id") not in self.registered:
            return web.Response(status=400, text="unknown app")
        return self.show_consent(
            ConsentRequest(
                redirect_uri=request.query["redirect_uri"],
                state=request.query["state"],
                scopes=tuple(request.query["scope"].split()),
                code_challenge=None,
            )
        )
