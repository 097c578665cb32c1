"""A stateful fake of X: consent, rotating tokens, identity, uploads, posts with X's own checks, threads, permalinks."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from logicspike.testing import (
    ErrorAnswer,
    FakeAccount,
    FakeMedia,
    LedgerEntry,
    UploadState,
)

from . import sandbox_answers as answers
from .post_rules import count_cashtags
from .sandbox_errors import ERROR_ANSWERS
from .sandbox_ids import make_id
from .sandbox_posts import as_page, as_read
from .sandbox_uploads import FakeMediaUploads, read_object
from .weighted_length import MAX_WEIGHT, find_links, has_forbidden_characters, weighted_length

__all__ = ["FakeTwitter"]

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
_TWEET_FIELDS: Final = frozenset(
    {"attachments", "author_id", "conversation_id", "created_at", "entities", "id", "referenced_tweets", "text"}
)
_USER_FIELDS: Final = frozenset({"id", "name", "username", "profile_image_url", "verified", "verified_type"})


class FakeTwitter(FakeMediaUploads):
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
    extra_switches: ClassVar[dict[str, str]] = {
        "no_credits": "Be out of credits (402)",
        "usage_capped": "Say that the monthly cap is reached (429)",
        "not_enrolled": "Say that the developer app isn't enrolled (403)",
        "read_only_app": "Say that the developer app may only read (403)",
        "suspended": "Say that the account is suspended (403)",
        "unknown_authentication": "Fail to recognise the sign-in (403)",
        "not_permitted": "Refuse without a reason (403)",
        "parent_not_visible": "Fail to see the post that is replied to (403)",
    }

    error_answers: ClassVar[Mapping[str, Sequence[ErrorAnswer]]] = ERROR_ANSWERS

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add X's paths, and the pages of accounts and posts."""
        super().add_routes(router)
        router.add_get("/2/users/me", self._me)
        router.add_post("/2/tweets", self._create)
        router.add_get("/2/users/{id}/tweets", self._timeline)
        router.add_get("/profile_images/{id}/{name}", self._show_picture)
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
        return answers.too_many_requests(answers.window_used_up(self.clock.now()))

    def unavailable(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - the same for every call
        """X's "Service Unavailable" (docs.x.com response codes; the body assumed)."""
        body = {"title": "Service Unavailable", "detail": "Service Unavailable", "type": "about:blank", "status": 503}
        return answers.problem(503, body)

    # --- the API ------------------------------------------------------------------------------------------------------

    async def _me(self, request: web.Request) -> web.Response:
        if refusal := self.refusal(request, "users.read", "tweet.read"):
            return refusal
        fields = set(filter(None, request.query.get("user.fields", "").split(",")))
        if unknown := sorted(fields - _USER_FIELDS):
            return answers.invalid_request(f"[{unknown[0]}] is not a known field", "user.fields", unknown[0])
        person = self.speaker(request)
        known = {
            "id": person.id,
            "name": person.name,
            "username": person.handle,
            "profile_image_url": f"{request.url.origin()}/profile_images/{person.id}/{person.handle}_normal.svg",
            "verified": False,
            "verified_type": "none",
        }
        always = {"id", "name", "username"}
        return web.json_response({"data": {name: value for name, value in known.items() if name in always | fields}})

    async def _create(self, request: web.Request) -> web.Response:
        if refusal := self.refusal(request, "tweet.read", "users.read", "tweet.write"):
            return refusal
        body = await read_object(request)
        if body is None:
            return answers.invalid_request("Request body must be JSON")
        author = self.speaker(request)
        if refusal := self._form_refusal(body) or self._post_refusal(author, body):
            return refusal
        entry = self._record(author, body)
        made = {"id": entry.id, "text": as_read(entry)["text"], "edit_history_tweet_ids": [entry.id]}
        return web.json_response({"data": made}, status=201)

    def _record(self, author: FakeAccount, body: Mapping[str, Any]) -> LedgerEntry:
        text, media = unicodedata.normalize("NFC", body.get("text", "")), self._take(author, body)
        # Pictures take the place of a link's card.
        link = next((link.address for link in find_links(text)), None) if not media else None
        return self.record(
            post_id=make_id(self.clock.now(), self.next_number()),
            account=author,
            text=text,
            link=link,
            media=media,
            reply_to=body.get("reply", {}).get("in_reply_to_tweet_id"),
        )

    def _take(self, author: FakeAccount, body: Mapping[str, Any]) -> Sequence[FakeMedia]:
        media_ids = body.get("media", {}).get("media_ids", [])
        return [self.uploads.take(media_id, account=author, is_reusable=True) for media_id in media_ids]

    def _form_refusal(self, body: Mapping[str, Any]) -> web.Response | None:
        """What the description of the API does not allow."""
        if unknown := sorted(body.keys() - _POST_FIELDS):
            # docs.x.com/x-api/openapi.json: additionalProperties false; the words are assumed, not recorded.
            message = (
                f"$.{unknown[0]}: is not defined in the schema and the schema does not allow additional properties"
            )
            return answers.invalid_request(message)
        media_ids = body["media"].get("media_ids") if isinstance(body.get("media"), dict) else body.get("media")
        if media_ids is not None and not (isinstance(media_ids, list) and 1 <= len(media_ids) <= 4):
            # "maximum of 4 items": named in github.com/gitroomhq/postiz-app, x.provider.ts.
            return answers.invalid_request("$.media.media_ids: there must be a maximum of 4 items in the array")
        reply = body.get("reply")
        if reply is not None and not (isinstance(reply, dict) and isinstance(reply.get("in_reply_to_tweet_id"), str)):
            # github.com/plhery/node-twitter-api-v2/issues/583
            return answers.invalid_request(
                "$.reply.in_reply_to_tweet_id: is missing but it is required", "$.reply", "{}"
            )
        if not isinstance(body.get("text", ""), str) or not (body.get("text", "").strip() or media_ids):
            return answers.invalid_request("Your request must have text or media", "text")
        return None

    def _post_refusal(self, author: FakeAccount, body: Mapping[str, Any]) -> web.Response | None:
        text, media_ids = body.get("text", ""), body.get("media", {}).get("media_ids", [])
        if weighted_length(text) > MAX_WEIGHT or has_forbidden_characters(text):
            # github.com/gitroomhq/postiz-app x.provider.ts: what X says of a text that is too long.
            return answers.forbidden("You are not permitted to perform this action.")
        if count_cashtags(text) > 1:
            # Observed, unattributed.
            return answers.forbidden("Posts are limited to a maximum of one cashtag")
        if not self._can_attach(author, media_ids):
            return answers.invalid_media_ids(media_ids)
        parent_id = body.get("reply", {}).get("in_reply_to_tweet_id")
        if refusal := self._reply_refusal(author, parent_id):
            return refusal
        if not media_ids and self._is_duplicate(author, text, parent_id):
            # github.com/akrherz/iembot/issues/163
            return answers.forbidden("You are not allowed to create a Tweet with duplicate content.")
        return None

    def _can_attach(self, author: FakeAccount, media_ids: Sequence[str]) -> bool:
        uploads = [self.uploads.find(media_id) for media_id in media_ids]
        kinds = [upload.kind for upload in uploads if upload is not None]
        are_ready = all(
            upload is not None and upload.state is UploadState.READY and upload.account == author for upload in uploads
        )
        return are_ready and (len(media_ids) <= 1 or all(kind == "image" for kind in kinds))

    def _reply_refusal(self, author: FakeAccount, parent_id: str | None) -> web.Response | None:
        if parent_id is None:
            return None
        parent = self.find_entry(parent_id)
        if parent is None or self._use("parent_not_visible"):
            # github.com/plhery/node-twitter-api-v2/issues/366
            return answers.forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
        # docs.x.com/changelog, 2026-02-23; the sentence observed, unattributed.
        return None if parent.account == author else answers.forbidden(answers.NOT_ENGAGED)

    def _is_duplicate(self, author: FakeAccount, text: str, parent_id: str | None) -> bool:
        since = self.clock.now() - _DUPLICATE_WINDOW
        wanted = unicodedata.normalize("NFC", text).strip()
        return any(
            entry.text.strip() == wanted and entry.at > since and entry.reply_to == parent_id and not entry.media
            for entry in self._posts_of(author.id)
        )

    async def _timeline(self, request: web.Request) -> web.Response:
        if refusal := self.refusal(request, "tweet.read", "users.read"):
            return refusal
        query = request.query
        size = query.get("max_results", "10")
        if not size.isdigit() or not 5 <= int(size) <= 100:
            # The bounds: docs.x.com/x-api/posts/timelines; the words are assumed, not recorded.
            return answers.invalid_request(
                f"The `max_results` query parameter value [{size}] is not between 5 and 100", "max_results", size
            )
        fields = frozenset(filter(None, query.get("tweet.fields", "").split(",")))
        if unknown := sorted(fields - _TWEET_FIELDS):
            return answers.invalid_request(f"[{unknown[0]}] is not a known field", "tweet.fields", unknown[0])
        entries = [entry for entry in reversed(self._posts_of(request.match_info["id"])) if _is_asked_for(entry, query)]
        first = int(query.get("pagination_token", "0"))
        return web.json_response(as_page(entries, first=first, size=int(size), fields=fields))

    def _posts_of(self, account_id: str) -> list[LedgerEntry]:
        return [entry for entry in self.ledger if entry.account.id == account_id]

    # --- pages --------------------------------------------------------------------------------------------------------

    async def _show_picture(self, request: web.Request) -> web.Response:
        person = next((person for person in self.people if person.id == request.match_info["id"]), None)
        if person is None:
            return web.Response(status=404, text="This page doesn't exist.")
        return self.show_picture(person)

    async def _show_account(self, request: web.Request) -> web.Response:
        username = request.match_info["username"]
        return self.show_timeline([entry for entry in self.ledger if entry.account.handle == username])

    async def _show_post(self, request: web.Request) -> web.Response:
        entries = [entry for entry in self.ledger if entry.id == request.match_info["id"]]
        if not entries:
            return web.Response(status=404, text="This page doesn't exist.")
        return self.show_timeline(entries)


def _is_asked_for(entry: LedgerEntry, query: Mapping[str, str]) -> bool:
    since, since_id = query.get("start_time"), query.get("since_id")
    if "replies" in query.get("exclude", "").split(",") and entry.reply_to is not None:
        return False
    if since is not None and entry.at < datetime.fromisoformat(since):
        return False
    return since_id is None or int(entry.id) > int(since_id)
