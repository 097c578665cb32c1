"""A stand-in for Facebook: the dialog, tokens that are exchanged, Pages with tokens of their own, uploads and posts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final
from urllib.parse import urlencode

from aiohttp import web

from logicspike.testing import ErrorAnswer, FakeAccount, FakeEvent

from . import sandbox_answers as answers
from .sandbox_callbacks import sign_request
from .sandbox_errors import ERROR_ANSWERS
from .sandbox_people import DANA, JONAS, MIRA
from .sandbox_posts import PostSide

__all__ = ["FakeFacebook"]

_API_PATH: Final = re.compile(r"/v[0-9]+\.[0-9]+/")
_REGAIN_MINUTES: Final = 19


class FakeFacebook(PostSide):
    """Facebook for one developer app that requires the proof of its secret.

    One of its people has three Pages, one has two that only a business portfolio lists, one has a single Page.
    """

    name: ClassVar[str] = "facebook"
    title: ClassVar[str] = "Facebook"
    accent: ClassVar[str] = "#0866ff"
    endpoint_names: ClassVar[tuple[str, ...]] = ("dialog", "graph")
    people: ClassVar[tuple[FakeAccount, ...]] = (DANA, MIRA, JONAS)
    extra_actions: ClassVar[dict[str, str]] = {"password_changed": "Change everybody's password"}
    events: ClassVar[dict[str, str]] = {
        "deauthorize": "Remove the app at Facebook, for everybody",
        "data-deletion": "Ask Facebook to have everybody's data deleted",
    }
    extra_switches: ClassVar[dict[str, str]] = {
        "role_lost": "Take away the person's role on the Pages (190/492)",
        "checkpoint": "Ask everybody to sign in at facebook.com (190/459)",
        "posting_withheld": "Leave out the permission to post",
        "comments_withheld": "Leave out the permission to comment",
        "first_page_only": "Leave all Pages but the first unticked in the dialog",
        "policy_block": "Block posts as against the rules (368)",
        "link_unreachable": "Find links that can't be opened (1609005)",
        "error_code_1": "Publish, then answer “unknown error” (1/99)",
        "secret_reset": "Reset the app secret",
    }

    error_answers: ClassVar[Mapping[str, Sequence[ErrorAnswer]]] = ERROR_ANSWERS

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Facebook's own paths, of both origins."""
        version, page = r"/{version:v[0-9]+\.[0-9]+}", "/{page_id:[0-9]+}"
        post = "/{post_id:[0-9]+(?:_[0-9]+)?}"
        edge = "/{portfolio_id:[0-9]+}/{edge:owned_pages|client_pages}"
        router.add_get(f"{version}/dialog/oauth", self.show_dialog)
        router.add_route("*", f"{version}/oauth/access_token", self.give_token)
        router.add_get(f"{version}/debug_token", self.debug_token)
        router.add_delete(version + "/{user_id:[0-9]+}/permissions", self.remove_app)
        router.add_get(f"{version}/me", self.with_token(self.show_me))
        router.add_get(f"{version}/me/permissions", self.with_token(self.list_permissions))
        router.add_get(f"{version}/me/accounts", self.with_token(self.list_own_pages))
        router.add_get(f"{version}/me/businesses", self.with_token(self.list_portfolios))
        router.add_get(version + edge, self.with_token(self.list_portfolio_pages))
        router.add_get(version + page, self.with_token(self.show_object))
        router.add_post(f"{version}{page}/feed", self.with_token(self.publish_post))
        router.add_post(f"{version}{page}/photos", self.with_token(self.take_photo))
        router.add_post(f"{version}{page}/videos", self.with_token(self.take_video))
        router.add_get(version + page + "/{edge:feed|published_posts}", self.with_token(self.list_posts))
        router.add_post(f"{version}{post}/comments", self.with_token(self.publish_comment))
        router.add_get(f"{version}{post}/comments", self.with_token(self.list_comments))
        router.add_route("*", version + "/{rest:.*}", self._refuse_path)
        router.add_get(f"{page}/picture", self._show_picture)
        router.add_get(page, self._view_page)
        router.add_get(page + "/{kind:posts|videos}/{number:[0-9]+}/", self._view_post)
        router.add_get(page + "/{kind:posts|videos}/{number:[0-9]+}", self._view_post)
        router.add_get(page + "/{comment_id:[0-9]+_[0-9]+}", self._view_post)
        router.add_get("/{post_id:[0-9]+_[0-9]+}", self._view_post)

    def is_page(self, request: web.Request) -> bool:
        """What a person's browser looks at: the dialog, Pages and posts."""
        return request.path.endswith("/dialog/oauth") or not _API_PATH.match(request.path)

    def rate_limited(self, request: web.Request) -> web.StreamResponse:
        """The limit of a Page for what is done as a Page, else that of the app."""
        first = request.path.split("/")[2].partition("_")[0]
        return answers.too_many_calls(first if first.isdigit() else "", minutes=_REGAIN_MINUTES)

    def unavailable(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - the same for every call
        """Facebook's "down" (the code by its guide on errors; the words as in github.com/arsduo/koala/issues/699)."""
        return answers.graph_error(2, "An unexpected error has occurred. Please retry your request later.", status=503)

    def canceled_parameters(self) -> dict[str, str]:
        """What Facebook adds to the redirect when the person presses Cancel."""
        # developers.facebook.com/documentation/facebook-login/guides/advanced/manual-flow, checked 2026-11-23
        return {
            "error": "access_denied",
            "error_code": "200",
            "error_reason": "user_denied",
            "error_description": "Permissions error",
        }

    def perform(self, action: str) -> None:
        """Do a one-time fault.

        Raises:
            KeyError: no such fault.
        """
        if action == "password_changed":
            self.change_passwords()
        else:
            super().perform(action)

    def build_event(self, name: str, person: FakeAccount) -> FakeEvent:  # noqa: ARG002 - the address tells them apart
        """A form with a signed request that names the person by the app-scoped id."""
        signed = sign_request(person.id, app_secret=self.client_secret, now=self.clock.now())
        return FakeEvent(
            body=urlencode({"signed_request": signed}).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

    # --- what people see ----------------------------------------------------------------------------------------------

    async def _refuse_path(self, request: web.Request) -> web.Response:
        return answers.unknown_path(f"/{request.match_info['rest']}")

    async def _show_picture(self, request: web.Request) -> web.Response:
        return self.show_picture(self._find_account(request.match_info["page_id"]))

    async def _view_page(self, request: web.Request) -> web.Response:
        page = self._find_account(request.match_info["page_id"])
        return self.show_timeline([entry for entry in self.ledger if entry.account == page])

    def _find_account(self, page_id: str) -> FakeAccount:
        accounts = [page.account for pages in self.pages.values() for page in pages]
        found = next((account for account in accounts if account.id == page_id), None)
        if found is None:
            raise web.HTTPNotFound(text="This content isn't available right now.")
        return found

    async def _view_post(self, request: web.Request) -> web.Response:
        asked = request.match_info
        number = asked.get("number", "")
        ids = {asked.get("post_id"), asked.get("comment_id"), number, f"{asked.get('page_id')}_{number}"}
        entries = [entry for entry in self.ledger if entry.id in ids]
        if not entries:
            raise web.HTTPNotFound(text="This content isn't available right now.")
        return self.show_timeline(entries)
