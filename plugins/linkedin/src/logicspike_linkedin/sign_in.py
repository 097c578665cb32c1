"""Signing in, keeping access, and withdrawing it: LinkedIn's token endpoints and the member's identity."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from logicspike.plugin import (
    AccessReport,
    Account,
    AuthorizationGrant,
    Credential,
    Operation,
    OperatorActionRequired,
    PlatformContext,
    PlatformError,
    PlatformUnavailable,
    ReconnectRequired,
    TokenExpired,
    TokenSet,
    oauth2,
)

from .api import MEMBER_SCOPE, PAGE_SCOPE, PAGES, Api, Sleep, is_fresh, naming_linkedin, wait_until_active
from .errors import ACCESS_EXPIRED, ACCESS_WITHDRAWN, NOT_ACCEPTED, TABLE
from .refusals import FOR_A_PAGE, read_refusal

__all__ = ["check_access", "connect", "read_identity", "renew", "withdraw"]

_SEPARATORS: Final = " ,"


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
        return _to_error(ctx, reply, Operation.SIGN_IN)

    with naming_linkedin():
        tokens = await oauth2.fetch_tokens(
            ctx, _url(ctx, "accessToken"), grant, scope_separators=_SEPARATORS, refused=refused
        )
    _require_posting(ctx, tokens)
    nobody_yet = Credential(
        account=Account(id="unknown", name="LinkedIn member"), tokens=tokens, extra={"issued_at": ctx.now.isoformat()}
    )
    account = await wait_until_active(lambda: read_identity(ctx, nobody_yet), sleep)
    return Credential(account=account, tokens=tokens, grant_id=account.id, extra=nobody_yet.extra)


async def read_identity(ctx: PlatformContext, credential: Credential) -> Account:
    """Read whose tokens these are. The app for company pages has no OpenID, so it asks another way.

    Raises:
        PlatformError: by the table in ``errors``; ``TokenNotActiveYet`` for a token that LinkedIn takes in a moment.
    """
    api = Api(ctx=ctx, credential=credential, operation=Operation.CONNECT)
    reply = await api.call("GET", "/v2/me" if ctx.credential_set == PAGES else "/v2/userinfo")
    member = reply.object
    member_id = member.get("id") if ctx.credential_set == PAGES else member.get("sub")
    if not isinstance(member_id, str) or not member_id:
        raise api.to_error(reply)
    return Account(
        id=member_id,
        name=_read_name(member) or "LinkedIn member",
        picture=_text(member.get("picture")),
        url=_url_of(ctx, member),
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
        return _to_error(ctx, reply, Operation.REFRESH)

    with naming_linkedin():
        return await oauth2.refresh_tokens(
            ctx, _url(ctx, "accessToken"), tokens, scope_separators=_SEPARATORS, refused=refused
        )


async def withdraw(ctx: PlatformContext, tokens: TokenSet) -> None:
    """Ask LinkedIn to end the access, at best effort: the call is in wide use but not documented.

    Raises:
        PlatformUnavailable: LinkedIn did not confirm.
    """
    try:
        await oauth2.revoke_token(ctx, _url(ctx, "revoke"), tokens.access_token, hint="access_token")
    except PlatformUnavailable as error:
        raise PlatformUnavailable("LinkedIn did not confirm that the access has ended.") from error


async def check_access(ctx: PlatformContext, credential: Credential) -> AccessReport:
    """Ask LinkedIn what has become of the access: the only call that tells withdrawn from expired.

    learn.microsoft.com/linkedin/shared/authentication/token-introspection, checked 2026-11-25.

    Raises:
        ReconnectRequired: it was withdrawn, or is over and can't be renewed.
        TokenExpired: it is over and can be renewed.
        OperatorActionRequired: our app is refused.
        PlatformUnavailable: no usable answer, or a token so new that LinkedIn may not know it yet.
        RateLimited: asked to wait.
    """
    form = {
        "client_id": ctx.client.client_id,
        "client_secret": ctx.client.client_secret,
        "token": credential.tokens.access_token,
    }
    with naming_linkedin():
        reply = await oauth2.call(ctx, "POST", _url(ctx, "introspectToken"), form=form)
    is_active = reply.object.get("active")
    if not reply.ok or not isinstance(is_active, bool):
        raise _to_error(ctx, reply, Operation.CHECK)
    if not is_active:
        raise _explain_end(ctx, credential, reply.object.get("status"))
    scope, ends = reply.object.get("scope"), reply.object.get("expires_at")
    return AccessReport(
        scopes=tuple(scope.replace(",", " ").split()) if isinstance(scope, str) else (),
        expires_at=datetime.fromtimestamp(ends, UTC) if type(ends) is int and ends > 0 else None,
    )


def _explain_end(ctx: PlatformContext, credential: Credential, status: object) -> PlatformError:
    if status == "expired":
        is_renewable = credential.tokens.refresh_token is not None
        return TokenExpired("The access token is over.") if is_renewable else ReconnectRequired(ACCESS_EXPIRED)
    if is_fresh(credential, ctx.now):
        return PlatformUnavailable("LinkedIn doesn't know the new access yet.")
    return ReconnectRequired(ACCESS_WITHDRAWN if status == "revoked" else NOT_ACCEPTED)


def _to_error(ctx: PlatformContext, reply: oauth2.Reply, operation: Operation) -> PlatformError:
    given = (FOR_A_PAGE,) if ctx.credential_set == PAGES else ()
    return TABLE.to_error(read_refusal(ctx, reply, operation, given=given))


def _url(ctx: PlatformContext, endpoint: str) -> str:
    return f"{ctx.endpoints['auth']}/oauth/v2/{endpoint}"


def _require_posting(ctx: PlatformContext, tokens: TokenSet) -> None:
    # A member grants all scopes or none, but LinkedIn leaves out, without a word, those whose product the app lacks.
    is_for_pages = ctx.credential_set == PAGES
    scope, product = (PAGE_SCOPE, "Community Management API") if is_for_pages else (MEMBER_SCOPE, "Share on LinkedIn")
    if tokens.scopes and scope not in tokens.scopes:
        raise OperatorActionRequired(
            f"LinkedIn left out the permission to post. An admin needs to add the product “{product}” to the LinkedIn "
            "app; then connect again."
        )


def _read_name(member: Mapping[str, Any]) -> str:
    if name := _text(member.get("name")):
        return name
    parts = (_text(member.get("localizedFirstName")), _text(member.get("localizedLastName")))
    return " ".join(part for part in parts if part)


def _url_of(ctx: PlatformContext, member: Mapping[str, Any]) -> str | None:
    vanity_name = _text(member.get("vanityName"))
    return f"{ctx.endpoints['auth']}/in/{vanity_name}/" if vanity_name else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
