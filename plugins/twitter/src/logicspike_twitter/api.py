"""X's HTTP calls around a connection: token endpoint, identity, revocation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from logicspike.plugin import (
    Account,
    AuthorizationFailed,
    AuthorizationGrant,
    Credential,
    Operation,
    PlatformContext,
    PlatformError,
    PlatformUnavailable,
    ReconnectRequired,
    TokenSet,
    oauth2,
)

from .errors import TABLE
from .refusals import SCOPES, read_refusal

__all__ = ["connect", "read_identity", "renew", "withdraw"]

_NUMERIC_ID: Final = re.compile(r"[0-9]{1,19}")
_USERNAME: Final = re.compile(r"[A-Za-z0-9_]{1,15}")
_PROFILE: Final = "name,username,profile_image_url"


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
    reply = await oauth2.call(ctx, "GET", url, tokens=tokens, params={"user.fields": _PROFILE})
    person = reply.object.get("data") if reply.ok else None
    if not isinstance(person, dict):
        raise _error_of(ctx, reply, Operation.CONNECT, tokens)
    return _to_account(ctx, person)


def _to_account(ctx: PlatformContext, person: Mapping[str, Any]) -> Account:
    user_id, username = person.get("id"), person.get("username")
    if not isinstance(user_id, str) or not _NUMERIC_ID.fullmatch(user_id):
        raise PlatformUnavailable("X did not say whose account this is.")
    if not isinstance(username, str) or not _USERNAME.fullmatch(username):
        raise PlatformUnavailable("X did not say whose account this is.")
    name, picture = person.get("name"), person.get("profile_image_url")
    return Account(
        id=user_id,
        name=name.strip() if isinstance(name, str) and name.strip() else f"@{username}",
        handle=f"@{username}",
        url=f"{ctx.endpoints['auth']}/{username}",
        picture=picture if isinstance(picture, str) and _is_address(ctx, picture) else None,
    )


def _is_address(ctx: PlatformContext, picture: str) -> bool:
    return picture.startswith(("https://", f"{ctx.endpoints['api']}/"))


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


def _token_url(ctx: PlatformContext) -> str:
    return f"{ctx.endpoints['api']}/2/oauth2/token"
