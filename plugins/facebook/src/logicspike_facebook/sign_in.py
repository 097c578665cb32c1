"""What happens when a member connects: code, long-lived token, who it is, what was granted, which Pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from logicspike.plugin import (
    Account,
    AuthorizationFailed,
    AuthorizationGrant,
    Credential,
    Operation,
    PlatformContext,
    PlatformUnavailable,
    TokenSet,
)

from .errors import error_of
from .graph import ListingRefused, get, list_edge, request_token

__all__ = ["SCOPES", "USER_EXPIRES_AT", "USER_TOKEN", "connect", "list_pages"]

_LIST, _POST, _READ = "pages_show_list", "pages_manage_posts", "pages_read_engagement"
# developers.facebook.com/documentation/pages-api/posts, checked 2026-11-23
SCOPES: Final = (_LIST, _POST, _READ)
"""What publishing takes: see the Pages, post on them, read the posts back."""

USER_TOKEN: Final = "user_token"  # noqa: S105 - the name of a field
"""In a Page's ``extra``: the member's own token, by which the Page's can be read anew."""
USER_EXPIRES_AT: Final = "user_expires_at"
"""In a Page's ``extra``: when the member's own token ends (ISO 8601, UTC); absent when Facebook didn't say."""

# The task that lets a person publish as the Page (developers.facebook.com/docs/graph-api/reference/page/photos,
# checked 2026-11-23).
_PUBLISHING_TASK: Final = "CREATE_CONTENT"


async def connect(ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
    """Trade the code for a token of 60 days, and read whose it is and that everything needed was granted.

    Returns:
        The person's own credential: the id is the app-scoped one, the same for this app every time.

    Raises:
        AuthorizationFailed: the code was refused, or a permission is missing.
        OperatorActionRequired: our app's id or secret is refused.
        MemberActionRequired: Facebook first wants something from the person.
        PlatformUnavailable: no usable answer.
        RateLimited: asked to wait.
    """
    short = await _fetch_token(ctx, {"code": grant.code, "redirect_uri": grant.redirect_uri})
    long = await _fetch_token(ctx, {"grant_type": "fb_exchange_token", "fb_exchange_token": short.access_token})
    person = await _read_person(ctx, long)
    granted = await _list_granted(ctx, long)
    _require(granted)
    tokens = TokenSet(access_token=long.access_token, expires_at=long.expires_at, scopes=granted)
    return Credential(account=person, tokens=tokens, grant_id=person.id)


async def list_pages(ctx: PlatformContext, credential: Credential) -> tuple[Credential, ...]:
    """List the Pages the person may publish on, in Facebook's order, each with its own token.

    Args:
        ctx: the context the hook was given.
        credential: from ``connect``.

    Raises:
        AuthorizationFailed: there is none, or the token is not accepted.
        PlatformUnavailable: no usable answer.
        RateLimited: asked to wait.
    """
    params = {"fields": "id,name,access_token,tasks", "limit": "100"}
    try:
        pages = await list_edge(ctx, "me/accounts", credential.tokens, params)
    except ListingRefused as refusal:
        raise error_of(ctx, refusal.reply, Operation.CONNECT, needs=_LIST) from None
    usable = tuple(_to_credential(ctx, page, credential) for page in pages.entries if _is_usable(page))
    if not usable:
        raise AuthorizationFailed(
            "Facebook shows the bot no Page that you may publish on. Try again and choose a Page in Facebook's dialog; "
            "if yours isn't there, ask its admin for the right to create content."
        )
    return usable


async def _fetch_token(ctx: PlatformContext, form: Mapping[str, str]) -> TokenSet:
    reply = await request_token(ctx, form)
    token = reply.object.get("access_token")
    if not reply.ok or not isinstance(token, str) or not token:
        raise error_of(ctx, reply, Operation.SIGN_IN, needs=_LIST)
    return TokenSet(access_token=token, expires_at=_expiry(ctx.now, reply.object.get("expires_in")))


def _expiry(now: datetime, expires_in: object) -> datetime | None:
    # It is left out now and then; None says "not known".
    return now + timedelta(seconds=expires_in) if type(expires_in) is int and expires_in > 0 else None


async def _read_person(ctx: PlatformContext, tokens: TokenSet) -> Account:
    person = await _read(ctx, "me", tokens, {"fields": "id,name"})
    person_id, name = person.get("id"), person.get("name")
    if not isinstance(person_id, str) or not person_id:
        raise PlatformUnavailable("Facebook did not say who signed in. Please try again in a few minutes.")
    return Account(id=person_id, name=name if isinstance(name, str) and name else "Facebook user")


async def _list_granted(ctx: PlatformContext, tokens: TokenSet) -> tuple[str, ...]:
    # developers.facebook.com/docs/graph-api/reference/user/permissions, checked 2026-11-23
    answer = await _read(ctx, "me/permissions", tokens, {})
    listed = answer.get("data")
    if not isinstance(listed, list):
        raise PlatformUnavailable("Facebook did not say what was granted. Please try again in a few minutes.")
    return tuple(
        entry["permission"]
        for entry in listed
        if isinstance(entry, dict) and entry.get("status") == "granted" and isinstance(entry.get("permission"), str)
    )


async def _read(ctx: PlatformContext, path: str, tokens: TokenSet, params: Mapping[str, str]) -> Mapping[str, Any]:
    reply = await get(ctx, path, tokens, params)
    if not reply.ok or not reply.object:
        raise error_of(ctx, reply, Operation.CONNECT, needs=_LIST)
    return reply.object


def _require(granted: tuple[str, ...]) -> None:
    missing = [scope for scope in SCOPES if scope not in granted]
    if missing:
        raise AuthorizationFailed(
            f"Facebook did not grant everything the bot needs to post ({', '.join(missing)} is missing). Please try "
            "again and leave everything ticked."
        )


def _is_usable(page: Mapping[str, Any]) -> bool:
    tasks = page.get("tasks")
    texts = (page.get("id"), page.get("name"), page.get("access_token"))
    return isinstance(tasks, list) and _PUBLISHING_TASK in tasks and all(isinstance(t, str) and t for t in texts)


def _to_credential(ctx: PlatformContext, page: Mapping[str, Any], person: Credential) -> Credential:
    extra = {USER_TOKEN: person.tokens.access_token}
    if person.tokens.expires_at is not None:
        extra[USER_EXPIRES_AT] = person.tokens.expires_at.isoformat()
    return Credential(
        account=Account(id=page["id"], name=page["name"], kind="page", url=f"{ctx.endpoints['dialog']}/{page['id']}"),
        # Made from a token of 60 days, a Page's own token has no end of its own (developers.facebook.com/
        # documentation/facebook-login/guides/access-tokens/get-long-lived, checked 2026-11-23).
        tokens=TokenSet(access_token=page["access_token"], scopes=person.tokens.scopes),
        grant_id=person.account.id,
        extra=extra,
    )
