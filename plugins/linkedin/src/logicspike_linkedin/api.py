"""LinkedIn's HTTP calls: tokens, the member's identity, and posts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from logicspike.plugin import (
    Account,
    AuthorizationGrant,
    Credential,
    Operation,
    OperatorActionRequired,
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

from .errors import TABLE, TokenNotActiveYet
from .little_text import to_little_text
from .refusals import POSTING_SCOPE, permalink, read_refusal

__all__ = ["POSTING_SCOPE", "connect", "create_post", "is_fresh", "link_title", "read_identity", "renew", "withdraw"]

Sleep = Callable[[float], Awaitable[None]]

# learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow, checked 2026-11-23
ACCESS_LIFETIME: Final = timedelta(days=60)
# How long LinkedIn may call a new token revoked (github.com/jclusso/omniauth-linkedin-openid/issues/6, checked
# 2026-11-23): seconds by all reports; a minute leaves room.
FRESH_FOR: Final = timedelta(minutes=1)

IDENTITY_TRIES: Final = 5
IDENTITY_WAIT: Final = wait_exponential(multiplier=1)
"""Between the tries: 1, 2, 4 and 8 seconds."""
IDENTITY_DEADLINE: Final = timedelta(seconds=17)
"""For pauses and calls all together: the member's browser is waiting, and the host gives a hook 20 seconds in all."""

_MAX_TITLE: Final = 100


async def connect(ctx: PlatformContext, grant: AuthorizationGrant, *, sleep: Sleep = asyncio.sleep) -> Credential:
    """Trade the code for tokens and read whose they are.

    Args:
        ctx: the context the hook was given.
        grant: what came back from the consent page.
        sleep: how to wait while LinkedIn doesn't know its new token yet, in seconds.

    Raises:
        AuthorizationFailed: the code was refused.
        OperatorActionRequired: our app's secret is refused, or the app lacks a product.
        PlatformUnavailable: no usable answer, or the new token still isn't accepted.
        RateLimited: asked to wait.
    """

    def refused(reply: oauth2.Reply) -> PlatformError:
        return TABLE.to_error(read_refusal(ctx, reply, Operation.SIGN_IN))

    with _naming_linkedin():
        tokens = await oauth2.fetch_tokens(ctx, _token_url(ctx), grant, scope_separators=" ,", refused=refused)
    _require_posting(tokens)
    member = await _wait_for_identity(ctx, tokens, sleep)
    return Credential(
        account=_to_account(member),
        tokens=tokens,
        grant_id=member["sub"],
        extra={"issued_at": ctx.now.isoformat()},
    )


async def renew(ctx: PlatformContext, tokens: TokenSet) -> TokenSet:
    """Trade the refresh token for new tokens; LinkedIn keeps the refresh token and its end.

    Raises:
        ReconnectRequired: there is no refresh token, or it is dead.
        OperatorActionRequired: our app is refused.
        PlatformUnavailable: no usable answer.
        RateLimited: asked to wait.
    """
    if tokens.refresh_token is None:
        raise ReconnectRequired(
            "LinkedIn gives access for 60 days and doesn't let the bot renew it. Connect LinkedIn again to go on."
        )

    def refused(reply: oauth2.Reply) -> PlatformError:
        return TABLE.to_error(read_refusal(ctx, reply, Operation.REFRESH))

    with _naming_linkedin():
        return await oauth2.refresh_tokens(ctx, _token_url(ctx), tokens, scope_separators=" ,", refused=refused)


async def withdraw(ctx: PlatformContext, tokens: TokenSet) -> None:
    """Ask LinkedIn to end the access, at best effort: the call is in wide use but not documented.

    Raises:
        PlatformUnavailable: LinkedIn did not confirm.
    """
    url = f"{ctx.endpoints['auth']}/oauth/v2/revoke"
    try:
        await oauth2.revoke_token(ctx, url, tokens.access_token, hint="access_token")
    except PlatformUnavailable as error:
        raise PlatformUnavailable("LinkedIn did not confirm that the access has ended.") from error


async def create_post(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost:
    """Publish on the member's profile, with one request.

    Raises:
        PlatformError: by the table in ``errors``; ``OutcomeUnknown`` where the post may be live.
    """
    reply = await oauth2.call(
        ctx,
        "POST",
        f"{ctx.endpoints['api']}/rest/posts",
        tokens=credential.tokens,
        json=_to_payload(credential, post),
        headers={"LinkedIn-Version": ctx.settings["version"], "X-Restli-Protocol-Version": "2.0.0"},
        creates=True,
    )
    if not reply.ok:
        has_refresh_token = credential.tokens.refresh_token is not None
        refusal = read_refusal(
            ctx,
            reply,
            Operation.PUBLISH,
            is_fresh=is_fresh(credential, ctx.now),
            is_renewable=has_refresh_token,
        )
        raise TABLE.to_error(refusal)
    urn = reply.headers.get("x-restli-id")
    if not urn:
        raise OutcomeUnknown(
            "LinkedIn took the post but didn't name it. Look at your profile before posting it again.",
            reference=reply.headers.get("x-li-uuid"),
        )
    return PublishedPost(id=urn, url=permalink(ctx, urn))


def is_fresh(credential: Credential, now: datetime) -> bool:
    """Whether the access token was issued within the last minute, by a sign-in or by a refresh."""
    issued_at = [datetime.fromisoformat(credential.extra["issued_at"])] if "issued_at" in credential.extra else []
    if credential.tokens.expires_at is not None:
        issued_at.append(credential.tokens.expires_at - ACCESS_LIFETIME)
    return any(abs(now - each) < FRESH_FOR for each in issued_at)


def link_title(link: str) -> str:
    """The title of a link's card, host and path, because LinkedIn doesn't fetch the page: "example.com/news/launch"."""
    try:
        parts = urlsplit(link)
        title = f"{(parts.hostname or '').removeprefix('www.')}{unquote(parts.path)}".rstrip("/")
    except ValueError:
        title = ""
    title = title or link
    return title if len(title) <= _MAX_TITLE else f"{title[: _MAX_TITLE - 1]}…"


def _to_payload(credential: Credential, post: Post) -> dict[str, object]:
    # learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api, checked 2026-11-23
    payload: dict[str, object] = {
        "author": f"urn:li:person:{credential.account.id}",
        "commentary": to_little_text(post.text),
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }
    if post.link is not None:
        payload["content"] = {"article": {"source": post.link, "title": link_title(post.link)}}
    return payload


def _token_url(ctx: PlatformContext) -> str:
    return f"{ctx.endpoints['auth']}/oauth/v2/accessToken"


def _require_posting(tokens: TokenSet) -> None:
    # A member grants all scopes or none, but LinkedIn leaves out, without a word, those whose product the app lacks.
    if tokens.scopes and POSTING_SCOPE not in tokens.scopes:
        raise OperatorActionRequired(
            "LinkedIn left out the permission to post. An admin needs to add the product “Share on LinkedIn” to the "
            "LinkedIn app; then connect again."
        )


async def _wait_for_identity(ctx: PlatformContext, tokens: TokenSet, sleep: Sleep) -> Mapping[str, Any]:
    retrying = AsyncRetrying(
        sleep=sleep,
        stop=stop_after_attempt(IDENTITY_TRIES),
        wait=IDENTITY_WAIT,
        retry=retry_if_exception_type(TokenNotActiveYet),
        reraise=True,
    )
    try:
        async with asyncio.timeout(IDENTITY_DEADLINE.total_seconds()):
            return await retrying(read_identity, ctx, tokens)
    except TimeoutError as error:
        raise PlatformUnavailable("LinkedIn took too long to say who signed in. Please try again.") from error


async def read_identity(ctx: PlatformContext, tokens: TokenSet) -> Mapping[str, Any]:
    """Read whose tokens these are: ``sub`` is there, and perhaps ``name``.

    Raises:
        PlatformError: by the table in ``errors``; ``TokenNotActiveYet`` for a token that LinkedIn takes in a moment.
    """
    reply = await oauth2.call(ctx, "GET", f"{ctx.endpoints['api']}/v2/userinfo", tokens=tokens)
    member_id = reply.object.get("sub")
    if not reply.ok or not isinstance(member_id, str) or not member_id:
        raise TABLE.to_error(read_refusal(ctx, reply, Operation.CONNECT, is_fresh=True))
    return reply.object


@contextmanager
def _naming_linkedin() -> Iterator[None]:
    """Word lost answers for people, keeping their class and, as the cause, what was said first."""
    try:
        yield
    except PlatformUnavailable as error:
        if error.__cause__ is None:
            raise  # an answer, worded by the error table
        raise PlatformUnavailable(
            "LinkedIn can't be reached or is having trouble. Please try again in a few minutes."
        ) from error


def _to_account(member: Mapping[str, Any]) -> Account:
    name = member.get("name")
    return Account(id=member["sub"], name=name if isinstance(name, str) and name else "LinkedIn member")
