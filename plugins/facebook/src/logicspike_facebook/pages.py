"""The Pages a member may publish on: those they ticked, and those of their business portfolios."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from logicspike.plugin import (
    Account,
    AuthorizationFailed,
    Credential,
    Operation,
    PlatformContext,
    PlatformUnavailable,
    TokenSet,
)

from .errors import error_of
from .graph import ListingRefused, list_edge
from .sign_in import LIST, PORTFOLIOS, USER_EXPIRES_AT, USER_TOKEN

__all__ = ["list_pages"]

log = logging.getLogger(__name__)

# The task that lets a person publish as the Page (developers.facebook.com/docs/graph-api/reference/page/photos,
# checked 2026-11-23).
_PUBLISHING_TASK: Final = "CREATE_CONTENT"
_FIELDS: Final = "id,name,username,access_token,picture{url},link"
# Tasks are a field of the person's own list of Pages, not of a portfolio's (github.com/gitroomhq/postiz-app,
# facebook.provider.ts, checked 2026-11-25).
_FIELDS_WITH_TASKS: Final = f"{_FIELDS},tasks"
_MOST_PORTFOLIOS: Final = 10
_PORTFOLIO_SECONDS: Final = 8.0
_MOST_NAMED: Final = 3


async def list_pages(ctx: PlatformContext, credential: Credential) -> tuple[Credential, ...]:
    """List the Pages the person may publish on, in Facebook's order, each with its own token.

    Args:
        ctx: the context the hook was given.
        credential: from ``sign_in.connect``.

    Raises:
        AuthorizationFailed: there is none, or the token is not accepted.
        PlatformUnavailable: no usable answer.
        RateLimited: asked to wait.
    """
    params = {"fields": _FIELDS_WITH_TASKS, "limit": "100"}
    try:
        own = (await list_edge(ctx, "me/accounts", credential.tokens, params)).entries
    except ListingRefused as refusal:
        raise error_of(ctx, refusal.reply, Operation.CONNECT, needs=LIST) from None
    pages = {page["id"]: page for page in own if _has_identity(page)}
    for page in await _list_portfolio_pages(ctx, credential):
        if _has_identity(page):
            pages.setdefault(page["id"], page)
    usable = [page for page in pages.values() if _is_usable(page)]
    if not usable:
        raise AuthorizationFailed(_explain_nothing([page["name"] for page in pages.values()]))
    return tuple(_to_credential(ctx, page, credential) for page in usable)


async def _list_portfolio_pages(ctx: PlatformContext, credential: Credential) -> Sequence[Mapping[str, Any]]:
    """Pages that a portfolio owns or looks after for clients; what can't be read is left out."""
    # Facebook leaves some of them out of the person's own list (github.com/getopenpost/openpost/issues/216,
    # github.com/ChatbotXIO/ChatbotX/pull/711, checked 2026-11-25).
    if PORTFOLIOS not in credential.tokens.scopes:
        return ()
    try:
        async with asyncio.timeout(_PORTFOLIO_SECONDS):
            portfolios = await _try_list(ctx, credential, "me/businesses", "id")
            ids = [portfolio["id"] for portfolio in portfolios if isinstance(portfolio.get("id"), str)]
            edges = [f"{each}/{edge}" for each in ids[:_MOST_PORTFOLIOS] for edge in ("owned_pages", "client_pages")]
            found = await asyncio.gather(*(_try_list(ctx, credential, edge, _FIELDS) for edge in edges))
    except TimeoutError:
        return ()
    return [page for pages in found for page in pages]


async def _try_list(
    ctx: PlatformContext, credential: Credential, path: str, fields: str
) -> Sequence[Mapping[str, Any]]:
    try:
        return (await list_edge(ctx, path, credential.tokens, {"fields": fields, "limit": "100"})).entries
    except (ListingRefused, PlatformUnavailable) as error:
        log.info(
            "A business portfolio's Pages could not be read: %s",
            error,
            extra={"event": "facebook.portfolio_unread", "platform": "facebook"},
        )
        return ()


def _has_identity(page: Mapping[str, Any]) -> bool:
    return all(isinstance(page.get(field), str) and page[field] for field in ("id", "name"))


def _is_usable(page: Mapping[str, Any]) -> bool:
    token, tasks = page.get("access_token"), page.get("tasks", [_PUBLISHING_TASK])
    return isinstance(tasks, list) and _PUBLISHING_TASK in tasks and isinstance(token, str) and bool(token)


def _explain_nothing(names: Sequence[str]) -> str:
    if not names:
        return (
            "Facebook shows the bot no Page that you may publish on. Try again and choose a Page in Facebook's dialog; "
            "if yours isn't there, ask its admin for the right to create content."
        )
    shown = ", ".join(names[:_MOST_NAMED])
    if len(names) > _MOST_NAMED:
        shown += f" and {len(names) - _MOST_NAMED} more"
    return (
        f"Facebook lists {shown}, but you may not publish there. Ask an admin of the Page for the right to create "
        "content (at Facebook: the Page's settings, Page access), then connect again."
    )


def _to_credential(ctx: PlatformContext, page: Mapping[str, Any], person: Credential) -> Credential:
    extra = {USER_TOKEN: person.tokens.access_token}
    if person.tokens.expires_at is not None:
        extra[USER_EXPIRES_AT] = person.tokens.expires_at.isoformat()
    return Credential(
        account=_to_account(ctx, page),
        # Made from a token of 60 days, a Page's own token has no end of its own (developers.facebook.com/
        # documentation/facebook-login/guides/access-tokens/get-long-lived, checked 2026-11-23).
        tokens=TokenSet(access_token=page["access_token"], scopes=person.tokens.scopes),
        grant_id=person.account.id,
        extra=extra,
    )


def _to_account(ctx: PlatformContext, page: Mapping[str, Any]) -> Account:
    username, picture = page.get("username"), page.get("picture")
    shown = picture.get("data") if isinstance(picture, dict) else None
    return Account(
        id=page["id"],
        name=page["name"],
        kind="page",
        url=_address(ctx, page.get("link")) or f"{ctx.endpoints['dialog']}/{page['id']}",
        handle=f"@{username}" if isinstance(username, str) and username else None,
        picture=_address(ctx, shown.get("url") if isinstance(shown, dict) else None),
    )


def _address(ctx: PlatformContext, value: object) -> str | None:
    """An address to show: https, or what the endpoints themselves are (http in the sandbox)."""
    if not isinstance(value, str):
        return None
    try:
        scheme = urlsplit(value).scheme
    except ValueError:
        return None
    return value if scheme in {"https", urlsplit(ctx.endpoints["dialog"]).scheme} else None
