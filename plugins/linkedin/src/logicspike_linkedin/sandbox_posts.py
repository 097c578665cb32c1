"""The stand-in's posts and comments: taken, kept for reading back, and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from logicspike.plugin import MediaKind
from logicspike.testing import FakeAccount, FakeCard, FakeMedia, LedgerEntry

from .sandbox_rules import (
    access_denied,
    api_error,
    check_comment,
    check_post,
    duplicate,
    read_body,
)
from .sandbox_text import LittleText, read_little_text

if TYPE_CHECKING:
    from .sandbox import FakeLinkedIn
    from .sandbox_uploads import Uploads

__all__ = ["Posts"]

_DUPLICATE_WINDOW: Final = timedelta(minutes=10)
_READING: Final = ("r_organization_social",)
_WRITING: Final = ("w_member_social", "w_organization_social")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attached:
    """What a post shows besides its text."""

    media: tuple[FakeMedia, ...] = ()
    link: str | None = None
    card: FakeCard | None = None


class Posts:
    """LinkedIn's posts, and the comments on them."""

    def __init__(self, linkedin: FakeLinkedIn, uploads: Uploads) -> None:
        self._linkedin = linkedin
        self._uploads = uploads
        self.published: dict[str, LittleText] = {}
        """What readers see of each post, by its URN."""
        self._bodies: dict[str, Mapping[str, Any]] = {}
        self._threads: dict[str, str] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """The paths of this part."""
        router.add_post("/rest/posts", self._create_post)
        router.add_get("/rest/posts", self._list_posts)
        for version in ("v2", "rest"):
            router.add_post(f"/{version}/socialActions/{{urn}}/comments", self._create_comment)
            router.add_get(f"/{version}/socialActions/{{urn}}/comments", self._list_comments)
        router.add_get("/feed/update/{urn}/", self._show_post)

    # --- posts --------------------------------------------------------------------------------------------------------

    async def _create_post(self, request: web.Request) -> web.Response:
        held = self._linkedin.admit(request, *_WRITING, resource="partnerApiPostsExternal.CREATE")
        if isinstance(held, web.Response):
            return held
        body = await read_body(request)
        if isinstance(body, web.Response):
            return body
        if (refused := check_post(body)) is not None:
            return refused
        author = self._linkedin.find_author(held, body["author"], field="/author", role="author")
        if isinstance(author, web.Response):
            return author
        if original := self._find_duplicate(body):
            return duplicate(original.id)
        attached = self._attach(body.get("content", {}), author)
        return attached if isinstance(attached, web.Response) else self._take_post(body, author, attached)

    def _take_post(self, body: Mapping[str, Any], author: FakeAccount, attached: _Attached) -> web.Response:
        number = 7_398_000_000_000_000_000 + self._linkedin.next_number()
        urn = f"urn:li:share:{number}"
        seen = read_little_text(body["commentary"])
        self.published[urn] = seen
        self._bodies[urn] = body
        self._threads[urn] = f"urn:li:activity:{number}"
        self._linkedin.record(
            post_id=urn,
            account=author,
            text=seen.text,
            link=attached.link,
            media=attached.media,
            card=attached.card,
        )
        # learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api, checked 2026-11-23
        return web.Response(status=201, headers={"x-restli-id": urn, "x-li-uuid": "AAYsandboxsandboxsandboxA=="})

    def _attach(self, content: Mapping[str, Any], author: FakeAccount) -> _Attached | web.Response:
        if "article" in content:
            return self._attach_article(content["article"], author)
        shown = [content["media"]] if "media" in content else content.get("multiImage", {}).get("images", [])
        taken: list[FakeMedia] = []
        for each in shown:
            is_video = len(shown) == 1 and str(each.get("id")).startswith("urn:li:video:")
            kind = MediaKind.VIDEO if is_video else MediaKind.IMAGE
            found = self._uploads.take(each.get("id"), author, kind=kind, alt_text=each.get("altText", ""))
            if isinstance(found, web.Response):
                return found
            taken.append(found)
        return _Attached(media=tuple(taken))

    def _attach_article(self, article: Mapping[str, Any], author: FakeAccount) -> _Attached | web.Response:
        card = FakeCard(title=article["title"], description=article.get("description", ""))
        if "thumbnail" in article:
            picture = self._uploads.take(article["thumbnail"], author, kind=MediaKind.IMAGE)
            if isinstance(picture, web.Response):
                return picture
            card = replace(card, picture=picture)
        return _Attached(link=article["source"], card=card)

    def _find_duplicate(self, body: Mapping[str, Any]) -> LedgerEntry | None:
        since = self._linkedin.clock.now() - _DUPLICATE_WINDOW
        return next(
            (
                entry
                for entry in self._linkedin.ledger
                if entry.at > since
                and self._bodies.get(entry.id, {})
                and _sameness(self._bodies[entry.id]) == _sameness(body)
            ),
            None,
        )

    async def _list_posts(self, request: web.Request) -> web.Response:
        held = self._linkedin.admit(request, *_READING, resource="partnerApiPostsExternal.FINDER-author")
        if isinstance(held, web.Response):
            return held
        query = request.query
        if query.get("q") != "author" or query.get("sortBy", "LAST_MODIFIED") not in {"LAST_MODIFIED", "CREATED"}:
            return api_error(400, message="Invalid query parameters passed to request", code="ILLEGAL_ARGUMENT")
        if self._linkedin.pages.find_managed(held.grant.person, query.get("author", "")) is None:
            return access_denied("Member does not have permission to read the author's posts")
        start, count = int(query.get("start", 0)), int(query.get("count", 10))
        found = [
            each
            for each in reversed(self._linkedin.ledger)
            if each.account.id == query["author"] and each.id in self._bodies
        ]
        # learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api, checked 2026-11-25
        return web.json_response(
            {
                "paging": {"start": start, "count": count, "links": []},
                "elements": [self._to_element(each) for each in found[start : start + count]],
            }
        )

    def _to_element(self, entry: LedgerEntry) -> Mapping[str, Any]:
        at = int(entry.at.timestamp() * 1000)
        return {**self._bodies[entry.id], "id": entry.id, "createdAt": at, "publishedAt": at, "lastModifiedAt": at}

    async def _show_post(self, request: web.Request) -> web.Response:
        entries = [entry for entry in self._linkedin.ledger if entry.id == request.match_info["urn"]]
        if not entries:
            raise web.HTTPNotFound(text="This post cannot be displayed.")
        return self._linkedin.show_timeline(entries)

    # --- comments -----------------------------------------------------------------------------------------------------

    async def _create_comment(self, request: web.Request) -> web.Response:
        is_versioned = request.path.startswith("/rest/")
        # In the versioned API, apps without a further approval are refused, whatever the member allowed: observed,
        # unattributed (2026-11-25)
        scopes = () if is_versioned or self._linkedin.is_on("comments_denied") else _WRITING
        held = self._linkedin.admit(request, *scopes, resource="partnerApiSocialActions.CREATE")
        if isinstance(held, web.Response):
            return held
        body = await read_body(request)
        if isinstance(body, web.Response):
            return body
        root = request.match_info["urn"]
        if (refused := check_comment(body, root)) is not None:
            return refused
        author = self._linkedin.find_author(held, body["actor"], field="/actor", role="actor")
        if isinstance(author, web.Response):
            return author
        if not self._is_found(root):
            # observed, unattributed (2026-11-25)
            return api_error(404, message=f"Unable to obtain activity for urn: '{root}'")
        return self._take_comment(root, author, body)

    def _is_found(self, urn: str) -> bool:
        entry = next((each for each in self._linkedin.ledger if each.id == urn and urn in self._threads), None)
        if entry is None:
            return False
        return not self._linkedin.is_on("late_activity") or self._linkedin.is_settled(entry.at)

    def _take_comment(self, root: str, author: FakeAccount, body: Mapping[str, Any]) -> web.Response:
        number = str(7_398_100_000_000_000_000 + self._linkedin.next_number())
        urn = f"urn:li:comment:({self._threads[root]},{number})"
        entry = self._linkedin.record(post_id=urn, account=author, text=body["message"]["text"], reply_to=root)
        element = self._to_comment(entry, body["actor"])
        return web.json_response(element, status=201, headers={"x-restli-id": number})

    async def _list_comments(self, request: web.Request) -> web.Response:
        is_versioned = request.path.startswith("/rest/")
        scopes = () if is_versioned else _READING
        held = self._linkedin.admit(request, *scopes, resource="partnerApiSocialActions.GET_ALL")
        if isinstance(held, web.Response):
            return held
        found = [each for each in self._linkedin.ledger if each.reply_to == request.match_info["urn"]]
        start, count = int(request.query.get("start", 0)), int(request.query.get("count", 10))
        # learn.microsoft.com/linkedin/marketing/community-management/shares/comments-api, checked 2026-11-25
        return web.json_response(
            {
                "paging": {"start": start, "count": count, "links": [], "total": len(found)},
                "elements": [self._to_comment(each) for each in found[start : start + count]],
            }
        )

    def _to_comment(self, entry: LedgerEntry, actor: str | None = None) -> Mapping[str, Any]:
        actor = actor or (
            entry.account.id if entry.account.id.startswith("urn:li:") else f"urn:li:person:{entry.account.id}"
        )
        thread, _, number = entry.id.removeprefix("urn:li:comment:(").removesuffix(")").rpartition(",")
        stamp = {"actor": actor, "time": int(entry.at.timestamp() * 1000)}
        # learn.microsoft.com/linkedin/marketing/community-management/shares/comments-api, checked 2026-11-25; "$URN" is
        # how the older API names it: github.com/MicrosoftDocs/feedback/issues/971
        return {
            "id": number,
            "actor": actor,
            "object": thread,
            "commentUrn": entry.id,
            "$URN": entry.id,
            "message": {"attributes": [], "text": entry.text},
            "created": stamp,
            "lastModified": stamp,
        }


def _sameness(body: Mapping[str, Any]) -> tuple[object, ...]:
    """What makes two posts the same to LinkedIn: whose, which text, which link or uploads."""
    content = body.get("content", {})
    return (
        body["author"],
        body["commentary"],
        content.get("article", {}).get("source"),
        content.get("media"),
        content.get("multiImage"),
    )
