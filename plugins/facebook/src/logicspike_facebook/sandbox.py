"""A stand-in for Facebook: the dialog, tokens that are exchanged, Pages with tokens of their own, and posts."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from logicspike.testing import (
    AccessToken,
    CodeRefused,
    ConsentRequest,
    ErrorAnswer,
    FakeAccount,
    FakePlatform,
    Grant,
    LedgerEntry,
)

from . import sandbox_answers as answers
from .sandbox_errors import ERROR_ANSWERS
from .sandbox_people import DANA, JONAS, FakePage, build_pages
from .sandbox_rules import (
    MAX_CHARS,
    PAGE_PERMISSIONS,
    VERSIONS,
    find_dialog_problem,
    find_link_problem,
    part_of,
    read_scopes,
    to_graph_time,
)

__all__ = ["FakeFacebook"]

_API_PATH: Final = re.compile(r"/v[0-9]+\.[0-9]+/")
_REGAIN_MINUTES: Final = 19

_Answer = Callable[[web.Request, AccessToken], Awaitable[web.Response]]


class FakeFacebook(FakePlatform):
    """Facebook for one developer app that requires the proof of its secret: one person has three Pages, one has one."""

    name: ClassVar[str] = "facebook"
    title: ClassVar[str] = "Facebook"
    accent: ClassVar[str] = "#0866ff"
    endpoint_names: ClassVar[tuple[str, ...]] = ("dialog", "graph")
    people: ClassVar[tuple[FakeAccount, ...]] = (DANA, JONAS)
    extra_actions: ClassVar[dict[str, str]] = {"password_changed": "Change everybody's password"}
    extra_switches: ClassVar[dict[str, str]] = {
        "role_lost": "Take away the person's role on the Pages (190/492)",
        "checkpoint": "Ask everybody to sign in at facebook.com (190/459)",
        "posting_withheld": "Leave out the permission to post",
        "policy_block": "Block posts as against the rules (368)",
        "link_unreachable": "Find links that can't be opened (1609005)",
        "error_code_1": "Publish, then answer “unknown error” (1/99)",
        "secret_reset": "Reset the app secret",
    }

    error_answers: ClassVar[Mapping[str, Sequence[ErrorAnswer]]] = ERROR_ANSWERS

    # One to two hours: developers.facebook.com/documentation/facebook-login/guides/access-tokens, checked 2026-11-23
    short_lifetime: ClassVar[timedelta] = timedelta(minutes=90)
    # What answers are seen to say, a little less than 60 days: observed, unattributed.
    long_lifetime: ClassVar[timedelta] = timedelta(seconds=5_183_944)
    # How long Facebook remembers a post is not documented; this is ours.
    duplicate_window: ClassVar[timedelta] = timedelta(minutes=10)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.pages: dict[str, list[FakePage]] = build_pages()
        """Person's id to the Pages they have a role on."""
        self.largest_part = 100
        """How many entries of a list one answer holds at most."""
        self._used_codes: set[str] = set()
        self._long_lived: set[str] = set()
        self._old_password: list[Grant] = []

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Facebook's own paths, of both origins."""
        version = r"/{version:v[0-9]+\.[0-9]+}"
        router.add_get(f"{version}/dialog/oauth", self._show_dialog)
        router.add_route("*", f"{version}/oauth/access_token", self._give_token)
        router.add_get(f"{version}/me", self._with_token(self._show_me))
        router.add_get(f"{version}/me/permissions", self._with_token(self._list_permissions))
        router.add_get(f"{version}/me/accounts", self._with_token(self._list_pages))
        router.add_delete(version + "/{user_id:me|[0-9]+}/permissions", self._with_token(self._remove_app))
        router.add_get(version + "/{page_id:[0-9]+}", self._with_token(self._show_page_token))
        router.add_post(version + "/{page_id:[0-9]+}/feed", self._with_token(self._publish))
        router.add_get(version + "/{page_id:[0-9]+}/{edge:feed|published_posts}", self._with_token(self._list_posts))
        router.add_route("*", version + "/{rest:.*}", self._refuse_path)
        router.add_get("/{page_id:[0-9]+}", self._view_page)
        router.add_get("/{page_id:[0-9]+}/posts/{number:[0-9]+}", self._view_post)
        router.add_get("/{page_id:[0-9]+}_{number:[0-9]+}", self._view_post)

    def is_page(self, request: web.Request) -> bool:
        """What a person's browser looks at: the dialog, Pages and posts."""
        return request.path.endswith("/dialog/oauth") or not _API_PATH.match(request.path)

    def is_create(self, request: web.Request) -> bool:
        """The call that publishes."""
        return request.method == "POST" and request.path.endswith("/feed")

    def rate_limited(self, request: web.Request) -> web.StreamResponse:
        """The limit of a Page for what is done as a Page, else that of the app."""
        first = request.path.split("/")[2]
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
        if action != "password_changed":
            super().perform(action)
            return
        self._old_password = list(self._grants)

    # --- the dialog ---------------------------------------------------------------------------------------------------

    async def _show_dialog(self, request: web.Request) -> web.Response:
        problem = find_dialog_problem(request, client_id=self.client_id, is_registered=self.is_registered)
        if problem:
            return web.Response(status=400, text=problem)
        return self.show_consent(
            ConsentRequest(
                redirect_uri=request.query["redirect_uri"],
                state=request.query["state"],
                scopes=read_scopes(request.query),
                code_challenge=request.query.get("code_challenge"),
            )
        )

    # --- tokens -------------------------------------------------------------------------------------------------------

    async def _give_token(self, request: web.Request) -> web.Response:
        if request.method not in {"GET", "POST"} or request.match_info["version"] not in VERSIONS:
            return answers.unknown_path("/oauth/access_token")
        form = {key: str(value) for key, value in {**request.query, **(await request.post())}.items()}
        if form.get("client_id") != self.client_id:
            return answers.app_unknown()
        if not self.is_our_client(self.client_id, form.get("client_secret")) or self.is_on("secret_reset"):
            return answers.secret_refused()
        if form.get("grant_type") == "fb_exchange_token":
            return self._exchange_token(form.get("fb_exchange_token", ""))
        return self._trade_code(form)

    def _trade_code(self, form: Mapping[str, str]) -> web.Response:
        code = form.get("code", "")
        why = self._find_code_problem(code, form.get("redirect_uri"))
        try:
            grant = self.redeem_code(code, form.get("redirect_uri"), form.get("code_verifier"))
        except CodeRefused:
            return answers.code_refused(why or "mismatch")
        self._used_codes.add(code)
        if self.is_on("posting_withheld"):
            grant.scopes = tuple(scope for scope in grant.scopes if scope != "pages_manage_posts")
        return self._token_answer(self.issue_access_token(grant, lifetime=self.short_lifetime), self.short_lifetime)

    def _find_code_problem(self, code: str, redirect_uri: str | None) -> str:
        if code in self._used_codes:
            return "used"
        held = self._codes.get(code)
        if held is None:
            return "unknown"
        if held.expires_at <= self.clock.now():
            return "late"
        return "mismatch" if held.redirect_uri != redirect_uri else ""

    def _exchange_token(self, token: str) -> web.Response:
        held = self._access.get(token)
        if held is None or self._is_page_account(held.account):
            return answers.session_refused(None)
        if subcode := self._find_session_problem(held):
            return answers.session_refused(subcode)
        long = self.issue_access_token(held.grant, lifetime=self.long_lifetime)
        self._long_lived.add(long)
        return self._token_answer(long, self.long_lifetime)

    def _token_answer(self, token: str, lifetime: timedelta) -> web.Response:
        # developers.facebook.com/documentation/facebook-login/guides/advanced/manual-flow, checked 2026-11-23
        body = {"access_token": token, "token_type": "bearer", "expires_in": int(lifetime.total_seconds())}
        return web.json_response(body)

    def _issue_page_token(self, held: AccessToken, token: str, page: FakePage) -> str:
        # From a long-lived token comes one without an end (developers.facebook.com/documentation/facebook-login/guides/
        # access-tokens/get-long-lived, checked 2026-11-23).
        left = None
        if token not in self._long_lived and held.expires_at is not None:
            left = held.expires_at - self.clock.now()
        return self.issue_access_token(held.grant, lifetime=left, account=page.account)

    def _with_token(self, answer: _Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def check_first(request: web.Request) -> web.Response:
            given = {**request.query, **(await request.post())}
            held = self._check_token(request, str(given.get("appsecret_proof", "")))
            return held if isinstance(held, web.Response) else await answer(request, held)

        return check_first

    def _check_token(self, request: web.Request, proof: str) -> AccessToken | web.Response:
        if request.match_info["version"] not in VERSIONS:
            return answers.unknown_path(request.path.partition("/v")[2].partition("/")[2])
        held, _ = self.bearer(request)
        if held is None:
            return answers.session_refused(None)
        if not proof:
            return answers.proof_refused(is_missing=True)
        token = request.headers["Authorization"].partition(" ")[2]
        expected = hmac.new(self.client_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, proof) or self.is_on("secret_reset"):
            return answers.proof_refused(is_missing=False)
        subcode = self._find_session_problem(held)
        return held if subcode is None else answers.session_refused(subcode)

    def _find_session_problem(self, held: AccessToken) -> int | None:
        problems = {
            458: held.grant.is_revoked,
            460: any(grant is held.grant for grant in self._old_password),
            463: held.expires_at is not None and held.expires_at <= self.clock.now(),
            459: self.is_on("checkpoint"),
            492: self.is_on("role_lost") and self._is_page_account(held.account),
        }
        return next((subcode for subcode, is_so in problems.items() if is_so), None)

    # --- who and what -------------------------------------------------------------------------------------------------

    async def _show_me(self, _request: web.Request, held: AccessToken) -> web.Response:
        return web.json_response({"id": held.account.id, "name": held.account.name})

    async def _list_permissions(self, _request: web.Request, held: AccessToken) -> web.Response:
        # developers.facebook.com/docs/graph-api/reference/user/permissions, checked 2026-11-23
        listed = [
            {"permission": permission, "status": "granted" if permission in held.grant.scopes else "declined"}
            for permission in PAGE_PERMISSIONS
        ]
        return web.json_response({"data": [*listed, {"permission": "public_profile", "status": "granted"}]})

    async def _remove_app(self, request: web.Request, held: AccessToken) -> web.Response:
        person = held.grant.person
        if request.match_info["user_id"] not in {"me", person.id}:
            return answers.page_missing(request.match_info["user_id"], request.method)
        for grant in self._grants:
            grant.is_revoked = grant.is_revoked or grant.person == person
        # developers.facebook.com/docs/graph-api/reference/user/permissions, checked 2026-11-23
        return web.json_response({"success": True})

    async def _list_pages(self, request: web.Request, held: AccessToken) -> web.Response:
        if "pages_show_list" not in held.grant.scopes:
            return answers.permission_missing("pages_show_list")
        token = request.headers["Authorization"].partition(" ")[2]
        entries = [
            {
                "id": page.account.id,
                "name": page.account.name,
                "access_token": self._issue_page_token(held, token, page),
                "tasks": self._list_tasks(page),
            }
            for page in self.pages[held.grant.person.id]
        ]
        return part_of(entries, request, largest=self.largest_part)

    async def _show_page_token(self, request: web.Request, held: AccessToken) -> web.Response:
        page = self._find_page(request, held)
        if page is None:
            return answers.page_missing(request.match_info["page_id"], request.method)
        answer = {"id": page.account.id, "name": page.account.name}
        if "CREATE_CONTENT" in self._list_tasks(page):
            token = request.headers["Authorization"].partition(" ")[2]
            answer["access_token"] = self._issue_page_token(held, token, page)
        fields = {"id", *request.query.get("fields", "id,name").split(",")}
        return web.json_response({name: value for name, value in answer.items() if name in fields})

    def _list_tasks(self, page: FakePage) -> list[str]:
        return ["ANALYZE"] if self.is_on("role_lost") else page.tasks

    def _find_page(self, request: web.Request, held: AccessToken) -> FakePage | None:
        pages = self.pages[held.grant.person.id]
        return next((page for page in pages if page.account.id == request.match_info["page_id"]), None)

    def _is_page_account(self, account: FakeAccount) -> bool:
        return all(account.id != person.id for person in self.people)

    # --- posts --------------------------------------------------------------------------------------------------------

    async def _publish(self, request: web.Request, held: AccessToken) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        message, link = form.get("message", ""), form.get("link") or None
        refused = self._check_right(request, held) or self._check_post(held, message, link)
        if refused is not None:
            return refused
        post_id = f"{held.account.id}_{122_100_000_000 + self.next_number()}"
        entry = self.record(post_id=post_id, account=held.account, text=message, link=link)
        if self.is_on("error_code_1"):
            # github.com/facebookarchive/php-graph-sdk/issues/1141, checked 2026-11-23
            return answers.graph_error(1, "An unknown error occurred", status=500, subcode=99)
        fields = form.get("fields", "id").split(",")
        return web.json_response(self._to_entry(request, entry, ["id", *fields]))

    def _check_right(self, request: web.Request, held: AccessToken) -> web.Response | None:
        if self._find_page(request, held) is None:
            return answers.page_missing(request.match_info["page_id"], request.method)
        # A person's own token on a Page: github.com/criso/fbgraph/issues/147, checked 2026-11-23
        if held.account.id != request.match_info["page_id"] or self.is_on("posting_withheld"):
            return answers.permission_missing("pages_manage_posts")
        if "pages_manage_posts" not in held.grant.scopes:
            return answers.permission_missing("pages_manage_posts")
        return None

    def _check_post(self, held: AccessToken, message: str, link: str | None) -> web.Response | None:
        if self.is_on("policy_block"):
            # developers.facebook.com/docs/graph-api/guides/error-handling, checked 2026-11-23; words: observed,
            # unattributed
            words = "The action attempted has been deemed abusive or is otherwise disallowed"
            return answers.graph_error(368, words, user_message="You can't post right now.")
        if not message.strip() and link is None:
            # the words are ours
            return answers.graph_error(100, "(#100) Missing message or attachment")
        if len(message) > MAX_CHARS:
            # the words are ours
            return answers.graph_error(100, "(#100) Param message is too long")
        if number := find_link_problem(link, is_reachable=not self.is_on("link_unreachable")):
            return answers.link_refused(number)
        since = self.clock.now() - self.duplicate_window
        is_repeated = any(
            entry.account == held.account and entry.text == message and entry.link == link and entry.at > since
            for entry in self.ledger
        )
        return answers.duplicate() if is_repeated else None

    async def _list_posts(self, request: web.Request, held: AccessToken) -> web.Response:
        page = self._find_page(request, held)
        if page is None:
            return answers.page_missing(request.match_info["page_id"], request.method)
        if "pages_read_engagement" not in held.grant.scopes:
            return answers.permission_missing("pages_read_engagement")
        since = int(request.query.get("since", "0"))
        fields = ["id", *request.query.get("fields", "message,created_time").split(",")]
        entries = [
            self._to_entry(request, entry, fields)
            for entry in reversed(self.ledger)
            if entry.account == page.account and entry.at.timestamp() >= since
        ]
        return part_of(entries, request, largest=self.largest_part)

    def _to_entry(self, request: web.Request, entry: LedgerEntry, fields: Sequence[str]) -> dict[str, str]:
        page_id, _, number = entry.id.partition("_")
        known = {
            "id": entry.id,
            "message": entry.text,
            "created_time": to_graph_time(entry.at),
            "permalink_url": f"{request.url.origin()}/{page_id}/posts/{number}",
        }
        return {name: known[name] for name in dict.fromkeys(fields) if name in known}

    async def _refuse_path(self, request: web.Request) -> web.Response:
        return answers.unknown_path(f"/{request.match_info['rest']}")

    # --- what people see ----------------------------------------------------------------------------------------------

    async def _view_page(self, request: web.Request) -> web.Response:
        page_id = request.match_info["page_id"]
        if not any(page.account.id == page_id for pages in self.pages.values() for page in pages):
            raise web.HTTPNotFound(text="This content isn't available right now.")
        return self.show_timeline([entry for entry in self.ledger if entry.account.id == page_id])

    async def _view_post(self, request: web.Request) -> web.Response:
        post_id = f"{request.match_info['page_id']}_{request.match_info['number']}"
        entries = [entry for entry in self.ledger if entry.id == post_id]
        if not entries:
            raise web.HTTPNotFound(text="This content isn't available right now.")
        return self.show_timeline(entries)
