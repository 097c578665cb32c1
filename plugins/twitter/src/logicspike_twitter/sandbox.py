"""A stateful fake of X: consent, tokens that rotate, identity, posts with X's own checks, the timeline, permalinks."""

from __future__ import annotations

import base64
import binascii
import html
import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
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
    RefreshRefused,
)

from . import sandbox_answers as answers
from .post_rules import count_cashtags
from .sandbox_errors import ERROR_ANSWERS
from .weighted_length import MAX_WEIGHT, find_links, has_forbidden_characters, weighted_length

__all__ = ["FakeTwitter"]

_AUTHORIZE: Final = "/i/oauth2/authorize"
# Those a poster could ask for; docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code, checked 2026-11-23.
_KNOWN_SCOPES: Final = frozenset({"tweet.read", "tweet.write", "users.read", "media.write", "offline.access"})
_TOKEN_LIFETIME: Final = timedelta(hours=2)
# How long X remembers a text is not documented; half a day is what people report.
_DUPLICATE_WINDOW: Final = timedelta(hours=12)
# The request body of POST /2/tweets, docs.x.com/x-api/openapi.json, checked 2026-11-23.
_POST_FIELDS: Final = frozenset(
    {
        "card_uri",
        "community_id",
        "direct_message_deep_link",
        "edit_options",
        "for_super_followers_only",
        "geo",
        "made_with_ai",
        "media",
        "nullcast",
        "paid_partnership",
        "poll",
        "quote_tweet_id",
        "reply",
        "reply_settings",
        "share_with_followers",
        "text",
    }
)
_USER_FIELDS: Final = frozenset({"id", "name", "username", "profile_image_url", "verified", "verified_type"})
_FIRST_ID: Final = 1_990_000_000_000_000_000


class FakeTwitter(FakePlatform):
    """X on your own computer."""

    name: ClassVar[str] = "twitter"
    title: ClassVar[str] = "X"
    accent: ClassVar[str] = "#0f1419"
    endpoint_names: ClassVar[tuple[str, ...]] = ("auth", "api")
    people: ClassVar[tuple[FakeAccount, ...]] = (
        FakeAccount(id="1500000000000000001", name="Acme Coffee", handle="acmecoffee"),
        FakeAccount(id="1500000000000000002", name="Robin Park", handle="robin_park"),
        FakeAccount(id="1500000000000000003", name="Blue Door Bakery", handle="bluedoorbakes"),
    )
    # docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code, checked 2026-11-23.
    code_lifetime: ClassVar[timedelta] = timedelta(seconds=30)
    extra_actions: ClassVar[dict[str, str]] = {
        "lose_refresh": "Spend the refresh tokens, as if the answer to a refresh got lost",
    }
    extra_switches: ClassVar[dict[str, str]] = {
        "no_credits": "Be out of credits (402)",
        "usage_capped": "Say that the monthly cap is reached (429)",
        "not_enrolled": "Say that the developer app isn't enrolled (403)",
        "read_only_app": "Say that the developer app may only read (403)",
        "suspended": "Say that the account is suspended (403)",
        "unknown_authentication": "Fail to recognise the sign-in (403)",
        "not_permitted": "Refuse without a reason (403)",
    }

    error_answers: ClassVar[Mapping[str, Sequence[ErrorAnswer]]] = ERROR_ANSWERS

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add X's paths, and the pages of accounts and posts."""
        router.add_get(_AUTHORIZE, self._authorize)
        router.add_post("/2/oauth2/token", self._token)
        router.add_post("/2/oauth2/revoke", self._revoke)
        router.add_get("/2/users/me", self._me)
        router.add_post("/2/tweets", self._create)
        router.add_get("/2/users/{id}/tweets", self._timeline)
        router.add_get("/{username:[A-Za-z0-9_]{1,15}}", self._show_account)
        router.add_get("/{username:[A-Za-z0-9_]{1,15}}/status/{id}", self._show_post)
        router.add_get("/i/web/status/{id}", self._show_post)

    def is_page(self, request: web.Request) -> bool:
        """Whether a person's browser looks at this: everything outside the API."""
        return not request.path.startswith("/2/")

    def is_create(self, request: web.Request) -> bool:
        """Whether this call publishes something."""
        return request.method == "POST" and request.path == "/2/tweets"

    def rate_limited(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - the same for every call
        """X's "Too Many Requests"."""
        return answers.too_many_requests(self.clock.now())

    def unavailable(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - the same for every call
        """X's "Service Unavailable" (docs.x.com response codes; the body assumed)."""
        body = {"title": "Service Unavailable", "detail": "Service Unavailable", "type": "about:blank", "status": 503}
        return answers.problem(503, body)

    def perform(self, action: str) -> None:
        """Do a one-time fault.

        Raises:
            KeyError: no such fault.
        """
        if action != "lose_refresh":
            super().perform(action)
            return
        for held in self._refresh.values():
            held.is_spent = True

    # --- OAuth --------------------------------------------------------------------------------------------------------

    async def _authorize(self, request: web.Request) -> web.Response:
        query = request.query
        if problem := self._authorize_problem(request):
            return web.Response(status=400, text=f"Something went wrong\n\n{problem}\n")
        return self.show_consent(
            ConsentRequest(
                redirect_uri=query["redirect_uri"],
                state=query["state"],
                scopes=tuple(query["scope"].split()),
                code_challenge=query["code_challenge"],
            )
        )

    def _authorize_problem(self, request: web.Request) -> str:
        query = request.query
        checks = {
            "response_type must be code": query.get("response_type") == "code",
            "client_id is unknown": query.get("client_id") == self.client_id,
            "redirect_uri is not registered": self.is_registered(query.get("redirect_uri", "")),
            "redirect_uri is missing": bool(query.get("redirect_uri")),
            "state is missing or longer than 500 characters": 0 < len(query.get("state", "")) <= 500,
            "scope is missing or unknown": _are_known_scopes(query.get("scope", "")),
            "code_challenge is missing": bool(query.get("code_challenge")),
            # The real X takes "plain" as well; nothing of ours should ever send it.
            "code_challenge_method must be S256": query.get("code_challenge_method") == "S256",
        }
        return next((problem for problem, is_fine in checks.items() if not is_fine), "")

    async def _token(self, request: web.Request) -> web.Response:
        if refusal := self._client_refusal(request):
            return refusal
        form = {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        match form.get("grant_type"):
            case "authorization_code":
                return self._exchange(form)
            case "refresh_token":
                return self._refresh_grant(form)
            case _:
                # Observed, unattributed.
                return answers.token_error(400, "unsupported_grant_type", "Unsupported grant_type.")

    def _client_refusal(self, request: web.Request) -> web.Response | None:
        client_id, client_secret = _basic_credentials(request.headers.get("Authorization", ""))
        if client_id is None:
            # github.com/unasuke/omniauth-twitter2/issues/4, github.com/better-auth/better-auth/issues/2095
            return answers.token_error(401, "unauthorized_client", "Missing valid authorization header")
        if not self.is_our_client(client_id, client_secret):
            # Observed, unattributed.
            return answers.token_error(401, "invalid_client", "Invalid client credentials.")
        return None

    def _exchange(self, form: dict[str, str]) -> web.Response:
        for name in ("code", "redirect_uri", "code_verifier"):
            if not form.get(name):
                # Observed, unattributed.
                return answers.token_error(400, "invalid_request", f"Missing required parameter [{name}].")
        try:
            grant = self.redeem_code(form["code"], form["redirect_uri"], form["code_verifier"])
        except CodeRefused:
            # github.com/plhery/node-twitter-api-v2/issues/496
            description = "Value passed for the authorization code was invalid."
            return answers.token_error(400, "invalid_request", description)
        return self._issue(grant)

    def _refresh_grant(self, form: dict[str, str]) -> web.Response:
        try:
            grant = self.redeem_refresh_token(form.get("refresh_token"), is_single_use=True)
        except RefreshRefused:
            # Observed in two public projects, unattributed.
            return answers.token_error(400, "invalid_request", "Value passed for the token was invalid.")
        return self._issue(grant)

    def _issue(self, grant: Grant) -> web.Response:
        tokens: dict[str, Any] = {
            "token_type": "bearer",
            "expires_in": int(_TOKEN_LIFETIME.total_seconds()),
            "access_token": self.issue_access_token(grant, lifetime=_TOKEN_LIFETIME),
            "scope": " ".join(grant.scopes),
        }
        if "offline.access" in grant.scopes:
            tokens["refresh_token"] = self.issue_refresh_token(grant)
        return web.json_response(tokens)

    async def _revoke(self, request: web.Request) -> web.Response:
        if refusal := self._client_refusal(request):
            return refusal
        token = (await request.post()).get("token")
        if not isinstance(token, str) or not token:
            return answers.token_error(400, "invalid_request", "Missing required parameter [token].")
        self.revoke_token(token)
        # Observed, unattributed.
        return web.json_response({"revoked": True})

    # --- the API ------------------------------------------------------------------------------------------------------

    def _refusal(self, request: web.Request, *needed: str) -> web.Response | None:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return answers.unauthorized()
        for name, (status, body) in answers.FAULTS.items():
            if self._use(name):
                return answers.problem(status, body)
        return None if set(needed) <= set(held.grant.scopes) else answers.forbidden()

    def _speaker(self, request: web.Request) -> FakeAccount:
        held, _ = self.bearer(request)
        assert isinstance(held, AccessToken)
        return held.account

    async def _me(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request, "users.read", "tweet.read"):
            return refusal
        for name in filter(None, request.query.get("user.fields", "").split(",")):
            if name not in _USER_FIELDS:
                return answers.invalid_request(f"[{name}] is not a known field", "user.fields", name)
        person = self._speaker(request)
        return self._answer({"data": {"id": person.id, "name": person.name, "username": person.handle}})

    async def _create(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request, "tweet.read", "users.read", "tweet.write"):
            return refusal
        try:
            body = json.loads(await request.read())
        except ValueError:
            body = None
        if not isinstance(body, dict) or request.content_type != "application/json":
            return answers.invalid_request("Request body must be JSON")
        author = self._speaker(request)
        if refusal := self._post_refusal(author, body):
            return refusal
        text = unicodedata.normalize("NFC", body["text"])
        link = next((link.address for link in find_links(text)), None)
        entry = self.record(post_id=str(_FIRST_ID + self.next_number()), account=author, text=text, link=link)
        made = {"id": entry.id, "text": _as_read(entry)["text"], "edit_history_tweet_ids": [entry.id]}
        return self._answer({"data": made}, status=201)

    def _post_refusal(self, author: FakeAccount, body: dict[str, Any]) -> web.Response | None:
        if unknown := sorted(body.keys() - _POST_FIELDS):
            # docs.x.com/x-api/openapi.json: additionalProperties false; the words are assumed, not recorded.
            message = (
                f"$.{unknown[0]}: is not defined in the schema and the schema does not allow additional properties"
            )
            return answers.invalid_request(message)
        text = body.get("text")
        if not isinstance(text, str) or not text.strip():
            return answers.invalid_request("Your request must have text or media", "text")
        if weighted_length(text) > MAX_WEIGHT or has_forbidden_characters(text):
            # github.com/gitroomhq/postiz-app x.provider.ts: what X says of a text that is too long.
            return answers.forbidden("You are not permitted to perform this action.")
        if count_cashtags(text) > 1:
            # Observed, unattributed.
            return answers.forbidden("Posts are limited to a maximum of one cashtag")
        if self._is_duplicate(author, text):
            # github.com/akrherz/iembot/issues/163
            return answers.forbidden("You are not allowed to create a Tweet with duplicate content.")
        return None

    def _is_duplicate(self, author: FakeAccount, text: str) -> bool:
        since = self.clock.now() - _DUPLICATE_WINDOW
        wanted = unicodedata.normalize("NFC", text).strip()
        return any(entry.text.strip() == wanted and entry.at > since for entry in self._posts_of(author.id))

    async def _timeline(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request, "tweet.read", "users.read"):
            return refusal
        query = request.query
        size = query.get("max_results", "10")
        if not size.isdigit() or not 5 <= int(size) <= 100:
            # The bounds: docs.x.com/x-api/posts/timelines; the words are assumed, not recorded.
            return answers.invalid_request(
                f"The `max_results` query parameter value [{size}] is not between 5 and 100", "max_results", size
            )
        since = query.get("start_time")
        entries = [
            entry
            for entry in reversed(self._posts_of(request.match_info["id"]))
            if since is None or entry.at >= datetime.fromisoformat(since)
        ]
        first = int(query.get("pagination_token", "0"))
        return self._answer(_page(entries, first=first, size=int(size)))

    def _posts_of(self, account_id: str) -> list[LedgerEntry]:
        return [entry for entry in self.ledger if entry.account.id == account_id]

    def _answer(self, body: dict[str, Any], *, status: int = 200) -> web.Response:
        headers = answers.rate_limit_headers(self.clock.now(), remaining=99)
        return web.json_response(body, status=status, headers=headers)

    # --- pages --------------------------------------------------------------------------------------------------------

    async def _show_account(self, request: web.Request) -> web.Response:
        username = request.match_info["username"]
        return self.show_timeline([entry for entry in self.ledger if entry.account.handle == username])

    async def _show_post(self, request: web.Request) -> web.Response:
        entries = [entry for entry in self.ledger if entry.id == request.match_info["id"]]
        if not entries:
            return web.Response(status=404, text="This page doesn't exist.")
        return self.show_timeline(entries)


def _are_known_scopes(scope: str) -> bool:
    return bool(scope.split()) and set(scope.split()) <= _KNOWN_SCOPES


def _basic_credentials(header: str) -> tuple[str | None, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, ""
    return (client_id, secret) if scheme.lower() == "basic" and colon else (None, "")


def _page(entries: Sequence[LedgerEntry], *, first: int, size: int) -> dict[str, Any]:
    shown = entries[first : first + size]
    meta: dict[str, Any] = {"result_count": len(shown)}
    if not shown:
        return {"meta": meta}
    meta |= {"newest_id": shown[0].id, "oldest_id": shown[-1].id}
    if first + size < len(entries):
        meta["next_token"] = str(first + size)
    return {"data": [_as_read(entry) for entry in shown], "meta": meta}


def _as_read(entry: LedgerEntry) -> dict[str, Any]:
    """A post as X gives it back: links shortened, ``&``, ``<`` and ``>`` escaped."""
    pieces, urls, position = [], [], 0
    for number, link in enumerate(find_links(entry.text)):
        short = f"https://t.co/{(int(entry.id) - _FIRST_ID) * 256 + number:010x}"
        pieces += [html.escape(entry.text[position : link.start], quote=False), short]
        full = link.address if "://" in link.address else f"http://{link.address}"
        urls.append({"url": short, "expanded_url": full, "display_url": full.partition("://")[2][:30]})
        position = link.end
    text = "".join([*pieces, html.escape(entry.text[position:], quote=False)])
    post: dict[str, Any] = {"id": entry.id, "text": text, "edit_history_tweet_ids": [entry.id]}
    return post | ({"entities": {"urls": urls}} if urls else {})
