"""The part of the fake X that takes files: announced, sent in segments, closed, looked at, described.

Paths, fields and limits: docs.x.com/x-api/openapi.json and /x-api/media, checked 2026-11-25.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final

from aiohttp import BodyPartReader, web

from logicspike.plugin import MediaKind
from logicspike.testing import FakeUpload, UploadState

from . import sandbox_answers as answers
from .sandbox_ids import make_id
from .sandbox_sign_in import FakeSignIn

__all__ = ["FakeMediaUploads", "read_object", "to_media_key"]

# What X says while a file is on its way, and once it is there.
_SESSION: Final = timedelta(seconds=1_295_999)
_KEPT: Final = timedelta(days=1)

_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "tweet_image": ("image/jpeg", "image/png", "image/webp", "image/gif"),
    "tweet_gif": ("image/gif",),
    "tweet_video": ("video/mp4", "video/quicktime", "video/webm", "video/mp2t"),
    "amplify_video": ("video/mp4", "video/quicktime", "video/webm", "video/mp2t"),
}
_MAX_BYTES: Final[Mapping[str, int]] = {
    "tweet_image": 5 * 2**20,
    "tweet_gif": 15 * 2**20,
    "tweet_video": 8 * 2**30,
    "amplify_video": 8 * 2**30,
}
_INITIALIZE_FIELDS: Final = frozenset({"additional_owners", "media_category", "media_type", "shared", "total_bytes"})
_MAX_SEGMENT_BYTES: Final = 8 * 2**20
_MAX_ALT_TEXT: Final = 1000

# The number before the id: 3 and 13 stand in X's own examples, 7 and 16 were seen.
_KEY_PREFIXES: Final = {"tweet_image": 3, "tweet_video": 7, "amplify_video": 13, "tweet_gif": 16}
_OF_KIND: Final = {MediaKind.IMAGE: "tweet_image", MediaKind.VIDEO: "tweet_video", MediaKind.GIF: "tweet_gif"}


def to_media_key(media_id: str, kind: MediaKind) -> str:
    """The key of a file in posts."""
    return f"{_KEY_PREFIXES[_OF_KIND[kind]]}_{media_id}"


class FakeMediaUploads(FakeSignIn):
    """X's media endpoints."""

    takes_media: ClassVar[bool] = True
    processing_looks: int = 1
    """How many looks at a GIF or video find X still at it."""
    check_after_secs: int = 1
    """How long X asks to wait before each look."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._categories: dict[str, str] = {}
        self._segments: dict[str, dict[int, bytes]] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the paths of uploads."""
        super().add_routes(router)
        router.add_post("/2/media/upload/initialize", self._initialize)
        router.add_post("/2/media/upload/{id}/append", self._append)
        router.add_post("/2/media/upload/{id}/finalize", self._finalize)
        router.add_get("/2/media/upload", self._status)
        router.add_post("/2/media/metadata", self._describe)

    async def _initialize(self, request: web.Request) -> web.Response:
        if refusal := self.refusal(request, "media.write"):
            return refusal
        body = await read_object(request)
        if body is None:
            return answers.invalid_request("Request body is not valid JSON.")
        if problem := _announcement_problem(body):
            return answers.invalid_request(problem)
        upload = self.uploads.begin(
            make_id(self.clock.now(), self.next_number()),
            account=self.speaker(request),
            lifetime=_SESSION,
            announced_size=body["total_bytes"],
        )
        self._categories[upload.id], self._segments[upload.id] = body["media_category"], {}
        facts = {"id": upload.id, "media_key": self._key(upload), "expires_after_secs": _to_seconds(_SESSION)}
        return web.json_response({"data": facts})

    async def _append(self, request: web.Request) -> web.Response:
        if refusal := self.refusal(request, "media.write"):
            return refusal
        upload = self._find(request, request.match_info["id"])
        if upload is None or upload.id not in self._segments:
            return answers.not_found()
        fields = await _read_multipart(request)
        index, media = fields.get("segment_index", b""), fields.get("media")
        if not (index.isdigit() and int(index) <= 999) or media is None:
            return answers.invalid_request("$.segment_index: must be between 0 and 999")
        if len(media) > _MAX_SEGMENT_BYTES:
            return web.Response(status=413)  # as in github.com/trypostit/trypost: with no body
        self._segments[upload.id][int(index)] = media
        assert upload.expires_at is not None
        return web.json_response({"data": {"expires_at": int(upload.expires_at.timestamp())}})

    async def _finalize(self, request: web.Request) -> web.Response:
        if refusal := self.refusal(request, "media.write"):
            return refusal
        upload = self._find(request, request.match_info["id"])
        if upload is None or upload.id not in self._segments:
            return answers.not_found()
        segments = self._segments.pop(upload.id)
        if sorted(segments) != list(range(len(segments))):
            return answers.invalid_request("Segments do not add up to provided total file size.")
        upload.content += b"".join(segments[index] for index in sorted(segments))
        if len(upload.content) != upload.announced_size:
            # Known from the older API (developer.twitter.com, media upload), checked 2026-11-25.
            return answers.invalid_request("Segments do not add up to provided total file size.")
        is_still = self._categories[upload.id] == "tweet_image"
        upload.expires_at = self.clock.now() + _KEPT
        state = self.uploads.finish(upload, looks=0 if is_still else self.processing_looks).state
        if is_still and state is UploadState.FAILED:
            return answers.invalid_request("The media could not be read.")  # the words assumed
        return web.json_response({"data": self._facts(upload, is_first=True)})

    async def _status(self, request: web.Request) -> web.Response:
        if refusal := self.refusal(request, "media.write"):
            return refusal
        query = request.query
        if query.get("command", "STATUS") != "STATUS":
            return answers.invalid_request("command must be STATUS", "command", query["command"])
        upload = self._find(request, query.get("media_id", ""))
        # A still picture is not asked about: github.com/xdevplatform/xurl/issues/18.
        if upload is None or self._categories[upload.id] == "tweet_image":
            return answers.not_found()
        self.uploads.look(upload.id)
        return web.json_response({"data": self._facts(upload)})

    async def _describe(self, request: web.Request) -> web.Response:
        if refusal := self.refusal(request, "media.write"):
            return refusal
        body = await read_object(request) or {}
        upload = self._find(request, str(body.get("id", "")))
        if upload is None:
            return answers.not_found()
        text = _dig(body, "metadata", "alt_text", "text")
        if not isinstance(text, str) or len(text) > _MAX_ALT_TEXT:
            return answers.invalid_request("$.metadata.alt_text.text: must be at most 1000 characters long")
        upload.alt_text = text
        described = {"id": upload.id, "associated_metadata": {"alt_text": {"text": text}}}
        return web.json_response({"data": described})

    def _find(self, request: web.Request, media_id: str) -> FakeUpload | None:
        upload = self.uploads.find(media_id)
        return upload if upload is not None and upload.account == self.speaker(request) else None

    def _key(self, upload: FakeUpload) -> str:
        return f"{_KEY_PREFIXES[self._categories[upload.id]]}_{upload.id}"

    def _facts(self, upload: FakeUpload, *, is_first: bool = False) -> dict[str, Any]:
        assert upload.expires_at is not None
        facts: dict[str, Any] = {
            "id": upload.id,
            "media_key": self._key(upload),
            "size": len(upload.content),
            "expires_after_secs": _to_seconds(upload.expires_at - self.clock.now()),
        }
        if self._categories[upload.id] == "tweet_image":
            return facts | {"image": {"image_type": upload.content_type, "w": 16, "h": 12}}
        return facts | {"processing_info": self._to_processing_info(upload, is_first=is_first)}

    def _to_processing_info(self, upload: FakeUpload, *, is_first: bool) -> dict[str, Any]:
        if is_first:
            return {"state": "pending", "check_after_secs": self.check_after_secs}
        if upload.state is UploadState.READY:
            return {"state": "succeeded", "progress_percent": 100}
        if upload.state is not UploadState.FAILED:
            return {"state": "in_progress", "check_after_secs": self.check_after_secs, "progress_percent": 50}
        # The form: github.com/plhery/node-twitter-api-v2/issues/243.
        error = {"code": 3, "name": "UnsupportedMedia", "message": "file is currently unsupported"}
        return {"state": "failed", "progress_percent": 100, "error": error}


def _announcement_problem(body: Mapping[str, Any]) -> str:
    if unknown := sorted(body.keys() - _INITIALIZE_FIELDS):
        return f"$.{unknown[0]}: is not defined in the schema and the schema does not allow additional properties"
    category, size = str(body.get("media_category", "")), body.get("total_bytes")
    if category not in _TYPES:
        return "$.media_category: does not have a value in the enumeration"
    if body.get("media_type") not in _TYPES[category]:
        return "$.media_type: does not have a value in the enumeration"
    if not isinstance(size, int) or size <= 0:
        return "$.total_bytes: must be a positive integer"
    # What X says then is assumed.
    return "" if size <= _MAX_BYTES[category] else f"File size exceeds {_MAX_BYTES[category]} bytes."


def _dig(body: Mapping[str, Any], *names: str) -> object:
    found: object = body
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


async def read_object(request: web.Request) -> dict[str, Any] | None:
    """The JSON object in a request's body; None for anything else."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        return None
    return body if isinstance(body, dict) and request.content_type == "application/json" else None


async def _read_multipart(request: web.Request) -> dict[str, bytes]:
    if request.content_type != "multipart/form-data":
        return {}
    fields: dict[str, bytes] = {}
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.name:
            fields[part.name] = bytes(await part.read())
    return fields


def _to_seconds(lifetime: timedelta) -> int:
    return int(lifetime.total_seconds())
