"""The part of the fake Facebook that takes files: photos that aren't published yet, and videos in phases."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from aiohttp import web

from logicspike.plugin import MediaKind
from logicspike.testing import AccessToken, FakeUpload, UploadState

from . import sandbox_answers as answers
from .sandbox_pages import PageSide
from .sandbox_rules import MAX_PHOTO_BYTES, MAX_VIDEO_BYTES, MIN_VIDEO_BYTES

__all__ = ["UploadSide"]


class UploadSide(PageSide):
    """Keeps what is uploaded until a post takes it, or its time is over."""

    takes_media: ClassVar[bool] = True

    # Not documented; about a day is what people report.
    upload_lifetime: ClassVar[timedelta] = timedelta(hours=24)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.chunk_bytes = 256 * 1024
        """How many bytes of a video one transfer may hold."""
        self._sessions: dict[str, str] = {}
        self._loses_chunk = False
        self._drops_chunk: bool | None = None

    def drop_next_chunk(self, *, is_taken: bool) -> None:
        """Lose the connection at the next part of a video, with or without taking the part."""
        self._drops_chunk = is_taken

    def lose_next_chunk(self) -> None:
        """Take the next part of a video but one, then ask for the one before it again."""
        self._loses_chunk = True

    def find_right_problem(self, page_id: str, held: AccessToken, permission: str) -> web.Response | None:
        """What keeps a token from doing something as this Page."""
        if self.find_page(page_id, held) is None:
            return answers.page_missing(page_id, "POST")
        # A person's own token on a Page: github.com/criso/fbgraph/issues/147, checked 2026-11-23
        if held.account.id != page_id or self._is_withheld(permission) or permission not in held.grant.scopes:
            return answers.permission_missing(permission)
        return None

    def _is_withheld(self, permission: str) -> bool:
        switches = {"pages_manage_posts": "posting_withheld", "pages_manage_engagement": "comments_withheld"}
        return permission in switches and self.is_on(switches[permission])

    # --- photos -------------------------------------------------------------------------------------------------------

    async def take_photo(self, request: web.Request, held: AccessToken) -> web.Response:
        """Keep a photo that a post will show; this fake takes none that are to be published at once."""
        page_id = request.match_info["page_id"]
        if refused := self.find_right_problem(page_id, held, "pages_manage_posts"):
            return refused
        form = await request.post()
        source = form.get("source")
        if form.get("published") != "false":
            # the words are ours
            return answers.graph_error(100, "(#100) Only unpublished photos are taken here")
        if not isinstance(source, web.FileField):
            return answers.photo_refused(None)
        content = source.file.read()
        if len(content) > MAX_PHOTO_BYTES:
            return answers.photo_refused(1366046)
        upload = self.uploads.keep(
            f"{122_200_000_000 + self.next_number()}",
            content,
            account=held.account,
            lifetime=self.upload_lifetime,
            alt_text=str(form.get("alt_text_custom", "")),
        )
        if upload.state is UploadState.FAILED or upload.kind is MediaKind.VIDEO:
            return answers.photo_refused(2069019)
        # developers.facebook.com/docs/graph-api/reference/page/photos, checked 2026-11-23
        return web.json_response({"id": upload.id})

    # --- videos -------------------------------------------------------------------------------------------------------

    async def take_video(self, request: web.Request, held: AccessToken) -> web.Response:
        """One of the phases of a video."""
        page_id = request.match_info["page_id"]
        if refused := self.find_right_problem(page_id, held, "pages_manage_posts"):
            return refused
        form = await request.post()
        match form.get("upload_phase"):
            case "start":
                return self._start_video(form, held)
            case "transfer":
                return self._transfer(request, form)
            case "finish":
                return self.finish_video(request, form, held)
            case _:
                return answers.graph_error(100, "(#100) Invalid parameter")  # the words are ours

    @abc.abstractmethod
    def finish_video(self, request: web.Request, form: Mapping[str, Any], held: AccessToken) -> web.Response:
        """Publish the video; the posts' part does."""

    def _start_video(self, form: Mapping[str, Any], held: AccessToken) -> web.Response:
        size = int(str(form.get("file_size", "0")))
        if size > MAX_VIDEO_BYTES:
            return answers.video_refused(1363023)
        if size < MIN_VIDEO_BYTES:
            return answers.video_refused(1363022)
        number = self.next_number()
        video_id, session_id = f"{122_300_000_000 + number}", f"{122_400_000_000 + number}"
        self.uploads.begin(video_id, account=held.account, lifetime=self.upload_lifetime, announced_size=size)
        self._sessions[session_id] = video_id
        # github.com/facebookarchive/php-graph-sdk, FacebookResumableUploader.php, checked 2026-11-25
        return web.json_response({"upload_session_id": session_id, "video_id": video_id, **self._offsets(0, size)})

    def _transfer(self, request: web.Request, form: Mapping[str, Any]) -> web.Response:
        drops, self._drops_chunk = self._drops_chunk, None
        answer = self._take_chunk(form) if drops is not False else web.Response()
        if drops is not None and request.transport is not None:
            request.transport.abort()
        return answer

    def _take_chunk(self, form: Mapping[str, Any]) -> web.Response:
        upload, chunk = self.find_video(form), form.get("video_file_chunk")
        if upload is None or not isinstance(chunk, web.FileField):
            return answers.video_refused(1363019)
        if self._loses_chunk and upload.content:
            self._loses_chunk = False
            del upload.content[-self.chunk_bytes :]
        size, so_far = upload.announced_size or 0, len(upload.content)
        if str(form.get("start_offset")) != str(so_far):
            offsets = {name: int(value) for name, value in self._offsets(so_far, size).items()}
            return answers.video_refused(1363037, error_data=offsets)
        upload.content += chunk.file.read()
        if len(upload.content) == size and self.uploads.finish(upload).state is UploadState.FAILED:
            return answers.video_refused(1363045)
        return web.json_response(self._offsets(len(upload.content), size))

    def find_video(self, form: Mapping[str, Any]) -> FakeUpload | None:
        """The video of the session a form names."""
        return self.uploads.find(self._sessions.get(str(form.get("upload_session_id")), ""))

    def _offsets(self, start: int, size: int) -> dict[str, str]:
        return {"start_offset": str(start), "end_offset": str(min(start + self.chunk_bytes, size))}
