"""A connection's access: reading the Page's token anew, asking whether it still works, and giving it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from logicspike.plugin import (
    AccessReport,
    Credential,
    MemberActionRequired,
    Operation,
    PlatformContext,
    ReconnectRequired,
    TokenSet,
    oauth2,
)

from .errors import error_of
from .graph import build_app_token, delete, get
from .sign_in import LIST, PORTFOLIOS, USER_EXPIRES_AT, USER_TOKEN

__all__ = ["check", "is_user_token_alive", "renew", "withdraw"]

_LAST_SECOND: Final = 253_402_300_799  # the end of the year 9999, all that a datetime holds


def is_user_token_alive(credential: Credential, now: datetime) -> bool:
    """Whether the member's own token, by which a Page's is read anew, has not ended by our clock."""
    if USER_TOKEN not in credential.extra:
        return False
    ends_at = credential.extra.get(USER_EXPIRES_AT)
    return ends_at is None or datetime.fromisoformat(ends_at) > now


async def renew(ctx: PlatformContext, credential: Credential) -> TokenSet:
    """Read the Page's token anew, by the member's own token.

    A Page's token has no end of its own, so this is for one that Facebook refused nevertheless. The member's own token
    lasts 60 days from the consent and is left as it is: it could be exchanged, but only a new consent brings back what
    a withdrawn permission, a new password or a lost role took. After that, the Page's token stays as long as Facebook
    says that it works.

    Raises:
        ReconnectRequired: neither opens this Page any more.
        MemberActionRequired: Facebook first wants something from the member.
        OperatorActionRequired: our app is refused.
        PlatformUnavailable: no usable answer.
        RateLimited: asked to wait.
    """
    if not is_user_token_alive(credential, ctx.now):
        await check(ctx, credential)
        return TokenSet(access_token=credential.tokens.access_token, scopes=credential.tokens.scopes)
    user = TokenSet(access_token=credential.extra[USER_TOKEN])
    reply = await get(ctx, credential.account.id, user, {"fields": "access_token"})
    if not reply.ok or not reply.object:
        raise error_of(ctx, reply, Operation.REFRESH, needs=LIST)
    token = reply.object.get("access_token")
    if not isinstance(token, str) or not token:
        raise ReconnectRequired(
            "Facebook gives the bot no access to this Page any more. Connect Facebook again, with the Page ticked."
        )
    return TokenSet(access_token=token, scopes=credential.tokens.scopes)


async def check(ctx: PlatformContext, credential: Credential) -> AccessReport:
    """Ask Facebook about the Page's token: whether it works, what it may do on this Page, and until when.

    Raises:
        ReconnectRequired: it doesn't work any more.
        MemberActionRequired: Facebook first wants something from the member.
        OperatorActionRequired: our app is refused.
        PlatformUnavailable: no usable answer.
        RateLimited: asked to wait.
    """
    # developers.facebook.com/docs/facebook-login/guides/access-tokens/debugging, checked 2026-11-25: the token that is
    # asked about can be sent in the address only.
    asked = {"input_token": credential.tokens.access_token}
    reply = await get(ctx, "debug_token", build_app_token(ctx), asked)
    about = reply.object.get("data")
    if not reply.ok or not isinstance(about, dict):
        raise error_of(ctx, reply, Operation.CHECK, needs=LIST, is_apps_own=True)
    if about.get("is_valid") is not True:
        raise error_of(ctx, _to_refusal(reply, about), Operation.CHECK, needs=LIST)
    return AccessReport(scopes=_scopes_of(about, credential), expires_at=_end_of(about, ctx.now))


async def withdraw(ctx: PlatformContext, credential: Credential) -> None:
    """Remove our app from the person's Facebook account, with every Page they connected by it; for the last one only.

    Raises:
        OperatorActionRequired: our app is refused.
        PlatformUnavailable: Facebook doesn't confirm it.
        RateLimited: asked to wait.
    """
    # The app's own access does it as well as the person's, which ends after 60 days (developers.facebook.com/docs/
    # graph-api/reference/user/permissions, checked 2026-11-25).
    person = credential.grant_id or credential.account.id
    reply = await delete(ctx, f"{person}/permissions", build_app_token(ctx))
    # Both answers are in use: that page says "true", and {"success": true} is what other deletions answer.
    if reply.ok and (reply.body is True or reply.object.get("success") is True):
        return
    error = error_of(ctx, reply, Operation.CHECK, needs=LIST, is_apps_own=True)
    if not isinstance(error, MemberActionRequired | ReconnectRequired):
        raise error
    # There is nothing to remove any more: that person is gone, or removed the app at Facebook.


def _to_refusal(reply: oauth2.Reply, about: Mapping[str, Any]) -> oauth2.Reply:
    """What is wrong with the token that was asked about, in the form in which calls with it would be refused."""
    error = about.get("error")
    found: Mapping[str, Any] = error if isinstance(error, dict) else {}
    told = {"code": found.get("code", 190), "message": found.get("message")}
    if "subcode" in found:
        told["error_subcode"] = found["subcode"]
    return oauth2.Reply(status=400, headers=reply.headers, body={"error": told})


def _scopes_of(about: Mapping[str, Any], credential: Credential) -> tuple[str, ...]:
    """The permissions that hold for this Page: those without a list of Pages hold for all."""
    scopes = about.get("scopes")
    if not isinstance(scopes, list):
        return ()
    page_id = credential.account.id
    elsewhere = {entry.get("scope") for entry in _entries(about.get("granular_scopes")) if _leaves_out(entry, page_id)}
    held = tuple(scope for scope in scopes if isinstance(scope, str) and scope not in elsewhere)
    # It is for the list of Pages while connecting. Whoever takes it back later keeps the Page that is connected.
    is_spent = PORTFOLIOS in credential.tokens.scopes and PORTFOLIOS not in held
    return (*held, PORTFOLIOS) if is_spent else held


def _entries(value: object) -> Sequence[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _leaves_out(entry: Mapping[str, Any], page_id: str) -> bool:
    # Portfolios have ids of their own, so for them the list doesn't tell.
    targets, scope = entry.get("target_ids"), entry.get("scope")
    return (
        isinstance(targets, list) and page_id not in targets and isinstance(scope, str) and scope.startswith("pages_")
    )


def _end_of(about: Mapping[str, Any], now: datetime) -> datetime | None:
    """The earlier end of the two that Facebook keeps: of the token, and of the data it opens; 0 means none.

    The second one comes 90 days after the member last used the app, and only the member can move it. What it ends is
    not documented for Pages, so it is a reason to remind the member and none to give up a token that still works: once
    it is past, it is not told any more.
    """
    # developers.facebook.com/docs/facebook-login/guides/access-tokens/debugging, checked 2026-11-25
    ends = (about.get("expires_at"), about.get("data_access_expires_at"))
    known = [end for end in ends if type(end) is int and now.timestamp() < end <= _LAST_SECOND]
    return datetime.fromtimestamp(min(known), UTC) if known else None
