"""The company pages a member may post as.

Sources: learn.microsoft.com/linkedin/marketing/community-management/organizations/organization-access-control-by-role
and …/organization-lookup-api, checked 2026-11-25.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from logicspike.plugin import Account, Credential, Operation, PlatformContext, PlatformError

from .api import Api, Sleep, wait_until_active

__all__ = ["POSTING_ROLES", "list_pages"]

# What LinkedIn's page calls super admins and content admins; the shorter name of the second is seen as well.
POSTING_ROLES: Final = frozenset({"ADMINISTRATOR", "CONTENT_ADMINISTRATOR", "CONTENT_ADMIN"})

_PAGE_SIZE: Final = 100
_MOST_PAGES: Final = 10
_URN: Final = "urn:li:organization:"
# A logo costs a call of the few a member has in a day, and is only a help to recognise a page by.
_MOST_LOGOS: Final = 10


async def list_pages(
    ctx: PlatformContext, credential: Credential, *, sleep: Sleep = asyncio.sleep
) -> tuple[Credential, ...]:
    """List the pages that the member is a super admin or content admin of, each with the member's own tokens.

    Args:
        ctx: the context the hook was given.
        credential: the member's.
        sleep: how to wait while LinkedIn doesn't know its new token yet, in seconds.

    Raises:
        PlatformError: by the table in ``errors``.
    """
    api = Api(ctx=ctx, credential=credential, operation=Operation.CONNECT)
    ids = await wait_until_active(lambda: _list_ids(api), sleep)
    if not ids:
        return ()
    facts = await _look_up(api, ids)
    logos = dict(zip(ids, await asyncio.gather(*(_find_logo(api, each) for each in ids[:_MOST_LOGOS])), strict=False))
    return tuple(
        replace(credential, account=_to_account(ctx, each, facts.get(each, {}), logos.get(each))) for each in ids
    )


async def _list_ids(api: Api) -> tuple[str, ...]:
    ids: dict[str, None] = {}
    for page in range(_MOST_PAGES):
        query = {
            "q": "roleAssignee",
            "state": "APPROVED",
            "start": str(page * _PAGE_SIZE),
            "count": str(_PAGE_SIZE),
        }
        reply = await api.call("GET", "/rest/organizationAcls", query=query, restli_method="FINDER")
        elements = reply.object.get("elements")
        if not isinstance(elements, list):
            raise api.to_error(reply)
        ids |= dict.fromkeys(found for each in elements if (found := _read_id(each)))
        if len(elements) < _PAGE_SIZE:
            break
    return tuple(ids)


def _read_id(element: object) -> str | None:
    if not isinstance(element, dict) or element.get("role") not in POSTING_ROLES or element.get("state") != "APPROVED":
        return None
    urn = element.get("organization")
    number = urn.removeprefix(_URN) if isinstance(urn, str) and urn.startswith(_URN) else ""
    return number if number.isdecimal() else None


async def _look_up(api: Api, ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Names by id. Content admins may not read a page as its admins do, but anybody may look it up."""
    facts: dict[str, Mapping[str, Any]] = {}
    for start in range(0, len(ids), _PAGE_SIZE):
        query = {"ids": f"List({','.join(ids[start : start + _PAGE_SIZE])})"}
        reply = await api.call("GET", "/rest/organizationsLookup", query=query, restli_method="BATCH_GET")
        results = reply.object.get("results")
        if not isinstance(results, dict):
            raise api.to_error(reply)
        facts |= {number: each for number, each in results.items() if isinstance(each, dict)}
    return facts


async def _find_logo(api: Api, number: str) -> str | None:
    """The address of a page's logo, where the page has one and the member may read it."""
    try:
        reply = await api.call(
            "GET",
            f"/rest/organizations/{number}",
            query={"projection": "(logoV2(original~:playableStreams))"},
        )
    except PlatformError:
        return None
    return _dig(reply.object, "logoV2", "original~", "elements", 0, "identifiers", 0, "identifier")


def _dig(found: Any, *steps: str | int) -> str | None:
    for step in steps:
        is_there = (isinstance(found, dict) and step in found) or (
            isinstance(found, list) and isinstance(step, int) and len(found) > step
        )
        if not is_there:
            return None
        found = found[step]
    return found if isinstance(found, str) and found.startswith("https://") else None


def _to_account(ctx: PlatformContext, number: str, facts: Mapping[str, Any], logo: str | None) -> Account:
    name, vanity_name = facts.get("localizedName"), facts.get("vanityName")
    known_as = vanity_name if isinstance(vanity_name, str) and vanity_name else number
    return Account(
        id=f"{_URN}{number}",
        name=name if isinstance(name, str) and name else f"LinkedIn page {number}",
        kind="organization",
        url=f"{ctx.endpoints['auth']}/company/{known_as}/",
        picture=logo,
    )
