"""The stand-in's company pages: who may do what on them, their names and their logos."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from logicspike.testing import FakeAccount

from .sandbox_rules import access_denied, api_error

if TYPE_CHECKING:
    from .sandbox import FakeLinkedIn

__all__ = ["CompanyPages", "Role"]

_URN: Final = "urn:li:organization:"
_ADMIN_SCOPES: Final = ("rw_organization_admin", "r_organization_admin")
_LIST: Final = re.compile(r"List\((\d+(?:,\d+)*)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a member may do on a company page, in LinkedIn's words."""

    member_id: str
    page: FakeAccount
    role: str = "ADMINISTRATOR"
    state: str = "APPROVED"


def _page(number: int, name: str, handle: str) -> FakeAccount:
    return FakeAccount(id=f"{_URN}{number}", name=name, handle=handle)


_ROLES: Final = (
    Role(member_id="782bbtaQ", page=_page(5583111, "Lindqvist Studio", "lindqvist-studio")),
    Role(member_id="782bbtaQ", page=_page(9120047, "Nordic Makers", "nordic-makers"), role="CONTENT_ADMINISTRATOR"),
    Role(member_id="782bbtaQ", page=_page(331204, "Old Harbour Press", "old-harbour-press"), role="ANALYST"),
    Role(member_id="782bbtaQ", page=_page(77410, "Fair Weather Club", "fair-weather-club"), state="REQUESTED"),
    Role(member_id="yrZCpj2Z12", page=_page(2414183, "Ferreira Coffee", "ferreira-coffee")),
)
_POSTING: Final = frozenset({"ADMINISTRATOR", "CONTENT_ADMINISTRATOR"})


class CompanyPages:
    """LinkedIn's organizations, and the roles of the stand-in's people."""

    def __init__(self, linkedin: FakeLinkedIn) -> None:
        self._linkedin = linkedin
        self.roles: list[Role] = list(_ROLES)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """The paths of this part."""
        router.add_get("/rest/organizationAcls", self._list_roles)
        router.add_get("/rest/organizationsLookup", self._look_up)
        router.add_get("/rest/organizations/{number}", self._show)
        router.add_get("/company/{handle}/", self._show_timeline)

    def find_managed(self, person: FakeAccount, urn: str) -> FakeAccount | None:
        """The page, if this person may post as it."""
        return next(
            (each.page for each in self._roles_of(person) if each.page.id == urn and each.role in _POSTING), None
        )

    def _roles_of(self, person: FakeAccount) -> Iterator[Role]:
        if not self._linkedin.is_on("role_lost"):
            yield from (each for each in self.roles if each.member_id == person.id and each.state == "APPROVED")

    async def _list_roles(self, request: web.Request) -> web.Response:
        held = self._linkedin.admit(request, *_ADMIN_SCOPES, resource="organizationAcls.FINDER-roleAssignee")
        if isinstance(held, web.Response):
            return held
        query = request.query
        if query.get("q") != "roleAssignee":
            return api_error(400, message="Invalid query parameters passed to request", code="ILLEGAL_ARGUMENT")
        start, count = int(query.get("start", 0)), int(query.get("count", 10))
        found = [
            each
            for each in self.roles
            if each.member_id == held.grant.person.id
            and query.get("role", each.role) == each.role
            and query.get("state", each.state) == each.state
            and not self._linkedin.is_on("role_lost")
        ]
        # learn.microsoft.com/linkedin/marketing/community-management/organizations/organization-access-control-by-role,
        # checked 2026-11-25
        elements = [
            {
                "roleAssignee": f"urn:li:person:{each.member_id}",
                "state": each.state,
                "role": each.role,
                "organization": each.page.id,
            }
            for each in found[start : start + count]
        ]
        paging = {"start": start, "count": count, "links": [], "total": len(found)}
        return web.json_response({"paging": paging, "elements": elements})

    async def _look_up(self, request: web.Request) -> web.Response:
        held = self._linkedin.admit(request, *_ADMIN_SCOPES, resource="organizationsLookup.BATCH_GET")
        if isinstance(held, web.Response):
            return held
        ids = _LIST.fullmatch(request.query.get("ids", ""))
        if ids is None:
            return api_error(400, message="Invalid query parameters passed to request", code="ILLEGAL_ARGUMENT")
        wanted, known = ids[1].split(","), self._by_number()
        # learn.microsoft.com/linkedin/marketing/community-management/organizations/organization-lookup-api, checked
        # 2026-11-25
        return web.json_response(
            {
                "results": {number: _facts(known[number]) for number in wanted if number in known},
                "statuses": {number: 200 if number in known else 404 for number in wanted},
                "errors": {},
            }
        )

    async def _show(self, request: web.Request) -> web.Response:
        held = self._linkedin.admit(request, *_ADMIN_SCOPES, resource="organizations.GET")
        if isinstance(held, web.Response):
            return held
        number = request.match_info["number"]
        is_admin = any(
            each.page.id == f"{_URN}{number}" and each.role == "ADMINISTRATOR"
            for each in self._roles_of(held.grant.person)
        )
        if not is_admin:
            return access_denied("Member does not have permission to get organization")
        page = self._by_number()[number]
        if request.query.get("projection") == "(logoV2(original~:playableStreams))":
            return web.json_response(_logo(page))
        return web.json_response(_facts(page))

    def _by_number(self) -> dict[str, FakeAccount]:
        return {each.page.id.removeprefix(_URN): each.page for each in self.roles}

    async def _show_timeline(self, request: web.Request) -> web.Response:
        pages = [each.page for each in self.roles if each.page.handle == request.match_info["handle"]]
        if not pages:
            raise web.HTTPNotFound(text="This page doesn't exist.")
        return self._linkedin.show_timeline([each for each in self._linkedin.ledger if each.account == pages[0]])


def _facts(page: FakeAccount) -> Mapping[str, Any]:
    return {
        "id": int(page.id.removeprefix(_URN)),
        "localizedName": page.name,
        "vanityName": page.handle,
        "name": {"localized": {"en_US": page.name}, "preferredLocale": {"country": "US", "language": "en"}},
        "primaryOrganizationType": "NONE",
    }


def _logo(page: FakeAccount) -> Mapping[str, Any]:
    asset = f"C560BAQ{page.id.removeprefix(_URN)}"
    stream = {
        "identifiers": [
            {
                "identifier": f"https://media.licdn.com/dms/image/{asset}/company-logo_200_200",
                "mediaType": "image/png",
                "identifierType": "EXTERNAL_URL",
            }
        ]
    }
    return {
        "logoV2": {
            "original": f"urn:li:digitalmediaAsset:{asset}",
            "original~": {"paging": {"start": 0, "count": 10, "links": []}, "elements": [stream]},
        }
    }
