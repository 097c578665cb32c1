"""Echo with pictures: uploads come first, as a call of their own, and the platform may forget them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import echo_platform
from aiohttp import web
from echo_platform import accounts, authorize, exchange, find_published, refresh, revoke, validate

from logicspike.plugin import (
    Credential,
    Limits,
    LinkCard,
    MediaFile,
    MediaKind,
    MediaRule,
    Platform,
    PlatformContext,
    PlatformUnavailable,
    Post,
    PostRejected,
    PreparationLost,
    Prepared,
    Problem,
    PublishedPost,
    TokenExpired,
    hookimpl,
    oauth2,
    to_payload,
)
from logicspike.testing import UploadRefused

__all__ = ["accounts", "authorize", "exchange", "find_published", "refresh", "revoke", "validate"]

MEGABYTE = 1024 * 1024
LIMITS = Limits(
    max_chars=100,
    media=(
        MediaRule(
            kind=MediaKind.IMAGE,
            content_types=("image/png", "image/jpeg", "image/gif"),
            max_bytes=5 * MEGABYTE,
            max_count=4,
            max_alt_text=100,
        ),
        MediaRule(kind=MediaKind.VIDEO, content_types=("video/mp4",), max_bytes=50 * MEGABYTE),
    ),
)


@hookimpl
def describe() -> Platform:
    """Echo's facts, but that it takes files."""
    return replace(echo_platform.describe(), limits=LIMITS, wants_link_card=True)


@hookimpl
async def prepare(
    ctx: PlatformContext, credential: Credential, post: Post, files: Sequence[MediaFile], card: LinkCard | None
) -> Prepared:
    """Upload the files one by one."""
    handles = {"card": card.title} if card is not None else {}
    expires_at: datetime | None = None
    for number, file in enumerate(files):
        made = await _upload(ctx, credential, file)
        handles[str(number)] = made["id"]
        if made["lives_for"]:
            expires_at = ctx.now + timedelta(seconds=made["lives_for"])
    return Prepared(handles=handles, expires_at=expires_at)


async def _upload(ctx: PlatformContext, credential: Credential, file: MediaFile) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {credential.tokens.access_token}", "X-Alt": file.media.alt_text}
    async with (
        file.open() as stream,
        ctx.http.post(
            f"{ctx.endpoints['api']}/uploads", data=to_payload(file.media, stream), headers=headers
        ) as answer,
    ):
        match answer.status:
            case 201:
                made: dict[str, Any] = await answer.json()
                return made
            case 422:
                raise PostRejected(Problem(message=f"Echo can't show {file.media.name}.", field="media"))
            case 401:
                raise TokenExpired("Echo refused the access token.")
            case _:
                raise PlatformUnavailable("Echo takes no uploads now.")


@hookimpl
async def publish(ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None) -> PublishedPost:
    """Say it once, with what was uploaded."""
    handles = dict(prepared.handles) if prepared is not None else {}
    body = {"key": post.key, "text": post.text, "link": post.link, "uploads": json.dumps(handles)}
    made = await oauth2.post_json(ctx, f"{ctx.endpoints['api']}/echoes", credential.tokens, body)
    if "lost" in made:
        raise PreparationLost("Echo has forgotten the pictures.")
    return PublishedPost(id=made["id"], url=made["url"])


class FakeAlbum(echo_platform.FakeEcho):
    """Echo with uploads, on loopback.

    Attributes:
        lifetime: how long an upload without a post is kept.
        refusals: statuses that the next uploads are answered with.
        began: set when an upload has come in.
        may_end: unset, an upload is not answered before it is set.
    """

    takes_media = True

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.lifetime: timedelta | None = None
        self.refusals: list[int] = []
        self.uploaded: list[bytes] = []
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the path for uploads."""
        super().add_routes(router)
        router.add_post("/uploads", self._upload)

    async def _upload(self, request: web.Request) -> web.Response:
        held, wrong = self.bearer(request)
        content = await request.read()
        self.began.set()
        await self.may_end.wait()
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        if self.refusals and (status := self.refusals.pop(0)):
            return web.json_response({"error": "refused"}, status=status)
        self.uploaded.append(content)
        upload_id = f"u{self.next_number()}"
        alt_text = request.headers["X-Alt"]
        self.uploads.keep(upload_id, content, account=held.account, lifetime=self.lifetime, alt_text=alt_text)
        lives_for = self.lifetime.total_seconds() if self.lifetime else None
        return web.json_response({"id": upload_id, "lives_for": lives_for}, status=201)

    async def _say(self, request: web.Request) -> web.Response:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        body = await request.json()
        handles = json.loads(body["uploads"])
        try:
            media = [
                self.uploads.take(upload_id, account=held.account)
                for number, upload_id in sorted(handles.items())
                if number != "card"
            ]
        except UploadRefused:
            return web.json_response({"lost": True}, status=201)
        post_id = f"{held.account.id}-{body['key']}"
        if self.find_entry(post_id) is None:
            self.record(post_id=post_id, account=held.account, text=body["text"], link=body["link"], media=media)
        return web.json_response(self._to_json(post_id), status=201)
