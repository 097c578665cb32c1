"""Gallery, a platform for tests that declares all that the contract has checks for: media, cards, parts, counting,
a second developer app, health checks, shared grants, callbacks.

Media go up in one request and are looked at until they are processed; a post names their ids.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs

import echo_platform
from aiohttp import web

from logicspike.plugin import (
    AccessReport,
    AuthorizationGrant,
    Credential,
    CredentialSet,
    Limits,
    LinkCard,
    MediaFile,
    MediaKind,
    MediaRule,
    Platform,
    PlatformContext,
    PlatformEvent,
    PlatformEventOutcome,
    PlatformEventRefused,
    Post,
    PostRejected,
    PreparationLost,
    Prepared,
    Problem,
    PublishedPost,
    TextLength,
    TokenSet,
    hookimpl,
    oauth2,
    to_payload,
)
from logicspike.testing import (
    CodeRefused,
    ConsentRequest,
    FakeAccount,
    FakeCard,
    FakeEvent,
    FakeMedia,
    RefreshRefused,
    UploadRefused,
)

ENTRY_POINTS = """\
[logicspike.platforms]
gallery = gallery_platform

[logicspike.sandboxes]
gallery = gallery_platform:FakeGallery
"""

authorize = echo_platform.authorize
_LINK = re.compile(r"https?://\S+")


@hookimpl
def describe() -> Platform:
    """Gallery's facts."""
    return Platform(
        name="gallery",
        title="Gallery",
        scopes=("say", "who"),
        endpoints={"auth": "https://gallery.example", "api": "https://api.gallery.example"},
        limits=Limits(
            max_chars=200,
            checked_on=date(2026, 11, 25),
            max_parts=3,
            media=(
                MediaRule(
                    kind=MediaKind.IMAGE,
                    content_types=("image/png", "image/jpeg"),
                    max_bytes=1_000_000,
                    max_count=4,
                    max_alt_text=300,
                ),
                MediaRule(kind=MediaKind.VIDEO, content_types=("video/mp4",), max_bytes=10_000_000),
            ),
        ),
        credential_sets=(
            CredentialSet(name="walls", title="Gallery walls", typed="gallery-wall", scopes=("say", "who", "walls")),
        ),
        events=("removed",),
        wants_link_card=True,
    )


@hookimpl
def measure(post: Post) -> TextLength:
    """Each link counts as ten."""
    return count(post.text)


@hookimpl
def validate(post: Post) -> Sequence[Problem]:
    """Nothing but the length."""
    counted = count(post.text)
    return [Problem(message="too long")] if counted.length > counted.limit else []


@hookimpl
async def exchange(ctx: PlatformContext, grant: AuthorizationGrant) -> Credential:
    """As Echo; the grant is the person's."""
    credential: Credential = await echo_platform.exchange(ctx, grant)
    return replace(credential, grant_id=credential.account.id)


@hookimpl
async def refresh(ctx: PlatformContext, credential: Credential) -> TokenSet:
    """As Echo."""
    tokens: TokenSet = await echo_platform.refresh(ctx, credential)
    return tokens


@hookimpl
async def revoke(ctx: PlatformContext, credential: Credential, is_last: bool) -> None:
    """Withdrawing ends all of the person's grants, so only the last one does."""
    if is_last:
        await echo_platform.revoke(ctx, credential)


@hookimpl
async def check(ctx: PlatformContext, credential: Credential) -> AccessReport:
    """Ask whose token it is, and for what."""
    answer = await oauth2.get_json(ctx, f"{ctx.endpoints['api']}/me", credential.tokens)
    return AccessReport(scopes=tuple(answer["scopes"]))


@hookimpl
async def receive(ctx: PlatformContext, event: PlatformEvent) -> PlatformEventOutcome:
    """Signed over the whole body by the client secret."""
    expected = sign(ctx.client.client_secret, event.body)
    if not hmac.compare_digest(expected, event.headers.get("x-signature", "")):
        raise PlatformEventRefused("not Gallery's")
    return PlatformEventOutcome(ended_grants=(event.body.decode(),))


@hookimpl
async def prepare(
    ctx: PlatformContext, credential: Credential, post: Post, files: Sequence[MediaFile], card: LinkCard | None
) -> Prepared:
    """Upload everything and wait for it."""
    ids = [await upload(ctx, credential, file) for file in files]
    handles = {f"media-{number}": media_id for number, media_id in enumerate(ids)}
    if card is not None:
        handles |= {"title": card.title, "description": card.description}
        if card.picture is not None:
            handles["picture"] = await upload(ctx, credential, card.picture)
    return Prepared(handles=handles, expires_at=ctx.now + timedelta(hours=1))


async def upload(ctx: PlatformContext, credential: Credential, file: MediaFile) -> str:
    url = f"{ctx.endpoints['api']}/media"
    async with file.open() as stream:
        reply = await oauth2.call(
            ctx,
            "POST",
            url,
            tokens=credential.tokens,
            params={"alt": file.media.alt_text},
            body=to_payload(file.media, stream),
        )
    uploaded = oauth2.read_object(ctx, reply)
    while True:
        state = await oauth2.get_json(ctx, f"{url}/{uploaded['id']}", credential.tokens)
        if state["state"] == "failed":
            raise PostRejected(Problem(message="Gallery can't read this file.", field="media"))
        if state["state"] == "ready":
            return str(uploaded["id"])
        await ctx.sleep(2)


@hookimpl
async def publish(ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None) -> PublishedPost:
    """One call; the key makes a second one harmless."""
    body = {"key": post.key, "text": post.text, "link": post.link}
    body |= {"reply_to": post.reply.previous_id if post.reply else None}
    body |= {"handles": dict(prepared.handles) if prepared else {}}
    url = f"{ctx.endpoints['api']}/echoes"
    reply = await oauth2.call(ctx, "POST", url, tokens=credential.tokens, json=body, creates=True)
    if reply.status == 410:
        raise PreparationLost("Gallery has forgotten the files.")
    made = oauth2.read_created(ctx, reply)
    return PublishedPost(id=made["id"], url=made["url"])


@hookimpl
async def find_published(ctx: PlatformContext, credential: Credential, post: Post) -> PublishedPost | None:
    """As Echo."""
    found: PublishedPost | None = await echo_platform.find_published(ctx, credential, post)
    return found


def count(text: str) -> TextLength:
    return TextLength(length=len(_LINK.sub("x" * 10, text)), limit=200)


def sign(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class FakeGallery(echo_platform.FakeEcho):
    """Gallery on loopback."""

    name = "gallery"
    title = "Gallery"
    takes_media = True
    credential_sets: ClassVar[tuple[str, ...]] = ("walls",)
    events: ClassVar[dict[str, str]] = {"removed": "Remove the app"}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Echo's paths, and those for media."""
        super().add_routes(router)
        router.add_post("/media", self._upload)
        router.add_get("/media/{id}", self._look)

    def build_event(self, name: str, person: FakeAccount) -> FakeEvent:
        """The person's id, signed."""
        body = person.id.encode()
        return FakeEvent(body=body, headers={"X-Signature": sign(self.client_secret, body)})

    async def _authorize(self, request: web.Request) -> web.Response:
        found = self.find_credential_set(request.query.get("client_id"))
        if found is None:
            return web.Response(status=400, text="unknown app")
        return self.show_consent(
            ConsentRequest(
                redirect_uri=request.query["redirect_uri"],
                state=request.query["state"],
                scopes=tuple(request.query["scope"].split()),
                code_challenge=request.query.get("code_challenge"),
                credential_set=found,
            )
        )

    def _redeem(self, form: dict[str, str]) -> Any:
        grant = super()._redeem(form)
        if grant.credential_set != self.find_credential_set(form["client_id"]):
            raise CodeRefused if form["grant_type"] == "authorization_code" else RefreshRefused
        return grant

    async def _revoke(self, request: web.Request) -> web.Response:
        held = self._access.get(parse_qs(await request.text())["token"][0])
        if held is not None:
            self.revoke_person(held.grant.person)
        return web.Response()

    async def _me(self, request: web.Request) -> web.Response:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        answer = {"id": held.account.id, "name": held.account.name, "scopes": held.grant.scopes}
        return web.json_response(answer)

    async def _upload(self, request: web.Request) -> web.Response:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        upload = self.uploads.begin(f"m-{self.next_number()}", account=held.account, lifetime=timedelta(hours=1))
        await upload.receive(request.content)
        upload.alt_text = request.query["alt"]
        self.uploads.finish(upload, looks=2)
        return web.json_response({"id": upload.id}, status=202)

    async def _look(self, request: web.Request) -> web.Response:
        upload = self.uploads.look(request.match_info["id"])
        return web.json_response({"state": upload.state if upload else "failed"})

    async def _say(self, request: web.Request) -> web.Response:
        held, wrong = self.bearer(request)
        if held is None or wrong:
            return web.json_response({"error": wrong}, status=401)
        body = await request.json()
        post_id = f"{held.account.id}-{body['key']}"
        if self.find_entry(post_id) is None:
            try:
                media = [self._take(body["handles"], name, held.account) for name in sorted(body["handles"])]
            except UploadRefused:
                return web.json_response({"error": "gone"}, status=410)
            self.record(
                post_id=post_id,
                account=held.account,
                text=body["text"],
                link=body["link"],
                media=[medium for medium in media if medium],
                reply_to=body["reply_to"],
                card=self._to_card(body["handles"]),
            )
        return web.json_response(self._to_json(post_id), status=201)

    def _take(self, handles: dict[str, str], name: str, account: FakeAccount) -> FakeMedia | None:
        return self.uploads.take(handles[name], account=account) if name.startswith("media-") else None

    def _to_card(self, handles: dict[str, str]) -> FakeCard | None:
        if "title" not in handles:
            return None
        picture = self.uploads.take(handles["picture"]) if "picture" in handles else None
        return FakeCard(title=handles["title"], description=handles["description"], picture=picture)
