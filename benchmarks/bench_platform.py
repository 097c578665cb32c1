"""The platform that posts go to in benchmarks: one request to sign in, one request to post, nothing else."""

from __future__ import annotations

from datetime import date

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
    PublishedPost,
    TokenSet,
    hookimpl,
    oauth2,
)

ENTRY_POINTS = "[logicspike.platforms]\nbench = benchmarks.bench_platform\n"


@hookimpl
def describe() -> Platform:
    """The platform's facts."""
    return Platform(
        name="bench",
        title="Bench",
        scopes=("post",),
        endpoints={"api": "https://bench.example"},
        authorize_endpoint="api",
        limits=Limits(max_chars=500, checked_on=date(2026, 11, 23)),
    )


@hookimpl
async def authorize(ctx: PlatformContext, request: AuthorizationRequest) -> AuthorizationLink:
    """A plain OAuth 2.0 link."""
    return oauth2.authorization_link(f"{ctx.endpoints['api']}/authorize", ctx.client, request)


@hookimpl
async def exchange(ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
    """Trade the code; it names the account, so that no second request is needed."""
    tokens = await oauth2.fetch_tokens(ctx, f"{ctx.endpoints['api']}/token", grant)
    return Credential(account=Account(id=grant.code, name=grant.code), tokens=tokens)


@hookimpl
async def refresh(ctx: PlatformContext, credential: Credential) -> TokenSet:
    """Renew; never needed here."""
    return await oauth2.refresh_tokens(ctx, f"{ctx.endpoints['api']}/token", credential.tokens)


@hookimpl
async def publish(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost:
    """One request, as every contender sends it."""
    body = {"key": post.key, "account": credential.account.id, "text": post.text}
    made = await oauth2.post_json(ctx, f"{ctx.endpoints['api']}/posts", credential.tokens, body)
    return PublishedPost(id=str(made["id"]), url=None)
