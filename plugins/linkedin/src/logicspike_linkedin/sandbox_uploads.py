"""The stand-in's upload servers: pictures in one piece with a token, videos in parts without one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from logicspike.plugin import MediaKind
from logicspike.testing import FakeAccount, FakeMedia, FakeUpload, UploadRefused, UploadState

from .sandbox_rules import access_denied, api_error, token_error

if TYPE_CHECKING:
    from .sandbox import FakeLinkedIn

__all__ = ["Uploads"]

_POSTING: Final = ("w_member_social", "w_organization_social")
_PART_BYTES: Final = 4 * 1024 * 1024
_LIFETIME: Final = timedelta(days=1)
_STATES: Final = {
    UploadState.OPEN: "WAITING_UPLOAD",
    UploadState.PROCESSING: "PROCESSING",
    UploadState.READY: "AVAILABLE",
    UploadState.FAILED: "PROCESSING_FAILED",
}
_TOO_EARLY: Final = ("Media asset is waiting upload", "MEDIA_ASSET_WAITING_UPLOAD")
# The codes: learn.microsoft.com/linkedin/marketing/community-management/shares/{posts,videos}-api; the words, and which
# code is said of an upload that LinkedIn doesn't know, are ours (2026-11-25).
_REFUSALS: Final = {
    "unknown": ("Invalid URN id", "INVALID_URN_ID"),
    "open": _TOO_EARLY,
    "processing": _TOO_EARLY,
    "failed": ("Media asset failed processing", "MEDIA_ASSET_PROCESSING_FAILED"),
}


@dataclass(slots=True, kw_only=True)
class _Video:
    """A video whose parts are on their way."""

    upload: FakeUpload
    sizes: tuple[int, ...]
    parts: dict[int, tuple[str, bytes]] = field(default_factory=dict)


class Uploads:
    """LinkedIn's images and videos, on behalf of members and company pages."""

    def __init__(self, linkedin: FakeLinkedIn) -> None:
        self._linkedin = linkedin
        self._videos: dict[str, _Video] = {}
        self._finished_at: dict[str, datetime] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """The paths of this part."""
        router.add_post("/rest/images", self._initialize_image)
        router.add_get("/rest/images/{urn}", self._show_image)
        router.add_post("/rest/videos", self._initialize_or_finalize_video)
        router.add_get("/rest/videos/{urn}", self._show_video)
        router.add_put("/dms-uploads/{key}/uploaded-image/0", self._receive_image)
        router.add_put("/dms-uploads/{key}/uploadedVideo/{number}", self._receive_part)

    def take(
        self, urn: object, author: FakeAccount, *, kind: MediaKind, alt_text: str = ""
    ) -> FakeMedia | web.Response:
        """Give an upload to a post; or say why LinkedIn doesn't."""
        prefix = "urn:li:video:" if kind is MediaKind.VIDEO else "urn:li:image:"
        if not isinstance(urn, str) or not urn.startswith(prefix):
            return api_error(400, message="Invalid URN type", code="INVALID_URN_TYPE")
        finished_at = self._finished_at.get(urn)
        if self._linkedin.is_on("slow_media") and finished_at and not self._linkedin.is_settled(finished_at):
            return api_error(400, message=_TOO_EARLY[0], code=_TOO_EARLY[1])
        try:
            return self._linkedin.uploads.take(urn, account=author, alt_text=alt_text, is_reusable=True)
        except UploadRefused as refused:
            if refused.reason == "foreign":
                # github.com/gitroomhq/postiz-app, linkedin.provider.ts, checked 2026-11-23; the sentence's rest is ours
                return api_error(403, message="This resource is forbidden")
            message, code = _REFUSALS[refused.reason]
            return api_error(400, message=message, code=code)

    # --- pictures -----------------------------------------------------------------------------------------------------

    async def _initialize_image(self, request: web.Request) -> web.Response:
        begun = await self._begin(request, "partnerApiImagesExternal")
        if isinstance(begun, web.Response):
            return begun
        owner, _ = begun
        key = f"C4E10AQ{secrets.token_hex(6)}"
        urn = f"urn:li:image:{key}"
        self._linkedin.uploads.begin(urn, account=owner, lifetime=_LIFETIME)
        path = (
            f"{_origin(request)}/dms-uploads/{key}/uploaded-image/0?ca=vector_feedshare&cn=uploads&sync=0&v=beta&ut=x"
        )
        # learn.microsoft.com/linkedin/marketing/community-management/shares/images-api, checked 2026-11-25
        value = {"uploadUrlExpiresAt": self._expires_at(), "uploadUrl": path, "image": urn}
        return web.json_response({"value": value})

    async def _receive_image(self, request: web.Request) -> web.Response:
        held, trouble = self._linkedin.bearer(request)
        if held is None or trouble:
            return token_error(trouble if request.headers.get("Authorization") else "empty")
        upload = self._linkedin.uploads.find(f"urn:li:image:{request.match_info['key']}")
        if upload is None or request.content_length is None:
            return web.Response(status=400)
        upload.content.clear()
        await upload.receive(request.content)
        # Only those who may look find it processing; for the others it would never end.
        self._linkedin.uploads.finish(upload, looks=1 if held.grant.credential_set else 0)
        self._finished_at[upload.id] = self._linkedin.clock.now()
        return web.Response(status=201)

    async def _show_image(self, request: web.Request) -> web.Response:
        # Members' tokens may not look: observed, unattributed (2026-11-25)
        scopes = ("r_organization_social", "w_organization_social")
        return self._show(request, *scopes, resource="partnerApiImagesExternal.GET")

    # --- videos -------------------------------------------------------------------------------------------------------

    async def _initialize_or_finalize_video(self, request: web.Request) -> web.Response:
        match request.query.get("action"):
            case "initializeUpload":
                return await self._initialize_video(request)
            case "finalizeUpload":
                return await self._finalize_video(request)
            case _:
                return api_error(400, message="Invalid action", code="ILLEGAL_ARGUMENT")

    async def _initialize_video(self, request: web.Request) -> web.Response:
        begun = await self._begin(request, "partnerApiVideosExternal")
        if isinstance(begun, web.Response):
            return begun
        owner, facts = begun
        size = facts.get("fileSizeBytes")
        if type(size) is not int or size <= 0:
            return api_error(400, message="/fileSizeBytes is required", code="MISSING_FIELD")
        key = f"C5505AQ{secrets.token_hex(6)}"
        urn = f"urn:li:video:{key}"
        upload = self._linkedin.uploads.begin(urn, account=owner, lifetime=_LIFETIME, announced_size=size)
        starts = range(0, size, _PART_BYTES)
        sizes = tuple(min(_PART_BYTES, size - start) for start in starts)
        self._videos[key] = _Video(upload=upload, sizes=sizes)
        address = f"{_origin(request)}/dms-uploads/{key}/uploadedVideo"
        # learn.microsoft.com/linkedin/marketing/community-management/shares/videos-api, checked 2026-11-25
        instructions = [
            {"uploadUrl": f"{address}/{number}?sau=x", "firstByte": start, "lastByte": start + part - 1}
            for number, (start, part) in enumerate(zip(starts, sizes, strict=True))
        ]
        return web.json_response(
            {
                "value": {
                    "uploadUrlsExpireAt": self._expires_at(),
                    "video": urn,
                    "uploadInstructions": instructions,
                    "uploadToken": "",
                }
            }
        )

    async def _receive_part(self, request: web.Request) -> web.Response:
        video = self._videos.get(request.match_info["key"])
        number = int(request.match_info["number"])
        # The address is signed, and a token beside the signature is refused; the status is ours.
        if "Authorization" in request.headers or request.content_type != "application/octet-stream":
            return web.Response(status=400)
        content = await request.content.read()
        if video is None or number >= len(video.sizes) or len(content) != video.sizes[number]:
            return web.Response(status=400)
        etag = f"/ambry-video/signedId/{secrets.token_hex(8)}.bin"
        video.parts[number] = (etag, content)
        return web.Response(status=200, headers={"ETag": etag})

    async def _finalize_video(self, request: web.Request) -> web.Response:
        held = self._linkedin.admit(request, *_POSTING, resource="partnerApiVideosExternal.ACTION-finalizeUpload")
        if isinstance(held, web.Response):
            return held
        body = (await request.json()).get("finalizeUploadRequest", {})
        video = self._videos.get(str(body.get("video")).removeprefix("urn:li:video:"))
        etags = [video.parts[number][0] for number in sorted(video.parts)] if video else []
        if video is None or body.get("uploadedPartIds") != etags or len(etags) != len(video.sizes):
            return api_error(400, message="Failed to update asset", code="UPDATING_ASSET_FAILED")
        for number in range(len(video.sizes)):
            video.upload.content += video.parts[number][1]
        self._linkedin.uploads.finish(video.upload, looks=0 if self._is_hidden(held.grant.credential_set) else 2)
        self._finished_at[video.upload.id] = self._linkedin.clock.now()
        return web.Response(status=200)

    async def _show_video(self, request: web.Request) -> web.Response:
        return self._show(request, *_POSTING, resource="partnerApiVideosExternal.GET")

    def _is_hidden(self, credential_set: str) -> bool:
        return self._linkedin.is_on("hidden_video_state") and not credential_set

    # --- both ---------------------------------------------------------------------------------------------------------

    async def _begin(self, request: web.Request, resource: str) -> tuple[FakeAccount, Mapping[str, Any]] | web.Response:
        held = self._linkedin.admit(request, *_POSTING, resource=f"{resource}.ACTION-initializeUpload")
        if isinstance(held, web.Response):
            return held
        facts = (await request.json()).get("initializeUploadRequest")
        if request.query.get("action") != "initializeUpload" or not isinstance(facts, dict):
            return api_error(400, message="Invalid action", code="ILLEGAL_ARGUMENT")
        owner = self._linkedin.find_author(
            held, facts.get("owner"), field="/initializeUploadRequest/owner", role="owner"
        )
        return owner if isinstance(owner, web.Response) else (owner, facts)

    def _show(self, request: web.Request, *scopes: str, resource: str) -> web.Response:
        held = self._linkedin.admit(request, *scopes, resource=resource)
        if isinstance(held, web.Response):
            return held
        urn = request.match_info["urn"]
        if urn.startswith("urn:li:video:") and self._is_hidden(held.grant.credential_set):
            return access_denied(f"Not enough permissions to access: {resource}.20260901")
        upload = self._linkedin.uploads.look(urn)
        if upload is None or upload.account is None:
            return api_error(404, message=f"Asset {urn} is not found", code="RESOURCE_NOT_FOUND")
        # learn.microsoft.com/linkedin/marketing/community-management/shares/{images,videos}-api, checked 2026-11-25
        facts: dict[str, object] = {"id": urn, "owner": _owner_urn(upload.account), "status": _STATES[upload.state]}
        if upload.state is UploadState.READY:
            key = urn.rpartition(":")[2]
            facts |= {"downloadUrl": f"https://media.licdn.com/dms/{key}", "downloadUrlExpiresAt": self._expires_at()}
        return web.json_response(facts)

    def _expires_at(self) -> int:
        return int((self._linkedin.clock.now() + _LIFETIME).timestamp() * 1000)


def _owner_urn(account: FakeAccount) -> str:
    return account.id if account.id.startswith("urn:li:") else f"urn:li:person:{account.id}"


def _origin(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"
