"""The part of the fake Facebook that publishes: posts, comments, and their lists."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final

from aiohttp import web

from logicspike.plugin import MediaKind
from logicspike.testing import AccessToken, FakeMedia, LedgerEntry, UploadRefused

from . import sandbox_answers as answers
from .sandbox_rules import MAX_CHARS, MAX_COMMENT_CHARS, MAX_PHOTOS, find_link_problem, part_of, to_graph_time
from .sandbox_uploads import UploadSide

__all__ = ["PostSide"]

_IS_CREATE: Final = web.RequestKey("is_create", bool)


class PostSide(UploadSide):
    """Publishes as a Page, and lets a Page read what it published."""

    # How long Facebook remembers a post is not documented; this is ours.
    duplicate_window: ClassVar[timedelta] = timedelta(minutes=10)

    def is_create(self, request: web.Request) -> bool:
        """The calls that publish: which of a video's phases it is stands in the body, so the handlers say so."""
        return bool(request.get(_IS_CREATE))

    # --- publishing ---------------------------------------------------------------------------------------------------

    async def publish_post(self, request: web.Request, held: AccessToken) -> web.Response:
        """A post with a text, a link, or photos that were uploaded before."""
        request[_IS_CREATE] = True
        form = {key: str(value) for key, value in (await request.post()).items()}
        message, link = form.get("message", ""), form.get("link") or None
        photo_ids = _read_attached(form.get("attached_media", "[]"))
        refused = self.find_right_problem(
            request.match_info["page_id"], held, "pages_manage_posts"
        ) or self._find_post_problem(held, message, link, photo_ids)
        if refused is not None:
            return refused
        try:
            media = [self.uploads.take(photo_id, account=held.account) for photo_id in photo_ids or ()]
        except UploadRefused as error:
            return answers.attachment_refused(error.reason)
        post_id = f"{held.account.id}_{122_100_000_000 + self.next_number()}"
        entry = self.record(post_id=post_id, account=held.account, text=message, link=link, media=media)
        if self.is_on("error_code_1"):
            # github.com/facebookarchive/php-graph-sdk/issues/1141, checked 2026-11-23
            return answers.graph_error(1, "An unknown error occurred", status=500, subcode=99)
        return web.json_response(self._post_entry(request, entry, form.get("fields", "id")))

    def _find_post_problem(
        self, held: AccessToken, message: str, link: str | None, photo_ids: list[str] | None
    ) -> web.Response | None:
        if self.is_on("policy_block"):
            # developers.facebook.com/docs/graph-api/guides/error-handling, checked 2026-11-23; words: observed,
            # unattributed
            words = "The action attempted has been deemed abusive or is otherwise disallowed"
            return answers.graph_error(368, words, user_message="You can't post right now.")
        if photo_ids is None or len(photo_ids) > MAX_PHOTOS:
            return answers.graph_error(100, "(#100) Param attached_media is not valid")  # the words are ours
        if not message.strip() and link is None and not photo_ids:
            return answers.graph_error(100, "(#100) Missing message or attachment")  # the words are ours
        if len(message) > MAX_CHARS:
            return answers.graph_error(100, "(#100) Param message is too long")  # the words are ours
        if number := find_link_problem(link, is_reachable=not self.is_on("link_unreachable")):
            return answers.link_refused(number)
        is_repeated = not photo_ids and self._is_repeated(held, message, link)
        return answers.duplicate() if is_repeated else None

    def _is_repeated(self, held: AccessToken, message: str, link: str | None) -> bool:
        since = self.clock.now() - self.duplicate_window
        return any(
            (entry.account, entry.text, entry.link, entry.media, entry.reply_to)
            == (held.account, message, link, (), None)
            and entry.at > since
            for entry in self.ledger
        )

    def finish_video(self, request: web.Request, form: Mapping[str, Any], held: AccessToken) -> web.Response:
        """Publish a video whose bytes have all come."""
        request[_IS_CREATE] = True
        upload = self.find_video(form)
        if upload is None:
            return answers.page_missing(str(form.get("upload_session_id")), "POST")
        try:
            media = self.uploads.take(upload.id, account=held.account)
        except UploadRefused:
            return answers.video_refused(1363045)
        self.record(post_id=upload.id, account=held.account, text=str(form.get("description", "")), media=[media])
        # github.com/facebookarchive/php-graph-sdk, FacebookResumableUploader.php, checked 2026-11-25
        return web.json_response({"success": True})

    async def show_video(self, request: web.Request, held: AccessToken) -> web.Response:
        """A video of the Page, published or not."""
        # developers.facebook.com/docs/graph-api/reference/video, checked 2026-11-25
        video_id = request.match_info["page_id"]
        upload, entry = self.uploads.find(video_id), self.find_entry(video_id)
        owner = entry.account if entry is not None else upload.account if upload is not None else None
        if owner != held.account:
            return answers.page_missing(video_id, request.method)
        known: dict[str, Any] = {"id": video_id, "published": entry is not None}
        if entry is not None:
            known["permalink_url"] = f"/{held.account.id}/videos/{video_id}/"
        wanted = {"id", *request.query.get("fields", "id").split(",")}
        return web.json_response({field: value for field, value in known.items() if field in wanted})

    async def show_object(self, request: web.Request, held: AccessToken) -> web.Response:
        """A Page, or a photo or video of it: ids look alike."""
        object_id = request.match_info["page_id"]
        if self.uploads.find(object_id) is not None or self.find_entry(object_id) is not None:
            return await self.show_video(request, held)
        return await self.show_page(request, held)

    # --- comments -----------------------------------------------------------------------------------------------------

    async def publish_comment(self, request: web.Request, held: AccessToken) -> web.Response:
        """A comment as the Page, below one of its posts."""
        request[_IS_CREATE] = True
        form = {key: str(value) for key, value in (await request.post()).items()}
        message, entry = form.get("message", ""), self._find_post(request, held)
        if entry is None:
            return answers.page_missing(request.match_info["post_id"], request.method)
        if refused := self.find_right_problem(held.account.id, held, "pages_manage_engagement"):
            return refused
        if not message.strip() or len(message) > MAX_COMMENT_CHARS:
            return answers.graph_error(100, "(#100) Param message is not valid")  # the words are ours
        comment_id = f"{entry.id.rpartition('_')[2]}_{122_500_000_000 + self.next_number()}"
        comment = self.record(post_id=comment_id, account=held.account, text=message, reply_to=entry.id)
        return web.json_response(self._post_entry(request, comment, form.get("fields", "id")))

    async def list_comments(self, request: web.Request, held: AccessToken) -> web.Response:
        """The Page's own comments below one of its posts; other people's are not told."""
        entry = self._find_post(request, held)
        if entry is None:
            return answers.page_missing(request.match_info["post_id"], request.method)
        if "pages_read_engagement" not in held.grant.scopes:
            return answers.permission_missing("pages_read_engagement")
        return self._list(request, [comment for comment in self.ledger if comment.reply_to == entry.id])

    def _find_post(self, request: web.Request, held: AccessToken) -> LedgerEntry | None:
        # A video can be named by itself, or by its post.
        asked = request.match_info["post_id"]
        entry = self.find_entry(asked) or self.find_entry(asked.rpartition("_")[2])
        return entry if entry is not None and entry.account == held.account else None

    # --- lists --------------------------------------------------------------------------------------------------------

    async def list_posts(self, request: web.Request, held: AccessToken) -> web.Response:
        """What a Page published, the newest first."""
        page = self.find_page(request.match_info["page_id"], held)
        if page is None:
            return answers.page_missing(request.match_info["page_id"], request.method)
        if "pages_read_engagement" not in held.grant.scopes:
            return answers.permission_missing("pages_read_engagement")
        posts = [entry for entry in self.ledger if entry.account == page.account and entry.reply_to is None]
        return self._list(request, posts)

    def _list(self, request: web.Request, found: Sequence[LedgerEntry]) -> web.Response:
        since = int(request.query.get("since", "0"))
        fields = request.query.get("fields", "message,created_time")
        entries = [
            self._post_entry(request, entry, fields) for entry in reversed(found) if entry.at.timestamp() >= since
        ]
        return part_of(entries, request, largest=self.largest_part)

    def _post_entry(self, request: web.Request, entry: LedgerEntry, fields: str) -> dict[str, Any]:
        wanted = ["id", *fields.split(",")]
        number, owner = entry.id.rpartition("_")[2], entry.account
        kind = "videos" if _is_video(entry) else "posts"
        shown = f"{kind}/{number}" if entry.reply_to is None else entry.id
        known: dict[str, Any] = {
            "id": f"{owner.id}_{number}" if _is_video(entry) else entry.id,
            "message": entry.text,
            "created_time": to_graph_time(entry.at),
            "permalink_url": f"{request.url.origin()}/{owner.id}/{shown}",
            "from": {"name": owner.name, "id": owner.id},
        }
        if entry.media:
            known["attachments"] = {"data": [_to_attachment(entry.media)]}
        if any(field.startswith("attachments") for field in wanted):
            wanted.append("attachments")
        return {field: known[field] for field in dict.fromkeys(wanted) if field in known}


def _is_video(entry: LedgerEntry) -> bool:
    return any(medium.kind is MediaKind.VIDEO for medium in entry.media)


def _to_attachment(media: Sequence[FakeMedia]) -> dict[str, Any]:
    """What a post shows; several photos are parts of one album."""
    # developers.facebook.com/docs/graph-api/reference/story-attachment, checked 2026-11-25
    parts = [
        {"media_type": "video" if medium.kind is MediaKind.VIDEO else "photo", "target": {"id": medium.id}}
        for medium in media
    ]
    return parts[0] if len(parts) == 1 else {"media_type": "album", "subattachments": {"data": parts}}


def _read_attached(text: str) -> list[str] | None:
    """The ids in ``attached_media``; None when it can't be read."""
    try:
        return [str(each["media_fbid"]) for each in json.loads(text)]
    except (ValueError, TypeError, KeyError):
        return None
