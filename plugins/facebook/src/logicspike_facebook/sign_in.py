"""What happens when a member signs in: code, long-lived token, who it is, what was granted."""

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
from .graph import get, request_token

__all__ = ["ENGAGE", "LIST", "PORTFOLIOS", "POST", "READ", "SCOPES", "USER_EXPIRES_AT", "USER_TOKEN", "connect"]

# developers.facebook.com/documentation/pages-api/posts, checked 2026-11-23
LIST: Final = "pages_show_list"
POST: Final = "pages_manage_posts"
READ: Final = "pages_read_engagement"
ENGAGE: Final = "pages_manage_engagement"
"""To comment as the Page (developers.facebook.com/documentation/pages-api/comments-mentions, checked 2026-11-25)."""
PORTFOLIOS: Final = "business_management"
"""To see the Pages that a business portfolio owns (github.com/getopenpost/openpost/issues/216, checked 2026-11-25)."""

_NEEDED: Final = (LIST, POST, READ)
SCOPES: Final = (*_NEEDED, ENGAGE, PORTFOLIOS)
"""All that is asked for. Without the last two, posts still go out: a first comment then asks the member to connect
again, and a Page of a business portfolio may be missing from the list."""

USER_TOKEN: Final = "user_token"  # noqa: S105 - the name of a field
"""In a Page's ``extra``: the member's own token, by which the Page's can be read anew."""
USER_EXPIRES_AT: Final = "user_expires_at"
"""In a Page's ``extra``: when the member's own token ends (ISO 8601, UTC); absent when Facebook didn't say."""


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


async def _fetch_token(ctx: PlatformContext, form: Mapping[str, str]) -> TokenSet:
    reply = await request_token(ctx, form)
    token = reply.object.get("access_token")
    if not reply.ok or not isinstance(token, str) or not token:
        raise error_of(ctx, reply, Operation.SIGN_IN, needs=LIST)
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
        raise error_of(ctx, reply, Operation.CONNECT, needs=LIST)
    return reply.object


def _require(granted: tuple[str, ...]) -> None:
    missing = [scope for scope in _NEEDED if scope not in granted]
    if missing:
        raise AuthorizationFailed(
            f"Facebook did not grant everything the bot needs to post ({', '.join(missing)} is missing). Please try "
            "again and leave everything ticked."
        )
