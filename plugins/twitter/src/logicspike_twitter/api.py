"""X's HTTP calls: token endpoint, identity, publish, read back, revoke."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from logicspike.plugin import (
    Account,
    AuthorizationFailed,
    AuthorizationGrant,
    Credential,
    Operation,
    OutcomeUnknown,
    PlatformContext,
    PlatformError,
    PlatformUnavailable,
    Post,
    PublishedPost,
    ReconnectRequired,
    TokenSet,
    oauth2,
)

from .errors import TABLE
from .readback import ReadPost, is_same_text, parse_posts
from .refusals import SCOPES, read_refusal

__all__ = ["connect", "create_post", "find_post", "read_identity", "renew", "withdraw"]

_NUMERIC_ID: Final = re.compile(r"[0-9]{1,19}")
_USERNAME: Final = re.compile(r"[A-Za-z0-9_]{1,15}")

# How far back a lost post is looked for: longer than an outage of ours should last, shorter than a day, so that
# yesterday's identical post is not taken for today's.
_LOOK_BACK: Final = timedelta(hours=20)
_PAGE_SIZE: Final = 20
_MAX_PAGES: Final = 5


async def connect(ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
    """Trade the code for tokens, check that everything asked for was granted, and read whose they are.

    Raises:
        AuthorizationFailed: the code was refused, a permission is missing, or the new token does not work.
        OperatorActionRequired: our client id or secret was refused, or our developer app may not use the API.
        PlatformUnavailable: no usable answer.
        RateLimited: asked to wait.
    """
    tokens = await _fetch_tokens(ctx, grant)
    missing = [scope for scope in SCOPES if tokens.scopes and scope not in tokens.scopes]
    if missing:
        raise AuthorizationFailed(f"X left out a permission the bot needs ({', '.join(missing)}). Please try again.")
    return Credential(account=await read_identity(ctx, tokens), tokens=tokens)


async def _fetch_tokens(ctx: PlatformContext, grant: AuthorizationGrant) -> TokenSet:
    def refused(reply: oauth2.Reply) -> PlatformError:
        return TABLE.to_error(read_refusal(ctx, reply, Operation.SIGN_IN))

    return await oauth2.fetch_tokens(ctx, _token_url(ctx), grant, auth="client_secret_basic", refused=refused)


async def read_identity(ctx: PlatformContext, tokens: TokenSet) -> Account:
    """Read whose tokens these are.

    Raises:
        PlatformError: by the table in ``errors``.
    """
    url = f"{ctx.endpoints['api']}/2/users/me"
    reply = await oauth2.call(ctx, "GET", url, tokens=tokens, params={"user.fields": "name,username"})
    person = reply.object.get("data") if reply.ok else None
    if not isinstance(person, dict):
        raise _error_of(ctx, reply, Operation.CONNECT, tokens)
    user_id, username = person.get("id"), person.get("username")
    if not isinstance(user_id, str) or not _NUMERIC_ID.fullmatch(user_id) or not isinstance(username, str):
        raise PlatformUnavailable("X did not say whose account this is.")
    return Account(id=user_id, name=f"@{username}", url=f"{ctx.endpoints['auth']}/{username}")


def _error_of(ctx: PlatformContext, reply: oauth2.Reply, operation: Operation, tokens: TokenSet) -> PlatformError:
    return TABLE.to_error(read_refusal(ctx, reply, operation, scopes=tokens.scopes))


async def renew(ctx: PlatformContext, tokens: TokenSet) -> TokenSet:
    """Trade the refresh token, which is spent by it, for new tokens.

    Raises:
        ReconnectRequired: there is no refresh token, or it is dead.
        OperatorActionRequired: our client id or secret was refused.
        PlatformUnavailable: no usable answer.
        RateLimited: asked to wait.
    """
    if tokens.refresh_token is None:
        raise ReconnectRequired("X gave the bot no lasting access to this account. Connect X again.")

    def refused(reply: oauth2.Reply) -> PlatformError:
        return TABLE.to_error(read_refusal(ctx, reply, Operation.REFRESH))

    return await oauth2.refresh_tokens(ctx, _token_url(ctx), tokens, auth="client_secret_basic", refused=refused)


async def withdraw(ctx: PlatformContext, tokens: TokenSet) -> None:
    """Invalidate the refresh token, then the access token; both are tried even if the first try fails.

    Raises:
        PlatformUnavailable: it could not be done now.
    """
    failure: PlatformUnavailable | None = None
    held = (("refresh_token", tokens.refresh_token), ("access_token", tokens.access_token))
    for hint, token in held:
        try:
            if token:
                url = f"{ctx.endpoints['api']}/2/oauth2/revoke"
                await oauth2.revoke_token(ctx, url, token, hint=hint, auth="client_secret_basic")
        except PlatformUnavailable as error:
            failure = error
    if failure is not None:
        raise PlatformUnavailable("X did not confirm that the access has ended.") from failure


async def create_post(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost:
    """Publish once, with one request.

    Raises:
        PlatformError: every class but ``AuthorizationFailed``; see the table in ``errors``.
    """
    url = f"{ctx.endpoints['api']}/2/tweets"
    reply = await oauth2.call(ctx, "POST", url, tokens=credential.tokens, json={"text": post.text}, creates=True)
    made = reply.object.get("data") if reply.ok else None
    post_id = made.get("id") if isinstance(made, dict) else None
    if not isinstance(post_id, str) or not _NUMERIC_ID.fullmatch(post_id):
        raise _error_of(ctx, reply, Operation.PUBLISH, credential.tokens)
    return PublishedPost(id=post_id, url=_permalink(ctx, credential.account, post_id))


def _permalink(ctx: PlatformContext, account: Account, post_id: str) -> str:
    username = account.name.removeprefix("@")
    # Both forms open the post; the second needs no name (docs.x.com/x-api/fundamentals/data-dictionary, 2026-11-23).
    path = f"{username}/status" if _USERNAME.fullmatch(username) else "i/web/status"
    return f"{ctx.endpoints['auth']}/{path}/{post_id}"


async def find_post(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost | None:
    """Look for a post in the account's own timeline, back to 20 hours ago; the newest one with this text.

    Raises:
        OutcomeUnknown: the account published more in that time than is read here, so nothing can be said.
        PlatformError: what else keeps us from reading; see the table in ``errors``.
    """
    next_token = ""
    for _ in range(_MAX_PAGES):
        page = await _read_timeline(ctx, credential, next_token)
        found = next((read for read in parse_posts(page) if is_same_text(read, post.text)), None)
        if found is not None:
            return _as_published(ctx, credential.account, found)
        next_token = _next_token(page)
        if not next_token:
            return None
    raise OutcomeUnknown("This account published so much lately that the bot can't find this post. Look at x.com.")


def _as_published(ctx: PlatformContext, account: Account, found: ReadPost) -> PublishedPost:
    return PublishedPost(id=found.id, url=_permalink(ctx, account, found.id))


async def _read_timeline(ctx: PlatformContext, credential: Credential, next_token: str) -> Mapping[str, Any]:
    # Every post that is read is billed, hence small pages and a start time
    # (docs.x.com/x-api/getting-started/pricing and /x-api/posts/timelines, checked 2026-11-23).
    params = {
        "max_results": str(_PAGE_SIZE),
        "start_time": (ctx.now - _LOOK_BACK).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "exclude": "retweets,replies",
        "tweet.fields": "entities",
    }
    if next_token:
        params["pagination_token"] = next_token
    url = f"{ctx.endpoints['api']}/2/users/{credential.account.id}/tweets"
    reply = await oauth2.call(ctx, "GET", url, tokens=credential.tokens, params=params)
    # An account without posts in that time has "meta" and no "data".
    if not reply.ok or not isinstance(reply.object.get("meta"), dict):
        raise _error_of(ctx, reply, Operation.LOOK_UP, credential.tokens)
    return reply.object


def _next_token(page: Mapping[str, Any]) -> str:
    token = page["meta"].get("next_token")
    return token if isinstance(token, str) else ""


def _token_url(ctx: PlatformContext) -> str:
    return f"{ctx.endpoints['api']}/2/oauth2/token"
