"""The part of the fake Facebook that knows Pages: who may do what there, and what a token opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from logicspike.testing import AccessToken

from . import sandbox_answers as answers
from .sandbox_people import PORTFOLIO_ID, FakePage, build_pages
from .sandbox_rules import part_of
from .sandbox_tokens import TokenSide

__all__ = ["PageSide"]


class PageSide(TokenSide):
    """Lists Pages to the people who have a role there."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.pages: dict[str, list[FakePage]] = build_pages()
        """Person's id to the Pages they have a role on."""
        self.largest_part = 100
        """How many entries of a list one answer holds at most."""

    # --- lists --------------------------------------------------------------------------------------------------------

    async def list_own_pages(self, request: web.Request, held: AccessToken) -> web.Response:
        """The Pages a person ticked in the dialog."""
        if "pages_show_list" not in held.grant.scopes:
            return answers.permission_missing("pages_show_list")
        pages = [page for page in self._list_granted(held) if not page.edge]
        return part_of([self._page_entry(request, held, page) for page in pages], request, largest=self.largest_part)

    async def list_portfolios(self, request: web.Request, held: AccessToken) -> web.Response:
        """The business portfolios a person belongs to."""
        if "business_management" not in held.grant.scopes:
            return answers.permission_missing("business_management")
        # developers.facebook.com/docs/graph-api/reference/user/businesses, checked 2026-11-25
        has_one = any(page.edge for page in self.pages[held.grant.person.id])
        entries = [{"id": PORTFOLIO_ID, "name": f"{held.grant.person.name}'s portfolio"}] if has_one else []
        return part_of(entries, request, largest=self.largest_part)

    async def list_portfolio_pages(self, request: web.Request, held: AccessToken) -> web.Response:
        """The Pages a portfolio owns, or looks after for clients."""
        if "business_management" not in held.grant.scopes:
            return answers.permission_missing("business_management")
        pages = [page for page in self._list_granted(held) if page.edge == request.match_info["edge"]]
        if request.match_info["portfolio_id"] != PORTFOLIO_ID:
            return answers.page_missing(request.match_info["portfolio_id"], request.method)
        entries = [self._page_entry(request, held, page) for page in pages]
        return part_of(entries, request, largest=self.largest_part)

    async def show_page(self, request: web.Request, held: AccessToken) -> web.Response:
        """One Page, with its token for a person who may publish there."""
        page = self.find_page(request.match_info["page_id"], held)
        if page is None:
            return answers.page_missing(request.match_info["page_id"], request.method)
        return web.json_response(self._page_entry(request, held, page))

    def _page_entry(self, request: web.Request, held: AccessToken, page: FakePage) -> dict[str, Any]:
        wanted = {"id", *request.query.get("fields", "id,name").replace("picture{url}", "picture").split(",")}
        origin, account = request.url.origin(), page.account
        known: dict[str, Any] = {
            "id": account.id,
            "name": account.name,
            # developers.facebook.com/docs/graph-api/reference/page/picture, checked 2026-11-25
            "picture": {"data": {"url": f"{origin}/{account.id}/picture"}},
            "link": f"{origin}/{account.id}",
        }
        if account.handle:
            known["username"] = account.handle
        if not page.edge:
            known["tasks"] = self.list_tasks(page)
        if "access_token" in wanted and "CREATE_CONTENT" in self.list_tasks(page):
            known["access_token"] = self.issue_page_token(request, held, page.account)
        return {field: value for field, value in known.items() if field in wanted}

    # --- what a token opens -------------------------------------------------------------------------------------------

    def list_tasks(self, page: FakePage) -> list[str]:
        """What the person may do on a Page now."""
        return ["ANALYZE"] if self.is_on("role_lost") else page.tasks

    def find_page(self, page_id: str, held: AccessToken) -> FakePage | None:
        """The Page, if the token's person has a role there and ticked it."""
        return next((page for page in self._list_granted(held) if page.account.id == page_id), None)

    def _list_granted(self, held: AccessToken) -> Sequence[FakePage]:
        pages = self.pages[held.grant.person.id]
        return pages[:1] if self.consent_of(held).has_first_page_only else pages

    async def debug_token(self, request: web.Request) -> web.Response:
        """What Facebook knows of a token, told to the app."""
        # The good answer: developers.facebook.com/docs/facebook-login/guides/access-tokens/debugging, checked
        # 2026-11-25; the bad one: observed, unattributed
        if refused := self.refuse_app(request):
            return refused
        held = self._access.get(request.query.get("input_token", ""))
        if held is None:
            error = {"code": 190, "message": "Invalid OAuth access token."}
            return web.json_response({"data": {"error": error, "is_valid": False, "scopes": []}})
        consent, subcode = self.consent_of(held), self.find_session_problem(held)
        about: dict[str, Any] = {
            "app_id": self.client_id,
            "type": "PAGE" if self.is_page_account(held.account) else "USER",
            "application": "LogicSpike",
            "data_access_expires_at": int((consent.at + self.data_access_lifetime).timestamp()),
            "expires_at": int(held.expires_at.timestamp()) if held.expires_at is not None else 0,
            "is_valid": subcode is None,
            "issued_at": int(consent.at.timestamp()),
            "scopes": [*held.grant.scopes, "public_profile"],
            "granular_scopes": self._list_granular(held),
            "user_id": held.grant.person.id,
        }
        if subcode is not None:
            about["error"] = {"code": 190, "message": answers.SESSION_WORDS[subcode], "subcode": subcode}
        if about["type"] == "PAGE":
            about["profile_id"] = held.account.id
        return web.json_response({"data": about})

    def _list_granular(self, held: AccessToken) -> list[dict[str, Any]]:
        page_ids = [page.account.id for page in self._list_granted(held)]
        targets = {"business_management": [PORTFOLIO_ID]}
        return [{"scope": scope, "target_ids": targets.get(scope, page_ids)} for scope in held.grant.scopes]
